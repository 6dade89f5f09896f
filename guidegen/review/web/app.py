"""The whole site: routes, what errors look like, and the guard round all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from guidegen.errors import (
    AccessError,
    ApprovalError,
    GuidegenError,
    InputError,
    NoSafePlan,
    ResultError,
    TooManyGuesses,
)
from guidegen.review.web import changing_routes, login_routes, looking_routes, picture_routes, signing_routes
from guidegen.review.web.access import NotSignedInError
from guidegen.review.web.guard import Guard
from guidegen.review.web.render import page
from guidegen.review.web.site import Site

# What an error answers with: the first that fits.
STATUS: tuple[tuple[type[GuidegenError], int], ...] = (
    (TooManyGuesses, 429),
    (AccessError, 403),
    (ApprovalError, 409),
    (ResultError, 404),
    (InputError, 422),
    (NoSafePlan, 422),
    (GuidegenError, 500),
)
TITLES = {403: "Not allowed", 404: "Not found", 409: "Refused", 422: "Cannot be done", 429: "Wait"}


def make_app(site: Site, hosts: frozenset[str]) -> Guard:
    """The site behind its guard. `hosts`: every host name with port that it answers to."""
    return Guard(_routes(site), hosts, "https" if site.is_secure else "http")


def _routes(site: Site) -> FastAPI:
    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(site.recomputing.close)

    app = FastAPI(
        title="guidegen review",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=running,
        redirect_slashes=False,
    )
    app.state.site = site
    for part in (login_routes, looking_routes, picture_routes, signing_routes, changing_routes):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(packages=[("guidegen.review.web", "static")]), name="static")
    app.add_exception_handler(NotSignedInError, _not_signed_in)
    app.add_exception_handler(GuidegenError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    return app


def _not_signed_in(request: Request, _error: Exception) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/login", status_code=303)
    return _fault(401, "Sign in", ("expected an open session, found none, or one that has ended; sign in again",))


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, GuidegenError)
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    reasons = (error.message.splitlines()[0], *error.reasons) if isinstance(error, ApprovalError) else (error.message,)
    response = _fault(status, TITLES.get(status, "Failed"), tuple(dict.fromkeys(reasons)))
    if isinstance(error, TooManyGuesses):
        response.headers["retry-after"] = str(error.wait_s)
    return response


def _invalid(_request: Request, error: Exception) -> Response:
    """What does not have the form of an address is not there; what does not have the form of an answer is told."""
    assert isinstance(error, RequestValidationError)
    faults: list[Any] = list(error.errors())
    if any(fault["loc"][0] == "path" for fault in faults):
        return _fault(404, TITLES[404], ("expected an address of this site, found another; choose one from the list",))
    told = tuple(f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}" for fault in faults)
    return _fault(422, TITLES[422], told)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _fault(error.status_code, TITLES.get(error.status_code, "Failed"), (str(error.detail),))
    response.headers.update(error.headers or {})
    return response


def _fault(status: int, title: str, reasons: tuple[str, ...]) -> Response:
    return page("fault.html", None, status, title=title, reasons=reasons)

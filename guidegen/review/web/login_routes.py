"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from guidegen.errors import AccessError, TooManyGuesses
from guidegen.review.people import Credentials
from guidegen.review.web.access import (
    Here,
    SignedIn,
    Token,
    address_of,
    fresh_cookie,
    give_cookie,
    require_token,
)
from guidegen.review.web.render import page
from guidegen.review.web.site import Site

router = APIRouter()

User = Annotated[str, Form(max_length=64)]
Password = Annotated[str, Form(max_length=1024)]


@router.get("/login")
def login_form(site: Here) -> Response:
    """The form for user id and password."""
    return _form(site)


@router.post("/login")
def log_in(request: Request, site: Here, user: User = "", password: Password = "", token: Token = "") -> Response:
    """Open a session, and end the one that the browser had."""
    require_token(site.token_of(request.cookies.get(site.login_cookie, "")), token)
    before = request.cookies.get(site.session_cookie)
    try:
        opened = site.reviews.sessions.open(Credentials(user, password, address_of(request), before))
    except AccessError as refused:
        return _form(site, str(refused), 429 if isinstance(refused, TooManyGuesses) else 403)
    response = RedirectResponse("/", status_code=303)
    give_cookie(response, site.session_cookie, opened.id, site.is_secure)
    response.delete_cookie(site.login_cookie, path="/", secure=site.is_secure, httponly=True, samesite="strict")
    return response


@router.post("/logout")
def log_out(site: Here, visitor: SignedIn, token: Token = "") -> Response:
    """End the session."""
    require_token(visitor.token, token)
    site.reviews.sessions.close(visitor.session_id)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(site.session_cookie, path="/", secure=site.is_secure, httponly=True, samesite="strict")
    return response


def _form(site: Site, fault: str | None = None, status: int = 200) -> Response:
    cookie = fresh_cookie()
    response = page("login.html", None, status, token=site.token_of(cookie), fault=fault)
    give_cookie(response, site.login_cookie, cookie, site.is_secure)
    return response

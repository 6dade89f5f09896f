"""Who sends a request, and whether they may: the session behind the cookie, the token of the form, the role."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Form, Request, Response

from guidegen.errors import AccessError
from guidegen.review.people import Credentials
from guidegen.review.persons import Person, Role
from guidegen.review.sessions import Session
from guidegen.review.web.site import Site

LONGEST_TOKEN = 128


class NotSignedInError(Exception):
    """There is no open session: the visitor is sent to the login."""


@dataclass(frozen=True)
class Visitor:
    """Who is signed in; `token` is what their forms carry."""

    session: Session
    session_id: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def person(self) -> Person:
        """The account."""
        return self.session.person

    def has(self, *roles: Role) -> bool:
        """Whether the visitor has one of these roles."""
        return bool(set(roles) & set(self.person.roles))


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


Here = Annotated[Site, Depends(site_of)]
Token = Annotated[str, Form(max_length=LONGEST_TOKEN)]


def signed_in(request: Request, site: Here) -> Visitor:
    """Whoever has an open session; NotSignedInError else."""
    session_id = request.cookies.get(site.session_cookie)
    if session_id is None:
        raise NotSignedInError
    try:
        session = site.reviews.sessions.get(session_id)
    except AccessError as ended:
        raise NotSignedInError from ended
    return Visitor(session, session_id, site.token_of(session_id))


SignedIn = Annotated[Visitor, Depends(signed_in)]


def acting(*roles: Role) -> Callable[[Visitor, str], Visitor]:
    """What a form asks of its sender: a session, the token of its page, and one of these roles."""

    def allowed(visitor: SignedIn, token: Token = "") -> Visitor:
        require_token(visitor.token, token)
        if not visitor.has(*roles):
            had = ", ".join(visitor.person.roles)
            raise AccessError(f"expected {' or '.join(roles)} for this, found {visitor.person.printed_name}, {had}")
        return visitor

    return allowed


def require_token(expected: str, found: str) -> None:
    """AccessError for a form that did not come from one of our own pages."""
    if not hmac.compare_digest(expected.encode(), found.encode(errors="replace")):
        raise AccessError("expected a form of this site, found one without its token; load the page again")


def address_of(request: Request) -> str:
    """Where a request comes from, as guesses are counted by."""
    return "unknown" if request.client is None else request.client.host


def credentials(request: Request, visitor: Visitor, password: str) -> Credentials:
    """What a signature is made with: the visitor's own account, the password as typed now, and the session."""
    return Credentials(visitor.person.user, password, address_of(request), visitor.session_id)


def give_cookie(response: Response, name: str, value: str, is_secure: bool) -> None:
    """A cookie that no script reads, that no other site's request carries, and that ends with the browser."""
    response.set_cookie(name, value, httponly=True, samesite="strict", secure=is_secure, path="/")


def fresh_cookie() -> str:
    """The value of a cookie that nobody can guess."""
    return secrets.token_urlsafe(24)

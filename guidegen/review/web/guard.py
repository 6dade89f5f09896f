"""What every request must be before any route sees it, and what every answer carries.

A page of another site, open in the same browser, can send requests here with the user's cookies, and a name that was
made to point at this machine can even read the answers. So only the site's own host names are answered, nothing that
another origin sent is, and no answer can be framed, or run a script or a style that is not a file of this site.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 * 1024  # bytes: the longest form is a few reasons of 4,000 characters
SAFE = frozenset({"GET", "HEAD"})
METHODS = SAFE | {"POST"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)

# Referrer-Policy is not no-referrer: a browser would then leave the origin out of our own forms.
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NOT_KEPT = {"cache-control": "no-store"}
TRANSPORT = {"strict-transport-security": "max-age=31536000"}


@dataclass(frozen=True)
class Refusal:
    """A request that goes no further."""

    status: int
    why: str


class Guard:
    """The site behind its guard. `hosts` are what the Host header may be, port included; `scheme` is http or https."""

    def __init__(self, app: Application, hosts: frozenset[str], scheme: str) -> None:
        self.app = app
        self.hosts = hosts
        self.origins = frozenset(f"{scheme}://{host}" for host in hosts)
        self.headers = HEADERS | (TRANSPORT if scheme == "https" else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, or answered with the headers of every answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a web socket: there is none
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = self.headers if str(scope["path"]).startswith("/static/") else self.headers | NOT_KEPT

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name.encode(), value.encode()) for name, value in headers.items()]
                message = {**message, "headers": [*message.get("headers", ()), *given]}
            await send(message)

        refusal = self.refusal(str(scope["method"]), scope["headers"])
        if refusal is None:
            await self.app(scope, receive, send_with_headers)
        else:
            await _refuse(refusal, send_with_headers)

    def refusal(self, method: str, headers: list[tuple[bytes, bytes]]) -> Refusal | None:
        """Why a request is refused before it is looked at; None for one that may go on."""
        values = _Values(headers)
        if method not in METHODS:
            return Refusal(405, f"expected GET or POST, found {method}")
        if values.one("host") not in self.hosts:
            return Refusal(421, "expected this site's own host name; open the address that guidegen review printed")
        return self._foreign(method in SAFE, values) or _too_large(values)

    def _foreign(self, is_safe: bool, values: _Values) -> Refusal | None:
        """Whether another site sent it: the browser says so in two headers, and one of them must speak for a form."""
        origin, fetched = values.all("origin"), values.all("sec-fetch-site")
        allowed = {"same-origin", "none"} if is_safe else {"same-origin"}
        is_foreign = any(each not in self.origins for each in origin) or any(each not in allowed for each in fetched)
        if is_foreign or (not is_safe and len(origin) != 1):
            return Refusal(403, "expected a request from this site's own pages, found another origin, or none named")
        return None


class _Values:
    """The headers of a request by name, as text."""

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self._headers = headers

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header."""
        return tuple(value.decode("latin-1") for key, value in self._headers if key.lower() == name.encode())

    def one(self, name: str) -> str | None:
        """The one value of a header; None where there is none, or more."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None


def _too_large(values: _Values) -> Refusal | None:
    """A body is announced by its length, which the server holds it to, and is small."""
    if values.all("transfer-encoding"):
        return Refusal(411, "expected a body with its length, found one without")
    for length in values.all("content-length"):
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            return Refusal(413, f"expected a body of at most {LARGEST_BODY} bytes")
    return None


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = f"{refusal.why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

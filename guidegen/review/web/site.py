"""All that the routes share: the review itself, the shapes, the recomputations, and the secret behind form tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date
from pathlib import Path

from guidegen.errors import ResultError
from guidegen.results import NAME
from guidegen.review.reviews import Reviews
from guidegen.review.revision import CASE, Place, place_of
from guidegen.review.times import Clock, system_clock
from guidegen.review.web.cases import CaseFiles
from guidegen.review.web.recomputing import Recomputing
from guidegen.review.web.shapes import ShapeStore

SECRET_BYTES = 32


@dataclass(frozen=True)
class Site:
    """One running site. `is_secure`: it is served over TLS, and its cookies travel over nothing else."""

    reviews: Reviews
    cases: CaseFiles
    recomputing: Recomputing
    shapes: ShapeStore
    is_secure: bool = False
    clock: Clock = system_clock
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(SECRET_BYTES), repr=False)

    @property
    def output(self) -> Path:
        """The folder of all results."""
        return self.reviews.output

    def today(self) -> date:
        """The day on which the age of images is judged, in UTC as in the review itself."""
        return self.clock().astimezone(UTC).date()

    @property
    def session_cookie(self) -> str:
        """The cookie that holds the id of a session; browsers hold the prefix to TLS and to this host alone."""
        return "__Host-guidegen" if self.is_secure else "guidegen"

    @property
    def login_cookie(self) -> str:
        """The cookie of whoever looks at the form of the login."""
        return f"{self.session_cookie}-login"

    def token_of(self, cookie: str) -> str:
        """What a form must bring back, beside the cookie: nobody who cannot read our pages knows it."""
        return hmac.new(self.secret, cookie.encode(errors="replace"), hashlib.sha256).hexdigest()

    def place(self, case: str, revision: str) -> Place:
        """The place of a revision by its names in an address; ResultError where there is none."""
        if not CASE.fullmatch(case) or not NAME.fullmatch(revision) or not (self.output / case / revision).is_dir():
            raise ResultError("expected the address of a revision, found none there; choose one from the list")
        return place_of(self.output, self.output / case / revision)

    def places(self) -> Iterator[Place]:
        """Every revision there is, by case and then by number."""
        folders = sorted(path for path in self.output.iterdir() if CASE.fullmatch(path.name) and path.is_dir())
        for folder in folders:
            for name in sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_dir()):
                yield place_of(self.output, folder / name)

"""A revision by its address, as routes take it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from guidegen.review.revision import Place
from guidegen.review.web.access import Here, SignedIn

CASE_NAME = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}-(left|right)$", max_length=72)]
REVISION = r"^r[0-9]{3,6}$"
REVISION_NAME = Annotated[str, Path(pattern=REVISION)]


def place_at(site: Here, _visitor: SignedIn, case: CASE_NAME, revision: REVISION_NAME) -> Place:
    """The place of the revision in an address, for somebody who is signed in."""
    return site.place(case, revision)


At = Annotated[Place, Depends(place_at)]


def address(place: Place) -> str:
    """The address of a revision's page."""
    return f"/cases/{place.case}/{place.name}"

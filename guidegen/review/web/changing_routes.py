"""Asking for a change: another entry, target, kit, size or strategy, computed in the background into a new revision."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import ValidationError

from guidegen.case import Order
from guidegen.errors import CaseFileError, ReviewError
from guidegen.frames import unit
from guidegen.plan.templates import FOLDERS, Kit
from guidegen.review.persons import Role
from guidegen.review.web.access import Here, SignedIn, Visitor, acting
from guidegen.review.web.address import At
from guidegen.review.web.recomputing import STAGES, Change, new_change
from guidegen.review.web.render import page
from guidegen.review.web.shown import sheet_of
from guidegen.rounded import shown
from guidegen.show.figures import Table, beside

router = APIRouter()

ASKERS = (Role.ENGINEER, Role.SURGEON)
Asker = Annotated[Visitor, Depends(acting(*ASKERS))]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,32}$")]
Text = Annotated[str, Form(max_length=100)]
WORDS = {"entry_mm": "entry", "target_mm": "target", "kit": "kit", "size": "size", "strategy": "strategy"}


@router.post("/cases/{case}/{revision}/change")
def ask_for_change(
    site: Here,
    place: At,
    visitor: Asker,
    entry: Text = "",
    target: Text = "",
    kit: Text = "",
    size: Text = "M",
    strategy: Text = "centroid",
) -> Response:
    """Begin to compute the case of a revision with another order."""
    source = site.cases.source(place)
    changed = {
        "entry_mm": _point(entry, "entry"),
        "target_mm": _point(target, "target"),
        "kit": kit or None,
        "size": size,
        "strategy": strategy,
    }
    order = _order(source.order, changed)
    asked = tuple(
        f"{word}: {_words(getattr(order, key))}"
        for key, word in WORDS.items()
        if getattr(order, key) != getattr(source.order, key)
    )
    if not asked:
        raise ReviewError(f"expected something that differs from {place.name}, found the same order; change it")
    change = new_change(place.case, place.name, visitor.person.printed_name, asked)
    site.recomputing.begin(source, order, change)
    return RedirectResponse(f"/changes/{change.name}", status_code=303)


@router.get("/changes/{name}")
def show_change(site: Here, visitor: SignedIn, name: Name) -> Response:
    """How far a change is; as soon as it is measured, its figures beside those of the revision that it changes."""
    change = site.recomputing.find(name)
    tables: tuple[Table, ...] = ()
    if change.measured is not None:
        base = site.reviews.read(site.place(change.case, change.base).folder)
        tables = beside(sheet_of(base, site.today()).figures, change.measured.figures, (change.base, "changed"))
    return page("change.html", visitor, change=change, tables=tables, stages=STAGES)


@router.get("/changes/{name}/progress")
def show_progress(site: Here, _visitor: SignedIn, name: Name) -> JSONResponse:
    """The same, for the page to follow."""
    return JSONResponse(_progress(site.recomputing.find(name)))


def kits() -> tuple[str, ...]:
    """The names of all drill kits."""
    folder = resources.files("guidegen.templates") / FOLDERS[Kit]
    return tuple(sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml")))


@dataclass(frozen=True)
class Shorter:
    """A tunnel that ends `by_mm` earlier, as the form is filled in."""

    by_mm: str
    entry: str
    target: str


def shorter(plan: Mapping[str, Any]) -> Shorter | None:
    """The tunnel of plan.json's content, ended so much earlier that it keeps the policy's limit at the joint, in whole
    tenths of a millimetre; None where it keeps it, where no stop would, or where there are several tunnels.
    """
    tunnels = plan.get("tunnels") or []
    earlier_mm = tunnels[0]["error_budget"]["stop_earlier_mm"] if len(tunnels) == 1 else None
    if not earlier_mm:
        return None
    by_mm = math.ceil(10.0 * earlier_mm) / 10.0
    entry, target = (np.array(tunnels[0][name]) for name in ("entry_mm", "target_mm"))
    ends = target - by_mm * unit(target - entry)
    return Shorter(shown(by_mm, 1), *(", ".join(shown(value, 6) for value in point) for point in (entry, ends)))


def _progress(change: Change) -> dict[str, Any]:
    return {
        "phase": str(change.phase),
        "stage": change.stages[-1] if change.stages else None,
        "share": change.share,
        "measured": change.measured is not None,
        "revision": change.revision,
        "error": change.error,
    }


def _order(before: Order, changed: dict[str, Any]) -> Order:
    try:
        return Order.model_validate(before.model_dump(mode="json") | changed)
    except ValidationError as error:
        told = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors(include_input=False))
        raise CaseFileError(f"expected an order that can be, found: {told}; mend it") from None


PLAIN_NUMBER = re.compile(r"[-+]?[0-9]{1,9}(\.[0-9]{1,9})?")  # as a form is filled in: float() takes 1_0 and more


def _point(text: str, what: str) -> list[float] | None:
    """Three numbers as typed, in LPS mm; None where nothing was typed: the search decides."""
    if not text.strip():
        return None
    parts = text.replace(";", ",").split(",")
    numbers = [float(part) for part in parts if PLAIN_NUMBER.fullmatch(part.strip())]
    if len(numbers) != 3 or len(parts) != 3:
        raise ReviewError(f"expected the {what} as three numbers x, y, z in mm (LPS), found others; mend it")
    return numbers


def _words(value: Any) -> str:
    if value is None:
        return "as the search finds it"
    return ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else str(value)

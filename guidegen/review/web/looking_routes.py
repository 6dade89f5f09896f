"""What is looked at: the list, a revision, two of them beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from guidegen.case import Order
from guidegen.errors import GuidegenError, ResultError
from guidegen.review.approval import HOLDS
from guidegen.review.history import History
from guidegen.review.revision import Place, Revision
from guidegen.review.states import MOVES, Act, State
from guidegen.review.web.access import Here, SignedIn, Visitor
from guidegen.review.web.address import CASE_NAME, REVISION, At
from guidegen.review.web.changing_routes import ASKERS, kits, shorter
from guidegen.review.web.grounds import grounds_of
from guidegen.review.web.picture_routes import OPENING, opening_slices
from guidegen.review.web.planes import planes_of, slider_of
from guidegen.review.web.render import page
from guidegen.review.web.shapes import layers_of
from guidegen.review.web.shown import Sheet, sheet_of, shown_of
from guidegen.review.web.site import Site
from guidegen.review.web.summary import Summary, fault_of, summary_of
from guidegen.show.compare import only_in, paired
from guidegen.show.figures import beside

router = APIRouter()

Number = Annotated[str, Query(pattern=REVISION)]


@dataclass(frozen=True)
class Listed:
    """A revision in the list."""

    place: Place
    state: State
    summary: Summary


@router.get("/")
def show_list(site: Here, visitor: SignedIn) -> Response:
    """Every case with its revisions and their states."""
    states, today = site.reviews.states(), site.today()
    cases: dict[str, list[Listed]] = {}
    for place in site.places():
        listed = Listed(place, states.get(place.subject, State.DRAFT), summary_of(place, today))
        cases.setdefault(place.case, []).append(listed)
    return page("list.html", visitor, cases=cases)


@router.get("/cases/{case}/{revision}")
def show_revision(site: Here, visitor: SignedIn, place: At) -> Response:
    """Everything of one revision: views, figures, checks, warnings, choices, history, and what may be done to it."""
    history = site.reviews.history_of(place.folder)
    try:
        revision = site.reviews.read(place.folder)
    except GuidegenError as fault:
        reasons = getattr(fault, "reasons", (fault.message,))
        may = _may(visitor, history)
        return page("broken.html", visitor, 409, place=place, history=history, may=may, reasons=reasons)
    sheet = sheet_of(revision, site.today())
    shapes = site.shapes.of(place.folder)
    may = _may(visitor, history)
    content = {
        "place": place,
        "history": history,
        "revision": revision,
        "sheet": sheet,
        "fault": fault_of(revision),
        "may": may,
        "planes": [(plane, slider_of(shapes, plane)) for plane in planes_of(shapes)],
        "opening": OPENING,
        "grounds": grounds_of(site.cases, place),
        "layers": layers_of(shapes),
        "approval": _approval(site, place, history),
        "others": [each.name for each in site.places() if each.case == place.case and each.name != place.name],
        "shown_sha256": _shown_sha256(site, place, revision, sheet) if Act.APPROVE in may else None,
        "changes": site.recomputing.of(place.case),
        **_change_form(site, visitor, place, revision.plan),
    }
    return page("revision.html", visitor, **content)


@router.get("/compare/{case}")
def compare(site: Here, visitor: SignedIn, case: CASE_NAME, first: Number, second: Number) -> Response:
    """Two revisions of a case: figures and pictures side by side."""
    places = [site.place(case, name) for name in (first, second)]
    revisions = [site.reviews.read(place.folder) for place in places]
    sheets = [sheet_of(revision, site.today()) for revision in revisions]
    tables = beside(sheets[0].figures, sheets[1].figures, (first, second))
    pictures = sorted({*sheets[0].pictures, *sheets[1].pictures})
    pairs = paired(revisions[0].findings, revisions[1].findings)
    sides = [
        {
            "place": place,
            "sheet": sheet,
            "state": site.reviews.state_of(place.folder),
            "fault": fault_of(revision),
            "alone": only_in(pairs, side),
        }
        for side, (place, revision, sheet) in enumerate(zip(places, revisions, sheets, strict=True))
    ]
    return page("compare.html", visitor, case=case, sides=sides, tables=tables, pictures=pictures)


def _may(visitor: Visitor, history: History) -> frozenset[Act]:
    """What this visitor may do to a revision where it stands; whether it comes to pass is for `Reviews` to say."""
    return frozenset(act for act, move in MOVES.items() if history.state in move.starts and visitor.has(*move.roles))


def _approval(site: Site, place: Place, history: History) -> dict[str, Any] | None:
    """The approval that holds now, or every reason why the one that was given does not."""
    if history.state not in HOLDS:
        return None
    try:
        return {"given": site.reviews.approval_of(place.folder), "reasons": ()}
    except GuidegenError as fault:
        return {"given": None, "reasons": getattr(fault, "reasons", (fault.message,))}


def _shown_sha256(site: Site, place: Place, revision: Revision, sheet: Sheet) -> str:
    return shown_of(revision, sheet, opening_slices(site, place)).sha256


def _change_form(site: Site, visitor: Visitor, place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """The order of this revision, to be changed; why not, where its case file is not found."""
    if not visitor.has(*ASKERS):
        return {"order": None, "no_change": None, "kits": ()}
    try:
        order: Order | None = site.cases.seen_source(place).order
    except ResultError as fault:
        return {"order": None, "no_change": fault.message, "kits": ()}
    return {"order": order, "no_change": None, "kits": kits(), "shorter": shorter(plan)}

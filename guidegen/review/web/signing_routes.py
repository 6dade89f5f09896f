"""What is signed on the page: submit, approve, reject, void. `Reviews` judges; a form only brings what was typed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from guidegen.errors import ApprovalError, ReviewError
from guidegen.review.canonical import digest
from guidegen.review.confirmation import Confirmation
from guidegen.review.fields import LONGEST_REASON
from guidegen.review.records import Shown, WaiverDecision
from guidegen.review.revision import Revision
from guidegen.review.states import MOVES, Act
from guidegen.review.web.access import Here, Visitor, acting, credentials
from guidegen.review.web.address import At, address
from guidegen.review.web.login_routes import Password
from guidegen.review.web.picture_routes import opening_slices
from guidegen.review.web.shown import sheet_of, shown_of

router = APIRouter(prefix="/cases/{case}/{revision}")

Engineer = Annotated[Visitor, Depends(acting(*MOVES[Act.SUBMIT].roles))]
Surgeon = Annotated[Visitor, Depends(acting(*MOVES[Act.APPROVE].roles))]
Anybody = Annotated[Visitor, Depends(acting(*MOVES[Act.VOID].roles))]

Hash = Annotated[str, Form(max_length=64)]
Typed = Annotated[str, Form(max_length=80)]
Reason = Annotated[str, Form(max_length=LONGEST_REASON)]
Hashes = Annotated[list[Hash], Form(max_length=200)]
Reasons = Annotated[list[Reason], Form(max_length=50)]
Numbers = Annotated[list[int], Form(max_length=50)]


@router.post("/submit")
def submit(request: Request, site: Here, place: At, visitor: Engineer, password: Password = "") -> Response:
    """Submit a revision for review."""
    site.reviews.submit(place.folder, credentials(request, visitor, password))
    return RedirectResponse(address(place), status_code=303)


@router.post("/approve")
def approve(
    request: Request,
    site: Here,
    place: At,
    visitor: Surgeon,
    password: Password = "",
    submission: Hash = "",
    shown_sha256: Hash = "",
    patient_id: Typed = "",
    side: Typed = "",
    prescribed: bool = Form(False),
    imaged: Typed = "",
    warning: Hashes = [],  # noqa: B006  # fastapi's default of a list
    accepted: Numbers = [],  # noqa: B006
    reason: Reasons = [],  # noqa: B006
) -> Response:
    """Approve what was looked at: the figures, pictures, warnings and waivers of the page that the form stood on."""
    revision = site.reviews.read(place.folder)
    sheet = sheet_of(revision, site.today())
    shown = shown_of(revision, sheet, opening_slices(site, place))
    if revision.prescription is None or not prescribed:
        raise ApprovalError("expected target, entry, kit and size to be confirmed, found them not; tick the box")
    confirmation = Confirmation(
        submission=submission,
        patient_id=patient_id,
        side=side,
        warnings=tuple(text for text in sheet.warnings if digest(text) in warning),
        waivers=_decisions(revision, accepted, reason),
        prescription=revision.prescription,
        shown=_as_shown(shown, shown_sha256),
        imaged=_day(imaged),
    )
    site.reviews.approve(place.folder, credentials(request, visitor, password), confirmation)
    return RedirectResponse(address(place), status_code=303)


@router.post("/reject")
def reject(
    request: Request,
    site: Here,
    place: At,
    visitor: Surgeon,
    password: Password = "",
    submission: Hash = "",
    why: Reason = "",
) -> Response:
    """Reject a submission, for a reason."""
    site.reviews.reject(place.folder, credentials(request, visitor, password), submission, _plain(why))
    return RedirectResponse(address(place), status_code=303)


@router.post("/void")
def void(
    request: Request, site: Here, place: At, visitor: Anybody, password: Password = "", why: Reason = ""
) -> Response:
    """Declare a revision void, for good."""
    site.reviews.void(place.folder, credentials(request, visitor, password), _plain(why))
    return RedirectResponse(address(place), status_code=303)


def _as_shown(shown: Shown, sha256: str) -> Shown:
    """What stands on the page now; ApprovalError where the form comes from a page on which something else stood."""
    if shown.sha256 != sha256:
        raise ApprovalError(
            "expected what the page shows now, found a form of a page that showed something else; load it again"
        )
    return shown


def _decisions(revision: Revision, accepted: list[int], reasons: list[str]) -> tuple[WaiverDecision, ...]:
    """The answer to every proposed waiver, in their order; ReviewError for one without a reason."""
    decisions = []
    for number, waiver in enumerate(revision.waivers):
        own = _plain(reasons[number]) if number < len(reasons) else ""
        if not own.strip():
            raise ReviewError(f"expected your own reason for the waiver of {waiver.rule}, found none; give one")
        said = waiver.model_dump() | {"accepted": number in accepted, "surgeon_reason": own}
        decisions.append(WaiverDecision.model_validate(said))
    return tuple(decisions)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ReviewError("expected the day of the images as YYYY-MM-DD, found another text; mend it") from error


def _plain(text: str) -> str:
    """What was typed in several lines, as forms send it, with the line ends of everywhere else."""
    return text.replace("\r\n", "\n")

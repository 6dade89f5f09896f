"""What the events of a lot say of files and figures, held against the release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from guidegen.errors import ApprovalError, ResultError, ReviewError
from guidegen.release.inspection import FORM, form_bytes, unanswered
from guidegen.results import sha256
from guidegen.review.events import Gauged, InspectionLine, Length, Seen, Weight
from guidegen.review.records import Happened, Released
from guidegen.review.reviews import Reviews

# By what a line of the form is answered with.
KINDS: Mapping[str, type[InspectionLine]] = {
    "measured_mm": Length, "go_goes_in": Gauged, "measured_g": Weight, "seen": Seen,
}  # fmt: skip


def printed_file(reviews: Reviews, result: Path, file: Path) -> tuple[str, str]:
    """The path in the release and the SHA-256 of the file that was printed; ApprovalError where none was released."""
    try:
        digest = sha256(file.read_bytes())
    except OSError as error:
        raise ResultError(f"expected the file that was printed, found none at {file}; name it") from error
    release = reviews.history_of(result).release
    released = None if release is None else reviews.record_of(release)
    files = released.files if isinstance(released, Released) else {}
    names = sorted((name for name, each in files.items() if each == digest), key=lambda name: name != file.name)
    if not names:
        raise ApprovalError(f"expected a released file, found {file}, which was not released; discard the print")
    return names[0], digest


def read_inspection(reviews: Reviews, result: Path, lot: str, path: Path) -> tuple[InspectionLine, ...]:
    """The lines of a filled-in inspection.json: all that the sheet of the lot's release asks, as it asks them.

    ApprovalError for a lot that was not printed; ReviewError where it is another guide's sheet or another lot's, or
    lacks or alters a line or an answer.
    """
    released = _released_for(reviews, result, lot)
    try:
        form = json.loads(path.read_bytes(), parse_int=float)
        blank = form_bytes(unanswered(form))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReviewError(f"expected a filled-in {FORM} in {path}, found: {error!r}; name it") from error
    if sha256(blank) != released.files.get(FORM):
        raise ReviewError(
            f"expected the inspection sheet of {released.subject} as it was released, found another in {path}; copy "
            f"the {FORM} of its release and fill in what is null, and nothing else"
        )
    if form["lot"] != lot:
        raise ReviewError(
            f"expected the sheet of lot {lot}, found that of {form['lot']!r}; fill in the lot on the print"
        )
    return _answered(form["lines"])


def _answered(lines: Sequence[Mapping[str, Any]]) -> tuple[InspectionLine, ...]:
    answered, wrong = list[InspectionLine](), list[str]()
    for line in lines:
        kind = next(kind for answer, kind in KINDS.items() if answer in line)
        try:
            answered.append(kind.model_validate(line))
        except ValidationError:
            wrong.append(repr(line["name"]))
    if wrong:
        raise ReviewError(
            "expected a length in mm, a weight in g, or true or false wherever a line asks for it, found none for "
            f"{', '.join(wrong)}; inspect it"
        )
    return tuple(answered)


def _released_for(reviews: Reviews, result: Path, lot: str) -> Released:
    """The release that a lot was printed under."""
    history = reviews.history_of(result)
    events = [reviews.record_of(entry) for entry in history.events]
    release = next((each.release for each in events if isinstance(each, Happened) and each.event.lot == lot), None)
    if release is None:
        raise ApprovalError(f"expected a lot that is printed to be inspected, found {lot}, which is not printed")
    found = reviews.record_of(next(entry for entry in history.entries if entry.hash == release))
    assert isinstance(found, Released), "a lot is printed under a release"
    return found

"""What stands on a revision's page: the same for the same files on the same day, so that a signature can name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from guidegen.check.finding import line
from guidegen.results import sha256
from guidegen.review.objections import PATIENT, REVISION, SIDE
from guidegen.review.records import Shown
from guidegen.review.revision import Revision
from guidegen.show.figures import Check, Table, checks, choice_tables, figure_tables, prescription_table, texts_of

PICTURES = "preview"


@dataclass(frozen=True)
class Sheet:
    """Everything that is displayed of a revision, as text; `pictures` are the names of its own, in their order."""

    plan: Mapping[str, Any]
    prescription: Table | None
    figures: tuple[Table, ...]
    choices: tuple[Table, ...]
    checks: tuple[Check, ...]
    explanation: str | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    pictures: tuple[str, ...]

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(check.finding.passed for check in self.checks)


def sheet_of(revision: Revision, today: date) -> Sheet:
    """The sheet of a revision, from the very bytes whose hashes it states."""
    plan, warnings, asked = revision.plan, revision.warnings(today), revision.prescription
    explained = (plan.get("plan") or {}).get("explanation")
    return Sheet(
        plan=plan,
        prescription=None if asked is None else prescription_table(plan, asked.size),
        figures=figure_tables(plan),
        choices=choice_tables(plan),
        checks=checks(revision.findings),
        explanation=explained,
        warnings=warnings,
        notes=tuple(note for note in plan.get("notes", ()) if note not in warnings and note != explained),
        pictures=tuple(sorted(name for name in revision.files if _is_picture(name))),
    )


def shown_of(revision: Revision, sheet: Sheet, slices: Mapping[str, bytes]) -> Shown:
    """What an approval names: every displayed text by its place on the page, and every picture by its hash.

    `slices` are those that the page opens with, PNG by name; the revision's own pictures go by their paths.
    """
    place = revision.place
    strings = {PATIENT: place.case_id, SIDE: place.side, REVISION: place.name, **dict(_texts(sheet))}
    pictures = {name: revision.files[name] for name in sheet.pictures}
    pictures |= {f"slice: {name}": sha256(png) for name, png in slices.items()}
    return Shown(strings=strings, pictures=pictures)


def _texts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    prescribed = () if sheet.prescription is None else (sheet.prescription,)
    yield from texts_of((*prescribed, *sheet.figures, *sheet.choices))
    yield from ((f"check: {check.finding.name}", line(check.finding)) for check in sheet.checks)
    if sheet.explanation is not None:
        yield "explanation", sheet.explanation
    yield from ((f"warning {number}", text) for number, text in enumerate(sheet.warnings, start=1))
    yield from ((f"note {number}", text) for number, text in enumerate(sheet.notes, start=1))


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent == PurePosixPath(PICTURES) and path.suffix == ".png"

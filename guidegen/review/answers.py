"""What a surgeon answers before an approval where there is no page: at the terminal, or in a file.

submission = "…"        # the hash that `guidegen submit` said: these bytes and no others
patient_id = "Z019L"    # typed back, as is the side
side = "left"
looked_at = true        # at the dossier and every picture
prescription = true     # entry, target, kit and size are prescribed as shown
warnings = ["…"]        # each by its exact text
imaged = 2025-11-20     # the day of the oldest image, where no file says it

[[waivers]]
rule = "wall_min_mm"
accepted = true
reason = "…"            # the surgeon's own
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from guidegen.check.finding import Finding, line
from guidegen.errors import ApprovalError, ReviewError
from guidegen.review.confirmation import Confirmation
from guidegen.review.fields import Hash, Reason, Value
from guidegen.review.objections import PATIENT, REVISION, SIDE
from guidegen.review.records import Shown, WaiverDecision
from guidegen.review.revision import Place, Revision
from guidegen.show.figures import Table, prescription_table, texts_of, theatre_tables
from guidegen.toml_files import NotToml, read_toml

LOOKED_AT = ("dossier.pdf", "preview/")  # how the names of the files begin that are looked at


class WaiverAnswer(Value):
    """Whether a proposed waiver is accepted, and why."""

    rule: str
    accepted: bool
    reason: Reason


class Answers(Value):
    """Everything that is asked before an approval."""

    submission: Hash
    patient_id: str
    side: str
    looked_at: bool
    prescription: bool
    warnings: tuple[str, ...] = ()
    waivers: tuple[WaiverAnswer, ...] = ()
    imaged: date | None = None


def read_answers(path: Path) -> Answers:
    """The answers in a TOML file; ReviewError for what cannot be."""
    try:
        return Answers.model_validate(read_toml(path.read_bytes()))
    except (OSError, NotToml, ValidationError) as error:
        raise ReviewError(f"expected the answers of an approval in {path}, found: {error}; mend the file") from error


@dataclass(frozen=True)
class Told:
    """What is shown before the questions: what the operation is done by, then what passed by little or not at all. How
    many other checks passed is said; `guidegen check` lists them.
    """

    place: Place
    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    others: int

    @property
    def strings(self) -> dict[str, str]:
        """All of it as text, by the name that is signed."""
        return {
            PATIENT: self.place.case_id,
            SIDE: self.place.side,
            REVISION: self.place.name,
            **dict(texts_of(self.tables)),
            **{f"check: {finding.name}": line(finding) for finding in self.findings},
            "other checks": f"{self.others} passed",
            **{f"warning {number}": text for number, text in enumerate(self.warnings, start=1)},
        }


def told_of(revision: Revision, today: date) -> Told:
    """What is shown of a submitted revision."""
    asked = revision.prescription
    assert asked is not None, "a submitted revision has one"
    telling = tuple(finding for finding in revision.findings if finding.is_near or not finding.passed)
    tables = (prescription_table(revision.plan, asked.size), *theatre_tables(revision.plan))
    return Told(revision.place, tables, telling, revision.warnings(today), len(revision.findings) - len(telling))


def looked_at(revision: Revision) -> dict[str, str]:
    """The files that have to be looked at, and their SHA-256."""
    return {name: digest for name, digest in revision.files.items() if name.startswith(LOOKED_AT)}


def confirmation_of(answers: Answers, revision: Revision, today: date) -> Confirmation:
    """What these answers confirm; ApprovalError where one of them is no. The rest is for `Reviews.approve` to judge."""
    refused = [
        sentence
        for sentence, given in (
            ("the dossier and the pictures were not looked at", answers.looked_at),
            ("entry, target, kit and size are not prescribed", answers.prescription),
        )
        if not given
    ]
    if refused or revision.prescription is None:
        raise ApprovalError(f"{revision.place.subject} cannot be approved", tuple(refused))
    given = {answer.rule: answer for answer in answers.waivers}
    if unknown := sorted(given.keys() - {waiver.rule for waiver in revision.waivers}):
        raise ApprovalError(f"expected answers to proposed waivers alone, found one to {', '.join(unknown)}")
    decisions = tuple(
        WaiverDecision(
            **waiver.model_dump(), accepted=given[waiver.rule].accepted, surgeon_reason=given[waiver.rule].reason
        )
        for waiver in revision.waivers
        if waiver.rule in given
    )
    return Confirmation(
        submission=answers.submission,
        patient_id=answers.patient_id,
        side=answers.side,
        warnings=answers.warnings,
        waivers=decisions,
        prescription=revision.prescription,
        shown=Shown(strings=told_of(revision, today).strings, pictures=looked_at(revision)),
        imaged=answers.imaged,
    )

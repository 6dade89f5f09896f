"""From what a surgeon confirms to the record of an approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from guidegen.errors import ApprovalError
from guidegen.review.canonical import digest
from guidegen.review.chain import Entry
from guidegen.review.desk import Signer, Standing
from guidegen.review.objections import end_of, imaging_of, is_two_people, typed_back
from guidegen.review.policy import LoadedPolicy
from guidegen.review.records import (
    Acknowledged,
    Approved,
    PolicyUsed,
    Shown,
    Submitted,
    TwoPeople,
    WaiverDecision,
    record_from,
)
from guidegen.review.revision import FINDINGS_FILE, Prescription, Revision
from guidegen.review.signed import unseal
from guidegen.review.times import moment_of, stamp


@dataclass(frozen=True)
class Confirmation:
    """What a surgeon confirms with an approval.

    `submission`: the hash of the entry of the submission that was looked at. `patient_id` and `side`: as typed.
    `warnings`: the exact text of each that is acknowledged. `imaged`: the day of the oldest image, needed where no file
    says it.
    """

    submission: str
    patient_id: str
    side: str
    warnings: tuple[str, ...]
    waivers: tuple[WaiverDecision, ...]
    prescription: Prescription
    shown: Shown
    imaged: date | None = None


def waiting_submission(standing: Standing, expected: str) -> tuple[Entry, Submitted]:
    """The submission that waits, signature verified; ApprovalError where another one was looked at."""
    entry = standing.history.submission
    assert entry is not None, "a submitted revision has one"
    if entry.hash != expected:
        raise ApprovalError("expected the submission that waits, found another one looked at; load the page again")
    submitted = unseal(entry, standing.persons)
    assert isinstance(submitted, Submitted), "the act of a submission"
    return entry, submitted


def approved_record(
    revision: Revision,
    submission: Entry,
    submitted: Submitted,
    signer: Signer,
    confirmation: Confirmation,
    policy: LoadedPolicy,
    standing: Standing,
) -> Approved:
    """The record that the surgeon signs, as it stands: what speaks against it is for `objections` to say."""
    signed, author, shown = moment_of(standing.head["time_utc"]), submitted.signer, confirmation.shown
    imaging = imaging_of(revision, confirmation.imaged, signed.date())
    record = record_from(
        {
            **standing.head,
            "submission": submission.hash,
            "typed": typed_back(revision.place, confirmation.patient_id, confirmation.side),
            "warnings": tuple(Acknowledged(text=text, sha256=digest(text)) for text in confirmation.warnings),
            "waivers": confirmation.waivers,
            "prescription": confirmation.prescription,
            "files": dict(revision.files),
            "findings_sha256": revision.files[FINDINGS_FILE],
            "shown": shown,
            "shown_sha256": shown.sha256,
            "imaging": imaging,
            "expires_utc": stamp(end_of(imaging.day, signed, policy.rules)),
            "two_people": TwoPeople(
                required=policy.rules.two_people,
                submitted_by=author.user,
                submitted_by_name=author.printed_name,
                two=is_two_people(author, signer.person),
            ),
            "policy": PolicyUsed(file=policy.file, sha256=policy.sha256, rules=policy.rules.model_dump(mode="json")),
        }
    )
    assert isinstance(record, Approved), "the act of an approval"
    return record

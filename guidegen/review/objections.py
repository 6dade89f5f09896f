"""All that speaks against an approval, each a sentence. The same functions judge it before it is signed and ever after.

They know the record that is signed, the submission it answers, the files as they are on the disk, and the policy as it
is now: an approval that was given under a laxer policy is held to the stricter of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath

from guidegen.errors import ReviewError
from guidegen.review.persons import Person, same_name
from guidegen.review.policy import ApprovalPolicy
from guidegen.review.records import Approved, Imaging, Released, Signer, Submitted, TypedBack
from guidegen.review.revision import GUIDE_FILE, PLAN_FILE, Place, Revision, differences
from guidegen.review.times import moment_of, stamp

# How the side may be typed: the word in the languages of the page.
SIDE_WORDS: Mapping[str, tuple[str, ...]] = {"left": ("left", "sol"), "right": ("right", "sağ")}

# What the page must have shown under these names, exactly.
PATIENT, SIDE, REVISION = "patient_id", "side", "revision"


def typed_back(place: Place, patient_id: str, side: str) -> TypedBack:
    """What was typed, and whether it is this patient and this side."""
    matched = patient_id.strip() == place.case_id and side.strip().casefold() in SIDE_WORDS[place.side]
    return TypedBack(patient_id=patient_id, side=side, matched=matched)


def imaging_of(revision: Revision, stated: date | None, today: date) -> Imaging:
    """The day that an approval counts from: the oldest image's, or an older one that the signer states.

    ReviewError where no image has a date and none is stated, or one lies in the future.
    """
    known = revision.imaged
    if known is None and stated is None:
        raise ReviewError("expected a date of the images, found none in the files; state the day of the oldest image")
    days = [day for day in (known, stated) if day is not None]
    if max(days) > today:
        raise ReviewError(f"expected images taken by {today}, found {max(days)}, which is to come; mend the date")
    return Imaging(day=min(days), source="files" if min(days) == known else "signer")


def is_two_people(author: Signer, approver: Signer | Person) -> bool:
    """Whether two accounts are two people: another id and another name."""
    return author.user != approver.user and not same_name(author.printed_name, approver.printed_name)


def end_of(imaged: date, signed: datetime, rules: ApprovalPolicy) -> datetime:
    """The moment at which an approval ends: with the last day of its images' age, or of its own."""
    past = imaged + timedelta(days=rules.image_age_days + 1)
    return min(datetime.combine(past, time(), UTC), signed + timedelta(days=rules.approval_days))


def effective_end(record: Approved, rules: ApprovalPolicy) -> datetime:
    """The end that was signed, or an earlier one by the policy as it is now."""
    return min(moment_of(record.expires_utc), end_of(record.imaging.day, moment_of(record.time_utc), rules))


def draft_objections(revision: Revision) -> tuple[str, ...]:
    """What speaks against submitting a revision."""
    found = [f"the check '{finding.name}' failed: {finding.why}" for finding in revision.findings if not finding.passed]
    if not revision.findings:
        found.append("no check was made")
    if not revision.has_guide:
        found.append("there is no guide, or one that failed a check")
    if revision.prescription is None or not revision.prescription.tunnels:
        found.append("there is no plan with a tunnel")
    return tuple(found)


def objections(
    record: Approved, revision: Revision, submission: Submitted, rules: ApprovalPolicy, now: datetime
) -> tuple[str, ...]:
    """Everything that speaks against an approval; nothing for one that holds."""
    return (
        *draft_objections(revision),
        *_files(record, revision, submission),
        *_typed(record, revision),
        *_warnings(record, revision),
        *_waivers(record, revision),
        *_prescription(record, revision),
        *_shown(record, revision),
        *_people(record, submission, rules),
        *_time(record, revision, rules, now),
    )


def release_objections(released: Released, approved: Approved) -> tuple[str, ...]:
    """What speaks against a release: an approved file that is another there, or no guide that was approved."""
    ours: dict[str, set[str]] = {}
    for name, sha256 in approved.files.items():
        ours.setdefault(PurePosixPath(name).name, set()).add(sha256)
    found = [
        f"{name} bears the name of an approved file and is another"
        for name, sha256 in released.files.items()
        if sha256 not in ours.get(PurePosixPath(name).name, {sha256})
    ]
    if approved.files[GUIDE_FILE] not in released.files.values():
        found.append(f"the approved {GUIDE_FILE} is not among the released files")
    if released.manifest_sha256 not in released.files.values():
        found.append("the manifest is not among the released files")
    return tuple(found)


def _files(record: Approved, revision: Revision, submission: Submitted) -> Iterable[str]:
    yield from differences(submission.files, revision.files, "since it was submitted")
    yield from differences(record.files, revision.files, "since it was approved")
    if record.findings_sha256 != submission.findings_sha256:
        yield "the findings are not those that were submitted"


def _typed(record: Approved, revision: Revision) -> Iterable[str]:
    if (
        record.typed != typed_back(revision.place, record.typed.patient_id, record.typed.side)
        or not record.typed.matched
    ):
        yield (
            f"expected patient {revision.place.case_id} and side {revision.place.side} to be typed back, found "
            f"{record.typed.patient_id!r} and {record.typed.side!r}"
        )


def _warnings(record: Approved, revision: Revision) -> Iterable[str]:
    due = revision.warnings(moment_of(record.time_utc).date())
    acknowledged = {warning.text for warning in record.warnings}
    yield from (f"this warning was not acknowledged: {text}" for text in due if text not in acknowledged)
    yield from (f"this was acknowledged and is no warning of the plan: {text}" for text in acknowledged - {*due})


def _waivers(record: Approved, revision: Revision) -> Iterable[str]:
    due = {(waiver.rule, waiver.author, waiver.reason) for waiver in revision.waivers}
    decided = {(each.rule, each.author, each.reason): each for each in record.waivers}
    if len(decided) != len(record.waivers):
        yield "a waiver was decided twice"
    for waiver in sorted(due | decided.keys()):
        decision = decided.get(waiver)
        if waiver not in due:
            yield f"a waiver of {waiver[0]} was decided that nobody proposed"
        elif decision is None:
            yield f"the proposed waiver of {waiver[0]} was not decided"
        elif not decision.accepted:
            yield f"the proposed waiver of {waiver[0]} was not accepted; reject the revision"
        elif same_name(decision.surgeon_reason, decision.reason):
            yield f"the waiver of {waiver[0]} was accepted with the engineer's reason; give your own"


def _prescription(record: Approved, revision: Revision) -> Iterable[str]:
    if record.prescription != revision.prescription:
        yield f"target, entry, kit or size that were confirmed are not those of {PLAN_FILE}"


def _shown(record: Approved, revision: Revision) -> Iterable[str]:
    place, shown = revision.place, record.shown
    for name, text in ((PATIENT, place.case_id), (SIDE, place.side), (REVISION, place.name)):
        if shown.strings.get(name) != text:
            yield f"the page showed {shown.strings.get(name)!r} as {name}, not {text!r}"
    if not shown.pictures:
        yield "no picture was shown"
    for name, sha256 in shown.pictures.items():
        if sha256 != revision.files.get(name, sha256):
            yield f"the page showed another {name} than the file"
    if record.shown_sha256 != shown.sha256:
        yield "the hash of what was shown is not that of what stands here"


def _people(record: Approved, submission: Submitted, rules: ApprovalPolicy) -> Iterable[str]:
    author, signer, said = submission.signer, record.signer, record.two_people
    two = is_two_people(author, signer)
    if (said.submitted_by, said.submitted_by_name, said.two) != (author.user, author.printed_name, two):
        yield "what is recorded of the two people is not so"
    if not two and (rules.two_people or said.required):
        yield f"{author.printed_name} submitted it; somebody else has to approve it"


def _time(record: Approved, revision: Revision, rules: ApprovalPolicy, now: datetime) -> Iterable[str]:
    signed, imaged = moment_of(record.time_utc), record.imaging.day
    if imaged > signed.date() or (revision.imaged is not None and imaged > revision.imaged):
        yield f"the images are older than the day {imaged} that is stated"
    end = effective_end(record, rules)
    if now >= end:
        yield f"it expired at {stamp(end)}: images of {imaged}, signed {record.time_utc}; make a revision of new images"

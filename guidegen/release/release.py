"""Releasing: what was approved, and what is made of it, written into a folder that nobody else has written to.

    approval → contents → written beside, on the disk → signed → the approval once more → renamed → entered in the chain

Whatever breaks off before the renaming leaves nothing. What breaks off after it leaves a whole, signed release that the
chain does not know yet: the same command finds it, verifies it and enters it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import guidegen
from guidegen.errors import AccessError, ApprovalError, OutputError
from guidegen.release.contents import Contents, release_contents
from guidegen.release.manifest import MANIFEST, Envelope, read_envelope, read_statement, statement
from guidegen.release.verify import verify_folder
from guidegen.release.whole_folder import remove_folder, whole_folder, write_files
from guidegen.results import sha256
from guidegen.review.approval import Approval
from guidegen.review.canonical import digest
from guidegen.review.chain import Entry
from guidegen.review.fields import LONGEST_LINE
from guidegen.review.people import Credentials
from guidegen.review.records import Released
from guidegen.review.reviews import Reviews
from guidegen.review.revision import CASE, file_hashes
from guidegen.review.states import Act, role_for
from guidegen.review.times import stamp
from guidegen.store import build

PRINT_JOB = "print_job"  # where the manifest says what the slicer did


@dataclass(frozen=True)
class Release:
    """A release: its folder, its entry in the chain, SHA-256 of every file by path, and what the slicer did."""

    folder: Path
    entry: Entry
    files: Mapping[str, str]
    print_job: str


def release_to(reviews: Reviews, result: Path, credentials: Credentials, folder: Path) -> Release:
    """Release an approved revision into a folder that is not there yet, or finish a release that was broken off.

    ApprovalError where no approval holds, AccessError for who may not, OutputError for a folder that cannot be it;
    nothing is left then.
    """
    folder = _require_place(reviews, folder)
    approval = reviews.approval_of(result)
    person = reviews.people.authenticate(credentials)
    role_for(Act.RELEASE, person.roles)
    if folder.exists():
        return _finished(reviews, result, credentials, folder, person.key.public_pem)
    contents = release_contents(approval)
    with whole_folder(folder) as scratch:
        write_files(scratch, contents.files)
        files = file_hashes(scratch)
        payload = statement(files, _predicate(approval, contents))
        signature = reviews.sign_manifest(credentials, payload)
        envelope = Envelope(payload, signature.signature, signature.fingerprint).content()
        write_files(scratch, {MANIFEST: envelope})
        _require_same(reviews, result, approval)
    return _entered(reviews, result, credentials, folder, {**files, MANIFEST: sha256(envelope)}, contents.print_job)


def _entered(
    reviews: Reviews, result: Path, credentials: Credentials, folder: Path, files: Mapping[str, str], print_job: str
) -> Release:
    """Enter a release that is on the disk in the chain; where that is refused, nothing stays."""
    try:
        entry = reviews.release(result, credentials, files, files[MANIFEST], str(folder))
    except (ApprovalError, AccessError):
        remove_folder(folder)
        raise
    return Release(folder, entry, files, print_job)


def _finished(reviews: Reviews, result: Path, credentials: Credentials, folder: Path, public_pem: str) -> Release:
    """The release that is in the folder already: of this approval, signed by the same person, whole."""
    approval = reviews.approval_of(result)
    try:
        verify_folder(folder, [public_pem])
    except ApprovalError as error:
        raise OutputError(f"expected a folder that is not there yet, found {folder}; name another") from error
    content = (folder / MANIFEST).read_bytes()
    named, predicate = read_statement(read_envelope(content).payload)
    if predicate["approval"]["entry"] != approval.entry.hash:
        raise OutputError(f"expected a folder that is not there yet, found another release in {folder}; name another")
    files = {**named, MANIFEST: sha256(content)}
    if approval.release is not None:
        known = reviews.record_of(approval.release)
        if isinstance(known, Released) and known.files == files and known.destination == str(folder):
            return Release(folder, approval.release, files, predicate[PRINT_JOB])
    return _entered(reviews, result, credentials, folder, files, predicate[PRINT_JOB])


def _predicate(approval: Approval, contents: Contents) -> dict[str, Any]:
    """What the release is, for the manifest."""
    place, record = approval.place, approval.record
    return {
        "case_id": place.case_id,
        "side": place.side,
        "revision": place.name,
        "approval": {
            "entry": approval.entry.hash,
            "record_sha256": digest(approval.record_text),
            "signer": record.signer.printed_name,
            "fingerprint": record.signer.fingerprint,
            "expires_utc": stamp(approval.expires),
        },
        "copied": sorted(name for name in contents.files if name in approval.files),
        PRINT_JOB: contents.print_job,
        "software": {"version": guidegen.__version__, "build": build()},
    }


def _require_same(reviews: Reviews, result: Path, approval: Approval) -> None:
    if reviews.approval_of(result).entry.hash != approval.entry.hash:
        raise ApprovalError(f"{approval.place.subject} was approved anew meanwhile; release it again")


def _require_place(reviews: Reviews, folder: Path) -> Path:
    """The folder's own path; OutputError where it lies among the results, which it would change, or cannot be told."""
    place = folder.parent.resolve() / folder.name
    output = reviews.output.resolve()
    inside = place.relative_to(output).parts if place.is_relative_to(output) else ()
    if place == output or (inside and CASE.fullmatch(inside[0])):
        raise OutputError(f"expected a folder outside the results, found {folder}; name another")
    if len(str(place)) > LONGEST_LINE or not str(place).isprintable():
        raise OutputError(
            f"expected a path of at most {LONGEST_LINE} printable characters, found {place}; name another"
        )
    return place

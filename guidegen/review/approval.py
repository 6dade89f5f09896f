"""An approval that holds, found anew each time: from the chain, its signatures, and the files on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from guidegen.errors import ApprovalError, ChainError
from guidegen.results import sha256
from guidegen.review.chain import Entry, require_clock
from guidegen.review.history import History, histories
from guidegen.review.objections import effective_end, objections
from guidegen.review.persons import Person, persons_from
from guidegen.review.policy import ApprovalPolicy
from guidegen.review.records import Approved, Released, Submitted
from guidegen.review.revision import Place, differences, file_hashes, read_revision
from guidegen.review.signed import unseal
from guidegen.review.states import State

HOLDS = (State.APPROVED, State.RELEASED)


@dataclass(frozen=True, eq=False)
class Approval:
    """What was signed, by whom, and how long it holds.

    `entry` is its entry in the chain: `entry.prev_hash` is the chain's head before it was signed, `entry.hash` after.
    `signature` is Ed25519 in base64 over the DSSE encoding of `record_text`; `public_pem` the key. `release` is the
    entry of the last release, None where there was none.
    """

    place: Place
    state: State
    record: Approved
    record_text: str = field(repr=False)
    submission: Submitted
    entry: Entry
    signature: str
    public_pem: str = field(repr=False)
    expires: datetime
    release: Entry | None

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 of every approved file, by its path in the folder."""
        return self.record.files

    def read(self, name: str) -> bytes:
        """The bytes of an approved file, which are those that were signed; ApprovalError where they are not."""
        expected = self.files.get(name)
        if expected is None:
            raise ApprovalError(f"expected one of the approved files of {self.place.subject}, found {name!r}")
        try:
            content = (self.place.folder / name).read_bytes()
        except OSError as error:
            raise ApprovalError(f"{name} of {self.place.subject} is missing since it was approved") from error
        if sha256(content) != expected:
            raise ApprovalError(f"{name} of {self.place.subject} was changed since it was approved")
        return content


def find_approval(place: Place, entries: Sequence[Entry], rules: ApprovalPolicy, now: datetime) -> Approval:
    """The approval of a revision that holds now; ApprovalError with every reason where none does.

    `entries` is the whole chain, verified.
    """
    require_clock(entries[-1], now)
    persons = persons_from(entries)
    history = histories(entries, place.case).get(place.name, History())
    if history.state not in HOLDS or history.approval is None or history.submission is None:
        raise ApprovalError(f"{place.subject} is not approved: it is {history.state}")
    record, submission = unseal(history.approval, persons), unseal(history.submission, persons)
    if not isinstance(record, Approved) or not isinstance(submission, Submitted):
        raise ChainError(f"entry {history.approval.seq} of the audit chain holds no approval of a submission")
    if record.submission != history.submission.hash:
        raise ChainError(f"entry {history.approval.seq} of the audit chain approves another submission")
    changed = differences(record.files, file_hashes(place.folder), "since it was approved")
    if changed:
        raise ApprovalError(f"the approval of {place.subject} is void", changed)
    against = objections(record, read_revision(place), submission, rules, now)
    if against:
        raise ApprovalError(f"the approval of {place.subject} does not hold", against)
    _require_release(history, persons)
    return Approval(
        place=place,
        state=history.state,
        record=record,
        record_text=str(history.approval.body["record"]),
        submission=submission,
        entry=history.approval,
        signature=str(history.approval.body["signature"]),
        public_pem=_pem(persons[record.signer.user], history.approval),
        expires=effective_end(record, rules),
        release=history.release,
    )


def _require_release(history: History, persons: Mapping[str, Person]) -> None:
    """A release that counts is one of this approval, signed."""
    if history.release is None:
        return
    released = unseal(history.release, persons)
    if not isinstance(released, Released) or history.approval is None or released.approval != history.approval.hash:
        raise ChainError(f"entry {history.release.seq} of the audit chain releases under another approval")


def _pem(person: Person, entry: Entry) -> str:
    key = person.key_at(entry.seq)
    assert key is not None, "the signature was verified with it"
    return key.public_pem

"""The whole audit of a chain that is whole: every signature, role, sequence and key in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guidegen.errors import ApprovalError, ChainError
from guidegen.review.chain import Entry
from guidegen.review.history import cases_of, histories
from guidegen.review.lots import lots_of
from guidegen.review.persons import persons_from
from guidegen.review.records import Approved, Happened, Rejected, Released
from guidegen.review.signed import unseal
from guidegen.review.states import Act


@dataclass(frozen=True)
class Verified:
    """What was verified: the number of entries and of signatures, and the chain's head."""

    entries: int
    signatures: int
    head: str


def verify(entries: Sequence[Entry]) -> Verified:
    """Verify everything in a chain whose hashes are right; ChainError names the first entry that is not."""
    persons, signatures = persons_from(entries), 0
    for case in cases_of(entries):
        for history in histories(entries, case).values():
            answered: dict[str, str] = {}  # the hash of the last submission, approval and release
            for entry in history.entries:
                if entry.action == Act.SUPERSEDE:
                    continue
                record = unseal(entry, persons)
                signatures += 1
                _require_answer(entry, record, answered)
                answered[entry.action] = entry.hash
            try:
                lots_of(history, persons)
            except ApprovalError as error:
                raise ChainError(f"the lots of {history.entries[0].subject} cannot be: {error}") from error
    return Verified(len(entries), signatures, entries[-1].hash)


def _require_answer(entry: Entry, record: object, answered: dict[str, str]) -> None:
    """What answers something answers the last of it."""
    if isinstance(record, Approved | Rejected):
        named, expected = record.submission, answered.get(Act.SUBMIT)
    elif isinstance(record, Released):
        named, expected = record.approval, answered.get(Act.APPROVE)
    elif isinstance(record, Happened) and record.act == "printed":
        named, expected = record.release, answered.get(Act.RELEASE)
    else:
        return
    if named != expected:
        raise ChainError(f"entry {entry.seq} of the audit chain answers another entry than the last that it could")

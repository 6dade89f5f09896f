"""What the chain says of the revisions of a case: their states, and the entries that count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from guidegen.errors import ApprovalError, ChainError
from guidegen.review.chain import Entry
from guidegen.review.events import STEPS
from guidegen.review.states import REPLACES, Act, State, after

ACTS = frozenset(str(act) for act in Act)


@dataclass(frozen=True)
class History:
    """One revision: its state, the submission, approval and release that count now, and every event."""

    state: State = State.DRAFT
    submission: Entry | None = None
    approval: Entry | None = None
    release: Entry | None = None
    entries: tuple[Entry, ...] = ()
    events: tuple[Entry, ...] = ()


def histories(entries: Sequence[Entry], case: str) -> dict[str, History]:
    """The history of every revision of a case (`ID-SIDE`), by name; ChainError where an entry cannot come there."""
    by_hash = {entry.hash: entry for entry in entries}
    found: dict[str, History] = {}
    for entry in entries:
        place, _, name = entry.subject.rpartition("/")
        if place != case:
            continue
        before = found.get(name, History())
        if entry.action == Act.SUPERSEDE:
            _require_cause(entry, by_hash.get(str(entry.body.get("cause"))), case)
        found[name] = _next(before, entry)
    return found


def states(found: Mapping[str, History]) -> dict[str, State]:
    """Only the states."""
    return {name: history.state for name, history in found.items()}


def cases_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Every case that has an entry."""
    return tuple(sorted({entry.subject.rpartition("/")[0] for entry in entries if "/" in entry.subject}))


def _next(before: History, entry: Entry) -> History:
    every = (*before.entries, entry)
    if entry.action in STEPS:
        return replace(before, entries=every, events=(*before.events, entry))
    if entry.action not in ACTS:
        raise ChainError(
            f"entry {entry.seq} of the audit chain does what nobody can do to a revision: {entry.action!r}"
        )
    act = Act(entry.action)
    try:
        state = after(before.state, act)
    except ApprovalError as error:
        raise ChainError(f"entry {entry.seq} of the audit chain cannot come where it does: {error}") from error
    history = replace(before, state=state, entries=every)
    if act is Act.SUBMIT:  # the review begins anew
        return replace(history, submission=entry, approval=None, release=None)
    if act is Act.APPROVE:
        return replace(history, approval=entry)
    return replace(history, release=entry) if act is Act.RELEASE else history


def _require_cause(entry: Entry, cause: Entry | None, case: str) -> None:
    """An entry that the program made follows from one that a person signed."""
    replaces = cause is not None and cause.seq < entry.seq and cause.action in {str(act) for act in REPLACES}
    if cause is None or not replaces or cause.subject == entry.subject or not cause.subject.startswith(f"{case}/"):
        raise ChainError(f"entry {entry.seq} of the audit chain replaces a revision without an act that does so")

"""The audit chain: entries that each hold the hash of the one before, so that none can be changed without the rest.

    hash = SHA-256 of the canonical JSON of {action, actor, content, prev_hash, seq, subject, time}

`content` is itself canonical JSON, kept and hashed as the text it is: nobody who checks has to write it anew. The first
entry holds the chain's own random id, so that nothing signed on one chain fits into another.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from guidegen.errors import ChainError, ReviewError
from guidegen.review.canonical import canonical, digest
from guidegen.review.tables import ENTRIES
from guidegen.review.times import is_stamp, moment_of, stamp

CHAIN_SCHEMA = "guidegen.chain/1"
NOTHING = "0" * 64  # what the first entry comes after
BEGUN = "chain begun"
PROGRAM = "guidegen"  # the actor where nobody is
CHAIN = "chain"  # the subject of what concerns no person and no revision
FAULTS_SHOWN = 20

# How far the clock may be behind the last entry: two machines on one database, or a correction of the clock. Beyond
# that, someone may have set it back to make an approval last.
CLOCK_BEHIND = timedelta(minutes=5)


@dataclass(frozen=True)
class Entry:
    """One entry. `time` is a stamp in UTC, `content` canonical JSON, both hashes hex."""

    seq: int
    time: str
    actor: str
    action: str
    subject: str
    content: str
    prev_hash: str
    hash: str

    @property
    def body(self) -> dict[str, Any]:
        """The content, read; ChainError where it is no table."""
        try:
            return dict(json.loads(self.content))
        except (TypeError, ValueError, RecursionError) as error:
            raise ChainError(f"entry {self.seq} of the audit chain has a content that cannot be: {error}") from error

    @property
    def true_hash(self) -> str:
        """The hash that such an entry has."""
        fields = {
            "action": self.action, "actor": self.actor, "content": self.content, "prev_hash": self.prev_hash,
            "seq": self.seq, "subject": self.subject, "time": self.time,
        }  # fmt: skip
        # Of text and whole numbers, under sorted names of small letters, this is the canonical JSON; and fast.
        return digest(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))


def begin(connection: Connection, now: datetime) -> None:
    """The first entry, of a chain that has none."""
    content = {"schema": CHAIN_SCHEMA, "chain": secrets.token_hex(16)}
    _write(connection, _entry(0, NOTHING, stamp(now), PROGRAM, BEGUN, CHAIN, content))


def append(
    connection: Connection, now: datetime, actor: str, action: str, subject: str, body: Mapping[str, Any]
) -> Entry:
    """Put an entry behind the last one; the connection must be one of `Database.writing`."""
    before = last(connection)
    entry = _entry(before.seq, before.hash, time_after(before, now), actor, action, subject, body)
    _write(connection, entry)
    return entry


def time_after(before: Entry, now: datetime) -> str:
    """The stamp of what is entered now, never before the last entry's; ReviewError for a clock that was set back."""
    require_clock(before, now)
    return max(before.time, stamp(now))


def require_clock(before: Entry, now: datetime) -> None:
    """ReviewError where the clock is behind the last entry."""
    if now < moment_of(before.time) - CLOCK_BEHIND:
        raise ReviewError(
            f"expected a clock that is not behind the last entry of the chain ({before.time}), found {stamp(now)}; "
            "set the machine's clock"
        )


def last(connection: Connection) -> Entry:
    """The head of the chain; ChainError where there is none."""
    row = connection.execute(select(ENTRIES).order_by(ENTRIES.c.seq.desc()).limit(1)).first()
    if row is None:
        raise ChainError("expected an audit chain, found an empty one: its entries were removed; put a backup back")
    return Entry(*row)


def is_begun(connection: Connection) -> bool:
    """Whether there is any entry."""
    return connection.execute(select(ENTRIES.c.seq).limit(1)).first() is not None


def entries_of(connection: Connection, subject: str) -> tuple[Entry, ...]:
    """All entries on one subject, each held to its own hash, in their order."""
    rows = connection.execute(select(ENTRIES).where(ENTRIES.c.subject == subject).order_by(ENTRIES.c.seq))
    found = tuple(Entry(*row) for row in rows)
    for entry in found:
        if entry.hash != entry.true_hash:
            raise ChainError(f"entry {entry.seq} of the audit chain was changed: its content does not give its hash")
    return found


def all_entries(connection: Connection, head: str | None = None) -> tuple[Entry, ...]:
    """The whole chain, verified; ChainError names what is wrong. `head`: a hash that it must still hold."""
    rows = connection.execute(select(ENTRIES).order_by(ENTRIES.c.seq))
    entries = tuple(Entry(*row) for row in rows)
    found = faults(entries, head)
    if found:
        more = (f"and {len(found) - FAULTS_SHOWN} more",) if len(found) > FAULTS_SHOWN else ()
        raise ChainError("the audit chain is not what was written; put a backup back", (*found[:FAULTS_SHOWN], *more))
    return entries


def faults(entries: Sequence[Entry], head: str | None = None) -> tuple[str, ...]:
    """Everything that is wrong with a chain, a sentence each; nothing for a whole one.

    An end that was cut off shows only where `head`, a hash noted outside, is no longer in the chain.
    """
    found = []
    before, time = NOTHING, ""
    for number, entry in enumerate(entries, start=1):
        if entry.seq != number:
            found.append(f"entry {number} is missing or in another place: entry {entry.seq} stands there")
        if entry.prev_hash != before:
            found.append(f"entry {entry.seq} does not follow the one before it: an entry was changed, removed or moved")
        if entry.hash != entry.true_hash:
            found.append(f"entry {entry.seq} was changed: its content does not give its hash")
        if entry.time < time or not is_stamp(entry.time):
            found.append(f"entry {entry.seq} is older than the one before it, or of no time at all")
        before, time = entry.hash, entry.time
    if not entries or entries[0].action != BEGUN:
        found.append("the first entry is not the beginning of a chain")
    if head is not None and head not in hashes(entries):
        found.append(f"no entry has the hash {head}, which was noted outside: the chain was cut off or made anew")
    return tuple(found)


def hashes(entries: Iterable[Entry]) -> frozenset[str]:
    """The hashes of entries."""
    return frozenset(entry.hash for entry in entries)


def _entry(
    before: int, prev_hash: str, time: str, actor: str, action: str, subject: str, body: Mapping[str, Any]
) -> Entry:
    entry = Entry(before + 1, time, actor, action, subject, canonical(dict(body)), prev_hash, "")
    return Entry(**{**asdict(entry), "hash": entry.true_hash})


def _write(connection: Connection, entry: Entry) -> None:
    connection.execute(insert(ENTRIES).values(asdict(entry)))

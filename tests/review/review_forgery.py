"""What somebody can do past the program: write files, rows and whole chains, and sign with a program of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from review_cases import CASE, World, password_of, record
from sqlalchemy import insert, text

from guidegen.review import chain
from guidegen.review.chain import Entry
from guidegen.review.keys import SigningKey
from guidegen.review.records import Approved, Released, record_from
from guidegen.review.signed import seal
from guidegen.review.tables import ENTRIES


def write(path: Path, content: bytes) -> None:
    """Write past the read-only mode."""
    path.parent.chmod(0o700)
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(content)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file by hand, and the record of the run with it."""
    content = json.loads(path.read_text())
    change(content)
    write(path, json.dumps(content).encode())
    write(path.parent / "run.json", (path.parent / "run.json").read_bytes())
    record(path.parent)


def sql(world: World, *statements: str) -> None:
    """Write to the database by hand, its triggers removed."""
    with world.reviews._desk.database.writing() as connection:
        for trigger in ("entries_are_not_changed", "entries_are_not_removed", "entries_come_in_order"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        for statement in statements:
            connection.execute(text(statement))


def forge(world: World, actor: str, action: str, body: Mapping[str, Any], subject: str = f"{CASE}/r001") -> None:
    """Append an entry that fits into the chain, whatever it says."""
    with world.reviews._desk.database.writing() as connection:
        chain.append(connection, world.clock(), actor, action, subject, body)


def key_of(world: World, user: str) -> SigningKey:
    """A user's own key, as its owner may use it with a program of their own."""
    return world.reviews.people.unlock(world.reviews.people.find(user), password_of(user))


def made_anew(world: World, change: Callable[[list[Entry]], None]) -> None:
    """Change the chain and compute all its hashes anew, as somebody with the database can."""
    entries = list(world.reviews.entries())
    change(entries)
    before = chain.NOTHING
    rows = []
    for number, entry in enumerate(entries, start=1):
        fresh = replace(entry, seq=number, prev_hash=before)
        fresh = replace(fresh, hash=fresh.true_hash)
        before = fresh.hash
        rows.append(asdict(fresh))
    sql(world, "DELETE FROM entries")
    with world.reviews._desk.database.writing() as connection:
        connection.execute(insert(ENTRIES), rows)


def approval_record(world: World, folder: Path) -> Approved:
    """The record of an approval that was given."""
    found = world.reviews.approval_of(folder).record
    assert isinstance(found, Approved)
    return found


def signed_by(
    world: World, user: str, found: Approved | Released, signer_says: Mapping[str, Any] = {}, **changes: Any
) -> dict[str, Any]:
    """A record, changed, bound to the chain's head, and signed with a user's own key."""
    with world.reviews._desk.database.reading() as connection:
        head = chain.last(connection)
    person = world.reviews.people.find(user)
    signer = found.signer.model_dump() | {
        "user": user, "printed_name": person.printed_name, "roles": person.roles, "fingerprint": person.key.fingerprint
    }  # fmt: skip
    fields = found.model_dump() | {"signer": signer | dict(signer_says), "prev_hash": head.hash} | changes
    fields["time_utc"] = chain.time_after(head, world.clock.now.replace(microsecond=world.clock.now.microsecond + 1))
    del fields["schema"]
    return seal(record_from(fields), key_of(world, user))


def signed_anew(world: World, user: str = "bora", **changes: Any) -> Path:
    """A revision submitted again, and an approval of that signed with a program of the signer's own."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    submission = world.confirmation(folder).submission
    forge(world, user, "approved", signed_by(world, user, found, submission=submission, **changes))
    return folder


def approved(world: World, folder: Path) -> Path:
    """A submitted revision, approved."""
    world.approve(folder)
    return folder

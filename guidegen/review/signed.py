"""A signed record inside an entry of the chain, bound to that entry and to no other.

    content = {record: canonical JSON as text, signature: Ed25519 over its DSSE encoding, fingerprint: of the key}

The record holds the chain's head before it, the revision, the signer and the time: taken out and put elsewhere, into
another chain or under another name, it contradicts the entry it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guidegen.errors import AccessError, ChainError
from guidegen.review.chain import Entry
from guidegen.review.events import STEPS
from guidegen.review.keys import RECORD_TYPE, SigningKey, is_signed
from guidegen.review.persons import Person
from guidegen.review.records import MEANINGS, Record, read_record, text_of
from guidegen.review.states import MOVES, Act, role_among


def seal(record: Record, key: SigningKey) -> dict[str, Any]:
    """The content of the entry of a record."""
    text = text_of(record)
    return {
        "record": text,
        "signature": key.sign(RECORD_TYPE, text.encode()),
        "fingerprint": key.fingerprint,
    }


def unseal(entry: Entry, persons: Mapping[str, Person]) -> Record:
    """The record of an entry, after everything that binds it was verified; ChainError says what does not fit."""
    where, body = f"entry {entry.seq} of the audit chain", entry.body
    person = persons.get(entry.actor)
    key = None if person is None else person.key_at(entry.seq)
    if person is None or key is None:
        raise ChainError(f"{where} is signed by {entry.actor!r}, who had no key then")
    text, signature, fingerprint = (str(body.get(name)) for name in ("record", "signature", "fingerprint"))
    if fingerprint != key.fingerprint:
        raise ChainError(f"{where} names another key than the one {entry.actor} had then")
    if not is_signed(key.public_pem, RECORD_TYPE, text.encode(), signature):
        raise ChainError(f"{where} does not bear the signature of {entry.actor}")
    record = read_record(text, where)
    bound = {
        "act": (record.act, entry.action),
        "revision": (record.subject, entry.subject),
        "signer": (record.signer.user, entry.actor),
        "key": (record.signer.fingerprint, key.fingerprint),
        "printed name": (record.signer.printed_name, person.printed_name),
        "roles": (record.signer.roles, person.roles),
        "time": (record.time_utc, entry.time),
        "place in the chain": (record.prev_hash, entry.prev_hash),
        "meaning": (record.meaning, MEANINGS[record.act]),
    }
    for name, (said, is_so) in bound.items():
        if said != is_so:
            raise ChainError(f"{where} holds a record of another {name}: {said!r} instead of {is_so!r}")
    _require_role(record, where)
    return record


def _require_role(record: Record, where: str) -> None:
    allowed = STEPS[record.act].roles if record.act in STEPS else MOVES[Act(record.act)].roles
    try:
        role_among(allowed & {record.signer.role}, record.signer.roles, record.act)
    except AccessError as error:
        raise ChainError(f"{where} was done in a role that may not: {error}") from error

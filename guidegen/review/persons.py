"""What the chain says of a person: name, roles, keys, and whether the account still stands.

No other table is asked: a role that was changed by hand in a database changes nothing here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from guidegen.errors import ChainError, ReviewError
from guidegen.review.chain import Entry
from guidegen.review.keys import fingerprint_of

PREFIX = "person:"  # of a person's subject in the chain
USER = re.compile(r"[a-z][a-z0-9._-]{1,31}")
LONGEST_NAME = 120

ADDED, KEY_MADE, DISABLED = "person added", "key made", "person disabled"
PASSWORD_CHANGED, PASSWORD_REPLACED, GUESSED = "password changed", "password replaced", "guessing"


class Role(StrEnum):
    """What a person may do; one may have several."""

    ENGINEER = "engineer"
    SURGEON = "surgeon"
    ADMIN = "admin"


@dataclass(frozen=True)
class Key:
    """A public key, and the entries of the chain that it was in use between; `until` None: in use."""

    fingerprint: str
    public_pem: str
    since: int
    until: int | None = None


@dataclass(frozen=True)
class Person:
    """An account. `keys` are all that the person ever had, the one in use last."""

    user: str
    printed_name: str
    roles: tuple[Role, ...]
    keys: tuple[Key, ...]

    @property
    def key(self) -> Key:
        """The key in use, or the last one of a disabled account."""
        return self.keys[-1]

    @property
    def enabled(self) -> bool:
        """Whether the account still stands: whether its key may sign."""
        return self.key.until is None

    def key_at(self, seq: int) -> Key | None:
        """The key that was in use when an entry was made."""
        return next((key for key in self.keys if key.since < seq and (key.until is None or seq < key.until)), None)


def subject_of(user: str) -> str:
    """A person's subject in the chain."""
    return f"{PREFIX}{user}"


def person_from(entries: Iterable[Entry]) -> Person | None:
    """The person that entries on one subject tell of; None where there are none. ChainError where they cannot be."""
    person: Person | None = None
    for entry in entries:
        if entry.action == ADDED and person is None:
            person = _added(entry)
        elif person is None or entry.action == ADDED:
            raise ChainError(
                f"entry {entry.seq} of the audit chain tells of a person who is not there, or there already"
            )
        elif entry.action in (KEY_MADE, PASSWORD_REPLACED):
            person = replace(person, keys=(*_ended(person, entry.seq), _key(entry.seq, entry.body)))
        elif entry.action == DISABLED:
            person = replace(person, keys=_ended(person, entry.seq))
    return person


def persons_from(entries: Iterable[Entry]) -> dict[str, Person]:
    """Every person that the chain tells of, by user id."""
    told: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.subject.startswith(PREFIX):
            told.setdefault(entry.subject.removeprefix(PREFIX), []).append(entry)
    found = {user: person_from(each) for user, each in told.items()}
    return {user: person for user, person in found.items() if person is not None}


def require_names(user: str, printed_name: str) -> None:
    """ReviewError for a user id or a printed name that cannot be."""
    if not USER.fullmatch(user):
        raise ReviewError(
            f"expected a user id of 2 to 32 small letters, digits, . _ -, first a letter, found {user!r}; choose one"
        )
    name = printed_name
    if not name.isprintable() or name != name.strip() or not 1 <= len(name) <= LONGEST_NAME:
        raise ReviewError(
            f"expected a printed name on one line, at most {LONGEST_NAME} characters, found {name!r}; mend it"
        )


def same_name(one: str, other: str) -> bool:
    """Whether two printed names are one person's, however they are spaced and written."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _added(entry: Entry) -> Person:
    body, user = entry.body, entry.subject.removeprefix(PREFIX)
    try:
        roles = tuple(Role(role) for role in body["roles"])
        return Person(user, str(body["printed_name"]), roles, (_key(entry.seq, body),))
    except (KeyError, TypeError, ValueError) as error:
        raise ChainError(f"entry {entry.seq} of the audit chain tells of a person who cannot be: {error}") from error


def _ended(person: Person, seq: int) -> tuple[Key, ...]:
    """The keys of a person, the last of them in use no longer."""
    if not person.enabled:
        raise ChainError(f"entry {seq} of the audit chain goes on with a disabled account")
    return (*person.keys[:-1], replace(person.key, until=seq))


def _key(seq: int, body: Mapping[str, Any]) -> Key:
    try:
        key = Key(str(body["fingerprint"]), str(body["public_pem"]), seq)
        if fingerprint_of(key.public_pem) != key.fingerprint:
            raise ValueError("the fingerprint is not the key's")
    except (KeyError, ValueError) as error:
        raise ChainError(f"entry {seq} of the audit chain has a key that cannot be: {error}") from error
    return key

"""The accounts: made on the command line, opened with a password, each with a signing key of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy import Connection, Row, delete, insert, select, update

from guidegen.errors import AccessError, ReviewError
from guidegen.review import chain, guesses, keys, passwords
from guidegen.review.database import Database
from guidegen.review.keys import SigningKey
from guidegen.review.persons import (
    ADDED,
    DISABLED,
    GUESSED,
    KEY_MADE,
    PASSWORD_CHANGED,
    PASSWORD_REPLACED,
    PREFIX,
    USER,
    Person,
    Role,
    person_from,
    persons_from,
    require_names,
    same_name,
    subject_of,
)
from guidegen.review.policy import ApprovalPolicy
from guidegen.review.tables import ENTRIES, SECRETS, SESSIONS
from guidegen.review.times import Clock

LOCAL = "local"  # the address of whoever sits at the machine itself


@dataclass(frozen=True)
class Credentials:
    """Who says to be whom: user id and password, from which address, and the id of the session, where there is one."""

    user: str
    password: str = field(repr=False)
    address: str = LOCAL
    session: str | None = field(default=None, repr=False)


class People:
    """All accounts of a database."""

    def __init__(self, database: Database, policy: ApprovalPolicy, clock: Clock) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock

    def add(self, user: str, printed_name: str, roles: Iterable[Role], password: str, operator: str) -> Person:
        """Make an account with a fresh signing key. `operator`: who makes it. ReviewError for what cannot be."""
        require_names(user, printed_name)
        chosen = tuple(sorted(set(roles)))
        if not chosen:
            raise ReviewError("expected at least one role, found none; choose engineer, surgeon or admin")
        passwords.require_good(password, self._policy.password_length, user, printed_name)
        key = keys.new_key()
        secret = _secret(user, password, key)
        with self._database.writing() as connection:
            known = persons_from(_person_entries(connection))
            if user in known:
                raise ReviewError(f"expected a new user id, found {user!r}, which is never given again; choose another")
            if any(other.enabled and same_name(other.printed_name, printed_name) for other in known.values()):
                raise ReviewError(
                    f"expected one account for each person, found another of {printed_name}; use that one"
                )
            body = {"printed_name": printed_name, "roles": [str(role) for role in chosen], **_public(key)}
            chain.append(connection, self._clock(), operator, ADDED, subject_of(user), body)
            connection.execute(insert(SECRETS).values(person=user, **secret))
        return self.find(user)

    def all(self) -> tuple[Person, ...]:
        """Every account, by user id."""
        with self._database.reading() as connection:
            known = persons_from(_person_entries(connection))
        return tuple(known[user] for user in sorted(known))

    def find(self, user: str) -> Person:
        """The account of a user id; ReviewError where there is none."""
        with self._database.reading() as connection:
            return require_person(connection, user)

    def disable(self, user: str, operator: str) -> None:
        """Close an account for good; what the person signed stays valid."""
        with self._database.writing() as connection:
            _require_enabled(require_person(connection, user))
            chain.append(connection, self._clock(), operator, DISABLED, subject_of(user), {})
            _end_sessions(connection, user)

    def change_password(self, credentials: Credentials, new: str) -> None:
        """Change one's own password; the key stays, every session ends."""
        person = self.authenticate(credentials)
        key = self.unlock(person, credentials.password)
        passwords.require_good(new, self._policy.password_length, person.user, person.printed_name)
        with self._database.writing() as connection:
            self._require_same(connection, person)
            chain.append(connection, self._clock(), person.user, PASSWORD_CHANGED, subject_of(person.user), {})
            self._put(connection, person.user, _secret(person.user, new, key))
            _end_sessions(connection, person.user)

    def replace_password(self, user: str, new: str, operator: str) -> Person:
        """Give an account whose password was lost a new one, and a new key, since the old one cannot be opened."""
        person = self.find(user)
        _require_enabled(person)
        passwords.require_good(new, self._policy.password_length, user, person.printed_name)
        key = keys.new_key()
        secret = _secret(user, new, key)
        with self._database.writing() as connection:
            self._require_same(connection, person)
            chain.append(connection, self._clock(), operator, PASSWORD_REPLACED, subject_of(user), _public(key))
            self._put(connection, user, secret)
            _end_sessions(connection, user)
        return self.find(user)

    def new_key(self, credentials: Credentials) -> Person:
        """Make a new signing key; the old private half is destroyed, its public half stays for what it signed."""
        person = self.authenticate(credentials)
        key = keys.new_key()
        with self._database.writing() as connection:
            self._require_same(connection, person)
            chain.append(connection, self._clock(), person.user, KEY_MADE, subject_of(person.user), _public(key))
            self._put(connection, person.user, _secret(person.user, credentials.password, key))
        return self.find(person.user)

    def authenticate(self, credentials: Credentials) -> Person:
        """The person behind user id and password; AccessError, the same for every cause, where they do not fit, and
        TooManyGuesses before anything is tried where too many were wrong.
        """
        with self._database.writing() as connection:
            person, secret = _known(connection, credentials.user)
            sources = (
                guesses.source_of_user(credentials.user, person is not None),
                guesses.source_of_address(credentials.address),
            )
            guesses.count(connection, sources, self._clock())
        kept = secret.password_hash if person is not None and person.enabled and secret is not None else None
        if not passwords.matches(kept, credentials.password) or person is None:
            self._refuse(person, credentials, sources)
        with self._database.writing() as connection:
            guesses.forgive(connection, *sources)
            if kept is not None and passwords.is_outdated(kept):
                fresh = passwords.hashed(credentials.password)
                connection.execute(update(SECRETS).where(SECRETS.c.person == person.user).values(password_hash=fresh))
        return person

    def unlock(self, person: Person, password: str) -> SigningKey:
        """The person's signing key; AccessError where it is not the one that the chain names."""
        with self._database.reading() as connection:
            _, secret = _known(connection, person.user)
        if secret is None or secret.fingerprint != person.key.fingerprint:
            raise AccessError(
                f"expected the key of {person.user} that the chain names, found another one kept; replace the password"
            )
        return keys.unwrapped(secret.wrapped_key, person.user, person.key.fingerprint, password)

    def _refuse(self, person: Person | None, credentials: Credentials, sources: tuple[str, str]) -> NoReturn:
        """Say that user id and password do not fit; after too many of them with an entry in the chain."""
        with self._database.writing() as connection:
            failures = guesses.most_failures(connection, sources, self._clock())
            if failures >= guesses.FREE:
                subject = chain.CHAIN if person is None else subject_of(person.user)
                body = {"failures": failures, "address": credentials.address, "wait_s": guesses.wait_s(failures)}
                chain.append(connection, self._clock(), chain.PROGRAM, GUESSED, subject, body)
        raise AccessError("expected a user and the password that belongs to it, found another; try again")

    def _require_same(self, connection: Connection, person: Person) -> None:
        """AccessError where the account changed since it was looked at."""
        if require_person(connection, person.user) != person:
            raise AccessError(f"expected the account {person.user} as it was, found it changed meanwhile; try again")

    def _put(self, connection: Connection, user: str, secret: Mapping[str, Any]) -> None:
        connection.execute(update(SECRETS).where(SECRETS.c.person == user).values(**secret))


def require_person(connection: Connection, user: str) -> Person:
    """The person of a user id as the chain tells; ReviewError where there is none."""
    person = person_from(chain.entries_of(connection, subject_of(user)))
    if person is None:
        raise ReviewError(f"expected a known user, found {user!r}; guidegen user list shows them")
    return person


def _known(connection: Connection, user: str) -> tuple[Person | None, Row[Any] | None]:
    """The person and the secrets of what was typed as a user id, as far as they are there."""
    if not USER.fullmatch(user):
        return None, None
    person = person_from(chain.entries_of(connection, subject_of(user)))
    return person, connection.execute(select(SECRETS).where(SECRETS.c.person == user)).first()


def _person_entries(connection: Connection) -> tuple[chain.Entry, ...]:
    subjects = select(ENTRIES.c.subject).where(ENTRIES.c.subject.startswith(PREFIX)).distinct()
    told = [chain.entries_of(connection, subject) for subject in connection.execute(subjects).scalars().all()]
    return tuple(sorted((entry for each in told for entry in each), key=lambda entry: entry.seq))


def _require_enabled(person: Person) -> None:
    if not person.enabled:
        raise ReviewError(f"expected an account that is in use, found {person.user} disabled")


def _end_sessions(connection: Connection, user: str) -> None:
    connection.execute(delete(SESSIONS).where(SESSIONS.c.person == user))


def _secret(user: str, password: str, key: SigningKey) -> dict[str, str]:
    """The row that only the password opens."""
    return {
        "password_hash": passwords.hashed(password),
        "fingerprint": key.fingerprint,
        "wrapped_key": key.wrapped(user, password),
    }


def _public(key: SigningKey) -> dict[str, str]:
    return {"fingerprint": key.fingerprint, "public_pem": key.public_pem}

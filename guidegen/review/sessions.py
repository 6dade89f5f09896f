"""Sessions kept on the server: a random id that only its holder knows, ended by idleness, by age or by word."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from guidegen.errors import AccessError
from guidegen.review.database import Database
from guidegen.review.people import Credentials, People, require_person
from guidegen.review.persons import Person
from guidegen.review.policy import ApprovalPolicy
from guidegen.review.tables import SESSIONS
from guidegen.review.times import Clock, moment_of, stamp

ID_BYTES = 32
NAME_DIGITS = 16  # of the id's hash, by which records name a session
SEEN_AGAIN = timedelta(seconds=20)  # a request so soon after the last one is not written down


@dataclass(frozen=True)
class Session:
    """An open session. `name` is what records call it; nothing opens with it."""

    name: str
    person: Person
    address: str
    opened: datetime
    ends: datetime  # unless there is another request before


@dataclass(frozen=True)
class Opened:
    """A session as it was opened, with the id that its holder shows from now on."""

    session: Session
    id: str = field(repr=False)


class Sessions:
    """All sessions of a database."""

    def __init__(self, database: Database, people: People, policy: ApprovalPolicy, clock: Clock) -> None:
        self._database = database
        self._people = people
        self._idle = timedelta(minutes=policy.session_idle_minutes)
        self._longest = timedelta(hours=policy.session_hours)
        self._clock = clock

    def open(self, credentials: Credentials) -> Opened:
        """Open a session with user id and password; a session shown with them ends, so that its id is never kept on.

        AccessError and TooManyGuesses as `People.authenticate`.
        """
        person = self._people.authenticate(credentials)
        fresh, now = secrets.token_urlsafe(ID_BYTES), self._clock()
        with self._database.writing() as connection:
            self._sweep(connection, now)
            if credentials.session is not None:
                _end(connection, credentials.session)
            connection.execute(
                insert(SESSIONS).values(
                    id_sha256=_hash(fresh),
                    person=person.user,
                    address=credentials.address,
                    opened=stamp(now),
                    seen=stamp(now),
                )
            )
        return Opened(self.get(fresh), fresh)

    def get(self, session_id: str) -> Session:
        """The session of an id, which goes on by being asked for; AccessError where it is unknown or has ended."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(select(SESSIONS).where(SESSIONS.c.id_sha256 == _hash(session_id))).first()
            if row is None or not self._is_open(row.opened, row.seen, now):
                raise AccessError("expected an open session, found none, or one that has ended; log in again")
            person = require_person(connection, row.person)
        if not person.enabled:
            raise AccessError(f"expected an account that is in use, found {person.user} disabled")
        if now - moment_of(row.seen) > SEEN_AGAIN:
            self._see(row.id_sha256, now)
        opened = moment_of(row.opened)
        ends = min(now + self._idle, opened + self._longest)
        return Session(row.id_sha256[:NAME_DIGITS], person, row.address, opened, ends)

    def close(self, session_id: str) -> None:
        """End a session; one that has ended already stays so."""
        with self._database.writing() as connection:
            _end(connection, session_id)

    def close_all(self, user: str) -> None:
        """End every session of a person."""
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.person == user))

    def _is_open(self, opened: str, seen: str, now: datetime) -> bool:
        idle, age = now - moment_of(seen), now - moment_of(opened)
        return timedelta(0) <= age < self._longest and idle < self._idle

    def _see(self, id_sha256: str, now: datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.id_sha256 == id_sha256).values(seen=stamp(now)))

    def _sweep(self, connection: Connection, now: datetime) -> None:
        """Remove what has ended."""
        ended = or_(SESSIONS.c.seen <= stamp(now - self._idle), SESSIONS.c.opened <= stamp(now - self._longest))
        connection.execute(delete(SESSIONS).where(ended))


def _end(connection: Connection, session_id: str) -> None:
    connection.execute(delete(SESSIONS).where(SESSIONS.c.id_sha256 == _hash(session_id)))


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode(errors="replace")).hexdigest()

"""Where acts are signed: who acts is made sure of, then all is checked, signed and entered in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

import guidegen
from guidegen.errors import AccessError
from guidegen.review import chain
from guidegen.review.chain import Entry
from guidegen.review.database import Database
from guidegen.review.history import History, histories, states
from guidegen.review.keys import SigningKey
from guidegen.review.people import Credentials, People, require_person
from guidegen.review.persons import Person, Role, persons_from
from guidegen.review.policy import LoadedPolicy
from guidegen.review.records import MEANINGS, Record
from guidegen.review.revision import Place
from guidegen.review.sessions import Sessions
from guidegen.review.signed import seal
from guidegen.review.states import Act, after, replaced_by, role_for
from guidegen.review.tables import SECRETS
from guidegen.review.times import Clock, moment_of
from guidegen.store import build


@dataclass(frozen=True)
class Signer:
    """Who acts, made sure of just now, with the key for this act; `session` is the session's name, if there is one."""

    person: Person
    key: SigningKey
    session: str | None


@dataclass(frozen=True)
class Standing:
    """How things stand while nobody else can write: the whole chain, verified, and in it the case and the revision.

    `head` is what every record begins with.
    """

    entries: tuple[Entry, ...]
    persons: Mapping[str, Person]
    case: Mapping[str, History]
    history: History
    head: Mapping[str, Any]
    now: datetime


class Desk:
    """People, sessions and the chain of one database, under one policy and one clock."""

    def __init__(self, database: Database, policy: LoadedPolicy, clock: Clock) -> None:
        self.database = database
        self.policy = policy
        self.clock = clock
        self.people = People(database, policy.rules, clock)
        self.sessions = Sessions(database, self.people, policy.rules, clock)

    def open(self) -> None:
        """Begin the chain of a fresh database; ChainError where there is one that is not what was written."""
        with self.database.writing() as connection:
            is_fresh = connection.execute(select(SECRETS.c.person).limit(1)).first() is None
            if is_fresh and not chain.is_begun(connection):
                chain.begin(connection, self.clock())
            chain.all_entries(connection)

    def entries(self, head: str | None = None) -> tuple[Entry, ...]:
        """The whole chain, verified."""
        with self.database.reading() as connection:
            return chain.all_entries(connection, head)

    def signer(self, credentials: Credentials) -> Signer:
        """Who signs: user id and password each time anew, and the session where one is shown. AccessError else."""
        name = None
        if credentials.session is not None:
            session = self.sessions.get(credentials.session)
            if session.person.user != credentials.user:
                raise AccessError(f"expected {session.person.user}, whose session it is, found {credentials.user!r}")
            name = session.name
        person = self.people.authenticate(credentials)
        return Signer(person, self.people.unlock(person, credentials.password), name)

    def act(self, place: Place, signer: Signer, act: Act, build_record: Callable[[Standing], Record]) -> Entry:
        """One act on a revision: its record is built, signed and entered, and what it replaces is superseded."""
        role = role_for(act, signer.person.roles)
        with self.standing(place, signer, act, role) as (connection, standing):
            after(standing.history.state, act)
            entry = enter(connection, place, signer, standing, build_record(standing))
            for name in replaced_by(act, place.name, states(standing.case)):
                body = {"by": place.subject, "cause": entry.hash}
                subject = f"{place.case}/{name}"
                chain.append(connection, standing.now, chain.PROGRAM, Act.SUPERSEDE, subject, body)
        return entry

    @contextmanager
    def standing(self, place: Place, signer: Signer, act: str, role: Role) -> Iterator[tuple[Connection, Standing]]:
        """Hold all other writers off, and see how things stand for an act in a role."""
        with self.database.writing() as connection:
            if require_person(connection, signer.person.user) != signer.person:
                raise AccessError(f"expected the account {signer.person.user} as it was, found it changed; try again")
            entries, now = chain.all_entries(connection), self.clock()
            case = histories(entries, place.case)
            head = self._head(place, signer, act, role, entries[-1], now)
            yield connection, Standing(entries, persons_from(entries), case, case.get(place.name, History()), head, now)

    def _head(self, place: Place, signer: Signer, act: str, role: Role, before: Entry, now: datetime) -> dict[str, Any]:
        person, zone, time = signer.person, self.policy.rules.time_zone, chain.time_after(before, now)
        return {
            "act": str(act),
            "case_id": place.case_id,
            "side": place.side,
            "revision": place.name,
            "signer": {
                "user": person.user,
                "printed_name": person.printed_name,
                "roles": person.roles,
                "role": role,
                "fingerprint": signer.key.fingerprint,
                "session": signer.session,
            },
            "meaning": MEANINGS[act],
            "time_utc": time,
            "time_local": moment_of(time).astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
            "time_zone": zone,
            "software": {"version": guidegen.__version__, "build": build()},
            "prev_hash": before.hash,
        }


def enter(connection: Connection, place: Place, signer: Signer, standing: Standing, record: Record) -> Entry:
    """Sign a record and put it behind the chain's head that it names."""
    content = seal(record, signer.key)
    return chain.append(connection, standing.now, signer.person.user, record.act, place.subject, content)

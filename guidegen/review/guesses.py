"""Guessing is slowed: after five wrong passwords in a row each further one doubles a wait, per user and per address.

A failure is counted before the password is looked at and taken back when it was right: many guesses at once gain
nothing.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from guidegen.errors import TooManyGuesses
from guidegen.review.tables import GUESSES
from guidegen.review.times import moment_of, stamp

FREE = 5  # wrong passwords in a row without a wait
LONGEST_WAIT_S = 3600  # so that nobody can lock a surgeon out for a day
FORGOTTEN = timedelta(hours=24)  # after the last of them


def wait_s(failures: int) -> int:
    """Seconds to wait after so many failures in a row."""
    return 0 if failures < FREE else min(2 ** min(failures - FREE, 32), LONGEST_WAIT_S)


def source_of_user(user: str, known: bool) -> str:
    """The source that guesses at a user are counted under.

    Unknown ones share 65,536 sources by their hash: what was typed may be a password in the wrong field, and is not
    kept.
    """
    return f"user:{user}" if known else f"unknown:{hashlib.sha256(user.encode(errors='replace')).hexdigest()[:4]}"


def source_of_address(address: str) -> str:
    """The source that guesses from an address are counted under."""
    return f"address:{address}"


def count(connection: Connection, sources: tuple[str, ...], now: datetime) -> None:
    """Count one failure for each source; TooManyGuesses, and nothing counted, while one of them has to wait."""
    left = max(_left_s(*_failures(connection, source, now), now) for source in sources)
    if left > 0:
        raise TooManyGuesses(f"too many wrong passwords came before; wait {left} s and try again", left)
    for source in sources:
        failures, _ = _failures(connection, source, now)
        connection.execute(delete(GUESSES).where(GUESSES.c.source == source))
        connection.execute(insert(GUESSES).values(source=source, failures=failures + 1, last=stamp(now)))


def forgive(connection: Connection, user_source: str, address_source: str) -> None:
    """After the right password: nothing stands against the user, and against the address one failure less."""
    connection.execute(delete(GUESSES).where(GUESSES.c.source == user_source))
    connection.execute(
        update(GUESSES)
        .where(GUESSES.c.source == address_source, GUESSES.c.failures > 0)
        .values(failures=GUESSES.c.failures - 1)
    )


def most_failures(connection: Connection, sources: tuple[str, ...], now: datetime) -> int:
    """The failures in a row that stand against the worst of the sources."""
    return max(_failures(connection, source, now)[0] for source in sources)


def _failures(connection: Connection, source: str, now: datetime) -> tuple[int, datetime]:
    row = connection.execute(select(GUESSES.c.failures, GUESSES.c.last).where(GUESSES.c.source == source)).first()
    if row is None or now - moment_of(row.last) > FORGOTTEN:
        return 0, now
    return row.failures, moment_of(row.last)


def _left_s(failures: int, last: datetime, now: datetime) -> int:
    """Seconds of the wait that are left; no clock set back makes them more than the wait."""
    wait = wait_s(failures)
    passed = max((now - last).total_seconds(), 0.0)
    return max(0, -int(-(wait - passed) // 1)) if wait else 0

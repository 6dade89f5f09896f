"""Time as the review records it: UTC, to the microsecond, from a clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # the present moment, with its zone

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as text, in UTC; texts sort as their moments do."""
    return moment.astimezone(UTC).strftime(FORM)


def moment_of(text: str) -> datetime:
    """The moment of a stamp; ValueError for any other text."""
    return datetime.strptime(text, FORM).replace(tzinfo=UTC)

"""Time as the review records it: UTC, to the microsecond, from a clock that is handed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # the present moment, with its zone

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as text, in UTC; texts sort as their moments do."""
    return moment.astimezone(UTC).strftime(FORM)


def moment_of(text: str) -> datetime:
    """The moment of a stamp; ValueError for any other text."""
    if not STAMP.fullmatch(text):
        raise ValueError(f"expected a time like 2026-11-30T09:00:00.000000Z, found {text!r}")
    return datetime.fromisoformat(text)


def is_stamp(text: str) -> bool:
    """Whether a text is the stamp of a moment."""
    try:
        moment_of(text)
    except ValueError:
        return False
    return True

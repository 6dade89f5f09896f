"""A measured quantity or a class, with its doubt, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A number with the least and the greatest value that the doubt allows; all None with a `reason`."""

    value: float | None
    low: float | None
    high: float | None
    reason: str | None = None

    @classmethod
    def of(cls, value: float, others: Iterable[float]) -> Measured:
        """This value, and the range of it and the others."""
        everything = [value, *others]
        return cls(float(value), float(min(everything)), float(max(everything)))

    @classmethod
    def none(cls, reason: str) -> Measured:
        """Not computable, and why."""
        return cls(None, None, None, reason)


@dataclass(frozen=True)
class Grade:
    """A class of a system, all classes that the doubt allows in the system's order; value None with a `reason`."""

    system: str
    value: str | None
    possible: tuple[str, ...]
    reason: str | None = None

    @classmethod
    def none(cls, system: str, reason: str) -> Grade:
        """Not computable, and why."""
        return cls(system, None, (), reason)

    @classmethod
    def of_range(cls, system: str, measured: Measured, borders: Sequence[float], classes: Sequence[str]) -> Grade:
        """The class of a measured number, and every class that its range reaches; a border is the next class's own."""
        if measured.value is None or measured.low is None or measured.high is None:
            return cls(system, None, (), measured.reason)

        def index(value: float) -> int:
            return sum(value >= border for border in borders)

        reached = classes[index(measured.low) : index(measured.high) + 1]
        return cls(system, classes[index(measured.value)], tuple(reached))

    @classmethod
    def of_seen(cls, system: str, value: str, seen: Iterable[str], classes: Sequence[str]) -> Grade:
        """A class, and all from the lowest to the highest class that was seen; `classes` gives their order."""
        order = [classes.index(each) for each in (value, *seen)]
        return cls(system, value, tuple(classes[min(order) : max(order) + 1]))


def just_above(border: float) -> float:
    """The border for a class that begins beyond it, where the value itself still belongs to the one below."""
    return math.nextafter(border, math.inf)

"""Numbers as records hold them: far finer than any printer and the STL's own float32, so that rounding is no source of
error; never a negative zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

LENGTH_DECIMALS, AXIS_DECIMALS = 6, 9


def number(value: float) -> float:
    """A length, angle or share."""
    return round(float(value), LENGTH_DECIMALS) + 0.0


def point(values: Iterable[Any]) -> list[float]:
    """A point's coordinates, or any lengths."""
    return [number(value) for value in values]


def axis(values: Iterable[Any]) -> list[float]:
    """A unit vector's components."""
    return [round(float(value), AXIS_DECIMALS) + 0.0 for value in values]


def shown(value: float, decimals: int) -> str:
    """A number as it is read, wherever it stands: as recorded, halves away from zero, and never a negative zero.

    Lengths are searched in quarters of a millimetre: left to binary fractions, 140.25 would be 140.2 in one place and
    140.3 in another.
    """
    rounded = Decimal(repr(number(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):f}"

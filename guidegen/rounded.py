"""Numbers as records hold them: far finer than any printer and the STL's own float32, so that rounding is no source of
error; never a negative zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
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


def shown_beside(value: float, limit: float, decimals: int) -> str:
    """A number as it is read beside a limit that it misses: with as many more decimals as tell it from the limit."""
    enough = (each for each in range(decimals, LENGTH_DECIMALS + 1) if shown(value, each) != shown(limit, each))
    return shown(value, next(enough, decimals))


def shown_percent(fraction: float, decimals: int) -> str:
    """A share of 1 in percent, as "15.1%"."""
    return f"{shown(100.0 * fraction, decimals)}%"


def significant(value: float, digits: int) -> str:
    """A number of any size to so many digits, halves away from zero too."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal(repr(float(value)))
    return f"{float(rounded) + 0.0:.{digits}g}"

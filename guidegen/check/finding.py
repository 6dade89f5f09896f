"""A finding: one thing that was measured on the files, beside what it may be at most or must be at least."""

from __future__ import annotations

import math
from dataclasses import dataclass

# A nanometre, a millionth of a degree: beyond that lies only the order in which a machine adds.
DECIMALS = 6


@dataclass(frozen=True)
class Finding:
    """One measured number against its limit; `why` says in a sentence what it guards against.

    `measured` is None when the file gave nothing to measure; such a finding never passes and
    its `why` begins with the reason.
    """

    name: str
    measured: float | None
    limit: float
    unit: str
    passed: bool
    why: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit) or not (self.measured is None or math.isfinite(self.measured)):
            raise ValueError(f"expected finite numbers in '{self.name}', found {self.measured} against {self.limit}")
        if self.measured is None and self.passed:
            raise ValueError(f"expected '{self.name}' to fail without a measurement, found it passed")


def at_most(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is no more than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured <= limit, why, missing)


def at_least(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is no less than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured >= limit, why, missing)


def above(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is more than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured > limit, why, missing)


def _judged(
    name: str, measured: float | None, limit: float, unit: str, passed: bool, why: str, missing: str
) -> Finding:
    if measured is None:
        return Finding(name, None, float(limit), unit, False, f"Not measured: {missing}. {why}")
    return Finding(name, round(float(measured), DECIMALS), float(limit), unit, bool(passed), why)

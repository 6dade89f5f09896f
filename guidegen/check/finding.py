"""A finding: one thing that was measured on the files, beside what it may be at most or must be at least."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from guidegen.rounded import number, shown

# A nanometre, a millionth of a degree: beyond that lies only the order in which a machine adds.
DECIMALS = 6
NEAR_SHARE = 0.05  # of its limit: what passes by less is near it

Bound = Literal["at_least", "at_most", "above"]
SIGNS: Mapping[str, str] = {"at_least": "≥", "at_most": "≤", "above": ">"}
UNMEASURED = "none"


@dataclass(frozen=True)
class Finding:
    """One measured number against its limit; `why` says in a sentence what it guards against.

    `measured` is None when the file gave nothing to measure; such a finding never passes and
    its `why` begins with the reason. `bound` says on which side of the limit it must lie; None of a finding that was
    recorded before that was kept, and of one without a limit of its own.
    """

    name: str
    measured: float | None
    limit: float
    unit: str
    passed: bool
    why: str
    bound: Bound | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit) or not (self.measured is None or math.isfinite(self.measured)):
            raise ValueError(f"expected finite numbers in '{self.name}', found {self.measured} against {self.limit}")
        if self.measured is None and self.passed:
            raise ValueError(f"expected '{self.name}' to fail without a measurement, found it passed")
        if self.bound not in (None, *SIGNS):
            raise ValueError(f"expected a bound of {', '.join(SIGNS)} in '{self.name}', found {self.bound!r}")

    @property
    def is_near(self) -> bool:
        """Whether it passes by little. A count is what it should be or not, and nothing is near 0."""
        if not self.passed or self.measured is None or is_count(self.unit, self.measured, self.limit):
            return False
        return abs(self.measured - self.limit) < NEAR_SHARE * abs(self.limit)


def texts(finding: Finding) -> tuple[str, str]:
    """What was measured and its limit as they are read wherever a finding stands: "5.03" and "≥ 5.00"."""
    decimals = decimals_of(finding.unit, finding.limit, finding.measured)
    measured = UNMEASURED if finding.measured is None else shown(finding.measured, decimals)
    return measured, signed(finding.bound, shown(finding.limit, decimals))


def line(finding: Finding) -> str:
    """What was measured, its limit and the verdict in a line: "5.03 mm, limit ≥ 5.00 mm: pass"."""
    measured, limit = texts(finding)
    unit = f" {finding.unit}" if finding.unit else ""
    found = measured if finding.measured is None else f"{measured}{unit}"
    return f"{found}, limit {limit}{unit}: {'pass' if finding.passed else 'FAIL'}"


def signed(bound: str | None, limit: str) -> str:
    """A limit behind the sign of its side, where that is known."""
    return limit if bound is None else f"{SIGNS[bound]} {limit}"


def decimals_of(unit: str, limit: float, *measured: float | None) -> int:
    """With how many decimals a limit and what was measured against it are told apart: at least two below 10, none from
    100, and none in counts.
    """
    found = {number(each) for each in (limit, *measured) if each is not None}
    if is_count(unit, *found):
        return 0
    decimals = 2 if abs(limit) < 10 else 1 if abs(limit) < 100 else 0
    while decimals < DECIMALS and len({shown(each, decimals) for each in found}) < len(found):
        decimals += 1
    return decimals


def is_count(unit: str, *numbers: float) -> bool:
    """Whether numbers count something, such as bodies: whole ones without a unit."""
    return not unit and all(float(each).is_integer() for each in numbers)


def at_most(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is no more than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured <= limit, why, missing, "at_most")


def at_least(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is no less than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured >= limit, why, missing, "at_least")


def above(name: str, measured: float | None, limit: float, unit: str, why: str, missing: str = "") -> Finding:
    """Passes when `measured` is more than `limit`; when it is None, `missing` says why there is no number."""
    return _judged(name, measured, limit, unit, measured is not None and measured > limit, why, missing, "above")


def _judged(
    name: str, measured: float | None, limit: float, unit: str, passed: bool, why: str, missing: str, bound: Bound
) -> Finding:
    if measured is None:
        return Finding(name, None, float(limit), unit, False, f"Not measured: {missing}. {why}", bound)
    return Finding(name, round(float(measured), DECIMALS), float(limit), unit, bool(passed), why, bound)

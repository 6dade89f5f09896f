"""The wound through which a guide goes in: a straight incision along the shaft over the middle of the contact, as long
as the seat asks (`approach_of`), held open as wide as the contact with its rim, which must go in through it. All of it
is seen along the way the guide comes off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray, unit
from guidegen.guide.guide import Guide
from guidegen.seat.approach import approach_of


@dataclass(frozen=True, eq=False)
class Wound:
    """The ends (3,) of the incision, at the depth of the bone, how far it is held open across, and the unit vector (3,)
    across it to the front.
    """

    upper_mm: FloatArray
    lower_mm: FloatArray
    opened_mm: float
    front: FloatArray

    def place(self, point_mm: FloatArray) -> tuple[float, float]:
        """How far a point (3,) lies above the incision's middle along it, and in front of it across."""
        away = point_mm - (self.upper_mm + self.lower_mm) / 2.0
        return float(away @ unit(self.upper_mm - self.lower_mm)), float(away @ self.front)

    def from_end_mm(self, point_mm: FloatArray) -> float:
        """How far a point (3,) lies beyond the nearer end, negative between the ends."""
        return abs(self.place(point_mm)[0]) - float(np.linalg.norm(self.upper_mm - self.lower_mm)) / 2.0

    def outside_mm(self, point_mm: FloatArray, width_mm: float) -> float:
        """How much further the wound must reach to take in what is this wide round a point (3,); 0 where it does."""
        beyond = self.from_end_mm(point_mm) + width_mm / 2.0
        beside = abs(self.place(point_mm)[1]) + (width_mm - self.opened_mm) / 2.0
        return float(np.hypot(max(0.0, beyond), max(0.0, beside)))


def wound_of(guide: Guide) -> Wound:
    """The wound for a guide."""
    covered = guide.seat.frame.points(guide.cells.points_mm[guide.seat.footprint.covers])  # x across, y along the shaft
    low, high = covered.min(axis=0), covered.max(axis=0)
    middle = np.array([*(low[:2] + high[:2]) / 2.0, 0.0])
    half = np.array([0.0, approach_of(guide.seat, guide.cells, guide.rim_mm).incision_mm / 2.0, 0.0])
    back = guide.seat.frame.inverse()
    sideways = back.vectors(np.array([1.0, 0.0, 0.0]))
    return Wound(
        upper_mm=back.points(middle + half),
        lower_mm=back.points(middle - half),
        opened_mm=float(high[0] - low[0]) + 2.0 * guide.rim_mm,
        front=sideways * np.sign(sideways @ guide.zones.front),
    )

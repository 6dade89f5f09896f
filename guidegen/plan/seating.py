"""How far off its place a guide may come to sit: assumed until a guide is built, its own seat's from then on.

A guide that sits off is moved as a whole: by a small shift and a small turn, normal and not independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from guidegen.frames import FloatArray, frozen

ASSUMED_MM, ASSUMED_DEG = 0.7, 1.0  # how a guide sits, rms of three axes, before there is one
ASSUMED = "assumed, since there is no guide yet"
ASSUMED_SOURCE = (
    "assumed [D]; printed guides missed by 1.4 ± 1.0 mm at the tip, 1.1 ± 0.7°, on synthetic femora (Bell 2024)"
)
OWN = "the built guide's own"

SYMMETRIC = 1e-9  # of the largest variance: what rounding leaves


@dataclass(frozen=True, eq=False)
class Seating:
    """A guide's motion off its place in LPS: `covariance` (6, 6) of the shift of `center_mm` (3,), in mm, and of the
    turn about it, in rad.

    `whose`: ASSUMED or OWN; `source`: where the figures come from. `of_surface`: the motion is what the error of the
    bone's surface does to the seat, so that this error moves the tool no second time.
    ValueError for a covariance that is none.
    """

    center_mm: FloatArray
    covariance: FloatArray
    whose: str
    source: str
    of_surface: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "center_mm", frozen(self.center_mm, (3,)))
        object.__setattr__(self, "covariance", frozen(self.covariance, (6, 6)))
        known = self.covariance
        least = -SYMMETRIC * float(np.abs(known).max())
        if np.abs(known - known.T).max() > -least or np.linalg.eigvalsh(known).min() < least:
            raise ValueError(f"expected a covariance of the seat's motion, symmetric and not negative, found {known}")

    @property
    def shift_rms_mm(self) -> float:
        """How far the centre is shifted, rms."""
        return float(np.sqrt(np.trace(self.covariance[:3, :3])))

    @property
    def turn_rms_deg(self) -> float:
        """How far the guide is turned, rms."""
        return float(np.degrees(np.sqrt(np.trace(self.turn_covariance))))

    @property
    def turn_covariance(self) -> FloatArray:
        """The covariance (3, 3) of the turn, in rad²."""
        return self.covariance[3:, 3:]

    @cached_property
    def turn_root(self) -> FloatArray:
        """What makes the turn (3, 3), in rad, of three standard normal errors."""
        return _root(self.turn_covariance)

    @cached_property
    def carried(self) -> FloatArray:
        """The shift (3, 3) that goes with a turn, in mm per rad: a guide does not turn about whatever centre is named.

        The shift without it is independent of the turn, and the same about every centre.
        """
        return np.asarray(self.covariance[:3, 3:] @ np.linalg.pinv(self.turn_covariance, hermitian=True))

    @cached_property
    def slide_root(self) -> FloatArray:
        """What makes the shift that goes with no turn (3, 3), in mm, of three other standard normal errors."""
        return _root(self.covariance[:3, :3] - self.carried @ self.covariance[3:, :3])


def assumed_seating(center_mm: FloatArray, shift_mm: float = ASSUMED_MM, turn_deg: float = ASSUMED_DEG) -> Seating:
    """What is assumed of a guide about its centre (3,) before there is one: rms of a shift and of an independent turn,
    the same in all directions. ValueError for figures below 0.
    """
    if not (np.isfinite([shift_mm, turn_deg]).all() and min(shift_mm, turn_deg) >= 0.0):
        raise ValueError(f"expected a shift and a turn of 0 and more, found {shift_mm} mm and {turn_deg}°")
    even = np.repeat([shift_mm**2, np.radians(turn_deg) ** 2], 3) / 3.0
    return Seating(center_mm, np.diag(even), ASSUMED, ASSUMED_SOURCE, False)


def _root(covariance: FloatArray) -> FloatArray:
    """The symmetric root (3, 3) of a covariance (3, 3)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)

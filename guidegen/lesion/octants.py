"""Where the lesion lies in the head: its eight octants, and a point in anatomical words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray
from guidegen.lesion.head_frame import HeadFrame

WORDS = (("lateral", "medial"), ("posterior", "anterior"), ("inferior", "superior"))
CODES = np.array([1, 2, 4])  # an octant is the sum over the axes on whose second side it lies


@dataclass(frozen=True)
class Octant:
    """One eighth of the head sphere, the share of the lesion that lies in it, and the share of it that is lesion."""

    name: str
    lesion_share: float
    necrotic_share: float


@dataclass(frozen=True)
class Place:
    """A point seen from the head centre.

    Latitude is 90° at the superior pole; longitude 0° is lateral, 90° anterior, 180° medial, −90° posterior (after
    Nishii 2002, who placed the lesion's centroid by both). `octant` names the one that it lies in.
    """

    medial_mm: float
    anterior_mm: float
    superior_mm: float
    distance_mm: float
    latitude_deg: float
    longitude_deg: float
    octant: str


def octants(points_mm: FloatArray, point_volume_mm3: float, frame: HeadFrame) -> tuple[Octant, ...]:
    """All eight octants of a lesion given by points (K, 3) of equal volume; superior ones first, as in WORDS."""
    sides = frame.anatomical_mm(points_mm) >= 0.0
    counts = np.bincount(sides @ CODES, minlength=8)
    eighth_mm3 = np.pi / 6.0 * frame.radius_mm**3
    return tuple(
        Octant(
            name=_name(code),
            lesion_share=float(counts[code] / len(points_mm)),
            necrotic_share=float(counts[code] * point_volume_mm3 / eighth_mm3),
        )
        for code in range(7, -1, -1)
    )


def _name(code: int) -> str:
    return "-".join(WORDS[axis][code >> axis & 1] for axis in (1, 2, 0))


def place(point_mm: FloatArray, frame: HeadFrame) -> Place:
    """Where a point (3,) lies in the head."""
    offset = frame.anatomical_mm(point_mm)
    medial, anterior, superior = (float(value) for value in offset)
    return Place(
        medial_mm=medial,
        anterior_mm=anterior,
        superior_mm=superior,
        distance_mm=float(np.linalg.norm(offset)),
        latitude_deg=float(np.degrees(np.arctan2(superior, np.hypot(medial, anterior)))),
        longitude_deg=float(np.degrees(np.arctan2(anterior, -medial))),
        octant=_name(int((offset >= 0.0) @ CODES)),
    )

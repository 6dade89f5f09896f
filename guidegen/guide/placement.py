"""Tubes over the bone: how far out each side of a bore meets the bone, and from there where its guide begins and
ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray, spokes
from guidegen.guide.height_field import HeightField

RING = 72
STEP_MM = 0.05
OUTSIDE_MM, INSIDE_MM = 70.0, 25.0
SUNK_MM = 2.0  # how far a tube's outside reaches into the bone before the bone is taken away


@dataclass(frozen=True, eq=False)
class Tube:
    """A guided bore in the guide's frame. All ways in mm along `axis` (into the bone) from `point_mm`, negative
    outside.

    Between `top_mm` and `guided_to_mm` the bore is closed all the way round; `sunk_to_mm` is where its outside may end.
    """

    point_mm: FloatArray
    axis: FloatArray
    top_mm: float
    guided_to_mm: float
    sunk_to_mm: float

    def at(self, way_mm: float) -> FloatArray:
        """The point (3,) on the axis this far along."""
        return self.point_mm + way_mm * self.axis

    @property
    def guided_length_mm(self) -> float:
        """The length over which the bore holds the tool all the way round."""
        return self.guided_to_mm - self.top_mm


def place_tube(
    field: HeightField, point_mm: FloatArray, axis: FloatArray, bore_mm: float, outer_mm: float, guided_mm: float
) -> Tube:
    """A tube along `axis` through `point_mm` that guides over `guided_mm`, over the (grown) bone's height field."""
    guided_to = float(_first_contact(field, point_mm, axis, bore_mm / 2.0).min())
    sunk_to = float(_first_contact(field, point_mm, axis, outer_mm / 2.0).max()) + SUNK_MM
    return Tube(point_mm, axis, guided_to - guided_mm, guided_to, sunk_to)


def _first_contact(field: HeightField, point_mm: FloatArray, axis: FloatArray, radius_mm: float) -> FloatArray:
    """For each line (RING,) round the axis the way at which, coming from outside, it first meets the field."""
    ring = radius_mm * spokes(axis, RING)
    way = np.arange(-OUTSIDE_MM, INSIDE_MM, STEP_MM)
    points = point_mm + ring[:, None] + way[None, :, None] * axis
    below = points[..., 2] < field.at(points)
    return np.where(below.any(axis=1), way[below.argmax(axis=1)], INSIDE_MM)

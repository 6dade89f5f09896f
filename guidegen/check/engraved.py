"""Where text and arrows stand on the guide: flat fields, looked at from outside by their depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import AskedArrow, AskedGuide, AskedLabel
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray, across, perpendicular_pair, unit
from guidegen.surfaces import Surface

Mask = npt.NDArray[np.bool_]

# The eye hovers this far above the field.
EYE_MM = 2.0
# What lies no higher than this over the floor of a stroke is its floor, and over the field the field.
FLAT_MM = 0.02
# A stroke's side is square to its field, but for what float32 makes of it.
SIDEWAYS = 0.1
# An arrow is no wider than half its length; its field shows so much round it.
ROUND_ARROW_MM = 0.5
# The walls of an arrow that is cut in look every way and cancel out; the samples this near tell where outside is.
NEAR_ARROW_MM = 2.0
# No arrow is cut deeper: half of the thinnest shell.
DEEPEST_ARROW_MM = 1.5


@dataclass(frozen=True, eq=False)
class Field:
    """A flat field: its centre (3,), unit rows (3, 3) to the right, up and outwards, its sides, how deep it is cut."""

    center_mm: FloatArray
    axes: FloatArray
    width_mm: float
    height_mm: float
    depth_mm: float

    def depths_mm(self, guide: Surface, pitch_mm: float) -> FloatArray:
        """How deep the guide lies below the field (rows from the top, columns), seen from outside; infinite where it
        looks past the guide.
        """
        right, up, out = self.axes
        columns = np.arange(-self.width_mm / 2 + pitch_mm / 2, self.width_mm / 2, pitch_mm)
        rows = np.arange(self.height_mm / 2 - pitch_mm / 2, -self.height_mm / 2, -pitch_mm)
        eyes = self.center_mm + EYE_MM * out + columns[None, :, None] * right + rows[:, None, None] * up
        way, _ = guide.ray_hits(eyes.reshape(-1, 3), -out)
        return way.reshape(len(rows), len(columns)) - EYE_MM

    def of_strokes(self, points_mm: FloatArray, normals: FloatArray) -> Mask:
        """Which of the points (K, 3) of a surface with these normals lie in the field above the floor of its strokes,
        or at its edge on their sides.
        """
        right, up, out = self.axes @ (points_mm - self.center_mm).T
        inside = (np.abs(right) <= self.width_mm / 2) & (np.abs(up) <= self.height_mm / 2)
        floor = np.where(np.abs(normals @ self.axes[2]) < SIDEWAYS, -FLAT_MM, FLAT_MM) - self.depth_mm
        return np.asarray(inside & (out > floor) & (out < FLAT_MM))


def label_field(label: AskedLabel) -> Field:
    """The field of a label."""
    axes = np.array([label.reading_direction, label.up_direction, label.outward_direction])
    return Field(np.array(label.center_mm), axes, label.width_mm, label.height_mm, label.depth_mm)


def arrow_field(arrow: AskedArrow, seat: Seat) -> Field:
    """The field of an arrow, that points to its right; where outside is, the guide's own faces round it tell."""
    start, end = np.array(arrow.start_mm), np.array(arrow.end_mm)
    length_mm, middle = float(np.linalg.norm(end - start)), (start + end) / 2.0
    right = unit(end - start)
    place = np.clip((seat.points_mm - start) @ right, 0.0, length_mm)
    near = np.linalg.norm(seat.points_mm - start - place[:, None] * right, axis=1) < NEAR_ARROW_MM
    out = across(seat.normals[near].sum(axis=0), right)
    out = unit(out) if np.linalg.norm(out) > 1e-6 else perpendicular_pair(right)[0]  # no guide here: nothing to see
    wide_mm, high_mm = (side + 2.0 * ROUND_ARROW_MM for side in (length_mm, length_mm / 2.0))
    return Field(middle, np.stack([right, np.cross(out, right), out]), wide_mm, high_mm, DEEPEST_ARROW_MM)


def fields(asked: AskedGuide, seat: Seat) -> tuple[Field, ...]:
    """All fields of a guide."""
    return (
        *(label_field(label) for label in asked.labels),
        *(arrow_field(arrow, seat) for arrow in asked.arrows or ()),
    )

"""The outline of the shell: the footprint, drawn in where the bone turns too steeply away or ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray
from guidegen.guide.height_field import STEP_MM, HeightField, dilated, field_solid, slope_deg
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.templates import Footprint, Shell

Flags = npt.NDArray[np.bool_]

CALM_MM = 1.5  # the steepness is that of the bone's form, not of its noise
CORNER_POWER = 4.0  # a superellipse: nearly the rectangle, with round corners
CALM_ROWS_MM = 3.0
NARROWEST_MM = 8.0  # rows narrower than this hold nothing and end the shell
WALL_MM = 0.4  # the last of the rounded rim is cut straight: the grid cannot draw a vertical tangent
SHORTEST_MM = 25.0


@dataclass(frozen=True, eq=False)
class Outline:
    """The shell seen along the removal direction: half rows (Y,) left and right of x = 0 in mm, at heights `y_mm`
    (Y,).
    """

    y_mm: FloatArray
    left_mm: FloatArray
    right_mm: FloatArray

    @property
    def polygon_mm(self) -> FloatArray:
        """The corners (K, 2), counter-clockwise."""
        right, left = np.c_[self.right_mm, self.y_mm], np.c_[self.left_mm, self.y_mm]
        return np.concatenate([right, left[::-1]])

    def edge_distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """How far (K,) inside the outline points (K, 2 or 3) lie in the plane; negative outside."""
        import matplotlib.path

        corners, points = self.polygon_mm, points_mm[:, :2]
        start, way = corners, np.roll(corners, -1, axis=0) - corners
        share = ((points[:, None] - start) * way).sum(axis=2) / np.maximum((way**2).sum(axis=1), 1e-12)
        nearest = start + np.clip(share, 0.0, 1.0)[..., None] * way
        distance = np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1)
        inside = matplotlib.path.Path(corners).contains_points(points)
        return np.asarray(np.where(inside, distance, -distance))


def draw_outline(field: HeightField, footprint: Footprint, shell: Shell, closed: Flags) -> Outline:
    """The footprint's outline on this bone, away from where it is `closed` (X, Y) to a shell."""
    lawful = (slope_deg(field, CALM_MM) <= shell.largest_wrap_deg) & ~closed
    center = int(np.argmin(np.abs(field.x_mm)))
    half_length, half_width = footprint.length_mm / 2.0, footprint.width_mm / 2.0
    inside = np.abs(field.y_mm) < half_length
    corner = np.where(inside, 1.0 - np.abs(field.y_mm / half_length) ** CORNER_POWER, 0.0) ** (1.0 / CORNER_POWER)
    right = np.array([_run(row[center:]) for row in lawful.T]) * STEP_MM
    left = np.array([_run(row[center::-1]) for row in lawful.T]) * STEP_MM
    right, left = (_calmed(np.minimum(side, half_width * corner)) for side in (right, left))
    good = inside & (right + left >= NARROWEST_MM) & (np.minimum(right, left) > STEP_MM)
    middle = int(np.argmin(np.abs(field.y_mm)))
    rows = np.arange(middle - _run(good[middle::-1]) + 1, middle + _run(good[middle:]))
    if len(rows) * STEP_MM < SHORTEST_MM:
        raise NoSafeGuide(
            f"expected at least {SHORTEST_MM:g} mm of lateral cortex along the shaft for the shell, "
            f"found {len(rows) * STEP_MM:.0f} mm; scan more of the shaft or choose another entry",
            rule=KEEP_OUT if closed.any() else "contact_length_mm",
            figures={"contact_length_mm": len(rows) * STEP_MM},
        )
    return Outline(field.y_mm[rows], -left[rows], right[rows])


def _run(flags: Flags) -> int:
    """How many leading flags are True."""
    stops = np.flatnonzero(~flags)
    return int(stops[0]) if len(stops) else len(flags)


def _calmed(half_rows: FloatArray) -> FloatArray:
    """Never wider than the rows around allow, and smooth."""
    from scipy import ndimage

    rows = CALM_ROWS_MM / STEP_MM
    narrow = ndimage.minimum_filter1d(half_rows, size=2 * round(rows) + 1, mode="nearest")
    return np.minimum(half_rows, ndimage.gaussian_filter1d(narrow, rows))


def shell_solid(field: HeightField, outline: Outline, clearance_mm: float, thickness_mm: float, relief: Flags) -> Any:
    """The shell before the bone is taken away: the contact patch grown by a ball of clearance and thickness, inside
    the outline. `field` is the bone's with its `relief` (X, Y) raised, over which the shell is whole up to its rim.

    The ball makes the thickness right at right angles to the bone, also on its flanks, and its upper and lower
    halves end the shell in a round rim that meets the bone at a right angle: a plain cut along the
    removal direction would leave a knife's edge where a flank is steep.
    """
    import manifold3d

    grid = np.stack(np.meshgrid(field.x_mm, field.y_mm, indexing="ij"), axis=-1).reshape(-1, 2)
    inwards = np.full(len(grid), -1.0)
    low, high = outline.polygon_mm.min(axis=0), outline.polygon_mm.max(axis=0)
    close = ((grid > low) & (grid < high)).all(axis=1)
    inwards[close] = outline.edge_distance_mm(grid[close])
    radius, nowhere = clearance_mm + thickness_mm, field.floor_mm - 2.0 * thickness_mm
    inside = inwards.reshape(field.height_mm.shape)
    patch = ((inside >= radius - WALL_MM) | (relief & (inside > 0.0))) & (field.height_mm > field.floor_mm)
    above = dilated(np.where(patch, field.height_mm, -np.inf), radius)
    below = -dilated(np.where(patch, -field.height_mm, -np.inf), radius)
    ceiling = float(above.max()) + 1.0
    over = field_solid(field.x_mm, field.y_mm, np.maximum(above, nowhere), nowhere - 1.0)
    under = field_solid(field.x_mm, field.y_mm, np.maximum(-below, -ceiling), -ceiling - 1.0).mirror((0.0, 0.0, 1.0))
    area = manifold3d.CrossSection([outline.polygon_mm])
    prism = area.extrude(ceiling - nowhere).translate((0.0, 0.0, nowhere))
    return over ^ under ^ prism

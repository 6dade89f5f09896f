"""Relief over what is kept out: there the guide rises off the bone, and nothing of it rests.

All heights are those over points of a grid, seen along the removal direction, as in `height_field`: what lies
under a relief is free to come off, however it is shaped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, across
from guidegen.guide.height_field import STEP_MM, HeightField, widened
from guidegen.guide.placement import Tube
from guidegen.seat.ground import Ground

Flags = npt.NDArray[np.bool_]

# More than the distance asked: between two points of the grid the relief is a chord, at most 0.15 mm inside the ball.
SPARE_MM = 0.3
# Over the bone and its clearance: what is not to rest there must not look like contact, which reaches 1.5 mm further.
LEAST_MM = 2.0
LEVELS = 16  # at which it is asked whether a bore runs beside a relief
# Over the bone: a plate with the heads of its screws is 8 mm thick. The guide does not rise over more, it ends there.
TALLEST_MM = 12.0


@dataclass(frozen=True, eq=False)
class Relief:
    """A height field raised over what is kept out: a guide may begin at `under`.

    It is raised where `there` (X, Y) says, and where `tall` (X, Y) says too far for a guide.
    """

    under: HeightField
    there: Flags
    tall: Flags

    def raised_mm(self, clearance_mm: float) -> FloatArray:
        """Points (K, 3) of the surface that the shell passes over what is kept out on, as if there were bone."""
        i, j = np.argwhere(self.there).T
        heights = self.under.height_mm[i, j] - clearance_mm
        return np.stack([self.under.x_mm[i], self.under.y_mm[j], heights], axis=1)


def risen(points_mm: FloatArray, x_mm: FloatArray, y_mm: FloatArray, radius_mm: float) -> FloatArray:
    """The heights (X, Y) over an even grid of balls round points (K, 3) in its frame; -inf where there is none."""
    heights = np.full((len(x_mm), len(y_mm)), -np.inf)
    if len(points_mm) == 0:
        return heights
    step, first = float(x_mm[1] - x_mm[0]), np.array([x_mm[0], y_mm[0]])
    last = np.array([x_mm[-1], y_mm[-1]])
    seen = ((points_mm[:, :2] > first - radius_mm) & (points_mm[:, :2] < last + radius_mm)).all(axis=1)
    points = points_mm[seen]
    nearest = np.rint((points[:, :2] - first) / step).astype(np.int64)
    reach = int(np.ceil(radius_mm / step + 0.5))
    for i, j in product(range(-reach, reach + 1), repeat=2):
        cell = nearest + [i, j]
        on_grid = ((cell >= 0) & (cell < heights.shape)).all(axis=1)
        beside = ((first + step * cell - points[:, :2]) ** 2).sum(axis=1)
        over = on_grid & (beside < radius_mm**2)
        top = points[over, 2] + np.sqrt(radius_mm**2 - beside[over])
        np.maximum.at(heights, (cell[over, 0], cell[over, 1]), top)
    return heights


def relieved(field: HeightField, under: HeightField, ground: Ground) -> Relief:
    """The relief over what is kept out, on `under`, the bone's field grown by the clearance; all in one frame."""
    from scipy import ndimage

    heights = risen(ground.near_mm, field.x_mm, field.y_mm, ground.keep_out_mm + SPARE_MM)
    over = heights > under.height_mm
    if not over.any():
        return Relief(under, over, over)
    on_bone = field.height_mm > field.floor_mm
    least = np.where(on_bone, under.height_mm + LEAST_MM, -np.inf)
    raised = np.where(over, np.maximum(heights, least), under.height_mm)
    raised = np.where(ndimage.binary_dilation(over, disc(STEP_MM)), widened(raised), under.height_mm)
    there = raised > under.height_mm
    tall = there & on_bone & (raised - field.height_mm > TALLEST_MM)
    return Relief(replace(under, height_mm=raised), there, tall)


def sturdy(
    relief: Relief, bare: HeightField, outside: Flags, tubes: list[tuple[Tube, float]], wall_mm: float
) -> Relief:
    """The relief over the `bare` field widened wherever it would leave a wall thinner than `wall_mm`: between two parts
    of it, towards the `outside` (X, Y) of the guide, and towards the bores of tubes, each with its radius in mm.
    """
    from scipy import ndimage

    half = disc(wall_mm / 2.0)
    lift = relief.under.height_mm - bare.height_mm
    beside = lift
    for _ in range(2):  # as high as the relief beside it, and no further from it than the wall
        beside = ndimage.grey_dilation(beside, footprint=half)
    void = outside.copy()
    for tube, radius_mm in tubes:
        void |= _bored(bare, beside, tube, radius_mm)
    closed = ndimage.grey_closing(np.where(void, beside.max(), lift), footprint=half)
    lift = np.maximum(lift, np.minimum(closed, beside))
    there = relief.there | ((lift > 0.0) & ~outside)
    return replace(relief, under=replace(bare, height_mm=bare.height_mm + lift), there=there)


def _bored(bare: HeightField, beside: FloatArray, tube: Tube, radius_mm: float) -> Flags:
    """Where (X, Y) a bore runs between a field and the relief beside it, given (X, Y) in mm over the field."""
    index = np.argwhere(beside > 0.0)
    places = tuple(index.T)
    levels = bare.height_mm[places] + np.linspace(0.0, 1.0, LEVELS)[:, None] * beside[places]
    flat = np.stack([bare.x_mm[index[:, 0]], bare.y_mm[index[:, 1]]], axis=1)
    relative = np.concatenate([np.broadcast_to(flat, (LEVELS, *flat.shape)), levels[..., None]], axis=2) - tube.point_mm
    bored = np.zeros(beside.shape, dtype=np.bool_)
    bored[places] = (np.linalg.norm(across(relative, tube.axis), axis=2) <= radius_mm).any(axis=0)
    return bored


def disc(radius_mm: float) -> Flags:
    """A round footprint on the grid of a height field, its radius rounded up to whole steps."""
    reach = int(np.ceil(radius_mm / STEP_MM - 1e-9))
    offset = np.arange(-reach, reach + 1)
    return np.asarray(offset[:, None] ** 2 + offset[None, :] ** 2 <= reach**2)

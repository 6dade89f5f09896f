"""The bone as seen along the removal direction: a height over every point of a grid, in the guide's frame.

A body that leaves the bone along +z can touch only what is seen from +z. So the bone grown by the
clearance and swept along the removal direction is everything below one height field: exact,
and without undercuts whatever is built on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

STEP_MM = 0.4
ABOVE_MM = 20.0  # rays start this far above the bone's highest point
NEWTON_STEPS = 8
SETTLED_MM = 1e-4
MOST_LOWERINGS = 100
LEDGE_MM = STEP_MM * np.sqrt(2.0) * np.tan(np.radians(74.0))  # between neighbours; a shell ends at 72°
STEEP_MM = 0.8  # between two neighbours: flatter bone than 63° has no ledge that matters between them
BETWEEN = 0.25, 0.5, 0.75  # where on the line between two neighbours the bone is looked for
CUTS_MM = 0.16  # of the distance: a bump that costs less is left, since what is raised no longer touches
FLATTEST = 0.15  # the least slope of the distance that a Newton step trusts


@dataclass(frozen=True, eq=False)
class HeightField:
    """Heights (X, Y) in mm over the grid of `x_mm` (X,) and `y_mm` (Y,); `floor_mm` where there is no bone."""

    x_mm: FloatArray
    y_mm: FloatArray
    height_mm: FloatArray
    floor_mm: float

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Heights (...,) under points (..., 2 or 3), linear between grid points, the floor outside the grid."""
        from scipy.interpolate import RegularGridInterpolator

        look_up = RegularGridInterpolator(
            (self.x_mm, self.y_mm), self.height_mm, bounds_error=False, fill_value=self.floor_mm
        )
        return np.asarray(look_up(points_mm[..., :2]))

    def solid_under(self, low_mm: FloatArray, high_mm: FloatArray) -> Any:
        """Everything below the heights, over the rectangle between two corners (3,) and a little more.

        The foot lies below the lower corner, so that a body between the corners meets it nowhere else.
        """
        rows = (self.x_mm > low_mm[0] - 2.0 * STEP_MM) & (self.x_mm < high_mm[0] + 2.0 * STEP_MM)
        columns = (self.y_mm > low_mm[1] - 2.0 * STEP_MM) & (self.y_mm < high_mm[1] + 2.0 * STEP_MM)
        bottom = min(self.floor_mm, float(low_mm[2])) - 5.0
        return field_solid(self.x_mm[rows], self.y_mm[columns], self.height_mm[np.ix_(rows, columns)], bottom)


def look_down(bone: Surface, low_xy_mm: FloatArray, high_xy_mm: FloatArray) -> HeightField:
    """The height field of a bone (in the guide's frame) over a rectangle, by rays along -z."""
    x = np.arange(low_xy_mm[0], high_xy_mm[0] + STEP_MM, STEP_MM)
    y = np.arange(low_xy_mm[1], high_xy_mm[1] + STEP_MM, STEP_MM)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    top = float(bone.bounds_mm[1, 2]) + ABOVE_MM
    floor = float(bone.bounds_mm[0, 2])
    way, _ = bone.ray_hits(np.c_[grid, np.full(len(grid), top)], np.array([0.0, 0.0, -1.0]))
    height = np.where(np.isfinite(way), top - way, floor)
    return HeightField(x, y, height.reshape(len(x), len(y)), floor)


def grown(field: HeightField, bone: Surface, distance_mm: float, near: npt.NDArray[np.bool_]) -> HeightField:
    """The height field of the bone grown by a ball of `distance_mm`: where a body may begin that keeps this clearance.

    Where `near` (X, Y) is True the heights are exact: the distance to the triangles is solved for by Newton's method,
    and where that began beneath a ledge, a ball is let down from above. Over ledges between two points the lower is
    raised. Elsewhere they are the dilation on the grid, which is as good as the grid.
    Next to the bone's outline the field is taken one step further out: more clearance, never less.
    """
    from scipy import ndimage

    bone_only = np.where(field.height_mm > field.floor_mm, field.height_mm, -np.inf)
    height = np.maximum(dilated(bone_only, distance_mm), field.floor_mm)
    seen = near & (field.height_mm > field.floor_mm)
    index = np.argwhere(seen)
    points = np.c_[field.x_mm[index[:, 0]], field.y_mm[index[:, 1]], height[seen] + 0.02]
    for _ in range(NEWTON_STEPS):
        distance, _, nearest = bone.nearest(points)
        slope = (points[:, 2] - nearest[:, 2]) / np.maximum(distance, 1e-9)
        step = (distance - distance_mm) / np.maximum(slope, FLATTEST)
        points[:, 2] -= step
        if np.abs(step).max() < SETTLED_MM:
            break
    short = bone.nearest(points)[0] < distance_mm - SETTLED_MM  # beside a ledge it began below, and never got over it
    above = ndimage.grey_dilation(bone_only, size=(3, 3))[seen][short] + distance_mm
    points[short] = lowered(np.c_[points[short, :2], above], bone, distance_mm)
    height[seen] = np.maximum(points[:, 2], field.height_mm[seen] + distance_mm)
    exact = HeightField(field.x_mm, field.y_mm, height, field.floor_mm)
    return replace(field, height_mm=widened(over_ledges(exact, bone, distance_mm, seen)))


def lowered(points: FloatArray, bone: Surface, distance_mm: float) -> FloatArray:
    """Points (K, 3) let down until a ball of `distance_mm` round them touches the bone: by no more at a time than they
    are clear of it, so that none passes what it meets first.
    """
    points = points.copy()
    for _ in range(MOST_LOWERINGS):
        clear = bone.nearest(points)[0] - distance_mm
        points[:, 2] -= clear
        if clear.max(initial=0.0) < SETTLED_MM:
            break
    return points


def over_ledges(field: HeightField, bone: Surface, distance_mm: float, near: npt.NDArray[np.bool_]) -> FloatArray:
    """The heights (X, Y) with the lower of two neighbours raised where the straight line between them comes nearer to
    the bone than `distance_mm` by more than CUTS_MM: on a steep wall it would cut the corner of a ledge.
    """
    height = field.height_mm.copy()
    node = np.stack(np.meshgrid(field.x_mm, field.y_mm, indexing="ij"), axis=-1)
    points = np.concatenate([node, field.height_mm[..., None]], axis=-1)
    for i, j in ((1, 0), (0, 1), (1, 1)):  # the edges of the triangles of `field_solid`
        first, second = (slice(None, -i or None), slice(None, -j or None)), (slice(i, None), slice(j, None))
        drop = points[second][..., 2] - points[first][..., 2]
        steep = np.argwhere(near[first] & near[second] & (np.abs(drop) > STEEP_MM))
        other, falls = steep + [i, j], drop[steep[:, 0], steep[:, 1]] < 0.0
        high, low = np.where(falls[:, None], [steep, other], [other, steep])
        top, foot = points[high[:, 0], high[:, 1]], points[low[:, 0], low[:, 1]]
        raised = np.zeros(len(steep))
        for share in BETWEEN:
            at = top + share * (foot - top)
            away, _, nearest = bone.nearest(at)
            short, upright = distance_mm - away, (at - nearest)[:, 2] / np.maximum(away, 1e-9)
            needed = short / np.maximum(upright, FLATTEST) / share
            raised = np.where(short > CUTS_MM, np.maximum(raised, needed), raised)
        np.maximum.at(height, (low[:, 0], low[:, 1]), np.minimum(foot[:, 2] + raised, top[:, 2]))
    return height


def dilated(height_mm: FloatArray, radius_mm: float) -> FloatArray:
    """Grey dilation of heights (X, Y) by a ball, on the grid; -inf where there is nothing within the radius."""
    from scipy import ndimage

    reach = int(radius_mm / STEP_MM)
    offset = np.arange(-reach, reach + 1) * STEP_MM
    flat = offset[:, None] ** 2 + offset[None, :] ** 2
    inside = flat <= radius_mm**2
    ball = np.where(inside, np.sqrt(np.maximum(radius_mm**2 - flat, 0.0)), 0.0)
    return np.asarray(ndimage.grey_dilation(height_mm, footprint=inside, structure=ball, mode="constant", cval=-np.inf))


def widened(height: FloatArray) -> FloatArray:
    """Grid points at the foot of a ledge take the highest of their neighbours: between two points a wall is a slope."""
    from scipy import ndimage

    around = ndimage.grey_dilation(height, size=(3, 3), mode="nearest")
    return np.where(around - height > LEDGE_MM, around, height)


def field_solid(x_mm: FloatArray, y_mm: FloatArray, top_mm: FloatArray, bottom_mm: float) -> Any:
    """The solid between a flat bottom and the heights `top_mm` (X, Y), as a manifold."""
    import manifold3d

    nx, ny = top_mm.shape
    grid = np.stack(np.meshgrid(x_mm, y_mm, indexing="ij"), axis=-1).reshape(-1, 2)
    top = np.c_[grid, top_mm.ravel()]
    node = np.arange(nx * ny).reshape(nx, ny)
    a, b, c, d = node[:-1, :-1].ravel(), node[1:, :-1].ravel(), node[1:, 1:].ravel(), node[:-1, 1:].ravel()
    ring = np.concatenate([node[:-1, 0], node[-1, :-1], node[:0:-1, -1], node[0, :0:-1]])
    foot = np.c_[top[ring, :2], np.full(len(ring), bottom_mm)]
    under = nx * ny + np.arange(len(ring))
    middle = nx * ny + len(ring)
    following, below = np.roll(ring, -1), np.roll(under, -1)
    faces = np.concatenate(
        [
            np.c_[a, b, c],
            np.c_[a, c, d],
            np.c_[ring, under, below],
            np.c_[ring, below, following],
            np.c_[under, np.full(len(ring), middle), below],
        ]
    )
    center = np.array([[x_mm.mean(), y_mm.mean(), bottom_mm]])
    return manifold3d.Manifold(
        manifold3d.Mesh64(vert_properties=np.concatenate([top, foot, center]), tri_verts=faces.astype(np.uint64))
    )

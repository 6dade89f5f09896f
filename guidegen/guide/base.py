"""The body that lies on the bone: a shell of even thickness with round edges, and what grows out of it.

It is drawn as a field of distances on a grid and contoured once, so that every edge is round and every joint filleted.
Two distances make the shell: to the bone, and to the patch that bears. In their plane (how far beside the patch, how
far off the bone) its section is a rectangle with round corners. Dilation by a ball makes the thickness the same at
right angles to the bone, on its flanks too. What reaches into the bone here is taken away with the bone later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, RigidTransform, unit
from guidegen.guide.rim import Hole, on_contact, points_round
from guidegen.seat.footprint import Footprint
from guidegen.surfaces import Surface

VOXEL_MM = 0.7
POINT_MM, POINT_DEG = 0.9, 2.4  # between the points of the bone that distances are measured from
REACH_MM = 11.0  # as far as distances are known
ROUND_MM = 1.0  # radius of the rim's edges
# The rim rises from so far inside the patch's edge, over so much of it: it stands out in full before the edge, where
# its underside is lifted, by the step between the points and what the contour is smoothed over.
FULL_WITHIN_MM, RISE_MM = 2.4, 1.6
EDGE_REACH_MM = 8.0  # as far as the distance to the patch's edge is known: over the rim at its fullest
FILLET_MM = 5.0  # where parts meet
CALM_VOXELS = 0.6
SINK_MM = 2.5  # how far the shell reaches into the bone, which is taken away later
MARGIN_MM = 2.0
INSET_MM = 0.3  # a root is so much thinner than the machined part that stands on it


@dataclass(frozen=True, eq=False)
class Rod:
    """A round rod with round ends between two points (3,)."""

    start_mm: FloatArray
    end_mm: FloatArray
    radius_mm: float

    def distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """From points (..., 3) to its surface, negative inside."""
        way = self.end_mm - self.start_mm
        share = np.clip((points_mm - self.start_mm) @ way / (way @ way), 0.0, 1.0)
        return np.asarray(np.linalg.norm(points_mm - self.start_mm - share[..., None] * way, axis=-1) - self.radius_mm)

    @property
    def corners_mm(self) -> FloatArray:
        """Points (K, 3) whose box, grown by the radius, holds it."""
        return np.stack([self.start_mm, self.end_mm])


@dataclass(frozen=True, eq=False)
class Rib:
    """A web with round edges: all that is near a triangle (3, 3)."""

    corners_mm: FloatArray
    radius_mm: float

    def distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """From points (..., 3) to its surface, negative inside."""
        a, b, c = self.corners_mm
        normal = unit(np.cross(b - a, c - a))
        beside = np.abs((points_mm - a) @ normal)
        outside = np.zeros(points_mm.shape[:-1], dtype=np.bool_)
        nearest = np.full(points_mm.shape[:-1], np.inf)
        for start, end in ((a, b), (b, c), (c, a)):
            way = end - start
            relative = points_mm - start
            outside |= relative @ np.cross(normal, way) < 0.0
            share = np.clip(relative @ way / (way @ way), 0.0, 1.0)
            nearest = np.minimum(nearest, np.linalg.norm(relative - share[..., None] * way, axis=-1))
        return np.asarray(np.where(outside, nearest, beside) - self.radius_mm)


Root = Rod | Rib


@dataclass(frozen=True, eq=False)
class Slot:
    """What is cut out of the rim: across (x), up (y) and through it (z) in its `frame`, from a round bottom about the
    frame's origin upwards without end; beyond its own width on the `open_sides` (-1 or 1).
    """

    frame: RigidTransform
    width_mm: float
    depth_mm: float
    open_sides: tuple[float, ...]

    def distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """From points (..., 3) to its surface, negative inside."""
        x, y, z = np.moveaxis(self.frame.points(points_mm), -1, 0)
        half_mm = self.width_mm / 2.0
        flat = np.hypot(x, np.minimum(y, 0.0)) - half_mm
        for side in self.open_sides:
            flat = np.minimum(flat, np.maximum(-y, -half_mm - side * x))
        return np.asarray(np.maximum(flat, np.abs(z) - self.depth_mm))


@dataclass(frozen=True, eq=False)
class ShellShape:
    """The shell's section in mm: its outside over the bone, how far it reaches beside the patch, how far its underside
    is lifted off the bone there, 0 where it is not, and how much further out its edge stands, which would be thin.
    """

    outside_mm: float
    rim_width_mm: float
    rim_lift_mm: float
    rim_fuller_mm: float


def base_solid(
    bone: Surface, footprint: Footprint, holes: Sequence[Hole], raised_mm: FloatArray, shape: ShellShape,
    roots: Sequence[Root], slot: Slot | None = None,
) -> Any:  # fmt: skip
    """The base as a manifold, all in the guide's frame, before the bone is taken away. `raised_mm` (K, 3): points over
    what is kept out, which the shell passes over as if they were bone that bears. A `slot` is cut with round edges.
    """
    points = points_round(bone, footprint, REACH_MM, POINT_MM, POINT_DEG)
    bears = on_contact(points, footprint, holes)
    on_patch, beside = np.concatenate([points[bears], raised_mm]), points[~bears]
    ground = np.concatenate([points, raised_mm])
    low, high = _box(on_patch, roots, shape)
    counts = np.ceil((high - low) / VOXEL_MM).astype(np.int64) + 1
    to_patch = _distances(on_patch, low, counts, REACH_MM)
    to_bone = _distances(ground, low, counts, REACH_MM)
    to_beside = _distances(beside, low, counts, EDGE_REACH_MM)
    inside = np.sqrt(np.maximum(to_beside**2 - to_bone**2, 0.0))
    beside = np.sqrt(np.maximum(to_patch**2 - to_bone**2, 0.0)) - inside
    field = _shell(beside, to_bone, inside, shape)
    axes = [low[k] + VOXEL_MM * np.arange(counts[k]) for k in range(3)]
    for root in roots:
        _join(field, axes, root)
    if slot is not None:
        away = slot.distance_mm(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
        field = -_filleted(-field, away, 2.0 * ROUND_MM)
    if shape.rim_lift_mm > 0.0:
        field = np.maximum(field, np.minimum(beside, shape.rim_lift_mm - to_bone))
    return _contoured(field, low)


def _box(on_patch: FloatArray, roots: Sequence[Root], shape: ShellShape) -> tuple[FloatArray, FloatArray]:
    grown = shape.outside_mm + shape.rim_width_mm + MARGIN_MM
    lows, highs = [on_patch.min(axis=0) - grown], [on_patch.max(axis=0) + grown]
    for root in roots:
        lows.append(root.corners_mm.min(axis=0) - root.radius_mm - MARGIN_MM)
        highs.append(root.corners_mm.max(axis=0) + root.radius_mm + MARGIN_MM)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _distances(points_mm: FloatArray, low_mm: FloatArray, counts: npt.NDArray[np.int64], reach_mm: float) -> FloatArray:
    """From every point of the grid (X, Y, Z) to the nearest of the points, `reach_mm` where that is further."""
    squared = np.full(tuple(counts), reach_mm**2)
    _splat(np.ascontiguousarray(points_mm), low_mm, squared, VOXEL_MM, reach_mm)
    return np.sqrt(squared)


@numba.njit(cache=True, nogil=True)
def _splat(points: FloatArray, low: FloatArray, squared: FloatArray, step: float, reach: float) -> None:
    """Lower every grid value within `reach` of a point to its squared distance from it."""
    for k in range(points.shape[0]):
        first = np.empty(3, np.int64)
        past = np.empty(3, np.int64)
        for axis in range(3):
            first[axis] = max(0, int(np.ceil((points[k, axis] - reach - low[axis]) / step)))
            past[axis] = min(squared.shape[axis], int(np.floor((points[k, axis] + reach - low[axis]) / step)) + 1)
        for i in range(first[0], past[0]):
            x = low[0] + i * step - points[k, 0]
            for j in range(first[1], past[1]):
                y = low[1] + j * step - points[k, 1]
                flat = x * x + y * y
                if flat >= reach * reach:
                    continue
                for m in range(first[2], past[2]):
                    z = low[2] + m * step - points[k, 2]
                    away = flat + z * z
                    if away < squared[i, j, m]:
                        squared[i, j, m] = away


def _shell(beside: FloatArray, to_bone: FloatArray, inside: FloatArray, shape: ShellShape) -> FloatArray:
    """The shell's field: its section in the plane of `beside` the patch, negative over it, and `over` the bone."""
    over = to_bone - shape.rim_fuller_mm * np.clip((FULL_WITHIN_MM - inside) / RISE_MM, 0.0, 1.0)
    return _rectangle(beside, over, shape.rim_width_mm, -SINK_MM, shape.outside_mm)


def _rectangle(beside: FloatArray, over: FloatArray, width: float, bottom: float, top: float) -> FloatArray:
    """Distances to a rectangle up to `width` beside, from bottom to top, with round corners."""
    past = beside - (width - ROUND_MM)
    above = np.abs(over - (top + bottom) / 2.0) - ((top - bottom) / 2.0 - ROUND_MM)
    outside = np.hypot(np.maximum(past, 0.0), np.maximum(above, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(past, above), 0.0) - ROUND_MM)


def _join(field: FloatArray, axes: list[FloatArray], root: Root) -> None:
    """Join a root to the field with a fillet, in the part of the grid that it can change."""
    low = root.corners_mm.min(axis=0) - root.radius_mm - FILLET_MM
    high = root.corners_mm.max(axis=0) + root.radius_mm + FILLET_MM
    spans = [slice(*np.searchsorted(axis, (low[k], high[k]))) for k, axis in enumerate(axes)]
    part = tuple(spans)
    grid = np.stack(np.meshgrid(*(axis[span] for axis, span in zip(axes, spans, strict=True)), indexing="ij"), axis=-1)
    field[part] = _filleted(field[part], root.distance_mm(grid), FILLET_MM)


def _filleted(first: FloatArray, second: FloatArray, over_mm: float) -> FloatArray:
    """The lesser of two distances, rounded where they differ by less: the quadratic smooth minimum (Quilez 2013)."""
    blend = np.maximum(over_mm - np.abs(first - second), 0.0) / over_mm
    return np.asarray(np.minimum(first, second) - blend**2 * over_mm / 4.0)


def _contoured(field: FloatArray, low_mm: FloatArray) -> Any:
    """The surface at 0 as a manifold."""
    import manifold3d
    from scipy import ndimage
    from skimage.measure import marching_cubes

    calm = np.pad(ndimage.gaussian_filter(field, CALM_VOXELS), 1, constant_values=VOXEL_MM)
    vertices, faces, _, _ = marching_cubes(calm.astype(np.float32), level=0.0, allow_degenerate=False)
    points = low_mm + VOXEL_MM * (vertices.astype(np.float64) - 1.0)
    # skimage winds the faces of a field that grows outwards so that their normals point outwards
    mesh = manifold3d.Mesh64(vert_properties=points, tri_verts=faces.astype(np.uint64))
    return manifold3d.Manifold(mesh)

"""How far the bone is from any point near the guide: a grid of exact distances, and the doubt in the bone's surface.

Virtual surgery asks for a hundred million distances, which the triangles themselves answer too slowly. So they are
asked once per node, and what lies between is interpolated; `grid_error_mm` says what that costs.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from guidegen.check.bench import Bench
from guidegen.frames import FloatArray

# Nodes as far apart as the bone's own triangles are small; four of their steps make one of a coarse grid.
STEP_MM = 0.37
COARSE = 4
# Where the guide may touch: only there are nodes exact; further off, a distance only has to be large. Tissue of up to a
# millimetre, and a true surface at 3 σ over or under the segmented one; and so far beside the contact, which a guide
# that is put on askew passes: beyond, a false seat is measured on the coarse grid.
EXACT_WITHIN_MM = -1.0, 1.5
EXACT_BESIDE_MM = 6.0
# Room that a guide needs that is put on 5 mm and 10° askew and slides home: sideways, into the bone, off it. No number
# of steps: the outermost contact point would lie on a node, and rounding would decide which cell gives its slope.
ROOM_MM = np.array([12.1, 12.1, 5.1]), np.array([12.1, 12.1, 10.1])
# The doubt in the surface, as of a label map: noise that was smoothed by a Gaussian of this width.
SMOOTHED_OVER_MM = 3.0
ROUGH_STEP_MM = 1.5
# Linear interpolation takes variance away between nodes, on average so much that σ falls by 3 %: it is given back.
ROUGH_LOSS = ((2.0 + np.exp(-((ROUGH_STEP_MM / SMOOTHED_OVER_MM) ** 2) / 4.0)) / 3.0) ** 1.5


class Grid(NamedTuple):
    """Values (X, Y, Z) at nodes `step_mm` apart, the first at `low_mm` (3,); numba reads it as it is."""

    low_mm: FloatArray
    step_mm: float
    values: FloatArray


@numba.njit(cache=True, nogil=True)
def at(grid: Grid, x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """The value at a point, and its slope along x, y and z; a point beyond the grid counts as on its rim.

    Linear between the nodes along each axis, and so is the slope the slope of exactly this value.
    """
    v, step = grid.values, grid.step_mm
    a = min(max((x - grid.low_mm[0]) / step, 0.0), v.shape[0] - 1.000001)
    b = min(max((y - grid.low_mm[1]) / step, 0.0), v.shape[1] - 1.000001)
    c = min(max((z - grid.low_mm[2]) / step, 0.0), v.shape[2] - 1.000001)
    i, j, k = int(a), int(b), int(c)
    a, b, c = a - i, b - j, c - k
    v00, d00 = v[i, j, k], v[i + 1, j, k] - v[i, j, k]
    v01, d01 = v[i, j, k + 1], v[i + 1, j, k + 1] - v[i, j, k + 1]
    v10, d10 = v[i, j + 1, k], v[i + 1, j + 1, k] - v[i, j + 1, k]
    v11, d11 = v[i, j + 1, k + 1], v[i + 1, j + 1, k + 1] - v[i, j + 1, k + 1]
    front, back = v00 + a * d00, v10 + a * d10
    front_up, back_up = v01 + a * d01, v11 + a * d11
    low, high = front + b * (back - front), front_up + b * (back_up - front_up)
    along_x = (1.0 - c) * (d00 + b * (d10 - d00)) + c * (d01 + b * (d11 - d01))
    along_y = (1.0 - c) * (back - front) + c * (back_up - front_up)
    return low + c * (high - low), along_x / step, along_y / step, (high - low) / step


def distance_grid(bench: Bench) -> Grid:
    """Signed distance to the bone all round the contact, on the bench; exact near its surface under it."""
    low = bench.points_mm.min(axis=0) - ROOM_MM[0]
    high = bench.points_mm.max(axis=0) + ROOM_MM[1]
    cells = np.ceil((high - low) / (COARSE * STEP_MM)).astype(np.int64)
    nodes = np.stack(np.meshgrid(*(np.arange(n + 1) for n in cells), indexing="ij"), axis=-1)
    values = bench.bone.signed_distance_mm(low + COARSE * STEP_MM * nodes.reshape(-1, 3)).reshape(nodes.shape[:3])
    for axis in range(3):
        values = _refined(values, axis)
    near = np.argwhere((values > EXACT_WITHIN_MM[0]) & (values < EXACT_WITHIN_MM[1]))
    at_mm = low + STEP_MM * near
    beside = ROOM_MM[0][:2] - EXACT_BESIDE_MM
    touches = ((at_mm[:, :2] > low[:2] + beside) & (at_mm[:, :2] < high[:2] - beside)).all(axis=1)
    values[tuple(near[touches].T)] = bench.bone.signed_distance_mm(at_mm[touches])
    return Grid(low, STEP_MM, np.ascontiguousarray(values))


def _refined(values: FloatArray, axis: int) -> FloatArray:
    """The values with COARSE - 1 more, evenly interpolated, between any two along one axis."""
    fine = np.arange(COARSE * (values.shape[axis] - 1) + 1)
    node = np.minimum(fine // COARSE, values.shape[axis] - 2)
    share = (fine / COARSE - node).reshape([-1 if a == axis else 1 for a in range(3)])
    below, above = np.take(values, node, axis), np.take(values, node + 1, axis)
    return np.asarray(below + share * (above - below))


def grid_error_mm(grid: Grid, bench: Bench) -> FloatArray:
    """By how much the grid is off the exact distance (K,), under each contact point where it would touch the bone."""
    points = bench.resting_mm
    value, slope = values_at(grid, points)
    touching = points - (value / np.maximum((slope**2).sum(axis=1), 0.25))[:, None] * slope
    return np.asarray(values_at(grid, touching)[0] - bench.bone.signed_distance_mm(touching))


@numba.njit(cache=True, nogil=True)
def values_at(grid: Grid, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The values (K,) and slopes (K, 3) at points (K, 3)."""
    value, slope = np.empty(len(points_mm)), np.empty((len(points_mm), 3))
    for i in range(len(points_mm)):
        value[i], slope[i, 0], slope[i, 1], slope[i, 2] = at(grid, points_mm[i, 0], points_mm[i, 1], points_mm[i, 2])
    return value, slope


def smooth(grid: Grid) -> Grid:
    """A surface without doubt, over the same room."""
    return Grid(grid.low_mm, ROUGH_STEP_MM, np.zeros((2, 2, 2)))


def rough(grid: Grid, sigma_mm: float, rng: np.random.Generator) -> Grid:
    """By how much the true bone rises over the segmented one: normal with `sigma_mm`, smoothed, over the same room.

    Each row of the smoothing is of length 1, so that every node has the same variance.
    """
    size_mm = STEP_MM * (np.array(grid.values.shape) - 1)
    counts = np.ceil(size_mm / ROUGH_STEP_MM).astype(np.int64) + 1
    values = rng.standard_normal(tuple(counts))
    for _ in range(3):  # along each axis in turn
        values = _smoothed(values, _smoothing(values.shape[0]))
    return Grid(grid.low_mm, ROUGH_STEP_MM, np.ascontiguousarray(sigma_mm / ROUGH_LOSS * values))


def _smoothing(count: int) -> FloatArray:
    """The matrix (count, count) that smooths white noise along one axis, its rows of length 1."""
    apart = ROUGH_STEP_MM * (np.arange(count)[:, None] - np.arange(count)[None, :])
    weight = np.exp(-0.5 * (apart / SMOOTHED_OVER_MM) ** 2)
    return np.asarray(weight / np.linalg.norm(weight, axis=1, keepdims=True))


@numba.njit(cache=True, nogil=True)
def _smoothed(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Values (X, Y, Z) smoothed along x, with the axes passed on: (Y, Z, X).

    Loops, not a matrix product: what many threads add comes in no certain order.
    """
    size_x, size_y, size_z = values.shape
    smoothed = np.zeros((size_y, size_z, size_x))
    for y in range(size_y):
        for a in range(size_x):
            for z in range(size_z):
                value = values[a, y, z]
                for x in range(size_x):
                    smoothed[y, z, x] += weight[a, x] * value
    return smoothed

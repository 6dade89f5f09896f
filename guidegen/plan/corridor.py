"""The space between window and lesion that a search goes through: distances on a grid, and the lesion as weights.

Its frame has the middle of the lesion as origin and z along the way from the middle of the window to it; x points to
the back and y up, as far as they can, so that it turns and is mirrored with the hip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, across, unit
from guidegen.plan.hip import Hip
from guidegen.plan.tunnel import TOOL_OUTSIDE_MM
from guidegen.plan.window import Entries

STEP_MM = 1.5  # of the distance field; what lies between two nodes is interpolated
KEEP_OUT_STEP_MM = 2.0
MARGIN_MM = 3.0  # round the window and the lesion
WEIGHT_CELL_MM = 1.0  # lesion points nearer than this are weighed as one while searching,
MOST_WEIGHTS = 6000  # or a little further apart in a large lesion
OUT_OF_WAY_MM = -1.0  # depth where no tunnel passes
ERROR_SAMPLES = 1500
ERROR_BAND_MM = (1.0, 12.0)  # of depth, in which the rules decide


@dataclass(frozen=True, eq=False)
class Corridor:
    """Everything a search reads, in the corridor's own frame.

    `depth`, `vessels` (X, Y, Z): depth under the bone's surface and distance to the vessel patch, at `low_mm` +
    STEP_MM · index. `keep_out`: distance to what is kept out, on its own grid; empty where there is nothing.
    `lesion` (K, 4): points, one in each cell of `cell_mm`, and their share of the whole lesion. `error_mm`: the most by
    which an interpolated depth was off, of some hundred exact ones.
    """

    origin_mm: FloatArray
    axes: FloatArray
    low_mm: FloatArray
    depth: FloatArray
    vessels: FloatArray
    keep_out_low_mm: FloatArray
    keep_out: FloatArray
    lesion: FloatArray
    cell_mm: float
    head_center: FloatArray
    error_mm: float

    def inside(self, points_mm: FloatArray) -> FloatArray:
        """Points (..., 3) in LPS carried into the corridor's frame."""
        return np.asarray((points_mm - self.origin_mm) @ self.axes.T)

    def outside(self, points: FloatArray) -> FloatArray:
        """Points (..., 3) of the corridor's frame in LPS mm."""
        return np.asarray(points @ self.axes + self.origin_mm)

    def depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Interpolated depth (K,) under the bone's surface at points (K, 3) in LPS; of the border for those beyond."""
        from scipy.ndimage import map_coordinates

        index = (self.inside(points_mm) - self.low_mm) / STEP_MM
        return np.asarray(map_coordinates(self.depth, index.T, order=1, mode="nearest"))


def corridor(hip: Hip, entries: Entries, middle_mm: FloatArray) -> Corridor:
    """The corridor from these entries to the lesion; `middle_mm` (3,) becomes its origin."""
    axes = _axes(hip, entries, middle_mm)
    points = (hip.lesion.points_mm - middle_mm) @ axes.T
    ends = np.concatenate([(entries.points_mm - middle_mm) @ axes.T, points])
    low, high = ends.min(axis=0) - MARGIN_MM, ends.max(axis=0) + MARGIN_MM
    shape = np.ceil((high - low) / STEP_MM).astype(int) + 1
    nodes = _nodes(low, shape, STEP_MM)
    passed = _on_the_way(nodes, (entries.points_mm - middle_mm) @ axes.T, points)
    places = nodes[passed] @ axes + middle_mm
    depth, vessels = np.full(len(nodes), OUT_OF_WAY_MM), np.zeros(len(nodes))
    depth[passed] = -hip.bone.signed_distance_mm(places)
    vessels[passed] = hip.vessels.nearest(places)[0]
    cell = max(WEIGHT_CELL_MM, float(np.cbrt(hip.lesion.volume_mm3 / MOST_WEIGHTS)))
    keep_low, keep_out = _keep_out(hip, low, high, axes, middle_mm)
    return Corridor(
        origin_mm=middle_mm,
        axes=axes,
        low_mm=low,
        depth=depth.reshape(shape),
        vessels=vessels.reshape(shape),
        keep_out_low_mm=keep_low,
        keep_out=keep_out,
        lesion=_weighed(points, cell),
        cell_mm=cell,
        head_center=(hip.anatomy.head_center_mm - middle_mm) @ axes.T,
        error_mm=_error(hip, depth.reshape(shape), low, axes, middle_mm),
    )


def _axes(hip: Hip, entries: Entries, middle_mm: FloatArray) -> FloatArray:
    z = unit(middle_mm - entries.points_mm.mean(axis=0))
    x = unit(across(hip.anatomy.posterior, z))
    y = unit(across(across(hip.anatomy.shaft_axis, z), x))
    return np.stack([x, y, z])


def _nodes(low: FloatArray, shape: IntArray, step_mm: float) -> FloatArray:
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(low + step_mm * grid)


def _keep_out(
    hip: Hip, low: FloatArray, high: FloatArray, axes: FloatArray, middle_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distances to what is kept out, along the drill's way outside the bone too, where lines through window and lesion
    spread further apart.
    """
    if not hip.keep_out.structures:
        return low, np.empty((0, 0, 0))
    spread = TOOL_OUTSIDE_MM / -low[2] * (high - low)[:2] / 2.0
    low = low - [*spread, TOOL_OUTSIDE_MM]
    high = high + [*spread, 0.0]
    shape = np.ceil((high - low) / KEEP_OUT_STEP_MM).astype(int) + 1
    nodes = _nodes(low, shape, KEEP_OUT_STEP_MM) @ axes + middle_mm
    return low, hip.keep_out.distance_mm(nodes).reshape(shape)


def _on_the_way(nodes: FloatArray, entries: FloatArray, lesion: FloatArray) -> npt.NDArray[np.bool_]:
    """Which nodes (K,) a line from an entry to the lesion's breadth can come near to: between the two it is no wider
    than they are.
    """
    first, last = entries[:, 2].min(), lesion[:, 2].max()
    share = np.clip((nodes[:, 2] - first) / (0.0 - first), 0.0, (last - first) / -first)[:, None]
    reach = np.abs(lesion[:, :2]).max(axis=0) + MARGIN_MM
    low = (1.0 - share) * entries[:, :2].min(axis=0) - share * reach
    high = (1.0 - share) * entries[:, :2].max(axis=0) + share * reach
    sides = nodes[:, :2]
    room = 2.0 * STEP_MM + MARGIN_MM
    return np.asarray(((sides >= np.minimum(low, high) - room) & (sides <= np.maximum(low, high) + room)).all(axis=1))


def _weighed(points: FloatArray, cell_mm: float) -> FloatArray:
    """Points (K, 4) with the share of all that each stands for: those in one cell are one point, their mean."""
    cell = np.floor(points / cell_mm).astype(np.int64)
    _, same, count = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(same.ravel(), weights=points[:, k]) for k in range(3)], axis=1) / count[:, None]
    return np.asarray(np.c_[means, count / len(points)])


def _error(hip: Hip, depth: FloatArray, low: FloatArray, axes: FloatArray, middle_mm: FloatArray) -> float:
    from scipy.ndimage import map_coordinates

    rng = np.random.default_rng(0)
    spots = rng.random((ERROR_SAMPLES, 3)) * (np.array(depth.shape) - 1.0)
    corners = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = np.minimum(np.floor(spots).astype(int), np.array(depth.shape) - 2)[:, None] + corners
    spots = spots[(depth[tuple(cells.transpose(2, 0, 1))] != OUT_OF_WAY_MM).all(axis=1)]
    found = map_coordinates(depth, spots.T, order=1)
    exact = -hip.bone.signed_distance_mm((low + STEP_MM * spots) @ axes + middle_mm)
    decides = (exact > ERROR_BAND_MM[0]) & (exact < ERROR_BAND_MM[1])
    return float(np.abs(found - exact)[decides].max(initial=0.0))

"""The bone round the outer femur, unrolled into cells: what a guide may rest on, piece by piece.

Rows follow the shaft from above, columns turn about it from back to front. Each cell knows its place on the surface,
its direction and its area, and why a guide may not rest on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, unit
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.seat.zones import DOUBTFUL, KEPT_OUT, OPEN, SCAN_END, Zones
from guidegen.surfaces import Surface

LEVEL_STEP_MM = 2.0
TURN_STEP_DEG = 5.0
TURNS_DEG = (-60.0, 145.0)
ABOVE_RIDGE_MM, BELOW_RIDGE_MM = 20.0, 86.0  # of bone that is looked at: a footprint of 70 mm, and what lies round it
FAR_MM = 100.0
CALM_CELLS = 1.0  # the direction of a cell is that of the bone's form round it
LEAST_COSINE = 0.2  # between a cell's direction and that from the shaft: flatter, and a ray does not sample the surface

# Bone thinner than this under the surface is a lip or a spike. Outgrowths stand out over their surroundings by more
# than any line or ridge of a healthy femur does (15 femora: the front of the vastus ridge, by at most 3.3 mm).
THIN_MM = 6.0
OUTGROWTH_MM = 4.5
SURROUNDINGS_MM = 8.0
INTO_MM = 0.2

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells (L, T): places (L, T, 3), areas (L, T) in mm², and why each is closed (L, T), 0 for open; levels (L,)
    descend, turns (T,) go from back to front. A cell without bone has no area and is closed.

    `normals` (L, T, 3) are the outward directions of the bone's form, `local_normals` (L, T, 3) those of the very spot:
    a guide's form follows the first, what it meets are the second.
    """

    levels_mm: FloatArray
    turns_deg: FloatArray
    points_mm: FloatArray
    normals: FloatArray
    local_normals: FloatArray
    areas_mm2: FloatArray
    closed: IntArray

    @property
    def open(self) -> Flags:
        """Which cells (L, T) a guide may rest on."""
        return np.asarray(self.closed == OPEN)


def cells_on(ground: Ground, zones: Zones) -> Cells:
    """The cells of a bone; all in the frame of `ground` and `zones`."""
    top = zones.ridge_level_mm + ABOVE_RIDGE_MM
    levels = np.arange(top, zones.ridge_level_mm - BELOW_RIDGE_MM, -LEVEL_STEP_MM)
    turns = np.arange(TURNS_DEG[0], TURNS_DEG[1] + TURN_STEP_DEG / 2.0, TURN_STEP_DEG)
    points, there, reach, face = _looked_at(ground.bone, zones, levels, turns)
    outwards = _outwards(zones, turns)
    sideways = _outwards(zones, turns + 90.0)
    normals = _directions(np.where(there, reach, np.nan), outwards, sideways, zones.up)
    cosine = (normals * outwards).sum(axis=2)
    there &= cosine > LEAST_COSINE
    areas = np.where(there, LEVEL_STEP_MM * np.radians(TURN_STEP_DEG) * reach / np.maximum(cosine, LEAST_COSINE), 0.0)
    closed = zones.closed(points.reshape(-1, 3)).reshape(there.shape)
    closed[_doubtful(ground.bone, points, normals, reach)] = DOUBTFUL
    closed[_kept_out(ground, points)] = KEPT_OUT
    closed[(ground.end.above_mm(points) < END_MARGIN_MM) | ~there] = SCAN_END
    local = np.where(there[..., None], ground.bone.face_normals[face], normals)
    return Cells(levels, turns, points, normals, local, areas, closed)


def round_the_shaft(
    bone: Surface, zones: Zones, levels_mm: FloatArray, turns_deg: FloatArray
) -> tuple[FloatArray, Flags]:
    """The outermost points (L, T, 3) of a bone at levels and turns about the shaft, and where (L, T) there is one; in
    the frame of `zones`, as the bone is.
    """
    points, there, _, _ = _looked_at(bone, zones, levels_mm, turns_deg)
    return points, there


def _looked_at(
    bone: Surface, zones: Zones, levels_mm: FloatArray, turns_deg: FloatArray
) -> tuple[FloatArray, Flags, FloatArray, IntArray]:
    """Points, where there is one, their distance from the shaft axis (L, T), and the face (L, T) each lies on."""
    outwards = _outwards(zones, turns_deg)
    axis = zones.origin_mm + levels_mm[:, None] * zones.up
    origins = (axis[:, None] + FAR_MM * outwards).reshape(-1, 3)
    way, face = bone.ray_hits(origins, -np.tile(outwards, (len(levels_mm), 1)))
    reach = FAR_MM - way.reshape(len(levels_mm), len(turns_deg))
    there = np.isfinite(reach) & (reach > 0.0)
    points = axis[:, None] + np.where(there, reach, 0.0)[..., None] * outwards
    return points, there, reach, face.reshape(there.shape)


def _outwards(zones: Zones, turns_deg: FloatArray) -> FloatArray:
    """Unit vectors (T, 3) from the shaft axis at turns to the front."""
    turn = np.radians(turns_deg)[:, None]
    return np.asarray(np.cos(turn) * zones.lateral + np.sin(turn) * zones.front)


def _directions(reach_mm: FloatArray, outwards: FloatArray, sideways: FloatArray, up: FloatArray) -> FloatArray:
    """Outward directions (L, T, 3) of the surface at this distance (L, T) from the shaft axis, calmed; NaN is
    no bone. `outwards` (T, 3) lead from the shaft, `sideways` (T, 3) round it to the front.
    """
    from scipy import ndimage

    known = np.isfinite(reach_mm)
    weight = ndimage.gaussian_filter(known.astype(np.float64), CALM_CELLS)
    calm = ndimage.gaussian_filter(np.where(known, reach_mm, 0.0), CALM_CELLS) / np.maximum(weight, 1e-9)
    along = np.asarray(np.gradient(calm, -LEVEL_STEP_MM, axis=0))
    around = np.asarray(np.gradient(calm, np.radians(TURN_STEP_DEG), axis=1))
    slope = np.asarray(around / np.maximum(calm, 1.0))
    return unit(outwards - slope[..., None] * sideways - along[..., None] * up)


def _doubtful(bone: Surface, points: FloatArray, normals: FloatArray, reach_mm: FloatArray) -> Flags:
    """Which cells (L, T) lie on bone that is thin, or on an outgrowth such as an osteophyte."""
    from scipy import ndimage

    flat, inwards = points.reshape(-1, 3), -normals.reshape(-1, 3)
    through, _ = bone.ray_hits(flat + INTO_MM * inwards, inwards)
    rows = 2 * round(SURROUNDINGS_MM / LEVEL_STEP_MM) + 1
    around = ndimage.median_filter(np.nan_to_num(reach_mm, posinf=0.0, neginf=0.0), size=(rows, rows), mode="nearest")
    stands_out = np.nan_to_num(reach_mm, posinf=0.0, neginf=0.0) - around
    return np.asarray((through.reshape(reach_mm.shape) < THIN_MM) | (stands_out > OUTGROWTH_MM))


def _kept_out(ground: Ground, points: FloatArray) -> Flags:
    """Which cells (L, T) are nearer to what is kept out than asked."""
    if len(ground.near_mm) == 0:
        return np.zeros(points.shape[:2], dtype=np.bool_)
    distance = ground.keep_out.distance_mm(points.reshape(-1, 3)).reshape(points.shape[:2])
    return np.asarray(distance < ground.keep_out_mm)

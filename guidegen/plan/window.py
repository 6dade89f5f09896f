"""The lateral window: where on the cortex a tunnel may begin."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, IntArray, unit
from guidegen.plan.rules import Rules
from guidegen.rounded import shown, shown_beside
from guidegen.surfaces import Surface

OUTSIDE_MM = 100.0  # from where the bone is looked at
NORMAL_REACH_MM = 5.0  # the cortex's direction is that of the surface so far round an entry: a drill's foot
ON_BONE_MM = 3.0  # an ordered entry may be this far from the bone's surface


@dataclass(frozen=True, eq=False)
class Entries:
    """Candidate entries (K, 3) on the cortex in LPS mm, on a grid of rows (level by level) and columns (back to front).

    `off_middle` (K,): the place between back (-1), middle and front (+1) of the bone at its level. `normals` (K, 3):
    outwards. `above_lesser_mm`, `below_ridge_mm` (K,): along the shaft.
    """

    points_mm: FloatArray
    normals: FloatArray
    off_middle: FloatArray
    above_lesser_mm: FloatArray
    below_ridge_mm: FloatArray
    row: IntArray
    column: IntArray

    def only(self, index: IntArray) -> Entries:
        """Some of them (N,)."""
        return Entries(*(getattr(self, field.name)[index] for field in fields(self)))


def window_entries(bone: Surface, anatomy: Anatomy, rules: Rules, step_mm: float) -> Entries:
    """Every entry of the window, `step_mm` apart along the shaft and about as much across it.

    The window reaches from vastus ridge to lesser trochanter, and from back to front of the bone's width at
    each level as far as the rules allow. NoSafePlan where there is no lateral cortex between them.
    """
    top, bottom = _levels(anatomy)
    levels = np.arange(top, bottom - 1e-9, -step_mm)
    widest = float(np.nanmax(_width(bone, anatomy, levels)[1], initial=0.0)) if len(levels) else 0.0
    share_step = step_mm / max(widest, step_mm)
    columns = int(np.floor(rules.entry_off_middle_max / share_step + 1e-9))
    share = np.arange(-columns, columns + 1, dtype=np.float64) * share_step
    entries = entries_at(bone, anatomy, levels, share)
    if len(entries.points_mm) == 0:
        raise NoSafePlan(
            f"expected lateral cortex between the vastus ridge ({shown(top, 0)} mm above the head centre's level) and "
            f"the lesser trochanter ({shown(bottom, 0)} mm), found none; check these landmarks",
            rule="entry_window",
            figures={"window_mm": top - bottom},
        )
    return entries


def entries_at(bone: Surface, anatomy: Anatomy, levels_mm: FloatArray, shares: FloatArray) -> Entries:
    """The entries where these levels (L,) above the head centre and shares (S,) of the half width cross; those that
    miss the lateral cortex are left out.
    """
    frame, back = anatomy.frame, anatomy.posterior
    middle, half = _width(bone, anatomy, levels_mm)
    behind = middle[:, None] - shares * half[:, None]
    centers = frame.origin_mm + levels_mm[:, None] * frame.up
    origins = (centers[:, None] + behind[..., None] * back + OUTSIDE_MM * anatomy.lateral).reshape(-1, 3)
    row, column = (grid.ravel() for grid in np.indices(behind.shape))
    known = np.isfinite(origins[:, 0])
    way, face = np.full(len(origins), np.inf), np.full(len(origins), -1)
    if known.any():
        way[known], face[known] = bone.ray_hits(origins[known], -anatomy.lateral)
    hit = np.isfinite(way) & (bone.face_normals[face] @ anatomy.lateral > 0.0)
    points = origins[hit] - way[hit, None] * anatomy.lateral
    return _entries(bone, anatomy, points, np.tile(shares, len(levels_mm))[hit], row[hit], column[hit])


def ordered_entry(bone: Surface, anatomy: Anatomy, entry_mm: FloatArray) -> Entries:
    """The nearest point of the bone to an ordered entry (3,); NoSafePlan for one that is not at the bone's surface."""
    distance, _, nearest = bone.nearest(entry_mm[None])
    if distance[0] > ON_BONE_MM:
        raise NoSafePlan(
            f"expected the ordered entry within {ON_BONE_MM:g} mm of the bone's surface, found it "
            f"{shown_beside(distance[0], ON_BONE_MM, 1)} mm away; check its coordinates (LPS mm)",
            rule="entry_on_bone",
            figures={"distance_mm": float(distance[0])},
        )
    frame = anatomy.frame
    level = (nearest - frame.origin_mm) @ frame.up
    middle, half = _width(bone, anatomy, level)
    off_middle = (middle - (nearest - frame.origin_mm) @ anatomy.posterior) / half
    none = np.zeros(1, dtype=np.int64)
    return _entries(bone, anatomy, nearest, np.nan_to_num(off_middle, nan=9.9), none, none)  # past the bone: far off


def _entries(
    bone: Surface, anatomy: Anatomy, points: FloatArray, off_middle: FloatArray, row: IntArray, column: IntArray
) -> Entries:
    level = (points - anatomy.frame.origin_mm) @ anatomy.frame.up
    top, bottom = _levels(anatomy)
    return Entries(points, _cortex_normals(bone, points), off_middle, level - bottom, top - level, row, column)


def _levels(anatomy: Anatomy) -> tuple[float, float]:
    """The levels in mm above the head centre of vastus ridge and lesser trochanter."""
    frame = anatomy.frame
    top, bottom = (
        float((point - frame.origin_mm) @ frame.up) for point in (anatomy.vastus_ridge_mm, anatomy.lesser_trochanter_mm)
    )
    return top, bottom


def _width(bone: Surface, anatomy: Anatomy, levels_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Middle and half width (L,) of the bone from front to back through the shaft axis at levels (L,), along
    posterior; NaN past the bone.
    """
    back, frame = anatomy.posterior, anatomy.frame
    centers = frame.origin_mm + np.asarray(levels_mm)[:, None] * frame.up
    behind, _ = bone.ray_hits(centers + OUTSIDE_MM * back, -back)
    before, _ = bone.ray_hits(centers - OUTSIDE_MM * back, back)
    behind, before = OUTSIDE_MM - behind, OUTSIDE_MM - before
    past = ~(np.isfinite(behind) & np.isfinite(before))
    behind, before = np.where(past, np.nan, behind), np.where(past, np.nan, before)
    half = (behind + before) / 2.0
    known = half > 0.0
    return np.where(known, (behind - before) / 2.0, np.nan), np.where(known, half, np.nan)


def _cortex_normals(bone: Surface, points: FloatArray) -> FloatArray:
    """Unit normals (K, 3) of the cortex round each point, outwards: of the faces near it, by their area."""
    from scipy.spatial import cKDTree

    if len(points) == 0:
        return np.empty((0, 3))
    low, high = points.min(axis=0) - NORMAL_REACH_MM, points.max(axis=0) + NORMAL_REACH_MM
    near = np.flatnonzero(((bone.face_centers_mm >= low) & (bone.face_centers_mm <= high)).all(axis=1))
    weighted = bone.face_normals[near] * bone.face_areas_mm2[near, None]
    lists = cKDTree(bone.face_centers_mm[near]).query_ball_point(points, NORMAL_REACH_MM, return_sorted=True)
    own = bone.face_normals[bone.nearest(points)[1]]  # where no face has its centre near: large triangles
    return unit(np.array([weighted[k].sum(axis=0) if k else own[i] for i, k in enumerate(lists)]))

"""The skin over a guide: where tissue ends in air that the CT shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.intake.body import AIR_HU, SKIN_HU, UNSEEN_HU, Body
from guidegen.surfaces import Surface
from guidegen.volumes import Volume, bounding_box

# Skin is skin where this much air is seen beyond it: more than two of the body's voxels, so that neither the end of the
# image nor the rim of its fill, mixed of fill and tissue, is taken for it.
AIR_SEEN_MM = 5.0
# How far from the bone the skin is looked for, and how much of it is kept round where lines leave it.
FURTHEST_MM = 160.0
KEPT_MM = 40.0
# All the way to the skin lies in tissue, looked at in such steps, up to so far before it.
STEP_MM, BEFORE_MM = 1.0, 3.0

UNSEEN = "the CT ends before it, or shows no air beyond it"


@dataclass(frozen=True, eq=False)
class Skin:
    """The skin round where some lines leave it, LPS mm, its normals outwards, open where it ends or is not shown; and
    how far (K,) each of those lines is from its start to the skin, NaN where it is not shown.

    `surface` is None where no line meets it; `missing` then says why.
    """

    surface: Surface | None
    depths_mm: FloatArray
    missing: str | None


def skin_over(body: Body, starts_mm: FloatArray, outwards: FloatArray) -> Skin:
    """The skin where lines from starts (K, 3) in the bone along unit vectors (K, 3) leave the body."""
    unknown = np.full(len(starts_mm), np.nan)
    if body.hu is None:
        return Skin(None, unknown, body.missing)
    shown = _shown(body.hu, np.concatenate([starts_mm, starts_mm + FURTHEST_MM * outwards]))
    if shown is None:
        return Skin(None, unknown, UNSEEN)
    way, face = shown.ray_hits(starts_mm, outwards)
    leaves = (face >= 0) & (way <= FURTHEST_MM)
    leaves &= np.einsum("ij,ij->i", shown.face_normals[face], outwards) > 0.0
    for number in np.flatnonzero(leaves):
        leaves[number] = _in_tissue(body.hu, starts_mm[number], outwards[number], float(way[number]))
    if not leaves.any():
        return Skin(None, unknown, UNSEEN)
    return Skin(
        _round(shown, starts_mm[leaves] + way[leaves, None] * outwards[leaves]), np.where(leaves, way, np.nan), None
    )


def _shown(hu: Volume, around_mm: FloatArray) -> Surface | None:
    """The body's surface in the box round some points (K, 3), where air is seen beyond it; None where there is none."""
    from skimage.measure import marching_cubes

    index = hu.to_index(around_mm)
    room = KEPT_MM / hu.spacing_mm
    shape = np.array(hu.voxels.shape)
    start = np.clip(np.floor(index.min(axis=0) - room), 0, shape).astype(int)
    stop = np.clip(np.ceil(index.max(axis=0) + room) + 1, 0, shape).astype(int)
    if (stop - start < 2).any():
        return None
    i, j, k = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    part = hu.cropped((i, j, k))
    box = bounding_box(part.voxels < SKIN_HU, margin=2)
    if box is None or (np.ptp([[each.start, each.stop] for each in box], axis=1) < 2).any():
        return None
    part = part.cropped(box)
    field = np.where(part.voxels == UNSEEN_HU, AIR_HU, part.voxels).astype(np.float32)
    if field.max() <= SKIN_HU:
        return None
    vertices, faces, _, _ = marching_cubes(field, level=float(SKIN_HU), allow_degenerate=False)
    # skimage winds faces against a descending field inwards for right-handed (i, j, k): turn them
    surface = Surface(part.to_lps(vertices.astype(np.float64)), faces[:, ::-1].astype(np.int64))
    return _only(surface, _air_beyond(hu, surface))


def _air_beyond(hu: Volume, surface: Surface) -> npt.NDArray[np.bool_]:
    """Beyond which faces (M,) the image shows air."""
    index = np.rint(hu.to_index(surface.face_centers_mm + AIR_SEEN_MM * surface.face_normals)).astype(np.int64)
    within = np.asarray(((index >= 0) & (index < hu.voxels.shape)).all(axis=1))
    beyond = hu.voxels[tuple(np.where(within[:, None], index, 0).T)]
    return np.asarray(within & (beyond != UNSEEN_HU) & (beyond < SKIN_HU))


def _in_tissue(hu: Volume, start_mm: FloatArray, outwards: FloatArray, way_mm: float) -> bool:
    """Whether a line lies in tissue up to shortly before the skin: what it leaves is what it set out in."""
    along = np.arange(0.0, max(way_mm - BEFORE_MM, 0.0), STEP_MM)[:, None] * outwards
    index = np.rint(hu.to_index(start_mm + along)).astype(np.int64)
    return bool(((index >= 0) & (index < hu.voxels.shape)).all() and (hu.voxels[tuple(index.T)] >= SKIN_HU).all())


def _round(surface: Surface, places_mm: FloatArray) -> Surface:
    """The faces within KEPT_MM of any of the places (K, 3), which lie on the surface."""
    away = np.linalg.norm(surface.face_centers_mm[:, None] - places_mm, axis=2).min(axis=1)
    kept = _only(surface, away <= KEPT_MM)
    assert kept is not None, "the places lie on it"
    return kept


def _only(surface: Surface, keep: npt.NDArray[np.bool_]) -> Surface | None:
    """Some of the faces; None where there are none."""
    if not keep.any():
        return None
    used, renamed = np.unique(surface.faces[keep], return_inverse=True)
    return Surface(surface.vertices[used], renamed.reshape(-1, 3))

"""The lesion carried on across the joint surface, so that its edge there is where its border leads.

A lesion that reaches the joint surface ends in a wedge between its border in the bone and the surface. Voxels render
the tip of a wedge badly: an arc read off them would be up to 6° short. Outside the bone the label says nothing, so
those voxels are filled by what the border inside says: it is continued as a plane.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray
from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.lattice import RIM
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

PLANE_REACH_MM = 3.0  # of the border that makes the plane, from the voxel that it decides
FEWEST_FACES = 6


def extended_lesion(lesion: Volume, bone: Surface, frame: HeadFrame) -> Volume:
    """The lesion and the voxels outside the bone, up to `RIM` away, that lie on its side of its border in the bone.

    Where there is no border near by, a voxel outside is what the nearest voxel inside the bone is.
    """
    from scipy import ndimage

    near = ndimage.binary_dilation(lesion.voxels, structure=np.ones((3, 3, 3), dtype=np.bool_), iterations=RIM)
    index = np.argwhere(near)
    told = lesion.voxels.copy()  # what the label speaks of: the bone, and the lesion where it stands out of it
    told[tuple(index.T)] |= _in_bone(lesion.to_lps(index), bone, frame)
    nearest = ndimage.distance_transform_edt(
        ~told, sampling=lesion.spacing_mm, return_distances=False, return_indices=True
    )
    outside = np.argwhere(near & ~told)
    filled = lesion.voxels.copy()
    filled[tuple(outside.T)] = lesion.voxels[tuple(nearest[:, *outside.T])]
    faces_mm, normals = _border(lesion, told)
    decided, inside = _side(lesion.to_lps(outside), faces_mm, normals)
    filled[tuple(outside[decided].T)] = inside
    return replace(lesion, voxels=filled)


def _in_bone(points_mm: FloatArray, bone: Surface, frame: HeadFrame) -> npt.NDArray[np.bool_]:
    """Which points (K, 3) the head centre sees before the first surface."""
    away = points_mm - frame.center_mm
    way = np.linalg.norm(away, axis=1)
    outwards = np.where(way[:, None] > 0.0, away, frame.neck_axis) / np.where(way > 0.0, way, 1.0)[:, None]
    reach, _ = bone.ray_hits(np.broadcast_to(frame.center_mm, away.shape), outwards)
    return np.asarray(way <= reach)


def _border(lesion: Volume, told: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """The voxel faces between lesion and sound bone: centres (F, 3) in LPS mm, area vectors (F, 3) to the bone."""
    centers, normals = [], []
    for axis in range(3):
        low, high = (np.take(lesion.voxels, np.arange(a, b), axis) for a, b in _ends(lesion, axis))
        both = np.logical_and(*(np.take(told, np.arange(a, b), axis) for a, b in _ends(lesion, axis)))
        faces = np.argwhere((low != high) & both)
        outwards = np.where(low[tuple(faces.T)], 1.0, -1.0)
        half = np.eye(3)[axis] / 2.0
        area = lesion.voxel_volume_mm3 / lesion.spacing_mm[axis]
        centers.append(lesion.to_lps(faces + half))
        normals.append(outwards[:, None] * area * lesion.direction[:, axis])
    return np.concatenate(centers), np.concatenate(normals)


def _ends(lesion: Volume, axis: int) -> tuple[tuple[int, int], tuple[int, int]]:
    count = lesion.voxels.shape[axis]
    return (0, count - 1), (1, count)


def _side(points_mm: FloatArray, faces_mm: FloatArray, normals: FloatArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Which points (K, 3) have border near by, as indices, and which of these lie on the lesion's side of it.

    The area vectors of a staircase add up to those of the plane that it follows.
    """
    from scipy.spatial import cKDTree

    if len(faces_mm) == 0 or len(points_mm) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    lists = cast(list[list[int]], cKDTree(faces_mm).query_ball_point(points_mm, PLANE_REACH_MM))
    sizes = np.array([len(each) for each in lists])
    decided = np.flatnonzero(sizes >= FEWEST_FACES)
    if len(decided) == 0:
        return decided, np.zeros(0, dtype=np.bool_)
    chosen = np.concatenate([lists[k] for k in decided]).astype(np.int64)
    starts = np.r_[0, np.cumsum(sizes[decided])[:-1]]
    weights = np.linalg.norm(normals[chosen], axis=1)
    middle = np.add.reduceat(faces_mm[chosen] * weights[:, None], starts) / np.add.reduceat(weights, starts)[:, None]
    outwards = np.add.reduceat(normals[chosen], starts)
    return decided, ((points_mm[decided] - middle) * outwards).sum(axis=1) < 0.0

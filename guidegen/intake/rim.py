"""Points on the surface of a structure, whether it came as voxels or as triangles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# The normal of a label's surface is that of its voxels in a ball this large: the steps of two or three average out.
BALL_MM = 4


def even_rim(structure: Volume | Surface, count: int) -> tuple[FloatArray, FloatArray]:
    """About `count` points spread evenly over a surface or a bool mask, and unit normals outwards, (K, 3) each, LPS mm.

    None for a mask without voxels. Those of a mask lie on the faces between its voxels and others.
    """
    if isinstance(structure, Volume):
        return _label_rim(structure, count)
    share = np.cumsum(structure.face_areas_mm2)
    faces = np.searchsorted(share, (np.arange(count) + 0.5) / count * share[-1])
    return structure.face_centers_mm[faces], structure.face_normals[faces]


def _label_rim(label: Volume, count: int) -> tuple[FloatArray, FloatArray]:
    mask = label.voxels
    faces = [_faces(mask, axis) for axis in range(3)]
    step = max(1, sum(len(found) for found in faces) // count)
    index = np.concatenate([found[step // 2 :: step] for found in faces])
    reach = np.arange(-BALL_MM, BALL_MM + 1.0)
    ball = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = ball[(ball**2).sum(axis=1) <= BALL_MM**2]
    near = np.rint(index[:, None] + ball / label.spacing_mm).astype(np.int64)
    near = np.clip(near, 0, np.array(mask.shape) - 1)
    outwards = -(mask[near[..., 0], near[..., 1], near[..., 2]].astype(np.float64) @ ball)
    length = np.linalg.norm(outwards, axis=1)
    clear = length > 0.0
    return label.to_lps(index[clear]), (outwards[clear] / length[clear, None]) @ label.direction.T


def _faces(mask: npt.NDArray[np.bool_], axis: int) -> FloatArray:
    """Centres (K, 3), as indices, of the voxel faces across `axis` between what is in the mask and what is not."""
    along = np.moveaxis(mask, axis, 0)
    step = along[1:] != along[:-1]
    index = np.stack(np.unravel_index(np.flatnonzero(step), step.shape), axis=1).astype(np.float64)
    index[:, 0] += 0.5
    return np.asarray(np.insert(index[:, 1:], axis, index[:, 0], axis=1))

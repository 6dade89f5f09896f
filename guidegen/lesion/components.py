"""The pieces of a lesion one by one, and a point that surely lies inside each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.octants import Place, place
from guidegen.volumes import Volume

LISTED_SHARE = 0.01  # of the lesion: a smaller piece is a speck, counted but not listed
TIE_MM = 1e-6


@dataclass(frozen=True, eq=False)
class Component:
    """One piece: its volume, its centroid (3,) in LPS mm and in anatomical terms.

    `deepest_inner_point_mm` (3,), the inner point furthest from the piece's border, is given where the centroid
    lies outside the piece, as a crescent's does; else None.
    """

    volume_mm3: float
    centroid_mm: FloatArray
    place: Place
    deepest_inner_point_mm: FloatArray | None


def components(lesion: Volume, frame: HeadFrame) -> tuple[tuple[Component, ...], int]:
    """The pieces that hold at least 1 % of the lesion, largest first, and how many smaller ones there are.

    Voxels belong together when they share a face, an edge or a corner.
    """
    from scipy import ndimage

    labels, count = ndimage.label(lesion.voxels, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    listed = [int(k) for k in np.argsort(-sizes, kind="stable") if sizes[k] >= LISTED_SHARE * sizes.sum()]
    return tuple(_component(lesion, labels == k + 1, frame) for k in listed), count - len(listed)


def _component(lesion: Volume, voxels: npt.NDArray[np.bool_], frame: HeadFrame) -> Component:
    points = lesion.to_lps(np.argwhere(voxels))
    centroid = points.mean(axis=0)
    return Component(
        volume_mm3=len(points) * lesion.voxel_volume_mm3,
        centroid_mm=centroid,
        place=place(centroid, frame),
        deepest_inner_point_mm=inner_point_mm(lesion, voxels, centroid),
    )


def inner_point_mm(lesion: Volume, voxels: npt.NDArray[np.bool_], centroid_mm: FloatArray) -> FloatArray | None:
    """The voxel centre (3,) furthest from the border of `voxels`, nearest to the centroid where several are.

    None where the centroid itself lies in one of the voxels.
    """
    from scipy import ndimage

    at = np.rint(lesion.to_index(centroid_mm)).astype(int)
    if voxels[tuple(at)]:
        return None
    depth = ndimage.distance_transform_edt(voxels, sampling=lesion.spacing_mm)
    deepest = lesion.to_lps(np.argwhere(depth > depth.max() - TIE_MM))
    return np.asarray(deepest[np.linalg.norm(deepest - centroid_mm, axis=1).argmin()])

"""The contact seen along the removal direction: which points of the height field the guide rests on, and how far each
is from the outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.guide.height_field import HeightField
from guidegen.seat.footprint import Footprint

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Patch:
    """Points (X, Y) of a height field that bear, and the straight distance (X, Y) in mm of each to the outline:
    positive inside, negative outside, where it counts from the nearest point that bears. All in the guide's frame.
    """

    field: HeightField
    bears: Flags
    edge_mm: FloatArray

    def edge_distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """How far (K,) inside the outline the bone's points under (K, 2 or 3) are; negative outside it."""
        from scipy.interpolate import RegularGridInterpolator

        look_up = RegularGridInterpolator(
            (self.field.x_mm, self.field.y_mm), self.edge_mm, bounds_error=False, fill_value=float(self.edge_mm.min())
        )
        return np.asarray(look_up(points_mm[:, :2]))

    @property
    def bounds_mm(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner (2,) of what bears."""
        index = np.argwhere(self.bears)
        spots = np.stack([self.field.x_mm[index[:, 0]], self.field.y_mm[index[:, 1]]], axis=1)
        return spots.min(axis=0), spots.max(axis=0)


def lay_patch(field: HeightField, footprint: Footprint) -> Patch:
    """The patch of a footprint (in the guide's frame) on the bone's height field."""
    from scipy import ndimage
    from scipy.spatial import cKDTree

    on_bone = field.height_mm > field.floor_mm
    points = np.stack([*np.meshgrid(field.x_mm, field.y_mm, indexing="ij"), field.height_mm], axis=-1)
    bears = np.zeros(on_bone.shape, dtype=np.bool_)
    bears[on_bone] = footprint.share(points[on_bone]) > 0.5
    rim = bears & ~ndimage.binary_erosion(bears)
    outer = ~bears & ndimage.binary_dilation(bears) & on_bone
    edge = np.full(on_bone.shape, -FAR_MM)
    if bears.any():
        if outer.any():
            edge[bears] = cKDTree(points[outer]).query(points[bears])[0]
        else:
            edge[bears] = FAR_MM
        beside = ~bears & on_bone
        edge[beside] = -np.minimum(cKDTree(points[rim]).query(points[beside], distance_upper_bound=FAR_MM)[0], FAR_MM)
    return Patch(field, bears, edge)


FAR_MM = 25.0  # from the outline: further, and nobody asks

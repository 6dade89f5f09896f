"""A volume: voxels with their place in the patient, LPS in millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import ROTATION_TOLERANCE, FloatArray, frozen

Index = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels (I, J, K) whose centre [i, j, k] lies at origin + direction @ (spacing * [i, j, k]).

    `direction` (3, 3) has the unit vectors of the three index axes as its columns, at right angles to each other;
    left-handed as files may store them, right-handed once `canonical`.
    """

    voxels: npt.NDArray[Any]
    spacing_mm: FloatArray
    direction: FloatArray
    origin_mm: FloatArray

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3:
            raise ValueError(f"expected a volume of 3 axes, found {self.voxels.ndim}")
        spacing = frozen(self.spacing_mm, (3,))
        if not (spacing > 0).all():
            raise ValueError(f"expected spacings above 0 mm, found {spacing.tolist()}")
        direction = frozen(self.direction, (3, 3))
        if np.abs(direction.T @ direction - np.eye(3)).max() > ROTATION_TOLERANCE:
            raise ValueError("expected index axes at right angles to each other, found a sheared direction")
        object.__setattr__(self, "spacing_mm", spacing)
        object.__setattr__(self, "direction", direction)
        object.__setattr__(self, "origin_mm", frozen(self.origin_mm, (3,)))

    @property
    def voxel_volume_mm3(self) -> float:
        """The volume of one voxel."""
        return float(np.prod(self.spacing_mm))

    def to_lps(self, indices: npt.ArrayLike) -> FloatArray:
        """The places (..., 3) in LPS mm of the (fractional) indices (..., 3)."""
        scaled = np.asarray(indices, dtype=np.float64) * self.spacing_mm
        return np.asarray(scaled @ self.direction.T + self.origin_mm)

    def to_index(self, points_mm: npt.ArrayLike) -> FloatArray:
        """The fractional indices (..., 3) of the points (..., 3) in LPS mm."""
        relative = np.asarray(points_mm, dtype=np.float64) - self.origin_mm
        return np.asarray(relative @ self.direction / self.spacing_mm)

    def cropped(self, box: Index) -> Volume:
        """The part inside `box`, three slices with a start and a stop and no step; a view, not a copy."""
        start = np.array([axis.start for axis in box], dtype=np.float64)
        return replace(self, voxels=self.voxels[box], origin_mm=self.to_lps(start))

    def canonical(self) -> Volume:
        """The same voxels with index axes as near to +L, +P, +S as flips and swaps can bring them.

        Every one of the 48 ways to store a volume comes out as the same arrays, and right-handed: a volume cannot
        be mirrored by how its axes are stored, only by what its header says of them, which the shape of the bone tells.
        """
        weights = np.abs(self.direction)
        order = [-1, -1, -1]
        for _ in range(3):  # greedy, largest cosine first; exact for the 48 and for all clear obliques
            row, column = np.unravel_index(int(np.argmax(weights)), (3, 3))
            order[row] = int(column)
            weights[row, :] = -1.0
            weights[:, column] = -1.0
        voxels = self.voxels.transpose(order)
        direction = self.direction[:, order].copy()
        spacing = self.spacing_mm[order]
        origin = self.origin_mm.copy()
        for axis in range(3):
            if direction[axis, axis] < 0:
                voxels = np.flip(voxels, axis)
                origin = origin + direction[:, axis] * spacing[axis] * (voxels.shape[axis] - 1)
                direction[:, axis] *= -1.0
        return Volume(voxels, spacing, direction, origin)


def bounding_box(mask: npt.NDArray[np.bool_], margin: int = 0) -> Index | None:
    """The smallest box that holds every True voxel, grown by `margin` voxels inside the volume; None if none is
    True.
    """
    box = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if hit.size == 0:
            return None
        box.append(slice(max(0, int(hit[0]) - margin), min(mask.shape[axis], int(hit[-1]) + 1 + margin)))
    return (box[0], box[1], box[2])

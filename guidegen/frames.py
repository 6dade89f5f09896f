"""Points, unit vectors and rigid transforms: the only place that multiplies 4×4 matrices.

Patient coordinates are LPS in millimetres everywhere: x grows to the patient's left,
y to the back, z to the head. A transform carries the names of the frame it comes from
and the frame it goes to, and refuses to be chained with one that does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LPS = "LPS"

# How far a matrix may be from a rotation before it is refused: rounding, not shear.
ROTATION_TOLERANCE = 1e-6


def frozen(values: npt.ArrayLike, shape: tuple[int, ...] | None = None) -> FloatArray:
    """A read-only float64 copy of `values`; ValueError if the shape differs or a value is not finite."""
    array = np.array(values, dtype=np.float64)
    if shape is not None and array.shape != shape:
        raise ValueError(f"expected an array of shape {shape}, found {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite numbers, found NaN or infinity")
    array.setflags(write=False)
    return array


def unit(vector: npt.ArrayLike) -> FloatArray:
    """The vector(s) (..., 3) at length 1; ValueError for a vector of no length."""
    array = np.asarray(vector, dtype=np.float64)
    length = np.linalg.norm(array, axis=-1, keepdims=True)
    if not np.all(length > 1e-12):
        raise ValueError("expected a vector with a direction, found one of length 0")
    return np.asarray(array / length)


def angle_deg(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The angle between two vectors (3,), 0 to 180°; exact near 0 and 180 too."""
    a, b = unit(first), unit(second)
    return float(np.degrees(2.0 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))


def turning(arms: npt.ArrayLike) -> FloatArray:
    """Matrices (..., 3, 3) that lead from a small turn, in rad, to how it moves the end of an arm (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(arms, dtype=np.float64), -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, z, -y], [-z, zero, x], [y, -x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def across(vectors: npt.ArrayLike, axis: npt.ArrayLike) -> FloatArray:
    """The part of the vectors (..., 3) at right angles to the unit vector `axis` (3,)."""
    v, a = np.asarray(vectors, dtype=np.float64), np.asarray(axis, dtype=np.float64)
    return np.asarray(v - (v @ a)[..., None] * a)


def perpendicular_pair(axis: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors that make a right-handed frame (first, second, axis) with `axis` (3,)."""
    a = unit(axis)
    helper = np.eye(3)[int(np.argmin(np.abs(a)))]
    first = unit(np.cross(helper, a))
    return first, np.cross(a, first)


def spokes(axis: npt.ArrayLike, count: int) -> FloatArray:
    """Unit vectors (count, 3) all round `axis` (3,), evenly from the first of its `perpendicular_pair` on."""
    first, second = perpendicular_pair(axis)
    turn = np.arange(count) * 2.0 * np.pi / count
    return np.asarray(np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)


def rotation_about(axis: npt.ArrayLike, degrees: float) -> FloatArray:
    """The rotation matrix (3, 3) by `degrees` about `axis`, right-handed (Rodrigues)."""
    x, y, z = unit(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(degrees)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """Rotation (3, 3) then translation (3,) in mm, from frame `source` to frame `target`."""

    rotation: FloatArray
    translation_mm: FloatArray
    source: str
    target: str

    def __post_init__(self) -> None:
        rotation = frozen(self.rotation, (3, 3))
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > ROTATION_TOLERANCE:
            raise ValueError(f"expected a rotation from {self.source} to {self.target}, found a sheared matrix")
        if np.linalg.det(rotation) < 0:
            raise ValueError(f"expected a rotation from {self.source} to {self.target}, found a mirror image")
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation_mm", frozen(self.translation_mm, (3,)))

    @classmethod
    def to_frame(cls, origin_mm: npt.ArrayLike, axes: npt.ArrayLike, source: str, target: str) -> RigidTransform:
        """Into the frame whose origin and unit axes (rows, (3, 3)) are given in `source`."""
        rotation = np.asarray(axes, dtype=np.float64)
        return cls(rotation, -rotation @ np.asarray(origin_mm, dtype=np.float64), source, target)

    def points(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Points (..., 3) carried into `target`."""
        return np.asarray(np.asarray(points_mm, dtype=np.float64) @ self.rotation.T + self.translation_mm)

    def vectors(self, vectors: npt.ArrayLike) -> FloatArray:
        """Directions (..., 3) carried into `target`: turned, not moved."""
        return np.asarray(np.asarray(vectors, dtype=np.float64) @ self.rotation.T)

    def inverse(self) -> RigidTransform:
        """The way back, from `target` to `source`."""
        return RigidTransform(self.rotation.T, -self.rotation.T @ self.translation_mm, self.target, self.source)

    def then(self, following: RigidTransform) -> RigidTransform:
        """This transform and then `following`, which must start where this one ends."""
        if self.target != following.source:
            raise ValueError(
                f"{self.source}→{self.target} cannot be followed by {following.source}→{following.target}: "
                f"a transform from {self.target} is needed"
            )
        return RigidTransform(
            following.rotation @ self.rotation, following.points(self.translation_mm), self.source, following.target
        )

    def matrix(self) -> FloatArray:
        """The homogeneous matrix (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation
        matrix[:3, 3] = self.translation_mm
        return matrix

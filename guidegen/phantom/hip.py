"""A made-up hip and everything that is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guidegen.errors import AnatomyError, LesionError, SideError
from guidegen.frames import LPS, FloatArray, RigidTransform, rotation_about, unit
from guidegen.phantom.landmarks import landmarks, lateral
from guidegen.phantom.shape import (
    CUP_AXIS,
    ISTHMUS_MM,
    JOINT_RADIUS_MM,
    RIM_HEIGHT_MM,
    Field,
    Shape,
)

# A right hip as it lies in the scanner: beside the middle of the body, and its shaft, as shafts do,
# leaning to the middle and to the back on its way up.
RIGHT_HEAD_CENTER_MM = (-88.0, 14.0, -640.0)
SHAFT_LEAN_MEDIAL_DEG = 5.0
SHAFT_LEAN_BACK_DEG = 7.0

MIRRORED = np.array([-1.0, 1.0, 1.0])

# What the drawing can carry without the trochanters reaching the isthmus of the neck; adults lie inside.
HEAD_RADIUS_MM = (18.0, 32.0)
NECK_SHAFT_ANGLE_DEG = (118.0, 142.0)
ANTEVERSION_DEG = (-20.0, 60.0)
SHAFT_BELOW_HEAD_MM = (90.0, 250.0)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of a hip: LPS mm, unit vectors (3,), the names of plan.json.

    Closed form: everything about head, neck axis and isthmus, shaft, acetabulum and lesion. The three
    bony landmarks are furthest points of the implicit surface (see landmarks.py). `lateral` points from
    the head to the shaft's axis, at right angles to it. The rim of the acetabulum is the circle on its
    sphere, round the centre of the head, that lies `acetabulum_rim_mm` along `acetabulum_axis`, which
    points into the pelvis. `lesion_head_fraction` is of the whole sphere of the head.
    """

    side: str
    head_center_mm: FloatArray
    head_radius_mm: float
    neck_axis: FloatArray
    neck_isthmus_center_mm: FloatArray
    neck_shaft_angle_deg: float
    anteversion_deg: float
    shaft_point_mm: FloatArray
    shaft_axis: FloatArray
    lateral: FloatArray
    lesser_trochanter_mm: FloatArray
    greater_trochanter_mm: FloatArray
    vastus_ridge_mm: FloatArray
    acetabulum_radius_mm: float
    acetabulum_axis: FloatArray
    acetabulum_rim_mm: float
    lesion_centroid_mm: FloatArray
    lesion_radius_mm: float
    lesion_volume_mm3: float
    lesion_head_fraction: float
    collapse_mm: float
    collapse_point_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Hip:
    """A hip in the patient: its shape, its side and where it lies.

    `pose` carries the hip frame of `shape` to LPS, after x has been mirrored for a left hip.
    `seed` is that of the noise in its images; the scan ends `shaft_below_head_mm` down the shaft.
    """

    side: str
    shape: Shape
    pose: RigidTransform
    shaft_below_head_mm: float
    seed: int

    @property
    def mirror(self) -> FloatArray:
        """Ones (3,), with -1 in x for a left hip."""
        return MIRRORED if self.side == "left" else np.ones(3)

    def femur_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Signed distance (...,), to first order, of points (..., 3) in LPS mm to the femur, negative inside."""
        return self._field(self.shape.femur_mm, points_mm)

    def pelvis_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Signed distance (...,), to first order, of points (..., 3) in LPS mm to the pelvis, negative inside."""
        return self._field(self.shape.pelvis_mm, points_mm)

    def lesion_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Exact signed distance (...,) of points (..., 3) in LPS mm to the lesion, negative inside."""
        return self._field(self.shape.lesion_mm, points_mm)

    def _field(self, field: Callable[[tuple[Field, Field, Field]], Field], points_mm: npt.ArrayLike) -> FloatArray:
        points = self.pose.inverse().points(points_mm) * self.mirror
        return field((points[..., 0], points[..., 1], points[..., 2]))

    def moved(self, motion: RigidTransform) -> Hip:
        """The same hip carried by a rigid motion, which must start in the frame the hip lies in."""
        return replace(self, pose=self.pose.then(motion))

    @cached_property
    def truth(self) -> Truth:
        """Everything that is true of this hip, where it lies."""
        shape, scale = self.shape, self.shape.scale

        def femur_point(drawn: FloatArray) -> FloatArray:
            return self.pose.points((drawn * scale) @ shape.femur_axes * self.mirror)

        def femur_axis(vector: FloatArray) -> FloatArray:
            return self.pose.vectors(vector @ shape.femur_axes * self.mirror)

        marks = landmarks(shape)
        dome_mm = shape.head_radius_mm - shape.collapse_mm
        volume_mm3 = 4.0 / 3.0 * np.pi * shape.lesion_radius_mm**3
        return Truth(
            side=self.side,
            head_center_mm=self.pose.points(np.zeros(3)),
            head_radius_mm=shape.head_radius_mm,
            neck_axis=femur_axis(shape.neck_axis),
            neck_isthmus_center_mm=femur_point(-ISTHMUS_MM * shape.neck_axis),
            neck_shaft_angle_deg=shape.neck_shaft_angle_deg,
            anteversion_deg=shape.anteversion_deg,
            shaft_point_mm=femur_point(shape.shaft_center + [0.0, 0.0, -60.0]),
            shaft_axis=femur_axis(np.array([0.0, 0.0, 1.0])),
            lateral=femur_axis(lateral(shape)),
            lesser_trochanter_mm=femur_point(marks["lesser trochanter"]),
            greater_trochanter_mm=femur_point(marks["greater trochanter"]),
            vastus_ridge_mm=femur_point(marks["vastus ridge"]),
            acetabulum_radius_mm=JOINT_RADIUS_MM * scale,
            acetabulum_axis=self.pose.vectors(CUP_AXIS * self.mirror),
            acetabulum_rim_mm=RIM_HEIGHT_MM * scale,
            lesion_centroid_mm=self.pose.points(shape.lesion_center_mm * self.mirror),
            lesion_radius_mm=shape.lesion_radius_mm,
            lesion_volume_mm3=volume_mm3,
            lesion_head_fraction=(shape.lesion_radius_mm / shape.head_radius_mm) ** 3,
            collapse_mm=shape.collapse_mm,
            collapse_point_mm=self.pose.points(dome_mm * np.array(shape.lesion_direction) * self.mirror),
        )


def make_hip(
    side: str,
    *,
    head_radius_mm: float = 24.0,
    neck_shaft_angle_deg: float = 127.0,
    anteversion_deg: float = 15.0,
    lesion_radius_mm: float = 12.0,
    lesion_direction: tuple[float, float, float] = (0.1, 0.45, 0.9),
    lesion_depth_mm: float = 3.0,
    collapse_mm: float = 0.0,
    shaft_below_head_mm: float = 150.0,
    placement: RigidTransform | None = None,
    seed: int = 0,
) -> Hip:
    """A left or right hip; the left one is the exact mirror image of the right one.

    The lesion is a ball in the head: its centre lies from the centre of the head along `lesion_direction`
    (to the middle, to the front, along the shaft to the head: the same words for both sides), its surface
    `lesion_depth_mm` below the sphere of the head. `collapse_mm` flattens the dome over it by that much.
    Anteversion is the neck's angle to the hip frame's coronal plane, seen along the shaft. `placement`
    moves the hip from where it lies by default, LPS to LPS or to another frame.
    SideError, AnatomyError or LesionError for what cannot be drawn.
    """
    if side not in ("left", "right"):
        raise SideError(f"expected the side left or right, found {side!r}: name one of the two")
    _check_range("head radius (mm)", head_radius_mm, HEAD_RADIUS_MM)
    _check_range("neck-shaft angle (°)", neck_shaft_angle_deg, NECK_SHAFT_ANGLE_DEG)
    _check_range("anteversion (°)", anteversion_deg, ANTEVERSION_DEG)
    _check_range("shaft below the head (mm)", shaft_below_head_mm, SHAFT_BELOW_HEAD_MM)
    off_center_mm = head_radius_mm - lesion_depth_mm - lesion_radius_mm
    if not (lesion_radius_mm > 0.0 and off_center_mm >= 0.0 and 0.0 <= collapse_mm < lesion_depth_mm):
        raise LesionError(
            f"expected a lesion inside a head of radius {head_radius_mm} mm and deeper than its collapse, found radius "
            f"{lesion_radius_mm} mm, depth {lesion_depth_mm} mm, collapse {collapse_mm} mm: make it smaller or deeper"
        )
    medial, anterior, superior = unit(lesion_direction).tolist()
    direction = (medial, -anterior, superior)
    shape = Shape(
        head_radius_mm=head_radius_mm,
        neck_shaft_angle_deg=neck_shaft_angle_deg,
        anteversion_deg=anteversion_deg,
        lesion_radius_mm=lesion_radius_mm,
        lesion_direction=direction,
        lesion_center_mm=(off_center_mm * direction[0], off_center_mm * direction[1], off_center_mm * direction[2]),
        collapse_mm=collapse_mm,
    )
    hip = Hip(side, shape, _resting_pose(side), shaft_below_head_mm, seed)
    return hip if placement is None else hip.moved(placement)


def _check_range(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise AnatomyError(f"expected the {name} between {limits[0]} and {limits[1]}, found {value}: change it")


def _resting_pose(side: str) -> RigidTransform:
    """Where the hip lies unless it is placed elsewhere; a left hip in the mirror image of a right hip's place."""
    lean = rotation_about((0.0, 1.0, 0.0), SHAFT_LEAN_MEDIAL_DEG) @ rotation_about(
        (1.0, 0.0, 0.0), -SHAFT_LEAN_BACK_DEG
    )
    center = np.array(RIGHT_HEAD_CENTER_MM)
    if side == "left":
        lean, center = lean * np.outer(MIRRORED, MIRRORED), center * MIRRORED
    return RigidTransform(lean, center, "hip", LPS)

"""The anatomical frame of the femoral head: where medial, anterior and superior are, seen from its centre.

The femur's own frame rests on its axes alone, so that it does not depend on how the leg lay in the scanner: superior
is the shaft axis, and the mid-coronal plane is spanned by the shaft axis and the neck axis through the head centre.
It is the coronal plane of a leg that is turned in until its neck lies in it (derived here; Ha 2006 read the coronal
and sagittal MR images of the scanner, which follow the leg's position). In anatomical coordinates (medial, anterior,
superior) a left and a right hip are the same: nothing after this file asks for the side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, across, unit

Plane = Literal["coronal", "sagittal"]

FAN_STEP_DEG = 0.5
MEDIAL, ANTERIOR, SUPERIOR = range(3)


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """Centre (3,) in LPS mm, radius, the unit vectors medial, anterior, superior as rows (3, 3), and the neck axis.

    The rows are right-handed on a right hip and left-handed on a left one. `neck_axis` (3,) points to the head.
    """

    center_mm: FloatArray
    radius_mm: float
    axes: FloatArray
    neck_axis: FloatArray

    def anatomical_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """How far medial, anterior and superior of the head centre the points (..., 3) lie, (..., 3) in mm."""
        return np.asarray((np.asarray(points_mm, dtype=np.float64) - self.center_mm) @ self.axes.T)

    def moved(self, medial_mm: float, anterior_mm: float, superior_mm: float) -> HeadFrame:
        """The same frame round another centre."""
        return replace(self, center_mm=self.center_mm + np.array([medial_mm, anterior_mm, superior_mm]) @ self.axes)

    def beyond_junction(self, points_mm: npt.ArrayLike, junction_radii: float) -> npt.NDArray[np.bool_]:
        """Which of the points (..., 3) lie on the head's side of the head–neck junction, a plane across the neck."""
        height = (np.asarray(points_mm, dtype=np.float64) - self.center_mm) @ self.neck_axis
        return np.asarray(height >= -junction_radii * self.radius_mm)


@dataclass(frozen=True, eq=False)
class Fan:
    """Directions (N, 3) in LPS round a centre (3,) in one plane through the head, with their angles (N,) in degrees.

    0 is superior; the angles grow to medial in the coronal plane and to anterior in the sagittal one, and run round
    from where the neck leaves the head, so that no arc of the joint surface is cut in two.
    """

    plane: Plane
    origin_mm: FloatArray
    angles_deg: FloatArray
    directions: FloatArray


def femoral_frame(anatomy: Anatomy) -> HeadFrame:
    """The femur's own frame: superior along the shaft, medial where the neck points across it."""
    superior = unit(anatomy.shaft_axis)
    medial = unit(across(anatomy.neck_axis, superior))
    forward = np.cross(superior, medial) if anatomy.side == "left" else np.cross(medial, superior)
    axes = np.stack([medial, forward, superior])
    return HeadFrame(anatomy.head_center_mm, anatomy.head_radius_mm, axes, unit(anatomy.neck_axis))


def fan(frame: HeadFrame, plane: Plane, offset_mm: float = 0.0) -> Fan:
    """Directions all round in the plane `offset_mm` in front of (coronal) or medial of (sagittal) the head centre."""
    sideways, normal = (MEDIAL, ANTERIOR) if plane == "coronal" else (ANTERIOR, MEDIAL)
    neck = frame.axes @ frame.neck_axis
    pole_deg = np.degrees(np.arctan2(neck[sideways], neck[SUPERIOR]))
    angles_deg = pole_deg + np.arange(-180.0 + FAN_STEP_DEG / 2.0, 180.0, FAN_STEP_DEG)
    angles = np.radians(angles_deg)[:, None]
    directions = np.sin(angles) * frame.axes[sideways] + np.cos(angles) * frame.axes[SUPERIOR]
    return Fan(plane, frame.center_mm + offset_mm * frame.axes[normal], angles_deg, directions)

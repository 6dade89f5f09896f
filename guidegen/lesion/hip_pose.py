"""How the hip lay in the scan: flexion, abduction and rotation of the femur against the pelvis, and the way to neutral.

The pelvis is taken to lie straight in its scan: patients do within a few degrees, and one hip bone alone does not show
its own tilt. Rotation is that of the neck; femoral torsion is not measured (it needs the condyles), its median is
taken, and half of all people lie within 7° of it (7.4 to 20.4°, n = 1070, PMC4775021).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.bone.anatomy import Side
from guidegen.frames import FloatArray
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.head_frame import ANTERIOR, MEDIAL, SUPERIOR, HeadFrame
from guidegen.volumes import Volume


@dataclass(frozen=True)
class HipPose:
    """Degrees; negative values are extension, adduction and internal rotation."""

    flexion_deg: float
    abduction_deg: float
    external_rotation_deg: float

    @property
    def greatest_deg(self) -> float:
        """The largest of the three, either way."""
        return max(abs(self.flexion_deg), abs(self.abduction_deg), abs(self.external_rotation_deg))


def pelvic_frame(pelvis: Volume, femoral: HeadFrame, side: Side) -> HeadFrame:
    """The frame of the pelvis round the same head centre: the axes of its scan, as medial, anterior, superior."""
    left, posterior, superior = pelvis.canonical().direction.T
    medial = -left if side == "left" else left
    return replace(femoral, axes=np.stack([medial, -posterior, superior]))


def hip_pose(femoral: HeadFrame, pelvic: HeadFrame, definitions: Definitions) -> HipPose:
    """Flexion and abduction from the shaft axis, rotation from the neck axis, all against the pelvis."""
    turned = femoral.axes @ pelvic.axes.T  # the femur's axes as rows, in medial, anterior, superior of the pelvis
    shaft = turned[SUPERIOR]
    neck = _upright(shaft) @ turned[MEDIAL]
    version = np.degrees(np.arctan2(neck[ANTERIOR], neck[MEDIAL]))
    return HipPose(
        flexion_deg=float(np.degrees(np.arctan2(-shaft[ANTERIOR], shaft[SUPERIOR]))),
        abduction_deg=float(np.degrees(np.arcsin(np.clip(shaft[MEDIAL], -1.0, 1.0)))),
        external_rotation_deg=float(version - definitions.neutral_version_deg),
    )


def _upright(shaft: FloatArray) -> FloatArray:
    """The smallest rotation (3, 3) that takes the shaft axis to superior."""
    axis = np.cross(shaft, [0.0, 0.0, 1.0])
    cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1.0 + shaft[SUPERIOR]))


def in_neutral(femoral: HeadFrame, definitions: Definitions) -> HeadFrame:
    """Where the pelvis' medial, anterior and superior would point on this femur were it turned to neutral.

    Neutral: shaft axis straight up, neck forward by the median torsion. The femur with its lesion stays where it is;
    the frame is turned the other way instead.
    """
    angle = np.radians(definitions.neutral_version_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    neutral = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return replace(femoral, axes=neutral.T @ femoral.axes)

"""Where the vessels of the head enter the bone: the back and top of the neck below the head."""

from __future__ import annotations

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, across, unit
from guidegen.surfaces import Surface

# The retinaculum spans 20 mm of the neck from the cartilage on, and its foramina lie at 10–12 o'clock (12 = top of
# the neck), first of all 6.5 mm from the cartilage (JBJS Am 2017, "Arterial topographic anatomy near the femoral
# head–neck perforation"); kept: 9 to 12:30, seen with the back of the neck at 9 [D].
BELOW_HEAD_MM = 15.0  # below the head's sphere along the neck: 20 mm from the edge of the cartilage
PAST_TOP_DEG = 15.0
OFF_SPHERE_MM = 0.5


def vessel_patch(
    bone: Surface,
    *,
    head_center_mm: FloatArray,
    head_radius_mm: float,
    isthmus_mm: FloatArray,
    neck_axis: FloatArray,
    shaft_axis: FloatArray,
    posterior: FloatArray,
) -> Surface:
    """The part of the bone's surface, open at its rim, where the vessels enter; AnatomyError where there is none.

    Points (3,) in LPS mm; `neck_axis` and `shaft_axis` (3,) towards the head, `posterior` (3,) to the back.
    """
    relative = bone.face_centers_mm - head_center_mm
    along = relative @ neck_axis
    outside = np.linalg.norm(relative, axis=1) > head_radius_mm + OFF_SPHERE_MM
    below = (along < 0.0) & (along > -(head_radius_mm + BELOW_HEAD_MM))
    top = unit(across(shaft_axis, neck_axis))
    back = unit(across(across(posterior, neck_axis), top))
    about = across(bone.face_centers_mm - isthmus_mm, neck_axis)
    clock_deg = np.degrees(np.arctan2(about @ top, about @ back))  # 0 at the back, 90 on top
    there = outside & below & (clock_deg >= 0.0) & (clock_deg <= 90.0 + PAST_TOP_DEG)
    if not there.any():
        raise AnatomyError(
            "expected the back and top of a neck below the head, found no bone there; check the head and the neck axis"
        )
    return Surface(bone.vertices, bone.faces[there])

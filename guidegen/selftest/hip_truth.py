"""The hip as read, held to what the phantom is: closed forms, and the landmarks of its implicit surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from guidegen.check.finding import Finding, at_most
from guidegen.frames import angle_deg
from guidegen.phantom import Truth
from guidegen.phantom.files import MR_FROM_BONE

Record = Mapping[str, Any]

# How far off each may be, in mm: a sphere is fitted to thousands of points; the tip of a trochanter is one point of a
# flat bump, and the lesser one's definition on scans is another than the furthest point (see assessment.md).
POINTS_MM = (
    ("head centre", "head_center_mm", 0.5),
    ("neck isthmus", "neck_isthmus_center_mm", 1.5),
    ("greater trochanter", "greater_trochanter_mm", 1.5),
    ("lesser trochanter", "lesser_trochanter_mm", 4.0),
    ("vastus ridge", "vastus_ridge_mm", 2.0),
)
AXES_DEG = (("neck axis", "neck_axis", 1.0), ("shaft axis", "shaft_axis", 1.5))
RADIUS_MM, ANGLE_DEG = 0.2, 1.5
CENTROID_MM, DEPTH_MM, VOLUME_SHARE, HEAD_SHARE = 0.2, 0.3, 0.02, 0.005
REGISTRATION_MM = 0.3

WHY_POINT = "Entry and target are measured from the landmarks, and the side is told by them."
WHY_AXIS = "The tunnel's angles are measured against neck and shaft."
WHY_LESION = "The tunnel aims at the lesion, which is graded by its size and place."
WHY_REGISTRATION = "A lesion that is laid on the bone wrongly is drilled past."


def anatomy_findings(hip: str, truth: Truth, found: Record) -> list[Finding]:
    """How far the landmarks, axes and measures of `found`, as plan.json has them, are off the truth."""
    radius_mm = abs(found["head_radius_mm"] - truth.head_radius_mm)
    neck_deg = abs(found["neck_shaft_angle_deg"] - truth.neck_shaft_angle_deg)
    return [
        *(
            at_most(f"{hip} {name} off the truth", _apart_mm(found[key], getattr(truth, key)), limit, "mm", WHY_POINT)
            for name, key, limit in POINTS_MM
        ),
        *(
            at_most(f"{hip} {name} off the truth", angle_deg(found[key], getattr(truth, key)), limit, "°", WHY_AXIS)
            for name, key, limit in AXES_DEG
        ),
        at_most(f"{hip} head radius off the truth", radius_mm, RADIUS_MM, "mm", WHY_POINT),
        at_most(f"{hip} neck-shaft angle off the truth", neck_deg, ANGLE_DEG, "°", WHY_AXIS),
    ]


def lesion_findings(hip: str, truth: Truth, found: Record) -> list[Finding]:
    """How far the lesion is off the ball that it is: its place, its depth, its volume, its share of the head's
    sphere.
    """
    off_mm = _apart_mm(found["centroid_mm"], truth.lesion_centroid_mm)
    depth_mm = truth.head_radius_mm - _apart_mm(truth.lesion_centroid_mm, truth.head_center_mm) - truth.lesion_radius_mm
    deeper_mm = abs(found["grades"]["least_depth_mm"] - depth_mm)
    volume = abs(found["volume_mm3"] / truth.lesion_volume_mm3 - 1.0)
    share = abs(found["head_fraction"] - truth.lesion_head_fraction)
    return [
        at_most(f"{hip} lesion centroid off the truth", off_mm, CENTROID_MM, "mm", WHY_LESION),
        at_most(f"{hip} lesion's depth off the truth", deeper_mm, DEPTH_MM, "mm", WHY_LESION),
        at_most(f"{hip} lesion volume off the truth, share", volume, VOLUME_SHARE, "", WHY_LESION),
        at_most(f"{hip} lesion's share of the head off the truth", share, HEAD_SHARE, "", WHY_LESION),
    ]


def registration_finding(hip: str, truth: Truth, found: Record | None) -> Finding:
    """How far the MR, of which the motion is known, ends from its bone at the lesion's true centroid."""
    off_mm = None
    if found is not None:
        in_mr = MR_FROM_BONE.points(truth.lesion_centroid_mm)
        back = np.asarray(found["rotation"]) @ in_mr + found["translation_mm"]
        off_mm = _apart_mm(back, truth.lesion_centroid_mm)
    name = f"{hip} MR off the bone at the lesion"
    return at_most(name, off_mm, REGISTRATION_MM, "mm", WHY_REGISTRATION, "the MR was not registered")


def _apart_mm(found: Any, true: Any) -> float:
    return float(np.linalg.norm(np.subtract(found, true)))

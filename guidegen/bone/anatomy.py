"""The anatomy of a proximal femur: head, neck, shaft, trochanters, vastus ridge and side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from guidegen.bone.head import Head, find_head, head_doubt_mm
from guidegen.bone.intertrochanteric import intertrochanteric_line
from guidegen.bone.neck import find_neck, neck_doubt
from guidegen.bone.shaft import Shaft, find_shaft, shaft_doubt_deg
from guidegen.bone.trochanters import (
    ShaftFrame,
    greater_doubt_mm,
    greater_trochanter,
    lesser_doubt_mm,
    lesser_trochanter,
    ridge_doubt_mm,
    shape_side,
    vastus_ridge,
)
from guidegen.bone.version import neck_version
from guidegen.errors import AnatomyError, SideError
from guidegen.frames import FloatArray, angle_deg
from guidegen.surfaces import Surface

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Uncertainties:
    """How far each landmark may be off: 95 % of them are no further, in mm or degrees.

    What each rests on stands with its function: the head fitted to its halves (`head_doubt_mm`), neck sections
    too alike to be told apart (`neck_doubt`), the bow of the shaft (`shaft_doubt_deg`), tips that move with the
    direction in which they are furthest (`lesser_doubt_mm`), levels that stand out nearly as much (`ridge_doubt_mm`),
    profiles that stray from the line (`intertrochanteric_line`). Angles add the doubts of their two axes.
    """

    head_center_mm: float
    head_radius_mm: float
    neck_isthmus_center_mm: float
    neck_axis_deg: float
    shaft_axis_deg: float
    lesser_trochanter_mm: float
    greater_trochanter_mm: float
    vastus_ridge_mm: float
    intertrochanteric_line_mm: float
    neck_shaft_angle_deg: float
    neck_version_deg: float | None


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Landmarks in LPS mm (3,) and unit axes (3,); both axes point towards the head.

    `intertrochanteric_line_mm` has five corners (5, 3) from the greater trochanter down. `neck_version_deg` is positive
    for a neck in front of the condyles, and None, with the reason in `neck_version_missing`, where they are not
    in view. The last four are None as well on an anatomy that was put together and not found on a bone.
    """

    side: Side
    head_center_mm: FloatArray
    head_radius_mm: float
    neck_isthmus_center_mm: FloatArray
    neck_axis: FloatArray
    shaft_point_mm: FloatArray
    shaft_axis: FloatArray
    lesser_trochanter_mm: FloatArray
    greater_trochanter_mm: FloatArray
    vastus_ridge_mm: FloatArray
    neck_shaft_angle_deg: float
    head_rms_mm: float
    shaft_is_short: bool
    intertrochanteric_line_mm: FloatArray | None = None
    neck_version_deg: float | None = None
    neck_version_missing: str | None = None
    uncertainty: Uncertainties | None = None

    @property
    def frame(self) -> ShaftFrame:
        """Up, medial and across, with the origin on the shaft axis level with the head centre."""
        return ShaftFrame.of(self.head_center_mm, self.shaft_point_mm, self.shaft_axis)

    @property
    def lateral(self) -> FloatArray:
        """The unit vector (3,) away from the head, at right angles to the shaft."""
        return -self.frame.medial

    @property
    def posterior(self) -> FloatArray:
        """The unit vector (3,) to the back, at right angles to shaft and lateral."""
        return self.frame.posterior(self.side)


# In LPS the head of a left femur points to the patient's right, to -x. Where the medial direction
# has at least this much of x, a contradiction is a turned or mirrored file and no unusual hip.
MEDIAL_ALONG_X = 0.5

# How much femur the lesser trochanter needs, in head diameters along the shaft: its tip lies at 0.9 to 1.25.
NEEDED_DIAMETERS = 1.2


def find_anatomy(surface: Surface, ordered_side: Side) -> Anatomy:
    """Head, neck, shaft, trochanters and vastus ridge of a closed femur surface in LPS mm.

    The side is read from the shape and must be the ordered one, and the head must point to the
    middle of the body: SideError otherwise. AnatomyError where the bone is no proximal femur.
    """
    head = find_head(surface)
    shaft = find_shaft(surface, head)
    _require_lesser_trochanter(surface, head, shaft)
    isthmus, neck_axis = find_neck(surface, head, shaft)
    frame = ShaftFrame.of(head.center_mm, shaft.point_mm, shaft.axis)
    side = cast(Side, shape_side(surface, head, frame, isthmus))
    _require_side(side, ordered_side, float(frame.medial[0]))
    lesser = lesser_trochanter(surface, head, frame, side)
    greater = greater_trochanter(surface, head, frame)
    back = frame.posterior(side)
    line, line_doubt_mm = intertrochanteric_line(surface, head, neck_axis, shaft.axis, back)
    center_doubt_mm, radius_doubt_mm = head_doubt_mm(surface, head, np.stack([frame.up, frame.medial, frame.across]))
    isthmus_doubt_mm, neck_doubt_deg = neck_doubt(surface, head, center_doubt_mm, isthmus, neck_axis)
    shaft_axis_doubt_deg = shaft_doubt_deg(surface, head, shaft)
    version = neck_version(surface, head, frame, side, shaft.point_mm, neck_axis, neck_doubt_deg)
    return Anatomy(
        side=side,
        head_center_mm=head.center_mm,
        head_radius_mm=head.radius_mm,
        neck_isthmus_center_mm=isthmus,
        neck_axis=neck_axis,
        shaft_point_mm=shaft.point_mm,
        shaft_axis=shaft.axis,
        lesser_trochanter_mm=lesser,
        greater_trochanter_mm=greater,
        vastus_ridge_mm=vastus_ridge(surface, frame, side, greater, lesser),
        neck_shaft_angle_deg=180.0 - angle_deg(neck_axis, shaft.axis),
        head_rms_mm=head.rms_mm,
        shaft_is_short=shaft.short,
        intertrochanteric_line_mm=line,
        neck_version_deg=version.degrees,
        neck_version_missing=version.missing,
        uncertainty=Uncertainties(
            head_center_mm=center_doubt_mm,
            head_radius_mm=radius_doubt_mm,
            neck_isthmus_center_mm=isthmus_doubt_mm,
            neck_axis_deg=neck_doubt_deg,
            shaft_axis_deg=shaft_axis_doubt_deg,
            lesser_trochanter_mm=lesser_doubt_mm(surface, frame, side, lesser, shaft_axis_doubt_deg),
            greater_trochanter_mm=greater_doubt_mm(surface, head, frame, greater, shaft_axis_doubt_deg),
            vastus_ridge_mm=ridge_doubt_mm(surface, frame, side, greater, lesser),
            intertrochanteric_line_mm=line_doubt_mm,
            neck_shaft_angle_deg=float(np.hypot(neck_doubt_deg, shaft_axis_doubt_deg)),
            neck_version_deg=version.doubt_deg,
        ),
    )


def _require_lesser_trochanter(surface: Surface, head: Head, shaft: Shaft) -> None:
    below = float(head.center_mm @ shaft.axis - (surface.vertices @ shaft.axis).min())
    needed = NEEDED_DIAMETERS * 2.0 * head.radius_mm
    if below < needed:
        raise AnatomyError(
            f"expected a femur that shows its lesser trochanter, at least {needed:.0f} mm below the head centre along "
            f"the shaft, found one that ends after {below:.0f} mm; scan or segment more of the shaft"
        )


def _require_side(shape: Side, ordered: Side, medial_x: float) -> None:
    if shape != ordered:
        raise SideError(
            f"expected a {ordered} femur as ordered, found the shape of a {shape} one; "
            "check the order, the label that was chosen, and whether the images were mirrored"
        )
    towards_middle = -medial_x if shape == "left" else medial_x
    if towards_middle < -MEDIAL_ALONG_X:
        raise SideError(
            f"expected the head of a {shape} femur to point to the middle of the body, found it pointing outwards; "
            "check the declared space (LPS or RAS): the file is turned or mirrored"
        )

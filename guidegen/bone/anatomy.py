"""The anatomy of a proximal femur: head, neck, shaft, trochanters, vastus ridge and side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from guidegen.bone.head import Head, find_head
from guidegen.bone.neck import find_neck
from guidegen.bone.shaft import Shaft, find_shaft
from guidegen.bone.trochanters import ShaftFrame, greater_trochanter, lesser_trochanter, shape_side, vastus_ridge
from guidegen.errors import AnatomyError, SideError
from guidegen.frames import FloatArray, angle_deg
from guidegen.surfaces import Surface

Side = Literal["left", "right"]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Landmarks in LPS mm (3,) and unit axes (3,); both axes point towards the head."""

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

"""Lesser and greater trochanter, vastus ridge, and the side that the shape itself tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.head import Head, even_faces
from guidegen.errors import AnatomyError, SideError
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

SAMPLES = 20_000

# The lesser trochanter, in head diameters below the head centre along the shaft: 0.9 to 1.25 on
# 8 femora that five experts marked.
LESSER_DIAMETERS = (0.6, 1.6)
# Its tip is the furthest point this way: posterior, 20° towards medial, 10° towards the head. On
# those femora that lies 1.5 mm (median) from the experts' mean; they differ by 1.5 mm among themselves.
LESSER_MEDIAL_DEG = 20.0
LESSER_UP_DEG = 10.0
LESSER_CAP_MM = 0.5
CUT_MARGIN_MM = 3.0  # a "tip" at the end of the scan is no tip

# The bulge that tells back from front is sought below the intertrochanteric line, which bulges in front.
BULGE_DIAMETERS = (1.0, 1.5)
# On 15 femora and 6 short MR copies of them the neck passes 0.06–0.14 diameters in front of the plane of shaft and
# head centre; the lesser trochanter stands 0.15–0.25 out further than the front of the bone.
NECK_PASS_USUAL = 0.10
BULGE_USUAL = 0.18
CLEAR_SIGN = 0.3  # of the usual, summed: less is no clear answer

# The tip of the greater trochanter is the cap of the bone lateral of this line, highest along the shaft.
GREATER_MEDIAL_LIMIT_DIAMETERS = 0.1
GREATER_CAP_MM = 1.5

# The vastus ridge is where the lateral wall of the trochanter turns into the shaft, seen from
# straight lateral to 40° in front of it.
RIDGE_FRONT_DEG = (0.0, 10.0, 20.0, 30.0, 40.0)
RIDGE_STEP_MM = 0.5
RIDGE_CALM_MM = 3.0


@dataclass(frozen=True, eq=False)
class ShaftFrame:
    """Where a point lies on the femur: above the head centre along the shaft, medial, and across both."""

    origin_mm: FloatArray  # on the shaft axis, level with the head centre
    up: FloatArray
    medial: FloatArray
    across: FloatArray  # up × medial: to the front on a left femur, to the back on a right one

    @classmethod
    def of(cls, head_center_mm: FloatArray, shaft_point_mm: FloatArray, shaft_axis: FloatArray) -> ShaftFrame:
        """The frame of this head centre and shaft axis."""
        level = shaft_point_mm + shaft_axis * ((head_center_mm - shaft_point_mm) @ shaft_axis)
        medial = unit(head_center_mm - level)
        return cls(level, shaft_axis, medial, np.cross(shaft_axis, medial))

    def posterior(self, side: str) -> FloatArray:
        """The unit vector (3,) to the back of a femur of this side."""
        return -self.across if side == "left" else self.across


def shape_side(surface: Surface, head: Head, frame: ShaftFrame, isthmus_mm: FloatArray) -> str:
    """`left` or `right`, from the shape alone; SideError where the shape gives no clear answer.

    Two signs of a femur's handedness: the neck passes in front of the shaft, and the lesser
    trochanter stands out at the back.
    """
    diameter = 2.0 * head.radius_mm
    neck_pass = float((isthmus_mm - frame.origin_mm) @ frame.across) / diameter
    relative = surface.vertices - frame.origin_mm
    depth = -(relative @ frame.up) / diameter
    level = relative[(depth > BULGE_DIAMETERS[0]) & (depth < BULGE_DIAMETERS[1])]
    slant = np.radians(LESSER_MEDIAL_DEG)
    reach = [
        float((level @ (np.cos(slant) * sign * frame.across + np.sin(slant) * frame.medial)).max()) / diameter
        if len(level)
        else 0.0
        for sign in (1.0, -1.0)
    ]
    # positive: `across` points to the front, as it does on a left femur
    left = neck_pass / NECK_PASS_USUAL + (reach[1] - reach[0]) / BULGE_USUAL
    if abs(left) < CLEAR_SIGN:
        raise SideError(
            "expected a femur whose shape tells its side (neck in front of the shaft, lesser trochanter at the back), "
            f"found neither clearly (score {left:+.2f}, clear from {CLEAR_SIGN:g}); check the segmentation of the "
            "neck base and the lesser trochanter"
        )
    return "left" if left > 0 else "right"


def lesser_trochanter(surface: Surface, head: Head, frame: ShaftFrame, side: str) -> FloatArray:
    """The tip (3,) of the lesser trochanter in mm; AnatomyError where the bone ends above or at it."""
    points = surface.face_centers_mm[even_faces(surface, SAMPLES)]
    relative = points - frame.origin_mm
    depth = -(relative @ frame.up)
    low, high = (limit * 2.0 * head.radius_mm for limit in LESSER_DIAMETERS)
    there = (depth > low) & (depth < high)
    medial, up = np.radians(LESSER_MEDIAL_DEG), np.radians(LESSER_UP_DEG)
    outwards = np.cos(medial) * frame.posterior(side) + np.sin(medial) * frame.medial
    height = np.where(there, relative @ (np.cos(up) * outwards + np.sin(up) * frame.up), -np.inf)
    tip = points[height > height.max() - LESSER_CAP_MM].mean(axis=0)
    tip = np.asarray(surface.nearest(tip[None])[2][0])
    end = float(depth.max())
    if not there.any() or (frame.origin_mm - tip) @ frame.up > end - CUT_MARGIN_MM:
        raise AnatomyError(
            f"expected the lesser trochanter at {low:.0f}–{high:.0f} mm below the head centre, found none before "
            f"the bone ends at {end:.0f} mm; scan or segment more of the shaft"
        )
    return tip


def greater_trochanter(surface: Surface, head: Head, frame: ShaftFrame) -> FloatArray:
    """The superior tip (3,) of the greater trochanter in mm."""
    points = surface.face_centers_mm[even_faces(surface, SAMPLES)]
    relative = points - frame.origin_mm
    lateral = relative @ frame.medial < GREATER_MEDIAL_LIMIT_DIAMETERS * 2.0 * head.radius_mm
    height = np.where(lateral, relative @ frame.up, -np.inf)
    tip = points[height > height.max() - GREATER_CAP_MM].mean(axis=0)
    return np.asarray(surface.nearest(tip[None])[2][0])


def vastus_ridge(
    surface: Surface, frame: ShaftFrame, side: str, greater_mm: FloatArray, lesser_mm: FloatArray
) -> FloatArray:
    """The point (3,) in mm on the lateral profile where the wall of the greater trochanter turns into the shaft.

    Between the tips of the two trochanters the profile stands out from the chord of its ends;
    the ridge is where it stands out most. AnatomyError where the profile is a straight line.
    """
    top, bottom = (float((point - frame.origin_mm) @ frame.up) for point in (greater_mm, lesser_mm))
    levels = np.arange(top - 0.15 * (top - bottom), bottom, -RIDGE_STEP_MM)
    prominence = np.zeros(len(levels))
    for degrees in RIDGE_FRONT_DEG:
        angle = np.radians(degrees)
        outwards = -np.cos(angle) * frame.medial - np.sin(angle) * frame.posterior(side)
        prominence += _above_chord(_profile(surface, frame, outwards, levels))
    width = max(1, round(RIDGE_CALM_MM / RIDGE_STEP_MM))
    calm = np.convolve(np.pad(prominence, width, mode="edge"), np.ones(2 * width + 1), mode="valid") / (2 * width + 1)
    level = levels[int(np.argmax(calm))]
    reach = _profile(surface, frame, -frame.medial, np.array([level]))[0]
    if calm.max() <= 0.0 or not np.isfinite(reach):
        raise AnatomyError(
            "expected a vastus ridge on the lateral side between the trochanters, found a straight profile; "
            "check the segmentation of the greater trochanter"
        )
    return np.asarray(frame.origin_mm + level * frame.up - reach * frame.medial)


def _profile(surface: Surface, frame: ShaftFrame, outwards: FloatArray, levels: FloatArray) -> FloatArray:
    """How far (K,) in mm the bone reaches from the shaft axis in direction `outwards` at each level; NaN past its
    end.
    """
    far = 100.0
    origins = frame.origin_mm + levels[:, None] * frame.up + far * outwards
    way, _ = surface.ray_hits(origins, -outwards)
    return np.where(np.isfinite(way), far - way, np.nan)


def _above_chord(profile: FloatArray) -> FloatArray:
    """How far (K,) the profile stands out from the straight line between its two ends; 0 where it is not known."""
    known = np.flatnonzero(np.isfinite(profile))
    if len(known) < 2:
        return np.zeros_like(profile)
    first, last = known[0], known[-1]
    chord = np.interp(np.arange(len(profile)), [first, last], [profile[first], profile[last]])
    return np.asarray(np.nan_to_num(profile - chord))

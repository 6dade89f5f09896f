"""Lesser and greater trochanter, vastus ridge, and the side that the shape itself tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.head import Head, even_faces
from guidegen.errors import AnatomyError, SideError
from guidegen.frames import FloatArray, perpendicular_pair, unit
from guidegen.surfaces import Surface

SAMPLES = 20_000

# The lesser trochanter, in head diameters below the head centre along the shaft: 0.9 to 1.25 on
# 8 femora that five experts marked.
LESSER_DIAMETERS = (0.6, 1.6)
# Its tip is the furthest point this way: posterior, 20° towards medial, 7° towards the head. On those femora, three
# noisy label maps of each, that lies 1.2 mm (median) from the experts' mean and on average no higher or lower than
# it; the experts differ by 1.5 mm among themselves.
LESSER_MEDIAL_DEG = 20.0
LESSER_UP_DEG = 7.0
CAP_MM = 1.5  # a tip is the middle of all that is nearly as far: one point of a segmentation is noise
LESSER_STANDS_OUT_MM = 2.0  # over the saddles above and below it, by more than the noise of a segmentation
LESSER_LEVEL_MM = 2.0
LESSER_HALF_MM = 10.0  # half its height: no further from its level does the tip lie
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

# "Up" and "back" may be read along the proximal shaft or along the whole bone, 10 to 14° apart on 8 femora.
# Where the shaft axis itself is in more doubt than that, the tips are tilted by its doubt.
TILT_DEG = 15.0
MOST_TILT_DEG = 45.0
TILTS = 8

# The vastus ridge is where the lateral wall of the trochanter turns into the shaft, seen from
# straight lateral to 40° in front of it.
RIDGE_FRONT_DEG = (0.0, 10.0, 20.0, 30.0, 40.0)
RIDGE_STEP_MM = 0.5
RIDGE_CALM_MM = 3.0
RIDGE_ALIKE = 0.9  # levels that stand out this much of the most may be the ridge as well


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
    """The tip (3,) of the lesser trochanter in mm; AnatomyError where nothing stands out before the bone ends."""
    points = surface.face_centers_mm[even_faces(surface, SAMPLES)]
    relative = points - frame.origin_mm
    depth, height = -(relative @ frame.up), relative @ _lesser_outwards(frame, side)
    low, high = (limit * 2.0 * head.radius_mm for limit in LESSER_DIAMETERS)
    end = float(depth.max())
    level = _standing_out(depth, height, low, min(high, end))
    if level is None or level > end - CUT_MARGIN_MM:
        raise AnatomyError(
            f"expected the lesser trochanter at {low:.0f}–{high:.0f} mm below the head centre, found none before "
            f"the bone ends at {end:.0f} mm; scan or segment more of the shaft"
        )
    there = np.abs(depth - level) < LESSER_HALF_MM
    return _on(surface, _furthest(points[there], height[there]))


def lesser_doubt_mm(
    surface: Surface, frame: ShaftFrame, side: str, tip_mm: FloatArray, shaft_doubt_deg: float
) -> float:
    """How far the tip of the lesser trochanter may be off in mm (95 %), as `_tilted_tips_mm` says."""
    points = surface.face_centers_mm[even_faces(surface, SAMPLES)]
    beside = np.linalg.norm(points - tip_mm, axis=1) < LESSER_HALF_MM
    return _tilted_tips_mm(points[beside], _lesser_outwards(frame, side), tip_mm, shaft_doubt_deg)


def greater_trochanter(surface: Surface, head: Head, frame: ShaftFrame) -> FloatArray:
    """The superior tip (3,) of the greater trochanter in mm."""
    points = _lateral_points(surface, head, frame)
    return _on(surface, _furthest(points, points @ frame.up))


def greater_doubt_mm(
    surface: Surface, head: Head, frame: ShaftFrame, tip_mm: FloatArray, shaft_doubt_deg: float
) -> float:
    """How far the tip of the greater trochanter may be off in mm (95 %), as `_tilted_tips_mm` says."""
    return _tilted_tips_mm(_lateral_points(surface, head, frame), frame.up, tip_mm, shaft_doubt_deg)


def _lesser_outwards(frame: ShaftFrame, side: str) -> FloatArray:
    medial, up = np.radians(LESSER_MEDIAL_DEG), np.radians(LESSER_UP_DEG)
    outwards = np.cos(medial) * frame.posterior(side) + np.sin(medial) * frame.medial
    return np.asarray(np.cos(up) * outwards + np.sin(up) * frame.up)


def _lateral_points(surface: Surface, head: Head, frame: ShaftFrame) -> FloatArray:
    points = surface.face_centers_mm[even_faces(surface, SAMPLES)]
    lateral = (points - frame.origin_mm) @ frame.medial < GREATER_MEDIAL_LIMIT_DIAMETERS * 2.0 * head.radius_mm
    return points[lateral]


def _standing_out(depth: FloatArray, height: FloatArray, low: float, high: float) -> float | None:
    """The depth between `low` and `high` at which the points' greatest height stands out most over the saddles above
    and below it; None where nothing stands out enough, as on a rod.
    """
    from scipy.signal import find_peaks

    levels = np.arange(low, high, LESSER_LEVEL_MM)
    if len(levels) == 0:
        return None
    index = np.floor((depth - low) / LESSER_LEVEL_MM).astype(np.int64)
    there = (index >= 0) & (index < len(levels))
    reach = np.full(len(levels), -np.inf)
    np.maximum.at(reach, index[there], height[there])
    known = np.isfinite(reach)
    peaks, found = find_peaks(reach[known], prominence=LESSER_STANDS_OUT_MM)
    if len(peaks) == 0:
        return None
    return float(levels[known][peaks[int(np.argmax(found["prominences"]))]] + LESSER_LEVEL_MM / 2.0)


def _furthest(points: FloatArray, height: FloatArray) -> FloatArray:
    """The middle (3,) of the points (K, 3) whose height (K,) is within the cap of the greatest."""
    return np.asarray(points[height > height.max() - CAP_MM].mean(axis=0))


def _on(surface: Surface, point: FloatArray) -> FloatArray:
    return np.asarray(surface.nearest(point[None])[2][0])


def _tilted_tips_mm(points: FloatArray, direction: FloatArray, tip_mm: FloatArray, shaft_doubt_deg: float) -> float:
    """How far (rms) a tip moves when the direction in which it is furthest is tilted: more on a blunt one."""
    first, second = perpendicular_pair(direction)
    turn = np.arange(TILTS) * 2.0 * np.pi / TILTS
    sideways = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    tilt = np.radians(np.clip(shaft_doubt_deg, TILT_DEG, MOST_TILT_DEG))
    tips = np.array(
        [_furthest(points, points @ towards) for towards in np.cos(tilt) * direction + np.sin(tilt) * sideways]
    )
    return float(np.sqrt(((tips - tip_mm) ** 2).sum(axis=1).mean()))


def vastus_ridge(
    surface: Surface, frame: ShaftFrame, side: str, greater_mm: FloatArray, lesser_mm: FloatArray
) -> FloatArray:
    """The point (3,) in mm on the lateral profile where the wall of the greater trochanter turns into the shaft.

    Between the tips of the two trochanters the profile stands out from the chord of its ends;
    the ridge is where it stands out most. AnatomyError where the profile is a straight line.
    """
    levels, prominence = _ridge_prominence(surface, frame, side, greater_mm, lesser_mm)
    level = levels[int(np.argmax(prominence))]
    reach = _profile(surface, frame, -frame.medial, np.array([level]))[0]
    if prominence.max() <= 0.0 or not np.isfinite(reach):
        raise AnatomyError(
            "expected a vastus ridge on the lateral side between the trochanters, found a straight profile; "
            "check the segmentation of the greater trochanter"
        )
    return np.asarray(frame.origin_mm + level * frame.up - reach * frame.medial)


def ridge_doubt_mm(
    surface: Surface, frame: ShaftFrame, side: str, greater_mm: FloatArray, lesser_mm: FloatArray
) -> float:
    """How far the vastus ridge may be off in mm: to the furthest level that stands out nearly as much."""
    levels, prominence = _ridge_prominence(surface, frame, side, greater_mm, lesser_mm)
    alike = levels[prominence >= RIDGE_ALIKE * prominence.max()]
    return float(np.abs(alike - levels[int(np.argmax(prominence))]).max() + RIDGE_CALM_MM / 2.0)


def _ridge_prominence(
    surface: Surface, frame: ShaftFrame, side: str, greater_mm: FloatArray, lesser_mm: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Levels (K,) in mm along the shaft, falling, and how much the lateral profiles stand out there (K,), calmed."""
    top, bottom = (float((point - frame.origin_mm) @ frame.up) for point in (greater_mm, lesser_mm))
    levels = np.arange(top - 0.15 * (top - bottom), bottom, -RIDGE_STEP_MM)
    prominence = np.zeros(len(levels))
    for degrees in RIDGE_FRONT_DEG:
        angle = np.radians(degrees)
        outwards = -np.cos(angle) * frame.medial - np.sin(angle) * frame.posterior(side)
        prominence += _above_chord(_profile(surface, frame, outwards, levels))
    width = max(1, round(RIDGE_CALM_MM / RIDGE_STEP_MM))
    calm = np.convolve(np.pad(prominence, width, mode="edge"), np.ones(2 * width + 1), mode="valid") / (2 * width + 1)
    return levels, calm


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

"""The intertrochanteric line: the ridge on the front of the femur where the neck ends, between the trochanters."""

from __future__ import annotations

import numpy as np

from guidegen.bone.head import Head
from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, across, unit
from guidegen.surfaces import Surface

# Seen from the front, in head radii from the head centre: the line lies this far down the neck, where the neck has
# left its isthmus (0.8 to 1.2), and runs from above its axis to below it.
BEYOND_RADII = (1.5, 2.4)
ABOVE_RADII = (0.6, -0.7)
STEP_RADII = 0.04
PROFILES = 14
CORNERS = 5

# The front stands out on the line over the middle of its neighbours this far to both sides, along the neck.
SCALE_RADII = 0.5
CALM_STEPS = 3
ALIKE = 0.9  # of the most: a line that stands out this much may be it as well
FAR_MM = 100.0


def intertrochanteric_line(
    surface: Surface, head: Head, neck_axis: FloatArray, shaft_axis: FloatArray, back: FloatArray
) -> tuple[FloatArray, float]:
    """The line as corners (5, 3) in mm on the front of the bone, from the greater trochanter down, and its doubt in mm.

    Profiles of the front along the neck bend where the neck runs into the trochanters. The straight line, seen
    from the front, along which they stand out most is the one; each corner is that place of the surface. The doubt is
    how far (rms, twice) the profiles on their own stand out most from it, and how far the furthest line is that
    stands out nearly as much. AnatomyError where no front is met.
    """
    above = unit(across(shaft_axis, neck_axis))
    front = np.cross(neck_axis, above)
    front = front * -np.sign(front @ back)
    radius = head.radius_mm
    beyond = np.arange(BEYOND_RADII[0] - SCALE_RADII, BEYOND_RADII[1] + SCALE_RADII, STEP_RADII) * radius
    heights = np.linspace(*ABOVE_RADII, PROFILES) * radius
    places = head.center_mm - beyond[None, :, None] * neck_axis + heights[:, None, None] * above
    way, _ = surface.ray_hits((places + FAR_MM * front).reshape(-1, 3), -front)
    relief = np.where(np.isfinite(way), FAR_MM - way, np.nan).reshape(places.shape[:2])
    bend = _standing_out(relief)
    if np.isfinite(bend).sum() < bend.size / 2:
        raise AnatomyError(
            "expected the front of the femur between its trochanters, found little of it; "
            "check that neck and trochanters belong to the same label"
        )
    bend = np.nan_to_num(bend)
    top, bottom, alike_steps = _best_line(bend)
    line = np.linspace(top, bottom, PROFILES)
    strayed_steps = 2.0 * float(np.sqrt(np.mean((bend.argmax(axis=1) - line) ** 2)))
    doubt = float(np.hypot(strayed_steps, alike_steps)) * STEP_RADII * radius
    reach = round(SCALE_RADII / STEP_RADII)
    corners = np.linspace(0, PROFILES - 1, CORNERS)
    steps = np.interp(corners, np.arange(PROFILES), line) + reach
    starts = head.center_mm + FAR_MM * front - (beyond[0] + steps * STEP_RADII * radius)[:, None] * neck_axis
    starts = starts + np.interp(corners, np.arange(PROFILES), heights)[:, None] * above
    ways, _ = surface.ray_hits(starts, -front)
    if not np.isfinite(ways).all():
        raise AnatomyError(
            "expected the intertrochanteric line on the front of the femur, found it past the edge of the bone; "
            "check the segmentation of the greater trochanter and the neck base"
        )
    return starts - ways[:, None] * front, doubt


def _standing_out(relief: FloatArray) -> FloatArray:
    """How far each profile (rows of (P, K + 2 reach)) stands out over the middle of its neighbours (P, K)."""
    reach = round(SCALE_RADII / STEP_RADII)
    shifted = [np.roll(relief, shift, axis=1) for shift in range(-CALM_STEPS, CALM_STEPS + 1)]
    calm = np.mean(shifted, axis=0)
    return np.asarray(calm[:, reach:-reach] - (calm[:, : -2 * reach] + calm[:, 2 * reach :]) / 2.0)


def _best_line(bend: FloatArray) -> tuple[int, int, float]:
    """Where the line with the greatest sum crosses the first and the last profile (rows of (P, K)), and how far the
    furthest line with nearly that sum is from it on average, in steps.
    """
    profiles, steps = bend.shape
    rows = np.arange(profiles)
    share = rows / (profiles - 1)
    ends = np.arange(steps)
    crossing = np.rint(ends[:, None, None] * (1.0 - share) + ends[None, :, None] * share).astype(np.int64)
    total = bend[rows, crossing].sum(axis=2)
    top, bottom = np.unravel_index(int(np.argmax(total)), total.shape)
    apart = (np.abs(ends - top)[:, None] + np.abs(ends - bottom)[None, :]) / 2.0
    return int(top), int(bottom), float(apart[total >= ALIKE * total.max()].max())

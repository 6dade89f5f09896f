"""The femoral neck: its narrowest section (isthmus) and the axis from there to the head centre."""

from __future__ import annotations

import numpy as np

from guidegen.bone.head import Head
from guidegen.bone.sections import star_sections
from guidegen.bone.shaft import Shaft
from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, across, unit
from guidegen.surfaces import Surface

# Where the neck is first looked for: from the head centre to the shaft axis this many head
# diameters below it (offset 0.86 diameters and a neck-shaft angle of 127°).
FIRST_DEPTH_DIAMETERS = 0.65

# The isthmus lies between these distances from the head centre, in head radii.
NEAREST_RADII = 0.6
FURTHEST_RADII = 1.7
STEP_RADII = 0.025
ROUNDS = 12
SETTLED_MM = 0.02
# A surface noise of 0.3 mm over 3 mm changes a section of 16 mm radius by 1.2 %, the difference of two by 1.7 %: which
# of the sections within three times this share of the smallest is the isthmus, nobody can tell. They are the waist.
WAIST_EXCESS = 0.05


def find_neck(surface: Surface, head: Head, shaft: Shaft) -> tuple[FloatArray, FloatArray]:
    """The isthmus centre (3,) in mm and the unit neck axis (3,) towards the head.

    Sections across the axis are seen from inside; the waist of the smallest ones is the isthmus, its
    centroid gives a new axis through the head centre, and so on until it settles (the successive
    sections of Bonneau 2012, reduced to the one the experts mark). AnatomyError where no section closes.
    """
    below = shaft.point_mm + shaft.axis * ((head.center_mm - shaft.point_mm) @ shaft.axis)
    axis = unit(head.center_mm - (below - shaft.axis * FIRST_DEPTH_DIAMETERS * 2.0 * head.radius_mm))
    way = np.arange(NEAREST_RADII, FURTHEST_RADII, STEP_RADII) * head.radius_mm
    center = head.center_mm - axis * head.radius_mm
    for _ in range(ROUNDS):
        areas, centroids, _ = star_sections(surface, head.center_mm - way[:, None] * axis, axis)
        if not np.isfinite(areas).any():
            raise AnatomyError(
                f"expected a femoral neck within {FURTHEST_RADII:g} head radii of the head centre, "
                "found no closed section; check that neck and trochanter belong to the same label"
            )
        weight = _waist(areas)
        previous, center = center, weight @ np.where(weight[:, None] > 0.0, centroids, 0.0)
        axis = unit(head.center_mm - center)
        if np.linalg.norm(center - previous) < SETTLED_MM:
            break
    return center, axis


def neck_doubt(
    surface: Surface, head: Head, head_doubt_mm: float, isthmus_mm: FloatArray, axis: FloatArray
) -> tuple[float, float]:
    """How far the isthmus may be off in mm, and the neck axis in degrees (95 %).

    Along the axis: half the length of the waist. Across it: how far the centroids of its sections stray from the
    axis. The axis turns with that and with the doubt of the head centre.
    """
    way = np.arange(NEAREST_RADII, FURTHEST_RADII, STEP_RADII) * head.radius_mm
    areas, centroids, _ = star_sections(surface, head.center_mm - way[:, None] * axis, axis)
    weight = _waist(areas)
    waist = weight > 0.0
    strayed = across(centroids[waist] - head.center_mm, axis)
    sideways = 2.0 * float(np.sqrt(weight[waist] @ (strayed**2).sum(axis=1)))
    along = waist.sum() * STEP_RADII * head.radius_mm / 2.0
    lever = float(np.linalg.norm(head.center_mm - isthmus_mm))
    return float(np.hypot(along, sideways)), float(np.degrees(np.arctan(np.hypot(sideways, head_doubt_mm) / lever)))


def _waist(areas: FloatArray) -> FloatArray:
    """Weights (K,), of sum 1, of the sections round the smallest area (K,): 1 - excess / WAIST_EXCESS, 0 from there on.

    A neck may be a tube whose smallest section could be anywhere along it: its middle is what stays.
    """
    filled = np.where(np.isfinite(areas), areas, np.inf)
    weight = np.clip(1.0 - (filled / filled.min() - 1.0) / WAIST_EXCESS, 0.0, None)
    narrowest = int(np.argmax(weight))
    outside = np.flatnonzero(weight <= 0.0)
    first = outside[outside < narrowest].max(initial=-1) + 1
    last = outside[outside > narrowest].min(initial=len(weight))
    weight[:first] = weight[last:] = 0.0
    return np.asarray(weight / weight.sum())

"""The femoral neck: its narrowest section (isthmus) and the axis from there to the head centre."""

from __future__ import annotations

import numpy as np

from guidegen.bone.head import Head
from guidegen.bone.sections import star_sections
from guidegen.bone.shaft import Shaft
from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, unit
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


def find_neck(surface: Surface, head: Head, shaft: Shaft) -> tuple[FloatArray, FloatArray]:
    """The isthmus centre (3,) in mm and the unit neck axis (3,) towards the head.

    Sections across the axis are seen from inside; the smallest one is the isthmus, its centroid
    gives a new axis through the head centre, and so on until it settles (the successive
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
        narrowest = _minimum(areas)
        previous, center = center, centroids[narrowest]
        axis = unit(head.center_mm - center)
        if np.linalg.norm(center - previous) < SETTLED_MM:
            break
    return center, axis


def _minimum(areas: FloatArray) -> int:
    """Index of the smallest of the areas (K,), calmed over its neighbours; NaN never wins."""
    filled = np.where(np.isfinite(areas), areas, np.inf)
    calm = np.convolve(np.pad(filled, 2, mode="edge"), np.ones(5) / 5.0, mode="valid")
    return int(np.argmin(np.where(np.isfinite(calm), calm, np.inf)))

"""How far the head has sunk in over the lesion, against the sphere of the rest of the head."""

from __future__ import annotations

import numpy as np

from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.lattice import occupied
from guidegen.lesion.necrotic_surface import HALF, Necrosis, surface_reach_mm
from guidegen.lesion.shares import cap_directions

DIRECTIONS = 2_500  # over the dome: one per mm²
OVER_FROM_RADII = 0.5  # a direction is over the lesion when it meets it in the outer half of the head
OVER_STEP_MM = 0.7
# The surface of a label is noisy by 0.3 mm: its mean over a patch this wide, seen from the centre, is calm.
PATCH_HALF_DEG = 5.0
# The dome: within this angle of superior, and this far from the neck axis: nearer to it lies the fovea, a dent of 2 to
# 6 mm in sound heads, and further from it the surface falls off to the neck. Over lesions drawn into 15 sound femora
# the depression found is 0 to SOUND_MM; a fovea that lies high (one of the 15) dents the dome elsewhere by 4 mm.
DOME_DEG = 75.0
SOUND_MM = 1.4
FROM_NECK_DEG = (40.0, 100.0)


def depression_mm(necrosis: Necrosis, frame: HeadFrame) -> float | None:
    """max(R − r) over the dome above the lesion, at least 0, calmed over 5°; None where the lesion lies under none.

    R is the radius of the head sphere, whose robust fit a dent cannot pull; r is the bone's own surface.
    """
    from scipy.spatial import cKDTree

    directions = cap_directions(frame, DOME_DEG, DIRECTIONS)
    from_neck = directions @ frame.neck_axis
    nearest, furthest = np.cos(np.radians(FROM_NECK_DEG))
    dome = directions[(from_neck < nearest) & (from_neck > furthest)]
    reach = surface_reach_mm(necrosis.bone, frame, frame.center_mm, dome)
    way = np.arange(OVER_FROM_RADII * frame.radius_mm, frame.radius_mm, OVER_STEP_MM)
    points = frame.center_mm + way[:, None] * dome[:, None, :]
    over = (occupied(necrosis.lesion, points) >= HALF).any(axis=1)
    if not over.any():
        return None
    patches = cKDTree(dome).query_ball_point(dome[over], 2.0 * np.sin(np.radians(PATCH_HALF_DEG) / 2.0))
    ends = np.cumsum([len(patch) for patch in patches])
    summed = np.cumsum(np.r_[0.0, (frame.radius_mm - reach)[np.concatenate(patches)]])
    return max(0.0, float((np.diff(summed[np.r_[0, ends]]) / np.diff(np.r_[0, ends])).max()))

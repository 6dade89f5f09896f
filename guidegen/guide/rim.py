"""The rim: round its contact a guide is lifted off the bone, so that soft tissue has room and nothing rests there.

All that lies between the bone beside the contact and the lifted rim is taken away with the bone, swept along the
removal direction like the bone itself. On a steep flank that leaves the contact above whole, which a rim lifted by
merely asking for more clearance would not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.height_field import HeightField
from guidegen.guide.relief import risen
from guidegen.seat.cells import round_the_shaft
from guidegen.seat.footprint import Footprint
from guidegen.surfaces import Surface

POINT_MM, POINT_DEG = 0.5, 1.4  # between the points of the bone from which the rim is lifted
BALL_MM = 0.8  # what is taken away is drawn with balls of this radius: two steps of the field
BEYOND_MM = 2.0  # past the rim's edge


def lifted(
    under: HeightField, bone: Surface, footprint: Footprint, width_mm: float, clearance_mm: float, relief_mm: float
) -> HeightField:
    """`under` raised so that a rim of this width round the footprint stands off the bone by clearance and relief; all
    in the guide's frame.
    """
    if relief_mm <= 0.0:
        return under
    points = _beside(bone, footprint, width_mm + BEYOND_MM)
    normals = bone.face_normals[bone.nearest(points)[1]]
    top = clearance_mm + relief_mm - BALL_MM
    ways = np.linspace(0.0, top, max(2, int(np.ceil(top / BALL_MM)) + 1))
    stacked = (points[:, None] + ways[:, None] * normals[:, None]).reshape(-1, 3)
    return replace(under, height_mm=np.maximum(under.height_mm, risen(stacked, under.x_mm, under.y_mm, BALL_MM)))


def _beside(bone: Surface, footprint: Footprint, reach_mm: float) -> FloatArray:
    """Points (K, 3) of the bone beside the footprint, no nearer to it than a ball's radius, no further than asked."""
    from scipy.spatial import cKDTree

    covers = np.argwhere(footprint.covers)
    levels, turns = footprint.levels_mm[covers[:, 0]], footprint.turns_deg[covers[:, 1]]
    spread = reach_mm + POINT_MM
    points, there = round_the_shaft(
        bone, footprint.zones,
        np.arange(levels.max() + spread, levels.min() - spread, -POINT_MM),
        np.arange(turns.min() - BESIDE_DEG, turns.max() + BESIDE_DEG, POINT_DEG),
    )  # fmt: skip
    points = points[there]
    on_patch = footprint.share(points) > 0.5
    outside = points[~on_patch]
    away = cKDTree(points[on_patch]).query(outside, distance_upper_bound=reach_mm)[0]
    return np.asarray(outside[(away >= BALL_MM) & (away <= reach_mm)])


BESIDE_DEG = 30.0

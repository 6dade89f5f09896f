"""The rim: round its contact a guide is lifted off the bone, so that soft tissue has room and nothing rests there.

All that lies between the bone beside the contact and the lifted rim is taken away with the bone, swept along the
removal direction like the bone itself. On a steep flank that leaves the contact above whole, which a rim lifted by
merely asking for more clearance would not. The base is drawn with its lift already (`base`), to its full height and
with a smooth edge: what is swept stays BEHIND_MM behind that, since a field's steps run along it like a saw's teeth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, across
from guidegen.guide.height_field import HeightField
from guidegen.guide.relief import risen
from guidegen.seat.cells import round_the_shaft
from guidegen.seat.footprint import Footprint
from guidegen.surfaces import Surface

POINT_MM, POINT_DEG = 0.5, 1.4  # between the points of the bone from which the rim is lifted
BALL_MM = 0.8  # what is taken away is drawn with balls of this radius: two steps of the field
BEYOND_MM = 2.0  # past the rim's edge
BEHIND_MM = 0.8  # the drawn lift: under it, and beside where it begins


@dataclass(frozen=True, eq=False)
class Hole:
    """A hole through the contact: a point (3,) of its axis on the bone, its unit direction (3,), its radius, and how
    wide the contact beside it must be to be left.
    """

    point_mm: FloatArray
    axis: FloatArray
    radius_mm: float
    least_mm: float

    def leaves_sliver(self, points_mm: FloatArray, to_edge_mm: FloatArray) -> npt.NDArray[np.bool_]:
        """Which points (K, 3) of the contact, so far (K,) inside its edge, lie on too narrow a strip beside the hole:
        it would break off.
        """
        beside = np.linalg.norm(across(points_mm - self.point_mm, self.axis), axis=1) - self.radius_mm
        return np.asarray(np.maximum(beside, 0.0) + to_edge_mm < self.least_mm)


def lifted(
    under: HeightField, bone: Surface, footprint: Footprint, holes: Sequence[Hole], width_mm: float,
    clearance_mm: float, relief_mm: float,
) -> HeightField:  # fmt: skip
    """`under` raised so that a rim of this width round the footprint stands off the bone by clearance and relief, less
    BEHIND_MM, and what the holes leave of the contact's edge; all in the guide's frame.
    """
    if relief_mm <= BEHIND_MM:
        return under
    points = _beside(bone, footprint, holes, width_mm + BEYOND_MM)
    normals = bone.face_normals[bone.nearest(points)[1]]
    top = clearance_mm + relief_mm - BEHIND_MM - BALL_MM
    ways = np.linspace(0.0, top, max(2, int(np.ceil(top / BALL_MM)) + 1))
    stacked = (points[:, None] + ways[:, None] * normals[:, None]).reshape(-1, 3)
    return replace(under, height_mm=np.maximum(under.height_mm, risen(stacked, under.x_mm, under.y_mm, BALL_MM)))


def points_round(bone: Surface, footprint: Footprint, reach_mm: float, step_mm: float, step_deg: float) -> FloatArray:
    """Points (K, 3) of the bone under a footprint and round it: beyond by `reach_mm` along the shaft, by BESIDE_DEG
    about it.
    """
    covers = np.argwhere(footprint.covers)
    levels, turns = footprint.levels_mm[covers[:, 0]], footprint.turns_deg[covers[:, 1]]
    points, there = round_the_shaft(
        bone, footprint.zones,
        np.arange(levels.max() + reach_mm, levels.min() - reach_mm, -step_mm),
        np.arange(turns.min() - BESIDE_DEG, turns.max() + BESIDE_DEG, step_deg),
    )  # fmt: skip
    return np.asarray(points[there])


BESIDE_DEG = 30.0


def on_contact(points_mm: FloatArray, footprint: Footprint, holes: Sequence[Hole]) -> npt.NDArray[np.bool_]:
    """Which points (K, 3), spread over the bone on and round a footprint, the guide is in contact with: on it, and not
    on a strip beside a hole that is too narrow to be left.
    """
    from scipy.spatial import cKDTree

    on_patch = np.asarray(footprint.share(points_mm) > 0.5)
    to_edge = np.asarray(cKDTree(points_mm[~on_patch]).query(points_mm[on_patch])[0])
    sliver = np.zeros(len(to_edge), dtype=np.bool_)
    for hole in holes:
        sliver |= hole.leaves_sliver(points_mm[on_patch], to_edge)
    on_patch[on_patch] = ~sliver
    return on_patch


def _beside(bone: Surface, footprint: Footprint, holes: Sequence[Hole], reach_mm: float) -> FloatArray:
    """Points (K, 3) of the bone beside the contact, no nearer to it than a ball behind the drawn lift, no further than
    asked.
    """
    from scipy.spatial import cKDTree

    points = points_round(bone, footprint, reach_mm + POINT_MM, POINT_MM, POINT_DEG)
    on_patch = on_contact(points, footprint, holes)
    outside = points[~on_patch]
    away = cKDTree(points[on_patch]).query(outside, distance_upper_bound=reach_mm)[0]
    return np.asarray(outside[(away >= BEHIND_MM + BALL_MM) & (away <= reach_mm)])

"""The bench of the virtual surgery: bone, guide and what of the guide can touch the bone, in axes of the patient.

Everything that is drawn at random, laid on a grid or looked at along rays is so along these axes. A patient who lies
otherwise in the scanner, or whose other hip it is, is therefore operated on in exactly the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked, AskedSleeve
from guidegen.check.bore import Bore, measured_bore
from guidegen.check.gap import CONTACT_REACH_MM, FACING, FEWEST_SAMPLES
from guidegen.check.samples import area_samples
from guidegen.frames import LPS, FloatArray, IntArray, RigidTransform, across, unit
from guidegen.surfaces import Surface

# One contact point for so much of the guide's surface: 0.5 mm beside a point the bone is some 0.01 mm higher.
AREA_PER_POINT_MM2 = 1.0
# A face that looks at the bone, be it at a slant, and so near that a guide put on 10° askew can touch with it.
LOOKS_AT_BONE = -0.3
TOUCH_REACH_MM = 6.0
# Nearer than this a point lies on the surface, and the way off it is the face's normal.
ON_SURFACE_MM = 1e-6
# Any direction of the bench along which no two corners of a face are likely to be level.
ORDER = unit([0.36, 0.48, 0.81])


@dataclass(frozen=True, eq=False)
class Axes:
    """From LPS to the bench: origin in the contact's middle; x to the back, y up the shaft, z off the bone.

    The same for both sides: a right hip is mirrored, so that x always points to the back.
    """

    from_lps: RigidTransform
    mirrored: bool

    def points(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Points (..., 3) of LPS on the bench."""
        return self._sided(self.from_lps.points(points_mm))

    def vectors(self, vectors: npt.ArrayLike) -> FloatArray:
        """Directions (..., 3) of LPS on the bench."""
        return self._sided(self.from_lps.vectors(vectors))

    def surface(self, surface: Surface) -> Surface:
        """A surface of LPS on the bench, wound outwards there too."""
        return Surface(self.points(surface.vertices), surface.faces[:, ::-1] if self.mirrored else surface.faces)

    def _sided(self, values: FloatArray) -> FloatArray:
        return np.asarray(values * [-1.0 if self.mirrored else 1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Bench:
    """Bone and guide as planned, on the bench; where the guide can touch (K, 3), and which of these points (K,) rest on
    the bone.

    `lever_mm` is the root mean square distance of those from their middle: it makes a turn comparable to a shift.
    """

    axes: Axes
    bone: Surface
    guide: Surface
    points_mm: FloatArray
    rests: npt.NDArray[np.bool_]
    lever_mm: float

    @cached_property
    def resting_mm(self) -> FloatArray:
        """The contact points that rest on the bone (M, 3)."""
        return self.points_mm[self.rests]


def lay_out(asked: Asked, bone: Surface, guide: Surface) -> Bench | None:
    """Bone and guide (LPS) on the bench; None where so little of the guide rests on bone that there is no seat."""
    off = unit(asked.guide.removal_direction)
    up = unit(across(asked.anatomy.shaft_axis, off))
    rows, mirrored = np.stack([np.cross(up, off), up, off]), asked.side == "right"
    turned = Axes(RigidTransform.to_frame(np.zeros(3), rows, LPS, "bench"), mirrored)
    points, face = area_samples(_in_order(guide, turned), _point_count(guide))
    gap, away = _off_the_bone(bone, points)
    facing = np.einsum("ij,ij->i", guide.face_normals[face], away)
    touches = (facing < LOOKS_AT_BONE) & (gap < TOUCH_REACH_MM)
    rests = (facing < FACING) & (gap < asked.guide.clearance_mm + CONTACT_REACH_MM)
    if np.count_nonzero(rests) < FEWEST_SAMPLES:
        return None
    axes = Axes(RigidTransform.to_frame(points[rests].mean(axis=0), rows, LPS, "bench"), mirrored)
    on_bench = axes.points(points[touches])
    lever = float(np.sqrt((on_bench[rests[touches]] ** 2).sum(axis=1).mean()))
    return Bench(axes, axes.surface(bone), axes.surface(guide), on_bench, rests[touches], lever)


def _off_the_bone(bone: Surface, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The gap (K,) under points (K, 3), negative in the bone, and the unit vector (K, 3) that leads straight off it.

    Where two faces of the bone meet, either may count as the nearest, but the way from the nearest point is one.
    """
    distance, under, foot = bone.nearest(points_mm)
    sign = np.where(bone.contains(points_mm), -1.0, 1.0)
    way = (sign / np.maximum(distance, 1e-12))[:, None] * (points_mm - foot)
    return sign * distance, np.where(distance[:, None] > ON_SURFACE_MM, way, bone.face_normals[under])


def _point_count(guide: Surface) -> int:
    return max(1, round(float(guide.face_areas_mm2.sum()) / AREA_PER_POINT_MM2))


def _in_order(guide: Surface, axes: Axes) -> Surface:
    """The guide with the corners of each face in an order that a mirror does not change, so that samples do not."""
    height = axes.vectors(guide.vertices) @ ORDER
    order: IntArray = np.argsort(height[guide.faces], axis=1, kind="stable")
    return Surface(guide.vertices, np.take_along_axis(guide.faces, order, axis=1))


def bore_and_stop(asked: Asked, bench: Bench, sleeve: AskedSleeve) -> tuple[Bore | None, FloatArray]:
    """A sleeve's bore as measured on the bench, None where there is none; and where the drill's stop rests (3,)."""
    tunnel, axes = asked.tunnels[sleeve.tunnel], bench.axes
    axis = axes.vectors(unit(np.subtract(tunnel.target_mm, tunnel.entry_mm)))
    top, entry = axes.points(sleeve.top_mm), axes.points(tunnel.entry_mm)
    bore = measured_bore(bench.guide, top, entry, axis, sleeve.inner_diameter_mm)
    return bore, axes.points(sleeve.stop_face_mm)

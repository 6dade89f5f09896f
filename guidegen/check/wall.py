"""The thickness of the plastic: the largest ball that fits into it, wherever its surface is touched."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.engraved import fields
from guidegen.check.finding import Finding, at_least
from guidegen.check.samples import area_samples
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

# Places on the surface; each stands for 0.7 mm² of a guide of 200 cm².
SAMPLES = 30_000
# Walls thicker than this many times the least are reported as so thick: their balls need not be found.
THICK = 2.0
# A ball in a wall touches both its sides, 180° apart as seen from its middle; in an edge of 90° it touches them 90°
# apart. From 150° on it lies in a wall, or in a wedge sharper than 30°: an edge is thin by nature, such a wedge is a
# feather that breaks.
OPPOSITE_COSINE = -np.cos(np.radians(30.0))
# So much of the surface may be thinner: the tips of fillets and of a rim's ends, 2 to 3 mm² on guides as built.
FEATHERS_MM2 = 5.0
# A ball is the largest when nothing is nearer to its middle than its radius less this.
TOUCH_MM = 1e-4
# Each round takes up the nearest thing in the ball; in a wall two or three do, in an edge a dozen.
ROUNDS = 20

WHY = "A guide that bends under the drill, in the autoclave or in the hand no longer aims."


def wall_finding(asked: Asked, guide: Surface, seat: Seat) -> Finding:
    """The thickness of the wall that all but FEATHERS_MM2 of the surface keeps; edges and the ridges between engraved
    strokes are no walls.
    """
    points, face = area_samples(guide, SAMPLES)
    for field in fields(asked.guide, seat):  # the label's own checks look at the ridges
        kept = ~field.of_strokes(points, guide.face_normals[face])
        points, face = points[kept], face[kept]
    largest_mm = THICK * asked.limits.wall_p1_mm / 2.0
    radius, cosine = largest_balls(guide, points, guide.face_normals[face], largest_mm)
    walls = np.sort(2.0 * radius[cosine < OPPOSITE_COSINE])
    feathers = int(FEATHERS_MM2 * SAMPLES / guide.face_areas_mm2.sum())
    thinnest_mm = float(walls[feathers]) if len(walls) > feathers else 2.0 * largest_mm
    return at_least("thinnest wall", thinnest_mm, asked.limits.wall_p1_mm, "mm", WHY)


def largest_balls(
    body: Surface, points_mm: FloatArray, normals: FloatArray, largest_mm: float
) -> tuple[FloatArray, FloatArray]:
    """Radius (K,) of the largest ball inside the body, no larger than `largest_mm`, that touches its surface at each
    of the points (K, 3) with their outward normals (K, 3); and the cosine (K,) between the directions from its middle
    to that point and to where it touches the surface again, 1 where it does not.

    A ball that touches at the point is shrunk until no surface is in it (Ma, Bae and Choi, Vis Comput 28:7, 2012).
    """
    radius, again = np.full(len(points_mm), largest_mm), points_mm.copy()
    active = np.arange(len(points_mm))
    for _ in range(ROUNDS):
        distance, _, nearest = body.nearest(points_mm[active] - radius[active, None] * normals[active])
        smaller = distance < radius[active] - TOUCH_MM
        active, nearest = active[smaller], nearest[smaller]
        if len(active) == 0:
            break
        back = points_mm[active] - nearest  # the ball through both points that touches at the first
        radius[active] = (back**2).sum(axis=1) / (2.0 * np.einsum("ij,ij->i", back, normals[active]))
        again[active] = nearest
    from_middle = again - points_mm + radius[:, None] * normals
    return radius, np.einsum("ij,ij->i", from_middle, normals) / radius

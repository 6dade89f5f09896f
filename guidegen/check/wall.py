"""The thickness of the plastic: the largest ball that fits into it, wherever its surface is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.engraved import fields
from guidegen.check.finding import Finding, at_least
from guidegen.check.samples import area_samples
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

Strokes = Callable[[FloatArray, FloatArray], npt.NDArray[np.bool_]]  # which points with their normals are in strokes

# Places on the surface; each stands for 0.7 mm² of a guide of 200 cm².
SAMPLES = 30_000
# Walls thicker than this many times the least are reported as so thick: their balls need not be found.
THICK = 1.5
# A ball in a wall touches both its sides, 180° apart as seen from its middle; in an edge of 90° it touches them 90°
# apart. From 150° on it lies in a wall, or in a wedge sharper than 30°: an edge is thin by nature, such a wedge is a
# feather that breaks.
OPPOSITE_COSINE = -np.cos(np.radians(30.0))
# So much of the surface may be thinner: the tips of fillets and of a rim's ends, 2 to 3 mm² on guides as built.
FEATHERS_MM2 = 5.0
# They are tips of edges, and lie no further from one than this: thin anywhere else, be it a point, is a pit. An edge is
# where the faces turn away from each other by so much; it is known by points so far apart.
NEAR_EDGE_MM = 1.5
EDGE_COSINE = np.cos(np.radians(30.0))
EDGE_STEP_MM = 0.3
# Smaller faces than this are rounding.
LEAST_FACE_MM2 = 1e-4
# A ball is the largest when nothing is nearer to its middle than its radius less this.
TOUCH_MM = 1e-4
# Each round takes up the nearest thing in the ball; in a wall two or three do, in an edge a dozen.
ROUNDS = 20

WHY = "A guide that bends under the drill, in the autoclave or in the hand no longer aims."


def wall_finding(asked: Asked, guide: Surface, seat: Seat) -> Finding:
    """The thickness of the wall that all but FEATHERS_MM2 of the surface keeps, near edges, and all of it elsewhere;
    edges and the ridges between engraved strokes are no walls.
    """
    kept = [field.of_strokes for field in fields(asked.guide, seat)]  # the label's own checks look at the ridges
    largest_mm = THICK * asked.limits.wall_p1_mm / 2.0
    points, normals = _outside(kept, *_sampled(guide))
    radius, cosine = largest_balls(guide, points, normals, largest_mm)
    walls = np.sort(2.0 * radius[cosine < OPPOSITE_COSINE])
    feathers = int(FEATHERS_MM2 * SAMPLES / guide.face_areas_mm2.sum())
    all_but_feathers_mm = float(walls[feathers]) if len(walls) > feathers else 2.0 * largest_mm
    thinnest_mm = min(all_but_feathers_mm, _thinnest_pit_mm(guide, kept, largest_mm))
    return at_least("thinnest wall", thinnest_mm, asked.limits.wall_p1_mm, "mm", WHY)


def _sampled(guide: Surface) -> tuple[FloatArray, FloatArray]:
    points, face = area_samples(guide, SAMPLES)
    return points, guide.face_normals[face]


def _outside(strokes: Sequence[Strokes], points: FloatArray, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points (K, 3) and normals (K, 3) that are in no stroke."""
    for of_strokes in strokes:
        kept = ~of_strokes(points, normals)
        points, normals = points[kept], normals[kept]
    return points, normals


def _thinnest_pit_mm(guide: Surface, strokes: Sequence[Strokes], largest_mm: float) -> float:
    """The least thickness away from edges, be it of one face: looked for where a ray from the middle of a face meets
    the other side soon.
    """
    from scipy.spatial import cKDTree

    face = np.flatnonzero(guide.face_areas_mm2 > LEAST_FACE_MM2)
    points, normals = _outside(strokes, guide.face_centers_mm[face], guide.face_normals[face])
    if len(points) == 0:
        return 2.0 * largest_mm
    way, _ = guide.ray_hits(points - TOUCH_MM * normals, -normals)
    soon = way < largest_mm
    points, normals = points[soon], normals[soon]
    radius, cosine = largest_balls(guide, points, normals, largest_mm)
    is_wall, edges = cosine < OPPOSITE_COSINE, _edges_mm(guide)
    middles, radius = (points - radius[:, None] * normals)[is_wall], radius[is_wall]
    if len(radius) == 0:
        return 2.0 * largest_mm
    away = np.inf if len(edges) == 0 else cKDTree(edges).query(middles)[0] - radius
    return 2.0 * float(np.min(radius, where=away > NEAR_EDGE_MM, initial=largest_mm))


def _edges_mm(body: Surface) -> FloatArray:
    """Points (K, 3) on the edges between faces that turn away from each other."""
    tail, head = body.faces.ravel(), np.roll(body.faces, -1, axis=1).ravel()
    key = np.minimum(tail, head) * len(body.vertices) + np.maximum(tail, head)
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    first, second = order[:-1][same], order[1:][same]
    normals, centers = body.face_normals, body.face_centers_mm
    turned = np.einsum("ij,ij->i", normals[first // 3], normals[second // 3]) < EDGE_COSINE
    outwards = np.einsum("ij,ij->i", centers[second // 3] - centers[first // 3], normals[first // 3]) < 0.0
    own = first[turned & outwards]
    start, way = body.vertices[tail[own]], body.vertices[head[own]] - body.vertices[tail[own]]
    steps = np.ceil(np.linalg.norm(way, axis=1) / EDGE_STEP_MM).astype(int) + 1
    number = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
    share = number / np.repeat(np.maximum(steps - 1, 1), steps)
    return np.asarray(np.repeat(start, steps, axis=0) + share[:, None] * np.repeat(way, steps, axis=0))


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

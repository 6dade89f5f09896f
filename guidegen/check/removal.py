"""Whether the guide comes off: no point of it may pass through bone on its way."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_most
from guidegen.check.samples import area_samples
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

# How far the guide is slid: by then it is out of the wound.
WAY_MM = 60.0
# Points spread over the bone that are slid against the guide, besides every vertex of it.
BONE_SAMPLES = 40_000
# A ray goes on this far behind a face that it met.
BEHIND_MM = 1e-3
# A face that lies along the way is met at no certain place: the point steps aside by a tenth of a micrometre.
GRAZING = 1e-4
SIDESTEP_MM = 1e-4
# A way that leaves the bone more than six times crosses it over and over; the first six tell.
MOST_CHORDS = 6
# Depth is half a chord at most, so the longest chords hold the deepest point; taken at so many places on each.
CHORDS_MEASURED = 2_000
PLACES = (np.arange(9) + 0.5) / 9.0


def removal_finding(asked: Asked, bone: Surface, guide: Surface, seat: Seat) -> Finding:
    """The deepest that guide and bone get into each other while the guide slides along its removal direction."""
    off = unit(asked.guide.removal_direction)
    guide_points = np.concatenate([guide.vertices, seat.points_mm])
    bone_points = np.concatenate([bone.vertices, area_samples(bone, BONE_SAMPLES)[0]])
    depth_mm = max(deepest_on_way_mm(bone, guide_points, off), deepest_on_way_mm(guide, bone_points, -off))
    why = "A guide with an undercut neither goes on nor comes off without force, and force shifts it or breaks it."
    return at_most("removal way, deepest in the bone", depth_mm, 0.0, "mm", why)


def deepest_on_way_mm(body: Surface, points_mm: FloatArray, direction: FloatArray) -> float:
    """How deep the worst of the points (K, 3) gets into `body` within WAY_MM along the unit direction (3,)."""
    first, last, length = _chords(body, points_mm, direction)
    longest = np.argsort(-length, kind="stable")[:CHORDS_MEASURED]
    if len(longest) == 0:
        return 0.0
    on_chords = first[longest, None, :] + PLACES[:, None] * (last - first)[longest, None, :]
    return max(0.0, -float(body.signed_distance_mm(on_chords.reshape(-1, 3)).min()))


def _chords(body: Surface, points_mm: FloatArray, direction: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where the ways of the points run inside the body: first and last point (C, 3) and length (C,) of each stretch."""
    starts, ends = [np.empty((0, 3))], [np.empty((0, 3))]
    from_mm = points_mm.copy()
    gone = np.zeros(len(points_mm))  # how far each point has come
    since = np.zeros(len(points_mm))  # where it last entered the body, or set out
    active = np.arange(len(points_mm))
    for _ in range(2 * MOST_CHORDS):
        way, face = body.ray_hits(from_mm[active] + gone[active, None] * direction, direction)
        active, way, face = active[face >= 0], way[face >= 0], face[face >= 0]
        slope = body.face_normals[face] @ direction
        grazes = np.abs(slope) < GRAZING
        from_mm[active[grazes]] += SIDESTEP_MM * body.face_normals[face[grazes]]
        here = np.where(grazes, gone[active], gone[active] + way)
        out = ~grazes & (slope > 0)
        starts.append(from_mm[active[out]] + since[active[out], None] * direction)
        ends.append(from_mm[active[out]] + np.minimum(here[out], WAY_MM)[:, None] * direction)
        since[active] = np.where(grazes, since[active], here)
        gone[active] = np.where(grazes, here, here + BEHIND_MM)
        active = active[here < WAY_MM]
        if len(active) == 0:
            break
    first, last = np.concatenate(starts), np.concatenate(ends)
    return first, last, np.linalg.norm(last - first, axis=1)

"""Whether the guide comes off: no point of it may pass through bone on its way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.drill import free_diameter_mm
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.samples import area_samples
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray, IntArray, perpendicular_pair, spokes, unit
from guidegen.surfaces import Surface

# How far the guide is slid: by then it is out of the wound.
WAY_MM = 60.0
# A hand pulls up to so far askew, in so many directions round the removal direction.
ASKEW_DEG = 3.0
ASKEW_WAYS = 8
# Until here the guide lets go of its seat. It strays by sin 3° of its way, 0.1 mm, which is less than the least
# clearance: a guide that touches bone by then has an undercut.
LETTING_GO_MM = 2.0
# Later it may rub along a wall that stands along the way. One as high as a seat is deep, 10 mm, is entered by
# 10 mm · sin 3° less the clearance of 0.2 mm; a hand that feels it gives way. What goes deeper is a hook.
LATER_LIMIT_MM = 0.3
# Points spread over the bone that are slid against the guide, besides every vertex of it.
BONE_SAMPLES = 40_000
# A ray goes on this far behind a face that it met.
BEHIND_MM = 1e-3
# A face that lies along the way is met at no certain place: the point steps aside by a tenth of a micrometre.
GRAZING = 1e-4
SIDESTEP_MM = 1e-4
# A way that leaves the bone more than six times crosses it over and over; the first six tell.
MOST_CHORDS = 6
# A guide that comes off has no chords, one that does not may have a hundred thousand: so many of all lengths are looked
# at, and the deepest of them measured at so many places on each.
CHORDS_LOOKED_AT = 6_000
CHORDS_MEASURED = 300
PLACES = np.linspace(1.0 / 18.0, 17.0 / 18.0, 9)

WHY_UNDERCUT = "A guide with an undercut neither goes on nor comes off without force, and force shifts it or breaks it."
WHY_SEAT = "No hand pulls exactly along a direction: a seat that lets go along one line only jams."
WHY_WIRE = (
    "A guide that does not come off over the wire bends it, or draws it out of the hole that it was to lead into."
)
WHY_ASKEW = "A hook beside the way catches a guide that is pulled a little askew, and force shifts it or breaks it."


def removal_findings(asked: Asked, bone: Surface, guide: Surface, seat: Seat) -> tuple[Finding, ...]:
    """The deepest that guide and bone get into each other while the guide slides off: along its removal direction,
    and along eight directions that a hand may take instead.

    Each way is followed as a whole, ray by ray, so that nothing is missed between two steps.
    """
    off = unit(asked.guide.removal_direction)
    guide_points = np.concatenate([guide.vertices, seat.points_mm])
    bone_points = np.concatenate([bone.vertices, area_samples(bone, BONE_SAMPLES)[0]])
    straight_mm = max(deepest_on_way_mm(bone, guide_points, off), deepest_on_way_mm(guide, bone_points, -off))
    near_bone = bone_points[_in_way(guide, bone_points, off)]
    ways = np.cos(np.radians(ASKEW_DEG)) * off + np.sin(np.radians(ASKEW_DEG)) * spokes(off, ASKEW_WAYS)
    in_bone = _Chords.joined([_chords(bone, guide_points, way) for way in ways])
    in_guide = _Chords.joined([_chords(guide, near_bone, -way) for way in ways])
    first_mm, later_mm = (
        max(in_bone.deepest_mm(bone, way_mm), in_guide.deepest_mm(guide, way_mm)) for way_mm in (LETTING_GO_MM, WAY_MM)
    )
    return (
        at_most("removal way, deepest in the bone", straight_mm, 0.0, "mm", WHY_UNDERCUT),
        at_most("removal 3° askew, deepest in the first 2 mm", first_mm, 0.0, "mm", WHY_SEAT),
        at_most("removal 3° askew, deepest on the whole way", later_mm, LATER_LIMIT_MM, "mm", WHY_ASKEW),
    )


def wire_findings(asked: Asked, bone: Surface, guide: Surface, seat: Seat) -> tuple[Finding, ...]:
    """Whether the guide comes off over the wire that is left in the first tunnel, its pins taken out: the way past the
    bone, and the room round the wire, which the guide slides along; none where no wire is left.
    """
    wire_mm = asked.guide.wire_left_mm
    if wire_mm is None:
        return ()
    into, tunnel = asked.into_bone(0), asked.tunnels[0]
    guide_points = np.concatenate([guide.vertices, seat.points_mm])
    bone_points = np.concatenate([bone.vertices, area_samples(bone, BONE_SAMPLES)[0]])
    way_mm = max(deepest_on_way_mm(bone, guide_points, -into), deepest_on_way_mm(guide, bone_points, into))
    room_mm = free_diameter_mm(guide, tunnel.target_mm, into)
    return (
        at_most("way off over the wire, deepest in the bone", way_mm, 0.0, "mm", WHY_WIRE),
        at_least("way off over the wire, room round it", room_mm, wire_mm, "mm", WHY_WIRE),
    )


def _in_way(guide: Surface, points_mm: FloatArray, off: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the points (K, 3) an askew way of the guide can lead it to: they lie in its outline seen along the
    removal direction, or beside it by no more than the way strays.
    """
    sides = np.stack(perpendicular_pair(off))
    outline, seen = guide.vertices @ sides.T, points_mm @ sides.T
    strays_mm = WAY_MM * np.sin(np.radians(ASKEW_DEG))
    low, high = outline.min(axis=0) - strays_mm, outline.max(axis=0) + strays_mm
    return np.asarray(((seen >= low) & (seen <= high)).all(axis=1))


def deepest_on_way_mm(body: Surface, points_mm: FloatArray, direction: FloatArray) -> float:
    """How deep the worst of the points (K, 3) gets into `body` within WAY_MM along the unit direction (3,)."""
    return _chords(body, points_mm, direction).deepest_mm(body, WAY_MM)


@dataclass(frozen=True, eq=False)
class _Chords:
    """Where the ways of points run inside a body: from which points (C, 3), along which unit directions (C, 3), and
    how far along them each stretch begins and ends (C,).
    """

    origins_mm: FloatArray
    directions: FloatArray
    start_mm: FloatArray
    end_mm: FloatArray

    @classmethod
    def joined(cls, parts: list[_Chords]) -> _Chords:
        """The stretches of several ways."""
        return cls(
            np.concatenate([part.origins_mm for part in parts]),
            np.concatenate([part.directions for part in parts]),
            np.concatenate([part.start_mm for part in parts]),
            np.concatenate([part.end_mm for part in parts]),
        )

    def deepest_mm(self, body: Surface, way_mm: float) -> float:
        """How deep in the body the worst point of all stretches is, as far as they lie within a way: first in the
        middle of each, then all along those that are deepest there.
        """
        length = np.minimum(self.end_mm, way_mm) - self.start_mm
        met = np.flatnonzero(length > 0.0)
        if len(met) == 0:
            return 0.0
        by_length = met[np.argsort(-length[met], kind="stable")]
        looked_at = by_length[:: int(np.ceil(len(by_length) / CHORDS_LOOKED_AT))]
        middles = body.signed_distance_mm(self._places(looked_at, length, np.array([0.5])))
        deepest = looked_at[np.argsort(middles, kind="stable")[:CHORDS_MEASURED]]
        return max(0.0, -float(body.signed_distance_mm(self._places(deepest, length, PLACES)).min()))

    def _places(self, chords: IntArray, length_mm: FloatArray, shares: FloatArray) -> FloatArray:
        """Points (K, 3) at these shares of some of the stretches."""
        along = self.start_mm[chords, None] + length_mm[chords, None] * shares
        places = self.origins_mm[chords, None, :] + along[:, :, None] * self.directions[chords, None, :]
        return np.asarray(places.reshape(-1, 3))


def _chords(body: Surface, points_mm: FloatArray, direction: FloatArray) -> _Chords:
    """Where the ways of the points (K, 3) run inside the body, as far as WAY_MM."""
    origins, starts, ends = [np.empty((0, 3))], [np.empty(0)], [np.empty(0)]
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
        origins.append(from_mm[active[out]])
        starts.append(since[active[out]])
        ends.append(np.minimum(here[out], WAY_MM))
        since[active] = np.where(grazes, since[active], here)
        gone[active] = np.where(grazes, here, here + BEHIND_MM)
        active = active[here < WAY_MM]
        if len(active) == 0:
            break
    from_points = np.concatenate(origins)
    return _Chords(
        from_points, np.broadcast_to(direction, from_points.shape), np.concatenate(starts), np.concatenate(ends)
    )

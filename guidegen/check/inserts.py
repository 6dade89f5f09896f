"""The inserts of a fan against the written guide: each drills its own tunnel, stops at its own depth, and sits in the
socket in one way only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.check.bore import (
    ANGLE_LIMIT_DEG,
    DIAMETER_LIMIT_MM,
    GUIDED_TOLERANCE_MM,
    NO_WALL,
    OFFSET_LIMIT_MM,
    WHY_ANGLE,
    WHY_DIAMETER,
    WHY_GUIDED,
    WHY_TARGET,
    measured_bore,
)
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.mesh import WHY_CLOSED, bodies, open_edges
from guidegen.check.samples import area_samples
from guidegen.frames import FloatArray, across, angle_deg, rotation_about, spokes, unit
from guidegen.surfaces import Surface
from guidegen.written import crossing_faces

SAMPLES = 8_000
KEY_EVERY, MOST_OF_KEY = 4, 40  # of those points are tried and turned: whether one lies inside takes long to say
# Of the cone's ends, where flange, rim and lower edge are nearer than its side.
ENDS_MM = 0.5
# Facets, float32, and the needles that are collapsed before writing.
GAP_TOLERANCE_MM = 0.03
# In the key's inner corner the gap is that of two sides: those points are less than one in twenty.
GAP_PERCENTILES = (1.0, 95.0)
# A flange rests on the rim; deeper than this the two files overlap.
OVERLAP_MM = 0.02
STOP_MM = 0.02
STOP_SPOKES, STOP_BEFORE_MM = 36, 5.0
# Turned by so much and more, the key must be this deep in the socket's wall.
TURNED_DEG, TURN_STEP_DEG, WEDGED_MM = 10.0, 5.0, 0.5
# The play of the key turns a bore 5° off the socket's axis by 0.26° about the entry.
PLAY_STEP_DEG, PLAY_LIMIT_DEG = 0.25, 3.0

WHY_SOUND = "An insert that is no single sound solid is printed as the slicer guesses."
WHY_FITS = "What overlaps on file does not go in, and an insert that does not rest on the rim drills too deep."
WHY_TIGHT = "A gap smaller than the printer's own does not let the insert in."
WHY_LOOSE = "A gap larger than asked lets the insert, and with it the drill, move."
WHY_STOP = "The drill's stop rests here: a face off its place or askew drills too deep or too short."
WHY_WALL = "A bore too near to the insert's outside breaks out."
WHY_KEY = "An insert that goes in turned aims beside its tunnel."
WHY_PLAY = "The key's play turns every bore about the entry."


@dataclass(frozen=True, eq=False)
class PlannedSocket:
    """What the plan says of a socket, in LPS mm: the entry (3,), the unit direction (3,) out of the bone, the heights
    between which the inserts' cone lies, the gap to it on every side, and the least wall round a bore.
    """

    entry_mm: FloatArray
    outwards: FloatArray
    low_mm: float
    rim_mm: float
    gap_mm: float
    wall_mm: float


@dataclass(frozen=True, eq=False)
class PlannedInsert:
    """What the plan says of an insert, in LPS mm: its number, the furthest point (3,) of its tunnel, the middle (3,) of
    its stop face, the stop's diameter, the bore's, and the guided length.
    """

    number: int
    target_mm: FloatArray
    stop_face_mm: FloatArray
    stop_mm: float
    bore_mm: float
    guided_length_mm: float


def insert_findings(
    asked: PlannedInsert, socket: PlannedSocket, insert: Surface, guide: Surface
) -> tuple[Finding, ...]:
    """Every finding on one written insert, as it sits in the written guide."""
    name = f"insert {asked.number}"
    axis = unit(asked.target_mm - socket.entry_mm)
    sides = _sides(insert, asked, socket, axis)
    return (
        *_sound(name, insert),
        *_aims(name, asked, socket, insert, axis),
        _stops(name, asked, insert, axis),
        _wall(name, asked, socket, sides, axis),
        *_fits(name, socket, sides, insert, guide),
        *_keyed(name, socket, sides, guide),
    )


def _sound(name: str, insert: Surface) -> tuple[Finding, ...]:
    return (
        at_most(f"{name} open edges", open_edges(insert), 0, "", WHY_CLOSED),
        at_most(f"{name} bodies", bodies(insert), 1, "", WHY_SOUND),
        at_most(f"{name} faces that cross", crossing_faces(insert), 0, "", WHY_SOUND),
    )


def _aims(
    name: str, asked: PlannedInsert, socket: PlannedSocket, insert: Surface, axis: FloatArray
) -> tuple[Finding, ...]:
    """The bore against the planned tunnel, with the insert seated."""
    bore = measured_bore(insert, asked.stop_face_mm, socket.entry_mm, axis, asked.bore_mm)
    entry = target = tilt = width = length = None
    if bore is not None:
        entry, target = bore.distance_mm(socket.entry_mm), bore.distance_mm(asked.target_mm)
        tilt, width, length = angle_deg(bore.axis, axis), abs(bore.diameter_mm - asked.bore_mm), bore.guided_mm
    guided = asked.guided_length_mm - GUIDED_TOLERANCE_MM
    return (
        at_most(f"{name} bore off the entry", entry, OFFSET_LIMIT_MM, "mm", WHY_TARGET, missing=NO_WALL),
        at_most(f"{name} bore off the target", target, OFFSET_LIMIT_MM, "mm", WHY_TARGET, missing=NO_WALL),
        at_most(f"{name} bore angle off plan", tilt, ANGLE_LIMIT_DEG, "°", WHY_ANGLE, missing=NO_WALL),
        at_most(f"{name} bore diameter off plan", width, DIAMETER_LIMIT_MM, "mm", WHY_DIAMETER, missing=NO_WALL),
        at_least(f"{name} bore guided length", length, guided, "mm", WHY_GUIDED, missing=NO_WALL),
    )


def _stops(name: str, asked: PlannedInsert, insert: Surface, axis: FloatArray) -> Finding:
    """How far the face round the bore lies off the plane on which the stop should rest."""
    spread = spokes(axis, STOP_SPOKES)
    radii = np.linspace(asked.bore_mm / 2.0 + 0.2, asked.stop_mm / 2.0, 4)
    starts = asked.stop_face_mm - STOP_BEFORE_MM * axis + (radii[:, None, None] * spread).reshape(-1, 3)
    way, face = insert.ray_hits(starts, axis)
    off = float(np.abs(way - STOP_BEFORE_MM).max()) if (face >= 0).all() else None
    return at_most(f"{name} stop face off its place", off, STOP_MM, "mm", WHY_STOP, missing="no face under the stop")


def _sides(insert: Surface, asked: PlannedInsert, socket: PlannedSocket, axis: FloatArray) -> FloatArray:
    """Points (K, 3) on the cone and its key, the bore's wall left out."""
    points, _ = area_samples(insert, SAMPLES)
    relative = points - socket.entry_mm
    height = relative @ socket.outwards
    side = (height > socket.low_mm + ENDS_MM) & (height < socket.rim_mm - ENDS_MM)
    in_bore = np.linalg.norm(across(relative, axis), axis=1) < asked.bore_mm / 2.0 + GAP_TOLERANCE_MM
    return np.asarray(points[side & ~in_bore])


def _wall(name: str, asked: PlannedInsert, socket: PlannedSocket, sides: FloatArray, axis: FloatArray) -> Finding:
    away = np.linalg.norm(across(sides - socket.entry_mm, axis), axis=1)
    least = float(away.min()) - asked.bore_mm / 2.0 if len(away) else None
    return at_least(f"{name} wall round the bore", least, socket.wall_mm - GAP_TOLERANCE_MM, "mm", WHY_WALL, NO_WALL)


def _fits(name: str, socket: PlannedSocket, sides: FloatArray, insert: Surface, guide: Surface) -> tuple[Finding, ...]:
    """The gap between cone and socket all round, and that nothing overlaps."""
    distance = guide.nearest(sides)[0] if len(sides) else np.zeros(1)
    tight, loose = (float(np.percentile(distance, share)) for share in GAP_PERCENTILES)
    overlap = -float(guide.signed_distance_mm(insert.vertices).min())
    return (
        at_most(f"{name} overlap with the guide", max(0.0, overlap), OVERLAP_MM, "mm", WHY_FITS),
        at_least(f"{name} gap to the socket, least", tight, socket.gap_mm - GAP_TOLERANCE_MM, "mm", WHY_TIGHT),
        at_most(f"{name} gap to the socket, most", loose, socket.gap_mm + GAP_TOLERANCE_MM, "mm", WHY_LOOSE),
    )


def _keyed(name: str, socket: PlannedSocket, sides: FloatArray, guide: Surface) -> tuple[Finding, ...]:
    """How deep the insert would be in the socket's wall when turned, and how far it can turn."""
    tried = sides[::KEY_EVERY]
    key = tried[guide.contains(_turned(tried, socket, 180.0))]  # the key alone is then in the wall
    key = key[:: len(key) // MOST_OF_KEY + 1]
    if len(key) == 0:
        missing = "nothing of it meets the socket when it is turned by 180°"
        return (
            at_least(f"{name} turned, least depth of the key in the wall", None, WEDGED_MM, "mm", WHY_KEY, missing),
        )
    turns = np.arange(TURNED_DEG, 360.0 - TURNED_DEG + 1e-9, TURN_STEP_DEG)
    small = np.arange(0.0, TURNED_DEG, PLAY_STEP_DEG)
    depths = _depths_mm(key, socket, guide, np.concatenate([turns, small, -small]))
    least = float(depths[: len(turns)].min())
    stuck = depths[len(turns) :].reshape(2, -1) > 0.0
    free = np.where(stuck.any(axis=1), small[stuck.argmax(axis=1)], TURNED_DEG)
    return (
        at_least(f"{name} turned, least depth of the key in the wall", least, WEDGED_MM, "mm", WHY_KEY),
        at_most(f"{name} play of the key", float(free.max()), PLAY_LIMIT_DEG, "°", WHY_PLAY),
    )


def _turned(points: FloatArray, socket: PlannedSocket, degrees: float) -> FloatArray:
    """Points (K, 3) turned about the socket's axis."""
    rotation = rotation_about(socket.outwards, degrees)
    return np.asarray((points - socket.entry_mm) @ rotation.T + socket.entry_mm)


def _depths_mm(key: FloatArray, socket: PlannedSocket, guide: Surface, turns_deg: FloatArray) -> FloatArray:
    """How deep (T,) the deepest point of the key (K, 3) is in the guide when the insert is turned by each angle (T,);
    negative where it is free.
    """
    turned = np.concatenate([_turned(key, socket, float(turn)) for turn in turns_deg])
    return np.asarray(-guide.signed_distance_mm(turned).reshape(len(turns_deg), len(key)).min(axis=1))

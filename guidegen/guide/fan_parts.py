"""A fan's socket and its inserts as they are written and recorded: in LPS mm, as they sit on the bone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from guidegen.frames import FloatArray, RigidTransform
from guidegen.guide import parts
from guidegen.guide.fan import Insert, Socket
from guidegen.guide.fan_solids import insert_label, insert_pose, insert_surface
from guidegen.guide.label import Label
from guidegen.guide.order import Order
from guidegen.guide.stands import Standing, Way
from guidegen.surfaces import Surface


@dataclass(frozen=True, eq=False)
class FanSocket:
    """A socket: the entry (3,), the unit direction (3,) out of the bone, the heights over the entry between which its
    cone lies, and the radii there of the inserts in it; the gap round them, and the least wall of an insert.
    """

    entry_mm: FloatArray
    outwards: FloatArray
    low_mm: float
    rim_mm: float
    low_radius_mm: float
    rim_radius_mm: float
    gap_mm: float
    wall_mm: float


@dataclass(frozen=True, eq=False)
class FanInsert:
    """An insert: its tunnel, counted from 0, its body, and how it lies in the printer; the middle (3,) of its stop
    face, `offset_mm` from the entry, the diameter of the stop on it, what is read there at full depth, and the chuck.
    """

    tunnel: int
    surface: Surface
    print_pose: RigidTransform
    bore_mm: float
    drill_diameter_mm: float
    guided_length_mm: float
    stop_face_mm: FloatArray
    stop_diameter_mm: float
    offset_mm: float
    reading_mm: float
    chuck_diameter_mm: float
    chuck_length_mm: float
    label: Label


def fan_parts(
    standing: Standing, ways: Sequence[Way], to_lps: RigidTransform, order: Order, make: parts.Make
) -> tuple[FanSocket | None, tuple[FanInsert, ...]]:
    """The socket with its inserts; None and none for sleeves."""
    socket = standing.socket
    if socket is None:
        return None, ()
    place = FanSocket(
        entry_mm=to_lps.points(ways[0].entry_mm),
        outwards=to_lps.vectors(socket.outwards),
        low_mm=socket.low_mm,
        rim_mm=socket.rim_mm,
        low_radius_mm=socket.radius_mm(socket.low_mm),
        rim_radius_mm=socket.radius_mm(socket.rim_mm),
        gap_mm=socket.shape.gap_mm,
        wall_mm=socket.shape.wall_mm,
    )
    return place, tuple(_insert(socket, insert, to_lps, order, make) for insert in socket.inserts)


def _insert(socket: Socket, insert: Insert, to_lps: RigidTransform, order: Order, make: parts.Make) -> FanInsert:
    return FanInsert(
        tunnel=insert.number - 1,
        surface=insert_surface(socket, insert, to_lps, make),
        print_pose=to_lps.inverse().then(insert_pose(socket)),
        bore_mm=socket.shape.bore_mm,
        drill_diameter_mm=socket.shape.drill_mm,
        guided_length_mm=insert.guided_length_mm,
        stop_face_mm=to_lps.points(socket.stop_face_mm(insert)),
        stop_diameter_mm=socket.shape.stop_mm,
        offset_mm=socket.offset_mm,
        reading_mm=insert.reading_mm,
        chuck_diameter_mm=order.kit.drill.chuck_diameter_mm,
        chuck_length_mm=order.kit.drill.chuck_length_mm,
        label=insert_label(socket, insert).transformed(to_lps),
    )

"""The solids of a fan: the socket on the guide, what is taken away in it, and the inserts; in the guide's frame.

Socket, cavity and insert are one keyed cone, grown by nothing, by the gap, and by the gap and a wall: so the gap is the
same on all sides, and the wall too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import RigidTransform
from guidegen.guide import parts
from guidegen.guide.fan import EDGE_MM, KEY_HEIGHT_MM, KEY_MM, KEY_WIDTH_MM, LAP_MM, Insert, Socket
from guidegen.guide.label import LINE_STEP, Label
from guidegen.guide.rods import Channel, Drilling, Rod
from guidegen.guide.solids import ROUND_SEGMENTS, along_axis, bore, part_solid, placed, stl_surface, to_surface
from guidegen.surfaces import Surface
from guidegen.threemf import PRINTER

OVERCUT_MM = 1.0
THROUGH_MM = 40.0  # from the entry into the bone, where nothing of the guide is left
MARGIN_MM = 1.2  # round the letters on the tab
FAR_MM = 500.0
TAB_ROUND = 0.56  # of its width, the radius of rods half a width apart that cover a tab

Profile = list[tuple[float, float]]


@dataclass(frozen=True)
class Collar:
    """A collar round a socket's rim, in mm: its outer diameter, its height, and between two flat faces of it that look
    across the key, 0 for none.
    """

    outer_mm: float
    height_mm: float
    flats_mm: float


def socket_solid(socket: Socket, collar: Collar | None = None) -> Any:
    """What is added to the guide: from its root in the bone, which is taken away later, to the rim; the collar stands
    on a slope of 45°.
    """
    grown, rim = socket.shape.gap_mm + socket.shape.socket_wall_mm, socket.rim_mm
    body = _keyed_cone(socket, grown, socket.root_mm, rim)
    if collar is not None:
        radius, under = collar.outer_mm / 2.0, rim - collar.height_mm
        slope = [(0.0, under - radius), (radius, under)]
        ring = _turned([*slope, (radius, rim - EDGE_MM), (radius - EDGE_MM, rim), (0.0, rim)])
        body += ring ^ _band(collar.flats_mm) if collar.flats_mm else ring
    return placed(body, socket.place)


def socket_cavity(socket: Socket) -> Any:
    """What is taken away from the guide, after the bone: the room of the inserts with the gap round them, open to the
    bone below, and their way in above the rim.
    """
    room = _keyed_cone(socket, socket.shape.gap_mm, -THROUGH_MM, socket.rim_mm + LAP_MM)
    way_in = room.slice(socket.rim_mm).extrude(socket.rim_mm - socket.low_mm)
    return placed(room + way_in.translate((0.0, 0.0, socket.rim_mm)), socket.place)


def insert_solid(socket: Socket, insert: Insert, make: parts.Make = parts.make) -> Any:
    """One insert as it sits in the socket: cone and key, flange with a tab that bears the letters, and on it the boss
    with the stop face.
    """
    rim, flange, outwards = socket.rim_mm, socket.flange_mm, -insert.axis
    top = rim + socket.shape.flange_height_mm
    length, width = tab_mm(socket)
    tab = part_solid(make("plate", flange + length, width, top - rim - 2.0 * LAP_MM), "an insert's tab")
    plate = _turned([(0.0, rim), (flange, rim), (flange, top - EDGE_MM), (flange - EDGE_MM, top), (0.0, top)])
    body = _keyed_cone(socket, 0.0, socket.low_mm, rim + LAP_MM) + plate + _boss(socket, insert)
    body += tab.translate(((flange + length) / 2.0, 0.0, top - LAP_MM))
    end = (socket.offset_mm + OVERCUT_MM) * outwards
    body -= bore(-THROUGH_MM * outwards, end, socket.shape.bore_mm)
    return placed(body, socket.place) - insert_label(socket, insert).letters(make)


def insert_label(socket: Socket, insert: Insert) -> Label:
    """What stands on the insert's tab, in the guide's frame; one reads it from the axis outwards."""
    shape, (length, width) = socket.shape, tab_mm(socket)
    center = [socket.flange_mm + length / 2.0, 0.0, socket.rim_mm + shape.flange_height_mm - LAP_MM]
    reading, up, outwards = socket.place.vectors(np.eye(3))
    return Label(
        insert.lines, shape.text_mm, shape.text_depth_mm, False, socket.place.points(center), reading, up, outwards,
        length, width, shape.flange_height_mm,
    )  # fmt: skip


def insert_surface(socket: Socket, insert: Insert, to_lps: RigidTransform, make: parts.Make = parts.make) -> Surface:
    """One insert as it sits in the socket, in LPS, as an STL holds it; NoSafeGuide where float32 leaves no sound
    solid.
    """
    surface = stl_surface(to_surface(insert_solid(socket, insert, make)).transformed(to_lps))
    if surface is None:
        raise NoSafeGuide(
            f"expected an insert {insert.number} that stays a sound solid in the STL's float32, found none; choose "
            "another entry",
            rule="sound_solid",
            figures={},
        )
    return surface


def fan_channel(socket: Socket, drilling: Drilling) -> Channel:
    """What stands and moves for a fan, one insert after the other, in the guide's frame; `drilling` is given their
    readings.

    An insert comes and goes along the socket's axis, as wide as its flange and, over the key, as its tab. In its place
    the tab lies lower than its stop face, so that no tool meets it.
    """
    at = socket.place.points
    rim, gone = socket.rim_mm, 2.0 * socket.rim_mm - socket.low_mm + socket.shape.flange_height_mm
    standing = Rod("the socket", at([0.0, 0.0, socket.root_mm]), at([0.0, 0.0, rim]), socket.outer_mm)
    (length, width), flange = tab_mm(socket), socket.flange_mm
    beside = np.linspace(flange, flange + length, int(np.ceil(2.0 * length / width)) + 1)
    ways_in = [
        Rod("the inserts' way in", at([x, 0.0, rim]), at([x, 0.0, gone]), radius)
        for x, radius in ((0.0, flange), *((float(x), TAB_ROUND * width) for x in beside))
    ]
    swept = [
        rod
        for insert in socket.inserts
        for rod in replace(drilling, reading_mm=insert.reading_mm).swept(
            str(insert.number), socket.stop_face_mm(insert), socket.axis(insert)
        )
    ]
    return Channel((standing,), (*ways_in, *swept))


def insert_pose(socket: Socket) -> RigidTransform:
    """How inserts are printed, from the guide's frame: on their lower end, so that cone and bore need no support."""
    back = socket.place.inverse()
    return RigidTransform(back.rotation, back.translation_mm - [0.0, 0.0, socket.low_mm], back.source, PRINTER)


def tab_mm(socket: Socket) -> tuple[float, float]:
    """How far the tabs of the inserts reach beyond their flange, and how wide they are: the letters with a margin."""
    from PIL import ImageFont

    font, height = ImageFont.truetype(str(parts.font_path()), 100), socket.shape.text_mm
    widest = max(font.getlength(line) for insert in socket.inserts for line in insert.lines) * height / 100.0
    lines = len(socket.inserts[0].lines)
    return widest + 2.0 * MARGIN_MM, lines * LINE_STEP * height + 2.0 * MARGIN_MM


def _boss(socket: Socket, insert: Insert) -> Any:
    """What carries the stop face, square to the insert's own tunnel, from the rim up; in the socket's frame."""
    radius, height = socket.shape.boss_mm, socket.offset_mm
    stop = _turned([(0.0, 0.0), (radius, 0.0), (radius, height - EDGE_MM), (radius - EDGE_MM, height), (0.0, height)])
    return placed(stop, along_axis(np.zeros(3), -insert.axis)).trim_by_plane(
        (0.0, 0.0, 1.0), socket.rim_mm + 2.0 * LAP_MM
    )


def _keyed_cone(socket: Socket, grown_mm: float, bottom_mm: float, top_mm: float) -> Any:
    """The cone with its key, in the socket's frame, grown by so much at right angles to its sides, up to the top; below
    the lower end of the inserts it goes on as a cylinder to the bottom.
    """
    low, key = socket.low_mm, socket.rim_mm - KEY_HEIGHT_MM
    tall = top_mm + 1.0  # the grown top is cut off
    cone = [(0.0, bottom_mm), (socket.radius_mm(low), bottom_mm), (socket.radius_mm(low), low),
            (socket.radius_mm(tall), tall), (0.0, tall)]  # fmt: skip
    wide = [(0.0, key), (socket.radius_mm(key), key), (socket.radius_mm(key + KEY_MM) + KEY_MM, key + KEY_MM),
            (socket.radius_mm(tall) + KEY_MM, tall), (0.0, tall)]  # fmt: skip
    across = KEY_WIDTH_MM + 2.0 * grown_mm
    body = _turned(cone, grown_mm) + (_turned(wide, grown_mm) ^ _slab(across))
    body = body.trim_by_plane((0.0, 0.0, -1.0), -top_mm)
    return body.trim_by_plane((0.0, 0.0, 1.0), bottom_mm)


def _slab(width_mm: float) -> Any:
    """All that lies towards the key, x > 0, between two planes so far apart."""
    return _band(width_mm).trim_by_plane((1.0, 0.0, 0.0), 0.0)


def _band(width_mm: float) -> Any:
    """All that lies between two planes along the key, so far apart."""
    import manifold3d

    return manifold3d.Manifold.cube((2.0 * FAR_MM, width_mm, 2.0 * FAR_MM), center=True)


def _turned(profile: Profile, grown_mm: float = 0.0) -> Any:
    """The profile of radius and height, grown by so much on all sides, turned round z."""
    import manifold3d

    outline = manifold3d.CrossSection([profile])
    if grown_mm > 0.0:
        half = manifold3d.CrossSection([[(0.0, -FAR_MM), (FAR_MM, -FAR_MM), (FAR_MM, FAR_MM), (0.0, FAR_MM)]])
        outline = outline.offset(grown_mm, manifold3d.JoinType.Miter) ^ half
    return manifold3d.Manifold.revolve(outline, ROUND_SEGMENTS)

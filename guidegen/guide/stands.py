"""What stands on the shell and leads the drill: a sleeve for each tunnel, or one socket where they share an entry.

Either is a tube on its axis, hollow within and with a collar round its outer end. So wires, ribs, marks and the way in
which it is printed ask the same of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, across, angle_deg, unit
from guidegen.guide.fan import ROUND_MM, Socket, lay_out_fan
from guidegen.guide.fan_solids import fan_channel
from guidegen.guide.height_field import HeightField
from guidegen.guide.order import Order
from guidegen.guide.placement import Tube, place_tube
from guidegen.guide.relief import Relief
from guidegen.guide.rods import Channel, Rod
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.instruments import depth_reading_mm
from guidegen.plan.sleeve_sizes import CALLIPER_MM, FLAT_COLLAR_MM
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown_beside
from guidegen.seat.ground import Ground

SAME_MM = 1e-3  # entries nearer to each other than this are one
UPRIGHT = 1e-3  # sine of the angle to the removal direction below which a tube has no upper side
MOST_PUSHED_MM = 10.0  # that a relief may take a tube off the bone: so much more of the tool is unguided
BESIDE_MOUTH_MM = 1.3  # more than the printer's thinnest wall, of contact beside a socket: less is lifted as a sliver
FLAT_WALL_MM = 0.5  # more than the printer's thinnest wall, of a socket behind a calliper's face


@dataclass(frozen=True, eq=False)
class Way:
    """One tunnel in the guide's frame: its entry (3,) and furthest point (3,), the unit axis (3,) into the bone, its
    length, and the sleeve's offset that was planned.
    """

    entry_mm: FloatArray
    target_mm: FloatArray
    axis: FloatArray
    length_mm: float
    offset_mm: float


@dataclass(frozen=True, eq=False)
class Stand:
    """One tube on the shell; all else in mm on the diameter.

    `hollow_mm`, `mouth_mm`: what is taken away, at its widest and at the bone; `foot_mm`, `flank_mm`: the outside, at
    the shell and below the collar; `outer_mm`: with all that stands out of it; `collar_mm`: the collar, with two
    calliper faces where `flats` says. `flange_mm`: the height of a metal sleeve's flange on it.
    """

    tube: Tube
    hollow_mm: float
    mouth_mm: float
    foot_mm: float
    flank_mm: float
    outer_mm: float
    collar_mm: float
    flats: bool
    flange_mm: float

    @property
    def shoulder_mm(self) -> float:
        """The height of the slope of 45° below the collar."""
        return (self.collar_mm - self.flank_mm) / 2.0


@dataclass(frozen=True, eq=False)
class Standing:
    """All that leads the drill: sleeves in the order of their tunnels, or a single stand with the `socket` of a fan."""

    stands: tuple[Stand, ...]
    socket: Socket | None

    def offset_mm(self, number: int) -> float:
        """From the entry of a tunnel, counted from 0, to where its drill's stop rests."""
        if self.socket is not None:
            return self.socket.offset_mm
        return self.stands[number].flange_mm - self.stands[number].tube.top_mm

    @property
    def outwards(self) -> FloatArray:
        """The unit vector (3,) out of the bone along all of it, on the average."""
        axes = [stand.tube.axis for stand in self.stands]
        return -axes[0] if len(axes) == 1 else -unit(np.sum(axes, axis=0))

    @property
    def spread_deg(self) -> float:
        """The most by which what is hollow leans off that average."""
        if self.socket is not None:
            return float(np.degrees(np.arctan(self.socket.slope)))
        if len(self.stands) == 1:
            return 0.0
        return max(angle_deg(-stand.tube.axis, self.outwards) for stand in self.stands)


def is_fan(tunnels: Sequence[Tunnel]) -> bool:
    """Whether tunnels share their entry."""
    entries = np.array([tunnel.entry_mm for tunnel in tunnels])
    return len(tunnels) > 1 and bool((np.abs(entries - entries[0]) < SAME_MM).all())


def entry_room_mm(tunnels: Sequence[Tunnel], order: Order) -> float:
    """How far inside the shell an entry must lie: the drill's radius, or that of a fan's socket at its narrowest with
    contact beside it.
    """
    if not is_fan(tunnels):
        return order.kit.drill.diameter_mm / 2.0
    shape = order.fan_shape
    beside = order.printer.build.least_wall_mm + BESIDE_MOUTH_MM
    return shape.bore_mm / 2.0 + shape.wall_mm + ROUND_MM + shape.gap_mm + beside


def upper_side(axis: FloatArray) -> FloatArray:
    """The unit vector (3,) across a tube's axis that looks along the removal direction, as who lays the guide on looks
    at it; to the head where the tube itself stands along the removal direction.
    """
    up = across(np.array([0.0, 0.0, 1.0]), axis)
    return unit(up if np.linalg.norm(up) > UPRIGHT else across(np.array([0.0, 1.0, 0.0]), axis))


def stand_up(ways: Sequence[Way], fan: bool, under: HeightField, order: Order, plan_hash: str) -> Standing:
    """What leads the drill along all ways, over the (grown) bone's height field; all in the guide's frame. `plan_hash`
    is to stand on a fan's inserts. NoSafeGuide where no distance that the kit's stops are made for is enough.
    """
    if fan:
        socket = _socket(ways, under, order, plan_hash)
        return Standing((_socket_stand(socket, order),), socket)
    sizes = order.sizes
    alone = len(ways) == 1
    stands = []
    for way in ways:
        tube = place_tube(under, way.entry_mm, way.axis, sizes.hole_mm, sizes.tube_mm, order.printed_guide_mm)
        stands.append(_sleeve_stand(_at_stop(tube, way, order), alone, order))
    return Standing(tuple(stands), None)


def _sleeve_stand(tube: Tube, alone: bool, order: Order) -> Stand:
    """The stand of a sleeve; beside others it has no collar wide enough for a calliper's faces."""
    sizes, flats = order.sizes, order.sizes.flats and alone
    collar = sizes.collar_mm if alone else sizes.hole_mm + 2.0 * order.template.sleeve.collar_wall_mm
    tube_mm, flange = sizes.tube_mm, sizes.flange_height_mm
    return Stand(tube, sizes.hole_mm, sizes.hole_mm, tube_mm, tube_mm, tube_mm, collar, flats, flange)


def _socket(ways: Sequence[Way], under: HeightField, order: Order, plan_hash: str) -> Socket:
    """The socket of a fan. NoSafeGuide for a drill that needs a sleeve of metal, or a guide wire that needs a reducer:
    an insert holds neither.
    """
    if order.sizes.kind == "metal":
        raise NoSafeGuide(
            f"expected a drill that may run in a printed insert for tunnels from one entry, found that of the kit "
            f"{order.kit.name!r}, whose edges turn in the sleeve; choose another kit, or a guide shape with sleeves of "
            "print",
            rule="fan_metal",
            figures={},
        )
    if order.sizes.reducer is not None:
        raise NoSafeGuide(
            f"expected a drill without a guide wire for tunnels from one entry, whose inserts hold no reducer, found "
            f"the wire of {order.sizes.reducer.wire_mm:g} mm of the kit {order.kit.name!r}; choose another kit",
            rule="fan_reducer",
            figures={"guide_wire_mm": order.sizes.reducer.wire_mm},
        )
    axes = np.array([way.axis for way in ways])
    lengths = [way.length_mm for way in ways]
    key = upper_side(unit(axes.sum(axis=0)))
    offsets_mm, shape = order.kit.sleeve_offsets_mm, order.fan_shape
    return lay_out_fan(ways[0].entry_mm, axes, lengths, key, under, offsets_mm, shape, plan_hash)


def _socket_stand(socket: Socket, order: Order) -> Stand:
    """A fan's socket as a tube along its own axis."""
    shape, steep = socket.shape, float(np.hypot(1.0, socket.slope))
    point, axis = socket.place.points(np.zeros(3)), -socket.outwards
    wall = (shape.gap_mm + shape.socket_wall_mm) * steep
    hollow = socket.radius_mm(socket.rim_mm) + shape.gap_mm * steep
    thinnest = order.printer.build.least_wall_mm + FLAT_WALL_MM
    flats = order.template.calliper.on and hollow + thinnest <= CALLIPER_MM / 2.0
    return Stand(
        tube=Tube(point, axis, -socket.rim_mm, -socket.low_mm, -socket.root_mm),
        hollow_mm=2.0 * hollow,
        mouth_mm=2.0 * (socket.radius_mm(socket.low_mm) + shape.gap_mm * steep),
        foot_mm=2.0 * (socket.radius_mm(socket.low_mm) + wall),
        flank_mm=2.0 * (socket.radius_mm(socket.rim_mm) + wall),
        outer_mm=2.0 * socket.outer_mm,
        collar_mm=max(2.0 * socket.outer_mm, FLAT_COLLAR_MM if flats else 0.0),
        flats=flats,
        flange_mm=0.0,
    )


def over_relief(standing: Standing, ways: Sequence[Way], relief: Relief, local: Ground, order: Order) -> Standing:
    """The same moved out along their axes until they clear a relief. NoSafeGuide where a tool would be led too far off
    the bone.
    """
    sizes = order.sizes
    if standing.socket is not None:
        bare = standing.socket
        socket = _socket(ways, relief.under, order, bare.inserts[0].plan_hash)
        _require_near(socket.low_mm - bare.low_mm, local)
        socket = replace(socket, root_mm=min(socket.root_mm, bare.root_mm))
        return Standing((_socket_stand(socket, order),), socket)
    stands = []
    for stand, way in zip(standing.stands, ways, strict=True):
        tube = off_relief(relief, stand.tube, sizes.hole_mm, sizes.tube_mm, local)
        stands.append(replace(stand, tube=_at_stop(tube, way, order)))
    return Standing(tuple(stands), None)


def off_relief(relief: Relief, bare: Tube, bore_mm: float, outer_mm: float, local: Ground) -> Tube:
    """The tube moved out along its axis until it clears the relief; it still reaches down to the bone, where an oblique
    one comes out of the relief again. NoSafeGuide where its tool would be led too far off the bone.
    """
    tube = place_tube(relief.under, bare.point_mm, bare.axis, bore_mm, outer_mm, bare.guided_length_mm)
    _require_near(bare.guided_to_mm - tube.guided_to_mm, local)
    return replace(tube, sunk_to_mm=max(tube.sunk_to_mm, bare.sunk_to_mm))


def _require_near(pushed_mm: float, local: Ground) -> None:
    if pushed_mm > MOST_PUSHED_MM:
        pushed = shown_beside(pushed_mm, MOST_PUSHED_MM, 0)
        raise NoSafeGuide(
            f"expected the {' and '.join(local.keep_out.names)} to leave room for drill and wires to be led near the "
            f"bone, found one pushed {pushed} mm off, more than {MOST_PUSHED_MM:g} mm; choose another entry",
            rule=KEEP_OUT,
            figures={"pushed_mm": pushed_mm},
        )


def _at_stop(tube: Tube, way: Way, order: Order) -> Tube:
    """The tube made longer outwards, so that the drill's stop rests at the planned distance from the cortex, or at the
    next one that the kit's stops are made for: the depth is read there. A metal sleeve's flange lies between the print
    and the stop. NoSafeGuide where no distance is enough.
    """
    kit, flange = order.kit, order.sizes.flange_height_mm
    needed = max(way.offset_mm, flange - tube.top_mm)
    offsets = [each for each in kit.sleeve_offsets_mm if each >= needed - 1e-9]
    if not offsets:
        largest = max(kit.sleeve_offsets_mm)
        raise NoSafeGuide(
            f"expected a sleeve whose top is at most {largest:g} mm from the cortex, as far as the kit's stops reach, "
            f"found one at {shown_beside(needed, largest, 1)} mm; choose another entry or a kit with larger offsets",
            rule="sleeve_offset_mm",
            figures={"sleeve_offset_mm": needed},
        )
    return replace(tube, top_mm=flange - min(offsets))


def channels(standing: Standing, ways: Sequence[Way], order: Order) -> tuple[Channel, ...]:
    """What stands and moves for each of several tunnels; for a fan, all in one."""
    if standing.socket is not None:
        return (fan_channel(standing.socket, order.drilling(0.0)),)
    found = []
    for number, (stand, way) in enumerate(zip(standing.stands, ways, strict=True)):
        tube, offset = stand.tube, standing.offset_mm(number)
        below = tube.top_mm + order.template.sleeve.collar_height_mm + stand.shoulder_mm
        name = f"sleeve {number + 1}"
        solid = (
            Rod(name, tube.at(tube.sunk_to_mm), tube.at(tube.top_mm), stand.outer_mm / 2.0),
            Rod(f"the collar of {name}", tube.at(below), tube.at(-offset), stand.collar_mm / 2.0),
        )
        drilling = order.drilling(depth_reading_mm(offset, way.length_mm))
        found.append(Channel(solid, drilling.swept(str(number + 1), tube.at(-offset), tube.axis)))
    return tuple(found)

"""Where everything on a guide goes: the best seat on which sleeve and wires find room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, RigidTransform, unit
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.label import Label, plate_points
from guidegen.guide.marks import Identity, marks_of, pads_of, plates_of
from guidegen.guide.order import Order
from guidegen.guide.pads import Lean, flank_places, head_pad, under_pad
from guidegen.guide.patch import Patch, lay_patch
from guidegen.guide.pins import BONE, BOSS, WIRE, Line, Wires, choose_pins
from guidegen.guide.placement import Tube, place_tube
from guidegen.guide.pose import print_down
from guidegen.guide.relief import Flags, Relief, relieved, sturdy
from guidegen.guide.rim import BALL_MM, Hole, lifted
from guidegen.guide.rods import Rod, require_apart
from guidegen.guide.sights import Sight, Taken, choose_probes, choose_windows, sight_at
from guidegen.guide.stands import (
    Stand,
    Standing,
    Way,
    channels,
    entry_room_mm,
    is_fan,
    off_relief,
    over_relief,
    stand_up,
)
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown_beside
from guidegen.seat.footprint import Footprint
from guidegen.seat.ground import Ground
from guidegen.seat.seat import Seat
from guidegen.seat.zones import Zones

FIELD_MARGIN_MM = 34.0  # of height field beside the footprint: the sleeve leans out over the bone
NEAR_MM = 9.0  # beside the patch the field is exact too: the rim lies there
ROOT_WIDER_MM = 3.0  # how much wider than its tube a sleeve's root is, with its fillet
PLATES_MM = 6.0  # how far beside its tube a sleeve's plates and collar reach
SPARE_MM = 1.0  # of shell beside a notch
OVER_BOSS_MM = 8.0  # a wire's hole goes on so far over its boss, where the shell or a fillet rises beside it
TILT_SPARE_DEG = 3.0  # of a pad, beyond what the printer prints without props
MOST_TRIES = 16  # seats, best first
STURDIER_MM = 0.5  # than the printer's thinnest wall: what is left between a relief and a bore or the rim
RIB_SHARE = 0.6  # of the sleeve that stands off, how much the rib holds
NOTCH_MM = 12.0  # how far off the outline the vastus ridge may lie for a notch to show it
MOST_OFF_RIDGE_MM = 2.0  # of the place that a notch shows: a finger feels the ridge to within 3


@dataclass(frozen=True, eq=False)
class Task:
    """What a guide is laid out for: its tunnels in LPS mm, the level of the lesser trochanter above the head centre,
    the side and what is written on it, and what it is made to.
    """

    tunnels: tuple[Tunnel, ...]
    lesser_mm: float
    side: str
    identity: Identity
    order: Order

    @property
    def is_fan(self) -> bool:
        """Whether all tunnels share one entry."""
        return is_fan(self.tunnels)

    def ways(self, frame: RigidTransform) -> tuple[Way, ...]:
        """The tunnels in a frame."""
        found = []
        for tunnel in self.tunnels:
            entry, target = frame.points(tunnel.entry_mm), frame.points(tunnel.target_mm)
            found.append(Way(entry, target, unit(target - entry), tunnel.length_mm, tunnel.sleeve_offset_mm or 0.0))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Layout:
    """A guide before it has a body, in the guide's frame.

    `patch` is the contact on the bone's field; `under` is where the guide may begin: the bone grown by the clearance,
    or the relief over what is kept out. `ways`: the tunnels, and `standing` what leads their drills. `ribs_mm` (3, 3):
    the triangle of the web under each stand that does not stand square. `notch`: the vastus ridge, where a notch of the
    rim shows it; None where it is too far. `down` (3,): which way is down in print.
    """

    seat: Seat
    footprint: Footprint
    bone_field: HeightField
    patch: Patch
    relief: Relief
    ways: tuple[Way, ...]
    standing: Standing
    bosses: tuple[Tube, ...]
    wires: Wires
    ribs_mm: tuple[FloatArray, ...]
    windows: tuple[Sight, ...]
    probes: tuple[Sight, ...]
    notch: Sight | None
    labels: tuple[Label, ...]
    down: FloatArray

    @property
    def genus(self) -> int:
        """How many holes go through the guide: those of sleeves, wires, windows and probes."""
        return len(self.standing.stands) + len(self.bosses) + len(self.windows) + len(self.probes)

    @property
    def under(self) -> HeightField:
        """Where the guide may begin."""
        return self.relief.under


def lay_out(ground: Ground, zones: Zones, seats: list[Seat], task: Task) -> Layout:
    """The layout on the first of the seats (in the ground's frame, LPS) that has room for everything.

    NoSafeGuide of the best seat where none of the first MOST_TRIES has room. A seat is tried on the bone's field merely
    raised by the clearance, which is nearly the exact one and takes a tenth of its time.
    """
    best: NoSafeGuide | None = None
    order = task.order
    for seat in seats[:MOST_TRIES]:
        local, near = ground.transformed(seat.frame), zones.transformed(seat.frame)
        footprint = seat.footprint.transformed(seat.frame)
        field, patch = _field(local, footprint)
        raised = replace(field, height_mm=field.height_mm + order.clearance_mm)
        try:
            rough = _laid_out(seat, local, near, footprint, patch, raised, task)
        except NoSafeGuide as refusal:
            best = best or refusal
            continue
        exact = grown(field, local.bone, order.clearance_mm, patch.edge_mm > -NEAR_MM)
        shell = order.template.shell
        holes = [contact_hole(stand, order) for stand in rough.standing.stands]
        exact = lifted(exact, local.bone, footprint, holes, shell.rim_width_mm, order.clearance_mm, shell.rim_relief_mm)
        return _laid_out(seat, local, near, footprint, patch, exact, task)
    assert best is not None, "there is at least one seat"
    raise best


def contact_hole(stand: Stand, order: Order) -> Hole:
    """What is hollow of a stand, where it comes through the contact."""
    least = order.printer.build.least_wall_mm + STURDIER_MM + BALL_MM
    return Hole(stand.tube.point_mm, stand.tube.axis, stand.mouth_mm / 2.0, least)


def _field(local: Ground, footprint: Footprint) -> tuple[HeightField, Patch]:
    """The bone's height field round a footprint, and the patch on it."""
    covered = np.argwhere(footprint.covers)
    levels, turns = footprint.levels_mm[covered[:, 0]], np.radians(footprint.turns_deg[covered[:, 1]])
    zones = footprint.zones
    around = np.cos(turns)[:, None] * zones.lateral + np.sin(turns)[:, None] * zones.front
    rough = zones.origin_mm + levels[:, None] * zones.up + BONE_RADIUS_MM * around
    low, high = rough.min(axis=0)[:2] - FIELD_MARGIN_MM, rough.max(axis=0)[:2] + FIELD_MARGIN_MM
    field = look_down(local.bone, low, high)
    return field, lay_patch(field, footprint)


BONE_RADIUS_MM = 20.0


def _laid_out(
    seat: Seat, local: Ground, zones: Zones, footprint: Footprint, patch: Patch, under: HeightField, task: Task
) -> Layout:
    """Everything in its place on one seat, all in the guide's frame; NoSafeGuide where something has none."""
    order = task.order
    relief = relieved(patch.field, under, local)
    patch = replace(patch, bears=patch.bears & ~relief.tall)
    ways = task.ways(seat.frame)
    _require_entries_inside(patch, ways, entry_room_mm(task.tunnels, order))
    standing = stand_up(ways, task.is_fan, under, order, task.identity.plan_hash)
    ribs = _ribs(patch, standing, order)
    down = print_down(standing.outwards, order.printer.build.steepest_overhang_deg - standing.spread_deg)
    pointer = order.template.pointer
    notch = _notch(patch, zones, down, pointer.width_mm) if pointer.on else None
    wires = _wires(patch, zones, local, standing, ribs, notch, ways, task)
    bosses = [
        place_tube(under, point, way, order.wire_hole_mm, order.boss_mm, order.template.pins.guided_length_mm)
        for point, way in zip(wires.points_mm, wires.directions, strict=True)
    ]
    if relief.there.any():
        relief, standing, bosses = _over_relief(relief, under, patch, standing, bosses, ways, local, order)
    if len(ways) > 1:
        require_apart(channels(standing, ways, order), order.apart_mm, _pinned(bosses, wires, order))
    taken = _taken(standing, bosses, ribs, relief, patch.field, order)
    if notch is not None:
        taken.append(Taken(notch.point_mm[None], order.template.pointer.width_mm / 2.0))
    raised = Taken(relief.raised_mm(order.clearance_mm), order.outside_mm)
    labels, pads = _labels(patch, local, zones, standing, ways, bosses, down, taken, raised, task)
    taken += [Taken(plate_points(pad), 0.0) for pad in pads]
    windows, probes = _sights(patch, down, taken, _likely_motions(seat, zones), order)
    return Layout(
        seat, footprint, patch.field, patch, relief, ways, standing, tuple(bosses), wires, ribs, windows, probes, notch,
        labels, down,
    )  # fmt: skip


def _labels(
    patch: Patch, local: Ground, zones: Zones, standing: Standing, ways: tuple[Way, ...], bosses: list[Tube],
    down: FloatArray, taken: list[Taken], raised: Taken, task: Task,
) -> tuple[tuple[Label, ...], list[Label]]:  # fmt: skip
    """All that is written on the guide, and of that what stands on the shell: which way is up, and each text that has
    no room beside the drill. `raised`: the shell where it passes over what is kept out.
    """
    order, front = task.order, zones.front
    lean = Lean(down, 90.0 - order.printer.build.steepest_overhang_deg + TILT_SPARE_DEG)
    holes = np.concatenate([_dense(boss.at(0.0), boss.at(boss.top_mm - OVER_BOSS_MM)) for boss in bosses])
    tubes = [_tube(stand.tube, 0.0, stand.flank_mm / 2.0) for stand in standing.stands]
    tubes += [_tube(boss, 0.0, order.boss_mm / 2.0) for boss in bosses]
    places = flank_places(patch, lean, holes, order.wire_hole_mm / 2.0, (*tubes, raised))
    head = head_pad(patch, local.bone, order.outside_mm, places, taken, order.label)
    marks = marks_of(standing, ways, task.identity, task.side, front, order)
    plates, left = plates_of(marks, standing, front, local.bone, order)
    beside = [*taken, under_pad(head, order.outside_mm)]
    pads = [head, *pads_of(left, patch, local.bone, front, places, beside, order)]
    return (*plates, *pads), pads


def _sights(
    patch: Patch, down: FloatArray, taken: list[Taken], motions: FloatArray, order: Order
) -> tuple[tuple[Sight, ...], tuple[Sight, ...]]:
    """Windows and probe holes."""
    window, probe = order.template.window, order.template.probe
    windows = choose_windows(patch, down, window.diameter_mm / 2.0, window.most, taken, motions)
    beside = [*taken, *(Taken(each.point_mm[None], window.diameter_mm / 2.0) for each in windows)]
    return tuple(windows), tuple(choose_probes(patch, down, probe.diameter_mm / 2.0, probe.count, beside))


def _taken(
    standing: Standing, bosses: list[Tube], ribs: tuple[FloatArray, ...], relief: Relief, field: HeightField,
    order: Order,
) -> list[Taken]:  # fmt: skip
    """What stands on the shell, and bone that does not bear: no hole there."""
    taken = [_tube(each.tube, each.tube.guided_to_mm, each.flank_mm / 2.0 + PLATES_MM) for each in standing.stands]
    taken += [_tube(boss, 0.0, order.boss_mm / 2.0) for boss in bosses]
    taken += [Taken(_dense(rib[0], rib[2]), order.template.sleeve.rib_thickness_mm / 2.0) for rib in ribs]
    if relief.there.any():
        taken.append(Taken(_spots(field, relief.there), 0.0))
    return taken


def _tube(tube: Tube, from_mm: float, radius_mm: float) -> Taken:
    """What a tube takes from somewhere on its axis to its top."""
    return Taken(_dense(tube.at(from_mm), tube.at(tube.top_mm)), radius_mm)


def _likely_motions(seat: Seat, zones: Zones) -> FloatArray:
    """The seat's likely motions (M, 6) in the guide's frame: shift in mm and turn in radians."""
    axes = np.stack([zones.up, zones.lateral, zones.front])
    return np.concatenate([seat.motions[:, :3] @ axes, np.radians(seat.motions[:, 3:]) @ axes], axis=1)


def _wires(
    patch: Patch, zones: Zones, local: Ground, standing: Standing, ribs: tuple[FloatArray, ...], notch: Sight | None,
    ways: tuple[Way, ...], task: Task,
) -> Wires:  # fmt: skip
    order, pins = task.order, task.order.template.pins
    lines = [
        Line(way.entry_mm, way.target_mm, tunnel.diameter_mm / 2.0 + pins.tunnel_distance_mm, BONE)
        for way, tunnel in zip(ways, task.tunnels, strict=True)
    ]
    for stand in standing.stands:
        tube = stand.tube
        under = tube.top_mm + order.template.sleeve.collar_height_mm
        lines += [
            Line(tube.at(tube.sunk_to_mm), tube.at(tube.top_mm), stand.outer_mm / 2.0 + ROOT_WIDER_MM, BOSS),
            Line(tube.at(under), tube.at(tube.top_mm), stand.collar_mm / 2.0, BOSS),
        ]
    if notch is not None:
        edge = notch.point_mm + pins.boss_edge_mm * notch.direction
        lines.append(Line(notch.point_mm, edge, order.template.pointer.width_mm / 2.0 + SPARE_MM, BOSS))
    lines += [Line(rib[0], rib[2], order.template.sleeve.rib_thickness_mm / 2.0, BOSS) for rib in ribs]
    if len(ways) > 1:
        lines += _moving(standing, ways, order)
    return choose_pins(patch, zones, local, lines, pins, order.kit.pin, order.boss_mm / 2.0, task.lesser_mm)


def _moving(standing: Standing, ways: tuple[Way, ...], order: Order) -> list[Line]:
    """What comes and goes along several tunnels past the wires: drills, stops and inserts, and a chuck down to the stop
    face, however short the drill is held.
    """
    rods = [rod for channel in channels(standing, ways, order) for rod in channel.moving]
    lines = [Line(rod.start_mm, rod.end_mm, rod.radius_mm + order.apart_mm, WIRE) for rod in rods]
    drill = order.kit.drill
    for number, way in enumerate(ways):
        face = way.entry_mm - standing.offset_mm(number) * way.axis
        far = face - drill.chuck_length_mm * way.axis
        lines.append(Line(face, far, drill.chuck_diameter_mm / 2.0 + order.apart_mm, WIRE))
    return lines


def _pinned(bosses: list[Tube], wires: Wires, order: Order) -> list[Rod]:
    """The bosses, and what stands out of the bone of the wires in them."""
    radius, rods = order.kit.pin.diameter_mm / 2.0, []
    for number, (boss, depth) in enumerate(zip(bosses, wires.depths_mm, strict=True), start=1):
        rods.append(Rod(f"pin boss {number}", boss.at(boss.sunk_to_mm), boss.at(boss.top_mm), order.boss_mm / 2.0))
        rods.append(Rod(f"wire {number}", boss.at(0.0), boss.at(depth - order.kit.pin.length_mm), radius))
    return rods


def _ribs(patch: Patch, standing: Standing, order: Order) -> tuple[FloatArray, ...]:
    """For each stand that does not stand square the triangle (3, 3) of the web that holds it up from the shell, in the
    plane of its axis and the removal direction: its foot, a point up on it, and the shell below that.
    """
    found = (_rib(patch, stand, order.template.sleeve.rib_thickness_mm / 2.0, order) for stand in standing.stands)
    return tuple(rib for rib in found if rib is not None)


def _rib(patch: Patch, stand: Stand, half_mm: float, order: Order) -> FloatArray | None:
    tube = stand.tube
    up_mm = tube.guided_to_mm + RIB_SHARE * (tube.top_mm - tube.guided_to_mm)
    foot, high = tube.at(tube.guided_to_mm), tube.at(up_mm)
    way = (high - foot)[:2]
    if np.linalg.norm(way) < stand.foot_mm / 2.0:
        return None
    shares = np.linspace(1.0, 0.2, 33)
    spots = foot[:2] + shares[:, None] * way
    inside = np.flatnonzero(patch.edge_distance_mm(spots) > half_mm)
    if len(inside) == 0:
        return None
    spot = spots[inside[0]]
    low = np.array([*spot, float(patch.field.at(spot[None])[0]) + order.outside_mm / 2.0])
    return np.stack([foot, high, low])


def _notch(patch: Patch, zones: Zones, down: FloatArray, width_mm: float) -> Sight | None:
    """The middle of the notch of the rim whose bottom shows the vastus ridge; None where the ridge is too far from the
    rim, or where the bone is not seen there from where the guide comes.
    """
    ridge, field = zones.ridge_mm + [0.0, width_mm / 2.0, 0.0], patch.field
    if abs(float(patch.edge_distance_mm(ridge[None])[0])) > NOTCH_MM:
        return None
    x, y = np.meshgrid(field.x_mm, field.y_mm, indexing="ij")
    away = np.linalg.norm(np.stack([x, y, field.height_mm], axis=-1) - ridge, axis=-1)
    nearest = np.unravel_index(int(np.argmin(away)), away.shape)
    if away[nearest] > MOST_OFF_RIDGE_MM:
        return None
    return sight_at(patch, np.array([x[nearest], y[nearest]]), down)


def _over_relief(
    relief: Relief, under: HeightField, patch: Patch, standing: Standing, bosses: list[Tube], ways: tuple[Way, ...],
    local: Ground, order: Order,
) -> tuple[Relief, Standing, list[Tube]]:  # fmt: skip
    """The relief made sturdy beside everything, and stands and bosses moved out over it."""
    holes = [(stand.tube, stand.hollow_mm / 2.0) for stand in standing.stands]
    holes += [(boss, order.wire_hole_mm / 2.0) for boss in bosses]
    thinnest = order.printer.build.least_wall_mm + STURDIER_MM
    relief = sturdy(relief, under, ~patch.bears & ~relief.there, holes, thinnest)
    standing = over_relief(standing, ways, relief, local, order)
    return relief, standing, [off_relief(relief, boss, order.wire_hole_mm, order.boss_mm, local) for boss in bosses]


def _require_entries_inside(patch: Patch, ways: tuple[Way, ...], needed_mm: float) -> None:
    room = float(patch.edge_distance_mm(np.array([way.entry_mm for way in ways])).min())
    if room < needed_mm:
        raise NoSafeGuide(
            f"expected each tunnel's entry at least {needed_mm:g} mm inside the shell, found one "
            f"{shown_beside(room, needed_mm, 1)} mm inside; choose a larger footprint or an entry nearer to the "
            "middle of the bone",
            rule="entry_inside_shell",
            figures={"entry_inside_mm": room},
        )


def _dense(start_mm: FloatArray, end_mm: FloatArray) -> FloatArray:
    """Points along the line between two points (3,)."""
    return np.asarray(start_mm + np.linspace(0.0, 1.0, 40)[:, None] * (end_mm - start_mm))


def _spots(field: HeightField, there: Flags) -> FloatArray:
    """Every third point of the field in each direction (K, 3) that is marked."""
    index = np.argwhere(there)
    i, j = index[(index % 3 == 0).all(axis=1)].T
    return np.stack([field.x_mm[i], field.y_mm[j], field.height_mm[i, j]], axis=1)

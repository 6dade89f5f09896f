"""Where everything on a guide goes: the best seat on which sleeve and wires find room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, unit
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.label import Label, Lean, head_pad, pad_points
from guidegen.guide.patch import Patch, lay_patch
from guidegen.guide.pins import Line, Wires, choose_pins
from guidegen.guide.placement import Tube, place_tube
from guidegen.guide.pose import print_down
from guidegen.guide.relief import Flags, Relief, relieved, sturdy
from guidegen.guide.rim import BALL_MM, Hole, lifted
from guidegen.guide.sights import Sight, Taken, choose_probes, choose_windows, sight_at
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.guide_shapes import GuideTemplate
from guidegen.plan.kits import Kit
from guidegen.plan.printers import Printer
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.plan.tunnel import Tunnel
from guidegen.seat.footprint import Footprint
from guidegen.seat.ground import Ground
from guidegen.seat.seat import Seat
from guidegen.seat.zones import Zones

FIELD_MARGIN_MM = 34.0  # of height field beside the footprint: the sleeve leans out over the bone
NEAR_MM = 9.0  # beside the patch the field is exact too: the rim lies there
ROOT_WIDER_MM = 3.0  # how much wider than its tube a sleeve's root is, with its fillet
PLATES_MM = 6.0  # how far beside its tube a sleeve's plates and collar reach
SPARE_MM = 1.0  # of shell beside a notch
TILT_SPARE_DEG = 3.0  # of a pad, beyond what the printer prints without props
MOST_TRIES = 16  # seats, best first
STURDIER_MM = 0.5  # than the printer's thinnest wall: what is left between a relief and a bore or the rim
MOST_PUSHED_MM = 10.0  # that a relief may take sleeve or boss off the bone: so much more of the tool is unguided
RIB_SHARE = 0.6  # of the sleeve that stands off, how much the rib holds
NOTCH_MM = 12.0  # how far off the outline the vastus ridge may lie for a notch to show it
MOST_OFF_RIDGE_MM = 2.0  # of the place that a notch shows: a finger feels the ridge to within 3


@dataclass(frozen=True, eq=False)
class Order:
    """What a guide is made to: kit, shape, printer, the gap to the bone, and the sleeve's sizes."""

    kit: Kit
    template: GuideTemplate
    printer: Printer
    clearance_mm: float
    sizes: SleeveSizes

    @property
    def wire_hole_mm(self) -> float:
        """The hole for a wire, on the diameter."""
        return self.kit.pin.diameter_mm + self.printer.bores.pin_clearance_mm

    @property
    def boss_mm(self) -> float:
        """The boss round it, on the diameter."""
        return self.wire_hole_mm + 2.0 * self.template.pins.wall_mm

    @property
    def outside_mm(self) -> float:
        """From the bone to the shell's outside."""
        return self.clearance_mm + self.template.shell.thickness_mm

    @property
    def printed_guide_mm(self) -> float:
        """How long the printed hole leads all the way round."""
        return self.template.sleeve.guided_for(self.kit)


@dataclass(frozen=True, eq=False)
class Layout:
    """A guide before it has a body, in the guide's frame.

    `patch` is the contact on the bone's field; `under` is where the guide may begin: the bone grown by the clearance,
    or the relief over what is kept out. `rib_mm` (3, 3): the triangle of the web under the sleeve, None where it stands
    square. `notch`: the vastus ridge, where a notch of the rim shows it; None where it is too far.
    """

    seat: Seat
    footprint: Footprint
    bone_field: HeightField
    patch: Patch
    relief: Relief
    tube: Tube
    bosses: tuple[Tube, ...]
    wires: Wires
    rib_mm: FloatArray | None
    windows: tuple[Sight, ...]
    probes: tuple[Sight, ...]
    notch: Sight | None
    pad: Label
    down: FloatArray

    @property
    def under(self) -> HeightField:
        """Where the guide may begin."""
        return self.relief.under


def lay_out(ground: Ground, zones: Zones, seats: list[Seat], tunnel: Tunnel, lesser_mm: float, order: Order) -> Layout:
    """The layout on the first of the seats (in the ground's frame, LPS) that has room for everything.

    `lesser_mm`: the level of the lesser trochanter above the head centre. NoSafeGuide of the best seat where none of
    the first MOST_TRIES has room. A seat is tried on the bone's field merely raised by the clearance, which is nearly
    the exact one and takes a tenth of its time.
    """
    best: NoSafeGuide | None = None
    for seat in seats[:MOST_TRIES]:
        local, near = ground.transformed(seat.frame), zones.transformed(seat.frame)
        footprint = seat.footprint.transformed(seat.frame)
        field, patch = _field(local, footprint)
        rough = replace(field, height_mm=field.height_mm + order.clearance_mm)
        try:
            _laid_out(seat, local, near, footprint, patch, rough, tunnel, lesser_mm, order)
        except NoSafeGuide as refusal:
            best = best or refusal
            continue
        exact = grown(field, local.bone, order.clearance_mm, patch.edge_mm > -NEAR_MM)
        shell = order.template.shell
        hole = _hole(seat, tunnel, order)
        exact = lifted(
            exact, local.bone, footprint, [hole], shell.rim_width_mm, order.clearance_mm, shell.rim_relief_mm
        )
        return _laid_out(seat, local, near, footprint, patch, exact, tunnel, lesser_mm, order)
    assert best is not None, "there is at least one seat"
    raise best


def _hole(seat: Seat, tunnel: Tunnel, order: Order) -> Hole:
    """The sleeve's bore where it comes through the contact."""
    least = order.printer.build.least_wall_mm + STURDIER_MM + BALL_MM
    return Hole(seat.frame.points(tunnel.entry_mm), seat.frame.vectors(tunnel.axis), order.sizes.hole_mm / 2.0, least)


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
    seat: Seat, local: Ground, zones: Zones, footprint: Footprint, patch: Patch, under: HeightField, tunnel: Tunnel,
    lesser_mm: float, order: Order,
) -> Layout:  # fmt: skip
    """Everything in its place on one seat, all in the guide's frame; NoSafeGuide where something has none."""
    shape, sizes = order.template, order.sizes
    relief = relieved(patch.field, under, local)
    patch = replace(patch, bears=patch.bears & ~relief.tall)
    entry, target = seat.frame.points(tunnel.entry_mm), seat.frame.points(tunnel.target_mm)
    axis = unit(target - entry)
    _require_entry_inside(patch, entry, order)
    tube = _at_stop(place_tube(under, entry, axis, sizes.hole_mm, sizes.tube_mm, order.printed_guide_mm), tunnel, order)
    rib = _rib(patch, tube, order)
    down = print_down(-axis, order.printer.build.steepest_overhang_deg)
    notch = _notch(patch, zones, down, shape.pointer.width_mm) if shape.pointer.on else None
    wires = _wires(patch, zones, local, tube, rib, notch, target, tunnel, lesser_mm, order)
    bosses = [
        place_tube(under, point, way, order.wire_hole_mm, order.boss_mm, shape.pins.guided_length_mm)
        for point, way in zip(wires.points_mm, wires.directions, strict=True)
    ]
    if relief.there.any():
        relief, tube, bosses = _over_relief(relief, under, patch, tube, bosses, tunnel, local, order)
    taken = _taken(tube, bosses, rib, relief, patch.field, order)
    if notch is not None:
        taken.append(Taken(notch.point_mm[None], shape.pointer.width_mm / 2.0))
    lean = Lean(down, 90.0 - order.printer.build.steepest_overhang_deg + TILT_SPARE_DEG)
    pad = head_pad(patch, local.bone, order.outside_mm, lean, taken, shape.label)
    taken.append(Taken(pad_points(pad), 0.0))
    windows = choose_windows(
        patch, down, shape.window.diameter_mm / 2.0, shape.window.most, taken, _likely_motions(seat, zones)
    )
    taken += [Taken(window.point_mm[None], shape.window.diameter_mm / 2.0) for window in windows]
    probes = choose_probes(patch, down, shape.probe.diameter_mm / 2.0, shape.probe.count, taken)
    return Layout(
        seat, footprint, patch.field, patch, relief, tube, tuple(bosses), wires, rib, tuple(windows), tuple(probes),
        notch, pad, down,
    )  # fmt: skip


def _taken(
    tube: Tube, bosses: list[Tube], rib: FloatArray | None, relief: Relief, field: HeightField, order: Order
) -> list[Taken]:
    """What stands on the shell, and bone that does not bear: no hole there."""
    taken = [Taken(_dense(tube.at(tube.guided_to_mm), tube.at(tube.top_mm)), order.sizes.tube_mm / 2.0 + PLATES_MM)]
    taken += [Taken(_dense(boss.at(0.0), boss.at(boss.top_mm)), order.boss_mm / 2.0) for boss in bosses]
    if rib is not None:
        taken.append(Taken(_dense(rib[0], rib[2]), order.template.sleeve.rib_thickness_mm / 2.0))
    if relief.there.any():
        taken.append(Taken(_spots(field, relief.there), 0.0))
    return taken


def _likely_motions(seat: Seat, zones: Zones) -> FloatArray:
    """The seat's likely motions (M, 6) in the guide's frame: shift in mm and turn in radians."""
    axes = np.stack([zones.up, zones.lateral, zones.front])
    return np.concatenate([seat.motions[:, :3] @ axes, np.radians(seat.motions[:, 3:]) @ axes], axis=1)


def _wires(
    patch: Patch, zones: Zones, local: Ground, tube: Tube, rib: FloatArray | None, notch: Sight | None,
    target: FloatArray, tunnel: Tunnel, lesser_mm: float, order: Order,
) -> Wires:  # fmt: skip
    pins = order.template.pins
    lines = [
        Line(tube.at(0.0), target, tunnel.diameter_mm / 2.0 + pins.tunnel_distance_mm, inside=True),
        Line(tube.at(tube.sunk_to_mm), tube.at(tube.top_mm), order.sizes.tube_mm / 2.0 + ROOT_WIDER_MM, inside=False),
        Line(
            tube.at(tube.top_mm + order.template.sleeve.collar_height_mm),
            tube.at(tube.top_mm),
            order.sizes.collar_mm / 2.0,
            inside=False,
        ),
    ]
    if notch is not None:
        edge = notch.point_mm + order.template.pins.boss_edge_mm * notch.direction
        lines.append(Line(notch.point_mm, edge, order.template.pointer.width_mm / 2.0 + SPARE_MM, inside=False))
    if rib is not None:
        lines.append(Line(rib[0], rib[2], order.template.sleeve.rib_thickness_mm / 2.0, inside=False))
    return choose_pins(patch, zones, local, lines, pins, order.kit.pin, order.boss_mm / 2.0, lesser_mm)


def _rib(patch: Patch, tube: Tube, order: Order) -> FloatArray | None:
    """The triangle (3, 3) of the web that holds the sleeve up from the shell, in the plane of sleeve and removal
    direction: the sleeve's foot, a point up the sleeve, and the shell below that; None where the sleeve stands square.
    """
    up_mm = tube.guided_to_mm + RIB_SHARE * (tube.top_mm - tube.guided_to_mm)
    foot, high = tube.at(tube.guided_to_mm), tube.at(up_mm)
    way = (high - foot)[:2]
    if np.linalg.norm(way) < order.sizes.tube_mm / 2.0:
        return None
    shares = np.linspace(1.0, 0.2, 33)
    spots = foot[:2] + shares[:, None] * way
    inside = np.flatnonzero(patch.edge_distance_mm(spots) > order.template.sleeve.rib_thickness_mm / 2.0)
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
    relief: Relief, under: HeightField, patch: Patch, tube: Tube, bosses: list[Tube], tunnel: Tunnel, local: Ground,
    order: Order,
) -> tuple[Relief, Tube, list[Tube]]:  # fmt: skip
    """The relief made sturdy beside everything, and tube and bosses moved out over it."""
    holes = [(tube, order.sizes.hole_mm / 2.0), *((boss, order.wire_hole_mm / 2.0) for boss in bosses)]
    thinnest = order.printer.build.least_wall_mm + STURDIER_MM
    relief = sturdy(relief, under, ~patch.bears & ~relief.there, holes, thinnest)
    tube = _at_stop(_off_relief(relief, tube, order.sizes.hole_mm, order.sizes.tube_mm, local), tunnel, order)
    bosses = [_off_relief(relief, boss, order.wire_hole_mm, order.boss_mm, local) for boss in bosses]
    return relief, tube, bosses


def _off_relief(relief: Relief, bare: Tube, bore_mm: float, outer_mm: float, local: Ground) -> Tube:
    """The tube moved out along its axis until it clears the relief; it still reaches down to the bone, where an oblique
    one comes out of the relief again. NoSafeGuide where its tool would be led too far off the bone.
    """
    tube = place_tube(relief.under, bare.point_mm, bare.axis, bore_mm, outer_mm, bare.guided_length_mm)
    pushed = bare.guided_to_mm - tube.guided_to_mm
    if pushed > MOST_PUSHED_MM:
        raise NoSafeGuide(
            f"expected the {' and '.join(local.keep_out.names)} to leave room for drill and wires to be led near the "
            f"bone, found one pushed {pushed:.0f} mm off, more than {MOST_PUSHED_MM:g} mm; choose another entry",
            rule=KEEP_OUT,
            figures={"pushed_mm": pushed},
        )
    return replace(tube, sunk_to_mm=max(tube.sunk_to_mm, bare.sunk_to_mm))


def _at_stop(tube: Tube, tunnel: Tunnel, order: Order) -> Tube:
    """The tube made longer outwards, so that the drill's stop rests at the planned distance from the cortex, or at the
    next one that the kit's stops are made for: the depth is read there. A metal sleeve's flange lies between the print
    and the stop. NoSafeGuide where no distance is enough.
    """
    kit, flange = order.kit, order.sizes.flange_height_mm
    needed = max(tunnel.sleeve_offset_mm or 0.0, flange - tube.top_mm)
    offsets = [each for each in kit.sleeve_offsets_mm if each >= needed - 1e-9]
    if not offsets:
        raise NoSafeGuide(
            f"expected a sleeve whose top is at most {max(kit.sleeve_offsets_mm):g} mm from the cortex, as far as the "
            f"kit's stops reach, found one at {needed:.1f} mm; choose another entry or a kit with larger offsets",
            rule="sleeve_offset_mm",
            figures={"sleeve_offset_mm": needed},
        )
    return replace(tube, top_mm=flange - min(offsets))


def _require_entry_inside(patch: Patch, entry: FloatArray, order: Order) -> None:
    room, needed = float(patch.edge_distance_mm(entry[None])[0]), order.kit.drill.diameter_mm / 2.0
    if room < needed:
        raise NoSafeGuide(
            f"expected the tunnel's entry at least {needed:g} mm inside the shell, found it {room:.1f} mm inside; "
            "choose a larger footprint or an entry nearer to the middle of the bone",
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

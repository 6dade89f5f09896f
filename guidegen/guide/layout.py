"""Where everything on a guide goes: the best seat on which sleeve and wires find room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray
from guidegen.seat.ground import Ground
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.outline import Outline, draw_outline
from guidegen.guide.pins import choose_pins
from guidegen.guide.placement import Tube, place_tube
from guidegen.guide.relief import Flags, Relief, relieved, sturdy
from guidegen.guide.seat import Seat
from guidegen.guide.windows import choose_windows
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.templates import Footprint, GuideTemplate, Kit, Printer
from guidegen.plan.tunnel import Tunnel

FIELD_MARGIN_MM = 32.0  # of height field beside the footprint: the sleeve leans out over the bone
NEAR_MM = 8.0  # beside the footprint the field is exact too
FOOT_WIDER_MM = 8.0  # the sleeve's diameter at its root, over that of the tube
MOST_TRIES = 60  # seats, best first; each takes up to half a second
STURDIER_MM = 0.5  # than the printer's thinnest wall: what is left between a relief and a bore or the rim
MOST_PUSHED_MM = 10.0  # that a relief may take sleeve or boss off the bone: so much more of the tool is unguided


@dataclass(frozen=True, eq=False)
class Bores:
    """The diameters in mm of the bores as printed, and of what is round them; and the thinnest wall beside a relief."""

    drill_mm: float
    sleeve_mm: float
    wire_mm: float
    boss_mm: float
    thinnest_mm: float

    @classmethod
    def of(cls, kit: Kit, template: GuideTemplate, printer: Printer) -> Bores:
        """The bores for these instruments on this printer."""
        drill = kit.drill.diameter_mm + printer.bores.drill_clearance_mm
        wire = kit.pin.diameter_mm + printer.bores.pin_clearance_mm
        sleeve, boss = drill + 2.0 * template.sleeve.wall_mm, wire + 2.0 * template.pins.wall_mm
        return cls(drill, sleeve, wire, boss, printer.build.least_wall_mm + STURDIER_MM)


@dataclass(frozen=True, eq=False)
class Layout:
    """A guide before it has a body, in the guide's frame.

    `field` is the bone as seen, `base` the same with the relief over what is kept out, on which the shell is
    laid; the guide begins at `relief.under`.
    """

    seat: Seat
    field: HeightField
    base: HeightField
    relief: Relief
    outline: Outline
    tube: Tube
    bosses: tuple[Tube, ...]
    windows_mm: tuple[FloatArray, ...]


def lay_out(
    ground: Ground,
    seats: list[Seat],
    tunnel: Tunnel,
    clearance_mm: float,
    kit: Kit,
    template: GuideTemplate,
    bores: Bores,
) -> Layout:
    """The layout on the first of the seats (in the ground's frame, LPS) that has room for everything.

    NoSafeGuide of the best seat where none of the first MOST_TRIES has. A seat is tried on the bone's field merely
    raised by the clearance, which is nearly the exact one and takes a tenth of its time.
    """
    best: NoSafeGuide | None = None
    for seat in seats[:MOST_TRIES]:
        local = ground.transformed(seat.frame)
        field = _field(local, seat.footprint)
        rough = replace(field, height_mm=field.height_mm + clearance_mm)
        try:
            _laid_out(seat, local, field, rough, tunnel, clearance_mm, kit, template, bores)
        except NoSafeGuide as refusal:
            best = best or refusal
            continue
        exact = grown(field, local.bone, clearance_mm, _near(field, seat.footprint))
        return _laid_out(seat, local, field, exact, tunnel, clearance_mm, kit, template, bores)
    assert best is not None, "there is at least one seat"
    raise best


def _field(local: Ground, footprint: Footprint) -> HeightField:
    half = np.array([footprint.width_mm, footprint.length_mm]) / 2.0
    return look_down(local.bone, -half - FIELD_MARGIN_MM, half + FIELD_MARGIN_MM)


def _near(field: HeightField, footprint: Footprint) -> Flags:
    half = (footprint.width_mm / 2.0, footprint.length_mm / 2.0)
    x, y = (np.abs(grid) < side + NEAR_MM for grid, side in zip((field.x_mm, field.y_mm), half, strict=True))
    return np.asarray(x[:, None] & y[None, :])


def _laid_out(
    seat: Seat,
    local: Ground,
    field: HeightField,
    under: HeightField,
    tunnel: Tunnel,
    clearance_mm: float,
    kit: Kit,
    template: GuideTemplate,
    bores: Bores,
) -> Layout:
    """Everything in its place on one seat; NoSafeGuide where something has none. `local` is in the guide's frame."""
    relief = relieved(field, under, local)
    outline = draw_outline(field, seat.footprint, template.shell, relief.tall)
    entry, target = seat.frame.points(tunnel.entry_mm), seat.frame.points(tunnel.target_mm)
    axis = seat.frame.vectors(tunnel.axis)
    _require_entry_inside(outline, entry, kit)
    tube = place_tube(under, entry, axis, bores.drill_mm, bores.sleeve_mm, template.sleeve.guided_for(kit))
    tube = _at_stop(tube, tunnel.sleeve_offset_mm, kit)
    wires = choose_pins(
        field, outline, entry, target, tunnel.diameter_mm / 2.0, tube, bores.sleeve_mm / 2.0 + FOOT_WIDER_MM / 4.0,
        template.pins, kit.pin, bores.boss_mm / 2.0, local,
    )  # fmt: skip
    bosses = [
        place_tube(under, point, way, bores.wire_mm, bores.boss_mm, template.pins.guided_length_mm)
        for point, way in wires
    ]
    if relief.there.any():
        holes = [(tube, bores.drill_mm / 2.0), *((boss, bores.wire_mm / 2.0) for boss in bosses)]
        relief = sturdy(relief, under, _outside(field, outline), holes, bores.thinnest_mm)
        tube = _off_relief(relief, tube, bores.drill_mm, bores.sleeve_mm, local)
        tube = _at_stop(tube, tunnel.sleeve_offset_mm, kit)
        bosses = [_off_relief(relief, boss, bores.wire_mm, bores.boss_mm, local) for boss in bosses]
    base = replace(field, height_mm=np.where(relief.there, relief.under.height_mm - clearance_mm, field.height_mm))
    lines = [(_dense(np.stack([tube.at(0.0), tube.at(tube.top_mm)])), bores.sleeve_mm / 2.0)]
    lines += [(boss.at(0.0)[None], bores.boss_mm / 2.0) for boss in bosses]
    if relief.there.any():  # a window shows bone that bears
        lines.append((_spots(field, relief.there), 0.0))
    windows = choose_windows(outline, template.window.diameter_mm / 2.0, lines)
    return Layout(seat, field, base, relief, outline, tube, tuple(bosses), tuple(windows))


def _outside(field: HeightField, outline: Outline) -> Flags:
    """Which points (X, Y) of the field lie outside the shell."""
    import matplotlib.path

    grid = np.stack(np.meshgrid(field.x_mm, field.y_mm, indexing="ij"), axis=-1).reshape(-1, 2)
    inside = matplotlib.path.Path(outline.polygon_mm).contains_points(grid)
    return np.asarray(~inside.reshape(field.height_mm.shape))


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


def _at_stop(tube: Tube, planned_mm: float | None, kit: Kit) -> Tube:
    """The tube made longer outwards, to the planned distance from the cortex to its top, or to the next one that the
    kit's stops are made for: the depth is read there. NoSafeGuide where none is enough.
    """
    offsets = [each for each in kit.sleeve_offsets_mm if each >= max(planned_mm or 0.0, -tube.top_mm) - 1e-9]
    if not offsets:
        raise NoSafeGuide(
            f"expected a sleeve whose top is at most {max(kit.sleeve_offsets_mm):g} mm from the cortex, as far as the "
            f"kit's stops reach, found one at {-tube.top_mm:.1f} mm; choose another entry or a kit with larger offsets",
            rule="sleeve_offset_mm",
            figures={"sleeve_offset_mm": -tube.top_mm},
        )
    return replace(tube, top_mm=-min(offsets))


def _require_entry_inside(outline: Outline, entry: FloatArray, kit: Kit) -> None:
    room = float(outline.edge_distance_mm(entry[None])[0])
    if room < kit.drill.diameter_mm / 2.0:
        raise NoSafeGuide(
            f"expected the tunnel's entry at least {kit.drill.diameter_mm / 2.0:g} mm inside the shell, found it "
            f"{room:.1f} mm inside; choose a larger footprint or an entry nearer to the middle of the bone",
            rule="entry_inside_shell",
            figures={"entry_inside_mm": room},
        )


def _dense(ends: FloatArray) -> FloatArray:
    """Points along the line between two points (2, 3)."""
    return np.asarray(ends[0] + np.linspace(0.0, 1.0, 40)[:, None] * (ends[1] - ends[0]))


def _spots(field: HeightField, there: Flags) -> FloatArray:
    """Every third point of the field in each direction (K, 2) that is marked."""
    index = np.argwhere(there)
    index = index[(index % 3 == 0).all(axis=1)]
    return np.stack([field.x_mm[index[:, 0]], field.y_mm[index[:, 1]]], axis=1)

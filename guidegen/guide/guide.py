"""The guide: shell, sleeve, pins, windows and label, built in the one order that keeps it off the bone.

Everything that adds material comes first; then the bone, grown by the clearance and swept along the
removal direction, is taken away; then bores, pin holes, windows and text. A sleeve added after
the bone was taken away would pass every mesh test with its end inside the bone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray
from guidegen.guide import parts
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.label import Label, place_label
from guidegen.guide.outline import Outline, draw_outline, shell_solid
from guidegen.guide.pins import choose_pins
from guidegen.guide.placement import Tube, place_tube
from guidegen.guide.seat import END_MARGIN_MM, Seat, find_seat
from guidegen.guide.solids import along_axis, bore, part_solid, placed, to_surface
from guidegen.guide.windows import choose_windows
from guidegen.plan.templates import Footprint, GuideTemplate, Kit, Printer
from guidegen.plan.tunnel import Tunnel
from guidegen.surfaces import Surface
from guidegen.written import as_written

# The clearance covers 95 % of the error between printed guide and bone, one-sided: 1.645 standard deviations.
ONE_SIDED_95 = 1.645
CLEARANCE_STEP_MM = 0.01

FIELD_MARGIN_MM = 32.0  # of height field beside the footprint: the sleeve leans out over the bone
FOOT_WIDER_MM = 8.0  # the sleeve's diameter at its root, over that of the tube
CRUMB_MM3 = 1.0  # booleans may leave crumbs beside the guide; anything larger is a second part
OVERCUT_MM = 1.0
CONTACT_COSINE, CONTACT_REACH_MM = 0.7, 0.3  # a face that touches looks at the bone within 45°


@dataclass(frozen=True, eq=False)
class Sleeve:
    """The tube along a tunnel: `top_mm` (3,) is the middle of its outer end, on the axis."""

    tunnel: int
    inner_diameter_mm: float
    outer_diameter_mm: float
    drill_diameter_mm: float
    guided_length_mm: float
    top_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Pin:
    """A hole for a wire: where the wire meets the bone (3,), its direction into the bone, the outer end of its boss
    (3,).
    """

    point_mm: FloatArray
    direction: FloatArray
    hole_diameter_mm: float
    wire_diameter_mm: float
    wire_depth_mm: float
    guided_length_mm: float
    top_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Guide:
    """A guide in LPS mm as it sits on the bone. `label`'s places and directions are LPS too."""

    surface: Surface
    seat: Seat
    clearance_mm: float
    thickness_mm: float
    contact_area_mm2: float
    sleeves: tuple[Sleeve, ...]
    pins: tuple[Pin, ...]
    windows_mm: tuple[FloatArray, ...]
    label: Label


def clearance(printer: Printer, surface_error_mm: float) -> float:
    """The gap between guide and bone in mm: 95 % of print error and surface error together, at least the printer's
    own.
    """
    budget = ONE_SIDED_95 * float(np.hypot(printer.rms_error_mm, surface_error_mm))
    steps = np.ceil(max(budget, printer.least_clearance_mm) / CLEARANCE_STEP_MM - 1e-9)
    return float(round(steps * CLEARANCE_STEP_MM, 6))


def make_guide(
    bone: Surface,
    surface_error_mm: float,
    anatomy: Anatomy,
    tunnel: Tunnel,
    patient_id: str,
    size: str,
    kit: Kit,
    template: GuideTemplate,
    printer: Printer,
    make: parts.Make = parts.make,
) -> Guide:
    """A guide for one tunnel, in LPS mm; NoSafeGuide where no guide of this size keeps the template's rules.

    `make` makes the machined parts: here and now, or in a `Workshop` that was opened earlier.
    """
    footprint = template.sizes[size]
    seat = find_seat(bone, anatomy, tunnel, footprint, template.shell)
    gap = clearance(printer, surface_error_mm)
    local = bone.transformed(seat.frame)
    field, under = _fields(local, footprint, gap)
    outline = draw_outline(field, footprint, template.shell, _clear_of_scan_end(field, bone, anatomy, seat))
    entry, target = seat.frame.points(tunnel.entry_mm), seat.frame.points(tunnel.target_mm)
    axis = seat.frame.vectors(tunnel.axis)
    _require_entry_inside(outline, entry, kit)
    bore_mm = kit.drill.diameter_mm + printer.bore_clearance_mm
    outer_mm = bore_mm + 2.0 * template.sleeve.wall_mm
    tube = place_tube(under, entry, axis, bore_mm, outer_mm, template.sleeve.guided_length_mm)
    hole_mm = kit.pin.diameter_mm + printer.pin_clearance_mm
    boss_mm = hole_mm + 2.0 * template.pins.wall_mm
    wires = choose_pins(
        field, outline, entry, target, tunnel.diameter_mm / 2.0, tube, outer_mm / 2.0 + FOOT_WIDER_MM / 4.0,
        template.pins, kit.pin, boss_mm / 2.0,
    )  # fmt: skip
    bosses = [place_tube(under, point, way, hole_mm, boss_mm, template.pins.guided_length_mm) for point, way in wires]
    label = place_label(patient_id, anatomy.side, tube, outer_mm, template.label, template.sleeve)
    lines = [(np.stack([tube.at(0.0), tube.at(tube.top_mm)]), outer_mm / 2.0)]
    lines += [(boss.at(0.0)[None], boss_mm / 2.0) for boss in bosses]
    windows = choose_windows(outline, template.window.diameter_mm / 2.0, [(_dense(ends), r) for ends, r in lines])

    added = [shell_solid(field, outline, gap, template.shell.thickness_mm), label.plate(make)]
    added.append(_sleeve_solid(tube, outer_mm, template, make))
    added += [_boss_solid(boss, boss_mm, make) for boss in bosses]
    holes = [bore(tube.at(tube.top_mm - OVERCUT_MM), tube.at(tube.sunk_to_mm + OVERCUT_MM), bore_mm)]
    holes += [
        bore(boss.at(boss.top_mm - OVERCUT_MM), boss.at(boss.sunk_to_mm + OVERCUT_MM), hole_mm) for boss in bosses
    ]
    top = float(field.height_mm.max()) + 100.0
    holes += [_window_solid(spot, field, top, template.window.diameter_mm) for spot in windows]
    body = _in_order(added, under, [*holes, label.engraving(make)])
    back = seat.frame.inverse()
    surface = _as_written(body, seat)
    return Guide(
        surface=surface,
        seat=seat,
        clearance_mm=gap,
        thickness_mm=template.shell.thickness_mm,
        contact_area_mm2=_contact_area(surface, bone, gap),
        sleeves=(
            Sleeve(
                0, bore_mm, outer_mm, kit.drill.diameter_mm, tube.guided_length_mm, back.points(tube.at(tube.top_mm))
            ),
        ),
        pins=tuple(_pin(boss, hole_mm, kit, seat) for boss in bosses),
        windows_mm=tuple(back.points(np.array([*spot, float(field.at(spot[None])[0])])) for spot in windows),
        label=_label_in_lps(label, seat),
    )


def _fields(local: Surface, footprint: Footprint, gap_mm: float) -> tuple[HeightField, HeightField]:
    """The bone seen along the removal direction, and the same grown by the clearance, exactly under the guide."""
    half = np.array([footprint.width_mm, footprint.length_mm]) / 2.0
    field = look_down(local, -half - FIELD_MARGIN_MM, half + FIELD_MARGIN_MM)
    near_x, near_y = (np.abs(grid) < side + 8.0 for grid, side in zip((field.x_mm, field.y_mm), half, strict=True))
    return field, grown(field, local, gap_mm, near_x[:, None] & near_y[None, :])


def _clear_of_scan_end(field: HeightField, bone: Surface, anatomy: Anatomy, seat: Seat) -> Any:
    """Which rows (Y,) of the field lie further than a margin from the lower end of the bone."""
    center = int(np.argmin(np.abs(field.x_mm)))
    rows = np.c_[np.zeros(len(field.y_mm)), field.y_mm, field.height_mm[center]]
    level = seat.frame.inverse().points(rows) @ anatomy.shaft_axis
    return level > float((bone.vertices @ anatomy.shaft_axis).min()) + END_MARGIN_MM


def _require_entry_inside(outline: Outline, entry: FloatArray, kit: Kit) -> None:
    room = float(outline.edge_distance_mm(entry[None])[0])
    if room < kit.drill.diameter_mm / 2.0:
        raise NoSafeGuide(
            f"expected the tunnel's entry at least {kit.drill.diameter_mm / 2.0:g} mm inside the shell, found it "
            f"{room:.1f} mm inside; choose a larger footprint or an entry nearer to the middle of the bone",
            rule="entry_inside_shell",
            figures={"entry_inside_mm": room},
        )


def _sleeve_solid(tube: Tube, outer_mm: float, template: GuideTemplate, make: parts.Make) -> Any:
    collar_mm = outer_mm + 2.0 * (template.sleeve.collar_wall_mm - template.sleeve.wall_mm)
    body = make(
        "sleeve",
        tube.sunk_to_mm - tube.top_mm,
        outer_mm,
        collar_mm,
        template.sleeve.collar_height_mm,
        outer_mm + FOOT_WIDER_MM,
    )
    return placed(part_solid(body, "the sleeve"), along_axis(tube.at(tube.sunk_to_mm), -tube.axis))


def _boss_solid(boss: Tube, outer_mm: float, make: parts.Make) -> Any:
    body = part_solid(make("boss", boss.sunk_to_mm - boss.top_mm, outer_mm), "a pin boss")
    return placed(body, along_axis(boss.at(boss.sunk_to_mm), -boss.axis))


def _window_solid(spot: FloatArray, field: HeightField, top_mm: float, diameter_mm: float) -> Any:
    return bore(np.array([*spot, field.floor_mm]), np.array([*spot, top_mm]), diameter_mm)


def _dense(ends: FloatArray) -> FloatArray:
    """Points along the line between two points (2, 3), or the one point (1, 3) itself."""
    return np.asarray(ends[0] + np.linspace(0.0, 1.0, 40)[:, None] * (ends[-1] - ends[0]))


def _in_order(added: list[Any], under: HeightField, taken: list[Any]) -> Any:
    """Add everything, take the swept bone away, then the holes and the text; one body is left."""
    import manifold3d

    body = manifold3d.Manifold.batch_boolean(added, manifold3d.OpType.Add)
    bounds = np.array(body.bounding_box()).reshape(2, 3)
    body = body - under.solid_under(bounds[0], bounds[1])
    body = manifold3d.Manifold.batch_boolean([body, *taken], manifold3d.OpType.Subtract)
    bodies = sorted(body.decompose(), key=lambda part: -part.volume())
    # a cavity is a body of negative volume
    if not bodies or any(abs(part.volume()) > CRUMB_MM3 for part in bodies[1:]):
        raise NoSafeGuide(
            f"expected a guide in one piece without a cavity, found {len(bodies)} bodies (volumes "
            f"{', '.join(f'{part.volume():.0f} mm³' for part in bodies[:3])}); choose a larger footprint",
            rule="one_piece",
            figures={"pieces": float(len(bodies))},
        )
    return bodies[0]


def _as_written(body: Any, seat: Seat) -> Surface:
    """The guide in LPS as an STL holds it; NoSafeGuide where float32 leaves no sound solid of it."""
    surface = as_written(to_surface(body).transformed(seat.frame.inverse()))
    if surface is None:
        raise NoSafeGuide(
            "expected a guide that stays a sound solid in the STL's float32, found none; choose another size",
            rule="sound_solid",
            figures={},
        )
    return surface


def _contact_area(guide: Surface, bone: Surface, gap_mm: float) -> float:
    """The area in mm² of the guide's faces that look at the bone from within the clearance and a little more."""
    distance, face, _ = bone.nearest(guide.face_centers_mm)
    facing = (guide.face_normals * bone.face_normals[face]).sum(axis=1) < -CONTACT_COSINE
    return float(guide.face_areas_mm2[facing & (distance < gap_mm + CONTACT_REACH_MM)].sum())


def _pin(boss: Tube, hole_mm: float, kit: Kit, seat: Seat) -> Pin:
    back = seat.frame.inverse()
    return Pin(
        point_mm=back.points(boss.point_mm),
        direction=back.vectors(boss.axis),
        hole_diameter_mm=hole_mm,
        wire_diameter_mm=kit.pin.diameter_mm,
        wire_depth_mm=kit.pin.depth_mm,
        guided_length_mm=boss.guided_length_mm,
        top_mm=back.points(boss.at(boss.top_mm)),
    )


def _label_in_lps(label: Label, seat: Seat) -> Label:
    back = seat.frame.inverse()
    return Label(
        label.lines,
        label.text_height_mm,
        label.depth_mm,
        back.points(label.center_mm),
        back.vectors(label.reading_direction),
        back.vectors(label.up_direction),
        back.vectors(label.outward_direction),
        label.width_mm,
        label.height_mm,
    )

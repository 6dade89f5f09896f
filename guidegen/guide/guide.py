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
from guidegen.seat.ground import Ground
from guidegen.guide.height_field import HeightField
from guidegen.guide.label import Label, place_label
from guidegen.guide.layout import FOOT_WIDER_MM, Bores, Layout, lay_out
from guidegen.guide.outline import shell_solid
from guidegen.guide.placement import Tube
from guidegen.guide.seat import Seat, find_seats
from guidegen.guide.solids import along_axis, bore, part_solid, placed, to_surface, welded
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.plan.fit import Fit
from guidegen.plan.rules import Rules
from guidegen.plan.templates import GuideTemplate, Kit, Printer
from guidegen.plan.tunnel import Tunnel
from guidegen.surfaces import Surface
from guidegen.written import as_written

CRUMB_MM3 = 1.0  # booleans may leave crumbs beside the guide; anything larger is a second part
OVERCUT_MM = 1.0
WELD_MM = 1e-3  # corners nearer than this may cross each other when they are rounded to float32
CONTACT_COSINE, CONTACT_REACH_MM = 0.7, 0.3  # a face that touches looks at the bone within 45°


@dataclass(frozen=True, eq=False)
class Sleeve:
    """The tube along a tunnel: `top_mm` (3,) is the middle of its outer end on the axis, `offset_mm` off the entry."""

    tunnel: int
    inner_diameter_mm: float
    outer_diameter_mm: float
    drill_diameter_mm: float
    guided_length_mm: float
    top_mm: FloatArray
    offset_mm: float


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


def make_guide(
    bone: Surface,
    fit: Fit,
    anatomy: Anatomy,
    tunnel: Tunnel,
    patient_id: str,
    size: str,
    kit: Kit,
    template: GuideTemplate,
    printer: Printer,
    make: parts.Make = parts.make,
    keep_out: KeepOut = NOTHING,
    keep_out_mm: float = Rules.keep_out_min_mm,
) -> Guide:
    """A guide for one tunnel, in LPS mm; NoSafeGuide where no guide of this size keeps the template's rules.

    Nothing of it rests, and no wire runs, within `keep_out_mm` of `keep_out`. `make` makes the machined parts: here
    and now, or in a `Workshop` that was opened earlier.
    """
    gap, bores = fit.clearance_mm, Bores.of(kit, template, printer)
    ground = Ground.of(bone, anatomy.shaft_axis, keep_out, keep_out_mm)
    seats = find_seats(ground, anatomy, tunnel, template, size, kit.drill.diameter_mm / 2.0)
    layout = lay_out(ground, seats, tunnel, gap, kit, template, bores)
    label = place_label(patient_id, anatomy.side, layout.tube, bores.sleeve_mm, template.label, template.sleeve)
    surface = _as_written(_body(layout, label, gap, template, bores, make), layout.seat)
    back = layout.seat.frame.inverse()
    return Guide(
        surface=surface,
        seat=layout.seat,
        clearance_mm=gap,
        thickness_mm=template.shell.thickness_mm,
        contact_area_mm2=_contact_area(surface, bone, gap),
        sleeves=(_sleeve(layout.tube, bores, kit, layout.seat),),
        pins=tuple(_pin(boss, bores.wire_mm, kit, layout.seat) for boss in layout.bosses),
        windows_mm=tuple(
            back.points(np.array([*spot, float(layout.field.at(spot[None])[0])])) for spot in layout.windows_mm
        ),
        label=_label_in_lps(label, layout.seat),
    )


def _body(layout: Layout, label: Label, gap_mm: float, template: GuideTemplate, bores: Bores, make: parts.Make) -> Any:
    """The solid in the guide's frame: what is added, then the bone swept along the removal direction, then the
    holes.
    """
    tube, bosses, thickness = layout.tube, layout.bosses, template.shell.thickness_mm
    added = [shell_solid(layout.base, layout.outline, gap_mm, thickness, layout.relief.there), label.plate(make)]
    added.append(_sleeve_solid(tube, bores.sleeve_mm, template, make))
    added += [_boss_solid(boss, bores.boss_mm, make) for boss in bosses]
    holes = [bore(tube.at(tube.top_mm - OVERCUT_MM), tube.at(tube.sunk_to_mm + OVERCUT_MM), bores.drill_mm)]
    holes += [
        bore(boss.at(boss.top_mm - OVERCUT_MM), boss.at(boss.sunk_to_mm + OVERCUT_MM), bores.wire_mm) for boss in bosses
    ]
    top = float(layout.base.height_mm.max()) + 100.0
    holes += [_window_solid(spot, layout.field, top, template.window.diameter_mm) for spot in layout.windows_mm]
    return _in_order(added, layout.relief.under, [*holes, label.engraving(make)])


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
    exact = to_surface(body).transformed(seat.frame.inverse())
    surface = as_written(exact) or as_written(welded(exact, WELD_MM))
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


def _sleeve(tube: Tube, bores: Bores, kit: Kit, seat: Seat) -> Sleeve:
    top = seat.frame.inverse().points(tube.at(tube.top_mm))
    return Sleeve(0, bores.drill_mm, bores.sleeve_mm, kit.drill.diameter_mm, tube.guided_length_mm, top, -tube.top_mm)


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

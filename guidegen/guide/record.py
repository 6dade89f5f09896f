"""What plan.json says of the guide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guidegen.guide.fan_parts import FanInsert, FanSocket
from guidegen.guide.gauges import gauges_of
from guidegen.guide.guide import Guide, Pin, Sleeve
from guidegen.guide.label import Label
from guidegen.guide.marks import Identity
from guidegen.guide.metal import MetalPart
from guidegen.guide.soft_tissue import SoftTissue
from guidegen.guide.soft_tissue_record import soft_tissue_record
from guidegen.plan.fit import Fit
from guidegen.plan.printers import Printer
from guidegen.rounded import axis, number, point
from guidegen.seat.approach import Approach, approach_of
from guidegen.seat.best_fit import Spread
from guidegen.seat.seat import Seat
from guidegen.seat.surface_error import doubt_mm
from guidegen.seat.zones import Zones


def guide_record(
    guide: Guide, identity: Identity, fit: Fit, over: SoftTissue, surface_error_mm: float, printer: Printer
) -> dict[str, Any]:
    """The content of plan.json's `guide`; `over` is what lies between the guide and the skin, `surface_error_mm` what
    the bone's voxels account for of the error in its surface, which virtual surgery draws as large as the search for
    the seat does, or larger.
    """
    sizes = {seat.size: _size(seat, guide) for seat in sorted((guide.seat, *guide.others), key=lambda each: each.size)}
    found = {
        "size": guide.seat.size,
        "revision": identity.revision,
        "plan_hash": identity.plan_hash,
        "removal_direction": axis(guide.seat.removal_direction),
        "print_down": axis(guide.print_down),
        "clearance_mm": guide.clearance_mm,
        "print_clearance_mm": fit.print_clearance_mm,
        "periosteum_mm": fit.periosteum_mm,
        "surface_error_mm": number(doubt_mm(surface_error_mm)),
        "thickness_mm": guide.thickness_mm,
        "contact_area_mm2": number(guide.contact_area_mm2),
        "genus": guide.genus,
        "sleeves": [_sleeve(sleeve) for sleeve in guide.sleeves],
        "socket": None if guide.socket is None else _socket(guide.socket),
        "inserts": [_insert(insert) for insert in guide.inserts],
        "stop_collar": _turned(guide.stop),
        "wire_stop_collar": _turned(guide.wire_stop),
        "leaves_wire": guide.wire_left_mm is not None,
        "wire_left_mm": guide.wire_left_mm,
        "pins": [_pin(pin) for pin in guide.pins],
        "windows": [
            {
                "kind": hole.kind,
                "point_mm": point(hole.point_mm),
                "direction": axis(hole.direction),
                "diameter_mm": number(hole.diameter_mm),
            }
            for hole in guide.holes
        ],
        "pointer": None
        if guide.pointer is None
        else {
            "tip_mm": point(guide.pointer.point_mm),
            "direction": axis(guide.pointer.direction),
            "landmark": "vastus ridge",
        },
        "axis_mark": {"start_mm": point(guide.axis_mark_mm[0]), "end_mm": point(guide.axis_mark_mm[1])},
        "calliper": None
        if guide.calliper is None
        else {
            "points_mm": [point(guide.calliper.first_mm), point(guide.calliper.second_mm)],
            "normal": axis(guide.calliper.normal),
            "distance_mm": guide.calliper.distance_mm,
        },
        "labels": [_label(label) for label in guide.labels],
        "warnings": [*guide.warnings, *over.warnings],
        "arrows": [
            {"text": arrow.text, "start_mm": point(arrow.start_mm), "end_mm": point(arrow.end_mm)}
            for arrow in guide.arrows
        ],
        "seat": sizes[guide.seat.size],
        "sizes": sizes,
        "zones": _zones(guide.zones),
        "soft_tissue": soft_tissue_record(over),
    }
    return found | {"gauges": [gauge.record() for gauge in gauges_of(found, printer)]}


def _sleeve(sleeve: Sleeve) -> dict[str, Any]:
    return {
        "tunnel": sleeve.tunnel,
        "kind": sleeve.kind,
        "inner_diameter_mm": number(sleeve.inner_diameter_mm),
        "outer_diameter_mm": number(sleeve.outer_diameter_mm),
        "collar_diameter_mm": number(sleeve.collar_diameter_mm),
        "bore_mm": number(sleeve.bore_mm),
        "drill_diameter_mm": number(sleeve.drill_diameter_mm),
        "guided_length_mm": number(sleeve.guided_length_mm),
        "top_mm": point(sleeve.top_mm),
        "stop_face_mm": point(sleeve.stop_face_mm),
        "offset_mm": number(sleeve.offset_mm),
        "chuck_diameter_mm": number(sleeve.chuck_diameter_mm),
        "chuck_length_mm": number(sleeve.chuck_length_mm),
        "metal": _turned(sleeve.metal),
        "reducer": _turned(sleeve.reducer),
        "wire_reading_mm": None if sleeve.wire_reading_mm is None else number(sleeve.wire_reading_mm),
    }


def _turned(part: MetalPart | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {key: number(value) if isinstance(value, float) else value for key, value in asdict(part).items()}


def _socket(socket: FanSocket) -> dict[str, Any]:
    return {
        "entry_mm": point(socket.entry_mm),
        "outwards": axis(socket.outwards),
        "low_mm": number(socket.low_mm),
        "rim_mm": number(socket.rim_mm),
        "low_radius_mm": number(socket.low_radius_mm),
        "rim_radius_mm": number(socket.rim_radius_mm),
        "gap_mm": number(socket.gap_mm),
        "wall_mm": number(socket.wall_mm),
    }


def _insert(insert: FanInsert) -> dict[str, Any]:
    return {
        "tunnel": insert.tunnel,
        "bore_mm": number(insert.bore_mm),
        "drill_diameter_mm": number(insert.drill_diameter_mm),
        "guided_length_mm": number(insert.guided_length_mm),
        "stop_face_mm": point(insert.stop_face_mm),
        "stop_diameter_mm": number(insert.stop_diameter_mm),
        "offset_mm": number(insert.offset_mm),
        "reading_mm": number(insert.reading_mm),
        "chuck_diameter_mm": number(insert.chuck_diameter_mm),
        "chuck_length_mm": number(insert.chuck_length_mm),
        "label": _label(insert.label),
    }


def _pin(pin: Pin) -> dict[str, Any]:
    return {
        "point_mm": point(pin.point_mm),
        "direction": axis(pin.direction),
        "hole_diameter_mm": number(pin.hole_diameter_mm),
        "boss_diameter_mm": number(pin.boss_diameter_mm),
        "wire_diameter_mm": number(pin.wire_diameter_mm),
        "wire_length_mm": number(pin.wire_length_mm),
        "depth_mm": number(pin.wire_depth_mm),
        "reading_mm": number(pin.reading_mm),
        "guided_length_mm": number(pin.guided_length_mm),
        "top_mm": point(pin.top_mm),
        "cortices": 1 if pin.far_exit_mm is None else 2,
        "far_exit_mm": None if pin.far_exit_mm is None else number(pin.far_exit_mm),
    }


def _label(label: Label) -> dict[str, Any]:
    return {
        "lines": list(label.lines),
        "text_height_mm": number(label.text_height_mm),
        "depth_mm": number(label.depth_mm),
        "raised": label.raised,
        "center_mm": point(label.center_mm),
        "reading_direction": axis(label.reading_direction),
        "up_direction": axis(label.up_direction),
        "outward_direction": axis(label.outward_direction),
        "width_mm": number(label.width_mm),
        "height_mm": number(label.height_mm),
    }


def _size(seat: Seat, guide: Guide) -> dict[str, Any]:
    """One size's seat and what is predicted of it."""
    way: Approach = approach_of(seat, guide.cells, guide.rim_mm)
    return {
        "removal_direction": axis(seat.removal_direction),
        "contact_area_mm2": number(seat.contact_mm2),
        "stripped_area_cm2": number(way.stripped_mm2 / 100.0),
        "contact_length_mm": number(way.contact_mm),
        "incision_mm": number(way.incision_mm),
        "fit_tip_mm": _spread(seat.fit),
        "dock_tip_mm": _spread(seat.dock),
        "held_share": number(seat.held_share),
        "weakest_motion": seat.weakest_in_words,
        "motions": [[number(value) for value in motion] for motion in seat.motions],
    }


def _spread(spread: Spread) -> dict[str, float]:
    return {"mean": number(spread.mean_mm), "p95": number(spread.p95_mm)}


def _zones(zones: Zones) -> dict[str, Any]:
    """The landmarks of the borders that the seat keeps within."""
    return {
        "vastus_ridge_level_mm": number(zones.ridge_level_mm),
        "gluteal_tuberosity_deg": None if zones.tuberosity_deg is None else number(zones.tuberosity_deg),
        "furthest_back_deg": number(zones.back_deg),
        "margins": zones.margins.model_dump(),
    }

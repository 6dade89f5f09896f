"""What plan.json says of the soft tissue over a guide, under `guide.soft_tissue`."""

from __future__ import annotations

from typing import Any

from guidegen.guide.soft_tissue import GRIP_MM, OFF_SKIN_MM, PinOut, SoftTissue, TunnelOut
from guidegen.intake.body import SKIN_HU
from guidegen.rounded import axis, number, point


def soft_tissue_record(found: SoftTissue) -> dict[str, Any] | None:
    """The content of `guide.soft_tissue`; null where no skin was found, and for what it is not known over."""
    if found.skin is None:
        return None
    wound = found.wound
    return {
        "skin_hu": SKIN_HU,
        "chuck_off_skin_mm": OFF_SKIN_MM,
        "wire_grip_mm": GRIP_MM,
        "over_guide_mm": None if found.over_guide_mm is None else number(found.over_guide_mm),
        "incision": {
            "upper_mm": point(wound.upper_mm),
            "lower_mm": point(wound.lower_mm),
            "opened_mm": number(wound.opened_mm),
            "front": axis(wound.front),
        },
        "tunnels": [None if out is None else _tunnel(out) for out in found.tunnels],
        "pins": [None if out is None else _pin(out) for out in found.pins],
    }


def _tunnel(out: TunnelOut) -> dict[str, Any]:
    return {
        "skin_mm": point(out.skin_mm),
        "depth_mm": number(out.depth_mm),
        "top_beyond_mm": number(out.top_beyond_mm),
        "through": out.through,
        "nearer_end": out.nearer_end,
        "from_end_mm": number(out.from_end_mm),
        "in_front_mm": number(out.in_front_mm),
        "outside_mm": number(out.outside_mm),
        "chuck_goes_in": out.chuck_goes_in,
        "drill_length_mm": number(out.drill_length_mm),
        "drill_needed_mm": number(out.drill_needed_mm),
        "drill_needed_open_mm": number(out.drill_needed_open_mm),
        "drill_spare_mm": number(out.drill_length_mm - out.drill_needed_mm),
    }


def _pin(out: PinOut) -> dict[str, Any]:
    return {
        "skin_mm": point(out.skin_mm),
        "depth_mm": number(out.depth_mm),
        "chuck_goes_in": out.chuck_goes_in,
        "wire_length_mm": number(out.wire_length_mm),
        "wire_needed_mm": number(out.wire_needed_mm),
        "wire_spare_mm": number(out.wire_length_mm - out.wire_needed_mm),
    }

"""The skin in its own file: how far it is from the bone along tunnels and wires; whether what is too short was told."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedPin, AskedPinOut, AskedSoftTissue, AskedTunnelOut
from guidegen.check.finding import Finding, at_most
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

# The plan's figures and the file's: float32 and rounding.
STATED_TOLERANCE_MM = 0.05

WHY_DEPTH = "How deep the sleeve lies under the skin and where it is cut is told from this distance."
WHY_PLACE = "A stab incision in the wrong place leads the drill askew into its sleeve."
WHY_NEED = (
    "The drill is chosen by this length: too short, and its chuck comes down on the skin before the lesion is reached."
)
WHY_CUT = "The wire is chosen by this length: with less, its chuck has nothing to hold."
WHY_DRILL = "A surgeon who is not told that the drill is too short finds out with its chuck on the skin."
WHY_WIRE = "A surgeon who is not told that a wire is too short finds out when nothing of it stands out of the skin."
NOT_MET = "its axis meets no skin in skin.stl"


def soft_tissue_findings(asked: Asked, skin: Surface | None) -> tuple[Finding, ...]:
    """What the plan says of the skin over every tunnel and wire against `skin`; none where it knows of no skin."""
    over = asked.guide.soft_tissue
    if over is None:
        return ()
    findings: list[Finding] = []
    for number, out in enumerate(over.tunnels):
        if out is not None:
            findings += _tunnel_findings(asked, over, number, out, skin)
    for number, (pin, way) in enumerate(zip(asked.guide.pins, over.pins, strict=True), start=1):
        if way is not None:
            findings += _pin_findings(asked, over, number, pin, way, skin)
    return tuple(findings)


def _tunnel_findings(
    asked: Asked, over: AskedSoftTissue, number: int, out: AskedTunnelOut, skin: Surface | None
) -> list[Finding]:
    tunnel, name = asked.tunnels[number], f"tunnel {number + 1}"
    entry, outwards = np.array(tunnel.entry_mm), -asked.into_bone(number)
    depth_mm = _depth_mm(skin, entry, outwards)
    top_mm, offset_mm = _led_mm(asked, number, entry, outwards)
    off_depth_mm = off_place_mm = off_need_mm = untold_mm = None
    if depth_mm is not None:
        place = entry + depth_mm * outwards
        off_depth_mm = max(abs(depth_mm - out.depth_mm), float(np.linalg.norm(place - out.skin_mm)))
        stated = np.array([out.top_beyond_mm, out.from_end_mm, out.in_front_mm])
        off_place_mm = float(np.abs([top_mm - depth_mm, *_beside_incision_mm(over, place)] - stated).max())
        needed_mm = max(out.drill_needed_open_mm, tunnel.length_mm + offset_mm)
        if not out.chuck_goes_in:
            needed_mm = max(needed_mm, tunnel.length_mm + depth_mm + over.chuck_off_skin_mm)
        off_need_mm = abs(needed_mm - out.drill_needed_mm)
        untold_mm = _untold_mm(asked, f"Tunnel {number + 1}: the drill of ", needed_mm - out.drill_length_mm)
    return [
        _stated(f"{name} skin off its stated depth", off_depth_mm, WHY_DEPTH),
        _stated(f"{name} way out off its stated place", off_place_mm, WHY_PLACE),
        _stated(f"{name} drill off its stated need", off_need_mm, WHY_NEED),
        _stated(f"{name} drill too short untold", untold_mm, WHY_DRILL),
    ]


def _pin_findings(
    asked: Asked, over: AskedSoftTissue, number: int, pin: AskedPin, out: AskedPinOut, skin: Surface | None
) -> list[Finding]:
    outwards, point = -np.array(pin.direction), np.array(pin.point_mm)
    depth_mm = _depth_mm(skin, point, outwards)
    off_depth_mm = off_need_mm = untold_mm = None
    if depth_mm is not None:
        off_depth_mm = abs(depth_mm - out.depth_mm)
        top_mm = float(np.subtract(pin.top_mm, point) @ outwards)
        out_mm = top_mm if out.chuck_goes_in else max(top_mm, depth_mm)
        needed_mm = (pin.depth_mm or 0.0) + out_mm + over.wire_grip_mm
        off_need_mm = abs(needed_mm - out.wire_needed_mm)
        untold_mm = _untold_mm(asked, f"Wire {number}: the wire of ", needed_mm - pin.wire_length_mm)
    return [
        _stated(f"pin {number} skin off its stated depth", off_depth_mm, WHY_DEPTH),
        _stated(f"pin {number} wire off its stated need", off_need_mm, WHY_CUT),
        _stated(f"pin {number} wire too short untold", untold_mm, WHY_WIRE),
    ]


def _stated(name: str, off_mm: float | None, why: str) -> Finding:
    """A figure of the plan against that of the file."""
    return at_most(name, off_mm, STATED_TOLERANCE_MM, "mm", why, missing=NOT_MET)


def _depth_mm(skin: Surface | None, start_mm: FloatArray, outwards: FloatArray) -> float | None:
    """How far from a point (3,) the skin is along a unit vector (3,) that leaves it; None where it is not met."""
    if skin is None:
        return None
    way, face = skin.ray_hits(start_mm, outwards)
    is_left = np.isfinite(way[0]) and float(skin.face_normals[face[0]] @ outwards) > 0.0
    return float(way[0]) if is_left else None


def _led_mm(asked: Asked, number: int, entry: FloatArray, outwards: FloatArray) -> tuple[float, float]:
    """How far out from the entry the top of what leads the drill is, and where its stop rests."""
    for sleeve in asked.guide.sleeves:
        if sleeve.tunnel == number:
            return float(np.subtract(sleeve.top_mm, entry) @ outwards), sleeve.offset_mm
    insert = asked.guide.inserts[number]
    return float(np.subtract(insert.stop_face_mm, entry) @ outwards), insert.offset_mm


def _beside_incision_mm(over: AskedSoftTissue, place: FloatArray) -> tuple[float, float]:
    """How far a place on the skin (3,) lies beyond the nearer end of the incision, and in front of its line."""
    upper, lower = np.array(over.incision.upper_mm), np.array(over.incision.lower_mm)
    along = unit(upper - lower)
    beyond = max((place - upper) @ along, (lower - place) @ along)
    return float(beyond), float((place - lower) @ unit(over.incision.front))


def _untold_mm(asked: Asked, begins: str, short_mm: float) -> float:
    """By how much something is too short without a warning that begins so; 0 where it is told, or long enough."""
    is_told = any(warning.startswith(begins) for warning in asked.guide.warnings)
    return 0.0 if is_told else max(0.0, short_mm)

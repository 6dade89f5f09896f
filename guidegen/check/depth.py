"""The depth that is read on the drill: what the plan has for the theatre against where the stop rests in the file."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedInsert, AskedSleeve
from guidegen.check.finding import Finding, at_most
from guidegen.check.stop import LIMIT_MM, above_mm, rests_mm, top_above_mm
from guidegen.surfaces import Surface

WHY_READING = "The drill is stopped where it shows this figure: what is wrong in it is wrong in depth."
WHY_OFFSET = "The offset counts from the entry to where the stop rests, and the reading is taken from it."
MISSING = "no face to rest a stop on lies where it is planned"


def sleeve_depth_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The figures of each tunnel that a sleeve leads, against the top face of the guide (LPS, mm)."""
    findings: list[Finding] = []
    for sleeve in asked.guide.sleeves:
        high_mm = rests_mm(sleeve, top_above_mm(asked, sleeve, guide))
        findings += _findings(asked, sleeve, sleeve.top_mm, high_mm)
    return tuple(findings)


def insert_depth_findings(asked: Asked, insert: AskedInsert, surface: Surface) -> list[Finding]:
    """The figures of the tunnel that an insert leads, against its own stop face."""
    ring_mm = (insert.bore_mm + insert.stop_diameter_mm) / 4.0
    high_mm = above_mm(surface, insert.stop_face_mm, asked.into_bone(insert.tunnel), ring_mm)
    return _findings(asked, insert, insert.stop_face_mm, float(np.median(high_mm)))


def _findings(
    asked: Asked, led: AskedSleeve | AskedInsert, place_mm: tuple[float, float, float], high_mm: float
) -> list[Finding]:
    """Offset and reading of a tunnel whose stop rests so much higher than a place on the axis of what leads it."""
    tunnel, name = asked.tunnels[led.tunnel], f"tunnel {led.tunnel + 1}"
    axis = asked.into_bone(led.tunnel)
    offset_mm = float(np.subtract(tunnel.entry_mm, place_mm) @ axis) + high_mm
    reading_mm = offset_mm + float(np.subtract(tunnel.target_mm, tunnel.entry_mm) @ axis)
    readings = [tunnel.depth_reading_mm, *([led.reading_mm] if isinstance(led, AskedInsert) else [])]
    is_there = bool(np.isfinite(high_mm))
    off_mm = max(abs(stated - reading_mm) for stated in readings) if is_there else None
    apart_mm = max(abs(stated - offset_mm) for stated in (tunnel.sleeve_offset_mm, led.offset_mm)) if is_there else None
    return [
        at_most(f"{name} sleeve's offset off the file", apart_mm, LIMIT_MM, "mm", WHY_OFFSET, MISSING),
        at_most(f"{name} reading off the file", off_mm, LIMIT_MM, "mm", WHY_READING, MISSING),
    ]

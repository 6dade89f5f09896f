"""Where the drill's stop rests: the top face of each sleeve, as high and as square to the axis as the depth asks."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_most
from guidegen.frames import spokes, unit
from guidegen.surfaces import Surface

# The face is looked at on a ring midway between bore and rim, from this far outside: what stands on it is seen too.
DIRECTIONS = 72
OUTSIDE_MM = 5.0
# A stop's collar bears on nine tenths of a face as on all of it; the rest may be a key's notch.
BEARING_SHARE = 0.9
# A drill is read to half a millimetre: the file must not take up a tenth of it.
LIMIT_MM = 0.05

WHY_FACE = "The drill's stop rests here: where it is too high or slants, the drill ends too early or is turned aside."
WHY_OFFSET = (
    "The stop is set to the tunnel's length and the sleeve's offset: an offset that is not so is as much depth."
)
MISSING = "nothing lies where the top face is planned"


def stop_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """Each sleeve's printed top face against its plan, and where a stop then rests against the sleeve's offset."""
    findings: list[Finding] = []
    for number, sleeve in enumerate(asked.guide.sleeves, start=1):
        tunnel = asked.tunnels[sleeve.tunnel]
        axis = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
        ring = (sleeve.inner_diameter_mm + sleeve.outer_diameter_mm) / 4.0 * spokes(axis, DIRECTIONS)
        way, _ = guide.ray_hits(sleeve.top_mm + ring - OUTSIDE_MM * axis, axis)
        above = np.sort(OUTSIDE_MM - way)
        bearing = above[round((1.0 - BEARING_SHARE) * DIRECTIONS) :]
        face_mm = float(np.abs(bearing).max())
        rests_mm = float(np.median(above)) + (sleeve.metal.flange_height_mm if sleeve.metal else 0.0)
        found_mm = float(np.subtract(tunnel.entry_mm, sleeve.top_mm) @ axis) + rests_mm
        stated_mm = float(np.subtract(tunnel.entry_mm, sleeve.stop_face_mm) @ axis)
        offset_mm = max(abs(found_mm - sleeve.offset_mm), abs(stated_mm - sleeve.offset_mm))
        for name, off_mm, why in (
            ("top face off plan", face_mm, WHY_FACE),
            ("stop off its offset", offset_mm, WHY_OFFSET),
        ):
            measured = off_mm if np.isfinite(face_mm) else None
            findings.append(at_most(f"sleeve {number} {name}", measured, LIMIT_MM, "mm", why, missing=MISSING))
    return tuple(findings)

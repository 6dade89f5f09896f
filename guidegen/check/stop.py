"""Where a depth is read: the top face of each sleeve, as high and as square to the axis as the depth asks, and the top
of each wire's boss.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked, AskedSleeve
from guidegen.check.finding import Finding, at_most
from guidegen.frames import FloatArray, spokes, unit
from guidegen.surfaces import Surface

# The face is looked at on a ring midway between bore and rim, from this far outside: what stands on it is seen too.
DIRECTIONS = 72
OUTSIDE_MM = 5.0
BOSS_RING_MM = 0.4  # wider than the hole, on the diameter: its rim
# A stop's collar bears on nine tenths of a face as on all of it; the rest may be a key's notch.
BEARING_SHARE = 0.9
# A drill is read to half a millimetre: the file must not take up a tenth of it.
LIMIT_MM = 0.05

WHY_FACE = "The drill's stop rests here: where it is too high or slants, the drill ends too early or is turned aside."
WHY_OFFSET = (
    "The stop is set to the tunnel's length and the sleeve's offset: an offset that is not so is as much depth."
)
WHY_BOSS = "The bone is hidden there: a wire is as deep as its boss is high, and no more can be seen of it."
MISSING = "nothing lies where the top face is planned"


def stop_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """Each sleeve's printed top face against its plan, and where a stop then rests against the sleeve's offset."""
    findings: list[Finding] = []
    for number, sleeve in enumerate(asked.guide.sleeves, start=1):
        tunnel, axis = asked.tunnels[sleeve.tunnel], asked.into_bone(sleeve.tunnel)
        above = np.sort(top_above_mm(asked, sleeve, guide))
        bearing = above[round((1.0 - BEARING_SHARE) * DIRECTIONS) :]
        face_mm = float(np.abs(bearing).max())
        found_mm = float(np.subtract(tunnel.entry_mm, sleeve.top_mm) @ axis) + rests_mm(sleeve, above)
        stated_mm = float(np.subtract(tunnel.entry_mm, sleeve.stop_face_mm) @ axis)
        offset_mm = max(abs(found_mm - sleeve.offset_mm), abs(stated_mm - sleeve.offset_mm))
        for name, off_mm, why in (
            ("top face off plan", face_mm, WHY_FACE),
            ("stop off its offset", offset_mm, WHY_OFFSET),
        ):
            measured = off_mm if np.isfinite(face_mm) else None
            findings.append(at_most(f"sleeve {number} {name}", measured, LIMIT_MM, "mm", why, missing=MISSING))
    return tuple(findings)


def top_above_mm(asked: Asked, sleeve: AskedSleeve, guide: Surface) -> FloatArray:
    """How much higher than planned a sleeve's printed top is (DIRECTIONS,), midway between bore and rim."""
    ring_mm = (sleeve.inner_diameter_mm + sleeve.outer_diameter_mm) / 4.0
    return above_mm(guide, sleeve.top_mm, asked.into_bone(sleeve.tunnel), ring_mm)


def rests_mm(sleeve: AskedSleeve, high_mm: FloatArray) -> float:
    """How much higher than the planned top the drill's stop rests, on a face that is so much higher (K,)."""
    return float(np.median(high_mm)) + (sleeve.metal.flange_height_mm if sleeve.metal else 0.0)


def above_mm(body: Surface, place_mm: npt.ArrayLike, axis: FloatArray, ring_mm: float) -> FloatArray:
    """How much higher against the axis than a place (3,) on it the body's face stands, on a ring (DIRECTIONS,) of this
    radius; minus infinity where nothing lies.
    """
    way, _ = body.ray_hits(np.asarray(place_mm) + ring_mm * spokes(axis, DIRECTIONS) - OUTSIDE_MM * axis, axis)
    return np.asarray(OUTSIDE_MM - way)


def boss_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """What is read on each wire at the highest of its hole's rim, once it is as deep as planned, against the plan's
    figure; none where the plan reads nothing there.
    """
    findings = []
    for number, pin in enumerate(asked.guide.pins, start=1):
        if pin.reading_mm is None or pin.depth_mm is None:
            continue
        axis = unit(pin.direction)
        above = above_mm(guide, pin.top_mm, axis, (pin.hole_diameter_mm + BOSS_RING_MM) / 2.0)
        found_mm = float(np.subtract(pin.point_mm, pin.top_mm) @ axis) + float(above.max()) + pin.depth_mm
        off_mm = abs(found_mm - pin.reading_mm) if np.isfinite(found_mm) else None
        name = f"pin {number} boss off what is read"
        findings.append(at_most(name, off_mm, LIMIT_MM, "mm", WHY_BOSS, missing=MISSING))
    return tuple(findings)

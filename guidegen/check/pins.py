"""The wires that hold the guide: they must diverge, and none may meet the drill or another wire."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked, AskedPin
from guidegen.check.finding import Finding, at_least
from guidegen.frames import FloatArray, angle_deg
from guidegen.surfaces import Surface

# Wires less than 10° apart let the guide slide off along both (10 to 15° is usual for guide plates).
LEAST_ANGLE_DEG = 10.0
# Bone that must be left between two holes: a wire wanders by about 1 mm, and so does a drill.
LEAST_BONE_MM = 2.0
# The ray for a wire's far end starts this deep in the bone, past the surface it enters by.
INTO_BONE_MM = 1.0

WHY_ANGLE = "Parallel wires let the guide slide off along them while it is drilled."
WHY_APART = "A wire in the drill's way breaks the drill, bends the wire or turns both aside."


def pin_findings(asked: Asked, bone: Surface) -> tuple[Finding, ...]:
    """The widest angle between two wires, and each wire's least distance to every tunnel and other wire."""
    pins = asked.guide.pins
    angles = [_between_deg(first, second) for first, second in combinations(pins, 2)]
    findings = [
        at_least(
            "pins diverge", max(angles) if angles else None, LEAST_ANGLE_DEG, "°", WHY_ANGLE, "fewer than two pins"
        )
    ]
    tops = {sleeve.tunnel: sleeve.top_mm for sleeve in asked.guide.sleeves}
    drills = [
        (np.array([tops[index], tunnel.target_mm]), tunnel.diameter_mm / 2)
        for index, tunnel in enumerate(asked.tunnels)
    ]
    wires = [(wire_way(pin, bone), pin.wire_diameter_mm / 2) for pin in pins]
    for number, (way, radius) in enumerate(wires, start=1):
        others = drills + [wire for index, wire in enumerate(wires, start=1) if index != number]
        apart_mm = min(segment_distance_mm(way, other) - radius - other_radius for other, other_radius in others)
        findings.append(at_least(f"pin {number} apart from drill and wires", apart_mm, LEAST_BONE_MM, "mm", WHY_APART))
    return tuple(findings)


def _between_deg(first: AskedPin, second: AskedPin) -> float:
    angle = angle_deg(first.direction, second.direction)
    return min(angle, 180.0 - angle)


def wire_way(pin: AskedPin, bone: Surface) -> FloatArray:
    """The wire (2, 3) from its hole's outer end to its depth; through both cortices where no depth is planned."""
    direction = np.array(pin.direction)
    depth_mm = pin.depth_mm
    if depth_mm is None:
        through_mm = float(bone.ray_hits(pin.point_mm + INTO_BONE_MM * direction, direction)[0][0])
        depth_mm = INTO_BONE_MM + (through_mm if np.isfinite(through_mm) else 0.0)
    return np.array([pin.top_mm, pin.point_mm + depth_mm * direction])


def segment_distance_mm(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Least distance between two segments, each given by its two ends (2, 3).

    It lies between the lines' nearest points when both are on the segments, else at one of the four ends.
    """
    (a, b), (c, d) = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    u, v, w = b - a, d - c, a - c
    uu, uv, vv, uw, vw = u @ u, u @ v, v @ v, u @ w, v @ w
    parallel = uu * vv - uv * uv
    if parallel > 1e-12 * uu * vv:
        s, t = (uv * vw - vv * uw) / parallel, (uu * vw - uv * uw) / parallel
        if 0 <= s <= 1 and 0 <= t <= 1:
            return float(np.linalg.norm(w + s * u - t * v))
    return min(_to_segment_mm(a, c, d), _to_segment_mm(b, c, d), _to_segment_mm(c, a, b), _to_segment_mm(d, a, b))


def _to_segment_mm(point: FloatArray, start: FloatArray, end: FloatArray) -> float:
    along = end - start
    share = np.clip((point - start) @ along / (along @ along), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * along))

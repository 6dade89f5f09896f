"""The wires that hold the guide: they must diverge, and none may meet the drill or another wire."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked, AskedPin
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import FloatArray, angle_deg, unit
from guidegen.surfaces import Surface

# Guide plates are pinned by wires 10 to 15° apart: with less, play in the holes lets the guide slide along them. The
# widest angle is what holds; but any two of three wires must hold it too, when the third has to come out.
LEAST_ANGLE_DEG = 15.0
LEAST_PAIR_DEG = 5.0
# Bone that must be left between two holes: a wire wanders by about 1 mm, and so does a drill.
LEAST_BONE_MM = 2.0
# A wire that holds in both cortices may come out of the far one by so much: behind it run vessels and nerves.
MOST_FAR_EXIT_MM = 2.0
# What a chuck grips of a wire beyond its boss [M].
LEAST_GRIP_MM = 20.0
# The plan's figures and the file's: float32 and rounding.
STATED_TOLERANCE_MM = 0.05
# The ray for a wire's far end starts this deep in the bone, past the surface it enters by.
INTO_BONE_MM = 1.0

WHY_ANGLE = "Parallel wires let the guide slide off along them while it is drilled."
WHY_PAIR = "When one of three wires has to come out, the two that are left must hold the guide alone."
WHY_APART = "A wire in the drill's way breaks the drill, bends the wire or turns both aside."
WHY_ENTRY = "Depth is counted from where the wire meets the bone; a point off the bone shifts it by as much."
WHY_LEVEL = "Holes in the lateral cortex below the lesser trochanter are where femora break after drilling."
WHY_FAR = "A wire that comes far out of the other side of the bone meets vessels and nerves."
WHY_REACHES = "A wire that is to hold in both cortices holds in one only when it stops short of the other."
WHY_STAYS = "A wire that is to stay in the bone is driven without a look at its other side."
WHY_GRIP = "A wire that ends in its boss cannot be driven as deep as planned, nor pulled out again."
WHY_STATED = "The surgeon measures the wire by the plan's figure."
NO_PAIR = "fewer than two pins"


def pin_findings(asked: Asked, bone: Surface) -> tuple[Finding, ...]:
    """The angles between the wires, each wire's least distance to every tunnel and other wire, and its way in the
    bone.
    """
    angles = [_between_deg(first, second) for first, second in combinations(asked.guide.pins, 2)]
    findings = [at_least("pins diverge", max(angles, default=None), LEAST_ANGLE_DEG, "°", WHY_ANGLE, NO_PAIR)]
    if len(angles) > 1:
        findings.append(at_least("pins diverge, each two", min(angles), LEAST_PAIR_DEG, "°", WHY_PAIR))
    findings += _apart_findings(asked, bone)
    for number, pin in enumerate(asked.guide.pins, start=1):
        findings += _in_bone_findings(f"pin {number}", pin, asked, bone)
    return tuple(findings)


def _apart_findings(asked: Asked, bone: Surface) -> list[Finding]:
    tops = {sleeve.tunnel: sleeve.top_mm for sleeve in asked.guide.sleeves}
    tops |= {insert.tunnel: insert.stop_face_mm for insert in asked.guide.inserts}
    drills = [
        (np.array([tops[index], tunnel.target_mm]), tunnel.diameter_mm / 2)
        for index, tunnel in enumerate(asked.tunnels)
    ]
    wires = [(wire_way(pin, bone), pin.wire_diameter_mm / 2) for pin in asked.guide.pins]
    findings = []
    for number, (way, radius) in enumerate(wires, start=1):
        others = drills + [wire for index, wire in enumerate(wires, start=1) if index != number]
        apart_mm = min(segment_distance_mm(way, other) - radius - other_radius for other, other_radius in others)
        findings.append(at_least(f"pin {number} apart from drill and wires", apart_mm, LEAST_BONE_MM, "mm", WHY_APART))
    return findings


def _in_bone_findings(name: str, pin: AskedPin, asked: Asked, bone: Surface) -> list[Finding]:
    """Where a wire meets the bone, and where it ends in it; none where the plan does not say how deep."""
    if pin.depth_mm is None:
        return []
    off_mm = float(bone.nearest([pin.point_mm])[0][0])
    shaft_axis = unit(asked.anatomy.shaft_axis)
    level_mm = float(np.subtract(pin.point_mm, asked.anatomy.lesser_trochanter_mm) @ shaft_axis)
    exit_mm = pin.depth_mm - through_mm(pin, bone)
    spare_mm = pin.wire_length_mm - pin.depth_mm - float(np.linalg.norm(np.subtract(pin.top_mm, pin.point_mm)))
    findings = [
        at_least(f"{name} wire beyond its boss", spare_mm, LEAST_GRIP_MM, "mm", WHY_GRIP),
        at_most(f"{name} point off the bone", off_mm, STATED_TOLERANCE_MM, "mm", WHY_ENTRY),
        at_least(f"{name} above the lesser trochanter", level_mm, 0.0, "mm", WHY_LEVEL),
    ]
    if pin.cortices == 1:
        return [*findings, at_least(f"{name} short of the far cortex", -exit_mm, 0.0, "mm", WHY_STAYS)]
    unstated_mm = None if pin.far_exit_mm is None else abs(pin.far_exit_mm - exit_mm)
    return [
        *findings,
        at_most(f"{name} out of the far cortex", exit_mm, MOST_FAR_EXIT_MM, "mm", WHY_FAR),
        at_least(f"{name} through the far cortex", exit_mm, 0.0, "mm", WHY_REACHES),
        at_most(
            f"{name} far exit off its stated number",
            unstated_mm,
            STATED_TOLERANCE_MM,
            "mm",
            WHY_STATED,
            missing="the plan states none",
        ),
    ]


def _between_deg(first: AskedPin, second: AskedPin) -> float:
    angle = angle_deg(first.direction, second.direction)
    return min(angle, 180.0 - angle)


def through_mm(pin: AskedPin, bone: Surface) -> float:
    """How far along a wire's axis the bone reaches from where the wire meets it; no further than just inside where
    nothing of the bone lies ahead.
    """
    direction = np.array(pin.direction)
    way_mm = float(bone.ray_hits(pin.point_mm + INTO_BONE_MM * direction, direction)[0][0])
    return INTO_BONE_MM + (way_mm if np.isfinite(way_mm) else 0.0)


def wire_way(pin: AskedPin, bone: Surface) -> FloatArray:
    """The wire (2, 3) from its hole's outer end to its depth; through both cortices where no depth is planned."""
    depth_mm = pin.depth_mm if pin.depth_mm is not None else through_mm(pin, bone)
    return np.array([pin.top_mm, pin.point_mm + depth_mm * np.array(pin.direction)])


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

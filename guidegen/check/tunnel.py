"""The tunnel in the bone file as written: the rules it was planned by, measured again."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedTunnel
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import FloatArray, across, perpendicular_pair, unit
from guidegen.surfaces import Surface

# Places along the axis, and on the flat end of the drill; the distance to bone changes slower than they are apart.
STEP_MM = 0.1
RINGS = 5
RING_POINTS = 72
# Planner and check may sample differently, and the file is float32; more than this is another plan.
STATED_TOLERANCE_MM = 0.05

WHY_WALL = "A neck whose cortex is breached or thinned by the tunnel can break."
WHY_AXIS = "Beyond the subchondral plate lies the joint: the drill must stop before it."
WHY_RIM = "The rim of a flat drill reaches the joint before its centre does."
WHY_CENTROID = "A tunnel beside the lesion relieves and fills healthy bone."
WHY_ENTRY = "Depth is counted from the entry; an entry off the bone shifts the drill's stop by as much."
WHY_STATED = "The surgeon approves the numbers of the plan, so they must be the numbers of the files."


def tunnel_findings(asked: Asked, bone: Surface) -> tuple[Finding, ...]:
    """Wall, joint and lesion distances of each tunnel, and whether the plan states the same."""
    findings: list[Finding] = []
    for number, tunnel in enumerate(asked.tunnels, start=1):
        findings += _tunnel(f"tunnel {number}", tunnel, asked, bone)
    return tuple(findings)


def _tunnel(name: str, tunnel: AskedTunnel, asked: Asked, bone: Surface) -> list[Finding]:
    limits = asked.limits
    wall_mm = least_wall_mm(tunnel, asked, bone)
    axis_mm = -float(bone.signed_distance_mm([tunnel.target_mm])[0])
    rim_mm = least_end_mm(tunnel, bone)
    axis = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
    centroid_mm = float(np.linalg.norm(across(np.subtract(asked.lesion.centroid_mm, tunnel.entry_mm), axis)))
    entry_mm = float(bone.nearest([tunnel.entry_mm])[0][0])
    length_mm = float(np.linalg.norm(np.subtract(tunnel.target_mm, tunnel.entry_mm)))
    stated = (
        (tunnel.length_mm, length_mm),
        (tunnel.wall_min_mm, wall_mm),
        (tunnel.subchondral_mm, rim_mm),
        (tunnel.subchondral_axis_mm, axis_mm),
        (tunnel.centroid_distance_mm, centroid_mm),
    )
    worst_mm = max(abs(plan - found) for plan, found in stated if plan is not None and found is not None)
    none = "no part of the tunnel lies past the entry and outside the head"
    findings = [
        at_most(f"{name} entry off the bone", entry_mm, STATED_TOLERANCE_MM, "mm", WHY_ENTRY),
        at_least(f"{name} wall to the cortex", wall_mm, limits.wall_min_mm, "mm", WHY_WALL, missing=none),
        at_least(f"{name} axis to the joint", axis_mm, limits.subchondral_axis_mm, "mm", WHY_AXIS),
        at_least(f"{name} rim to the joint", rim_mm, limits.subchondral_rim_mm, "mm", WHY_RIM),
    ]
    if limits.centroid_distance_max_mm is not None:
        findings.append(
            at_most(
                f"{name} axis off the lesion's centroid",
                centroid_mm,
                limits.centroid_distance_max_mm,
                "mm",
                WHY_CENTROID,
            )
        )
    return [*findings, at_most(f"{name} off its stated numbers", worst_mm, STATED_TOLERANCE_MM, "mm", WHY_STATED)]


def least_wall_mm(tunnel: AskedTunnel, asked: Asked, bone: Surface) -> float | None:
    """Least bone between the tunnel and the outer surface, past the entry zone and outside the head's sphere."""
    entry, target = np.array(tunnel.entry_mm), np.array(tunnel.target_mm)
    axis = unit(target - entry)
    length_mm = float(np.linalg.norm(target - entry))
    start_mm = asked.limits.entry_zone_mm
    end_mm = min(length_mm, _into_head_mm(entry, axis, asked))
    if end_mm < start_mm:
        return None
    places = np.linspace(start_mm, end_mm, int(np.ceil((end_mm - start_mm) / STEP_MM)) + 1)
    depth = -bone.signed_distance_mm(entry + places[:, None] * axis)
    return float(depth.min()) - tunnel.diameter_mm / 2


def _into_head_mm(entry: FloatArray, axis: FloatArray, asked: Asked) -> float:
    """How far along the axis it enters the head's sphere; infinite when it misses it."""
    center = np.array(asked.anatomy.head_center_mm) - entry
    middle = float(center @ axis)
    half2 = asked.anatomy.head_radius_mm**2 - float(center @ center) + middle**2
    return middle - float(np.sqrt(half2)) if half2 > 0 else np.inf


def least_end_mm(tunnel: AskedTunnel, bone: Surface) -> float:
    """Least distance from the flat end of the drill, rim included, to the surface of the bone."""
    target = np.array(tunnel.target_mm)
    first, second = perpendicular_pair(np.subtract(target, tunnel.entry_mm))
    turn = np.arange(RING_POINTS) * (2 * np.pi / RING_POINTS)
    spokes = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    radii = np.linspace(0.0, tunnel.diameter_mm / 2, RINGS)
    return -float(bone.signed_distance_mm((target + radii[:, None, None] * spokes).reshape(-1, 3)).max())

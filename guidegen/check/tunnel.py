"""The tunnel in the bone file as written: the rules it was planned by, measured again."""

from __future__ import annotations

import numpy as np

from guidegen.bone.trochanters import ShaftFrame
from guidegen.check.asked import Asked, AskedLimits, AskedTunnel
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import FloatArray, across, spokes, unit
from guidegen.plan.vessels import vessel_patch
from guidegen.surfaces import Surface

# Places along the axis, and on the flat end of the drill; the distance to bone changes slower than they are apart.
STEP_MM = 0.1
SIDE_STEP_MM = 0.5
WIDER_MM = 1e-6  # than its drill, of a reamer
RINGS = 5
RING_POINTS = 72
# Planner and check may sample differently, and the file is float32; more than this is another plan.
STATED_TOLERANCE_MM = 0.05

WHY_WALL = "A neck whose cortex is breached or thinned by the tunnel can break."
WHY_AXIS = "Beyond the subchondral plate lies the joint: the drill must stop before it."
WHY_RIM = "The rim of a flat drill reaches the joint before its centre does."
WHY_SIDE = "A drill that runs along the joint can open it with its side before its end is deep."
WHY_VESSELS = "The vessels that feed the head enter at the back and top of the neck."
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
    untold = any((plan is None) != (found is None) for plan, found in stated)
    worst_mm = max(abs(plan - found) for plan, found in stated if plan is not None and found is not None)
    none = "no part of the tunnel lies past the entry and outside the head"
    side_mm = least_side_mm(tunnel, asked, bone)
    wall_name, axis_name, vessel_name = (
        _named(f"{name} {what}", limit, limits)
        for what, limit in (
            ("wall to the cortex", "wall_min_mm"),
            ("axis to the joint", "subchondral_axis_mm"),
            ("wall to the vessels", "vessel_wall_min_mm"),
        )
    )
    findings = [
        at_most(f"{name} entry off the bone", entry_mm, STATED_TOLERANCE_MM, "mm", WHY_ENTRY),
        at_least(
            wall_name,
            wall_mm,
            limits.wall_min_mm,
            "mm",
            WHY_WALL,
            missing=none,
        ),
        at_least(
            axis_name,
            axis_mm,
            limits.subchondral_axis_mm,
            "mm",
            WHY_AXIS,
        ),
        at_least(f"{name} rim to the joint", rim_mm, limits.subchondral_rim_mm, "mm", WHY_RIM),
    ]
    if side_mm is not None:
        findings.append(at_least(f"{name} side to the joint", side_mm, limits.subchondral_rim_mm, "mm", WHY_SIDE))
    if limits.vessel_wall_min_mm is not None:
        vessel_mm = least_vessel_mm(tunnel, asked, bone)
        findings.append(
            at_least(
                vessel_name,
                vessel_mm,
                limits.vessel_wall_min_mm,
                "mm",
                WHY_VESSELS,
            )
        )
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
    off_mm, missing = None if untold else worst_mm, "the plan states none where the files give one, or the reverse"
    return [
        *findings,
        at_most(f"{name} off its stated numbers", off_mm, STATED_TOLERANCE_MM, "mm", WHY_STATED, missing),
    ]


def _named(name: str, limit: str, limits: AskedLimits) -> str:
    """The finding's name, and what the rule asks where a proposed waiver has lowered its limit."""
    asked = limits.unwaived.get(limit)
    return name if asked is None else f"{name} (rule {asked:g}, waiver proposed)"


def least_wall_mm(tunnel: AskedTunnel, asked: Asked, bone: Surface) -> float | None:
    """Least bone between the tunnel and the outer surface, past the entry zone and outside the head's sphere."""
    entry, target = np.array(tunnel.entry_mm), np.array(tunnel.target_mm)
    axis = unit(target - entry)
    length_mm = float(np.linalg.norm(target - entry))
    start_mm = asked.limits.entry_zone_mm
    end_mm = min(length_mm, _into_head_mm(entry, axis, asked))
    if end_mm < start_mm:
        return None
    walls = []
    for radius, first_mm, last_mm in swept_stretches(tunnel):
        places = _places(max(start_mm, first_mm), min(end_mm, last_mm), STEP_MM)
        if len(places):
            walls.append(float(-bone.signed_distance_mm(entry + places[:, None] * axis).max()) - radius)
    return min(walls)


def swept_stretches(tunnel: AskedTunnel) -> list[tuple[float, float, float]]:
    """What is swept along the axis: radius, and from where to where in mm past the entry; the opened reamer too."""
    length_mm = float(np.linalg.norm(np.subtract(tunnel.target_mm, tunnel.entry_mm)))
    stretches = [(tunnel.diameter_mm / 2, 0.0, length_mm)]
    widest = max((radius for _, radius in tunnel.end_outline_mm), default=0.0)
    if widest > tunnel.diameter_mm / 2 + WIDER_MM:
        behind = [back for back, radius in tunnel.end_outline_mm if radius == widest]
        stretches.append((widest, length_mm - max(behind), length_mm - min(behind)))
    return stretches


def _places(start_mm: float, end_mm: float, step_mm: float) -> FloatArray:
    """Ways (K,) from start to end, no further apart than a step; none where the end comes first."""
    if end_mm < start_mm:
        return np.empty(0)
    return np.linspace(start_mm, end_mm, int(np.ceil((end_mm - start_mm) / step_mm)) + 1)


def _into_head_mm(entry: FloatArray, axis: FloatArray, asked: Asked) -> float:
    """How far along the axis it enters the head's sphere; infinite when it misses it."""
    center = np.array(asked.anatomy.head_center_mm) - entry
    middle = float(center @ axis)
    half2 = asked.anatomy.head_radius_mm**2 - float(center @ center) + middle**2
    return middle - float(np.sqrt(half2)) if half2 > 0 else np.inf


def least_end_mm(tunnel: AskedTunnel, bone: Surface) -> float:
    """Least distance from the end of the tool, rim included, to the surface of the bone."""
    outline = tunnel.end_outline_mm or [(0.0, radius) for radius in np.linspace(0.0, tunnel.diameter_mm / 2, RINGS)]
    axis = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
    points = [
        np.array(tunnel.target_mm) - behind * axis + radius * spokes(axis, RING_POINTS) for behind, radius in outline
    ]
    return -float(bone.signed_distance_mm(np.concatenate(points)).max())


def least_side_mm(tunnel: AskedTunnel, asked: Asked, bone: Surface) -> float | None:
    """Least distance from the side of the tunnel in the head to the surface of the bone; None where there is none."""
    entry, target = np.array(tunnel.entry_mm), np.array(tunnel.target_mm)
    axis = unit(target - entry)
    behind = max((behind for behind, _ in tunnel.end_outline_mm), default=0.0)
    length_mm = float(np.linalg.norm(target - entry))
    start_mm = max(_into_head_mm(entry, axis, asked), asked.limits.entry_zone_mm)
    sides = []
    for number, (radius, first_mm, last_mm) in enumerate(swept_stretches(tunnel)):
        places = _places(max(start_mm, first_mm), length_mm - behind if number == 0 else last_mm, SIDE_STEP_MM)
        if len(places):
            mantle = entry + places[:, None, None] * axis + radius * spokes(axis, RING_POINTS)
            sides.append(-float(bone.signed_distance_mm(mantle.reshape(-1, 3)).max()))
    return min(sides, default=None)


def least_vessel_mm(tunnel: AskedTunnel, asked: Asked, bone: Surface) -> float:
    """Least distance from the tunnel's wall, past the entry zone, to where the vessels of the head enter the neck."""
    entry, target = np.array(tunnel.entry_mm), np.array(tunnel.target_mm)
    vessels, axis, walls = _vessels(asked, bone), unit(target - entry), []
    for radius, first_mm, last_mm in swept_stretches(tunnel):
        places = _places(min(max(asked.limits.entry_zone_mm, first_mm), last_mm), last_mm, STEP_MM)
        walls.append(float(vessels.nearest(entry + places[:, None] * axis)[0].min()) - radius)
    return min(walls)


def _vessels(asked: Asked, bone: Surface) -> Surface:
    """The back and top of the neck in the bone as written, by the same definition as the plan's."""
    anatomy = asked.anatomy
    head_mm, shaft_axis = np.array(anatomy.head_center_mm), unit(anatomy.shaft_axis)
    frame = ShaftFrame.of(head_mm, np.array(anatomy.shaft_point_mm), shaft_axis)
    return vessel_patch(
        bone,
        head_center_mm=head_mm,
        head_radius_mm=anatomy.head_radius_mm,
        isthmus_mm=np.array(anatomy.neck_isthmus_center_mm or anatomy.head_center_mm),
        neck_axis=unit(anatomy.neck_axis),
        shaft_axis=shaft_axis,
        posterior=frame.posterior(asked.side),
    )

"""One tunnel, measured on the surfaces themselves, and the rules that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, across, angle_deg, unit
from guidegen.plan.hip import Hip
from guidegen.plan.instruments import depth_reading_mm, sleeve_offset_mm
from guidegen.plan.rules import TABLE, Broken, Rule, Rules, limit_of
from guidegen.plan.window import Entries
from guidegen.rounded import shown_beside

COARSE_STEP_MM = 1.0  # along the axis; no distance changes by more than the step between two places,
FINE_STEP_MM = 0.1  # so that only near the least a closer look is needed
SIDE_STEP_MM = 0.5  # of the tool's side in the head
RIM_POINTS = 48
SHORTEST_MM = 10.0
AT_LIMIT = 1e-6
TOOL_OUTSIDE_MM = 60.0  # of its way outside the bone a drill keeps clear of what is kept out, as a wire does


@dataclass(frozen=True, eq=False)
class Tunnel:
    """One tunnel from its entry (3,) on the lateral cortex to its deep end (3,), on the axis, LPS mm.

    `wall_min_mm`: tunnel wall to outer cortex, outside the head sphere and past the entry; `vessel_wall_mm`: to where
    the vessels of the head enter the neck, on the whole way past the entry.
    `subchondral_mm`: least distance of any point of the tool's end to the bone's surface; `subchondral_axis_mm`: of its
    furthest point; `tool_to_joint_mm`: of any point of the tool in the head, its side included.
    `off_middle`: the entry's place between back (-1), middle and front (+1) of the bone at its level.
    `obliquity_deg`: axis to the cortex's normal at the entry.
    `lesion_missed_mm`: from what the tool sweeps to the lesion's nearest voxel, 0 where it reaches any.
    `sleeve_offset_mm`: from the entry out to the sleeve's top; `depth_reading_mm`: from there to the furthest point,
    to be read on the drill; `drill_spare_mm`: what is left of the drill then. None, or -1 of drill, where no sleeve of
    the kit is long enough.
    `keep_out_mm`: the drill's whole way to what is kept out; None where there is nothing.
    `entry_moved_mm`: how far an ordered entry was off the surface, on whose nearest point the tunnel begins.
    """

    entry_mm: FloatArray
    target_mm: FloatArray
    diameter_mm: float
    outline_mm: FloatArray
    wall_min_mm: float
    vessel_wall_mm: float
    subchondral_mm: float
    subchondral_axis_mm: float
    tool_to_joint_mm: float
    lesion_reached_fraction: float
    lesion_missed_mm: float
    centroid_distance_mm: float
    shaft_angle_deg: float
    obliquity_deg: float
    off_middle: float
    above_lesser_mm: float
    below_ridge_mm: float
    sleeve_offset_mm: float | None
    depth_reading_mm: float | None
    drill_spare_mm: float
    cost: float
    keep_out_mm: float | None = None
    entry_moved_mm: float = 0.0

    @property
    def axis(self) -> FloatArray:
        """The unit vector (3,) from entry to target."""
        return unit(self.target_mm - self.entry_mm)

    @property
    def length_mm(self) -> float:
        """From entry to target."""
        return float(np.linalg.norm(self.target_mm - self.entry_mm))

    @property
    def off_middle_away(self) -> float:
        """How far from the middle, in half widths, to whichever side."""
        return abs(self.off_middle)


def measure_tunnel(hip: Hip, entries: Entries, chosen: int, target_mm: FloatArray) -> Tunnel:
    """The tunnel from one of the entries to its furthest point (3,), measured exactly; it may break rules.

    NoSafePlan for a target outside the bone, or so near to the entry that there is no tunnel.
    """
    bone, anatomy, tool, rules = hip.bone, hip.anatomy, hip.tool, hip.rules
    entry = entries.points_mm[chosen]
    require_in_bone(hip, entry, target_mm)
    axis, length = unit(target_mm - entry), float(np.linalg.norm(target_mm - entry))
    into_head = _into_head_mm(entry, axis, anatomy.head_center_mm, anatomy.head_radius_mm)
    wall = _least_wall_mm(hip, entry, axis, length, into_head)
    end = -bone.signed_distance_mm(end_points(entry, axis, length, tool.outline_mm, anatomy.posterior))
    joint = min(float(end.min()), _least_side_mm(hip, entry, axis, length, max(into_head, rules.entry_zone_mm)))
    vessel = _least_vessel_wall_mm(hip, entry, axis, length)
    offset = sleeve_offset_mm(
        bone, entry, axis, hip.sleeve_bore_mm / 2.0, hip.guided_length_mm, hip.kit.sleeve_offsets_mm
    )
    relative = hip.lesion.points_mm - entry
    along = relative @ axis
    place = along - length, np.linalg.norm(across(relative, axis), axis=1)
    swept = tool.swept(*place)
    shaft_angle = 180.0 - angle_deg(axis, anatomy.shaft_axis)
    obliquity = angle_deg(axis, -entries.normals[chosen])
    distance = keep_out_distance_mm(hip, entry, axis, length)
    cost = soft_costs(
        rules, wall=wall, shaft_angle_deg=shaft_angle, obliquity_deg=obliquity, off_middle=entries.off_middle[chosen],
        above_lesser_mm=entries.above_lesser_mm[chosen], keep_out_mm=distance,
    )  # fmt: skip
    return Tunnel(
        entry_mm=entry,
        target_mm=np.asarray(target_mm, dtype=np.float64),
        diameter_mm=2.0 * tool.radius_mm,
        outline_mm=tool.outline_mm,
        wall_min_mm=wall,
        vessel_wall_mm=vessel,
        subchondral_mm=float(end.min()),
        subchondral_axis_mm=float(end[0]),
        tool_to_joint_mm=joint,
        lesion_reached_fraction=float(swept.mean()),
        lesion_missed_mm=0.0 if swept.any() else float(tool.outside_mm(*place).min()),
        centroid_distance_mm=float(np.linalg.norm(across(hip.lesion.centroid_mm - entry, axis))),
        shaft_angle_deg=shaft_angle,
        obliquity_deg=obliquity,
        off_middle=float(entries.off_middle[chosen]),
        above_lesser_mm=float(entries.above_lesser_mm[chosen]),
        below_ridge_mm=float(entries.below_ridge_mm[chosen]),
        sleeve_offset_mm=offset,
        depth_reading_mm=None if offset is None else depth_reading_mm(offset, length),
        drill_spare_mm=-1.0 if offset is None else hip.kit.drill.length_mm - offset - length,
        cost=float(cost),
        keep_out_mm=distance if hip.keep_out.structures else None,
    )


def require_in_bone(hip: Hip, entry: FloatArray, target_mm: FloatArray) -> None:
    """NoSafePlan for a target (3,) outside the bone, or so near to the entry (3,) that there is no tunnel."""
    outside = max(0.0, float(hip.bone.signed_distance_mm(target_mm[None])[0]))
    length = float(np.linalg.norm(target_mm - entry))
    if outside > 0.0 or length < SHORTEST_MM:
        raise NoSafePlan(
            f"expected a target inside the bone, at least {SHORTEST_MM:g} mm from the entry, found it "
            f"{shown_beside(outside, 0.0, 0)} mm outside and {shown_beside(length, SHORTEST_MM, 0)} mm from the entry; "
            "check its coordinates (LPS mm)",
            rule="target_in_bone",
            figures={"outside_mm": outside, "length_mm": length},
        )


def _steps(start: float, end: float, step: float) -> FloatArray:
    """Ways from start to end, the end included, no further apart than `step`; the end alone where it comes first."""
    return np.linspace(start, end, int(np.ceil((end - start) / step)) + 1) if end > start else np.array([end])


def _least(
    distance: Callable[[FloatArray], FloatArray], entry: FloatArray, axis: FloatArray, start: float, end: float
) -> float:
    """The least distance of places on the axis from `start` to `end`, FINE_STEP_MM apart."""
    ways = _steps(start, end, COARSE_STEP_MM)
    coarse = distance(entry + ways[:, None] * axis)
    near = ways[coarse <= coarse.min() + COARSE_STEP_MM]
    fine = np.arange(-COARSE_STEP_MM / 2.0, COARSE_STEP_MM / 2.0 + FINE_STEP_MM, FINE_STEP_MM)
    closer = np.unique(np.clip((near[:, None] + fine).ravel(), min(start, end), end))
    return float(min(coarse.min(), distance(entry + closer[:, None] * axis).min()))


def _into_head_mm(entry: FloatArray, axis: FloatArray, center: FloatArray, radius: float) -> float:
    """How far along the axis the head's sphere begins; infinite where the axis passes it by."""
    towards = float((center - entry) @ axis)
    beside2 = float(((center - entry) ** 2).sum()) - towards**2
    return towards - float(np.sqrt(radius**2 - beside2)) if beside2 < radius**2 else np.inf


def _stretches(hip: Hip, length: float) -> list[tuple[float, float, float]]:
    """What is swept along the axis: radius, and from where to where in mm past the entry; the opened reamer too."""
    tool = hip.tool
    shaft = [(tool.radius_mm, 0.0, length)]
    front = length - tool.setback_at_rim_mm
    return [*shaft, (tool.reamer_radius_mm, front - tool.reamer_length_mm, front)] if tool.reamer_radius_mm else shaft


def _least_wall_mm(hip: Hip, entry: FloatArray, axis: FloatArray, length: float, into_head: float) -> float:
    """The least wall past the entry zone and before the head; of the tunnel's end where that is empty."""
    zone, walls = hip.rules.entry_zone_mm, []
    for radius, first, last in _stretches(hip, length):
        start, end = max(first, zone), min(last, into_head)
        if start <= end:
            walls.append(_least(lambda points: -hip.bone.signed_distance_mm(points), entry, axis, start, end) - radius)
    at_end = float(-hip.bone.signed_distance_mm((entry + length * axis)[None])[0])
    return min(walls) if walls else at_end - hip.tool.radius_mm


def _least_vessel_wall_mm(hip: Hip, entry: FloatArray, axis: FloatArray, length: float) -> float:
    """The least distance of the tunnel's wall, past the entry zone, to where the vessels enter."""
    walls = []
    for radius, first, last in _stretches(hip, length):
        start = min(max(first, hip.rules.entry_zone_mm), last)
        walls.append(_least(lambda points: hip.vessels.nearest(points)[0], entry, axis, start, last) - radius)
    return min(walls)


def _least_side_mm(hip: Hip, entry: FloatArray, axis: FloatArray, length: float, start: float) -> float:
    """The least depth in the head of the shaft's mantle, up to where the tool's end begins, and of the opened reamer's;
    infinite for none.
    """
    least = np.inf
    for number, (radius, first, last) in enumerate(_stretches(hip, length)):
        begin, end = max(first, start), length - hip.tool.end_length_mm if number == 0 else last
        if begin >= end:
            continue
        ways = _steps(begin, end, SIDE_STEP_MM)
        on_axis = -hip.bone.signed_distance_mm(entry + ways[:, None] * axis)
        ways = ways[on_axis - radius <= on_axis.min()]  # the mantle is no nearer than that, and no further
        ring = ring_points(axis, hip.anatomy.posterior, RIM_POINTS) * radius
        points = (entry + ways[:, None, None] * axis + ring).reshape(-1, 3)
        least = min(least, float(-hip.bone.signed_distance_mm(points).max()))
    return least


def ring_points(axis: FloatArray, towards: FloatArray, count: int) -> FloatArray:
    """Unit vectors (count, 3) all round an axis; they turn with `towards` and are mirrored with it."""
    first = unit(across(towards, axis))
    second = np.cross(axis, first)
    turn = (np.arange(count) + 0.5) * 2.0 * np.pi / count
    return np.asarray(np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)


def end_points(
    entry: FloatArray, axis: FloatArray, length: float, outline_mm: FloatArray, towards: FloatArray
) -> FloatArray:
    """Points all over the tool's end (1 + rings, 3), its furthest point first."""
    ring = ring_points(axis, towards, RIM_POINTS)
    tip = entry + length * axis
    rings = [tip - setback * axis + radius * ring for setback, radius in outline_mm if radius > 0.0]
    return np.concatenate([tip[None], *rings])


def keep_out_distance_mm(hip: Hip, entry: FloatArray, axis: FloatArray, length: float) -> float:
    """From the tools on their whole way, outside the bone and in it, to what is kept out; infinite for nothing."""
    rods = [
        (entry + (first if first > 0.0 else -TOOL_OUTSIDE_MM) * axis, entry + last * axis, radius)
        for radius, first, last in _stretches(hip, length)
    ]
    return min(hip.keep_out.rod_distance_mm(*rod) for rod in rods)


def soft_costs(
    rules: Rules,
    *,
    wall: FloatArray | float,
    shaft_angle_deg: FloatArray | float,
    obliquity_deg: FloatArray | float,
    off_middle: FloatArray | float,
    above_lesser_mm: FloatArray | float,
    keep_out_mm: FloatArray | float = np.inf,
) -> FloatArray:
    """What speaks against tunnels: the weighted squares of how far each misses its aims, in points."""
    doubt = rules.surface_doubt_mm
    doubtful = np.maximum(0.0, rules.wall_min_mm + doubt - wall) / doubt
    near = np.maximum(0.0, rules.keep_out_min_mm + doubt - keep_out_mm) / doubt
    thin = np.maximum(0.0, rules.aim_wall_mm - wall) / 2.0
    low = np.maximum(0.0, rules.aim_above_lesser_mm - above_lesser_mm) / 4.0
    steep = (np.asarray(shaft_angle_deg) - rules.aim_shaft_angle_deg) / 10.0
    oblique = np.maximum(0.0, np.asarray(obliquity_deg) - rules.aim_obliquity_deg) / 5.0
    return np.asarray(
        rules.weight_doubt * doubtful**2
        + rules.weight_middle * np.square(off_middle)
        + rules.weight_wall * thin**2
        + rules.weight_lesser * low**2
        + rules.weight_angle * steep**2
        + rules.weight_obliquity * oblique**2
        + rules.weight_doubt * near**2
    )


def broken_rules(tunnel: Tunnel, rules: Rules) -> tuple[Broken, ...]:
    """Every hard rule that the tunnel breaks, with its figures, the worst first."""
    broken = []
    for rule in TABLE:
        measured, limit = getattr(tunnel, rule.measure), limit_of(rule, rules)
        if measured is None:
            continue
        short = limit - measured if rule.at_least else measured - limit
        if short > AT_LIMIT:
            each = Broken(rule.name, float(measured), limit, rule.unit, _may_be_waived(rule, measured))
            broken.append((short / rule.step, each))
    return tuple(each for _, each in sorted(broken, key=lambda pair: -pair[0]))


def _may_be_waived(rule: Rule, measured: float) -> bool:
    if rule.floor is None:
        return False
    return bool(measured >= rule.floor if rule.at_least else measured <= rule.floor)

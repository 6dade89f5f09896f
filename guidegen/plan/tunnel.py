"""The tunnel: every entry of the lateral window is tried, and the best one that keeps the rules is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, angle_deg, perpendicular_pair, unit
from guidegen.keep_out import KEEP_OUT, NOTHING, KeepOut
from guidegen.lesion.lesion import Lesion
from guidegen.plan.rules import Rules
from guidegen.surfaces import Surface

LEVEL_STEP_MM = 1.0
MIDDLE_STEP = 0.1  # of the half width
WALL_STEP_MM = 2.0  # while searching
FINE_STEP_MM = 0.1  # when measuring
END_TOLERANCE_MM = 0.1
RIM_POINTS = 24
SHORTEST_MM = 10.0
ON_SPHERE_MM = 1e-6
ORDERED_ENTRY_REACH_MM = 3.0  # an ordered entry may be this far from the bone's surface
TOOL_OUTSIDE_MM = 60.0  # of its way outside the bone a drill keeps clear of what is kept out, as a wire does


@dataclass(frozen=True, eq=False)
class Tunnel:
    """One tunnel from its entry (3,) on the lateral cortex to its deep end (3,), on the axis, LPS mm.

    `wall_min_mm`: tunnel wall to outer cortex, outside the head sphere and past the entry.
    `subchondral_mm`: least distance of any point of the flat end to the joint; `subchondral_axis_mm`: of its middle.
    `off_middle`: the entry's place between back (-1), middle and front (+1) of the bone at its level.
    `keep_out_mm`: the drill's whole way to what is kept out; None where there is nothing.
    `entry_moved_mm`: how far an ordered entry was off the surface, on whose nearest point the tunnel begins.
    """

    entry_mm: FloatArray
    target_mm: FloatArray
    diameter_mm: float
    wall_min_mm: float
    subchondral_mm: float
    subchondral_axis_mm: float
    lesion_reached_fraction: float
    centroid_distance_mm: float
    shaft_angle_deg: float
    off_middle: float
    above_lesser_mm: float
    below_ridge_mm: float
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


@dataclass(frozen=True, eq=False)
class Entries:
    """Candidate entries (K, 3) and their place (K,) between back (-1), middle and front (+1) of the bone at their
    level.
    """

    points_mm: FloatArray
    off_middle: FloatArray


def plan_tunnel(
    bone: Surface,
    anatomy: Anatomy,
    lesion: Lesion,
    diameter_mm: float,
    rules: Rules,
    entry_mm: FloatArray | None = None,
    target_mm: FloatArray | None = None,
    keep_out: KeepOut = NOTHING,
) -> Tunnel:
    """The best tunnel through the lesion's centroid, on to its far side as far as the joint and `keep_out` allow.

    An ordered entry or target is used as given and must keep the same rules. Raises NoSafePlan with
    the ruling rule and the figures of the tunnel that came nearest.
    """
    entries = window_entries(bone, anatomy, rules) if entry_mm is None else _ordered_entry(bone, anatomy, entry_mm)
    through = lesion.centroid_mm if target_mm is None else target_mm
    _require_in_bone(bone, entries, through)
    costs = _soft_costs(bone, anatomy, through, diameter_mm / 2.0, rules, entries, keep_out)
    tunnels = []
    for k in np.argsort(costs, kind="stable"):  # best first: the soft terms do not depend on where the tunnel ends
        tunnel = _tunnel(bone, anatomy, lesion, diameter_mm, rules, entries, int(k), target_mm, keep_out)
        if not broken_rules(tunnel, rules):
            moved_mm = 0.0 if entry_mm is None else float(np.linalg.norm(tunnel.entry_mm - entry_mm))
            return replace(tunnel, entry_moved_mm=moved_mm)
        tunnels.append(tunnel)
    raise _refusal(tunnels, rules, entry_mm is not None)


def _require_in_bone(bone: Surface, entries: Entries, through_mm: FloatArray) -> None:
    """NoSafePlan for a target outside the bone, or for an entry so near to it that there is no tunnel."""
    outside = float(bone.signed_distance_mm(through_mm[None])[0])
    length = float(np.linalg.norm(entries.points_mm - through_mm, axis=1).max())
    if outside >= 0.0 or length < SHORTEST_MM:
        raise NoSafePlan(
            f"expected a target inside the bone, at least {SHORTEST_MM:g} mm from the entry, found it "
            f"{max(outside, 0.0):.0f} mm outside and {length:.0f} mm from the entry; check its coordinates (LPS mm)",
            rule="target_in_bone",
            figures={"outside_mm": max(outside, 0.0), "length_mm": length},
        )


def window_entries(bone: Surface, anatomy: Anatomy, rules: Rules) -> Entries:
    """Candidates on the lateral cortex, level by level from vastus ridge to lesser trochanter.

    Across the bone they run from back to front of its width at that level, as far as the rules allow.
    """
    frame, back = anatomy.frame, anatomy.posterior
    top, bottom = (
        float((point - frame.origin_mm) @ frame.up) for point in (anatomy.vastus_ridge_mm, anatomy.lesser_trochanter_mm)
    )
    levels = np.arange(top, bottom - 1e-9, -LEVEL_STEP_MM)
    share = np.arange(-rules.entry_off_middle_max, rules.entry_off_middle_max + 1e-9, MIDDLE_STEP)
    centers = frame.origin_mm + levels[:, None] * frame.up
    middle, half = _width(bone, anatomy, centers)
    behind = middle[:, None] - share * half[:, None]
    origins = (centers[:, None] + behind[..., None] * back + 100.0 * anatomy.lateral).reshape(-1, 3)
    origins, off_middle = origins[np.isfinite(origins[:, 0])], np.tile(share, len(levels))[np.isfinite(origins[:, 0])]
    way, face = bone.ray_hits(origins, -anatomy.lateral)
    hit = np.isfinite(way) & (bone.face_normals[face] @ anatomy.lateral > 0.0)
    if not hit.any():
        raise NoSafePlan(
            f"expected lateral cortex between the vastus ridge ({top:.0f} mm above the head centre's level) and the "
            f"lesser trochanter ({bottom:.0f} mm), found none; check these landmarks",
            rule="entry_window",
            figures={"window_mm": top - bottom},
        )
    return Entries(origins[hit] - way[hit, None] * anatomy.lateral, off_middle[hit])


def _width(bone: Surface, anatomy: Anatomy, centers_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Middle and half width (K,) of the bone from front to back at points (K, 3) of the shaft axis, along posterior;
    NaN past the bone.
    """
    back = anatomy.posterior
    behind, _ = bone.ray_hits(centers_mm + 100.0 * back, -back)
    before, _ = bone.ray_hits(centers_mm - 100.0 * back, back)
    behind, before = 100.0 - behind, 100.0 - before
    half = (behind + before) / 2.0
    known = np.isfinite(half) & (half > 0.0)
    return np.where(known, (behind - before) / 2.0, np.nan), np.where(known, half, np.nan)


def _ordered_entry(bone: Surface, anatomy: Anatomy, entry_mm: FloatArray) -> Entries:
    distance, _, nearest = bone.nearest(entry_mm[None])
    if distance[0] > ORDERED_ENTRY_REACH_MM:
        raise NoSafePlan(
            f"expected the ordered entry within {ORDERED_ENTRY_REACH_MM:g} mm of the bone's surface, found it "
            f"{distance[0]:.1f} mm away; check its coordinates (LPS mm)",
            rule="entry_on_bone",
            figures={"distance_mm": float(distance[0])},
        )
    frame = anatomy.frame
    level = float((nearest[0] - frame.origin_mm) @ frame.up)
    middle, half = _width(bone, anatomy, (frame.origin_mm + level * frame.up)[None])
    off_middle = (middle - (nearest - frame.origin_mm) @ anatomy.posterior) / half
    return Entries(nearest, np.nan_to_num(off_middle, nan=9.9))  # past the bone: as far off as can be


def _tunnel(
    bone: Surface,
    anatomy: Anatomy,
    lesion: Lesion,
    diameter_mm: float,
    rules: Rules,
    entries: Entries,
    chosen: int,
    target_mm: FloatArray | None,
    keep_out: KeepOut,
) -> Tunnel:
    """The tunnel from one entry, measured."""
    entry, radius, frame = entries.points_mm[chosen], diameter_mm / 2.0, anatomy.frame
    through = lesion.centroid_mm if target_mm is None else target_mm
    axis, length = unit(through - entry), float(np.linalg.norm(through - entry))
    span = _lesion_span(lesion.points_mm, entry, axis, radius)
    if target_mm is None:
        furthest = float(span.max(initial=length))
        length = _deepest_end(bone, entry, axis, radius, length, furthest, rules, keep_out)
    end = _end_depths(bone, entry, axis, radius, length)
    level = float((entry - frame.origin_mm) @ frame.up)
    lesser, ridge = (
        float((point - frame.origin_mm) @ frame.up) for point in (anatomy.lesser_trochanter_mm, anatomy.vastus_ridge_mm)
    )
    return Tunnel(
        entry_mm=entry,
        target_mm=entry + length * axis,
        diameter_mm=diameter_mm,
        wall_min_mm=float(_wall_mins(bone, anatomy, entry[None], axis[None], length, radius, rules, FINE_STEP_MM)[0]),
        subchondral_mm=float(end.min()),
        subchondral_axis_mm=float(end[0]),
        lesion_reached_fraction=float(((span >= 0.0) & (span <= length)).sum() / len(lesion.points_mm)),
        centroid_distance_mm=float(np.linalg.norm(np.cross(lesion.centroid_mm - entry, axis))),
        shaft_angle_deg=180.0 - angle_deg(axis, anatomy.shaft_axis),
        off_middle=float(entries.off_middle[chosen]),
        above_lesser_mm=level - lesser,
        below_ridge_mm=ridge - level,
        keep_out_mm=_keep_out_distance(keep_out, entry, axis, length, radius) if keep_out.structures else None,
    )


def _keep_out_distance(keep_out: KeepOut, entry: FloatArray, axis: FloatArray, length: float, radius: float) -> float:
    """From the drill on its whole way, outside the bone and in it, to what is kept out."""
    return keep_out.rod_distance_mm(entry - TOOL_OUTSIDE_MM * axis, entry + length * axis, radius)


def _lesion_span(points_mm: FloatArray, entry: FloatArray, axis: FloatArray, radius: float) -> FloatArray:
    """How far along the axis (mm) each lesion point lies that the tool sweeps over."""
    relative = points_mm - entry
    along = relative @ axis
    beside = (relative * relative).sum(axis=1) - along * along
    return np.asarray(along[beside <= radius * radius])


def _wall_mins(
    bone: Surface,
    anatomy: Anatomy,
    entries: FloatArray,
    axes: FloatArray,
    longest_mm: float,
    radius: float,
    rules: Rules,
    step_mm: float,
) -> FloatArray:
    """Least wall (K,) in mm of each tunnel, past the entry zone and outside the head; of its end where that is
    empty.
    """
    steps = np.append(np.arange(rules.entry_zone_mm, longest_mm, step_mm), longest_mm)
    at_head = _way_to_sphere(entries, axes, anatomy.head_center_mm, anatomy.head_radius_mm)
    ways = np.c_[np.tile(steps, (len(entries), 1)), np.clip(at_head, rules.entry_zone_mm, longest_mm)]
    points = entries[:, None] + ways[..., None] * axes[:, None]
    away = np.linalg.norm(points - anatomy.head_center_mm, axis=2)
    counted = away >= anatomy.head_radius_mm - ON_SPHERE_MM
    counted[~counted.any(axis=1), len(steps) - 1] = True
    depth = np.full(counted.shape, np.inf)
    depth[counted] = -bone.signed_distance_mm(points[counted])
    return np.asarray(depth.min(axis=1) - radius)


def _way_to_sphere(entries: FloatArray, axes: FloatArray, center: FloatArray, radius: float) -> FloatArray:
    """How far (K,) along each axis the sphere begins; where an axis passes it, its nearest point."""
    towards = ((center - entries) * axes).sum(axis=1)
    beside = np.linalg.norm(center - entries - towards[:, None] * axes, axis=1)
    return np.asarray(towards - np.sqrt(np.maximum(radius**2 - beside**2, 0.0)))


def _end_depths(bone: Surface, entry: FloatArray, axis: FloatArray, radius: float, length: float) -> FloatArray:
    """Depth under the surface (1 + RIM_POINTS,) in mm of the flat end's middle and of its rim."""
    first, second = perpendicular_pair(axis)
    turn = np.arange(RIM_POINTS) * 2.0 * np.pi / RIM_POINTS
    rim = radius * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    return -bone.signed_distance_mm(entry + length * axis + np.concatenate([np.zeros((1, 3)), rim]))


def _deepest_end(
    bone: Surface,
    entry: FloatArray,
    axis: FloatArray,
    radius: float,
    nearest: float,
    furthest: float,
    rules: Rules,
    keep_out: KeepOut,
) -> float:
    """The length in mm, from `nearest` to `furthest`, up to which the end keeps its distance to the joint and to what
    is kept out, by bisection.

    A tunnel's end only comes nearer to the joint as it goes on towards it, and a longer tunnel is no further from
    anything. Where even the nearest end is too near, it is returned, and the rules will refuse it.
    """

    def safe(length: float) -> bool:
        depth = _end_depths(bone, entry, axis, radius, length)
        on_axis = depth[0] >= rules.subchondral_axis_mm + rules.surface_doubt_mm
        clear = _keep_out_distance(keep_out, entry, axis, length, radius)
        clear_enough = clear >= rules.keep_out_min_mm + rules.surface_doubt_mm
        return bool(on_axis and depth.min() >= rules.subchondral_rim_mm + rules.surface_doubt_mm and clear_enough)

    if safe(furthest):
        return furthest
    low, high = nearest, furthest
    while high - low > END_TOLERANCE_MM:
        middle = (low + high) / 2.0
        low, high = (middle, high) if safe(middle) else (low, middle)
    return low


def broken_rules(tunnel: Tunnel, rules: Rules) -> dict[str, float]:
    """By how much (mm, or scaled to be comparable) each hard rule is broken; empty for a lawful tunnel."""
    short = {
        "wall_min_mm": rules.wall_min_mm - tunnel.wall_min_mm,
        "subchondral_axis_mm": rules.subchondral_axis_mm - tunnel.subchondral_axis_mm,
        "subchondral_rim_mm": rules.subchondral_rim_mm - tunnel.subchondral_mm,
        "shaft_angle_min_deg": (rules.shaft_angle_min_deg - tunnel.shaft_angle_deg) / 5.0,
        "shaft_angle_max_deg": (tunnel.shaft_angle_deg - rules.shaft_angle_max_deg) / 5.0,
        "entry_above_lesser_trochanter_mm": -tunnel.above_lesser_mm,
        "entry_below_vastus_ridge_mm": -tunnel.below_ridge_mm,
        "entry_off_middle_max": (abs(tunnel.off_middle) - rules.entry_off_middle_max) * 10.0,
        KEEP_OUT: 0.0 if tunnel.keep_out_mm is None else rules.keep_out_min_mm - tunnel.keep_out_mm,
    }
    return {rule: amount for rule, amount in short.items() if amount > 1e-6}


def _soft_costs(
    bone: Surface,
    anatomy: Anatomy,
    through_mm: FloatArray,
    radius: float,
    rules: Rules,
    entries: Entries,
    keep_out: KeepOut,
) -> FloatArray:
    """What speaks against each entry (K,): the weighted squares of how far its tunnel misses each aim."""
    points, frame = entries.points_mm, anatomy.frame
    axes, reach = unit(through_mm - points), float(np.linalg.norm(through_mm - points, axis=1).min())
    wall = _wall_mins(bone, anatomy, points, axes, reach, radius, rules, WALL_STEP_MM)
    above_lesser = (points - anatomy.lesser_trochanter_mm) @ frame.up
    shaft_angle = 180.0 - np.degrees(np.arccos(axes @ anatomy.shaft_axis))
    doubtful = np.maximum(0.0, rules.wall_min_mm + rules.surface_doubt_mm - wall) / rules.surface_doubt_mm
    clear = [_keep_out_distance(keep_out, point, way, reach, radius) for point, way in zip(points, axes, strict=True)]
    near = np.maximum(0.0, rules.keep_out_min_mm + rules.surface_doubt_mm - np.array(clear)) / rules.surface_doubt_mm
    thin = np.maximum(0.0, rules.aim_wall_mm - wall) / 2.0
    low = np.maximum(0.0, rules.aim_above_lesser_mm - above_lesser) / 4.0
    steep = (shaft_angle - rules.aim_shaft_angle_deg) / 10.0
    return np.asarray(
        rules.weight_doubt * doubtful**2
        + rules.weight_middle * entries.off_middle**2
        + rules.weight_wall * thin**2
        + rules.weight_lesser * low**2
        + rules.weight_angle * steep**2
        + rules.weight_doubt * near**2
    )


def _refusal(tunnels: list[Tunnel], rules: Rules, ordered: bool) -> NoSafePlan:
    """The refusal for the tunnel that came nearest to keeping every rule, before all others one that only what is
    kept out forbids.
    """
    only_blocked = [tunnel for tunnel in tunnels if set(broken_rules(tunnel, rules)) == {KEEP_OUT}]
    tunnel = min(only_blocked or tunnels, key=lambda candidate: sum(broken_rules(candidate, rules).values()))
    breaks = broken_rules(tunnel, rules)
    figures = {
        "wall_min_mm": tunnel.wall_min_mm,
        "subchondral_axis_mm": tunnel.subchondral_axis_mm,
        "subchondral_mm": tunnel.subchondral_mm,
        "shaft_angle_deg": tunnel.shaft_angle_deg,
        "above_lesser_mm": tunnel.above_lesser_mm,
        "below_ridge_mm": tunnel.below_ridge_mm,
        "off_middle": tunnel.off_middle,
    } | ({} if tunnel.keep_out_mm is None else {"keep_out_mm": tunnel.keep_out_mm})
    tried = "the ordered tunnel" if ordered else f"none of {len(tunnels)} entries"
    found = ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
    return NoSafePlan(
        f"expected a tunnel that keeps every rule, found {tried} that does; the nearest breaks {', '.join(breaks)} "
        f"({found}); choose a thinner drill, another strategy or another target",
        rule=max(breaks, key=lambda name: breaks[name], default="wall_min_mm"),
        figures=figures,
    )

"""The planner against brute force, and its speed, on the femora of ../shared/data.

    benchmarks/planning.py [case ...]       five cases unless some are named

Brute force takes every entry 0.5 mm apart and from each every direction 0.5° apart that meets the lesion, with walls,
ends and reach looked up plainly: no bound, no block, no shared geometry but the score itself. For each strategy of one
tunnel it must find nothing better than the planner by more than 1 %. Leaves with 1 where it does, or where a search
takes more than 3 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numba
import numpy as np

from guidegen import pipeline
from guidegen.frames import perpendicular_pair, unit
from guidegen.plan.hip import Hip
from guidegen.plan.strategies import ground_of, most_of_the_lesion, several, through_centroid
from guidegen.plan.tunnel import broken_rules, measure_tunnel, soft_costs
from guidegen.plan.window import window_entries

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "femora"
CASES = ("z009R", "z019L", "z027R", "z055L", "z062R")
ENTRY_MM, DIRECTION_DEG = 0.5, 0.5
FIELD_MM, STATION_MM, DEPTH_MM = 0.75, 0.5, 0.1
RING = 24
MOST_POINTS = 5000  # of the lesion: every second, third, … of those of a fine label
WORSE_BY_MOST = 0.01
SLOWEST_S = 3.0
FROM_ONE_ENTRY, MEASURED = 3, 400  # of the best by force that are measured as the planner's are


@dataclass(frozen=True, eq=False)
class Fields:
    """Depth under the surface and distance to the vessel patch on a fine grid in LPS, and where it begins."""

    low_mm: np.ndarray
    depth: np.ndarray
    vessels: np.ndarray


def fields(hip: Hip, entries: np.ndarray) -> Fields:
    points = np.concatenate([entries, hip.lesion.points_mm])
    low, high = points.min(axis=0) - 6.0, points.max(axis=0) + 6.0
    shape = np.ceil((high - low) / FIELD_MM).astype(int) + 1
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    nodes = low + FIELD_MM * grid
    return Fields(low, -hip.bone.signed_distance_mm(nodes).reshape(shape), hip.vessels.nearest(nodes)[0].reshape(shape))


@numba.njit(cache=True)
def lookup(field, low, x, y, z):
    u, v, w = (x - low[0]) / FIELD_MM, (y - low[1]) / FIELD_MM, (z - low[2]) / FIELD_MM
    i, j, k = int(np.floor(u)), int(np.floor(v)), int(np.floor(w))
    if i < 0 or j < 0 or k < 0 or i > field.shape[0] - 2 or j > field.shape[1] - 2 or k > field.shape[2] - 2:
        return -10.0
    u, v, w = u - i, v - j, w - k
    total = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                share = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
                total += share * field[i + a, j + b, k + c]
    return total


@numba.njit(cache=True)
def brute(
    entry, axes, low, depth, vessels, points, center, head_radius, radius, zone, longest, wall_mm, vessel_mm, axis_mm,
    rim_mm, towards, must_reach,
):  # fmt: skip
    """For each direction (D, 3) from one entry: wall, share of the lesion reached, length; -1 where not lawful."""
    found = np.full((len(axes), 3), -1.0)
    for d in range(len(axes)):
        a = axes[d]
        wall, s, in_head, lawful, last = 1e9, zone, False, True, longest
        while s < last:
            x, y, z = entry[0] + s * a[0], entry[1] + s * a[1], entry[2] + s * a[2]
            here = lookup(depth, low, x, y, z)
            away = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
            in_head = in_head or away < head_radius * head_radius
            if not in_head:
                wall = min(wall, here - radius)
                if wall < wall_mm:
                    lawful = False
                    break
            elif here < axis_mm or (here < radius + rim_mm and ring(depth, low, x, y, z, a, radius, towards) < rim_mm):
                last = s
                break
            if lookup(vessels, low, x, y, z) - radius < vessel_mm:
                if not in_head:
                    lawful = False
                last = s
                break
            s += STATION_MM
        if not lawful:
            continue
        furthest, nearest = -1.0, 1e9
        for p in range(len(points)):
            rx, ry, rz = points[p, 0] - entry[0], points[p, 1] - entry[1], points[p, 2] - entry[2]
            along = rx * a[0] + ry * a[1] + rz * a[2]
            if rx * rx + ry * ry + rz * rz - along * along <= radius * radius:
                furthest, nearest = max(furthest, along), min(nearest, along)
        if must_reach > 0.0:
            furthest = max(furthest, must_reach)
        if furthest < 0.0:
            continue
        end = min(furthest, last)
        while end > max(must_reach, zone):
            x, y, z = entry[0] + end * a[0], entry[1] + end * a[1], entry[2] + end * a[2]
            if lookup(depth, low, x, y, z) >= axis_mm and ring(depth, low, x, y, z, a, radius, towards) >= rim_mm:
                break
            end -= DEPTH_MM
        if end <= max(must_reach, zone) or (must_reach <= 0.0 and end < nearest):
            continue
        count = 0
        for p in range(len(points)):
            rx, ry, rz = points[p, 0] - entry[0], points[p, 1] - entry[1], points[p, 2] - entry[2]
            along = rx * a[0] + ry * a[1] + rz * a[2]
            if 0.0 <= along <= end and rx * rx + ry * ry + rz * rz - along * along <= radius * radius:
                count += 1
        found[d, 0], found[d, 1], found[d, 2] = wall, count / len(points), end
    return found


@numba.njit(cache=True)
def ring(depth, low, x, y, z, a, radius, towards):
    t = towards[0] * a[0] + towards[1] * a[1] + towards[2] * a[2]
    f = towards - t * a
    f = f / np.sqrt((f * f).sum())
    g = np.cross(a, f)
    least = 1e9
    for k in range(RING):
        c, s = radius * np.cos(k * 2 * np.pi / RING), radius * np.sin(k * 2 * np.pi / RING)
        least = min(
            least, lookup(depth, low, x + c * f[0] + s * g[0], y + c * f[1] + s * g[1], z + c * f[2] + s * g[2])
        )
    return least


def best_by_force(hip: Hip, for_reach: bool) -> tuple[float, int]:
    """The best score of all, by exact measure of those that looked best, and how many tunnels were looked at."""
    rules, anatomy = hip.rules, hip.anatomy
    entries = window_entries(hip.bone, anatomy, rules, ENTRY_MM)
    grids = fields(hip, entries.points_mm)
    centroid = hip.lesion.centroid_mm
    points = np.ascontiguousarray(hip.lesion.points_mm[:: max(1, len(hip.lesion.points_mm) // MOST_POINTS)])
    best: list[tuple[float, int, np.ndarray]] = []
    count = 0
    for k, entry in enumerate(entries.points_mm):
        middle = unit(centroid - entry)
        axes, must = middle[None], float(np.linalg.norm(centroid - entry))
        if for_reach:
            first, second = perpendicular_pair(middle)
            spread = np.degrees(np.arccos(np.clip(unit(points - entry) @ middle, -1.0, 1.0))).max()
            steps = np.radians(np.arange(-spread, spread + DIRECTION_DEG, DIRECTION_DEG))
            u, v = (grid.reshape(-1, 1) for grid in np.meshgrid(np.tan(steps), np.tan(steps)))
            axes, must = unit(middle + u * first + v * second), 0.0
        count += len(axes)
        doubt = rules.surface_doubt_mm
        wall, reached, length = brute(
            entry, axes, grids.low_mm, grids.depth, grids.vessels, points, anatomy.head_center_mm,
            anatomy.head_radius_mm, hip.tool.radius_mm, rules.entry_zone_mm,
            hip.kit.drill.length_mm - min(hip.kit.sleeve_offsets_mm), rules.wall_min_mm, rules.vessel_wall_min_mm,
            rules.subchondral_axis_mm + doubt, rules.subchondral_rim_mm + doubt, anatomy.posterior, must,
        ).T  # fmt: skip
        shaft = 180.0 - np.degrees(np.arccos(np.clip(axes @ anatomy.shaft_axis, -1.0, 1.0)))
        oblique = np.degrees(np.arccos(np.clip(-axes @ entries.normals[k], -1.0, 1.0)))
        lawful = (reached >= 0.0) & (shaft >= rules.shaft_angle_min_deg) & (shaft <= rules.shaft_angle_max_deg)
        lawful &= oblique <= rules.obliquity_max_deg
        cost = soft_costs(
            rules, wall=wall, shaft_angle_deg=shaft, obliquity_deg=oblique, off_middle=entries.off_middle[k],
            above_lesser_mm=entries.above_lesser_mm[k],
        )  # fmt: skip
        score = np.where(lawful, (rules.weight_reached * reached if for_reach else 100.0) - cost, -np.inf)
        top = [d for d in np.argsort(-score, kind="stable")[:FROM_ONE_ENTRY] if score[d] > -np.inf]
        best += [(float(score[d]), k, entry + length[d] * axes[d]) for d in top]
        best = sorted(best, key=lambda each: -each[0])[:MEASURED]
    exact = [measure_tunnel(hip, entries, k, target) for _, k, target in best]
    scores = [
        (rules.weight_reached * each.lesion_reached_fraction if for_reach else 100.0) - each.cost
        for each in exact
        if not broken_rules(each, rules)
    ]
    return max(scores, default=-np.inf), count


def main(names: list[str]) -> int:
    wrong = 0
    print("case  strategy  planner  brute force   planner s  per second   brute force: tunnels, s")
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as output:
            state = pipeline._start(SHARED / name / "case.toml", output, None, pipeline.silent)
            task = pipeline._task(state, pipeline._assess(state))
        hip = task.hip
        through_centroid(ground_of(hip))  # what is compiled once is compiled here
        started = time.perf_counter()
        ground = ground_of(hip)
        set_up = time.perf_counter() - started
        for strategy, search, for_reach in (
            ("centroid", through_centroid, False), ("coverage", most_of_the_lesion, True), ("multiple", several, None),
        ):  # fmt: skip
            started = time.perf_counter()
            try:
                found = search(replace(ground, hip=task.fan_hip) if for_reach is None else ground)
            except pipeline.NoSafePlan as refusal:
                print(f"{name}  {strategy:8}  no tunnel: {refusal.rule}  {time.perf_counter() - started:.2f} s")
                continue
            took = time.perf_counter() - started + set_up
            rate = found.certificate.judged / found.certificate.seconds
            line = f"{name}  {strategy:8}  {found.score:7.3f}"
            if for_reach is None:
                print(f"{line}  {'–':>11}   {took:9.2f}  {rate:10.0f}")
            else:
                started = time.perf_counter()
                score, count = best_by_force(hip, for_reach)
                seconds = time.perf_counter() - started
                print(f"{line}  {score:11.3f}   {took:9.2f}  {rate:10.0f}   {count}, {seconds:.0f}", flush=True)
                wrong += score - found.score > WORSE_BY_MOST * abs(score)
            wrong += took > SLOWEST_S
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

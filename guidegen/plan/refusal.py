"""Which rule rules out every tunnel, and by how much: told by the tunnel that comes nearest to keeping them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, unit
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.hip import Hip
from guidegen.plan.rules import DISTANCES, TABLE, Broken
from guidegen.plan.search import Search, best_tunnels
from guidegen.plan.tunnel import Tunnel, broken_rules, measure_tunnel
from guidegen.plan.window import Entries
from guidegen.rounded import shown_beside

KEEP_OUT_RULE = f"{KEEP_OUT}_min_mm"
EVERY_MM = 4  # rows and columns of the window's grid between the entries that are tried
AIMS = 12  # places in the lesion that are aimed at, where no place is given
MOST_RELAXED_MM, RELAXED_TO_MM = 8.0, 0.1  # how far a distance is given up, and how closely its best is found
STEPS_OF = {rule.name: rule.step for rule in TABLE}


def nearest_tunnel(hip: Hip, entries: Entries, through_mm: FloatArray | None) -> Tunnel:
    """Of tunnels from entries all over the window to `through_mm` (3,), or to places all over the lesion, the one that
    breaks the rules least; before all others one that only what is kept out forbids.
    """
    chosen = np.flatnonzero((entries.row % EVERY_MM == 0) & (entries.column % EVERY_MM == 0))
    chosen = chosen if len(chosen) else np.arange(len(entries.row))
    aims = _aims(hip) if through_mm is None else through_mm[None]
    tunnels = [measure_tunnel(hip, entries, int(k), aim) for k in chosen for aim in aims]
    breaks = [broken_rules(tunnel, hip.rules) for tunnel in tunnels]
    blocked = [number for number, broken in enumerate(breaks) if {each.rule for each in broken} == {KEEP_OUT_RULE}]
    best = min(blocked or range(len(tunnels)), key=lambda number: (_badness(breaks[number]), number))
    return tunnels[best]


def _aims(hip: Hip) -> FloatArray:
    """The lesion's centroid, and places spread over the part of it that lies deep enough in the bone."""
    points = hip.lesion.points_mm
    depth = -hip.bone.signed_distance_mm(points)
    deep = points[depth >= min(hip.rules.subchondral_axis_mm, float(np.percentile(depth, 90)))]
    order = np.argsort(deep @ unit(hip.anatomy.shaft_axis + hip.anatomy.lateral), kind="stable")
    spread = deep[order[np.linspace(0, len(order) - 1, AIMS).astype(int)]]
    inside = hip.bone.contains(hip.lesion.centroid_mm[None])[0]
    return np.concatenate([hip.lesion.centroid_mm[None], spread]) if inside else spread


def _badness(broken: tuple[Broken, ...]) -> float:
    return sum(each.short_by / STEPS_OF[each.rule] for each in broken)


def no_plan(search: Search, nearest: Tunnel, judged: int) -> NoMarkedPlan:
    """The refusal: the ruling rule with its figures, measured on the tunnel that comes nearest to keeping them all."""
    tunnel, broken = nearest, broken_rules(nearest, search.hip.rules)
    closer = _just_lawful(search, broken[0].rule)
    if closer is not None and broken_rules(closer, search.hip.rules):
        tunnel, broken = closer, broken_rules(closer, search.hip.rules)
    return refused(tunnel, broken, f"none of {judged} candidates that does; the nearest breaks")


def _just_lawful(search: Search, rule: str) -> Tunnel | None:
    """The tunnel that breaks one of the distances least and keeps all else, by halving; None for another rule, or where
    no tunnel keeps all else.
    """
    if rule not in DISTANCES:
        return None
    limit = getattr(search.hip.rules, rule)
    low, high, best = limit - MOST_RELAXED_MM, limit, None
    while high - low > RELAXED_TO_MM:
        middle = (low + high) / 2.0
        hip = replace(search.hip, rules=replace(search.hip.rules, **{rule: middle}))
        found, _ = best_tunnels(replace(search, hip=hip))
        if found:
            low, best = middle, found[0]
        else:
            high = middle
    return None if best is None else measure_tunnel(search.hip, best.entries, best.chosen, best.target_mm)


def refused(tunnel: Tunnel, broken: tuple[Broken, ...], found: str) -> NoMarkedPlan:
    """The refusal of a tunnel for the rules that it breaks, of which there is at least one."""
    figures = {
        "wall_min_mm": tunnel.wall_min_mm,
        "vessel_wall_mm": tunnel.vessel_wall_mm,
        "subchondral_axis_mm": tunnel.subchondral_axis_mm,
        "subchondral_mm": tunnel.subchondral_mm,
        "tool_to_joint_mm": tunnel.tool_to_joint_mm,
        "lesion_missed_mm": tunnel.lesion_missed_mm,
        "shaft_angle_deg": tunnel.shaft_angle_deg,
        "obliquity_deg": tunnel.obliquity_deg,
        "above_lesser_mm": tunnel.above_lesser_mm,
        "below_ridge_mm": tunnel.below_ridge_mm,
        "off_middle": tunnel.off_middle,
    } | ({} if tunnel.keep_out_mm is None else {"keep_out_mm": tunnel.keep_out_mm})
    breaks = "; ".join(
        f"{each.rule} is {shown_beside(each.measured, each.limit, 1)} {each.unit}, limit {each.limit:g}, short by "
        f"{shown_beside(each.short_by, 0.0, 1)}"
        for each in broken
    )
    refusal = NoMarkedPlan(
        f"expected a tunnel that keeps every rule, found {found}: {breaks}. Choose a thinner drill, another strategy, "
        "entry or target",
        rule=broken[0].rule,
        figures=figures,
    )
    refusal.nearest = tunnel
    return refusal


class NoMarkedPlan(NoSafePlan):
    """No tunnel keeps every rule; `nearest` is the one that comes nearest to it."""

    nearest: Tunnel

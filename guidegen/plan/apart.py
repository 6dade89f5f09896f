"""Tunnels from several entries, where no fan from one entry fits: each a sleeve of its own apart from the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.frames import IntArray
from guidegen.plan.hip import Hip
from guidegen.plan.search import FINE_REACH, FINE_STEP_MM, Certificate, Search, best_tunnels
from guidegen.plan.tunnel import Tunnel, broken_rules, measure_tunnel

STEP_MM = 0.1  # along two tunnels, where they are compared
SLANT = 1.05  # at equal heights two tunnels are so much further apart than at their nearest, at the most


@dataclass(frozen=True, eq=False)
class Apart:
    """Tunnels found one after the other, and the certificate of the first search."""

    tunnels: tuple[Tunnel, ...]
    certificate: Certificate | None


def tunnels_apart(search: Search) -> Apart:
    """As many tunnels as the kit makes, the best first, then the best whose entry stands a bore and two walls off those
    before it and that meets none of them, not even in the lesion. Each is the best after those before it; all together
    need not be the best that there are.
    """
    hip = search.hip
    tunnels: list[Tunnel] = []
    certificate: Certificate | None = None
    for _ in range(hip.kit.most_tunnels):
        free = _free_entries(search, tunnels)
        if len(free) == 0:
            break
        others = [search.way.inside(np.stack([each.entry_mm, each.target_mm])) for each in tunnels]
        beside = replace(
            search,
            entries=search.entries.only(free),
            others=np.array(others) if others else None,
            apart_mm=SLANT * (hip.kit.drill.diameter_mm + hip.rules.fan_bridge_mm),
        )
        ranked, found = best_tunnels(beside)
        certificate = certificate or found
        measured = (measure_tunnel(hip, each.entries, each.chosen, each.target_mm) for each in ranked)
        best = next((each for each in measured if _fits(hip, each, tunnels)), None)
        if best is None:
            break
        tunnels.append(best)
    return Apart(tuple(tunnels), certificate)


def _free_entries(search: Search, tunnels: list[Tunnel]) -> IntArray:
    """The numbers of the entries that stand far enough off those taken, wherever the last look moves them."""
    points = search.entries.points_mm
    apart = search.hip.sleeve_bore_mm + 2.0 * search.hip.sleeve_wall_mm + np.sqrt(2.0) * FINE_REACH * FINE_STEP_MM
    taken = [np.linalg.norm(points - tunnel.entry_mm, axis=1) >= apart for tunnel in tunnels]
    return np.flatnonzero(np.all(taken, axis=0)) if taken else np.arange(len(points))


def _fits(hip: Hip, tunnel: Tunnel, others: list[Tunnel]) -> bool:
    apart = hip.sleeve_bore_mm + 2.0 * hip.sleeve_wall_mm
    return not broken_rules(tunnel, hip.rules) and all(
        np.linalg.norm(tunnel.entry_mm - other.entry_mm) >= apart
        and bridge_mm(tunnel, other) >= hip.rules.fan_bridge_mm
        for other in others
    )


def bridge_mm(one: Tunnel, other: Tunnel) -> float:
    """The least bone in mm between two tunnels, from entries to furthest points; negative where they meet."""
    from scipy.spatial import cKDTree

    first, second = (
        each.entry_mm + np.linspace(0.0, each.length_mm, int(each.length_mm / STEP_MM) + 2)[:, None] * each.axis
        for each in (one, other)
    )
    nearest = float(np.asarray(cKDTree(second).query(first)[0]).min())
    return nearest - (one.diameter_mm + other.diameter_mm) / 2.0

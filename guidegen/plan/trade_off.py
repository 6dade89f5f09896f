"""What more safety costs in reach: the most of the lesion that can be reached with every distance kept by more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from guidegen.plan.rules import DISTANCES, TABLE, Rules, limit_of, tighter
from guidegen.plan.search import Search, best_tunnels
from guidegen.plan.strategies import Ground, lesion_targets
from guidegen.plan.tunnel import Tunnel, broken_rules, measure_tunnel

SPARES_MM = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # beyond the limits of wall, vessels and joint
ENTRY_EVERY = 2  # rows and columns of the window's grid
TARGET_STEP_MM = 2.0
MEASURED = 4


@dataclass(frozen=True, eq=False)
class Trade:
    """A tunnel that keeps every distance by `spare_mm` more than it must, and reaches the most of those that do.

    `least_spare_mm`: by how much it keeps the distance that it keeps least.
    """

    spare_mm: float
    least_spare_mm: float
    tunnel: Tunnel


def trade_off(ground: Ground) -> tuple[Trade, ...]:
    """The curve, from no spare to as much as any tunnel keeps; no further tunnel reaches more."""
    grid = (ground.entries.row % ENTRY_EVERY == 0) & (ground.entries.column % ENTRY_EVERY == 0)
    entries = ground.entries.only(np.flatnonzero(grid if grid.any() else ground.entries.row >= 0))
    targets = lesion_targets(ground, TARGET_STEP_MM)
    curve: list[Trade] = []
    for spare in SPARES_MM:
        asked = tighter(ground.hip.rules, spare)
        hip = replace(ground.hip, rules=asked)
        ranked, _ = best_tunnels(Search(hip, ground.way, entries, targets, for_reach=True))
        tunnels = (measure_tunnel(hip, each.entries, each.chosen, each.target_mm) for each in islice(ranked, MEASURED))
        lawful = [tunnel for tunnel in tunnels if not broken_rules(tunnel, asked)]
        if lawful:
            best = max(lawful, key=lambda tunnel: tunnel.lesion_reached_fraction)
            curve.append(Trade(spare, least_spare_mm(best, ground.hip.rules), best))
    for k in range(len(curve) - 1, 0, -1):  # one that keeps more is lawful where less is asked
        if curve[k].tunnel.lesion_reached_fraction > curve[k - 1].tunnel.lesion_reached_fraction:
            curve[k - 1] = replace(curve[k], spare_mm=curve[k - 1].spare_mm)
    return tuple(curve)


def least_spare_mm(tunnel: Tunnel, rules: Rules) -> float:
    """By how much a tunnel keeps the one of its distances to cortex, vessels and joint that it keeps least; negative
    where it does not.
    """
    return min(float(getattr(tunnel, rule.measure)) - limit_of(rule, rules) for rule in TABLE if rule.name in DISTANCES)

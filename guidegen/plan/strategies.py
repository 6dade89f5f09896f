"""The ways of choosing a tunnel: through the centroid, for the most of the lesion, in a fan, or as the surgeon says.

Each gives the best tunnels that keep every rule, or says which rule rules out everything and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray
from guidegen.plan.apart import tunnels_apart
from guidegen.plan.corridor import Corridor, corridor
from guidegen.plan.fan_search import best_fans
from guidegen.plan.hip import Hip
from guidegen.plan.lines import ENDS_THERE, THROUGH
from guidegen.plan.refusal import nearest_tunnel, no_plan
from guidegen.plan.rules import tighter
from guidegen.plan.search import (
    ENTRY_STEP_MM,
    TARGET_STEP_MM,
    Aimed,
    Certificate,
    Search,
    Targets,
    best_tunnels,
    target_grid,
)
from guidegen.plan.tunnel import Tunnel, broken_rules, measure_tunnel, require_in_bone
from guidegen.plan.window import Entries, ordered_entry, window_entries

HAIRS_MM = (0.0, 0.1, 0.3)  # inside the limits of wall, vessels and joint: the field is off by as much


@dataclass(frozen=True, eq=False)
class Found:
    """What a strategy found: its tunnels, their score, and what the search was worth (None where nothing was
    searched).
    """

    tunnels: tuple[Tunnel, ...]
    score: float
    certificate: Certificate | None


@dataclass(frozen=True, eq=False)
class Ground:
    """What all strategies share: the entries that may be used, and the corridor between them and the lesion."""

    hip: Hip
    entries: Entries
    way: Corridor


def ground_of(hip: Hip, entry_mm: FloatArray | None = None, middle_mm: FloatArray | None = None) -> Ground:
    """The window's entries, or the one ordered (3,), and the corridor to the lesion or to an ordered target (3,)."""
    entries = (
        window_entries(hip.bone, hip.anatomy, hip.rules, ENTRY_STEP_MM)
        if entry_mm is None
        else ordered_entry(hip.bone, hip.anatomy, entry_mm)
    )
    middle = hip.lesion.centroid_mm if middle_mm is None else middle_mm
    require_in_bone(hip, entries.points_mm.mean(axis=0), middle)
    return Ground(hip, entries, corridor(hip, entries, middle))


def through_centroid(ground: Ground) -> Found:
    """The tunnel through the lesion's centroid, on to its far side as far as the joint allows, from the best entry."""
    return _best(Search(ground.hip, ground.way, ground.entries, _one(THROUGH), for_reach=False))


def most_of_the_lesion(ground: Ground) -> Found:
    """The tunnel, and its depth, that reach the most of the lesion: a point of cost outweighs 1 % of it."""
    return _best(Search(ground.hip, ground.way, ground.entries, lesion_targets(ground), for_reach=True))


def several(ground: Ground) -> Found:
    """The fan of tunnels from one entry that reach the most together; where none fits, tunnels from several entries."""
    search = Search(ground.hip, ground.way, ground.entries, lesion_targets(ground), for_reach=True)
    fans, certificate = best_fans(search)
    found = []
    for fan in fans:
        tunnels = tuple(measure_tunnel(ground.hip, fan.entries, fan.chosen, target) for target in fan.targets_mm)
        if not any(broken_rules(tunnel, ground.hip.rules) for tunnel in tunnels):
            score = score_of(ground.hip, tunnels, for_reach=True)
            found.append(Found(tunnels, score, replace(certificate, score=score)))
    if found:
        return max(found, key=lambda each: each.score)
    apart = tunnels_apart(search)
    if len(apart.tunnels) >= ground.hip.kit.fewest_tunnels:
        return Found(apart.tunnels, score_of(ground.hip, apart.tunnels, for_reach=True), apart.certificate)
    _best(search)  # NoSafePlan where not even one tunnel is lawful
    fewest = ground.hip.kit.fewest_tunnels
    raise NoSafePlan(
        f"expected {fewest} tunnels apart from each other, found none that reach the lesion and leave "
        f"{ground.hip.rules.fan_bridge_mm:g} mm of bone between them past a common mouth, nor "
        "entries a bore and two walls apart; choose another strategy",
        rule="fan_bridge_mm",
        figures={"tunnels": float(len(apart.tunnels)), "needed": float(fewest)},
    )


def ends_at(ground: Ground) -> Found:
    """The tunnel that ends at the corridor's middle, an ordered target, from the best entry."""
    return _best(Search(ground.hip, ground.way, ground.entries, _one(ENDS_THERE), for_reach=False))


def as_ordered(ground: Ground, target_mm: FloatArray) -> Found:
    """The tunnel from an ordered entry to an ordered target (3,), whatever rules it breaks."""
    tunnel = measure_tunnel(ground.hip, ground.entries, 0, target_mm)
    return Found((tunnel,), score_of(ground.hip, (tunnel,), for_reach=False), None)


def lesion_targets(ground: Ground, step_mm: float = TARGET_STEP_MM) -> Targets:
    """Targets over the lesion's whole breadth as seen along the corridor, and a drill's radius beyond."""
    reach = np.abs(ground.way.lesion[:, :2]).max(axis=0) + ground.hip.tool.widest_mm
    return target_grid(np.zeros(2), reach, step_mm)


def _one(mode: int) -> Targets:
    return Targets(np.zeros((1, 2)), 1, TARGET_STEP_MM, mode)


def _best(search: Search) -> Found:
    """The best tunnel by exact measure, of the best on the distance field; NoSafePlan where none is lawful.

    Where all of those break a rule by a hair, by which the field is off, the search is done again a hair inside the
    limits.
    """
    offset: float | None = None
    for hair_mm in HAIRS_MM:
        asked = replace(search, hip=replace(search.hip, rules=tighter(search.hip.rules, hair_mm)), offset_mm=offset)
        ranked, certificate = best_tunnels(asked)
        found = [_found(search, aimed, certificate) for aimed in ranked]
        lawful = [each for each in found if not broken_rules(each.tunnels[0], search.hip.rules)]
        if lawful:
            return max(lawful, key=lambda each: each.score)
        needed = [each.tunnels[0].sleeve_offset_mm or 0.0 for each in found]
        offset = max(needed, default=0.0) or None  # the sleeve that these need leaves less of the drill, perhaps
    nearest = nearest_tunnel(search.hip, search.entries, search.through_mm)
    if not broken_rules(nearest, search.hip.rules):  # by less than the field's error the search has missed it
        return Found((nearest,), score_of(search.hip, (nearest,), search.for_reach), None)
    raise no_plan(search, nearest, certificate.judged)


def _found(search: Search, aimed: Aimed, certificate: Certificate) -> Found:
    tunnel = measure_tunnel(search.hip, aimed.entries, aimed.chosen, aimed.target_mm)
    score = score_of(search.hip, (tunnel,), search.for_reach)
    return Found((tunnel,), score, replace(certificate, score=score))


def score_of(hip: Hip, tunnels: tuple[Tunnel, ...], for_reach: bool) -> float:
    """The score of tunnels together, in points: what they reach in per cent, or 100, less their mean cost."""
    cost = float(np.mean([tunnel.cost for tunnel in tunnels]))
    reached = sum(tunnel.lesion_reached_fraction for tunnel in tunnels)
    return (hip.rules.weight_reached * reached if for_reach else 100.0) - cost

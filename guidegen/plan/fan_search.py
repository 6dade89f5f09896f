"""The search for a fan: every entry of the window, and from each every set of targets far enough apart."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from guidegen.frames import FloatArray, IntArray
from guidegen.plan.fan import best_fan
from guidegen.plan.pieces import pieces
from guidegen.plan.rules import Rules
from guidegen.plan.search import Candidates, Certificate, Search, target_grid
from guidegen.plan.window import Entries

ENTRY_EVERY = 2  # rows and columns of the window's grid between the entries of fans
TARGET_STEP_MM = 2.0
FINE_STEP_MM = 0.5  # of the last look round each target of the best fans
FINE_REACH = 2  # steps to each side
LOOKED_AT = 6  # fans that are made finer and may be measured
SERVES = 0.01  # of a piece of the lesion: a tunnel that reaches more serves it
SERVED_BONUS = 20.0  # points for each piece: more than any choice among fans that serve the same ones


@dataclass(frozen=True, eq=False)
class Fan:
    """Tunnels from one entry: their furthest points (N, 3) in LPS mm, and the score on the distance field."""

    entries: Entries
    chosen: int
    targets_mm: FloatArray
    score: float


def apart_cosine(rules: Rules, diameter_mm: float) -> float:
    """The cosine of the least angle between two tunnels of a fan: a bridge of bone parts them past their mouth."""
    return float(np.cos(2.0 * np.arcsin((diameter_mm + rules.fan_bridge_mm) / (2.0 * rules.fan_mouth_mm))))


def best_fans(search: Search) -> tuple[list[Fan], Certificate]:
    """The best fans of some entries, best first, of as many tunnels as the kit makes and as fit; and what the search
    was worth. Of each entry every fan on the grid of targets is looked at or excluded by a bound.
    """
    started = time.perf_counter()
    kit, cosine = search.hip.kit, apart_cosine(search.hip.rules, search.hip.kit.drill.diameter_mm)
    reach = np.abs(search.targets.places).max(axis=0)
    coarse = replace(search, targets=target_grid(np.zeros(2), reach, TARGET_STEP_MM))
    chosen = np.flatnonzero((search.entries.row % ENTRY_EVERY == 0) & (search.entries.column % ENTRY_EVERY == 0))
    served = _searches_by_piece(coarse)
    with ThreadPoolExecutor(2) as cores:
        looks = list(cores.map(lambda k: _look(coarse, served, int(k)), chosen))
    fans: list[Fan] = []
    for count in range(kit.most_tunnels, kit.fewest_tunnels - 1, -1):
        ranked = _ranked(coarse, chosen, looks, count, cosine)
        fans = [_finer(search, coarse, k, looks[n], picked, cosine) for _, n, k, picked in ranked[:LOOKED_AT]]
        if fans:
            break
    fans.sort(key=lambda fan: -fan.score)
    judged = len(chosen) * len(coarse.targets.places)
    certificate = Certificate(
        len(chosen), len(coarse.targets.places), judged, judged, float(ENTRY_EVERY), TARGET_STEP_MM,
        fans[0].score if fans else float("-inf"), 0.0, search.way.error_mm, time.perf_counter() - started,
    )  # fmt: skip
    return fans, certificate


@dataclass(frozen=True, eq=False)
class _Look:
    """From one entry: the candidates, and the pieces of the lesion that each serves, as bits (M,)."""

    candidates: Candidates
    masks: IntArray


def _searches_by_piece(search: Search) -> list[Search]:
    """The same search for each piece of the lesion alone; none where there is but one."""
    number = pieces(search.hip.lesion)
    if number.max() == 0:
        return []
    inside = search.way.inside(search.hip.lesion.points_mm)
    shares = [
        np.c_[inside[number == k], np.full((number == k).sum(), 1.0 / (number == k).sum())]
        for k in range(int(number.max()) + 1)
    ]
    return [replace(search, way=replace(search.way, lesion=share)) for share in shares]


def _look(search: Search, by_piece: list[Search], entry: int) -> _Look:
    at, index = search.entries.points_mm[entry], np.array([entry])
    found = search.look(at, index, 0.0, None)
    masks = np.ones(len(found.score), dtype=np.int64)
    if by_piece:
        asked = found.score > -np.inf
        masks = np.zeros(len(found.score), dtype=np.int64)
        for bit, alone in enumerate(by_piece):
            masks |= (alone.look(at, index, 0.0, asked).reached > SERVES).astype(np.int64) << bit
    return _Look(found, masks)


def _gains(search: Search, found: Candidates, count: int) -> FloatArray:
    """What each tunnel adds to the score of a fan of `count`: its own reach, and its part of the mean cost."""
    return search.hip.rules.weight_reached * found.reached - found.cost / count


def _ranked(
    search: Search, chosen: IntArray, looks: list[_Look], count: int, cosine: float
) -> list[tuple[float, int, int, IntArray]]:
    """The best fan of each entry with one, best first: score, place in `looks`, entry, and the targets' numbers."""
    apart = float(np.sqrt(2.0 - 2.0 * cosine))  # between unit axes
    fans = []
    for n, (entry, look) in enumerate(zip(chosen, looks, strict=True)):
        found = look.candidates
        lawful = np.flatnonzero((found.score > -np.inf) & (found.reached > 0.0))  # beside the lesion it serves nobody
        gains = _gains(search, found, count)
        order = lawful[np.argsort(-gains[lawful], kind="stable")]
        if len(order) < count:
            continue
        axes = search.targets.axes_from(found.entry)[0][order]
        score, picked = best_fan(
            axes, _blocks(axes, apart), gains[order], look.masks[order], count, cosine,
            SERVED_BONUS, -1e9,
        )  # fmt: skip
        if picked[0] >= 0:
            fans.append((float(score), n, int(entry), order[picked]))
    return sorted(fans, key=lambda fan: (-fan[0], fan[1]))


def _blocks(axes: FloatArray, apart: float) -> IntArray:
    """Numbers (M,) of the squares in which the axes lie; no two of one square are `apart` apart."""
    lean = float(axes[:, 2].min(initial=1.0))  # the squares lie across the corridor; axes lean against it
    side = apart / np.sqrt(2.0) * lean * (1.0 - 1e-9)
    cells = np.floor(axes[:, :2] / side).astype(np.int64)
    _, number = np.unique(cells, axis=0, return_inverse=True)
    return np.asarray(number.ravel(), dtype=np.int64)


def _finer(search: Search, coarse: Search, entry: int, look: _Look, picked: IntArray, cosine: float) -> Fan:
    """Each tunnel of a fan in turn moved to the best target near its own, as long as it stays apart from the others."""
    at, index = search.entries.points_mm[entry], np.array([entry])
    inside = search.way.inside(at)
    count = len(picked)
    places = coarse.targets.places[picked].copy()
    gains = _gains(search, look.candidates, count)[picked]
    past = look.candidates.past_mm[picked].copy()
    for k in range(count):
        near = replace(search, targets=target_grid(places[k], FINE_REACH * FINE_STEP_MM, FINE_STEP_MM))
        found = near.look(at, index, 0.0, None)
        axes, _ = near.targets.axes_from(inside)
        rest, _ = replace(near.targets, places=np.delete(places, k, axis=0)).axes_from(inside)
        gain = np.where(
            (axes @ rest.T <= cosine).all(axis=1) & (found.score > -np.inf), _gains(search, found, count), -np.inf
        )
        best = int(gain.argmax())
        if gain[best] > gains[k]:
            places[k], gains[k], past[k] = near.targets.places[best], gain[best], found.past_mm[best]
    axes, length = replace(coarse.targets, places=places).axes_from(inside)
    order = np.argsort(-gains, kind="stable")
    ends = search.way.outside(inside + (length + past)[:, None] * axes)
    return Fan(search.entries, entry, ends[order], float(gains.sum()))

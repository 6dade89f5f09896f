"""The exhaustive search for one tunnel: every entry of the window against every target, coarse to fine with a bound.

Entries are taken in blocks of the window's grid. No tunnel from any entry of a block scores better than the block's
bound (`lines.tunnels_from` with its `loose_mm`), so a block whose bound is no better than the best tunnel found is
done with, all its entries and targets; the others are split, down to single entries. What is left of the bounds in
the end is the certificate.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice, repeat

import numpy as np

from guidegen.frames import FloatArray, IntArray
from guidegen.plan.corridor import KEEP_OUT_STEP_MM, STEP_MM, Corridor
from guidegen.plan.hip import Hip
from guidegen.plan.lines import ENDS_THERE, FREE, FlagArray, tunnels_from
from guidegen.plan.tunnel import TOOL_OUTSIDE_MM, soft_costs
from guidegen.plan.window import Entries, entries_at

ENTRY_STEP_MM = 1.0
TARGET_STEP_MM = 1.0
FIRST_BLOCK = 4  # entries along each side of the first blocks
AT_ONCE = 4  # blocks taken together: enough for two cores, few enough not to look at what a bound would have spared
HEIGHTS = 25  # between entry and targets, at which two tunnels are compared
FINE_STEP_MM = 0.25  # of the last look round the best
FINE_REACH = 4  # steps to each side
RANKED = 12  # of the tunnels round the best, to be measured exactly
END_SHARES = 9  # of the radius, at which the tool's end is known
SCORE_STEP = 1e-6  # scores nearer than this are equal: the first in order is taken
SPARED = 0.002  # of the best score: a block that may be better by less is not split, and the certificate says so


@dataclass(frozen=True, eq=False)
class Targets:
    """A grid of targets (M, 2) in the corridor's plane z = 0, column by column; `mode` is FREE, THROUGH or ENDS_THERE
    of `lines`.
    """

    places: FloatArray
    columns: int
    step_mm: float
    mode: int

    def axes_from(self, entry: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Unit vectors (M, 3) from an entry (3,) of the corridor's frame to the targets, and how far it is (M,)."""
        ways = np.c_[self.places, np.zeros(len(self.places))] - entry
        length = np.linalg.norm(ways, axis=1)
        return np.asarray(ways / length[:, None]), np.asarray(length)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Tunnels from one entry (3,) of the corridor's frame, one for each target (M,): score, and the way in mm past the
    target to the furthest point. A score of -inf: no lawful tunnel.
    """

    entry: FloatArray
    score: FloatArray
    past_mm: FloatArray
    reached: FloatArray
    cost: FloatArray


@dataclass(frozen=True)
class Certificate:
    """What the search went through. `gap` is how much better, in points of the score, a tunnel of the grid may be that
    was not looked at; `judged` counts pairs of an entry and a target, each measured or excluded by a bound.
    """

    entries: int
    targets: int
    judged: int
    measured: int
    entry_step_mm: float
    target_step_mm: float
    score: float
    gap: float
    field_error_mm: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Aimed:
    """A tunnel found: its entry and furthest point (3,) in LPS mm, and its score on the distance field."""

    entries: Entries
    chosen: int
    target_mm: FloatArray
    score: float


@dataclass(frozen=True, eq=False)
class Search:
    """One search's surroundings: the hip, the corridor, the entries, and whether reach counts.

    `others` (N, 2, 3): entries and furthest points, in the corridor's frame, of tunnels from whose axes the one sought
    stays `apart_mm`; None for none. `offset_mm`: of the sleeve that decides how much drill is left; None: the smallest.
    """

    hip: Hip
    way: Corridor
    entries: Entries
    targets: Targets
    for_reach: bool
    others: FloatArray | None = None
    apart_mm: float = 0.0
    offset_mm: float | None = None

    @property
    def through_mm(self) -> FloatArray | None:
        """The point (3,) in LPS that every tunnel sought goes through or ends at; None where they are free."""
        return None if self.targets.mode == FREE else self.way.origin_mm

    def look(self, point_mm: FloatArray, index: IntArray, loose_mm: float, asked: FlagArray | None) -> Candidates:
        """All tunnels from a point (3,) in LPS to the targets `asked` (M,), None for all; or a bound for those from the
        entries `index` up to `loose_mm` off.
        """
        entry = self.way.inside(point_mm)
        wall, clear, past, reached = self._lines(entry, loose_mm, asked).T
        lawful = wall > -1e9
        axes, length = self.targets.axes_from(entry)
        turn_deg = np.degrees(loose_mm / length)
        shaft = self.hip.anatomy.shaft_axis @ self.way.axes.T
        normals = self.entries.normals[index] @ self.way.axes.T
        angle = 180.0 - np.degrees(np.arccos(np.clip(axes @ shaft, -1.0, 1.0)))
        oblique = np.degrees(np.arccos(np.clip(-(axes @ normals.T), -1.0, 1.0))).min(axis=1) - turn_deg
        rules = self.hip.rules
        nearest = np.clip(rules.aim_shaft_angle_deg, angle - turn_deg, angle + turn_deg)
        lawful &= (angle + turn_deg >= rules.shaft_angle_min_deg) & (angle - turn_deg <= rules.shaft_angle_max_deg)
        lawful &= oblique <= rules.obliquity_max_deg
        if self.others is not None and loose_mm == 0.0:
            lawful &= self._clear_of_others(entry)
        cost = soft_costs(
            rules, wall=wall, shaft_angle_deg=nearest, obliquity_deg=oblique,
            off_middle=np.abs(self.entries.off_middle[index]).min(),
            above_lesser_mm=self.entries.above_lesser_mm[index].max(), keep_out_mm=clear,
        )  # fmt: skip
        score = (rules.weight_reached * reached if self.for_reach else 100.0) - cost
        return Candidates(entry, np.where(lawful, score, -np.inf), past, reached, cost)

    def _clear_of_others(self, entry: FloatArray) -> FlagArray:
        """Which tunnels (M,) from an entry (3,) stay apart from the others, compared at equal heights z."""
        assert self.others is not None, "asked for only where there are others"
        share = np.linspace(0.0, 1.0, HEIGHTS)[:, None]
        clear = np.ones(len(self.targets.places), dtype=np.bool_)
        for start, end in self.others:
            height = entry[2] * (1.0 - share)
            other = start[:2] + (height - start[2]) / (end[2] - start[2]) * (end - start)[:2]
            own = (1.0 - share) * entry[:2] + share * self.targets.places[:, None]
            clear &= np.linalg.norm(own - other, axis=2).min(axis=1) >= self.apart_mm
        return clear

    def _lines(self, entry: FloatArray, loose_mm: float, asked: FlagArray | None) -> FloatArray:
        hip, way, tool, rules, targets = self.hip, self.way, self.hip.tool, self.hip.rules, self.targets
        shares = np.linspace(0.0, 1.0, END_SHARES)
        offset = min(hip.kit.sleeve_offsets_mm) if self.offset_mm is None else self.offset_mm
        longest = hip.kit.drill.length_mm - offset
        asked = np.ones(len(targets.places), dtype=np.bool_) if asked is None else asked
        return tunnels_from(
            entry, loose_mm, way.error_mm,
            targets.places, targets.columns, targets.step_mm, asked, targets.mode,
            way.low_mm, STEP_MM, way.depth, way.vessels,
            way.keep_out_low_mm, KEEP_OUT_STEP_MM, way.keep_out, TOOL_OUTSIDE_MM,
            way.lesion, way.cell_mm, way.head_center, hip.anatomy.head_radius_mm,
            tool.outline_mm, tool.radius_mm, tool.reamer_radius_mm, tool.reamer_length_mm,
            tool.setback_mm(shares * tool.radius_mm),
            rules.entry_zone_mm, longest, rules.wall_min_mm, rules.vessel_wall_min_mm, rules.keep_out_min_mm,
            rules.subchondral_axis_mm, rules.subchondral_rim_mm,
            0.0 if targets.mode == ENDS_THERE else rules.surface_doubt_mm,
        )  # fmt: skip


def best_tunnels(search: Search) -> tuple[list[Aimed], Certificate]:
    """The first RANKED lawful tunnels, best first, of the entries round the best one and the targets round its own; and
    what the search was worth. Empty where no entry and target make a lawful tunnel on the distance field.
    """
    started = time.perf_counter()
    best, gap, measured = _branch_and_bound(search)
    entries, targets = len(search.entries.points_mm), len(search.targets.places)
    certificate = Certificate(
        entries, targets, entries * targets, measured, ENTRY_STEP_MM, search.targets.step_mm,
        float("-inf"), gap, search.way.error_mm, 0.0,
    )  # fmt: skip
    found: list[Aimed] = []
    if best is not None:
        found = list(islice(_round_about(search, *best), RANKED))
        certificate = replace(certificate, score=found[0].score)
    return found, replace(certificate, seconds=time.perf_counter() - started)


def _branch_and_bound(search: Search) -> tuple[tuple[int, int] | None, float, int]:
    """The best entry and target by their numbers, the gap left, and how many pairs were measured."""
    row, column = search.entries.row, search.entries.column
    blocks = [
        np.flatnonzero((row // FIRST_BLOCK == i) & (column // FIRST_BLOCK == j))
        for i in range(int(row.max()) // FIRST_BLOCK + 1)
        for j in range(int(column.max()) // FIRST_BLOCK + 1)
    ]
    best, score, measured, order = None, -np.inf, 0, 0
    spared = -np.inf
    heap: list[tuple[float, int, IntArray, FloatArray]] = []
    everything = np.full(len(search.targets.places), np.inf)
    todo = [(block, everything) for block in blocks if len(block)]
    with ThreadPoolExecutor(2) as cores:
        while todo:
            enough = score + SPARED * abs(score) if best is not None else score
            asked = [bounds > enough for _, bounds in todo]
            for (_, bounds), own in zip(todo, asked, strict=True):
                spared = max(spared, float(bounds[~own].max(initial=-np.inf)))
            looks = list(cores.map(_look_at, repeat(search), [block for block, _ in todo], asked))
            measured += int(np.sum(asked))
            for (block, _), look in zip(todo, looks, strict=True):
                bound = float(look.score.max())
                if len(block) == 1 and bound > score + SCORE_STEP:
                    best, score = (int(block[0]), int(look.score.argmax())), bound
                elif len(block) > 1 and bound > -np.inf:
                    heapq.heappush(heap, (-bound, order, block, look.score))
                    order += 1
            todo = []
            enough = score + SPARED * abs(score) if best is not None else score
            while heap and len(todo) < AT_ONCE and -heap[0][0] > enough:
                _, _, block, bounds = heapq.heappop(heap)
                todo += [(part, bounds) for part in _quarters(search.entries, block)]
    left = max(spared, -heap[0][0] if heap else -np.inf)
    return best, max(0.0, left - score) if best is not None else 0.0, measured


def _look_at(search: Search, block: IntArray, asked: FlagArray) -> Candidates:
    """All tunnels from the one entry of a block, or the bound for those of many, seen from the middle one."""
    points = search.entries.points_mm[block]
    middle = points[np.linalg.norm(points - points.mean(axis=0), axis=1).argmin()]
    return search.look(middle, block, float(np.linalg.norm(points - middle, axis=1).max()), asked)


def _quarters(entries: Entries, block: IntArray) -> list[IntArray]:
    low = entries.row[block] <= (entries.row[block].min() + entries.row[block].max()) / 2.0
    left = entries.column[block] <= (entries.column[block].min() + entries.column[block].max()) / 2.0
    parts = [block[rows & columns] for rows in (low, ~low) for columns in (left, ~left)]
    return [part for part in parts if len(part)]


def _round_about(search: Search, entry: int, target: int) -> Iterator[Aimed]:
    """The tunnels between finer entries and targets round the best pair, best first."""
    entries = search.entries if len(search.entries.row) == 1 else _finer_entries(search, entry)  # one alone was ordered
    fine = replace(search, entries=entries, targets=_fine_targets(search.targets, target))
    with ThreadPoolExecutor(2) as cores:
        looks = list(
            cores.map(lambda k: fine.look(entries.points_mm[k], np.array([k]), 0.0, None), range(len(entries.row)))
        )
    return _ranked(fine, looks)


def _finer_entries(search: Search, entry: int) -> Entries:
    """The entries round one of the grid's, that one among them, as far as the window reaches."""
    hip, anatomy = search.hip, search.hip.anatomy
    frame = anatomy.frame
    level = float((search.entries.points_mm[entry] - frame.origin_mm) @ frame.up)
    half = _half_width(search.entries)
    steps = np.arange(-FINE_REACH, FINE_REACH + 1) * FINE_STEP_MM
    shares = np.asarray(search.entries.off_middle[entry] + steps / half, dtype=np.float64)
    shares = shares[np.abs(shares) <= hip.rules.entry_off_middle_max + 1e-9]
    levels = np.asarray(level + steps, dtype=np.float64)
    low = level - float(search.entries.above_lesser_mm[entry])
    levels = levels[(levels >= low - 1e-9) & (levels <= level + float(search.entries.below_ridge_mm[entry]) + 1e-9)]
    return entries_at(hip.bone, anatomy, levels, shares)


def _half_width(entries: Entries) -> float:
    """Half the bone's width in mm, from how far apart the entries of the grid are."""
    shares = np.unique(np.round(entries.off_middle, 9))
    return ENTRY_STEP_MM / float(np.diff(shares).min()) if len(shares) > 1 else 10.0


def _fine_targets(targets: Targets, chosen: int) -> Targets:
    if targets.mode != FREE:
        return targets
    return target_grid(targets.places[chosen], FINE_REACH * FINE_STEP_MM, FINE_STEP_MM)


def target_grid(middle: FloatArray, reach_mm: FloatArray | float, step_mm: float) -> Targets:
    """Targets to both sides of `middle` (2,) as far as `reach_mm`."""
    sides = [
        np.arange(-np.floor(reach / step_mm), np.floor(reach / step_mm) + 1) * step_mm
        for reach in np.broadcast_to(reach_mm, 2)
    ]
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    return Targets(middle + places, len(sides[1]), step_mm, FREE)


def _ranked(search: Search, looks: list[Candidates]) -> Iterator[Aimed]:
    scores = np.stack([look.score for look in looks])
    order = np.argsort(-np.round(scores.ravel() / SCORE_STEP), kind="stable")
    for flat in order:
        k, j = divmod(int(flat), scores.shape[1])
        if scores[k, j] == -np.inf:
            return
        target = np.array([*search.targets.places[j], 0.0])
        axis = target - looks[k].entry
        tip = target + looks[k].past_mm[j] * axis / np.linalg.norm(axis)
        yield Aimed(search.entries, k, search.way.outside(tip), float(scores[k, j]))

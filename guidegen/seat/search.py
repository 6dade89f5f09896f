"""The search for the seat: every removal direction with every footprint, judged by how far the drill's tip strays.

1. For every removal direction of the grid, the open bone that looks its way within the steepest wall and is not
   shadowed may bear. Sums over it are kept so that any window of rows and columns of cells costs four look-ups.
2. For every window the closed form says how far the tip strays when a careful hand fits the guide (`best_fit`).
3. The best are docked without friction at an even gap: how unique the seat is (`docking`).
4. The best of those are docked and pushed with friction on drawn errors of the surface (`surface_error`, `friction`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, IntArray, RigidTransform, across, angle_deg, unit
from guidegen.keep_out import KEEP_OUT
from guidegen.seat import docking, friction
from guidegen.seat.best_fit import Spread, alike, motion_covariance, spread, tip_levers
from guidegen.seat.cells import LEVEL_STEP_MM, Cells
from guidegen.seat.docking import LEVER_MM, Contact, displaced, docked, pushes
from guidegen.seat.footprint import Flags, Footprint, covered
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.seat.seat import GUIDE, Seat, likely_motions
from guidegen.seat.surface_error import ERROR_MM, error_fields
from guidegen.seat.zones import KEPT_OUT, Zones

# The grid. Removal directions: turns about the shaft from lateral to the front, leans along it (positive to the head).
TURNS_DEG = tuple(np.arange(-15.0, 60.1, 7.5))
LEANS_DEG = tuple(np.arange(-40.0, 20.1, 10.0))
TOP_STEP_MM = 4.0  # between the upper ends of windows, from the highest open bone down
TOPS = 10
BACKS_DEG = (0.0, 15.0)  # from the furthest back that is open
FRONTS_DEG = (60.0, 85.0, 110.0, 145.0)

LARGEST_SLEEVE_DEG = 62.0  # between sleeve and removal direction: flatter, and the sleeve lies on the skin
OFF_MM = 0.1  # off the surface, where a ray that looks for shadow starts
SMALLEST_CONTACT_MM2 = 300.0  # the bony lateral wall alone is 567 ± 83 mm²; half of that holds nothing
SPARE_MM = 1.0  # of the allowed length: the scanner's and the femur's own idea of its axis differ by a degree or two

DOCKED_EVENLY, EVEN_GAP_MM, EVEN_PUSHES = 96, 0.5, 12
WORST_CONDITION = 1e9  # of a contact matrix: beyond, a motion is not held at all
DOCKED, FIELDS, PUSHES, HAND_PUSHES = 16, 8, 20, 24

# What the seats are ranked by, in mm at the tip: the careful hand's error, and shares of what a careless one may do.
DOCK_WEIGHT = 0.25  # of the 95th percentile without friction
LOOSE_MM = 3.0  # for a guide that no push leaves in place


@dataclass(frozen=True, eq=False)
class Facing:
    """One removal direction (3,) with the cells (K,) of the open bone, by number, that may bear on it."""

    removal: FloatArray
    index: IntArray


@dataclass(frozen=True)
class Candidate:
    """One removal direction, by its number, with a window of the cells: rows and columns, each first and past last."""

    facing: int
    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Search:
    """All that a search for seats rests on, in LPS mm. `tip_mm` (3,), `axis` (3,): the deep end and direction of the
    tunnel; `entry_mm` (3,) its entry, which lies inside the footprint by `room_mm`; `clearance_mm` between guide and
    bone; `steepest_deg` between removal direction and the bone's where a guide still bears. `along_the_wire`: the guide
    must come off along the tunnel, over a wire that stays in it.
    """

    ground: Ground
    zones: Zones
    cells: Cells
    entry_mm: FloatArray
    tip_mm: FloatArray
    axis: FloatArray
    room_mm: float
    clearance_mm: float
    steepest_deg: float
    along_the_wire: bool = False

    @cached_property
    def middle_mm(self) -> FloatArray:
        """A fixed point (3,) amid the open bone, about which sums of motions are kept."""
        return np.asarray(np.average(self.cells.points_mm[self.cells.open], axis=0))

    @cached_property
    def opens(self) -> FloatArray:
        """By how much the gap at every cell (L·T, 6) opens with a motion about the middle."""
        normals = self.cells.normals.reshape(-1, 3)
        points = self.cells.points_mm.reshape(-1, 3) - self.middle_mm
        return np.concatenate([normals, np.cross(points, normals) / LEVER_MM], axis=1)

    @cached_property
    def open_index(self) -> IntArray:
        """The open cells (N,) by number."""
        return np.flatnonzero(self.cells.open.ravel())

    @cached_property
    def likeness(self) -> FloatArray:
        """The covariance (N, N) of the surface's errors at the open cells, in mm²."""
        return ERROR_MM**2 * alike(self.own_mm[self.open_index])

    @cached_property
    def own_mm(self) -> FloatArray:
        """The cells' places (L·T, 3) in the femur's own terms: up, lateral and front."""
        relative = self.cells.points_mm.reshape(-1, 3) - self.zones.origin_mm
        return np.asarray(relative @ np.stack([self.zones.up, self.zones.lateral, self.zones.front]).T)

    @cached_property
    def facings(self) -> tuple[Facing, ...]:
        """Every removal direction of the grid whose sleeve does not lie too flat, or that along a wire that stays."""
        ways = [removal_direction(self.zones, turn, lean) for turn in TURNS_DEG for lean in LEANS_DEG]
        ways = [way for way in ways if angle_deg(way, -self.axis) <= LARGEST_SLEEVE_DEG]
        found = [self._facing(way) for way in ([-self.axis] if self.along_the_wire else ways)]
        return tuple(each for each in found if len(each.index))

    def _facing(self, removal: FloatArray) -> Facing:
        normals, points = self.cells.normals.reshape(-1, 3), self.cells.points_mm.reshape(-1, 3)
        faces = self.cells.open.ravel() & (normals @ removal > np.cos(np.radians(self.steepest_deg)))
        index = np.flatnonzero(faces)
        shadow, _ = self.ground.bone.ray_hits(points[index] + OFF_MM * normals[index], removal)
        return Facing(removal, index[~np.isfinite(shadow)])

    @cached_property
    def entry_cell(self) -> tuple[int, int]:
        """The cell, row and column, that the tunnel begins in."""
        entry = self.zones.place(self.entry_mm[None])
        row = int(np.argmin(np.abs(self.cells.levels_mm - entry.level_mm)))
        return row, int(np.argmin(np.abs(self.cells.turns_deg - entry.turn_deg)))

    def covered(self, candidate: Candidate) -> Flags:
        """The cells (L, T) that a candidate's guide covers."""
        bears = np.zeros(self.cells.closed.shape, dtype=np.bool_)
        bears.flat[self.facings[candidate.facing].index] = True
        window = np.zeros_like(bears)
        window[slice(*candidate.rows), slice(*candidate.columns)] = True
        return covered(bears & window, self.entry_cell)

    def contact(self, candidate: Candidate) -> tuple[Contact, IntArray]:
        """The contact of a candidate, as the guide's underside, and its cells (K,) by number."""
        facing = self.facings[candidate.facing].index
        index = facing[self.covered(candidate).ravel()[facing]]
        points, normals = self.cells.points_mm.reshape(-1, 3)[index], self.cells.normals.reshape(-1, 3)[index]
        local, areas = self.cells.local_normals.reshape(-1, 3)[index], self.cells.areas_mm2.ravel()[index]
        return Contact(points + self.clearance_mm * normals, local, areas), index


def removal_direction(zones: Zones, turn_deg: float, lean_deg: float) -> FloatArray:
    """The unit vector (3,) off the bone, turned about the shaft to the front and then leant towards the head."""
    turn, lean = np.radians(turn_deg), np.radians(lean_deg)
    level = np.cos(turn) * zones.lateral + np.sin(turn) * zones.front
    return unit(np.cos(lean) * level + np.sin(lean) * zones.up)


def find_seats(search: Search, size: str, length_mm: float) -> list[Seat]:
    """The seats of one size, with at most `length_mm` of contact along the shaft; the best first.

    On each the tunnel's entry lies inside the footprint, and the contact is enough. NoSafeGuide where there is none, by
    the rule that leaves none.
    """
    candidates, strays = _closed_form(search, length_mm)
    if len(candidates) == 0:
        raise _refused(search, size, length_mm)
    order = np.argsort(strays, kind="stable")[:DOCKED_EVENLY]
    first = [candidates[k] for k in order]
    with ThreadPoolExecutor(2) as pool:
        even = np.array(list(pool.map(lambda each: _docked_evenly(search, each), first)))
        ranked = np.argsort(strays[order] + DOCK_WEIGHT * even, kind="stable")[:DOCKED]
        fields = error_fields(search.own_mm, FIELDS)
        seats = list(pool.map(lambda k: _seat(search, size, first[k], fields), ranked))
    return sorted(seats, key=cost_mm)


def cost_mm(seat: Seat) -> float:
    """What seats are ranked by: the careful hand's mean error and shares of what a careless hand may add."""
    return seat.fit.mean_mm + DOCK_WEIGHT * seat.dock.p95_mm + LOOSE_MM * (1.0 - seat.held_share)


def _closed_form(search: Search, length_mm: float) -> tuple[list[Candidate], FloatArray]:
    """Every candidate with enough contact and the entry inside, and how far the tip strays by the closed form (rms)."""
    windows = _windows(search, length_mm)
    if not windows:
        return [], np.empty(0)
    levers = tip_levers(search.tip_mm, search.axis, search.middle_mm)
    first, past, left, right = np.array([(*rows, *columns) for rows, columns in windows]).T
    found: list[Candidate] = []
    strays: list[FloatArray] = []
    for number, facing in enumerate(search.facings):
        sums = _sums(search, facing)
        totals = sums[past, right] - sums[first, right] - sums[past, left] + sums[first, left]
        enough = np.flatnonzero(totals[:, 0] >= SMALLEST_CONTACT_MM2)
        matrix, pairs = (_symmetric(totals[enough, start : start + 21]) for start in (1, 22))
        sound = np.linalg.cond(matrix) < WORST_CONDITION
        inverse = np.linalg.inv(matrix[sound])
        covariance = levers @ inverse @ pairs[sound] @ inverse @ levers.T
        strays.append(np.sqrt(np.maximum(np.trace(covariance, axis1=1, axis2=2), 0.0)))
        found += [Candidate(number, *windows[k]) for k in enough[sound]]
    return found, np.concatenate(strays) if strays else np.empty(0)


UPPER = np.triu_indices(6)


def _symmetric(upper: FloatArray) -> FloatArray:
    """Symmetric matrices (N, 6, 6) from their upper halves (N, 21)."""
    matrix = np.zeros((len(upper), 6, 6))
    matrix[:, UPPER[0], UPPER[1]] = upper
    matrix[:, UPPER[1], UPPER[0]] = upper
    return matrix


def _sums(search: Search, facing: Facing) -> FloatArray:
    """Sums (L + 1, T + 1, 43) over all cells before a row and a column: area, contact matrix (its upper half), and what
    each cell adds to the sum over pairs. Pairs reach beyond a window by the width of an error patch: at its edges a
    little is counted in.
    """
    levels, turns = search.cells.closed.shape
    weighed = np.zeros((levels * turns, 6))
    weighed[facing.index] = search.opens[facing.index] * search.cells.areas_mm2.ravel()[facing.index, None]
    beside = search.likeness @ weighed[search.open_index]
    each = np.zeros((levels * turns, 43))
    each[facing.index, 0] = search.cells.areas_mm2.ravel()[facing.index]
    each[:, 1:22] = weighed[:, UPPER[0]] * search.opens[:, UPPER[1]]
    half = np.zeros((levels * turns, 6))
    half[search.open_index] = beside
    each[:, 22:] = (weighed[:, UPPER[0]] * half[:, UPPER[1]] + weighed[:, UPPER[1]] * half[:, UPPER[0]]) / 2.0
    sums = np.zeros((levels + 1, turns + 1, each.shape[1]))
    sums[1:, 1:] = each.reshape(levels, turns, -1).cumsum(axis=0).cumsum(axis=1)
    return sums


def _windows(search: Search, length_mm: float) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Every window, rows and columns, that has the entry inside by its room."""
    cells, zones = search.cells, search.zones
    entry = zones.place(search.entry_mm[None])
    around_mm = float(np.hypot(entry.lateral_mm, entry.front_mm)[0])
    room_deg = float(np.degrees(search.room_mm / max(around_mm, 1.0)))
    open_rows = np.flatnonzero(cells.open.any(axis=1))
    if len(open_rows) == 0:
        return []
    count = int((length_mm - SPARE_MM) / LEVEL_STEP_MM)
    rows = []
    for step in range(TOPS):
        first = int(open_rows[0]) + round(step * TOP_STEP_MM / LEVEL_STEP_MM)
        past = first + count
        if past > int(open_rows[-1]) + 1:
            break
        top, bottom = cells.levels_mm[first], cells.levels_mm[past - 1]
        if bottom + search.room_mm <= entry.level_mm[0] <= top - search.room_mm:
            rows.append((first, past))
    backs = [int(np.searchsorted(cells.turns_deg, zones.back_deg + more)) for more in BACKS_DEG]
    fronts = [int(np.searchsorted(cells.turns_deg, front + 1e-9)) for front in FRONTS_DEG]
    return [
        (row, (back, front))
        for row in rows
        for back in backs
        for front in fronts
        if cells.turns_deg[back] <= entry.turn_deg[0] - room_deg
        and entry.turn_deg[0] + room_deg <= cells.turns_deg[front - 1]
    ]


def _docked_evenly(search: Search, candidate: Candidate) -> float:
    """How far without friction a push brings the tip at an even gap, at the 95th percentile, in mm."""
    contact, _ = search.contact(candidate)
    wrenches = pushes(-search.facings[candidate.facing].removal, EVEN_PUSHES, docking.CONE_DEG, docking.APERTURE_MM)
    motions = docked(contact, np.full(len(contact.areas_mm2), EVEN_GAP_MM), wrenches)
    return float(np.percentile(displaced(motions, contact.middle_mm, search.tip_mm, search.axis), 95.0))


def _seat(search: Search, size: str, candidate: Candidate, fields: FloatArray) -> Seat:
    """The candidate with all that is predicted of it."""
    contact, index = search.contact(candidate)
    removal = search.facings[candidate.facing].removal
    covariance = motion_covariance(contact.opens(), contact.areas_mm2, alike(search.own_mm[index]))
    levers = tip_levers(search.tip_mm, search.axis, contact.middle_mm)
    home = pushes(-removal, PUSHES, docking.CONE_DEG, docking.APERTURE_MM)
    hand = pushes(-removal, HAND_PUSHES, friction.CONE_DEG, friction.APERTURE_MM)
    tips, held = [], []
    for error in fields[:, index]:
        gaps = np.maximum(error - np.percentile(error, friction.CLOSEST_PERCENT), 0.0)
        motions = docked(contact, gaps, home)
        tips.append(displaced(motions, contact.middle_mm, search.tip_mm, search.axis))
        bears = np.flatnonzero(friction.bearing(gaps))
        held.append(friction.held_share(contact.at(bears), hand, contact.middle_mm))
    return Seat(
        size=size,
        frame=_frame(search, contact, removal),
        footprint=Footprint(search.cells.levels_mm, search.cells.turns_deg, search.covered(candidate), search.zones),
        contact_mm2=float(contact.areas_mm2.sum()),
        fit=spread(levers @ covariance @ levers.T),
        dock=Spread(float(np.mean(tips)), float(np.percentile(tips, 95.0))),
        held_share=float(np.mean(held)),
        motions=likely_motions(covariance, search.zones),
    )


def _frame(search: Search, contact: Contact, removal: FloatArray) -> RigidTransform:
    """The guide's own frame: its origin where the line off the contact's middle meets the bone."""
    along = unit(across(search.zones.up, removal))
    start = contact.middle_mm + 60.0 * removal
    way, _ = search.ground.bone.ray_hits(start[None], -removal)
    origin = start - (float(way[0]) if np.isfinite(way[0]) else 60.0) * removal
    return RigidTransform.to_frame(origin, np.stack([np.cross(along, removal), along, removal]), LPS, GUIDE)


def _refused(search: Search, size: str, length_mm: float) -> NoSafeGuide:
    """Why there is no seat of this size: the entry lies outside every footprint, the scan ends too soon, what is kept
    out takes the contact, or there is too little of it.
    """
    open_cells, closed = search.cells.open, search.cells.closed
    if not _windows(search, length_mm):
        if not _windows(replace(search, room_mm=-length_mm), length_mm):
            return _too_short(search, size)
        entry = search.zones.place(search.entry_mm[None])
        return NoSafeGuide(
            f"expected the tunnel's entry at least {search.room_mm:g} mm inside the footprint of a guide of size "
            f"{size}, found it at {float(entry.turn_deg[0]):.0f}° to the front and {float(entry.level_mm[0]):.0f} mm "
            "above the head centre, outside the bone that is open to a guide; choose another entry or size",
            rule="entry_inside_shell",
            figures={"entry_turn_deg": float(entry.turn_deg[0]), "entry_level_mm": float(entry.level_mm[0])},
        )
    contact = max((float(search.cells.areas_mm2.ravel()[each.index].sum()) for each in search.facings), default=0.0)
    kept_out = float(search.cells.areas_mm2[closed == KEPT_OUT].sum())
    rules = contact + kept_out >= SMALLEST_CONTACT_MM2 and kept_out > 0.0
    advice = "what is kept out takes the rest: choose another entry" if rules else "scan more of the shaft"
    return NoSafeGuide(
        f"expected a contact of at least {SMALLEST_CONTACT_MM2:.0f} mm² on the open bone for a guide of size {size}, "
        f"found at most {contact:.0f} of {float(search.cells.areas_mm2[open_cells].sum()):.0f} mm² on which a sleeve "
        f"can stand; {advice}, or choose a larger footprint",
        rule=KEEP_OUT if rules else "contact_area_mm2",
        figures={"contact_area_mm2": contact},
    )


def _too_short(search: Search, size: str) -> NoSafeGuide:
    """The refusal where the scan shows too little bone for a footprint, or what is kept out leaves too little."""
    open_cells = search.cells.open
    rows, shown = (cells.any(axis=1).sum() for cells in (open_cells, open_cells | (search.cells.closed == KEPT_OUT)))
    found = float(rows) * LEVEL_STEP_MM
    rules = bool(shown > rows)
    more = "what is kept out takes the rest" if rules else "or scan or segment more of the shaft"
    return NoSafeGuide(
        f"expected open bone along the shaft for a guide of size {size}, at least {END_MARGIN_MM:g} mm above the end "
        f"of the scan, found {found:.0f} mm; choose a smaller size, {more}",
        rule=KEEP_OUT if rules else "scan_too_short",
        figures={"open_mm": found},
    )

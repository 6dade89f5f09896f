"""The search for the seat: every removal direction with every footprint, judged by how far the drill's tip strays.

Of several tunnels it is the tip that strays most: a guide is no better than the worst hole that it drills.

1. For every removal direction of the grid, the open bone that looks its way within the steepest wall and is not
   shadowed may bear.
2. For every window of rows and columns of cells the closed form says how far the tip strays when a careful hand fits
   the guide (`closed_form`).
3. The best are docked without friction at an even gap: how unique the seat is (`docking`).
4. The best of those are docked and pushed with friction on drawn errors of the surface (`surface_error`, `friction`).

All of it is computed in the femur's own terms, so that it moves with the patient and is mirrored with the side.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, IntArray, RigidTransform, across, angle_deg, unit
from guidegen.keep_out import KEEP_OUT
from guidegen.rounded import shown, shown_beside
from guidegen.seat import docking, friction
from guidegen.seat.best_fit import Spread, alike, motion_covariance, spread, tip_levers
from guidegen.seat.cells import LEVEL_STEP_MM, Cells
from guidegen.seat.closed_form import strays_mm, sums_before
from guidegen.seat.docking import Contact, displaced, docked, pushes
from guidegen.seat.footprint import Flags, Footprint, covered
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.seat.seat import GUIDE, Seat, in_lps, likely_motions
from guidegen.seat.surface_error import error_fields
from guidegen.seat.zones import KEPT_OUT, OPEN, Zones

# The grid. Removal directions: turns about the shaft from lateral to the front, leans along it (positive to the head).
TURNS_DEG = tuple(np.arange(-15.0, 60.1, 7.5))
LEANS_DEG = tuple(np.arange(-40.0, 20.1, 10.0))
TOP_STEP_MM = 4.0  # between the upper ends of windows, from the highest open bone down
TOPS = 10
BACKS_DEG = (0.0, 15.0)  # from the furthest back that is open
FRONTS_DEG = (60.0, 85.0, 110.0, 145.0)

LARGEST_SLEEVE_DEG = 62.0  # between a drill and the removal direction: flatter, and its sleeve lies on the skin
OFF_MM = 0.1  # off the surface, where a ray that looks for shadow starts
SMALLEST_CONTACT_MM2 = 300.0  # the bony lateral wall alone is 567 ± 83 mm²; half of that holds nothing
SPARE_MM = 1.5  # of the allowed length: the scanner's and the femur's own idea of its axis differ by a degree or two

DOCKED_EVENLY, EVEN_GAP_MM, EVEN_PUSHES = 96, 0.5, 12
# Pushes of a field find much the same way home; other fields tell more than other pushes do.
DOCKED, FIELDS, PUSHES, HAND_PUSHES = 16, 32, 5, 6

# What the seats are ranked by, in mm at the tip: the careful hand's error, and shares of what a careless one may do.
DOCK_WEIGHT = 0.25  # of the 95th percentile without friction
LOOSE_MM = 3.0  # for a guide that no push leaves in place


@dataclass(frozen=True, eq=False)
class Facing:
    """One removal direction (3,) with the cells (K,) of the open bone, by number, that may bear on it."""

    removal: FloatArray
    index: IntArray


@dataclass(frozen=True, eq=False)
class Candidate:
    """One removal direction, by its number, with the cells (L, T) that a guide covers."""

    facing: int
    covers: Flags


@dataclass(frozen=True, eq=False)
class Search:
    """All that a search for seats rests on, in LPS mm. `tips_mm` (N, 3), `axes` (N, 3): the deep ends and directions of
    the tunnels; `entries_mm` (N, 3) their entries, which lie inside the footprint by `room_mm`; `clearance_mm` between
    guide and bone; `steepest_deg` between removal direction and the bone's where a guide still bears. `along_the_wire`:
    the guide must come off along the one tunnel, over a wire that stays in it.
    """

    ground: Ground
    zones: Zones
    cells: Cells
    entries_mm: FloatArray
    tips_mm: FloatArray
    axes: FloatArray
    room_mm: float
    clearance_mm: float
    steepest_deg: float
    along_the_wire: bool = False

    @cached_property
    def own_mm(self) -> FloatArray:
        """The cells' places (L·T, 3) in the femur's own terms."""
        return self.zones.own_mm(self.cells.points_mm.reshape(-1, 3))

    @cached_property
    def underside(self) -> Contact:
        """The underside of a guide over every cell (L·T), in the femur's own terms."""
        normals, local = (
            each.reshape(-1, 3) @ self.zones.axes.T for each in (self.cells.normals, self.cells.local_normals)
        )
        return Contact(self.own_mm + self.clearance_mm * normals, local, self.cells.areas_mm2.ravel())

    @cached_property
    def ways(self) -> list[tuple[FloatArray, FloatArray]]:
        """Each tunnel's tip (3,) and direction (3,) in the femur's own terms."""
        return [
            (self.zones.own_mm(tip[None])[0], self.zones.axes @ axis)
            for tip, axis in zip(self.tips_mm, self.axes, strict=True)
        ]

    def levers(self, middle_mm: FloatArray) -> list[FloatArray]:
        """For each tunnel what a motion about a middle (3,) does to its tip: (3, 6)."""
        return [tip_levers(tip, axis, middle_mm) for tip, axis in self.ways]

    def furthest(self, motions: FloatArray, middle_mm: FloatArray) -> FloatArray:
        """How far (K,) motions (K, 6) about a middle (3,) carry the tip that they carry furthest, in mm."""
        return np.asarray(np.max([displaced(motions, middle_mm, tip, axis) for tip, axis in self.ways], axis=0))

    @cached_property
    def open_index(self) -> IntArray:
        """The open cells (N,) by number."""
        return np.flatnonzero(self.cells.open.ravel())

    @cached_property
    def likeness(self) -> FloatArray:
        """How alike the surface errs at the open cells (N, N)."""
        return alike(self.own_mm[self.open_index])

    @cached_property
    def errors_mm(self) -> FloatArray:
        """Drawn errors (FIELDS, N) of the surface at the open cells."""
        return error_fields(self.own_mm[self.open_index], FIELDS)

    @cached_property
    def facings(self) -> tuple[Facing, ...]:
        """Every removal direction of the grid with no drill that comes in too flat, or that along a wire that stays."""
        ways = [removal_direction(self.zones, turn, lean) for turn in TURNS_DEG for lean in LEANS_DEG]
        ways = [way for way in ways if max(angle_deg(way, -axis) for axis in self.axes) <= LARGEST_SLEEVE_DEG]
        found = [self._facing(way) for way in ([-self.axes[0]] if self.along_the_wire else ways)]
        return tuple(each for each in found if len(each.index))

    def _facing(self, removal: FloatArray) -> Facing:
        normals, points = self.cells.normals.reshape(-1, 3), self.cells.points_mm.reshape(-1, 3)
        faces = self.cells.open.ravel() & (normals @ removal > np.cos(np.radians(self.steepest_deg)))
        index = np.flatnonzero(faces)
        shadow, _ = self.ground.bone.ray_hits(points[index] + OFF_MM * normals[index], removal)
        return Facing(removal, index[~np.isfinite(shadow)])

    @cached_property
    def middle_mm(self) -> FloatArray:
        """A fixed point (3,) amid the open bone, in the femur's own terms, about which sums of motions are kept."""
        return self.underside.at(self.open_index).middle_mm

    @cached_property
    def sums(self) -> FloatArray:
        """What any window's stray is looked up in (F, L + 1, T + 1, 43); see `closed_form`."""
        under = self.underside
        return sums_before(
            self.cells.closed.shape, [each.index for each in self.facings], under.opens(self.middle_mm),
            under.areas_mm2, self.open_index, self.likeness,
        )  # fmt: skip

    @cached_property
    def entry_cell(self) -> tuple[int, int]:
        """The cell, row and column, that the first tunnel begins in."""
        entry = self.zones.place(self.entries_mm[:1])
        row = int(np.argmin(np.abs(self.cells.levels_mm - entry.level_mm)))
        return row, int(np.argmin(np.abs(self.cells.turns_deg - entry.turn_deg)))

    def covered(self, facing: int, window: IntArray) -> Flags:
        """The cells (L, T) that a guide covers, of one removal direction and window (4,): first row, past the last,
        first column, past the last.
        """
        top, bottom, left, right = window
        bears = np.zeros(self.cells.closed.shape, dtype=np.bool_)
        bears.flat[self.facings[facing].index] = True
        inside = np.zeros_like(bears)
        inside[top:bottom, left:right] = True
        return covered(bears & inside, self.entry_cell)

    def bearing(self, candidate: Candidate) -> IntArray:
        """The cells (K,) by number that a candidate's guide bears on."""
        facing = self.facings[candidate.facing].index
        return facing[candidate.covers.ravel()[facing]]

    def among_open(self, index: IntArray) -> IntArray:
        """Which of the open cells the cells (K,) are."""
        return np.searchsorted(self.open_index, index)


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
    if not candidates:
        raise _refused(search, size, length_mm)
    with ThreadPoolExecutor(2) as pool:
        even = np.array(list(pool.map(lambda each: _docked_evenly(search, each), candidates)))
        ranked = np.argsort(strays + DOCK_WEIGHT * even, kind="stable")[:DOCKED]
        seats = list(pool.map(lambda k: _seat(search, size, candidates[k]), ranked))
    return sorted(seats, key=cost_mm)


def cost_mm(seat: Seat) -> float:
    """What seats are ranked by: the careful hand's mean error and shares of what a careless hand may add."""
    return seat.fit.mean_mm + DOCK_WEIGHT * seat.dock.p95_mm + LOOSE_MM * (1.0 - seat.held_share)


def _closed_form(search: Search, length_mm: float) -> tuple[list[Candidate], FloatArray]:
    """The best candidates by the closed form that have enough contact and the entries inside, no two the same, and how
    far (K,) the tip that strays most strays on each (rms).
    """
    windows = _windows(search, length_mm)
    if len(windows) == 0 or not search.facings:
        return [], np.empty(0)
    levers = search.levers(search.middle_mm)
    strays = np.max([strays_mm(search.sums, windows, lever, SMALLEST_CONTACT_MM2) for lever in levers], axis=0)
    found: dict[tuple[int, bytes], tuple[Candidate, float]] = {}
    for number in np.argsort(strays.ravel(), kind="stable"):
        facing, window = divmod(int(number), len(windows))
        stray = float(strays[facing, window])
        if len(found) == DOCKED_EVENLY or not np.isfinite(stray):
            break
        covers = search.covered(facing, windows[window])
        found.setdefault((facing, covers.tobytes()), (Candidate(facing, covers), stray))
    return [each for each, _ in found.values()], np.array([stray for _, stray in found.values()])


def _windows(search: Search, length_mm: float) -> IntArray:
    """Every window (W, 4), first row, past the last, first column, past the last, that has the entries inside by their
    room.
    """
    cells, zones = search.cells, search.zones
    entry = zones.place(search.entries_mm)
    room_deg = np.degrees(search.room_mm / np.maximum(np.hypot(entry.lateral_mm, entry.front_mm), 1.0))
    rearmost, foremost = (entry.turn_deg - room_deg).min(), (entry.turn_deg + room_deg).max()
    open_rows = np.flatnonzero(cells.open.any(axis=1))
    if len(open_rows) == 0:
        return np.empty((0, 4), dtype=np.int64)
    count = int((length_mm - SPARE_MM) / LEVEL_STEP_MM)
    rows = []
    for step in range(TOPS):
        first = int(open_rows[0]) + round(step * TOP_STEP_MM / LEVEL_STEP_MM)
        past = first + count
        if past > int(open_rows[-1]) + 1:
            break
        top, bottom = cells.levels_mm[first], cells.levels_mm[past - 1]
        if bottom + search.room_mm <= entry.level_mm.min() and entry.level_mm.max() <= top - search.room_mm:
            rows.append((first, past))
    backs = [int(np.searchsorted(cells.turns_deg, zones.back_deg + more)) for more in BACKS_DEG]
    fronts = [int(np.searchsorted(cells.turns_deg, front + 1e-9)) for front in FRONTS_DEG]
    windows = [
        (*row, back, front)
        for row in rows
        for back in backs
        for front in fronts
        if cells.turns_deg[back] <= rearmost and foremost <= cells.turns_deg[front - 1]
    ]
    return np.array(windows, dtype=np.int64).reshape(-1, 4)


def _docked_evenly(search: Search, candidate: Candidate) -> float:
    """How far without friction a push brings a tip at an even gap, at the 95th percentile, in mm."""
    contact, middle = _contact(search, candidate)
    wrenches = pushes(_way_on(search, candidate), EVEN_PUSHES, docking.CONE_DEG, docking.APERTURE_MM)
    motions = docked(contact.opens(middle), np.full(len(contact.areas_mm2), EVEN_GAP_MM), wrenches)
    return float(np.percentile(search.furthest(motions, middle), 95.0))


def _contact(search: Search, candidate: Candidate) -> tuple[Contact, FloatArray]:
    """The contact of a candidate in the femur's own terms, and its middle (3,)."""
    contact = search.underside.at(search.bearing(candidate))
    return contact, contact.middle_mm


def _way_on(search: Search, candidate: Candidate) -> FloatArray:
    """The direction (3,) in which a candidate's guide is pushed home, in the femur's own terms."""
    return -search.zones.axes @ search.facings[candidate.facing].removal


def _seat(search: Search, size: str, candidate: Candidate) -> Seat:
    """The candidate with all that is predicted of it."""
    contact, middle = _contact(search, candidate)
    among = search.among_open(search.bearing(candidate))
    opens = contact.opens(middle)
    covariance = motion_covariance(opens, contact.areas_mm2, search.likeness, among)
    fits = [spread(lever @ covariance @ lever.T) for lever in search.levers(middle)]
    way_on = _way_on(search, candidate)
    home = pushes(way_on, FIELDS * PUSHES, docking.CONE_DEG, docking.APERTURE_MM)
    hand = pushes(way_on, FIELDS * HAND_PUSHES, friction.CONE_DEG, friction.APERTURE_MM)
    resists = friction.resistances(contact, middle)
    tips, held = [], []
    for number, error in enumerate(search.errors_mm[:, among]):
        gaps = np.maximum(error - np.percentile(error, friction.CLOSEST_PERCENT), 0.0)
        tips.append(search.furthest(docked(opens, gaps, home[number::FIELDS]), middle))
        held.append(friction.holds(resists[friction.bearing(gaps)], hand[number::FIELDS]))
    frame = _frame(search, middle, search.facings[candidate.facing].removal)
    return Seat(
        size=size,
        frame=frame,
        footprint=Footprint(search.cells.levels_mm, search.cells.turns_deg, candidate.covers, search.zones),
        contact_mm2=float(contact.areas_mm2.sum()),
        fit=max(fits, key=lambda fit: fit.mean_mm),
        dock=Spread(float(np.mean(tips)), float(np.percentile(tips, 95.0))),
        held_share=float(np.mean(held)),
        motions=likely_motions(covariance, search.zones),
        covariance=in_lps(covariance, middle, search.zones, frame.inverse().points(np.zeros(3))),
    )


def _frame(search: Search, middle_mm: FloatArray, removal: FloatArray) -> RigidTransform:
    """The guide's own frame: its origin where the line off the contact's middle (3,), in the femur's own terms, meets
    the bone.
    """
    along = unit(across(search.zones.up, removal))
    start = search.zones.origin_mm + middle_mm @ search.zones.axes + 60.0 * removal
    way, _ = search.ground.bone.ray_hits(start[None], -removal)
    origin = start - (float(way[0]) if np.isfinite(way[0]) else 60.0) * removal
    return RigidTransform.to_frame(origin, np.stack([np.cross(along, removal), along, removal]), LPS, GUIDE)


def _refused(search: Search, size: str, length_mm: float) -> NoSafeGuide:
    """Why there is no seat of this size: what is kept out takes the bone or the contact, the entry lies outside every
    footprint, the scan ends too soon, or there is too little contact.
    """
    if len(_windows(search, length_mm)):
        return _too_little(search, size)
    kept_out = search.cells.closed == KEPT_OUT
    freed = replace(search, cells=replace(search.cells, closed=np.where(kept_out, OPEN, search.cells.closed)))
    if len(_windows(freed, length_mm)):
        area = float(search.cells.areas_mm2[kept_out].sum())
        return NoSafeGuide(
            f"expected open bone round the tunnel's entry for a guide of size {size}, found {shown(area, 0)} mm² of it "
            "kept out; choose another entry",
            rule=KEEP_OUT,
            figures={"kept_out_mm2": area},
        )
    if len(_windows(replace(search, room_mm=-length_mm), length_mm)) == 0:
        return _too_short(search, size)
    entry = search.zones.place(search.entries_mm[:1])
    return NoSafeGuide(
        f"expected the tunnel's entry at least {search.room_mm:g} mm inside the footprint of a guide of size "
        f"{size}, found it at {shown(entry.turn_deg[0], 0)}° to the front and {shown(entry.level_mm[0], 0)} mm "
        "above the head centre, outside the bone that is open to a guide; choose another entry or size",
        rule="entry_inside_shell",
        figures={"entry_turn_deg": float(entry.turn_deg[0]), "entry_level_mm": float(entry.level_mm[0])},
    )


def _too_little(search: Search, size: str) -> NoSafeGuide:
    """The refusal where too little bone bears: what is kept out takes it, or there is none."""
    open_cells = search.cells.open
    contact = max((float(search.cells.areas_mm2.ravel()[each.index].sum()) for each in search.facings), default=0.0)
    there = float(search.cells.areas_mm2[open_cells].sum())
    kept_out = float(search.cells.areas_mm2[search.cells.closed == KEPT_OUT].sum())
    rules = contact + kept_out >= SMALLEST_CONTACT_MM2 and kept_out > 0.0
    advice = "what is kept out takes the rest: choose another entry" if rules else "scan more of the shaft"
    return NoSafeGuide(
        f"expected a contact of at least {SMALLEST_CONTACT_MM2:g} mm² on the open bone for a guide of size {size}, "
        f"found at most {shown_beside(contact, SMALLEST_CONTACT_MM2, 0)} of {shown(there, 0)} mm² on which a sleeve "
        f"can stand; {advice}, or choose a larger footprint",
        rule=KEEP_OUT if rules else "contact_area_mm2",
        figures={"contact_area_mm2": contact},
    )


def _too_short(search: Search, size: str) -> NoSafeGuide:
    """The refusal where the scan shows too little bone for a footprint, or what is kept out leaves too little."""
    open_cells = search.cells.open
    rows, in_view = (cells.any(axis=1).sum() for cells in (open_cells, open_cells | (search.cells.closed == KEPT_OUT)))
    found = float(rows) * LEVEL_STEP_MM
    rules = bool(in_view > rows)
    more = "what is kept out takes the rest" if rules else "or scan or segment more of the shaft"
    return NoSafeGuide(
        f"expected open bone along the shaft for a guide of size {size}, at least {END_MARGIN_MM:g} mm above the end "
        f"of the scan, found {shown(found, 0)} mm; choose a smaller size, {more}",
        rule=KEEP_OUT if rules else "scan_too_short",
        figures={"open_mm": found},
    )

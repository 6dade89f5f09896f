"""The search for a seat, on one made-up femur."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest
from shapes import SHAFT_MM, on_shaft, shaft, zones

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, angle_deg, rotation_about, turning, unit
from guidegen.keep_out import KEEP_OUT, NOTHING
from guidegen.plan.seating import OWN
from guidegen.seat.best_fit import alike, motion_covariance, spread, tip_levers
from guidegen.seat.cells import LEVEL_STEP_MM, cells_on
from guidegen.seat.docking import Contact, displaced, docked, pushes
from guidegen.seat.ground import Ground
from guidegen.seat.search import (
    LARGEST_SLEEVE_DEG,
    LEANS_DEG,
    SMALLEST_CONTACT_MM2,
    TURNS_DEG,
    Search,
    cost_mm,
    find_seats,
    removal_direction,
)
from guidegen.seat.seat import GUIDE, Seat
from guidegen.seat.surface_error import ERROR_MM
from guidegen.seat.zones import KEPT_OUT, SCAN_END
from guidegen.surfaces import Surface

LENGTH_MM = 55.0
FLIP = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def seats(search: Search) -> list[Seat]:
    return find_seats(search, "M", LENGTH_MM)


def figures(seat: Seat) -> list[float]:
    """All that is predicted of a seat."""
    return [
        seat.fit.mean_mm, seat.fit.p95_mm, seat.dock.mean_mm, seat.dock.p95_mm, seat.held_share, seat.contact_mm2,
        *np.abs(seat.motions).ravel(),
    ]  # fmt: skip


def bears(search: Search, seat: Seat) -> FloatArray:
    """The cells (K,) that a seat bears on, by their numbers, worked out from the bone again."""
    cells = search.cells
    facing = (cells.normals @ seat.removal_direction) > np.cos(np.radians(search.steepest_deg))
    some = np.flatnonzero((seat.footprint.covers & cells.open & facing).ravel())
    start = cells.points_mm.reshape(-1, 3)[some] + 0.1 * cells.normals.reshape(-1, 3)[some]
    way, _ = search.ground.bone.ray_hits(start, seat.removal_direction)
    return some[~np.isfinite(way)]


def test_seats_come_best_first_and_no_two_are_the_same(seats: list[Seat]) -> None:
    costs = [cost_mm(seat) for seat in seats]
    assert costs == sorted(costs)
    assert len({(seat.footprint.covers.tobytes(), tuple(seat.removal_direction.round(6))) for seat in seats}) == len(
        seats
    )


def test_every_seat_keeps_its_promises(search: Search, seats: list[Seat]) -> None:
    for seat in seats:
        rows = np.flatnonzero(seat.footprint.covers.any(axis=1))
        assert (rows[-1] - rows[0] + 1) * LEVEL_STEP_MM <= LENGTH_MM
        assert seat.footprint.share(search.entries_mm)[0] > 0.5
        assert seat.contact_mm2 >= SMALLEST_CONTACT_MM2
        assert angle_deg(seat.removal_direction, -search.axes[0]) <= LARGEST_SLEEVE_DEG
        assert 0.0 <= seat.held_share <= 1.0


def test_a_seat_bears_on_open_bone_that_looks_its_way_unshadowed(search: Search, seats: list[Seat]) -> None:
    for seat in seats[:3]:
        area = float(search.cells.areas_mm2.ravel()[bears(search, seat)].sum())
        assert seat.contact_mm2 == pytest.approx(area)


def test_a_guides_own_frame_stands_on_the_bone_along_its_shaft(search: Search, seats: list[Seat]) -> None:
    frame = seats[0].frame
    assert (frame.source, frame.target) == (LPS, GUIDE)
    assert frame.vectors(search.zones.up)[0] == pytest.approx(0.0, abs=1e-9)
    assert frame.vectors(search.zones.up)[1] > 0.5
    origin = frame.inverse().points(np.zeros(3))
    assert search.ground.bone.signed_distance_mm(origin[None])[0] == pytest.approx(0.0, abs=1e-6)
    assert np.linalg.det(frame.rotation) == pytest.approx(1.0)


def underside(search: Search, seat: Seat) -> tuple[Contact, FloatArray]:
    """The contact of a seat in LPS, and where the bone under it lies in the femur's own terms."""
    index, cells = bears(search, seat), search.cells
    points, normals, local = (
        each.reshape(-1, 3)[index] for each in (cells.points_mm, cells.normals, cells.local_normals)
    )
    contact = Contact(points + search.clearance_mm * normals, local, cells.areas_mm2.ravel()[index])
    return contact, search.zones.own_mm(points)


def test_the_best_fit_predicted_is_that_of_the_contact_in_lps(search: Search, seats: list[Seat]) -> None:
    contact, own_mm = underside(search, seats[0])
    middle = contact.middle_mm
    covariance = motion_covariance(
        contact.opens(middle), contact.areas_mm2, alike(own_mm), np.arange(len(contact.areas_mm2))
    )
    levers = tip_levers(search.tips_mm[0], search.axes[0], middle)
    expected = spread(levers @ covariance @ levers.T)
    assert (seats[0].fit.mean_mm, seats[0].fit.p95_mm) == pytest.approx((expected.mean_mm, expected.p95_mm))


def swayed(search: Search, seat: Seat) -> tuple[FloatArray, FloatArray]:
    """What the seat's covariance in LPS makes of the drill's tip: across the drill, and in all directions (3, 3)."""
    known = seat.seating(0.0)
    lever = np.concatenate([np.eye(3), turning(search.tips_mm[0] - known.center_mm)], axis=1)
    tip = lever @ known.covariance @ lever.T
    across = np.eye(3) - np.outer(search.axes[0], search.axes[0])
    return across @ tip @ across, tip


def test_the_motion_handed_to_the_error_budget_strays_as_the_fit_does(search: Search, seats: list[Seat]) -> None:
    for seat in seats[:4]:
        strays = spread(swayed(search, seat)[0])
        assert (strays.mean_mm, strays.p95_mm) == pytest.approx((seat.fit.mean_mm, seat.fit.p95_mm), rel=1e-6)


def test_a_bone_whose_label_errs_by_more_moves_the_seat_in_proportion(seats: list[Seat]) -> None:
    fine, usual, coarse = (seats[0].seating(error_mm) for error_mm in (0.0, ERROR_MM, 2.0 * ERROR_MM))
    assert np.array_equal(fine.covariance, usual.covariance)
    assert coarse.covariance == pytest.approx(4.0 * usual.covariance)
    assert coarse.turn_rms_deg == pytest.approx(2.0 * usual.turn_rms_deg)
    assert (usual.whose, usual.of_surface) == (OWN, True)
    assert coarse.source == "the built seat M, best fitted to a bone whose surface is off by 0.6 mm"
    assert usual.center_mm == pytest.approx(seats[0].frame.inverse().points(np.zeros(3)))


def test_the_docking_predicted_is_that_on_other_errors_of_the_surface(search: Search, seats: list[Seat]) -> None:
    contact, own_mm = underside(search, seats[0])
    middle = contact.middle_mm
    root = np.linalg.cholesky(alike(own_mm) + 1e-6 * np.eye(len(own_mm)))
    rng, tips = np.random.default_rng(0), []
    for _ in range(40):
        error = 0.3 * root @ rng.normal(size=len(own_mm))
        motions = docked(
            contact.opens(middle), np.maximum(error - np.percentile(error, 1.0), 0.0),
            pushes(-seats[0].removal_direction, 12, 10.0, 10.0),
        )  # fmt: skip
        tips.append(displaced(motions, middle, search.tips_mm[0], search.axes[0]))
    assert seats[0].dock.mean_mm == pytest.approx(np.mean(tips), rel=0.2)
    assert seats[0].dock.p95_mm == pytest.approx(np.percentile(tips, 95.0), rel=0.35)


def test_a_longer_guide_strays_less(search: Search, seats: list[Seat]) -> None:
    short, long = find_seats(search, "S", 40.0)[0], find_seats(search, "L", 70.0)[0]
    assert short.fit.mean_mm > seats[0].fit.mean_mm > long.fit.mean_mm


def test_over_a_wire_that_stays_the_guide_comes_off_along_it(search: Search) -> None:
    for seat in find_seats(replace(search, along_the_wire=True), "M", LENGTH_MM):
        assert angle_deg(seat.removal_direction, -search.axes[0]) == pytest.approx(0.0, abs=1e-5)


def test_removal_directions_turn_to_the_front_and_lean_to_the_head(search: Search) -> None:
    zones = search.zones
    assert removal_direction(zones, 0.0, 0.0) == pytest.approx(zones.lateral)
    assert removal_direction(zones, 90.0, 0.0) == pytest.approx(zones.front)
    leant = removal_direction(zones, 0.0, 30.0)
    assert (leant @ zones.up, leant @ zones.lateral) == pytest.approx((0.5, np.sqrt(0.75)))


def test_no_removal_direction_lays_the_sleeve_flat_on_the_skin(search: Search) -> None:
    leans = [angle_deg(facing.removal, -search.axes[0]) for facing in search.facings]
    assert max(leans) <= LARGEST_SLEEVE_DEG
    grid = [removal_direction(search.zones, turn, lean) for turn in TURNS_DEG for lean in LEANS_DEG]
    assert len(leans) == sum(angle_deg(way, -search.axes[0]) <= LARGEST_SLEEVE_DEG for way in grid) < len(grid)


def test_bone_under_an_overhang_does_not_bear() -> None:
    roof = m3.Manifold.cube([30.0, 20.0, 6.0], True).translate([SHAFT_MM + 8.0, 0.0, -50.0])
    at, bone = zones(), shaft(roof)
    ground = Ground.of(bone, at.up, NOTHING, 3.0)
    lifted = Search(
        ground, at, cells_on(ground, at), on_shaft(-70.0, 0.0)[None], np.zeros((1, 3)), unit([[-1.0, 0.0, 0.2]]), 4.0,
        0.3, 80.0,
    )  # fmt: skip
    straight, upwards = (removal_direction(at, 0.0, lean) for lean in (0.0, 20.0))
    bearing = {tuple(facing.removal): facing.index for facing in lifted.facings}
    row = int(np.argmin(np.abs(lifted.cells.levels_mm + 56.0)))
    column = int(np.argmin(np.abs(lifted.cells.turns_deg)))
    under = row * len(lifted.cells.turns_deg) + column
    assert lifted.cells.open[row, column]
    assert under in bearing[tuple(straight)]
    assert under not in bearing[tuple(upwards)]


def test_seats_move_with_the_femur(search: Search, seats: list[Seat]) -> None:
    motion = RigidTransform(rotation_about([0.4, 0.8, -0.2], 40.0), np.array([70.0, -30.0, 500.0]), LPS, LPS)
    ground, zones = search.ground.transformed(motion), search.zones.transformed(motion)
    moved = Search(
        ground, zones, cells_on(ground, zones), motion.points(search.entries_mm), motion.points(search.tips_mm),
        motion.vectors(search.axes), search.room_mm, search.clearance_mm, search.steepest_deg,
    )  # fmt: skip
    there = find_seats(moved, "M", LENGTH_MM)[0]
    assert np.array_equal(there.footprint.covers, seats[0].footprint.covers)
    assert figures(there) == pytest.approx(figures(seats[0]), rel=1e-3, abs=1e-5)
    origin = seats[0].frame.inverse().points(np.zeros(3))
    assert there.frame.points(motion.points(origin)) == pytest.approx(np.zeros(3), abs=1e-5)
    assert there.removal_direction == pytest.approx(motion.vectors(seats[0].removal_direction))
    turned = np.kron(np.eye(2), motion.rotation)
    assert there.covariance == pytest.approx(turned @ seats[0].covariance @ turned.T, rel=1e-3, abs=1e-7)


def test_the_other_sides_femur_has_mirrored_seats(
    search: Search, seats: list[Seat], femur: tuple[Surface, Anatomy]
) -> None:
    bone, anatomy = femur
    zones = replace(
        search.zones,
        **{name: getattr(search.zones, name) * FLIP for name in ("origin_mm", "up", "lateral", "front", "ridge_mm")},
    )
    other = Surface(bone.vertices * FLIP, bone.faces[:, ::-1])
    ground = Ground.of(other, anatomy.shaft_axis * FLIP, NOTHING, search.ground.keep_out_mm)
    mirrored = Search(
        ground, zones, cells_on(ground, zones), search.entries_mm * FLIP, search.tips_mm * FLIP, search.axes * FLIP,
        search.room_mm, search.clearance_mm, search.steepest_deg,
    )  # fmt: skip
    there = find_seats(mirrored, "M", LENGTH_MM)[0]
    assert np.array_equal(there.footprint.covers, seats[0].footprint.covers)
    assert there.removal_direction == pytest.approx(seats[0].removal_direction * FLIP)
    assert figures(there) == pytest.approx(figures(seats[0]), rel=0.02)
    assert there.weakest_in_words == seats[0].weakest_in_words
    here, other = swayed(search, seats[0])[1], swayed(mirrored, there)[1]
    assert other == pytest.approx(here * np.outer(FLIP, FLIP), rel=0.02, abs=0.02 * np.trace(here))


def closed_by(search: Search, reason: int, **bounds: Any) -> Search:
    """The same search, with the cells at these levels (or beyond this turn) closed for a reason."""
    cells = search.cells
    closed = cells.closed.copy()
    rows = cells.levels_mm < bounds.get("below_mm", np.inf)
    columns = cells.turns_deg > bounds.get("from_deg", -np.inf)
    closed[np.ix_(rows, columns)] = reason
    return replace(search, cells=replace(cells, closed=closed))


def test_an_entry_beside_the_open_bone_is_refused(search: Search) -> None:
    aside = search.zones.origin_mm - 70.0 * search.zones.up - 20.0 * search.zones.front + 4.0 * search.zones.lateral
    with pytest.raises(
        NoSafeGuide, match=r"entry at least 4 mm inside the footprint .* size S, found it at -7\d°"
    ) as no:
        find_seats(replace(search, entries_mm=aside[None]), "S", 40.0)
    assert no.value.rule == "entry_inside_shell"
    assert no.value.figures["entry_turn_deg"] == pytest.approx(-78.7, abs=0.1)


def test_a_scan_that_shows_too_little_shaft_is_refused(search: Search) -> None:
    ends = closed_by(search, SCAN_END, below_mm=search.zones.ridge_level_mm - 30.0)
    with pytest.raises(NoSafeGuide, match=r"open bone along the shaft for a guide of size L, .* found \d\d mm") as no:
        find_seats(ends, "L", 70.0)
    assert no.value.rule == "scan_too_short"
    assert find_seats(ends, "S", 30.0)


def test_what_is_kept_out_is_named_where_it_takes_all_bone_or_the_contact(search: Search) -> None:
    with pytest.raises(
        NoSafeGuide, match=r"open bone round the tunnel's entry for a guide of size M, .* kept out"
    ) as no:
        find_seats(closed_by(search, KEPT_OUT), "M", LENGTH_MM)
    assert no.value.rule == KEEP_OUT
    with pytest.raises(NoSafeGuide, match=r"at least 300 mm² .* what is kept out takes the rest") as no:
        find_seats(closed_by(search, KEPT_OUT, from_deg=-32.0), "M", LENGTH_MM)
    assert no.value.rule == KEEP_OUT


def test_a_contact_that_is_too_small_is_refused(search: Search) -> None:
    steep = replace(search, steepest_deg=8.0)
    with pytest.raises(NoSafeGuide, match=r"a contact of at least 300 mm² .* found at most \d+ of \d+ mm²") as no:
        find_seats(steep, "M", LENGTH_MM)
    assert no.value.rule == "contact_area_mm2"
    assert 0.0 < no.value.figures["contact_area_mm2"] < SMALLEST_CONTACT_MM2

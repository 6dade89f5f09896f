"""The unrolled bone, on shafts turned on a lathe."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest
from shapes import SHAFT_MM, on_shaft, shaft, zones

from guidegen.guide.solids import to_surface
from guidegen.keep_out import NOTHING, KeepOut, Structure
from guidegen.seat.cells import LEVEL_STEP_MM, TURN_STEP_DEG, Cells, cells_on, round_the_shaft
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.seat.zones import DOUBTFUL, KEPT_OUT, OPEN, SCAN_END
from guidegen.surfaces import Surface

ZONES = zones()


def unrolled(bone: Surface, keep_out: KeepOut = NOTHING) -> Cells:
    return cells_on(Ground.of(bone, ZONES.up, keep_out, 3.0), ZONES)


@pytest.fixture(scope="module")
def plain() -> Cells:
    return unrolled(shaft())


def near(cells: Cells, level_mm: float, turn_deg: float) -> tuple[int, int]:
    row = int(np.argmin(np.abs(cells.levels_mm - level_mm)))
    return row, int(np.argmin(np.abs(cells.turns_deg - turn_deg)))


def test_cells_lie_on_the_shaft_at_their_level_and_turn(plain: Cells) -> None:
    expected = [[on_shaft(level, turn) for turn in plain.turns_deg] for level in plain.levels_mm]
    assert np.abs(plain.points_mm - np.array(expected)).max() < 0.02
    outwards = plain.points_mm * [1.0, 1.0, 0.0] / SHAFT_MM
    assert (plain.normals * outwards).sum(axis=2).min() > 0.9998
    assert (plain.local_normals * outwards).sum(axis=2).min() > 0.999  # of facets, 2° wide


def test_areas_are_those_of_the_shaft(plain: Cells) -> None:
    assert plain.areas_mm2 == pytest.approx(LEVEL_STEP_MM * SHAFT_MM * np.radians(TURN_STEP_DEG), rel=2e-3)


def test_the_area_of_a_cone_counts_its_slant() -> None:
    cone = m3.Manifold.cylinder(170.0, SHAFT_MM + 40.0, SHAFT_MM, 180).translate([0.0, 0.0, -150.0])
    cells = unrolled(to_surface(cone.refine_to_length(4.0)))
    row, column = near(cells, -70.0, 0.0)
    radius = float(np.hypot(*cells.points_mm[row, column, :2]))
    slant = np.hypot(40.0, 170.0) / 170.0
    assert cells.areas_mm2[row, column] == pytest.approx(
        LEVEL_STEP_MM * slant * radius * np.radians(TURN_STEP_DEG), rel=5e-3
    )


def test_open_cells_are_those_that_the_landmarks_leave(plain: Cells) -> None:
    by_landmarks = ZONES.closed(plain.points_mm.reshape(-1, 3)).reshape(plain.closed.shape)
    assert np.array_equal(plain.closed, by_landmarks)
    assert plain.open.sum() > 500


def test_nothing_rests_near_the_end_of_the_scan() -> None:
    cut = -90.0
    cells = unrolled(to_surface(m3.Manifold.cylinder(110.0, SHAFT_MM, SHAFT_MM, 180).translate([0.0, 0.0, cut])))
    too_low = cells.levels_mm < cut + END_MARGIN_MM
    assert too_low.sum() > 5
    assert (cells.closed[too_low] == SCAN_END).all()
    assert not (cells.closed[~too_low] == SCAN_END).any()
    assert (cells.areas_mm2[cells.levels_mm < cut] == 0.0).all()  # there is no bone


def test_an_outgrowth_is_doubtful_and_the_bone_round_it_is_not() -> None:
    knob = m3.Manifold.sphere(5.0, 48).translate([SHAFT_MM + 2.0, 0.0, -70.0])
    cells = unrolled(shaft(knob))
    assert cells.closed[near(cells, -70.0, 0.0)] == DOUBTFUL
    assert cells.closed[near(cells, -70.0, 40.0)] == OPEN
    assert cells.closed[near(cells, -85.0, 0.0)] == OPEN


def test_a_thin_lip_is_doubtful() -> None:
    lip = m3.Manifold.cube([40.0, 3.0, 60.0], True).translate([0.0, SHAFT_MM + 2.5, -75.0])
    hollow = m3.Manifold.cube([60.0, 1.0, 80.0], True).translate([0.0, SHAFT_MM + 0.6, -75.0])
    bone = m3.Manifold.cylinder(170.0, SHAFT_MM, SHAFT_MM, 180).translate([0.0, 0.0, -150.0]) - hollow
    cells = unrolled(to_surface((bone + lip).refine_to_length(3.0)))
    assert cells.closed[near(cells, -75.0, 90.0)] == DOUBTFUL


def test_ground_near_to_what_is_kept_out_is_closed_by_its_distance() -> None:
    ball = to_surface(m3.Manifold.sphere(2.0, 48).translate(on_shaft(-70.0, 0.0).tolist()))
    cells = unrolled(shaft(), KeepOut((Structure("avoid", ball),)))
    apart = np.linalg.norm(cells.points_mm - on_shaft(-70.0, 0.0), axis=2)
    assert (cells.closed[apart < 4.9] == KEPT_OUT).all()
    assert not (cells.closed[apart > 5.1] == KEPT_OUT).any()


def test_round_the_shaft_says_where_there_is_no_bone() -> None:
    points, there = round_the_shaft(shaft(), ZONES, np.array([-50.0, -500.0]), np.array([0.0, 90.0]))
    assert there.tolist() == [[True, True], [False, False]]
    assert points[0, 1] == pytest.approx(on_shaft(-50.0, 90.0), abs=0.01)

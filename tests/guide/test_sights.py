"""Windows and probe holes on a plate and a round shaft: in the contact, clear of everything, where they tell most."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import field_of, rectangle
from hypothesis import given, settings
from hypothesis import strategies as st

from guidegen.frames import FloatArray, angle_deg
from guidegen.guide.patch import Patch
from guidegen.guide.sights import (
    EDGE_MM,
    GRID_MM,
    MOST_TILT_DEG,
    STEEPEST_DEG,
    Sight,
    Taken,
    bone_normals,
    choose_probes,
    choose_windows,
    sight_at,
)

UP = np.array([0.0, 0.0, 1.0])
RADIUS_MM = 3.0
# About x the guide tilts most at its ends along y, and about y at those along x.
ABOUT_X = np.array([0.0, 0.0, 0.0, 0.1, 0.0, 0.0])
ABOUT_Y = np.array([0.0, 0.0, 0.0, 0.0, 0.1, 0.0])
MOTIONS = np.stack([ABOUT_X, ABOUT_Y])


@pytest.fixture(scope="module")
def plate() -> Patch:
    return flat(40.0, 56.0)


def flat(width_mm: float, length_mm: float) -> Patch:
    return rectangle(field_of(lambda x, y: 0.0 * x + 0.0 * y), width_mm, length_mm)


@pytest.fixture(scope="module")
def small() -> Patch:
    return flat(32.0, 40.0)


@pytest.fixture(scope="module")
def shaft() -> Patch:
    return rectangle(field_of(lambda x, y: np.sqrt(np.maximum(20.0**2 - x**2, 0.0)) + 0.0 * y), 38.0, 56.0)


def places(sights: list[Sight]) -> FloatArray:
    return np.array([sight.point_mm for sight in sights]).reshape(-1, 3)


@settings(max_examples=5)
@given(st.floats(-10, 10), st.floats(-14, 14), st.floats(2, 6))
def test_every_hole_keeps_its_edge(small: Patch, x: float, y: float, radius_mm: float) -> None:
    line = np.array([x, y, 0.0]) + np.linspace(0.0, 1.0, 60)[:, None] * [3.0, -8.0, 20.0]
    taken = [Taken(line, radius_mm), Taken(np.array([[-x, y / 2, 0.0]]), 3.5)]
    windows = choose_windows(small, UP, RADIUS_MM, 2, taken, MOTIONS)
    probes = choose_probes(small, UP, 1.0, 4, [*taken, *(Taken(each.point_mm[None], RADIUS_MM) for each in windows)])
    for holes, own in ((windows, RADIUS_MM), (probes, 1.0)):
        for hole in holes:
            assert small.edge_distance_mm(hole.point_mm[None])[0] >= own + EDGE_MM - 1e-9
            for other in taken:  # seen from above, all along the hole
                away = np.linalg.norm((other.points_mm - hole.point_mm)[:, :2], axis=1).min()
                assert away >= own + EDGE_MM + other.radius_mm - 1e-9
    for window in windows:
        for probe in probes:
            assert np.linalg.norm(window.point_mm - probe.point_mm) >= RADIUS_MM + 1.0 + EDGE_MM - 1e-9
    if len(windows) == 2:
        assert np.linalg.norm(np.subtract(*places(windows))) >= 2 * RADIUS_MM + EDGE_MM - 1e-9


def test_a_window_stands_where_the_next_likely_motion_lifts_most(plate: Patch) -> None:
    """Each as far out as its edge allows, for its own motion; a third motion is the first again."""
    room = RADIUS_MM + EDGE_MM
    first, second, third = choose_windows(plate, UP, RADIUS_MM, 3, [], MOTIONS)
    assert abs(first.point_mm[1]) >= 28.0 - room - GRID_MM
    assert abs(second.point_mm[0]) >= 20.0 - room - GRID_MM
    assert abs(third.point_mm[1]) >= 28.0 - room - GRID_MM
    assert np.sign(third.point_mm[1]) != np.sign(first.point_mm[1]) or abs(third.point_mm[0] - first.point_mm[0]) > 9.0


@pytest.mark.parametrize(("width_mm", "length_mm", "count"), [(50.0, 70.0, 2), (15.0, 15.0, 1), (11.0, 30.0, 0)])
def test_there_are_as_many_windows_as_there_is_room_for(width_mm: float, length_mm: float, count: int) -> None:
    assert len(choose_windows(flat(width_mm, length_mm), UP, RADIUS_MM, 2, [], MOTIONS)) == count


def test_probes_stand_as_far_apart_as_they_go(plate: Patch) -> None:
    """The first two in opposite corners, and no two nearer than half of the way between these."""
    probes = places(choose_probes(plate, UP, 1.0, 4, []))
    corner = np.array([20.0, 28.0]) - 1.0 - EDGE_MM
    assert (np.abs(probes[:2, :2]) >= corner - GRID_MM).all()
    np.testing.assert_array_equal(np.sign(probes[0, :2]), -np.sign(probes[1, :2]))
    apart = [np.linalg.norm(one - other) for k, one in enumerate(probes) for other in probes[:k]]
    assert len(apart) == 6
    assert min(apart) > np.linalg.norm(corner) - 2.0 * GRID_MM


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (2, 2), (8, 4)])
def test_no_more_probes_than_asked_or_than_keep_apart(count: int, expected: int) -> None:
    """On a contact of 18 × 18 mm only the corners are far enough from each other."""
    probes = places(choose_probes(flat(18.0, 18.0), UP, 1.0, count, []))
    assert len(probes) == expected
    apart = [np.linalg.norm(one - other) for k, one in enumerate(probes) for other in probes[:k]]
    assert min(apart, default=np.inf) >= 2.0 + EDGE_MM


def test_where_everything_is_taken_there_is_none(plate: Patch) -> None:
    all_over = [Taken(np.zeros((1, 3)), 40.0)]
    assert choose_windows(plate, UP, RADIUS_MM, 2, all_over, MOTIONS) == []
    assert choose_probes(plate, UP, 1.0, 4, all_over) == []


# --- the direction of a hole ---


def test_the_normals_are_those_of_a_round_shaft(shaft: Patch) -> None:
    x = np.array([-14.0, -6.0, 0.0, 10.0])
    found = bone_normals(shaft, np.stack([x, np.array([0.0, 5.0, -7.0, 20.0])], axis=1))
    expected = np.stack([x, 0.0 * x, np.sqrt(400.0 - x**2)], axis=1) / 20.0
    assert max(angle_deg(one, other) for one, other in zip(found, expected, strict=True)) < 1.5


@pytest.mark.parametrize(("x_mm", "tilt_deg"), [(0.0, 0.0), (8.0, 23.6), (15.0, MOST_TILT_DEG)])
def test_a_hole_is_square_to_the_bone_as_far_as_it_prints(shaft: Patch, x_mm: float, tilt_deg: float) -> None:
    sight = sight_at(shaft, np.array([x_mm, 4.0]), UP)
    np.testing.assert_allclose(sight.point_mm, [x_mm, 4.0, np.sqrt(400.0 - x_mm**2)], atol=0.02)
    assert angle_deg(sight.direction, UP) == pytest.approx(tilt_deg, abs=1.0)
    assert sight.direction[0] >= 0.0
    assert abs(sight.direction[1]) < 1e-6


def test_upright_is_as_it_is_printed(shaft: Patch) -> None:
    down = np.array([np.sin(0.5), 0.0, np.cos(0.5)])
    for x_mm in (-15.0, 0.0, 15.0):
        assert angle_deg(sight_at(shaft, np.array([x_mm, 0.0]), down).direction, down) <= MOST_TILT_DEG + 1e-6


def test_nobody_looks_in_where_the_bone_is_steep(shaft: Patch) -> None:
    """Turned about the shaft a guide lifts most on its flanks: there a window ends where it can be looked into."""
    about_shaft = np.array([[0.5, 0.0, 0.0, 0.0, 0.0, 0.0]])
    (window,) = choose_windows(shaft, UP, 1.0, 1, [], about_shaft)
    steepest = 20.0 * np.sin(np.radians(STEEPEST_DEG))
    edge = 19.0 - 1.0 - EDGE_MM
    assert min(steepest, edge) - GRID_MM - 0.5 <= abs(window.point_mm[0]) <= min(steepest, edge) + 0.5


def test_a_hole_keeps_clear_of_what_stands_over_it_along_its_slant(shaft: Patch) -> None:
    """Something 15 mm above a flank, straight out: the hole there would run into it, though it is not right above."""
    foot = np.array([10.0, 0.0, np.sqrt(300.0)])
    over = foot * 1.75
    taken = [Taken(over[None], 3.0)]
    for probe in choose_probes(shaft, UP, 1.0, 8, taken):
        along = max((over - probe.point_mm) @ probe.direction, 0.0)
        assert np.linalg.norm(over - probe.point_mm - along * probe.direction) >= 3.0 + 1.0 + EDGE_MM - 1e-6
    assert len(choose_probes(shaft, UP, 1.0, 8, taken)) > 0

"""The height field against bodies in closed form: nothing seen amiss, and never less clearance than asked."""

from __future__ import annotations

from itertools import product

import manifold3d as m3
import numpy as np
import pytest
from bodies import block, cylinder, field_of, is_bone, sphere

from guidegen.frames import FloatArray
from guidegen.guide.height_field import (
    CUTS_MM,
    STEP_MM,
    HeightField,
    dilated,
    field_solid,
    grown,
    look_down,
)
from guidegen.guide.solids import to_surface
from guidegen.surfaces import Surface

RADIUS_MM, CLEARANCE_MM = 20.0, 0.36
LOW, HIGH = np.array([-24.13, -24.07]), np.array([24.0, 24.0])  # on no edge of a body
NARROW_LOW, NARROW_HIGH = np.array([-10.03, -5.0]), np.array([10.0, 5.0])


def plane(field: HeightField) -> tuple[FloatArray, FloatArray]:
    x, y = np.meshgrid(field.x_mm, field.y_mm, indexing="ij")
    return x, y


def everywhere(field: HeightField) -> np.ndarray:
    return np.ones_like(field.height_mm, dtype=bool)


@pytest.fixture(scope="module")
def ball() -> Surface:
    return sphere(RADIUS_MM)


@pytest.fixture(scope="module")
def ball_field(ball: Surface) -> HeightField:
    return look_down(ball, LOW, HIGH)


@pytest.fixture(scope="module")
def rod() -> Surface:
    return cylinder(RADIUS_MM, 60.0)


# --- looking down ---


def test_a_sphere_is_seen_as_a_sphere(ball_field: HeightField) -> None:
    x, y = plane(ball_field)
    away = np.hypot(x, y)
    np.testing.assert_array_equal(is_bone(ball_field)[np.abs(away - RADIUS_MM) > 0.05], (away < RADIUS_MM)[
        np.abs(away - RADIUS_MM) > 0.05
    ])  # fmt: skip
    calm = away < 19.5
    np.testing.assert_allclose(ball_field.height_mm[calm], np.sqrt(RADIUS_MM**2 - away[calm] ** 2), atol=2e-3)
    assert ball_field.floor_mm == -RADIUS_MM


def test_a_cylinder_is_seen_as_a_cylinder(rod: Surface) -> None:
    field = look_down(rod, LOW, HIGH)
    x, _ = plane(field)
    seen = np.abs(x) < 19.9
    np.testing.assert_allclose(field.height_mm[seen], np.sqrt(RADIUS_MM**2 - x[seen] ** 2), atol=1e-3)
    assert not is_bone(field)[np.abs(x) > RADIUS_MM].any()


def test_what_lies_below_an_overhang_is_not_seen() -> None:
    post, table = block([3.0, -2.0, 0.0], [5.0, 2.0, 5.0]), block([-3.0, -8.0, 5.0], [9.0, 8.0, 7.0])
    field = look_down(to_surface(block([-12.0, -12.0, -10.0], [12.0, 12.0, 0.0]) + post + table), LOW, HIGH)
    x, y = plane(field)
    on_table, on_ground = (np.abs(x - 3.0) < 6.0) & (np.abs(y) < 8.0), (np.abs(x) < 12.0) & (np.abs(y) < 12.0)
    expected = np.where(on_table, 7.0, np.where(on_ground, 0.0, -10.0))
    np.testing.assert_allclose(field.height_mm, expected, atol=1e-9)


def test_between_grid_points_the_field_is_linear_and_outside_it_is_the_floor() -> None:
    field = field_of(lambda x, y: 0.3 * x - 0.7 * y)
    places = np.random.default_rng(0).uniform(-39.0, 39.0, (500, 3))
    np.testing.assert_allclose(field.at(places), places[:, :2] @ [0.3, -0.7], atol=1e-9)
    assert field.at(np.array([[41.0, 0.0], [0.0, -41.0]])).tolist() == [field.floor_mm, field.floor_mm]


# --- grown ---


def test_a_sphere_grows_to_the_larger_sphere(ball: Surface, ball_field: HeightField) -> None:
    x, y = plane(ball_field)
    field = grown(ball_field, ball, CLEARANCE_MM, everywhere(ball_field))
    seen = is_bone(ball_field)
    error = field.height_mm[seen] - np.sqrt((RADIUS_MM + CLEARANCE_MM) ** 2 - (x**2 + y**2)[seen])
    away = np.hypot(x, y)[seen]
    assert error[away < 19.9].min() > -1e-3  # never less …
    calm = away < RADIUS_MM * np.sin(np.radians(72.0))
    assert error[calm].max() < 0.005  # … and no more, as far as a shell may wrap
    distance, _, _ = ball.nearest(np.c_[x[seen], y[seen], field.height_mm[seen]])
    assert distance.min() > CLEARANCE_MM - 1e-4
    np.testing.assert_allclose(distance[calm], CLEARANCE_MM, atol=1e-4)


def test_a_cylinder_grows_to_the_larger_cylinder(rod: Surface) -> None:
    narrow = look_down(rod, LOW, HIGH)
    x, _ = plane(narrow)
    field = grown(narrow, rod, CLEARANCE_MM, everywhere(narrow))
    seen = is_bone(narrow)
    truth = np.sqrt((RADIUS_MM + CLEARANCE_MM) ** 2 - x[seen] ** 2)
    np.testing.assert_allclose(field.height_mm[seen], truth, atol=1e-3)


@pytest.mark.parametrize("clearance_mm", [0.2, 0.36, 1.5])
def test_a_groove_is_grown_from_both_its_walls(clearance_mm: float) -> None:
    profile = m3.CrossSection([[[-12.0, -10.0], [12.0, -10.0], [12.0, 12.0], [0.0, 0.0], [-12.0, 12.0]]])
    groove = to_surface(profile.extrude(60.0).rotate((90.0, 0.0, 0.0)).translate((0.0, 30.0, 0.0)))
    narrow = look_down(groove, NARROW_LOW, NARROW_HIGH)
    field = grown(narrow, groove, clearance_mm, everywhere(narrow))
    x, _ = plane(field)
    np.testing.assert_allclose(field.height_mm, np.abs(x) + clearance_mm * np.sqrt(2.0), atol=1e-3)


def test_off_the_near_part_the_growth_is_that_of_the_grid(ball: Surface, ball_field: HeightField) -> None:
    x, y = plane(ball_field)
    away = np.hypot(x, y)
    field = grown(ball_field, ball, 2.0, away < 5.0)
    shell = (away > 5.0) & (away < 18.0)
    error = field.height_mm[shell] - np.sqrt(22.0**2 - away[shell] ** 2)
    assert -0.2 < error.min() < -1e-3  # the ball's own steps of 0.4 mm
    assert error.max() < 1e-6


def test_beside_the_outline_the_field_is_one_step_wider(ball: Surface, ball_field: HeightField) -> None:
    field = grown(ball_field, ball, CLEARANCE_MM, everywhere(ball_field))
    bone, around = is_bone(ball_field), is_bone(field)
    assert (around & ~bone).any()
    for i, j in np.argwhere(around & ~bone):
        window = np.s_[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3]
        assert bone[window].any()
        highest = field.height_mm[window][bone[window]].max()
        assert field.height_mm[i, j] <= highest + 1e-9
    for i, j in np.argwhere(bone):
        assert around[i - 1 : i + 2, j - 1 : j + 2].all()


# Over an edge the grown bone is round, and the field its chord; a low ledge beside a point is left up to CUTS_MM.
ROUND_EDGE_MM = 0.1
COSTS_MM = {(-0.377, high_mm): ROUND_EDGE_MM for high_mm in (1.0, 1.5, 2.5, 4.0)}
COSTS_MM |= {(-0.2, 1.0): ROUND_EDGE_MM, (-0.2, 1.5): CUTS_MM}


@pytest.mark.parametrize("high_mm", [1.0, 1.5, 2.5, 4.0])
@pytest.mark.parametrize("edge_mm", [-0.41, -0.377, -0.2, -0.05, 0.01])  # the grid has points at -0.43, -0.03 and 0.37
def test_beside_a_ledge_the_field_does_not_cut_into_it(edge_mm: float, high_mm: float) -> None:
    ledge = block([-15.0, -30.0, -10.0], [15.0, 30.0, 0.0]) + block([-15.0, -30.0, -10.0], [edge_mm, 30.0, high_mm])
    bone = to_surface(ledge)
    field = look_down(bone, NARROW_LOW, NARROW_HIGH)
    wide = grown(field, bone, CLEARANCE_MM, everywhere(field))
    places = np.c_[np.linspace(-2.0, 2.0, 2001), np.zeros(2001)]
    on_field = np.c_[places, wide.at(places)]
    assert bone.signed_distance_mm(on_field).min() > CLEARANCE_MM - COSTS_MM.get((edge_mm, high_mm), 0.05)


def test_beside_a_wall_it_is_let_down_from_above() -> None:
    """At 0.02 mm off the ball's reach Newton's steps begin under the ledge, and would end there."""
    ledge = block([-15.0, -30.0, -10.0], [15.0, 30.0, 0.0]) + block([-15.0, -30.0, -10.0], [-0.377, 30.0, 1.5])
    bone = to_surface(ledge)
    field = look_down(bone, NARROW_LOW, NARROW_HIGH)
    wide = grown(field, bone, CLEARANCE_MM, everywhere(field))
    k = int(np.argmin(np.abs(wide.x_mm + 0.03)))
    over_the_edge = np.sqrt(CLEARANCE_MM**2 - (wide.x_mm[k] + 0.377) ** 2)
    np.testing.assert_allclose(wide.height_mm[k, 5:-5], 1.5 + over_the_edge, atol=1e-3)


# --- dilated ---


def test_one_point_dilates_to_a_ball() -> None:
    spike = np.full((31, 31), -np.inf)
    spike[15, 15] = 4.0
    offset = (np.arange(31) - 15) * STEP_MM
    away2 = offset[:, None] ** 2 + offset[None, :] ** 2
    ball = np.where(away2 <= 9.0, 4.0 + np.sqrt(np.maximum(9.0 - away2, 0.0)), -np.inf)
    np.testing.assert_allclose(dilated(spike, 3.0), ball, atol=1e-9)


def test_dilation_is_the_highest_of_all_balls() -> None:
    heights = np.random.default_rng(1).normal(0.0, 2.0, (24, 17))
    heights[5:9, 3:8] = -np.inf
    radius, reach = 1.7, int(1.7 / STEP_MM) + 1
    expected = np.full_like(heights, -np.inf)
    for i, j, di, dj in product(range(24), range(17), *[range(-reach, reach + 1)] * 2):
        left = radius**2 - STEP_MM**2 * (di**2 + dj**2)
        if left >= 0.0 and 0 <= i + di < 24 and 0 <= j + dj < 17:
            expected[i, j] = max(expected[i, j], heights[i + di, j + dj] + np.sqrt(left))
    np.testing.assert_allclose(dilated(heights, radius), expected, atol=1e-9)


# --- solids ---


def test_the_solid_of_a_field_is_closed_and_has_its_volume() -> None:
    x, y = np.arange(0.0, 6.0, 0.5), np.arange(-3.0, 2.0, 0.25)
    top = np.random.default_rng(2).uniform(1.0, 4.0, (len(x), len(y)))
    surface = to_surface(field_solid(x, y, top, -2.0))
    assert surface.is_closed
    a, b, c, d = top[:-1, :-1], top[1:, :-1], top[1:, 1:], top[:-1, 1:]
    volume = ((a + b + c) / 3.0 + (a + c + d) / 3.0 + 4.0).sum() * 0.5 * 0.25 / 2.0
    assert surface.volume_mm3 == pytest.approx(volume, rel=1e-9)
    np.testing.assert_allclose(surface.bounds_mm[:, :2], [[x[0], y[0]], [x[-1], y[-1]]])
    assert surface.bounds_mm[0, 2] == -2.0


def test_what_is_under_a_field_covers_the_rectangle_and_reaches_below_it() -> None:
    field = field_of(lambda x, y: 0.1 * x + 0.0 * y)
    low, high = np.array([-7.0, -11.0, -50.0]), np.array([9.0, 3.0, 20.0])
    solid = field.solid_under(low, high)
    surface = to_surface(solid)
    assert surface.is_closed
    assert (surface.bounds_mm[0] <= low).all()
    assert (surface.bounds_mm[1, :2] >= high[:2]).all()
    assert (surface.bounds_mm[1, :2] < high[:2] + 1.0).all()
    column = solid ^ block([-7.0, -11.0, -50.0], [9.0, 3.0, 20.0])
    assert column.volume() == pytest.approx(16.0 * 14.0 * (50.0 + 0.1 * 1.0), rel=1e-9)

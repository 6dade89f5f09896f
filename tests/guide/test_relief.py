"""The relief over what is kept out, against balls and boxes in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import block, field_of, sphere

from guidegen.frames import FloatArray
from guidegen.guide.height_field import STEP_MM, HeightField
from guidegen.guide.placement import place_tube
from guidegen.guide.relief import LEAST_MM, SPARE_MM, TALLEST_MM, relieved, risen, sturdy
from guidegen.guide.solids import to_surface
from guidegen.keep_out import KeepOut, Structure
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import ScanEnd

KEPT_MM = 3.0
OUTSIDE_MM = 30.0


def boxes(*corners: tuple[list[float], list[float]]) -> KeepOut:
    return KeepOut(
        tuple(Structure("implant", to_surface(block(low, high).refine_to_length(0.7))) for low, high in corners)
    )


def ground(keep_out: KeepOut) -> Ground:
    return Ground(sphere(1.0, 8), keep_out, KEPT_MM, keep_out.points_mm, ScanEnd(np.zeros(3), np.array([0, -1.0, 0])))


@pytest.fixture(scope="module")
def flat() -> HeightField:
    return field_of(lambda x, y: 0.0 * x + 0.0 * y)


def outside(field: HeightField) -> FloatArray:
    return (np.abs(field.x_mm) > OUTSIDE_MM)[:, None] | (np.abs(field.y_mm) > OUTSIDE_MM)[None, :]


def test_a_point_rises_as_a_ball() -> None:
    x, y = np.arange(-6.0, 6.0, 0.4), np.arange(-5.0, 5.0, 0.4)
    heights = risen(np.array([[0.13, -0.71, 2.0]]), x, y, 3.3)
    away2 = (x[:, None] - 0.13) ** 2 + (y[None, :] + 0.71) ** 2
    ball = np.where(away2 < 3.3**2, 2.0 + np.sqrt(np.maximum(3.3**2 - away2, 0.0)), -np.inf)
    np.testing.assert_allclose(heights, ball, atol=1e-9)


@pytest.mark.parametrize("proud_mm", [-1.0, 0.0, 4.0])
def test_no_point_over_the_relief_is_nearer_than_asked(flat: HeightField, proud_mm: float) -> None:
    keep_out = boxes(([-5.0, -8.0, -20.0], [5.0, 8.0, proud_mm]))
    relief = relieved(flat, flat, ground(keep_out))
    spots = np.random.default_rng(0).uniform(-20.0, 20.0, (20_000, 2))
    heights = relief.under.at(spots)
    over = np.c_[spots, heights][heights > 1e-6]
    assert keep_out.distance_mm(over).min() >= KEPT_MM
    assert (over[:, 2] >= LEAST_MM - 1e-6).mean() > 0.85  # but for the walls of the relief
    rest = np.c_[spots, heights][heights <= 1e-6]
    assert keep_out.distance_mm(rest).min() >= KEPT_MM
    assert np.abs(rest[keep_out.distance_mm(rest) > KEPT_MM + SPARE_MM + 3.0 * STEP_MM, 2]).max() == 0.0


def test_what_lies_deep_raises_nothing(flat: HeightField) -> None:
    relief = relieved(flat, flat, ground(boxes(([-5.0, -8.0, -20.0], [5.0, 8.0, -KEPT_MM - SPARE_MM]))))
    assert relief.under is flat
    assert not relief.there.any()


def test_what_stands_too_tall_is_told(flat: HeightField) -> None:
    low = relieved(flat, flat, ground(boxes(([-5.0, -8.0, -20.0], [5.0, 8.0, TALLEST_MM - 3.5]))))
    tall = relieved(flat, flat, ground(boxes(([-5.0, -8.0, -20.0], [5.0, 8.0, TALLEST_MM]))))
    assert not low.tall.any()
    assert tall.tall.sum() * STEP_MM**2 > 16.0 * 10.0


@pytest.mark.parametrize(("gap_mm", "joined"), [(8.0, True), (12.0, False)])
def test_a_thin_wall_between_two_reliefs_goes(flat: HeightField, gap_mm: float, joined: bool) -> None:
    """Two boxes `gap_mm` apart leave a wall of that less 3.3 mm and a step of the grid on either side."""
    half = gap_mm / 2.0
    keep_out = boxes(([-20.0, half, -9.0], [20.0, 20.0, 2.0]), ([-20.0, -20.0, -9.0], [20.0, -half, 2.0]))
    relief = relieved(flat, flat, ground(keep_out))
    middle = np.array([[0.0, 0.0]])
    assert relief.under.at(middle)[0] == 0.0
    sturdier = sturdy(relief, flat, outside(flat), [], 2.5)
    assert (sturdier.under.at(middle)[0] > LEAST_MM - 1e-9) == joined
    assert (sturdier.under.height_mm >= relief.under.height_mm).all()


@pytest.mark.parametrize(("apart_mm", "opened"), [(5.0, True), (9.0, False)])
def test_a_thin_wall_beside_a_bore_goes(flat: HeightField, apart_mm: float, opened: bool) -> None:
    axis = np.array([0.0, np.sin(0.7), -np.cos(0.7)])
    tube = place_tube(flat, np.zeros(3), axis, 8.2, 14.2, 32.0)
    relief = relieved(flat, flat, ground(boxes(([4.1 + apart_mm, -6.0, -9.0], [25.0, 6.0, 2.0]))))
    sturdier = sturdy(relief, flat, outside(flat), [(tube, 4.1)], 2.5)
    wall = np.array([[4.5, 0.0]])
    assert (sturdier.under.at(wall)[0] > 1.0) == opened
    far = flat.x_mm < -6.0
    np.testing.assert_array_equal(sturdier.under.height_mm[far], flat.height_mm[far])


@pytest.mark.parametrize(("edge_mm", "opened"), [(24.5, True), (20.0, False)])
def test_a_thin_wall_at_the_rim_goes(flat: HeightField, edge_mm: float, opened: bool) -> None:
    relief = relieved(flat, flat, ground(boxes(([-5.0, 5.0, -9.0], [5.0, edge_mm, 2.0]))))
    sturdier = sturdy(relief, flat, outside(flat), [], 2.5)
    rim = np.array([[0.0, OUTSIDE_MM - 0.3]])
    assert (sturdier.under.at(rim)[0] > 1.0) == opened
    assert not sturdier.there[outside(flat)].any()


def test_without_a_relief_nothing_is_sturdier(flat: HeightField) -> None:
    relief = relieved(flat, flat, ground(KeepOut()))
    assert relief.under is flat
    assert not replace(relief).there.any()

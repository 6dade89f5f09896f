"""The contact on the field of a round shaft, where every distance has a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import field_of, footprint_on, rectangle, zones_on

from guidegen.guide.height_field import STEP_MM, HeightField
from guidegen.guide.patch import FAR_MM, Patch, lay_patch

RADIUS_MM = 20.0
HALF_MM, HALF_DEG = 21.0, 42.5


def shaft_height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < RADIUS_MM, np.sqrt(np.maximum(RADIUS_MM**2 - x**2, 0.0)), -np.inf) + 0.0 * y


@pytest.fixture(scope="module")
def field() -> HeightField:
    return field_of(shaft_height, half_mm=50.0)


@pytest.fixture(scope="module")
def patch(field: HeightField) -> Patch:
    return lay_patch(field, footprint_on(zones_on(), HALF_MM, HALF_DEG))


def at(turn_deg: float, level_mm: float) -> np.ndarray:
    """The place of a turn and a level on the shaft, seen from above."""
    return np.array([[RADIUS_MM * np.sin(np.radians(turn_deg)), level_mm]])


def test_it_bears_where_the_footprint_covers_the_bone(field: HeightField, patch: Patch) -> None:
    """But for the corners, which are rounded."""
    x, y = np.meshgrid(field.x_mm, field.y_mm, indexing="ij")
    turn = np.degrees(np.arcsin(np.clip(x / RADIUS_MM, -1.0, 1.0)))
    covered = (np.abs(turn) < HALF_DEG) & (np.abs(y) < HALF_MM)
    corner = (np.abs(turn) > HALF_DEG - 15.0) & (np.abs(y) > HALF_MM - 6.0)
    line = (np.abs(np.abs(turn) - HALF_DEG) < 0.2) | (np.abs(np.abs(y) - HALF_MM) < 0.05)
    judged = ~corner & ~line
    np.testing.assert_array_equal(patch.bears[judged], covered[judged])
    low, high = patch.bounds_mm
    width = RADIUS_MM * np.sin(np.radians(HALF_DEG))
    np.testing.assert_allclose(high, [width, HALF_MM], atol=STEP_MM)
    np.testing.assert_allclose(low, [-width, -HALF_MM], atol=STEP_MM)


@pytest.mark.parametrize(("turn_deg", "level_mm"), [(0.0, 0.0), (20.0, 3.0), (-35.0, -8.0), (5.0, 14.0), (0.0, -19.0)])
def test_the_distance_to_the_outline_is_straight_through_space(patch: Patch, turn_deg: float, level_mm: float) -> None:
    chord = 2.0 * RADIUS_MM * np.sin(np.radians(HALF_DEG - abs(turn_deg)) / 2.0)
    expected = min(chord, HALF_MM - abs(level_mm))
    assert patch.edge_distance_mm(at(turn_deg, level_mm))[0] == pytest.approx(expected, abs=1.5 * STEP_MM)


@pytest.mark.parametrize(("turn_deg", "level_mm", "beside_mm"), [(0.0, 25.0, 4.0), (20.0, -30.0, 9.0)])
def test_outside_it_is_negative(patch: Patch, turn_deg: float, level_mm: float, beside_mm: float) -> None:
    assert patch.edge_distance_mm(at(turn_deg, level_mm))[0] == pytest.approx(-beside_mm, abs=1.5 * STEP_MM)


def test_far_away_and_off_the_bone_it_is_only_far(patch: Patch) -> None:
    for spot in ([0.0, 49.0], [30.0, 0.0], [500.0, 0.0]):
        assert patch.edge_distance_mm(np.array([spot]))[0] == pytest.approx(-FAR_MM)


def test_where_nothing_is_covered_nothing_bears(field: HeightField) -> None:
    patch = lay_patch(field, footprint_on(zones_on(), 0.0, 0.0))
    assert not patch.bears.any()
    assert patch.edge_mm.max() == -FAR_MM


def test_a_rectangle_of_the_tests_measures_as_it_is_drawn() -> None:
    """The other tests lean on it."""
    patch = rectangle(field_of(lambda x, y: 0.0 * x + 0.0 * y), 40.0, 56.0)
    spots = np.array([[0.0, 0.0], [19.0, 0.0], [0.0, 27.0], [23.0, 32.0]])
    np.testing.assert_allclose(patch.edge_distance_mm(spots), [20.0, 1.0, 1.0, -5.0], atol=0.05)

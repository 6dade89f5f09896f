"""Tubes over planes and cylinders, where trigonometry says how far each side of a bore reaches."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import field_of

from guidegen.frames import FloatArray
from guidegen.guide.height_field import HeightField
from guidegen.guide.placement import INSIDE_MM, STEP_MM, SUNK_MM, place_tube

BORE_MM, OUTER_MM, GUIDED_MM = 8.2, 14.2, 32.0


@pytest.fixture(scope="module")
def flat() -> HeightField:
    return field_of(lambda x, y: 0.0 * x + 0.0 * y, half_mm=80.0)


def tilted(degrees: float, turn_deg: float = 0.0) -> FloatArray:
    """A unit vector into the bone, tilted from the removal direction."""
    angle, turn = np.radians(degrees), np.radians(turn_deg)
    return np.array([np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), -np.cos(angle)])


@pytest.mark.parametrize("turn_deg", [0.0, 77.0])
@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0])
def test_over_a_plane_the_tangent_says_where_the_bore_opens(flat: HeightField, degrees: float, turn_deg: float) -> None:
    tube = place_tube(flat, np.array([1.0, -2.0, 0.0]), tilted(degrees, turn_deg), BORE_MM, OUTER_MM, GUIDED_MM)
    slope = np.tan(np.radians(degrees))
    assert tube.guided_to_mm == pytest.approx(-BORE_MM / 2 * slope, abs=STEP_MM + 0.01)
    assert tube.sunk_to_mm == pytest.approx(OUTER_MM / 2 * slope + SUNK_MM, abs=STEP_MM + 0.01)
    assert tube.guided_length_mm == pytest.approx(GUIDED_MM)
    assert tube.top_mm == tube.guided_to_mm - GUIDED_MM


def test_the_point_may_lie_above_or_below_the_surface(flat: HeightField) -> None:
    on, below = (
        place_tube(flat, np.array([0.0, 0.0, z]), tilted(30.0), BORE_MM, OUTER_MM, GUIDED_MM) for z in (0.0, -5.0)
    )
    assert below.guided_to_mm == pytest.approx(on.guided_to_mm - 5.0 / np.cos(np.radians(30.0)), abs=2 * STEP_MM)


def test_on_a_cylinder_the_first_side_to_meet_it_ends_the_guidance() -> None:
    field = field_of(lambda x, y: np.sqrt(np.maximum(15.0**2 - x**2, 0.0)) + 0.0 * y)
    tube = place_tube(field, np.array([0.0, 0.0, 15.0]), tilted(0.0), BORE_MM, OUTER_MM, GUIDED_MM)
    assert tube.guided_to_mm == pytest.approx(0.0, abs=STEP_MM + 0.01)  # along the crest
    sagitta = 15.0 - np.sqrt(15.0**2 - (OUTER_MM / 2) ** 2)
    assert tube.sunk_to_mm == pytest.approx(sagitta + SUNK_MM, abs=STEP_MM + 0.02)


def test_a_tube_beside_the_bone_reaches_as_far_in_as_is_looked() -> None:
    field = field_of(lambda x, y: np.where(x <= 0.0, 0.0 * y, -np.inf))
    tube = place_tube(field, np.array([3.0, 0.0, 0.0]), tilted(0.0), BORE_MM, OUTER_MM, GUIDED_MM)
    assert tube.guided_to_mm == pytest.approx(0.0, abs=STEP_MM + 0.01)  # the side that still meets bone
    assert tube.sunk_to_mm == INSIDE_MM + SUNK_MM


def test_places_along_a_tube(flat: HeightField) -> None:
    tube = place_tube(flat, np.array([1.0, 2.0, 0.0]), tilted(45.0), BORE_MM, OUTER_MM, GUIDED_MM)
    np.testing.assert_allclose(tube.at(-10.0), [1.0 - 10.0 * np.sqrt(0.5), 2.0, 10.0 * np.sqrt(0.5)])

"""Which way is down in print, for sleeves that lean by any angle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.frames import angle_deg
from guidegen.guide.pose import SPARE_DEG, print_down

REMOVAL = np.array([0.0, 0.0, 1.0])


def leaning(degrees: float, turn_deg: float) -> np.ndarray:
    lean, turn = np.radians([degrees, turn_deg])
    return np.array([np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), np.cos(lean)])


@pytest.mark.parametrize("degrees", [0.0, 12.0, 40.0])
def test_a_steep_bore_is_printed_with_the_bone_side_straight_up(degrees: float) -> None:
    np.testing.assert_allclose(print_down(leaning(degrees, 70.0), 45.0), REMOVAL, atol=1e-12)


@given(st.floats(0.0, 89.0), st.floats(0.0, 360.0), st.floats(30.0, 60.0))
def test_a_flat_bore_is_turned_steep_enough_and_no_further(degrees: float, turn_deg: float, limit_deg: float) -> None:
    sleeve = leaning(degrees, turn_deg)
    down = print_down(sleeve, limit_deg)
    assert np.linalg.norm(down) == pytest.approx(1.0)
    assert angle_deg(down, sleeve) == pytest.approx(min(degrees, limit_deg - SPARE_DEG), abs=1e-4)
    turned = max(0.0, degrees - (limit_deg - SPARE_DEG))
    assert angle_deg(down, REMOVAL) == pytest.approx(turned, abs=1e-4)

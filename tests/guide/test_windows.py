"""Windows in a plate: inside it, and away from everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.guide.outline import Outline
from guidegen.guide.windows import EDGE_MM, choose_windows

RADIUS_MM = 3.0


def rectangle(width_mm: float, length_mm: float) -> Outline:
    y = np.array([-length_mm / 2, length_mm / 2])
    return Outline(y, np.full(2, -width_mm / 2), np.full(2, width_mm / 2))


@given(st.floats(-12, 12), st.floats(-20, 20), st.floats(2, 8))
def test_every_window_keeps_its_edge(x: float, y: float, radius_mm: float) -> None:
    shell = rectangle(40.0, 55.0)
    line = np.array([x, y, 5.0]) + np.linspace(0.0, 1.0, 20)[:, None] * [3.0, -8.0, 20.0]
    boss = np.array([[-x, y / 2, 0.0]])
    windows = choose_windows(shell, RADIUS_MM, [(line, radius_mm), (boss, 3.5)])
    for spot in windows:
        assert shell.edge_distance_mm(spot[None])[0] >= RADIUS_MM + EDGE_MM - 1e-9
        for points, radius in ((line, radius_mm), (boss, 3.5)):
            away = np.linalg.norm(points[:, :2] - spot, axis=1).min()
            assert away >= RADIUS_MM + EDGE_MM + radius - 1e-9
    if len(windows) == 2:
        assert np.linalg.norm(windows[0] - windows[1]) >= 2 * RADIUS_MM + EDGE_MM - 1e-9


@pytest.mark.parametrize(("radius_mm", "count"), [(6.5, 2), (6.9, 0)])
def test_beside_a_thick_sleeve_there_is_room_in_the_corners_or_none(radius_mm: float, count: int) -> None:
    # the corner of where a window's middle may lie is 9 √2 = 12.7 mm from the sleeve's
    assert len(choose_windows(rectangle(30.0, 30.0), RADIUS_MM, [(np.zeros((1, 3)), radius_mm)])) == count


def test_a_large_shell_has_two() -> None:
    assert len(choose_windows(rectangle(50.0, 70.0), RADIUS_MM, [(np.zeros((1, 3)), 7.0)])) == 2


@pytest.mark.parametrize(("width_mm", "length_mm", "count"), [(14.0, 13.0, 1), (11.0, 30.0, 0)])
def test_a_small_shell_has_one_or_none(width_mm: float, length_mm: float, count: int) -> None:
    assert len(choose_windows(rectangle(width_mm, length_mm), RADIUS_MM, [])) == count

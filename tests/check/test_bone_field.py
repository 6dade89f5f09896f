"""The grid of distances and the rough surface: exact on what is linear, and with the statistics they claim."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.bone_field import Grid, at, rough, smooth, values_at


@pytest.fixture
def plane() -> Grid:
    """A linear function on a grid."""
    x, y, z = np.meshgrid(np.arange(5), np.arange(6), np.arange(7), indexing="ij")
    return Grid(np.array([1.0, -2.0, 3.0]), 0.5, 2.0 * (0.5 * x) - 3.0 * (0.5 * y) + 0.5 * (0.5 * z))


def test_what_is_linear_is_exact(plane) -> None:
    value, *slope = at(plane, 1.7, -0.4, 4.4)
    assert value == pytest.approx(2.0 * 0.7 - 3.0 * 1.6 + 0.5 * 1.4)
    assert slope == pytest.approx([2.0, -3.0, 0.5])


def test_the_slope_is_that_of_the_value() -> None:
    grid = Grid(np.zeros(3), 0.4, np.random.default_rng(0).normal(size=(6, 6, 6)))
    for point in np.random.default_rng(1).uniform(0.05, 1.9, (20, 3)):
        _, *slope = at(grid, *point)
        for axis, step in enumerate(1e-7 * np.eye(3)):
            change = at(grid, *(point + step))[0] - at(grid, *(point - step))[0]
            assert slope[axis] == pytest.approx(change / 2e-7, abs=1e-4)


def test_beyond_the_rim_the_rim_counts(plane) -> None:
    assert at(plane, -10.0, -1.0, 4.0)[0] == pytest.approx(at(plane, 1.0, -1.0, 4.0)[0])
    assert at(plane, 99.0, -1.0, 4.0)[0] == pytest.approx(at(plane, 3.0, -1.0, 4.0)[0], abs=1e-5)


def test_a_smooth_surface_rises_nowhere(plane) -> None:
    value, slope = values_at(smooth(plane), np.random.default_rng(0).uniform(-9, 9, (50, 3)))
    assert (np.abs(value).max(), np.abs(slope).max()) == (0.0, 0.0)


def test_a_rough_surface_has_the_spread_and_the_correlation_it_is_asked_for() -> None:
    """Noise smoothed by a Gaussian of 3 mm: correlation exp(-d²/36), in each direction and on the rim as well."""
    room = Grid(np.zeros(3), 0.4, np.zeros((101, 81, 61)))
    rng = np.random.default_rng(4)
    apart = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [0.0, 6.0, 0.0], [0.0, 0.0, 6.0], [12.0, 0.0, 0.0]])
    starts = rng.uniform([0, 0, 0], [28, 26, 18], (400, 3))
    drawn = np.array([values_at(rough(room, 0.3, rng), (starts[:, None] + apart).reshape(-1, 3))[0] for _ in range(60)])
    drawn = drawn.reshape(-1, len(apart))
    assert drawn.std() == pytest.approx(0.3, rel=0.04)
    together = (drawn[:, :1] * drawn).mean(axis=0) / 0.3**2
    assert together[1:4] == pytest.approx(np.full(3, np.exp(-1.0)), abs=0.06)
    assert together[4] == pytest.approx(np.exp(-4.0), abs=0.06)


def test_roughness_grows_with_what_is_asked() -> None:
    room = Grid(np.zeros(3), 0.4, np.zeros((31, 31, 31)))
    once, twice = (rough(room, sigma, np.random.default_rng(2)).values for sigma in (0.1, 0.2))
    assert twice == pytest.approx(2.0 * once)

"""Outlines in a plane: the voxels inside them, by the same rule as an independent one, and on them."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from guidegen.frames import FloatArray
from guidegen.intake.outlines import MAX_CROSSINGS, filled

SQUARE = np.array([[0.5, 0.5], [5.5, 0.5], [5.5, 4.5], [0.5, 4.5]])


def square(low: float, high: float) -> FloatArray:
    return np.array([[low, low], [high, low], [high, high], [low, high]])


def test_a_square_along_voxel_edges_is_its_voxels() -> None:
    mask = filled([SQUARE], (8, 6))
    assert np.array_equal(np.argwhere(mask).min(axis=0), [1, 1])
    assert np.array_equal(np.argwhere(mask).max(axis=0), [5, 4])
    assert mask.sum() == 20


@pytest.mark.parametrize("seed", range(20))
def test_any_polygon_as_matplotlib_has_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, 40))
    outline = 15.0 + np.column_stack([np.cos(angles), np.sin(angles)]) * rng.uniform(2.0, 14.0, (40, 1))
    grid = np.stack(np.indices((30, 31)), axis=-1).reshape(-1, 2)
    truth = Polygon(outline).contains_points(grid).reshape(30, 31)
    mask = filled([outline], (30, 31))
    on_line = mask != truth  # only centres that the outline passes through may differ
    near = np.array([_distance(point, outline) for point in np.argwhere(on_line)])
    assert (near <= 0.0101).all()
    assert mask.sum() > 50


def _distance(point: FloatArray, outline: FloatArray) -> float:
    start, run = outline, np.roll(outline, -1, axis=0) - outline
    share = np.clip(((point - start) * run).sum(axis=1) / (run**2).sum(axis=1), 0.0, 1.0)
    return float(np.linalg.norm(start + share[:, None] * run - point, axis=1).min())


def test_holes_and_islands() -> None:
    mask = filled([square(4.5, 5.5), square(0.5, 9.5), square(2.5, 7.5)], (11, 11))
    assert mask.sum() == 81 - 25 + 1
    assert mask[5, 5]
    assert not mask[4, 4]
    assert mask[1, 1]


def test_a_hole_by_a_keyhole() -> None:
    """One outline that runs in to the hole and out again on the same line."""
    hole = np.array([[2.5, 2.5], [2.5, 5.5], [5.5, 5.5], [5.5, 2.5], [2.5, 2.5]])
    keyhole = np.concatenate([square(0.5, 7.5), [[0.5, 0.5]], hole])
    assert filled([keyhole], (9, 9)).sum() == 49 - 9


@pytest.mark.parametrize("error", [0.0, 0.004, -0.004])
@pytest.mark.parametrize("turned", [False, True])
def test_a_voxel_on_the_outline_belongs(turned: bool, error: float) -> None:
    """Programs that draw through the centres of the outermost voxels, and round, mean these voxels."""
    outline = np.array([[1.0, 1.0], [5.0, 1.0], [5.0, 4.0], [1.0, 4.0]]) + error
    assert filled([outline[::-1] if turned else outline], (8, 8)).sum() == 5 * 4
    diagonal = np.array([[1.0, 1.0], [5.0, 5.0], [1.0, 5.0]]) + error
    assert filled([diagonal], (8, 8)).sum() == 15


def test_neighbours_that_share_an_edge_are_no_conflict() -> None:
    shared = np.array([[5.5, 0.5], [7.5, 0.5], [7.5, 4.5], [5.5, 4.5]])
    assert filled([SQUARE, shared], (9, 9)).sum() == 20 + 8
    touching = [square(1.0, 3.0), square(3.0, 5.0)]
    assert filled(touching, (9, 9)).sum() == 17


def test_an_outline_between_centres_holds_nothing() -> None:
    assert not filled([square(1.2, 1.8)], (4, 4)).any()
    assert filled([square(1.2, 1.8), square(0.5, 2.5)], (4, 4)).sum() == 4


@pytest.mark.parametrize("other", [SQUARE, SQUARE[[2, 3, 0, 1]], SQUARE + 1.0])
def test_outlines_that_cross_or_repeat_are_refused(other: FloatArray) -> None:
    with pytest.raises(ValueError, match="cross each other, or one drawn twice"):
        filled([SQUARE, other], (9, 9))


def test_an_endless_outline_is_refused_before_it_takes_memory() -> None:
    zigzag = np.tile([[0.0, 0.0], [900.0, 0.0]], (MAX_CROSSINGS // 900, 1))
    with pytest.raises(ValueError, match="longer than anybody draws"):
        filled([zigzag], (1000, 1000))

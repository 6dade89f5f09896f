"""The sums that any window of cells is looked up in, against the same window on its own."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.frames import FloatArray, IntArray, unit
from guidegen.seat.best_fit import alike, motion_covariance, tip_levers
from guidegen.seat.closed_form import strays_mm, sums_before
from guidegen.seat.docking import Contact

ROWS, COLUMNS = 8, 7
TIP, AXIS = np.array([-60.0, 5.0, 40.0]), unit([-0.8, 0.1, 0.6])
RNG = np.random.default_rng(3)
ROW, COLUMN = (each.ravel() for each in np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij"))
# a lumpy bone: nothing slides on it
GRID = Contact(
    np.c_[15.0 + RNG.normal(size=ROWS * COLUMNS), 5.0 * COLUMN, -6.0 * ROW],
    unit(np.c_[np.ones(ROWS * COLUMNS), RNG.normal(scale=0.5, size=(ROWS * COLUMNS, 2))]),
    RNG.uniform(5.0, 15.0, ROWS * COLUMNS),
)
OPEN = np.sort(RNG.permutation(ROWS * COLUMNS)[:48])
BEARS = [np.sort(RNG.permutation(OPEN)[:40]), OPEN]
ABOUT = np.array([10.0, 12.0, -20.0])  # not the middle of any window
WINDOWS = np.array([[0, ROWS, 0, COLUMNS], [1, 7, 2, 6], [0, 4, 0, COLUMNS], [2, 3, 2, 3]])


def strays(likeness: FloatArray, smallest_mm2: float = 100.0) -> FloatArray:
    sums = sums_before((ROWS, COLUMNS), BEARS, GRID.opens(ABOUT), GRID.areas_mm2, OPEN, likeness)
    return strays_mm(sums, WINDOWS, tip_levers(TIP, AXIS, ABOUT), smallest_mm2)


def on_its_own(bears: IntArray, window: IntArray, likeness: FloatArray) -> float:
    """The stray (rms) over the cells of one window, about their own middle."""
    top, bottom, left, right = window
    row, column = ROW[bears], COLUMN[bears]
    index = bears[(row >= top) & (row < bottom) & (column >= left) & (column < right)]
    contact = GRID.at(index)
    middle = contact.middle_mm
    covariance = motion_covariance(contact.opens(middle), contact.areas_mm2, likeness, np.searchsorted(OPEN, index))
    levers = tip_levers(TIP, AXIS, middle)
    return float(np.sqrt(np.trace(levers @ covariance @ levers.T)))


def test_the_whole_grid_strays_as_it_does_on_its_own() -> None:
    likeness = alike(GRID.points_mm[OPEN])
    expected = [on_its_own(bears, WINDOWS[0], likeness) for bears in BEARS]
    assert strays(likeness)[:, 0] == pytest.approx(expected)


def test_every_window_strays_as_it_does_on_its_own_where_cells_err_one_by_one() -> None:
    likeness = np.eye(len(OPEN))
    expected = [[on_its_own(bears, window, likeness) for window in WINDOWS[:3]] for bears in BEARS]
    assert strays(likeness)[:, :3] == pytest.approx(np.array(expected))


def test_a_window_counts_little_of_what_errs_alike_beyond_its_edges() -> None:
    likeness = alike(GRID.points_mm[OPEN])
    expected = [[on_its_own(bears, window, likeness) for window in WINDOWS[1:3]] for bears in BEARS]
    assert strays(likeness)[:, 1:3] == pytest.approx(np.array(expected), rel=0.25)


def test_a_window_with_too_little_contact_is_none() -> None:
    likeness = np.eye(len(OPEN))
    assert np.isinf(strays(likeness)[:, 3]).all()
    assert np.isinf(strays(likeness, smallest_mm2=1e4)).all()


def test_a_flat_contact_holds_no_tip() -> None:
    flat = Contact(GRID.points_mm * [0.0, 1.0, 1.0], np.tile([1.0, 0.0, 0.0], (ROWS * COLUMNS, 1)), GRID.areas_mm2)
    sums = sums_before((ROWS, COLUMNS), BEARS, flat.opens(ABOUT), flat.areas_mm2, OPEN, np.eye(len(OPEN)))
    assert np.isinf(strays_mm(sums, WINDOWS[:1], tip_levers(TIP, AXIS, ABOUT), 1.0)).all()

"""How far the tip strays by the closed form of the best fit, for every removal direction and window of cells at once.

For every removal direction sums over all cells before a row and a column are kept, so that any window of rows and
columns costs four look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.frames import FloatArray, IntArray
from guidegen.seat.surface_error import ERROR_MM

WORST_CONDITION = 1e9  # of a contact matrix: beyond, a motion is not held at all
UPPER = np.triu_indices(6)
HALF = len(UPPER[0])


def sums_before(
    shape: tuple[int, int], bears: Sequence[IntArray], opens: FloatArray, areas_mm2: FloatArray,
    open_index: IntArray, likeness: FloatArray,
) -> FloatArray:  # fmt: skip
    """Sums (F, L + 1, T + 1, 43) over all cells before a row and a column: area, contact matrix (its upper half), and
    what each cell adds to the sum over pairs (the same).

    `shape`: (L, T). `bears`: for each of F removal directions the numbers (K,) of the cells that may bear. `opens`
    (L·T, 6): by how much the gap at each cell opens with a motion. `likeness` (N, N): how alike the surface errs at the
    open cells `open_index` (N,), which are all of those that bear and maybe more. Pairs reach beyond a window by the
    width of an error patch: at its edges a little is counted in.
    """
    rows, columns = UPPER
    weighed = np.zeros((len(bears), len(open_index), 6))
    for facing, index in enumerate(bears):
        weighed[facing, np.searchsorted(open_index, index)] = opens[index] * areas_mm2[index, None]
    beside = likeness @ weighed.transpose(1, 0, 2).reshape(len(open_index), -1)
    sums = np.zeros((len(bears), shape[0] + 1, shape[1] + 1, 1 + 2 * HALF))
    each = np.zeros((shape[0] * shape[1], 1 + 2 * HALF))
    for facing, index in enumerate(bears):
        at = np.searchsorted(open_index, index)
        own, others = weighed[facing, at], beside[at, 6 * facing : 6 * facing + 6]
        each[:] = 0.0
        each[index, 0] = areas_mm2[index]
        each[index, 1 : 1 + HALF] = own[:, rows] * opens[index][:, columns]
        each[index, 1 + HALF :] = (own[:, rows] * others[:, columns] + own[:, columns] * others[:, rows]) / 2.0
        sums[facing, 1:, 1:] = each.reshape(*shape, -1)
    for axis in (1, 2):
        np.cumsum(sums, axis=axis, out=sums)
    return sums


def strays_mm(sums: FloatArray, windows: IntArray, levers: FloatArray, smallest_mm2: float) -> FloatArray:
    """How far (F, W) the tip strays (rms), for removal directions with these sums and windows (W, 4): first row, past
    the last, first column, past the last. Infinite where a contact is smaller than asked or leaves a motion free.

    `levers` (3, 6): what a motion does to the tip.
    """
    top, bottom, left, right = windows.T
    totals = sums[:, bottom, right] - sums[:, top, right] - sums[:, bottom, left] + sums[:, top, left]
    strays = np.full(totals.shape[:2], np.inf)
    enough = totals[..., 0] >= smallest_mm2
    matrix, pairs = (_symmetric(totals[enough][:, start : start + HALF]) for start in (1, 1 + HALF))
    sound = np.linalg.cond(matrix) < WORST_CONDITION
    enough[enough] = sound
    moves = levers @ np.linalg.inv(matrix[sound])
    variance = ((moves @ pairs[sound]) * moves).sum(axis=(1, 2))
    strays[enough] = ERROR_MM * np.sqrt(np.maximum(variance, 0.0))
    return strays


def _symmetric(upper: FloatArray) -> FloatArray:
    """Symmetric matrices (N, 6, 6) from their upper halves (N, 21)."""
    matrix = np.zeros((len(upper), 6, 6))
    matrix[:, UPPER[0], UPPER[1]] = upper
    matrix[:, UPPER[1], UPPER[0]] = upper
    return matrix

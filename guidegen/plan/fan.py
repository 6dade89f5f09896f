"""The best fan: the entry and the two to four targets that together reach most, none too near to another."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray

Masks = npt.NDArray[np.int64]


@numba.njit(cache=True, nogil=True)
def best_fan(
    axes: FloatArray, blocks: Masks, gains: FloatArray, masks: Masks, count: int, cosine: float, bonus: float,
    beat: float,
) -> tuple[float, Masks]:  # fmt: skip
    """The total gain and the numbers (count,) of the tunnels that together gain most, of those that beat `beat`.

    `axes` (M, 3) of tunnels from one entry, `gains` (M,) falling from first to last; no two axes of a fan have a larger
    cosine than `cosine`. `masks` (M,): the pieces of the lesion that each tunnel reaches; each piece reached gains
    `bonus`. `blocks` (M,): numbered so that at most one tunnel of a block is in a fan; the best left in each block
    bound what a fan begun can still gain, so that all fans are looked at or excluded. -1 for each where there is none.
    """
    size = len(gains)
    best, chosen = beat, np.full(count, -1, dtype=np.int64)
    allowed = np.zeros((count, size), dtype=np.bool_)
    allowed[0] = True
    at, picked = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    total, reached = np.zeros(count + 1), np.zeros(count + 1, dtype=np.int64)
    every = np.int64(0)
    for i in range(size):
        every |= masks[i]
    tops = np.empty(int(blocks.max()) + 1 if size else 1)
    level = 0
    while level >= 0:
        i = at[level]
        while i < size and not allowed[level, i]:
            i += 1
        room = bonus * _pieces(every & ~reached[level])
        if i >= size or total[level] + (count - level) * gains[i] + room <= best:
            level -= 1
            continue
        at[level], picked[level] = i + 1, i
        gained = total[level] + gains[i] + bonus * _pieces(masks[i] & ~reached[level])
        now = reached[level] | masks[i]
        if level == count - 1:
            if gained > best:
                best = gained
                chosen[:] = picked
            continue
        tops[:] = -1e9
        for j in range(size):
            free = j > i and allowed[level, j]
            if free:
                free = axes[i, 0] * axes[j, 0] + axes[i, 1] * axes[j, 1] + axes[i, 2] * axes[j, 2] <= cosine
            allowed[level + 1, j] = free
            if free:
                tops[blocks[j]] = max(tops[blocks[j]], gains[j])
        bound = gained + bonus * _pieces(every & ~now)
        for _ in range(count - level - 1):
            top = tops.argmax()
            bound += tops[top]
            tops[top] = -1e9
        if bound > best:
            level += 1
            at[level], total[level], reached[level] = i + 1, gained, now
    return best, chosen


@numba.njit(cache=True, nogil=True)
def _pieces(mask: int) -> int:
    count = 0
    while mask:
        count += mask & 1
        mask >>= 1
    return count

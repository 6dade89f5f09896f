"""Outlines drawn in a plane → the voxels inside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray

Mask = npt.NDArray[np.bool_]
Box = tuple[slice, slice]

# How near the centre of a voxel, in voxels, an outline is taken to pass through it: what decimals may have rounded.
ON_LINE = 0.01
MAX_CROSSINGS = 1_000_000  # of one outline with rows of voxels; one drawn round a hip has some thousands


def filled(outlines: Sequence[FloatArray], shape: tuple[int, int]) -> Mask:
    """The voxels (I, J) whose centres, at whole numbers, lie inside closed outlines (P, 2), or on one of them.

    By exclusive-or: an outline inside another is the edge of a hole, one inside a hole that of an island. ValueError
    for outlines that cross each other or are drawn twice, which different programs fill in different ways.
    """
    parts = [_part(outline, shape) for outline in outlines]
    on_line = np.zeros(shape, np.bool_)
    innermost = np.zeros(shape, np.int32)  # the number of the last outline that holds the voxel, 0 where there is none
    depths, sizes = [0], [0]
    for number, (box, inside, line) in enumerate(sorted(parts, key=lambda part: -int(part[1].sum())), start=1):
        on_line[box] |= line
        around = np.unique(innermost[box][inside])
        size = int(inside.sum())
        if around.size > 1 or (around.size == 1 and sizes[around[0]] == size):
            raise ValueError("outlines that cross each other, or one drawn twice")
        depths.append(depths[around[0]] + 1 if around.size else 0)
        sizes.append(size)
        innermost[box][inside] = number
    return np.asarray((np.array(depths)[innermost] % 2 == 1) | on_line)


def _part(outline: FloatArray, shape: tuple[int, int]) -> tuple[Box, Mask, Mask]:
    """The box of an outline, the voxels in it that lie inside, not on the line (even–odd rule), and those on it."""
    low = np.maximum(np.ceil(outline.min(axis=0) - ON_LINE), 0).astype(int)
    high = np.minimum(np.floor(outline.max(axis=0) + ON_LINE) + 1, shape).astype(int)
    rows, columns = np.maximum(high - low, 0).tolist()
    start, end = outline - low, np.roll(outline, -1, axis=0) - low

    edge, row, column = _crossings(start, end, 0, 0.0)
    once = row < np.maximum(start, end)[edge, 0]  # the end that two edges share counts for one of them
    first = np.clip(np.ceil(column[once]), 0, columns).astype(int)  # the first voxel behind the edge
    behind = np.bincount(row[once] * (columns + 1) + first, minlength=rows * (columns + 1))
    inside = np.cumsum(behind.reshape(rows, columns + 1), axis=1)[:, :columns] % 2 == 1

    line = np.zeros((rows, columns), np.bool_)
    for axis in (0, 1):
        _, at, across = _crossings(start, end, axis, ON_LINE)
        near = np.abs(across - np.rint(across)) <= ON_LINE
        place = (at[near], np.rint(across[near]).astype(int))
        line[place if axis == 0 else place[::-1]] = True
    return (slice(low[0], low[0] + rows), slice(low[1], low[1] + columns)), inside & ~line, line


def _crossings(
    start: FloatArray, end: FloatArray, axis: int, slack: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """Where edges (E, 2) pass whole numbers along `axis`: the edge, the number, and the place along the other axis."""
    first = np.ceil(np.minimum(start, end)[:, axis] - slack).astype(int)
    last = np.floor(np.maximum(start, end)[:, axis] + slack).astype(int)
    counts = np.maximum(last - first + 1, 0)
    if counts.sum() > MAX_CROSSINGS:
        raise ValueError("an outline longer than anybody draws")
    edge = np.repeat(np.arange(len(start)), counts)
    at = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    run = (end - start)[edge, axis]
    share = np.clip((at - start[edge, axis]) / np.where(run == 0.0, 1.0, run), 0.0, 1.0)
    return edge, at, start[edge, 1 - axis] + share * (end - start)[edge, 1 - axis]

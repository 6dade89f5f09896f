"""A plane through the bone as it is looked at, and the closed outlines in which it cuts surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, IntArray, unit
from guidegen.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.path import Path


@dataclass(frozen=True, eq=False)
class Cut:
    """A plane through `origin_mm` (3,), LPS mm; `right` and `up` are unit vectors (3,) as it is looked at."""

    origin_mm: FloatArray
    right: FloatArray
    up: FloatArray

    @property
    def toward(self) -> FloatArray:
        """The unit vector (3,) towards the viewer."""
        return np.cross(self.right, self.up)

    def flat_mm(self, points_mm: FloatArray) -> FloatArray:
        """Points (..., 3) as they lie right of and above the origin (..., 2), wherever before or behind the plane."""
        return np.asarray((points_mm - self.origin_mm) @ np.stack([self.right, self.up], axis=1))


def cuts_through(entry_mm: FloatArray, axis: FloatArray, anatomy: Anatomy) -> tuple[Cut, Cut]:
    """Two planes through an axis (3,): with the direction of the shaft axis, seen from the front, and across that one.

    The second is laid out as an axial slice is, from the feet with the front of the body up, so that lateral is on the
    same side of both. ValueError for an axis along the shaft.
    """
    front = unit(np.cross(anatomy.shaft_axis, axis))
    front = front if front @ anatomy.posterior < 0.0 else -front
    right = np.cross(anatomy.shaft_axis, front)
    return Cut(entry_mm, right, anatomy.shaft_axis), Cut(entry_mm, axis if axis @ right > 0.0 else -axis, front)


def outlines_mm(surface: Surface, cut: Cut) -> list[FloatArray]:
    """The loops (K, 2) in which a plane cuts a closed surface, right of and above its origin, without their first point
    again; round the bone one way, round a hole in it the other.

    ValueError for a surface with a border on the plane, where a loop does not close.
    """
    height = (surface.vertices - cut.origin_mm) @ cut.toward
    above = height > 0.0
    a, b, c = (above[surface.faces[:, corner]] for corner in range(3))
    begin = surface.faces[(a | b | c) & ~(a & b & c)]
    end = np.roll(begin, -1, axis=1)
    goes_down, goes_up = above[begin] & ~above[end], ~above[begin] & above[end]  # one edge of each face
    low = np.concatenate([end[goes_down], begin[goes_up]])  # of every edge in one order, from whichever face
    high = np.concatenate([begin[goes_down], end[goes_up]])
    share = height[low] / (height[low] - height[high])
    from_mm, to_mm = cut.flat_mm(surface.vertices[low]), cut.flat_mm(surface.vertices[high])
    places = from_mm + share[:, None] * (to_mm - from_mm)
    _, first, edge = np.unique(low * np.int64(len(height)) + high, return_index=True, return_inverse=True)
    from_edge, to_edge = edge.reshape(2, -1)
    return [places[first[loop]] for loop in _loops(from_edge, to_edge)]


def outline_path(loops: list[FloatArray]) -> Path:
    """All loops as one path, whose holes stay holes when it is filled."""
    from matplotlib.path import Path

    closed = [np.concatenate([loop, loop[:1]]) for loop in loops]
    codes = [[Path.MOVETO, *[Path.LINETO] * (len(loop) - 2), Path.CLOSEPOLY] for loop in closed]
    return Path(np.concatenate([np.empty((0, 2)), *closed]), [code for loop in codes for code in loop])


def _loops(begins: IntArray, ends: IntArray) -> list[list[int]]:
    """Steps from one place to the next (M,), walked into loops of places."""
    following = dict(zip(begins.tolist(), ends.tolist(), strict=True))
    if len(following) != len(begins) or following.keys() != set(following.values()):
        raise ValueError("expected a closed surface, found one with a border on the plane")
    loops = []
    while following:
        here = next(iter(following))
        loop = []
        while here in following:
            loop.append(here)
            here = following.pop(here)
        loops.append(loop)
    return loops

"""Where a guide comes to rest that is pushed home without friction: how unique its seat is.

A hand pushes at an uncertain place and in an uncertain direction. The guide gives way until its contacts block it: of
all small motions that no contact forbids, it makes the one on which the push does most work. That is a linear programme
in six unknowns (Mattheijer's docking robustness asks the same of its worst push). A motion is
(translation in mm, turn × LEVER_MM), about the middle of the contact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, frozen, perpendicular_pair

Flags = npt.NDArray[np.bool_]

LEVER_MM = 20.0  # makes a turn comparable with a shift: half a footprint
# No seat lets a guide go further than this: then it is not seated at all.
FURTHEST_MM = 6.0
FURTHEST_TURN_MM = 3.0  # at the lever: 8.6°

# The push: within a cone of this half angle about the way on, through a disc of this diameter over the contact's
# middle.
CONE_DEG, APERTURE_MM = 10.0, 10.0
HAND_MM = 12.0  # from the bone to where the hand pushes

MOST_STEPS = 200
# A way left over by rounding must not be too short for a slope: a bound then stops any way that is gone.
NO_SLOPE, NO_LENGTH, NO_FORCE = 1e-9, 1e-8, 1e-9
GOLDEN_RAD = np.pi * (3.0 - np.sqrt(5.0))


@dataclass(frozen=True, eq=False)
class Contact:
    """Points (K, 3) of a guide's underside, the bone's outward normals (K, 3) there and areas (K,); the middle (3,)."""

    points_mm: FloatArray
    normals: FloatArray
    areas_mm2: FloatArray

    @property
    def middle_mm(self) -> FloatArray:
        """The middle (3,) of the contact, by area."""
        return np.asarray(np.average(self.points_mm, axis=0, weights=self.areas_mm2))

    def opens(self, middle_mm: FloatArray) -> FloatArray:
        """By how much each gap (K, 6) opens with a motion of 1 about a middle (3,)."""
        turn = np.cross(self.points_mm - middle_mm, self.normals) / LEVER_MM
        return np.concatenate([self.normals, turn], axis=1)

    def at(self, index: IntArray) -> Contact:
        """Some of it (N,)."""
        return Contact(self.points_mm[index], self.normals[index], self.areas_mm2[index])


def pushes(way_on: FloatArray, count: int, cone_deg: float, aperture_mm: float) -> FloatArray:
    """Forces of 1 and their moments over LEVER_MM about the contact's middle (count, 6), spread evenly: directions over
    a cone about `way_on` (3,), places over a disc HAND_MM before the middle.
    """
    first, second = perpendicular_pair(way_on)
    number = np.arange(count)
    turn, share = number * GOLDEN_RAD, (number + 0.5) / count
    lean = np.radians(cone_deg) * np.sqrt(share)
    # a second sunflower, run through in another order, so that place and direction are independent
    place_turn, place_share = number * (np.sqrt(2.0) - 1.0) * 2.0 * np.pi, np.mod((number + 0.5) * 0.7548776662, 1.0)
    force = np.cos(lean)[:, None] * way_on + np.sin(lean)[:, None] * (
        np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    )
    radius = aperture_mm / 2.0 * np.sqrt(place_share)
    place = radius[:, None] * (np.cos(place_turn)[:, None] * first + np.sin(place_turn)[:, None] * second)
    moment = np.cross(place - HAND_MM * way_on, force) / LEVER_MM
    return frozen(np.concatenate([force, moment], axis=1))


def docked(opens: FloatArray, gaps_mm: FloatArray, wrenches: FloatArray) -> FloatArray:
    """The motions (N, 6) to where pushes (N, 6) bring a guide whose gaps (K,) to the bone open by (K, 6)."""
    bounds = np.repeat([FURTHEST_MM, FURTHEST_TURN_MM], 3)
    return furthest(
        np.concatenate([-opens, np.eye(6), -np.eye(6)]), np.concatenate([gaps_mm, bounds, bounds]), wrenches
    )


def displaced(motions: FloatArray, middle_mm: FloatArray, tip_mm: FloatArray, axis: FloatArray) -> FloatArray:
    """How far (...,) across `axis` (3,) motions (..., 6) about a middle (3,) carry the tip (3,) of the drill, in mm."""
    moved = motions[..., :3] + np.cross(motions[..., 3:] / LEVER_MM, tip_mm - middle_mm)
    return np.asarray(np.linalg.norm(moved - (moved @ axis)[..., None] * axis, axis=-1))


@numba.njit(cache=True, nogil=True)
def furthest(forbids: FloatArray, room: FloatArray, wrenches: FloatArray) -> FloatArray:
    """The motions (N, 6) on which wrenches (N, 6) do most work, with forbids (K, 6) · motion ≤ room (K,) ≥ 0.

    What is allowed must be bounded.
    """
    motions = np.zeros((wrenches.shape[0], 6))
    columns = np.ascontiguousarray(forbids.T)
    for k in range(wrenches.shape[0]):
        _furthest(columns, room, wrenches[k], motions[k])
    return motions


@numba.njit(cache=True, nogil=True)
def _furthest(columns: FloatArray, room: FloatArray, work: FloatArray, motion: FloatArray) -> None:
    """Move `motion` (6,) from 0 to where `work` · motion is largest, with columnsᵀ (K, 6) · motion ≤ room (K,).

    The motion goes uphill along the constraints that already hold it; where none of them is left to go along, the one
    that pulls is let go (the active-set method for linear programmes; Nocedal and Wright, Numerical Optimization, ch.
    16).
    """
    holding = np.empty(6, np.int64)
    basis = np.zeros((6, 6))  # orthonormal, spanning the normals of what holds
    held = 0
    free = np.ones(len(room), np.bool_)
    left = room.copy()
    slopes = np.empty(len(room))
    way = np.empty(6)
    for _ in range(MOST_STEPS):
        for i in range(held):
            _orthonormal(columns[:, holding[i]], basis, i)
        _across(work, basis, held, way)
        if held == 6 or np.sqrt((way * way).sum()) < NO_LENGTH:
            loose = _pulls(columns, holding, held, work)
            if loose < 0:
                return
            free[holding[loose]] = True
            for i in range(loose, held - 1):
                holding[i] = holding[i + 1]
            held -= 1
            continue
        _along(columns, way, slopes)
        blocking, length = _first(slopes, left, free)
        assert blocking >= 0, "what is allowed is bounded"
        motion += length * way
        for i in range(len(left)):
            left[i] -= length * slopes[i]
        holding[held] = blocking
        free[blocking] = False
        held += 1


@numba.njit(cache=True, nogil=True)
def _along(columns: FloatArray, way: FloatArray, slopes: FloatArray) -> None:
    """How fast every constraint's room (K,) is used up on a way (6,)."""
    for i in range(len(slopes)):
        slopes[i] = (
            columns[0, i] * way[0] + columns[1, i] * way[1] + columns[2, i] * way[2]
            + columns[3, i] * way[3] + columns[4, i] * way[4] + columns[5, i] * way[5]
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _first(slopes: FloatArray, left: FloatArray, free: Flags) -> tuple[int, float]:
    """The constraint that is met first, the steepest of several, and after what length."""
    length, blocking, steepest = np.inf, -1, 0.0
    for i in range(len(slopes)):
        slope = slopes[i]
        if free[i] and slope > NO_SLOPE:
            room = max(left[i], 0.0)
            if room < length * slope or (room == length * slope and slope > steepest):
                length, blocking, steepest = room / slope, i, slope
    return blocking, length


@numba.njit(cache=True, nogil=True)
def _orthonormal(normal: FloatArray, basis: FloatArray, row: int) -> None:
    """Put into `row` of the basis what `normal` (6,) adds to the rows above it."""
    _across(normal, basis, row, basis[row])
    length = np.sqrt((basis[row] * basis[row]).sum())
    for j in range(6):
        basis[row, j] /= length


@numba.njit(cache=True, nogil=True)
def _across(vector: FloatArray, basis: FloatArray, rows: int, out: FloatArray) -> None:
    """The part of a vector (6,) across the first rows of an orthonormal basis; twice, against rounding."""
    for j in range(6):
        out[j] = vector[j]
    for _ in range(2):
        for i in range(rows):
            along = 0.0
            for j in range(6):
                along += basis[i, j] * out[j]
            for j in range(6):
                out[j] -= along * basis[i, j]


@numba.njit(cache=True, nogil=True)
def _pulls(columns: FloatArray, holding: IntArray, held: int, work: FloatArray) -> int:
    """Which of the holding constraints would have to pull for balance, most of all; -1 when all push."""
    gram = np.empty((held, held))
    right = np.empty(held)
    for i in range(held):
        for j in range(held):
            total = 0.0
            for k in range(6):
                total += columns[k, holding[i]] * columns[k, holding[j]]
            gram[i, j] = total
        total = 0.0
        for k in range(6):
            total += columns[k, holding[i]] * work[k]
        right[i] = total
    forces = np.linalg.solve(gram + 1e-12 * np.eye(held), right)
    worst, least = -1, -NO_FORCE
    for i in range(held):
        if forces[i] < least:
            worst, least = i, forces[i]
    return worst

"""How far a guide sits off that a careful hand fits as well as it goes: the least squares of its gaps.

A motion changes the gap at each point of the contact by [n, (p - c) × n]; the one that makes up for an error e of the
bone's surface is -M⁻¹ Σ a nᵢ eᵢ, with M the area-weighted sum of the outer products. The error is alike over some
millimetres (`surface_error`), so that the motion's covariance is M⁻¹ B M⁻¹, with B the same sum over all pairs of
points, each weighed by how alike they err. This is the covariance of point-to-plane registration; M alone is the
contact matrix by whose eigenvalues guides are often rated (Van den Broeck's scores, CAOS 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from guidegen.frames import FloatArray, IntArray, turning
from guidegen.seat.docking import LEVER_MM
from guidegen.seat.surface_error import ERROR_MM, SMOOTHED_MM

TURNS = 256  # at which the spread of a tip is looked at


@dataclass(frozen=True)
class Spread:
    """How far a tip strays: mean and 95th percentile in mm."""

    mean_mm: float
    p95_mm: float


def alike(points_mm: FloatArray) -> FloatArray:
    """How alike the surface errs at points (K, 3), pair by pair (K, K)."""
    squared = (points_mm**2).sum(axis=1)
    apart = np.maximum(squared[:, None] + squared[None, :] - 2.0 * points_mm @ points_mm.T, 0.0)
    return np.asarray(np.exp(-apart / (4.0 * SMOOTHED_MM**2)))


def tip_levers(tip_mm: FloatArray, axis: FloatArray, middle_mm: FloatArray) -> FloatArray:
    """What a motion about a middle (3,) does to the tip (3,) across `axis`: (3, 6)."""
    across = np.eye(3) - np.outer(axis, axis)
    return np.asarray(across @ np.concatenate([np.eye(3), turning(tip_mm - middle_mm) / LEVER_MM], axis=1))


def motion_covariance(opens: FloatArray, areas_mm2: FloatArray, likeness: FloatArray, among: IntArray) -> FloatArray:
    """The covariance (6, 6) of the best fit's motion, of gaps that open by (K, 6), of areas (K,).

    They err as the points `among` (K,) do of those whose `likeness` (N, N) is known.
    """
    weighed = opens * areas_mm2[:, None]
    inverse = np.linalg.inv(weighed.T @ opens)
    return np.asarray(ERROR_MM**2 * inverse @ _over_pairs(weighed, likeness, among) @ inverse)


@numba.njit(cache=True, nogil=True)
def _over_pairs(weighed: FloatArray, likeness: FloatArray, among: IntArray) -> FloatArray:
    """The sum (6, 6) over all pairs of outer products of `weighed` (K, 6), by how alike the two err."""
    beside = np.zeros_like(weighed)
    for i in range(len(among)):
        row = likeness[among[i]]
        for j in range(len(among)):
            alike = row[among[j]]
            for k in range(6):
                beside[i, k] += alike * weighed[j, k]
    total = np.zeros((6, 6))
    for i in range(len(among)):
        for j in range(6):
            for k in range(6):
                total[j, k] += weighed[i, j] * beside[i, k]
    return total


def spread(covariance: FloatArray) -> Spread:
    """How far a tip strays whose place is normal with this covariance (3, 3), all of it in a plane.

    Along the direction at a turn t its distance is a Rayleigh variable times |A (cos t, sin t)|, with A Aᵀ the
    covariance.
    """
    from scipy.optimize import brentq

    values, vectors = np.linalg.eigh(covariance)
    root = vectors[:, 1:] * np.sqrt(np.maximum(values[1:], 0.0))
    turn = np.arange(TURNS) * 2.0 * np.pi / TURNS
    stretch = np.maximum(np.linalg.norm(np.stack([np.cos(turn), np.sin(turn)], axis=1) @ root.T, axis=1), 1e-9)
    largest = float(stretch.max())
    p95 = brentq(lambda far: float(np.exp(-((far / stretch) ** 2) / 2.0).mean()) - 0.05, 0.0, 4.0 * largest)
    return Spread(float(np.sqrt(np.pi / 2.0) * stretch.mean()), float(p95))

"""Holes through the shell that show whether it is seated: windows to see through, holes for a probe.

A guide that is not seated has moved along one of its likely motions (`seat.likely_motions`). A window belongs where
such a motion lifts the guide most off the bone, and probe holes at the contact's corners: one corner off the bone is
then found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.patch import Patch

GRID_MM = 1.5
EDGE_MM = 3.0  # of shell round a hole
STEEPEST_DEG = 60.0  # of the bone under a hole, from the removal direction: steeper, and nobody can look in


@dataclass(frozen=True, eq=False)
class Sight:
    """A hole at a point (3,) of the bone along its outward direction (3,) there: square to the shell, so that it leaves
    no sharp edge.
    """

    point_mm: FloatArray
    direction: FloatArray


def choose_windows(
    patch: Patch, radius_mm: float, most: int, taken: list[tuple[FloatArray, float]], motions: FloatArray
) -> list[Sight]:
    """Up to `most` windows, each where the next of the likely motions (M, 6), shift in mm and turn in radians about the
    frame's origin, moves the gap most.

    `taken` names lines through the shell: sample points (K, 3) of each and its radius. A small shell has room for few.
    """
    spots, room = _spots(patch, radius_mm, taken)
    points = np.c_[spots, patch.field.at(spots)] if len(spots) else np.empty((0, 3))
    normals = bone_normals(patch, spots)
    chosen: list[Sight] = []
    for number in range(most):
        if room.max(initial=-1.0) < 0.0:
            break
        motion = motions[number % len(motions)]
        lifts = np.abs((normals * (motion[:3] + np.cross(motion[3:], points))).sum(axis=1))
        best = int(np.argmax(np.where(room >= 0.0, lifts, -1.0)))
        spot = spots[best]
        chosen.append(Sight(points[best], normals[best]))
        room = np.minimum(room, np.linalg.norm(spots - spot, axis=1) - 2.0 * radius_mm - EDGE_MM)
    return chosen


def choose_probes(patch: Patch, radius_mm: float, count: int, taken: list[tuple[FloatArray, float]]) -> list[Sight]:
    """Up to `count` probe holes, as far from each other as they go."""
    spots, room = _spots(patch, radius_mm, taken)
    lawful = spots[room >= 0.0]
    if len(lawful) == 0 or count == 0:
        return []
    chosen = [lawful[int(np.argmax(np.linalg.norm(lawful - lawful.mean(axis=0), axis=1)))]]
    while len(chosen) < count:
        apart = np.min([np.linalg.norm(lawful - spot, axis=1) for spot in chosen], axis=0)
        if apart.max() < 2.0 * radius_mm + EDGE_MM:
            break
        chosen.append(lawful[int(np.argmax(apart))])
    points = np.c_[np.array(chosen), patch.field.at(np.array(chosen))]
    return [Sight(point, normal) for point, normal in zip(points, bone_normals(patch, points), strict=True)]


def _spots(patch: Patch, radius_mm: float, taken: list[tuple[FloatArray, float]]) -> tuple[FloatArray, FloatArray]:
    """Every spot (K, 2) of a grid over the patch, and how much room (K,) a hole of this radius has there."""
    low, high = patch.bounds_mm
    axes = [np.arange(a, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    room = patch.edge_distance_mm(spots) - radius_mm - EDGE_MM
    for points, radius in taken:
        away = np.linalg.norm(spots[:, None] - points[None, :, :2], axis=2).min(axis=1)
        room = np.minimum(room, away - radius - radius_mm - EDGE_MM)
    steep = bone_normals(patch, spots)[:, 2] < np.cos(np.radians(STEEPEST_DEG))
    return spots, np.where(steep, -1.0, room)


def bone_normals(patch: Patch, spots: FloatArray) -> FloatArray:
    """Outward unit normals (K, 3) of the bone's form under spots (K, 2 or more)."""
    flat = spots[:, :2]
    steps = (np.array([4.0 * STEP_MM, 0.0]), np.array([0.0, 4.0 * STEP_MM]))
    slopes = [(patch.field.at(flat + step) - patch.field.at(flat - step)) / (8.0 * STEP_MM) for step in steps]
    normals = np.stack([-slopes[0], -slopes[1], np.ones(len(spots))], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

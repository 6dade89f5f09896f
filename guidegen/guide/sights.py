"""Holes through the shell that show whether it is seated: windows to see through, holes for a probe.

A guide that is not seated has moved along one of its likely motions (`seat.likely_motions`). A window belongs where
such a motion lifts the guide most off the bone, and probe holes at the contact's corners: one corner off the bone is
then found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray, across, unit
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.patch import Patch

GRID_MM = 1.5
MOST_TILT_DEG = 38.0  # of a hole from upright in print: no roof then overhangs by 45°
EDGE_MM = 4.0  # of contact round a hole
STEEPEST_DEG = 52.0  # of the bone under a hole, from the removal direction: steeper, and nobody can look in


@dataclass(frozen=True, eq=False)
class Sight:
    """A hole at a point (3,) of the bone and its outward direction (3,)."""

    point_mm: FloatArray
    direction: FloatArray


@dataclass(frozen=True, eq=False)
class Taken:
    """What holes keep clear of: all that is within a radius of some points (K, 3)."""

    points_mm: FloatArray
    radius_mm: float


def choose_windows(
    patch: Patch, down: FloatArray, radius_mm: float, most: int, taken: list[Taken], motions: FloatArray
) -> list[Sight]:
    """Up to `most` windows, each where the next of the likely motions (M, 6), shift in mm and turn in radians about the
    frame's origin, moves the gap most. A small shell has room for few.
    """
    sights, room = _sights(patch, down, radius_mm, taken)
    points, _ = _stacked(sights)
    bone = bone_normals(patch, points)
    chosen: list[Sight] = []
    for number in range(most):
        if room.max(initial=-1.0) < 0.0:
            break
        motion = motions[number % len(motions)]
        lifts = np.abs((bone * (motion[:3] + np.cross(motion[3:], points))).sum(axis=1))
        best = int(np.argmax(np.where(room >= 0.0, lifts, -1.0)))
        chosen.append(sights[best])
        room = np.minimum(room, np.linalg.norm(points - points[best], axis=1) - 2.0 * radius_mm - EDGE_MM)
    return chosen


def choose_probes(patch: Patch, down: FloatArray, radius_mm: float, count: int, taken: list[Taken]) -> list[Sight]:
    """Up to `count` probe holes, as far from each other as they go."""
    sights, room = _sights(patch, down, radius_mm, taken)
    lawful = [sight for sight, left in zip(sights, room, strict=True) if left >= 0.0]
    if not lawful or count == 0:
        return []
    points, _ = _stacked(lawful)
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))]
    while len(chosen) < count:
        apart = np.linalg.norm(points[:, None] - points[chosen], axis=2).min(axis=1)
        if apart.max() < 2.0 * radius_mm + EDGE_MM:
            break
        chosen.append(int(np.argmax(apart)))
    return [lawful[k] for k in chosen]


def _sights(patch: Patch, down: FloatArray, radius_mm: float, taken: list[Taken]) -> tuple[list[Sight], FloatArray]:
    """A hole at every spot of a grid over the patch that is not too steep, and how much room (K,) it has there: on the
    bone, and all along its line of sight.
    """
    low, high = patch.bounds_mm
    axes = [np.arange(a, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    spots = spots[patch.edge_distance_mm(spots) >= radius_mm + EDGE_MM]
    spots = spots[bone_normals(patch, spots)[:, 2] >= np.cos(np.radians(STEEPEST_DEG))]
    sights = _holes_over(patch, spots, down)
    points, ways = _stacked(sights)
    room = patch.edge_distance_mm(points) - radius_mm - EDGE_MM
    for other in taken:
        relative = other.points_mm - points[:, None]
        along = np.maximum((relative * ways[:, None]).sum(axis=2), 0.0)
        away = np.linalg.norm(relative - along[..., None] * ways[:, None], axis=2).min(axis=1, initial=np.inf)
        room = np.minimum(room, away - other.radius_mm - radius_mm - EDGE_MM)
    return sights, room


def _stacked(sights: list[Sight]) -> tuple[FloatArray, FloatArray]:
    """The points and directions (K, 3) of holes."""
    points = np.array([sight.point_mm for sight in sights]).reshape(-1, 3)
    return points, np.array([sight.direction for sight in sights]).reshape(-1, 3)


def sight_at(patch: Patch, spot: FloatArray, down: FloatArray) -> Sight:
    """The hole over a spot (2,)."""
    return _holes_over(patch, spot[None], down)[0]


def _holes_over(patch: Patch, spots: FloatArray, down: FloatArray) -> list[Sight]:
    """A hole over each spot (K, 2): square to the bone, so that it leaves no sharp edge, as far as it prints without
    props: no further than MOST_TILT_DEG from `down` (3,) in print.
    """
    normals, most = bone_normals(patch, spots), np.radians(MOST_TILT_DEG)
    tilted = np.arccos(np.clip(normals @ down, -1.0, 1.0)) > most
    sideways = unit(across(normals[tilted], down))
    normals[tilted] = np.sin(most) * sideways + np.cos(most) * down
    points = np.column_stack([spots, patch.field.at(spots)])
    return [Sight(point, normal) for point, normal in zip(points, normals, strict=True)]


def bone_normals(patch: Patch, spots: FloatArray) -> FloatArray:
    """Outward unit normals (K, 3) of the bone's form under spots (K, 2 or more)."""
    flat = spots[:, :2]
    steps = (np.array([4.0 * STEP_MM, 0.0]), np.array([0.0, 4.0 * STEP_MM]))
    slopes = [(patch.field.at(flat + step) - patch.field.at(flat - step)) / (8.0 * STEP_MM) for step in steps]
    normals = np.stack([-slopes[0], -slopes[1], np.ones(len(spots))], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

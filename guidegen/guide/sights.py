"""Holes through the shell that show whether it is seated: windows to see through, holes for a probe.

A guide that is not seated has moved along one of its likely motions (`seat.likely_motions`). A window belongs where such a
motion lifts the guide most off the bone, and probe holes at the contact's corners: one corner off the bone is then found.
"""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.patch import Patch

GRID_MM = 1.5
EDGE_MM = 3.0  # of shell round a hole
STEEPEST_DEG = 50.0  # of the bone under a hole: along a steeper flank it would be a slot


def choose_windows(
    patch: Patch, radius_mm: float, most: int, taken: list[tuple[FloatArray, float]], motions: FloatArray
) -> list[FloatArray]:
    """Centres (2,) of up to `most` windows along the removal direction, each where the next of the likely motions
    (M, 6), shift in mm and turn in radians about the frame's origin, moves the gap most.

    `taken` names lines through the shell: sample points (K, 3) of each and its radius. A small shell has room for few.
    """
    spots, room = _spots(patch, radius_mm, taken)
    points = np.c_[spots, patch.field.at(spots)] if len(spots) else np.empty((0, 3))
    normals = _normals(patch, spots)
    chosen: list[FloatArray] = []
    for number in range(most):
        if room.max(initial=-1.0) < 0.0:
            break
        motion = motions[number % len(motions)]
        lifts = np.abs((normals * (motion[:3] + np.cross(motion[3:], points))).sum(axis=1))
        spot = spots[int(np.argmax(np.where(room >= 0.0, lifts, -1.0)))]
        chosen.append(spot)
        room = np.minimum(room, np.linalg.norm(spots - spot, axis=1) - 2.0 * radius_mm - EDGE_MM)
    return chosen


def choose_probes(
    patch: Patch, radius_mm: float, count: int, taken: list[tuple[FloatArray, float]]
) -> list[FloatArray]:
    """Centres (2,) of up to `count` probe holes, as far from each other as they go."""
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
    return chosen


def _spots(patch: Patch, radius_mm: float, taken: list[tuple[FloatArray, float]]) -> tuple[FloatArray, FloatArray]:
    """Every spot (K, 2) of a grid over the patch, and how much room (K,) a hole of this radius has there."""
    low, high = patch.bounds_mm
    axes = [np.arange(a, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    room = patch.edge_distance_mm(spots) - radius_mm - EDGE_MM
    for points, radius in taken:
        away = np.linalg.norm(spots[:, None] - points[None, :, :2], axis=2).min(axis=1)
        room = np.minimum(room, away - radius - radius_mm - EDGE_MM)
    steep = _normals(patch, spots)[:, 2] < np.cos(np.radians(STEEPEST_DEG))
    return spots, np.where(steep, -1.0, room)


def _normals(patch: Patch, spots: FloatArray) -> FloatArray:
    """Outward unit normals (K, 3) of the bone under spots (K, 2)."""
    steps = (np.array([2.0 * STEP_MM, 0.0]), np.array([0.0, 2.0 * STEP_MM]))
    slopes = [(patch.field.at(spots + step) - patch.field.at(spots - step)) / (4.0 * STEP_MM) for step in steps]
    normals = np.stack([-slopes[0], -slopes[1], np.ones(len(spots))], axis=1)
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))

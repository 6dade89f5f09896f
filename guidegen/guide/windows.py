"""Holes through the shell that show whether it is seated."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.outline import Outline

GRID_MM = 1.0
EDGE_MM = 3.0  # of shell round a window
MOST = 2


def choose_windows(outline: Outline, radius_mm: float, taken: list[tuple[FloatArray, float]]) -> list[FloatArray]:
    """Centres (2,) of up to two windows along the removal direction, as far from everything as the shell allows.

    `taken` names lines through the shell: sample points (K, 3) of each and its radius. A small shell has room
    for one or none.
    """
    low, high = outline.polygon_mm.min(axis=0), outline.polygon_mm.max(axis=0)
    axes = [np.arange(a, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    room = outline.edge_distance_mm(spots) - radius_mm - EDGE_MM
    for points, radius in taken:
        away = np.linalg.norm(spots[:, None] - points[None, :, :2], axis=2).min(axis=1)
        room = np.minimum(room, away - radius - radius_mm - EDGE_MM)
    chosen: list[FloatArray] = []
    while len(chosen) < MOST and room.max(initial=-1.0) >= 0.0:
        spot = spots[int(np.argmax(room))]
        chosen.append(spot)
        room = np.minimum(room, np.linalg.norm(spots - spot, axis=1) - 2.0 * radius_mm - EDGE_MM)
    return chosen

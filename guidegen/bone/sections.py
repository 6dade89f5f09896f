"""Cross-sections of a surface: where a plane cuts it, and the area and centroid of the cut."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray, perpendicular_pair
from guidegen.surfaces import Surface


def whole_sections(surface: Surface, axis: FloatArray, levels_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Area (K,) in mm² and centroid (K, 3) of everything the planes axis·x = level cut, by Green's theorem.

    The cut segments need no sorting into loops: each contributes to the line integrals with the
    sense that its face gives it. A level that cuts nothing gives area 0 and a NaN centroid.
    """
    first, second = perpendicular_pair(axis)
    height = surface.vertices @ axis
    flat = np.stack([surface.vertices @ first, surface.vertices @ second], axis=1)
    corner = height[surface.faces]
    low, high = corner.min(axis=1), corner.max(axis=1)
    areas, centroids = np.zeros(len(levels_mm)), np.full((len(levels_mm), 3), np.nan)
    for k, level in enumerate(levels_mm):
        cut = surface.faces[(low <= level) & (high > level)]
        if len(cut) == 0:
            continue
        start, end = _segments(cut, height, flat, level)
        cross = start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]
        area = cross.sum() / 2.0
        if abs(area) < 1e-9:
            continue
        middle = ((start + end) * cross[:, None]).sum(axis=0) / (6.0 * area)
        areas[k] = abs(area)
        centroids[k] = middle[0] * first + middle[1] * second + level * axis
    return areas, centroids


def _segments(cut: FloatArray, height: FloatArray, flat: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Start and end (F, 2) of the segment each cut face leaves, all running the same way round the solid."""
    above = height[cut] > level
    # turn each face so that the corner alone on its side comes first
    alone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    a, b, c = (np.take_along_axis(cut, ((alone + k) % 3)[:, None], axis=1)[:, 0] for k in range(3))
    to_b = flat[a] + (flat[b] - flat[a]) * ((level - height[a]) / (height[b] - height[a]))[:, None]
    to_c = flat[a] + (flat[c] - flat[a]) * ((level - height[a]) / (height[c] - height[a]))[:, None]
    up = (height[a] > level)[:, None]
    return np.where(up, to_b, to_c), np.where(up, to_c, to_b)


def star_sections(
    surface: Surface, centers_mm: FloatArray, axis: FloatArray, rays: int = 72
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sections as seen from inside: for each centre (K, 3) the first wall met in `rays` directions across `axis`.

    Gives area (K,), centroid (K, 3) and the radii (K, rays) in mm. It isolates the part of the
    bone around the centre (a neck beside a trochanter) without sorting segments. A centre
    outside the bone or a ray that meets nothing gives area NaN.
    """
    first, second = perpendicular_pair(axis)
    turn = np.arange(rays) * 2.0 * np.pi / rays
    spokes = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    origins = np.repeat(centers_mm, rays, axis=0)
    directions = np.tile(spokes, (len(centers_mm), 1))
    way, _ = surface.ray_hits(origins, directions)
    radii = way.reshape(len(centers_mm), rays)
    radii = np.where(surface.contains(centers_mm)[:, None] & np.isfinite(radii), radii, np.nan)
    following = np.roll(radii, -1, axis=1)
    wedge = radii * following * np.sin(2.0 * np.pi / rays) / 2.0
    areas = wedge.sum(axis=1)
    points = radii[..., None] * spokes
    lever = (points + np.roll(points, -1, axis=1)) / 3.0
    offset = (lever * wedge[..., None]).sum(axis=1) / areas[:, None]
    return areas, centers_mm + offset, radii

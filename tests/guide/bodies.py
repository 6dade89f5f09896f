"""Bodies and height fields in closed form, in the guide's frame: z off the bone, y along the shaft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import manifold3d as m3
import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.height_field import STEP_MM, HeightField
from guidegen.guide.patch import Patch
from guidegen.guide.solids import to_surface
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.footprint import Footprint
from guidegen.seat.zones import Zones
from guidegen.surfaces import Surface


def sphere(radius_mm: float, segments: int = 1024) -> Surface:
    """A ball round the origin; its corners lie on it, and its faces at most 0.5 µm inside for a radius of 20 mm."""
    return to_surface(m3.Manifold.sphere(radius_mm, segments))


def cylinder(radius_mm: float, length_mm: float, segments: int = 1440) -> Surface:
    """A cylinder round the y axis; its corners lie on it, its faces at most 0.1 µm inside for a radius of 20 mm."""
    solid = m3.Manifold.cylinder(length_mm, radius_mm, radius_mm, segments, True)
    return to_surface(solid.rotate((90.0, 0.0, 0.0)))


def block(low_mm: list[float], high_mm: list[float]) -> Any:
    """A box between two corners, as a manifold."""
    return m3.Manifold.cube(list(np.subtract(high_mm, low_mm))).translate(low_mm)


def field_of(height: Callable[[FloatArray, FloatArray], Any], half_mm: float = 40.0) -> HeightField:
    """The height field of a formula of x and y over a square round the origin; -inf where there is no bone."""
    count = round(half_mm / STEP_MM)
    grid = np.arange(-count, count + 1) * STEP_MM
    heights = np.broadcast_to(height(grid[:, None], grid[None, :]), (len(grid), len(grid))).astype(np.float64)
    floor = float(heights[np.isfinite(heights)].min()) - 30.0
    return HeightField(grid, grid, np.where(np.isfinite(heights), heights, floor), floor)


def is_bone(field: HeightField) -> Any:
    """Which points (X, Y) of the field have bone under them."""
    return field.height_mm > field.floor_mm


def zones_on(ridge_mm: float = 30.0, axis_mm: float = 0.0) -> Zones:
    """The femur's own terms for a shaft along y, its axis at the height `axis_mm`: y is the level, x the front."""
    up, lateral, front = np.eye(3)[[1, 2, 0]]
    margins = load_template(GuideTemplate, "lateral")[0].zones
    origin = np.array([0.0, 0.0, axis_mm])
    return Zones(origin, up, lateral, front, origin + ridge_mm * up, np.empty((0, 3)), None, margins)


def footprint_on(zones: Zones, half_mm: float, half_deg: float) -> Footprint:
    """Cells of 2 mm and 5° that cover so much to both sides of the middle; both are odd numbers of half cells."""
    levels, turns = np.arange(60.0, -60.1, -2.0), np.arange(-120.0, 120.1, 5.0)
    covers = (np.abs(levels) < half_mm)[:, None] & (np.abs(turns) < half_deg)[None, :]
    return Footprint(levels, turns, covers, zones)


def rectangle(field: HeightField, width_mm: float, length_mm: float) -> Patch:
    """A patch of this width along x and length along y about the middle, measured in their plane."""
    beside = np.abs(field.x_mm)[:, None] - width_mm / 2.0, np.abs(field.y_mm)[None, :] - length_mm / 2.0
    outside = np.hypot(np.maximum(beside[0], 0.0), np.maximum(beside[1], 0.0))
    edge = -(outside + np.minimum(np.maximum(*beside), 0.0))
    return Patch(field, edge > 0.0, edge)

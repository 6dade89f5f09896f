"""Tunnels and wires of a plan as closed surfaces, so that they are drawn and cut like the bone itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from guidegen.frames import FloatArray, spokes, unit
from guidegen.surfaces import Surface

AROUND = 48  # corners of a circle
WIRE_OUTSIDE_MM = 12.0  # of a wire that is shown outside the guide


def turned(start_mm: FloatArray, axis: FloatArray, profile_mm: FloatArray) -> Surface:
    """The closed surface that a profile (K, 2), distance along the unit `axis` (3,) and radius, sweeps round it.

    Distances increase from the first row to the last; both ends are closed by a flat or by a tip.
    """
    ring = spokes(axis, AROUND)
    rows = [start_mm + along * axis + radius * ring for along, radius in profile_mm]
    ends = np.stack([start_mm + profile_mm[0, 0] * axis, start_mm + profile_mm[-1, 0] * axis])
    here = np.arange(AROUND)
    after = np.roll(here, -1)
    first, last = len(rows) * AROUND, len(rows) * AROUND + 1
    faces = [np.stack([np.full(AROUND, first), after, here], axis=1)]
    for row in range(len(rows) - 1):
        low, high = row * AROUND, (row + 1) * AROUND
        faces.append(np.stack([low + here, low + after, high + after], axis=1))
        faces.append(np.stack([low + here, high + after, high + here], axis=1))
    top = (len(rows) - 1) * AROUND
    faces.append(np.stack([np.full(AROUND, last), top + here, top + after], axis=1))
    return Surface(np.concatenate([*rows, ends]), np.concatenate(faces))


def tunnel_surface(tunnel: Mapping[str, Any]) -> Surface:
    """A tunnel of plan.json, with the shape of its end, from half its width outside the entry."""
    entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
    length_mm, radius_mm = float(np.linalg.norm(target - entry)), tunnel["diameter_mm"] / 2.0
    end = [(length_mm - setback, radius) for setback, radius in tunnel["end_outline_mm"]]
    profile = [(-radius_mm, radius_mm), *sorted(end, key=lambda point: (point[0], -point[1]))]
    return turned(entry, unit(target - entry), np.array([point for point in profile if point[1] > 0.0]))


def wire_surface(pin: Mapping[str, Any]) -> Surface:
    """A wire of plan.json, from a little outside the guide to its depth in the bone."""
    point, axis = np.array(pin["point_mm"]), unit(pin["direction"])
    outside_mm = float((point - np.array(pin["top_mm"])) @ axis) + WIRE_OUTSIDE_MM
    radius_mm = pin["wire_diameter_mm"] / 2.0
    return turned(point, axis, np.array([[-outside_mm, radius_mm], [pin["depth_mm"], radius_mm]]))


def together(surfaces: Iterable[Surface]) -> Surface | None:
    """Several surfaces as one; None where there are none."""
    every: Sequence[Surface] = tuple(surfaces)
    if not every:
        return None
    begins = np.cumsum([0, *(len(each.vertices) for each in every)])
    faces = [each.faces + begin for each, begin in zip(every, begins, strict=False)]
    return Surface(np.concatenate([each.vertices for each in every]), np.concatenate(faces))

"""Two wires that pin the guide: apart from each other, diverging, clear of tunnel and sleeve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, unit
from guidegen.seat.ground import Ground
from guidegen.guide.height_field import STEP_MM, HeightField
from guidegen.guide.outline import Outline
from guidegen.guide.placement import Tube
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.templates import PinShape, Wire

GRID_MM = 4.0
LEANS_DEG = (0.0, 10.0, 20.0)
LEAN_WAYS = 8
LARGEST_TO_NORMAL_DEG = 40.0  # flatter on the bone, and a wire skids
DRIVER_MM = 6.0  # radius that a wire driver's nose needs beside the sleeve
WIRE_OUTSIDE_MM = 60.0
AIM_DIVERGENCE_DEG = 25.0
EDGE_MM = 1.0  # of shell beside a boss
BETWEEN_WIRES_MM = 4.0
WAY_STEP_MM, WAY_SPARE_MM = 1.0, 0.05  # places along a wire, and what lies between two of them at 4 mm


def choose_pins(
    field: HeightField,
    outline: Outline,
    tunnel_entry_mm: FloatArray,
    tunnel_target_mm: FloatArray,
    tunnel_radius_mm: float,
    sleeve: Tube,
    sleeve_radius_mm: float,
    shape: PinShape,
    wire: Wire,
    boss_radius_mm: float,
    ground: Ground,
) -> list[tuple[FloatArray, FloatArray]]:
    """Point on the bone (3,) and unit direction into it (3,) of two wires, in the guide's frame.

    Every pair of lawful wires is looked at; the two are as far apart as can be, and diverge. Each keeps clear of what
    `ground` keeps out on its whole way, and does not end below the scan. NoSafeGuide where no pair keeps the distances.
    """
    points, directions = _candidates(field, outline, boss_radius_mm)
    inner = _line_distance(points, directions, wire.depth_mm, tunnel_entry_mm, tunnel_target_mm)
    outer = _line_distance(points, -directions, WIRE_OUTSIDE_MM, sleeve.at(sleeve.sunk_to_mm), sleeve.at(sleeve.top_mm))
    clear = inner >= tunnel_radius_mm + wire.diameter_mm / 2.0 + shape.tunnel_distance_mm
    clear &= outer >= sleeve_radius_mm + max(DRIVER_MM, boss_radius_mm + EDGE_MM)
    points, directions = points[clear], directions[clear]
    kept = _on_known_ground(points, directions, wire, ground)
    best = _best_pair(points[kept], directions[kept], shape, wire)
    if best is None:
        kept_out = _best_pair(points, directions, shape, wire) is not None
        raise NoSafeGuide(
            f"expected room for two wires at least {shape.least_divergence_deg:g}° apart and "
            f"{shape.tunnel_distance_mm:g} mm clear of the tunnel{_besides(ground)}, found {int(kept.sum())} lawful "
            "wires and no pair; choose a larger footprint",
            rule=KEEP_OUT if kept_out and ground.keep_out.structures else "pins",
            figures={"lawful_wires": float(kept.sum())},
        )
    return [(points[kept][k], directions[kept][k]) for k in best]


def _besides(ground: Ground) -> str:
    """What else the wires keep clear of, in words."""
    names = " and ".join(ground.keep_out.names)
    return f" and {ground.keep_out_mm:g} mm of the {names}" if names else ""


def _on_known_ground(points: FloatArray, directions: FloatArray, wire: Wire, ground: Ground) -> npt.NDArray[np.bool_]:
    """Which wires (K,) keep their distance to what is kept out, outside the bone and in it, and end above the scan's
    end by its margin.
    """
    tips = points + wire.depth_mm * directions
    kept = ground.end.above_mm(tips) >= END_MARGIN_MM + wire.diameter_mm / 2.0
    if ground.keep_out.structures:
        way = np.arange(-WIRE_OUTSIDE_MM, wire.depth_mm + WAY_STEP_MM, WAY_STEP_MM)
        places = points[kept, None] + np.minimum(way, wire.depth_mm)[:, None] * directions[kept, None]
        away = ground.keep_out.distance_mm(places.reshape(-1, 3)).reshape(len(places), len(way)).min(axis=1)
        kept[kept] = away >= ground.keep_out_mm + wire.diameter_mm / 2.0 + WAY_SPARE_MM
    return np.asarray(kept)


def _candidates(field: HeightField, outline: Outline, boss_radius_mm: float) -> tuple[FloatArray, FloatArray]:
    """Points (K, 3) on the bone and directions (K, 3) into it, all over the shell."""
    low, high = outline.polygon_mm.min(axis=0), outline.polygon_mm.max(axis=0)
    axes = [np.arange(a + GRID_MM / 2.0, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    spots = spots[outline.edge_distance_mm(spots) >= boss_radius_mm + EDGE_MM]
    points = np.c_[spots, field.at(spots)]
    slope_x = (field.at(spots + [STEP_MM, 0.0]) - field.at(spots - [STEP_MM, 0.0])) / (2.0 * STEP_MM)
    slope_y = (field.at(spots + [0.0, STEP_MM]) - field.at(spots - [0.0, STEP_MM])) / (2.0 * STEP_MM)
    normals = unit(np.c_[-slope_x, -slope_y, np.ones(len(spots))])
    ways = [
        np.array([np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), -np.cos(lean)])
        for lean in np.radians(LEANS_DEG)
        for turn in np.arange(LEAN_WAYS) * 2.0 * np.pi / LEAN_WAYS
        if lean > 0.0 or turn == 0.0
    ]
    every_point = np.repeat(points, len(ways), axis=0)
    every_way = np.tile(np.stack(ways), (len(points), 1))
    steep = -(every_way * np.repeat(normals, len(ways), axis=0)).sum(axis=1)
    kept = steep >= np.cos(np.radians(LARGEST_TO_NORMAL_DEG))
    return every_point[kept], every_way[kept]


def _line_distance(
    points: FloatArray, directions: FloatArray, length_mm: float, start_mm: FloatArray, end_mm: FloatArray
) -> FloatArray:
    """Least distance (K,) between the segments from points (K, 3) along directions and the segment start–end,
    sampled every mm.
    """
    first = points[:, None] + np.arange(0.0, length_mm + 0.5, 1.0)[:, None] * directions[:, None]
    axis = end_mm - start_mm
    share = np.clip((first - start_mm) @ axis / (axis @ axis), 0.0, 1.0)
    return np.asarray(np.linalg.norm(first - start_mm - share[..., None] * axis, axis=2).min(axis=1))


def _best_pair(points: FloatArray, directions: FloatArray, shape: PinShape, wire: Wire) -> tuple[int, int] | None:
    """The pair with most distance between its points, less what its divergence misses; None where none is lawful."""
    if len(points) < 2:
        return None
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    angle = np.degrees(np.arccos(np.clip(directions @ directions.T, -1.0, 1.0)))
    score = apart - 0.5 * np.abs(AIM_DIVERGENCE_DEG - angle)
    score[(angle < shape.least_divergence_deg) | (apart < BETWEEN_WIRES_MM + wire.diameter_mm)] = -np.inf
    order: npt.NDArray[np.int64] = np.argsort(-score, axis=None, kind="stable")[:200]
    for flat in order:
        i, j = (int(k) for k in np.unravel_index(flat, score.shape))
        if not np.isfinite(score[i, j]):
            return None
        end = points[j] + wire.depth_mm * directions[j]
        between = _line_distance(points[i : i + 1], directions[i : i + 1], wire.depth_mm, points[j], end)[0]
        if between >= BETWEEN_WIRES_MM:
            return i, j
    return None

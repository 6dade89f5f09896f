"""The wires that pin the guide: into good bone, apart from each other and from the drill, and not parallel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, unit
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.patch import Patch
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.guide_shapes import PinShape
from guidegen.plan.kits import Wire
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.seat.zones import Zones

GRID_MM = 3.0
LEANS_DEG = (0.0, 12.0, 24.0, 36.0)
LEAN_WAYS = 8
LARGEST_TO_NORMAL_DEG = 40.0  # flatter on the bone, and a wire skids
FLATTEST_DEG = 55.0  # from the removal direction: a wire driver stays in the wound
DRIVER_MM = 6.0  # radius that a wire driver's nose needs beside the sleeve
WIRE_OUTSIDE_MM = 60.0
EDGE_MM = 1.0  # between a boss and the sleeve's root
BETWEEN_WIRES_MM = 4.0
WAY_STEP_MM, WAY_SPARE_MM = 1.0, 0.05  # places along a wire, and what lies between two of them at 4 mm
INSIDE_MM = 3.0  # of bone round the end of a wire that stops in the bone
FAR_EXIT_MM = 1.0  # planned, of a wire through both cortices: its point is through, and no more
AIM_DEG = 25.0  # between two wires: beyond it nothing is gained

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Wires:
    """Wires that may be placed: points (K, 3) on the bone, unit directions (K, 3) into it, how deep they go (K,), and
    how far they come out of the far cortex (K,), NaN for those that stop in the bone.
    """

    points_mm: FloatArray
    directions: FloatArray
    depths_mm: FloatArray
    far_exits_mm: FloatArray

    def only(self, which: Flags | list[int]) -> Wires:
        """Some of them."""
        return Wires(self.points_mm[which], self.directions[which], self.depths_mm[which], self.far_exits_mm[which])

    @property
    def ends_mm(self) -> FloatArray:
        """Where they end (K, 3)."""
        return np.asarray(self.points_mm + self.depths_mm[:, None] * self.directions)


# What of a wire keeps clear: itself in the bone; outside, its boss and the driver that brings it in; outside, itself.
BONE, BOSS, WIRE = "in the bone", "with its boss", "outside"


@dataclass(frozen=True, eq=False)
class Line:
    """What wires keep clear of: a way from start to end (3,), by `distance_mm` from its middle; and what of a wire
    does, BONE, BOSS or WIRE.
    """

    start_mm: FloatArray
    end_mm: FloatArray
    distance_mm: float
    part: str


def choose_pins(
    patch: Patch,
    zones: Zones,
    ground: Ground,
    lines: list[Line],
    shape: PinShape,
    wire: Wire,
    boss_radius_mm: float,
    lowest_mm: float,
) -> Wires:
    """Two or three wires in the guide's frame, as far apart as they go, no two of them parallel.

    All enter above `lowest_mm` (level above the head centre, that of the lesser trochanter: below it a hole in the
    outer cortex invites a break, J Orthop Surg Res 2013;8:29), keep clear of the `lines` and of what `ground` keeps
    out, and end in bone that the scan shows. NoSafeGuide where no two keep the distances.
    """
    wires = _candidates(patch, shape, boss_radius_mm)
    wires = wires.only(zones.place(wires.points_mm).level_mm >= lowest_mm)
    wires = _in_bone(wires, ground, wire, shape)
    reach = wire.diameter_mm / 2.0
    for line in lines:
        own = max(DRIVER_MM, boss_radius_mm + EDGE_MM) if line.part == BOSS else reach
        ways = {BONE: wires.depths_mm, WIRE: wire.length_mm - wires.depths_mm}
        way = ways.get(line.part, np.full(len(wires.depths_mm), WIRE_OUTSIDE_MM))
        towards = wires.directions if line.part == BONE else -wires.directions
        away = line_distance_mm(wires.points_mm, towards, way, line.start_mm, line.end_mm)
        wires = wires.only(away >= line.distance_mm + own)
    kept = wires.only(_on_known_ground(wires, wire, ground))
    chosen = _chosen(kept, shape, wire, boss_radius_mm)
    if len(chosen) < shape.fewest:
        without = _chosen(wires, shape, wire, boss_radius_mm)
        raise NoSafeGuide(
            f"expected room for {shape.fewest} wires at least {shape.least_divergence_deg:g}° apart, "
            f"{shape.tunnel_distance_mm:g} mm clear of the tunnel{_besides(ground)} and above the lesser trochanter, "
            f"found {len(kept.depths_mm)} lawful wires of which {len(chosen)} fit beside each other; choose a larger "
            "footprint",
            rule=KEEP_OUT if len(without) >= shape.fewest and ground.keep_out.structures else "pins",
            figures={"lawful_wires": float(len(kept.depths_mm))},
        )
    return kept.only(chosen)


def _besides(ground: Ground) -> str:
    """What else the wires keep clear of, in words."""
    names = " and ".join(ground.keep_out.names)
    return f" and {ground.keep_out_mm:g} mm of the {names}" if names else ""


def _candidates(patch: Patch, shape: PinShape, boss_radius_mm: float) -> Wires:
    """Every wire of a grid over the patch; how deep it goes is not said yet."""
    low, high = patch.bounds_mm
    axes = [np.arange(a + GRID_MM / 2.0, b, GRID_MM) for a, b in zip(low, high, strict=True)]
    spots = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    spots = spots[patch.edge_distance_mm(spots) >= boss_radius_mm + shape.boss_edge_mm]
    field = patch.field
    points = np.c_[spots, field.at(spots)]
    slope_x, slope_y = (
        (field.at(spots + step) - field.at(spots - step)) / (4.0 * STEP_MM)
        for step in (np.array([2.0 * STEP_MM, 0.0]), np.array([0.0, 2.0 * STEP_MM]))
    )
    normals = unit(np.c_[-slope_x, -slope_y, np.ones(len(spots))]) if len(spots) else np.empty((0, 3))
    ways = _ways()
    every_point, every_normal = np.repeat(points, len(ways), axis=0), np.repeat(normals, len(ways), axis=0)
    every_way = np.tile(ways, (len(points), 1))
    square = -(every_way * every_normal).sum(axis=1) >= np.cos(np.radians(LARGEST_TO_NORMAL_DEG))
    reachable = -every_way[:, 2] >= np.cos(np.radians(FLATTEST_DEG))
    kept = square & reachable
    unknown = np.full(int(kept.sum()), np.nan)
    return Wires(every_point[kept], every_way[kept], unknown, unknown)


def _ways() -> FloatArray:
    """Directions (W, 3) into the bone, in cones about the removal direction."""
    leans = np.radians(LEANS_DEG)
    turns = np.arange(LEAN_WAYS) * 2.0 * np.pi / LEAN_WAYS
    return np.array(
        [
            [np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), -np.cos(lean)]
            for lean in leans
            for turn in turns
            if lean > 0.0 or turn == 0.0
        ]
    )


def _in_bone(wires: Wires, ground: Ground, wire: Wire, shape: PinShape) -> Wires:
    """The wires that end as asked: in the bone with some of it round their point, or through both cortices by no more
    than is allowed, on a wire long enough.
    """
    if len(wires.points_mm) == 0:
        return wires
    through, _ = ground.bone.ray_hits(wires.points_mm + INTO_MM * wires.directions, wires.directions)
    through = np.where(np.isfinite(through), through + INTO_MM, np.inf)
    if shape.cortices == 2:
        exits = np.full(len(through), min(FAR_EXIT_MM, shape.most_far_exit_mm))
        depths = through + exits
        good = np.isfinite(through) & (depths + WIRE_OUTSIDE_MM <= wire.length_mm)
    else:
        exits = np.full(len(through), np.nan)
        depths = np.full(len(through), wire.depth_mm)
        good = through >= depths
        ends = wires.points_mm + depths[:, None] * wires.directions
        good[good] = ground.bone.nearest(ends[good])[0] >= INSIDE_MM + wire.diameter_mm / 2.0
    return replace(wires, depths_mm=depths, far_exits_mm=exits).only(good)


INTO_MM = 1.0


def _on_known_ground(wires: Wires, wire: Wire, ground: Ground) -> Flags:
    """Which wires (K,) keep their distance to what is kept out, outside the bone and in it, and end above the scan's
    end by its margin.
    """
    kept = ground.end.above_mm(wires.ends_mm) >= END_MARGIN_MM + wire.diameter_mm / 2.0
    if ground.keep_out.structures and kept.any():
        deepest = float(wires.depths_mm[kept].max())
        way = np.arange(-WIRE_OUTSIDE_MM, deepest + WAY_STEP_MM, WAY_STEP_MM)
        ways = np.minimum(way, wires.depths_mm[kept, None])
        places = wires.points_mm[kept, None] + ways[..., None] * wires.directions[kept, None]
        away = ground.keep_out.distance_mm(places.reshape(-1, 3)).reshape(ways.shape).min(axis=1)
        kept[kept] = away >= ground.keep_out_mm + wire.diameter_mm / 2.0 + WAY_SPARE_MM
    return np.asarray(kept)


def line_distance_mm(
    points: FloatArray, directions: FloatArray, lengths_mm: FloatArray, start_mm: FloatArray, end_mm: FloatArray
) -> FloatArray:
    """Least distance (K,) between the segments from points (K, 3) along directions over lengths (K,) and the segment
    start–end, sampled every mm.
    """
    if len(points) == 0:
        return np.empty(0)
    along = np.arange(0.0, float(lengths_mm.max()) + 0.5, 1.0)
    places = points[:, None] + np.minimum(along, lengths_mm[:, None])[..., None] * directions[:, None]
    axis = end_mm - start_mm
    share = np.clip((places - start_mm) @ axis / (axis @ axis), 0.0, 1.0)
    return np.asarray(np.linalg.norm(places - start_mm - share[..., None] * axis, axis=2).min(axis=1))


def _chosen(wires: Wires, shape: PinShape, wire: Wire, boss_radius_mm: float) -> list[int]:
    """Wires, by number: the pair with most between its points and enough between its directions, and a third beside
    them where one is as far from both as bosses need.
    """
    if len(wires.points_mm) < 2:
        return []
    apart = np.linalg.norm(wires.points_mm[:, None] - wires.points_mm[None], axis=2)
    angle = np.degrees(np.arccos(np.clip(wires.directions @ wires.directions.T, -1.0, 1.0)))
    score = apart - 0.5 * np.maximum(AIM_DEG - angle, 0.0)
    least = max(BETWEEN_WIRES_MM + wire.diameter_mm, 2.0 * boss_radius_mm)
    lawful = (angle >= shape.least_divergence_deg) & (apart >= least)
    score = np.where(lawful, score, -np.inf)
    order: npt.NDArray[np.int64] = np.argsort(-score, axis=None, kind="stable")[:TRIED]
    for flat in order:
        pair = [int(k) for k in np.unravel_index(flat, score.shape)]
        if not np.isfinite(score[pair[0], pair[1]]):
            break
        if _clear(wires, pair[0], pair[1:]):
            third = _third(wires, score, pair) if shape.most > 2 else None
            return pair if third is None else [*pair, third]
    return []


TRIED = 400


def _third(wires: Wires, score: FloatArray, pair: list[int]) -> int | None:
    """The wire that is best beside both of a pair; None for none."""
    beside = np.minimum(score[pair[0]], score[pair[1]])
    for k in np.argsort(-beside, kind="stable")[:TRIED]:
        if not np.isfinite(beside[k]):
            return None
        if _clear(wires, int(k), pair):
            return int(k)
    return None


def _clear(wires: Wires, one: int, others: list[int]) -> bool:
    """Whether a wire keeps its distance to others in the bone."""
    for other in others:
        own = wires.only([one])
        away = line_distance_mm(
            own.points_mm, own.directions, own.depths_mm, wires.points_mm[other], wires.ends_mm[other]
        )
        if away[0] < BETWEEN_WIRES_MM:
            return False
    return True

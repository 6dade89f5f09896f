"""The error budget of one tunnel by drilling it many times: what the closed form is held against.

Every drilling draws its own errors, turns the guide and tilts the drill by finite angles, spreads the play evenly over
the bore, and asks the bone itself how deep the moved tool lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, across, perpendicular_pair, unit
from guidegen.plan.error_budget import JOINT_MM, LEVEL, Aim, Depth, LesionVoxels
from guidegen.plan.error_sources import BEND_AT_MM, ErrorSources

SAMPLES = 100_000
BATCH = 10_000  # drillings at a time


@dataclass(frozen=True)
class Simulated:
    """The figures of an ErrorBudget, counted; see there."""

    samples: int
    tip_mean_mm: float
    tip_p95_mm: float
    tip_lateral_mean_mm: float
    tip_lateral_p95_mm: float
    entry_mean_mm: float
    entry_p95_mm: float
    angle_mean_deg: float
    angle_p95_deg: float
    to_lesion_p95_mm: float
    reaches_lesion: float
    breaches_cortex: float
    within_3_mm_of_joint: float


@dataclass(frozen=True, eq=False)
class Drillings:
    """How S tools lie in the bone: a point p of the plan at `turn` (S, 3, 3) p + `shift_mm` (S, 3), and bent sideways
    by `bend_mm` (S, 3) at BEND_AT_MM. The lesion lies `lesion_mm` (S, 3) beside where it was planned, and the true
    surface `surface_mm` (S, 3) short of it.
    """

    turn: FloatArray
    shift_mm: FloatArray
    bend_mm: FloatArray
    lesion_mm: FloatArray
    surface_mm: FloatArray

    def only(self, which: IntArray) -> Drillings:
        """Some of them."""
        return Drillings(*(each[which] for each in vars(self).values()))

    @property
    def under_surface(self) -> Drillings:
        """The same as seen from the true surface."""
        return replace(self, shift_mm=self.shift_mm + self.surface_mm)


def simulate(
    aim: Aim,
    sources: ErrorSources,
    depth_mm: Depth,
    lesion_points_mm: FloatArray,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Simulated:
    """The budget by Monte Carlo; the same seed gives the same figures. The events are those of `error_budget`."""
    rng = np.random.default_rng(seed)
    lesion = LesionVoxels.of(lesion_points_mm)
    batches = [min(BATCH, samples - start) for start in range(0, samples, BATCH)]
    parts = [_drilled(aim, sources, depth_mm, lesion, rng, batch) for batch in batches]
    entry, tip, lesion_moved, reached, breached, near = (np.concatenate(part) for part in zip(*parts, strict=True))
    length, to_lesion = (np.linalg.norm(error, axis=1) for error in (tip, tip - lesion_moved))
    lateral, beside = (np.linalg.norm(across(error, aim.axis), axis=1) for error in (tip, entry))
    way = unit(aim.length_mm * aim.axis + tip - entry)
    angle = np.degrees(np.arcsin(np.linalg.norm(across(way, aim.axis), axis=1)))
    return Simulated(
        samples=samples,
        tip_mean_mm=float(length.mean()),
        tip_p95_mm=float(np.quantile(length, LEVEL)),
        tip_lateral_mean_mm=float(lateral.mean()),
        tip_lateral_p95_mm=float(np.quantile(lateral, LEVEL)),
        entry_mean_mm=float(beside.mean()),
        entry_p95_mm=float(np.quantile(beside, LEVEL)),
        angle_mean_deg=float(angle.mean()),
        angle_p95_deg=float(np.quantile(angle, LEVEL)),
        to_lesion_p95_mm=float(np.quantile(to_lesion, LEVEL)),
        reaches_lesion=float(reached.mean()),
        breaches_cortex=float(breached.mean()),
        within_3_mm_of_joint=float(near.mean()),
    )


def _drilled(
    aim: Aim, sources: ErrorSources, depth_mm: Depth, lesion: LesionVoxels, rng: np.random.Generator, samples: int
) -> tuple[npt.NDArray[np.generic], ...]:
    """What came of so many drillings: the errors (S, 3) of entry, tip and lesion, and three events (S,)."""
    drillings = _drillings(aim, sources, rng, samples)
    entry, tip = (_placed(aim, sources, drillings, point) - point for point in (aim.entry_mm, aim.target_mm))
    under_surface = drillings.under_surface
    return (
        entry,
        tip,
        drillings.lesion_mm,
        _reached(aim, sources, drillings, lesion),
        _any_shallow(aim, sources, under_surface, depth_mm, aim.wall_points_mm(), aim.radius_mm),
        _any_shallow(aim, sources, under_surface, depth_mm, aim.end_points_mm(), JOINT_MM),
    )


def _drillings(aim: Aim, sources: ErrorSources, rng: np.random.Generator, samples: int) -> Drillings:
    plane = np.stack(perpendicular_pair(aim.axis))

    def even(rms: float) -> FloatArray:
        return np.asarray(rms / np.sqrt(3.0) * rng.standard_normal((samples, 3)))

    def on_disc(rms: float) -> FloatArray:
        radius, turn = rms * np.sqrt(2.0 * rng.random(samples)), 2.0 * np.pi * rng.random(samples)
        return np.asarray((radius * np.stack([np.cos(turn), np.sin(turn)])).T @ plane)

    seat = sources.seat
    surface = even(0.0 if sources.bone_surface is None else sources.bone_surface.rms)
    slide, turn = (rng.standard_normal((samples, 3)) @ root for root in (seat.slide_root, seat.turn_root))
    shift = even(sources.printing.rms) + slide + turn @ seat.carried.T
    if not seat.of_surface:
        shift, surface = shift + surface, np.zeros_like(surface)
    play = on_disc(sources.sleeve_shift.rms) + sources.depth_stop.rms * rng.standard_normal((samples, 1)) * aim.axis
    tilt = _rotations(np.radians(on_disc(sources.sleeve_tilt.rms)))
    bend = sources.drill_bend.rms / np.sqrt(2.0) * rng.standard_normal((samples, 2)) @ plane
    lesion = even(sources.registration.rms if sources.registration else 0.0)
    # first the drill in its sleeve, about the sleeve's end; then the guide with the drill, about the seat's centre
    end = aim.entry_mm - sources.sleeve_end_mm * aim.axis
    in_sleeve = end + play - tilt @ end
    turned = _rotations(turn)
    placed = np.einsum("sij,sj->si", turned, in_sleeve - seat.center_mm) + seat.center_mm
    return Drillings(turned @ tilt, placed + shift, bend, lesion, surface)


def _rotations(vectors: FloatArray) -> FloatArray:
    """The rotation matrices (S, 3, 3) about vectors (S, 3) by their length in rad (Rodrigues)."""
    angle = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None, None]
    x, y, z = vectors.T
    zero = np.zeros(len(vectors))
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3) / angle
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


def _placed(aim: Aim, sources: ErrorSources, drillings: Drillings, point_mm: FloatArray) -> FloatArray:
    """Where a point (3,) of the planned tool lies in every drilling (S, 3)."""
    way = float((point_mm - aim.entry_mm) @ aim.axis)
    off_axis = point_mm - aim.entry_mm - way * aim.axis
    free = (way + sources.sleeve_end_mm) / BEND_AT_MM
    slope = 3.0 * free**2 / BEND_AT_MM
    bent = free**3 * drillings.bend_mm - slope * (drillings.bend_mm @ off_axis)[:, None] * aim.axis
    return np.asarray(drillings.turn @ point_mm + drillings.shift_mm + bent)


def _any_shallow(
    aim: Aim, sources: ErrorSources, drillings: Drillings, depth_mm: Depth, points_mm: FloatArray, limit_mm: float
) -> npt.NDArray[np.bool_]:
    """In which drillings (S,) any of the points (K, 3) comes less deep than the limit.

    A point that moves by less than what it is deeper than the limit cannot: only the others are asked for.
    """
    shallow = np.zeros(len(drillings.shift_mm), dtype=np.bool_)
    spare, reach = depth_mm(points_mm) - limit_mm, _furthest_move(aim, sources, drillings)
    for k in np.argsort(spare, kind="stable"):
        asked = np.flatnonzero((reach >= spare[k]) & ~shallow)
        if len(asked):
            shallow[asked] = depth_mm(_placed(aim, sources, drillings.only(asked), points_mm[k])) < limit_mm
    return shallow


def _furthest_move(aim: Aim, sources: ErrorSources, drillings: Drillings) -> FloatArray:
    """More than any point of the tool moves in each drilling (S,): on the axis a rigid motion is largest at one of its
    ends, the bend at the tip; beside it the turn adds.
    """
    ends = [
        np.linalg.norm(_placed(aim, sources, drillings, point) - point, axis=1)
        for point in (aim.entry_mm, aim.target_mm)
    ]
    bend = np.linalg.norm(drillings.bend_mm, axis=1) * ((aim.length_mm + sources.sleeve_end_mm) / BEND_AT_MM) ** 2
    turn = np.linalg.norm(drillings.turn - np.eye(3), axis=(1, 2)) + 3.0 * bend / BEND_AT_MM
    widest = max(aim.radius_mm, float(aim.outline_mm[:, 1].max()))
    return np.asarray(
        np.maximum(*ends) + 2.0 * bend * (aim.length_mm + sources.sleeve_end_mm) / BEND_AT_MM + widest * turn
    )


def _reached(aim: Aim, sources: ErrorSources, drillings: Drillings, lesion: LesionVoxels) -> npt.NDArray[np.bool_]:
    """In which drillings (S,) the axis, up to the tool's furthest point, passes through a voxel of the lesion."""
    reached = np.zeros(len(drillings.shift_mm), dtype=np.bool_)
    ways = lesion.steps_mm(aim.entry_mm, aim.axis)
    ways = np.append(ways[ways < aim.length_mm], aim.length_mm)
    for way in ways[np.argsort(np.abs(ways - ways.mean()), kind="stable")]:
        left = np.flatnonzero(~reached)
        some = drillings.only(left)
        point = _placed(aim, sources, some, aim.entry_mm + way * aim.axis)
        reached[left] = lesion.contains(point - some.lesion_mm)
    return reached

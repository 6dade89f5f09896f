"""Virtual surgery: the guide as written, put on the bone as written again and again, and drilled through.

It knows nothing of how the seat was found: only the files, and what plan.json asks of them. Three questions:

- how unique is the seat: put on askew and pushed home without friction, does the guide end where it belongs;
- where does the tip go in a careful hand, which fits the guide to a bone that is not quite as segmented;
- does dry friction keep the guide there while it is pushed on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.bench import Bench, bore_and_stop, lay_out
from guidegen.check.bone_field import Grid, distance_grid, grid_error_mm, rough, smooth
from guidegen.check.careful_hand import best_fit, looseness, pushes_held
from guidegen.check.seating import LOST, SEATED, Pose, drawn_push, push_home, turned_by
from guidegen.check.surgery import FalseSeat, Pushed, Surgery, TipError
from guidegen.frames import FloatArray, across, unit
from guidegen.surfaces import Surface

STARTS = 200
# How far askew a guide is put on: a shift along and a turn about each axis, even within these.
START_MM, START_DEG = 5.0, 10.0
# The push of one finger on the shell, on and around the contact's middle; its place is 12 mm off the bone.
PUSH_CONE_DEG, PUSH_APERTURE_MM, PUSH_HEIGHT_MM = 10.0, 10.0, 12.0
# What friction has to hold: a hand that takes less care once the guide sits; so many pushes on each bone.
HELD_CONE_DEG, HELD_APERTURE_MM, HELD_PUSHES = 15.0, 20.0, 15
# A guide whose contact's middle is so near its place, and that is turned so little, sits as intended.
INTENDED_MM, INTENDED_DEG = 1.0, 1.0


@dataclass(frozen=True, eq=False)
class Drills:
    """Where the drills go, on the bench (T, 3): a tip moves with the guide, its target and planned axis stay."""

    tips_mm: FloatArray
    targets_mm: FloatArray
    axes: FloatArray

    def off_mm(self, pose: Pose) -> FloatArray:
        """How far each tip ends across and along its planned axis from its target (2, T); positive along: too deep."""
        off = pose.points(self.tips_mm) - self.targets_mm
        lateral = [float(np.linalg.norm(across(error, axis))) for error, axis in zip(off, self.axes, strict=True)]
        return np.stack([np.array(lateral), np.einsum("tj,tj->t", off, self.axes)])


@dataclass(frozen=True, eq=False)
class Operated:
    """One start: where it ended, and how, on the segmented and on a rough bone; there also the careful hand's fit, and
    how many pushes friction holds.
    """

    segmented: tuple[Pose, int]
    rough: tuple[Pose, int]
    fitted: Pose
    held: int


def virtual_surgery(
    asked: Asked, bone: Surface, guide: Surface, *, starts: int = STARTS, seed: int = 0
) -> Surgery | None:
    """Operate `starts` times with the surfaces (LPS) as read from their files; None where nothing of the guide rests on
    the bone, or a sleeve has no bore. The same seed operates the same, however the patient lies.
    """
    bench = lay_out(asked, bone, guide)
    drills = None if bench is None else _drills(asked, bench)
    if bench is None or drills is None:
        return None
    grid = distance_grid(bench)

    def operate(stream: np.random.SeedSequence) -> Operated:
        return _operate(asked, bench, grid, np.random.default_rng(stream))

    with ThreadPoolExecutor(2) as cores:
        operated = list(cores.map(operate, np.random.SeedSequence(seed).spawn(starts)))
    return Surgery(
        seed=seed,
        surface_error_mm=asked.guide.surface_error_mm,
        filled_mm=asked.guide.periosteum_mm,
        grid_error_p99_mm=float(np.percentile(np.abs(grid_error_mm(grid, bench)), 99)),
        looseness=looseness(bench, grid),
        segmented=_pushed(drills, [each.segmented for each in operated]),
        rough=_pushed(drills, [each.rough for each in operated]),
        careful_hand=TipError.of(np.stack([drills.off_mm(each.fitted) for each in operated])),
        held=sum(each.held for each in operated) / (HELD_PUSHES * starts),
    )


def _drills(asked: Asked, bench: Bench) -> Drills | None:
    """A drill goes along the bore as measured, from where its stop rests, by the planned depth from there; None where a
    sleeve has no bore. Through a fan's insert it goes to the planned target: the insert's bore, which is none of the
    guide, is held to the plan by findings of its own.
    """
    tips, targets, axes = [], [], []
    for sleeve in asked.guide.sleeves:
        bore, stop = bore_and_stop(asked, bench, sleeve)
        if bore is None:
            return None
        tunnel = asked.tunnels[sleeve.tunnel]
        target = bench.axes.points(tunnel.target_mm)
        axis = unit(target - bench.axes.points(tunnel.entry_mm))
        on_bore = bore.point_mm + float((stop - bore.point_mm) @ bore.axis) * bore.axis
        tips.append(on_bore + float((target - stop) @ axis) * bore.axis)
        targets.append(target)
        axes.append(axis)
    for insert in asked.guide.inserts:
        target = bench.axes.points(asked.tunnels[insert.tunnel].target_mm)
        tips.append(target)
        targets.append(target)
        axes.append(bench.axes.vectors(asked.into_bone(insert.tunnel)))
    return Drills(np.array(tips), np.array(targets), np.array(axes))


def _operate(asked: Asked, bench: Bench, bone: Grid, rng: np.random.Generator) -> Operated:
    """One start, on the segmented and on a rough bone."""
    start = Pose(turned_by(rng.uniform(-START_DEG, START_DEG, 3)), rng.uniform(-START_MM, START_MM, 3))
    push = drawn_push(rng, PUSH_CONE_DEG, PUSH_APERTURE_MM, PUSH_HEIGHT_MM)
    later = [drawn_push(rng, HELD_CONE_DEG, HELD_APERTURE_MM, PUSH_HEIGHT_MM) for _ in range(HELD_PUSHES)]
    rise, filled_mm = rough(bone, asked.guide.surface_error_mm, rng), asked.guide.periosteum_mm
    fitted = best_fit(bench, bone, rise, asked.guide.clearance_mm)
    return Operated(
        segmented=push_home(bench, bone, smooth(bone), filled_mm, start, push),
        rough=push_home(bench, bone, rise, filled_mm, start, push),
        fitted=fitted,
        held=pushes_held(bench, bone, rise, fitted, later),
    )


def _pushed(drills: Drills, ended: list[tuple[Pose, int]]) -> Pushed:
    poses = [pose for pose, how in ended if how == SEATED]
    tips = [drills.off_mm(pose) for pose in poses]
    right = [pose.shift_length_mm <= INTENDED_MM and pose.turn_deg <= INTENDED_DEG for pose in poses]
    false = [
        FalseSeat(pose.shift_length_mm, pose.turn_deg, float(tip[0].max()))
        for pose, tip, intended in zip(poses, tips, right, strict=True)
        if not intended
    ]
    return Pushed(
        starts=len(ended),
        seated=len(poses) / len(ended),
        as_intended=sum(right) / len(ended),
        slid_off=sum(how == LOST for _, how in ended),
        still_moving=sum(how not in (SEATED, LOST) for _, how in ended),
        tip=TipError.of(np.stack(tips)) if tips else None,
        worst_false_seat=max(false, key=lambda seat: seat.lateral_mm, default=None),
    )

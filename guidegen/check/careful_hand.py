"""What becomes of a guide in a careful hand: it feels its way to the best fit, and friction keeps it there or not."""

from __future__ import annotations

import numpy as np

from guidegen.check.bench import Bench
from guidegen.check.bone_field import Grid, smooth
from guidegen.check.friction import friction_cones, held, wrenches
from guidegen.check.seating import Pose, Push, gaps, motion_rows, turned_by
from guidegen.check.surgery import Looseness
from guidegen.frames import unit

# Gaps further off than this count by their size, no longer by its square (Huber): a few bad spots do not rule.
ROBUST_MM = 0.3
MOST_FITTINGS, FITTED_MM = 30, 1e-4
# Contacts that bear once the guide sits: soft tissue and the print's own give make up for so much of a gap; one in a
# hundred contact points may be pressed in.
BEARS_WITHIN_MM, PRESSED_IN_PERCENT = 0.3, 1.0
# A movement that changes the gap by less than this for each of its millimetres is held by nothing.
FREE_BELOW = 0.05


def best_fit(bench: Bench, bone: Grid, rise: Grid, clearance_mm: float) -> Pose:
    """The contact as evenly at its clearance as it can be (Gauss-Newton with Huber's weights), from its place on."""
    pose = Pose(np.eye(3), np.zeros(3))
    for _ in range(MOST_FITTINGS):
        gap, slope = gaps(bench.resting_mm, bone, rise, clearance_mm, pose.turn, pose.shift_mm)
        rows = motion_rows(bench.resting_mm @ pose.turn.T, slope, bench.lever_mm)
        weighted = rows.T / np.maximum(np.abs(gap) / ROBUST_MM, 1.0)
        move = -np.linalg.lstsq(weighted @ rows, weighted @ gap, rcond=None)[0]
        turn = turned_by(np.degrees(move[3:] / bench.lever_mm))
        pose = Pose(turn @ pose.turn, pose.shift_mm + move[:3])
        if float(np.linalg.norm(move)) < FITTED_MM:
            break
    return pose


def pushes_held(bench: Bench, bone: Grid, rise: Grid, pose: Pose, pushes: list[Push]) -> int:
    """How many of the pushes friction holds on a guide that sits at `pose`."""
    gap, slope = gaps(bench.resting_mm, bone, rise, 0.0, pose.turn, pose.shift_mm)
    bears = gap < np.percentile(gap, PRESSED_IN_PERCENT) + BEARS_WITHIN_MM
    places = bench.resting_mm[bears] @ pose.turn.T
    directions = np.array([push.direction for push in pushes])
    pushed_at = np.array([push.place_mm for push in pushes]) @ pose.turn.T
    cones = friction_cones(places, unit(slope[bears]), bench.lever_mm)
    return int(held(cones, wrenches(directions, pushed_at, bench.lever_mm)))


def looseness(bench: Bench, bone: Grid) -> Looseness:
    """How firmly the seat's shape holds the guide, on the bone as segmented."""
    points = bench.resting_mm
    slope = gaps(points, bone, smooth(bone), 0.0, np.eye(3), np.zeros(3))[1]
    rows = motion_rows(points, unit(slope), bench.lever_mm)
    squares, motions = np.linalg.eigh(rows.T @ rows / len(rows))
    holding = np.sqrt(np.maximum(squares, 0.0))
    loosest = motions[:, 0] * np.sign(motions[np.abs(motions[:, 0]).argmax(), 0])
    moved = loosest[:3] + np.cross(loosest[3:] / bench.lever_mm, points)
    loosest = loosest / np.sqrt((moved**2).sum(axis=1).mean())
    return Looseness(
        holding=tuple(float(value) for value in holding),
        free=int(np.count_nonzero(holding < FREE_BELOW)),
        loosest_shift_mm=tuple(float(value) for value in loosest[:3]),
        loosest_turn_deg=tuple(float(value) for value in np.degrees(loosest[3:] / bench.lever_mm)),
    )

"""Pushing a guide home: a rigid body on a rigid bone, without friction, until nothing yields any more.

The guide moves as in a viscous film: at every moment in the direction of the push, as far as its contacts let it
(Moreau's sweeping process; its standstill is the equilibrium of the push and contact forces that only press). Each
small step solves the contacts exactly as they are linearised there, and the next one sees how far they were off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from guidegen.check.bench import Bench
from guidegen.check.bone_field import Grid, at
from guidegen.check.unilateral import allowed_motion
from guidegen.frames import FloatArray, rotation_about

# A step moves no contact point by much more than this, and the film yields four times as much where nothing holds:
# a slide along a slope of 1 in 4 and more goes at full step. Half and double of both change no outcome in a hundred.
STEP_MM = 0.5
YIELD = 4.0
# Contact that is so deep counts as touching: the accuracy of the distances themselves.
TOUCH_MM = 0.005
# A step that gets deeper must gain ten times as much way of the push.
DEEPER_COSTS = 10.0
# Standstill: what the contacts leave of the push is less than a thousandth of it.
STILL = 1e-3
# Or no step of this length gains any way: a contact in a groove between facets sees now one side, now the other. On
# real bones that leaves less than 1.5 % of the push unbalanced in 99 of 100 seats, 6 % at worst; friction leaves more.
FINEST_MM = 1e-4
MOST_STEPS = 1000
# Most of the way home goes on every sixth contact point, until no step of this length gains any: a sixth of the time.
EVERY, ROUGHLY_MM = 6, 0.01
# A turn less than this is none: rounding, without an axis.
NO_TURN_DEG = 1e-9
# A guide that is so far from where it belongs, in its plane or turned, has slid off: nobody would drill.
LOST_MM, LOST_DEG = 15.0, 30.0
# Starts are lifted off the bone until nothing is in it, by so much at least each time.
LIFT_MM, MOST_LIFTS = 0.05, 500

SEATED, LOST, MOVING = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the guide is: a point p (bench, as planned) is at `turn` (3, 3) p + `shift_mm` (3,)."""

    turn: FloatArray
    shift_mm: FloatArray

    def points(self, points_mm: FloatArray) -> FloatArray:
        """Where points (..., 3) of the guide are."""
        return np.asarray(points_mm @ self.turn.T + self.shift_mm)

    @property
    def shift_length_mm(self) -> float:
        """How far the contact's middle is from its place."""
        return float(np.linalg.norm(self.shift_mm))

    @property
    def turn_deg(self) -> float:
        """By how much the guide is turned, about whatever axis; exact near 0."""
        a = self.turn
        sine = np.linalg.norm([a[2, 1] - a[1, 2], a[0, 2] - a[2, 0], a[1, 0] - a[0, 1]])
        return float(np.degrees(np.arctan2(sine, np.trace(a) - 1.0)))


@dataclass(frozen=True, eq=False)
class Push:
    """A constant force: its direction (3,) on the bench, and the point (3,) of the guide that the finger stays on."""

    direction: FloatArray
    place_mm: FloatArray


def turned_by(vector_deg: FloatArray) -> FloatArray:
    """The rotation matrix (3, 3) about a vector (3,) by its length in degrees."""
    angle = float(np.linalg.norm(vector_deg))
    return rotation_about(vector_deg, angle) if angle > NO_TURN_DEG else np.eye(3)


def drawn_push(rng: np.random.Generator, cone_deg: float, aperture_mm: float, height_mm: float) -> Push:
    """A push on the contact's middle, `height_mm` above it, its direction even in a cone and its place on a disc."""
    tilt = np.radians(cone_deg) * np.sqrt(rng.random())
    radius = aperture_mm / 2.0 * np.sqrt(rng.random())
    to, beside = 2.0 * np.pi * rng.random(2)
    direction = np.array([np.sin(tilt) * np.cos(to), np.sin(tilt) * np.sin(to), -np.cos(tilt)])
    return Push(direction, np.array([radius * np.cos(beside), radius * np.sin(beside), height_mm]))


def push_home(bench: Bench, bone: Grid, rise: Grid, filled_mm: float, start: Pose, push: Push) -> tuple[Pose, int]:
    """Where the guide comes to rest, and whether it is SEATED, LOST (slid off) or still MOVING after MOST_STEPS.

    `rise` is by how much the true bone rises over the segmented one; `filled_mm` of tissue lies evenly on it.
    """
    turn, shift, how = start.turn, start.shift_mm, MOVING
    for points, finest_mm in ((bench.points_mm[::EVERY], ROUGHLY_MM), (bench.points_mm, FINEST_MM)):
        turn, shift, how = _settled(
            np.ascontiguousarray(points), bone, rise, filled_mm, turn, shift, push.direction, push.place_mm,
            bench.lever_mm, finest_mm,
        )  # fmt: skip
    return Pose(turn, shift), int(how)


@numba.njit(cache=True, nogil=True)
def gaps(
    points: FloatArray, bone: Grid, rise: Grid, filled: float, turn: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The gap (K,) under each contact point of a moved guide, negative in the bone, and its slope (K, 3)."""
    gap, slope = np.empty(len(points)), np.empty((len(points), 3))
    moved = points @ turn.T + shift
    end = np.empty(3)
    for a in range(3):
        end[a] = bone.low_mm[a] + bone.step_mm * (bone.values.shape[a] - 1)
    for i in range(len(points)):
        x, y, z = moved[i]
        distance, along_x, along_y, along_z = at(bone, x, y, z)
        higher, rise_x, rise_y, rise_z = at(rise, x, y, z)
        beyond = 0.0  # the grid ends there, and so does the bone that matters
        for a in range(3):
            out = max(0.0, bone.low_mm[a] - moved[i, a], moved[i, a] - end[a])
            beyond += out * out
        gap[i] = distance - higher - filled + np.sqrt(beyond)
        slope[i, 0], slope[i, 1], slope[i, 2] = along_x - rise_x, along_y - rise_y, along_z - rise_z
    return gap, slope


@numba.njit(cache=True, nogil=True)
def _settled(
    points: FloatArray, bone: Grid, rise: Grid, filled: float, turn: FloatArray, shift: FloatArray, force: FloatArray,
    place: FloatArray, lever: float, finest: float,
) -> tuple[FloatArray, FloatArray, int]:  # fmt: skip
    """`push_home`, compiled: turn (3, 3), shift (3,) and how it ended.

    A motion is (shift, turn × lever), so that both are lengths; the film resists both alike.
    """
    shift = shift.copy()
    gap, slope = gaps(points, bone, rise, filled, turn, shift)
    for _ in range(MOST_LIFTS):
        if gap.min() >= 0.0:
            break
        shift[2] += max(LIFT_MM, -gap.min())
        gap, slope = gaps(points, bone, rise, filled, turn, shift)
    step = STEP_MM
    for _ in range(MOST_STEPS):
        wish = np.empty(6)
        wish[:3] = force
        wish[3:] = np.cross(turn @ place, force) / lever
        wish *= YIELD * step / np.sqrt((wish * wish).sum())
        near = gap < 3.0 * step  # further than any contact point moves in a step
        motion, possible = allowed_motion(motion_rows(points[near] @ turn.T, slope[near], lever), -gap[near], wish)
        length = np.sqrt((motion * motion).sum())
        if possible and length < STILL * YIELD * step and gap.min() > -TOUCH_MM:
            return turn, shift, SEATED
        motion *= min(1.0, step / max(length, 1e-12))
        new_turn, new_shift = _rotation(motion[3:] / lever) @ turn, shift + motion[:3]
        new_gap, new_slope = gaps(points, bone, rise, filled, new_turn, new_shift)
        way = (force * (new_shift - shift + (new_turn - turn) @ place)).sum()
        deeper = max(0.0, -new_gap.min() - TOUCH_MM) - max(0.0, -gap.min() - TOUCH_MM)
        if not possible or way <= DEEPER_COSTS * deeper:
            step /= 2.0
            if step < finest:
                return turn, shift, SEATED if gap.min() > -2.0 * TOUCH_MM else MOVING
            continue
        turn, shift, gap, slope = new_turn, new_shift, new_gap, new_slope
        step = min(1.5 * step, STEP_MM)
        cosine = (turn[0, 0] + turn[1, 1] + turn[2, 2] - 1.0) / 2.0
        if shift[0] ** 2 + shift[1] ** 2 > LOST_MM**2 or cosine < np.cos(np.radians(LOST_DEG)):
            return turn, shift, LOST
    return turn, shift, MOVING


@numba.njit(cache=True, nogil=True)
def motion_rows(points: FloatArray, slopes: FloatArray, lever: float) -> FloatArray:
    """By how much each gap grows with each of the six motions (K, 6), about the origin of the points (K, 3)."""
    rows = np.empty((len(points), 6))
    for i in range(len(points)):
        (x, y, z), (a, b, c) = points[i], slopes[i]
        rows[i, 0], rows[i, 1], rows[i, 2] = a, b, c
        rows[i, 3], rows[i, 4], rows[i, 5] = (y * c - z * b) / lever, (z * a - x * c) / lever, (x * b - y * a) / lever
    return rows


@numba.njit(cache=True, nogil=True)
def _rotation(vector: FloatArray) -> FloatArray:
    """The rotation matrix (3, 3) about a vector (3,) by its length in rad (Rodrigues)."""
    angle = np.sqrt((vector * vector).sum())
    x, y, z = vector / max(angle, 1e-15)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: FloatArray = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return turn

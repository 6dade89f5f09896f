"""Which bone a guide may rest on: what a lateral approach lays bare and no muscle, capsule or vessel needs.

Every border is drawn from landmarks, in the femur's own terms: the level along the shaft above the head centre, the
turn about the shaft from straight lateral to the front (negative to the back), and how far lateral of the shaft axis.

- above: the abductors (gluteus medius and minimus) are inserted above the vastus lateralis' origin, a line from the
  vastus ridge to the upper end of the intertrochanteric line;
- in front: the capsule is attached along the intertrochanteric line;
- behind: gluteus maximus is inserted on the gluteal tuberosity; behind it, over the intertrochanteric crest, runs the
  deep branch of the medial circumflex artery, which feeds the head;
- within: the bone turns away behind its inner edge, where no retractor of a lateral approach reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.tuberosity import gluteal_tuberosity_deg
from guidegen.frames import FloatArray, IntArray, RigidTransform
from guidegen.plan.guide_shapes import Zones as Margins
from guidegen.surfaces import Surface

# Why bone is closed to a guide, by number; 0 is open.
OPEN, ABDUCTORS, CAPSULE, TUBEROSITY, INNER_SIDE, SCAN_END, KEPT_OUT, DOUBTFUL = range(8)
WORDS = {
    OPEN: "open to the guide",
    ABDUCTORS: "abductors' insertion",
    CAPSULE: "capsule, behind the intertrochanteric line",
    TUBEROSITY: "gluteal tuberosity and what lies behind it",
    INNER_SIDE: "inner side, out of a retractor's reach",
    SCAN_END: "end of the scan",
    KEPT_OUT: "kept out",
    DOUBTFUL: "thin bone or outgrowth",
}

# The vastus ridge is the lateral wall's edge as seen from straight lateral to this far in front (bone.trochanters).
RIDGE_FRONT_DEG = 30.0
# A border is open ground: rounding does not decide about cells that lie on one.
ROUNDED_DEG = 1e-6

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Place:
    """Where points are on the femur: level (K,) in mm above the head centre along the shaft, turn (K,) in degrees to
    the front, and how far lateral (K,) and in front (K,) of the shaft axis, in mm.
    """

    level_mm: FloatArray
    turn_deg: FloatArray
    lateral_mm: FloatArray
    front_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Zones:
    """The borders on one femur. `origin_mm` (3,), `up`, `lateral`, `front` (3,) are the shaft's frame; all in one
    frame.

    `ridge_mm` (3,): the vastus ridge. `line_mm` (5, 3): level, lateral and turn of the intertrochanteric line's
    corners from above; empty where it is not known. `tuberosity_deg`: the turn of the gluteal tuberosity; None where
    none was found.
    """

    origin_mm: FloatArray
    up: FloatArray
    lateral: FloatArray
    front: FloatArray
    ridge_mm: FloatArray
    line_mm: FloatArray
    tuberosity_deg: float | None
    margins: Margins

    @classmethod
    def of(cls, bone: Surface, anatomy: Anatomy, margins: Margins) -> Zones:
        """The borders on a bone with its anatomy, both in LPS mm."""
        origin, up, lateral, front = anatomy.frame.origin_mm, anatomy.shaft_axis, anatomy.lateral, -anatomy.posterior
        bare = cls(origin, up, lateral, front, anatomy.vastus_ridge_mm, np.empty((0, 3)), None, margins)
        corners = anatomy.intertrochanteric_line_mm
        line = np.empty((0, 3))
        if corners is not None:
            at = bare.place(corners)
            line = np.stack([at.level_mm, at.lateral_mm, at.turn_deg], axis=1)[np.argsort(-at.level_mm)]
        found = gluteal_tuberosity_deg(bone, anatomy)
        return cls(origin, up, lateral, front, anatomy.vastus_ridge_mm, line, found, margins)

    @cached_property
    def axes(self) -> FloatArray:
        """Up, lateral and front, row by row (3, 3): right-handed on a right femur, left-handed on a left one."""
        return np.stack([self.up, self.lateral, self.front])

    def own_mm(self, points_mm: FloatArray) -> FloatArray:
        """Points (K, 3) in the femur's own terms: from the head centre up, lateral and to the front."""
        return np.asarray((points_mm - self.origin_mm) @ self.axes.T)

    def place(self, points_mm: FloatArray) -> Place:
        """Where points (K, 3) are."""
        up, lateral, front = self.own_mm(points_mm).T
        return Place(up, np.degrees(np.arctan2(front, lateral)), lateral, front)

    @cached_property
    def ridge_level_mm(self) -> float:
        """The vastus ridge's level above the head centre."""
        return float((self.ridge_mm - self.origin_mm) @ self.up)

    @cached_property
    def back_deg(self) -> float:
        """The turn behind which nothing rests: in front of the tuberosity by its margin, and never further back than
        the template allows.
        """
        if self.tuberosity_deg is None:
            return -self.margins.farthest_back_deg
        shaft_mm = 15.0  # the outer shaft's radius below the trochanter, by which the margin is an angle
        margin_deg = float(np.degrees(self.margins.off_tuberosity_mm / shaft_mm))
        return max(self.tuberosity_deg + margin_deg, -self.margins.farthest_back_deg)

    def origin_level_mm(self, turn_deg: FloatArray) -> FloatArray:
        """The level (K,) at which the vastus lateralis arises at a turn (K,): from the vastus ridge, in front of it on
        a line to the upper end of the intertrochanteric line.
        """
        return self._from_ridge_to_line(turn_deg, 0.0, 0.0)

    def top_mm(self, turn_deg: FloatArray) -> FloatArray:
        """The level (K,) at a turn (K,) above which nothing rests: onto the ridge, and short of the line's upper end by
        its margin.
        """
        return self._from_ridge_to_line(
            turn_deg, self.margins.above_ridge_mm, -self.margins.off_intertrochanteric_line_mm
        )

    def _from_ridge_to_line(self, turn_deg: FloatArray, above_ridge_mm: float, above_line_mm: float) -> FloatArray:
        ridge = self.ridge_level_mm + above_ridge_mm
        if len(self.line_mm) == 0:
            return np.full_like(turn_deg, ridge)
        level, _, turn = self.line_mm[0]
        share = np.clip((turn_deg - RIDGE_FRONT_DEG) / max(turn - RIDGE_FRONT_DEG, 1.0), 0.0, 1.0)
        return np.asarray(ridge + share * (level + above_line_mm - ridge))

    def closed(self, points_mm: FloatArray) -> IntArray:
        """Why points (K, 3) of the surface are closed to a guide, by number, 0 for open; by the landmarks alone."""
        at = self.place(points_mm)
        why = np.full(len(points_mm), OPEN, dtype=np.int64)
        why[at.turn_deg > self.margins.farthest_front_deg + ROUNDED_DEG] = INNER_SIDE
        why[at.turn_deg < self.back_deg - ROUNDED_DEG] = TUBEROSITY
        why[at.level_mm > self.top_mm(at.turn_deg)] = ABDUCTORS
        why[self._past_line(at)] = CAPSULE
        return why

    def _past_line(self, at: Place) -> Flags:
        """On the front, beside the intertrochanteric line and above, whatever lies medial of it or within its margin;
        where the line is not known, whatever lies medial of the shaft axis.
        """
        if len(self.line_mm) == 0:
            return np.asarray((at.front_mm > 0.0) & (at.lateral_mm < 0.0))
        rising = self.line_mm[::-1]
        beside = np.interp(at.level_mm, rising[:, 0], rising[:, 1]) + self.margins.off_intertrochanteric_line_mm
        return np.asarray((at.front_mm > 0.0) & (at.level_mm >= rising[0, 0]) & (at.lateral_mm < beside))

    def transformed(self, transform: RigidTransform) -> Zones:
        """The same in the transform's target frame."""
        return Zones(
            transform.points(self.origin_mm), transform.vectors(self.up), transform.vectors(self.lateral),
            transform.vectors(self.front), transform.points(self.ridge_mm), self.line_mm, self.tuberosity_deg,
            self.margins,
        )  # fmt: skip

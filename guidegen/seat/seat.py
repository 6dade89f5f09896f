"""A seat: where a guide sits on the bone, the way it comes off, and how well it is held there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray, RigidTransform, turning
from guidegen.plan.seating import OWN, Seating
from guidegen.rounded import shown, significant
from guidegen.seat.best_fit import Spread
from guidegen.seat.docking import LEVER_MM
from guidegen.seat.footprint import Footprint
from guidegen.seat.surface_error import ERROR_MM, doubt_mm
from guidegen.seat.zones import Zones

GUIDE = "guide"

# What is said of a motion: a part that is a good share of the largest of its kind, and more than nothing.
SAID_SHARE = 0.6
LEAST_SHIFT_MM, LEAST_TURN_DEG = 0.1, 0.1


@dataclass(frozen=True, eq=False)
class Seat:
    """A footprint with its removal direction, and what is predicted of it.

    `frame` leads from LPS to the guide's own frame: z the removal direction, y along the shaft to the head, origin on
    the bone in the middle of the contact. `fit`: how far the tip of the drill strays, of several tips the
    one that strays most, when a careful hand fits the guide; `dock`: when it is pushed home without friction at an
    uncertain place; `held_share`: of a hand's pushes, those that dry friction keeps in place. `motions` (3, 6): the
    three largest likely motions of the best fit (95 % of each), shift in mm and turn in degrees along shaft, lateral
    and front. `covariance` (6, 6): of the best fit's motion in LPS, the shift of the frame's origin in mm and the turn
    about it in rad.
    """

    size: str
    frame: RigidTransform
    footprint: Footprint
    contact_mm2: float
    fit: Spread
    dock: Spread
    held_share: float
    motions: FloatArray
    covariance: FloatArray

    @property
    def removal_direction(self) -> FloatArray:
        """The unit vector (3,) off the bone, in LPS."""
        return self.frame.inverse().vectors(np.array([0.0, 0.0, 1.0]))

    @property
    def weakest_in_words(self) -> str:
        """The largest likely motion, such as "turns 1.1° about the shaft and slides 0.3 mm along it"."""
        return motion_in_words(self.motions[0])

    def seating(self, surface_error_mm: float) -> Seating:
        """How far off a careful hand fits this seat, for the error budget; on a bone whose label alone is off by more
        along the normal than the model takes (ERROR_MM), in proportion.
        """
        error_mm = doubt_mm(surface_error_mm)
        return Seating(
            center_mm=self.frame.inverse().points(np.zeros(3)),
            covariance=(error_mm / ERROR_MM) ** 2 * self.covariance,
            whose=OWN,
            source=f"the built seat {self.size}, best fitted to a bone whose surface is off by "
            f"{significant(error_mm, 2)} mm",
            of_surface=True,
        )


def in_lps(covariance: FloatArray, middle_mm: FloatArray, zones: Zones, origin_mm: FloatArray) -> FloatArray:
    """A motion's covariance (6, 6) about a middle (3,), in the femur's own terms with the turn times LEVER_MM, as that
    of the shift of an origin (3,) in mm and of the turn in rad, in LPS.
    """
    handed = np.sign(np.linalg.det(zones.axes))  # in left-handed terms a turn goes the other way round its axis
    turn = handed / LEVER_MM * zones.axes.T
    arm_mm = origin_mm - zones.origin_mm - middle_mm @ zones.axes
    motion = np.block([[zones.axes.T, turning(arm_mm) @ turn], [np.zeros((3, 3)), turn]])
    moved = motion @ covariance @ motion.T
    return np.asarray((moved + moved.T) / 2.0)


def likely_motions(covariance: FloatArray, zones: Zones) -> FloatArray:
    """The three motions (3, 6) along which a best fit with this covariance (in the femur's own terms) strays most, at
    the 95 % of one direction: shift in mm and turn in degrees along shaft, lateral and front.
    """
    values, vectors = np.linalg.eigh(covariance)
    handed = np.sign(np.linalg.det(zones.axes))  # in left-handed terms a turn goes the other way round its axis
    motions = []
    for k in (-1, -2, -3):
        motion = 1.96 * np.sqrt(max(float(values[k]), 0.0)) * vectors[:, k]
        shift, turn = motion[:3], handed * np.degrees(motion[3:] / LEVER_MM)
        sign = np.sign(turn[int(np.argmax(np.abs(turn)))]) or 1.0  # of an eigenvector, either would do
        motions.append(np.concatenate([shift, turn]) * sign)
    return np.stack(motions)


def motion_in_words(motion: FloatArray) -> str:
    """A motion (6,) along shaft, lateral and front in words, its largest parts only."""
    shift, turn = np.abs(motion[:3]), np.abs(motion[3:])
    turns = [
        f"{shown(angle, 1)}° {about}"
        for angle, about in zip(turn, ("about the shaft", "in the sagittal plane", "in the frontal plane"), strict=True)
        if angle >= max(SAID_SHARE * turn.max(), LEAST_TURN_DEG)
    ]
    slides = [
        f"{shown(length, 1)} mm {along}"
        for length, along in zip(shift, ("along the shaft", "off the bone", "to the front or back"), strict=True)
        if length >= max(SAID_SHARE * shift.max(), LEAST_SHIFT_MM)
    ]
    said = [f"turns {' and '.join(turns)}"] if turns else []
    said += [f"slides {' and '.join(slides)}"] if slides else []
    return ", ".join(said) or "none above 0.1 mm and 0.1°"

"""What an expert overrules: a landmark, an axis, the registration or a keep-out, with author and reason.

What was computed stays beside what was given, and everything after it is computed again from what was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.case import Overrides
from guidegen.errors import CaseFileError
from guidegen.frames import LPS, FloatArray, RigidTransform, angle_deg, unit
from guidegen.lesion.registration import MR

POINTS = (
    "head_center_mm", "neck_isthmus_center_mm", "shaft_point_mm", "lesser_trochanter_mm", "greater_trochanter_mm",
    "vastus_ridge_mm",
)  # fmt: skip
AXES = ("neck_axis", "shaft_axis")

# An expert and the program differ by millimetres and degrees; more is a slip of the pen, another frame or another hip.
MOST_MM, MOST_DEG = 40.0, 30.0
MOST_RADIUS_MM = 8.0


@dataclass(frozen=True)
class Overruled:
    """One value that was overruled: its name, what was computed and what was given, and how far apart they are."""

    name: str
    computed: tuple[float, ...]
    given: tuple[float, ...]
    apart: float
    unit: str


def overrule_anatomy(computed: Anatomy, given: Overrides) -> tuple[Anatomy, tuple[Overruled, ...]]:
    """The anatomy with the landmarks and axes that were given in place of those computed, and a record of each.

    Axes are made unit vectors; the neck-shaft angle follows its axes. CaseFileError where a value is further from the
    computed one than experts differ.
    """
    changes: dict[str, Any] = {}
    record = []
    for name in (*POINTS, *AXES, "head_radius_mm"):
        value = getattr(given, name)
        if value is None:
            continue
        was = getattr(computed, name)
        now = unit(np.array(value)) if name in AXES else np.array(value, dtype=np.float64)
        apart, measure, most = _apart(name, was, now)
        if apart > most:
            raise CaseFileError(
                f"overrides.{name}: expected a value within {most:g} {measure} of the computed one "
                f"({_words(was)}), found one {apart:.1f} {measure} away; check its numbers, frame (LPS mm) and side"
            )
        changes[name] = float(now) if name == "head_radius_mm" else now
        record.append(Overruled(name, _numbers(was), _numbers(now), apart, measure))
    if not changes:
        return computed, ()
    changed = replace(computed, **changes)
    angle = 180.0 - angle_deg(changed.neck_axis, changed.shaft_axis)
    return replace(changed, neck_shaft_angle_deg=angle), tuple(record)


def given_registration(given: Overrides) -> RigidTransform | None:
    """The pose of the MR's femur on the bone that was given, from the MR's frame to the bone's; None if none was."""
    if given.registration is None:
        return None
    matrix = np.array(given.registration)
    try:
        return RigidTransform(matrix[:, :3], matrix[:, 3], MR, LPS)
    except ValueError as error:
        raise CaseFileError(
            f"overrides.registration: expected a turn and a shift [[r, r, r, mm], …] in three rows, found no rigid "
            f"motion ({error}); check its numbers"
        ) from error


def _apart(name: str, was: Any, now: Any) -> tuple[float, str, float]:
    if name in AXES:
        return angle_deg(was, now), "°", MOST_DEG
    if name == "head_radius_mm":
        return abs(float(was) - float(now)), "mm", MOST_RADIUS_MM
    return float(np.linalg.norm(np.asarray(was) - now)), "mm", MOST_MM


def _numbers(value: FloatArray | float) -> tuple[float, ...]:
    return tuple(round(float(each), 6) for each in np.atleast_1d(np.asarray(value)))


def _words(value: FloatArray | float) -> str:
    return ", ".join(f"{each:.3g}" for each in _numbers(value))

"""The bony landmarks of the phantom, found on its implicit surface and not on any grid.

Each is the point of the surface that is furthest in the sense of its definition. From the tip of the bump
that makes the landmark we climb along the surface until it faces where the definition points:

- greater trochanter: its superior tip, furthest along the shaft's axis;
- lesser trochanter: its tip, furthest from the shaft's axis;
- vastus ridge: its crest on the lateral profile, furthest to the side in the half-plane that begins at the shaft's
  axis and leads away from the head.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, across, unit
from guidegen.phantom.shape import TROCHANTERS, Shape

# The climb shrinks the angle to a landmark by 1 - step / radius of curvature: it needs a step below twice the smallest.
STEP_MM = 6.0
STEPS = 1000
# The normal of the surface at a landmark is right to this angle, its place to this times the radius of curvature there.
ANGLE_TOLERANCE = 1e-9
DIFFERENCE_MM = 1e-4

EVERYWHERE = np.eye(3)


def landmarks(shape: Shape) -> dict[str, FloatArray]:
    """The three landmarks (3,) by name, as drawn, in the femur frame; AnatomyError if one has no tip."""
    up, side, center = np.array([0.0, 0.0, 1.0]), lateral(shape), shape.shaft_center
    ridge = _tip(shape, "vastus ridge", side)
    beside = np.cross(side, up)
    ridge = ridge - beside * (beside @ (ridge - center))
    return {
        "greater trochanter": _furthest(shape, _tip(shape, "greater trochanter", up), lambda _: up),
        "lesser trochanter": _furthest(
            shape,
            _tip(shape, "lesser trochanter", unit([1.0, 1.0, 0.0])),
            lambda point: unit(across(point - center, up)),
        ),
        "vastus ridge": _furthest(shape, ridge, lambda _: side, np.eye(3) - np.outer(beside, beside)),
    }


def lateral(shape: Shape) -> FloatArray:
    """From the centre of the head to the shaft's axis, at right angles to it: unit (3,), in the femur frame."""
    return unit(shape.shaft_center * [1.0, 1.0, 0.0])


def _tip(shape: Shape, name: str, direction: FloatArray) -> FloatArray:
    """Where to begin: beyond the centre of the named bump, at half its width in the unit vector `direction`."""
    part = TROCHANTERS[name]
    reach = np.linalg.norm(np.array(part.semi_axes) * (direction @ part.rotation))
    return np.asarray(shape.neck_end + part.center + direction * reach)


def _furthest(
    shape: Shape, start: FloatArray, outwards: Callable[[FloatArray], FloatArray], within: FloatArray = EVERYWHERE
) -> FloatArray:
    """The point near `start` where the surface faces the unit vector `outwards` of it.

    `within` (3, 3) projects on the plane that is not to be left.
    """
    point = start
    for _ in range(STEPS):
        value, slope = _value_and_slope(shape, point)
        slope = within @ slope
        point = point - value * slope / (slope @ slope)
        uphill = across(outwards(point), unit(slope))
        if np.linalg.norm(uphill) < ANGLE_TOLERANCE:
            return point
        point = point + STEP_MM * uphill
    raise AnatomyError(
        f"expected the phantom to have a tip near {start.round(1).tolist()}, found none: choose another angle"
    )


def _value_and_slope(shape: Shape, point: FloatArray) -> tuple[float, FloatArray]:
    """The implicit function and its gradient (3,), by central differences."""
    steps = DIFFERENCE_MM * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    values = shape.femur_drawn((point[0] + steps[:, 0], point[1] + steps[:, 1], point[2] + steps[:, 2]))
    return float(values[0]), (values[1:4] - values[4:]) / (2.0 * DIFFERENCE_MM)

"""The bones of the phantom as implicit functions: negative inside, zero on the surface, positive outside.

Everything is drawn once, as a right hip with a head of radius 24 mm, and scaled to the head
asked for. Two frames, both with their origin at the centre of the head, in mm:

- hip frame: x to the middle of the body, y to the back, z along the femoral shaft to the head;
- femur frame: the hip frame turned about z by the anteversion, so that the neck lies in its xz plane.

The proportions are those of adult proximal femora: head offset 42 mm, neck isthmus 34 × 29 mm, shaft
32 × 30 mm below the lesser trochanter, whose tip lies 55 mm below the centre of the head along the shaft.

A point is a tuple of three coordinates, each a number or an array of one shape; values come back in
that shape. Only +, -, *, /, sqrt, min and max are used on them, so that every machine gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, rotation_about, unit

Field = npt.NDArray[Any]
Point = tuple[Any, Any, Any]
Triple = tuple[float, float, float]

DRAWN_RADIUS_MM = 24.0  # of the head as drawn here; all lengths below go with it

NECK_LENGTH_MM = 50.0  # centre of the head to the shaft's plane, along the neck
ISTHMUS_MM = 24.5  # centre of the head to the narrowest section of the neck
ISTHMUS_HALF_MM = (17.0, 14.5)  # half its height and half its depth
SHAFT_CENTER_MM = (0.5, 12.0)  # x and y of the shaft's axis from the end of the neck's: the neck lies in front of it
SHAFT_HALF_MM = 17.0  # half its width where it is widest, below the trochanters
HEAD_BLEND_MM = 4.0  # small enough to leave both the dome and the isthmus untouched
NECK_BLEND_MM = 4.0

JOINT_RADIUS_MM = 27.5  # of the acetabulum: a gap of 3.5 mm holds the cartilage
CUP_OUTER_MM = 36.0
CUP_AXIS = unit((0.68, 0.25, 0.69))  # into the pelvis: the cup opens to the side, down and a little forward
RIM_HEIGHT_MM = JOINT_RADIUS_MM * float(np.cos(np.radians(75.0)))  # the cup covers 75° round its axis

COLLAPSE_HALF_ANGLE_DEG = 35.0  # how far round the collapse direction the dome is flattened
TINY = 1e-12


@dataclass(frozen=True)
class Ellipsoid:
    """One bump of the bone: centre and semi-axes in mm, leaned about the frame's axes in turn, and its blend."""

    center: Triple
    semi_axes: Triple
    lean_deg: tuple[tuple[str, float], ...]
    blend_mm: float

    @cached_property
    def rotation(self) -> FloatArray:
        """The unit semi-axes as columns (3, 3)."""
        rotation = np.eye(3)
        for axis, degrees in self.lean_deg:
            rotation = rotation_about(np.eye(3)["xyz".index(axis)], degrees) @ rotation
        return rotation


# From the point where the axis of the neck ends in the trochanters, in the directions of the femur frame.
TROCHANTERS = {
    "flare": Ellipsoid((-2.0, 9.5, -15.0), (22.0, 16.5, 27.0), (("y", 8.0),), 15.0),
    "greater trochanter": Ellipsoid((-15.5, 5.5, 9.0), (11.5, 18.5, 26.5), (("x", -14.0), ("y", 10.0)), 10.0),
    "overhang": Ellipsoid((-9.5, 17.0, 10.0), (8.0, 10.0, 19.0), (("x", -12.0),), 10.0),
    "trochanteric crest": Ellipsoid((4.0, 24.0, -9.0), (6.0, 5.5, 24.0), (("y", -38.0),), 10.0),
    "calcar": Ellipsoid((14.5, 6.0, -18.0), (9.5, 12.5, 20.5), (("y", 15.0),), 8.0),
    "lesser trochanter": Ellipsoid((14.0, 24.0, -25.0), (13.0, 9.5, 12.0), (("z", 42.0),), 12.0),
    "intertrochanteric line": Ellipsoid((-9.0, -8.0, 6.0), (9.0, 7.0, 17.0), (("y", -35.0),), 12.0),
    "vastus ridge": Ellipsoid((-22.8, 12.5, -4.0), (5.0, 12.5, 6.0), (("x", 6.0), ("z", -9.0)), 7.0),
}

# From the centre of the head, in the hip frame.
PELVIS = {
    "ilium": Ellipsoid((8.0, 8.0, 38.0), (14.0, 27.0, 27.0), (("y", -6.0),), 12.0),
    "ischium": Ellipsoid((18.0, 26.0, -18.0), (10.0, 12.0, 28.0), (("x", 8.0),), 10.0),
    "pubis": Ellipsoid((34.0, -18.0, -2.0), (22.0, 9.0, 9.0), (("z", -26.0),), 10.0),
}


def blended(a: Field, b: Field, blend_mm: float) -> Field:
    """The union of two bodies, filleted where both surfaces are nearer than `blend_mm` (polynomial minimum).

    Where the two values differ by `blend_mm` or more it is exactly the smaller one.
    """
    near = np.maximum(blend_mm - np.abs(a - b), 0.0) * (1.0 / blend_mm)
    return np.asarray(np.minimum(a, b) - near * near * (blend_mm / 4.0))


def trimmed(a: Field, b: Field, blend_mm: float) -> Field:
    """What two bodies share, its edge rounded as in `blended`."""
    return -blended(-a, -b, blend_mm)


@cache
def _to_unit_ball(part: Ellipsoid) -> tuple[list[list[float]], list[float]]:
    """The matrix and the offset that make the ellipsoid a unit ball."""
    matrix = part.rotation.T / np.array(part.semi_axes)[:, None]
    return matrix.tolist(), (matrix @ np.array(part.center)).tolist()


def _round(scaled: list[Field], semi_axes: tuple[float, ...] | list[Field]) -> Field:
    """Distance to first order from coordinates divided by their semi-axes; exact for a ball."""
    k0 = np.sqrt(sum(q * q for q in scaled))
    k1 = np.sqrt(sum((q / r) ** 2 for q, r in zip(scaled, semi_axes, strict=True)))
    return np.asarray((k0 - 1.0) * (k0 + TINY) / (k1 + TINY))


def ellipsoid(point: Point, part: Ellipsoid) -> Field:
    """Distance, to first order, from the points to the ellipsoid; zero exactly on it, never deeper than it is thin."""
    matrix, offset = _to_unit_ball(part)
    x, y, z = point
    scaled = [a * x + b * y + c * z - d for (a, b, c), d in zip(matrix, offset, strict=True)]
    return np.maximum(_round(scaled, part.semi_axes), -min(part.semi_axes))


@dataclass(frozen=True)
class Shape:
    """The bones and the lesion of a right hip. Points, centres and directions are in the hip frame, in mm."""

    head_radius_mm: float
    neck_shaft_angle_deg: float
    anteversion_deg: float
    lesion_radius_mm: float
    lesion_direction: Triple
    lesion_center_mm: Triple
    collapse_mm: float

    @property
    def scale(self) -> float:
        """Millimetres of this hip per millimetre as drawn."""
        return self.head_radius_mm / DRAWN_RADIUS_MM

    @cached_property
    def femur_axes(self) -> FloatArray:
        """The axes of the femur frame as rows (3, 3)."""
        return rotation_about((0.0, 0.0, 1.0), self.anteversion_deg)

    @cached_property
    def neck_axis(self) -> FloatArray:
        """Unit vector (3,) along the neck to the head, in the femur frame."""
        lean = np.radians(180.0 - self.neck_shaft_angle_deg)
        return np.array([np.sin(lean), 0.0, np.cos(lean)])

    @property
    def neck_end(self) -> FloatArray:
        """Where the axis of the neck ends in the trochanters (3,), as drawn, in the femur frame."""
        return self.neck_axis * -NECK_LENGTH_MM

    @property
    def shaft_center(self) -> FloatArray:
        """The point (3,) of the shaft's axis level with `neck_end`, as drawn, in the femur frame."""
        return np.array([*SHAFT_CENTER_MM, 0.0]) + self.neck_end

    def femur_mm(self, point: Point) -> Field:
        """Distance, to first order, to the surface of the femur; zero exactly on it, exact on the dome of the head."""
        rows = (self.femur_axes / self.scale).tolist()
        drawn = tuple(a * point[0] + b * point[1] + c * point[2] for a, b, c in rows)
        return self.femur_drawn((drawn[0], drawn[1], drawn[2])) * self.scale

    def femur_drawn(self, point: Point) -> Field:
        """`femur_mm` as drawn: points in the femur frame, head of 24 mm."""
        end = self.neck_end.tolist()
        below = (point[0] - end[0], point[1] - end[1], point[2] - end[2])
        body = _shaft(below)
        for part in TROCHANTERS.values():
            body = blended(body, ellipsoid(below, part), part.blend_mm)
        return blended(blended(body, self._neck(point), NECK_BLEND_MM), self._head(point), HEAD_BLEND_MM)

    def _head(self, point: Point) -> Field:
        x, y, z = point
        radius = np.sqrt(x * x + y * y + z * z)
        if self.collapse_mm == 0.0:
            return np.asarray(radius - DRAWN_RADIUS_MM)
        a, b, c = (self.femur_axes @ np.array(self.lesion_direction)).tolist()
        edge = float(np.cos(np.radians(COLLAPSE_HALF_ANGLE_DEG)))
        cosine = (a * x + b * y + c * z) / (radius + TINY)
        dent = np.maximum((cosine - edge) * (1.0 / (1.0 - edge)), 0.0)
        return np.asarray(radius - DRAWN_RADIUS_MM + dent * dent * (self.collapse_mm / self.scale))

    def _neck(self, point: Point) -> Field:
        """An ellipse along the axis of the neck, narrowest at the isthmus, its ends inside head and trochanters."""
        sine, _, cosine = self.neck_axis.tolist()
        x, y, z = point
        along = -(x * sine + z * cosine)
        past = np.minimum(np.maximum(along, 5.0), 50.0) - ISTHMUS_MM
        lateral, medial = np.maximum(past, 0.0) ** 2, np.minimum(past, 0.0) ** 2
        height = ISTHMUS_HALF_MM[0] + lateral * 0.020 + medial * 0.004
        depth = ISTHMUS_HALF_MM[1] + lateral * 0.006 + medial * 0.004
        wall = _round([(z * sine - x * cosine) / height, y / depth], [height, depth])
        return trimmed(np.maximum(wall, 5.0 - along), along - 47.0, 14.0)

    def pelvis_mm(self, point: Point) -> Field:
        """Distance, to first order, to the surface of the pelvis; exact inside the acetabulum."""
        x, y, z = (coordinate * (1.0 / self.scale) for coordinate in point)
        a, b, c = CUP_AXIS.tolist()
        radius = np.sqrt(x * x + y * y + z * z)
        body = radius - CUP_OUTER_MM
        for part in PELVIS.values():
            body = blended(body, ellipsoid((x, y, z), part), part.blend_mm)
        body = trimmed(body, RIM_HEIGHT_MM - (a * x + b * y + c * z), 4.0)
        return np.asarray(np.maximum(body, JOINT_RADIUS_MM - radius) * self.scale)

    def lesion_mm(self, point: Point) -> Field:
        """Exact distance to the surface of the lesion, a ball."""
        x, y, z = (coordinate - center for coordinate, center in zip(point, self.lesion_center_mm, strict=True))
        return np.asarray(np.sqrt(x * x + y * y + z * z) - self.lesion_radius_mm)

    def extent_mm(self, direction: FloatArray, shaft_below_head_mm: float, margin_mm: float) -> tuple[float, float]:
        """Lowest and highest value of `direction` (3,) · point over the bones and a margin round them.

        The shaft counts down to its axis at `shaft_below_head_mm`, without a margin: a scan stops inside the bone.
        """
        across = self.femur_axes @ direction
        spans = [(0.0, CUP_OUTER_MM)]
        spans += [(float(across @ (self.neck_end + p.center)), _half_width(p, across)) for p in TROCHANTERS.values()]
        spans += [(float(direction @ np.array(p.center)), _half_width(p, direction)) for p in PELVIS.values()]
        spans_mm = [(middle * self.scale, half * self.scale + margin_mm) for middle, half in spans]
        end_mm = self.shaft_center[:2] * self.scale
        middle_mm = float(across[:2] @ end_mm - across[2] * shaft_below_head_mm)
        tilt = float(np.hypot(across[0], across[1]))
        spans_mm.append((middle_mm, (SHAFT_HALF_MM * self.scale + margin_mm) * tilt))
        return min(middle - half for middle, half in spans_mm), max(middle + half for middle, half in spans_mm)


def _shaft(point: Point) -> Field:
    """A tapered, slightly elliptical column with a ridge down its back, closed inside the flare."""
    x, y, z = point
    level = np.minimum(np.maximum(z, -300.0), 10.0) + 80.0
    width = 15.6 + level * 0.03
    depth = 14.4 + level * 0.015
    wall = _round([(x - SHAFT_CENTER_MM[0]) / width, (y - SHAFT_CENTER_MM[1]) / depth], [width, depth])
    linea_aspera = _round([(x - SHAFT_CENTER_MM[0]) / 5.0, (y - SHAFT_CENTER_MM[1] - depth + 2.2) / 3.0], (5.0, 3.0))
    return blended(trimmed(wall, z + 2.0, 14.0), trimmed(linea_aspera, z + 42.0, 20.0), 4.0)


def _half_width(part: Ellipsoid, direction: FloatArray) -> float:
    """Half the ellipsoid's extent along the unit vector `direction`."""
    return float(np.linalg.norm(np.array(part.semi_axes) * (direction @ part.rotation)))

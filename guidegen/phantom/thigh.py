"""The soft tissue round the phantom's femur: a thigh with a skin of known shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.phantom.hip import Hip
from guidegen.phantom.shape import Field, Point, Shape


@dataclass(frozen=True)
class Thigh:
    """An elliptical cylinder along the shaft, in the hip frame: half its width and depth, and how far its axis lies to
    the middle of the body from that of the shaft. Bones that reach out of it stand in air.
    """

    half_width_mm: float = 95.0
    half_depth_mm: float = 85.0
    medial_mm: float = 35.0

    def scaled(self, shape: Shape, point: Point) -> tuple[Field, Field]:
        """Points of the hip frame across the cylinder, as shares of its half axes: 1 away on the skin."""
        x, y = self._axis_mm(shape).tolist()
        return (point[0] - x) * (1.0 / self.half_width_mm), (point[1] - y) * (1.0 / self.half_depth_mm)

    def distance_mm(self, shape: Shape, point: Point) -> Field:
        """Distance, to first order, of points of the hip frame to the skin, negative inside."""
        x, y = self.scaled(shape, point)
        from_axis = np.sqrt(x * x + y * y)
        steep = np.sqrt((x * (1.0 / self.half_width_mm)) ** 2 + (y * (1.0 / self.half_depth_mm)) ** 2)
        return np.asarray(from_axis * (from_axis - 1.0) / np.maximum(steep, 1e-6))

    def exit_mm(self, hip: Hip, start_mm: npt.ArrayLike, outwards: npt.ArrayLike) -> float:
        """How far from a point (3,) inside, LPS mm, along a unit vector (3,) the skin is: exact."""
        start = hip.pose.inverse().points(start_mm) * hip.mirror
        way = hip.pose.inverse().vectors(outwards) * hip.mirror
        at = np.array(self.scaled(hip.shape, (start[0], start[1], start[2])))
        along = way[:2] / np.array([self.half_width_mm, self.half_depth_mm])
        square, half, rest = along @ along, at @ along, at @ at - 1.0
        return float((-half + np.sqrt(half * half - square * rest)) / square)

    def extent_mm(
        self, shape: Shape, direction: FloatArray, ends_mm: tuple[float, float], margin_mm: float
    ) -> tuple[float, float]:
        """Lowest and highest value of `direction` (3,) · point over the cylinder between two levels, and a margin."""
        half = float(np.hypot(self.half_width_mm * direction[0], self.half_depth_mm * direction[1])) + margin_mm
        middles = [float(direction @ [*self._axis_mm(shape), end]) for end in ends_mm]
        return min(middles) - half, max(middles) + half

    def _axis_mm(self, shape: Shape) -> FloatArray:
        """Where the cylinder's axis is in the hip frame: x and y (2,)."""
        return np.asarray((shape.shaft_center @ shape.femur_axes * shape.scale)[:2] + [self.medial_mm, 0.0])

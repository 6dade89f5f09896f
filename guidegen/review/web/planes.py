"""The planes that slices are drawn in: how each is looked at, and how far its slider goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from guidegen.frames import FloatArray, across, rotation_about, unit
from guidegen.review.web.shapes import Shapes
from guidegen.show.section import Cut

MARGIN_MM = 8.0
STEP_MM = 0.5
ACROSS_MM = 44.0  # shown on either side of the axis, in a plane across it
OUTSIDE_MM = 30.0  # before the entry, and
BEYOND_MM = 10.0  # behind the target, as far as the plane across the tunnel goes


class Plane(StrEnum):
    """The planes; `along` turns about the first tunnel's axis, `across` moves on it."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    ALONG = "along"
    ACROSS = "across"


@dataclass(frozen=True)
class Slider:
    """The range of a slider, where it begins, its step and its unit; `says` is what a value of it means."""

    low: float
    high: float
    start: float
    step: float
    unit: str
    says: str


@dataclass(frozen=True, eq=False)
class Framed:
    """A plane with the square that is shown: `center_mm` (2,) right of and above the cut's origin, `span_mm` wide."""

    cut: Cut
    center_mm: FloatArray
    span_mm: float


# Laid out as radiology does: axial from the feet, coronal from the front, sagittal from the patient's left.
RIGHT_UP = {
    Plane.AXIAL: (np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])),
    Plane.CORONAL: (np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])),
    Plane.SAGITTAL: (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])),
}
ALONG_WHICH = {Plane.AXIAL: 2, Plane.CORONAL: 1, Plane.SAGITTAL: 0}  # the LPS axis that the slider moves on
SAYS = {Plane.AXIAL: "z in LPS", Plane.CORONAL: "y in LPS", Plane.SAGITTAL: "x in LPS"}


def planes_of(shapes: Shapes) -> tuple[Plane, ...]:
    """The planes that there are: those of a tunnel where there is one."""
    return tuple(plane for plane in Plane if plane in RIGHT_UP or shapes.plan["tunnels"])


def slider_of(shapes: Shapes, plane: Plane) -> Slider:
    """The slider of a plane; it begins at the lesion's centroid, or at the tunnel's middle plane."""
    if plane is Plane.ALONG:
        return Slider(-90.0, 90.0, 0.0, 5.0, "°", "turned about the axis; 0 faces the front")
    if plane is Plane.ACROSS:
        entry, axis, length_mm = _tunnel(shapes)
        reached = float((np.asarray(shapes.plan["lesion"]["centroid_mm"]) - entry) @ axis)
        start = _on_step(min(max(reached, 0.0), length_mm))
        return Slider(-OUTSIDE_MM, _on_step(length_mm + BEYOND_MM), start, STEP_MM, "mm", "from the entry, on the axis")
    axis_number = ALONG_WHICH[plane]
    places = shapes.region_mm[:, axis_number]
    start = _on_step(float(shapes.plan["lesion"]["centroid_mm"][axis_number]))
    low, high = float(np.floor(places.min())), float(np.ceil(places.max()))
    return Slider(low, high, start, STEP_MM, "mm", SAYS[plane])


def _on_step(place_mm: float) -> float:
    """The nearest place that a slider, which begins at whole millimetres, can stand on."""
    return round(place_mm / STEP_MM) * STEP_MM


def framed(shapes: Shapes, plane: Plane, at: float) -> Framed:
    """A plane at a value of its slider, in mm or degrees, and what is shown of it."""
    if plane is Plane.ACROSS:
        entry, axis, _ = _tunnel(shapes)
        up = unit(across(shapes.body.proximal, axis))
        return Framed(Cut(entry + at * axis, np.cross(axis, up), up), np.zeros(2), 2.0 * ACROSS_MM)
    if plane is Plane.ALONG:
        cut = _along(shapes, at)
    else:
        right, up = RIGHT_UP[plane]
        origin = shapes.region_mm.mean(axis=0)
        origin[ALONG_WHICH[plane]] = at
        cut = Cut(origin, right, up)
    flat = cut.flat_mm(shapes.region_mm)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return Framed(cut, (low + high) / 2.0, float((high - low).max()) + 2.0 * MARGIN_MM)


def _along(shapes: Shapes, turn_deg: float) -> Cut:
    """The plane through the tunnel's axis, seen from the front and turned about the axis, its way left to right or
    right to left as the patient stands.
    """
    entry, axis, _ = _tunnel(shapes)
    front = rotation_about(axis, turn_deg) @ unit(across(shapes.body.anterior, axis))
    right = axis if axis[0] > 0.0 else -axis  # towards the patient's left, as in a coronal slice
    return Cut(entry, right, np.cross(front, right))


def _tunnel(shapes: Shapes) -> tuple[FloatArray, FloatArray, float]:
    """Entry (3,), unit axis (3,) and length of the first tunnel."""
    first = shapes.plan["tunnels"][0]
    entry, target = np.asarray(first["entry_mm"]), np.asarray(first["target_mm"])
    return entry, unit(target - entry), float(np.linalg.norm(target - entry))

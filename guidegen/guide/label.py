"""The engraved name plate on the sleeve: patient id and side in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, RigidTransform, across, unit
from guidegen.guide import parts
from guidegen.guide.placement import Tube
from guidegen.guide.solids import part_solid, placed
from guidegen.plan.templates import LabelShape, SleeveShape

LINE_STEP = 1.3  # of the text height
MARGIN_MM = 0.6
PROUD_MM = 1.0  # the plate's face over the tube
WIDEST_PLATE_MM = 24.0
HEIGHT_STEP_MM = 0.25


@dataclass(frozen=True, eq=False)
class Label:
    """Text lines on a flat plate: centre (3,) of its face, unit vectors (3,) to read along, up and out; width and
    height of the flat.

    The plate is a rounded edge larger than its flat.
    """

    lines: tuple[str, ...]
    text_height_mm: float
    depth_mm: float
    center_mm: FloatArray
    reading_direction: FloatArray
    up_direction: FloatArray
    outward_direction: FloatArray
    width_mm: float
    height_mm: float

    def _place(self) -> RigidTransform:
        axes = np.stack([self.reading_direction, self.up_direction, self.outward_direction])
        return RigidTransform.to_frame(self.center_mm, axes, "guide", "part").inverse()

    def plate(self, make: parts.Make) -> Any:
        """The plate as a solid in the guide's frame."""
        thickness = self.height_mm / 4.0 + 3.0  # deep enough to root in the tube
        width, height = (size + 2.0 * parts.PLATE_EDGE_MM for size in (self.width_mm, self.height_mm))
        return placed(part_solid(make("plate", width, height, thickness), "the name plate"), self._place())

    def engraving(self, make: parts.Make) -> Any:
        """The letters to cut away, in the guide's frame."""
        step_mm = LINE_STEP * self.text_height_mm
        text = make("engraving", self.lines, self.text_height_mm, step_mm, self.depth_mm)
        return placed(part_solid(text, "the letters"), self._place())


def place_label(
    patient_id: str, side: str, sleeve: Tube, outer_mm: float, shape: LabelShape, sleeve_shape: SleeveShape
) -> Label:
    """A plate on the outward side of the sleeve, below its collar, with the largest text that fits."""
    outwards = -sleeve.axis
    face = unit(across(np.array([0.0, 0.0, 1.0]), outwards))
    start = sleeve.top_mm + sleeve_shape.collar_height_mm + sleeve_shape.collar_wall_mm - sleeve_shape.wall_mm
    width = sleeve.guided_to_mm - start - 2.0 * parts.PLATE_EDGE_MM
    for height in np.arange(shape.text_height_mm, shape.least_text_height_mm - 1e-9, -HEIGHT_STEP_MM):
        lines = _broken_lines(patient_id, side.upper(), float(height), width - 2.0 * MARGIN_MM)
        plate = max(outer_mm - 4.0, len(lines) * LINE_STEP * height + 2.0 * MARGIN_MM)
        if plate <= WIDEST_PLATE_MM and (len(lines) <= 2 or height <= shape.least_text_height_mm + HEIGHT_STEP_MM):
            center = sleeve.at(start + parts.PLATE_EDGE_MM + width / 2.0) + (outer_mm / 2.0 + PROUD_MM) * face
            return Label(
                lines,
                float(height),
                shape.depth_mm,
                center,
                outwards,
                np.cross(face, outwards),
                face,
                width,
                float(plate),
            )
    raise NoSafeGuide(
        f"expected a patient id that fits a plate of {width:.0f} × {WIDEST_PLATE_MM:g} mm in letters of at least "
        f"{shape.least_text_height_mm:g} mm, found {patient_id!r}; use a shorter id",
        rule="label",
        figures={"characters": float(len(patient_id))},
    )


def _broken_lines(patient_id: str, side: str, height_mm: float, width_mm: float) -> tuple[str, ...]:
    """The id in as many lines as its width needs, then the side."""
    from PIL import ImageFont

    font = ImageFont.truetype(str(parts.font_path()), 100)
    lines, line = [], ""
    for letter in patient_id:
        if line and font.getlength(line + letter) * height_mm / 100.0 > width_mm:
            lines.append(line)
            line = ""
        line += letter
    return (*lines, line, side)

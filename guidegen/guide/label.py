"""What is written, and the plates that bear it on the flanks of what stands on the shell.

Whatever is written stands on a flat, so that it can be read, and read back from the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from guidegen.frames import FloatArray, RigidTransform, angle_deg
from guidegen.guide import parts
from guidegen.guide.placement import Tube
from guidegen.guide.solids import part_solid, placed
from guidegen.plan.guide_shapes import LabelShape
from guidegen.rounded import shown
from guidegen.surfaces import Surface

LINE_STEP = 1.3  # of the text height
MARGIN_MM = 0.6
OUTLINED_MM = (
    0.01  # how far a letter's outline may be moved to have fewer corners: cutting them in goes four times faster
)
PROUD_MM = 1.0  # the plate's face over the tube
WIDEST_PLATE_MM = 24.0
HEIGHT_STEP_MM = 0.25
FEW_LINES, MANY_LINES = 4, 12

TO_FRONT = "ANT ↑", "ANT ↓"  # upwards or downwards on a plate or a pad
MOST_ASKEW_DEG = 38.0  # an arrow to the front, of that direction: more, and it tells little
ARROWS = {"→": np.array([1.0, 0.0]), "↑": np.array([0.0, 1.0]), "↓": np.array([0.0, -1.0])}


@dataclass(frozen=True, eq=False)
class Arrow:
    """An arrow as drawn: what it names, and where (3,) it begins and ends."""

    text: str
    start_mm: FloatArray
    end_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Label:
    """Text lines on a flat plate: centre (3,) of the text's field, unit vectors (3,) to read along, up and out; width
    and height of the field, and how thick the plate is below it. `raised`: the letters stand out by `depth_mm`, else
    they are cut in.

    The plate is a rounded edge larger than its field.
    """

    lines: tuple[str, ...]
    text_height_mm: float
    depth_mm: float
    raised: bool
    center_mm: FloatArray
    reading_direction: FloatArray
    up_direction: FloatArray
    outward_direction: FloatArray
    width_mm: float
    height_mm: float
    thickness_mm: float

    def _place(self) -> RigidTransform:
        axes = np.stack([self.reading_direction, self.up_direction, self.outward_direction])
        return RigidTransform.to_frame(self.center_mm, axes, "guide", "part").inverse()

    def plate(self, make: parts.Make) -> Any:
        """The plate as a solid in the guide's frame."""
        width, height = (size + 2.0 * parts.PLATE_EDGE_MM for size in (self.width_mm, self.height_mm))
        return placed(part_solid(make("plate", width, height, self.thickness_mm), "a name plate"), self._place())

    def letters(self, make: parts.Make) -> Any:
        """The letters to cut away, or to add where they are raised, in the guide's frame."""
        step_mm = LINE_STEP * self.text_height_mm
        text = make("letters", self.lines, self.text_height_mm, step_mm, self.depth_mm, self.raised)
        return placed(part_solid(text, "the letters").simplify(OUTLINED_MM), self._place())

    def arrows(self, make: parts.Make) -> tuple[Arrow, ...]:
        """The arrows among the letters, as drawn: each ends its line."""
        step_mm = LINE_STEP * self.text_height_mm
        drawn = make("letters", self.lines, self.text_height_mm, step_mm, self.depth_mm, self.raised)
        boxes = np.array([[vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)] for vertices, _ in drawn])
        found = []
        for number, line in enumerate(self.lines):
            if line[-1] not in ARROWS:
                continue
            level_mm = ((len(self.lines) - 1) / 2.0 - number) * step_mm
            on_line = np.abs(boxes.mean(axis=1)[:, 1] - level_mm) < step_mm / 2.0
            low, high = boxes[on_line][np.argmax(boxes[on_line][:, 1, 0])]
            half = np.abs(ARROWS[line[-1]]) * (high - low) / 2.0
            ends = (low + high) / 2.0 + np.outer([-1.0, 1.0], np.sign(ARROWS[line[-1]]) * half)
            start, end = self._place().points(np.column_stack([ends, np.zeros(2)]))
            named = " ".join(self.lines).split(line[-1])[0].split()[-1]  # the word before it, which may stand above it
            found.append(Arrow(named, start, end))
        return tuple(found)

    def transformed(self, frame: RigidTransform) -> Label:
        """The same in the transform's target frame."""
        return Label(
            self.lines, self.text_height_mm, self.depth_mm, self.raised, frame.points(self.center_mm),
            frame.vectors(self.reading_direction), frame.vectors(self.up_direction),
            frame.vectors(self.outward_direction), self.width_mm, self.height_mm, self.thickness_mm,
        )  # fmt: skip


def whose(patient_id: str, side: str, arrow: str, height_mm: float, width_mm: float) -> tuple[str, ...]:
    """The id in as many lines as its width needs, then the side in a word, and the arrow to the front."""
    return (*on_whom(patient_id, side, height_mm, width_mm), arrow)


def on_whom(patient_id: str, side: str, height_mm: float, width_mm: float) -> tuple[str, ...]:
    """The same without the arrow."""
    return (*broken(patient_id, height_mm, width_mm), side.upper())


def to_front(arrow: str, _height_mm: float, _width_mm: float) -> tuple[str, ...]:
    """The arrow alone."""
    return (arrow,)


def what_for(
    number: int, diameter_mm: float, reading_mm: float, revision: str, plan_hash: str, height_mm: float, width_mm: float
) -> tuple[str, ...]:
    """What a tunnel is drilled with, and the plan."""
    figures = on_tunnel(number, diameter_mm, reading_mm, height_mm, width_mm)
    return (*figures, *which_plan(revision, plan_hash, height_mm, width_mm))


def on_tunnel(
    number: int, diameter_mm: float, reading_mm: float, _height_mm: float, _width_mm: float
) -> tuple[str, ...]:
    """The tunnel's number, the drill's diameter and the depth at which its stop is set, none of which may be broken."""
    return f"{number} Ø{diameter_mm:g}", shown(reading_mm, 1)


def which_plan(revision: str, plan_hash: str, height_mm: float, width_mm: float) -> tuple[str, ...]:
    """The revision, and the plan in as many lines as its width needs."""
    return (revision, *broken(plan_hash, height_mm, width_mm))


def broken(text: str, height_mm: float, width_mm: float) -> tuple[str, ...]:
    """The text in lines of about equal length that are no wider than asked, or of one letter."""
    for count in range(1, len(text) + 1):
        length = -(-len(text) // count)
        lines = tuple(text[start : start + length] for start in range(0, len(text), length))
        if all(text_width_mm(line, height_mm) <= width_mm for line in lines):
            break
    return lines


def text_width_mm(text: str, height_mm: float) -> float:
    """How wide a line is in the engraver's font."""
    return float(_drawn_font().getlength(text)) * height_mm / 100.0


@cache
def _drawn_font() -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(parts.font_path()), 100)


Lines = Callable[[float, float], tuple[str, ...]]  # text broken for letters of a height, into a width, in mm


@dataclass(frozen=True, eq=False)
class Flank:
    """One side of a sleeve that a plate stands on: its direction (3,), and where along the axis it is free, from below
    the collar to the shell.
    """

    tube: Tube
    outer_mm: float
    face: FloatArray
    bone: Surface
    outside_mm: float
    start_mm: float

    @property
    def up(self) -> FloatArray:
        """Upwards on a plate that is read outwards along the sleeve (3,)."""
        return np.cross(self.face, -self.tube.axis)

    def off_deg(self, front: FloatArray) -> float:
        """How far an arrow up or down a plate is off a direction (3,)."""
        return min(angle_deg(self.up, front), angle_deg(-self.up, front))

    def free_mm(self, plate_mm: float) -> float:
        """How long a plate this high may be before its lower end would come near the shell: between the two a channel
        would run that nothing cleans, and a shell that rose before the plate would hide its letters.
        """
        ways = np.arange(self.start_mm, self.tube.guided_to_mm, WAY_STEP_MM)
        sideways = np.cross(self.face, self.tube.axis)
        corners = [
            over * self.face + side * (plate_mm / 2.0 + parts.PLATE_EDGE_MM) * sideways
            for over in (0.0, self.outer_mm / 2.0 + PROUD_MM, self.outer_mm / 2.0 + PROUD_MM + BEFORE_MM)
            for side in (-1.0, 1.0)
        ]
        places = self.tube.point_mm + ways[:, None, None] * self.tube.axis + np.array(corners)
        off_bone = self.bone.nearest(places.reshape(-1, 3))[0].reshape(places.shape[:2])
        low = (off_bone < self.outside_mm + OFF_SHELL_MM).any(axis=1)
        end = float(ways[int(np.argmax(low))]) if low.any() else self.tube.guided_to_mm
        return end - self.start_mm - 2.0 * parts.PLATE_EDGE_MM


WAY_STEP_MM = 0.25
ALONE_WIDER = 1.4  # than letters of the least height: printed, an arrow alone reads as well as they do
BEFORE_MM = 1.0  # over a plate's face: who reads it looks past the shell there
OFF_SHELL_MM = 2.0  # over the shell's outside: its fuller rim and the sleeve's fillet


def alone_mm(shape: LabelShape) -> float:
    """The height of text with an arrow that has no line of letters beside it to help it."""
    return max(shape.text_height_mm, ALONE_WIDER * shape.least_text_height_mm)


def flank_plate(
    flanks: Sequence[Flank], lines_of: Lines, is_clear: Callable[[Label], bool], shape: LabelShape
) -> Label | None:
    """The plate on the first of the flanks that has room, with the largest text: with few lines, or else whatever fits
    and is clear of what stands beside it; None where the text is too long for letters of the least height.
    """
    heights = np.arange(shape.text_height_mm, shape.least_text_height_mm - 1e-9, -HEIGHT_STEP_MM)
    if len(lines_of(shape.text_height_mm, np.inf)) == 1:
        heights = np.array([alone_mm(shape)])
    for few in (FEW_LINES, MANY_LINES):
        for flank in flanks:
            for height in heights:
                plate = _fitting(flank, lines_of, float(height), few, shape)
                if plate is not None and is_clear(plate):
                    return plate
    return None


def _fitting(flank: Flank, lines_of: Lines, text_mm: float, few: int, shape: LabelShape) -> Label | None:
    """The plate with text of this height in at most so many lines; None where it does not fit the flank."""
    plate = flank.outer_mm - 4.0
    for _ in range(2):  # how long a plate may be depends on how high it is, and that on its lines
        width = flank.free_mm(plate)
        if width <= 2.0 * MARGIN_MM:
            return None
        lines = lines_of(text_mm, width - 2.0 * MARGIN_MM)
        plate = max(flank.outer_mm - 4.0, len(lines) * LINE_STEP * text_mm + 2.0 * MARGIN_MM)
    widest = max(text_width_mm(line, text_mm) for line in lines)
    if widest > width - 2.0 * MARGIN_MM or plate > WIDEST_PLATE_MM or len(lines) > few:
        return None
    return _plate_at(flank, lines, text_mm, widest + 2.0 * MARGIN_MM, plate, shape)


def _plate_at(
    flank: Flank, lines: tuple[str, ...], text_mm: float, width_mm: float, plate_mm: float, shape: LabelShape
) -> Label:
    outwards, face = -flank.tube.axis, flank.face
    middle = flank.tube.at(flank.start_mm + parts.PLATE_EDGE_MM + width_mm / 2.0)
    return Label(
        lines, text_mm, shape.depth_mm, shape.raised, middle + (flank.outer_mm / 2.0 + PROUD_MM) * face, outwards,
        flank.up, face, width_mm, plate_mm, plate_mm / 4.0 + 3.0,
    )  # fmt: skip


def plate_points(plate: Label) -> FloatArray:
    """Points (K, 3) all over a plate, edge included."""
    shares = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 12), np.linspace(-0.5, 0.5, 12)), axis=-1).reshape(-1, 2)
    along = shares[:, :1] * (plate.width_mm + 2.0 * parts.PLATE_EDGE_MM) * plate.reading_direction
    up = shares[:, 1:] * (plate.height_mm + 2.0 * parts.PLATE_EDGE_MM) * plate.up_direction
    return np.asarray(plate.center_mm + along + up)

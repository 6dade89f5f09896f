"""The marks: plates on the sleeve that say whose guide it is and what for, and a pad that says which way is up.

Whatever is written stands on a flat, so that it can be read, and read back from the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, RigidTransform, across, angle_deg, rotation_about, unit
from guidegen.guide import parts
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.patch import Patch
from guidegen.guide.placement import Tube
from guidegen.guide.sights import Taken
from guidegen.guide.solids import part_solid, placed
from guidegen.plan.guide_shapes import LabelShape
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.rounded import shown
from guidegen.surfaces import Surface

LINE_STEP = 1.3  # of the text height
MARGIN_MM = 0.6
PROUD_MM = 1.0  # the plate's face over the tube
WIDEST_PLATE_MM = 24.0
HEIGHT_STEP_MM = 0.25
FEW_LINES, MANY_LINES = 4, 12
# From the sleeve's upper side, where the axis mark is, to the plates on both sides: the first prints best, the others
# lie higher over the shell.
ROUND_SLEEVE_DEG = (105.0, 90.0, 75.0)

# What is said of directions: on the pad, whose text runs along the shaft to the head, in one line or where that has no
# room in two; and on the sleeve, upwards or downwards.
TO_HEAD, TO_FRONT = (("PROX →",), ("PROX", "→")), ("ANT ↑", "ANT ↓")
MOST_ASKEW_DEG = 38.0  # an arrow to the front, of that direction: more, and it tells little
PAD_PROUD_MM = 0.4  # the pad's face over the shell's highest point under it
PAD_ROOT_MM = 3.0  # how deep it reaches down
PAD_GRID_MM = 1.5


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
        return placed(part_solid(text, "the letters"), self._place())

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
    return (*broken(patient_id, height_mm, width_mm), side.upper(), arrow)


def what_for(
    number: int, diameter_mm: float, reading_mm: float, revision: str, plan_hash: str, height_mm: float, width_mm: float
) -> tuple[str, ...]:
    """The tunnel's number, the drill's diameter and the depth at which its stop is set, none of which may be broken;
    the revision, and the plan in as many lines as its width needs.
    """
    figures = f"{number} Ø{diameter_mm:g}", shown(reading_mm, 1)
    return (*figures, revision, *broken(plan_hash, height_mm, width_mm))


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
    from PIL import ImageFont

    font = ImageFont.truetype(str(parts.font_path()), 100)
    return float(font.getlength(text)) * height_mm / 100.0


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

    def free_mm(self, plate_mm: float) -> float:
        """How long a plate this high may be before its lower end would come near the shell: between the two a channel
        would run that nothing cleans.
        """
        ways = np.arange(self.start_mm, self.tube.guided_to_mm, WAY_STEP_MM)
        sideways = np.cross(self.face, self.tube.axis)
        corners = [
            over * self.face + side * (plate_mm / 2.0 + parts.PLATE_EDGE_MM) * sideways
            for over in (0.0, self.outer_mm / 2.0 + PROUD_MM)
            for side in (-1.0, 1.0)
        ]
        places = self.tube.point_mm + ways[:, None, None] * self.tube.axis + np.array(corners)
        off_bone = self.bone.nearest(places.reshape(-1, 3))[0].reshape(places.shape[:2])
        low = (off_bone < self.outside_mm + OFF_SHELL_MM).any(axis=1)
        end = float(ways[int(np.argmax(low))]) if low.any() else self.tube.guided_to_mm
        return end - self.start_mm - 2.0 * parts.PLATE_EDGE_MM


WAY_STEP_MM = 0.25
OFF_SHELL_MM = 2.0  # over the shell's outside: its fuller rim and the sleeve's fillet


def sleeve_plates(
    identity: tuple[str, str], about: Lines, tube: Tube, sizes: SleeveSizes, collar_height_mm: float,
    front: FloatArray, bone: Surface, outside_mm: float, shape: LabelShape,
) -> tuple[Label, Label]:  # fmt: skip
    """The two plates on the flanks of a sleeve, between its collar and the shell, each with the largest text that fits:
    patient and side (`identity`) with an arrow to the front of the patient (3,), where one can point there best; and
    what the guide is for (`about`). NoSafeGuide where a text is too long for letters of the least height.

    The shell's outside lies `outside_mm` over the bone, which is in the guide's frame too.
    """
    start = tube.top_mm + collar_height_mm + (sizes.collar_mm - sizes.tube_mm) / 2.0
    upper = unit(across(np.array([0.0, 0.0, 1.0]), tube.axis))
    sides = [
        [
            Flank(tube, sizes.tube_mm, rotation_about(tube.axis, side * turn) @ upper, bone, outside_mm, start)
            for turn in ROUND_SLEEVE_DEG
        ]
        for side in (1.0, -1.0)
    ]
    first, second = sorted(sides, key=lambda flanks: abs(float(flanks[0].face @ front)))
    arrow = TO_FRONT[0] if first[0].up @ front > 0.0 else TO_FRONT[1]
    off_deg = [min(angle_deg(flank.up, front), angle_deg(-flank.up, front)) for flank in first]
    in_view = [flank for flank, off in zip(first, off_deg, strict=True) if off <= MOST_ASKEW_DEG]
    if not in_view:
        raise NoSafeGuide(
            f"expected a side of the sleeve on which an arrow to the patient's front is at most {MOST_ASKEW_DEG:g}° "
            f"off, found {min(off_deg):.0f}°; choose another entry",
            rule="label",
            figures={"off_deg": min(off_deg)},
        )
    said = partial(whose, *identity, arrow)
    return _sleeve_plate(in_view, said, shape), _sleeve_plate(second, about, shape)


def _sleeve_plate(flanks: list[Flank], lines_of: Lines, shape: LabelShape) -> Label:
    """The plate on the first flank that has room, with the largest text: with few lines, or else whatever fits."""
    heights = np.arange(shape.text_height_mm, shape.least_text_height_mm - 1e-9, -HEIGHT_STEP_MM)
    for few in (FEW_LINES, MANY_LINES):
        for flank in flanks:
            for height in heights:
                plate = _fitting(flank, lines_of, float(height), few, shape)
                if plate is not None:
                    return plate
    said = "".join(lines_of(shape.least_text_height_mm, 1e3))
    room_mm = max(flank.free_mm(WIDEST_PLATE_MM) for flank in flanks)
    raise NoSafeGuide(
        f"expected a text that fits a plate of {max(room_mm, 0.0):.0f} × {WIDEST_PLATE_MM:g} mm in letters of at least "
        f"{shape.least_text_height_mm:g} mm, found {said!r}; use a shorter id, or a template with a longer sleeve",
        rule="label",
        figures={"characters": float(len(said)), "room_mm": room_mm},
    )


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


def head_pad(
    patch: Patch, bone: Surface, outside_mm: float, lean: Lean, taken: list[Taken], shape: LabelShape
) -> Label:
    """The pad on a flank of the shell that says which way the head of the femur is, its text along the shaft, which
    runs along y. The shell's outside lies `outside_mm` over the bone. NoSafeGuide where there is no room for it.
    """
    places = _flank(patch, lean)
    for flat_mm in FLAT_MM:
        for lines in TO_HEAD:
            pad = _pad(patch, bone, lines, outside_mm, places, flat_mm, taken, shape)
            if pad is not None:
                return pad
    raise NoSafeGuide(
        "expected room on the shell for an arrow to the head of the femur, found none; choose a larger footprint",
        rule="label",
        figures={},
    )


@dataclass(frozen=True, eq=False)
class Lean:
    """How a pad must lean, since a guide is printed with its bone side up and a pad that looked down would be propped
    up: away from `down` (3,) in print by `least_deg` or more.
    """

    down: FloatArray
    least_deg: float


@dataclass(frozen=True, eq=False)
class Places:
    """Points (K, 3) of the patch and the outward directions across the shaft (K, 3) that a pad would face there."""

    points_mm: FloatArray
    outwards: FloatArray


def _pad(
    patch: Patch, bone: Surface, lines: tuple[str, ...], outside_mm: float, places: Places, flat_mm: float,
    taken: list[Taken], shape: LabelShape,
) -> Label | None:  # fmt: skip
    """The pad with the largest text that finds room; None for none."""
    least = shape.text_height_mm
    if len(lines) == 1:  # an arrow that stands alone has no letters to help it
        least = min(ARROW_WIDER * shape.least_text_height_mm, least)
    for height in np.arange(shape.text_height_mm, least - 1e-9, -HEIGHT_STEP_MM):
        width = max(text_width_mm(line, float(height)) for line in lines) + 2.0 * MARGIN_MM
        tall = len(lines) * LINE_STEP * float(height) + 2.0 * MARGIN_MM
        half = np.array([width, tall]) / 2.0 + parts.PLATE_EDGE_MM
        spot = _flattest_spot(patch, bone, places, half, flat_mm, taken)
        if spot is not None:
            base, outward, rough = spot
            up = np.cross(outward, np.array([0.0, 1.0, 0.0]))
            return Label(
                lines, float(height), shape.depth_mm, shape.raised, base + (outside_mm + PAD_PROUD_MM) * outward,
                np.array([0.0, 1.0, 0.0]), up, outward, float(width), float(tall), PAD_ROOT_MM + rough,
            )  # fmt: skip
    return None


def pad_points(pad: Label) -> FloatArray:
    """Points (K, 3) all over a plate, edge included."""
    shares = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 12), np.linspace(-0.5, 0.5, 12)), axis=-1).reshape(-1, 2)
    along = shares[:, :1] * (pad.width_mm + 2.0 * parts.PLATE_EDGE_MM) * pad.reading_direction
    up = shares[:, 1:] * (pad.height_mm + 2.0 * parts.PLATE_EDGE_MM) * pad.up_direction
    return np.asarray(pad.center_mm + along + up)


ARROW_WIDER = 1.15  # an arrow is finer drawn than a letter: it needs larger text to be read
FLAT_MM = 2.0, 3.0  # by which the shell may fall away under a pad, the better first
STEEPEST_DEG = 75.0  # of a pad: steeper, and it looks past the guide's edge
PAD_STEPS = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5), indexing="ij"), axis=-1).reshape(-1, 2)
LOOK_FROM_MM = 20.0


def _flattest_spot(
    patch: Patch, bone: Surface, places: Places, half_mm: FloatArray, flat_mm: float, taken: list[Taken]
) -> tuple[FloatArray, FloatArray, float] | None:
    """The place where a pad lies flattest: the highest point (3,) of the bone under it, its direction, and how far the
    bone falls away; None where it falls away by more than asked everywhere.
    """
    best: tuple[FloatArray, FloatArray, float] | None = None
    for point, outward in zip(places.points_mm, places.outwards, strict=True):
        up = np.cross(outward, np.array([0.0, 1.0, 0.0]))
        corners = point + PAD_STEPS[:, :1] * half_mm[0] * np.array([0.0, 1.0, 0.0]) + PAD_STEPS[:, 1:] * half_mm[1] * up
        way, _ = bone.ray_hits(corners + LOOK_FROM_MM * outward, -outward)
        if not np.isfinite(way).all():
            continue
        below = way - LOOK_FROM_MM
        rough = float(np.ptp(below))
        if rough > min(flat_mm, best[2] if best else np.inf):
            continue
        on_bone = corners - below[:, None] * outward
        if patch.edge_distance_mm(on_bone).min() < 0.0 or _meets(on_bone, taken):
            continue
        best = (point - float(below.min()) * outward, outward, rough)
    return best


def _flank(patch: Patch, lean: Lean) -> Places:
    """The places of the patch whose outward direction across the shaft leans as asked."""
    from scipy import ndimage

    field = patch.field
    calm = ndimage.gaussian_filter(field.height_mm, PAD_GRID_MM / STEP_MM)
    slope = np.gradient(calm, STEP_MM, axis=0)
    step = round(PAD_GRID_MM / STEP_MM)
    coarse = np.zeros_like(patch.bears)
    coarse[::step, ::step] = True
    i, j = np.argwhere(patch.bears & coarse & (np.abs(slope) <= np.tan(np.radians(STEEPEST_DEG)))).T
    points = np.stack([field.x_mm[i], field.y_mm[j], field.height_mm[i, j]], axis=1)
    outwards = unit(np.stack([-slope[i, j], np.zeros(len(i)), np.ones(len(i))], axis=1))
    leans = outwards @ lean.down <= np.cos(np.radians(lean.least_deg))
    return Places(points[leans], outwards[leans])


def _meets(points: FloatArray, taken: list[Taken]) -> bool:
    """Whether any of the points (K, 3) on the bone lies under what is taken, seen along the removal direction."""
    return any(
        bool((np.linalg.norm(points[:, None, :2] - other.points_mm[None, :, :2], axis=2) < other.radius_mm).any())
        for other in taken
    )

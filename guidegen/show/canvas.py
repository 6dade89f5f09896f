"""A sheet for one picture: where the viewer stands, and the lettering round what he sees.

Every view is a parallel projection, so that a scale bar holds all over the picture. What
is rendered and what is drawn over it share one `View`, hence one scale.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, across, unit
from guidegen.show.lettering import tell

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Colour = tuple[int, int, int]
Pixel = tuple[float, float]

# The sheet, and the rows of it that the scene fills, in pixels.
SHEET = (1200, 900)
SCENE_TOP, SCENE_BOTTOM = 128, 816
SCENE_MIDDLE = (SHEET[0] / 2.0, (SCENE_TOP + SCENE_BOTTOM) / 2.0)

# What the scene keeps free for the marks at its sides and at its top and bottom, in pixels.
MARGIN = np.array([150.0, 54.0])

# All is drawn this much larger and then reduced, against jagged edges.
FINER = 2

INK: Colour = (34, 40, 49)
QUIET: Colour = (96, 106, 118)
WHITE: Colour = (255, 255, 255)

EDGE = 40.0
NARROWER = 0.88  # of the size asked for, the letters of a wide typeface

# How hard a picture is packed, of 9: the rest of the way costs half a second for every twenty pictures.
PACKED = 3

# No view is nearer than lets the scale bar fit beside the legend, in pixels.
SCALE_BAR_MM = 20.0
LONGEST_BAR = 280.0

# A direction is named after its largest part, and after the second too from 22.5° on.
SECOND_PART = float(np.sin(np.radians(22.5)))


@dataclass(frozen=True, eq=False)
class View:
    """A parallel projection: `axes` (3, 3) has the rows right, up and towards the viewer; `center_mm` is mid-scene."""

    axes: FloatArray
    center_mm: FloatArray
    mm_per_pixel: float

    @classmethod
    def fitted(cls, toward: npt.ArrayLike, up: npt.ArrayLike, points_mm: FloatArray) -> View:
        """From the side `toward` (3,), `up` (3,) upwards, as near as shows all points (K, 3) inside the margins."""
        back = unit(toward)
        upright = unit(across(up, back))
        axes = np.stack([np.cross(upright, back), upright, back])
        low, high = (points_mm @ axes.T).min(axis=0), (points_mm @ axes.T).max(axis=0)
        free = np.array([SHEET[0], SCENE_BOTTOM - SCENE_TOP]) - 2.0 * MARGIN
        mm_per_pixel = max(SCALE_BAR_MM / LONGEST_BAR, float(((high - low)[:2] / free).max()))
        return cls(axes, (low + high) / 2.0 @ axes, mm_per_pixel)

    def pixels(self, points_mm: npt.ArrayLike) -> list[Pixel]:
        """Where the points (K, 3) lie on the sheet."""
        flat = (np.asarray(points_mm, dtype=np.float64) - self.center_mm) @ self.axes[:2].T / self.mm_per_pixel
        return [(SCENE_MIDDLE[0] + float(x), SCENE_MIDDLE[1] - float(y)) for x, y in flat]


class Sheet:
    """A rendered scene on white paper, and what is drawn and lettered on it; places and sizes in sheet pixels."""

    def __init__(self, scene: npt.NDArray[np.uint8], view: View) -> None:
        from PIL import Image, ImageDraw

        self.view = view
        self._image = Image.new("RGB", (SHEET[0] * FINER, SHEET[1] * FINER), WHITE)
        self._image.paste(Image.fromarray(scene), (0, SCENE_TOP * FINER))
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self, at: Pixel, words: str, size: float, colour: Colour = INK, bold: float = 0.0, anchor: str = "lm"
    ) -> None:
        """Letters with a white rim; `anchor` says which point of them lies at `at`, in Pillow's letters."""
        place = (at[0] * FINER, at[1] * FINER)
        for fill, width in ((WHITE, bold + 4.0), (colour, bold)):
            self._draw.text(place, words, fill, _font(size), anchor, stroke_width=width * FINER)

    def width(self, words: str, size: float) -> float:
        """How wide the letters are."""
        return float(self._draw.textlength(words, _font(size)) / FINER)

    def line(self, points: Sequence[Pixel], colour: Colour, width: float) -> None:
        """A line through the points."""
        self._draw.line([(x * FINER, y * FINER) for x, y in points], colour, round(width * FINER), joint="curve")

    def dashes(self, ends: Sequence[Pixel], colour: Colour, width: float) -> None:
        """A dashed straight line between two points, as far as it lies in the scene."""
        for piece in _dashes(np.asarray(ends)):
            if all(SCENE_TOP <= y <= SCENE_BOTTOM for _, y in piece):
                self.line(piece, colour, width)

    def box(self, corner: Pixel, far_corner: Pixel, colour: Colour) -> None:
        """A filled rectangle."""
        self._draw.rectangle([v * FINER for v in (*corner, *far_corner)], fill=colour)

    def title(self, patient_id: str, side: str, subject: str) -> None:
        """Whose hip and which side, in words, and below it what the picture shows."""
        hip, between = tell(f"{side.upper()} hip"), 44.0
        whole = self.width(patient_id, 46.0) + between + self.width(hip, 46.0)
        size = 46.0 * min(1.0, (SHEET[0] - 2.0 * EDGE) / whole)
        self.text((EDGE, 46), patient_id, size, bold=1.2)
        self.text((EDGE + self.width(patient_id, size) + between * size / 46.0, 46), hip, size, bold=1.2)
        self.text((EDGE, 96), tell(subject), 30.0, QUIET)

    def scale_bar(self) -> None:
        """A bar of 20 mm at the lower right."""
        right, y = SHEET[0] - EDGE, SHEET[1] - 30.0
        left = right - SCALE_BAR_MM / self.view.mm_per_pixel
        self.line([(left, y), (right, y)], INK, 4.0)
        for x in (left, right):
            self.line([(x, y - 10), (x, y + 10)], INK, 4.0)
        self.text(((left + right) / 2.0, y - 28), f"{SCALE_BAR_MM:g} mm", 28.0, anchor="mm")

    def marks(self, directions: Mapping[tuple[str, str], FloatArray]) -> None:
        """At each side of the scene the body direction that lies there.

        `directions` are unit vectors (3,), each under the names of where it points to and where it comes from.
        """
        right, up = self.view.axes[0], self.view.axes[1]
        for at, anchor, towards in (
            ((SHEET[0] - 24.0, SCENE_MIDDLE[1]), "rm", right),
            ((24.0, SCENE_MIDDLE[1]), "lm", -right),
            ((SCENE_MIDDLE[0], SCENE_TOP + 24.0), "mm", up),
            ((SCENE_MIDDLE[0], SCENE_BOTTOM - 24.0), "mm", -up),
        ):
            self.text(at, named(towards, directions), 30.0, QUIET, bold=0.8, anchor=anchor)

    def legend(self, entries: Sequence[tuple[str, Colour]]) -> None:
        """Coloured squares and what they stand for, along the lower edge."""
        x, y = EDGE, SHEET[1] - 44.0
        for english, colour in entries:
            words = tell(english)
            self.box((x, y - 13), (x + 26, y + 13), colour)
            self.text((x + 38, y), words, 28.0)
            x += 38 + self.width(words, 28.0) + 32

    def png(self) -> bytes:
        """The sheet as PNG, without any date."""
        content = io.BytesIO()
        self._image.reduce(FINER).save(content, "PNG", compress_level=PACKED)
        return content.getvalue()


@cache
def _font(size: float) -> FreeTypeFont:
    """The typeface that matplotlib ships, the same on every machine and in all pictures, with the letters of every
    language; a little smaller, since it is wide.
    """
    from matplotlib import get_data_path
    from PIL.ImageFont import Layout, truetype

    path = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return truetype(path, NARROWER * size * FINER, layout_engine=Layout.BASIC)


def named(towards: FloatArray, directions: Mapping[tuple[str, str], FloatArray]) -> str:
    """The body direction or two that `towards` (3,) mostly follows, such as PROX or ANT-MED."""
    parts = [(float(towards @ axis), ends) for ends, axis in directions.items()]
    parts.sort(key=lambda part: -abs(part[0]))
    names = [tell(ends[0] if part > 0 else ends[1]) for part, ends in parts]
    return "-".join(names[: 2 if abs(parts[1][0]) > SECOND_PART else 1])


def _dashes(ends: FloatArray, dash: float = 14.0, gap: float = 9.0) -> Iterator[list[Pixel]]:
    """The ends of each dash of the line between two points (2, 2)."""
    length = float(np.linalg.norm(ends[1] - ends[0]))
    for begin in np.arange(0.0, length, dash + gap):
        yield [
            (float(x), float(y))
            for x, y in ends[0] + np.outer([begin, min(begin + dash, length)], (ends[1] - ends[0]) / length)
        ]

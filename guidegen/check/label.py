"""The engraving, read from the file as an eye would read the plate: by its depth, from the front."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked, AskedLabel
from guidegen.check.finding import Finding, above, at_least, at_most
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

Mask = npt.NDArray[np.bool_]

# Picture points per text height: a stem of the bold face is then eight points wide.
POINTS_PER_TEXT_HEIGHT = 40
# The eye hovers this far above the plate; deeper than this below its floor, it looks past the plate.
EYE_MM = 2.0
PAST_FLOOR_MM = 1.0
# Text engraved from the same typeface correlates by 0.85 to 0.95, mirrored text by less than 0.3.
READABLE = 0.75
# What a printer's layer and the file's rounding may take from the depth.
DEPTH_TOLERANCE_MM = 0.1
# Size in points at which the expected text is drawn; a stem of the bold face is then 19 points wide.
DRAWN_POINTS = 96
# Where the text is the same, edges differ by up to 3 of these points; any other letter differs by 5 or more,
# except l for I.
STROKE_POINTS = 5

WHY_READS = "The text in the file must be the text of the plan, the right way up."
WHY_STROKES = "One letter or digit that differs is another patient."
WHY_MIRRORED = "A guide that was mirrored anywhere on its way has mirrored text and belongs to the other hip."
MISSING_LINE = "the plate has fewer lines of text than planned"


def label_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The words on the label, whether the file reads so and not mirrored, and how deep it is engraved."""
    label = asked.guide.label
    mask, depth = engraved(label, guide)
    alike, mirrored, strokes = _reading(label, mask)
    deep_mm = float(np.median(depth[mask])) if mask.any() else None
    return (
        at_least(
            "label names the side",
            float(_names_side(asked)),
            1,
            "",
            "The word on the guide is the last thing read before the wrong hip would be drilled.",
        ),
        at_least(
            "label names the patient",
            float(asked.case_id in "".join(label.lines)),
            1,
            "",
            "A guide fits one patient only, and its label is all that tells two guides apart.",
        ),
        at_least("label reads as planned", alike, READABLE, "", WHY_READS, missing=MISSING_LINE),
        at_most("label strokes that differ", strokes, 0, "", WHY_STROKES, missing=MISSING_LINE),
        above(
            "label reads better than mirrored",
            None if alike is None or mirrored is None else alike - mirrored,
            0,
            "",
            WHY_MIRRORED,
            missing=MISSING_LINE,
        ),
        at_least(
            "label depth",
            deep_mm,
            label.depth_mm - DEPTH_TOLERANCE_MM,
            "mm",
            "An engraving too shallow fills with resin and cannot be read in the theatre.",
            missing="nothing is engraved in the plate",
        ),
    )


def engraved(label: AskedLabel, guide: Surface) -> tuple[Mask, FloatArray]:
    """Where the plate is cut to more than half the planned depth, and the depth in mm (rows from the top, columns)."""
    pitch = label.text_height_mm / POINTS_PER_TEXT_HEIGHT
    right, up, out = (np.array(v) for v in (label.reading_direction, label.up_direction, label.outward_direction))
    across = np.arange(-label.width_mm / 2 + pitch / 2, label.width_mm / 2, pitch)
    down = np.arange(label.height_mm / 2 - pitch / 2, -label.height_mm / 2, -pitch)
    eyes = np.array(label.center_mm) + EYE_MM * out + across[None, :, None] * right + down[:, None, None] * up
    way, _ = guide.ray_hits(eyes.reshape(-1, 3), -out)
    depth = way.reshape(len(down), len(across)) - EYE_MM
    return (depth > label.depth_mm / 2) & (depth < label.depth_mm + PAST_FLOOR_MM), depth


def _names_side(asked: Asked) -> bool:
    """Whether the label, apart from the patient's id, has the word of this side and not that of the other."""
    lines = [line.upper() for line in asked.guide.label.lines if line != asked.case_id]
    words = re.findall(r"[A-Z]+", " ".join(lines))
    return {word for word in words if word in ("LEFT", "RIGHT")} == {asked.side.upper()}


def _reading(label: AskedLabel, mask: Mask) -> tuple[float | None, float | None, int | None]:
    """Correlation of the engraving with the text and with its mirror image, and blocks of points that differ.

    Each line is brought to its own frame, so that neither size nor place counts; None when a line is missing.
    """
    bands = _line_bands(mask, len(label.lines))
    if len(bands) != len(label.lines):
        return None, None, None
    drawn = [_drawn(text) for text in label.lines]
    flipped = [picture[:, ::-1] for picture in drawn]
    seen = [_in_frame(mask[first:past], picture.shape) for (first, past), picture in zip(bands, drawn, strict=True)]
    strokes = sum(_blocks(found != picture) for found, picture in zip(seen, drawn, strict=True))
    return _correlation(seen, drawn), _correlation(seen, flipped), strokes


def _correlation(first: list[Mask], second: list[Mask]) -> float:
    """Correlation of two texts, line by line of the same shapes, from -1 to 1; 0 when one is blank or full."""
    a, b = (np.concatenate([line.ravel() for line in lines]).astype(np.float64) for lines in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else 0.0


def _blocks(differs: Mask) -> int:
    """How many square blocks of STROKE_POINTS differ as a whole: a misplaced edge is thinner, a wrong stroke is not."""
    size = STROKE_POINTS
    counts = np.pad(differs.astype(np.int64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    full = counts[size:, size:] - counts[:-size, size:] - counts[size:, :-size] + counts[:-size, :-size]
    return int(np.count_nonzero(full == size * size))


def _line_bands(mask: Mask, count: int) -> list[tuple[int, int]]:
    """First and past-last row of each line of text; the narrowest gaps (the dot of an i) are closed first."""
    rows = np.flatnonzero(np.diff(np.r_[False, mask.any(axis=1), False].astype(np.int8)))
    bands = [(int(first), int(last)) for first, last in zip(rows[::2], rows[1::2], strict=True)]
    while len(bands) > count:
        k = int(np.argmin([after[0] - before[1] for before, after in pairwise(bands)]))
        bands[k : k + 2] = [(bands[k][0], bands[k + 1][1])]
    return bands


def _in_frame(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The part of the mask that its marks span, brought to `shape`."""
    columns = np.flatnonzero(mask.any(axis=0))
    framed = mask[:, columns[0] : columns[-1] + 1]
    row, column = (
        ((np.arange(size) + 0.5) * have / size).astype(int) for size, have in zip(shape, framed.shape, strict=True)
    )
    return framed[np.ix_(row, column)]


def _drawn(text: str) -> Mask:
    """The text drawn by FreeType, which the engraver does not use, and cut to its marks."""
    import matplotlib
    from matplotlib.ft2font import FT2Font, LoadFlags

    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"))
    font.set_size(DRAWN_POINTS, 72.0)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING, features=("-liga",))  # the engraver joins no letters
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image()) > 127
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.asarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])

"""The engraving, read from the file as an eye would read the plate: by its depth, from the front."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from guidegen.check.asked import Asked, AskedLabel
from guidegen.check.engraved import Mask, label_field
from guidegen.check.finding import Finding, above, at_least, at_most
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

# Picture points per text height: a stem of the bold face is then eight points wide.
POINTS_PER_TEXT_HEIGHT = 40
# Deeper than this below its floor, the eye looks past the plate.
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
WHY_DEPTH = "An engraving too shallow fills with resin and cannot be read in the theatre."
WHY_PRINTED = "Strokes and gaps finer than the printer makes close up: the text of the file is not that of the print."
MISSING_LINE = "the plate has fewer lines of text than planned"


def label_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """Of each label, whether the file reads so and not mirrored, how deep it is engraved, and whether it can be
    printed.
    """
    finest_mm = asked.printing.least_feature_mm
    return tuple(
        finding
        for number, label in enumerate(asked.guide.labels, start=1)
        for finding in read_findings(f"label {number}", label, guide, finest_mm)
    )


def read_findings(name: str, label: AskedLabel, guide: Surface, finest_mm: float) -> list[Finding]:
    """How one label reads, and whether strokes so fine are printed."""
    mask, depth = engraved(label, guide)
    alike, mirrored, strokes = _reading(label, mask)
    better = None if alike is None or mirrored is None else alike - mirrored
    deep_mm, least_mm = float(np.median(depth[mask])) if mask.any() else None, label.depth_mm - DEPTH_TOLERANCE_MM
    printed = _reading(label, _as_printed(mask, finest_mm * POINTS_PER_TEXT_HEIGHT / label.text_height_mm))[0]
    return [
        at_least(f"{name} reads as planned", alike, READABLE, "", WHY_READS, MISSING_LINE),
        at_most(f"{name} strokes that differ", strokes, 0, "", WHY_STROKES, MISSING_LINE),
        above(f"{name} reads better than mirrored", better, 0, "", WHY_MIRRORED, MISSING_LINE),
        at_least(f"{name} depth", deep_mm, least_mm, "mm", WHY_DEPTH, "nothing is engraved in the plate"),
        at_least(f"{name} reads at the printer's resolution", printed, READABLE, "", WHY_PRINTED, MISSING_LINE),
    ]


def engraved(label: AskedLabel, guide: Surface) -> tuple[Mask, FloatArray]:
    """Where the plate is cut to more than half the planned depth, and the depth in mm (rows from the top, columns)."""
    depth = label_field(label).depths_mm(guide, label.text_height_mm / POINTS_PER_TEXT_HEIGHT)
    return (depth > label.depth_mm / 2) & (depth < label.depth_mm + PAST_FLOOR_MM), depth


def _as_printed(mask: Mask, finest_points: float) -> Mask:
    """The marks without strokes, and then without gaps, that are finer than so many points."""
    from scipy.ndimage import binary_closing, binary_opening

    reach = int(finest_points / 2.0)
    disc = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= finest_points / 2.0
    room = np.pad(mask, reach)
    printed = binary_closing(np.pad(binary_opening(room, disc), reach), disc)
    return np.asarray(printed[2 * reach : -2 * reach or None, 2 * reach : -2 * reach or None])


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
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


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

"""The pictures of two revisions on one sheet: each view of the first beside the same view of the second, with figures.

A view is drawn for its own guide, so the same view of two revisions need not have the same scale: each has its own bar.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from guidegen.errors import ResultError
from guidegen.show.canvas import INK, QUIET, SHEET, WHITE
from guidegen.show.compare import Comparison, Revision
from guidegen.show.figures import DEG, FINE_MM, MM, MM2, PERCENT_1, WORDS, Form, Lines, value_at, written
from guidegen.show.pictures import GREY, RED

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

# What stands under a view, of the first tunnel and sleeve: the words, the place in plan.json, and how it is written.
FIGURES: Mapping[str, Lines] = {
    "guide": (("size", "guide/size", WORDS), ("contact", "guide/contact_area_mm2", MM2),
              ("thickness", "guide/thickness_mm", MM), ("guided length", "guide/sleeves/0/guided_length_mm", MM)),
    "tunnel": (("length", "tunnels/0/length_mm", MM), ("diameter", "tunnels/0/diameter_mm", MM),
               ("to read", "tunnels/0/depth_reading_mm", MM), ("to the shaft", "tunnels/0/shaft_angle_deg", DEG)),
    "contact": (("gap", "guide/clearance_mm", FINE_MM), ("contact", "guide/contact_area_mm2", MM2),
                ("tip off (P95) by fit", "guide/seat/fit_tip_mm/p95", FINE_MM),
                ("docking", "guide/seat/dock_tip_mm/p95", FINE_MM)),
    "cuts": (("wall", "tunnels/0/wall_min_mm", MM), ("axis to the joint", "tunnels/0/subchondral_axis_mm", MM),
             ("rim to the joint", "tunnels/0/subchondral_mm", MM)),
    "strategies": (("strategy", "plan/chosen/strategy", WORDS), ("kit", "plan/chosen/kit", WORDS),
                   ("lesion reached", "tunnels/0/lesion_reached_fraction", PERCENT_1)),
    "trade_off": (("lesion reached", "tunnels/0/lesion_reached_fraction", PERCENT_1),
                  ("wall", "tunnels/0/wall_min_mm", MM)),
}  # fmt: skip
IN_ASCII = str.maketrans({"²": "2", "°": " deg"})  # the typeface has no others

EDGE, HEAD, CAPTION = 40, 150, 110  # pixels: round the sheet, above all views, and below each
TITLE, NAME, SMALL = 52.0, 42.0, 28.0


def side_by_side(comparison: Comparison) -> bytes:
    """A PNG with a row for each view that either revision has, the first revision at the left. The same comparison
    gives the same bytes. ResultError where neither has a picture.
    """
    from PIL import Image, ImageDraw

    revisions = (comparison.first, comparison.second)
    views = _views(*revisions)
    if not views:
        names = " and ".join(str(revision.folder) for revision in revisions)
        raise ResultError(f"expected pictures in {names}, found none: neither has a guide; compare without --to")
    width = 2 * SHEET[0] + 3 * EDGE
    sheet = Image.new("RGB", (width, HEAD + 70 + len(views) * (SHEET[1] + CAPTION)), WHITE)
    draw = ImageDraw.Draw(sheet)
    title = f"{comparison.case_id}   {comparison.side.upper()} hip   {revisions[0].name} and {revisions[1].name}"
    draw.text((EDGE, 60), title, INK, _font(TITLE), "lm", stroke_width=1)
    for column, revision in enumerate(revisions):
        left = EDGE + column * (SHEET[0] + EDGE)
        draw.text((left, HEAD), revision.name, INK, _font(NAME), "lm", stroke_width=1)
        verdict, colour = ("every check passed", QUIET) if revision.passed else ("NOT RELEASED: a check failed", RED)
        draw.text((left + SHEET[0], HEAD), verdict, colour, _font(SMALL), "rm")
        for row, view in enumerate(views):
            _place(sheet, draw, (left, HEAD + 40 + row * (SHEET[1] + CAPTION)), revision, view)
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _views(first: Revision, second: Revision) -> list[str]:
    """The views of either: those that have figures in their order here, then others by name."""
    found = {*first.views, *second.views}
    return [view for view in FIGURES if view in found] + sorted(found - FIGURES.keys())


def _place(sheet: Image, draw: ImageDraw, corner: tuple[int, int], revision: Revision, view: str) -> None:
    """One view with its frame, its name and its figures, its upper left corner at `corner`."""
    left, top = corner
    png = revision.views.get(view)
    if png is None:
        _missing(draw, corner, f"{revision.name} has no picture '{view}'")
    else:
        sheet.paste(_opened(png, revision, view), corner)
    draw.rectangle((left, top, left + SHEET[0] - 1, top + SHEET[1] - 1), outline=GREY, width=2)
    y = top + SHEET[1] + 36
    draw.text((left, y), view, INK, _font(SMALL), "lm", stroke_width=1)
    figures = [_worded(revision.plan, *line) for line in FIGURES.get(view, ())]
    draw.text((left + SHEET[0], y), "    ".join(figures), INK, _font(SMALL), "rm")


def _opened(png: bytes, revision: Revision, view: str) -> Image:
    """The picture, no larger than the house's sheet."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            if image.size != SHEET:
                raise ResultError(
                    f"expected pictures of {SHEET[0]} x {SHEET[1]}, found '{view}' of {revision.folder} with "
                    f"{image.size[0]} x {image.size[1]}; run the case again"
                )
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ResultError(
            f"expected '{view}' of {revision.folder} to be a PNG, found none; run the case again"
        ) from error


def _missing(draw: ImageDraw, corner: tuple[int, int], words: str) -> None:
    middle = (corner[0] + SHEET[0] / 2.0, corner[1] + SHEET[1] / 2.0)
    draw.text(middle, words, QUIET, _font(SMALL), "mm")


def _worded(plan: Mapping[str, Any], words: str, place: str, form: Form | None) -> str:
    value = value_at(plan, place)
    if value is None:
        return f"{words}: none"
    return f"{words} {value if form is None else written(value, form)}".translate(IN_ASCII)


def _font(size: float) -> FreeTypeFont | ImageFont:
    """Pillow's own typeface, the same on every machine."""
    from PIL.ImageFont import load_default

    return load_default(size)

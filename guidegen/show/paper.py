"""The sheet that the pictures of the assessment are drawn and lettered on, and how it becomes a file.

Drawn by matplotlib without a display, with the settings and the typeface that it ships: the same on every machine.
Places and sizes are in pixels of the house's sheet, counted from its upper left corner.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from guidegen.lesion.grade import Measured
from guidegen.rounded import shown
from guidegen.show.canvas import EDGE, INK, PACKED, QUIET, SCALE_BAR_MM, SHEET, Colour
from guidegen.show.lettering import capitals, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# The colours differ in lightness too, and red and amber never tell two things apart by themselves.
AMBER: Colour = (255, 186, 58)

DPI = 100.0
POINTS = 72.0 / DPI  # per pixel

# A square to draw in, and a panel of words beside it.
SQUARE, SQUARE_LEFT, PANEL_LEFT = 740.0, 30.0, 800.0

TITLE, WORDS, SMALL = 44.0, 29.0, 25.0
INSET = 0.028  # of the names of the sides, in widths of an area
PANEL_LETTERS = 25  # in a line beside the drawing


@contextmanager
def plain_settings() -> Iterator[None]:
    """matplotlib as it is shipped, whatever the machine's own settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def blank(patient_id: str, side: str, subject: str) -> Figure:
    """A sheet that says whose hip it shows, which side, and what of it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SHEET[0] / DPI, SHEET[1] / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    hip = tell(f"{side.upper()} hip")
    for words, level, size, colour, weight in (
        (f"{patient_id}   {hip}", 44.0, TITLE, INK, "bold"),
        (tell(subject), 94.0, WORDS, QUIET, "normal"),
    ):
        line = letters(figure, (EDGE, level), words, size, colour, weight=weight)
        share = (SHEET[0] - 2.0 * EDGE) / max(1.0, line.get_window_extent().width)
        line.set_fontsize(size * POINTS * min(1.0, 0.98 * share))  # letters are not scaled quite evenly
    return figure


def letters(
    figure: Figure, at: tuple[float, float], words: str, size: float = WORDS, colour: Colour = INK, **how: Any
) -> Text:
    """Words on the sheet, left of them and half their height at `at`."""
    how = {"ha": "left", "va": "center"} | how
    return figure.text(
        at[0] / SHEET[0],
        1.0 - at[1] / SHEET[1],
        words,
        fontsize=size * POINTS,
        color=tint(colour),
        parse_math=False,
        **how,
    )


def area(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """A part of the sheet to draw in, without frame."""
    axes = figure.add_axes(
        (left / SHEET[0], 1.0 - (top + height) / SHEET[1], width / SHEET[0], height / SHEET[1]), frameon=False
    )
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def tint(colour: Colour) -> tuple[float, float, float]:
    """The colour in matplotlib's measure."""
    red, green, blue = (channel / 255.0 for channel in colour)
    return red, green, blue


def rim(width: float = 4.0, colour: str = "white") -> list[Any]:
    """A rim round a line or a letter, that it stands out from any ground."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=width * POINTS, foreground=colour), Normal()]


def line_style(colour: Colour, width: float) -> dict[str, Any]:
    """How a line of this width is drawn, with a white rim."""
    return {"color": tint(colour), "linewidth": width * POINTS, "path_effects": rim(width + 3.0)}


def name_sides(axes: Axes, left: str, right: str, top: str, bottom: str, height: float = 0.5) -> None:
    """At each side of an area the body direction that lies there; `height` (of 1) is that of the left and right one."""
    for x, y, words, turned in (
        (INSET, height, left, 90),
        (1.0 - INSET, height, right, 270),
        (0.5, 1.0 - INSET, top, 0),
        (0.5, INSET, bottom, 0),
    ):
        axes.text(
            x,
            y,
            capitals(words),
            transform=axes.transAxes,
            rotation=turned,
            ha="center",
            va="center",
            fontsize=SMALL * POINTS,
            weight="bold",
            color=tint(QUIET),
            path_effects=rim(5.0),
            zorder=9.0,
        )


def legend(figure: Figure, left: float, top: float) -> None:
    """What every labelled line, point and field of the drawing stands for, below one another."""
    (axes, *_) = figure.axes
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        [fill(tell(label), PANEL_LETTERS) for label in labels],
        loc="upper left",
        frameon=False,
        bbox_to_anchor=((left - 10.0) / SHEET[0], 1.0 - top / SHEET[1]),
        fontsize=SMALL * POINTS,
        labelcolor=tint(INK),
        borderaxespad=0.0,
        borderpad=0.0,
        handlelength=1.6,
        labelspacing=0.45,
    )


def scale_bar(figure: Figure, right: float, bottom: float, mm_per_pixel: float) -> None:
    """A bar of 20 mm that ends at this place of the sheet."""
    from matplotlib.lines import Line2D

    left, tick = right - SCALE_BAR_MM / mm_per_pixel, 9.0
    path = np.array([(left, -tick), (left, tick), (left, 0), (right, 0), (right, -tick), (right, tick)])
    x, y = path[:, 0] / SHEET[0], 1.0 - (bottom + path[:, 1]) / SHEET[1]
    figure.add_artist(
        Line2D(x.tolist(), y.tolist(), color=tint(INK), linewidth=4.0 * POINTS, path_effects=rim(8.0), gid="scale bar")
    )
    words = f"{SCALE_BAR_MM:g} mm"
    letters(figure, ((left + right) / 2.0, bottom - 26.0), words, SMALL, ha="center", path_effects=rim(5.0))


def worded(measured: Measured, write: Callable[[float], str]) -> tuple[str, str]:
    """The value and its range in words, or the reason why there is none; `write` puts one number into words."""
    if measured.value is None or measured.low is None or measured.high is None:
        return tell("not computable"), tell(measured.reason or "")
    return write(measured.value), tell(f"{write(measured.low)} to {write(measured.high)}")


def degrees(angle_deg: float) -> str:
    """An angle in words, as fine as a fan is read, so that rounding never takes it across the border of a class."""
    return tell(f"{shown(angle_deg, 1)}°")


def percent(share: float) -> str:
    """A share of 1 in words."""
    return tell(f"{shown(100.0 * share, 0)} %")


def png(figure: Figure) -> bytes:
    """The sheet as PNG, without any date or version."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": PACKED})
    return content.getvalue()

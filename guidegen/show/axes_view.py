"""The bone with its head sphere, axes and landmarks, from the front and from the side, and how sure each of them is."""

from __future__ import annotations

import textwrap
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.rounded import shown
from guidegen.show.canvas import (
    FINER,
    INK,
    QUIET,
    SCENE_BOTTOM,
    SCENE_MIDDLE,
    SCENE_TOP,
    SHEET,
    Colour,
    Pixel,
    View,
    named,
)
from guidegen.show.lettering import tell
from guidegen.show.paper import AMBER, POINTS, SMALL, area, blank, letters, line_style, name_sides, rim, scale_bar, tint
from guidegen.show.pictures import BLUE, IVORY, RED, SLATE, TEAL
from guidegen.show.stage import MATT, Stage, smooth
from guidegen.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Each of the two views, in pixels of the sheet.
WIDTH, HEIGHT = 360, SCENE_BOTTOM - SCENE_TOP
LEFTS = (16.0, 396.0)
TABLE_LEFT, TABLE_RIGHT = 762.0, 1184.0
ROOM_MM = 12.0  # round what must be seen
BELOW_MM = 35.0  # of the shaft below the lesser trochanter
BEYOND_MM = 6.0  # of the neck axis beyond the head
AXIS_MM = 1000.0  # of the shaft axis either way: past any picture

SMALLEST = 5.0  # a disc, in pixels
ROW = 44.0  # of the table, in pixels
UNKNOWN = "not known"

# How what is no point is drawn: colour and dashes.
LINES: dict[str, tuple[Colour, Any]] = {
    "Head radius": (SLATE, "solid"),
    "Intertrochanteric line": (RED, (0, (1.2, 1.2))),
    "Neck axis": (BLUE, "solid"),
    "Shaft axis": (TEAL, (0, (4.0, 1.5))),
}

Row = tuple[str, str, str]  # the number of its mark if it is a point, what, and its value with its doubt


def axes_figure(patient_id: str, bone: Surface, anatomy: Anatomy) -> Figure:
    """Both views at one scale, each landmark as a disc as large as its uncertainty, and the table of them all."""
    figure = blank(patient_id, anatomy.side, "Axes and landmarks of the femur, each with its 95 % uncertainty")
    directions = {
        ("superior", "inferior"): anatomy.shaft_axis,
        ("lateral", "medial"): anatomy.lateral,
        ("posterior", "anterior"): anatomy.posterior,
    }
    views = _views(anatomy)
    with closing(Stage()) as stage:
        for left, view in zip(LEFTS, views, strict=True):
            stage.add(smooth(bone), MATT, IVORY)
            axes = area(figure, left, SCENE_TOP, WIDTH, HEIGHT)
            _place(axes, stage.rendered(view, deepened=True))
            _mark(axes, view, anatomy)
            right, up = view.axes[0], view.axes[1]
            left_name, right_name, top, bottom = (named(towards, directions) for towards in (-right, right, up, -up))
            name_sides(axes, left_name, right_name, top, bottom, height=0.14)
    _table(figure, anatomy)
    scale_bar(figure, SHEET[0] - 40.0, SHEET[1] - 32.0, views[0].mm_per_pixel)
    return figure


def landmarks(anatomy: Anatomy) -> tuple[tuple[str, FloatArray, float | None], ...]:
    """Name, place (3,) in LPS mm and uncertainty in mm of every point that is marked, in the order of their numbers."""
    return (
        ("Head centre", anatomy.head_center_mm, _doubt(anatomy, "head_center_mm")),
        ("Neck isthmus", anatomy.neck_isthmus_center_mm, _doubt(anatomy, "neck_isthmus_center_mm")),
        ("Greater trochanter", anatomy.greater_trochanter_mm, _doubt(anatomy, "greater_trochanter_mm")),
        ("Lesser trochanter", anatomy.lesser_trochanter_mm, _doubt(anatomy, "lesser_trochanter_mm")),
        ("Vastus ridge", anatomy.vastus_ridge_mm, _doubt(anatomy, "vastus_ridge_mm")),
    )


def table_rows(anatomy: Anatomy) -> tuple[Row, ...]:
    """Every landmark and axis with its uncertainty (95 %), the marked points with their numbers first."""

    def doubt(name: str, unit: str) -> str:
        return _with(_doubt(anatomy, name), unit)

    version = anatomy.neck_version_deg
    version_words = UNKNOWN if version is None else f"{shown(version, 1)} {doubt('neck_version_deg', '°')}"
    return (
        *((str(number), name, _with(each, " mm")) for number, (name, _, each) in _numbered(anatomy)),
        ("", "Head radius", f"{shown(anatomy.head_radius_mm, 1)} {doubt('head_radius_mm', ' mm')}"),
        ("", "Intertrochanteric line", doubt("intertrochanteric_line_mm", " mm")),
        ("", "Neck axis", doubt("neck_axis_deg", "°")),
        ("", "Shaft axis", doubt("shaft_axis_deg", "°")),
        ("", "Neck–shaft angle", f"{shown(anatomy.neck_shaft_angle_deg, 1)} {doubt('neck_shaft_angle_deg', '°')}"),
        ("", "Neck version", version_words),
    )


def _doubt(anatomy: Anatomy, name: str) -> float | None:
    """One of the uncertainties; None where it is not stated."""
    return None if anatomy.uncertainty is None else cast(float | None, getattr(anatomy.uncertainty, name))


def _with(doubt: float | None, unit: str) -> str:
    return "not stated" if doubt is None else f"±{shown(doubt, 1)}{unit}"


def _numbered(anatomy: Anatomy) -> enumerate[tuple[str, FloatArray, float | None]]:
    return enumerate(landmarks(anatomy), start=1)


def _views(anatomy: Anatomy) -> tuple[View, View]:
    """From the front and from the lateral side, both as near as shows in either what is marked."""
    center, proximal = anatomy.head_center_mm, anatomy.shaft_axis
    ball = center + anatomy.head_radius_mm * np.vstack([np.eye(3), -np.eye(3)])
    low = anatomy.lesser_trochanter_mm - BELOW_MM * proximal
    discs = [
        place_mm + sign * (doubt_mm or 0.0) * axis
        for _, place_mm, doubt_mm in landmarks(anatomy)
        for axis in (proximal, anatomy.lateral, anatomy.posterior)
        for sign in (1.0, -1.0)
    ]
    seen = np.vstack([ball, low, *discs, *_neck_ends(anatomy)])
    views = [View.fitted(toward, proximal, seen) for toward in (-anatomy.posterior, anatomy.lateral)]
    spans = np.stack([np.ptp(seen @ view.axes[:2].T, axis=0) for view in views]) + 2.0 * ROOM_MM
    mm_per_pixel = float((spans / [WIDTH, HEIGHT]).max())
    front, lateral = (replace(view, mm_per_pixel=mm_per_pixel) for view in views)
    return front, lateral


def _neck_ends(anatomy: Anatomy) -> FloatArray:
    """The ends (2, 3) of the neck axis as drawn: as far beyond the isthmus as the head centre is before it."""
    along = float((anatomy.head_center_mm - anatomy.neck_isthmus_center_mm) @ anatomy.neck_axis)
    reach = np.array([-along, along + anatomy.head_radius_mm + BEYOND_MM])
    return np.asarray(anatomy.neck_isthmus_center_mm + np.outer(reach, anatomy.neck_axis))


def _place(axes: Axes, scene: npt.NDArray[np.uint8]) -> None:
    """The middle of a rendered scene, in sheet pixels."""
    left, right = SCENE_MIDDLE[0] - WIDTH / 2.0, SCENE_MIDDLE[0] + WIDTH / 2.0
    middle = scene[:, round(left * FINER) : round(right * FINER)].astype(np.float64)
    reduced = middle.reshape(HEIGHT, FINER, WIDTH, FINER, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    axes.imshow(reduced, extent=(left, right, SCENE_BOTTOM, SCENE_TOP), interpolation="none", aspect="auto", gid="bone")
    axes.set_xlim(left, right)
    axes.set_ylim(SCENE_BOTTOM, SCENE_TOP)


def _mark(axes: Axes, view: View, anatomy: Anatomy) -> None:
    """Head sphere, axes and landmarks over the bone."""

    def line(points_mm: FloatArray, name: str) -> None:
        colour, dashes = LINES[name]
        axes.plot(*np.transpose(view.pixels(points_mm)), **line_style(colour, 4.0), linestyle=dashes, gid=name)

    angles = np.linspace(0.0, 2.0 * np.pi, 181)
    circle = np.outer(np.cos(angles), view.axes[0]) + np.outer(np.sin(angles), view.axes[1])
    line(anatomy.head_center_mm + anatomy.head_radius_mm * circle, "Head radius")
    line(_neck_ends(anatomy), "Neck axis")
    line(anatomy.shaft_point_mm + np.outer([-AXIS_MM, AXIS_MM], anatomy.shaft_axis), "Shaft axis")
    if anatomy.intertrochanteric_line_mm is not None:
        line(anatomy.intertrochanteric_line_mm, "Intertrochanteric line")
    for number, (name, place_mm, doubt_mm) in _numbered(anatomy):
        _disc(axes, view.pixels(place_mm[None])[0], (doubt_mm or 0.0) / view.mm_per_pixel, name, number)


def _disc(axes: Axes, at: Pixel, radius: float, name: str, number: int) -> None:
    """A landmark, as large as its uncertainty, and its number beside it."""
    from matplotlib.patches import Circle

    x, y, radius = *at, max(SMALLEST, radius)
    disc = Circle(at, radius, facecolor=(*tint(AMBER), 0.55), edgecolor=tint(INK), linewidth=2.0 * POINTS, zorder=5.0)
    disc.set_gid(name)
    axes.add_patch(disc)
    axes.plot([x], [y], "o", color=tint(INK), markersize=5.0 * POINTS, zorder=6.0)
    x, y = x + 0.7 * radius + 7.0, y - 0.7 * radius - 7.0
    how: dict[str, Any] = {"weight": "bold", "path_effects": rim(6.0), "zorder": 7.0}
    axes.text(x, y, str(number), fontsize=27.0 * POINTS, ha="left", va="bottom", color=tint(INK), **how)


def _table(figure: Figure, anatomy: Anatomy) -> None:
    """The rows one below the other, what the lines are, and why a value is missing."""
    from matplotlib.lines import Line2D

    y = SCENE_TOP + 14.0
    for number, what, value in table_rows(anatomy):
        letters(figure, (TABLE_LEFT + 18.0, y), number, SMALL, ha="center", weight="bold")
        if what in LINES:
            colour, dashes = LINES[what]
            x = [(TABLE_LEFT + offset) / SHEET[0] for offset in (0.0, 36.0)]
            figure.add_artist(
                Line2D(x, [1.0 - y / SHEET[1]] * 2, color=tint(colour), linestyle=dashes, linewidth=4.0 * POINTS)
            )
        letters(figure, (TABLE_LEFT + 46.0, y), tell(what), 22.0)
        letters(figure, (TABLE_RIGHT, y), tell(value), 22.0, ha="right")
        y += ROW
    if anatomy.neck_version_deg is None and anatomy.neck_version_missing:
        lines = textwrap.wrap(tell(f"Neck version: {anatomy.neck_version_missing}"), 32)
        letters(figure, (TABLE_LEFT + 46.0, y), "\n".join(lines), 21.0, QUIET, va="top")

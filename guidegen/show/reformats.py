"""An image cut along the tunnel twice and across it three times, with bone, lesion, tunnel and guide as lines.

The lines differ in how they are dashed and not in colour alone, so that they can be told apart without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from guidegen.assessed import Assessed
from guidegen.frames import FloatArray, RigidTransform, across, unit
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import Tunnel
from guidegen.show.canvas import INK, SCENE_TOP, Colour, named
from guidegen.show.cut_drawing import scale_bar, tunnel_outline_mm
from guidegen.show.paper import POINTS, SMALL, area, blank, rim, tint
from guidegen.show.pictures import BLUE, IVORY, RED, TEAL
from guidegen.show.registration_pictures import CT_WINDOW_HU, MR_WINDOW_PERCENT, grey
from guidegen.show.scans import Scans
from guidegen.show.section import Cut, cuts_through, outline_path, outlines_mm
from guidegen.show.thin_places import thinnest_wall
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The panels in pixels of the sheet: left, top, width, height.
FRONT = (16.0, float(SCENE_TOP), 560.0, 750.0)
BELOW = (588.0, float(SCENE_TOP), 596.0, 420.0)
ACROSS = tuple((588.0 + number * 202.0, 578.0, 192.0, 300.0) for number in range(3))
SAMPLES_PER_PIXEL = 1.0

OUTSIDE_MM = 46.0  # of the entry, so that the sleeve is seen
BEYOND_MM = 24.0  # the tip
BESIDE = 0.2  # where left and right are named beside a tunnel that runs level
ACROSS_MM = 54.0  # the width of a cut across
FIRST_CUT_MM = 6.0  # the first cut across lies so deep: past the cortex
DRILL_OUTSIDE_MM = 40.0

Lines = tuple[tuple[str, Surface, Colour, float, Any], ...]


def reformat_pictures(
    assessed: Assessed, guide: Surface | None, tunnels: Sequence[Tunnel], scans: Scans, patient_id: str
) -> dict[str, Figure]:
    """reformat_ct.png and reformat_mr.png, as far as there are such images; reformat.png, on nothing, without any.

    `guide`, None where there is none, and `tunnels` in LPS mm, in the frame of the plan.
    """
    figures = {}
    if scans.ct is not None:
        figures["reformat_ct.png"] = _figure(assessed, guide, tunnels, scans.ct, None, CT_WINDOW_HU, "CT", patient_id)
    if scans.mr is not None:
        low, high = np.percentile(scans.mr.voxels, MR_WINDOW_PERCENT)
        window = (float(low), float(high))
        figures["reformat_mr.png"] = _figure(
            assessed, guide, tunnels, scans.mr, scans.transform, window, "MR", patient_id
        )
    if not figures:
        figures["reformat.png"] = _figure(assessed, guide, tunnels, None, None, (0.0, 1.0), "Bone", patient_id)
    return figures


def _figure(
    assessed: Assessed, guide: Surface | None, tunnels: Sequence[Tunnel], image: Volume | None,
    transform: RigidTransform | None, window: tuple[float, float], name: str, patient_id: str,
) -> Figure:  # fmt: skip
    first = tunnels[0]
    which = "the tunnel" if len(tunnels) == 1 else "tunnel 1"
    figure = blank(
        patient_id, assessed.anatomy.side, f"{name} along {which}, from the front and from below, and across it"
    )
    lines = _lines(assessed, guide)
    along = cuts_through(first.entry_mm, first.axis, assessed.anatomy)
    ways = _ways_across(assessed, first)
    for cut, panel in zip(along, (FRONT, BELOW), strict=True):
        axes = _panel(figure, panel, *_corners(cut, first, panel))
        _under(axes, cut, panel, image, transform, window)
        _draw(axes, cut, lines, tunnels)
        for letter, way_mm in zip("ABC", ways, strict=True):
            _mark_cut(axes, cut, first, way_mm, letter)
        _name_sides(axes, assessed, cut, 0.5 if panel is FRONT else BESIDE)
        scale_bar(axes, axes.get_xlim()[0] + 9.0, axes.get_ylim()[0] + 5.0)
    for letter, way_mm, panel in zip("ABC", ways, ACROSS, strict=True):
        cut = _cut_across(assessed, first, way_mm)
        half = np.array([ACROSS_MM, ACROSS_MM * panel[3] / panel[2]]) / 2.0
        axes = _panel(figure, panel, -half, half)
        _under(axes, cut, panel, image, transform, window)
        _draw(axes, cut, lines, tunnels)
        _name_sides(axes, assessed, cut, BESIDE, letter)
    return figure


def _lines(assessed: Assessed, guide: Surface | None) -> Lines:
    """What is drawn as outlines: its name, colour, width in pixels and dashes."""
    return (
        ("bone", assessed.bone.surface, INK, 1.6, "solid"),
        ("lesion", assessed.lesion.surface, RED, 2.6, (0, (3.0, 1.6))),
        *(() if guide is None else (("guide", guide, TEAL, 2.4, (0, (1.0, 1.2))),)),
    )


def _ways_across(assessed: Assessed, tunnel: Tunnel) -> tuple[float, float, float]:
    """How deep the three cuts across lie: past the cortex, at the thinnest wall, and level with the lesion's centre."""
    wall = thinnest_wall(assessed.bone.surface, assessed.anatomy, tunnel, Rules())
    at_wall, at_lesion = (
        float((point - tunnel.entry_mm) @ tunnel.axis) for point in (wall.on_tool_mm, assessed.lesion.centroid_mm)
    )
    return FIRST_CUT_MM, at_wall, float(np.clip(at_lesion, FIRST_CUT_MM, tunnel.length_mm))


def _cut_across(assessed: Assessed, tunnel: Tunnel, way_mm: float) -> Cut:
    """The plane across the tunnel, seen along the drill from outside, the shaft's way to the head upwards."""
    up = unit(across(assessed.anatomy.shaft_axis, tunnel.axis))
    return Cut(tunnel.entry_mm + way_mm * tunnel.axis, np.cross(up, -tunnel.axis), up)


def _corners(cut: Cut, tunnel: Tunnel, panel: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner (2,) of what a panel along the tunnel shows: the tunnel's whole way, in its middle."""
    ends = cut.flat_mm(
        np.stack([tunnel.entry_mm - OUTSIDE_MM * tunnel.axis, tunnel.target_mm + BEYOND_MM * tunnel.axis])
    )
    middle, size = ends.mean(axis=0), np.array(panel[2:])
    mm_per_pixel = float(max((np.ptp(ends, axis=0) / size).max(), 0.16))
    half = size * mm_per_pixel / 2.0
    return middle - half, middle + half


def _panel(figure: Figure, panel: tuple[float, ...], low: FloatArray, high: FloatArray) -> Axes:
    axes = area(figure, *panel)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    return axes


def _under(
    axes: Axes, cut: Cut, panel: tuple[float, ...], image: Volume | None, transform: RigidTransform | None,
    window: tuple[float, float],
) -> None:  # fmt: skip
    """The image in the plane, within the panel."""
    if image is None:
        return
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    columns, rows = round(panel[2] * SAMPLES_PER_PIXEL), round(panel[3] * SAMPLES_PER_PIXEL)
    x = left + (np.arange(columns) + 0.5) / columns * (right - left)
    y = top - (np.arange(rows) + 0.5) / rows * (top - bottom)
    points = cut.origin_mm + x[None, :, None] * cut.right + y[:, None, None] * cut.up
    places = points if transform is None else transform.inverse().points(points)
    shown = grey(image, places, window)[..., 0] / 255.0
    axes.imshow(shown, extent=(left, right, bottom, top), cmap="gray", vmin=0.0, vmax=1.0, aspect="auto", gid="image")


def _draw(axes: Axes, cut: Cut, lines: Lines, tunnels: Sequence[Tunnel]) -> None:
    """The outlines, each with a white rim; the bone filled where there is no image under it."""
    from matplotlib.patches import PathPatch, Polygon

    filled = not axes.images
    for name, surface, colour, width, dashes in lines:
        loops = outlines_mm(surface, cut)
        if loops:
            face = (*tint(IVORY), 1.0) if filled and name == "bone" else "none"
            axes.add_artist(
                PathPatch(
                    outline_path(loops), facecolor=face, edgecolor=tint(colour), linewidth=width * POINTS,
                    linestyle=dashes, path_effects=rim(width + 2.2), gid=name, zorder=3.0,
                )
            )  # fmt: skip
    for tunnel in tunnels:
        if abs(float(tunnel.axis @ cut.toward)) > 0.9:  # cut across: a circle
            points = _ring(cut, tunnel)
        else:
            points = tunnel_outline_mm(cut, tunnel, DRILL_OUTSIDE_MM)
        axes.add_artist(
            Polygon(
                points, closed=True, facecolor="none", edgecolor=tint(BLUE), linewidth=3.4 * POINTS,
                path_effects=rim(5.6), gid="tunnel", zorder=4.0,
            )
        )  # fmt: skip


def _ring(cut: Cut, tunnel: Tunnel) -> FloatArray:
    """The tunnel's outline (K, 2) in a plane across it, or where it would go on to."""
    way = (cut.origin_mm - tunnel.entry_mm) @ cut.toward / (tunnel.axis @ cut.toward)
    middle = cut.flat_mm(tunnel.entry_mm + way * tunnel.axis)
    turn = np.linspace(0.0, 2.0 * np.pi, 73)
    return np.asarray(middle + tunnel.diameter_mm / 2.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1))


def _mark_cut(axes: Axes, cut: Cut, tunnel: Tunnel, way_mm: float, letter: str) -> None:
    """Where a cut across lies: a tick beside the tunnel, and its letter."""
    at = tunnel.entry_mm + way_mm * tunnel.axis
    side = unit(np.cross(cut.toward, tunnel.axis))
    near, far = (
        cut.flat_mm(at + reach * side) for reach in (tunnel.diameter_mm / 2.0 + 1.0, tunnel.diameter_mm / 2.0 + 8.0)
    )
    x, y = far + 3.0 * unit(far - near)
    axes.plot(*np.stack([near, far]).T, color=tint(INK), linewidth=2.5 * POINTS, path_effects=rim(5.0), zorder=6.0)
    axes.text(
        x, y, letter, ha="center", va="center", weight="bold", fontsize=SMALL * POINTS,
        color=tint(INK), path_effects=rim(5.0), zorder=7.0,
    )  # fmt: skip


def _name_sides(axes: Axes, assessed: Assessed, cut: Cut, height: float, letter: str = "") -> None:
    """What lies at each side of a panel, left and right at this `height` (of 1), and the letter of a cut across."""
    anatomy = assessed.anatomy
    directions = {
        ("PROX", "DIST"): anatomy.shaft_axis,
        ("LAT", "MED"): anatomy.lateral,
        ("POST", "ANT"): anatomy.posterior,
    }
    for x, y, ha, va, towards in (
        (0.015, height, "left", "center", -cut.right),
        (0.985, height, "right", "center", cut.right),
        (0.5, 0.985, "center", "top", cut.up),
        (0.5, 0.015, "center", "bottom", -cut.up),
    ):
        _letter(axes, (x, y), named(towards, directions), 19.0, ha, va)
    _letter(axes, (0.05, 0.91), letter, 30.0, "left", "top")


def _letter(axes: Axes, at: tuple[float, float], words: str, size: float, ha: str, va: str) -> None:
    """Words with a white rim at a place of a panel."""
    axes.text(
        *at, words, ha=ha, va=va, fontsize=size * POINTS, transform=axes.transAxes, weight="bold", color=tint(INK),
        path_effects=rim(5.0), zorder=9.0,
    )  # fmt: skip

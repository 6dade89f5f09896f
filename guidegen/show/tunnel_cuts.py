"""The bone cut along the chosen tunnel, twice: what it passes through, what it leaves, and where it begins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from guidegen.assessed import Assessed
from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, unit
from guidegen.plan.planning import Proposal
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown
from guidegen.show.canvas import INK, QUIET, SCENE_TOP
from guidegen.show.cut_drawing import CutHip, draw_cut, draw_tunnel, name_directions, scale_bar
from guidegen.show.lettering import rule_words, tell
from guidegen.show.paper import POINTS, SMALL, area, blank, legend, letters, line_style, rim, tint
from guidegen.show.pictures import RED, TEAL
from guidegen.show.section import Cut, cuts_through, outline_path
from guidegen.show.thin_places import ThinPlace, nearest_to_joint, thinnest_wall

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

# The two drawings and what is written beside them, in pixels of the sheet.
FIRST_LEFT, FIRST_WIDTH, FIRST_HEIGHT = 20.0, 620.0, 730.0
SECOND_LEFT, SECOND_WIDTH, SECOND_HEIGHT = 656.0, 524.0, 350.0
PANEL_LEFT, PANEL_RIGHT, PANEL_TOP, ROW = 668.0, 1176.0, 506.0, 33.0
WARNING = 880.0
WARNING_LETTERS = 92  # in a line

ROOM_MM = 11.0  # round the bone, for the names of the sides
LATERAL_ROOM_MM = 20.0  # for those of the landmarks
BELOW_MM = 18.0  # of the shaft below the lesser trochanter
NAMES_MM = 30.0  # above the vastus ridge, where lateral and medial stand
NUMBER_MM = 2.6  # of a tunnel, before its end
INWARDS_MM = 14.0  # of the entry, to where the landmarks' levels are drawn
# From the bone to a figure, and how far off the way on: the first that leads clear of all else.
LEADERS_MM = np.arange(4.0, 26.0, 2.0)
LEADER_TURNS_DEG = (0.0, 30.0, -30.0, 60.0, -60.0, 90.0, -90.0)


def tunnel_figure(assessed: Assessed, chosen: Proposal, patient_id: str) -> Figure:
    """Two planes through the first tunnel's axis at one scale; the other tunnels as they lie before or behind them."""
    anatomy = assessed.anatomy
    subject = "Cut along the tunnel" if len(chosen.tunnels) == 1 else "Cut along tunnel 1"
    figure = blank(patient_id, anatomy.side, f"{subject}: from the front, and at right angles from below")
    first, second = cut_hips(assessed, chosen.tunnels[0])
    corners, others = front_corners(first), _axial_corners(second)
    mm_per_pixel = max(
        *((corners[1] - corners[0]) / [FIRST_WIDTH, FIRST_HEIGHT]),
        *((others[1] - others[0]) / [SECOND_WIDTH, SECOND_HEIGHT]),
    )
    for hip, (low, high), (left, width, height) in (
        (first, corners, (FIRST_LEFT, FIRST_WIDTH, FIRST_HEIGHT)),
        (second, others, (SECOND_LEFT, SECOND_WIDTH, SECOND_HEIGHT)),
    ):
        axes = area(figure, left, SCENE_TOP, width, height)
        half = np.array([width, height]) * mm_per_pixel / 2.0
        draw_cut(axes, hip, (low + high) / 2.0 - half, (low + high) / 2.0 + half)
        _draw_tunnels(axes, hip, chosen.tunnels)
        name_directions(axes, anatomy, hip.cut, 0.5 if hip is second else _above_ridge(axes, hip))
    front, axial = figure.axes
    _levels(front, anatomy, first.cut)
    scale_bar(front, *bar_place_mm(front, first))
    scale_bar(axial, axial.get_xlim()[0] + 12.0, axial.get_ylim()[0] + 3.0)
    _mark_thinnest((front, axial), (first, second), chosen.tunnels)
    legend(figure, PANEL_LEFT, _panel(figure, chosen.tunnels) + 8.0)
    _warn(figure, chosen)
    return figure


def cut_hips(assessed: Assessed, tunnel: Tunnel) -> tuple[CutHip, CutHip]:
    """The hip in the two planes through a tunnel's axis."""
    surface, lesion, keep_out = assessed.bone.surface, assessed.lesion.surface, assessed.keep_out.surface
    first, second = cuts_through(tunnel.entry_mm, tunnel.axis, assessed.anatomy)
    return (
        CutHip(surface, lesion, keep_out, assessed.anatomy, first),
        CutHip(surface, lesion, keep_out, assessed.anatomy, second),
    )


def front_corners(hip: CutHip) -> FloatArray:
    """Lowest and highest corner (2, 2) of what is shown from the front: the bone from its top to a little below the
    lesser trochanter, and room for the landmarks' names beside it.
    """
    bottom = hip.cut.flat_mm(hip.anatomy.lesser_trochanter_mm)[1] - BELOW_MM
    outline = np.concatenate([np.zeros((1, 2)), *hip.bone_loops])
    outline = outline[outline[:, 1] >= bottom]
    low, high = outline.min(axis=0) - ROOM_MM, outline.max(axis=0) + ROOM_MM
    low[1] = bottom
    if hip.anatomy.lateral @ hip.cut.right > 0.0:
        high[0] = max(high[0], LATERAL_ROOM_MM)
    else:
        low[0] = min(low[0], -LATERAL_ROOM_MM)
    return np.stack([low, high])


def bar_place_mm(axes: Axes, hip: CutHip) -> tuple[float, float]:
    """Where the scale bar begins, right and up: at the lower corner on the medial side, where there is no bone."""
    (left, right), bottom = axes.get_xlim(), axes.get_ylim()[0]
    return (left + 7.0 if hip.anatomy.lateral @ hip.cut.right > 0.0 else right - 17.0), bottom + 6.0


def _axial_corners(hip: CutHip) -> FloatArray:
    outline = np.concatenate([np.zeros((1, 2)), *hip.bone_loops])
    return np.stack([outline.min(axis=0) - ROOM_MM, outline.max(axis=0) + ROOM_MM])


def _draw_tunnels(axes: Axes, hip: CutHip, tunnels: Sequence[Tunnel]) -> None:
    for number, tunnel in reversed(list(enumerate(tunnels, start=1))):
        label = {1: "Tunnel", 2: "Tunnel beside the cut"}.get(number)
        draw_tunnel(axes, hip, tunnel, in_plane=number == 1, label=label)
        if len(tunnels) > 1:
            x, y = hip.cut.flat_mm(tunnel.target_mm + NUMBER_MM * tunnel.axis)
            axes.text(
                x, y, str(number), ha="center", va="center", weight="bold", fontsize=20.0 * POINTS, color=tint(INK),
                path_effects=rim(5.0), zorder=8.0,
            )  # fmt: skip


def _levels(axes: Axes, anatomy: Anatomy, cut: Cut) -> None:
    """The levels between which a tunnel may begin, on the lateral side."""
    outwards = 1.0 if anatomy.lateral @ cut.right > 0.0 else -1.0
    border = axes.get_xlim()[1 if outwards > 0.0 else 0] - outwards * 4.5
    heights = [float(cut.flat_mm(mark)[1]) for mark in (anatomy.vastus_ridge_mm, anatomy.lesser_trochanter_mm)]
    for height, words, above in zip(heights, ("vastus\nridge", "lesser\ntrochanter"), (True, False), strict=True):
        line = line_style(TEAL, 2.5) | {"linestyle": (0, (4.0, 2.0)), "zorder": 5.0}
        axes.plot([-outwards * INWARDS_MM, border], [height, height], **line, gid=words.replace("\n", " "))
        axes.text(
            border, height + (0.8 if above else -0.8), tell(words), ha="right" if outwards > 0.0 else "left",
            va="bottom" if above else "top", fontsize=20.0 * POINTS, color=tint(INK), path_effects=rim(4.0), zorder=9.0,
        )  # fmt: skip
    bar = line_style(TEAL, 8.0) | {"solid_capstyle": "butt", "zorder": 5.0}
    axes.plot([border - outwards * 1.5] * 2, heights, **bar, label="Entry window", gid="entry window")


def _above_ridge(axes: Axes, hip: CutHip) -> float:
    """At which height (of 1) the names of the sides stand, clear of the landmarks' names."""
    low, high = axes.get_ylim()
    return min(0.85, float((hip.cut.flat_mm(hip.anatomy.vastus_ridge_mm)[1] + NAMES_MM - low) / (high - low)))


def _mark_thinnest(both: tuple[Axes, Axes], hips: tuple[CutHip, CutHip], tunnels: Sequence[Tunnel]) -> None:
    """The least wall and the least distance to the joint of all tunnels, each in the plane that it lies nearer to."""
    bone, anatomy, rules = hips[0].bone, hips[0].anatomy, Rules()
    thin = min(tunnels, key=lambda tunnel: tunnel.wall_min_mm)
    deep = min(tunnels, key=lambda tunnel: tunnel.tool_to_joint_mm)
    for name, figure_mm, place in (
        ("wall", thin.wall_min_mm, thinnest_wall(bone, anatomy, thin, rules)),
        ("joint", deep.tool_to_joint_mm, nearest_to_joint(bone, anatomy, deep, rules)),
    ):
        way = place.on_bone_mm - place.on_tool_mm
        lengths = [float(np.linalg.norm(hip.cut.flat_mm(way + hip.cut.origin_mm))) for hip in hips]
        nearer = int(lengths[1] > lengths[0])
        _measure(both[nearer], hips[nearer], place, tell(f"{name} {shown(figure_mm, 1)} mm"))


def _measure(axes: Axes, hip: CutHip, place: ThinPlace, words: str) -> None:
    """A distance drawn as it is seen, and its figure outside the bone, on from there."""
    ends = hip.cut.flat_mm(np.stack([place.on_tool_mm, place.on_bone_mm]))
    axes.plot(*ends.T, **line_style(INK, 6.0), solid_capstyle="butt", gid=words, zorder=7.0)
    others = [text.get_window_extent() for text in axes.texts]
    text = axes.text(
        0.0, 0.0, words, weight="bold", fontsize=SMALL * POINTS, color=tint(INK), path_effects=rim(5.0), zorder=10.0
    )
    bone = outline_path(hip.bone_loops)
    for turn_deg, leader in product(LEADER_TURNS_DEG, LEADERS_MM):
        way = _turned(unit(ends[1] - ends[0]), turn_deg)
        text.set(ha=_beside(way[0], "left", "right"), va=_beside(way[1], "bottom", "top"))
        text.set_position(tuple(ends[1] + leader * way))
        found = text.get_window_extent()
        in_bone = bone.intersects_bbox(found.transformed(axes.transData.inverted()))
        if not in_bone and _within(found, axes.get_window_extent()) and not found.count_overlaps(others):
            break
    axes.plot(*np.stack([ends[1], text.get_position()]).T, color=tint(INK), linewidth=1.5 * POINTS, zorder=7.0)


def _turned(way: FloatArray, by_deg: float) -> FloatArray:
    turn = np.radians(by_deg)
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ way


def _beside(way: float, after: str, before: str) -> str:
    return "center" if abs(way) < 0.5 else after if way > 0.0 else before


def _within(found: Bbox, drawing: Bbox) -> bool:
    return bool(drawing.x0 <= found.x0 and found.x1 <= drawing.x1 and drawing.y0 <= found.y0 and found.y1 <= drawing.y1)


def _panel(figure: Figure, tunnels: Sequence[Tunnel]) -> float:
    """The figures of the tunnels, and how far down they reach, in pixels."""
    y = PANEL_TOP
    for name, value in (
        ("diameter × length", f"{tunnels[0].diameter_mm:g} × {_range([each.length_mm for each in tunnels])} mm"),
        ("entry above lesser trochanter", f"{shown(tunnels[0].above_lesser_mm, 1)} mm"),
        ("entry below vastus ridge", f"{shown(tunnels[0].below_ridge_mm, 1)} mm"),
        ("angle to the shaft", f"{_range([each.shaft_angle_deg for each in tunnels], 0)}°"),
        ("wall where vessels enter", f"{shown(min(each.vessel_wall_mm for each in tunnels), 1)} mm"),
        ("end on its axis to the joint", f"{shown(min(each.subchondral_axis_mm for each in tunnels), 1)} mm"),
    ):
        letters(figure, (PANEL_LEFT, y), tell(name), 23.0, QUIET)
        letters(figure, (PANEL_RIGHT, y), tell(value), 23.0, ha="right", weight="bold")
        y += ROW
    return y


def _range(values: Sequence[float], decimals: int = 1) -> str:
    """One value, or the least and the largest of several."""
    low, high = (shown(value, decimals) for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _warn(figure: Figure, chosen: Proposal) -> None:
    """Which rules the tunnels break, where they break any."""
    broken = sorted({each.rule for rules in chosen.broken for each in rules})
    if broken:
        words = fill(tell(f"BREAKS: {', '.join(map(rule_words, broken))}"), WARNING_LETTERS)
        letters(figure, (FIRST_LEFT + 20.0, WARNING + 16.0), words, 19.0, RED, weight="bold", va="bottom")

"""The trade between reach and safety as a curve, and where on it each proposal lies."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from guidegen.frames import FloatArray
from guidegen.plan.planning import Plan, Proposal
from guidegen.plan.rules import Rules
from guidegen.plan.trade_off import least_spare_mm
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown
from guidegen.show.canvas import INK, QUIET, SCENE_TOP, SHEET
from guidegen.show.lettering import tell
from guidegen.show.paper import POINTS, SMALL, blank, letters, rim, tint
from guidegen.show.pictures import BLUE, GREY, RED, TEAL
from guidegen.show.strategies_view import proposals_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


LEFT, TOP, WIDTH, HEIGHT = 120.0, SCENE_TOP + 20.0, 720.0, 640.0
NAMES_LEFT, NAME_HEIGHT = 880.0, 84.0
SHAPES = ("D", "s", "^", "v", "P")  # the chosen one first
KEY = (
    "Spare: by how much a plan keeps the one of its distances to cortex, vessels and joint that it keeps least, beyond "
    "its limit. Reached by the tools alone, without a curette."
)


def trade_off_figure(plan: Plan, side: str, patient_id: str) -> Figure:
    """Lesion reached against spare distance: the most that can be reached, and what each proposal makes of it."""
    figure = blank(patient_id, side, "What more distance to cortex, vessels and joint costs in reach")
    axes = figure.add_axes((LEFT / SHEET[0], 1.0 - (TOP + HEIGHT) / SHEET[1], WIDTH / SHEET[0], HEIGHT / SHEET[1]))
    proposals = proposals_of(plan)
    curve = np.array([(each.least_spare_mm, 100.0 * each.tunnel.lesion_reached_fraction) for each in plan.trades])
    curve = curve.reshape(-1, 2)
    points = np.array([(spare_mm(each.tunnels), 100.0 * by_tool_share(each)) for each in proposals]).reshape(-1, 2)
    _frame(axes, np.concatenate([curve, points, np.zeros((1, 2))]))
    if len(curve):
        axes.plot(
            *curve.T, "-o", color=tint(TEAL), linewidth=4.0 * POINTS, markersize=10.0 * POINTS, markerfacecolor="white",
            markeredgewidth=3.0 * POINTS, gid="curve",
        )  # fmt: skip
    else:
        letters(
            figure,
            (LEFT + 0.6 * WIDTH, TOP + 40.0),
            tell("No tunnel found keeps every limit."),
            SMALL,
            RED,
            ha="center",
        )
    places = axes.transData.transform(points) * [1.0, -1.0] + [0.0, SHEET[1]]
    for proposal, point, at, level, shape in zip(
        proposals, points, places, _levels(places[:, 1]), SHAPES[: len(proposals)], strict=True
    ):
        _name(figure, level, at, proposal, point, proposal is plan.chosen)
        _mark(axes, proposal, point, shape, proposal is plan.chosen)
    letters(figure, (NAMES_LEFT, TOP + HEIGHT + 16.0), fill(tell(KEY), 31), 18.0, QUIET, va="bottom")
    return figure


def spare_mm(tunnels: tuple[Tunnel, ...]) -> float:
    """The least spare distance of any of the tunnels, beyond the rules as they stand."""
    return min(least_spare_mm(tunnel, Rules()) for tunnel in tunnels)


def by_tool_share(proposal: Proposal) -> float:
    """The share of the lesion that the tools reach, as the curve counts it."""
    return proposal.volumes.by_tool_mm3 / proposal.volumes.lesion_mm3


def _frame(axes: Axes, shown: FloatArray) -> None:
    """Axes from where every point lies inside, what breaks a limit hatched."""
    low, high = shown.min(axis=0), shown.max(axis=0)
    axes.set_xlim(min(low[0] - 0.3, -0.3), max(1.0, high[0] + 0.4))
    axes.set_ylim(0.0, max(1.0, 1.15 * high[1]))
    axes.set_xlabel(
        tell("Spare distance beyond the limits (mm)"), fontsize=SMALL * POINTS, color=tint(INK), labelpad=6.0
    )
    axes.set_ylabel(tell("Lesion reached (%)"), fontsize=SMALL * POINTS, color=tint(INK), labelpad=6.0)
    axes.tick_params(labelsize=22.0 * POINTS, colors=tint(INK), width=2.0 * POINTS, length=8.0 * POINTS)
    axes.grid(color=tint(GREY), linewidth=1.5 * POINTS)
    axes.set_axisbelow(True)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.axvspan(
        axes.get_xlim()[0], 0.0, facecolor="none", edgecolor=tint(RED), hatch="//", linewidth=0.0, alpha=0.5,
        gid="breaks a limit",
    )  # fmt: skip
    axes.axvline(0.0, color=tint(RED), linewidth=2.5 * POINTS)
    axes.text(
        0.0, axes.get_ylim()[1], f" {tell('limit')}", ha="left", va="top", fontsize=20.0 * POINTS, color=tint(RED),
        path_effects=rim(5.0),
    )  # fmt: skip


def _mark(axes: Axes, proposal: Proposal, point: FloatArray, shape: str, is_chosen: bool) -> None:
    """A proposal's place: filled for the chosen one."""
    ink = tint(BLUE if is_chosen else INK)
    axes.plot(
        *point[:, None], shape, color=ink, markerfacecolor=ink if is_chosen else "white", markersize=17.0 * POINTS,
        markeredgewidth=3.0 * POINTS, path_effects=rim(6.0), gid=proposal.strategy, zorder=7.0 if is_chosen else 6.0,
    )  # fmt: skip


def _name(figure: Figure, level: float, at: FloatArray, proposal: Proposal, point: FloatArray, chosen: bool) -> None:
    """A proposal's name and figures at this level, and a line to its place `at` (2,), in pixels of the sheet."""
    from matplotlib.lines import Line2D

    ends = np.array([at + [16.0, 0.0], (NAMES_LEFT - 14.0, level)]) / SHEET
    x, y = ends[:, 0].tolist(), (1.0 - ends[:, 1]).tolist()
    figure.add_artist(Line2D(x, y, color=tint(QUIET), linewidth=1.8 * POINTS, linestyle=(0, (2.0, 2.0))))
    name = tell(proposal.strategy) + (tell(", chosen") if chosen else "")
    letters(figure, (NAMES_LEFT, level), name, SMALL, BLUE if chosen else INK, weight="bold")
    letters(figure, (NAMES_LEFT, level + 30.0), tell(f"{shown(point[1], 1)} %, spare {shown(point[0], 1)} mm"), 22.0)


def _levels(wanted: FloatArray) -> FloatArray:
    """Where names (K,) stand: at the levels wanted, from the uppermost down, but NAME_HEIGHT apart."""
    levels, free = np.empty(len(wanted)), -np.inf
    for place in np.argsort(wanted, kind="stable"):
        levels[place] = max(float(wanted[place]), free)
        free = levels[place] + NAME_HEIGHT
    return levels

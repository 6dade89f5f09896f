"""The chosen plan and its alternatives side by side, each drawn in the chosen tunnel's cut and with its figures."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from guidegen.assessed import Assessed
from guidegen.plan.explain import WORDS
from guidegen.plan.planning import Plan, Proposal
from guidegen.rounded import shown
from guidegen.show.canvas import QUIET, SCENE_TOP, SHEET
from guidegen.show.cut_drawing import draw_cut, draw_tunnel, name_directions, scale_bar
from guidegen.show.lettering import tell
from guidegen.show.paper import area, blank, letters
from guidegen.show.pictures import RED
from guidegen.show.tunnel_cuts import WARNING, bar_place_mm, cut_hips, front_corners

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EDGE, GAP = 24.0, 14.0
TOP, HEIGHT = SCENE_TOP + 104.0, 332.0  # of the drawings
FIGURES_TOP, ROW = TOP + HEIGHT + 28.0, 57.0


def strategies_figure(assessed: Assessed, plan: Plan, patient_id: str) -> Figure:
    """One column for each proposal, the chosen one first; ValueError for a plan without any."""
    proposals = proposals_of(plan)
    first = proposals[0].tunnels[0]
    figure = blank(
        patient_id, assessed.anatomy.side, "The strategies in the cut of the first, all with the same assumed seat"
    )
    hip, _ = cut_hips(assessed, first)
    low, high = front_corners(hip)
    columns = max(3, len(proposals))
    width = (SHEET[0] - 2.0 * EDGE - GAP * (columns - 1)) / columns
    mm_per_pixel = float(((high - low) / [width, HEIGHT]).max())
    half = np.array([width, HEIGHT]) * mm_per_pixel / 2.0
    for number, proposal in enumerate(proposals):
        left = EDGE + number * (width + GAP)
        axes = area(figure, left, TOP, width, HEIGHT)
        draw_cut(axes, hip, (low + high) / 2.0 - half, (low + high) / 2.0 + half, width=2.0)
        for tunnel in proposal.tunnels:
            draw_tunnel(axes, hip, tunnel, width=2.0, in_plane=tunnel is first)
        if number == 0:
            name_directions(axes, assessed.anatomy, hip.cut)
            scale_bar(axes, *bar_place_mm(axes, hip), 20.0)
        heading = tell(proposal.strategy) + (tell(", chosen") if proposal is plan.chosen else "")
        letters(figure, (left, SCENE_TOP + 14.0), heading, 25.0, weight="bold")
        words = "\n".join(textwrap.wrap(f"{tell(WORDS[proposal.strategy])}, {proposal.kit}", int(width / 12.0)))
        letters(figure, (left, SCENE_TOP + 32.0), words, 20.0, QUIET, va="top")
        _figures(figure, left, proposal)
    return figure


def proposals_of(plan: Plan) -> tuple[Proposal, ...]:
    """All that a plan has found, the chosen one first."""
    return (*(() if plan.chosen is None else (plan.chosen,)), *plan.alternatives)


def _figures(figure: Figure, left: float, proposal: Proposal) -> None:
    """What speaks for it and against it; of several tunnels the worst, with the seat that is assumed of all plans."""
    volumes, budgets = proposal.volumes, proposal.assumed_budgets
    y = FIGURES_TOP
    for name, value in (
        ("Lesion reached", f"{shown(100.0 * volumes.reached_fraction, 1)} %"),
        ("Lesion left", f"{shown(volumes.residual_mm3, 0)} mm³"),
        ("Chance of < 3 mm to joint", f"{shown(100.0 * max(each.within_3_mm_of_joint for each in budgets), 1)} %"),
        ("Tip off by, 95 %", f"{shown(max(each.to_lesion_p95_mm for each in budgets), 1)} mm"),
        ("Least wall", f"{shown(min(each.wall_min_mm for each in proposal.tunnels), 1)} mm"),
    ):
        letters(figure, (left, y), tell(name), 20.0, QUIET)
        letters(figure, (left, y + 27.0), tell(value), 27.0, weight="bold")
        y += ROW
    broken = {each.rule for rules in proposal.broken for each in rules}
    if broken:
        rules = f"BREAKS {len(broken)} RULE{'S' if len(broken) > 1 else ''}"
        letters(figure, (left, WARNING), tell(rules), 22.0, RED, weight="bold")

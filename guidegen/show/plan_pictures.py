"""The pictures of a plan: what safety costs in reach, the bone cut along the tunnel, the strategies side by side."""

from __future__ import annotations

from guidegen.assessed import Assessed
from guidegen.plan.planning import Plan
from guidegen.show.paper import plain_settings, png
from guidegen.show.strategies_view import proposals_of, strategies_figure
from guidegen.show.trade_off_chart import trade_off_figure
from guidegen.show.tunnel_cuts import tunnel_figure


def plan_pictures(assessed: Assessed, plan: Plan, patient_id: str) -> dict[str, bytes]:
    """trade_off.png, cuts.png where there is a chosen plan, and strategies.png where anything was found: 1200 × 900.

    `plan` is that of the hip as assessed. The same arguments give the same bytes on the same machine.
    """
    with plain_settings():
        figures = {"trade_off.png": trade_off_figure(plan, assessed.anatomy.side, patient_id)}
        if plan.chosen is not None:
            figures["cuts.png"] = tunnel_figure(assessed, plan.chosen, patient_id)
        if proposals_of(plan):
            figures["strategies.png"] = strategies_figure(assessed, plan, patient_id)
        return {name: png(figure) for name, figure in figures.items()}

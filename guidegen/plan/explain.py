"""One paragraph of figures: why this plan, and what the others would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guidegen.plan.trade_off import Trade
from guidegen.rounded import shown, shown_percent

if TYPE_CHECKING:
    from guidegen.plan.planning import Proposal

WORDS = {
    "centroid": "through the lesion's centroid",
    "coverage": "that reaches the most of the lesion",
    "multiple": "of several thin tunnels from one entry",
    "ordered": "as ordered",
}


def explained(chosen: Proposal | None, alternatives: tuple[Proposal, ...], trades: tuple[Trade, ...]) -> str:
    """The paragraph on the chosen plan; on what there is instead where there is none."""
    if chosen is None:
        others = ", ".join(_short(each) for each in alternatives) or "nothing else either"
        return f"No tunnel as asked keeps every rule; found instead: {others}."
    sentences = [_of_chosen(chosen), _of_breach(chosen), _of_search(chosen), _of_risk(chosen)]
    if alternatives:
        sentences.append(f"Beside it: {'; '.join(_short(each) for each in alternatives)}.")
    if len(trades) > 1:
        first, last = trades[0], trades[-1]
        most, before = (shown_percent(each.tunnel.lesion_reached_fraction, 1) for each in (last, first))
        sentences.append(
            f"To keep each distance by {last.spare_mm:g} mm more, at most {most} of the lesion can be reached, in "
            f"place of {before}."
        )
    return " ".join(each for each in sentences if each)


def _of_chosen(plan: Proposal) -> str:
    tunnel, volumes = plan.tunnels[0], plan.volumes
    which = f"The tunnel {WORDS[plan.strategy]}"
    if len(plan.tunnels) > 1:
        which = f"Of {len(plan.tunnels)} tunnels the first"
    length, above, wall, vessels, axis, rim = (
        shown(figure, 1)
        for figure in (
            tunnel.length_mm, tunnel.above_lesser_mm, tunnel.wall_min_mm, tunnel.vessel_wall_mm,
            tunnel.subchondral_axis_mm, tunnel.subchondral_mm,
        )
    )  # fmt: skip
    return (
        f"{which} is {tunnel.diameter_mm:g} mm wide and {length} mm long, enters {above} mm above the lesser "
        f"trochanter at {shown(tunnel.shaft_angle_deg, 0)}° to the shaft, leaves {wall} mm of wall ({vessels} mm where "
        f"the vessels enter) and ends {axis} mm from the joint on its axis and {rim} mm at its rim. The plan reaches "
        f"{shown_percent(volumes.reached_fraction, 1)} of the lesion and leaves {shown(volumes.residual_mm3, 0)} mm³."
    )


def _of_breach(plan: Proposal) -> str:
    out = any(tunnel.tool_to_joint_mm < 0.0 for tunnel in plan.tunnels)
    return "The tool comes out of the bone into the joint." if out else ""


def _of_search(plan: Proposal) -> str:
    certificate = plan.certificate
    if certificate is None or certificate.judged == 1:
        return ""
    return (
        f"Of {certificate.judged} pairs of an entry and a target ({certificate.entry_step_mm:g} mm and "
        f"{certificate.target_step_mm:g} mm apart) none scores better by more than {shown(certificate.gap, 2)} points "
        f"(score {shown(plan.score, 2)})."
    )


def _of_risk(plan: Proposal) -> str:
    worst = max(plan.budgets, key=lambda budget: budget.within_3_mm_of_joint)
    widest = max(plan.budgets, key=lambda budget: budget.to_lesion_p95_mm)
    reaches = min(budget.reaches_lesion for budget in plan.budgets)
    return (
        f"In 95 % of operations the tip lies within {shown(widest.to_lesion_p95_mm, 1)} mm of its place in the lesion, "
        f"and {widest.dominant} dominates; it reaches the lesion in {shown_percent(reaches, 1)}, comes within 3 mm of "
        f"the joint in {shown_percent(worst.within_3_mm_of_joint, 1)} and breaches the neck in "
        f"{shown_percent(max(b.breaches_cortex for b in plan.budgets), 2)}. The seat in this is {widest.seat}."
    )


def _short(plan: Proposal) -> str:
    thinnest = min(tunnel.wall_min_mm for tunnel in plan.tunnels)
    reached = shown_percent(plan.volumes.reached_fraction, 1)
    return f"{plan.strategy} ({plan.kit}) reaches {reached} with {shown(thinnest, 1)} mm of wall"

"""A plan in plain numbers and words, for plan.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from guidegen.plan.error_budget import ErrorBudget
from guidegen.plan.planning import Plan, Proposal
from guidegen.plan.rules import Broken
from guidegen.plan.search import Certificate
from guidegen.plan.trade_off import Trade
from guidegen.plan.tunnel import Tunnel
from guidegen.plan.volumes import Volumes
from guidegen.rounded import number, point


def plan_record(plan: Plan | None) -> dict[str, Any]:
    """`tunnels` and `plan` of plan.json; empty and null where there is no plan.

    `tunnels` are those of the chosen proposal, whether they keep the rules or not: `broken_rules` of each says so.
    """
    if plan is None:
        return {"tunnels": [], "plan": None}
    chosen = plan.chosen
    tunnels = [] if chosen is None else [_full(chosen, k) for k in range(len(chosen.tunnels))]
    return {
        "tunnels": tunnels,
        "plan": {
            "explanation": plan.explanation,
            "chosen": None if chosen is None else _proposal(chosen),
            "alternatives": [_proposal(each) | {"tunnels": _tunnels(each)} for each in plan.alternatives],
            "ruled_out": [asdict(each) for each in plan.ruled_out],
            "trade_off": [_trade(each) for each in plan.trades],
            "waivers_proposed": [asdict(each) for each in plan.waived],
        },
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "strategy": proposal.strategy,
        "kit": proposal.kit,
        "score": number(proposal.score),
        "certificate": None if proposal.certificate is None else _certificate(proposal.certificate),
        "volumes": _volumes(proposal.volumes),
        "warnings": list(proposal.warnings),
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    """What the search was worth; how long it took stands with the other times, since no result depends on it."""
    found = asdict(certificate)
    del found["seconds"]
    return {key: value if isinstance(value, int) else number(value) for key, value in found.items()}


def _volumes(volumes: Volumes) -> dict[str, Any]:
    return {
        "lesion_mm3": number(volumes.lesion_mm3),
        "bone_removed_mm3": number(volumes.bone_removed_mm3),
        "reached_by_tool_mm3": number(volumes.by_tool_mm3),
        "reached_by_curette_mm3": number(volumes.by_curette_mm3),
        "residual_mm3": number(volumes.residual_mm3),
        "much_is_left": volumes.much_is_left,
        "graft_ml": number(volumes.graft_ml),
        "pieces": [
            {key: number(value) for key, value in asdict(piece).items()} | {"served": piece.served}
            for piece in volumes.pieces
        ],
    }


def _full(chosen: Proposal, k: int) -> dict[str, Any]:
    """One tunnel of the chosen proposal with all that is known of it."""
    budget = chosen.budgets[k]
    return _tunnel(chosen.tunnels[k], chosen.broken[k]) | {
        "error_budget": _budget(budget) | {"simulated": _simulated(chosen, k)},
        "error_budget_assumed": _compared(chosen.assumed_budgets[k]),
        "instruments": [asdict(step) for step in chosen.steps[k]],
    }


def _simulated(chosen: Proposal, k: int) -> dict[str, Any] | None:
    if not chosen.simulated:
        return None
    found = asdict(chosen.simulated[k])
    return {key: value if isinstance(value, int) else number(value) for key, value in found.items()}


def _budget(budget: ErrorBudget) -> dict[str, Any]:
    found = asdict(budget)
    contributions = [
        {key: value if isinstance(value, str) else number(value) for key, value in each.items()}
        for each in found.pop("contributions")
    ]
    plain = {key: value if value is None or isinstance(value, str) else number(value) for key, value in found.items()}
    return plain | {"contributions": contributions}


def _compared(budget: ErrorBudget) -> dict[str, Any]:
    """The budget with the seat that is assumed of every plan alike."""
    whole = _budget(budget)
    del whole["contributions"]
    return whole


def _tunnels(proposal: Proposal) -> list[dict[str, Any]]:
    return [
        _tunnel(tunnel, broken) | {"error_budget": _budget(budget), "error_budget_assumed": _compared(budget)}
        for tunnel, broken, budget in zip(proposal.tunnels, proposal.broken, proposal.budgets, strict=True)
    ]


def _tunnel(tunnel: Tunnel, broken: tuple[Broken, ...]) -> dict[str, Any]:
    return {
        "entry_mm": point(tunnel.entry_mm),
        "target_mm": point(tunnel.target_mm),
        "diameter_mm": tunnel.diameter_mm,
        "end_outline_mm": [point(ring) for ring in tunnel.outline_mm],
        "length_mm": number(tunnel.length_mm),
        "wall_min_mm": number(tunnel.wall_min_mm),
        "vessel_wall_mm": number(tunnel.vessel_wall_mm),
        "subchondral_mm": number(tunnel.subchondral_mm),
        "subchondral_axis_mm": number(tunnel.subchondral_axis_mm),
        "tool_to_joint_mm": number(tunnel.tool_to_joint_mm),
        "lesion_reached_fraction": number(tunnel.lesion_reached_fraction),
        "lesion_missed_mm": number(tunnel.lesion_missed_mm),
        "centroid_distance_mm": number(tunnel.centroid_distance_mm),
        "shaft_angle_deg": number(tunnel.shaft_angle_deg),
        "obliquity_deg": number(tunnel.obliquity_deg),
        "entry_off_middle": number(tunnel.off_middle),
        "entry_above_lesser_trochanter_mm": number(tunnel.above_lesser_mm),
        "entry_below_vastus_ridge_mm": number(tunnel.below_ridge_mm),
        "entry_moved_mm": number(tunnel.entry_moved_mm),
        "sleeve_offset_mm": tunnel.sleeve_offset_mm,
        "depth_reading_mm": None if tunnel.depth_reading_mm is None else number(tunnel.depth_reading_mm),
        "keep_out_mm": None if tunnel.keep_out_mm is None else number(tunnel.keep_out_mm),
        "cost": number(tunnel.cost),
        "broken_rules": [
            asdict(each) | {"measured": number(each.measured), "short_by": number(each.short_by)} for each in broken
        ],
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "spare_mm": trade.spare_mm,
        "least_spare_mm": number(trade.least_spare_mm),
        "lesion_reached_fraction": number(trade.tunnel.lesion_reached_fraction),
        "entry_mm": point(trade.tunnel.entry_mm),
        "target_mm": point(trade.tunnel.target_mm),
    }

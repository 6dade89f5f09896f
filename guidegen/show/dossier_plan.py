"""What the dossier says of the plan: how it is drilled, how far off it may be, what it leaves, what else there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guidegen.plan.rules import TABLE
from guidegen.show.wording import figure_text, percent_text

Rows = list[list[str]]
Record = Mapping[str, Any]

WHY = {rule.name: rule.why for rule in TABLE}


def plan_words(plan: Record) -> dict[str, Any]:
    """All words and numbers on the plan, as the template names them, from a plan.json that has a chosen plan."""
    tunnels, found = plan["tunnels"], plan["plan"]
    widest = max(range(len(tunnels)), key=lambda place: tunnels[place]["error_budget"]["to_lesion_p95_mm"])
    return {
        "explanation": found["explanation"],
        "warnings": list(found["chosen"]["warnings"]),
        "broken": _broken(tunnels),
        "waivers": [_waiver(each) for each in found["waivers_proposed"]],
        "steps": [_steps(number, tunnel, len(tunnels)) for number, tunnel in enumerate(tunnels, start=1)],
        "distances": numbered(_distance_rows(tunnels), len(tunnels)),
        "budget": numbered(_budget_rows(tunnels), len(tunnels)),
        "contributions": {
            "tunnel": _name(widest + 1, len(tunnels)),
            "rows": _contribution_rows(tunnels[widest]["error_budget"]),
        },
        "volumes": _volume_rows(found["chosen"]["volumes"]),
        "strategies": _strategies(found, tunnels),
        "ruled_out": [[each["strategy"], each["message"]] for each in found["ruled_out"]],
    }


def numbered(rows: Rows, count: int) -> Rows:
    """Rows of a value per tunnel, under the tunnels' numbers where there are several."""
    return [["", *(str(number) for number in range(1, count + 1))], *rows] if count > 1 else rows


def _name(number: int, count: int) -> str:
    return f"tunnel {number}" if count > 1 else ""


def _broken(tunnels: Sequence[Record]) -> list[dict[str, str]]:
    """Every rule that a tunnel breaks, in figures, and why it is a rule."""
    return [
        {
            "rule": each["rule"],
            "tunnel": _name(number, len(tunnels)),
            "figures": figure_text(each["measured"], 2, each["unit"])
            + f", limit {figure_text(each['limit'], 1, each['unit'])}",
            "why": WHY[each["rule"]],
        }
        for number, tunnel in enumerate(tunnels, start=1)
        for each in tunnel["broken_rules"]
    ]


def _waiver(waiver: Record) -> str:
    return f"{waiver['author']} proposes to waive {waiver['rule']}: {waiver['reason']}"


def _steps(number: int, tunnel: Record, count: int) -> dict[str, Any]:
    """What is read on the drill, and the instruments in their order."""
    reading = (
        f"read {tunnel['depth_reading_mm']:.1f} mm on the drill at the sleeve's top, "
        f"{tunnel['sleeve_offset_mm']:.1f} mm off the cortex; the tunnel is {tunnel['length_mm']:.1f} mm long"
    )
    rows = [
        [str(step["number"]), step["tool"], step["through"], step["stopped_by"], step["guide"]]
        for step in tunnel["instruments"]
    ]
    return {"tunnel": _name(number, count), "reading": reading, "rows": rows}


def _distance_rows(tunnels: Sequence[Record]) -> Rows:
    """How near the tunnels come to all that must stay whole; one column per tunnel."""
    rows = [
        ["wall to the outer cortex", *_column(tunnels, "wall_min_mm")],
        ["wall where the vessels enter", *_column(tunnels, "vessel_wall_mm")],
        ["end on its axis to the joint", *_column(tunnels, "subchondral_axis_mm")],
        ["any point of the tool to the joint", *_column(tunnels, "tool_to_joint_mm")],
        ["entry above the lesser trochanter", *_column(tunnels, "entry_above_lesser_trochanter_mm")],
        ["entry below the vastus ridge", *_column(tunnels, "entry_below_vastus_ridge_mm")],
        ["axis to the cortex's normal", *(figure_text(tunnel["obliquity_deg"], 0, "°") for tunnel in tunnels)],
    ]
    if tunnels[0]["keep_out_mm"] is not None:
        rows.append(["drill to what is kept out", *_column(tunnels, "keep_out_mm")])
    return rows


def _column(records: Sequence[Record], name: str) -> list[str]:
    return [figure_text(record[name], 1, "mm") for record in records]


def _budget_rows(tunnels: Sequence[Record]) -> Rows:
    """How far the tip may be off and what that may lead to; one column per tunnel."""
    budgets = [tunnel["error_budget"] for tunnel in tunnels]

    def chances(name: str, decimals: int) -> list[str]:
        return [percent_text(budget[name], decimals) for budget in budgets]

    rows = [
        ["tip off its place in the bone, mean", *_column(budgets, "tip_mean_mm")],
        ["the same, 95 %", *_column(budgets, "tip_p95_mm")],
        ["tip off its place in the lesion, 95 %", *_column(budgets, "to_lesion_p95_mm")],
        ["what dominates", *(budget["dominant"] for budget in budgets)],
        ["reaches the lesion", *chances("reaches_lesion", 1)],
        ["comes within 3 mm of the joint", *chances("within_3_mm_of_joint", 1)],
        ["breaches the neck", *chances("breaches_cortex", 2)],
    ]
    if any(budget["stop_earlier_mm"] for budget in budgets):
        rows.append(["would keep the joint's limit if stopped earlier by", *_column(budgets, "stop_earlier_mm")])
    return rows


def _contribution_rows(budget: Record) -> Rows:
    return [
        [each["name"], figure_text(each["tip_rms_mm"], 2, "mm"), percent_text(each["share"])]
        for each in budget["contributions"]
    ]


def _volume_rows(volumes: Record) -> Rows:
    return [
        ["lesion", figure_text(volumes["lesion_mm3"], 0, "mm³")],
        ["reached by the tools", figure_text(volumes["reached_by_tool_mm3"], 0, "mm³")],
        ["reached by the curette", figure_text(volumes["reached_by_curette_mm3"], 0, "mm³")],
        ["left", figure_text(volumes["residual_mm3"], 0, "mm³")],
        ["bone removed", figure_text(volumes["bone_removed_mm3"], 0, "mm³")],
        ["graft", figure_text(volumes["graft_ml"], 1, "ml")],
    ]


def _strategies(found: Record, tunnels: Sequence[Record]) -> dict[str, Any]:
    """The chosen plan and every alternative, one row each; of several tunnels the worst."""
    head = [
        "",
        "kit",
        "tunnels",
        "lesion reached",
        "lesion left",
        "least wall",
        "tip off, 95 %",
        "within 3 mm of joint",
    ]
    chosen = _strategy_row(found["chosen"], tunnels)
    chosen[0] += ", chosen"
    return {"head": head, "rows": [chosen, *(_strategy_row(each, each["tunnels"]) for each in found["alternatives"])]}


def _strategy_row(proposal: Record, tunnels: Sequence[Record]) -> list[str]:
    volumes, budgets = proposal["volumes"], [tunnel["error_budget"] for tunnel in tunnels]
    reached = (volumes["reached_by_tool_mm3"] + volumes["reached_by_curette_mm3"]) / volumes["lesion_mm3"]
    return [
        proposal["strategy"],
        proposal["kit"],
        str(len(tunnels)),
        percent_text(reached, 1),
        figure_text(volumes["residual_mm3"], 0, "mm³"),
        figure_text(min(tunnel["wall_min_mm"] for tunnel in tunnels), 1, "mm"),
        figure_text(max(budget["to_lesion_p95_mm"] for budget in budgets), 1, "mm"),
        percent_text(max(budget["within_3_mm_of_joint"] for budget in budgets), 1),
    ]

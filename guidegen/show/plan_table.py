"""A plan as rows of text, for the terminal."""

from __future__ import annotations

from guidegen.plan.instruments import reading_text
from guidegen.plan.planning import Plan, Proposal
from guidegen.plan.rules import sign_of
from guidegen.plan.tunnel import Tunnel
from guidegen.rounded import shown, shown_percent

Heads = tuple[str, ...]
Rows = list[tuple[str, ...]]
MARK_STEP_MM = 5.0


def plan_tables(plan: Plan | None) -> list[tuple[Heads, Rows]]:
    """Headings and rows: the tunnels one by one, the strategies side by side, the search, and the rules broken."""
    if plan is None:
        return []
    chosen = plan.chosen
    proposals = ([] if chosen is None else [chosen]) + list(plan.alternatives)
    tables: list[tuple[Heads, Rows]] = []
    if chosen is not None:
        count = len(chosen.tunnels)
        tables.append((("tunnel", *(str(number + 1) for number in range(count))), _tunnel_rows(chosen)))
    if proposals:
        tables.append((("strategy", *(each.strategy for each in proposals)), _strategy_rows(proposals)))
    broken = _broken_rows(plan)
    if broken:
        tables.append((("rule broken", "tunnel", "measured", "limit", "may be waived"), broken))
    if plan.ruled_out:
        tables.append((("no tunnel", "ruling rule"), [(each.strategy, each.rule) for each in plan.ruled_out]))
    return tables


def _tunnel_rows(chosen: Proposal) -> Rows:
    def row(name: str, text: str, decimals: int, *attributes: str) -> tuple[str, ...]:
        figures = ([shown(getattr(tunnel, each), decimals) for each in attributes] for tunnel in chosen.tunnels)
        return (name, *(text.format(*each) for each in figures))

    return [
        ("entry (LPS mm)", *(_place(tunnel.entry_mm) for tunnel in chosen.tunnels)),
        ("target (LPS mm)", *(_place(tunnel.target_mm) for tunnel in chosen.tunnels)),
        ("diameter × length", *(f"{each.diameter_mm:g} × {shown(each.length_mm, 1)} mm" for each in chosen.tunnels)),
        ("depth on the drill", *(_reading(tunnel) for tunnel in chosen.tunnels)),
        row("wall, where the vessels enter", "{}, {} mm", 1, "wall_min_mm", "vessel_wall_mm"),
        row("end to the joint, axis / rim", "{} / {} mm", 1, "subchondral_axis_mm", "subchondral_mm"),
        row("angle to shaft, to the cortex", "{}°, {}°", 0, "shaft_angle_deg", "obliquity_deg"),
        row("entry above lesser trochanter", "{} mm", 1, "above_lesser_mm"),
        row("entry below vastus ridge", "{} mm", 1, "below_ridge_mm"),
        ("tip within (95 %)", *(f"{shown(each.to_lesion_p95_mm, 1)} mm" for each in chosen.budgets)),
        ("what dominates", *(each.dominant for each in chosen.budgets)),
        ("reaches the lesion", *(shown_percent(each.reaches_lesion, 1) for each in chosen.budgets)),
        ("within 3 mm of the joint", *(shown_percent(each.within_3_mm_of_joint, 1) for each in chosen.budgets)),
        ("breaches the neck", *(shown_percent(each.breaches_cortex, 2) for each in chosen.budgets)),
        ("the seat in these", *(each.seat for each in chosen.budgets)),
    ]


def _strategy_rows(proposals: list[Proposal]) -> Rows:
    certificates = [each.certificate for each in proposals]
    return [
        ("kit", *(each.kit for each in proposals)),
        ("tunnels", *(str(len(each.tunnels)) for each in proposals)),
        ("lesion reached", *(shown_percent(each.volumes.reached_fraction, 1) for each in proposals)),
        ("lesion left", *(f"{shown(each.volumes.residual_mm3, 0)} mm³" for each in proposals)),
        ("bone removed", *(f"{shown(each.volumes.bone_removed_mm3, 0)} mm³" for each in proposals)),
        ("graft", *(f"{shown(each.volumes.graft_ml, 1)} ml" for each in proposals)),
        ("least wall", *(f"{shown(min(tunnel.wall_min_mm for tunnel in each.tunnels), 1)} mm" for each in proposals)),
        ("score", *(shown(each.score, 2) for each in proposals)),
        ("better by at most", *("–" if each is None else shown(each.gap, 2) for each in certificates)),
        ("candidates", *("–" if each is None else str(each.judged) for each in certificates)),
        (
            "judged per second",
            *(
                "–" if each is None or not each.seconds else shown(each.judged / each.seconds, 0)
                for each in certificates
            ),
        ),
    ]


def _broken_rows(plan: Plan) -> Rows:
    if plan.chosen is None:
        return []
    return [
        (
            each.rule,
            str(number),
            f"{shown(each.measured, 1)} {each.unit}",
            f"{sign_of(each.rule)} {each.limit:g} {each.unit}",
            "yes" if each.waivable else "no",
        )
        for number, broken in enumerate(plan.chosen.broken, start=1)
        for each in broken
    ]


def _reading(tunnel: Tunnel) -> str:
    if tunnel.depth_reading_mm is None:
        return "no sleeve is long enough"
    return reading_text(tunnel.depth_reading_mm, MARK_STEP_MM)


def _place(point: object) -> str:
    return ", ".join(shown(value, 1) for value in point)  # type: ignore[attr-defined]  # an array of three

"""A plan as rows of text, for the terminal."""

from __future__ import annotations

from guidegen.plan.instruments import reading_text
from guidegen.plan.planning import Plan, Proposal
from guidegen.plan.tunnel import Tunnel

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
    def row(name: str, text: str, *attributes: str) -> tuple[str, ...]:
        return (name, *(text.format(*(getattr(tunnel, each) for each in attributes)) for tunnel in chosen.tunnels))

    return [
        ("entry (LPS mm)", *(_place(tunnel.entry_mm) for tunnel in chosen.tunnels)),
        ("target (LPS mm)", *(_place(tunnel.target_mm) for tunnel in chosen.tunnels)),
        row("diameter × length", "{:g} × {:.1f} mm", "diameter_mm", "length_mm"),
        ("depth on the drill", *(_reading(tunnel) for tunnel in chosen.tunnels)),
        row("wall, where the vessels enter", "{:.1f}, {:.1f} mm", "wall_min_mm", "vessel_wall_mm"),
        row("end to the joint, axis / rim", "{:.1f} / {:.1f} mm", "subchondral_axis_mm", "subchondral_mm"),
        row("angle to shaft, to the cortex", "{:.0f}°, {:.0f}°", "shaft_angle_deg", "obliquity_deg"),
        row("entry above lesser trochanter", "{:.1f} mm", "above_lesser_mm"),
        row("entry below vastus ridge", "{:.1f} mm", "below_ridge_mm"),
        ("tip within (95 %)", *(f"{each.to_lesion_p95_mm:.1f} mm" for each in chosen.budgets)),
        ("what dominates", *(each.dominant for each in chosen.budgets)),
        ("reaches the lesion", *(f"{each.reaches_lesion:.1%}" for each in chosen.budgets)),
        ("within 3 mm of the joint", *(f"{each.within_3_mm_of_joint:.1%}" for each in chosen.budgets)),
        ("breaches the neck", *(f"{each.breaches_cortex:.2%}" for each in chosen.budgets)),
        ("the seat in these", *(each.seat for each in chosen.budgets)),
    ]


def _strategy_rows(proposals: list[Proposal]) -> Rows:
    certificates = [each.certificate for each in proposals]
    return [
        ("kit", *(each.kit for each in proposals)),
        ("tunnels", *(str(len(each.tunnels)) for each in proposals)),
        ("lesion reached", *(f"{each.volumes.reached_fraction:.1%}" for each in proposals)),
        ("lesion left", *(f"{each.volumes.residual_mm3:.0f} mm³" for each in proposals)),
        ("bone removed", *(f"{each.volumes.bone_removed_mm3:.0f} mm³" for each in proposals)),
        ("graft", *(f"{each.volumes.graft_ml:.1f} ml" for each in proposals)),
        ("least wall", *(f"{min(tunnel.wall_min_mm for tunnel in each.tunnels):.1f} mm" for each in proposals)),
        ("score", *(f"{each.score:.2f}" for each in proposals)),
        ("better by at most", *("–" if each is None else f"{each.gap:.2f}" for each in certificates)),
        ("candidates", *("–" if each is None else str(each.judged) for each in certificates)),
        (
            "judged per second",
            *(
                "–" if each is None or not each.seconds else f"{each.judged / each.seconds:.0f}"
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
            f"{each.measured:.1f} {each.unit}",
            f"{each.limit:g} {each.unit}",
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
    return ", ".join(f"{value:.1f}" for value in point)  # type: ignore[attr-defined]  # an array of three

"""The plan as its guide was built: what the sleeves and the seat make of it."""

from __future__ import annotations

from dataclasses import replace

from guidegen.plan.explain import explained
from guidegen.plan.instruments import Fittings, depth_reading_mm, instrument_sequence
from guidegen.plan.kits import Kit
from guidegen.plan.planning import Plan, Task, budget_of, simulated_of, warnings_of
from guidegen.plan.seating import Seating


def with_sleeves(plan: Plan, kit: Kit, offsets_mm: tuple[float, ...], fittings: Fittings) -> Plan:
    """The plan as it is with what leads each drill built so far off the cortex, from entry to stop face, and with the
    guide's `fittings`: readings and steps follow. NoSafePlan where a drill is too short for that.
    """
    chosen = plan.chosen
    assert chosen is not None, "a guide is built on a plan"
    built = tuple(
        replace(
            tunnel,
            sleeve_offset_mm=offset,
            depth_reading_mm=depth_reading_mm(offset, tunnel.length_mm),
            drill_spare_mm=kit.drill.length_mm - offset - tunnel.length_mm,
        )
        for tunnel, offset in zip(chosen.tunnels, offsets_mm, strict=True)
    )
    steps = tuple(
        instrument_sequence(kit, tunnel.length_mm, depth_reading_mm(offset, tunnel.length_mm), fittings, number)
        for number, (tunnel, offset) in enumerate(zip(built, offsets_mm, strict=True), start=1)
    )
    return replace(plan, chosen=replace(chosen, tunnels=built, steps=steps))


def with_seat(plan: Plan, task: Task, seat: Seating) -> Plan:
    """The plan with the error budget of the seat that was built: the policy is asked again, and what is said of the
    plan follows. The plans beside it have no guide; they are compared on the seat that was assumed of all.
    """
    chosen = plan.chosen
    assert chosen is not None, "a guide is built on a plan"
    budgets = tuple(budget_of(task, task.asked_ground, tunnel, seat) for tunnel in chosen.tunnels)
    own = replace(
        chosen,
        budgets=budgets,
        simulated=tuple(simulated_of(task, task.asked_ground, tunnel, seat) for tunnel in chosen.tunnels),
        warnings=warnings_of(task, budgets, chosen.volumes),
    )
    return replace(plan, chosen=own, explanation=explained(own, plan.alternatives, plan.trades))

"""The plan as its guide was built: readings by its sleeves, error budget and warnings by its seat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_case import Case, task_of

from guidegen.packed import packed
from guidegen.plan.as_built import with_seat, with_sleeves
from guidegen.plan.instruments import Fittings
from guidegen.plan.planning import Plan
from guidegen.plan.seating import ASSUMED, OWN, Seating


def seat_of(plan: Plan, shift_mm: float, turn_deg: float) -> Seating:
    """A built seat, as even as the assumed one, beside the first tunnel's entry."""
    even = np.repeat([shift_mm**2, np.radians(turn_deg) ** 2], 3) / 3.0
    center_mm = plan.chosen.tunnels[0].entry_mm + [4.0, 0.0, -6.0]
    return Seating(center_mm, np.diag(even), OWN, "the built seat M", of_surface=True)


def built(plan: Plan, small: Case, shift_mm: float, turn_deg: float, **policy: float) -> Plan:
    task = task_of(small)
    task = replace(task, policy=task.policy.model_copy(update=policy))
    return with_seat(plan, task, seat_of(plan, shift_mm, turn_deg))


@pytest.fixture(scope="module")
def firm(plan: Plan, small: Case) -> Plan:
    """On a seat that is better than the one assumed."""
    return built(plan, small, 0.3, 0.5)


def test_a_sleeve_built_further_off_changes_reading_and_steps_alone(plan: Plan, small: Case) -> None:
    before = plan.chosen.tunnels[0]
    further = before.sleeve_offset_mm + 5.0
    after = with_sleeves(plan, small.kit, (further,), Fittings())
    tunnel = after.chosen.tunnels[0]
    assert (tunnel.sleeve_offset_mm, tunnel.depth_reading_mm) == (further, before.depth_reading_mm + 5.0)
    assert tunnel.drill_spare_mm == pytest.approx(before.drill_spare_mm - 5.0)
    assert tunnel.target_mm is before.target_mm
    assert any(f"{before.depth_reading_mm + 5.0:.1f}" in step.stopped_by for step in after.chosen.steps[0])
    same = with_sleeves(plan, small.kit, (before.sleeve_offset_mm,), Fittings())
    assert packed(same) == packed(plan)


def test_as_many_wires_as_the_guide_has_are_told_each_with_its_depth(plan: Plan, small: Case) -> None:
    offset = plan.chosen.tunnels[0].sleeve_offset_mm

    def first(*depths_mm: float) -> tuple[str, str]:
        step = with_sleeves(
            plan, small.kit, (offset,), Fittings("printed", 0.0, depths_mm, tuple(depth + 9.0 for depth in depths_mm))
        ).chosen.steps[0][0]
        return step.tool, step.stopped_by

    assert first(25.0, 25.0) == ("two wires of 2 mm", "25 mm of bone: 34 mm from its tip to the top of its boss")
    assert first(25.0, 41.52, 25.0) == (
        "three wires of 2 mm",
        "25 / 41.5 / 25 mm of bone: 34 / 50.5 / 34 mm from its tip to the top of its boss",
    )
    assert plan.chosen.steps[0][0].tool == "two or three wires of 2 mm"  # before there is a guide


def test_before_a_guide_the_budget_says_that_its_seat_is_assumed(plan: Plan) -> None:
    for proposal in (plan.chosen, *plan.alternatives):
        assert proposal.budgets == proposal.assumed_budgets
        for budget in proposal.budgets:
            assert budget.seat == ASSUMED
            assert (budget.seat_shift_rms_mm, budget.seat_turn_rms_deg) == pytest.approx((0.7, 1.0))
    assert plan.explanation.count("The seat in this is assumed, since there is no guide yet.") == 1


def test_with_a_guide_it_is_that_of_its_seat_by_both_ways(plan: Plan, firm: Plan) -> None:
    (own,), (before,) = firm.chosen.budgets, plan.chosen.budgets
    assert own.seat == OWN
    assert (own.seat_shift_rms_mm, own.seat_turn_rms_deg) == pytest.approx((0.3, 0.5))
    for name in ("tip_mean_mm", "tip_p95_mm", "entry_p95_mm", "angle_p95_deg", "to_lesion_p95_mm"):
        assert getattr(own, name) < 0.9 * getattr(before, name)
        if name != "to_lesion_p95_mm":
            assert getattr(own, name) == pytest.approx(getattr(firm.chosen.simulated[0], name), rel=0.05)
    assert "The seat in this is the built guide's own." in firm.explanation
    assert f"within {own.to_lesion_p95_mm:.1f} mm of its place in the lesion" in firm.explanation


def test_plans_are_still_compared_on_the_seat_assumed_of_all(plan: Plan, firm: Plan) -> None:
    assert firm.chosen.assumed_budgets == plan.chosen.budgets
    assert firm.alternatives is plan.alternatives
    assert firm.chosen.tunnels is plan.chosen.tunnels


def test_the_policy_is_asked_again_with_the_built_seat(plan: Plan, small: Case, firm: Plan) -> None:
    """A limit between the two: what the plan kept a poor seat breaks, and what it broke a good one keeps."""
    poor = built(plan, small, 1.6, 2.5, joint_within_3_mm_max=1.0)
    before, after = plan.chosen.budgets[0].to_lesion_p95_mm, poor.chosen.budgets[0].to_lesion_p95_mm
    assert before < 4.0 < after
    *others, sentence = poor.chosen.warnings
    assert others == [each for each in plan.chosen.warnings if "The plan reaches" in each]
    assert sentence.startswith(f"The tunnel's tip is within {after:.1f} mm of its place in the lesion in 95 %")
    assert not any("of its place in the lesion" in each for each in plan.chosen.warnings)
    near, nearer = firm.chosen.budgets[0].within_3_mm_of_joint, plan.chosen.budgets[0].within_3_mm_of_joint
    assert near < nearer
    between = built(plan, small, 0.3, 0.5, joint_within_3_mm_max=(near + nearer) / 2.0)
    assert not any("closer than 3 mm to the joint" in each for each in between.chosen.warnings)

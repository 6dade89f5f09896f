"""The plan as a whole: orders that break rules, waivers, refusals, warnings, and the same plan twice."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from plan_case import POLICY, PRINTER, Case, planned_for, task_of, with_drill

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, across
from guidegen.packed import packed, unpacked
from guidegen.plan import planning
from guidegen.plan.kits import Kit
from guidegen.plan.planning import (
    CENTROID,
    COVERAGE,
    MULTIPLE,
    ORDERED,
    STRATEGIES,
    Plan,
    Survey,
    make_plan,
    policy_warnings,
    refusal_of,
    survey,
    warnings_of,
)
from guidegen.plan.volumes import Volumes, plan_volumes
from guidegen.rounded import shown


@pytest.fixture
def orders_alone(monkeypatch, plan, small) -> None:
    """Nothing but the order is searched for: what else a plan holds is the same as without it."""
    assert small.tunnel.length_mm > 0.0  # found now, while there is something to find it

    def nothing(*_: object) -> None:
        raise NoSafePlan("expected nothing beside the order", rule="beside", figures={})

    for strategy in STRATEGIES:
        monkeypatch.setitem(STRATEGIES, strategy, nothing)
    monkeypatch.setattr(planning, "trade_off", lambda _: ())
    monkeypatch.setattr(planning, "simulate", lambda *_: plan.chosen.simulated[0])


@pytest.fixture
def no_trades(monkeypatch) -> None:
    monkeypatch.setattr(planning, "trade_off", lambda _: ())


# --- a whole plan ---


def test_the_plan_asked_for_and_the_best_of_every_other_strategy(plan) -> None:
    assert plan.chosen.strategy == CENTROID
    assert [each.strategy for each in plan.alternatives] == [COVERAGE, MULTIPLE]
    assert (plan.chosen.kit, plan.alternatives[1].kit) == ("core-8", "multiple-3.2")
    assert plan.ruled_out == ()
    assert refusal_of(plan, CENTROID) is None
    assert not any(any(broken) for each in (plan.chosen, *plan.alternatives) for broken in each.broken)


def test_each_is_what_its_strategy_gives(small, plan) -> None:
    for each in (plan.chosen, *plan.alternatives):
        found = small.found(each.strategy)
        assert [tunnel.target_mm.tobytes() for tunnel in each.tunnels] == [
            tunnel.target_mm.tobytes() for tunnel in found.tunnels
        ]
        assert each.score == found.score
        assert each.volumes == plan_volumes(small.ground_for(each.strategy).hip, found.tunnels)
        assert len(each.budgets) == len(each.steps) == len(each.tunnels)
    assert len(plan.chosen.simulated) == 1
    assert [len(each.simulated) for each in plan.alternatives] == [0, 0]


def test_the_most_is_reached_by_the_plan_for_reach(plan) -> None:
    coverage = next(each for each in plan.alternatives if each.strategy == COVERAGE)
    assert coverage.volumes.reached_fraction >= plan.chosen.volumes.reached_fraction


def test_the_steps_name_the_reading_of_their_tunnel(plan) -> None:
    for each in (plan.chosen, *plan.alternatives):
        for tunnel, steps in zip(each.tunnels, each.steps, strict=True):
            assert any(shown(tunnel.depth_reading_mm, 1) in step.stopped_by for step in steps)


def without_time(plan: Plan) -> Plan:
    """The plan but for how long its searches took."""

    def timeless(proposal):
        if proposal is None or proposal.certificate is None:
            return proposal
        return replace(proposal, certificate=replace(proposal.certificate, seconds=0.0))

    return replace(plan, chosen=timeless(plan.chosen), alternatives=tuple(map(timeless, plan.alternatives)))


def test_the_same_task_has_the_same_plan_to_the_last_bit(small, plan) -> None:
    assert packed(without_time(planned_for(task_of(small)))) == packed(without_time(plan))


def test_a_plan_packed_comes_back_as_it_was(plan) -> None:
    back = unpacked(Plan, packed(plan))
    assert packed(back) == packed(plan)
    assert isinstance(back.chosen.tunnels[0].outline_mm, np.ndarray)
    assert back.chosen.certificate == plan.chosen.certificate
    assert back.explanation == plan.explanation


def test_the_explanation_names_the_figures(plan) -> None:
    tunnel, volumes = plan.chosen.tunnels[0], plan.chosen.volumes
    for figure in (
        f"{tunnel.length_mm:.1f} mm long", f"{tunnel.wall_min_mm:.1f} mm of wall",
        f"{volumes.reached_fraction:.1%} of the lesion", f"{volumes.residual_mm3:.0f} mm³",
        f"{plan.chosen.certificate.gap:.2f} points",
    ):  # fmt: skip
        assert figure in plan.explanation


# --- no plan ---


@pytest.mark.usefixtures("no_trades")
def test_a_strategy_without_a_tunnel_is_ruled_out_by_name_and_figures(small) -> None:
    """A drill as thick as the neck: the fan's thin ones still fit."""
    few = replace(small.rules, entry_off_middle_max=0.05)
    thick = replace(small, kit=with_drill(small.kit, diameter_mm=24.0), rules=few)
    found = planned_for(task_of(thick))
    assert found.chosen is None
    assert [each.strategy for each in found.alternatives] == [MULTIPLE]
    assert [each.strategy for each in found.ruled_out] == [CENTROID, COVERAGE]
    assert found.waived == ()
    refusal = refusal_of(found, CENTROID)
    assert refusal.rule in ("wall_min_mm", "vessel_wall_min_mm")
    assert refusal.figures["wall_min_mm"] < 3.0
    assert refusal.rule in str(refusal)
    assert found.explanation.startswith("No tunnel as asked keeps every rule; found instead: multiple (multiple-3.2)")
    packed_back = unpacked(Plan, packed(found))
    assert packed_back.ruled_out == found.ruled_out


# --- orders ---


def near_joint(case: Case, keeps_mm: float) -> FloatArray:
    """A target on the planned tunnel that lies so far under the joint."""
    free = case.tunnel
    way = np.arange(0.0, 6.0, 0.01)[:, None]
    places = free.target_mm + way * free.axis
    depth = -case.bone.signed_distance_mm(places)
    return places[np.abs(depth - keeps_mm).argmin()]


@pytest.mark.usefixtures("orders_alone")
class TestOrders:
    def made(self, case: Case, target_mm: FloatArray, waive=()) -> Plan:
        return planned_for(task_of(case, entry_mm=case.tunnel.entry_mm, target_mm=target_mm, waive=waive))

    def test_a_lawful_order_is_the_plan(self, small) -> None:
        found = self.made(small, small.tunnel.target_mm)
        assert (found.chosen.strategy, found.chosen.broken) == (ORDERED, ((),))
        assert found.chosen.certificate is None
        assert found.chosen.tunnels[0].target_mm == pytest.approx(small.tunnel.target_mm)
        assert refusal_of(found, CENTROID) is None

    def test_an_order_that_breaks_a_rule_is_planned_and_marked(self, small) -> None:
        found = self.made(small, near_joint(small, 4.4))
        (broken,) = found.chosen.broken[0]
        assert (broken.rule, broken.waivable) == ("subchondral_axis_mm", True)
        assert broken.measured == pytest.approx(4.4, abs=0.02)
        refusal = refusal_of(found, CENTROID)
        assert refusal.rule == "subchondral_axis_mm"
        assert "subchondral_axis_mm is 4.4 mm, limit 5, short by 0.6" in str(refusal)
        assert refusal.figures["subchondral_axis_mm"] == pytest.approx(4.4, abs=0.02)

    def test_with_a_waiver_it_passes_and_stays_marked(self, small) -> None:
        found = self.made(small, near_joint(small, 4.4), waive=["subchondral_axis_mm"])
        assert [waiver.rule for waiver in found.waived] == ["subchondral_axis_mm"]
        assert refusal_of(found, CENTROID) is None
        assert found.chosen.broken[0][0].rule == "subchondral_axis_mm"

    def test_a_waiver_of_another_rule_does_not_cover_it(self, small) -> None:
        found = self.made(small, near_joint(small, 4.4), waive=["wall_min_mm", "obliquity_max_deg"])
        assert found.waived == ()  # no rule of theirs is broken
        assert refusal_of(found, CENTROID).rule == "subchondral_axis_mm"

    def test_a_waiver_below_the_floor_does_not_cover_it(self, small) -> None:
        found = self.made(small, near_joint(small, 2.8), waive=["subchondral_axis_mm"])
        broken = {each.rule: each for each in found.chosen.broken[0]}
        assert not broken["subchondral_axis_mm"].waivable
        assert "subchondral_axis_mm" not in {waiver.rule for waiver in found.waived}
        assert "subchondral_axis_mm" in str(refusal_of(found, CENTROID))

    def test_what_nobody_can_waive_stays_broken(self, small) -> None:
        """The rim reaches what a waiver of the axis alone would allow."""
        found = self.made(small, near_joint(small, 3.2), waive=["subchondral_axis_mm", "subchondral_rim_mm"])
        rules = {each.rule: each.waivable for each in found.chosen.broken[0]}
        assert rules["subchondral_axis_mm"]
        if "subchondral_rim_mm" in rules:
            assert not rules["subchondral_rim_mm"]
            assert refusal_of(found, CENTROID).rule == "subchondral_rim_mm"

    def test_an_order_that_reaches_nothing_of_the_lesion_is_refused_and_nobody_can_waive_it(self, small) -> None:
        """Its flat end stops 5 mm short of the lesion's nearest point, straight ahead."""
        free, points = small.tunnel, small.lesion.points_mm
        along = (points - free.entry_mm) @ free.axis
        ahead = np.linalg.norm(across(points - free.entry_mm, free.axis), axis=1) <= free.diameter_mm / 2.0
        short = free.entry_mm + (along[ahead].min() - 5.0) * free.axis
        found = self.made(small, short, waive=["lesion_missed_max_mm"])
        broken = {each.rule: each for each in found.chosen.broken[0]}
        assert broken["lesion_missed_max_mm"].measured == pytest.approx(5.0, abs=0.01)
        assert not broken["lesion_missed_max_mm"].waivable
        assert refusal_of(found, CENTROID) is not None
        assert "lesion_missed_max_mm is 5.0 mm, limit 0" in str(refusal_of(found, CENTROID))

    def test_an_order_outside_the_bone_cannot_be_measured(self, small) -> None:
        with pytest.raises(NoSafePlan, match="expected a target inside the bone"):
            self.made(small, small.tunnel.target_mm + 15.0 * small.tunnel.axis)

    def test_the_drill_too_short_for_an_order_leaves_no_steps(self, small) -> None:
        reading = small.tunnel.depth_reading_mm
        short = replace(small, kit=with_drill(small.kit, length_mm=reading - 1.0))
        entry, target = small.tunnel.entry_mm, small.tunnel.target_mm
        found = planned_for(task_of(short, entry_mm=entry, target_mm=target))
        (broken,) = found.chosen.broken[0]
        assert (broken.rule, broken.waivable) == ("drill_length_mm", False)
        assert broken.measured == pytest.approx(-1.0)
        assert found.chosen.steps == ((),)

    def test_an_ordered_target_ends_there_from_the_best_entry(self, small) -> None:
        target = small.tunnel.target_mm - 3.0 * small.tunnel.axis
        found = planned_for(task_of(small, target_mm=target))
        assert found.chosen.strategy == ORDERED
        assert found.chosen.tunnels[0].target_mm == pytest.approx(target, abs=1e-9)
        assert found.chosen.broken == ((),)
        assert found.chosen.certificate is not None

    def test_an_ordered_target_that_no_tunnel_may_reach_is_planned_as_near_as_can_be(self, small) -> None:
        found = planned_for(task_of(small, target_mm=near_joint(small, 4.0)))
        assert found.chosen.certificate is None
        assert found.chosen.tunnels[0].target_mm == pytest.approx(near_joint(small, 4.0), abs=1e-9)
        assert "subchondral_axis_mm" in str(refusal_of(found, CENTROID))


@pytest.mark.usefixtures("no_trades")
def test_how_far_an_ordered_entry_was_moved_is_told(small) -> None:
    off = small.tunnel.entry_mm + 1.2 * small.anatomy.lateral + [0.0, -1.0, -2.0]
    found = planned_for(task_of(small, entry_mm=off)).chosen
    assert found.certificate is not None
    assert found.tunnels[0].entry_moved_mm == pytest.approx(np.linalg.norm(found.tunnels[0].entry_mm - off))


@pytest.mark.usefixtures("orders_alone")
def test_how_far_the_entry_of_a_whole_order_was_moved_is_told(small) -> None:
    off = small.tunnel.entry_mm + 1.2 * small.anatomy.lateral
    found = planned_for(task_of(small, entry_mm=off, target_mm=small.tunnel.target_mm)).chosen.tunnels[0]
    assert found.entry_moved_mm == pytest.approx(np.linalg.norm(found.entry_mm - off))
    assert found.entry_moved_mm > 0.5


# --- warnings ---


def budget(**changes: float | None) -> SimpleNamespace:
    kept = {"reaches_lesion": 0.99, "within_3_mm_of_joint": 0.004, "to_lesion_p95_mm": 3.2, "stop_earlier_mm": None}
    return SimpleNamespace(**(kept | {"dominant": "the seat"} | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reaches_lesion": 0.94}, "reaches the lesion with a probability of 94.0%, less than the 95% asked for."),
        (
            {"within_3_mm_of_joint": 0.02, "stop_earlier_mm": 1.3},
            "with a probability of 2.0%, more than the 1% allowed; stopped 1.3 mm earlier it would keep it.",
        ),
        ({"within_3_mm_of_joint": 0.02}, "with a probability of 2.0%, more than the 1% allowed."),
        (
            {"to_lesion_p95_mm": 4.6},
            "within 4.6 mm of its place in the lesion in 95 % of operations, more than the 4 mm",
        ),
    ],
)
def test_a_limit_of_the_policy_that_is_crossed_is_said(changes, said) -> None:
    assert policy_warnings(POLICY, (budget(),)) == ()
    (sentence,) = policy_warnings(POLICY, (budget(**changes),))
    assert said in sentence
    assert sentence.startswith("The tunnel")
    first, second = policy_warnings(POLICY, (budget(**changes), budget(**changes)))
    assert first.startswith("Tunnel 1")
    assert second.startswith("Tunnel 2")


def test_what_a_plan_leaves_and_what_is_not_known_of_the_lesion_are_warnings(case) -> None:
    task = replace(task_of(case), lesion_warnings=("The stage is not known.",))
    much, little = (Volumes(5000.0, 1.0, 300.0, 0.0, residual, 1.0, ()) for residual in (1000.0, 999.9))
    first, second = warnings_of(task, (budget(),), much)
    assert first.startswith("The plan reaches 6.0% of the lesion and leaves 1000 mm³; with less than 1000 mm³ left,")
    assert "Arch Orthop Trauma Surg 2015;135:1357" in first
    assert second == "The stage is not known."
    assert warnings_of(task, (budget(),), little) == ("The stage is not known.",)


def test_at_the_policys_limits_nothing_is_said() -> None:
    assert (
        policy_warnings(POLICY, (budget(reaches_lesion=0.95, within_3_mm_of_joint=0.01, to_lesion_p95_mm=4.0),)) == ()
    )


def test_the_kit_for_several_has_a_hip_of_its_own(case) -> None:
    task = task_of(case)
    assert isinstance(task.fan_kit, Kit)
    assert task.fan_hip.sleeve_bore_mm == pytest.approx(3.2 + PRINTER.bores.drill_clearance_mm)
    assert (task.hip.guided_length_mm, task.fan_hip.guided_length_mm) == (32.0, 33.0)
    assert task.fan_hip is task.fan_hip
    assert task.fan_hip.kit is task.fan_kit


def test_an_ordered_entry_leaves_the_survey_as_it_is(small: Case) -> None:
    """What is kept of it serves every order: packed and back, it gives the same plan as one made for the order."""
    task = task_of(small, entry_mm=small.tunnel.entry_mm)
    kept = unpacked(Survey, packed(survey(task_of(small))))
    assert packed(without_time(make_plan(task, kept))) == packed(without_time(planned_for(task)))

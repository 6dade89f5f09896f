"""The figures that hold by contract, what counts as breaking one, and what a surgeon may waive."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from guidegen.plan.planning import Waiver
from guidegen.plan.rules import DISTANCES, TABLE, WAIVABLE, Broken, Rules, limit_of, tighter, waived_rules
from guidegen.plan.tunnel import Tunnel, broken_rules

RULES = Rules()
LAWFUL = Tunnel(
    entry_mm=np.zeros(3),
    target_mm=np.array([80.0, 0.0, 0.0]),
    diameter_mm=8.0,
    outline_mm=np.array([[0.0, 0.0], [0.0, 4.0]]),
    wall_min_mm=4.0,
    vessel_wall_mm=6.0,
    subchondral_mm=4.0,
    subchondral_axis_mm=6.0,
    tool_to_joint_mm=4.0,
    lesion_reached_fraction=0.2,
    lesion_missed_mm=0.0,
    centroid_distance_mm=0.0,
    shaft_angle_deg=132.0,
    obliquity_deg=48.0,
    off_middle=0.1,
    above_lesser_mm=9.0,
    below_ridge_mm=15.0,
    sleeve_offset_mm=40.0,
    depth_reading_mm=120.0,
    drill_spare_mm=80.0,
    cost=0.1,
    keep_out_mm=5.0,
)

# What is measured, its limit, a value of a tenth beyond it, and the floor of a waiver with a value just beyond that.
LIMITS = {
    "wall_min_mm": ("wall_min_mm", 3.0, 2.9, 2.0, 1.999),
    "vessel_wall_min_mm": ("vessel_wall_mm", 5.0, 4.9, 2.0, 1.999),
    "subchondral_axis_mm": ("subchondral_axis_mm", 5.0, 4.9, 3.0, 2.999),
    "subchondral_rim_mm": ("tool_to_joint_mm", 3.0, 2.9, None, None),
    "shaft_angle_min_deg": ("shaft_angle_deg", 110.0, 109.9, 60.0, None),
    "shaft_angle_max_deg": ("shaft_angle_deg", 150.0, 150.1, 175.0, None),
    "obliquity_max_deg": ("obliquity_deg", 60.0, 60.1, 89.0, None),
    "entry_above_lesser_trochanter_mm": ("above_lesser_mm", 0.0, -0.1, -40.0, None),
    "entry_below_vastus_ridge_mm": ("below_ridge_mm", 0.0, -0.1, -40.0, None),
    "entry_off_middle_max": ("off_middle", 0.6, 0.7, 1.0, None),
    "keep_out_min_mm": ("keep_out_mm", 3.0, 2.9, None, None),
    "lesion_missed_max_mm": ("lesion_missed_mm", 0.0, 0.1, None, None),
    "drill_length_mm": ("drill_spare_mm", 0.0, -0.1, None, None),
}


def broken(**changes: float) -> tuple[Broken, ...]:
    return broken_rules(replace(LAWFUL, **changes), RULES)


def test_the_hard_limits_are_those_of_the_contract() -> None:
    assert (RULES.wall_min_mm, RULES.subchondral_axis_mm, RULES.subchondral_rim_mm) == (3.0, 5.0, 3.0)
    assert (RULES.shaft_angle_min_deg, RULES.shaft_angle_max_deg) == (110.0, 150.0)
    assert RULES.centroid_distance_max_mm == 0.5


def test_the_aims_lie_inside_the_limits() -> None:
    assert RULES.aim_wall_mm > RULES.wall_min_mm + RULES.surface_doubt_mm
    assert RULES.shaft_angle_min_deg < RULES.aim_shaft_angle_deg < RULES.shaft_angle_max_deg
    assert RULES.aim_obliquity_deg < RULES.obliquity_max_deg


def test_the_record_holds_every_figure() -> None:
    record = replace(RULES, wall_min_mm=3.25).record()
    assert set(record) == {field.name for field in fields(Rules)}
    assert record["wall_min_mm"] == 3.25
    assert all(isinstance(value, float) for value in record.values())


def test_rules_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        RULES.wall_min_mm = 0.0  # type: ignore[misc]


def test_every_rule_of_the_table_is_tried_here() -> None:
    assert [rule.name for rule in TABLE] == list(LIMITS)
    assert all(hasattr(LAWFUL, rule.measure) and rule.why and rule.source for rule in TABLE)
    assert set(DISTANCES) <= set(LIMITS)
    assert broken() == ()


@pytest.mark.parametrize("rule", LIMITS)
def test_a_rule_is_broken_just_beyond_its_limit(rule) -> None:
    measured, limit, beyond, _, _ = LIMITS[rule]
    assert broken(**{measured: limit}) == ()
    (each,) = broken(**{measured: beyond})
    assert (each.rule, each.measured, each.limit) == (rule, pytest.approx(beyond), limit)
    assert each.short_by == pytest.approx(0.1)
    (named,) = (entry for entry in TABLE if entry.name == rule)
    assert (each.unit, each.limit) == (named.unit, limit_of(named, RULES))


@pytest.mark.parametrize("rule", LIMITS)
def test_a_waiver_reaches_to_its_floor_and_no_further(rule) -> None:
    measured, _, beyond, floor, below = LIMITS[rule]
    (just,) = broken(**{measured: beyond})
    assert just.waivable == (floor is not None) == (rule in WAIVABLE)
    if floor is not None:
        (at_floor,) = broken(**{measured: floor})
        assert at_floor.waivable
    if below is not None:
        (under,) = broken(**{measured: below})
        assert not under.waivable


def test_what_nobody_can_waive() -> None:
    assert set(LIMITS) - set(WAIVABLE) == {
        "subchondral_rim_mm",
        "keep_out_min_mm",
        "lesion_missed_max_mm",
        "drill_length_mm",
    }


def test_without_anything_kept_out_its_rule_says_nothing() -> None:
    assert broken(keep_out_mm=None) == ()


def test_the_entry_may_be_off_to_either_side() -> None:
    (each,) = broken(off_middle=-0.7)
    assert (each.rule, each.measured) == ("entry_off_middle_max", pytest.approx(0.7))
    assert broken(off_middle=-0.6) == ()


def test_rounding_breaks_no_rule() -> None:
    assert broken(wall_min_mm=3.0 - 1e-9, shaft_angle_deg=150.0 + 1e-9) == ()


def test_the_worst_break_comes_first_in_millimetres_of_bone() -> None:
    """One millimetre of wall weighs as much as five degrees, or a tenth of a half width."""
    names = [each.rule for each in broken(wall_min_mm=2.5, shaft_angle_deg=154.0, off_middle=0.9)]
    assert names == ["entry_off_middle_max", "shaft_angle_max_deg", "wall_min_mm"]
    names = [each.rule for each in broken(wall_min_mm=1.5, shaft_angle_deg=154.0, off_middle=0.65)]
    assert names == ["wall_min_mm", "shaft_angle_max_deg", "entry_off_middle_max"]


def test_tighter_rules_ask_more_of_every_distance_and_nothing_else() -> None:
    changed, was = tighter(RULES, 0.5).record(), RULES.record()
    assert {name: changed[name] - was[name] for name in was if changed[name] != was[name]} == dict.fromkeys(
        DISTANCES, 0.5
    )


def waiver(rule: str) -> Waiver:
    return Waiver(rule, "a reason", "an engineer")


def test_a_waived_rule_stands_at_its_floor() -> None:
    waived = waived_rules(RULES, [waiver("wall_min_mm"), waiver("subchondral_axis_mm"), waiver("shaft_angle_min_deg")])
    assert waived == replace(RULES, wall_min_mm=2.0, subchondral_axis_mm=3.0)
    assert all(math.isfinite(value) for value in waived.record().values())


@pytest.mark.parametrize("rule", ["subchondral_rim_mm", "keep_out_min_mm", "drill_length_mm", "no_such_rule"])
def test_what_cannot_be_waived_stays(rule) -> None:
    assert waived_rules(RULES, [waiver(rule)]) == RULES


def test_without_waivers_nothing_changes() -> None:
    assert waived_rules(RULES, []) == RULES

"""The figures that hold by contract, and what counts as breaking one."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import broken_rules


def test_the_hard_limits_are_those_of_the_contract() -> None:
    rules = Rules()
    assert (rules.wall_min_mm, rules.subchondral_axis_mm, rules.subchondral_rim_mm) == (3.0, 5.0, 3.0)
    assert (rules.shaft_angle_min_deg, rules.shaft_angle_max_deg) == (110.0, 150.0)
    assert rules.centroid_distance_max_mm == 0.5


def test_the_aims_lie_inside_the_limits() -> None:
    rules = Rules()
    assert rules.aim_wall_mm > rules.wall_min_mm + rules.surface_doubt_mm
    assert rules.shaft_angle_min_deg < rules.aim_shaft_angle_deg < rules.shaft_angle_max_deg


def test_the_record_holds_every_figure() -> None:
    record = replace(Rules(), wall_min_mm=3.25).record()
    assert set(record) == {field.name for field in fields(Rules)}
    assert record["wall_min_mm"] == 3.25
    assert all(isinstance(value, float) for value in record.values())


def test_rules_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Rules().wall_min_mm = 0.0  # type: ignore[misc]


# What is measured, the limit, and a value of a tenth beyond it.
LIMITS = {
    "wall_min_mm": ("wall_min_mm", 3.0, 2.9),
    "subchondral_axis_mm": ("subchondral_axis_mm", 5.0, 4.9),
    "subchondral_rim_mm": ("subchondral_mm", 3.0, 2.9),
    "shaft_angle_min_deg": ("shaft_angle_deg", 110.0, 109.9),
    "shaft_angle_max_deg": ("shaft_angle_deg", 150.0, 150.1),
    "entry_above_lesser_trochanter_mm": ("above_lesser_mm", 0.0, -0.1),
    "entry_below_vastus_ridge_mm": ("below_ridge_mm", 0.0, -0.1),
    "entry_off_middle_max": ("off_middle", 0.6, 0.7),
}


@pytest.mark.parametrize("rule", LIMITS)
def test_a_rule_is_broken_just_beyond_its_limit(case, rule) -> None:
    measured, limit, beyond = LIMITS[rule]
    assert broken_rules(case.tunnel, Rules()) == {}
    assert broken_rules(replace(case.tunnel, **{measured: limit}), Rules()) == {}
    broken = broken_rules(replace(case.tunnel, **{measured: beyond}), Rules())
    assert list(broken) == [rule]
    assert broken[rule] > 0.0


def test_the_entry_may_be_off_to_either_side(case) -> None:
    assert list(broken_rules(replace(case.tunnel, off_middle=-0.7), Rules())) == ["entry_off_middle_max"]
    assert broken_rules(replace(case.tunnel, off_middle=-0.6), Rules()) == {}


def test_a_worse_break_weighs_more(case) -> None:
    thin, thinner = (broken_rules(replace(case.tunnel, wall_min_mm=wall), Rules()) for wall in (2.0, 1.0))
    assert thinner["wall_min_mm"] == pytest.approx(2.0)
    assert thin["wall_min_mm"] == pytest.approx(1.0)

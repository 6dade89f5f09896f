"""What the checks take from a plan: anything missing or impossible is refused."""

from __future__ import annotations

import math

import pytest

from guidegen.check.asked import read_plan
from guidegen.errors import ResultError


def test_a_whole_plan_is_read(hip) -> None:
    asked = hip.asked()
    assert (asked.side, asked.guide.sleeves[0].inner_diameter_mm) == ("left", 8.2)
    assert (asked.limits.wall_p1_mm, asked.limits.entry_zone_mm) == (2.0, 20.0)


def without(*place):
    def change(plan) -> None:
        for step in place[:-1]:
            plan = plan[step]
        del plan[place[-1]]

    return change


def changed(value, *place):
    def change(plan) -> None:
        for step in place[:-1]:
            plan = plan[step]
        plan[place[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (without("guide", "clearance_mm"), r"guide\.clearance_mm: Field required"),
        (without("limits", "wall_min_mm"), r"limits\.wall_min_mm"),
        (changed("guidegen.plan/2", "schema"), "schema"),
        (changed("RAS", "frame"), "frame"),
        (changed("m", "unit"), "unit"),
        (changed("LEFT", "side"), "side"),
        (changed(math.nan, "guide", "clearance_mm"), "finite"),
        (changed("0.3", "guide", "clearance_mm"), "valid number"),
        (changed([2.0, 0.0, 0.0], "guide", "removal_direction"), "direction of length 1"),
        (changed(1, "guide", "sleeves", 0, "tunnel"), "one sleeve for each tunnel"),
        (changed(["case-1", " "], "guide", "label", "lines"), r"label\.lines\.1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(hip, change, match) -> None:
    with pytest.raises(ResultError, match=match):
        read_plan(hip.plan(change))


def test_a_label_frame_that_would_mirror_its_text_is_refused(hip) -> None:
    def mirror(plan) -> None:
        label = plan["guide"]["label"]
        label["reading_direction"] = [-x for x in label["reading_direction"]]

    with pytest.raises(ResultError, match="text would be mirrored"):
        read_plan(hip.plan(mirror))

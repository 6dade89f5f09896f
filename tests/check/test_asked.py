"""What the checks take from a plan: anything missing or impossible is refused."""

from __future__ import annotations

import math

import pytest
from seat_bodies import METAL

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
        (changed("8", "guide", "revision"), r"guide\.revision"),
        (changed("e", "guide", "plan_hash"), r"guide\.plan_hash"),
        (changed(1e308, "tunnels", 0, "diameter_mm"), "less than or equal to 10000"),
        (changed([1e30, 0.0, 0.0], "tunnels", 0, "target_mm"), "less than or equal to 10000"),
        (changed([900.0, 0.0, 0.0], "tunnels", 0, "target_mm"), "a tunnel 1 to 400 mm long"),
        (changed([[-4.0, 4.0]], "tunnels", 0, "end_outline_mm"), "greater than or equal to 0"),
        (changed(0.04, "guide", "sleeves", 0, "chuck_length_mm"), "greater than or equal to 1"),
        (changed([900.0, 0.0, 0.0], "guide", "sleeves", 0, "top_mm"), "a sleeve 1 to 400 mm long"),
        (changed([900.0, 0.0, 0.0], "guide", "pins", 0, "top_mm"), "a wire's hole 1 to 400 mm long"),
        (changed(1e4, "guide", "labels", 0, "width_mm"), "at most 1000 squares of its letters' height"),
        (changed([900.0, 0.0, 0.0], "guide", "arrows", 0, "end_mm"), "an arrow of 1 to 100 mm"),
        (changed(True, "guide", "pins", 0, "cortices"), "expected 1 or 2, found True"),
        (lambda plan: plan["guide"].update(windows=60 * plan["guide"]["windows"]), "at most 50 items"),
        (lambda plan: plan["anatomy"].update(neck_axis=plan["anatomy"]["shaft_axis"]), "found them parallel"),
        (lambda plan: plan["guide"].update(removal_direction=plan["anatomy"]["shaft_axis"]), "across the shaft"),
        (lambda plan: plan["tunnels"][0].update(target_mm=plan["tunnels"][0]["entry_mm"]), "found 0 mm"),
        (changed(["case-1", " "], "guide", "labels", 0, "lines"), r"labels\.0\.lines\.1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(hip, change, match) -> None:
    with pytest.raises(ResultError, match=match):
        read_plan(hip.plan(change))


@pytest.mark.parametrize(
    "place",
    [
        ("printing",),
        *(("printing", name) for name in ("least_drain_mm", "slicer_profile")),
        *(("guide", name) for name in ("revision", "plan_hash", "genus", "periosteum_mm", "surface_error_mm")),
        *(("guide", name) for name in ("windows", "labels", "arrows", "warnings", "soft_tissue", "stop_collar")),
        *(("guide", "sleeves", 0, name) for name in ("kind", "outer_diameter_mm", "stop_face_mm", "offset_mm")),
        *(("guide", "sleeves", 0, name) for name in ("chuck_diameter_mm", "chuck_length_mm")),
        *(("guide", "pins", 0, name) for name in ("wire_length_mm", "cortices")),
    ],
)
def test_what_every_guide_records_is_asked_for(hip, place) -> None:
    """Else a plan that lost it would be held to less."""
    with pytest.raises(ResultError, match=rf"{'.'.join(map(str, place))}: Field required"):
        read_plan(hip.plan(without(*place)))


def test_a_label_frame_that_would_mirror_its_text_is_refused(hip) -> None:
    def mirror(plan) -> None:
        label = plan["guide"]["labels"][0]
        label["reading_direction"] = [-x for x in label["reading_direction"]]

    with pytest.raises(ResultError, match="text would be mirrored"):
        read_plan(hip.plan(mirror))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (changed("metal", "guide", "sleeves", 0, "kind"), "measures of the metal"),
        (changed(METAL,
                 "guide", "sleeves", 0, "metal"), "measures of the metal"),
        (changed(3, "guide", "pins", 0, "cortices"), r"pins\.0\.cortices"),
        (changed(-1, "guide", "genus"), r"guide\.genus"),
        (changed([], "guide", "labels"), r"guide\.labels"),
        (changed("POST", "guide", "arrows", 0, "text"), r"arrows\.0\.text"),
        (changed([20.0, 20.0], "printing", "build_mm"), r"printing\.build_mm"),
        (changed(91.0, "printing", "steepest_overhang_deg"), r"printing\.steepest_overhang_deg"),
    ],
)  # fmt: skip
def test_what_a_guide_records_is_read_as_strictly(hip, change, match) -> None:
    with pytest.raises(ResultError, match=match):
        read_plan(hip.plan(change))


def test_an_arrow_without_a_length_is_refused(hip) -> None:
    def blot(plan) -> None:
        plan["guide"]["arrows"][0]["end_mm"] = plan["guide"]["arrows"][0]["start_mm"]

    with pytest.raises(ResultError, match="an arrow of 1 to 100 mm"):
        read_plan(hip.plan(blot))


def test_the_box_guides_plan_says_all_that_the_checks_can_ask_of_a_guide(hip) -> None:
    """Else a check could be left out unseen: what a plan may lack is checked in no test then."""
    asked = hip.asked()
    parts = [asked, asked.printing, asked.guide, *asked.guide.sleeves, *asked.guide.pins]
    unsaid = {
        (type(part).__name__, name) for part in parts for name in type(part).model_fields.keys() - part.model_fields_set
    }
    of_others = {("AskedGuide", name) for name in ("socket", "inserts", "wire_left_mm")}  # fans, and wires left in
    of_others |= {("AskedSleeve", name) for name in ("bore_mm", "reducer", "wire_reading_mm")}  # guide wires
    of_others.add(("AskedGuide", "wire_stop_collar"))
    elsewhere = {("Asked", "keep_out"), ("AskedPrinting", "youngs_modulus_mpa")}  # tested on their own
    assert unsaid == elsewhere | of_others

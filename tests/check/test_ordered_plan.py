"""A plan as it was ordered, and with one figure that nobody ordered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from run_orders import as_ordered, parameters

from guidegen.check.ordered import Ordered, ordered_findings
from guidegen.errors import ResultError

Change = Callable[[dict[str, Any]], object]
ORDER, LIMITS, SIZES = "plan off its order", "limits off the rules", "sizes off kit, shape and printer"
PARTS, STEPS = "parts that the shape asks for missing", "steps off the measured depths"


def failed(hip, change: Change = bool, asked_for: Change = bool) -> dict[str, float]:
    plan, asked = hip.plan(as_ordered), parameters()
    change(plan)
    asked_for(asked)
    findings = ordered_findings(plan, hip.asked(lambda content: content.update(plan)), Ordered.read(asked))
    return {finding.name: finding.measured for finding in findings if not finding.passed}


def put(*path: str | int, value: object) -> Change:
    """Puts a value at a place of the plan."""

    def change(content: dict[str, Any]) -> None:
        for step in path[:-1]:
            content = content[step]
        content[path[-1]] = value

    return change


def test_a_plan_as_ordered_passes(hip) -> None:
    assert failed(hip) == {}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (put("case_id", value="case-2"), ORDER),
        (put("guide", "size", value="L"), ORDER),
        (put("guide", "clearance_mm", value=0.26), ORDER),
        (put("printing", "build_mm", value=[1000.0, 1000.0, 1000.0]), ORDER),
        (put("printing", "material", value="chocolate"), ORDER),
        (put("printing", "steepest_overhang_deg", value=90.0), ORDER),
        (put("limits", "wall_min_mm", value=0.1), LIMITS),
        (put("limits", "guided_length_mm", value=5.0), LIMITS),
        (put("limits", "vessel_wall_min_mm", value=None), LIMITS),
        (put("limits", "contact_area_mm2", value=1.0), LIMITS),
        (put("limits", "centroid_distance_max_mm", value=None), LIMITS),
        (put("tunnels", 0, "diameter_mm", value=6.0), SIZES),
        (put("guide", "sleeves", 0, "metal", "outer_diameter_mm", value=8.3), SIZES),
        (put("guide", "sleeves", 0, "metal", "inner_diameter_mm", value=9.1), SIZES),
        (put("guide", "sleeves", 0, "metal", "length_mm", value=10.0), SIZES),
        (put("guide", "sleeves", 0, "metal", "drill_diameter_mm", value=6.0), SIZES),
        (put("guide", "sleeves", 0, "drill_diameter_mm", value=6.0), SIZES),
        (put("guide", "sleeves", 0, "chuck_diameter_mm", value=5.0), SIZES),
        (put("guide", "pins", 0, "wire_length_mm", value=30.0), SIZES),
        (put("guide", "pins", 0, "boss_diameter_mm", value=20.0), SIZES),
        (put("guide", "pins", 0, "wire_diameter_mm", value=1.0), SIZES),
        (put("guide", "gauges", 1, "nominal_mm", value=99.0), SIZES),
        (put("tunnels", 0, "end_outline_mm", value=[[0.0, 0.0], [3.0, 4.0]]), SIZES),
        (put("guide", "leaves_wire", value=True), SIZES),
        (put("guide", "stop_collar", "bore_mm", value=9.1), SIZES),
        (put("guide", "stop_collar", "is_split", value=False), SIZES),
        (put("guide", "wire_stop_collar", value={"bore_mm": 3.3, "height_mm": 10.0}), SIZES),
        (put("plan", "chosen", "kit", value="core-10"), ORDER),
        (put("guide", "pointer", value=None), PARTS),
        (put("guide", "axis_mark", value=None), PARTS),
        (put("guide", "calliper", value=None), PARTS),
        (put("guide", "windows", value=[]), PARTS),
        (lambda plan: plan["guide"]["labels"].pop(), PARTS),
        (put("tunnels", 0, "instruments", 2, "stopped_by", value="its stop, set at 139 mm, on the sleeve"), STEPS),
        (put("tunnels", 0, "instruments", 2, "stopped_by", value="its stop, set at 85 mm, on the sleeve"), STEPS),
        (put("tunnels", 0, "instruments", value=[]), STEPS),
    ],
)
def test_each_figure_that_nobody_ordered_is_found(hip, change, name) -> None:
    assert name in failed(hip, change)


def test_a_wire_is_read_in_the_steps_where_its_boss_is_measured(hip) -> None:
    """At the highest of its rim, which a slanting boss has further out than its middle."""

    def slanting(plan: dict[str, Any]) -> None:
        step = plan["tunnels"][0]["instruments"][0]
        step["stopped_by"] = "25 mm of bone: 36.6 / 36.6 mm from its tip to the top of its boss"
        for pin in plan["guide"]["pins"]:
            pin["reading_mm"] = 36.58

    assert failed(hip, slanting) == {}
    slanting_and_other = (slanting, *(put("guide", "pins", number, "reading_mm", value=36.0) for number in (0, 1)))
    assert failed(hip, lambda plan: [change(plan) for change in slanting_and_other]) == {STEPS: 2}


def test_a_part_left_out_for_a_recorded_reason_is_accounted_for(hip) -> None:
    def reasoned(plan: dict[str, Any]) -> None:
        plan["guide"] |= {"pointer": None, "warnings": ["The rim has no room for a notch."]}

    assert failed(hip, reasoned) == {}


def test_a_waiver_lowers_a_limit_only_where_the_case_proposes_it(hip) -> None:
    def waived(plan: dict[str, Any], author: str = "E") -> None:
        plan["plan"]["waivers_proposed"] = [{"rule": "wall_min_mm", "reason": "thin", "author": author}]
        plan["limits"] |= {"wall_min_mm": 2.0, "unwaived": {"wall_min_mm": 3.0}}

    assert failed(hip, waived) == {}
    assert failed(hip, lambda plan: waived(plan, "another")) == {LIMITS: 1}


def test_the_case_that_was_ordered_counts_not_the_plan(hip) -> None:
    assert failed(hip, asked_for=put("patient", "side", value="right")) == {ORDER: 1}
    assert failed(hip, asked_for=put("order", "clearance_mm", value=0.4)) == {ORDER: 1}


@pytest.mark.parametrize("taken", ["templates", "order", "rules", "patient"])
def test_a_record_without_its_order_is_refused(taken) -> None:
    content = copy.deepcopy(parameters())
    del content[taken]
    with pytest.raises(ResultError, match=r"expected the order, its rules and its templates in run\.json"):
        Ordered.read(content)
    with pytest.raises(ResultError, match="run the case again"):
        Ordered.read(None)

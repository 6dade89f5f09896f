"""The notch over the vastus ridge and the axis mark."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.theatre import theatre_findings

POINTER, TIP, WAY, MARK = (
    "notch off the vastus ridge",
    "notch's bottom off the guide",
    "axis mark off the tunnel's direction",
    "axis mark off the guide",
)


def found(hip, guide=None, change=None):
    return {finding.name: finding for finding in theatre_findings(hip.asked(change), guide or hip.guide)}


def test_the_good_pointer_and_mark_pass(hip) -> None:
    findings = found(hip)
    assert list(findings) == [POINTER, TIP, WAY, MARK]
    assert all(finding.passed for finding in findings.values())
    assert findings[POINTER].measured == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("aside_mm", "passed"), [(2.9, True), (3.1, False)])
def test_a_pointer_beside_its_landmark_is_off_by_as_much(hip, bench, aside_mm, passed) -> None:
    def change(plan) -> None:
        plan["anatomy"]["vastus_ridge_mm"] = [float(x) for x in bench.place.points([15.3, aside_mm, 33.0])]

    finding = found(hip, change=change)[POINTER]
    assert (finding.measured, finding.passed) == (pytest.approx(aside_mm, abs=1e-4), passed)


def test_a_landmark_that_the_plan_does_not_have_is_pointed_at_in_vain(hip) -> None:
    finding = found(hip, change=lambda plan: plan["anatomy"].pop("vastus_ridge_mm"))[POINTER]
    assert (finding.measured, finding.passed) == (None, False)


def test_a_pointer_that_broke_off_is_not_in_the_file(hip, bench) -> None:
    finding = found(hip, hip.wrong_guide(cut=bench.block([14.0, -2.0, 29.5], [19.0, 2.0, 34.0])))[TIP]
    assert (finding.measured, finding.passed) == (pytest.approx(3.5, abs=0.01), False)


@pytest.mark.parametrize(("askew_mm", "passed"), [(0.1, True), (0.5, False)])
def test_a_mark_askew_shows_another_tunnel(hip, bench, askew_mm, passed) -> None:
    def change(plan) -> None:
        mark = plan["guide"]["axis_mark"]
        mark["end_mm"] = [float(x) for x in mark["end_mm"] + bench.place.vectors([0.0, askew_mm, 0.0])]

    finding = found(hip, change=change)[WAY]
    # over 14 mm
    assert (finding.measured, finding.passed) == (pytest.approx(np.degrees(askew_mm / 14.0), rel=0.01), passed)


def test_a_mark_may_run_either_way(hip) -> None:
    def change(plan) -> None:
        mark = plan["guide"]["axis_mark"]
        mark["start_mm"], mark["end_mm"] = mark["end_mm"], mark["start_mm"]

    assert found(hip, change=change)[WAY].passed


def test_a_mark_in_the_air_is_not_on_the_guide(hip, bench) -> None:
    def change(plan) -> None:
        mark = plan["guide"]["axis_mark"]
        for end in ("start_mm", "end_mm"):
            mark[end] = [float(x) for x in mark[end] + 2.0 * bench.place.vectors([0.6, 0.0, 0.8])]

    finding = found(hip, change=change)[MARK]
    assert (finding.measured, finding.passed) == (pytest.approx(2.0, abs=0.01), False)


def test_a_guide_without_them_is_not_asked_for_them(hip) -> None:
    assert found(hip, change=lambda plan: plan["guide"].update(pointer=None, axis_mark=None)) == {}

"""The arrows that name the front and the head's side of the bone."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.arrows import arrow_findings, named
from guidegen.check.seat import seated

PROX = (np.array([20.0, 0.0, 7.5]), np.array([20.0, 0.0, 16.5]))
ANT = (np.array([20.0, 4.0, 23.0]), np.array([20.0, -4.0, 23.0]))


def found(hip, guide=None, change=None):
    guide = guide or hip.guide
    findings = arrow_findings(hip.asked(change), guide, seated(hip.bone, guide))
    return {finding.name.removeprefix("arrow "): finding for finding in findings}


def failed(findings):
    return [name for name, finding in findings.items() if not finding.passed]


def test_the_good_arrows_point_to_what_they_name(hip) -> None:
    findings = found(hip)
    assert list(findings) == [
        "PROX off its direction",
        "PROX head by tail",
        "ANT off its direction",
        "ANT head by tail",
    ]
    assert failed(findings) == []
    assert findings["PROX off its direction"].measured == pytest.approx(0.0, abs=1e-4)
    # 3 mm on a line of 1 mm, in points of 0.17 mm
    assert findings["PROX head by tail"].measured == pytest.approx(3.0, abs=0.5)


def test_the_front_of_a_right_femur_is_the_back_of_a_left_one(hip) -> None:
    left, right = hip.asked(), hip.asked(lambda plan: plan.update(side="right"))
    np.testing.assert_allclose(named(left, "ANT"), -named(right, "ANT"))
    assert failed(found(hip, change=lambda plan: plan.update(side="right"))) == ["ANT off its direction"]


def turned_round(name):
    def change(plan) -> None:
        arrow = next(each for each in plan["guide"]["arrows"] if each["text"] == name)
        arrow["start_mm"], arrow["end_mm"] = arrow["end_mm"], arrow["start_mm"]

    return change


@pytest.mark.parametrize("name", ["PROX", "ANT"])
def test_an_arrow_planned_the_wrong_way_round_is_found_twice(hip, name) -> None:
    assert failed(found(hip, change=turned_round(name))) == [f"{name} off its direction", f"{name} head by tail"]


@pytest.mark.parametrize("name", ["PROX", "ANT"])
def test_an_arrow_drawn_the_wrong_way_round_is_found_in_the_file(hip, name) -> None:
    drawn = {"PROX": PROX, "ANT": ANT}
    wrong = hip.wrong_guide(arrows=drawn | {name: drawn[name][::-1]})
    assert failed(found(hip, wrong)) == [f"{name} head by tail"]


def test_an_arrow_that_is_not_drawn_has_no_head(hip) -> None:
    findings = found(hip, hip.wrong_guide(arrows={"PROX": PROX}))
    assert failed(findings) == ["ANT head by tail"]
    assert findings["ANT head by tail"].measured == 0.0


def test_letters_beside_an_arrow_are_not_its_head(hip, bench) -> None:
    block = bench.block([19.4, 1.5, 8.0], [21.0, 4.0, 10.0])  # wider than the head, beside the tail
    assert failed(found(hip, hip.wrong_guide(cut=block))) == []


@pytest.mark.parametrize(("askew_deg", "passed"), [(40.0, True), (50.0, False)])
def test_an_arrow_points_nearer_to_what_it_names_than_across_it(hip, bench, askew_deg, passed) -> None:
    middle, turn = (PROX[0] + PROX[1]) / 2.0, np.radians(askew_deg)
    ends = [middle + along * np.array([0.0, np.sin(turn), np.cos(turn)]) for along in (-4.5, 4.5)]

    def change(plan) -> None:
        start, end = ([float(x) for x in bench.place.points(point)] for point in ends)
        plan["guide"]["arrows"][0] |= {"start_mm": start, "end_mm": end}

    finding = found(hip, change=change)["PROX off its direction"]
    assert (finding.measured, finding.passed) == (pytest.approx(askew_deg, abs=1e-3), passed)


def test_both_arrows_are_asked_for(hip) -> None:
    findings = found(hip, change=lambda plan: plan["guide"]["arrows"].pop())
    assert failed(findings) == ["ANT off its direction", "ANT head by tail"]
    assert "no arrow says ANT" in findings["ANT head by tail"].why

"""Where the drill's stop rests."""

from __future__ import annotations

import numpy as np
import pytest
from seat_bodies import METAL

from guidegen.check.stop import boss_findings, stop_findings

ENTRY, AXIS = np.array([15.0, 0.0, 0.0]), np.array([-0.8, 0.0, 0.6])
TOP = ENTRY - 34.0 * AXIS


def found(hip, guide=None, change=None):
    findings = stop_findings(hip.asked(change), guide or hip.guide)
    return {finding.name.removeprefix("sleeve 1 "): finding for finding in findings}


def collar(bench, low_mm: float, high_mm: float):
    """What lies round the sleeve's axis, from so far under its top to so far over it."""
    return bench.rod(TOP + low_mm * AXIS, TOP - high_mm * AXIS, 7.1)


def test_the_good_top_is_where_it_is_planned(hip) -> None:
    findings = found(hip)
    assert list(findings) == ["top face off plan", "stop off its offset"]
    assert all(finding.passed and finding.measured < 1e-3 for finding in findings.values())


@pytest.mark.parametrize(("off_mm", "passed"), [(-0.5, False), (-0.03, True), (0.03, True), (0.5, False)])
def test_a_top_too_low_or_high_is_off_by_as_much(hip, bench, off_mm, passed) -> None:
    bore = bench.rod(TOP + 2.0 * AXIS, TOP - 2.0 * AXIS, 4.1)
    change = {"cut": collar(bench, -off_mm, 1.0)} if off_mm < 0 else {"add": collar(bench, 1.0, off_mm) - bore}
    for finding in found(hip, hip.wrong_guide(**change)).values():
        assert (finding.measured, finding.passed) == (pytest.approx(abs(off_mm), abs=1e-3), passed)


def test_a_slanting_top_is_off_on_its_two_sides(hip, bench) -> None:
    """Turned by 5° about the y axis: the rim of the ring of 5.6 mm is off by 5.6 · tan 5°, its middle is not."""
    slant = np.cos(np.radians(5.0)) * AXIS + np.sin(np.radians(5.0)) * np.array([0.6, 0.0, 0.8])
    findings = found(hip, hip.wrong_guide(add=bench.rod(TOP + 4.0 * AXIS, TOP - 2.0 * AXIS, 7.1) - bench.rod(
        TOP + 8.0 * AXIS, TOP - 8.0 * AXIS, 4.1) - bench.rod(TOP, TOP - 9.0 * slant, 20.0), cut=bench.rod(
        TOP, TOP - 9.0 * slant, 20.0)))  # fmt: skip
    face = findings["top face off plan"]
    assert (face.measured, face.passed) == (pytest.approx(5.6 * np.tan(np.radians(5.0)), abs=0.01), False)
    assert findings["stop off its offset"].passed


def test_a_keys_notch_is_no_slant_and_half_a_face_is(hip, bench) -> None:
    for width_mm, passed in ((1.5, True), (7.0, False)):  # of a circumference of 35 mm
        notch = bench.block([30.0, -width_mm / 2.0, -40.0], [60.0, width_mm / 2.0, TOP[2] - 2.0])
        assert found(hip, hip.wrong_guide(cut=notch))["top face off plan"].passed is passed


def test_a_block_on_the_top_is_seen(hip, bench) -> None:
    spot = TOP + np.array([0.0, 5.6, 0.0])
    knob = found(hip, hip.wrong_guide(add=bench.rod(spot + AXIS, spot - 0.8 * AXIS, 0.9)))["top face off plan"]
    assert (knob.measured, knob.passed) == (pytest.approx(0.8, abs=1e-3), False)


@pytest.mark.parametrize("name", ["offset_mm", "stop_face_mm"])
def test_an_offset_that_is_not_that_of_the_file_is_a_wrong_depth(hip, bench, name) -> None:
    def change(plan) -> None:
        moved = [float(x) for x in bench.place.points(TOP - 0.5 * AXIS)]
        plan["guide"]["sleeves"][0][name] = 34.5 if name == "offset_mm" else moved

    findings = found(hip, change=change)
    assert findings["stop off its offset"].measured == pytest.approx(0.5, abs=1e-3)
    assert (findings["stop off its offset"].passed, findings["top face off plan"].passed) == (False, True)


def test_on_a_metal_sleeve_the_stop_rests_on_its_flange(hip, bench) -> None:
    def metal(plan, flange_mm=1.5) -> None:
        plan["guide"]["sleeves"][0] |= {
            "kind": "metal", "offset_mm": 35.5,
            "stop_face_mm": [float(x) for x in bench.place.points(TOP - 1.5 * AXIS)],
            "metal": METAL | {"flange_height_mm": flange_mm},
        }  # fmt: skip

    assert all(finding.passed for finding in found(hip, change=metal).values())
    assert not found(hip, change=lambda plan: metal(plan, 1.0))["stop off its offset"].passed


def test_where_there_is_no_top_nothing_is_measured(hip, bench) -> None:
    off = bench.block([25.0, -20.0, -60.0], [60.0, 20.0, 10.0])
    none = bench.placed(bench.block([15.5, -12.0, 10.0], [20.0, 12.0, 25.0]) - off)
    assert {(finding.measured, finding.passed) for finding in found(hip, none).values()} == {(None, False)}


@pytest.mark.parametrize("off_mm", [-0.5, 0.5])
def test_a_boss_too_low_or_high_is_off_by_as_much(hip, off_mm) -> None:
    good, other = boss_findings(hip.asked(), hip.guide)
    assert (good.passed, other.passed) == (True, True)
    asked = hip.plan()["guide"]["pins"][0]["reading_mm"]

    def told(plan) -> None:
        plan["guide"]["pins"][0]["reading_mm"] = asked - off_mm

    wrong = boss_findings(hip.asked(told), hip.guide)[0]
    assert (wrong.measured, wrong.passed) == (pytest.approx(abs(off_mm), abs=1e-3), False)


def test_a_plan_that_reads_nothing_at_a_boss_is_not_asked(hip) -> None:
    def silent(plan) -> None:
        for pin in plan["guide"]["pins"]:
            pin["reading_mm"] = None

    assert boss_findings(hip.asked(silent), hip.guide) == ()

"""The seat: gap, contact area and the deepest point, with the guide moved off and into the bone by known amounts."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.gap import depth_finding, gap_findings
from guidegen.check.seat import inside, seated
from guidegen.surfaces import Surface


def moved(hip, off_mm: float) -> Surface:
    """The guide moved along its removal direction."""
    return Surface(hip.guide.vertices + off_mm * np.array(hip.content["guide"]["removal_direction"]), hip.guide.faces)


def measure(hip, guide, bone=None, change=None):
    bone = bone or hip.bone
    seat = seated(bone, guide)
    findings = (*gap_findings(hip.asked(change), seat), depth_finding(bone, guide, seat))
    return {finding.name: finding for finding in findings}


def test_the_good_guide_sits(hip) -> None:
    findings = measure(hip, hip.guide)
    assert all(finding.passed for finding in findings.values())
    assert findings["contact gap off the clearance"].measured == pytest.approx(0.0, abs=1e-4)
    assert findings["least gap"].measured == pytest.approx(0.3, abs=1e-4)
    assert findings["deepest point in the bone"].measured == 0.0
    # plate, bar and pointer, less the bore's ellipse, two pin holes and two windows
    area = 24.0 * 70.0 + 20.0 * 4.0 + 3.0 * 4.0 - np.pi * (4.1**2 / 0.8 + 2 * 1.1**2 + 1.0**2 + 0.8**2)
    assert findings["contact area"].measured == pytest.approx(area, rel=0.01)


def test_a_guide_that_stands_off_has_that_much_more_gap(hip) -> None:
    findings = measure(hip, moved(hip, 0.2))
    off = findings["contact gap off the clearance"]
    assert (off.measured, off.passed) == (pytest.approx(0.2, abs=1e-4), False)
    assert findings["deepest point in the bone"].passed


@pytest.mark.parametrize(("rows_mm", "passed"), [(2.0, True), (8.0, False)])
def test_a_hollow_under_a_twentieth_of_the_seat_does_not_hold(hip, bench, rows_mm, passed) -> None:
    hollow = bench.block(
        [15.0, -13.0, -46.0], [15.9, 13.0, -45.0 + rows_mm]
    )  # of the plate's 70 mm, 0.6 mm further off
    furthest = measure(hip, hip.wrong_guide(cut=hollow))["contact gap, 95th percentile"]
    assert (furthest.measured, furthest.passed) == (pytest.approx(0.3 if passed else 0.9, abs=1e-3), passed)


@pytest.mark.parametrize(("rows_mm", "passed"), [(2.0, True), (8.0, False)])
def test_a_twentieth_of_the_seat_too_near_jams(hip, bench, rows_mm, passed) -> None:
    strip = bench.block([15.1, -12.0, -45.0], [16.0, 12.0, -45.0 + rows_mm])
    nearest = measure(hip, hip.wrong_guide(add=strip))["contact gap, 5th percentile"]
    assert (nearest.measured, nearest.passed) == (pytest.approx(0.3 if passed else 0.1, abs=1e-3), passed)


@pytest.mark.parametrize("into_mm", [0.3, 0.01])
def test_a_guide_in_the_bone_is_as_deep_as_it_was_pushed(hip, into_mm) -> None:
    findings = measure(hip, moved(hip, -0.3 - into_mm))
    deepest, least = findings["deepest point in the bone"], findings["least gap"]
    assert (deepest.measured, deepest.passed) == (pytest.approx(into_mm, abs=1e-4), False)
    assert (least.measured, least.passed) == (pytest.approx(-into_mm, abs=1e-4), False)


def test_a_spike_of_bone_between_all_samples_is_found(hip, bench) -> None:
    spike = bench.rod(np.array([10.0, -9.7, -2.3]), np.array([15.5, -9.7, -2.3]), 0.02)
    bone = bench.placed(bench.bone_solid() + spike)
    deepest = measure(hip, hip.guide, bone)["deepest point in the bone"]
    assert (deepest.measured, deepest.passed) == (pytest.approx(0.2, abs=1e-3), False)


def test_too_small_a_seat_fails(hip) -> None:
    def demanding(plan) -> None:
        plan["limits"]["contact_area_mm2"] = 1750.0

    assert not measure(hip, hip.guide, change=demanding)["contact area"].passed


def test_no_contact_is_not_measured(hip) -> None:
    findings = measure(hip, moved(hip, 10.0))
    for name in ("contact gap off the clearance", "least gap"):
        assert findings[name].measured is None
        assert not findings[name].passed
    assert (findings["contact area"].measured, findings["contact area"].passed) == (0.0, False)


def test_inside_agrees_with_the_winding_number(hip) -> None:
    low, high = hip.bone.bounds_mm
    points = np.random.default_rng(5).uniform(low, high, (4000, 3))
    expected = hip.bone.contains(points)
    assert 200 < expected.sum() < 3800
    assert np.array_equal(inside(hip.bone, points), expected)

"""The bores: each way to be wrong is measured at the size it was put wrong by."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check import bore
from guidegen.check.bore import pin_hole_findings, sleeve_findings

OFF, ANGLE, DIAMETER, ROUND, GUIDED, TARGET = (
    f"sleeve 1 bore {name}"
    for name in (
        "axis off plan", "angle off plan", "diameter off plan", "out of round", "guided length", "off the target",
    )
)  # fmt: skip


def found(findings):
    return {finding.name: finding for finding in findings}


def test_the_good_bores_pass_and_have_the_planned_numbers(hip) -> None:
    sleeve, pins = sleeve_findings(hip.asked(), hip.guide), pin_hole_findings(hip.asked(), hip.guide)
    assert all(finding.passed for finding in sleeve + pins)
    # the lower end is cut by the plane x = 15.3; the ring is whole from where its lowest point leaves it
    assert found(sleeve)[GUIDED].measured == pytest.approx(34.0 - (0.3 + 4.1 * 0.6) / 0.8, abs=0.11)
    # a polygon of 96 corners is narrower than its circle, on average, by a third of the square of half its angle
    assert found(sleeve)[DIAMETER].measured == pytest.approx(8.2 * (np.pi / 96) ** 2 / 3, abs=2e-4)


def test_a_bore_aside_is_off_by_as_much(hip) -> None:
    findings = found(sleeve_findings(hip.asked(), hip.wrong_guide(bore_shift=0.1)))
    for name in (OFF, TARGET):
        assert findings[name].measured == pytest.approx(0.1, abs=0.001)
        assert not findings[name].passed
    assert findings[ANGLE].passed
    assert findings[DIAMETER].passed


def test_a_tilted_bore_misses_the_target_by_the_sine(hip) -> None:
    findings = found(sleeve_findings(hip.asked(), hip.wrong_guide(bore_tilt_deg=0.5)))
    assert findings[ANGLE].measured == pytest.approx(0.5, abs=0.002)
    assert findings[TARGET].measured == pytest.approx(85.0 * np.sin(np.radians(0.5)), abs=0.005)
    assert findings[OFF].measured == pytest.approx(34.0 * np.sin(np.radians(0.5)), abs=0.005)  # at the outer end
    assert not any(findings[name].passed for name in (ANGLE, TARGET, OFF))


@pytest.mark.parametrize("diameter", [8.5, 7.9])
def test_a_bore_too_wide_or_narrow_is_off_by_as_much(hip, diameter) -> None:
    findings = found(sleeve_findings(hip.asked(), hip.wrong_guide(bore_diameter=diameter)))
    assert findings[DIAMETER].measured == pytest.approx(abs(diameter - 8.2), abs=0.003)
    assert not findings[DIAMETER].passed
    assert findings[OFF].passed


def test_a_shortened_sleeve_guides_less(hip, bench) -> None:
    off = bench.block([30.0, -20.0, -60.0], [60.0, 20.0, 10.0])
    guided = found(sleeve_findings(hip.asked(), hip.wrong_guide(cut=off)))[GUIDED]
    # now cut at x = 30 too: both ends are oblique
    assert guided.measured == pytest.approx((30.0 - 15.3 - 2 * 4.1 * 0.6) / 0.8, abs=0.15)
    assert not guided.passed


def test_a_polygon_is_out_of_round_by_the_height_of_its_sides(hip) -> None:
    finding = found(sleeve_findings(hip.asked(), hip.guide))[ROUND]
    # 72 probes meet a polygon of 96 sides at its corners, and no further than an eighth of a side from their middles
    assert 4.1 * (1 - np.cos(np.pi / 96)) * 0.7 < finding.measured <= 4.1 * (1 - np.cos(np.pi / 96)) + 1e-4


@pytest.mark.parametrize("wider_mm", [0.04, 0.1, 0.6])
def test_an_oval_bore_is_out_of_round(hip, bench, wider_mm) -> None:
    """A second bore beside the first, whose axes are so far apart, leaves an oval that is longer by as much."""
    aside = np.array([0.0, wider_mm, 0.0])
    axis, entry = np.array([-0.8, 0.0, 0.6]), np.array([15.0, 0.0, 0.0])
    twice = hip.wrong_guide(cut=bench.rod(entry + aside - 60.0 * axis, entry + aside + 20.0 * axis, 4.1))
    finding = found(sleeve_findings(hip.asked(), twice))[ROUND]
    if wider_mm < 0.5:
        assert finding.measured == pytest.approx(wider_mm / 2.0, rel=0.15)
        assert finding.passed == (wider_mm < 0.1)
    else:
        assert not finding.passed


def test_a_slit_sleeve_does_not_guide_all_the_way_round(hip, bench) -> None:
    slit = bench.block([10.0, 0.0, -60.0], [60.0, 0.8, 2.0])
    guided = found(sleeve_findings(hip.asked(), hip.wrong_guide(cut=slit)))[GUIDED]
    assert (guided.measured, guided.passed) == (0.0, False)


def test_a_sliver_of_micrometres_that_looks_elsewhere_does_not_cut_a_bore_short(hip, monkeypatch) -> None:
    """Seen on a pin's hole: one probe of 72 met such a sliver over 0.9 mm of its length."""
    whole = found(sleeve_findings(hip.asked(), hip.guide))[GUIDED].measured

    def beside_a_sliver(guide, point_mm, axis, along_mm, beside_rad=0.0):
        met = probed(guide, point_mm, axis, along_mm, beside_rad)
        if beside_rad == 0.0:
            met[(along_mm > 12.0) & (along_mm < 13.0), 43] = bore.FAR_AWAY_MM
        return met

    probed = bore._probed
    monkeypatch.setattr(bore, "_probed", beside_a_sliver)
    assert found(sleeve_findings(hip.asked(), hip.guide))[GUIDED].measured == pytest.approx(whole)
    monkeypatch.setattr(bore, "BESIDE", ())
    assert found(sleeve_findings(hip.asked(), hip.guide))[GUIDED].measured < whole - 1.0


def test_the_limit_on_guided_length_is_the_stricter_of_plan_and_rule(hip) -> None:
    def longer(plan) -> None:
        plan["limits"]["guided_length_mm"] = 31.0

    guided = found(sleeve_findings(hip.asked(longer), hip.guide))[GUIDED]
    assert (guided.limit, guided.passed) == (31.0, False)
    assert found(sleeve_findings(hip.asked(), hip.guide))[GUIDED].limit == pytest.approx(29.8)


def test_a_sleeve_without_bore_is_not_measured_and_fails(hip, bench) -> None:
    filled = hip.wrong_guide(add=bench.rod(np.array([11.0, 0.0, 3.0]), np.array([43.0, 0.0, -21.0]), 5.0))
    findings = sleeve_findings(hip.asked(), filled)
    assert {(finding.measured, finding.passed) for finding in findings} == {(None, False)}
    assert all(finding.why.startswith("Not measured: no wall of a bore") for finding in findings)


def test_a_hole_in_a_thin_sheet_is_one_ring_and_fails(hip, bench) -> None:
    sheet = bench.block([20.0, -30.0, -60.0], [20.15, 30.0, 40.0])
    hole = bench.rod(np.array([10.0, 0.0, 0.0]), np.array([30.0, 0.0, 0.0]), 4.1)
    findings = found(sleeve_findings(hip.asked(), bench.placed(sheet - hole)))
    assert not findings[GUIDED].passed


def test_a_pin_hole_aside_is_off_by_as_much(hip) -> None:
    findings = found(pin_hole_findings(hip.asked(), hip.wrong_guide(pin_shift=0.1)))
    for pin in (1, 2):
        off = findings[f"pin {pin} hole axis off plan"]
        assert off.measured == pytest.approx(0.1, abs=0.001)
        assert not off.passed
        assert findings[f"pin {pin} hole diameter off plan"].passed

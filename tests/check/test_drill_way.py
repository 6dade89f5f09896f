"""The tools' way through the guide."""

from __future__ import annotations

import numpy as np
import pytest
from seat_bodies import METAL

from guidegen.check.drill import drill_way_findings


def ways(hip, guide):
    return {finding.name: finding for finding in drill_way_findings(hip.asked(), guide)}


def test_the_good_guide_lets_drill_and_wires_pass(hip) -> None:
    findings = ways(hip, hip.guide)
    assert all(finding.passed for finding in findings.values())
    assert findings["sleeve 1 drill's way"].measured == pytest.approx(8.2 * np.cos(np.pi / 96), abs=1e-3)
    assert findings["pin 1 wire's way"].measured == pytest.approx(2.2 * np.cos(np.pi / 96), abs=1e-3)


def test_a_fin_beside_the_drill_is_measured_exactly(hip, bench) -> None:
    fin = bench.block([14.0, 3.5, -30.0], [50.0, 12.0, 5.0])  # its nearest face lies in y = 3.5, the axis in y = 0
    way = ways(hip, hip.wrong_guide(add=fin))["sleeve 1 drill's way"]
    assert way.measured == pytest.approx(7.0, abs=1e-4)
    assert not way.passed


def test_a_lid_far_outside_the_sleeve_blocks_the_drill(hip, bench) -> None:
    lid = bench.ball([15.0 + 0.8 * 80.0, 0.0, -0.6 * 80.0], 6.0)
    way = ways(hip, hip.wrong_guide(add=lid))["sleeve 1 drill's way"]
    assert (way.measured, way.passed) == (0.0, False)


def test_a_plugged_hole_blocks_one_wire_only(hip, bench) -> None:
    findings = ways(hip, hip.wrong_guide(add=bench.block([16.0, 6.0, 15.0], [19.0, 10.0, 19.0])))
    assert (findings["pin 1 wire's way"].measured, findings["pin 1 wire's way"].passed) == (0.0, False)
    assert findings["pin 2 wire's way"].passed


def test_what_lies_past_the_bones_surface_is_in_no_wires_way(hip, bench) -> None:
    far = bench.block([-40.0, -30.0, 10.0], [-30.0, 30.0, 24.0])  # a clasp on the other side of the shaft
    assert ways(hip, hip.wrong_guide(add=far))["pin 1 wire's way"].passed


@pytest.mark.parametrize(("diameter", "passed"), [(1.8, True), (1.0, False)])
def test_a_window_half_closed_shows_less(hip, bench, diameter, passed) -> None:
    """A ring in the window leaves so much of its 2 mm."""
    ring = bench.rod(np.array([16.0, 8.5, 8.5]), np.array([19.0, 8.5, 8.5]), 1.2)
    ring -= bench.rod(np.array([10.0, 8.5, 8.5]), np.array([25.0, 8.5, 8.5]), diameter / 2.0)
    findings = ways(hip, hip.wrong_guide(add=ring))
    assert findings["window 1 open"].measured == pytest.approx(diameter, abs=0.01)
    assert (findings["window 1 open"].passed, findings["probe 2 open"].passed) == (False, True)
    assert findings["narrowest lumen"].measured == pytest.approx(min(diameter, 1.6), abs=0.01)
    assert findings["narrowest lumen"].passed is passed


def test_a_lumen_with_a_floor_does_not_drain(hip, bench) -> None:
    floor = bench.block([15.5, 6.0, 6.0], [15.8, 11.0, 11.0])
    lumen = ways(hip, hip.wrong_guide(add=floor))["narrowest lumen"]
    assert (lumen.measured, lumen.passed) == (0.0, False)


def test_the_least_lumen_is_the_printers(hip) -> None:
    def coarse(plan) -> None:
        plan["printing"]["least_drain_mm"] = 2.0

    (lumen,) = (f for f in drill_way_findings(hip.asked(coarse), hip.guide) if f.name == "narrowest lumen")
    assert (lumen.limit, lumen.passed) == (2.0, False)


@pytest.mark.parametrize(("outer_mm", "passed"), [(8.1, True), (8.3, False)])
def test_a_metal_sleeve_goes_through_its_hole(hip, outer_mm, passed) -> None:
    def metal(plan) -> None:
        plan["guide"]["sleeves"][0] |= {
            "kind": "metal",
            "metal": METAL | {"outer_diameter_mm": outer_mm},
        }

    findings = {finding.name: finding for finding in drill_way_findings(hip.asked(metal), hip.guide)}
    assert findings["sleeve 1 metal's way"].passed is passed
    assert "sleeve 1 drill's way" not in findings

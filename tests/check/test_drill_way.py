"""The tools' way through the guide."""

from __future__ import annotations

import numpy as np
import pytest

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

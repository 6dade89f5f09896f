"""What is kept out: distances of drill, wires and contact in closed form, and the way off."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.keep_out import keep_out_findings
from guidegen.check.seat import seated

NAMES = [
    "tunnel 1 to what is kept out",
    "tunnel 1 to what is kept out, off its stated number",
    "pin 1 wire to what is kept out",
    "pin 2 wire to what is kept out",
    "contact to what is kept out",
    "removal way, deepest in what is kept out",
]


def stated(plan) -> None:
    plan["keep_out"] = ["implant"]
    plan["tunnels"][0]["keep_out_mm"] = 3.5


def found(hip, bench, solid, guide=None, change=stated):
    guide = guide or hip.guide
    findings = keep_out_findings(hip.asked(change), hip.bone, guide, seated(hip.bone, guide), bench.placed(solid))
    assert [finding.name for finding in findings] == NAMES
    return dict(zip(NAMES, findings, strict=True))


def test_without_anything_kept_out_there_is_no_finding(hip) -> None:
    assert keep_out_findings(hip.asked(), hip.bone, hip.guide, seated(hip.bone, hip.guide), None) == ()


def test_far_away_all_pass(hip, bench) -> None:
    findings = found(hip, bench, bench.block([-60.0, -60.0, -50.0], [-50.0, -50.0, -40.0]), change=None)
    failed = [name for name, finding in findings.items() if not finding.passed]
    assert failed == ["tunnel 1 to what is kept out, off its stated number"]  # the plan states none


@pytest.mark.parametrize("gap", [2.9, 3.5])
def test_a_rod_beside_the_tunnel(hip, bench, gap) -> None:
    """Parallel to the tunnel's axis in its own plane, so that mantle to mantle is `gap` everywhere."""
    axis, aside = np.array([-0.8, 0.0, 0.6]), np.array([0.0, 1.0, 0.0]) * (4.0 + gap + 2.0)
    rod = bench.rod(np.array([15.0, 0.0, 0.0]) + aside + 40.0 * axis, np.array([15.0, 0, 0]) + aside + 70.0 * axis, 2.0)
    finding = found(hip, bench, rod)[NAMES[0]]
    assert finding.measured == pytest.approx(gap, abs=0.01)
    assert finding.passed == (gap > 3.0)
    assert found(hip, bench, rod)[NAMES[1]].passed == (gap == 3.5)


def test_metal_before_the_tunnels_flat_end(hip, bench) -> None:
    """A ball of 2 mm on the axis, 4.5 mm past the target."""
    target, axis = np.array([-53.0, 0.0, 51.0]), np.array([-0.8, 0.0, 0.6])
    finding = found(hip, bench, bench.ball(target + 6.5 * axis, 2.0))[NAMES[0]]
    assert finding.measured == pytest.approx(4.5, abs=0.01)


def test_metal_in_the_drills_way_outside_the_bone(hip, bench) -> None:
    outside = np.array([15.0, 0.0, 0.0]) - 55.0 * np.array([-0.8, 0.0, 0.6])
    finding = found(hip, bench, bench.ball(outside, 3.0))[NAMES[0]]
    assert (finding.passed, finding.measured < 0.0) == (False, True)


@pytest.mark.parametrize("gap", [2.8, 3.4])
def test_metal_beside_a_wire(hip, bench, gap) -> None:
    """A ball beside the first wire, 10 mm in the bone."""
    way = np.array([-np.cos(np.radians(8)), np.sin(np.radians(8)), 0.0])
    place = np.array([15.0, 8.0, 17.0]) + 10.0 * way + np.array([0.0, 0.0, 1.0 + gap + 1.5])
    finding = found(hip, bench, bench.ball(place, 1.5))[NAMES[2]]
    assert (finding.measured, finding.passed) == (pytest.approx(gap, abs=0.01), gap > 3.0)


@pytest.mark.parametrize("gap", [2.5, 3.2])
def test_metal_in_the_bone_under_the_contact(hip, bench, gap) -> None:
    """The plate rests 0.3 mm off the bone's face in x = 15."""
    block = bench.block([5.0, -4.0, -25.0], [15.3 - gap, 4.0, -15.0])
    findings = found(hip, bench, block)
    assert findings[NAMES[4]].measured == pytest.approx(gap, abs=0.01)
    assert findings[NAMES[4]].passed == (gap > 3.0)
    assert findings[NAMES[5]].passed


def test_a_guide_that_stands_off_it_has_no_contact_there(hip, bench) -> None:
    block = bench.block([5.0, -4.0, -25.0], [15.0, 4.0, -20.0])
    relief = bench.block([14.0, -13.0, -31.0], [18.0, 13.0, -16.0])
    assert not found(hip, bench, block)[NAMES[4]].passed
    assert found(hip, bench, block, hip.wrong_guide(cut=relief))[NAMES[4]].passed


def test_a_hook_behind_metal_does_not_come_off(hip, bench) -> None:
    """A screw head out of the bone, over the guide's plate."""
    head = bench.block([22.0, -3.0, 8.0], [26.0, 3.0, 14.0])
    finding = found(hip, bench, head)[NAMES[5]]
    assert finding.measured == pytest.approx(4.7 / 2.0, abs=0.05)  # it passes through the plate of 4.7 mm
    assert not finding.passed

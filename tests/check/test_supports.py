"""What must be propped up as it is printed, and where."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.seat import seated
from guidegen.check.supports import support_findings
from guidegen.frames import LPS, RigidTransform
from guidegen.threemf import PRINTER, print_orientation

UP_OF = {  # which way of the bench is up in the printer
    "bone up": [-1.0, 0.0, 0.0],
    "bone down": [1.0, 0.0, 0.0],
    "standing": [0.0, 0.0, 1.0],
    "on its side": [0.0, 1.0, 0.0],
}


def pose(bench, up) -> RigidTransform:
    """A pose with this direction of the bench upwards."""
    up_mm = bench.place.vectors(np.asarray(up, dtype=float))
    aside = np.cross(up_mm, [0.3, 0.5, 0.8])
    aside /= np.linalg.norm(aside)
    return RigidTransform(np.stack([aside, np.cross(up_mm, aside), up_mm]), np.zeros(3), LPS, PRINTER)


def found(hip, bench, up, steepest_deg=45.0, guide=None):
    def change(plan) -> None:
        plan["printing"]["steepest_overhang_deg"] = steepest_deg

    guide = guide or hip.guide
    findings = support_findings(hip.asked(change), seated(hip.bone, guide), pose(bench, up))
    return {finding.name.removeprefix("props"): finding for finding in findings}


def test_what_a_powder_holds_needs_no_props(hip, bench) -> None:
    for up in UP_OF.values():
        assert {finding.measured for finding in found(hip, bench, up, steepest_deg=90.0).values()} == {0.0}


def test_with_the_bone_side_down_the_contact_hangs(hip, bench) -> None:
    assert found(hip, bench, UP_OF["bone up"])[" on the contact"].measured == 0.0
    lifted = hip.wrong_guide(add=bench.block([14.0, 20.0, 0.0], [16.0, 22.0, 2.0]) + bench.block(
        [15.5, 10.0, 0.0], [16.5, 22.0, 2.0]))  # a foot that keeps the contact off the printer's plate  # fmt: skip
    contact = found(hip, bench, UP_OF["bone down"], guide=lifted)[" on the contact"]
    assert contact.measured == pytest.approx(1690.0, rel=0.05)
    assert not contact.passed


def test_what_lies_on_the_plate_needs_no_props(hip, bench) -> None:
    assert found(hip, bench, UP_OF["bone down"])[" on the contact"].measured == 0.0


def test_the_share_is_that_of_the_surface(hip, bench) -> None:
    """A slab of 2 mm on one leg: but for the leg's foot, its whole underside hangs."""
    slab = bench.block([0.0, -30.0, -30.0], [2.0, 30.0, 30.0]) + bench.block([-8.0, -2.0, -2.0], [0.0, 2.0, 2.0])
    share = found(hip, bench, [1.0, 0.0, 0.0], guide=bench.placed(slab))[", share of the surface"]
    whole = 2 * 3600.0 + 4 * 120.0 + 4 * 32.0
    assert share.measured == pytest.approx((3600.0 - 36.0) / whole, rel=0.02)  # 1 mm round the leg is held by it
    assert share.passed


@pytest.mark.parametrize(("up", "steepest_deg", "passed"), [("bone up", 45.0, True), ("bone up", 30.0, False)])
def test_a_bore_that_lies_too_flat_needs_props(hip, bench, up, steepest_deg, passed) -> None:
    """The sleeve leans 37° from the removal direction: its roof overhangs by as much."""
    assert found(hip, bench, UP_OF[up], steepest_deg)[" in bores and windows"].passed is passed


def test_the_roof_of_a_level_bore_is_held_when_it_is_narrow(hip, bench) -> None:
    """Standing on its end, the wires' holes of 2.2 mm lie level: what is flatter than 45° of them is 1.6 mm wide."""
    assert found(hip, bench, UP_OF["standing"], 45.0)[" in bores and windows"].measured > 10.0  # the sleeve's, at 53°
    only_wires = found(hip, bench, UP_OF["standing"], 54.0)[" in bores and windows"]
    assert (only_wires.measured, only_wires.passed) == (0.0, True)


def test_letters_that_look_down_are_propped(hip, bench) -> None:
    text = found(hip, bench, UP_OF["bone up"])[" in text and arrows"]
    assert text.measured > 300.0
    assert not text.passed
    assert found(hip, bench, UP_OF["on its side"])[" in text and arrows"].passed  # ledges of 0.6 mm


def test_the_pose_of_the_print_is_looked_at(hip) -> None:
    turned = print_orientation(hip.guide, hip.content["guide"]["removal_direction"])
    findings = support_findings(hip.asked(), seated(hip.bone, hip.guide), turned)
    assert all(finding.passed for finding in findings)


def test_without_a_print_file_nothing_is_known(hip) -> None:
    findings = support_findings(hip.asked(), seated(hip.bone, hip.guide), None)
    assert {(finding.measured, finding.passed) for finding in findings} == {(None, False)}

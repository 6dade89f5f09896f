"""The tunnel, measured in the bone as written."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.tunnel import tunnel_findings


def found(hip, change=None):
    return {finding.name.removeprefix("tunnel 1 "): finding for finding in tunnel_findings(hip.asked(change), hip.bone)}


def along(bench, entry, target, **numbers):
    """A plan whose tunnel runs elsewhere and states the numbers given."""

    def change(plan) -> None:
        tunnel = plan["tunnels"][0]
        tunnel["entry_mm"], tunnel["target_mm"] = ([float(x) for x in bench.place.points(p)] for p in (entry, target))
        tunnel["length_mm"] = float(np.linalg.norm(np.subtract(target, entry)))
        for name in ("wall_min_mm", "subchondral_mm", "subchondral_axis_mm", "centroid_distance_mm"):
            tunnel[name] = numbers.get(name)

    return change


def test_the_good_tunnel_keeps_the_rules(hip) -> None:
    findings = found(hip)
    assert all(finding.passed for finding in findings.values())
    assert findings["wall to the cortex"].measured == pytest.approx(14.0 - 4.0, abs=0.01)
    assert findings["axis to the joint"].measured == pytest.approx(24.0 - 10.0, abs=0.02)
    assert findings["rim to the joint"].measured == pytest.approx(24.0 - np.hypot(10.0, 4.0), abs=0.03)


def test_a_tunnel_beside_the_necks_axis_thins_its_wall(hip, bench) -> None:
    aside = np.array([0.0, 8.0, 0.0])
    findings = found(hip, along(bench, np.array([15.0, 0.0, 0.0]) + aside, np.array([-53.0, 0.0, 51.0]) + aside))
    wall = findings["wall to the cortex"]
    # 14 - 8 - 4 in the neck; between neck and shaft the axis lies no nearer to any face
    assert (wall.measured, wall.passed) == (pytest.approx(2.0, abs=0.02), False)
    assert findings["axis off the lesion's centroid"].measured == pytest.approx(8.0)
    assert not findings["axis off the lesion's centroid"].passed


@pytest.mark.parametrize(("deep", "axis_ok", "rim_ok"), [(18.0, True, True), (20.0, False, True), (21.0, False, False)])
def test_a_tunnel_too_deep_comes_too_near_to_the_joint(hip, bench, deep, axis_ok, rim_ok) -> None:
    target = np.array([-45.0, 0.0, 45.0]) + deep * np.array([-0.8, 0.0, 0.6])
    findings = found(hip, along(bench, np.array([15.0, 0.0, 0.0]), target))
    axis, rim = findings["axis to the joint"], findings["rim to the joint"]
    assert axis.measured == pytest.approx(24.0 - deep, abs=0.02)
    assert rim.measured == pytest.approx(24.0 - np.hypot(deep, 4.0), abs=0.03)
    assert (axis.passed, rim.passed) == (axis_ok, rim_ok)
    assert findings["wall to the cortex"].measured == pytest.approx(10.0, abs=0.01)  # the head is not the neck's wall


def test_a_tunnel_through_the_joint_is_negative(hip, bench) -> None:
    findings = found(hip, along(bench, np.array([15.0, 0.0, 0.0]), np.array([-45.0 - 0.8 * 30, 0.0, 45.0 + 0.6 * 30])))
    assert findings["axis to the joint"].measured == pytest.approx(-6.0, abs=0.03)


def test_an_entry_off_the_bone_fails(hip, bench) -> None:
    entry = np.array([15.0, 0.0, 0.0]) - 5.0 * np.array([-0.8, 0.0, 0.6])
    off = found(hip, along(bench, entry, np.array([-53.0, 0.0, 51.0])))["entry off the bone"]
    assert (off.measured, off.passed) == (pytest.approx(4.0, abs=1e-3), False)


@pytest.mark.parametrize(
    "name", ["length_mm", "wall_min_mm", "subchondral_mm", "subchondral_axis_mm", "centroid_distance_mm"]
)
def test_each_stated_number_is_held_against_the_file(hip, name) -> None:
    def overstate(plan) -> None:
        plan["tunnels"][0][name] += 0.5

    off = found(hip, overstate)["off its stated numbers"]
    assert (off.measured, off.passed) == (pytest.approx(0.5, abs=0.02), False)


@pytest.mark.parametrize("name", ["wall_min_mm", "subchondral_mm", "subchondral_axis_mm", "centroid_distance_mm"])
def test_a_number_that_is_not_stated_is_no_number_that_agrees(hip, name) -> None:
    off = found(hip, lambda plan: plan["tunnels"][0].update({name: None}))["off its stated numbers"]
    assert (off.measured, off.passed) == (None, False)


def test_a_tunnel_that_ends_before_the_neck_has_no_wall_to_measure(hip, bench) -> None:
    short = np.array([15.0, 0.0, 0.0]) + 10.0 * np.array([-0.8, 0.0, 0.6])
    wall = found(hip, along(bench, np.array([15.0, 0.0, 0.0]), short))["wall to the cortex"]
    assert (wall.measured, wall.passed) == (None, False)


def test_a_strategy_without_the_centroid_has_no_rule_on_it(hip) -> None:
    def coverage(plan) -> None:
        plan["limits"]["centroid_distance_max_mm"] = None

    assert "axis off the lesion's centroid" not in found(hip, coverage)


def test_the_rings_of_the_tools_end_are_what_comes_near_the_joint(hip) -> None:
    """A cone's rim lies behind its tip; a reamer is wider than its drill."""

    def with_end(*rings):
        def change(plan) -> None:
            plan["tunnels"][0]["end_outline_mm"] = rings
            plan["tunnels"][0]["subchondral_mm"] = None

        return change

    cone = found(hip, with_end((0.0, 0.0), (3.0, 4.0)))["rim to the joint"]
    assert cone.measured == pytest.approx(min(24.0 - 10.0, 24.0 - np.hypot(7.0, 4.0)), abs=0.03)
    reamer = found(hip, with_end((0.0, 0.0), (0.0, 9.0)))["rim to the joint"]
    assert reamer.measured == pytest.approx(24.0 - np.hypot(10.0, 9.0), abs=0.03)


def test_the_side_of_a_tunnel_along_the_joint_is_too_near(hip, bench) -> None:
    """A line that passes the head's centre 18 mm aside leaves 24 - 22 mm at its side, midway through the sphere."""
    aside = np.array([0.0, 18.0, 0.0])
    side = found(hip, along(bench, np.array([15.0, 0.0, 0.0]) + aside, np.array([-45.0, 0.0, 45.0]) + aside))[
        "side to the joint"
    ]
    assert (side.measured <= 2.0, side.passed) == (True, False)


def test_the_wall_to_the_vessels_is_asked_of_the_neck_alone(hip, bench) -> None:
    """The neck is a cylinder of 14 mm: along its axis the wall is 10 mm, moved up or back it thins by as much."""

    def change(plan) -> None:
        plan["limits"]["vessel_wall_min_mm"] = 5.0
        plan["anatomy"]["neck_isthmus_center_mm"] = [float(x) for x in bench.place.points([-25.0, 0.0, 30.0])]

    assert found(hip, change)["wall to the vessels"].measured == pytest.approx(10.0, abs=0.05)
    assert "wall to the vessels" not in found(hip)
    for up_mm in (6.0, -6.0):
        moved = up_mm * np.array([0.6, 0.0, 0.8])  # across the neck, towards its top

        def both(plan, moved=moved) -> None:
            change(plan)
            along(bench, np.array([15.0, 0.0, 0.0]) + moved, np.array([-45.0, 0.0, 45.0]) + moved)(plan)

        vessel = found(hip, both)["wall to the vessels"]
        assert vessel.passed == (up_mm < 0.0)
        assert (vessel.measured == pytest.approx(10.0 - up_mm, abs=0.05)) == (up_mm > 0.0)

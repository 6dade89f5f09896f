"""The wires: divergence, and distance to drill and to each other."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from guidegen.check.pins import pin_findings, segment_distance_mm
from guidegen.frames import rotation_about


def found(hip, change=None):
    return {finding.name: finding for finding in pin_findings(hip.asked(change), hip.bone)}


def test_the_good_pins_pass(hip) -> None:
    findings = found(hip)
    assert all(finding.passed for finding in findings.values())
    assert findings["pins diverge"].measured == pytest.approx(16.0, abs=1e-6)
    assert "pins diverge, each two" not in findings  # of two wires there is one angle only


def test_parallel_pins_fail(hip) -> None:
    def parallel(plan) -> None:
        plan["guide"]["pins"][1]["direction"] = plan["guide"]["pins"][0]["direction"]

    assert (found(hip, parallel)["pins diverge"].measured, found(hip, parallel)["pins diverge"].passed) == (0.0, False)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pins_are_not_measured(hip, count) -> None:
    def fewer(plan) -> None:
        del plan["guide"]["pins"][count:]

    finding = found(hip, fewer)["pins diverge"]
    assert (finding.measured, finding.passed) == (None, False)
    assert "fewer than two pins" in finding.why


def test_a_pin_through_the_tunnel_fails(hip, bench) -> None:
    def through(plan) -> None:
        straight = np.array([-1.0, 0.0, 0.0])
        point = np.array([15.0, 0.0, 9.0])  # meets the axis at x = 3
        pin = plan["guide"]["pins"][0]
        pin["point_mm"], pin["direction"] = list(bench.place.points(point)), list(bench.place.vectors(straight))
        pin["top_mm"] = list(bench.place.points(point - 12.0 * straight))

    apart = found(hip, through)["pin 1 apart from drill and wires"]
    assert (apart.measured, apart.passed) == (pytest.approx(-5.0, abs=1e-6), False)  # no distance, less both radii


def test_a_wire_that_stops_short_may_point_at_the_tunnel(hip, bench) -> None:
    def pointing(plan, depth_mm) -> None:
        pin = plan["guide"]["pins"][0]
        point, across = np.array([-1.0, 15.0, 12.0]), np.array([0.0, -1.0, 0.0])
        pin["point_mm"], pin["direction"] = list(bench.place.points(point)), list(bench.place.vectors(across))
        pin["top_mm"], pin["depth_mm"] = list(bench.place.points(point - 12.0 * across)), depth_mm

    short = found(hip, lambda plan: pointing(plan, 5.0))["pin 1 apart from drill and wires"]
    assert short.measured == pytest.approx(15.0 - 5.0 - 4.0 - 1.0, abs=1e-6)
    assert found(hip, lambda plan: pointing(plan, None))["pin 1 apart from drill and wires"].measured < -4.9


def test_pins_that_cross_each_other_fail(hip, bench) -> None:
    def crossed(plan) -> None:
        for pin, side in zip(plan["guide"]["pins"], (8.0, -8.0), strict=True):  # they meet 13.9 mm below the surface
            direction, point = np.array([-np.sqrt(0.75), -np.sign(side) * 0.5, 0.0]), np.array([15.0, side, 17.0])
            pin["direction"], pin["point_mm"] = list(bench.place.vectors(direction)), list(bench.place.points(point))
            pin["top_mm"], pin["depth_mm"] = list(bench.place.points(point - 12.0 * direction)), 17.0

    for pin in (1, 2):
        apart = found(hip, crossed)[f"pin {pin} apart from drill and wires"]
        assert apart.measured == pytest.approx(-2.0, abs=1e-6)  # no distance, less both wires' radii


@pytest.mark.parametrize(("askew_deg", "passed"), [(0.0, False), (4.0, False), (6.0, True)])
def test_each_two_of_three_pins_hold_alone(hip, bench, askew_deg, passed) -> None:
    def third(plan) -> None:
        pin = copy.deepcopy(plan["guide"]["pins"][0])
        pin["direction"] = [
            float(x) for x in rotation_about(bench.place.vectors([0, 1, 0]), askew_deg) @ pin["direction"]
        ]
        plan["guide"]["pins"].append(pin)

    findings = found(hip, third)
    assert findings["pins diverge"].passed
    closest = findings["pins diverge, each two"]
    # about y, at right angles to all but the sine of 8° of the wire
    assert (closest.measured, closest.passed) == (pytest.approx(askew_deg * np.cos(np.radians(8)), abs=0.01), passed)


@pytest.mark.parametrize(("apart_deg", "passed"), [(14.9, False), (15.1, True)])
def test_two_pins_are_fifteen_degrees_apart(hip, bench, apart_deg, passed) -> None:
    def turned(plan) -> None:
        first, second = plan["guide"]["pins"]
        turn = rotation_about(bench.place.vectors([0, 0, 1]), apart_deg)
        second["direction"] = [float(x) for x in turn @ first["direction"]]

    angle = found(hip, turned)["pins diverge"]
    assert (angle.measured, angle.passed) == (pytest.approx(apart_deg, abs=1e-4), passed)


def test_the_good_wires_end_where_they_are_planned_to(hip) -> None:
    findings = found(hip)
    # 25 mm of the way through a shaft 30 mm thick and the neck behind it; the file's cylinders have 96 sides
    assert findings["pin 1 short of the far cortex"].measured == pytest.approx(33.11 - 25.0, abs=0.03)
    assert findings["pin 2 out of the far cortex"].measured == pytest.approx(1.5, abs=0.03)
    assert findings["pin 1 above the lesser trochanter"].measured == pytest.approx(17.0 + 15.0)


def pin_changed(number, **fields):
    def change(plan) -> None:
        plan["guide"]["pins"][number - 1] |= fields

    return change


def failed(findings):
    return {name for name, finding in findings.items() if not finding.passed}


def test_a_wire_too_short_to_be_gripped_is_found(hip) -> None:
    """25 mm in the bone and 12 mm in its hole."""
    for length_mm, wrong in ((57.1, set()), (56.9, {"pin 1 wire beyond its boss"})):
        assert failed(found(hip, pin_changed(1, wire_length_mm=length_mm))) == wrong


def test_a_wire_that_comes_far_out_is_found(hip) -> None:
    depth_mm = hip.content["guide"]["pins"][1]["depth_mm"]
    for more_mm, wrong in ((0.4, set()), (0.6, {"pin 2 out of the far cortex"})):
        findings = found(hip, pin_changed(2, depth_mm=depth_mm + more_mm, far_exit_mm=1.5 + more_mm))
        assert failed(findings) == wrong
    assert failed(found(hip, pin_changed(2, depth_mm=depth_mm + 0.2))) == {"pin 2 far exit off its stated number"}
    assert failed(found(hip, pin_changed(2, far_exit_mm=None))) == {"pin 2 far exit off its stated number"}


def test_a_wire_through_both_cortices_must_reach_the_second(hip) -> None:
    depth_mm = hip.content["guide"]["pins"][1]["depth_mm"]
    findings = found(hip, pin_changed(2, depth_mm=depth_mm - 2.0, far_exit_mm=-0.5))
    assert failed(findings) == {"pin 2 through the far cortex"}


def test_a_wire_that_is_to_stay_in_the_bone_must(hip) -> None:
    assert failed(found(hip, pin_changed(1, depth_mm=33.5))) == {"pin 1 short of the far cortex"}


def test_a_wire_that_enters_off_the_bone_or_too_low_is_found(hip, bench) -> None:
    point = np.array([15.0, 8.0, 17.0])
    lifted = [float(x) for x in bench.place.points(point + [0.3, 0.0, 0.0])]
    assert "pin 1 point off the bone" in failed(found(hip, pin_changed(1, point_mm=lifted)))
    for height, passed in ((-14.9, True), (-15.1, False)):
        low = [float(x) for x in bench.place.points([15.0, 8.0, height])]
        assert found(hip, pin_changed(1, point_mm=low))["pin 1 above the lesser trochanter"].passed is passed


def test_where_the_plan_does_not_say_how_deep_nothing_is_asked_of_the_end(hip) -> None:
    findings = found(hip, lambda plan: [pin.update(depth_mm=None) for pin in plan["guide"]["pins"]])
    assert list(findings) == ["pins diverge", "pin 1 apart from drill and wires", "pin 2 apart from drill and wires"]


@pytest.mark.parametrize(
    ("second", "distance"),
    [
        ([[0.0, 0.0, 3.0], [0.0, 10.0, 3.0]], 3.0),  # skew, the nearest points inside both
        ([[-4.0, 3.0, 0.0], [-4.0, 9.0, 0.0]], 3.0),  # one's end beside the other
        ([[8.0, 4.0, 0.0], [9.0, 9.0, 0.0]], 5.0),  # both ends
        ([[-5.0, 2.0, 0.0], [5.0, 2.0, 0.0]], 2.0),  # parallel
        ([[12.0, 0.0, 0.0], [20.0, 0.0, 0.0]], 7.0),  # on one line
    ],
)
def test_the_distance_of_two_segments(second, distance) -> None:
    first = [[-5.0, 0.0, 0.0], [5.0, 0.0, 0.0]]
    assert segment_distance_mm(first, second) == pytest.approx(distance)
    assert segment_distance_mm(second, first) == pytest.approx(distance)

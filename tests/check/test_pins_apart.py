"""The wires: divergence, and distance to drill and to each other."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.pins import pin_findings, segment_distance_mm


def found(hip, change=None):
    return {finding.name: finding for finding in pin_findings(hip.asked(change), hip.bone)}


def test_the_good_pins_pass(hip) -> None:
    findings = found(hip)
    assert all(finding.passed for finding in findings.values())
    assert findings["pins diverge"].measured == pytest.approx(12.0, abs=1e-6)


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


def test_of_three_pins_two_may_be_parallel(hip) -> None:
    def third(plan) -> None:
        plan["guide"]["pins"].append(plan["guide"]["pins"][0])

    assert found(hip, third)["pins diverge"].measured == pytest.approx(12.0)


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

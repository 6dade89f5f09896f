"""The way off the bone."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.removal import WAY_MM, deepest_on_way_mm, removal_findings
from guidegen.check.seat import seated

X, Z = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])


def removal(hip, guide, bone=None, change=None):
    bone = bone or hip.bone
    return removal_findings(hip.asked(change), bone, guide, seated(bone, guide))[0]


def test_the_good_guide_comes_off(hip) -> None:
    finding = removal(hip, hip.guide)
    assert (finding.measured, finding.passed) == (0.0, True)


def test_a_hook_in_a_groove_catches_by_its_depth(hip, bench) -> None:
    bone = bench.placed(bench.bone_solid() - bench.block([-5.0, 13.0, 0.0], [5.0, 16.0, 25.0]))
    arm = bench.block([-4.0, 15.3, 5.0], [18.0, 19.0, 20.0]) + bench.block([15.3, 10.0, 5.0], [18.0, 19.0, 20.0])
    lip = bench.block([-4.0, 13.5, 5.0], [4.0, 16.0, 20.0])
    free, hooked = hip.wrong_guide(add=arm), hip.wrong_guide(add=arm + lip)
    assert removal(hip, free, bone).passed
    caught = removal(hip, hooked, bone)
    assert (caught.measured, caught.passed) == (pytest.approx(1.5, abs=0.02), False)


def test_a_spike_of_bone_before_the_plate_catches_between_all_samples(hip, bench) -> None:
    gallows = bench.block([10.0, -11.5, 28.0], [36.0, -9.5, 32.0])
    spike = bench.rod(np.array([35.0, -10.5, 30.0]), np.array([35.0, -10.5, 22.0]), 0.02)
    caught = removal(hip, hip.guide, bench.placed(bench.bone_solid() + gallows + spike))
    # its tip is 2.35 mm from both faces of the plate on its way through, 1.5 from the plate's side
    assert (caught.measured, caught.passed) == (pytest.approx(1.5, abs=0.05), False)


def test_pushed_the_wrong_way_it_goes_deep_into_the_bone(hip) -> None:
    def reverse(plan) -> None:
        plan["guide"]["removal_direction"] = [-x for x in plan["guide"]["removal_direction"]]

    assert removal(hip, hip.guide, change=reverse).measured > 10.0


def askew(hip, guide, bone=None):
    bone = bone or hip.bone
    first, later = removal_findings(hip.asked(), bone, guide, seated(bone, guide))[1:]
    assert (first.limit, later.limit) == (0.0, 0.3)
    return first, later


def test_the_good_guide_comes_off_askew(hip) -> None:
    assert [(finding.measured, finding.passed) for finding in askew(hip, hip.guide)] == [(0.0, True), (0.0, True)]


def wall_of_bone(bench, gap_mm: float, height_mm: float):
    """The bone with a wall beside the plate's end, along the way off: so far from it, and so high over the bone."""
    return bench.placed(
        bench.bone_solid() + bench.block([14.0, -12.0, -60.0], [15.0 + height_mm, 12.0, -45.0 - gap_mm])
    )


@pytest.mark.parametrize(("height_mm", "passed"), [(9.0, True), (20.0, False)])
def test_a_wall_along_the_way_is_entered_by_the_sine_of_what_it_is_high(hip, bench, height_mm, passed) -> None:
    """The plate's end reaches 4.7 mm up the wall, and strays into it by sin 3° of its way until its foot is past it."""
    first, later = askew(hip, hip.guide, wall_of_bone(bench, 0.3, height_mm))
    assert (first.measured, first.passed) == (0.0, True)
    depth = max(0.0, (height_mm - 0.3) * np.tan(np.radians(3.0)) - 0.3)
    assert later.measured == pytest.approx(depth, abs=0.08)
    assert later.passed is passed


def test_a_seat_that_hugs_a_wall_is_caught_before_it_lets_go(hip, bench) -> None:
    first, _ = askew(hip, hip.guide, wall_of_bone(bench, 0.02, 9.0))
    assert first.measured == pytest.approx(2.0 * np.sin(np.radians(3.0)) - 0.02, abs=0.02)
    assert not first.passed


def test_a_hook_that_the_straight_way_passes_is_met_askew(hip, bench) -> None:
    """A ball of bone beside the way, 0.2 mm clear of it and 30 mm up: askew the guide strays 1.5 mm by there."""
    ball = bench.ball([45.0, 0.0, -45.0 - 4.0 - 0.2], 4.0)
    bone = bench.placed(bench.bone_solid() + ball)
    straight, first, later = removal_findings(hip.asked(), bone, hip.guide, seated(bone, hip.guide))
    assert (straight.measured, first.measured) == (0.0, 0.0)
    assert later.measured > 1.0
    assert not later.passed


def test_depth_on_the_way_is_that_of_the_middle_of_the_body(bench) -> None:
    wall = bench.block([20.0, -30.0, -30.0], [26.0, 30.0, 30.0])
    body, off = bench.placed(wall), bench.place.vectors(X)
    start = bench.place.points(np.array([[0.0, 1.0, 2.0]]))
    assert deepest_on_way_mm(body, start, off) == pytest.approx(3.0, abs=1e-3)
    assert deepest_on_way_mm(body, start, -off) == 0.0


def test_the_second_of_two_bodies_on_the_way_counts(bench) -> None:
    walls = bench.block([5.0, -30.0, -30.0], [6.0, 30.0, 30.0]) + bench.block([20.0, -30.0, -30.0], [28.0, 30.0, 30.0])
    start = bench.place.points(np.zeros((1, 3)))
    assert deepest_on_way_mm(bench.placed(walls), start, bench.place.vectors(X)) == pytest.approx(4.0, abs=1e-3)


def test_what_is_met_at_the_end_of_the_way_counts_and_what_lies_beyond_does_not(bench) -> None:
    start, off = bench.place.points(np.zeros((1, 3))), bench.place.vectors(X)
    for near, depth in ((WAY_MM - 2.0, 2.0 * 17 / 18), (WAY_MM + 1.0, 0.0)):
        wall = bench.placed(bench.block([near, -50.0, -50.0], [near + 40.0, 50.0, 50.0]))
        assert deepest_on_way_mm(wall, start, off) == pytest.approx(depth, abs=1e-3)


def test_a_wall_grazed_on_the_way_hides_no_body_behind_it(bench) -> None:
    wall = bench.block([5.0, -30.0, -30.0], [25.0, 0.0, 30.0]) + bench.block([30.0, -30.0, -30.0], [34.0, 30.0, 30.0])
    body, off = bench.placed(wall), bench.place.vectors(X)
    for beside in np.linspace(-2e-5, 2e-5, 41):
        start = bench.place.points(np.array([[0.0, beside, 1.7]]))
        assert deepest_on_way_mm(body, start, off) == pytest.approx(2.0, abs=1e-3)


def test_sliding_along_a_wall_is_no_contact(bench) -> None:
    wall = bench.placed(bench.block([-30.0, -30.0, -30.0], [30.0, 0.0, 30.0]))
    heights = np.linspace(-29.0, 29.0, 400)
    points = bench.place.points(np.stack([np.full(400, 3.0), np.full(400, 1e-3), heights], axis=1))
    assert deepest_on_way_mm(wall, points, bench.place.vectors(Z)) == 0.0

"""The borders of the ground that a guide may rest on, drawn from landmarks whose places are known."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import SHAFT_MM, on_shaft, zones

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.seat.search import Search
from guidegen.seat.zones import ABDUCTORS, CAPSULE, INNER_SIDE, OPEN, TUBEROSITY, WORDS, Zones
from guidegen.surfaces import Surface

KNOWN = zones()
MARGINS = KNOWN.margins
RIDGE_MM = -40.0 + MARGINS.above_ridge_mm


def why(level_mm: float, turn_deg: float, at: Zones = KNOWN) -> int:
    return int(at.closed(on_shaft(level_mm, turn_deg)[None])[0])


@pytest.mark.parametrize(
    ("level_mm", "turn_deg", "expected"),
    [
        (-60.0, 0.0, OPEN),
        (RIDGE_MM - 0.1, 0.0, OPEN),
        (RIDGE_MM + 0.1, 0.0, ABDUCTORS),
        (RIDGE_MM + 0.1, -15.0, ABDUCTORS),
        (RIDGE_MM + 0.1, 29.0, ABDUCTORS),
        (-60.0, -19.0, TUBEROSITY),
        (-60.0, -18.0, OPEN),
        (-60.0, -130.0, TUBEROSITY),
        (-70.0, MARGINS.farthest_front_deg - 0.1, OPEN),
        (-70.0, MARGINS.farthest_front_deg + 0.1, INNER_SIDE),
        (-70.0, 179.0, INNER_SIDE),
    ],
)
def test_each_border_lies_where_its_landmark_puts_it(level_mm: float, turn_deg: float, expected: int) -> None:
    assert why(level_mm, turn_deg) == expected


def test_ground_on_a_border_is_open_however_it_is_rounded() -> None:
    levels = np.arange(-61.0, -100.0, -0.37)
    for turn in (MARGINS.farthest_front_deg, -MARGINS.farthest_back_deg):
        points = np.stack([on_shaft(level, turn) for level in levels])
        assert not zones(tuberosity_deg=None).closed(points).any()


def test_nothing_rests_medial_of_the_intertrochanteric_line_nor_within_its_margin() -> None:
    # halfway down, the line is midway between its corners
    middle = SHAFT_MM * np.cos(np.radians([90.0, 120.0])).mean() + MARGINS.off_intertrochanteric_line_mm
    points = np.array([[middle + by, 14.0, -40.0 - 1e-9] for by in (-0.1, 0.1)])
    assert KNOWN.closed(points).tolist() == [CAPSULE, OPEN]
    # below its lower end there is no capsule, and at the back no such line
    assert KNOWN.closed(points - [0.0, 0.0, 25.0]).tolist() == [OPEN, OPEN]
    assert CAPSULE not in KNOWN.closed(points * [1.0, -1.0, 1.0])


def test_without_a_line_the_front_ends_at_the_shafts_middle_and_the_top_is_level() -> None:
    blind = zones(line_mm=np.empty((0, 3)))
    assert (why(-60.0, 89.0, blind), why(-60.0, 91.0, blind)) == (OPEN, CAPSULE)
    assert blind.top_mm(np.array([-30.0, 0.0, 60.0, 90.0])) == pytest.approx(RIDGE_MM)


def test_the_top_rises_from_the_ridge_to_the_upper_end_of_the_line() -> None:
    upper = -20.0 - MARGINS.off_intertrochanteric_line_mm
    assert KNOWN.top_mm(np.array([-40.0, 0.0, 30.0])) == pytest.approx(RIDGE_MM)
    assert KNOWN.top_mm(np.array([60.0]))[0] == pytest.approx((RIDGE_MM + upper) / 2.0)
    assert KNOWN.top_mm(np.array([90.0, 120.0])) == pytest.approx(upper)


@pytest.mark.parametrize(
    ("tuberosity_deg", "back_deg"),
    [(-30.0, -30.0 + np.degrees(MARGINS.off_tuberosity_mm / 15.0)), (None, -40.0), (-80.0, -40.0)],
)
def test_the_back_ends_before_the_tuberosity_and_never_behind_the_templates_limit(
    tuberosity_deg: float | None, back_deg: float
) -> None:
    assert MARGINS.farthest_back_deg == 40.0
    assert zones(tuberosity_deg=tuberosity_deg).back_deg == pytest.approx(back_deg)


def test_a_place_is_said_in_the_femurs_own_terms() -> None:
    at = KNOWN.place(on_shaft(-33.0, -25.0, 18.0)[None])
    assert (at.level_mm[0], at.turn_deg[0]) == pytest.approx((-33.0, -25.0))
    assert np.hypot(at.lateral_mm[0], at.front_mm[0]) == pytest.approx(18.0)


def test_the_borders_move_with_the_femur() -> None:
    motion = RigidTransform(rotation_about([0.3, -0.5, 0.8], 77.0), np.array([30.0, -200.0, 900.0]), LPS, "elsewhere")
    points = np.random.default_rng(0).uniform([-25, -25, -90], [25, 25, 10], (2000, 3))
    assert set(KNOWN.closed(points)) == {OPEN, ABDUCTORS, CAPSULE, TUBEROSITY, INNER_SIDE}
    assert KNOWN.transformed(motion).closed(motion.points(points)).tolist() == KNOWN.closed(points).tolist()


def test_the_borders_of_the_other_side_are_mirrored() -> None:
    flip = np.array([-1.0, 1.0, 1.0])
    other = zones(lateral=KNOWN.lateral * flip, ridge_mm=KNOWN.ridge_mm * flip)
    points = np.random.default_rng(1).uniform([-25, -25, -90], [25, 25, 10], (2000, 3))
    assert other.closed(points * flip).tolist() == KNOWN.closed(points).tolist()


def test_on_a_femur_the_landmarks_lie_where_no_guide_rests(femur: tuple[Surface, Anatomy], search: Search) -> None:
    _, anatomy = femur
    at = search.zones
    marks = np.stack([anatomy.greater_trochanter_mm, anatomy.lesser_trochanter_mm, anatomy.head_center_mm])
    assert OPEN not in at.closed(marks)
    assert set(at.closed(anatomy.intertrochanteric_line_mm).tolist()) == {CAPSULE}
    ridge = anatomy.vastus_ridge_mm
    assert int(at.closed(ridge[None])[0]) == OPEN  # a guide reaches onto it
    assert int(at.closed((ridge + (MARGINS.above_ridge_mm + 0.5) * anatomy.shaft_axis)[None])[0]) == ABDUCTORS
    assert at.tuberosity_deg is not None
    assert -90.0 < at.tuberosity_deg < -30.0


def test_every_reason_has_its_words() -> None:
    assert sorted(WORDS) == list(range(8))

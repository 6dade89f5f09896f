"""A seat's likely motions, and how they are said."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import zones

from guidegen.frames import FloatArray
from guidegen.seat.docking import LEVER_MM
from guidegen.seat.seat import likely_motions, motion_in_words

RIGHT_HANDED = zones(lateral=np.array([1.0, 0, 0]), front=np.array([0, 1.0, 0]))  # up × lateral = front


def motion(shift: tuple[float, float, float] = (0, 0, 0), turn: tuple[float, float, float] = (0, 0, 0)) -> FloatArray:
    return np.array([*shift, *turn], dtype=np.float64)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (motion(turn=(1.14, 0.2, 0.1)), "turns 1.1° about the shaft"),
        (motion((-0.32, 0, 0), turn=(1.1, 0, 0)), "turns 1.1° about the shaft, slides 0.3 mm along the shaft"),
        (motion(turn=(-0.5, 0.45, 0.1)), "turns 0.5° about the shaft and 0.5° in the sagittal plane"),
        (motion(turn=(0.0, 0.0, 0.7)), "turns 0.7° in the frontal plane"),
        (motion(shift=(0.1, 0.5, 0.2)), "slides 0.5 mm off the bone"),
        (motion(shift=(0.0, 0.1, -0.4)), "slides 0.4 mm to the front or back"),
        (motion(shift=(0.05, 0.0, 0.0), turn=(0.09, 0.0, 0.0)), "none above 0.1 mm and 0.1°"),
    ],
)  # fmt: skip
def test_a_motion_is_said_by_its_largest_parts(moved: FloatArray, words: str) -> None:
    assert motion_in_words(moved) == words


def test_the_likeliest_motions_come_largest_first_at_95_percent_of_one_direction() -> None:
    turn_mm = LEVER_MM * np.radians(0.5)
    covariance = np.diag([0.01, 0.04, 0.0, turn_mm**2, 0.0, 0.0])
    first, second, third = likely_motions(covariance, RIGHT_HANDED)
    assert np.abs(first) == pytest.approx(motion(shift=(0.0, 1.96 * 0.2, 0.0)))
    assert np.abs(second) == pytest.approx(motion(turn=(1.96 * 0.5, 0.0, 0.0)))
    assert np.abs(third) == pytest.approx(motion(shift=(1.96 * 0.1, 0.0, 0.0)))


def test_on_the_other_side_a_turn_with_a_shift_goes_the_other_way_round() -> None:
    turn_mm = LEVER_MM * np.radians(1.0)
    together = np.outer(*[np.array([0.3, 0.0, 0.0, turn_mm, 0.0, 0.0])] * 2)  # along the shaft and about it, as a screw
    right = likely_motions(together, RIGHT_HANDED)[0]
    left = likely_motions(together, zones(lateral=np.array([-1.0, 0, 0]), front=np.array([0, 1.0, 0])))[0]
    assert right[3] == pytest.approx(1.96)
    assert left == pytest.approx(right * [-1, 1, 1, 1, 1, 1])

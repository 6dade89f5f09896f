"""What of the unrolled bone a guide covers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from shapes import on_shaft, zones

from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.seat.footprint import Footprint, covered

LEVELS, TURNS = np.arange(-40.0, -80.0, -2.0), np.arange(-40.0, 60.0, 5.0)


def drawn(*rows: str) -> npt.NDArray[np.bool_]:
    return np.array([[mark == "#" for mark in row] for row in rows])


def test_thin_arms_are_left_out() -> None:
    bears = drawn("######....", "##########", "######....", "######....")
    assert np.array_equal(covered(bears, (1, 1)), drawn("######....", "######....", "######....", "######...."))


def test_a_hollow_is_bridged() -> None:
    bears = drawn("######", "##..##", "##..##", "######")
    assert covered(bears, (0, 0)).all()


def test_of_two_pieces_the_one_with_the_entry_is_kept_and_else_the_larger() -> None:
    bears = drawn("###..####", "###..####", "###..####")
    left, right = drawn(*["###......"] * 3), drawn(*[".....####"] * 3)
    assert np.array_equal(covered(bears, (1, 1)), left)
    assert np.array_equal(covered(bears, (1, 6)), right)
    assert np.array_equal(covered(bears, (1, 4)), right)


def test_where_nothing_is_wide_enough_nothing_is_covered() -> None:
    assert not covered(drawn("##########", "##########"), (0, 0)).any()


@pytest.fixture
def footprint() -> Footprint:
    covers = np.zeros((len(LEVELS), len(TURNS)), dtype=np.bool_)
    covers[4:15, 6:16] = True  # 48 to 68 mm down, 10° behind to 35° in front
    return Footprint(LEVELS, TURNS, covers, zones())


@pytest.mark.parametrize(
    ("level_mm", "turn_deg", "low", "high"),
    [(-58.0, 10.0, 0.95, 1.05), (-47.0, 10.0, 0.45, 0.55), (-58.0, 37.5, 0.45, 0.55), (-58.0, 55.0, -0.05, 0.05)],
)
def test_the_outline_runs_between_covered_cells_and_others(
    footprint: Footprint, level_mm: float, turn_deg: float, low: float, high: float
) -> None:
    assert low < float(footprint.share(on_shaft(level_mm, turn_deg)[None])[0]) < high


def test_beyond_the_cells_nothing_is_covered(footprint: Footprint) -> None:
    assert footprint.share(np.stack([on_shaft(-200.0, 10.0), on_shaft(-58.0, 170.0)])).tolist() == [0.0, 0.0]


def test_a_footprint_moves_with_its_bone(footprint: Footprint) -> None:
    motion = RigidTransform(rotation_about([0.1, 0.9, -0.3], 120.0), np.array([5.0, 60.0, -70.0]), LPS, "elsewhere")
    points = np.stack([on_shaft(level, turn) for level in (-45.0, -55.0, -65.0) for turn in (-15.0, 0.0, 33.0)])
    moved = footprint.transformed(motion).share(motion.points(points))
    assert moved == pytest.approx(footprint.share(points), abs=1e-9)

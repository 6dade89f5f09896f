"""The pieces of a lesion: balls apart are two, touching corners are one, specks are none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from guidegen.frames import rotation_about
from guidegen.plan.pieces import MOST, pieces

GRID = np.stack(np.meshgrid(*[np.arange(40.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def lesion(points, count: int = 2):
    """All of a lesion that its pieces are told from."""
    return SimpleNamespace(points_mm=np.asarray(points, dtype=float), pieces=count, volume_mm3=float(len(points)))


def ball(middle, radius: float):
    return GRID[np.linalg.norm(GRID - middle, axis=1) <= radius]


def test_two_balls_are_two_pieces_the_larger_first() -> None:
    small, large = ball([8.0, 8.0, 8.0], 4.0), ball([28.0, 28.0, 28.0], 7.0)
    number = pieces(lesion(np.concatenate([small, large])))
    assert (number[: len(small)] == 1).all()
    assert (number[len(small) :] == 0).all()


def test_one_piece_is_one_without_a_look() -> None:
    assert (pieces(lesion(ball([8.0, 8.0, 8.0], 4.0), count=1)) == 0).all()


def test_voxels_that_touch_at_a_corner_are_together() -> None:
    cubes = np.concatenate([GRID[(GRID < 5.0).all(axis=1)], GRID[((GRID >= 5.0) & (GRID < 10.0)).all(axis=1)]])
    assert (pieces(lesion(cubes)) == 0).all()
    apart = np.concatenate([GRID[(GRID < 5.0).all(axis=1)], GRID[((GRID >= 6.0) & (GRID < 10.0)).all(axis=1)]])
    assert set(pieces(lesion(apart))) == {0, 1}


def test_wherever_it_lies_and_however_it_is_turned() -> None:
    points = np.concatenate([ball([8.0, 8.0, 8.0], 4.0), ball([28.0, 28.0, 28.0], 7.0)])
    turned = points @ rotation_about([0.3, 0.5, -0.2], 33.0).T * [1.0, 1.0, 1.0] + [200.0 / 3.0, -311.0, 0.07]
    assert (pieces(lesion(turned)) == pieces(lesion(points))).all()


def test_thick_slices_do_not_join_what_is_apart_within_a_slice() -> None:
    """Two bars four voxels of 0.5 mm apart, in slices of 3 mm."""
    i, j, k = np.meshgrid(np.arange(6), np.arange(20), np.arange(4), indexing="ij")
    bar = np.stack([i * 0.5, j * 0.5, k * 3.0], axis=-1).reshape(-1, 3)
    assert set(pieces(lesion(np.concatenate([bar, bar + [5.0, 0.0, 0.0]])))) == {0, 1}


def test_a_speck_is_no_piece() -> None:
    large, speck = ball([20.0, 20.0, 20.0], 9.0), ball([4.0, 4.0, 4.0], 1.0)
    number = pieces(lesion(np.concatenate([large, speck])))
    assert (number[len(large) :] == -1).all()
    assert (number[: len(large)] == 0).all()


def test_no_more_are_told_apart_than_are_listed() -> None:
    middles = [[x, y, z] for x in (5.0, 15.0, 25.0) for y in (5.0, 15.0) for z in (5.0, 15.0)]
    number = pieces(lesion(np.concatenate([ball(middle, 3.0) for middle in middles]), count=len(middles)))
    assert number.max() == MOST - 1
    assert set(number) == set(range(-1, MOST))


def test_the_lesion_of_the_phantom_is_one_piece(case) -> None:
    assert case.lesion.pieces == 1
    assert (pieces(replace(case.lesion, pieces=2)) == 0).all()  # looked at all the same

"""What a best fit does, on contacts whose symmetry says it."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import corner, face, groove, round_patch, together

from guidegen.frames import rotation_about, unit
from guidegen.seat.best_fit import alike, motion_covariance, spread, tip_levers
from guidegen.seat.docking import LEVER_MM, Contact
from guidegen.seat.surface_error import ERROR_MM, error_fields

FLAT = face([0.0, 0.0, 1.0], [1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("contact", "free"),
    [(FLAT, 3), (round_patch("cylinder"), 2), (round_patch("ball"), 3), (groove(45.0), 1), (corner(), 0)],
    ids=["plane", "cylinder", "ball", "groove", "corner"],
)
def test_how_many_motions_a_shape_leaves_free(contact: Contact, free: int) -> None:
    opens = contact.opens(contact.middle_mm)
    assert 6 - np.linalg.matrix_rank(opens, tol=1e-9) == free


def test_which_motions_a_cylinder_leaves_free() -> None:
    patch = round_patch("cylinder")
    opens = patch.opens(np.zeros(3))  # about a point of its axis
    along, about = np.eye(6)[2], np.eye(6)[5]
    assert np.abs(opens @ np.stack([along, about], axis=1)).max() < 1e-12


def test_a_turn_opens_gaps_by_the_arm_over_the_lever() -> None:
    opens = FLAT.opens(FLAT.middle_mm)
    arm = FLAT.points_mm[:, 1] - FLAT.middle_mm[1]
    assert opens[:, 3] == pytest.approx(arm / LEVER_MM)


def test_points_err_alike_by_a_gaussian_of_their_distance() -> None:
    points = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [0.0, 4.0, 0.0]])
    expected = np.exp(-np.array([9.0, 16.0, 25.0]) / 36.0)
    assert alike(points)[np.triu_indices(3, 1)] == pytest.approx(expected)


def test_six_points_that_err_on_their_own_are_undone_one_by_one() -> None:
    places = np.array([[0, 8, 8], [0, -8, 8], [8, 0, 8], [8, 8, 0], [-8, 8, 0], [8, -8, 0]], dtype=float)
    contact = Contact(places, np.repeat(np.eye(3), [2, 1, 3], axis=0), np.full(6, 2.0))
    opens = contact.opens(np.zeros(3))
    inverse = np.linalg.inv(opens)  # as many gaps as motions: the fit closes each
    covariance = motion_covariance(opens, contact.areas_mm2, np.eye(6), np.arange(6))
    assert covariance == pytest.approx(ERROR_MM**2 * inverse @ inverse.T)


def test_a_surface_that_errs_all_over_by_the_same_shifts_the_guide_along_every_face() -> None:
    contact = corner()
    count = len(contact.areas_mm2)
    covariance = motion_covariance(
        contact.opens(contact.middle_mm), contact.areas_mm2, np.ones((count, count)), np.arange(count)
    )
    expected = np.zeros((6, 6))
    expected[:3, :3] = ERROR_MM**2  # all three shifts are the one error, and nothing turns
    assert covariance == pytest.approx(expected, abs=1e-10)


def test_covariance_is_that_of_fits_to_drawn_errors() -> None:
    contact = together(round_patch("cylinder"), face([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], off_mm=12.0),
                       face([1.0, 1.0, 0.2], [0.0, 0.0, 1.0], off_mm=18.0))  # fmt: skip
    opens, areas = contact.opens(contact.middle_mm), contact.areas_mm2
    predicted = motion_covariance(opens, areas, alike(contact.points_mm), np.arange(len(areas)))
    root = np.sqrt(areas)
    motions = -np.linalg.lstsq(opens * root[:, None], (error_fields(contact.points_mm, 4000) * root).T, rcond=None)[0]
    size = np.sqrt(np.diag(predicted))
    assert np.cov(motions) / np.outer(size, size) == pytest.approx(predicted / np.outer(size, size), abs=0.07)


def test_the_points_that_err_may_be_some_of_many() -> None:
    contact = corner()
    among = np.arange(0, len(contact.areas_mm2), 2)
    likeness, some = alike(contact.points_mm), contact.at(among)
    opens = some.opens(some.middle_mm)
    own = motion_covariance(opens, some.areas_mm2, alike(some.points_mm), np.arange(len(among)))
    assert motion_covariance(opens, some.areas_mm2, likeness, among) == pytest.approx(own)


def test_a_turn_carries_the_tip_by_its_arm_across_the_axis() -> None:
    middle, tip, axis = np.array([5.0, -3.0, 2.0]), np.array([-60.0, 4.0, 50.0]), unit([-0.7, 0.1, 0.6])
    shift, turn_deg, about = np.array([0.3, -0.2, 0.4]), 1e-3, unit([0.2, 0.9, -0.4])
    moved = rotation_about(about, turn_deg) @ (tip - middle) + middle + shift - tip
    motion = np.concatenate([shift, LEVER_MM * np.radians(turn_deg) * about])
    assert tip_levers(tip, axis, middle) @ motion == pytest.approx(moved - (moved @ axis) * axis, abs=1e-7)


def test_a_tip_that_strays_alike_all_round_is_rayleighs() -> None:
    both = spread(np.diag([0.0, 0.49, 0.49]))
    assert both.mean_mm == pytest.approx(0.7 * np.sqrt(np.pi / 2.0))
    assert both.p95_mm == pytest.approx(0.7 * np.sqrt(-2.0 * np.log(0.05)))


def test_a_tip_that_strays_along_one_line_is_half_normal() -> None:
    line = spread(0.49 * np.outer(unit([1.0, 2.0, 2.0]), unit([1.0, 2.0, 2.0])))
    assert line.mean_mm == pytest.approx(0.7 * np.sqrt(2.0 / np.pi), rel=1e-3)
    assert line.p95_mm == pytest.approx(0.7 * 1.95996, rel=1e-2)


def test_a_tip_that_strays_unevenly_is_as_drawn() -> None:
    drawn = np.random.default_rng(0).normal(size=(400_000, 2)) * [0.9, 0.35]
    length = np.linalg.norm(drawn, axis=1)
    uneven = spread(np.diag([0.81, 0.0, 0.1225]))
    assert uneven.mean_mm == pytest.approx(length.mean(), rel=5e-3)
    assert uneven.p95_mm == pytest.approx(np.percentile(length, 95.0), rel=5e-3)

"""Points, unit vectors and rigid transforms, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from guidegen.frames import (
    LPS,
    FloatArray,
    RigidTransform,
    across,
    angle_deg,
    frozen,
    perpendicular_pair,
    rotation_about,
    turning,
    unit,
)

GUIDE = "guide"
PRINTER = "printer"

coordinates_mm = arrays(np.float64, 3, elements=st.floats(-1000, 1000))
directions = arrays(np.float64, 3, elements=st.floats(-1, 1)).filter(lambda v: np.linalg.norm(v) > 1e-3)
rotations = st.builds(rotation_about, directions, st.floats(-360, 360))
to_guide = st.builds(lambda rotation, shift: RigidTransform(rotation, shift, LPS, GUIDE), rotations, coordinates_mm)
to_printer = st.builds(
    lambda rotation, shift: RigidTransform(rotation, shift, GUIDE, PRINTER), rotations, coordinates_mm
)


def quarter_turn_about_z() -> RigidTransform:
    """x becomes y, y becomes −x; then 10, 20 and 30 mm along the axes."""
    return RigidTransform(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([10, 20, 30]), LPS, GUIDE)


# --- vectors ---


def test_unit_keeps_the_direction_and_makes_the_length_one() -> None:
    np.testing.assert_allclose(unit([3, 0, -4]), [0.6, 0, -0.8], atol=1e-15)
    np.testing.assert_allclose(unit([[0, 0, 5], [2, 0, 0]]), [[0, 0, 1], [1, 0, 0]])


def test_unit_refuses_a_vector_without_direction() -> None:
    with pytest.raises(ValueError, match="expected a vector with a direction, found one of length 0"):
        unit([[1, 0, 0], [0, 0, 0]])


def test_unit_refuses_nan() -> None:
    with pytest.raises(ValueError, match="expected a vector with a direction"):
        unit([np.nan, 0, 0])


@pytest.mark.parametrize("degrees", [0.0, 1e-7, 1e-4, 30.0, 90.0, 135.0, 179.9999, 180.0 - 1e-7, 180.0])
def test_angle_is_exact_near_0_and_180_too(degrees: float) -> None:
    radians = np.radians(degrees)
    found = angle_deg([2, 0, 0], [3 * np.cos(radians), 3 * np.sin(radians), 0])
    assert found == pytest.approx(degrees, abs=1e-12)


def test_across_is_at_right_angles_and_leaves_the_rest() -> None:
    np.testing.assert_allclose(across([[1, 2, 3], [0, 0, 7]], [0, 0, 1]), [[1, 2, 0], [0, 0, 0]])


@given(directions)
def test_perpendicular_pair_makes_a_right_handed_frame(axis: FloatArray) -> None:
    first, second = perpendicular_pair(axis)
    frame = np.stack([first, second, unit(axis)])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1.0)


# --- frozen ---


def test_turning_is_what_a_small_turn_does_to_an_arm() -> None:
    arms, turn = np.array([[3.0, -1.0, 2.0], [0.5, 4.0, 0.0]]), np.array([0.1, 0.2, -0.3])
    assert turning(arms) @ turn == pytest.approx(np.cross(turn, arms))
    assert turning(arms[0]) == pytest.approx(turning(arms)[0])


def test_frozen_is_a_read_only_copy() -> None:
    source = np.array([1.0, 2.0, 3.0])
    copy = frozen(source, (3,))
    source[0] = 99.0
    assert copy[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        copy[0] = 5.0


def test_frozen_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match=r"expected an array of shape \(3,\), found \(2,\)"):
        frozen([1, 2], (3,))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_frozen_refuses_what_is_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="expected finite numbers, found NaN or infinity"):
        frozen([1, 2, bad])


# --- rotations ---


@pytest.mark.parametrize(
    ("axis", "turned", "becomes"),
    [([1, 0, 0], [0, 1, 0], [0, 0, 1]), ([0, 1, 0], [0, 0, 1], [1, 0, 0]), ([0, 0, 1], [1, 0, 0], [0, 1, 0])],
)
def test_a_quarter_turn_is_right_handed(axis: list[float], turned: list[float], becomes: list[float]) -> None:
    np.testing.assert_allclose(rotation_about(axis, 90.0) @ turned, becomes, atol=1e-15)


def test_a_third_of_a_turn_about_the_diagonal_swaps_the_axes_in_a_ring() -> None:
    np.testing.assert_allclose(rotation_about([1, 1, 1], 120.0), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-15)


@given(directions, st.floats(0.01, 179.99))
def test_rotation_keeps_its_axis_and_turns_by_its_angle(axis: FloatArray, degrees: float) -> None:
    rotation = rotation_about(axis, degrees)
    np.testing.assert_allclose(rotation @ unit(axis), unit(axis), atol=1e-12)
    across_axis = perpendicular_pair(axis)[0]
    assert angle_deg(across_axis, rotation @ across_axis) == pytest.approx(degrees, abs=1e-9)


# --- transforms ---


def test_points_are_turned_and_moved_and_vectors_only_turned() -> None:
    transform = quarter_turn_about_z()
    np.testing.assert_allclose(transform.points([[1, 2, 3], [0, 0, 0]]), [[8, 21, 33], [10, 20, 30]])
    np.testing.assert_allclose(transform.vectors([1, 2, 3]), [-2, 1, 3])


def test_matrix_does_what_points_does() -> None:
    transform = quarter_turn_about_z()
    np.testing.assert_allclose(transform.matrix() @ [1, 2, 3, 1], [*transform.points([1, 2, 3]), 1])


def test_to_frame_takes_the_origin_to_zero_and_each_axis_to_its_unit_vector() -> None:
    origin_mm = np.array([5.0, -6.0, 7.0])
    axes = rotation_about([1, 2, 3], 40.0)
    transform = RigidTransform.to_frame(origin_mm, axes, LPS, GUIDE)
    np.testing.assert_allclose(transform.points(origin_mm), 0, atol=1e-12)
    np.testing.assert_allclose(transform.points(origin_mm + axes), np.eye(3), atol=1e-12)


@given(to_guide, coordinates_mm, coordinates_mm)
def test_distances_are_kept(transform: RigidTransform, first_mm: FloatArray, second_mm: FloatArray) -> None:
    carried_mm = np.linalg.norm(transform.points(first_mm) - transform.points(second_mm))
    assert carried_mm == pytest.approx(np.linalg.norm(first_mm - second_mm), abs=1e-9)


@given(to_guide, coordinates_mm)
def test_there_and_back_is_where_it_was(transform: RigidTransform, point_mm: FloatArray) -> None:
    back = transform.inverse()
    assert (back.source, back.target) == (GUIDE, LPS)
    np.testing.assert_allclose(back.points(transform.points(point_mm)), point_mm, atol=1e-9)
    there_and_back = transform.then(back)
    assert (there_and_back.source, there_and_back.target) == (LPS, LPS)
    np.testing.assert_allclose(there_and_back.matrix(), np.eye(4), atol=1e-9)


@given(to_guide, to_printer, coordinates_mm)
def test_a_chain_is_one_after_the_other(first: RigidTransform, second: RigidTransform, point_mm: FloatArray) -> None:
    chain = first.then(second)
    assert (chain.source, chain.target) == (LPS, PRINTER)
    np.testing.assert_allclose(chain.points(point_mm), second.points(first.points(point_mm)), atol=1e-9)
    np.testing.assert_allclose(chain.vectors(point_mm), second.vectors(first.vectors(point_mm)), atol=1e-9)


def test_transforms_that_do_not_meet_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="LPS→guide cannot be followed by LPS→guide: a transform from guide is needed"):
        quarter_turn_about_z().then(quarter_turn_about_z())


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirror_is_refused(axis: int) -> None:
    mirror = np.eye(3)
    mirror[axis, axis] = -1.0
    with pytest.raises(ValueError, match="expected a rotation from LPS to guide, found a mirror image"):
        RigidTransform(mirror, np.zeros(3), LPS, GUIDE)


@pytest.mark.parametrize("matrix", [[[1, 1e-3, 0], [0, 1, 0], [0, 0, 1]], 1.001 * np.eye(3), np.zeros((3, 3))])
def test_shear_scale_and_nothing_are_refused(matrix: FloatArray) -> None:
    with pytest.raises(ValueError, match="expected a rotation from LPS to guide, found a sheared matrix"):
        RigidTransform(matrix, np.zeros(3), LPS, GUIDE)


def test_a_translation_that_is_no_point_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected an array of shape \(3,\), found \(2,\)"):
        RigidTransform(np.eye(3), np.zeros(2), LPS, GUIDE)


def test_a_transform_does_not_change_with_the_arrays_it_was_made_from() -> None:
    rotation, translation_mm = np.eye(3), np.zeros(3)
    transform = RigidTransform(rotation, translation_mm, LPS, GUIDE)
    rotation[0, 0], translation_mm[0] = -1.0, 99.0
    np.testing.assert_array_equal(transform.matrix(), np.eye(4))

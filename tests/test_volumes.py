"""A volume keeps its voxels where they are in the patient, however it is stored."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.frames import FloatArray, rotation_about
from guidegen.volumes import Volume, bounding_box

# All 48 ways to store a volume: which index runs along which patient axis, and which way.
STORAGES = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
OBLIQUE = rotation_about([1.0, -2.0, 0.5], 17.0)


def made_up_volume(direction: FloatArray) -> Volume:
    """Every voxel its own number, three different sizes and spacings: no mix-up can hide."""
    voxels = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)
    return Volume(voxels, np.array([0.5, 0.75, 2.0]), direction, np.array([-90.0, 40.0, 900.0]))


def stored(volume: Volume, order: tuple[int, ...], signs: tuple[int, ...]) -> Volume:
    """The same volume with its index axes swapped and flipped."""
    first = np.array([0 if sign > 0 else size - 1 for sign, size in zip(signs, volume.voxels.shape, strict=True)])
    flipped = volume.voxels[tuple(slice(None, None, sign) for sign in signs)]
    return Volume(
        flipped.transpose(order),
        volume.spacing_mm[list(order)],
        (volume.direction * np.array(signs))[:, list(order)],
        volume.to_lps(first),
    )


# --- canonical ---


@pytest.mark.parametrize("direction", [np.eye(3), OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize(("order", "signs"), STORAGES)
def test_all_48_storages_come_out_as_the_same_volume(
    order: tuple[int, ...], signs: tuple[int, ...], direction: FloatArray
) -> None:
    volume = made_up_volume(direction)
    canonical = stored(volume, order, signs).canonical()
    np.testing.assert_array_equal(canonical.voxels, volume.voxels)
    np.testing.assert_array_equal(canonical.spacing_mm, volume.spacing_mm)
    np.testing.assert_allclose(canonical.direction, direction, atol=1e-15)
    np.testing.assert_allclose(canonical.origin_mm, volume.origin_mm, atol=1e-12)


@pytest.mark.parametrize(("order", "signs"), STORAGES)
def test_the_48_storages_are_really_the_same_voxels_in_the_same_places(
    order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    volume = made_up_volume(OBLIQUE)
    other = stored(volume, order, signs)
    indices = np.argwhere(np.ones(other.voxels.shape))
    there = np.rint(volume.to_index(other.to_lps(indices))).astype(int)
    np.testing.assert_allclose(volume.to_lps(there), other.to_lps(indices), atol=1e-9)
    np.testing.assert_array_equal(volume.voxels[tuple(there.T)], other.voxels[tuple(indices.T)])


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(any), st.floats(-180, 180), st.booleans())
def test_any_oblique_volume_comes_out_right_handed_and_in_place(
    axis: tuple[float, float, float], degrees: float, mirrored: bool
) -> None:
    volume = made_up_volume(rotation_about(np.array(axis) / np.abs(axis).max(), degrees) * (-1.0 if mirrored else 1.0))
    canonical = volume.canonical()
    assert np.linalg.det(canonical.direction) == pytest.approx(1.0)
    assert (np.diag(canonical.direction) > 0).all()
    number = int(volume.voxels[1, 2, 3])
    place = np.argwhere(canonical.voxels == number)[0]
    np.testing.assert_allclose(canonical.to_lps(place), volume.to_lps([1, 2, 3]), atol=1e-9)


# --- places ---


def test_an_index_is_a_voxel_centre() -> None:
    volume = made_up_volume(np.eye(3))
    np.testing.assert_allclose(volume.to_lps([0, 0, 0]), [-90.0, 40.0, 900.0])
    np.testing.assert_allclose(volume.to_lps([1, 2, 3]), [-89.5, 41.5, 906.0])
    np.testing.assert_allclose(volume.to_lps([[0.5, 0, 0], [0, 0, -1]]), [[-89.75, 40, 900], [-90, 40, 898]])


def test_the_columns_of_direction_are_the_index_axes() -> None:
    volume = made_up_volume(rotation_about([0, 0, 1], 90.0))  # i runs to +P, j to −L
    np.testing.assert_allclose(volume.to_lps([1, 0, 0]) - volume.origin_mm, [0, 0.5, 0], atol=1e-12)
    np.testing.assert_allclose(volume.to_lps([0, 1, 0]) - volume.origin_mm, [-0.75, 0, 0], atol=1e-12)


@given(st.tuples(*[st.floats(-500, 500)] * 3), st.floats(-180, 180))
def test_to_index_undoes_to_lps(index: tuple[float, float, float], degrees: float) -> None:
    volume = made_up_volume(rotation_about([3.0, 1.0, -2.0], degrees))
    np.testing.assert_allclose(volume.to_index(volume.to_lps(index)), index, atol=1e-9)


def test_voxel_volume() -> None:
    assert made_up_volume(OBLIQUE).voxel_volume_mm3 == 0.75


def test_a_crop_keeps_its_voxels_in_place() -> None:
    volume = made_up_volume(OBLIQUE)
    crop = volume.cropped((slice(1, 2), slice(0, 2), slice(2, 4)))
    assert crop.voxels.shape == (1, 2, 2)
    assert crop.voxels[0, 1, 1] == volume.voxels[1, 1, 3]
    np.testing.assert_allclose(crop.to_lps([0, 1, 1]), volume.to_lps([1, 1, 3]), atol=1e-12)


# --- what is no volume ---


def test_two_axes_are_no_volume() -> None:
    with pytest.raises(ValueError, match="expected a volume of 3 axes, found 2"):
        Volume(np.zeros((2, 2)), np.ones(3), np.eye(3), np.zeros(3))


@pytest.mark.parametrize("spacing_mm", [[1, 0, 1], [1, 1, -0.5]])
def test_a_spacing_must_be_above_zero(spacing_mm: list[float]) -> None:
    with pytest.raises(ValueError, match="expected spacings above 0 mm, found"):
        Volume(np.zeros((2, 2, 2)), np.array(spacing_mm), np.eye(3), np.zeros(3))


def test_nan_is_no_place() -> None:
    with pytest.raises(ValueError, match="expected finite numbers, found NaN or infinity"):
        Volume(np.zeros((2, 2, 2)), np.ones(3), np.eye(3), np.array([0, np.nan, 0]))


def test_a_sheared_direction_is_refused() -> None:
    sheared = np.eye(3)
    sheared[0, 2] = np.tan(np.radians(15.0))  # a CT gantry tilted by 15°
    with pytest.raises(
        ValueError, match="expected index axes at right angles to each other, found a sheared direction"
    ):
        Volume(np.zeros((2, 2, 2)), np.ones(3), sheared, np.zeros(3))


# --- bounding box ---


def test_the_box_holds_every_true_voxel_and_no_more() -> None:
    mask = np.zeros((6, 7, 8), dtype=bool)
    mask[2, 3, 1] = mask[4, 3, 6] = True
    assert bounding_box(mask) == (slice(2, 5), slice(3, 4), slice(1, 7))


def test_the_margin_stays_inside_the_volume() -> None:
    mask = np.zeros((6, 7, 8), dtype=bool)
    mask[0, 3, 6] = True
    assert bounding_box(mask, margin=2) == (slice(0, 3), slice(1, 6), slice(4, 8))


def test_nothing_has_no_box() -> None:
    assert bounding_box(np.zeros((2, 3, 4), dtype=bool), margin=1) is None

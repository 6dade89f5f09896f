"""Label maps of balls and ellipsoids become surfaces of known place and volume; what is no single bone is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from guidegen.bone.surface import Bone, contour, label_surface
from guidegen.errors import LabelError
from guidegen.frames import FloatArray, rotation_about, unit
from guidegen.volumes import Volume
from guidegen.written import crossing_faces

CENTER = np.array([-88.0, 14.0, -640.0])
STRAIGHT = np.eye(3)
OBLIQUE = rotation_about([0.3, 1.0, -0.5], 33.0)
AXES = rotation_about([1.0, -0.4, 0.7], 50.0)  # columns: the semi-axes of the ellipsoid


def filled(inside, half_mm: float, spacing, direction=STRAIGHT) -> Volume:
    """A label whose voxels are True where their centres are `inside`, in a box of 2 `half_mm` round CENTER."""
    shape = np.ceil(2.0 * half_mm / np.array(spacing)).astype(int)
    origin = CENTER - direction @ ((shape - 1) / 2.0 * spacing)
    empty = Volume(np.zeros(shape, dtype=bool), spacing, direction, origin)
    centers = empty.to_lps(np.indices(shape).transpose(1, 2, 3, 0))
    return replace(empty, voxels=inside(centers))


def ellipsoid(semi_axes_mm, spacing=(0.8, 0.8, 0.8), direction=STRAIGHT, off_mm=(0.11, -0.23, 0.31)) -> Volume:
    """Off the grid's middle, so that half a voxel's shift would show."""
    return filled(
        lambda at: (((at - CENTER - off_mm) @ AXES / semi_axes_mm) ** 2).sum(axis=-1) <= 1.0,
        max(semi_axes_mm) + 4.0,
        spacing,
        direction,
    )


def ball(radius_mm=14.0, spacing=(1.0, 1.0, 1.0)) -> Volume:
    return ellipsoid((radius_mm,) * 3, spacing)


def centroid_mm(bone: Bone) -> FloatArray:
    a, b, c = (bone.surface.vertices[bone.surface.faces[:, k]] - CENTER for k in range(3))
    six = np.einsum("ij,ij->i", a, np.cross(b, c))
    return (six[:, None] * (a + b + c)).sum(axis=0) / (4.0 * six.sum())


CASES = {
    "ball": ((24.0, 24.0, 24.0), (0.8, 0.8, 0.8), STRAIGHT),
    "thick slices": ((24.0, 24.0, 24.0), (0.7, 0.7, 2.0), STRAIGHT),
    "ellipsoid": ((26.0, 20.0, 17.0), (0.8, 0.8, 0.8), STRAIGHT),
    "oblique ellipsoid": ((26.0, 20.0, 17.0), (0.7, 0.7, 2.0), OBLIQUE),
}


@pytest.fixture(scope="module")
def made():
    bones = {}

    def make(name: str) -> Bone:
        if name not in bones:
            bones[name] = label_surface(ellipsoid(*CASES[name]))
        return bones[name]

    return make


@pytest.mark.parametrize("name", CASES)
def test_the_volume_is_right_within_a_hundredth_and_never_too_large(made, name) -> None:
    """The blur shrinks a convex body, so that a guide made on it sits high rather than scrapes."""
    true_mm3 = 4.0 / 3.0 * np.pi * np.prod(CASES[name][0])
    assert 0.99 * true_mm3 < made(name).surface.volume_mm3 < true_mm3


@pytest.mark.parametrize("name", CASES)
def test_the_surface_lies_where_the_body_is(made, name) -> None:
    semi_axes, spacing, _ = CASES[name]
    assert centroid_mm(made(name)) == pytest.approx([0.11, -0.23, 0.31], abs=0.05)
    local = (made(name).surface.face_centers_mm - CENTER - [0.11, -0.23, 0.31]) @ AXES
    scaled = np.linalg.norm(local / semi_axes, axis=1)
    slope = np.linalg.norm(local / np.square(semi_axes), axis=1) / scaled
    off_mm = (scaled - 1.0) / slope
    assert np.abs(off_mm).max() < 0.5 * max(spacing)
    assert -0.12 < np.average(off_mm, weights=made(name).surface.face_areas_mm2) <= 0.0


@pytest.mark.parametrize("name", CASES)
def test_the_surface_is_one_sound_solid_in_float32(made, name) -> None:
    surface = made(name).surface
    assert surface.is_closed
    assert len(surface.vertices) - len(surface.faces) / 2 == 2  # Euler: one body, no handle
    assert np.array_equal(surface.vertices, surface.vertices.astype(np.float32))
    assert crossing_faces(surface) == 0


@pytest.mark.parametrize("name", CASES)
def test_the_simplified_surface_stays_by_its_contour(made, name) -> None:
    bone, full = made(name), contour(ellipsoid(*CASES[name]))
    assert len(bone.surface.faces) < 0.8 * len(full.faces)
    away = bone.surface.nearest(full.vertices)[0].max()
    assert away <= 0.05
    assert bone.fit.simplified_by_mm == pytest.approx(away, abs=0.002)
    assert full.nearest(bone.surface.vertices)[0].max() <= 0.05


@pytest.mark.parametrize("name", CASES)
def test_the_fit_to_the_label_is_its_staircase_and_no_growth(made, name) -> None:
    fit, spacing = made(name).fit, CASES[name][1]
    assert abs(fit.bias_mm) < 0.1
    assert 0.1 < fit.rms_mm < 0.5 * max(spacing)
    assert fit.rms_mm < fit.p99_mm < max(spacing)
    assert made(name).error_mm == fit.rms_mm
    assert (fit.pieces, fit.dropped_mm3, fit.cavities_filled_mm3) == (1, 0.0, 0.0)


def test_a_bone_that_comes_as_a_surface_has_no_error_of_its_own(made) -> None:
    assert Bone(made("ball").surface, None).error_mm == 0.0


def stored_otherwise(label: Volume, order, flips) -> Volume:
    """The same voxels in another of the 48 ways to store them."""
    voxels, direction = label.voxels.transpose(order), label.direction[:, order]
    spacing, origin = label.spacing_mm[list(order)], label.origin_mm
    for axis in np.flatnonzero(flips):
        voxels = np.flip(voxels, axis)
        origin = origin + direction[:, axis] * spacing[axis] * (voxels.shape[axis] - 1)
        direction = direction * np.where(np.arange(3) == axis, -1.0, 1.0)
    return Volume(voxels, spacing, direction, origin)


def test_however_the_voxels_are_stored_the_surface_is_the_same() -> None:
    label = ellipsoid((12.0, 9.0, 8.0), (0.9, 1.0, 1.3), rotation_about([1.0, 1.0, 0.0], 10.0))
    expected = contour(label)
    for order, flips in product(permutations(range(3)), product((False, True), repeat=3)):
        surface = contour(stored_otherwise(label, order, flips).canonical())
        assert np.array_equal(surface.faces, expected.faces)
        assert np.abs(surface.vertices - expected.vertices).max() < 1e-9
    turned = stored_otherwise(label, (1, 2, 0), (False, True, True)).canonical()
    assert np.allclose(label_surface(turned).surface.vertices, label_surface(label).surface.vertices, atol=1e-4)


def test_a_direction_turned_by_90_degrees_needs_no_canonical_order() -> None:
    label = ellipsoid((12.0, 9.0, 8.0), (0.9, 1.0, 1.3))
    turned = contour(stored_otherwise(label, (2, 0, 1), (True, True, False)))
    assert turned.volume_mm3 == pytest.approx(contour(label).volume_mm3, rel=1e-3)  # and the normals point outwards
    assert contour(label).nearest(turned.vertices)[0].max() < 0.02


PLACES = {
    "turned": lambda label: replace(label, direction=OBLIQUE, origin_mm=OBLIQUE @ label.origin_mm),
    "shifted": lambda label: replace(label, origin_mm=label.origin_mm + [0.1, 200.0 / 3.0, -1e-5]),
    "steps rounded up": lambda label: replace(label, spacing_mm=label.spacing_mm * (1.0 + 1e-7)),
    "steps rounded down": lambda label: replace(label, spacing_mm=label.spacing_mm * (1.0 - 1e-7)),
    "in float32": lambda label: replace(label, direction=(ROTATED @ label.direction).astype(np.float32)),
    "mirrored axes": lambda label: stored_otherwise(label, (1, 0, 2), (False, False, False)),
    "turned, mirrored axes": lambda label: stored_otherwise(
        replace(label, direction=OBLIQUE), (2, 1, 0), (True, False, True)
    ),
}
ROTATED = rotation_about([1.0, 0.2, -0.3], 1e-3)


@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_label_lies_the_surface_on_it_is_the_same(place) -> None:
    """Triangle by triangle, and each corner to the rounding of float32 and of the steps."""
    label = ellipsoid((14.0, 11.0, 9.0), (500 / 512, 500 / 512, 2.0))
    expected, placed = label_surface(label), PLACES[place](label)
    found = label_surface(placed)
    assert np.array_equal(found.surface.faces, expected.surface.faces)
    assert found.surface.volume_mm3 > 0.0
    carried = label.to_lps(placed.canonical().to_index(found.surface.vertices))
    assert np.abs(carried - expected.surface.vertices).max() < 2e-4  # float32 at 640 mm, twice
    assert found.fit.simplified_by_mm == pytest.approx(expected.fit.simplified_by_mm, abs=2e-4)


def test_the_same_label_gives_the_same_bytes() -> None:
    first, second = label_surface(ball()), label_surface(ball())
    assert first.surface.vertices.tobytes() == second.surface.vertices.tobytes()
    assert first.surface.faces.tobytes() == second.surface.faces.tobytes()
    assert first.fit == second.fit


def two_balls(small_mm: float) -> Volume:
    def inside(at):
        near = np.linalg.norm(at - CENTER + [10.0, 0.0, 0.0], axis=-1) <= 12.0
        return near | (np.linalg.norm(at - CENTER - [18.0, 0.0, 0.0], axis=-1) <= small_mm)

    return filled(inside, 28.0, (1.0, 1.0, 1.0))


def test_a_second_large_piece_is_refused() -> None:
    with pytest.raises(
        LabelError, match=r"expected one bone under the label, found 2 pieces \(largest: 7\.\d cm³, 0\.6 cm³"
    ):
        label_surface(two_balls(5.0))  # 7 % of the other one


def test_a_second_small_piece_is_dropped_and_counted() -> None:
    label = two_balls(4.0)  # 4 %
    bone = label_surface(label)
    small = int(
        (label.voxels & (label.to_lps(np.indices(label.voxels.shape).transpose(1, 2, 3, 0))[..., 0] > -80)).sum()
    )
    assert (bone.fit.pieces, bone.fit.dropped_mm3) == (2, pytest.approx(float(small)))
    assert bone.surface.bounds_mm[1, 0] < CENTER[0] + 3.0


def test_specks_are_dropped_and_counted() -> None:
    label = ball(12.0, (1.0, 1.0, 1.5))
    voxels = label.voxels.copy()
    voxels[0, 0, 0] = True
    voxels[-3:-1, 1:3, 1:3] = True
    speckled = label_surface(replace(label, voxels=voxels))
    assert speckled.fit.pieces == 3
    assert speckled.fit.dropped_mm3 == pytest.approx(9 * 1.5)
    assert np.array_equal(speckled.surface.vertices, label_surface(label).surface.vertices)


def test_voxels_that_meet_at_an_edge_only_are_two_pieces() -> None:
    label = ball(12.0)
    voxels = label.voxels.copy()
    edge = np.argwhere(voxels).max(axis=0)[0]
    j, k = np.argwhere(voxels[edge])[0]  # the first voxel of the last slice: beside it along i and j there is nothing
    voxels[edge + 1, j - 1, k] = True
    assert label_surface(replace(label, voxels=voxels)).fit.pieces == 2


def test_a_closed_cavity_is_filled_and_counted() -> None:
    label = ball(12.0, (1.0, 1.0, 1.5))
    voxels = label.voxels.copy()
    middle = np.array(voxels.shape) // 2
    voxels[middle[0] - 2 : middle[0] + 2, middle[1] - 1 : middle[1] + 2, middle[2] : middle[2] + 1] = False
    hollow = label_surface(replace(label, voxels=voxels))
    assert hollow.fit.cavities_filled_mm3 == pytest.approx(4 * 3 * 1 * 1.5)
    assert np.array_equal(hollow.surface.vertices, label_surface(label).surface.vertices)


def test_a_cavity_that_is_open_stays() -> None:
    label = ball(14.0)
    middle = np.array(label.voxels.shape) // 2
    voxels = label.voxels.copy()
    voxels[middle[0] - 4 : middle[0] + 4, middle[1] - 4 : middle[1] + 4, middle[2] :] = False
    bored = label_surface(replace(label, voxels=voxels))
    assert bored.fit.cavities_filled_mm3 == 0.0
    assert bored.surface.volume_mm3 < label_surface(label).surface.volume_mm3 - 600.0
    assert not bored.surface.contains(label.to_lps(middle + [0, 0, 6])[None])[0]


def test_a_label_without_voxels_is_refused() -> None:
    label = ball(8.0)
    with pytest.raises(LabelError, match="expected a bone label with voxels, found none; check the label value"):
        label_surface(replace(label, voxels=np.zeros_like(label.voxels)))


@pytest.mark.parametrize(("thin", "count"), [((1, 1, 1), 1), ((2, 2, 16), 64)])
def test_a_label_too_thin_for_a_surface_is_refused(thin, count) -> None:
    voxels = np.zeros((20, 20, 20), dtype=bool)
    voxels[tuple(slice(2, 2 + n) for n in thin)] = True
    match = (
        rf"expected a label thick enough for a surface, found one of {count} voxels that the blur of 0\.8 mm wipes out"
    )
    with pytest.raises(LabelError, match=match):
        label_surface(Volume(voxels, (0.7, 0.7, 2.0), STRAIGHT, CENTER))


def test_a_bone_far_from_the_array_s_middle_is_not_moved() -> None:
    """The label is cropped before it is contoured: the crop must keep its place."""
    spacing, axis = np.array([0.9, 0.9, 1.2]), unit([1.0, 2.0, 2.0])
    label = ball(8.0, tuple(spacing))
    before = np.array([7, 3, 11])
    wide = np.pad(label.voxels, [(n, 2) for n in before])
    padded = replace(label, voxels=wide, direction=OBLIQUE, origin_mm=label.origin_mm - OBLIQUE @ (before * spacing))
    moved = label_surface(padded).surface.vertices
    plain = label_surface(replace(label, direction=OBLIQUE)).surface.vertices
    assert moved == pytest.approx(plain, abs=1e-4)
    assert np.ptp(moved @ axis) == pytest.approx(np.ptp(plain @ axis), abs=1e-4)

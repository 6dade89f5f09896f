"""The skin of made-up thighs: distances in closed form, in any pose, and unknown wherever a CT does not show it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from made_thigh import RADIUS_MM, femur, image, mixed, moved, thigh

from guidegen.frames import LPS, FloatArray, RigidTransform, rotation_about, unit
from guidegen.guide.skin import FURTHEST_MM, KEPT_MM, UNSEEN, Skin, skin_over
from guidegen.intake.body import find_body
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.volumes import Volume

# The level of −300 HU lies inside the middle of an edge of air and tissue, by a sixth of what blurs it.
CLOSE_MM, DEEPER_MM = 0.1, 0.7
STARTS = np.array([[8.0, 0.0, 0.0], [8.0, 3.0, -10.0], [-8.0, 0.0, 5.0], [0.0, 9.0, 0.0]])
OUTWARDS = unit(np.array([[1.0, 0.0, 0.0], [1.0, 0.2, -0.9], [-1.0, 0.3, 0.1], [-0.4, 1.0, 0.3]]))
MOTION = RigidTransform(rotation_about((1.0, -2.0, 0.5), 50.0), np.array([30.0, -70.0, 400.0]), LPS, LPS)


def true_mm(starts: FloatArray = STARTS, outwards: FloatArray = OUTWARDS, radius_mm: float = RADIUS_MM) -> FloatArray:
    """How far along the lines a cylinder of this radius is left."""
    a, b = (outwards[:, :2] ** 2).sum(axis=1), (starts[:, :2] * outwards[:, :2]).sum(axis=1)
    return np.asarray((-b + np.sqrt(b * b - a * ((starts[:, :2] ** 2).sum(axis=1) - radius_mm**2))) / a)


def found(volume: Volume, motion: RigidTransform | None = None) -> Skin:
    """The skin along the lines, which a motion carries with the femur."""
    body = find_body(image(volume), femur(motion))
    if motion is None:
        return skin_over(body, STARTS, OUTWARDS)
    return skin_over(body, motion.points(STARTS), motion.vectors(OUTWARDS))


def test_the_depth_is_that_of_the_cylinder() -> None:
    skin = found(thigh())
    off = true_mm() - skin.depths_mm
    steep = true_mm() / (RADIUS_MM - np.hypot(*STARTS[:, :2].T))  # how much longer a slanting way is
    assert (off / steep > -CLOSE_MM).all()
    assert (off / steep < DEEPER_MM).all()
    assert skin.surface is not None
    radii = np.hypot(*skin.surface.vertices[:, :2].T)
    assert RADIUS_MM - DEEPER_MM < np.median(radii) < RADIUS_MM + CLOSE_MM
    places = STARTS + skin.depths_mm[:, None] * OUTWARDS
    away = np.linalg.norm(skin.surface.face_centers_mm[:, None] - places, axis=2).min(axis=1)
    assert away.max() <= KEPT_MM
    outwards = skin.surface.face_centers_mm * [1.0, 1.0, 0.0]
    assert (np.einsum("ij,ij->i", outwards, skin.surface.face_normals) > 0.0).all()


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (0.9, 0.8, 5.0), (2.5, 2.5, 2.5)])
def test_other_voxels_show_the_same_skin(spacing) -> None:
    depths = found(thigh(spacing_mm=spacing)).depths_mm
    assert depths == pytest.approx(true_mm(), abs=1.2)


def test_the_patient_may_lie_anywhere() -> None:
    still, carried = found(thigh()), found(moved(thigh(), MOTION), MOTION)
    assert carried.depths_mm == pytest.approx(still.depths_mm, abs=1e-6)


def test_a_scan_askew_to_the_thigh_shows_the_same_skin() -> None:
    def askew(hu, at) -> None:
        points = np.stack(at, axis=-1) @ turn.rotation  # where the thigh's own frame has the image's points
        hu[:] = mixed(np.hypot(points[..., 0], points[..., 1]) - RADIUS_MM)

    turn = RigidTransform(rotation_about((1.0, 1.0, 0.3), 12.0), np.zeros(3), LPS, LPS)
    skin = found(thigh(draw=askew, size_mm=(190.0, 180.0, 200.0)), turn)
    assert skin.depths_mm == pytest.approx(true_mm(), abs=0.9)


def test_a_mirrored_patient_has_the_same_depths() -> None:
    volume = thigh()
    mirror = np.array([-1.0, 1.0, 1.0])
    other = Volume(volume.voxels[::-1], volume.spacing_mm, volume.direction, volume.origin_mm)
    skin = skin_over(find_body(image(other), femur()), STARTS * mirror, OUTWARDS * mirror)
    assert skin.depths_mm == pytest.approx(found(volume).depths_mm, abs=0.05)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_axes_is_that_of_the_file(order) -> None:
    volume = thigh()
    stored = Volume(
        volume.voxels.transpose(order)[:, ::-1],
        volume.spacing_mm[list(order)],
        volume.direction[:, order] * [1.0, -1.0, 1.0],
        volume.to_lps(np.eye(3)[order[1]] * (volume.voxels.shape[order[1]] - 1)),
    )
    assert found(stored).depths_mm == pytest.approx(found(volume).depths_mm, abs=0.05)


def test_an_image_that_ends_inside_the_thigh_shows_no_skin() -> None:
    whole = thigh(radius_mm=65.0)
    inside = whole.cropped((slice(38, 122), slice(35, 101), slice(0, 60)))
    inside.voxels[40:44, 30:34, 20:24] = -1000  # some gas, so that there is an edge at all
    skin = found(inside)
    assert skin.surface is None
    assert np.isnan(skin.depths_mm).all()
    assert skin.missing == UNSEEN


def test_air_on_one_side_tells_of_that_side_only() -> None:
    whole = thigh()
    half = whole.cropped((slice(40, 160), slice(0, 136), slice(0, 60)))  # from x = −39.5 mm on
    assert found(half).depths_mm[[0, 1, 3]] == pytest.approx(found(whole).depths_mm[[0, 1, 3]], abs=0.1)
    assert np.isnan(found(half).depths_mm[2])
    assert found(half).missing is None


def test_less_air_than_makes_sure_tells_nothing() -> None:
    whole = thigh()
    for air_mm, is_known in ((3.0, False), (8.0, True)):
        stop = int((RADIUS_MM + air_mm - whole.origin_mm[0]) / whole.spacing_mm[0])
        cut = whole.cropped((slice(0, stop), slice(0, 136), slice(0, 60)))
        assert np.isfinite(found(cut).depths_mm[0]) == is_known, air_mm


@pytest.mark.parametrize("fill", [-1024, -2000, -3024])
@pytest.mark.parametrize(("circle_mm", "is_known"), [(50.0, False), (70.0, True)])
def test_the_fill_outside_the_scanners_circle_is_no_air(fill, circle_mm, is_known) -> None:
    volume = thigh()
    index = np.argwhere(np.ones(volume.voxels.shape[:2]))
    x, y = (volume.origin_mm[:2] + index * volume.spacing_mm[:2]).T
    voxels = volume.voxels.copy()
    voxels[(np.hypot(x, y) > circle_mm).reshape(voxels.shape[:2])] = fill
    skin = found(replace(volume, voxels=voxels))
    assert np.isfinite(skin.depths_mm).all() == is_known
    assert np.isnan(skin.depths_mm).all() != is_known


def test_another_and_larger_thigh_beside_it_is_another_body() -> None:
    def other(hu, at) -> None:
        hu[:] = np.maximum(hu, mixed(np.hypot(at[0] - 130.0, at[1]) - 75.0))  # 10 mm of air between them

    size = (450.0, 180.0, 120.0)
    alone, beside = (found(thigh(radius_mm=45.0, size_mm=size, draw=draw)) for draw in (None, other))
    assert alone.depths_mm == pytest.approx(true_mm(radius_mm=45.0), abs=1.2)
    assert beside.depths_mm == pytest.approx(alone.depths_mm, abs=0.1)


@pytest.mark.parametrize("apart_mm", [4.0, 12.0])
def test_a_table_is_no_skin(apart_mm) -> None:
    def table(hu, at) -> None:
        middle_mm = RADIUS_MM + apart_mm + 4.0
        hu[:] = np.maximum(hu, mixed(np.abs(at[1] - middle_mm) - 4.0, inside_hu=-100.0))  # a slab behind the thigh

    size = (170.0, 170.0, 120.0)
    alone, lying = found(thigh(size_mm=size)), found(thigh(size_mm=size, draw=table))
    assert lying.depths_mm == pytest.approx(alone.depths_mm, abs=0.1)
    assert lying.surface is not None
    assert np.hypot(*lying.surface.vertices[:, :2].T).max() < RADIUS_MM + 1.0


def test_gas_in_the_thigh_is_in_it() -> None:
    def bubble(hu, at) -> None:
        hu[np.hypot(np.hypot(at[0] - 35.0, at[1]), at[2]) < 6.0] = -1000.0

    assert found(thigh(draw=bubble)).depths_mm == pytest.approx(found(thigh()).depths_mm, abs=0.1)


def test_a_hand_on_the_thigh_makes_it_unknown_there_and_not_thicker() -> None:
    def hand(hu, at) -> None:
        x, y, z = at
        is_hand = (x > RADIUS_MM + 4.0) & (x < RADIUS_MM + 24.0) & (np.abs(y) < 30.0) & (np.abs(z) < 40.0)
        is_wrist = (x > 50.0) & (x < RADIUS_MM + 24.0) & (np.abs(y) < 30.0) & (z > 30.0) & (z < 40.0)
        hu[is_hand | is_wrist] = 40.0

    skin = found(thigh(size_mm=(200.0, 150.0, 120.0), draw=hand))
    assert np.isnan(skin.depths_mm[0])
    assert skin.depths_mm[1:] == pytest.approx(true_mm()[1:], abs=1.0)


def test_what_is_too_far_is_not_looked_for() -> None:
    skin = skin_over(find_body(image(thigh()), femur()), np.array([[8.0, 0.0, 0.0]]), unit([[0.1, 0.0, 1.0]]))
    assert np.isnan(skin.depths_mm).all()
    assert FURTHEST_MM > 150.0


def test_no_image_no_hu_and_no_tissue_each_have_their_reason() -> None:
    for body, reason in (
        (find_body(None, femur()), "no image of the bone was given"),
        (find_body(Image("mr.nii.gz", thigh(), Identity("mr", modality="MR")), femur()), "mr.nii.gz is no CT in HU"),
        (
            find_body(image(thigh()), moved(femur(), _aside())),
            "the femur lies in no tissue in ct.nii.gz",
        ),
    ):
        assert (body.hu, body.missing) == (None, reason)
        skin = skin_over(body, STARTS, OUTWARDS)
        assert (skin.surface, skin.missing) == (None, reason)
        assert np.isnan(skin.depths_mm).all()


def _aside() -> RigidTransform:
    return RigidTransform(np.eye(3), np.array([74.0, 70.0, 0.0]), LPS, LPS)

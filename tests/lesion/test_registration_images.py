"""The registration sharpened on CT and MR: only where both agree, and the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.bone.anatomy import find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.lesion.image_registration import refine_on_images
from guidegen.lesion.registration import MR, Registration
from guidegen.phantom import ct_volume, label_volume, make_hip, mr_volume
from guidegen.volumes import Volume

CT_MM, MR_MM = (1.0, 1.0, 1.5), (1.0, 1.0, 2.0)


@pytest.fixture(scope="module")
def images():
    """A hip's CT and its MR in another pose, its bone and anatomy, the MR's lesion and the true way back."""
    hip = make_hip("left", shaft_below_head_mm=100.0)
    labels = label_volume(hip, CT_MM, labels={"femur": 1})
    bone = label_surface(replace(labels, voxels=labels.voxels > 0)).surface
    center = hip.truth.head_center_mm
    turn = rotation_about((0.3, -0.5, 0.8), 14.0)
    motion = RigidTransform(turn, center - turn @ center + [14.0, -25.0, 31.0], LPS, MR)
    return {
        "ct": ct_volume(hip, CT_MM),
        "mr": mr_volume(hip.moved(motion), MR_MM),
        "bone": bone,
        "mr_femur": bone.transformed(motion),
        "anatomy": find_anatomy(bone, "left"),
        "at_mm": motion.points(hip.truth.lesion_centroid_mm),
    }, motion.inverse()


def off_by(truth: RigidTransform, center, shift_mm, degrees: float, doubt_mm: float) -> Registration:
    turn = rotation_about((1.0, 2.0, -1.0), degrees)
    moved = truth.then(RigidTransform(turn, center - turn @ center + shift_mm, LPS, LPS))
    return Registration(moved, 0.5, 1.0, 0.95, 0.01, doubt_mm)


def test_the_images_bring_the_lesion_nearer(images) -> None:
    given, truth = images
    place = truth.points(given["at_mm"])
    start = off_by(truth, place, (0.3, -0.2, 0.3), 0.6, 0.8)
    first, second = (refine_on_images(start, **given) for _ in range(2))
    assert first.on_images
    assert np.linalg.norm(first.transform.points(given["at_mm"]) - place) < 0.25
    assert np.linalg.norm(first.transform.points(given["at_mm"]) - place) < first.lesion_doubt_mm < 0.8
    assert first.note.startswith("sharpened on the images: they move the lesion by 0.")
    assert first.rms_mm < 0.3  # of the bone on itself, measured anew
    assert np.array_equal(first.transform.matrix(), second.transform.matrix())


def test_images_that_disagree_are_left_out(images) -> None:
    given, truth = images
    start = off_by(truth, truth.points(given["at_mm"]), (1.2, -0.9, 0.8), 0.0, 0.3)
    left = refine_on_images(start, **given)
    assert left.note.startswith("images left out, they disagree with the surfaces: they move the lesion by 1.")
    assert (left.on_images, left.transform, left.lesion_doubt_mm) == (False, start.transform, 0.3)


def test_images_no_surer_than_the_surfaces_are_left_out(images) -> None:
    given, truth = images
    left = refine_on_images(off_by(truth, truth.points(given["at_mm"]), (0.0, 0.0, 0.0), 0.0, 0.1), **given)
    assert left.note.startswith("images left out, they are no surer than the surfaces")
    assert not left.on_images


def test_images_of_another_place_are_left_out(images) -> None:
    given, truth = images
    start = off_by(truth, truth.points(given["at_mm"]), (0.0, 0.0, 0.0), 0.0, 0.5)
    mr: Volume = given["mr"]
    elsewhere = replace(mr, origin_mm=mr.origin_mm + [0.0, 0.0, 400.0])
    left = refine_on_images(start, **(given | {"mr": elsewhere}))
    assert left.note.startswith(
        "images left out: expected both images to show at least 14 cm³ of the femur, found 0 cm³"
    )


def test_a_registration_without_its_doubt_cannot_be_weighed(images) -> None:
    given, truth = images
    with pytest.raises(ValueError, match="expected a registration with the doubt at its lesion, found none"):
        refine_on_images(Registration(truth, 0.5, 1.0, 0.95, 0.01), **given)

"""A femur on its own image, and everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.bone.surface import contour
from guidegen.errors import VolumeError
from guidegen.frames import FloatArray, unit
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.intake.on_image import OnImage, check_on_image, shows_hu
from guidegen.phantom import ct_volume, label_volume, make_hip, mr_volume
from guidegen.surfaces import Surface
from guidegen.volumes import Volume, bounding_box

COARSE_MM = (1.5, 1.5, 2.0)
REAL_CT = ("z001L", "z009R", "z019L", "z027L", "z036R", "z055L")
REAL_MR = ("z001L", "z019L", "z027L", "z036R", "z062L")
OTHER_HIP = {"head_radius_mm": 21.5, "neck_shaft_angle_deg": 136.0, "anteversion_deg": 4.0, "lesion_radius_mm": 9.0}


@dataclass(frozen=True, eq=False)
class Pair:
    """The mask of a femur and the image it was segmented on."""

    femur: Volume
    image: Image

    @property
    def middle_mm(self) -> FloatArray:
        """The middle of the image."""
        return self.image.volume.to_lps((np.array(self.image.volume.voxels.shape) - 1.0) / 2.0)


def moved(label: Volume, shift_mm: npt.ArrayLike) -> Volume:
    return replace(label, origin_mm=label.origin_mm + np.asarray(shift_mm, float))


def turned(label: Volume, signs: tuple[int, int, int], about_mm: FloatArray) -> Volume:
    """The label under axes with other signs: a half turn for two minus signs, a mirror image for one or three."""
    turn = np.diag(np.array(signs, float))
    return Volume(
        label.voxels, label.spacing_mm, turn @ label.direction, turn @ (label.origin_mm - about_mm) + about_mm
    )


def padded(label: Volume) -> Volume:
    """The label cut to its box, with the empty rim that intake gives it."""
    box = bounding_box(label.voxels)
    assert box is not None
    cut = label.cropped(box)
    return Volume(np.pad(cut.voxels, 8), cut.spacing_mm, cut.direction, cut.to_lps([-8, -8, -8]))


@pytest.fixture(scope="module")
def phantom() -> Iterator[Callable[..., Pair]]:
    @cache
    def make(kind: str, side: str = "left", **shape: float) -> Pair:
        hip = make_hip(side, **shape)
        label = label_volume(hip, COARSE_MM, labels={"femur": 1})
        image = (ct_volume if kind == "ct" else mr_volume)(hip, COARSE_MM)
        return Pair(padded(replace(label, voxels=label.voxels == 1)), Image(f"{kind}.nii.gz", image, None))

    yield make
    make.cache_clear()


@pytest.fixture(scope="module")
def real(shared: Path) -> Iterator[Callable[[str, str], Pair]]:
    def volume(path: Path) -> Volume:
        image = sitk.ReadImage(str(path))
        voxels = sitk.GetArrayFromImage(image).transpose()
        direction = np.array(image.GetDirection()).reshape(3, 3)
        return Volume(voxels, np.array(image.GetSpacing()), direction, np.array(image.GetOrigin())).canonical()

    @cache
    def read(kind: str, case: str) -> Pair:
        folder = shared / "data" / "femora" / case
        label = volume(folder / ("labels.nii.gz" if kind == "ct" else "mr_labels.nii.gz"))
        femur = [1] if kind == "ct" else [1, 2]  # in the MR the lesion is a part of the femur
        image = Image(f"{kind}.nii.gz", volume(folder / f"{kind}.nii.gz"), None)
        return Pair(padded(replace(label, voxels=np.isin(label.voxels, femur))), image)

    yield read
    read.cache_clear()


@pytest.mark.parametrize("kind", ["ct", "mr"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_phantom_lies_on_its_images_clearly(phantom, kind, side) -> None:
    pair = phantom(kind, side)
    found = check_on_image(pair.femur, pair.image, "bone.femur")
    assert found.kind == kind.upper()
    assert found.score > 1.5 * found.least


def test_a_surface_lies_where_its_label_lies(phantom) -> None:
    pair = phantom("ct")
    label = check_on_image(pair.femur, pair.image, "bone.femur")
    surface = check_on_image(contour(pair.femur), pair.image, "bone.femur")
    assert surface.score == pytest.approx(label.score, rel=0.25)


@pytest.mark.parametrize("kind", ["ct", "mr"])
@pytest.mark.parametrize("shift", [(5, 0, 0), (-5, 0, 0), (0, 5, 0), (0, -5, 0), (0, 0, 5), (0, 0, -5), (2, -3, 3.5)])
def test_a_shift_of_5_mm_is_seen_and_measured(phantom, kind, shift) -> None:
    pair = phantom(kind)
    with pytest.raises(VolumeError, match=r"edge of a bone in .*, found 0\.\d\d; 0\.\d\d was found 5 mm away"):
        check_on_image(moved(pair.femur, 5.0 * unit(shift)), pair.image, "bone.femur", whole=False)


@pytest.mark.parametrize("shift", [(2, 0, 0), (0, 0, -2), (0, 1.5, 1.5)])
def test_what_a_segmentation_may_be_off_is_let_pass(phantom, shift) -> None:
    pair = phantom("ct")
    assert check_on_image(moved(pair.femur, shift), pair.image, "bone.femur").rival_place.startswith("5 mm away")


@pytest.mark.parametrize("kind", ["ct", "mr"])
@pytest.mark.parametrize(
    ("signs", "words"),
    [
        ((-1, 1, 1), "mirrored from left to right"),
        ((1, -1, 1), "mirrored from front to back"),
        ((1, 1, -1), "mirrored from head to foot"),
        ((-1, -1, 1), "after half a turn about the head–foot axis"),
    ],
)
def test_a_turned_or_mirrored_label_is_named(phantom, kind, signs, words) -> None:
    pair = phantom(kind)
    with pytest.raises(VolumeError, match=rf"bone.femur: expected .* was found {words}.* image's middle"):
        check_on_image(turned(pair.femur, signs, pair.middle_mm), pair.image, "bone.femur", whole=False)


def test_a_mirrored_surface_with_repaired_winding_is_seen(phantom) -> None:
    pair = phantom("ct")
    right_way = contour(pair.femur)
    points = (right_way.vertices - pair.middle_mm) * [-1.0, 1.0, 1.0] + pair.middle_mm
    mirrored = Surface(points, right_way.faces[:, ::-1])
    assert mirrored.volume_mm3 > 0.0
    with pytest.raises(VolumeError, match="was found mirrored from left to right"):
        check_on_image(mirrored, pair.image, "bone.femur", whole=False)


def test_ras_taken_for_lps_lies_outside_by_centimetres(phantom) -> None:
    pair = phantom("ct")
    with pytest.raises(
        VolumeError, match=r"expected a femur inside its image ct.nii.gz, found .* reaches 1\d\d\.\d mm"
    ):
        check_on_image(turned(pair.femur, (-1, -1, 1), np.zeros(3)), pair.image, "bone.femur")


def test_ras_taken_for_lps_is_told_in_an_image_of_both_hips(phantom) -> None:
    """The phantom's image and as much beside and before it, so that the turned femur lies inside."""
    pair = phantom("ct")
    volume = pair.image.volume
    count = volume.voxels.shape
    low, high = volume.origin_mm, volume.to_lps(np.array(count) - 1)
    room = np.ceil((low + high)[:2] / volume.spacing_mm[:2]).astype(int)
    assert room.min() > 0
    soft = np.random.default_rng(0).normal(40.0, 15.0, (count[0] + room[0], count[1] + room[1], count[2]))
    soft[room[0] :, room[1] :] = volume.voxels
    placed = replace(volume, voxels=soft.astype(np.int16), origin_mm=volume.to_lps([-room[0], -room[1], 0]))
    image = Image("both.nrrd", placed, None)
    assert check_on_image(pair.femur, image, "bone.femur").score > 0.5
    with pytest.raises(
        VolumeError, match=r"half a turn about the head–foot axis: LPS was taken for RAS.* the origin\)"
    ):
        check_on_image(turned(pair.femur, (-1, -1, 1), np.zeros(3)), image, "bone.femur")


def test_the_other_hip_of_a_symmetric_body_does_not_tell_against_this_one(phantom) -> None:
    """Nor can it be told from it by an image: only the shape and the pelvis of a mirrored femur say its side."""
    pair = phantom("ct")
    volume = pair.image.volume
    gap = round(2.0 * volume.origin_mm[0] / volume.spacing_mm[0]) - 1
    apart = np.random.default_rng(0).normal(40.0, 15.0, (gap, *volume.voxels.shape[1:])).astype(np.int16)
    both = np.concatenate([volume.voxels[::-1], apart, volume.voxels])
    placed = replace(volume, voxels=both, origin_mm=volume.to_lps([-(gap + volume.voxels.shape[0]), 0, 0]))
    image = Image("both.nrrd", placed, None)
    assert check_on_image(pair.femur, image, "bone.femur").score > 0.5
    mirrored = turned(pair.femur, (-1, 1, 1), np.zeros(3))
    assert check_on_image(mirrored, image, "bone.femur").score > 0.5


def test_another_patient_with_the_head_laid_on_the_head_is_refused(phantom) -> None:
    """Another femur, and in life another pose too; the mirror image of the same femur where it fits best."""
    pair, other = phantom("ct", "left"), phantom("ct", "right", **OTHER_HIP)
    head = make_hip("left").truth.head_center_mm
    other_head = make_hip("right", **OTHER_HIP).truth.head_center_mm
    with pytest.raises(VolumeError, match=r"edge of a bone in ct\.nii\.gz"):
        check_on_image(moved(other.femur, head - other_head), pair.image, "bone.femur", whole=False)


def test_an_image_of_nothing_refuses_the_femur(phantom) -> None:
    pair = phantom("ct")
    noise = np.random.default_rng(1).normal(40.0, 15.0, pair.image.volume.voxels.shape).astype(np.float32)
    with pytest.raises(VolumeError, match=r"at least 0\.05 of the grey values across it, found 0\.00"):
        check_on_image(pair.femur, Image("mr.mha", replace(pair.image.volume, voxels=noise), None), "lesion.femur")
    flat = replace(pair.image.volume, voxels=np.full(noise.shape, 7, np.int16))
    with pytest.raises(VolumeError, match=r"found 0\.00; check"):
        check_on_image(pair.femur, Image("mr.mha", flat, None), "lesion.femur")


def test_out_of_the_image_by_more_than_rounding_is_refused_with_how_far(phantom) -> None:
    pair = phantom("ct")
    volume = pair.image.volume
    right, front, _ = (slice(0, count) for count in volume.voxels.shape)
    cut = replace(pair.image, volume=volume.cropped((right, front, slice(15, volume.voxels.shape[2]))))  # 30 mm less
    with pytest.raises(VolumeError, match=r"one that reaches 30\.\d mm out of it, with 8\d% of its surface inside"):
        check_on_image(pair.femur, cut, "bone.femur")
    assert check_on_image(pair.femur, cut, "bone.femur", whole=False).score > 0.5


def test_a_mask_of_nothing_has_no_surface(phantom) -> None:
    pair = phantom("ct")
    empty = replace(pair.femur, voxels=np.zeros_like(pair.femur.voxels))
    with pytest.raises(VolumeError, match="expected a femur with a surface, found none"):
        check_on_image(empty, pair.image, "bone.femur")


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_neither_scale_nor_sign_of_an_mr_matters(phantom, scale, sign) -> None:
    pair = phantom("mr")
    volume = pair.image.volume
    grey = (volume.voxels * (scale * sign) + (1000.0 * scale if sign < 0 else 0.0)).astype(np.float32)
    expected = check_on_image(pair.femur, pair.image, "lesion.femur")
    found = check_on_image(pair.femur, Image("mr.mha", replace(volume, voxels=grey), None), "lesion.femur")
    assert (found.kind, found.score) == ("MR", pytest.approx(expected.score, abs=1e-3))


@pytest.mark.parametrize(
    ("values", "modality", "expected"),
    [
        ((-1000, 0, 400), None, True),  # air
        ((-90, 40, 1200), None, True),  # no air, but fat and cortex
        ((0, 200, 900), None, False),
        ((-3, 0, 4), None, False),  # grey values made to have mean 0 and spread 1
        ((-1000, 0, 400), "MR", False),
        ((-90, 40, 300), "CT", True),
        ((0, 1064, 2200), "CT", False),  # stored without its offset
    ],
)
def test_what_is_in_hu(values, modality, expected) -> None:
    voxels = np.resize(np.array(values, np.int16), (30, 30, 30))
    identity = None if modality is None else Identity("ct", modality=modality)
    assert shows_hu(Image("ct", Volume(voxels, np.ones(3), np.eye(3), np.zeros(3)), identity)) is expected


@pytest.mark.shared
@pytest.mark.parametrize(("kind", "case"), [("ct", case) for case in REAL_CT] + [("mr", case) for case in REAL_MR])
def test_real_femora_on_their_own_image_and_5_mm_beside(real, kind, case) -> None:
    pair = real(kind, case)
    found = check_on_image(pair.femur, pair.image, "bone.femur")
    assert (found.kind, found.score > 2.0 * found.least) == (kind.upper(), True)
    for shift in ((5, 0, 0), (0, 0, 5), (0, 0, -5), (-3, 3, 3)):
        with pytest.raises(VolumeError, match="edge of a bone"):
            check_on_image(moved(pair.femur, shift), pair.image, "bone.femur", whole=False)


@pytest.mark.shared
@pytest.mark.parametrize(("kind", "cases"), [("ct", REAL_CT), ("mr", REAL_MR)])
def test_the_femur_of_another_patient_is_refused_wherever_it_is_laid(real, kind, cases) -> None:
    for case, other in zip(cases, (*cases[1:], cases[0]), strict=True):
        pair, wrong = real(kind, case), real(kind, other)
        apart = _middle(pair.femur) - _middle(wrong.femur)
        for femur in (wrong.femur, moved(wrong.femur, apart)):
            with pytest.raises(VolumeError, match="expected"):
                check_on_image(femur, pair.image, "bone.femur", whole=False)


def _middle(label: Volume) -> FloatArray:
    return label.to_lps(np.array(label.voxels.shape) / 2.0)


def test_the_same_femur_gives_the_same_numbers(phantom) -> None:
    pair = phantom("mr")
    first, second = (check_on_image(pair.femur, pair.image, "bone.femur") for _ in range(2))
    assert isinstance(first, OnImage)
    assert first == second

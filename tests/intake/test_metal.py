"""Metal in a made-up CT: a bar as femur, and bright bars in it, near it and far from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from guidegen.errors import LabelError
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.intake.metal import find_metal, metal_notes
from guidegen.surfaces import Surface
from guidegen.volumes import Index, Volume

SPACING_MM = np.array([1.0, 1.0, 2.0])
ORIGIN_MM = np.array([-100.0, 20.0, -700.0])
SHAPE = (90, 40, 30)
FEMUR = np.s_[10:30, 10:30, 5:25]  # its right end is at index 29.5
WIRE = np.s_[18:20, 18:20, 10:20]  # 2 × 2 × 20 mm
NEARBY = np.s_[36:38, 18:20, 10:20]  # from 6 to 8 mm beside the femur, by the centres of the voxels
FAR = np.s_[70:80, 18:22, 10:20]  # 40 mm beside it
GRAIN = np.s_[15:17, 15:17, 10:12]  # 16 mm³


def volume(voxels) -> Volume:
    return Volume(voxels, SPACING_MM, np.eye(3), ORIGIN_MM)


def mask(*places: Index) -> Volume:
    voxels = np.zeros(SHAPE, np.bool_)
    for place in places:
        voxels[place] = True
    return volume(voxels)


@pytest.fixture
def ct() -> Callable[..., Image]:
    def make(*metal: Index, value: float = 3071, modality: str | None = None) -> Image:
        voxels = np.full(SHAPE, 40, np.int16)
        voxels[:, :5] = -1000
        voxels[FEMUR] = 1900  # the densest bone there is
        for place in metal:
            voxels[place] = value
        return Image("ct.nii.gz", volume(voxels), None if modality is None else Identity("ct", modality=modality))

    return make


def test_dense_bone_is_no_metal(ct) -> None:
    assert find_metal(ct(), mask(FEMUR), None) == ()
    assert metal_notes((), "ct.nii.gz") == ()


def test_metal_in_the_femur_is_refused_with_what_to_do(ct) -> None:
    expected = (
        r"ct.nii.gz: expected no metal without a label in the femur or within 10 mm of it, found 80 mm³ above 2500 HU "
        r"in it, about \(-81\.5, 38\.5, -671\.0\) in LPS mm; it is an implant: label all of it, and give it as "
    )
    with pytest.raises(LabelError, match=expected):
        find_metal(ct(WIRE), mask(FEMUR), None)


def test_metal_near_the_femur_is_refused_with_its_distance(ct) -> None:
    with pytest.raises(LabelError, match=r"found 80 mm³ above 2500 HU 6\.\d mm from it"):
        find_metal(ct(NEARBY), mask(FEMUR), None)


def test_near_to_a_surface_too(ct) -> None:
    low, high = volume(np.zeros(SHAPE)).to_lps([[9.5, 9.5, 4.5], [29.5, 29.5, 24.5]])
    with pytest.raises(LabelError, match=r"6\.5 mm from it"):
        find_metal(ct(NEARBY), box(low, high), None)
    with pytest.raises(LabelError, match="2500 HU in it"):
        find_metal(ct(WIRE), box(low, high), None)


def box(low, high) -> Surface:
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))])
    surface = Surface(corners, faces)
    assert surface.volume_mm3 == pytest.approx(np.prod(np.subtract(high, low)))
    return surface


def test_metal_far_from_it_is_noted(ct) -> None:
    (found,) = find_metal(ct(FAR), mask(FEMUR), None)
    assert found.volume_mm3 == pytest.approx(10 * 4 * 20)
    assert found.distance_mm == pytest.approx(40.5, abs=0.6)
    assert found.center_mm == (-25.5, 39.5, -671.0)
    (note,) = metal_notes((found,), "ct.nii.gz")
    assert note.startswith(
        "ct.nii.gz shows metal away from the femur: 0.8 cm³ in pieces (1), the nearest 41 mm from it"
    )


def test_metal_with_its_label_is_let_pass(ct) -> None:
    assert find_metal(ct(WIRE), mask(FEMUR), mask(WIRE)) == ()
    assert len(find_metal(ct(WIRE, FAR), mask(FEMUR), mask(WIRE))) == 1


def test_a_label_covers_two_millimetres_of_blooming_and_no_more(ct) -> None:
    bloomed = np.s_[16:22, 16:22, 9:21]
    assert find_metal(ct(bloomed), mask(FEMUR), mask(WIRE)) == ()
    longer = np.s_[18:20, 18:20, 10:25]
    with pytest.raises(LabelError, match="an implant, whose label leaves it out: complete it"):
        find_metal(ct(longer), mask(FEMUR), mask(np.s_[18:20, 18:20, 10:16]))


def test_a_label_on_another_grid_covers_as_well(ct) -> None:
    fine = Volume(np.ones((8, 8, 40), np.bool_), np.full(3, 0.5), np.eye(3), ORIGIN_MM + [17.75, 17.75, 19.25])
    with pytest.raises(LabelError, match="2500 HU in it"):
        find_metal(ct(WIRE), mask(FEMUR), replace_origin(fine, fine.origin_mm + [8.0, 0.0, 0.0]))
    assert find_metal(ct(WIRE), mask(FEMUR), fine) == ()


def replace_origin(label: Volume, origin_mm) -> Volume:
    return Volume(label.voxels, label.spacing_mm, label.direction, origin_mm)


def test_a_few_bright_voxels_are_noise(ct) -> None:
    assert find_metal(ct(GRAIN), mask(FEMUR), None) == ()
    scattered = np.s_[11:29:3, 11:29:3, 6:24:3]
    assert find_metal(ct(scattered), mask(FEMUR), None) == ()


def test_between_bone_and_metal_the_limit_decides(ct) -> None:
    assert find_metal(ct(WIRE, value=2500), mask(FEMUR), None) == ()
    with pytest.raises(LabelError, match="above 2500 HU"):
        find_metal(ct(WIRE, value=2501), mask(FEMUR), None)


def test_an_mr_has_no_such_scale(ct) -> None:
    assert find_metal(ct(WIRE, modality="MR"), mask(FEMUR), None) == ()
    with pytest.raises(LabelError, match="above 2500 HU"):
        find_metal(ct(WIRE, modality="CT"), mask(FEMUR), None)


def test_the_nearest_comes_first(ct) -> None:
    further = np.s_[85:89, 18:22, 10:20]
    found = find_metal(ct(further, FAR), mask(FEMUR), None)
    assert [round(piece.distance_mm) for piece in found] == [40, 56]

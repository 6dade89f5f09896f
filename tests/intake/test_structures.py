"""Structures: found by number or name, cut out in place, with room around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.errors import LabelError
from guidegen.intake.label_maps import LabelMap, read_label_map
from guidegen.intake.structures import MARGIN_MM, cut_out, find

Voxels = npt.NDArray[np.uint8]
Write = Callable[..., Path]


@pytest.fixture
def labels(tmp_path: Path, hip: Voxels, write_labels: Write) -> LabelMap:
    return read_label_map(write_labels(tmp_path / "labels.nrrd", hip), "labels.nrrd")


def test_every_voxel_keeps_its_place(labels: LabelMap, hip: Voxels) -> None:
    for value in (1, 2, 3):
        structure = cut_out(labels, find(labels, value, "key"))
        places = structure.mask.to_lps(np.argwhere(structure.mask.voxels))
        np.testing.assert_allclose(places, labels.layers[0].to_lps(np.argwhere(hip == value)), atol=1e-9)
        assert structure.mask.voxels.dtype == np.bool_


def test_room_on_all_sides_even_beyond_the_scan(labels: LabelMap) -> None:
    mask = cut_out(labels, find(labels, 3, "key")).mask
    filled = np.argwhere(mask.voxels)
    room_mm = np.array([filled.min(axis=0), np.array(mask.voxels.shape) - 1 - filled.max(axis=0)]) * mask.spacing_mm
    assert (room_mm >= MARGIN_MM).all()
    assert (room_mm < MARGIN_MM + mask.spacing_mm).all()


def test_the_ends_of_the_scan_that_a_structure_reaches(labels: LabelMap) -> None:
    assert cut_out(labels, find(labels, 1, "key")).touches_border == ("inferior",)
    assert cut_out(labels, find(labels, 2, "key")).touches_border == ()
    assert cut_out(labels, find(labels, 3, "key")).touches_border == ("left", "superior")


def test_each_end_by_its_name(tmp_path: Path, write_labels: Write) -> None:
    ends = [("right", (0, 2, 2)), ("left", (4, 2, 2)), ("anterior", (2, 0, 2)), ("posterior", (2, 4, 2))]
    for name, place in [*ends, ("inferior", (2, 2, 0)), ("superior", (2, 2, 4))]:
        voxels = np.zeros((5, 5, 5), np.uint8)
        voxels[place] = 1
        labels = read_label_map(write_labels(tmp_path / "labels.nrrd", voxels), "labels.nrrd")
        assert cut_out(labels, find(labels, 1, "key")).touches_border == (name,)


def test_a_lesion_inside_the_femur_counts_as_femur(labels: LabelMap, hip: Voxels) -> None:
    femur, lesion = find(labels, 1, "bone.femur"), find(labels, 2, "lesion.lesion")
    both = cut_out(labels, femur, lesion)
    assert both.mask.voxels.sum() == ((hip == 1) | (hip == 2)).sum()
    alone = both.mask.voxels[both.box]
    assert alone.shape == (8, 5, 19)  # the box is that of the femur itself


def test_a_lesion_that_reaches_out_widens_the_mask_but_not_the_box(
    tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    hip[11, 5, 20:22] = 2
    labels = read_label_map(write_labels(tmp_path / "labels.nrrd", hip), "labels.nrrd")
    femur, lesion = find(labels, 1, "bone.femur"), find(labels, 2, "lesion.lesion")
    alone, both = cut_out(labels, femur), cut_out(labels, femur, lesion)
    assert np.array(both.mask.voxels.shape).tolist() == (np.array(alone.mask.voxels.shape) + [1, 0, 3]).tolist()
    assert [axis.stop - axis.start for axis in both.box] == [8, 5, 19]
    np.testing.assert_allclose(both.mask.to_lps([s.start for s in both.box]), labels.layers[0].to_lps([3, 3, 0]))


def test_a_label_that_is_not_there_lists_those_that_are(labels: LabelMap) -> None:
    with pytest.raises(
        LabelError, match=r"bone\.pelvis: expected voxels of label 7 in labels\.nrrd, found labels 1 \("
    ):
        find(labels, 7, "bone.pelvis")
    with pytest.raises(LabelError, match=r"1 \(\d+ voxels\), 2 \(8 voxels\), 3 \(126 voxels\)$"):
        find(labels, 7, "bone.pelvis")


def test_a_value_beyond_the_voxels_own_type_is_simply_not_there(labels: LabelMap) -> None:
    with pytest.raises(LabelError, match="expected voxels of label 257"):
        find(labels, 257, "bone.femur")


def test_a_long_list_of_labels_is_cut_short(tmp_path: Path, write_labels: Write) -> None:
    voxels = np.arange(125, dtype=np.uint8).reshape(5, 5, 5)
    labels = read_label_map(write_labels(tmp_path / "labels.nrrd", voxels), "labels.nrrd")
    with pytest.raises(LabelError, match=r"found labels 1 \(1 voxels\).* 20 \(1 voxels\) and 104 more$"):
        find(labels, 200, "bone.femur")


def test_an_empty_map(tmp_path: Path, write_labels: Write) -> None:
    labels = read_label_map(write_labels(tmp_path / "l.nrrd", np.zeros((5, 5, 5), np.uint8)), "l.nrrd")
    with pytest.raises(LabelError, match=r"expected voxels of label 1 in l\.nrrd, found an empty label map"):
        find(labels, 1, "bone.femur")
    with pytest.raises(LabelError, match=r"expected one structure in l\.nrrd, found an empty label map"):
        find(labels, None, "bone.femur")


def test_a_file_of_one_structure(tmp_path: Path, hip: Voxels, labels: LabelMap, write_labels: Write) -> None:
    one = read_label_map(
        write_labels(tmp_path / "femur.nrrd", np.where(hip == 1, 255, 0).astype(np.uint8)), "femur.nrrd"
    )
    assert find(one, None, "bone.femur").value == 255
    assert find(one, None, "bone.femur").box == find(labels, 1, "bone.femur").box
    with pytest.raises(LabelError, match=r"expected one structure in labels\.nrrd, found labels 1 .*give the label"):
        find(labels, None, "bone.femur")


def segmentation(path: Path, hip: Voxels, segments: dict[str, str]) -> LabelMap:
    """A .seg.nrrd as 3D Slicer writes it: one layer, names and values in the header."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(hip.transpose()))
    image.SetSpacing((3.0, 4.0, 2.5))
    for number, (name, value) in enumerate(segments.items()):
        image.SetMetaData(f"Segment{number}_Name", name.rstrip("*"))
        image.SetMetaData(f"Segment{number}_LabelValue", value)
        image.SetMetaData(f"Segment{number}_Layer", "0")
    sitk.WriteImage(image, str(path))
    return read_label_map(path, path.name)


def test_segments_by_name(tmp_path: Path, hip: Voxels) -> None:
    labels = segmentation(tmp_path / "hip.seg.nrrd", hip, {"fémur gauche": "1", "lesion": "2", "pelvis": "3"})
    assert find(labels, "fémur gauche", "bone.femur").value == 1
    assert find(labels, "pelvis", "bone.pelvis").value == 3
    assert find(labels, 2, "lesion.lesion").value == 2


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        (
            {"Femur": "1", "lesion": "2"},
            r"expected one segment named 'femur' in hip\.seg\.nrrd, found 0; .*'Femur' = 1",
        ),
        ({"femur": "1", "femur*": "2"}, "expected each name once, found 'femur' 2 times"),
        ({"femur": "1", "lesion": "1"}, r"expected each label and layer once, found \(1, 0\) 2 times"),
        ({"femur": "9"}, "expected voxels of label 'femur' .* found labels 1"),
        ({"femur": "x"}, "expected whole numbers as Segment0_Layer and Segment0_LabelValue, found '0' and 'x'"),
        ({"femur": "0"}, "expected 'femur' as a label of 1 or more in one of 1 layers, found label 0 in layer 0"),
        ({"a\nb": "1"}, r"expected names of one line of 1 to 200 printable characters, found 'a\\nb'"),
        ({"a\x1b[2J": "1"}, "expected names of one line"),
        ({"": "1"}, "expected names of one line"),
        ({"x" * 201: "1"}, "expected names of one line"),
    ],
)
def test_names_that_do_not_name_one_label(segments: dict[str, str], message: str, tmp_path: Path, hip: Voxels) -> None:
    with pytest.raises(LabelError, match=message):
        find(segmentation(tmp_path / "hip.seg.nrrd", hip, segments), "femur", "bone.femur")


def test_formats_without_names_ask_for_the_number(labels: LabelMap) -> None:
    with pytest.raises(LabelError, match=r"found the name 'femur', but labels\.nrrd names no labels; give the number"):
        find(labels, "femur", "bone.femur")

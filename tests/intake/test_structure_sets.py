"""DICOM structure sets: contours give back their voxels in every orientation; what has no one meaning is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from scans import ORIENTATIONS, changed, damaged, masks, placed, places, series

from guidegen.errors import IdentityError, InputError, LabelError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.intake.label_maps import LabelMap
from guidegen.intake.series import read_series
from guidegen.intake.structure_sets import names_in, read_structure_set
from guidegen.intake.structures import cut_out, find
from guidegen.phantom.dicom_labels import write_structure_set

EXACT_MM = 1e-3


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Image, bytes]]:
    """The series in one orientation: its folder, the image, and the hip drawn on it as a structure set."""
    root = tmp_path_factory.mktemp("series")

    @cache
    def made(orientation: str) -> tuple[Path, Image, bytes]:
        folder = series(root / orientation, ORIENTATIONS[orientation])
        write_structure_set(masks(), folder, root / "rs.dcm")
        return folder, read_series(folder, "ct"), (root / "rs.dcm").read_bytes()

    return made


@pytest.fixture
def drawn(tmp_path: Path, scan: Callable[[str], tuple[Path, Image, bytes]]) -> Callable[..., tuple[Path, Image]]:
    """A structure set with something changed in it, and its image."""

    def written(
        change: Callable[[Dataset], None] | None = None, orientation: str = "axial", **hip: Any
    ) -> tuple[Path, Image]:
        folder, image, content = scan(orientation)
        path = tmp_path / "rs.dcm"
        if hip:
            write_structure_set(hip, folder, path)
        else:
            path.write_bytes(content)
        return (changed(path, change) if change else path), image

    return written


def read(path: Path, image: Image) -> LabelMap:
    return read_structure_set(path, path.name, image)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_voxels_and_places_come_back(orientation: str, drawn: Callable[..., tuple[Path, Image]]) -> None:
    labels = read(*drawn(orientation=orientation))
    assert [(each.name, each.value, each.layer) for each in labels.segments] == [
        ("femur", 1, 0),
        ("lesion", 2, 1),
        ("pelvis", 3, 0),
    ]
    assert len(labels.layers) == 2
    for segment, mask in zip(labels.segments, masks().values(), strict=True):
        truth = placed(mask, ORIENTATIONS[orientation]).canonical()
        layer = labels.layers[segment.layer]
        assert np.array_equal(layer.voxels == segment.value, truth.voxels)
        np.testing.assert_allclose(places(layer, segment.value), places(truth, 1), atol=EXACT_MM, rtol=0.0)


@pytest.mark.parametrize("seed", range(5))
def test_any_mask_comes_back(seed: int, drawn: Callable[..., tuple[Path, Image]]) -> None:
    """Holes, islands in holes, voxels that touch at a corner, masks up to the edge of the image."""
    noise = np.random.default_rng(seed).random((13, 9, 8)) < [0.1, 0.3, 0.5, 0.7, 0.95][seed]
    labels = read(*drawn(noise=noise, orientation="oblique"))
    assert labels.layers[0].voxels.sum() == noise.sum()
    np.testing.assert_allclose(
        places(labels.layers[0], 1),
        places(placed(noise, ORIENTATIONS["oblique"]).canonical(), 1),
        atol=EXACT_MM,
        rtol=0.0,
    )


def test_the_writer_is_deterministic(drawn: Callable[..., tuple[Path, Image]]) -> None:
    assert drawn(**masks())[0].read_bytes() == drawn()[0].read_bytes()
    with pytest.raises(VolumeError, match=r"expected masks of \(13, 9, 8\) voxels"):
        drawn(small=np.ones((2, 2, 2), np.bool_))


def test_names_without_an_image(drawn: Callable[..., tuple[Path, Image]]) -> None:
    assert names_in(drawn()[0], "rs.dcm") == ("femur", "lesion", "pelvis")


def test_structures_are_found_by_name_and_number(drawn: Callable[..., tuple[Path, Image]]) -> None:
    labels = read(*drawn())
    lesion = find(labels, "lesion", "lesion.lesion")
    assert cut_out(labels, lesion).mask.voxels.sum() == masks()["lesion"].sum()
    assert find(labels, 3, "bone.pelvis").layer == 0


def test_identity(drawn: Callable[..., tuple[Path, Image]]) -> None:
    path, image = drawn()
    identity = read(path, image).identity
    assert identity is not None
    assert image.identity is not None
    assert (identity.modality, identity.patient_id) == ("RTSTRUCT", "PHANTOM")
    assert identity.frame_of_reference_uid == image.identity.frame_of_reference_uid


def roi(dataset: Dataset, number: int) -> Dataset:
    """A ROI's contours."""
    return dataset.ROIContourSequence[number - 1]


def reshaped(number: int, contour: int, change: Callable[[FloatArray], FloatArray]) -> Callable[[Dataset], None]:
    """Change the points (P, 3) of one contour of a ROI."""

    def move(dataset: Dataset) -> None:
        each = roi(dataset, number).ContourSequence[contour]
        points = change(np.array(each.ContourData, dtype=float).reshape(-1, 3))
        each.ContourData = [f"{value:.9g}" for value in points.ravel()]
        each.NumberOfContourPoints = len(points)

    return move


def test_points_and_empty_rois_are_listed_without_voxels(drawn: Callable[..., tuple[Path, Image]]) -> None:
    def marked(dataset: Dataset) -> None:
        first = roi(dataset, 2).ContourSequence[0]
        first.ContourGeometricType, first.NumberOfContourPoints, first.ContourData = "POINT", 1, ["0", "0", "0"]
        roi(dataset, 2).ContourSequence = [first]
        del roi(dataset, 3).ContourSequence

    labels = read(*drawn(marked))
    assert [each.name for each in labels.segments] == ["femur", "lesion", "pelvis"]
    assert len(labels.layers) == 1
    for name in ("lesion", "pelvis"):
        with pytest.raises(LabelError, match=f"expected voxels of label '{name}' in rs.dcm, found labels 1"):
            find(labels, name, "lesion.lesion")


def test_a_file_without_its_series_is_taken_by_its_frame_of_reference(
    drawn: Callable[..., tuple[Path, Image]],
) -> None:
    def unsaid(dataset: Dataset) -> None:
        del dataset.ReferencedFrameOfReferenceSequence

    assert len(read(*drawn(unsaid)).layers) == 2


def test_contours_a_little_off_their_slice_are_taken(drawn: Callable[..., tuple[Path, Image]]) -> None:
    path, image = drawn(reshaped(2, 1, lambda points: points + [0.0, 0.0, 0.2]))
    assert (read(path, image).layers[1].voxels == 2).sum() == masks()["lesion"].sum()


# What is refused.


def set_of(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset, keyword, value)


def named(number: int, keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset.StructureSetROISequence[number - 1], keyword, value)


def contour(number: int, keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(roi(dataset, number).ContourSequence[0], keyword, value)


def of_another_series(dataset: Dataset) -> None:
    study = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    study.RTReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3"


def without_slices(*gone: int) -> Callable[[Dataset], None]:
    """Take the contours of the femur out of some slices, counted from 1."""

    def thinned(dataset: Dataset) -> None:
        heights = [-700.0 + 2.5 * (number - 1) for number in gone]
        kept = [
            each
            for each in roi(dataset, 1).ContourSequence
            if min(abs(float(each.ContourData[2]) - h) for h in heights) > 1
        ]
        roi(dataset, 1).ContourSequence = kept

    return thinned


def twice(dataset: Dataset) -> None:
    roi(dataset, 2).ContourSequence.append(roi(dataset, 2).ContourSequence[0])


def crossing(dataset: Dataset) -> None:
    first = max(roi(dataset, 2).ContourSequence, key=lambda each: int(each.NumberOfContourPoints))
    other = Dataset()
    other.ContourGeometricType, other.NumberOfContourPoints = "CLOSED_PLANAR", first.NumberOfContourPoints
    points = np.array(first.ContourData, dtype=float).reshape(-1, 3) - [1.5, 2.0, 0.0]
    other.ContourData = [f"{value:.9g}" for value in points.ravel()]
    roi(dataset, 2).ContourSequence.append(other)


REFUSED: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "another object": (set_of("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4"), "expected a DICOM structure set"),
    "no ROIs": (set_of("StructureSetROISequence", None), "expected ROIs, found none"),
    "number 0": (named(1, "ROINumber", 0), "expected ROINumber from 1 to 2147483647, found 0"),
    "a number twice": (named(2, "ROINumber", 1), "expected every ROI number once, found 1 twice"),
    "a name of two lines": (named(1, "ROIName", "a\nb"), "expected one line of 1 to 200 printable characters as ROI"),
    "an endless name": (named(1, "ROIName", "a" * 201), "1 to 200 printable characters as ROIName"),
    "contours of nobody": (
        lambda dataset: setattr(roi(dataset, 2), "ReferencedROINumber", 9),
        "expected contours once for each ROI that is named, found more for number 9",
    ),
    "contours twice": (
        lambda dataset: setattr(roi(dataset, 2), "ReferencedROINumber", 1),
        "expected contours once for each ROI that is named, found more for number 1",
    ),
    "an open contour": (
        contour(2, "ContourGeometricType", "OPEN_PLANAR"),
        r"expected closed planar contours \(CLOSED_PLANAR\), found ROI 'lesion' drawn otherwise",
    ),
    "points between contours": (contour(2, "ContourGeometricType", "POINT"), "found ROI 'lesion' drawn otherwise"),
    "no type": (contour(2, "ContourGeometricType", None), "found ROI 'lesion' drawn otherwise"),
    "two points": (contour(2, "NumberOfContourPoints", 2), "expected at least 3 points in a closed contour, found 2"),
    "fewer points than said": (contour(2, "NumberOfContourPoints", 4000), "expected 12000 numbers within ±10000 as"),
    "no points": (contour(2, "ContourData", None), r"numbers within ±10000 as the points of a contour, found others"),
    "NaN": (
        lambda dataset: contour(2, "ContourData", ["nan", *list(roi(dataset, 2).ContourSequence[0].ContourData)[1:]])(
            dataset
        ),
        "as the points of a contour, found others in ROI 'lesion'",
    ),
    "far away": (reshaped(2, 0, lambda points: points + 1e6), "within ±10000 as the points of a contour"),
    "another frame of reference": (
        named(2, "ReferencedFrameOfReferenceUID", "1.2.3"),
        "expected ROIs in the frame of reference of ct, found 'lesion' in another",
    ),
    "no frame of reference": (named(2, "ReferencedFrameOfReferenceUID", None), "found 'lesion' in another"),
    "another series": (of_another_series, "found that they were drawn on another one"),
    "between two slices": (
        reshaped(2, 0, lambda points: points + [0.0, 0.0, 0.9]),
        r"one of ROI 'lesion' at \(.*, -689.1\) mm, 0.36 slices beside the nearest",
    ),
    "a tilted contour": (
        reshaped(2, 0, lambda points: points * [1.0, 1.0, 1.0] + np.outer(np.linspace(0, 0.3, len(points)), [0, 0, 1])),
        r"found one of ROI 'lesion' at .* that runs through 0.12 slices",
    ),
    "beside the image": (
        reshaped(2, 0, lambda points: points + [30.0, 0.0, 0.0]),
        "expected contours inside the image, found one of ROI 'lesion'",
    ),
    "above the image": (reshaped(2, 0, lambda points: points + [0.0, 0.0, 25.0]), "expected contours inside the image"),
    "a gap": (
        without_slices(3, 5),
        r"found none in slice 3, 5 of 8 \(counted from the inferior end\)",
    ),
    "drawn twice": (
        twice,
        r"found in ROI 'lesion' outlines that cross each other, or one drawn twice, in slice 5 of 8",
    ),
    "crossing": (crossing, "found in ROI 'lesion' outlines that cross each other"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, drawn: Callable[..., tuple[Path, Image]]) -> None:
    change, message = REFUSED[case]
    with pytest.raises((VolumeError, LabelError, IdentityError), match=message):
        read(*drawn(change))


def test_slices_are_counted_from_the_named_end(drawn: Callable[..., tuple[Path, Image]]) -> None:
    femur = masks()["femur"].copy()
    femur[:, :, 3] = False
    with pytest.raises(VolumeError, match=r"in slice 5 of 8 \(counted from the anterior end\)"):
        read(*drawn(orientation="coronal, back first", femur=femur))
    with pytest.raises(VolumeError, match=r"in slice 5 of 8 \(counted from the right end\)"):
        read(*drawn(orientation="sagittal", femur=femur))


def test_more_than_a_few_missing_slices_are_counted(drawn: Callable[..., tuple[Path, Image]]) -> None:
    from guidegen.intake import structure_sets

    path, image = drawn(without_slices(3, 4, 5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure_sets, "LISTED_SLICES", 2)
        with pytest.raises(VolumeError, match=r"found none in slice 3, 4 and 1 more of 8"):
            read(path, image)


def test_an_image_that_states_no_frame_of_reference_is_refused(drawn: Callable[..., tuple[Path, Image]]) -> None:
    path, image = drawn()
    for identity in (None, Identity("ct")):
        with pytest.raises(IdentityError, match="found ct, which states no frame of reference"):
            read(path, replace(image, identity=identity))


def test_another_series_of_the_same_frame_is_refused(drawn: Callable[..., tuple[Path, Image]], tmp_path: Path) -> None:
    other = read_series(series(tmp_path / "other", series="other"), "other")
    with pytest.raises(IdentityError, match="expected contours drawn on the series other"):
        read(drawn()[0], other)


def test_no_name_of_the_patient_in_messages(drawn: Callable[..., tuple[Path, Image]]) -> None:
    def secret(dataset: Dataset) -> None:
        dataset.PatientName, dataset.PatientID = "SECRET^NAME", "SECRETID"
        without_slices(3)(dataset)

    with pytest.raises(VolumeError) as caught:
        read(*drawn(secret))
    assert "SECRET" not in str(caught.value)


def test_damaged_files_are_read_or_refused(drawn: Callable[..., tuple[Path, Image]], tmp_path: Path) -> None:
    """A DICOM file has no check sum: a contour may move, but nothing other than our own errors may come out."""
    original, image = drawn(lesion=masks()["lesion"], pelvis=masks()["pelvis"])
    content, path, refused = original.read_bytes(), tmp_path / "damaged.dcm", 0
    for damage in damaged(content, 100, seed=7):
        path.write_bytes(damage)
        try:
            read(path, image)
        except InputError:
            refused += 1
    assert refused >= 100  # every truncation


def test_the_contours_are_what_other_programs_read(drawn: Callable[..., tuple[Path, Image]]) -> None:
    """What the writer leaves has what the standard asks of a contour."""
    dataset = dcmread(drawn()[0])
    for each in dataset.ROIContourSequence[0].ContourSequence:
        assert each.ContourGeometricType == "CLOSED_PLANAR"
        assert len(each.ContourData) == 3 * each.NumberOfContourPoints
        assert len({str(z) for z in each.ContourData[2::3]}) == 1
        assert len(each.ContourImageSequence) == 1

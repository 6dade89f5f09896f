"""DICOM segmentations: every kind, in every orientation, gives back its voxels; what is in doubt is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless
from scans import ORIENTATIONS, changed, damaged, masks, placed, places, series

from guidegen.errors import IdentityError, InputError, LabelError, VolumeError
from guidegen.intake import segmentations
from guidegen.intake.label_maps import LabelMap
from guidegen.intake.layers import Labels
from guidegen.intake.planes import Grid
from guidegen.intake.segmentations import read_segmentation
from guidegen.intake.structures import cut_out, find
from guidegen.phantom.dicom_labels import write_segmentation
from guidegen.volumes import Volume

KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")
EXACT_MM = 1e-3


def parts(kind: str) -> dict[str, npt.NDArray[np.bool_]]:
    """The masks of a hip; for a LABELMAP, which cannot overlap, the femur without its lesion."""
    hip = masks()
    return hip | {"femur": hip["femur"] & ~hip["lesion"]} if kind == "LABELMAP" else hip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The series in each orientation."""
    root = tmp_path_factory.mktemp("series")
    return {name: series(root / name, direction) for name, direction in ORIENTATIONS.items()}


@pytest.fixture(scope="module")
def as_written(folders: dict[str, Path]) -> Callable[[Any, str], bytes]:
    """The hip as a segmentation of one kind in one orientation, written once."""

    @cache
    def content(kind: Any, orientation: str) -> bytes:
        path = folders[orientation].parent / "seg.dcm"
        write_segmentation(parts(kind), folders[orientation], path, kind)
        return path.read_bytes()

    return content


@pytest.fixture
def write(tmp_path: Path, folders: dict[str, Path], as_written: Callable[[Any, str], bytes]) -> Callable[..., Path]:
    """Write the hip as a segmentation of one kind in one orientation, with something changed in it."""

    def written(
        kind: Any = "BINARY", orientation: str = "axial", change: Callable[[Dataset], None] | None = None, **hip: Any
    ) -> Path:
        path = tmp_path / "seg.dcm"
        if hip:
            write_segmentation(hip, folders[orientation], path, kind)
        else:
            path.write_bytes(as_written(kind, orientation))
        return changed(path, change) if change else path

    return written


def read(path: Path) -> LabelMap:
    return read_segmentation(path, path.name)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_voxels_and_places_come_back(kind: str, orientation: str, write: Callable[..., Path]) -> None:
    labels = read(write(kind, orientation))
    assert [(each.name, each.value) for each in labels.segments] == [("femur", 1), ("lesion", 2), ("pelvis", 3)]
    assert len(labels.layers) == (1 if kind == "LABELMAP" else 2)
    for segment, (name, mask) in zip(labels.segments, parts(kind).items(), strict=True):
        assert segment.name == name
        truth = placed(mask, ORIENTATIONS[orientation]).canonical()
        found = places(labels.layers[segment.layer], segment.value)
        np.testing.assert_allclose(found, places(truth, 1), atol=EXACT_MM, rtol=0.0)
        np.testing.assert_allclose(labels.layers[segment.layer].direction, truth.direction, atol=1e-9)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_as_another_reader(kind: str, orientation: str, write: Callable[..., Path]) -> None:
    """highdicom places frames by itself: its index axes are slices, rows and columns, and LPS as ours."""
    from highdicom.seg import segread

    path = write(kind, orientation)
    labels, other = read(path), segread(path)
    for segment in labels.segments:
        volume = other.get_volume(segment_numbers=[segment.value])
        indices = np.argwhere(volume.array[..., 0] > 0)
        expected = indices @ volume.affine[:3, :3].T + volume.affine[:3, 3]
        found = places(labels.layers[segment.layer], segment.value)
        in_order = [each[np.lexsort(each.round(3).T)] for each in (found, expected)]
        np.testing.assert_allclose(*in_order, atol=EXACT_MM, rtol=0.0)


def test_the_writer_is_deterministic(write: Callable[..., Path]) -> None:
    for kind in KINDS:
        assert write(kind, **parts(kind)).read_bytes() == write(kind).read_bytes()


@pytest.mark.parametrize(
    ("hip", "message"),
    [
        (masks(), "expected masks that do not overlap"),
        ({"a": np.zeros((2, 2, 2), np.bool_)}, "expected masks of .13, 9"),
    ],
)
def test_what_cannot_be_written(hip: Any, message: str, write: Callable[..., Path]) -> None:
    with pytest.raises(VolumeError, match=message):
        write("LABELMAP", **hip)


def test_structures_are_found_by_name_and_number(write: Callable[..., Path]) -> None:
    labels = read(write())
    lesion = find(labels, "lesion", "lesion.lesion")
    assert (lesion.layer, lesion.value) == (1, 2)
    assert cut_out(labels, lesion).mask.voxels.sum() == parts("BINARY")["lesion"].sum()
    assert find(labels, 3, "bone.pelvis").layer == 0


def test_segments_without_overlap_share_a_layer(write: Callable[..., Path]) -> None:
    hip = parts("LABELMAP")
    labels = read(write("BINARY", **hip))
    assert len(labels.layers) == 1
    assert [int((labels.layers[0].voxels == value).sum()) for value in (1, 2, 3)] == [m.sum() for m in hip.values()]


def test_empty_slices_left_out_and_an_empty_segment(write: Callable[..., Path]) -> None:
    far = np.zeros((13, 9, 8), np.bool_)
    far[3:5, 3:5, [1, 2, 6]] = True
    labels = read(write(far=far, nothing=np.zeros_like(far)))
    assert dcmread(write(far=far, nothing=np.zeros_like(far))).NumberOfFrames == 3
    assert labels.layers[0].voxels.shape == (13, 9, 6)
    assert [int(plane.sum()) for plane in np.moveaxis(labels.layers[0].voxels, 2, 0)] == [4, 4, 0, 0, 0, 4]
    with pytest.raises(LabelError, match=r"expected voxels of label 'nothing' in seg\.dcm"):
        find(labels, "nothing", "lesion.lesion")


@pytest.mark.parametrize("stated", ["PROBABILITY", "OCCUPANCY"])
def test_a_fraction_counts_from_half_on(stated: str, write: Callable[..., Path]) -> None:
    def fractions(dataset: Dataset) -> None:
        dataset.SegmentationFractionalType = stated
        dataset.MaximumFractionalValue = 200
        values = np.frombuffer(dataset.PixelData, np.uint8).copy()
        inside = np.flatnonzero(values)
        values[inside] = 100
        values[inside[0]] = 99
        values[values == 0] = 99
        dataset.PixelData = values.tobytes()

    femur = parts("LABELMAP")["femur"]
    labels = read(write("FRACTIONAL", change=fractions, femur=femur))
    assert labels.layers[0].voxels.sum() == femur.sum() - 1


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP"])
def test_run_lengths_are_the_same_voxels(kind: str, write: Callable[..., Path]) -> None:
    plain = read(write(kind))
    packed = read(write(kind, change=lambda dataset: dataset.compress(RLELossless)))
    assert all(np.array_equal(a.voxels, b.voxels) for a, b in zip(plain.layers, packed.layers, strict=True))


def test_a_labelmap_of_16_bits_with_gaps_in_its_numbers(write: Callable[..., Path]) -> None:
    def widened(dataset: Dataset) -> None:
        voxels = dataset.NumberOfFrames * dataset.Rows * dataset.Columns  # an odd number, stored with a byte to spare
        values = np.frombuffer(dataset.PixelData, np.uint8)[:voxels].astype("<u2")
        values[values == 3] = 40_000
        dataset.SegmentSequence[3].SegmentNumber = 40_000
        dataset.PixelData, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = values.tobytes(), 16, 16, 15

    labels = read(write("LABELMAP", change=widened))
    assert [each.value for each in labels.segments] == [1, 2, 40_000]
    assert (labels.layers[0].voxels == 40_000).sum() == masks()["pelvis"].sum()


def test_identity(write: Callable[..., Path]) -> None:
    identity = read(write()).identity
    assert identity is not None
    assert (identity.modality, identity.patient_id, identity.laterality) == ("SEG", "PHANTOM", None)
    assert identity.frame_of_reference_uid == dcmread(write()).FrameOfReferenceUID


# What a SEG may say of its side.


def coded(dataset: Dataset, segment: int, code: str, sequence: str = "SegmentedPropertyTypeCodeSequence") -> None:
    modifier = Dataset()
    modifier.CodeValue, modifier.CodingSchemeDesignator, modifier.CodeMeaning = code, "SCT", "side"
    described = dataset.SegmentSequence[segment]
    if sequence not in described:
        setattr(described, sequence, [Dataset()])
    name = sequence.replace("CodeSequence", "") + "ModifierCodeSequence"
    setattr(described[sequence][0], "AnatomicRegionModifierSequence" if "Region" in sequence else name, [modifier])


def side_of(path: Path) -> str | None:
    identity = read(path).identity
    assert identity is not None
    return identity.laterality


@pytest.mark.parametrize(("code", "side"), [("7771000", "left"), ("24028007", "right"), ("G-A101", "left")])
@pytest.mark.parametrize("sequence", ["SegmentedPropertyTypeCodeSequence", "AnatomicRegionSequence"])
def test_a_coded_side(code: str, side: str, sequence: str, write: Callable[..., Path]) -> None:
    assert side_of(write(change=lambda dataset: coded(dataset, 0, code, sequence))) == side


def test_segments_on_both_sides_state_none(write: Callable[..., Path]) -> None:
    def both(dataset: Dataset) -> None:
        coded(dataset, 0, "7771000")
        coded(dataset, 1, "24028007")

    assert side_of(write(change=both)) is None


def test_a_side_that_contradicts_itself_is_refused(write: Callable[..., Path]) -> None:
    def torn(dataset: Dataset) -> None:
        coded(dataset, 0, "7771000")
        dataset.Laterality = "R"

    with pytest.raises(IdentityError, match="expected one side, found right as the file's and left as its segments'"):
        read(write(change=torn))


# What is refused.


def frame(dataset: Dataset, number: int) -> Dataset:
    return dataset.PerFrameFunctionalGroupsSequence[number - 1]


def shared(dataset: Dataset, group: str) -> Dataset:
    return dataset.SharedFunctionalGroupsSequence[0][group][0]


def moved(dataset: Dataset, number: int, *by_mm: float) -> None:
    position = frame(dataset, number).PlanePositionSequence[0]
    position.ImagePositionPatient = [float(a) + b for a, b in zip(position.ImagePositionPatient, by_mm, strict=True)]


def set_position(dataset: Dataset, number: int, values: list[Any]) -> None:
    frame(dataset, number).PlanePositionSequence[0].ImagePositionPatient = values


def set_of(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset, keyword, value)


def measures(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(shared(dataset, "PixelMeasuresSequence"), keyword, value)


def cosines(*values: float) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(shared(dataset, "PlaneOrientationSequence"), "ImageOrientationPatient", [*values])


def described(segment: int, keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset.SegmentSequence[segment], keyword, value)


def tilted(dataset: Dataset) -> None:
    for number in range(1, len(dataset.PerFrameFunctionalGroupsSequence) + 1):
        height = float(frame(dataset, number).PlanePositionSequence[0].ImagePositionPatient[2])
        moved(dataset, number, 0.0, 0.1 * (height - 700.0), 0.0)


def own_measures(dataset: Dataset) -> None:
    own = Dataset()
    own.PixelSpacing, own.SliceThickness, own.SpacingBetweenSlices = [2.0, 1.6], "2.5", "2.5"
    frame(dataset, 4).PixelMeasuresSequence = [own]


def own_orientation(dataset: Dataset) -> None:
    own = Dataset()
    own.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]
    frame(dataset, 4).PlaneOrientationSequence = [own]


def same_place(dataset: Dataset) -> None:
    set_position(dataset, 2, list(frame(dataset, 1).PlanePositionSequence[0].ImagePositionPatient))


def one_slice(dataset: Dataset) -> None:
    del shared(dataset, "PixelMeasuresSequence").SpacingBetweenSlices
    for number in range(2, dataset.NumberOfFrames + 1):
        same = list(frame(dataset, 1).PlanePositionSequence[0].ImagePositionPatient)
        set_position(dataset, number, same)


def fewer_places(dataset: Dataset) -> None:
    del dataset.PerFrameFunctionalGroupsSequence[-1]


REFUSED: dict[str, tuple[Callable[[Dataset], None], str]] = {
    "another object": (set_of("SegmentationType", "SURFACE"), "expected a DICOM segmentation .BINARY, FRACTIONAL, LAB"),
    "another class": (set_of("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "found another object"),
    "one of several parts": (set_of("InConcatenationTotalNumber", 2), "expected a whole segmentation, found one part"),
    "bits that do not fit": (set_of("BitsStored", 8), "expected 1 bits for a voxel of a BINARY segmentation"),
    "signed": (set_of("PixelRepresentation", 1), "expected PixelRepresentation from 0 to 0, found 1"),
    "places missing": (fewer_places, r"expected the places of 14 frames, found 13"),
    "no position": (
        lambda dataset: frame(dataset, 3).__delattr__("PlanePositionSequence"),
        "expected one PlanePositionSequence for frame 3, found 0",
    ),
    "no orientation": (
        lambda dataset: dataset.SharedFunctionalGroupsSequence[0].__delattr__("PlaneOrientationSequence"),
        "expected one PlaneOrientationSequence for frame 1, found 0",
    ),
    "no measures": (
        lambda dataset: dataset.SharedFunctionalGroupsSequence[0].__delattr__("PixelMeasuresSequence"),
        "expected one PixelMeasuresSequence for frame 1, found 0",
    ),
    "no sequence": (set_of("SegmentSequence", None), "expected segments, found none described"),
    "NaN": (
        lambda dataset: set_position(dataset, 5, ["nan", "0", "0"]),
        "seg.dcm, frame 5: expected 3 finite numbers as ImagePositionPatient",
    ),
    "two numbers for a place": (
        lambda dataset: set_position(dataset, 5, ["0", "0"]),
        "frame 5: expected 3 finite numbers as ImagePositionPatient",
    ),
    "metres away": (lambda dataset: moved(dataset, 5, 1e5, 0.0, 0.0), "expected places within ±10000 mm"),
    "a tilted gantry": (tilted, "expected frames straight above one another, found frame .* aside"),
    "a frame aside": (lambda dataset: moved(dataset, 6, 0.03, 0.0, 0.0), "found frame 6 0.03 mm aside"),
    "uneven": (
        lambda dataset: moved(dataset, 6, 0.0, 0.0, 0.9),
        r"expected slices every 2.5 mm, found frames \d+ and \d+ one after the other at a distance of",
    ),
    "twice": (same_place, "expected one frame for each slice of a segment, found frames 1 and 2 in the same place"),
    "half the spacing": (measures("SpacingBetweenSlices", "1.25"), "expected neighbouring slices 1.25 mm apart"),
    "twice the spacing": (measures("SpacingBetweenSlices", "5.0"), "expected slices every 5 mm"),
    "a little spacing": (measures("SpacingBetweenSlices", "2.55"), "expected slices every 2.55 mm"),
    "no distance": (measures("SpacingBetweenSlices", "0"), "expected spacings from .* found 0; is the file in mm"),
    "spacing in metres": (measures("PixelSpacing", ["0.002", "0.0015"]), r"expected spacings .* found 0.0015 × 0.002"),
    "one slice without thickness": (one_slice, "expected SpacingBetweenSlices, or frames in several slices"),
    "another spacing": (own_measures, "expected one spacing for all frames, found another for frame 4"),
    "another orientation": (own_orientation, "expected one orientation for all frames, found another for frame 4"),
    "a sheared plane": (cosines(1.0, 0.0, 0.0, 0.1, 0.995, 0.0), "expected rows and columns at right angles"),
    "no direction": (cosines(1.0, 0.0, 0.0, 1.0, 0.0, 0.0), "expected rows and columns at right angles"),
    "a name of two lines": (described(1, "SegmentLabel", "a\nb"), "expected one line of 1 to 200 printable characters"),
    "an endless name": (described(1, "SegmentLabel", "a" * 201), "1 to 200 printable characters as SegmentLabel"),
    "no name": (described(1, "SegmentLabel", ""), "1 to 200 printable characters as SegmentLabel"),
    "a number twice": (described(1, "SegmentNumber", 1), "expected every segment number once, found 1 twice"),
    "number 0": (described(1, "SegmentNumber", 0), "expected SegmentNumber from 1 to 65535, found 0"),
    "undescribed": (
        lambda dataset: dataset.SegmentSequence.pop(),
        "expected frames of the segments that it describes, found frame 10 of segment 3",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, write: Callable[..., Path]) -> None:
    change, message = REFUSED[case]
    with pytest.raises((VolumeError, LabelError), match=message):
        read(write(change=change))


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("FRACTIONAL", set_of("SegmentationFractionalType", "GUESS"), "PROBABILITY or OCCUPANCY, found neither"),
        ("FRACTIONAL", set_of("MaximumFractionalValue", 0), "expected MaximumFractionalValue from 1 to 255, found 0"),
        ("FRACTIONAL", set_of("MaximumFractionalValue", 200), "up to MaximumFractionalValue = 200, found 255"),
        ("LABELMAP", set_of("PixelPaddingValue", 1), "expected PixelPaddingValue from 0 to 0, found 1"),
        ("LABELMAP", lambda dataset: dataset.SegmentSequence.pop(), "found some of segment 3, which is none of them"),
        ("LABELMAP", same_place, "found frames 1 and 2 in the same place"),
        ("LABELMAP", set_of("SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.4"), "found another object"),
    ],
)
def test_what_is_refused_of_other_kinds(
    kind: str, change: Callable[[Dataset], None], message: str, write: Callable[..., Path]
) -> None:
    with pytest.raises((VolumeError, LabelError), match=message):
        read(write(kind, change=change))


def test_a_background_that_is_only_a_number_is_refused(write: Callable[..., Path]) -> None:
    def unsaid(dataset: Dataset) -> None:
        del dataset.PixelPaddingValue

    with pytest.raises(VolumeError, match="expected SegmentNumber from 1 to 65535, found 0"):
        read(write("LABELMAP", change=unsaid))


def test_a_huge_grid_is_refused_before_it_takes_memory(write: Callable[..., Path]) -> None:
    def far(dataset: Dataset) -> None:
        count, side = dataset.NumberOfFrames, 512
        dataset.Rows = dataset.Columns = side
        dataset.PixelData = bytes(count * side * side // 8)
        for number, height in ((1, -9_990.0), (2, -9_987.5), (3, 9_985.0)):
            set_position(dataset, number, [-20.0, 30.0, height])

    with pytest.raises(VolumeError, match=r"expected at most 1 GiB of voxels, found 512 × 512 × 7991"):
        read(write(change=far))


def test_too_many_layers_are_refused(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from guidegen.intake import layers

    path = write()
    monkeypatch.setattr(layers, "MAX_BYTES", 13 * 9 * 8)
    with pytest.raises(VolumeError, match="found 1 layers of segments that overlap, and more"):
        read(path)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_or_shifted_volume_is_caught(
    axis: int, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's own mistakes: an axis turned round, and a place half a voxel off."""
    path, as_it_is = write(), segmentations._volume

    def mirrored(layer: Labels, grid: Grid) -> Volume:
        volume = as_it_is(layer, grid)
        return replace(volume, voxels=np.flip(volume.voxels, axis))

    def shifted(layer: Labels, grid: Grid) -> Volume:
        volume = as_it_is(layer, grid)
        return replace(volume, origin_mm=volume.to_lps(np.eye(3)[axis] / 2.0))

    for wrong in (mirrored, shifted):
        monkeypatch.setattr(segmentations, "_volume", wrong)
        with pytest.raises(VolumeError, match=r"where its frames place them, found .* mm off"):
            read(path)


def test_no_name_of_the_patient_in_messages(write: Callable[..., Path]) -> None:
    def named(dataset: Dataset) -> None:
        dataset.PatientName, dataset.PatientID = "SECRET^NAME", "SECRETID"
        dataset.BitsStored = 8

    with pytest.raises(VolumeError) as caught:
        read(write(change=named))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind: str, write: Callable[..., Path], tmp_path: Path) -> None:
    """A DICOM file has no check sum: a changed voxel may pass, but nothing other than our own errors may come out."""
    small = {name: mask & (np.arange(8) < 4) for name, mask in parts("LABELMAP").items()}
    content = write(kind, **small).read_bytes()
    path, refused = tmp_path / "damaged.dcm", 0
    for damage in damaged(content, 100, seed=KINDS.index(kind)):
        path.write_bytes(damage)
        try:
            read(path)
        except InputError:
            refused += 1
    assert refused >= 100  # every truncation

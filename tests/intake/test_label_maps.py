"""Label maps: every way to store one volume is the same volume, and what is no label map is refused."""

from __future__ import annotations

import gzip
import itertools
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.case import LABEL_SUFFIXES
from guidegen.errors import VolumeError
from guidegen.frames import rotation_about
from guidegen.intake.label_maps import FORMATS, read_label_map
from guidegen.intake.structures import cut_out, find
from guidegen.volumes import Volume

Voxels = npt.NDArray[np.uint8]
Write = Callable[..., Path]

# NIfTI stores its place in float32: half a unit in the last place at 700 mm.
FLOAT32_MM = 7e-5


def stored_ways(volume: Volume) -> Iterator[Volume]:
    """The 48 ways to store a volume: index axes in each order, each forwards or backwards."""
    for order in itertools.permutations(range(3)):
        for backwards in itertools.product((False, True), repeat=3):
            voxels, direction = volume.voxels.transpose(order), volume.direction[:, order].copy()
            spacing, origin = volume.spacing_mm[list(order)], volume.origin_mm.copy()
            for axis in np.flatnonzero(backwards).tolist():
                voxels = np.flip(voxels, axis)
                origin = origin + direction[:, axis] * spacing[axis] * (voxels.shape[axis] - 1)
                direction[:, axis] *= -1.0
            yield Volume(voxels, spacing, direction, origin)


def read(path: Path) -> Volume:
    return read_label_map(path, path.name).volume


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
@pytest.mark.parametrize("turn_deg", [0.0, 25.0])
def test_all_48_ways_to_store_a_volume(
    suffix: str, turn_deg: float, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    turn = rotation_about([1.0, 2.0, -0.5], turn_deg)
    truth = Volume(hip, np.array([3.0, 4.0, 2.5]), turn, np.array([-20.0, 30.0, -700.0]))
    path = tmp_path / f"labels{suffix}"
    count = 0
    for stored in stored_ways(truth):
        labels = read_label_map(
            write_labels(path, stored.voxels, stored.spacing_mm, stored.origin_mm, stored.direction), path.name
        )
        structure = cut_out(labels, find(labels, 1, "femur"))
        if count == 0:
            first = structure
        assert np.array_equal(labels.volume.voxels, hip)
        assert np.array_equal(structure.mask.voxels, first.mask.voxels)
        assert structure.mask.voxels.flags.c_contiguous
        assert (structure.box, structure.touches_border) == (first.box, ("inferior",))
        np.testing.assert_allclose(labels.volume.spacing_mm, truth.spacing_mm, rtol=1e-6)
        places = structure.mask.to_lps(np.argwhere(structure.mask.voxels))
        np.testing.assert_allclose(places, truth.to_lps(np.argwhere(hip == 1)), atol=FLOAT32_MM)
        count += 1
    assert count == 48


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_every_kind_of_number(
    kind: npt.DTypeLike, suffix: str, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    labels = read(write_labels(tmp_path / f"labels{suffix}", hip.astype(kind)))
    assert labels.voxels.dtype.kind in "iu"
    assert np.array_equal(labels.voxels, hip)


def test_a_direction_of_few_decimals_is_taken_for_the_rotation_it_rounds(
    tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    turn = rotation_about([0.3, 1.0, 0.2], 12.0)
    volume = read(write_labels(tmp_path / "labels.nrrd", hip, direction=turn.round(5)))
    np.testing.assert_allclose(volume.direction, turn, atol=1e-5)
    assert np.abs(volume.direction.T @ volume.direction - np.eye(3)).max() < 1e-12
    middle = (np.array(hip.shape) - 1) / 2
    place = (turn.round(5) * [3.0, 4.0, 2.5]) @ middle + [-20.0, 30.0, -700.0]
    np.testing.assert_allclose(volume.to_lps(middle), place, atol=1e-9)


def nrrd(path: Path, **changes: str | None) -> Path:
    """A NRRD of 20 × 20 × 20 voxels of 2 mm, some lines of its header changed or (None) left out."""
    lines: dict[str, str | None] = {
        "type": "uint8",
        "dimension": "3",
        "sizes": "20 20 20",
        "space": "left-posterior-superior",
        "space directions": "(2,0,0) (0,2,0) (0,0,2)",
        "space origin": "(10,20,30)",
        "encoding": "raw",
    }
    lines |= {key.replace("_", " "): value for key, value in changes.items()}
    header = "NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)
    path.write_bytes(header.encode() + b"\n" + bytes(range(200)) * 40)
    return path


@pytest.mark.parametrize(
    ("space", "directions", "origin"),
    [
        ("LPS", "(2,0,0) (0,2,0) (0,0,2)", "(10,20,30)"),
        ("right-anterior-superior", "(-2,0,0) (0,-2,0) (0,0,2)", "(-10,-20,30)"),
        ("RAS", "(-2,0,0) (0,-2,0) (0,0,2)", "(-10,-20,30)"),
        ("LAS", "(2,0,0) (0,-2,0) (0,0,2)", "(10,-20,30)"),
        ("left-anterior-superior", "(2,0,0) (0,-2,0) (0,0,2)", "(10,-20,30)"),
    ],
)
def test_the_patient_frames_of_nrrd(space: str, directions: str, origin: str, tmp_path: Path) -> None:
    volume = read(nrrd(tmp_path / "labels.nrrd", space=space, space_directions=directions, space_origin=origin))
    np.testing.assert_allclose(volume.direction, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(volume.origin_mm, [10.0, 20.0, 30.0], atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": None}, "expected a patient frame .* found space None"),
        ({"space": "scanner-xyz"}, "expected a patient frame .* found space 'scanner-xyz'"),
        ({"space_directions": None}, r"expected 3 × \(x, y, z\) as 'space directions' in the header, found None"),
        ({"space_origin": None}, r"expected 1 × \(x, y, z\) as 'space origin' in the header, found None"),
        ({"space_units": '"m" "m" "m"'}, "expected space units of mm"),
        ({"data_file": "/etc/hostname"}, "header that names another file"),
        ({"datafile": "../x.raw"}, "header that names another file"),
        ({"encoding": "ascii"}, "expected encoding raw or gzip, found 'ascii'"),
        ({"encoding": "gzip"}, "expected a whole file, found one that cannot be read"),
        ({"type": "quux"}, "expected an image that can be read"),
        ({"type": "block", "block_size": "1"}, "expected an image that can be read"),
        ({"sizes": "20 20 21"}, "expected 8400 bytes of voxels for 20 × 20 × 21, found 8000: the file is cut off"),
        ({"sizes": "20 20 -20"}, "expected an image that can be read"),
        ({"sizes": "9000 9000 9000"}, "expected at most 2 GiB"),
        ({"space_directions": "(2,0,0) (0.1,2,0) (0,0,2)"}, "expected index axes at right angles"),
        ({"space_directions": "(2,0,0) (2,0,0) (0,0,2)"}, "expected index axes at right angles"),
        ({"space_directions": "(2,0,0) (0,0,0) (0,0,2)"}, "expected spacings from 0.1 to 10.0 mm, found 2 × 0 × 2"),
        ({"space_directions": "(2,0,0) (nan,2,0) (0,0,2)"}, "as 'space directions' in the header"),
        ({"space_directions": "(nan,nan,nan) (0,2,0) (0,0,2)"}, "as 'space directions' in the header"),
        ({"space_directions": "none (0,2,0) (0,0,2)"}, "as 'space directions' in the header"),
        ({"space_directions": "(0.09,0,0) (0,2,0) (0,0,2)"}, r"found 0\.09 × 2 × 2; is the file in mm\?"),
        ({"space_directions": "(2,0,0) (0,2,0) (0,0,10.1)"}, r"found 2 × 2 × 10\.1; is the file in mm\?"),
        ({"space_origin": "(nan,0,0)"}, "as 'space origin' in the header"),
    ],
)
def test_nrrd_that_is_refused(changes: dict[str, str | None], message: str, tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match=message):
        read(nrrd(tmp_path / "labels.nrrd", **changes))


def test_shear_is_refused_from_its_tolerance_on(tmp_path: Path) -> None:
    below, above = (f"(2,0,0) ({2 * shear},2,0) (0,0,2)" for shear in (0.9e-4, 1.1e-4))
    assert read(nrrd(tmp_path / "labels.nrrd", space_directions=below)).voxels.shape == (20, 20, 20)
    with pytest.raises(VolumeError, match="right angles"):
        read(nrrd(tmp_path / "labels.nrrd", space_directions=above))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ElementDataFile = LOCAL", b"ElementDataFile = /etc/hostname", "expected the voxels in the file itself"),
        (b"ElementSpacing = 3 4 2.5\n", b"", "expected 3 numbers as ElementSpacing in the header, found ''"),
        (b"Offset = -20 30 -700\n", b"", "expected 3 numbers as Offset in the header, found ''"),
        (
            b"TransformMatrix = 1 0 0 0 1 0 0 0 1\n",
            b"",
            "expected 9 numbers as TransformMatrix in the header, found ''",
        ),
        (b"TransformMatrix = 1 0 0", b"TransformMatrix = 1 0.01 0", "expected index axes at right angles"),
        (b"Offset = -20", b"Offset = nan", "expected 3 numbers as Offset in the header, found 'nan 30 -700'"),
        (b"ElementSpacing = 3", b"ElementSpacing = -3", "expected spacings|expected an image that can be read"),
        (b"DimSize = 14 11 24", b"DimSize = 14 11 25", "the file is cut off"),
        (b"NDims = 3\n", b"no header at all\n", "expected a MetaImage header, found 'no header at all'"),
    ],
)
def test_mha_that_is_refused(
    old: bytes, new: bytes, message: str, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    path = write_labels(tmp_path / "labels.mha", hip)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    with pytest.raises(VolumeError, match=message):
        read(path)


def nifti(path: Path, write_labels: Write, hip: Voxels, changes: dict[int, bytes]) -> Path:
    """The hip as .nii with bytes of its header changed, by their offset."""
    data = bytearray(write_labels(path, hip).read_bytes())
    for offset, value in changes.items():
        data[offset : offset + len(value)] = value
    path.write_bytes(data)
    return path


def short(value: int) -> bytes:
    return struct.pack("<h", value)


def real(value: float) -> bytes:
    return struct.pack("<f", value)


QFORM, SFORM, SROW_X, QOFFSET_X, PIXDIM, UNITS, VOX_OFFSET, MAGIC = 252, 254, 280, 268, 76, 123, 108, 344


@pytest.mark.parametrize("gone", [QFORM, SFORM])
def test_nifti_with_one_of_its_two_places(gone: int, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    volume = read(nifti(tmp_path / "labels.nii", write_labels, hip, {gone: short(0)}))
    assert np.array_equal(volume.voxels, hip)
    np.testing.assert_allclose(volume.origin_mm, [-20.0, 30.0, -700.0], atol=FLOAT32_MM)


def test_nifti_in_metres(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    path = write_labels(tmp_path / "labels.nii", hip, (0.003, 0.004, 0.0025), (-0.02, 0.03, -0.7))
    data = bytearray(path.read_bytes())
    with pytest.raises(VolumeError, match=r"found 0\.003 × 0\.004 × 0\.0025; is the file in mm\?"):
        read(path)
    data[UNITS] = 1
    path.write_bytes(data)
    volume = read(path)
    np.testing.assert_allclose(volume.spacing_mm, [3.0, 4.0, 2.5], rtol=1e-6)
    np.testing.assert_allclose(volume.origin_mm, [-20.0, 30.0, -700.0], atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({QFORM: short(0), SFORM: short(0)}, "expected a place in the patient .* found both 0"),
        ({SROW_X + 12: real(20.02)}, r"found statements of it 0\.02 mm apart"),
        ({QOFFSET_X: real(40.0)}, "found statements of it 20 mm apart"),
        ({SROW_X: real(3.0)}, "found statements of it .* mm apart"),
        ({SROW_X + 4: real(0.5)}, "found statements of it .* mm apart"),
        ({QFORM: short(0), SROW_X + 4: real(0.5)}, "expected an image that can be read|expected index axes at right"),
        ({SROW_X: real(np.nan)}, "expected finite numbers in qform and sform"),
        ({PIXDIM + 4: real(np.inf)}, "expected finite numbers in qform and sform"),
        ({PIXDIM + 4: real(0.0)}, "found statements of it .* mm apart|expected an image that can be read"),
        ({UNITS: b"\x07"}, "expected finite numbers in qform and sform"),
        ({MAGIC: b"ni1\0"}, "expected a NIfTI-1 file"),
        ({MAGIC: bytes(4)}, "expected a NIfTI-1 file"),
        ({0: bytes(4)}, "expected a NIfTI-1 file"),
        ({VOX_OFFSET: real(400.0)}, "the file is cut off"),
        ({42: short(600), 44: short(600)}, "the file is cut off"),
        ({42: short(-5)}, "expected an image that can be read|the file is cut off"),
    ],
)
def test_nifti_that_is_refused(
    changes: dict[int, bytes], message: str, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    with pytest.raises(VolumeError, match=message):
        read(nifti(tmp_path / "labels.nii", write_labels, hip, changes))


def test_qform_and_sform_of_a_scan_tilted_a_little(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    """A quaternion near half a turn is coarse: strict equality would refuse honest scans."""
    wide = (10.0, 10.0, 10.0)
    for tilt_deg in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 30.0):
        turn = rotation_about([0.2, 0.5, 1.0], tilt_deg)
        volume = read(write_labels(tmp_path / "labels.nii", hip, wide, direction=turn))
        np.testing.assert_allclose(volume.direction, turn, atol=1e-6)


def test_qform_and_sform_may_differ_by_rounding(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    read(nifti(tmp_path / "labels.nii", write_labels, hip, {SROW_X + 12: real(20.009)}))


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
def test_a_file_that_is_cut_off_or_damaged(suffix: str, tmp_path: Path, write_labels: Write) -> None:
    """SimpleITK alone reads a cut-off NIfTI without a word and fills it up with zeros."""
    noise = np.random.default_rng(1).integers(0, 2, (20, 20, 20)).astype(np.uint8)
    path = write_labels(tmp_path / f"labels{suffix}", noise)
    if suffix in (".nrrd", ".mha"):
        sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    whole = path.read_bytes()
    for kept in (0, 3, 200, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:kept])
        with pytest.raises(VolumeError, match=re.escape(path.name)):
            read(path)
    if suffix != ".nii":  # not packed: no check sum
        flipped = bytearray(whole)
        flipped[-len(whole) // 4] ^= 0xFF
        path.write_bytes(flipped)
        with pytest.raises(VolumeError, match="expected a whole file, found one that cannot be read"):
            read(path)


@pytest.mark.parametrize("line", [b"", b"CompressedDataSize = 40\n"])
def test_a_packed_mha_must_state_its_size(line: bytes, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    """SimpleITK alone reads such a file without a word and returns memory that was never written."""
    path = write_labels(tmp_path / "labels.mha", hip)
    sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    path.write_bytes(re.sub(rb"CompressedDataSize = [0-9]+\n", line, path.read_bytes()))
    with pytest.raises(VolumeError, match=r"expected CompressedDataSize = [0-9]+, as many bytes as follow the header"):
        read(path)


@pytest.mark.parametrize("suffix", LABEL_SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"hello, this is no image\n" * 100, bytes(1000)])
def test_what_is_no_image(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"labels{suffix}"
    for packed in {content, gzip.compress(content, mtime=0)}:
        path.write_bytes(packed)
        with pytest.raises(VolumeError, match=re.escape(path.name) + ": expected"):
            read(path)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidegen.intake.headers.MAX_BYTES", 1 << 20)
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(gzip.compress(bytes(2 << 20), mtime=0))
    with pytest.raises(VolumeError, match="expected at most"):
        read(path)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (sitk.Image([4, 4, 4, 2], sitk.sitkUInt8), "expected a volume of 3 axes, found 4"),
        (sitk.Image([4, 4], sitk.sitkUInt8), "expected a volume of 3 axes, found 2"),
        (sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), "expected one label per voxel, found 3 values"),
        (sitk.Image([4, 4, 4], sitk.sitkComplexFloat32), "expected one label per voxel, found 2 values"),
    ],
)
def test_what_is_no_scalar_volume(image: sitk.Image, message: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    sitk.WriteImage(image, str(path))
    with pytest.raises(VolumeError, match=message):
        read(path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, r"expected whole numbers as labels, found 1\.5"),
        (1.00001, r"expected whole numbers as labels, found 1\.00001"),
        (np.nan, "expected finite labels"),
        (np.inf, "expected finite labels"),
        (3e9, "expected finite labels below"),
    ],
)
def test_floats_that_are_no_labels(
    value: float, message: str, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    voxels = hip.astype(np.float32)
    voxels[5, 5, 5] = value
    with pytest.raises(VolumeError, match=message):
        read(write_labels(tmp_path / "labels.mha", voxels))


def test_an_unknown_ending(tmp_path: Path) -> None:
    (tmp_path / "labels.dcm").write_bytes(b"DICM")
    with pytest.raises(VolumeError, match=r"labels\.dcm: expected a label map as \.nii, \.nii\.gz, \.nrrd, \.mha"):
        read(tmp_path / "labels.dcm")


def test_the_case_file_and_the_readers_know_the_same_endings() -> None:
    assert tuple(FORMATS) == LABEL_SUFFIXES

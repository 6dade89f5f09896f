"""Label maps: every way to store one volume is the same volume, and what is no label map is refused."""

from __future__ import annotations

import gzip
import itertools
import re
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.case import LABEL_SUFFIXES
from guidegen.errors import VolumeError
from guidegen.frames import rotation_about
from guidegen.intake.label_maps import read_label_map
from guidegen.intake.structures import cut_out, find
from guidegen.intake.voxel_files import FORMATS
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
    return read_label_map(path, path.name).layers[0]


@pytest.mark.parametrize("suffix", FORMATS)
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
        assert np.array_equal(labels.layers[0].voxels, hip)
        assert np.array_equal(structure.mask.voxels, first.mask.voxels)
        assert structure.mask.voxels.flags.c_contiguous
        assert (structure.box, structure.touches_border) == (first.box, ("inferior",))
        np.testing.assert_allclose(labels.layers[0].spacing_mm, truth.spacing_mm, rtol=1e-6)
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
        ({"type": "quux"}, "expected a known type and endian, found type 'quux', endian None"),
        ({"type": "uint16"}, "expected a known type and endian, found type 'uint16', endian None"),
        ({"endian": "middle"}, "endian 'middle'"),
        ({"type": "block", "block_size": "1"}, "expected a known type and endian, found type 'block'"),
        ({"sizes": "20 20 21"}, "expected 8400 bytes of voxels for 20 × 20 × 21, found 8000: the file is cut off"),
        ({"sizes": "20 20 -20"}, "expected numbers of voxels above 0 as sizes, found '20 20 -20'"),
        ({"sizes": "20 20 0"}, "expected numbers of voxels above 0 as sizes"),
        ({"sizes": "20 20 99999999999999999999"}, "expected numbers of voxels above 0 as sizes|expected .* voxels"),
        ({"sizes": "20 20 19"}, "expected 7600 bytes of voxels for 20 × 20 × 19, found more: the header is altered"),
        ({"sizes": "20 400"}, "expected as many sizes and kinds as the dimension says"),
        ({"sizes": "20 400", "dimension": "2"}, "expected a volume of 3 axes, found 2"),
        ({"sizes": "20 20 10 2", "dimension": "4"}, "expected a volume of 3 axes, found 4"),
        ({"sizes": "2 10 20 20", "dimension": "4", "kinds": "vector domain domain domain"}, "expected one number per"),
        ({"kinds": "domain domain"}, "expected as many sizes and kinds as the dimension says"),
        ({"byte_skip": "-1"}, "expected voxels right after the header, found byte skip -1"),
        ({"lineskip": "1"}, "expected voxels right after the header, found line skip 1"),
        ({"SPACE": "LPS"}, "expected one 'space' in the header, found two"),
        ({"sizes": "9000 9000 9000"}, "expected at most 1 GiB of voxels, found 1 × 9000 × 9000 × 9000 of uint8"),
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
        (b"DimSize = 14 11 24", b"DimSize = 14 11 23", "found more: the header is altered"),
        (b"DimSize = 14 11 24", b"DimSize = 14 11 x", "expected numbers of voxels above 0 as DimSize"),
        (b"DimSize = 14 11 24", b"DimSize = 14 264", "expected as many sizes as axes, found NDims = 3"),
        (b"NDims = 3", b"NDims = 4", "expected as many sizes as axes, found NDims = 4"),
        (
            b"BinaryData = True",
            b"BinaryData = False",
            r"expected plain binary voxels \(binarydata = true\), found 'False'",
        ),
        (
            b"BinaryData = True",
            b"BinaryData = True\nHeaderSize = -1",
            r"expected plain binary voxels \(headersize = 0\)",
        ),
        (b"BinaryData = True", b"ElementToIntensityFunctionSlope = 2", "expected plain binary voxels"),
        (
            b"CompressedData = False",
            b"CompressedData = Maybe",
            "expected True or False as compresseddata, found 'maybe'",
        ),
        (b"MET_UCHAR", b"MET_STRING", "expected a known ElementType, found 'MET_STRING'"),
        (b"MET_UCHAR", b"MET_UCHAR\nElementNumberOfChannels = 3", "expected one number per voxel, found 3 values"),
        (b"NDims = 3", b"NDims = 3\nPosition = 1 2 3", "expected one 'offset' in the header, found two"),
        (
            b"TransformMatrix = 1 0 0 0 1 0 0 0 1",
            b"TransformMatrix = 0 0 0 0 1 0 0 0 1",
            "expected index axes at right",
        ),
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


QFORM, SFORM, SROW_X, QUATERNION, QOFFSET_X, PIXDIM, UNITS, VOX_OFFSET = 252, 254, 280, 256, 268, 76, 123, 108
MAGIC, INTENT, DATATYPE, SLOPE = 344, 68, 70, 112


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
        ({UNITS: b"\x07"}, "expected mm, m or µm as the unit, found code 7"),
        ({MAGIC: b"ni1\0"}, "expected a NIfTI-1 file"),
        ({MAGIC: bytes(4)}, "expected a NIfTI-1 file"),
        ({0: bytes(4)}, "expected a NIfTI-1 file"),
        ({VOX_OFFSET: real(400.0), 348: b"\0"}, "the file is cut off"),
        ({42: short(600), 44: short(600)}, "the file is cut off"),
        ({42: short(-5)}, "expected 3 axes and numbers of voxels above 0, found dim"),
        ({40: short(9)}, "expected 3 axes and numbers of voxels above 0, found dim"),
        ({46: short(23)}, "expected 3542 bytes of voxels for 14 × 11 × 23, found more: the header is altered"),
        ({0: b"\x1c\x02\0\0"}, "expected a NIfTI-1 file, found NIfTI-2"),
        ({VOX_OFFSET: real(348.0)}, "expected voxels from byte 352 to 4194304 on, found 348"),
        ({VOX_OFFSET: real(352.5)}, r"expected voxels from byte 352 .* found 352\.5"),
        ({VOX_OFFSET: real(np.nan)}, "expected voxels from byte 352 .* found nan"),
        ({VOX_OFFSET: real(1e9)}, "expected voxels from byte 352 .* found 1e"),
        ({INTENT: short(5)}, r"expected plain numbers or labels, found intent code 5 \(vectors or a statistic\)"),
        ({DATATYPE: short(128)}, "expected one number per voxel, found 3 values"),
        ({DATATYPE: short(2304)}, "expected one number per voxel, found 4 values"),
        ({DATATYPE: short(32)}, "expected one number per voxel"),
        ({DATATYPE: short(77)}, "expected a known kind of number, found code 77"),
        ({SLOPE: real(2.0)}, r"expected labels as they are, found a scale \(slope 2, intercept 0\)"),
        ({SLOPE: real(1.0), SLOPE + 4: real(3.0)}, r"found a scale \(slope 1, intercept 3\)"),
        ({SLOPE: real(1.0), SLOPE + 4: real(np.nan)}, "expected a finite scl_inter, found another"),
        ({QUATERNION: real(2.0)}, "expected a rotation as its qform, found none"),
        ({PIXDIM: real(0.5)}, "expected a rotation as its qform, found none"),
        ({PIXDIM + 4: real(-3.0)}, "expected a rotation as its qform, found none"),
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


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_cut_off_or_damaged(suffix: str, tmp_path: Path, write_labels: Write) -> None:
    """SimpleITK alone reads a cut-off NIfTI without a word and fills it up with zeros."""
    noise = np.random.default_rng(1).integers(0, 2, (20, 20, 20)).astype(np.uint8)
    path = write_labels(tmp_path / f"labels{suffix}", noise)
    if suffix != ".nii":
        sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    voxel_file = path.with_suffix(".zraw") if suffix == ".mhd" else path
    whole = voxel_file.read_bytes()
    for kept in (0, 3, 200, len(whole) // 2, len(whole) - 3):
        voxel_file.write_bytes(whole[:kept])
        with pytest.raises(VolumeError, match=re.escape(path.name)):
            read(path)
    if suffix != ".nii":  # not packed: no check sum
        flipped = bytearray(whole)
        flipped[-len(whole) // 4] ^= 0xFF
        voxel_file.write_bytes(flipped)
        with pytest.raises(
            VolumeError, match=r"expected a whole file, found one that cannot|expected an image that can"
        ):
            read(path)


def test_a_packed_mha_that_states_another_size(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    """SimpleITK alone reads such a file without a word and returns memory that was never written."""
    path = write_labels(tmp_path / "labels.mha", hip)
    sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    data = path.read_bytes()
    path.write_bytes(re.sub(rb"CompressedDataSize = [0-9]+", b"CompressedDataSize = 40", data))
    with pytest.raises(
        VolumeError, match=r"expected CompressedDataSize = [0-9]+, as many bytes as there are, found 40"
    ):
        read(path)
    path.write_bytes(re.sub(rb"CompressedDataSize = [0-9]+\n", b"", data))
    assert np.array_equal(read(path).voxels, hip)


@pytest.mark.parametrize("more", [b"\0", b"\1" * 1000])
def test_bytes_after_the_packed_voxels(more: bytes, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    path = write_labels(tmp_path / "labels.mha", hip)
    sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    size = re.search(rb"CompressedDataSize = ([0-9]+)", data := path.read_bytes())
    assert size
    path.write_bytes(data.replace(size[0], b"CompressedDataSize = %d" % (int(size[1]) + len(more))) + more)
    with pytest.raises(VolumeError, match="bytes after the end of its packed voxels"):
        read(path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("content", [b"", b"hello, this is no image\n" * 100, bytes(1000)])
def test_what_is_no_image(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"labels{suffix}"
    for packed in {content, gzip.compress(content, mtime=0)}:
        path.write_bytes(packed)
        with pytest.raises(VolumeError, match=re.escape(path.name) + ": expected"):
            read(path)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_bomb_is_not_unpacked(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte more than the header needs is unpacked, and a header that needs too many is refused by itself."""
    path, zeros = tmp_path / f"labels{suffix}", sitk.Image([100, 100, 2000], sitk.sitkUInt8)
    sitk.WriteImage(zeros, str(path), useCompression=True)
    assert path.stat().st_size < 30_000
    monkeypatch.setattr("guidegen.intake.voxel_files.MAX_BYTES", 20_000_000)
    assert read(path).voxels.shape == (100, 100, 2000)
    monkeypatch.setattr("guidegen.intake.voxel_files.MAX_BYTES", 19_999_999)
    with pytest.raises(VolumeError, match="expected at most 0 GiB of voxels, found 1 × 100 × 100 × 2000 of uint8"):
        read(path)


def test_voxels_without_end_are_not_unpacked(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    path = write_labels(tmp_path / "labels.nii.gz", hip)
    read(path)  # what is loaded once is not counted
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(1 << 27), 1))
    start = time.process_time()
    with pytest.raises(VolumeError, match="expected 3696 bytes of voxels for 14 × 11 × 24, found more"):
        read(path)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (sitk.Image([4, 4, 4, 2], sitk.sitkUInt8), "expected a volume of 3 axes, found 4|found space None"),
        (sitk.Image([4, 4], sitk.sitkUInt8), "expected a volume of 3 axes, found 2|found space None"),
        (sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), "expected one number per voxel, found|expected plain numbers"),
        (sitk.Image([4, 4, 4], sitk.sitkComplexFloat32), "expected one number per voxel, found|known type|3 axes"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_what_is_no_scalar_volume(image: sitk.Image, message: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"labels{suffix}"
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
        (-3e9, "expected finite labels below"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_floats_that_are_no_labels(
    value: float, message: str, suffix: str, tmp_path: Path, hip: Voxels, write_labels: Write
) -> None:
    """SimpleITK alone makes NaN in a NIfTI 0 without a word."""
    voxels = hip.astype(np.float32)
    voxels[5, 5, 5] = value
    with pytest.raises(VolumeError, match=message):
        read(write_labels(tmp_path / f"labels{suffix}", voxels))


@pytest.mark.parametrize("value", [2**31 - 1, -(2**31), 2**32 + 1, -(2**63)])
def test_whole_numbers_beyond_any_label(value: int, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    voxels = hip.astype(np.int64)
    voxels[5, 5, 5] = value
    with pytest.raises(VolumeError, match="expected finite labels below 2147483647, found others"):
        read(write_labels(tmp_path / "labels.nrrd", voxels))


@pytest.mark.parametrize("slope", [0.0, 1.0, np.nan])
def test_a_scale_that_is_none(slope: float, tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    path = nifti(tmp_path / "labels.nii", write_labels, hip, {SLOPE: real(slope), SLOPE + 4: real(0.0)})
    assert np.array_equal(read(path).voxels, hip)


def test_axes_of_one_voxel_beyond_the_third(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    """Many programs write a volume as a series of one."""
    path = nifti(tmp_path / "labels.nii", write_labels, hip, {40: short(5), 48: short(1), 50: short(1)})
    assert np.array_equal(read(path).voxels, hip)
    with pytest.raises(VolumeError, match="expected a volume of 3 axes, found 4"):
        read(nifti(tmp_path / "labels.nii", write_labels, hip, {40: short(4), 48: short(2)}))
    with pytest.raises(VolumeError, match="expected one number per voxel, found 3 values"):
        read(nifti(tmp_path / "labels.nii", write_labels, hip, {40: short(5), 48: short(1), 50: short(3)}))


@pytest.mark.parametrize("kind", ["<i2", ">i2", "<f4", ">f4", ">i4", ">f8"])
def test_byte_orders(kind: str, tmp_path: Path, hip: Voxels) -> None:
    data = hip.astype(kind).tobytes(order="F")
    nibabel.save(
        nibabel.Nifti1Image(
            hip.astype(kind), np.diag([-2.0, -2.0, 2.0, 1.0]), nibabel.Nifti1Header(endianness=kind[0])
        ),
        tmp_path / "labels.nii",
    )
    order = "little" if kind[0] == "<" else "big"
    nrrd(tmp_path / "labels.nrrd", sizes="14 11 24", type=KIND_WORDS[kind[1:]], endian=order)
    path = tmp_path / "labels.nrrd"
    path.write_bytes(path.read_bytes()[:-8000] + data)
    for name in ("labels.nii", "labels.nrrd"):
        assert np.array_equal(read(tmp_path / name).voxels, hip)


KIND_WORDS = {"i2": "short", "i4": "signed int", "f4": "float", "f8": "double"}


def test_a_pair_of_files(tmp_path: Path, hip: Voxels, write_labels: Write) -> None:
    write_labels(tmp_path / "labels.hdr", hip)
    for name in ("labels.hdr", "labels.img"):
        with pytest.raises(VolumeError, match=r"expected an image as .* found another ending"):
            read(tmp_path / name)
    (tmp_path / "labels.hdr").rename(tmp_path / "labels.nii")
    with pytest.raises(VolumeError, match="expected a NIfTI-1 file with its voxels in it, found no such header"):
        read(tmp_path / "labels.nii")


def test_an_unknown_ending(tmp_path: Path) -> None:
    (tmp_path / "labels.dcm").write_bytes(b"DICM")
    with pytest.raises(VolumeError, match=r"labels\.dcm: expected an image as \.nii, \.nii\.gz, \.nrrd, \.mha, \.mhd"):
        read(tmp_path / "labels.dcm")


def test_the_case_file_and_the_readers_know_the_same_endings() -> None:
    assert (*FORMATS, ".dcm") == LABEL_SUFFIXES

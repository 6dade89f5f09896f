"""Images of plain numbers, from every voxel format, with their scale applied and without gaps."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.errors import VolumeError
from guidegen.frames import rotation_about
from guidegen.intake.images import read_image
from guidegen.intake.voxel_files import FORMATS

Write = Callable[..., Path]
Grey = npt.NDArray[np.float64]


@pytest.fixture
def grey() -> Grey:
    """HU-like numbers (7, 6, 5), all different."""
    return np.random.default_rng(3).permutation(210).reshape(7, 6, 5) * 19.0 - 1024.0


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("i2", "i2"),
        ("u2", "f4"),
        ("i4", "f4"),
        ("i8", "f4"),
        ("f4", "f4"),
        ("f8", "f4"),
    ],
)
def test_every_format_and_kind_of_number(
    suffix: str, kind: str, kept: str, tmp_path: Path, grey: Grey, write_labels: Write
) -> None:
    voxels = (grey + 2000.0).astype(kind)
    turn = rotation_about([1.0, 2.0, -0.5], 25.0)
    path = write_labels(tmp_path / f"ct{suffix}", voxels, direction=turn)
    image = read_image(path, path.name)
    assert image.volume.voxels.dtype == kept
    assert np.array_equal(image.volume.voxels, grey + 2000.0)
    assert (image.file, image.identity) == (path.name, None)
    bare = sitk.ReadImage(str(path))
    place = image.volume.to_lps([3, 4, 2])
    np.testing.assert_allclose(place, bare.TransformIndexToPhysicalPoint((3, 4, 2)), atol=1e-4)


@pytest.mark.parametrize("kind", ["i1", "u1"])
def test_bytes_become_short_numbers(kind: str, tmp_path: Path, write_labels: Write) -> None:
    voxels = np.arange(60, dtype=kind).reshape(3, 4, 5)
    image = read_image(write_labels(tmp_path / "mr.nrrd", voxels), "mr.nrrd")
    assert image.volume.voxels.dtype == np.int16
    assert np.array_equal(image.volume.voxels, voxels)


def test_a_scale_is_applied(tmp_path: Path, grey: Grey, write_labels: Write) -> None:
    path = write_labels(tmp_path / "ct.nii", grey.astype(np.int16))
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<2f", 0.5, -1024.0)
    path.write_bytes(data)
    volume = read_image(path, "ct.nii").volume
    assert volume.voxels.dtype == np.float32
    np.testing.assert_allclose(volume.voxels, grey * 0.5 - 1024.0)
    bare = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).transpose()
    np.testing.assert_allclose(volume.voxels, bare)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_voxels_without_a_number(suffix: str, value: float, tmp_path: Path, grey: Grey, write_labels: Write) -> None:
    grey[1:3, 2, 1] = value
    path = write_labels(tmp_path / f"ct{suffix}", grey)
    with pytest.raises(VolumeError, match="expected a finite number in every voxel, found 2 voxels of NaN or infinity"):
        read_image(path, path.name)


def test_a_series_of_volumes_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "ct.nrrd"
    path.write_bytes(
        b"NRRD0005\ntype: uchar\ndimension: 4\nspace: LPS\nsizes: 2 3 3 3\nkinds: list domain domain domain\n"
        b"space directions: none (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nencoding: raw\n\n" + bytes(54)
    )
    with pytest.raises(VolumeError, match="expected one number per voxel, found 2 values"):
        read_image(path, "ct.nrrd")


def test_a_place_in_doubt_is_refused_for_images_too(tmp_path: Path, grey: Grey, write_labels: Write) -> None:
    path = write_labels(tmp_path / "ct.nii", grey)
    data = bytearray(path.read_bytes())
    data[268:272] = struct.pack("<f", 40.0)
    path.write_bytes(data)
    with pytest.raises(VolumeError, match="found statements of it 20 mm apart"):
        read_image(path, "ct.nii")

"""A .mhd and the file of its voxels: only the one beside it, of its own name, is ever opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.case import companions
from guidegen.errors import VolumeError
from guidegen.intake.label_maps import read_label_map

Voxels = npt.NDArray[np.uint8]


@pytest.fixture
def pair(tmp_path: Path, hip: Voxels, write_labels: Callable[..., Path]) -> Path:
    return write_labels(tmp_path / "labels.mhd", hip)


def test_raw_and_packed(pair: Path, hip: Voxels) -> None:
    assert companions(pair) == (pair.with_suffix(".raw"),)
    assert np.array_equal(read_label_map(pair, "labels.mhd").layers[0].voxels, hip)
    sitk.WriteImage(sitk.ReadImage(str(pair)), str(pair), useCompression=True)
    pair.with_suffix(".raw").unlink()
    assert companions(pair) == (pair.with_suffix(".zraw"),)
    assert np.array_equal(read_label_map(pair, "labels.mhd").layers[0].voxels, hip)


def test_files_without_companions(pair: Path) -> None:
    assert companions(pair.with_suffix(".mha")) == ()
    pair.with_suffix(".raw").unlink()
    assert companions(pair) == ()


@pytest.mark.parametrize(
    "stated",
    ["/etc/hostname", "../labels.raw", "other.raw", "./labels.raw", "labels.zraw", "LIST", "LOCAL", "%03d.raw", ""],
)
def test_another_file_is_never_opened(stated: str, pair: Path) -> None:
    pair.write_bytes(pair.read_bytes().replace(b"labels.raw", stated.encode()))
    with pytest.raises(
        VolumeError, match=r"expected the voxels in labels\.raw beside it \(ElementDataFile = labels\.raw\)"
    ):
        read_label_map(pair, "labels.mhd")


def test_a_link_is_not_followed(pair: Path, tmp_path: Path) -> None:
    voxels = pair.with_suffix(".raw")
    voxels.rename(tmp_path / "elsewhere")
    voxels.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VolumeError, match=r"expected the voxels in labels\.raw beside it .* found a link"):
        read_label_map(pair, "labels.mhd")


def test_voxels_that_are_missing_cut_off_or_too_many(pair: Path) -> None:
    voxels = pair.with_suffix(".raw")
    whole = voxels.read_bytes()
    voxels.write_bytes(whole[:-1])
    with pytest.raises(VolumeError, match=r"expected 3696 bytes of voxels .* found 3695: the file is cut off"):
        read_label_map(pair, "labels.mhd")
    voxels.write_bytes(whole + b"\0")
    with pytest.raises(VolumeError, match=r"expected 3696 bytes of voxels .* found more: the header is altered"):
        read_label_map(pair, "labels.mhd")
    voxels.unlink()
    with pytest.raises(VolumeError, match="expected a whole file, found one that cannot be read"):
        read_label_map(pair, "labels.mhd")

"""One flipped bit: where a format carries a check sum, no voxel and no place changes without an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.errors import InputError
from guidegen.intake.label_maps import read_label_map

Voxels = npt.NDArray[np.uint8]
FLIPS = 60

# What is packed and so has a check sum: all of a .nii.gz, and what follows the header's text in the others.
PACKED_FROM = {".nii.gz": b"", ".nrrd": b"\n\n", ".mha": b"ElementDataFile = LOCAL\n"}


@pytest.mark.parametrize("suffix", PACKED_FROM)
def test_flips_of_what_is_packed(suffix: str, tmp_path: Path, hip: Voxels, write_labels: Callable[..., Path]) -> None:
    path = write_labels(tmp_path / f"labels{suffix}", np.tile(hip, (3, 3, 3)))
    sitk.WriteImage(sitk.ReadImage(str(path)), str(path), useCompression=True)
    whole, truth = path.read_bytes(), read_label_map(path, path.name).layers[0]
    start = whole.index(PACKED_FROM[suffix]) + len(PACKED_FROM[suffix])
    refused = 0
    for bit in np.random.default_rng(7).integers(8 * start, 8 * len(whole), FLIPS):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(flipped)
        try:
            found = read_label_map(path, path.name).layers[0]
        except InputError:
            refused += 1
            continue
        assert np.array_equal(found.voxels, truth.voxels)
        corner = np.array(truth.voxels.shape)
        np.testing.assert_allclose(found.to_lps([0 * corner, corner]), truth.to_lps([0 * corner, corner]), atol=1e-9)
    assert refused >= 0.8 * FLIPS

"""A hip of a few voxels as a DICOM series in any orientation, and DICOM files changed one element at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from guidegen.frames import FloatArray, rotation_about
from guidegen.phantom.dicom import write_series
from guidegen.volumes import Volume

SPACING_MM = np.array([1.5, 2.0, 2.5])
ORIGIN_MM = np.array([-20.0, 30.0, -700.0])

AXIAL = np.eye(3)
CORONAL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
SAGITTAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
# The columns are the directions of ascending columns, rows and slices; a slice direction against the normal is stored
# as often as one along it.
ORIENTATIONS = {
    "axial": AXIAL,
    "axial, head first": AXIAL * [1.0, 1.0, -1.0],
    "coronal": CORONAL,
    "coronal, back first": CORONAL * [1.0, 1.0, -1.0],
    "sagittal": SAGITTAL,
    "sagittal, right first": SAGITTAL * [1.0, 1.0, -1.0],
    "columns against L": AXIAL * [-1.0, 1.0, 1.0],
    "rows against P": AXIAL * [1.0, -1.0, 1.0],
    "oblique": rotation_about([1.0, 2.0, -0.5], 25.0),
    "oblique coronal": rotation_about([0.3, -1.0, 0.8], 14.0) @ CORONAL * [1.0, 1.0, -1.0],
}

Masks = dict[str, npt.NDArray[np.bool_]]


def masks() -> Masks:
    """Three masks (13, 9, 8): a femur with a hole, a lesion that overlaps it, a pelvis apart.

    There is no symmetry in them, and a slice fills no whole number of bytes.
    """
    femur = np.zeros((13, 9, 8), np.bool_)
    femur[2:6, 3:8, 1:7] = True
    femur[2:9, 5:8, 4:6] = True
    femur[3:5, 4:6, 2:4] = False
    lesion = np.zeros_like(femur)
    lesion[5:8, 6:9, 4:7] = True
    lesion[2, 3, 4] = True
    pelvis = np.zeros_like(femur)
    pelvis[10:12, 1:9, 3:8] = True
    pelvis[9, 0, 7] = True
    return {"femur": femur, "lesion": lesion, "pelvis": pelvis}


def placed(voxels: npt.NDArray[Any], direction: FloatArray = AXIAL) -> Volume:
    """Voxels in the place that a series has in this orientation."""
    return Volume(voxels, SPACING_MM, direction, ORIGIN_MM)


def series(folder: Path, direction: FloatArray = AXIAL, **options: Any) -> Path:
    """Write a CT series of 13 × 9 × 8 voxels and return its folder."""
    write_series(placed(np.zeros((13, 9, 8), np.int16), direction), folder, modality="CT", **options)
    return folder


def places(volume: Volume, value: int) -> FloatArray:
    """The places (N, 3) of the voxels of a label, in the order of its canonical indices."""
    return volume.to_lps(np.argwhere(volume.voxels == value))


def changed(path: Path, change: Callable[[Dataset], None]) -> Path:
    """The DICOM file at `path` with something changed in it."""
    from pydicom.config import disable_value_validation

    with disable_value_validation():
        dataset = dcmread(path)
        change(dataset)
        dcmwrite(path, dataset)
    return path


def damaged(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """`count` truncations and as many flips of one bit each, seeded."""
    rng = np.random.default_rng(seed)
    for size in rng.integers(0, len(content), count):
        yield content[:size]
    for bit in rng.integers(0, 8 * len(content), count):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)

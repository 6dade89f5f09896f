"""A small CT as a volume, the 48 ways to store it, and how to alter the DICOM files that hold it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from guidegen.frames import rotation_about
from guidegen.volumes import Volume

TURN = rotation_about([1.0, 2.0, -0.5], 25.0)


def small_volume(turn: Any = TURN, shape: tuple[int, int, int] = (12, 16, 9)) -> Volume:
    """Voxels, all different, from −1024 up, of three different steps."""
    voxels = np.random.default_rng(7).permutation(int(np.prod(shape))).reshape(shape).astype(np.int16) - 1024
    return Volume(voxels, np.array([0.7, 0.8, 1.25]), turn, np.array([-20.0, 30.0, -700.0]))


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


def load(path: Path) -> Dataset:
    return pydicom.dcmread(path)


def save(dataset: Dataset, path: Path, syntax: str | None = None) -> None:
    """Write a dataset with whatever nonsense it holds; `syntax` is another transfer syntax for it."""
    if syntax is None:
        dataset.save_as(path)
        return
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    kind = dataset.file_meta.TransferSyntaxUID
    pydicom.dcmwrite(
        path, dataset, implicit_vr=kind.is_implicit_VR, little_endian=kind.is_little_endian, force_encoding=True
    )


def alter(path: Path, **elements: Any) -> None:
    """Set elements of the file at `path`; None takes one out."""
    with disable_value_validation():
        dataset = load(path)
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        save(dataset, path)

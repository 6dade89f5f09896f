"""A made-up hip of a few voxels, and how to write it as a user's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from guidegen.case import Case, load_case

SPACING_MM = (3.0, 4.0, 2.5)
ORIGIN_MM = (-20.0, 30.0, -700.0)

CASE = """
[patient]
id = "T001L"
side = "left"
[bone]
labels = "labels.nii.gz"
femur = 1
[lesion]
labels = "labels.nii.gz"
lesion = 2
"""


@pytest.fixture
def hip() -> npt.NDArray[np.uint8]:
    """Labels (14, 11, 24) along L, P, S: femur 1 with no symmetry, lesion 2 inside it, pelvis 3 apart."""
    labels = np.zeros((14, 11, 24), np.uint8)
    labels[3:6, 4:7, 0:19] = 1
    labels[3:9, 5:7, 13:17] = 1
    labels[7:11, 3:8, 14:19] = 1
    labels[9, 4, 13] = 1
    labels[8:10, 5:7, 16:18] = 2
    labels[12:14, 2:9, 15:24] = 3
    return labels


@pytest.fixture
def write_labels() -> Callable[..., Path]:
    """Write voxels (I, J, K) with their place as an image of the kind that the file's ending says."""

    def write(
        path: Path,
        voxels: npt.NDArray[np.generic],
        spacing: tuple[float, ...] = SPACING_MM,
        origin: npt.ArrayLike = ORIGIN_MM,
        direction: npt.ArrayLike | None = None,
    ) -> Path:
        image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.transpose()))
        image.SetSpacing([float(step) for step in spacing])
        image.SetOrigin(np.asarray(origin, float).tolist())
        image.SetDirection(np.eye(3).ravel().tolist() if direction is None else np.ravel(direction).tolist())
        sitk.WriteImage(image, str(path))
        return path

    return write


@pytest.fixture
def make_case(tmp_path: Path, hip: npt.NDArray[np.uint8], write_labels: Callable[..., Path]) -> Callable[[str], Case]:
    """A case of the hip's files in `tmp_path`, with some lines of its case file changed."""
    write_labels(tmp_path / "labels.nii.gz", hip)

    def make(text: str = CASE) -> Case:
        (tmp_path / "case.toml").write_text(text, encoding="utf-8")
        return load_case(tmp_path / "case.toml")

    return make

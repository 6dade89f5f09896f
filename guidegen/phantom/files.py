"""The phantom as a case on disk: the files an engineer would start from, and its truth beside them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.phantom.hip import Hip
from guidegen.phantom.images import CT_SPACING_MM, ct_volume, label_volume, mr_volume
from guidegen.phantom.thigh import Thigh
from guidegen.volumes import Volume

SCHEMA = "guidegen.phantom/1"
EXTENSIONS = (".nii.gz", ".nrrd", ".mha")

# The MR: coronal slices a little askew, less of the shaft, the patient lying otherwise than in the CT.
MR_SPACING_MM = (0.85, 0.85, 2.0)
MR_BELOW_HEAD_MM = 95.0
MR_DIRECTION = rotation_about((1.0, 0.4, -0.6), 6.0) @ np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
MR_FROM_BONE = RigidTransform(rotation_about((0.3, -0.5, 0.8), 11.0), np.array([14.0, -25.0, 31.0]), LPS, "MR")

BONE = """\
[patient]
id = "{patient_id}"
side = "{side}"

[bone]
labels = "labels{extension}"
femur = 1
pelvis = 2
image = "ct{extension}"
"""
LESION_IN_MR = """
[lesion]
labels = "mr_labels{extension}"
lesion = 2
femur = 1
image = "mr{extension}"
"""
LESION_IN_CT = """
[lesion]
labels = "lesion{extension}"
lesion = 1
"""


def write_case(
    hip: Hip,
    folder: Path,
    *,
    patient_id: str = "PHANTOM",
    spacing_mm: npt.ArrayLike = CT_SPACING_MM,
    direction: npt.ArrayLike | None = None,
    mr: bool = True,
    extension: str = ".nii.gz",
    thigh: Thigh | None = None,
) -> Path:
    """Write a case, over an older one if there is one, and return the path of its case file.

    labels (femur 1, pelvis 2) and ct at `spacing_mm` and `direction` (see `label_volume`); with `mr`, mr_labels
    (femur 1, lesion 2) and mr in another pose, else lesion (1) on the grid of labels; case.toml; truth.json. With a
    `thigh` the ct shows its skin, on a wider grid.
    `extension` is one of EXTENSIONS. The same hip gives the same bytes. VolumeError for another.
    """
    if extension not in EXTENSIONS:
        raise VolumeError(
            f"expected one of the extensions {', '.join(EXTENSIONS)}, found {extension!r}: choose one of them"
        )
    folder.mkdir(parents=True, exist_ok=True)
    volumes = {
        "labels": label_volume(hip, spacing_mm, direction, labels={"femur": 1, "pelvis": 2}),
        "ct": ct_volume(hip, spacing_mm, direction, thigh=thigh),
    }
    if mr:
        moved = replace(hip.moved(MR_FROM_BONE), shaft_below_head_mm=MR_BELOW_HEAD_MM)
        volumes["mr_labels"] = label_volume(moved, MR_SPACING_MM, MR_DIRECTION, labels={"femur": 1, "lesion": 2})
        volumes["mr"] = mr_volume(moved, MR_SPACING_MM, MR_DIRECTION)
    else:
        volumes["lesion"] = label_volume(hip, spacing_mm, direction, labels={"lesion": 1})
    for name, volume in volumes.items():
        _write_volume(volume, folder / f"{name}{extension}")
    (folder / "truth.json").write_text(json.dumps(_truth(hip, mr), indent=1) + "\n", encoding="utf-8")
    case_file = folder / "case.toml"
    text = (BONE + (LESION_IN_MR if mr else LESION_IN_CT)).format(
        patient_id=patient_id, side=hip.side, extension=extension
    )
    case_file.write_text(text, encoding="utf-8")
    return case_file


def _truth(hip: Hip, mr: bool) -> dict[str, Any]:
    """The truth as JSON values, with the motion from the bone's frame to that of the MR, a matrix (4, 4)."""
    truth = {
        key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in asdict(hip.truth).items()
    }
    return {
        "schema": SCHEMA,
        "frame": LPS,
        "unit": "mm",
        **truth,
        "mr_from_bone": MR_FROM_BONE.matrix().tolist() if mr else None,
    }


def _write_volume(volume: Volume, path: Path) -> None:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.voxels.transpose()))
    image.SetSpacing(volume.spacing_mm.tolist())
    image.SetDirection(volume.direction.ravel().tolist())
    image.SetOrigin(volume.origin_mm.tolist())
    sitk.WriteImage(image, str(path), useCompression=True)

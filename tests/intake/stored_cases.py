"""One hip stored in many ways: formats, orders and directions of the voxel axes, grids turned against the patient."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from good_files import put
from scipy.spatial.transform import Rotation

from guidegen.frames import FloatArray
from guidegen.phantom import label_volume, make_hip
from guidegen.phantom.dicom import write_series
from guidegen.phantom.dicom_labels import write_segmentation
from guidegen.volumes import Volume

FORMATS = (".nii.gz", ".nrrd", ".mha", ".dcm")
NAMES = {"femur": 1, "pelvis": 2, "lesion": 3}
OBLIQUE = 20

CASE = """
[patient]
id = "S001L"
side = "left"
[bone]
labels = "{file}"
femur = 1
pelvis = 2
[lesion]
labels = "{file}"
lesion = 3
"""


def turns() -> list[FloatArray]:
    """The random directions (3, 3) of grids that are oblique to the patient."""
    return list(Rotation.random(OBLIQUE, random_state=5).as_matrix())


def tiny(direction: FloatArray | None = None) -> Volume:
    """Labels of a few voxels of three different steps, without any symmetry; its femur is 54 mm long."""
    labels = np.zeros((12, 9, 11), np.uint8)
    labels[3:6, 3:6, 1:11] = 1
    labels[3:9, 4:6, 6:9] = 1
    labels[7:10, 2:7, 7:10] = 1
    labels[8, 3, 6] = 1
    labels[8:10, 4:6, 8:10] = 3
    labels[10:12, 1:8, 6:11] = 2
    place = np.array([-20.0, 30.0, -700.0])
    return Volume(labels, np.array([4.0, 5.0, 6.0]), np.eye(3) if direction is None else direction, place)


@cache
def hip() -> Volume:
    """The phantom of a left hip at 2 mm, in LPS."""
    return label_volume(make_hip("left"), (2.0, 2.0, 2.0))


def oblique_hip(direction: FloatArray) -> Volume:
    """The same hip, where it lies, sampled on a grid of 1.5 mm in another direction."""
    return label_volume(make_hip("left"), (1.5, 1.5, 1.5), direction)


def write_stored(labels: Volume, folder: Path, ending: str) -> Path:
    """The case file of labels as they are stored; as .dcm they are a segmentation of a series of the same grid."""
    folder.mkdir(parents=True)
    file = f"labels{ending}"
    if ending == ".dcm":
        write_series(replace(labels, voxels=np.zeros(labels.voxels.shape, np.int16)), folder / "ct", modality="CT")
        masks = {name: labels.voxels == value for name, value in NAMES.items()}
        write_segmentation({name: masks[name] for name in NAMES}, folder / "ct", folder / file)
    else:
        put(labels, folder / file, packed=True)
    case = folder / "case.toml"
    case.write_text(CASE.format(file=file), encoding="utf-8")
    return case

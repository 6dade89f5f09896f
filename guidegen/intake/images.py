"""Images, CT and MR: grey values with their place in LPS mm, and whom they show where the files say so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guidegen.errors import VolumeError
from guidegen.intake.headers import one_per_voxel
from guidegen.intake.identity import Identity
from guidegen.intake.voxel_files import Numbers, opened
from guidegen.volumes import Volume


@dataclass(frozen=True, eq=False)
class Image:
    """An image as read: `volume` is canonical, its voxels int16 or float32, HU in a CT.

    `identity` is whom and what the files say they show, None for files that say nothing.
    """

    file: str
    volume: Volume
    identity: Identity | None


def read_image(path: Path, file: str) -> Image:
    """The image at `path`, a NIfTI, NRRD or MetaImage; `file` is its name in messages.

    A scale is applied. VolumeError for anything that is no image of one number per voxel, and for NaN or infinity.
    """
    with opened(path, file) as voxels:
        header = voxels.header
        if header.layers != 1:
            raise one_per_voxel(header.layers, file)
        is_scaled = (header.slope, header.intercept) != (1.0, 0.0)
        kind = np.int16 if np.can_cast(header.kind, np.int16) and not is_scaled else np.float32

        def grey(stored: Numbers) -> Numbers:
            return stored * header.slope + header.intercept if is_scaled else stored

        with np.errstate(over="ignore", invalid="ignore"):  # what is no finite float32 is counted below
            (volume,) = voxels.volumes(kind, grey)
    unknown = sum(int(np.count_nonzero(~np.isfinite(plane))) for plane in volume.voxels)
    if unknown:
        raise VolumeError(
            f"{file}: expected a finite number in every voxel, found {unknown} voxels of NaN or infinity; "
            "export the image again without a mask"
        )
    return Image(file, volume, None)

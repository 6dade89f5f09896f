"""Segments that may overlap → as few layers of voxels as hold them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.intake.headers import MAX_BYTES
from guidegen.volumes import Index

Labels = npt.NDArray[Any]  # whole numbers, 0 where nothing is
Patch = tuple[Index, Labels]  # a box of the grid and the labels inside it


def layered(segments: Iterable[list[Patch]], empty: Callable[[], Labels], file: str) -> tuple[list[Labels], list[int]]:
    """Each segment, given as its patches, painted whole into the first layer where it meets no other one.

    `empty` makes a layer. The layers, at least one, and the one that each segment is in; VolumeError where they would
    take more than 1 GiB.
    """
    layers, placed = [empty()], []
    for patches in segments:
        k = next(
            (k for k, layer in enumerate(layers) if not any(_meet(layer, patch) for patch in patches)), len(layers)
        )
        if k == len(layers):
            if (k + 1) * layers[0].nbytes > MAX_BYTES:
                raise VolumeError(
                    f"{file}: expected at most {MAX_BYTES >> 30} GiB of voxels, found {k} layers of segments that "
                    "overlap, and more; crop the image, or export only the bones and the lesion"
                )
            layers.append(empty())
        for box, labels in patches:
            np.copyto(layers[k][box], labels, where=labels != 0)
        placed.append(k)
    return layers, placed


def _meet(layer: Labels, patch: Patch) -> bool:
    box, labels = patch
    return bool(((layer[box] != 0) & (labels != 0)).any())

"""Label maps: voxel files of whole numbers, with the names that some of them state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from guidegen.case import MAX_LABEL
from guidegen.errors import LabelError, VolumeError
from guidegen.intake.identity import Identity
from guidegen.intake.voxel_files import Numbers, opened
from guidegen.volumes import Volume

# How far a label stored as a float may be from a whole number.
LABEL_TOLERANCE = 1e-6
MAX_NAME = 200


@dataclass(frozen=True)
class Segment:
    """A label by its name: its value in one layer of its label map."""

    name: str
    layer: int
    value: int


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A whole label map. Each layer is canonical, on one and the same grid; its voxels are whole numbers, 0 where
    nothing is.

    There is more than one layer where segments may overlap. `segments` are the names that the file states, none in
    most formats; `identity` is whom and what a DICOM file says it shows, None for a file that says nothing.
    """

    file: str
    layers: tuple[Volume, ...]
    segments: tuple[Segment, ...] = ()
    identity: Identity | None = None


def read_label_map(path: Path, file: str) -> LabelMap:
    """The label map at `path`; `file` is its name in messages.

    VolumeError for anything that is no label map, LabelError for names that do not name its labels.
    """
    with opened(path, file) as voxels:
        header = voxels.header
        if (header.slope, header.intercept) != (1.0, 0.0):
            raise VolumeError(
                f"{file}: expected labels as they are, found a scale (slope {header.slope:.6g}, intercept "
                f"{header.intercept:.6g}); labels are names and not amounts: export the label map without a scale"
            )
        segments = segments_of(header.names, header.layers, file)
        is_short = header.kind.kind != "f" and header.kind.itemsize <= 4
        kind = header.kind.newbyteorder("=") if is_short else np.dtype(np.int32)
        volumes = voxels.volumes(kind, partial(_whole_numbers, file=file))
    return LabelMap(file, volumes, segments)


def segments_of(names: Iterable[tuple[str, int, int]], layers: int, file: str) -> tuple[Segment, ...]:
    """The segments that a file names as (name, layer, value): LabelError for a name that is no single printable line
    of at most MAX_NAME characters, for a label that cannot be, and for one name or one label that comes twice.
    """
    segments = tuple(Segment(*stated) for stated in names)
    for segment in segments:
        if not segment.name.isprintable() or not 0 < len(segment.name.strip()) <= len(segment.name) <= MAX_NAME:
            raise LabelError(
                f"{file}: expected names of one line of 1 to {MAX_NAME} printable characters, found "
                f"{segment.name[:40]!a}; rename the label"
            )
        if not (0 <= segment.layer < layers and 1 <= segment.value <= MAX_LABEL):
            raise LabelError(
                f"{file}: expected {segment.name!r} as a label of 1 or more in one of {layers} layers, found label "
                f"{segment.value} in layer {segment.layer}; export the labels again"
            )
    for said, counts in (
        ("name", Counter(segment.name for segment in segments)),
        ("label and layer", Counter((segment.value, segment.layer) for segment in segments)),
    ):
        for found, times in counts.items():
            if times > 1:
                raise LabelError(f"{file}: expected each {said} once, found {found!r} {times} times; rename the labels")
    return segments


def _whole_numbers(stored: Numbers, file: str) -> Numbers:
    """The numbers themselves; VolumeError if one is no whole number, or none that a label can have."""
    if stored.dtype.kind != "f" and stored.dtype.itemsize <= 4:
        return stored
    if not (np.isfinite(stored) & (stored < MAX_LABEL) & (stored > -MAX_LABEL)).all():  # no abs: it overflows
        raise VolumeError(f"{file}: expected finite labels below {MAX_LABEL}, found others; export a label map")
    if stored.dtype.kind != "f":
        return stored
    rounded = np.rint(stored)
    off = np.abs(stored - rounded)
    if off.max() > LABEL_TOLERANCE:
        raise VolumeError(
            f"{file}: expected whole numbers as labels, found {float(stored[int(off.argmax())]):.6g}; this is an image "
            "or was interpolated: export the label map itself (nearest neighbour)"
        )
    return rounded

"""DICOM segmentations → label maps.

A SEG is a heap of frames: each states its own place in the patient and the one segment it shows (BINARY, FRACTIONAL),
or holds segment numbers (LABELMAP); slices without anything may be left out. The frames are put in their places one by
one. What came of it is then proven: every segment must have as many voxels, and its centre in the same place, as its
frames say on their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from guidegen.errors import IdentityError, LabelError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.dicom import identity_of, open_dicom, pixels_of, text, uid
from guidegen.intake.elements import items, name_of, within
from guidegen.intake.headers import MAX_BYTES
from guidegen.intake.identity import Identity
from guidegen.intake.label_maps import LabelMap, Segment
from guidegen.intake.layers import Labels, Patch, layered
from guidegen.intake.planes import Grid, Planes, grid_of, per_frame, planes_of
from guidegen.intake.series import STACK_TOLERANCE_MM
from guidegen.volumes import Volume, bounding_box

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

BITS = {"BINARY": (1,), "FRACTIONAL": (8,), "LABELMAP": (8, 16)}
SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
STORAGE = {"LABELMAP": "1.2.840.10008.5.1.4.1.1.66.7"}  # a class of its own since 2024
MAX_SEGMENT = 65535
SIDES: dict[str, Literal["left", "right"]] = {  # codes of SNOMED CT and of the older SNOMED RT
    "7771000": "left",
    "G-A101": "left",
    "24028007": "right",
    "G-A100": "right",
}


@dataclass(frozen=True, eq=False)
class Cells:
    """How the voxels of a SEG are stored: BINARY, FRACTIONAL or LABELMAP, and how many bits each takes."""

    kind: str
    bits: int
    max_fraction: int = 1


def read_segmentation(path: Path, file: str) -> LabelMap:
    """The DICOM segmentation at `path`; `file` is its name in messages.

    Segment numbers become values, segment labels names. A voxel of a FRACTIONAL segment belongs to it from half of
    MaximumFractionalValue on: where the segment is at least as probable as not (PROBABILITY), or fills at least half
    of the voxel (OCCUPANCY). Segments that overlap come in further layers. A slice for which a segment has no frame
    holds none of it. `identity.laterality` is the side that the codes of the segments state, where they state one.

    VolumeError for a file or a place in the patient that cannot be relied on, LabelError for segments that are not
    as described, IdentityError where the file contradicts itself on the side.
    """
    dataset = open_dicom(path, file)
    cells, segments, planes = _cells(dataset, file), _segments(dataset, file), planes_of(dataset, file)
    columns, rows = (within(dataset, keyword, 1, 65535, file) for keyword in ("Columns", "Rows"))
    grid = grid_of(planes, columns, rows, file)
    numbers = _numbers(dataset, cells, segments, grid, file)
    dtype = np.dtype(np.uint8 if max(segment.value for segment in segments) < 256 else np.uint16)
    if np.prod(grid.shape, dtype=np.float64) * dtype.itemsize > MAX_BYTES:
        size = " × ".join(str(count) for count in grid.shape)
        raise VolumeError(f"{file}: expected at most {MAX_BYTES >> 30} GiB of voxels, found {size}; crop the image")

    stated = np.zeros((1 << max(cells.bits, 8 * dtype.itemsize), 4))
    patches: dict[int, list[Patch]] = {}
    for k, labels in enumerate(_labels(dataset, cells, grid, numbers, file)):
        _add_moments(stated, labels, planes, k)
        patches.setdefault(numbers[k], []).append(_patch(labels.astype(dtype), int(grid.slices[k])))
    _check_described(stated, segments, file)
    layers, _ = layered(
        (patches[number] for number in sorted(patches)), lambda: np.zeros(grid.shape[::-1], dtype), file
    )
    volumes = tuple(_volume(layer, grid) for layer in layers)
    layer_of = _check_moments(volumes, stated, file)
    named = tuple(replace(segment, layer=layer_of.get(segment.value, 0)) for segment in segments)
    return LabelMap(file, volumes, named, _identity(dataset, file))


def _cells(dataset: Dataset, file: str) -> Cells:
    """How the voxels are stored; VolumeError for what is no segmentation, or not the whole of one."""
    kind = text(dataset, "SegmentationType") or ""
    if kind not in BITS or text(dataset, "SOPClassUID") != STORAGE.get(kind, SEGMENTATION_STORAGE):
        raise VolumeError(
            f"{file}: expected a DICOM segmentation ({', '.join(BITS)}), found another object; export it as DICOM SEG"
        )
    if text(dataset, "InConcatenationTotalNumber") not in (None, "1"):
        raise VolumeError(f"{file}: expected a whole segmentation, found one part of several; export it as one file")
    within(dataset, "SamplesPerPixel", 1, 1, file)
    within(dataset, "PixelRepresentation", 0, 0, file)
    bits = within(dataset, "BitsAllocated", 1, 64, file)
    if bits not in BITS[kind] or within(dataset, "BitsStored", 1, 64, file) != bits:
        raise VolumeError(
            f"{file}: expected {' or '.join(map(str, BITS[kind]))} bits for a voxel of a {kind} segmentation, "
            f"found others ({bits} allocated); export it again"
        )
    if kind != "FRACTIONAL":
        return Cells(kind, bits)
    if text(dataset, "SegmentationFractionalType") not in ("PROBABILITY", "OCCUPANCY"):
        raise VolumeError(
            f"{file}: expected SegmentationFractionalType PROBABILITY or OCCUPANCY, found neither; export it as BINARY"
        )
    return Cells(kind, bits, within(dataset, "MaximumFractionalValue", 1, 255, file))


def _segments(dataset: Dataset, file: str) -> tuple[Segment, ...]:
    """The segments as described, in order of their numbers, without the background that a LABELMAP may describe."""
    lowest = 1
    if text(dataset, "PixelPaddingValue") is not None:  # the number of the background
        lowest = within(dataset, "PixelPaddingValue", 0, 0, file)
    named: dict[int, str] = {}
    for each in items(dataset, "SegmentSequence", file):
        number = within(each, "SegmentNumber", lowest, MAX_SEGMENT, file)
        if number in named:
            raise LabelError(f"{file}: expected every segment number once, found {number} twice; export it again")
        named[number] = name_of(each, "SegmentLabel", file)
    named.pop(0, None)
    if not named:
        raise LabelError(f"{file}: expected segments, found none described; export it again with its segments")
    return tuple(Segment(named[number], 0, number) for number in sorted(named))


def _numbers(dataset: Dataset, cells: Cells, segments: tuple[Segment, ...], grid: Grid, file: str) -> list[int]:
    """The segment that each frame shows, 0 for all frames of a LABELMAP; no slice may show one segment twice."""
    numbers = [0] * len(grid.slices)
    if cells.kind != "LABELMAP":
        stated = per_frame(dataset, "SegmentIdentificationSequence", "ReferencedSegmentNumber", 1, file)[:, 0]
        unknown = ~np.isin(stated, [segment.value for segment in segments])
        if unknown.any():
            raise LabelError(
                f"{file}: expected frames of the segments that it describes, found frame {int(unknown.argmax()) + 1} "
                f"of segment {stated[unknown.argmax()]:.6g}; export it again"
            )
        numbers = stated.astype(int).tolist()
    first: dict[tuple[int, int], int] = {}
    for frame, place in enumerate(zip(numbers, grid.slices.tolist(), strict=True), start=1):
        if first.setdefault(place, frame) != frame:
            raise VolumeError(
                f"{file}: expected one frame for each slice of a segment, found frames {first[place]} and {frame} in "
                "the same place; export it again"
            )
    return numbers


def _labels(dataset: FileDataset, cells: Cells, grid: Grid, numbers: list[int], file: str) -> Iterator[Labels]:
    """Each frame (rows, columns) with the segment's number at its voxels and 0 elsewhere."""
    for frame, number in zip(_frames(dataset, cells, grid, file), numbers, strict=True):
        if cells.kind == "LABELMAP":
            yield frame
            continue
        if frame.max() > cells.max_fraction:
            raise VolumeError(
                f"{file}: expected values up to MaximumFractionalValue = {cells.max_fraction}, found {frame.max()}; "
                "export it as BINARY"
            )
        yield (frame >= cells.max_fraction / 2.0) * np.uint16(number)


def _frames(dataset: FileDataset, cells: Cells, grid: Grid, file: str) -> Iterator[npt.NDArray[Any]]:
    """The frames (rows, columns) as stored; one bit comes as 0 or 1."""
    if cells.bits > 1 or dataset.file_meta.TransferSyntaxUID.is_compressed:
        yield from pixels_of(dataset, file)
        return
    # one by one: all segments of a whole body at once would take eight times the memory of the file
    columns, rows, _ = grid.shape
    raw, size = np.frombuffer(dataset.PixelData, np.uint8), columns * rows
    for start in range(0, size * len(grid.slices), size):  # frames follow each other without a gap, lowest bit first
        bits = np.unpackbits(raw[start // 8 : (start + size + 7) // 8], bitorder="little")
        yield bits[start % 8 :][:size].reshape(rows, columns)


def _patch(labels: Labels, at: int) -> Patch:
    """What a frame holds, cut to its box."""
    box = bounding_box(labels[None] != 0) or (slice(0, 0),) * 3
    return (slice(at, at + 1), box[1], box[2]), labels[None, box[1], box[2]].copy()


def _volume(layer: Labels, grid: Grid) -> Volume:
    """A layer (slices, rows, columns) in its place."""
    return Volume(layer.transpose(), grid.spacing_mm, grid.direction, grid.origin_mm).canonical()


def _moments(mask: npt.NDArray[np.bool_]) -> FloatArray:
    """How many voxels of a mask of D axes are set, and the sums of their indices: (1 + D,)."""
    profiles = [mask.sum(axis=tuple(a for a in range(mask.ndim) if a != axis)) for axis in range(mask.ndim)]
    return np.array([profiles[0].sum(), *(profile @ np.arange(len(profile)) for profile in profiles)], dtype=np.float64)


def _add_moments(moments: FloatArray, labels: Labels, planes: Planes, k: int) -> None:
    """Add a frame's voxels to the count and the summed places (N, 4) of each label, straight from what it states."""
    down_mm, along_mm = (planes.cosines[k] * planes.steps_mm[k][:, None])[::-1]
    for number in np.flatnonzero(np.bincount(labels.ravel())[1:]) + 1:
        count, rows, columns = _moments(labels == number)
        moments[number] += [count, *(count * planes.positions_mm[k] + rows * down_mm + columns * along_mm)]


def _check_described(moments: FloatArray, segments: tuple[Segment, ...], file: str) -> None:
    unknown = set(np.flatnonzero(moments[:, 0]).tolist()) - {segment.value for segment in segments}
    if unknown:
        raise LabelError(
            f"{file}: expected voxels of the segments that it describes, found some of segment {min(unknown)}, which "
            "is none of them; export it again"
        )


def _check_moments(volumes: tuple[Volume, ...], stated: FloatArray, file: str) -> dict[int, int]:
    """The layer of each segment that has voxels; VolumeError where one is not what and where its frames say."""
    from scipy.ndimage import find_objects

    found, layer_of = np.zeros_like(stated), {}
    for layer, volume in enumerate(volumes):
        order = np.argsort(
            [-abs(stride) for stride in volume.voxels.strides]
        )  # as it lies in memory: five times faster
        axes = np.argsort(order)
        for number, box in enumerate(find_objects(volume.voxels.transpose(order)), start=1):
            if box is not None:
                part = volume.cropped((box[axes[0]], box[axes[1]], box[axes[2]]))
                count, *sums = _moments(part.voxels == number)
                found[number] = [count, *(count * part.to_lps(np.array(sums) / count))]
                layer_of[number] = layer
    apart_mm = np.linalg.norm(found[:, 1:] - stated[:, 1:], axis=1) / np.maximum(stated[:, 0], 1.0)
    wrong = (found[:, 0] != stated[:, 0]) | ~(apart_mm <= STACK_TOLERANCE_MM)
    if wrong.any():
        number = int(wrong.argmax())
        raise VolumeError(
            f"{file}: expected the {stated[number, 0]:.0f} voxels of segment {number} where its frames place them, "
            f"found {found[number, 0]:.0f} and their centre {apart_mm[number]:.4g} mm off; export it as NIfTI or NRRD"
        )
    return layer_of


def _identity(dataset: Dataset, file: str) -> Identity:
    """Whom and what the file shows; its side is the one that tag and codes state, unless segments are on both."""
    drawn_on = {uid(each, "SeriesInstanceUID", file) for each in items(dataset, "ReferencedSeriesSequence", file)}
    identity = replace(identity_of(dataset, file), referenced_series_uid=drawn_on.pop() if len(drawn_on) == 1 else None)
    sides = {SIDES[code] for each in items(dataset, "SegmentSequence", file) for code in _codes(each, file)}
    if len(sides) != 1:
        return identity
    (side,) = sides
    if identity.laterality not in (None, side):
        raise IdentityError(
            f"{file}: expected one side, found {identity.laterality} as the file's and {side} as its segments'; "
            "find out which it is, correct the segmentation and export it again"
        )
    return replace(identity, laterality=side)


def _codes(segment: Dataset, file: str) -> Iterator[str]:
    """The codes of a side that a segment states, as modifier of what it is or of where it is."""
    for group, modifiers in (
        ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
        ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyTypeModifierCodeSequence"),
    ):
        for item in items(segment, group, file):
            for modifier in items(item, modifiers, file):
                code = text(modifier, "CodeValue")
                if code in SIDES:
                    yield code

"""DICOM structure sets (RTSTRUCT) → label maps on the grid of the image that the contours were drawn on.

Contours are lines, and programs differ in what they make of them. So only what has one meaning is taken: closed
contours in the planes of the image itself, one plane after the other without a gap. A voxel belongs to a structure
when its centre lies inside (`outlines`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from guidegen.case import MAX_COORDINATE_MM, MAX_LABEL
from guidegen.errors import IdentityError, LabelError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.dicom import identity_of, open_dicom, text, uid
from guidegen.intake.elements import items, name_of, within
from guidegen.intake.images import Image
from guidegen.intake.label_maps import LabelMap, Segment
from guidegen.intake.layers import Patch, layered
from guidegen.intake.outlines import ON_LINE, filled
from guidegen.volumes import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
CLOSED, POINT = "CLOSED_PLANAR", "POINT"
# How far, in slices, a point of a contour may be from the slice that it is drawn in.
PLANE_TOLERANCE = 0.1
# How far, in voxels, a contour may reach over the outer faces of the outermost voxels: rounding.
EDGE_TOLERANCE = 0.01
# The low end of each canonical axis, from which slices are counted.
LOW_ENDS = ("right", "anterior", "inferior")
LISTED_SLICES = 10


@dataclass(frozen=True, eq=False)
class Roi:
    """A region of interest: its contours, each of points (P, 3) in LPS mm; none for one that is drawn as points."""

    number: int
    name: str
    contours: tuple[FloatArray, ...]


def read_structure_set(path: Path, file: str, image: Image) -> LabelMap:
    """The structure set at `path`, on the grid of `image`; `file` is its name in messages.

    ROI numbers become values, ROI names the names of segments. ROIs that overlap come in further layers. One drawn as
    points, or not at all, is listed, without voxels.

    IdentityError if it was drawn on another image, VolumeError for contours that have no one meaning on this one,
    LabelError for ROIs without a proper number and name.
    """
    dataset = _opened(path, file)
    named = _names(dataset, file)
    rois = _rois(dataset, named, file)
    frame_uid = _check_image(dataset, image, file)
    volume = image.volume
    axis = _axis(rois, volume, file)
    kind = np.min_scalar_type(max(named, default=1))
    patches = (_patches(roi, volume, axis, kind, file) for roi in rois if roi.contours)
    layers, placed = layered(patches, lambda: np.zeros_like(volume.voxels, dtype=kind), file)
    layer_of = dict(zip((roi.number for roi in rois if roi.contours), placed, strict=True))
    segments = tuple(Segment(name, layer_of.get(number, 0), number) for number, name in named.items())
    volumes = tuple(replace(volume, voxels=layer) for layer in layers)
    return LabelMap(file, volumes, segments, replace(identity_of(dataset, file), frame_of_reference_uid=frame_uid))


def names_in(path: Path, file: str) -> tuple[str, ...]:
    """The names of the ROIs of the structure set at `path`, in the order of their numbers. Errors as above."""
    return tuple(_names(_opened(path, file), file).values())


def _opened(path: Path, file: str) -> Dataset:
    dataset = open_dicom(path, file)
    if text(dataset, "SOPClassUID") != STRUCTURE_SET_STORAGE:
        raise VolumeError(f"{file}: expected a DICOM structure set (RTSTRUCT), found another object; name that file")
    return dataset


def _names(dataset: Dataset, file: str) -> dict[int, str]:
    """The name of each ROI by its number, in order."""
    named: dict[int, str] = {}
    for each in items(dataset, "StructureSetROISequence", file):
        number = within(each, "ROINumber", 1, MAX_LABEL, file)
        if number in named:
            raise LabelError(f"{file}: expected every ROI number once, found {number} twice; export it again")
        named[number] = name_of(each, "ROIName", file)
    if not named:
        raise LabelError(f"{file}: expected ROIs, found none; export the structure set with its ROIs")
    return dict(sorted(named.items()))


def _rois(dataset: Dataset, named: dict[int, str], file: str) -> list[Roi]:
    """The ROIs that have contours, in the order of their numbers."""
    found: dict[int, Roi] = {}
    for each in items(dataset, "ROIContourSequence", file):
        number = within(each, "ReferencedROINumber", 1, MAX_LABEL, file)
        if number not in named or number in found:
            raise LabelError(
                f"{file}: expected contours once for each ROI that is named, found more for number {number}; "
                "export it again"
            )
        contours = items(each, "ContourSequence", file)
        kinds = {text(contour, "ContourGeometricType") or "" for contour in contours}
        if not (kinds <= {CLOSED} or kinds == {POINT}):
            raise VolumeError(
                f"{file}: expected closed planar contours ({CLOSED}), found ROI {named[number]!r} drawn otherwise; "
                "draw it again, or leave it out of the export"
            )
        points = tuple(_points(contour, named[number], file) for contour in contours) if CLOSED in kinds else ()
        found[number] = Roi(number, named[number], points)
    return [found[number] for number in sorted(found)]


def _points(contour: Dataset, name: str, file: str) -> FloatArray:
    """The points (P, 3) of a closed contour, three or more of them."""
    count = within(contour, "NumberOfContourPoints", 0, 2**31 - 1, file)
    if count < 3:
        raise VolumeError(
            f"{file}: expected at least 3 points in a closed contour, found {count} in ROI {name!r}; draw it again"
        )
    try:
        points = np.array(contour.get("ContourData"), dtype=np.float64)
    except (TypeError, ValueError):
        points = np.array([])
    if points.shape != (3 * count,) or not (np.abs(points) <= MAX_COORDINATE_MM).all():
        raise VolumeError(
            f"{file}: expected {3 * count} numbers within ±{MAX_COORDINATE_MM} as the points of a contour, found "
            f"others in ROI {name!r}; export it again"
        )
    return points.reshape(count, 3)


def _check_image(dataset: Dataset, image: Image, file: str) -> str:
    """The frame of reference that image and contours share; IdentityError if they were not drawn on this image."""
    frame_uid = image.identity.frame_of_reference_uid if image.identity else None
    if image.identity is None or frame_uid is None:
        raise IdentityError(
            f"{file}: expected the DICOM series that it was drawn on, found {image.file}, which states no frame of "
            "reference; give the folder of that series as the image"
        )
    for each in items(dataset, "StructureSetROISequence", file):
        if uid(each, "ReferencedFrameOfReferenceUID", file) != frame_uid:
            raise IdentityError(
                f"{file}: expected ROIs in the frame of reference of {image.file}, found "
                f"{name_of(each, 'ROIName', file)!r} in another; give the series that it was drawn on as the image"
            )
    series = {
        uid(each, "SeriesInstanceUID", file)
        for frame in items(dataset, "ReferencedFrameOfReferenceSequence", file)
        for study in items(frame, "RTReferencedStudySequence", file)
        for each in items(study, "RTReferencedSeriesSequence", file)
    }
    if series and image.identity.series_uid not in series:
        raise IdentityError(
            f"{file}: expected contours drawn on the series {image.file}, found that they were drawn on another one; "
            "give that series as the image"
        )
    return frame_uid


def _axis(rois: list[Roi], volume: Volume, file: str) -> int:
    """The index axis across the planes of all contours."""
    spreads = [np.ptp(volume.to_index(contour), axis=0) for roi in rois for contour in roi.contours]
    axis = int(np.max(spreads, axis=0).argmin()) if spreads else 2
    for roi in rois:
        for contour in roi.contours:
            spread = float(np.ptp(volume.to_index(contour)[:, axis]))
            if spread > PLANE_TOLERANCE:
                raise VolumeError(
                    f"{file}: expected each contour in one slice of the image, found one of ROI {roi.name!r} at "
                    f"{_place(contour)} that runs through {spread:.2f} slices; draw it on the slices of the image"
                )
    return axis


def _place(contour: FloatArray) -> str:
    return f"({', '.join(f'{value:.1f}' for value in contour.mean(axis=0))}) mm"


def _patches(roi: Roi, volume: Volume, axis: int, kind: npt.DTypeLike, file: str) -> list[Patch]:
    """The voxels inside a ROI's contours, slice by slice."""
    by_slice: dict[int, list[FloatArray]] = {}
    for contour in roi.contours:
        at, outline = _in_slice(contour, roi, volume, axis, file)
        by_slice.setdefault(at, []).append(outline)
    _check_gaps(roi, by_slice, volume, axis, file)
    patches: list[Patch] = []
    for at, outlines in sorted(by_slice.items()):
        points = np.concatenate(outlines)
        low = np.ceil(points.min(axis=0) - ON_LINE).astype(int)
        size = np.maximum(np.floor(points.max(axis=0) + ON_LINE).astype(int) + 1 - low, 0)
        try:
            mask = filled([outline - low for outline in outlines], (int(size[0]), int(size[1])))
        except ValueError as error:
            raise VolumeError(
                f"{file}: expected outlines with one inside, found in ROI {roi.name!r} {error}, in slice "
                f"{_slices([at], volume, axis)}; draw it again, or export it as DICOM SEG"
            ) from error
        box = [slice(start, start + length) for start, length in zip(low.tolist(), mask.shape, strict=True)]
        box.insert(axis, slice(at, at + 1))
        patches.append(((box[0], box[1], box[2]), np.expand_dims(mask, axis) * np.array(roi.number, kind)))
    return patches


def _in_slice(contour: FloatArray, roi: Roi, volume: Volume, axis: int, file: str) -> tuple[int, FloatArray]:
    """The slice of a contour, and its points (P, 2) along the other two index axes."""
    index = volume.to_index(contour)
    at = int(np.rint(index[:, axis].mean()))
    off = float(np.abs(index[:, axis] - at).max())
    if off > PLANE_TOLERANCE:
        raise VolumeError(
            f"{file}: expected contours in the slices of the image, found one of ROI {roi.name!r} at "
            f"{_place(contour)}, {off:.2f} slices beside the nearest; draw it on the slices of the image"
        )
    outline = np.delete(index, axis, axis=1)
    last = np.delete(volume.voxels.shape, axis) - 0.5 + EDGE_TOLERANCE
    if not 0 <= at < volume.voxels.shape[axis] or (outline < -0.5 - EDGE_TOLERANCE).any() or (outline > last).any():
        raise VolumeError(
            f"{file}: expected contours inside the image, found one of ROI {roi.name!r} at {_place(contour)} that "
            "reaches out of it; give the whole series that it was drawn on, or leave that ROI out of the export"
        )
    return at, outline


def _check_gaps(roi: Roi, by_slice: dict[int, list[FloatArray]], volume: Volume, axis: int, file: str) -> None:
    missing = sorted(set(range(min(by_slice), max(by_slice))) - set(by_slice))
    if missing:
        raise VolumeError(
            f"{file}: expected contours in every slice from end to end of ROI {roi.name!r}, found none in slice "
            f"{_slices(missing, volume, axis)}; draw the missing ones, nothing is interpolated"
        )


def _slices(places: list[int], volume: Volume, axis: int) -> str:
    """The numbers of slices, as the end of a sentence."""
    listed = ", ".join(str(place + 1) for place in places[:LISTED_SLICES])
    more = f" and {len(places) - LISTED_SLICES} more" if len(places) > LISTED_SLICES else ""
    return f"{listed}{more} of {volume.voxels.shape[axis]} (counted from the {LOW_ENDS[axis]} end)"

"""One slice of a CT or MR: a DICOM file with one image in grey values, sound in itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from guidegen.case import MAX_COORDINATE_MM
from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.dicom import identity_of, numbers, open_dicom, pixels_of, text, uid, whole_number
from guidegen.intake.headers import DIRECTION_TOLERANCE, MAX_SPACING_MM, MIN_SPACING_MM
from guidegen.intake.identity import Identity

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

MAX_SERIES_BYTES = 512 << 20  # 1024 slices of 512 × 512
MAX_GREY = 1e7

CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}
MULTI_FRAME_CLASSES = {f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2.1", "2.2", "4.1", "4.3", "4.4")}
KEYWORDS = (
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality"),
    *("PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AcquisitionDate", "Laterality", "ImageLaterality"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence"),
)


@dataclass(frozen=True)
class Layout:
    """How one slice stores its grey values: stored value × slope + intercept."""

    rows: int
    columns: int
    bits: int
    signed: bool
    slope: float
    intercept: float


@dataclass(frozen=True, eq=False)
class Slice:
    """One file of a series, sound in itself.

    `axes` (3, 3) are the unit directions of ascending columns, of ascending rows, and their normal. `spacing_mm`
    (2,) are the steps along the first two. `pixels` (rows, columns) are the stored values.
    """

    name: str
    uid: str
    identity: Identity
    layout: Layout
    axes: FloatArray
    spacing_mm: FloatArray
    position_mm: FloatArray
    pixels: npt.NDArray[Any]


def read_slice(path: Path, name: str, count: int) -> Slice:
    """The slice at `path`, one of `count`, called `name` in messages; VolumeError where it is not sound in itself."""
    dataset = open_dicom(path, name, keywords=KEYWORDS)
    _check_kind(dataset, name)
    identity = identity_of(dataset, name)
    uids = (identity.study_uid, identity.series_uid, identity.frame_of_reference_uid)
    own_uid = uid(dataset, "SOPInstanceUID", name)
    if own_uid is None or None in uids:
        raise VolumeError(
            f"{name}: expected the UIDs of slice, series, study and frame of reference, found not all of them; "
            "export it again from the archive"
        )
    layout = _layout(dataset, name)
    size = 2 * layout.rows * layout.columns * count
    if size > MAX_SERIES_BYTES:
        raise VolumeError(
            f"{name}: expected at most {MAX_SERIES_BYTES >> 20} MiB in a series, found {count} files of "
            f"{layout.columns} × {layout.rows} pixels; leave out the slices away from the hip"
        )
    axes, spacing_mm, position_mm = _place(dataset, name)
    pixels = pixels_of(dataset, name)[0]
    _check_pixels(pixels, layout, name)
    return Slice(name, own_uid, identity, layout, axes, spacing_mm, position_mm, pixels)


def _check_kind(dataset: FileDataset, name: str) -> None:
    """Refuse what is no single slice of a CT or MR in grey values."""
    modality, sop_class = text(dataset, "Modality"), text(dataset, "SOPClassUID")
    frames = whole_number(dataset, "NumberOfFrames", name) if "NumberOfFrames" in dataset else 1
    if sop_class in MULTI_FRAME_CLASSES or frames != 1:
        raise VolumeError(
            f"{name}: expected one slice in a file, found a multi-frame image; export it as single frames (classic)"
        )
    if modality not in CLASSES or sop_class != CLASSES[modality]:
        raise VolumeError(
            f"{name}: expected a CT or MR image, found another modality or class of object; "
            "give a folder with nothing but the CT or MR series"
        )
    if whole_number(dataset, "SamplesPerPixel", name) != 1:
        raise VolumeError(f"{name}: expected grey values, found colours; give the original series")
    if text(dataset, "PhotometricInterpretation") != "MONOCHROME2":
        raise VolumeError(
            f"{name}: expected grey values where more is brighter (MONOCHROME2), found others; give the original series"
        )


def _layout(dataset: FileDataset, name: str) -> Layout:
    keywords = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    rows, columns, allocated, bits, high, signed = (whole_number(dataset, keyword, name) for keyword in keywords)
    if allocated != 16 or not 1 <= bits <= 16 or high != bits - 1 or signed not in (0, 1):
        raise VolumeError(
            f"{name}: expected 16 bits for a pixel, used from the lowest up, signed or not (0 or 1), found "
            f"{allocated} bits, {bits} used, the highest number {high}, signed {signed}; export it again"
        )
    slope, intercept = _rescale(dataset, name)
    return Layout(rows, columns, bits, signed == 1, slope, intercept)


def _rescale(dataset: FileDataset, name: str) -> tuple[float, float]:
    """Slope and intercept, which a CT must have and an MR may do without."""
    is_ct = text(dataset, "Modality") == "CT"
    if "ModalityLUTSequence" in dataset or (is_ct and text(dataset, "RescaleType") not in (None, "HU", "US")):
        raise VolumeError(f"{name}: expected grey values on a straight scale, HU in a CT, found another scale")
    stated = [text(dataset, keyword) is not None for keyword in ("RescaleSlope", "RescaleIntercept")]
    if not any(stated) and not is_ct:
        return 1.0, 0.0
    slope = float(numbers(dataset, "RescaleSlope", 1, name)[0])
    intercept = float(numbers(dataset, "RescaleIntercept", 1, name)[0])
    if slope <= 0 or slope * 65536 + abs(intercept) > MAX_GREY:
        raise VolumeError(
            f"{name}: expected a rescale slope above 0 and grey values within {MAX_GREY:.0e}, found slope {slope:.6g} "
            f"and intercept {intercept:.6g}; export it again"
        )
    return slope, intercept


def _place(dataset: FileDataset, name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Axes (3, 3), steps (2,) along the first two of them, and position (3,) of a slice."""
    rows_mm, columns_mm = numbers(dataset, "PixelSpacing", 2, name)  # between rows first
    if not all(MIN_SPACING_MM <= step_mm <= MAX_SPACING_MM for step_mm in (rows_mm, columns_mm)):
        raise VolumeError(
            f"{name}: expected pixels of {MIN_SPACING_MM} to {MAX_SPACING_MM} mm, found {columns_mm:.6g} × "
            f"{rows_mm:.6g}; export it again from the scan"
        )
    position_mm = numbers(dataset, "ImagePositionPatient", 3, name)
    if np.abs(position_mm).max() > MAX_COORDINATE_MM:
        raise VolumeError(
            f"{name}: expected a place within {MAX_COORDINATE_MM / 1000:.0f} m, found {position_mm.tolist()} mm; "
            "export it again from the scan"
        )
    across, down = numbers(dataset, "ImageOrientationPatient", 6, name).reshape(2, 3).clip(-2.0, 2.0)
    off = max(abs(across @ across - 1.0), abs(down @ down - 1.0), abs(across @ down))
    if off > DIRECTION_TOLERANCE:
        raise VolumeError(
            f"{name}: expected rows and columns of unit direction at right angles, found them off by {off:.3g}; "
            "export it again from the scan"
        )
    across = across / np.linalg.norm(across)
    normal = np.cross(across, down)
    normal /= np.linalg.norm(normal)
    axes = np.column_stack([across, np.cross(normal, across), normal])
    return axes, np.array([columns_mm, rows_mm]), position_mm


def _check_pixels(pixels: npt.NDArray[Any], layout: Layout, name: str) -> None:
    """Refuse values beyond the bits that the header says are used: readers mask them, and not all alike."""
    low, high = (-(1 << layout.bits - 1), (1 << layout.bits - 1) - 1) if layout.signed else (0, (1 << layout.bits) - 1)
    found_low, found_high = int(pixels.min()), int(pixels.max())
    if found_low < low or found_high > high:
        raise VolumeError(
            f"{name}: expected stored values from {low} to {high} ({layout.bits} bits), found {found_low} to "
            f"{found_high}: overlays in the pixels, or an altered file; export it again"
        )

"""DICOM files: what one file says, converted at once and checked, so that nothing in it can surprise later.

pydicom converts a value when it is first looked at, and its warnings, log and errors quote it. So everything is
converted here, without warnings or log, and messages name the tag, never a text.
"""

from __future__ import annotations

import logging
import re
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from guidegen.errors import IdentityError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.dicom_bytes import MAX_DEPTH, Build, build_of
from guidegen.intake.identity import Identity

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

MAX_FILE_BYTES = 512 << 20
MAX_UNPACKED_BYTES = 1 << 30
MAX_RUN_EXPANSION = 64  # two bytes of run lengths are at most 128 bytes
UID = re.compile("[0-9.]{1,64}")  # an allow-list: UIDs reach messages and records
DIRECTORY_CLASS = "1.2.840.10008.1.3.10"

PIXEL_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)


def open_dicom(path: Path, file: str, *, pixels: bool = True, keywords: Iterable[str] = ()) -> FileDataset:
    """The dataset of a DICOM file, all values converted; `file` is its name in messages. VolumeError for any other.

    Without `pixels`, the pixel data are checked and left out. With `keywords`, only these elements are looked at, so
    that nothing else can be malformed. Names of people and private elements are never among them. No file that it
    names is opened.
    """
    import pydicom

    raw = _bytes(path, file)
    build = build_of(raw, file)
    try:
        with _quiet():
            dataset = pydicom.dcmread(
                pydicom.filebase.DicomBytesIO(raw),
                stop_before_pixels=not pixels,
                specific_tags=[*keywords, "SOPClassUID", *PIXEL_KEYWORDS] if keywords else None,
            )
            _convert(dataset.file_meta, file, 0)
            _convert(dataset, file, 0)
    except _pydicom_errors() as error:
        raise VolumeError(
            f"{file}: expected a DICOM file that can be read, found one that cannot ({type(error).__name__}); "
            "export it again"
        ) from None  # the library's own message may quote the patient
    _check_class(dataset, file)
    _check_pixel_bytes(dataset, build, file)
    return dataset


def _pydicom_errors() -> tuple[type[Exception], ...]:
    """What pydicom raises for a file that is not what it should be, from any depth of it."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    built_in = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError)
    return (*built_in, RuntimeError, TypeError, ValueError, struct.error, BytesLengthException, InvalidDicomError)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what pydicom warns of, values and all, from the terminal and from every log."""
    from pydicom.config import disable_value_validation

    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _bytes(path: Path, file: str) -> bytes:
    try:
        size = path.stat().st_size
        if size <= MAX_FILE_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise VolumeError(f"{file}: expected a file that can be read, found none ({error.strerror})") from error
    raise VolumeError(
        f"{file}: expected at most {MAX_FILE_BYTES >> 20} MiB in one DICOM file, found {size >> 20} MiB; "
        "crop it to the hip, or export fewer segments"
    )


def _convert(dataset: Dataset, file: str, depth: int) -> None:
    """Convert every element, in sequences too, and take out names of people and private elements."""
    from pydicom.dataelem import RawDataElement

    if depth > MAX_DEPTH:
        raise VolumeError(
            f"{file}: expected at most {MAX_DEPTH} sequences within each other, found more; export it again"
        )
    for tag in list(dataset.keys()):
        held = dataset.get_item(tag)
        if tag.is_private:
            del dataset[tag]
            continue
        if isinstance(held, RawDataElement) and len(held.value or b"") != held.length != 0xFFFFFFFF:
            raise VolumeError(f"{file}: expected a whole file, found {tag} cut off; export it again")
        try:
            element = dataset[tag]
        except _pydicom_errors() as error:
            raise VolumeError(
                f"{file}: expected a value of its kind at {tag}, found another ({type(error).__name__}); "
                "export it again"
            ) from None
        if element.VR == "SQ":
            for item in element.value:
                _convert(item, file, depth + 1)
        elif element.VR == "PN":
            del dataset[tag]
        elif element.VR == "UI" and not all(UID.fullmatch(value) for value in _values(element.value)):
            raise VolumeError(
                f"{file}: expected a UID of at most 64 digits and points at {tag}, found another text; export it again"
            )


def _check_class(dataset: FileDataset, file: str) -> None:
    said = (dataset.file_meta.get("MediaStorageSOPClassUID"), dataset.get("SOPClassUID"))
    if any(DIRECTORY_CLASS in _values(value) for value in said):
        raise VolumeError(
            f"{file}: expected an image or a segmentation, found a DICOMDIR, a list of other files, which is not "
            "followed; give the folder that holds the images themselves"
        )


def _check_pixel_bytes(dataset: Dataset, build: Build, file: str) -> None:
    """Refuse pixels that are not as many as the header says, before any memory is asked for them."""
    if build.pixel_bytes is None:
        if "Rows" in dataset:
            raise VolumeError(f"{file}: expected pixels, found none: the file is cut off; export it again")
        return
    bits = whole_number(dataset, "BitsAllocated", file)
    if not build.syntax.little_endian and bits != 16:
        raise VolumeError(
            f"{file}: expected 16 bits for a pixel in big-endian order, found {bits}; "
            "export it as Explicit VR Little Endian"
        )
    counts = [whole_number(dataset, keyword, file) for keyword in ("Rows", "Columns", "SamplesPerPixel")]
    frames = whole_number(dataset, "NumberOfFrames", file) if dataset.get("NumberOfFrames") is not None else 1
    if min(*counts, frames, bits) < 1:
        raise VolumeError(f"{file}: expected rows, columns, frames and bits above 0, found others; export it again")
    size = f"{frames} × {counts[0]} × {counts[1]} × {counts[2]} values of {bits} bits"
    values = frames * counts[0] * counts[1] * counts[2]
    if values * max(bits, 8) > MAX_UNPACKED_BYTES * 8:
        raise VolumeError(
            f"{file}: expected at most {MAX_UNPACKED_BYTES >> 30} GiB of pixels, found {size}; crop it to the hip"
        )
    expected = (values * bits + 7) // 8
    found = build.pixel_bytes
    padded = expected + expected % 2
    fits = expected <= found * MAX_RUN_EXPANSION if build.syntax.packed else found in (expected, padded)
    if not fits:
        raise VolumeError(
            f"{file}: expected {expected} bytes of pixels for {size}, found {found}: "
            "the file is cut off or altered; export it again"
        )


def pixels_of(dataset: FileDataset, file: str) -> npt.NDArray[Any]:
    """The stored values of all frames, as they are: (frames, rows, columns); bits are unpacked to uint8.

    Nothing is rescaled, shifted or masked. VolumeError for pixels in colour, or that cannot be unpacked.
    """
    from pydicom.pixels.decoders.base import get_decoder

    if whole_number(dataset, "SamplesPerPixel", file) != 1:
        raise VolumeError(f"{file}: expected one grey value for a pixel, found colours; export it in grey values")
    unmasked: Any = {"correct_unused_bits": False}
    try:
        with _quiet():
            decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
            plugin = "pydicom" if decoder.is_encapsulated else ""
            values, _ = decoder.as_array(dataset, raw=True, decoding_plugin=plugin, **unmasked)
    except _pydicom_errors() as error:
        raise VolumeError(
            f"{file}: expected pixels that can be unpacked, found others ({type(error).__name__}); "
            "export it uncompressed, as Explicit VR Little Endian"
        ) from None
    shape = (-1, whole_number(dataset, "Rows", file), whole_number(dataset, "Columns", file))
    return np.asarray(values).reshape(shape)


def identity_of(dataset: Dataset, file: str) -> Identity:
    """Whom and what the file says it shows. A patient's name is not there to be read (`open_dicom`).

    VolumeError for a UID that is none, IdentityError where the two tags of laterality disagree.
    """
    sex = text(dataset, "PatientSex")
    return Identity(
        file=file,
        modality=text(dataset, "Modality"),
        patient_id=text(dataset, "PatientID"),
        birth_date=_date(dataset, "PatientBirthDate"),
        sex=sex if sex in ("F", "M", "O") else None,
        study_date=_date(dataset, "StudyDate"),
        acquisition_date=_date(dataset, "AcquisitionDate"),
        study_uid=uid(dataset, "StudyInstanceUID", file),
        series_uid=uid(dataset, "SeriesInstanceUID", file),
        frame_of_reference_uid=uid(dataset, "FrameOfReferenceUID", file),
        laterality=_laterality(dataset, file),
    )


def _laterality(dataset: Dataset, file: str) -> Literal["left", "right"] | None:
    """(0020,0060) or (0020,0062), as far as they name one side; B (both), U (no pair) and others name none."""
    stated = {text(dataset, keyword) for keyword in ("Laterality", "ImageLaterality")}
    if {"L", "R"} <= stated:
        raise IdentityError(
            f"{file}: expected one side in Laterality and Image Laterality, found both L and R; "
            "find out which side it shows and have it corrected"
        )
    return "left" if "L" in stated else "right" if "R" in stated else None


def _date(dataset: Dataset, keyword: str) -> str | None:
    value = text(dataset, keyword) or ""
    if not re.fullmatch("[0-9]{8}", value):
        return None
    try:
        return datetime.strptime(value, "%Y%m%d").date().isoformat()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _values(value: Any) -> list[Any]:
    """The values of an element: none, one or many."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, (str, bytes, int, float)) else list(value)


def text(dataset: Dataset, keyword: str) -> str | None:
    """The text of an element without blanks round it, its values joined by backslashes; None where there is none."""
    values = _values(dataset.get(keyword))
    if not all(isinstance(value, (str, int, float)) for value in values):
        return None
    return "\\".join(map(str, values)).strip("\0 ") or None


def uid(dataset: Dataset, keyword: str, file: str) -> str | None:
    """A UID, None where there is none; VolumeError for any other text."""
    value = text(dataset, keyword)
    if value is not None and not UID.fullmatch(value):
        raise VolumeError(f"{file}: expected one UID of digits and points as {keyword}, found another text")
    return value


def numbers(dataset: Dataset, keyword: str, count: int, file: str) -> FloatArray:
    """The finite numbers (count,) of an element; VolumeError for anything else."""
    values = _values(dataset.get(keyword))
    try:
        found = [] if any(isinstance(value, bytes) for value in values) else [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        found = []
    if len(found) != count or not all(map(isfinite, found)):
        raise VolumeError(
            f"{file}: expected {count} finite number{'s' * (count > 1)} as {keyword}, "
            f"found {' × '.join(f'{value:.6g}' for value in found[:9]) or 'none'}; export it again from the scan"
        )
    return np.array(found)


def whole_number(dataset: Dataset, keyword: str, file: str) -> int:
    """The whole number that an element is; VolumeError for anything else."""
    value = float(numbers(dataset, keyword, 1, file)[0])
    if not value.is_integer():
        raise VolumeError(f"{file}: expected a whole number as {keyword}, found {value:.6g}; export it again")
    return int(value)

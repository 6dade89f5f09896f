"""NIfTI-1 in one file, .nii or .nii.gz: its header (nibabel) and its voxels, not yet read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.errors import LabelError, VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.headers import MAX_HEADER_BYTES, Header, Place, one_per_voxel, scalar_volume
from guidegen.intake.plain_xml import NotPlain, plain_xml

HEADER_BYTES = 348
NIFTI_2_BYTES = 540
MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # no unit is read as mm, as SimpleITK does
PLAIN_INTENTS = {0, 1002, 1005}  # none, label, name of a label
# How far b² + c² + d² of a quaternion can be off: three float32 numbers, and nifti1_io's own cut at 1e-7.
QUATERNION_ROUNDING = 2e-7
CARET = b"<CaretExtension"


@contextmanager
def opened_nifti(path: Path, file: str) -> Iterator[tuple[Header, BufferedIOBase]]:
    """The header, and the stream of the voxels, whose packing is verified when it is read to its end."""
    with gzip.open(path) if file.lower().endswith(".gz") else path.open("rb") as stream:
        fields = _fields(stream.read(HEADER_BYTES), file)
        offset = float(fields["vox_offset"])
        if not (HEADER_BYTES + 4 <= offset <= MAX_HEADER_BYTES and offset == int(offset)):
            raise VolumeError(
                f"{file}: expected voxels from byte {HEADER_BYTES + 4} to {MAX_HEADER_BYTES} on, found {offset:.9g}; "
                "export it again"
            )
        extensions = stream.read(int(offset) - HEADER_BYTES)
        slope, intercept = _scale(fields, file)
        header = Header(
            kind=_kind(fields, file),
            shape=_shape(fields, file),
            places=_places(fields, file),
            slope=slope,
            intercept=intercept,
            names=_names(extensions, fields.endianness, file),
        )
        yield header, stream


def _fields(raw: bytes, file: str) -> Any:
    from nibabel import nifti1

    if len(raw) < HEADER_BYTES:
        raise VolumeError(f"{file}: expected a NIfTI header of {HEADER_BYTES} bytes, found {len(raw)}; export it again")
    sizes = {int.from_bytes(raw[:4], "little"), int.from_bytes(raw[:4], "big")}
    if NIFTI_2_BYTES in sizes:
        raise VolumeError(f"{file}: expected a NIfTI-1 file, found NIfTI-2; export it as NIfTI-1 or NRRD")
    if HEADER_BYTES not in sizes or raw[344:348] != b"n+1\0":
        raise VolumeError(
            f"{file}: expected a NIfTI-1 file with its voxels in it, found no such header "
            "(Analyze, a pair of .hdr and .img, or something else); export it again as NIfTI-1 or NRRD"
        )
    order = "<" if int.from_bytes(raw[:4], "little") == HEADER_BYTES else ">"
    header: Any = nifti1.Nifti1Header
    return header(raw, endianness=order, check=False)


def _shape(fields: Any, file: str) -> tuple[int, int, int]:
    """The three sizes; axes of one voxel beyond them say nothing and are left out."""
    count = int(fields["dim"][0])
    axes = [int(size) for size in fields["dim"][1 : 1 + count]] if 1 <= count <= 7 else []
    if not axes or min(axes) < 1:
        raise VolumeError(
            f"{file}: expected 3 axes and numbers of voxels above 0, found dim = {fields['dim'].tolist()}; "
            "export it again"
        )
    while len(axes) > 3 and axes[-1] == 1:
        axes.pop()
    if len(axes) == 5 and axes[3] == 1:
        raise one_per_voxel(axes[4], file)
    return scalar_volume(tuple(axes), file)


def _kind(fields: Any, file: str) -> np.dtype[np.generic]:
    intent = int(fields["intent_code"])
    if intent not in PLAIN_INTENTS:
        raise VolumeError(
            f"{file}: expected plain numbers or labels, found intent code {intent} (vectors or a statistic); "
            "export the image or the label map itself"
        )
    try:
        kind: np.dtype[np.generic] = fields.get_data_dtype()
    except KeyError as error:
        raise VolumeError(f"{file}: expected a known kind of number, found code {error}; export it again") from error
    if kind.kind not in "iuf" or kind.itemsize > 8:
        raise one_per_voxel(max(2, len(kind.names or ())), file)
    return kind.newbyteorder(fields.endianness)


def _scale(fields: Any, file: str) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN is no scale (nifti1.h, nibabel)."""
    from nibabel.spatialimages import HeaderDataError

    try:
        slope, intercept = fields.get_slope_inter()
    except HeaderDataError as error:
        raise VolumeError(f"{file}: expected a finite scl_inter, found another; export it again") from error
    return (1.0, 0.0) if slope is None else (slope, intercept)


def _places(fields: Any, file: str) -> tuple[Place, ...]:
    """Methods 2 (qform) and 3 (sform) of nifti1.h as nibabel has them, as far as their codes are above 0."""
    from nibabel.spatialimages import HeaderDataError

    unit = int(fields["xyzt_units"]) & 7
    if unit not in MM_PER_UNIT:
        raise VolumeError(f"{file}: expected mm, m or µm as the unit, found code {unit}; export it in mm")
    if fields["pixdim"][0] == 0:
        fields["pixdim"][0] = 1  # as nifti1.h says it shall be taken
    to_lps_mm = np.array([[-1.0], [-1.0], [1.0]]) * MM_PER_UNIT[unit]
    places = []
    try:
        with np.errstate(invalid="ignore", over="ignore"):  # infinity times 0; refused below
            if fields["qform_code"] > 0:
                places.append(Place(to_lps_mm * fields.get_qform()[:3], _rounding_rad(fields)))
            if fields["sform_code"] > 0:
                places.append(Place(to_lps_mm * fields.get_sform()[:3], 0.0))
    except (HeaderDataError, ValueError) as error:
        raise VolumeError(f"{file}: expected a rotation as its qform, found none ({error}); export it again") from error
    if not places:
        raise VolumeError(
            f"{file}: expected a place in the patient (a qform or sform code above 0), found both 0: "
            "left and right would be a guess; export it again from the scan"
        )
    if not all(np.isfinite(place.matrix).all() for place in places):
        raise VolumeError(f"{file}: expected finite numbers in qform and sform, found others; export it again")
    return tuple(places)


def _rounding_rad(fields: Any) -> float:
    """The angle that the float32 numbers of a quaternion leave open.

    Only b, c and d are stored. Near half a turn, which is where an axial scan lies in NIfTI's own axes, the
    fourth number a = √(1 − b² − c² − d²) is the root of a rounding error: up to 0.5 mm at 400 mm are then open.
    """
    bcd: FloatArray = np.array([fields[f"quatern_{letter}"] for letter in "bcd"], dtype=np.float64)
    square = max(0.0, 1.0 - float(bcd @ bcd))
    return float(2.0 * (np.sqrt(square + QUATERNION_ROUNDING) - np.sqrt(square)))


def _names(extensions: bytes, order: str, file: str) -> tuple[tuple[str, int, int], ...]:
    """Names and values in the label table of a CaretExtension, which TotalSegmentator and Workbench write."""
    names: list[tuple[str, int, int]] = []
    for content in _extensions(extensions, order, file):
        if CARET not in content:
            continue
        try:
            root = plain_xml(content.strip(b"\0 \r\n\t"))
            labels = [(label.text or "", int(label.attrib["Key"])) for label in root.iter("Label")]
        except (NotPlain, KeyError, ValueError) as error:
            raise LabelError(
                f"{file}: expected a table of labels in the header's extension, found a damaged one ({error}); "
                "export the labels again"
            ) from error
        names += [(name, 0, value) for name, value in labels if value != 0]
    return tuple(names)


def _extensions(raw: bytes, order: str, file: str) -> Iterator[bytes]:
    """The contents of the header's extensions (nifti1.h): 4 bytes say if there are any; then size, code, content."""
    start = 4
    while raw[0] != 0 and start < len(raw):
        size = int.from_bytes(raw[start : start + 4], "little" if order == "<" else "big")
        if size < 8 or start + size > len(raw):
            raise VolumeError(f"{file}: expected whole extensions of the header, found a damaged one; export it again")
        yield raw[start + 8 : start + size]
        start += size

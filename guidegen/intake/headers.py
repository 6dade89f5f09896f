"""What the image readers let pass, checked on a file's own header before they read it.

SimpleITK fills the rest of a cut-off NIfTI with voxels of 0 and of some MHA with whatever was
in memory, gives a place to files that state none, and follows a header that names another file
for its voxels. Each function here
returns what the file itself states, or raises VolumeError; a file that cannot be opened or
unpacked raises one of UNREADABLE.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray

UNREADABLE = (OSError, EOFError, zlib.error)

# More than any hip scan; a file that unpacks to more is refused before it fills the memory.
MAX_BYTES = 2 << 30
CHUNK_BYTES = 1 << 18
MAX_TEXT_HEADER_BYTES = 1 << 20

NIFTI_BYTES = 348
NIFTI_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # no unit is read as mm, as SimpleITK does
NIFTI_FIELDS: dict[str, tuple[str, int]] = {  # type and offset of those used here
    "sizeof_hdr": ("i4", 0),
    "pixdim": ("8f4", 76),
    "vox_offset": ("f4", 108),
    "xyzt_units": ("u1", 123),
    "qform_code": ("i2", 252),
    "sform_code": ("i2", 254),
    "quaternion": ("3f4", 256),
    "qoffset": ("3f4", 268),
    "srow": ("(3,4)f4", 280),
    "magic": ("S4", 344),
}
# How far b² + c² + d² of a quaternion can be off: three float32 numbers, and nifti1_io's own cut at 1e-7.
QUATERNION_ROUNDING = 2e-7

NRRD_TO_LPS = {  # the patient frames that NRRD knows
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Place:
    """A matrix (3, 4) from index to LPS mm, and the angle by which its own rounding may have turned it."""

    matrix: FloatArray
    rounding_rad: float


@dataclass(frozen=True, eq=False)
class Header:
    """How many bytes of voxels the file really has, unpacked, and where it says they lie.

    `places` are statements of the place, each on its own: a NIfTI with qform and sform has two.
    """

    data_bytes: int
    places: tuple[Place, ...]


def nifti_header(path: Path, name: str) -> Header:
    """The header of a .nii or .nii.gz, whose packing is read to its end and so verified."""
    is_packed = name.lower().endswith(".gz")
    with gzip.open(path) if is_packed else path.open("rb") as stream:
        raw = stream.read(NIFTI_BYTES)
        total = len(raw) + sum(len(chunk) for chunk in _chunks(stream, name))
    if len(raw) < NIFTI_BYTES:
        raise VolumeError(f"{name}: expected a NIfTI header of {NIFTI_BYTES} bytes, found {total}; export it again")
    fields = _nifti_fields(raw)
    if fields is None or bytes(fields["magic"]) != b"n+1":
        raise VolumeError(f"{name}: expected a NIfTI-1 file, found no such header; export it again as NIfTI-1 or NRRD")
    if int(fields["qform_code"]) <= 0 and int(fields["sform_code"]) <= 0:
        raise VolumeError(
            f"{name}: expected a place in the patient (a qform or sform code above 0), found both 0: "
            "left and right would be a guess; export it again from the scan"
        )
    places = _nifti_places(fields)
    if not all(np.isfinite(place.matrix).all() for place in places):
        raise VolumeError(f"{name}: expected finite numbers in qform and sform, found others; export it again")
    return Header(total - int(np.nan_to_num(fields["vox_offset"])), places)


def _nifti_fields(raw: bytes) -> Any | None:
    kinds, offsets = zip(*NIFTI_FIELDS.values(), strict=True)
    little = np.dtype({"names": list(NIFTI_FIELDS), "formats": kinds, "offsets": offsets, "itemsize": NIFTI_BYTES})
    for layout in (little, little.newbyteorder(">")):
        fields = np.frombuffer(raw, layout)[0]
        if fields["sizeof_hdr"] == NIFTI_BYTES:
            return fields
    return None


@np.errstate(invalid="ignore")  # infinity times 0; refused by the caller
def _nifti_places(fields: Any) -> tuple[Place, ...]:
    """Methods 2 (qform) and 3 (sform) of nifti1.h, as far as their codes are above 0, in LPS mm."""
    to_lps_mm = np.array([[-1.0], [-1.0], [1.0]]) * NIFTI_MM.get(int(fields["xyzt_units"]) & 7, np.nan)
    places = []
    if fields["qform_code"] > 0:
        turn, rounding_rad = _turn(*(float(value) for value in fields["quaternion"]))
        pixdim = np.asarray(fields["pixdim"], dtype=np.float64)
        steps = np.diag(pixdim[1:4] * [1.0, 1.0, -1.0 if pixdim[0] < 0 else 1.0])
        offset = np.asarray(fields["qoffset"], dtype=np.float64)
        places.append(Place(to_lps_mm * np.column_stack([turn @ steps, offset]), rounding_rad))
    if fields["sform_code"] > 0:
        places.append(Place(to_lps_mm * np.asarray(fields["srow"], dtype=np.float64), 0.0))
    return tuple(places)


def _turn(b: float, c: float, d: float) -> tuple[FloatArray, float]:
    """The rotation (3, 3) of a NIfTI quaternion, and the angle that its float32 numbers leave open.

    Only b, c and d are stored. Near half a turn, which is where an axial scan lies in NIfTI's own axes, the
    fourth number a = √(1 − b² − c² − d²) is the root of a rounding error: up to 0.5 mm at 400 mm are then open.
    """
    square = b * b + c * c + d * d
    a = np.sqrt(max(0.0, 1.0 - square))
    if 1.0 - square < 1e-7:  # as nifti1_io does
        a, b, c, d = 0.0, *(value / np.sqrt(square) for value in (b, c, d))
    turn = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ]
    return np.array(turn), float(2.0 * (np.sqrt(a * a + QUATERNION_ROUNDING) - a))


def nrrd_header(path: Path, name: str) -> Header:
    """The header of a .nrrd: voxels in the same file, in a known patient frame, in mm, raw or packed by gzip."""
    with path.open("rb") as stream:
        if not stream.read(4).startswith(b"NRRD"):
            raise VolumeError(f"{name}: expected a NRRD file, found no such header; export it again")
        fields: dict[str, str] = {}
        for line in _text_lines(stream, name):
            if not line:
                break
            key, colon, value = line.partition(":")
            if colon and not value.startswith("=") and not line.startswith("#"):
                fields[key.strip().lower()] = value.strip()
        _check_nrrd_fields(fields, name)
        packed = fields["encoding"].lower() in ("gzip", "gz")
        voxels: BufferedIOBase = gzip.GzipFile(fileobj=stream) if packed else stream
        return Header(sum(len(chunk) for chunk in _chunks(voxels, name)), (_nrrd_place(fields, name),))


def _check_nrrd_fields(fields: dict[str, str], name: str) -> None:
    if "data file" in fields or "datafile" in fields:
        raise VolumeError(
            f"{name}: expected the voxels in the file itself, found a header that names another file; "
            "export it as one .nrrd"
        )
    if fields.get("encoding", "").lower() not in ("raw", "gzip", "gz"):
        raise VolumeError(f"{name}: expected encoding raw or gzip, found {fields.get('encoding')!r}; export it again")
    if fields.get("space", "").lower() not in NRRD_TO_LPS:
        raise VolumeError(
            f"{name}: expected a patient frame ({', '.join(list(NRRD_TO_LPS)[::2])}), "
            f"found space {fields.get('space')!r}; export it again from the scan"
        )
    if set(fields.get("space units", '"mm"').replace('"', " ").split()) != {"mm"}:
        raise VolumeError(f"{name}: expected space units of mm, found {fields['space units']}; export it in mm")


def _nrrd_place(fields: dict[str, str], name: str) -> Place:
    vectors = []
    for key, count in (("space directions", 3), ("space origin", 1)):
        found = [_numbers(inside, 3) for inside in re.findall(r"\(([^()]*)\)", fields.get(key, ""))]
        if len(found) != count or None in found:
            raise VolumeError(
                f"{name}: expected {count} × (x, y, z) as {key!r} in the header, found {fields.get(key)!r}; "
                "export it again from the scan"
            )
        vectors += found
    to_lps = np.array(NRRD_TO_LPS[fields["space"].lower()])[:, None]
    return Place(to_lps * np.array(vectors, dtype=np.float64).T, 0.0)


def _numbers(text: str, count: int) -> list[float] | None:
    """The finite numbers, between commas or blanks, that a text is; None if it is not `count` of them."""
    try:
        numbers = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return None
    return numbers if len(numbers) == count and np.isfinite(numbers).all() else None


def mha_header(path: Path, name: str) -> Header:
    """The header of a .mha: voxels in the same file, with spacing, place and direction, raw or packed by zlib."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        for line in _text_lines(stream, name):
            key, equals, value = line.partition("=")
            if not equals:
                raise VolumeError(f"{name}: expected a MetaImage header, found {line[:40]!r}; export it again")
            fields[key.strip().lower()] = value.strip()
            if "elementdatafile" in fields:
                break
        if fields.get("elementdatafile", "").upper() != "LOCAL":
            raise VolumeError(
                f"{name}: expected the voxels in the file itself (ElementDataFile = LOCAL), "
                f"found {fields.get('elementdatafile')!r}; export it as one .mha"
            )
        place = _mha_place(fields, name)
        if fields.get("compresseddata", "").lower() == "true":
            packed_bytes = path.stat().st_size - stream.tell()
            if fields.get("compresseddatasize") != str(packed_bytes):  # else MetaIO hands out whatever was in memory
                raise VolumeError(
                    f"{name}: expected CompressedDataSize = {packed_bytes}, as many bytes as follow the header, "
                    f"found {fields.get('compresseddatasize')}: the file is cut off or altered; export it again"
                )
            return Header(_zlib_bytes(stream, name), (place,))
        return Header(sum(len(chunk) for chunk in _chunks(stream, name)), (place,))


def _mha_place(fields: dict[str, str], name: str) -> Place:
    stated = []
    for spellings, count in (
        (("TransformMatrix", "Rotation", "Orientation"), 9),
        (("ElementSpacing",), 3),
        (("Offset", "Position", "Origin"), 3),
    ):
        text = next((fields[key.lower()] for key in spellings if key.lower() in fields), "")
        numbers = _numbers(text, count)
        if numbers is None:
            raise VolumeError(
                f"{name}: expected {count} numbers as {spellings[0]} in the header, found {text!r}; "
                "export it again from the scan"
            )
        stated.append(np.array(numbers))
    axes, spacing, offset = stated  # one axis after the other
    return Place(np.column_stack([axes.reshape(3, 3).T * spacing, offset]), 0.0)


def _text_lines(stream: BufferedIOBase, name: str) -> Iterator[str]:
    """The lines of a text header, without their ends; the stream stands after each."""
    while stream.tell() < MAX_TEXT_HEADER_BYTES:
        line = stream.readline(MAX_TEXT_HEADER_BYTES)
        if not line.endswith(b"\n"):
            break
        yield line.decode("latin-1").rstrip("\r\n")
    raise VolumeError(f"{name}: expected the end of the header, found none; export it again")


def _chunks(stream: BufferedIOBase, name: str) -> Iterator[bytes]:
    """The rest of a stream, unpacked; VolumeError where it grows without end."""
    total = 0
    while chunk := stream.read(CHUNK_BYTES):
        total += len(chunk)
        if total > MAX_BYTES:
            raise VolumeError(_too_large(name))
        yield chunk


def _zlib_bytes(stream: BufferedIOBase, name: str) -> int:
    """How many bytes the rest of the stream unpacks to; its check sum is verified."""
    unpack = zlib.decompressobj(wbits=47)  # zlib or gzip, told by its first bytes
    total = 0
    for chunk in _chunks(stream, name):
        total += len(unpack.decompress(chunk))
        if total > MAX_BYTES:
            raise VolumeError(_too_large(name))
    return total


def _too_large(name: str) -> str:
    return f"{name}: expected at most {MAX_BYTES >> 30} GiB of voxels, found more; crop the image to the hip"

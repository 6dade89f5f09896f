"""NRRD with its voxels in the same file: its header, and its voxels, not yet read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Literal

import numpy as np

from guidegen.errors import LabelError, VolumeError
from guidegen.intake.headers import Header, Place, numbers, one_per_voxel, scalar_volume, sizes, stated_once, text_lines

TO_LPS = {  # the patient frames that NRRD knows
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
}
KINDS = {  # NRRD has several words for each
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
ORDERS: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
SAME_AS = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}


@contextmanager
def opened_nrrd(path: Path, file: str) -> Iterator[tuple[Header, BufferedIOBase]]:
    """The header, and the stream of the voxels, whose packing is verified when it is read to its end."""
    with path.open("rb") as stream:
        if not stream.read(4).startswith(b"NRRD"):
            raise VolumeError(f"{file}: expected a NRRD file, found no such header; export it again")
        fields, notes = _fields(stream, file)
        _check_fields(fields, file)
        layers, shape = _shape(fields, file)
        header = Header(_kind(fields, file), shape, (_place(fields, file),), layers, names=_names(notes, file))
        is_raw = fields["encoding"].lower() == "raw"
        yield header, stream if is_raw else gzip.GzipFile(fileobj=stream)


def _fields(stream: BufferedIOBase, file: str) -> tuple[dict[str, str], dict[str, str]]:
    """The fields (key: value) that the format defines, and the notes (key:=value) that any program may add."""
    fields: dict[str, str] = {}
    notes: dict[str, str] = {}
    for line in text_lines(stream, file):
        if not line:
            break
        key, colon, value = line.partition(":")
        if line.startswith("#") or not colon:
            continue
        if value.startswith("="):
            stated_once(notes, key, value[1:].replace("\\n", "\n").replace("\\\\", "\\"), file)
        else:
            key = key.strip().lower()
            stated_once(fields, SAME_AS.get(key, key), value.strip(), file)
    return fields, notes


def _check_fields(fields: dict[str, str], file: str) -> None:
    if "data file" in fields:
        raise VolumeError(
            f"{file}: expected the voxels in the file itself, found a header that names another file; "
            "export it as one .nrrd"
        )
    if fields.get("encoding", "").lower() not in ("raw", "gzip", "gz"):
        raise VolumeError(f"{file}: expected encoding raw or gzip, found {fields.get('encoding')!r}; export it again")
    for key in ("line skip", "byte skip"):
        if fields.get(key, "0") != "0":
            raise VolumeError(
                f"{file}: expected voxels right after the header, found {key} {fields[key]}; export it again"
            )
    if fields.get("space", "").lower() not in TO_LPS:
        raise VolumeError(
            f"{file}: expected a patient frame ({', '.join(list(TO_LPS)[::2])}), "
            f"found space {fields.get('space')!r}; export it again from the scan"
        )
    if set(fields.get("space units", '"mm"').replace('"', " ").split()) != {"mm"}:
        raise VolumeError(f"{file}: expected space units of mm, found {fields['space units']}; export it in mm")


def _kind(fields: dict[str, str], file: str) -> np.dtype[np.generic]:
    word = fields.get("type", "").lower()
    kind = np.dtype(KINDS.get(word, "V"))
    endian = fields.get("endian", "little" if kind.itemsize == 1 else "").lower()
    if kind.kind == "V" or endian not in ORDERS:
        raise VolumeError(
            f"{file}: expected a known type and endian, found type {fields.get('type')!r}, endian "
            f"{fields.get('endian')!r}; export it again"
        )
    return kind.newbyteorder(ORDERS[endian])


def _shape(fields: dict[str, str], file: str) -> tuple[int, tuple[int, int, int]]:
    """The number of layers, and the sizes of the volume: 3D Slicer keeps segments that overlap in a list of layers."""
    axes = sizes(fields.get("sizes", ""), "sizes", file)
    kinds = fields.get("kinds", "domain " * len(axes)).split()
    if fields.get("dimension") != str(len(axes)) or len(kinds) != len(axes):
        raise VolumeError(
            f"{file}: expected as many sizes and kinds as the dimension says, found dimension "
            f"{fields.get('dimension')!r}, sizes {fields['sizes']!r} and kinds {fields.get('kinds')!r}; export it again"
        )
    if len(axes) == 4 and kinds[0] == "list":
        return axes[0], scalar_volume(axes[1:], file)
    if len(axes) == 4 and kinds[0] not in ("domain", "space"):
        raise one_per_voxel(axes[0], file)
    return 1, scalar_volume(axes, file)


def _place(fields: dict[str, str], file: str) -> Place:
    vectors = []
    for key, count in (("space directions", 3), ("space origin", 1)):
        text = fields.get(key, "")
        has_layers = key == "space directions" and fields["dimension"] == "4"
        found = [numbers(inside, 3) for inside in re.findall(r"\(([^()]*)\)", text)]
        if len(found) != count or None in found or text.startswith("none") != has_layers:
            raise VolumeError(
                f"{file}: expected {count} × (x, y, z) as {key!r} in the header, found {fields.get(key)!r}; "
                "export it again from the scan"
            )
        vectors += found
    to_lps = np.array(TO_LPS[fields["space"].lower()])[:, None]
    return Place(to_lps * np.array(vectors, dtype=np.float64).T, 0.0)


def _names(notes: dict[str, str], file: str) -> tuple[tuple[str, int, int], ...]:
    """The segments of 3D Slicer's .seg.nrrd: Segment<n>_Name, Segment<n>_Layer and Segment<n>_LabelValue."""
    names = []
    for key, name in notes.items():
        segment = re.fullmatch("(Segment[0-9]+)_Name", key)
        if segment is None:
            continue
        layer, value = (notes.get(f"{segment[1]}_{what}", "") for what in ("Layer", "LabelValue"))
        if not re.fullmatch("[0-9]{1,9}", layer) or not re.fullmatch("[0-9]{1,9}", value):
            raise LabelError(
                f"{file}: expected whole numbers as {segment[1]}_Layer and {segment[1]}_LabelValue, found {layer!r} "
                f"and {value!r}; save the segmentation again"
            )
        names.append((name, int(layer), int(value)))
    return tuple(names)

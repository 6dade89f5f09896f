"""MetaImage, as one .mha or as .mhd with its .raw or .zraw beside it: its header, and its voxels, not yet read."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.case import COMPANION_SUFFIXES
from guidegen.errors import VolumeError
from guidegen.intake.headers import Header, Place, numbers, one_per_voxel, scalar_volume, sizes, stated_once, text_lines

KINDS = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
SAME_AS = {
    "rotation": "transformmatrix",
    "orientation": "transformmatrix",
    "position": "offset",
    "origin": "offset",
    "elementbyteordermsb": "binarydatabyteordermsb",
}
# What the voxels are not: text, behind a header of their own, or amounts by a scale that readers leave out.
PLAIN = {
    "binarydata": "true",
    "headersize": "0",
    "elementtointensityfunctionslope": "1",
    "elementtointensityfunctionoffset": "0",
}
PACKED_BYTES = 1 << 18


@contextmanager
def opened_metaimage(path: Path, file: str) -> Iterator[tuple[Header, BufferedIOBase]]:
    """The header, and the stream of the voxels, whose packing is verified when it is read to its end."""
    with path.open("rb") as stream:
        fields = _fields(stream, file)
        is_packed = _truth(fields, "compresseddata", file)
        header = Header(_kind(fields, file), _shape(fields, file), (_place(fields, file),))
        beside = _voxel_file(path, fields["elementdatafile"], is_packed, file)
        if beside is None:
            yield header, _voxels(stream, path, fields, is_packed, file)
            return
    with beside.open("rb") as stream:
        yield header, _voxels(stream, beside, fields, is_packed, file)


def _fields(stream: BufferedIOBase, file: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text_lines(stream, file):
        key, equals, value = line.partition("=")
        if not equals:
            raise VolumeError(f"{file}: expected a MetaImage header, found {line[:40]!a}; export it again")
        key = key.strip().lower()
        stated_once(fields, SAME_AS.get(key, key), value.strip(), file)
        if "elementdatafile" in fields:
            break
    for key, plain in PLAIN.items():
        if fields.get(key, plain).lower() != plain:
            raise VolumeError(
                f"{file}: expected plain binary voxels ({key} = {plain}), found {fields[key]!r}; export it again"
            )
    return fields


def _voxel_file(path: Path, stated: str, is_packed: bool, file: str) -> Path | None:
    """Where the voxels are: None for the file itself. Its name is ours: the one in the header must only equal it."""
    if path.suffix.lower() != ".mhd":
        if stated.upper() != "LOCAL":
            raise VolumeError(
                f"{file}: expected the voxels in the file itself (ElementDataFile = LOCAL), found {stated!r}; "
                "export it as one .mha"
            )
        return None
    beside = path.with_suffix(COMPANION_SUFFIXES[is_packed])
    if stated != beside.name or beside.is_symlink():
        raise VolumeError(
            f"{file}: expected the voxels in {beside.name} beside it (ElementDataFile = {beside.name}), "
            f"found {'a link' if stated == beside.name else repr(stated)}; export it as one .mha"
        )
    return beside


def _voxels(stream: BufferedIOBase, path: Path, fields: dict[str, str], is_packed: bool, file: str) -> BufferedIOBase:
    """The stream of the voxels from where `stream`, open on `path`, stands."""
    if not is_packed:
        return stream
    packed_bytes = path.stat().st_size - stream.tell()
    if fields.get("compresseddatasize", str(packed_bytes)) != str(packed_bytes):
        raise VolumeError(
            f"{file}: expected CompressedDataSize = {packed_bytes}, as many bytes as there are, "
            f"found {fields['compresseddatasize']}: the file is cut off or altered; export it again"
        )
    return io.BufferedReader(_Unpacked(stream))


def _truth(fields: dict[str, str], key: str, file: str) -> bool:
    word = fields.get(key, "false").lower()
    if word not in ("true", "false"):
        raise VolumeError(f"{file}: expected True or False as {key}, found {word!r}; export it again")
    return word == "true"


def _kind(fields: dict[str, str], file: str) -> np.dtype[np.generic]:
    channels = fields.get("elementnumberofchannels", "1")
    if channels != "1":
        raise one_per_voxel(channels, file)
    word = fields.get("elementtype", "")
    if word not in KINDS:
        raise VolumeError(f"{file}: expected a known ElementType, found {word!r}; export it again")
    return np.dtype(KINDS[word]).newbyteorder(">" if _truth(fields, "binarydatabyteordermsb", file) else "<")


def _shape(fields: dict[str, str], file: str) -> tuple[int, int, int]:
    axes = sizes(fields.get("dimsize", ""), "DimSize", file)
    if fields.get("ndims") != str(len(axes)):
        raise VolumeError(
            f"{file}: expected as many sizes as axes, found NDims = {fields.get('ndims')} and DimSize = "
            f"{fields['dimsize']}; export it again"
        )
    return scalar_volume(axes, file)


def _place(fields: dict[str, str], file: str) -> Place:
    stated = []
    for key, count in (("TransformMatrix", 9), ("ElementSpacing", 3), ("Offset", 3)):
        text = fields.get(key.lower(), "")
        found = numbers(text, count)
        if found is None:
            raise VolumeError(
                f"{file}: expected {count} numbers as {key} in the header, found {text!r}; "
                "export it again from the scan"
            )
        stated.append(np.array(found))
    axes, spacing, offset = stated  # one axis after the other
    return Place(np.column_stack([axes.reshape(3, 3).T * spacing, offset]), 0.0)


class _Unpacked(io.RawIOBase):
    """What a zlib or gzip stream unpacks to; its check sum is verified at its end, and nothing may follow it."""

    def __init__(self, packed: BufferedIOBase) -> None:
        self._packed = packed
        self._unpack = zlib.decompressobj(wbits=47)  # zlib or gzip, told by its first bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        while not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._packed.read(PACKED_BYTES)
            unpacked = self._unpack.decompress(packed, len(target))
            if unpacked:
                target[: len(unpacked)] = unpacked
                return len(unpacked)
            if not packed:
                raise EOFError("its packed voxels end early")
        if self._unpack.unused_data or self._packed.read(1):
            raise zlib.error("bytes after the end of its packed voxels")
        return 0

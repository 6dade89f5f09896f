"""VTP, VTK's XML for surfaces. VTK itself takes the sizes in it on trust and breaks down where they are wrong."""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt

from guidegen.case import Space
from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray
from guidegen.intake.meshes import Mesh, stated_space
from guidegen.intake.plain_xml import NotPlain, plain_xml

MAX_COUNT = 5_000_000
MAX_TEXT_BYTES = 100  # of the name of a space
KINDS = {"Float32": "f4", "Float64": "f8", "Int32": "i4", "Int64": "i8", "String": "u1"}
SIZES = {"UInt32": 4, "UInt64": 8}
ORDERS: dict[str, Literal["little", "big"]] = {"LittleEndian": "little", "BigEndian": "big"}
PACKED = "vtkZLibDataCompressor"
APPENDED = re.compile(rb'<AppendedData[^>]*encoding="(raw|base64)"[^>]*>\s*_')


@dataclass
class _Bytes:
    """Bytes, or base64 text in which every `read` is a run of its own; where in it the next one begins."""

    content: bytes
    position: int
    is_text: bool

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, which remain to be read; ValueError where there are not as many."""
        raw = self.content[self.position : self.position + self._length(count)]
        found = base64.b64decode(raw, validate=True)[:count] if self.is_text else raw
        if len(found) != count:
            raise ValueError(f"an array of {len(found)} bytes that should have {count}")
        return found

    def read(self, count: int) -> bytes:
        """The next `count` bytes."""
        found = self.peek(count)
        self.position += self._length(count)
        return found

    def _length(self, count: int) -> int:
        return (count + 2) // 3 * 4 if self.is_text else count


@dataclass(frozen=True)
class _Vtp:
    """The parsed file: its XML, the bytes appended to it, and how numbers are written."""

    root: Element
    appended: bytes
    is_text: bool
    size_bytes: int
    order: Literal["little", "big"]

    def array(self, element: Element, count: int | None) -> npt.NDArray[np.generic]:
        """The `count` numbers of a data array, or where that is None those of a short text; ValueError for others."""
        name = KINDS.get(element.attrib.get("type", ""))
        if name is None:
            raise ValueError(f"numbers of type {element.attrib.get('type')!r}")
        kind = np.dtype(name).newbyteorder("<" if self.order == "little" else ">")
        text, style = (element.text or "").strip(), element.attrib.get("format")
        if style == "ascii":
            words = [float(word) if kind.kind == "f" else int(word) for word in text.split()]
            values = np.array(words, kind)
        elif style == "binary":
            values = np.frombuffer(self._unpacked(_Bytes(text.encode(), 0, True), kind.itemsize, count), kind)
        elif style == "appended":
            source = _Bytes(self.appended, int(element.attrib["offset"]), self.is_text)
            values = np.frombuffer(self._unpacked(source, kind.itemsize, count), kind)
        else:
            raise ValueError(f"an array of format {style!r}")
        if count is not None and len(values) != count:
            raise ValueError(f"an array of {len(values)} numbers that should have {count}")
        return values

    def _unpacked(self, source: _Bytes, itemsize: int, count: int | None) -> bytes:
        """The bytes of an array: after their number, or packed in blocks after the number and sizes of these."""
        size, expected = self.size_bytes, MAX_TEXT_BYTES if count is None else count * itemsize
        first = int.from_bytes(source.peek(size), self.order)
        if "compressor" not in self.root.attrib:
            if first > expected:
                raise ValueError(f"an array of {first} bytes that should have {expected}")
            return source.read(size + first)[size:]
        sizes = source.read(size * (3 + min(first, len(source.content))))
        blocks, whole, last, *packed = (
            int.from_bytes(sizes[start : start + size], self.order) for start in range(0, len(sizes), size)
        )
        if (blocks - 1 if last else blocks) * whole + last > expected:
            raise ValueError(f"an array of {blocks} blocks of {whole} bytes that should have {expected}")
        content = _Bytes(source.read(sum(packed)), 0, False)
        unpacked = []
        for number, length in enumerate(packed):
            block_bytes = last if last and number == blocks - 1 else whole
            block = zlib.decompressobj()
            unpacked.append(block.decompress(content.read(length), block_bytes + 1))
            if len(unpacked[-1]) != block_bytes or not block.eof:
                raise ValueError("a packed block of another size than it states")
        return b"".join(unpacked)


def read_vtp(data: bytes, file: str) -> Mesh:
    """The triangles of a VTP, a square as two; SurfaceError for one that is damaged or has other polygons."""
    try:
        vtp = _parsed(data)
        pieces = vtp.root.findall("PolyData/Piece")
        if len(pieces) != 1:
            raise ValueError(f"{len(pieces)} pieces")
        piece = pieces[0]
        if _count(piece, "NumberOfStrips"):
            raise ValueError("strips of triangles")
        vertices = _vertices(vtp, piece)
        return Mesh(vertices, _faces(vtp, piece), _space(vtp, file))
    except (ValueError, KeyError, OverflowError, zlib.error) as error:
        raise SurfaceError(
            f"{file}: expected a whole VTP file of triangles in one piece, found {error}; "
            "export it again, triangulated and packed by zlib or not at all"
        ) from error


def _parsed(data: bytes) -> _Vtp:
    found = APPENDED.search(data)
    head = data[: found.end()] + b"</AppendedData></VTKFile>" if found else data
    end = data.rfind(b"</AppendedData>")
    root = plain_xml(head)
    if root.tag != "VTKFile" or root.attrib.get("type") != "PolyData":
        raise NotPlain("XML of another kind")
    if root.attrib.get("compressor", PACKED) != PACKED:
        raise ValueError(f"the compressor {root.attrib['compressor'][:40]!a}")
    appended = data[found.end() : end] if found and end > found.end() else b""
    is_text = bool(found and found[1] == b"base64")
    size_bytes = SIZES[root.attrib.get("header_type", "UInt32")]
    return _Vtp(
        root, appended.rstrip() if is_text else appended, is_text, size_bytes, ORDERS[root.attrib["byte_order"]]
    )


def _count(piece: Element, key: str) -> int:
    count = int(piece.attrib.get(key, "0"))
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"{key} = {count}, of which at most {MAX_COUNT} can be read,")
    return count


def _vertices(vtp: _Vtp, piece: Element) -> FloatArray:
    count = _count(piece, "NumberOfPoints")
    if count == 0:
        return np.zeros((0, 3))
    arrays = piece.findall("Points/DataArray")
    if len(arrays) != 1 or arrays[0].attrib.get("NumberOfComponents") != "3":
        raise ValueError("points that are not x, y, z")
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity, which the caller refuses
        return vtp.array(arrays[0], 3 * count).astype(np.float64).reshape(-1, 3)


def _faces(vtp: _Vtp, piece: Element) -> IntArray:
    """The triangles (M, 3): the corners of all polygons in a row, and where in it each polygon ends."""
    count = _count(piece, "NumberOfPolys")
    if count == 0:
        return np.zeros((0, 3), dtype=np.int64)
    arrays = {array.attrib.get("Name"): array for array in piece.findall("Polys/DataArray")}
    ends = vtp.array(arrays["offsets"], count).astype(np.int64)
    lengths = np.diff(ends, prepend=0)
    if not np.isin(lengths, (3, 4)).all():
        raise ValueError("polygons that have not three or four corners")
    corners = vtp.array(arrays["connectivity"], int(ends[-1])).astype(np.int64)
    starts = ends - lengths
    halves = starts[lengths == 4]
    first = np.stack([corners[starts + k] for k in range(3)], axis=1)
    second = np.stack([corners[halves + k] for k in (0, 2, 3)], axis=1)
    return np.concatenate([first, second])


def _space(vtp: _Vtp, file: str) -> Space | None:
    """The space that 3D Slicer states in an array of text."""
    fields = vtp.root.findall("PolyData/FieldData/")
    stated = [vtp.array(field, None) for field in fields if field.attrib.get("Name") == "SPACE"]
    return stated_space(b" ".join(b"SPACE=" + text.astype(np.uint8).tobytes() for text in stated), file)

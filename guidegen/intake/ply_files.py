"""PLY, text or binary: vertices and triangles, in elements that the header lays out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray
from guidegen.intake.meshes import Mesh, stated_space

KINDS = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
CORNER_LISTS = ("vertex_indices", "vertex_index")


@dataclass
class _Element:
    """So many records of one layout; a list in it is taken to be a triangle's, three long."""

    name: str
    count: int
    fields: list[tuple[str, str] | tuple[str, str, int]]

    def kind(self, order: str) -> np.dtype[np.void]:
        return np.dtype([(field[0], order + field[1], *field[2:]) for field in self.fields])


def read_ply(data: bytes, file: str) -> Mesh:
    """The vertices and triangles of a PLY; SurfaceError for a file that is not whole or has other polygons."""
    end = re.search(rb"\nend_header\r?\n", data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (b"", b"")
    style, elements = _layout(head, file)
    if [element.name for element in elements] != ["vertex", "face"]:
        raise SurfaceError(
            f"{file}: expected a PLY of vertices and faces, found "
            f"{', '.join(each.name for each in elements) or 'none'}; export triangles only"
        )
    try:
        kinds = [element.kind(ORDERS[style]) for element in elements]
    except ValueError as error:  # a property that comes twice
        raise SurfaceError(f"{file}: expected each property once, found {error}; export it again") from error
    _check_names(kinds, file)
    counts = [element.count for element in elements]
    if style == "ascii":
        vertices, faces = _text_records(body, kinds, counts, file)
    else:
        vertices, faces = _binary_records(body, kinds, counts, file)
    return Mesh(vertices, faces, stated_space(head, file))


def _layout(head: bytes, file: str) -> tuple[str, list[_Element]]:
    """The style of the records and the elements that have any."""
    lines = head.decode("latin-1").splitlines()
    style, elements = "", list[_Element]()
    for line in lines[1:]:
        words = line.split()
        match words:
            case [] | ["comment" | "obj_info", *_]:
                pass
            case ["format", word, "1.0"] if word in ORDERS and not style:
                style = word
            case ["element", name, count] if re.fullmatch("[0-9]{1,9}", count):
                elements.append(_Element(name, int(count), []))
            case ["property", kind, name] if kind in KINDS and elements:
                elements[-1].fields.append((name, KINDS[kind]))
            case ["property", "list", size, kind, name] if {size, kind} <= KINDS.keys() and elements:
                elements[-1].fields += [(f"size of {name}", KINDS[size]), (name, KINDS[kind], 3)]
            case _:
                raise SurfaceError(f"{file}: expected a PLY header, found the line {line[:60]!a}; export it again")
    if not style or lines[0].strip() != "ply":
        raise SurfaceError(f"{file}: expected a PLY header, found none; export it again")
    return style, [element for element in elements if element.count]


def _check_names(kinds: list[np.dtype[np.void]], file: str) -> None:
    """Refuse vertices without place, and faces that are no list of whole numbers, or more than one."""
    vertex, face = (dict(kind.fields or {}) for kind in kinds)
    lists = [name for name in face if name.startswith("size of ")]
    corners = next((name for name in CORNER_LISTS if f"size of {name}" in face), "")
    if (
        not {"x", "y", "z"} <= vertex.keys()
        or any(name.startswith("size of ") for name in vertex)
        or len(lists) != 1
        or not corners
        or face[corners][0].base.kind not in "iu"
        or face[lists[0]][0].kind not in "iu"
    ):
        raise SurfaceError(
            f"{file}: expected vertices with x, y, z and faces with one list vertex_indices of whole numbers, found "
            f"{', '.join(vertex)} and {', '.join(face)}; export triangles only"
        )


def _binary_records(
    body: bytes, kinds: list[np.dtype[np.void]], counts: list[int], file: str
) -> tuple[FloatArray, IntArray]:
    size = sum(kind.itemsize * count for kind, count in zip(kinds, counts, strict=True))
    if len(body) != size:
        raise SurfaceError(
            f"{file}: expected {size} bytes for {counts[0]} vertices and {counts[1]} triangles, found {len(body)}: "
            "the file is cut off, or has polygons that are no triangles; triangulate it and export it again"
        )
    points = np.frombuffer(body, kinds[0], counts[0])
    faces = np.frombuffer(body, kinds[1], counts[1], offset=points.nbytes)
    name = next(name for name in CORNER_LISTS if name in (kinds[1].names or ()))
    _check_triangles(faces[f"size of {name}"], file)
    with np.errstate(invalid="ignore"):  # a NaN that signals, which the caller refuses
        vertices = np.stack([points[axis] for axis in "xyz"], axis=1).astype(np.float64)
    return vertices, faces[name].astype(np.int64)


def _text_records(
    body: bytes, kinds: list[np.dtype[np.void]], counts: list[int], file: str
) -> tuple[FloatArray, IntArray]:
    lines = body.split(b"\n", counts[0] + counts[1])  # the counts are below 1e9, and no line is made that is not there
    if len(lines) < sum(counts) or b"".join(lines[sum(counts) :]).strip():
        raise SurfaceError(
            f"{file}: expected one line for each of {counts[0]} vertices and {counts[1]} triangles, "
            f"found others: the file is cut off or altered; export it again"
        )
    columns = [(kinds[0].names or ()).index(axis) for axis in "xyz"]
    face_names = kinds[1].names or ()
    start = next(face_names.index(f"size of {name}") for name in CORNER_LISTS if name in face_names)
    widths = [len(kinds[0].names or ()), len(face_names) + 2]
    try:
        points = [_numbers(line, widths[0]) for line in lines[: counts[0]]]
        rows = [_numbers(line, widths[1]) for line in lines[counts[0] : sum(counts)]]
    except ValueError as error:
        raise SurfaceError(
            f"{file}: expected {widths[0]} numbers for each vertex and {widths[1]} for each triangle, found {error}; "
            "triangulate it and export it again"
        ) from error
    faces = np.array(rows)[:, start : start + 4]
    _check_triangles(faces[:, 0], file)
    if not ((faces == np.rint(faces)) & (np.abs(faces) < 1 << 31)).all():
        raise SurfaceError(f"{file}: expected whole numbers as corners of triangles, found others; export it again")
    return np.array(points)[:, columns], faces[:, 1:].astype(np.int64)


def _numbers(line: bytes, count: int) -> list[float]:
    words = line.split()
    if len(words) != count:
        raise ValueError(f"{len(words)} in {line[:60]!r}")
    return [float(word) for word in words]


def _check_triangles(corners: FloatArray, file: str) -> None:
    others = np.unique(corners[corners != 3])
    if len(others):
        raise SurfaceError(
            f"{file}: expected triangles, found polygons of {others[0]:.0f} corners; triangulate it and export it again"
        )

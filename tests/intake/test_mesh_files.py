"""Odd STL, PLY, OBJ and VTP files: read exactly, or refused before they take memory."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from vtkmodules.vtkCommonCore import vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter, vtkXMLWriter

from guidegen.errors import SurfaceError
from guidegen.intake.surface_files import read_surface
from guidegen.surfaces import Surface

# A tetrahedron with a corner at (5, 6, 7) and legs of 30, 40 and 50 mm: 10 000 mm³, no symmetry.
CORNERS = np.array([[5.0, 6.0, 7.0], [35.0, 6.0, 7.0], [5.0, 46.0, 7.0], [5.0, 6.0, 57.0]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
VOLUME_MM3 = 10_000.0

Read = Callable[..., Surface]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_bytes(data: bytes, name: str, space: str = "LPS") -> Surface:
        (tmp_path / name).write_bytes(data)
        return read_surface(tmp_path / name, name, "mm", space)  # type: ignore[arg-type]

    return from_bytes


def is_whole(surface: Surface) -> bool:
    ordered = surface.vertices[np.lexsort(surface.vertices.T[::-1])]
    expected = CORNERS[np.lexsort(CORNERS.T[::-1])]
    return bool(np.array_equal(ordered, expected) and abs(surface.volume_mm3 - VOLUME_MM3) < 1e-6)


def stl(header: bytes = b"", count: int = 4) -> bytes:
    facets = b"".join(bytes(12) + CORNERS[face].astype("<f4").tobytes() + bytes(2) for face in FACES)
    return header.ljust(80, b" ") + struct.pack("<I", count) + facets


def text_stl(first: str = "solid bone") -> str:
    facets = "".join(
        " facet normal 0 0 0\n  outer loop\n"
        + "".join(f"   vertex {x} {y} {z}\n" for x, y, z in CORNERS[face])
        + "  endloop\n endfacet\n"
        for face in FACES
    )
    return f"{first}\n{facets}endsolid bone\n"


def test_stl_binary_and_text(read: Read) -> None:
    for data in (stl(), stl(b"solid bone"), text_stl().encode(), text_stl().replace("\n", "\r\n").upper().encode()):
        assert is_whole(read(data, "bone.stl"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (stl(count=3), "expected a binary STL of 234 bytes for the 3 triangles that it states, found 284"),
        (stl(count=5), "expected a binary STL of 334 bytes for the 5 triangles"),
        (stl(count=2**32 - 1), "expected a binary STL of 214748364834 bytes .* found 284"),
        (stl()[:-1], "found 283: the file is cut off"),
        (stl() + b"\n", "found 285"),
        (stl(b"solid bone")[:-50].replace(b" ", b"\0"), "found 234: the file is cut off"),
        (stl(count=0)[:84], "expected triangles, found none"),
        (b"solid bone\nendsolid bone\n", "expected triangles, found none"),
        (b"", "expected a binary STL of 84 bytes for the 0 triangles that it states, found 0"),
        (text_stl().encode()[:-30], "expected one solid and its endsolid, found none: the file is cut off"),
        (text_stl().encode() * 2, "expected one solid and its endsolid, found more after it"),
        (text_stl().replace("endloop", "", 1).encode(), "expected a facet of three vertices, found .* as facet 1"),
        (text_stl().replace("vertex 35.0 6.0", "vertex 35.0", 1).encode(), "as facet 1"),
        (text_stl().replace("vertex 35.0", "vertex 3s.0", 1).encode(), "as facet 1"),
        (text_stl().replace("endsolid", "facet\nendsolid").encode(), "found b'facet' as facet 5"),
        (text_stl().replace("vertex 35.0", "vertex nan").encode(), "expected coordinates within"),
    ],
)
def test_stl_that_is_refused(data: bytes, message: str, read: Read) -> None:
    with pytest.raises(SurfaceError, match=message):
        read(data, "bone.stl")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_stl_with_numbers_that_are_no_coordinates(value: float, read: Read) -> None:
    data = bytearray(stl())
    for number in (struct.pack("<f", value), bytes.fromhex("0100807f")):  # the second is a NaN that signals
        data[84 + 12 : 84 + 16] = number
        with pytest.raises(SurfaceError, match="expected coordinates within"):
            read(bytes(data), "bone.stl")


def ply(
    style: str = "ascii", comment: str = "made by hand", vertex: str = "", size: str = "uchar", vertices: int = 4
) -> bytes:
    """The tetrahedron; `vertex` is one property more, `size` the type of the lists' lengths."""
    order = ">" if style == "binary_big_endian" else "<"
    header = (
        f"ply\nformat {style} 1.0\ncomment {comment}\nelement vertex {vertices}\nproperty float x\nproperty float y\n"
        f"property float z\n{vertex}element face 4\nproperty list {size} int vertex_indices\nend_header\n"
    )
    if style == "ascii":
        extra = " 7" if vertex else ""
        rows = [" ".join(map(str, place)) + extra for place in CORNERS]
        rows += ["3 " + " ".join(map(str, face)) for face in FACES]
        return (header + "\n".join(rows) + "\n").encode()
    extra = b"\7" if vertex else b""
    body = b"".join(place.astype(f"{order}f4").tobytes() + extra for place in CORNERS)
    lengths = {"uchar": "B", "int": "i", "ushort": "H"}[size]
    body += b"".join(struct.pack(f"{order}{lengths}3i", 3, *face) for face in FACES)
    return header.encode() + body


@pytest.mark.parametrize("style", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("size", ["uchar", "ushort", "int"])
@pytest.mark.parametrize("vertex", ["", "property uchar red\n"])
def test_ply_styles(style: str, size: str, vertex: str, read: Read) -> None:
    assert is_whole(read(ply(style, vertex=vertex, size=size), "bone.ply"))
    assert is_whole(read(ply(style, vertex=vertex, size=size).replace(b"_indices", b"_index"), "bone.ply"))


def test_ply_with_windows_ends(read: Read) -> None:
    assert is_whole(read(ply().replace(b"\n", b"\r\n"), "bone.ply"))


BINARY = "binary_little_endian"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a PLY header, found none"),
        (ply().replace(b"end_header\n", b"end_headers\n"), "expected a PLY header, found none"),
        (ply().replace(b"ply\n", b"plx\n", 1), "expected a PLY header, found none"),
        (ply().replace(b"format ascii 1.0\n", b""), "expected a PLY header, found none"),
        (ply().replace(b"ascii 1.0", b"ascii 2.0"), "expected a PLY header, found the line 'format ascii 2.0'"),
        (ply().replace(b"float x", b"quux x"), "found the line 'property quux x'"),
        (ply().replace(b"vertex 4", b"vertex -4"), "found the line 'element vertex -4'"),
        (ply(vertices=10**10), "found the line 'element vertex 10000000000'"),
        (
            ply(BINARY, vertices=999_999_999),
            "expected 12000000040 bytes for 999999999 vertices and 4 triangles, found 100",
        ),
        (ply(vertices=999_999_999), "expected one line for each of 999999999 vertices and 4 triangles"),
        (ply(BINARY)[:-1], "found 99: the file is cut off, or has polygons that are no triangles"),
        (ply(BINARY) + b"\0", "found 101"),
        (ply()[:-8], "expected 3 numbers for each vertex and 4 for each triangle, found|expected one line for each"),
        (ply() + b"3 0 1 2\n", "expected one line for each of 4 vertices and 4 triangles"),
        (
            ply().replace(b"element face 4", b"element quux 4"),
            "expected a PLY of vertices and faces, found vertex, quux",
        ),
        (ply().replace(b"element face 4", b"element face 0"), "found vertex; export triangles only"),
        (ply().replace(b"float z", b"float w"), "expected vertices with x, y, z and faces with one list"),
        (ply().replace(b"float z", b"float x"), "expected each property once"),
        (ply().replace(b"uchar int vertex_indices", b"uchar float vertex_indices"), "one list vertex_indices of whole"),
        (ply().replace(b"uchar int vertex_indices", b"uchar int corners"), "one list vertex_indices of whole"),
        (ply(vertex="property list uchar int more\n"), "expected vertices with x, y, z and faces with one list"),
        (ply().replace(b"\n3 0 2 1\n", b"\n4 0 2 1 3\n"), "expected 3 numbers for each vertex and 4 for each triangle"),
        (ply().replace(b"\n3 0 2 1\n", b"\n2 0 2 1\n"), "expected triangles, found polygons of 2 corners"),
        (ply(BINARY)[:-52] + b"\4" + ply(BINARY)[-51:], "expected triangles, found polygons of 4 corners"),
        (ply().replace(b"\n3 0 2 1\n", b"\n3 0 2 1.5\n"), "expected whole numbers as corners"),
        (ply().replace(b"\n3 0 2 1\n", b"\n3 0 2 1e30\n"), "expected whole numbers as corners"),
        (ply().replace(b"\n3 0 2 1\n", b"\n3 0 2 x\n"), "expected 3 numbers for each vertex and 4 for each triangle"),
        (ply().replace(b"\n3 0 2 1\n", b"\n3 0 2 -1\n"), "expected triangles between its 4 vertices"),
        (ply().replace(b"\n3 0 2 1\n", b"\n3 0 2 4\n"), "expected triangles between its 4 vertices"),
    ],
)
def test_ply_that_is_refused(data: bytes, message: str, read: Read) -> None:
    with pytest.raises(SurfaceError, match=message):
        read(data, "bone.ply")


def obj(corners: str = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS), faces: str = "") -> bytes:
    return (corners + (faces or "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in FACES))).encode()


def test_obj_styles(read: Read) -> None:
    colours = "".join(f"v {x} {y} {z} 0.5 0.5 0.5\n" for x, y, z in CORNERS)
    weights = "".join(f"v {x} {y} {z} 1.0\n" for x, y, z in CORNERS)
    slashed = "".join(f"f {a + 1}/1/1 {b + 1}//2 {c + 1}/3\n" for a, b, c in FACES)
    backwards = "".join(f"f {a - 4} {b - 4} \\\n{c - 4}\n" for a, b, c in FACES)
    dressed = b"# a comment\nmtllib /etc/hostname\no bone\ng a b\ns off\nusemtl red\nvn 0 0 1\nvt 0 0\n"
    for data in (obj(), obj(colours), obj(weights), obj(faces=slashed), obj(faces=backwards), dressed + obj()):
        assert is_whole(read(data, "bone.obj"))
        assert is_whole(read(data.replace(b"\n", b"\r\n"), "bone.obj"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected triangles, found none"),
        (obj(faces="f 1 2 3 4 1\n"), r"found b'f 1 2 3 4 1' \(5 corners\); triangulate it"),
        (obj(faces="f 1 2\n"), r"\(2 corners\)"),
        (obj(faces="f 0 1 2\n"), "vertices are counted from 1"),
        (obj(faces="f 1 2 5\n"), "expected triangles between its 4 vertices"),
        (obj(faces="f -5 2 3\n"), "expected triangles between its 4 vertices"),
        (obj(faces="f 1 2 x\n"), "expected vertices .* and faces .*, found b'f 1 2 x'"),
        (obj() + b"v 1 2\n", "3 numbers, a weight of 1 or a colour were expected"),
        (obj() + b"v 1 2 3 0.5\n", "3 numbers, a weight of 1 or a colour were expected"),
        (obj() + b"curv 0 1 1 2\n", "a line that is neither"),
        (obj() + b"call other.obj\n", "a line that is neither"),
        (obj(faces="f 1 2 99999999999999999999\n"), "expected vertices .* and faces"),
    ],
)
def test_obj_that_is_refused(data: bytes, message: str, read: Read) -> None:
    with pytest.raises(SurfaceError, match=message):
        read(data, "bone.obj")


def block(values: bytes, packed: bool = False) -> bytes:
    """A VTP data array in base64: its length, or its blocks' lengths, before it."""
    if not packed:
        return base64.b64encode(struct.pack("<I", len(values)) + values)
    content = zlib.compress(values)
    return base64.b64encode(struct.pack("<4I", 1, len(values), 0, len(content))) + base64.b64encode(content)


def vtp(
    packed: bool = False, points: int = 4, polys: int = 4, space: str = "", arrays: dict[str, bytes] | None = None
) -> bytes:
    codes = " ".join(str(ord(letter)) for letter in f"{space}\0")
    field = (
        f'<FieldData><Array type="String" Name="SPACE" NumberOfTuples="1" format="ascii">{codes}</Array></FieldData>'
    )
    data = {
        "points": block(CORNERS.astype("<f8").tobytes(), packed),
        "connectivity": block(FACES.astype("<i8").tobytes(), packed),
        "offsets": block(np.arange(3, 13, 3).astype("<i8").tobytes(), packed),
    } | (arrays or {})
    compressor = ' compressor="vtkZLibDataCompressor"' if packed else ""
    return f"""<?xml version="1.0"?>
<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt32"{compressor}><PolyData>
{field if space else ""}
<Piece NumberOfPoints="{points}" NumberOfPolys="{polys}" NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0">
<Points><DataArray type="Float64" NumberOfComponents="3" format="binary">{data["points"].decode()}</DataArray></Points>
<Polys><DataArray type="Int64" Name="connectivity" format="binary">{data["connectivity"].decode()}</DataArray>
<DataArray type="Int64" Name="offsets" format="binary">{data["offsets"].decode()}</DataArray></Polys>
</Piece></PolyData></VTKFile>""".encode()


def vtk_mesh(space: str = "LPS") -> vtkPolyData:
    mesh = vtkPolyData()
    mesh.points = CORNERS
    cells = vtkCellArray()
    for face in FACES:
        cells.InsertNextCell(3, face.tolist())
    mesh.SetPolys(cells)
    stated = vtkStringArray()
    stated.SetName("SPACE")
    stated.InsertNextValue(space)
    mesh.GetFieldData().AddArray(stated)
    return mesh


@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended"])
@pytest.mark.parametrize("packing", [vtkXMLWriter.NONE, vtkXMLWriter.ZLIB])
@pytest.mark.parametrize("base64_text", [True, False])
@pytest.mark.parametrize(("order", "size"), [("Little", 32), ("Big", 64)])
def test_vtp_as_vtk_writes_it(
    mode: str, packing: int, base64_text: bool, order: str, size: int, tmp_path: Path, read: Read
) -> None:
    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(vtk_mesh("RAS"))
    writer.SetFileName(str(tmp_path / "by_vtk.vtp"))
    getattr(writer, f"SetDataModeTo{mode}")()
    getattr(writer, f"SetByteOrderTo{order}Endian")()
    getattr(writer, f"SetHeaderTypeToUInt{size}")()
    writer.SetCompressorType(packing)
    writer.SetBlockSize(32)  # several blocks
    writer.SetEncodeAppendedData(base64_text)
    writer.Write()
    data = (tmp_path / "by_vtk.vtp").read_bytes()
    turned = read(data, "bone.vtp", "RAS")
    assert is_whole(Surface(turned.vertices * [-1.0, -1.0, 1.0], turned.faces))
    with pytest.raises(SurfaceError, match="found RAS in the file"):
        read(data, "bone.vtp", "LPS")


def test_vtp_made_by_hand(read: Read) -> None:
    assert is_whole(read(vtp(), "bone.vtp"))
    assert is_whole(read(vtp(packed=True), "bone.vtp"))


def test_squares_in_a_vtp(read: Read) -> None:
    corners = np.array([[x, y, z] for x in (0.0, 50.0) for y in (0.0, 50.0) for z in (0.0, 50.0)])
    squares = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    arrays = {
        "points": block(corners.astype("<f8").tobytes()),
        "connectivity": block(np.array(squares).astype("<i8").tobytes()),
        "offsets": block(np.arange(4, 28, 4).astype("<i8").tobytes()),
    }
    surface = read(vtp(points=8, polys=6, arrays=arrays), "bone.vtp")
    np.testing.assert_allclose(surface.volume_mm3, 125_000.0)


def packed_sizes(*sizes: int) -> bytes:
    return base64.b64encode(struct.pack(f"<{len(sizes)}I", *sizes))


WHOLE = "expected a whole VTP file of triangles in one piece, found "


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", f"{WHOLE}no element found"),
        (b"<a/>", f"{WHOLE}XML of another kind"),
        (vtp().replace(b"<VTKFile", b'<!DOCTYPE a [<!ENTITY b "c">]><VTKFile', 1), f"{WHOLE}a document type"),
        (vtp().replace(b'type="PolyData"', b'type="PPolyData"'), f"{WHOLE}XML of another kind"),
        (vtp(True).replace(b"ZLib", b"LZ4"), f"{WHOLE}the compressor 'vtkLZ4DataCompressor'"),
        (vtp().replace(b"UInt32", b"UInt16"), f"{WHOLE}'UInt16'"),
        (vtp().replace(b"LittleEndian", b"Middle"), f"{WHOLE}'Middle'"),
        (vtp().replace(b"<Piece", b"<Other").replace(b"</Piece", b"</Other"), f"{WHOLE}0 pieces"),
        (vtp().replace(b'NumberOfStrips="0"', b'NumberOfStrips="1"'), f"{WHOLE}strips of triangles"),
        (vtp().replace(b'Components="3"', b'Components="2"'), f"{WHOLE}points that are not x, y, z"),
        (vtp().replace(b"Float64", b"Float16"), f"{WHOLE}numbers of type 'Float16'"),
        (vtp().replace(b'"binary"', b'"magic"'), f"{WHOLE}an array of format 'magic'"),
        (vtp().replace(b'"binary"', b'"appended" offset="0"'), f"{WHOLE}an array of 0 bytes that should have 4"),
        (vtp().replace(b'"binary"', b'"appended"'), f"{WHOLE}'offset'"),
        (vtp(points=10**9), f"{WHOLE}NumberOfPoints = 1000000000, of which at most 5000000 can be read"),
        (vtp(polys=-1), f"{WHOLE}NumberOfPolys = -1"),
        (vtp(points=5), f"{WHOLE}an array of 12 numbers that should have 15"),
        (vtp(points=3), f"{WHOLE}an array of 96 bytes that should have 72"),
        (vtp(points=0), "expected triangles between its 0 vertices"),
        (vtp(polys=0), "expected triangles, found none"),
        (vtp(polys=3), f"{WHOLE}an array of 32 bytes that should have 24"),
        (vtp(polys=5), f"{WHOLE}an array of 4 numbers that should have 5"),
        (vtp(arrays={"points": packed_sizes(96)}), f"{WHOLE}an array of 4 bytes that should have 100"),
        (vtp(arrays={"points": b"not base64!!"}), WHOLE),
        (vtp(arrays={"offsets": block(np.array([3, 6, 9, 14]).astype("<i8").tobytes())}), "not three or four corners"),
        (vtp(arrays={"offsets": block(np.array([3, 6, 2**40, 9]).astype("<i8").tobytes())}), "three or four corners"),
        (vtp(arrays={"connectivity": block(np.full(12, 99).astype("<i8").tobytes())}), "between its 4 vertices"),
        (vtp(True, arrays={"points": packed_sizes(2**32 - 1)}), WHOLE),
        (
            vtp(True, arrays={"points": packed_sizes(1, 2**32 - 1, 0, 20)}),
            "1 blocks of 4294967295 bytes that should have 96",
        ),
        (vtp(True, arrays={"points": packed_sizes(1, 96, 0, 2**32 - 1)}), "bytes that should have 4294967295"),
        (vtp(True, arrays={"points": packed_sizes(1, 96, 0, 4) + b"AAAAAA=="}), WHOLE),
        (
            vtp(
                True,
                arrays={"points": block(bytes(96), True).replace(packed_sizes(1, 96)[:8], packed_sizes(1, 48)[:8])},
            ),
            "a packed block of another size than it states",
        ),
    ],
)
def test_vtp_that_is_refused(data: bytes, message: str, read: Read) -> None:
    with pytest.raises(SurfaceError, match=message):
        read(data, "bone.vtp")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bone.stl", stl(b"3D Slicer output. SPACE=RAS")),
        ("bone.stl", text_stl("solid 3D Slicer output. SPACE=RAS").encode()),
        ("bone.ply", ply(comment="SPACE=RAS")),
        ("bone.ply", ply(BINARY, comment="SPACE=RAS")),
        ("bone.obj", b"# 3D Slicer output. SPACE=RAS\n" + obj()),
        ("bone.vtp", vtp(space="RAS")),
    ],
)
def test_a_space_that_the_file_states(name: str, data: bytes, read: Read) -> None:
    np.testing.assert_allclose(read(data, name, "RAS").bounds_mm, [[-35.0, -46.0, 7.0], [-5.0, -6.0, 57.0]])
    with pytest.raises(SurfaceError, match=r'expected space = "LPS" as the case file says, found RAS in the file'):
        read(data, name, "LPS")


def test_two_spaces(read: Read) -> None:
    with pytest.raises(SurfaceError, match="expected one space in its comments, found LPS and RAS"):
        read(stl(b"SPACE=LPS SPACE=RAS"), "bone.stl")

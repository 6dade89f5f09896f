"""Surface files: five formats, one closed body in LPS mm, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray
from guidegen.intake.surface_files import FORMATS, MM_PER_UNIT, read_surface, shape_of_file
from guidegen.surfaces import Surface

# A box with corners at these places: no symmetry that could hide a swapped axis or sign.
LOW_MM, HIGH_MM = np.array([10.0, -40.0, -700.0]), np.array([30.0, 0.0, -600.0])


def box(low: FloatArray = LOW_MM, high: FloatArray = HIGH_MM) -> trimesh.Trimesh:
    return trimesh.creation.box(bounds=[low, high])


def vtp(vertices: FloatArray, faces: IntArray) -> bytes:
    """The plainest VTP there is: XML with numbers in it."""
    points, corners = " ".join(map(str, vertices.ravel())), " ".join(map(str, faces.ravel()))
    ends = " ".join(str(3 * (number + 1)) for number in range(len(faces)))
    counts = f'NumberOfPoints="{len(vertices)}" NumberOfPolys="{len(faces)}"'
    return f"""<VTKFile type="PolyData" byte_order="LittleEndian"><PolyData>
<Piece {counts} NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0">
<Points><DataArray type="Float64" NumberOfComponents="3" format="ascii">{points}</DataArray></Points>
<Polys><DataArray type="Int64" Name="connectivity" format="ascii">{corners}</DataArray>
<DataArray type="Int64" Name="offsets" format="ascii">{ends}</DataArray></Polys>
</Piece></PolyData></VTKFile>""".encode()


def encode(mesh: trimesh.Trimesh, suffix: str) -> bytes:
    if suffix == ".vtp":
        return vtp(np.asarray(mesh.vertices), np.asarray(mesh.faces))
    with np.errstate(invalid="ignore"):  # normals of a triangle that reaches infinity
        data = mesh.export(file_type=suffix[1:])
    return data.encode() if isinstance(data, str) else data


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Surface]:
    def from_bytes(data: bytes, name: str = "bone.stl", unit: str = "mm", space: str = "LPS") -> Surface:
        (tmp_path / name).write_bytes(data)
        return read_surface(tmp_path / name, name, unit, space)  # type: ignore[arg-type]

    return from_bytes


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_surface(suffix: str, read: Callable[..., Surface]) -> None:
    surface = read(encode(box(), suffix), f"bone{suffix}")
    assert surface.vertices.shape == (8, 3)
    assert surface.faces.shape == (12, 3)
    assert surface.is_closed
    np.testing.assert_allclose(surface.bounds_mm, [LOW_MM, HIGH_MM], atol=1e-4)
    np.testing.assert_allclose(surface.volume_mm3, 80_000.0, rtol=1e-6)


def test_formats_and_upper_case_endings(read: Callable[..., Surface]) -> None:
    for data in (box().export(file_type="stl_ascii"), box().export(file_type="ply", encoding="ascii")):
        name = "BONE.STL" if b"solid" in (raw := data if isinstance(data, bytes) else data.encode()) else "bone.Ply"
        np.testing.assert_allclose(read(raw, name).volume_mm3, 80_000.0, rtol=1e-6)


def test_a_binary_stl_that_calls_itself_solid(read: Callable[..., Surface]) -> None:
    np.testing.assert_allclose(read(b"solid" + encode(box(), ".stl")[5:]).volume_mm3, 80_000.0, rtol=1e-6)


def test_squares_become_triangles(read: Callable[..., Surface]) -> None:
    corners = "".join(f"v {x} {y} {z}\n" for x in (0, 50) for y in (0, 50) for z in (0, 50))
    squares = "f 1 2 4 3\nf 5 7 8 6\nf 1 5 6 2\nf 3 4 8 7\nf 1 3 7 5\nf 2 6 8 4\n"
    surface = read((corners + squares).encode(), "bone.obj")
    assert len(surface.faces) == 12
    np.testing.assert_allclose(surface.volume_mm3, 125_000.0)


@pytest.mark.parametrize("unit", MM_PER_UNIT)
def test_units(unit: str, read: Callable[..., Surface]) -> None:
    per_unit = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}[unit]
    data = encode(box(LOW_MM / per_unit, HIGH_MM / per_unit), ".ply")
    np.testing.assert_allclose(read(data, "bone.ply", unit).bounds_mm, [LOW_MM, HIGH_MM], rtol=1e-5)


def test_ras_is_turned_not_mirrored(read: Callable[..., Surface]) -> None:
    surface = read(encode(box(), ".ply"), "bone.ply", space="RAS")
    np.testing.assert_allclose(surface.bounds_mm, [[-30.0, 0.0, -700.0], [-10.0, 40.0, -600.0]])
    assert surface.volume_mm3 > 0


def test_a_space_that_the_file_itself_states(read: Callable[..., Surface]) -> None:
    data = b"3D Slicer output. SPACE=RAS".ljust(80, b" ") + encode(box(), ".stl")[80:]
    np.testing.assert_allclose(read(data, space="RAS").bounds_mm[0, 0], -30.0)
    with pytest.raises(SurfaceError, match=r'expected space = "LPS" as the case file says, found RAS in the file'):
        read(data, space="LPS")


def test_a_crumb_is_left_out(read: Callable[..., Surface]) -> None:
    crumb = box(HIGH_MM + 10.0, HIGH_MM + [18.0, 20.0, 19.0])  # 720 mm³: 0.9 %
    surface = read(encode(trimesh.util.concatenate([crumb, box()]), ".stl"))
    assert len(surface.vertices) == 8
    np.testing.assert_allclose(surface.bounds_mm, [LOW_MM, HIGH_MM])


@pytest.mark.parametrize("inside_out", [False, True])
def test_a_second_body_or_a_cavity_is_refused(inside_out: bool, read: Callable[..., Surface]) -> None:
    second = box(LOW_MM + 5.0, LOW_MM + 15.0) if inside_out else box(HIGH_MM + 10.0, HIGH_MM + 20.0)
    if inside_out:
        second.invert()
    with pytest.raises(SurfaceError, match=r"expected one body, found 2, the second with 1\.2 % of the largest's"):
        read(encode(trimesh.util.concatenate([box(), second]), ".stl"))


def test_triangles_of_no_area_are_no_triangles(read: Callable[..., Surface]) -> None:
    mesh = box()
    flat = trimesh.Trimesh(mesh.vertices, np.vstack([mesh.faces, [[0, 0, 1]]]), process=False)
    assert read(encode(flat, ".stl")).faces.shape == (12, 3)


def test_an_open_surface(read: Callable[..., Surface]) -> None:
    mesh = box()
    with pytest.raises(SurfaceError, match="expected a closed surface, found 3 open edges and 0 edges of more"):
        read(encode(trimesh.Trimesh(mesh.vertices, mesh.faces[1:], process=False), ".stl"))


def test_a_triangle_twice(read: Callable[..., Surface]) -> None:
    mesh = box()
    with pytest.raises(SurfaceError, match="found 0 open edges and 3 edges of more than two triangles"):
        read(
            encode(trimesh.Trimesh(mesh.vertices, np.vstack([mesh.faces, mesh.faces[:1]]), process=False), ".ply"),
            "b.ply",
        )


def test_one_triangle_turned_over(read: Callable[..., Surface]) -> None:
    mesh = box()
    faces = np.array(mesh.faces)
    faces[0] = faces[0, ::-1]
    with pytest.raises(SurfaceError, match="neighbouring triangles wound in opposite senses"):
        read(encode(trimesh.Trimesh(mesh.vertices, faces, process=False), ".ply"), "bone.ply")


def test_inside_out_and_mirrored(read: Callable[..., Surface]) -> None:
    mesh = box()
    with pytest.raises(SurfaceError, match="normals that point outwards, found a volume of -80000 mm³"):
        read(encode(trimesh.Trimesh(mesh.vertices, mesh.faces[:, ::-1], process=False), ".stl"))
    with pytest.raises(SurfaceError, match="inside out or mirrored"):
        read(encode(trimesh.Trimesh(mesh.vertices * [-1.0, 1.0, 1.0], mesh.faces, process=False), ".ply"), "bone.ply")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("value", ["nan", "inf", "1e38"])
def test_numbers_that_are_no_coordinates(suffix: str, value: str, read: Callable[..., Surface]) -> None:
    vertices = np.array(box().vertices)
    vertices[3, 1] = float(value)
    mesh = trimesh.Trimesh(vertices, box().faces, process=False, validate=False)
    with pytest.raises(
        SurfaceError, match=r"expected coordinates within ±10000 mm|expected a 3MF model that can be read"
    ):
        read(encode(mesh, suffix), f"bone{suffix}")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_cut_off(suffix: str, read: Callable[..., Surface]) -> None:
    data = encode(trimesh.creation.icosphere(subdivisions=2, radius=30.0), suffix)
    for kept in (0, 10, 83, 84, 300, len(data) // 2, len(data) - 20):
        with pytest.raises(SurfaceError, match=re.escape(f"bone{suffix}: expected")):
            read(data[:kept], f"bone{suffix}")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("content", [b"hello\n" * 50, bytes(500), b"\xff" * 500])
def test_what_is_no_surface(suffix: str, content: bytes, read: Callable[..., Surface]) -> None:
    with pytest.raises(SurfaceError, match=re.escape(f"bone{suffix}: expected")):
        read(content, f"bone{suffix}")


def test_triangles_between_vertices_that_are_not_there(read: Callable[..., Surface]) -> None:
    for data, name in (
        (encode(box(), ".obj") + b"\nf 1 2 999\n", "bone.obj"),
        (vtp(box().vertices, box().faces + 3), "b.vtp"),
    ):
        with pytest.raises(SurfaceError, match="expected triangles between its 8 vertices, found others"):
            read(data, name)


def test_an_obj_opens_no_other_file(read: Callable[..., Surface], tmp_path: Path) -> None:
    (tmp_path / "paint.mtl").mkdir()  # opening it would fail
    surface = read(b"mtllib paint.mtl\nusemtl red\n" + encode(box(), ".obj"), "bone.obj")
    np.testing.assert_allclose(surface.volume_mm3, 80_000.0, rtol=1e-6)


def test_a_damaged_vtp_is_told_once_and_by_us(read: Callable[..., Surface], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SurfaceError, match="expected a whole VTP file of triangles in one piece"):
        read(encode(box(), ".vtp")[:300], "bone.vtp")
    assert capfd.readouterr().err == ""


def test_endings_and_sizes(read: Callable[..., Surface], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SurfaceError, match=r"bone\.off: expected a surface as \.stl, \.ply, \.obj, \.vtp, \.3mf"):
        read(b"", "bone.off")
    monkeypatch.setattr("guidegen.intake.surface_files.MAX_BYTES", 500)
    with pytest.raises(SurfaceError, match=r"expected at most .* found 684 bytes; simplify"):
        read(encode(box(), ".stl"))


def test_the_wrong_unit_is_asked_about(read: Callable[..., Surface]) -> None:
    with pytest.raises(SurfaceError, match='is unit = "m" right'):
        read(encode(box(), ".stl"), unit="m")


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_shape_of_a_file_in_its_own_unit(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bone{suffix}"
    path.write_bytes(encode(box(), suffix))
    count, bounds = shape_of_file(path, path.name)
    assert count == 12
    np.testing.assert_allclose(bounds, [*LOW_MM, *HIGH_MM], atol=1e-4)


def test_no_shape_of_a_file_of_nan(tmp_path: Path) -> None:
    path = tmp_path / "bone.obj"
    path.write_bytes(encode(box(), ".obj").replace(b"v 10.00000000", b"v nan", 1))
    with pytest.raises(SurfaceError, match="expected finite coordinates, found others"):
        shape_of_file(path, path.name)


@pytest.mark.shared
def test_real_femora(shared: Path) -> None:
    for name in ("m3_lfemur_mm.stl", "m3_rfemur_mm.stl"):
        surface = read_surface(shared / "data" / "surfaces" / name, name, "mm", "LPS")
        assert surface.is_closed
        assert 150_000 < surface.volume_mm3 < 250_000
        assert len(surface.vertices) - 3 * len(surface.faces) // 2 + len(surface.faces) == 2  # a sphere's topology

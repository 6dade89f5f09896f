"""STL: what is written comes back, and nothing else is accepted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from guidegen.errors import ResultError
from guidegen.stl import read_stl, stl_bytes
from guidegen.surfaces import Surface

CORNERS = np.array([[x, y, z] for x in (0, 20.1) for y in (0, 30) for z in (-600.7, -560)], dtype=np.float64)
BOX_FACES = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]
BOX_FACES += [[2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]


@pytest.fixture
def box() -> Surface:
    return Surface(CORNERS, np.array(BOX_FACES))


def written(folder: Path, content: bytes) -> Path:
    path = folder / "guide.stl"
    path.write_bytes(content)
    return path


def test_a_surface_comes_back_closed_and_the_same_to_float32(box: Surface, tmp_path: Path) -> None:
    back = read_stl(written(tmp_path, stl_bytes(box)))
    assert back.is_closed
    assert len(back.vertices) == 8
    np.testing.assert_array_equal(back.vertices[back.faces], box.vertices.astype(np.float32)[box.faces])


def test_the_bytes_are_a_plain_binary_stl_for_others(box: Surface, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    content = stl_bytes(box)
    assert content.startswith(b"guidegen LPS mm")
    assert len(content) == 84 + 50 * 12
    mesh = trimesh.load(written(tmp_path, content))
    assert mesh.volume == pytest.approx(20.1 * 30 * 40.7, rel=1e-6)
    np.testing.assert_allclose(mesh.face_normals, box.face_normals, atol=1e-6)


def test_the_stored_normals_point_outwards(box: Surface) -> None:
    stored = np.frombuffer(stl_bytes(box), dtype="<f4", count=3, offset=84)
    np.testing.assert_allclose(stored, [-1, 0, 0])


def test_a_zero_with_a_sign_is_the_same_place(box: Surface, tmp_path: Path) -> None:
    content = stl_bytes(box)
    signed = content[:96] + content[96:].replace(b"\0\0\0\0", b"\0\0\0\x80", 1)
    assert len(read_stl(written(tmp_path, signed)).vertices) == 8


@pytest.mark.parametrize("change", [-1, 1, 50])
def test_a_file_of_another_length_is_refused(box: Surface, tmp_path: Path, change: int) -> None:
    content = stl_bytes(box)
    content = content[:change] if change < 0 else content + bytes(change)
    with pytest.raises(ResultError, match=rf"expected 684 bytes for 12 triangles, found {684 + change}; .* again"):
        read_stl(written(tmp_path, content))


def test_a_file_of_another_writer_is_refused(box: Surface, tmp_path: Path) -> None:
    foreign = b"solid someone else".ljust(80) + stl_bytes(box)[80:]
    with pytest.raises(ResultError, match="header is 'guidegen LPS mm', found b'solid someone else"):
        read_stl(written(tmp_path, foreign))
    with pytest.raises(ResultError, match="header is 'guidegen LPS mm', found b''"):
        read_stl(written(tmp_path, b""))


def test_numbers_that_are_none_are_refused(box: Surface, tmp_path: Path) -> None:
    content = bytearray(stl_bytes(box))
    content[96:100] = np.float32("nan").tobytes()
    with pytest.raises(ResultError, match="expected finite coordinates, found NaN"):
        read_stl(written(tmp_path, bytes(content)))


def test_no_triangles_and_no_file_are_refused(box: Surface, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="expected triangles, found none"):
        read_stl(written(tmp_path, stl_bytes(box)[:80] + bytes(4)))
    with pytest.raises(ResultError, match=r"expected a readable STL at .*missing\.stl, found: No such file"):
        read_stl(tmp_path / "missing.stl")

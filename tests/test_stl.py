"""The STL that guidegen writes, read back by others."""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh

from guidegen.check.files import read_stl
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface


@pytest.fixture
def box() -> Surface:
    shape = trimesh.creation.box(extents=(10.0, 20.0, 30.0))
    return Surface(shape.vertices + [-400.125, 310.25, -620.5], shape.faces)


def test_the_box_comes_back_as_it_was(box, tmp_path) -> None:
    path = tmp_path / "box.stl"
    path.write_bytes(stl_bytes(box))
    back = read_stl(path)
    assert back.is_closed
    assert len(back.vertices) == 8
    assert back.volume_mm3 == pytest.approx(6000.0, rel=1e-6)
    np.testing.assert_array_equal(back.bounds_mm, box.bounds_mm)


def test_trimesh_reads_the_same_triangles_and_normals(box) -> None:
    other = trimesh.load(io.BytesIO(stl_bytes(box)), file_type="stl")
    assert other.is_watertight
    np.testing.assert_allclose(other.triangles, box.vertices[box.faces], atol=1e-9)
    np.testing.assert_allclose(other.face_normals, box.face_normals, atol=1e-6)


def test_a_mirrored_surface_is_not_turned_right(box, tmp_path) -> None:
    path = tmp_path / "mirrored.stl"
    path.write_bytes(stl_bytes(Surface(box.vertices * [-1.0, 1.0, 1.0], box.faces)))
    assert read_stl(path).volume_mm3 == pytest.approx(-6000.0, rel=1e-6)


def test_the_header_says_frame_and_unit_and_no_date(box) -> None:
    content = stl_bytes(box)
    assert content[:80] == b"guidegen LPS mm".ljust(80)
    assert len(content) == 84 + 50 * 12
    assert int.from_bytes(content[80:84], "little") == 12


def test_the_same_surface_is_the_same_bytes(box) -> None:
    assert stl_bytes(box) == stl_bytes(Surface(box.vertices.copy(), box.faces.copy()))

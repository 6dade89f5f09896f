"""3MF: unit, body and words come back, the same guide gives the same bytes, and it lies well in the printer."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from guidegen.errors import SurfaceError
from guidegen.frames import angle_deg, rotation_about, unit
from guidegen.surfaces import Surface
from guidegen.threemf import NAME_SPACE, print_orientation, threemf_bytes

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
METADATA = {"Title": "Guide Z019L", "Application": "guidegen 1", "side": "left", "patient_id": 'Z<019>&"L"'}


def wedge(turn: np.ndarray | None = None, shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Surface:
    """A closed wedge, 60 × 30 × 20 mm, without any symmetry."""
    corners = np.array([[0, 0, 0], [60, 0, 0], [60, 30, 0], [0, 30, 0], [5, 4, 20], [20, 10, 20]], dtype=np.float64)
    faces = [[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 5, 4], [1, 2, 5], [2, 3, 5], [3, 4, 5], [3, 0, 4]]
    return Surface(corners @ (np.eye(3) if turn is None else turn).T + shift_mm, np.array(faces))


def test_lib3mf_reads_back_unit_body_and_words() -> None:
    lib3mf = pytest.importorskip("lib3mf")
    surface = wedge()
    wrapper = lib3mf.get_wrapper()
    model = wrapper.CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromBuffer(threemf_bytes(surface, METADATA))
    assert model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    meshes = model.GetMeshObjects()
    assert meshes.MoveNext()
    mesh = meshes.GetCurrentMeshObject()
    assert not meshes.MoveNext()
    assert mesh.IsManifoldAndOriented()
    np.testing.assert_allclose([tuple(v.Coordinates) for v in mesh.GetVertices()], surface.vertices, atol=1e-6)
    np.testing.assert_array_equal([tuple(t.Indices) for t in mesh.GetTriangleIndices()], surface.faces)
    words = model.GetMetaDataGroup()
    found = {m.GetName(): m.GetValue() for m in (words.GetMetaData(k) for k in range(words.GetMetaDataCount()))}
    assert found == METADATA
    assert words.GetMetaDataByKey(NAME_SPACE, "side").GetValue() == "left"


def test_a_plain_xml_reader_finds_the_same() -> None:
    surface = wedge()
    with zipfile.ZipFile(io.BytesIO(threemf_bytes(surface, METADATA))) as parts:
        assert parts.namelist()[0] == "[Content_Types].xml"
        model = ElementTree.fromstring(parts.read("3D/3dmodel.model"))
    assert model.get("unit") == "millimeter"
    vertices = [[float(v.get(axis, "")) for axis in "xyz"] for v in model.iter(f"{CORE}vertex")]
    np.testing.assert_allclose(vertices, surface.vertices, atol=1e-6)
    words = {m.get("name", "").split(":")[-1]: m.text for m in model.iter(f"{CORE}metadata")}
    assert words == METADATA


def test_trimesh_reads_the_same_body_and_unit(tmp_path: Path) -> None:
    pytest.importorskip("lxml", reason="trimesh reads 3MF with lxml only")
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / "guide.3mf"
    path.write_bytes(threemf_bytes(wedge(), METADATA))
    scene = trimesh.load_scene(path)
    assert scene.units == "millimeter"
    (mesh,) = scene.geometry.values()
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(wedge().volume_mm3, rel=1e-6)
    np.testing.assert_allclose(scene.bounds, wedge().bounds_mm, atol=1e-6)


def test_the_same_guide_gives_the_same_bytes_at_another_time() -> None:
    first = threemf_bytes(wedge(), METADATA)
    time.sleep(2.1)  # a zip archive counts time in steps of 2 s
    assert threemf_bytes(wedge(), dict(reversed(METADATA.items()))) == first


def test_another_guide_has_another_identity() -> None:
    def identities(content: bytes) -> set[str]:
        model = zipfile.ZipFile(io.BytesIO(content)).read("3D/3dmodel.model")
        return {v for e in ElementTree.fromstring(model).iter() for k, v in e.attrib.items() if k.endswith("UUID")}

    first = identities(threemf_bytes(wedge(), METADATA))
    assert len(first) == 3
    assert not first & identities(threemf_bytes(wedge(), METADATA | {"side": "right"}))
    assert not first & identities(threemf_bytes(wedge(shift_mm=(0.0, 0.0, 1.0)), METADATA))


def test_an_open_surface_is_refused() -> None:
    surface = wedge()
    with pytest.raises(SurfaceError, match=r"expected a closed surface for the 3MF, found open .* build the guide"):
        threemf_bytes(Surface(surface.vertices, surface.faces[1:]), METADATA)


@pytest.mark.parametrize("degrees", [0.0, 37.0, 90.0, 143.0, 200.0, 359.0])
def test_the_bone_side_faces_up_and_the_long_side_lies_along_x(degrees: float) -> None:
    turn = rotation_about([0.3, -0.5, 0.8], 70.0) @ rotation_about([0.0, 0.0, 1.0], degrees)
    guide, removal = wedge(turn, (-210.0, 300.0, -600.0)), turn @ np.array([0.0, 0.0, 1.0])
    move = print_orientation(guide, removal)
    assert (move.source, move.target) == ("LPS", "printer")
    np.testing.assert_allclose(move.vectors(removal), [0, 0, -1], atol=1e-12)
    printed = guide.transformed(move)
    np.testing.assert_allclose(printed.bounds_mm, [[0, 0, 0], [60, 30, 20]], atol=1e-9)
    assert printed.volume_mm3 == pytest.approx(guide.volume_mm3)
    assert move.vectors([0.0, 0.0, 1.0])[0] > 0  # the headward end lies at +x


def test_the_turn_is_decided_when_the_removal_is_along_the_body() -> None:
    move = print_orientation(wedge(), [0.0, 0.0, 1.0])
    assert angle_deg(move.vectors(unit([1.0, 0.0, 0.0])), [1.0, 0.0, 0.0]) == pytest.approx(0.0, abs=1e-9)

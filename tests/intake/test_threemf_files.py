"""3MF files: one plain mesh in a plain archive, and everything else refused."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from guidegen.errors import SurfaceError
from guidegen.intake.surface_files import read_surface
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes

CORNERS = np.array([[5.0, 6.0, 7.0], [35.0, 6.0, 7.0], [5.0, 46.0, 7.0], [5.0, 6.0, 57.0]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
MESH = (
    "<mesh><vertices>"
    + "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in CORNERS)
    + "</vertices><triangles>"
    + "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in FACES)
    + "</triangles></mesh>"
)
MODEL = (
    f'<model unit="millimeter" xmlns="{CORE}" xmlns:p="{PRODUCTION}"><resources>'
    f'<object id="1" type="model">{MESH}</object></resources><build><item objectid="1"/></build></model>'
)
PART = "3D/3dmodel.model"

Read = Callable[..., Surface]


def archive(model: str = MODEL, name: str = PART, **parts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for part, text in {"[Content_Types].xml": "<Types/>", "_rels/.rels": "<R/>", name: model, **parts}.items():
            package.writestr(part, text)
    return content.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def from_bytes(data: bytes, unit: str = "mm") -> Surface:
        (tmp_path / "bone.3mf").write_bytes(data)
        return read_surface(tmp_path / "bone.3mf", "bone.3mf", unit, "LPS")  # type: ignore[arg-type]

    return from_bytes


def with_component(transform: str = "", count: int = 1) -> str:
    """The mesh as a component of another object, which is built."""
    components = f'<component objectid="1" {transform}/>' * count
    return MODEL.replace(
        "</resources>", f'<object id="2"><components>{components}</components></object></resources>'
    ).replace('<item objectid="1"/>', '<item objectid="2"/>')


def test_a_plain_mesh(read: Read) -> None:
    whole = Surface(CORNERS, FACES)
    for data in (archive(), archive(with_component()), archive(name="other/place.Model"), threemf_bytes(whole, {})):
        surface = read(data)
        np.testing.assert_allclose(surface.volume_mm3, 10_000.0, rtol=1e-6)
        np.testing.assert_allclose(surface.bounds_mm, [[5.0, 6.0, 7.0], [35.0, 46.0, 57.0]])


def test_an_identity_transform_is_none(read: Read) -> None:
    model = MODEL.replace('objectid="1"', 'objectid="1" transform="1 0 0 0 1 0 0 0 1 0 0 0"')
    np.testing.assert_allclose(read(archive(model)).volume_mm3, 10_000.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("stated", "unit", "factor"), [("centimeter", "cm", 10.0), ("meter", "m", 1000.0), ("inch", "inch", 25.4)]
)
def test_the_unit_must_be_the_declared_one(stated: str, unit: str, factor: float, read: Read) -> None:
    small = re.sub(r'([xyz])="([0-9.]+)"', lambda m: f'{m[1]}="{float(m[2]) / factor}"', MODEL)
    data = archive(small.replace("millimeter", stated))
    np.testing.assert_allclose(read(data, unit).volume_mm3, 10_000.0, rtol=1e-4)
    with pytest.raises(SurfaceError, match=f'expected unit = "mm" as the case file says, found {unit} in the file'):
        read(data, "mm")


def test_no_unit_is_the_millimetre(read: Read) -> None:
    data = archive(MODEL.replace('unit="millimeter" ', ""))
    np.testing.assert_allclose(read(data).volume_mm3, 10_000.0, rtol=1e-6)
    with pytest.raises(SurfaceError, match='expected unit = "inch" as the case file says, found mm in the file'):
        read(data, "inch")


MIRROR, TURN, SHIFT = "-1 0 0 0 1 0 0 0 1 0 0 0", "0 1 0 -1 0 0 0 0 1 0 0 0", "1 0 0 0 1 0 0 0 1 0 0 0.001"


@pytest.mark.parametrize("place", ["item", "component"])
@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (MIRROR, "expected no transform in the 3MF, found one that mirrors the body"),
        (TURN, "expected no transform in the 3MF, found one that moves, turns or scales"),
        (SHIFT, "expected no transform in the 3MF, found one that moves, turns or scales"),
        ("2 0 0 0 2 0 0 0 2 0 0 0", "found one that moves, turns or scales"),
    ],
)
def test_transforms(place: str, transform: str, message: str, read: Read) -> None:
    attribute = f'transform="{transform}"'
    model = (
        with_component(attribute)
        if place == "component"
        else MODEL.replace('<item objectid="1"', f'<item objectid="1" {attribute}')
    )
    with pytest.raises(SurfaceError, match=message):
        read(archive(model))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<model", '<!DOCTYPE model [<!ENTITY a "b">]><model', "found a document type"),
        ("<model", '<!DOCTYPE model SYSTEM "file:///etc/hostname"><model', "found a document type"),
        ("millimeter", "parsec", "found the unit 'parsec'"),
        ('unit="mill', 'requiredextensions="p" unit="mill', r"found a model that needs extensions \('p'\)"),
        ('<item objectid="1"', '<item objectid="1" p:path="/3D/x.model"', "found an object that lies in another part"),
        ('v1="0"', 'v1="4"', "expected a 3MF model that can be read, found .*index"),
        ('v1="0"', 'v1="-1"', "expected a 3MF model that can be read"),
        ('v1="0"', 'v1="0x"', "found a triangle without its numbers"),
        ('v1="0"', 'v1="1" v4="0"', "expected a 3MF model that can be read|expected a closed surface"),
        ('x="35.0"', 'x="35.0abc"', "found a vertex without its numbers"),
        ('x="35.0"', "", "found a vertex without its numbers"),
        ('x="35.0"', 'x="nan"', "expected a 3MF model that can be read"),
        ('x="35.0"', 'x="1e38"', "expected a 3MF model that can be read"),
        ('<item objectid="1"/>', "", "expected one mesh, built once, found 1 meshes and 0 build items"),
        ('<item objectid="1"/>', '<item objectid="1"/><item objectid="1"/>', "found 1 meshes and 2 build items"),
        ('<item objectid="1"/>', '<item objectid="7"/>', "expected a 3MF model that can be read|and 0 build items"),
        ("</resources>", f'<object id="2">{MESH}</object></resources>', "found 2 meshes and 1 build items"),
        ("</build></model>", "", "expected a 3MF model of plain triangles, found no element|found unclosed|no element"),
        (
            "<triangles>",
            "<triangles><x:triangle xmlns:x='y' v1='0' v2='1' v3='2'/>",
            "triangles of its XML|can be read",
        ),
    ],
)
def test_models_that_are_refused(old: str, new: str, message: str, read: Read) -> None:
    assert old in MODEL
    with pytest.raises(SurfaceError, match=message):
        read(archive(MODEL.replace(old, new)))


def test_two_components(read: Read) -> None:
    with pytest.raises(SurfaceError, match="expected one component, found 2"):
        read(archive(with_component(count=2)))


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil", "C:/evil", "C:\\evil", "a\\..\\..\\b", "\\\\server\\x"])
def test_names_that_lead_out(name: str, read: Read) -> None:
    with pytest.raises(SurfaceError, match="expected parts inside the archive, found the name"):
        read(archive(**{name: "x"}))


def test_models_in_more_parts_or_none(read: Read) -> None:
    with pytest.raises(SurfaceError, match="expected one model in the 3MF, found 2"):
        read(archive(**{"3D/Objects/object_1.model": MODEL}))
    with pytest.raises(SurfaceError, match="expected one model in the 3MF, found 0"):
        read(archive(name="3D/model.xml"))


def test_parts_that_come_twice_or_in_thousands(read: Read) -> None:
    with pytest.raises(SurfaceError, match="expected at most 1000 parts, each once, found others"):
        read(archive(**{PART.upper(): MODEL}))
    with pytest.raises(SurfaceError, match="expected at most 1000 parts, each once, found others"):
        read(archive(**{f"{number}.png": "" for number in range(1000)}))


def test_a_password(read: Read) -> None:
    data = bytearray(archive())
    for mark, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        for found in re.finditer(re.escape(mark), bytes(data)):
            data[found.start() + offset] |= 1
    with pytest.raises(SurfaceError, match="expected a 3MF without a password, found an encrypted part"):
        read(bytes(data))


def test_a_bomb_is_refused_by_what_comes_out_of_it(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidegen.intake.threemf_files.MAX_BYTES", 1 << 20)
    bomb = bytearray(archive(MODEL + " " * (2 << 20)))
    with pytest.raises(SurfaceError, match="expected a model of at most 1 MiB, found more"):
        read(bytes(bomb))
    size = (len(MODEL) + (2 << 20)).to_bytes(4, "little")
    with pytest.raises(SurfaceError, match=r"expected a model of at most 1 MiB|expected a whole 3MF archive"):
        read(bytes(bomb).replace(size, (1000).to_bytes(4, "little")))  # a size that lies


def test_what_is_no_archive_or_a_damaged_one(read: Read) -> None:
    data = archive()
    for kept in (0, 30, len(data) // 2, len(data) - 5):
        with pytest.raises(SurfaceError, match="expected a whole 3MF archive, found a damaged one"):
            read(data[:kept])
    flipped = bytearray(data)
    flipped[data.index(PART.encode()) + len(PART) + 40] ^= 4
    with pytest.raises(SurfaceError, match="expected a whole 3MF archive, found a damaged one"):
        read(bytes(flipped))

"""3MF: a zip archive with a model in XML, read by lib3mf from an archive of our own with nothing else in it.

So no other part, no relationship and no name in the archive can lead anywhere: they are not in what lib3mf gets.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import SurfaceError
from guidegen.intake.meshes import Mesh
from guidegen.intake.plain_xml import Elements, NotPlain, tell

MAX_BYTES = 1 << 27  # of the model, unpacked
MAX_ELEMENTS = 1_500_000  # of its XML, which are handled one by one: a million triangles and their vertices
MAX_PARTS = 1000
ENCRYPTED = 1  # the bit of a zip entry's flags

NAMES = "http://schemas.openxmlformats.org/package/2006/"
MODEL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
PACKAGE = {
    "[Content_Types].xml": f'<Types xmlns="{NAMES}content-types"><Default Extension="rels" ContentType="application/vnd'
    '.openxmlformats-package.relationships+xml"/><Default Extension="model" ContentType="application/vnd.ms-package.'
    '3dmanufacturing-3dmodel+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{NAMES}relationships"><Relationship Type="{MODEL}" Id="rel0" '
    'Target="/3D/3dmodel.model"/></Relationships>',
}
UNITS = {
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "inch": "inch",
    "micron": "micron",
    "foot": "foot",
}


def read_threemf(data: bytes, file: str) -> Mesh:
    """The one mesh of a 3MF and its unit; SurfaceError for one with several, with transforms, or that is not whole."""
    import lib3mf

    model = _model_part(data, file)
    plain = _PlainModel()
    try:
        tell(model, plain)
    except NotPlain as error:
        raise SurfaceError(
            f"{file}: expected a 3MF model of plain triangles, found {error}; export it again"
        ) from error
    package = lib3mf.get_wrapper().CreateModel()
    reader = package.QueryReader("3mf")
    try:
        reader.ReadFromBuffer(_package(model))
    except lib3mf.ELib3MFException as error:
        raise SurfaceError(f"{file}: expected a 3MF model that can be read, found {error}; export it again") from error
    mesh = _only_mesh(package, file)
    if (mesh.GetVertexCount(), mesh.GetTriangleCount()) != (plain.counts["vertex"], plain.counts["triangle"]):
        raise SurfaceError(
            f"{file}: expected the {plain.counts['triangle']} triangles of its XML, found that its reader sees "
            f"{mesh.GetTriangleCount()}; export it again"
        )
    vertices = _rows(lib3mf.Position, mesh.GetVertices(), "<f4").astype(np.float64)
    faces = _rows(lib3mf.Triangle, mesh.GetTriangleIndices(), "<u4").astype(np.int64)
    return Mesh(vertices, faces, None, UNITS[plain.unit])


def _rows(record: Any, records: list[Any], kind: str) -> npt.NDArray[Any]:
    """lib3mf's C records of three numbers each as an array (K, 3)."""
    return np.frombuffer(bytes((record * len(records))(*records)), kind).reshape(-1, 3)


class _PlainModel(Elements):
    """Counts, and refuses what lib3mf reads past: an unknown unit, numbers with something after them, parts elsewhere
    and shapes of an extension.
    """

    def __init__(self) -> None:
        self.counts = {"vertex": 0, "triangle": 0}
        self.elements = 0
        self.unit = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise NotPlain(f"more than {MAX_ELEMENTS} elements")
        if name in self.counts:
            self.counts[name] += 1
            try:
                for key in ("x", "y", "z") if name == "vertex" else ("v1", "v2", "v3"):
                    float(attributes[key])
            except (KeyError, ValueError) as error:
                raise NotPlain(f"a {name} without its numbers") from error
            return
        if name == "model":
            self.unit = attributes.get("unit", "millimeter")  # the unit of a 3MF that states none
            if self.unit not in UNITS:
                raise NotPlain(f"the unit {self.unit[:40]!a}")
            if attributes.get("requiredextensions", "").strip():
                raise NotPlain(f"a model that needs extensions ({attributes['requiredextensions'][:40]!a})")
        if any(key.endswith("}path") for key in attributes):
            raise NotPlain("an object that lies in another part")


def _model_part(data: bytes, file: str) -> bytes:
    """The one model of the archive, unpacked and counted."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _check_parts(parts, file)
            models = [part for part in parts if part.filename.lower().endswith(".model")]
            if len(models) != 1:
                raise SurfaceError(
                    f"{file}: expected one model in the 3MF, found {len(models)}; export one body as 3MF"
                )
            with archive.open(models[0]) as stream:
                content = stream.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise SurfaceError(
                        f"{file}: expected a model of at most {MAX_BYTES >> 20} MiB, found more; simplify the surface"
                    )
            return content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise SurfaceError(
            f"{file}: expected a whole 3MF archive, found a damaged one ({error}); copy it again"
        ) from error


def _check_parts(parts: list[zipfile.ZipInfo], file: str) -> None:
    names = [part.filename for part in parts]
    if len(names) > MAX_PARTS or len({name.lower() for name in names}) != len(names):
        raise SurfaceError(f"{file}: expected at most {MAX_PARTS} parts, each once, found others; export it again")
    for part in parts:
        windows = PureWindowsPath(part.filename)
        if windows.drive or windows.root or PurePosixPath(part.filename).is_absolute() or ".." in windows.parts:
            raise SurfaceError(
                f"{file}: expected parts inside the archive, found the name {part.filename[:60]!a}; export it again"
            )
        if part.flag_bits & ENCRYPTED:
            raise SurfaceError(f"{file}: expected a 3MF without a password, found an encrypted part; export it again")


def _package(model: bytes) -> bytes:
    """An archive that has this model and nothing else."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # lib3mf copies byte by byte
        for name, part in PACKAGE.items():
            archive.writestr(name, part)
        archive.writestr("3D/3dmodel.model", model)
    return content.getvalue()


def _only_mesh(package: Any, file: str) -> Any:
    """The one mesh, built once and where it lies."""
    meshes, items = package.GetMeshObjects(), package.GetBuildItems()
    if (meshes.Count(), items.Count()) != (1, 1):
        raise SurfaceError(
            f"{file}: expected one mesh, built once, found {meshes.Count()} meshes and {items.Count()} build items; "
            "export one body"
        )
    items.MoveNext()
    item = items.GetCurrent()
    _check_transform(item.GetObjectTransform(), file)
    part = item.GetObjectResource()
    while part.IsComponentsObject():
        whole = package.GetComponentsObjectByID(part.GetUniqueResourceID())
        if whole.GetComponentCount() != 1:
            raise SurfaceError(
                f"{file}: expected one component, found {whole.GetComponentCount()}; export one body without copies"
            )
        component = whole.GetComponent(0)
        _check_transform(component.GetTransform(), file)
        part = component.GetObjectResource()
    return package.GetMeshObjectByID(part.GetUniqueResourceID())


def _check_transform(transform: Any, file: str) -> None:
    matrix = np.array([list(row) for row in transform.Fields], dtype=np.float64)  # three axes and a shift, as rows
    if np.array_equal(matrix, np.eye(4, 3)):
        return
    found = "one that mirrors the body" if np.linalg.det(matrix[:3]) < 0 else "one that moves, turns or scales the body"
    raise SurfaceError(
        f"{file}: expected no transform in the 3MF, found {found}; export the body where it lies in the scan"
    )

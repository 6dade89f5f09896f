"""Surface files: STL, PLY, OBJ and VTP → one closed body, wound outwards, in LPS mm."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np

from guidegen.case import MAX_COORDINATE_MM, Space, Unit
from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray
from guidegen.surfaces import Surface

MM_PER_UNIT: dict[Unit, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}
FORMATS = (".stl", ".ply", ".obj", ".vtp")
MAX_BYTES = 1 << 30

# Bodies beside the largest: crumbs of segmentation below this share of its volume are left out, others refused.
CRUMB_FRACTION = 0.01


def read_surface(path: Path, file: str, unit: Unit, space: Space) -> Surface:
    """The surface at `path`, whose numbers are in `unit` and `space`; `file` is its name in messages.

    Corners with equal coordinates are one vertex (an STL repeats them), and a triangle with two
    equal corners is no triangle. The largest body by volume is the surface. SurfaceError if the
    file cannot be read, or is not closed, has another large body or is wound inwards.
    """
    suffix = next((ending for ending in FORMATS if file.lower().endswith(ending)), None)
    if suffix is None:
        raise SurfaceError(
            f"{file}: expected a surface as {', '.join(FORMATS)}, found another ending; export it as one"
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SurfaceError(
                f"{file}: expected at most {MAX_BYTES >> 30} GiB, found {size} bytes; simplify the surface"
            )
        data = path.read_bytes()
    except OSError as error:
        raise SurfaceError(f"{file}: expected a file that can be read, found none ({error.strerror})") from error
    stated = re.search(rb"SPACE=(LPS|RAS)", data[:1000])  # 3D Slicer says so in a comment
    if stated and stated[1].decode() != space:
        raise SurfaceError(
            f'{file}: expected space = "{space}" as the case file says, found {stated[1].decode()} in the file; '
            "correct the case file"
        )
    vertices, faces = _triangles(path, data, suffix, file)
    vertices_mm = vertices * MM_PER_UNIT[unit] * ([-1.0, -1.0, 1.0] if space == "RAS" else [1.0, 1.0, 1.0])
    if not (np.abs(vertices_mm) <= MAX_COORDINATE_MM).all():  # NaN too
        raise SurfaceError(
            f"{file}: expected coordinates within ±{MAX_COORDINATE_MM} mm, found larger ones or NaN; "
            f'is unit = "{unit}" right? Else export it again'
        )
    vertices_mm, faces = _welded(vertices_mm, faces)
    if len(faces) == 0:
        raise SurfaceError(f"{file}: expected triangles, found none; export it again, as binary if it can be")
    return _one_body(Surface(vertices_mm, faces), file)


def _triangles(path: Path, data: bytes, suffix: str, file: str) -> tuple[FloatArray, IntArray]:
    """Vertices (N, 3) and triangles (M, 3) as the file has them."""
    try:
        vertices, faces = _read_vtp(path) if suffix == ".vtp" else _read_mesh(data, suffix)
    except Exception as error:  # the readers raise anything for a damaged file
        raise SurfaceError(
            f"{file}: expected a whole {suffix[1:].upper()} file with one mesh, found one that cannot be read ({error})"
        ) from error
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise SurfaceError(f"{file}: expected triangles between its {len(vertices)} vertices, found others")
    return vertices, faces


def _read_mesh(data: bytes, suffix: str) -> tuple[FloatArray, IntArray]:
    import trimesh

    # from memory: a reader that is given a path follows the other files that an OBJ names
    mesh = trimesh.load_mesh(io.BytesIO(data), file_type=suffix[1:], process=False, skip_materials=True)
    return np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int64)


def _read_vtp(path: Path) -> tuple[FloatArray, IntArray]:
    from vtkmodules.vtkCommonCore import vtkCommand, vtkLogger
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    faults: list[str] = []
    reader, triangles = vtkXMLPolyDataReader(), vtkTriangleFilter()
    reader.SetFileName(str(path))
    reader.AddObserver(vtkCommand.ErrorEvent, lambda _, event: faults.append(event))
    triangles.PassVertsOff()
    triangles.PassLinesOff()
    triangles.SetInputConnection(reader.GetOutputPort())
    loudness = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # a fault is reported by us, once
    try:
        triangles.Update()
    finally:
        vtkLogger.SetStderrVerbosity(loudness)
    if faults:
        raise ValueError("damaged XML or data")
    mesh = triangles.GetOutput()
    if mesh.GetNumberOfPolys() == 0:
        return np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)
    vertices = np.array(mesh.GetPoints().GetData(), dtype=np.float64)
    return vertices, np.array(mesh.GetPolys().GetConnectivityArray(), dtype=np.int64).reshape(-1, 3)


def _welded(vertices: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    """Equal vertices made one, in order of z, y, x; triangles that this leaves without area are dropped."""
    order = np.lexsort(vertices.T)
    ordered = vertices[order]
    is_new = np.ones(len(vertices), dtype=np.bool_)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(vertices), dtype=np.int64)
    number[order] = np.cumsum(is_new) - 1
    welded = number[faces]
    a, b, c = welded.T
    return ordered[is_new], welded[(a != b) & (b != c) & (c != a)]


def _one_body(surface: Surface, file: str) -> Surface:
    """The largest body of a closed surface; SurfaceError if it is open, inside out, or not nearly alone."""
    if not surface.is_closed:
        raise SurfaceError(f"{file}: expected a closed surface, found {_gaps(surface)}; repair it where it was made")
    body = _bodies(surface)
    volumes_mm3 = np.bincount(body, weights=_signed_volumes_mm3(surface))
    largest = int(np.argmax(np.abs(volumes_mm3)))
    if volumes_mm3[largest] <= 0:
        raise SurfaceError(
            f"{file}: expected normals that point outwards, found a volume of {volumes_mm3[largest]:.0f} mm³: "
            "the surface is inside out or mirrored; export it again"
        )
    share = np.delete(np.abs(volumes_mm3), largest) / volumes_mm3[largest]
    if (share > CRUMB_FRACTION).any():
        raise SurfaceError(
            f"{file}: expected one body, found {int((share > CRUMB_FRACTION).sum()) + 1}, the second with "
            f"{100 * share.max():.1f} % of the largest's volume (a cavity counts as one); keep the bone only"
        )
    faces = surface.faces[body == largest]
    used, renumbered = np.unique(faces, return_inverse=True)
    return Surface(surface.vertices[used], renumbered.reshape(-1, 3))


def _gaps(surface: Surface) -> str:
    edges = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    times = np.unique(edges, axis=0, return_counts=True)[1]
    if (times == 2).all():
        return "neighbouring triangles wound in opposite senses"
    return f"{int((times == 1).sum())} open edges and {int((times > 2).sum())} edges of more than two triangles"


def _bodies(surface: Surface) -> IntArray:
    """The number (M,) of the body that each face belongs to; faces that share a vertex are of one body."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b, c = surface.faces.T
    links = coo_array(
        (np.ones(2 * len(a), dtype=np.int8), (np.r_[a, b], np.r_[b, c])), shape=(len(surface.vertices),) * 2
    )
    _, body = connected_components(links, directed=False)
    return np.unique(body[a], return_inverse=True)[1]


def _signed_volumes_mm3(surface: Surface) -> FloatArray:
    """The signed volume (M,) between each face and the middle of the surface; a body's sum is its volume."""
    a, b, c = (surface.vertices[surface.faces[:, k]] - surface.bounds_mm.mean(axis=0) for k in range(3))
    return np.asarray(np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0)

"""Surface files: STL, PLY, OBJ, VTP and 3MF → one closed body, wound outwards, in LPS mm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from guidegen.case import MAX_COORDINATE_MM, Space, Unit
from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray
from guidegen.intake.meshes import Mesh
from guidegen.intake.obj_files import read_obj
from guidegen.intake.ply_files import read_ply
from guidegen.intake.stl_files import read_stl
from guidegen.intake.threemf_files import read_threemf
from guidegen.intake.vtp_files import read_vtp
from guidegen.surfaces import Surface

MM_PER_UNIT: dict[Unit, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4}
READERS: dict[str, Callable[[bytes, str], Mesh]] = {
    ".stl": read_stl,
    ".ply": read_ply,
    ".obj": read_obj,
    ".vtp": read_vtp,
    ".3mf": read_threemf,
}
FORMATS = tuple(READERS)
MAX_BYTES = 1 << 28  # five million triangles of binary STL

# Bodies beside the largest: crumbs of segmentation below this share of its volume are left out, others refused.
CRUMB_FRACTION = 0.01


def read_surface(path: Path, file: str, unit: Unit, space: Space) -> Surface:
    """The surface at `path`, whose numbers are in `unit` and `space`; `file` is its name in messages.

    Corners with equal coordinates are one vertex (an STL repeats them), and a triangle with two
    equal corners is no triangle. The largest body by volume is the surface. SurfaceError if the
    file cannot be read, states another unit or space, or is not closed, has another large body or is wound inwards.
    """
    mesh = _mesh(path, file)
    for key, declared, stated in (("space", space, mesh.space), ("unit", unit, mesh.unit)):
        if stated not in (None, declared):
            raise SurfaceError(
                f'{file}: expected {key} = "{declared}" as the case file says, found {stated} in the file; '
                "correct the case file"
            )
    vertices_mm = mesh.vertices * MM_PER_UNIT[unit] * ([-1.0, -1.0, 1.0] if space == "RAS" else [1.0, 1.0, 1.0])
    if not (np.abs(vertices_mm) <= MAX_COORDINATE_MM).all():  # NaN too
        raise SurfaceError(
            f"{file}: expected coordinates within ±{MAX_COORDINATE_MM} mm, found larger ones or NaN; "
            f'is unit = "{unit}" right? Else export it again'
        )
    vertices_mm, faces = _welded(vertices_mm, mesh.faces)
    if len(faces) == 0:
        raise SurfaceError(f"{file}: expected triangles with an area, found none; export it again")
    return _one_body(Surface(vertices_mm, faces), file)


def shape_of_file(path: Path, file: str) -> tuple[int, tuple[float, ...]]:
    """How many triangles a file has, and the low and high x, y, z of its vertices in its own unit and space."""
    mesh = _mesh(path, file)
    if not np.isfinite(mesh.vertices).all():
        raise SurfaceError(f"{file}: expected finite coordinates, found others; export it again")
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    return len(mesh.faces), (*low.tolist(), *high.tolist())


def _mesh(path: Path, file: str) -> Mesh:
    """The triangles as the file has them, one at least, and all between its vertices."""
    suffix = next((ending for ending in FORMATS if file.lower().endswith(ending)), None)
    if suffix is None:
        raise SurfaceError(
            f"{file}: expected a surface as {', '.join(FORMATS)}, found another ending; export it as one"
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SurfaceError(
                f"{file}: expected at most {MAX_BYTES >> 20} MiB, found {size} bytes; simplify the surface"
            )
        data = path.read_bytes()
    except OSError as error:
        raise SurfaceError(f"{file}: expected a file that can be read, found none ({error.strerror})") from error
    mesh = READERS[suffix](data, file)
    if len(mesh.faces) == 0:
        raise SurfaceError(f"{file}: expected triangles, found none; export it again")
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise SurfaceError(
            f"{file}: expected triangles between its {len(mesh.vertices)} vertices, found others; export it again"
        )
    return mesh


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

"""Binary STL: how guidegen writes a surface, and the strict reader of what it wrote.

STL knows neither unit nor frame, so the header says both, and the reader accepts no
other header: files from elsewhere come in through `intake`. The header never begins
with "solid", which would make some programs take the file for text.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidegen.errors import ResultError
from guidegen.frames import FloatArray, IntArray
from guidegen.surfaces import Surface

HEADER = b"guidegen LPS mm".ljust(80)
COUNT_BYTES = 4

TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def stl_bytes(surface: Surface) -> bytes:
    """The surface as a binary STL, coordinates rounded to float32 (below 0.00004 mm within 1 m of the origin)."""
    triangles = np.zeros(len(surface.faces), dtype=TRIANGLE)
    triangles["corners"] = surface.vertices[surface.faces]
    triangles["normal"] = surface.face_normals
    return HEADER + np.uint32(len(triangles)).tobytes() + triangles.tobytes()


def read_stl(path: Path) -> Surface:
    """The surface in an STL that `stl_bytes` made; corners with equal float32 coordinates become one vertex.

    Raises ResultError when the file is missing, is not ours, is longer or shorter than it
    says, holds no triangle or a number that is not finite. Nothing else is repaired or
    judged: whether the surface is closed is a check of its own.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultError(f"expected a readable STL at {path}, found: {error.strerror}; run the case again") from error
    triangles = _triangles(content, path.name)
    corners = triangles["corners"].reshape(-1, 3)
    if len(corners) == 0:
        raise ResultError(f"{path.name}: expected triangles, found none; run the case again")
    if not np.isfinite(corners).all():
        raise ResultError(f"{path.name}: expected finite coordinates, found NaN or infinity; run the case again")
    vertices, index = _merged(corners)
    return Surface(vertices, index.reshape(-1, 3))


def _triangles(content: bytes, name: str) -> npt.NDArray[np.void]:
    """The triangle records of a file whose header and length are what `stl_bytes` writes."""
    begin = len(HEADER) + COUNT_BYTES
    if len(content) < begin or content[: len(HEADER)] != HEADER:
        raise ResultError(
            f"{name}: expected a binary STL whose header is {HEADER.decode().strip()!r}, found "
            f"{content[:20]!r}; its unit and frame are unknown, so run the case again instead of exchanging the file"
        )
    count = int.from_bytes(content[len(HEADER) : begin], "little")
    expected = begin + count * TRIANGLE.itemsize
    if len(content) != expected:
        raise ResultError(
            f"{name}: expected {expected} bytes for {count} triangles, found {len(content)}; "
            "the file was cut or altered, so run the case again"
        )
    return np.frombuffer(content, dtype=TRIANGLE, offset=begin)


def _merged(corners: npt.NDArray[np.float32]) -> tuple[FloatArray, IntArray]:
    """The different corners (N, 3), and the place (K,) of each of the K corners among them."""
    order = np.lexsort(corners.T)
    ordered = corners[order]
    new = np.ones(len(corners), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    place = np.empty(len(corners), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ordered[new].astype(np.float64), place

"""OBJ: lines of text for vertices and faces. Materials are not looked at, and their file is never opened."""

from __future__ import annotations

from array import array

import numpy as np

from guidegen.errors import SurfaceError
from guidegen.intake.meshes import Mesh, stated_space

# Normals, texture, names, groups, shading, materials: nothing of the shape.
NO_SHAPE = {b"vn", b"vt", b"o", b"g", b"s", b"usemtl", b"mtllib"}


def read_obj(data: bytes, file: str) -> Mesh:
    """The vertices and triangles of an OBJ, a square as two; SurfaceError for other polygons and for curves."""
    numbers, corners, comments = array("d"), array("q"), list[bytes]()
    for line in data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").split(b"\n"):
        words = line.split()
        if not words or words[0] in NO_SHAPE:
            continue
        if words[0].startswith(b"#"):
            comments.append(line)
            continue
        try:
            if words[0] == b"v":
                numbers.extend(_place(words[1:]))
            elif words[0] == b"f":
                corners.extend(_triangles(words[1:], len(numbers) // 3))
            else:
                raise ValueError("a line that is neither")
        except (ValueError, OverflowError) as error:
            raise SurfaceError(
                f"{file}: expected vertices (v) and faces (f) of three or four corners, found {line[:60]!r} ({error}); "
                "triangulate it and export it again"
            ) from error
    vertices = np.frombuffer(numbers, np.float64).reshape(-1, 3)
    faces = np.frombuffer(corners, np.int64).reshape(-1, 3)
    return Mesh(vertices, faces, stated_space(b"\n".join(comments), file))


def _place(words: list[bytes]) -> list[float]:
    """x, y, z; a weight of 1 or a colour may follow."""
    values = [float(word) for word in words]
    if len(values) not in (3, 4, 6) or (len(values) == 4 and values[3] != 1.0):
        raise ValueError("3 numbers, a weight of 1 or a colour were expected")
    return values[:3]


def _triangles(words: list[bytes], known: int) -> list[int]:
    """The corners of a face as one triangle or two, counted from 0; below 0 they count back from the last vertex."""
    stated = [int(word.split(b"/")[0]) for word in words]
    if len(stated) not in (3, 4):
        raise ValueError(f"{len(stated)} corners")
    if 0 in stated:
        raise ValueError("vertices are counted from 1")
    a, b, c, *d = (number - 1 if number > 0 else known + number for number in stated)
    return [a, b, c, *((a, c, d[0]) if d else ())]

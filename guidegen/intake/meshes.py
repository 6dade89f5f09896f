"""What the readers of surface files have in common: triangles as a file has them, in its own unit and space."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from guidegen.case import Space
from guidegen.errors import SurfaceError
from guidegen.frames import FloatArray, IntArray

SPACES: dict[bytes, Space] = {b"LPS": "LPS", b"RAS": "RAS"}


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices (N, 3) and triangles (M, 3), and the space and unit that the file itself states, None for none."""

    vertices: FloatArray
    faces: IntArray
    space: Space | None = None
    unit: str | None = None


def stated_space(comments: bytes, file: str) -> Space | None:
    """The space that 3D Slicer writes into the comments of a file; SurfaceError if there are two."""
    found = set(re.findall(rb"SPACE=(LPS|RAS)", comments))
    if len(found) > 1:
        raise SurfaceError(f"{file}: expected one space in its comments, found LPS and RAS; export it again")
    return SPACES[found.pop()] if found else None


def soup(corners: FloatArray, space: Space | None) -> Mesh:
    """The mesh of triangles that are given corner by corner (3 M, 3)."""
    return Mesh(corners, np.arange(len(corners), dtype=np.int64).reshape(-1, 3), space)

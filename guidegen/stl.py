"""Binary STL as guidegen writes it (numpy-stl).

STL knows neither unit nor frame, so the header says both. It never begins with "solid", which would make
some programs take the file for text, and it carries no date, so that the same surface is the same bytes.
"""

from __future__ import annotations

import io

import numpy as np

from guidegen.surfaces import Surface

HEADER = "guidegen LPS mm"


def stl_bytes(surface: Surface) -> bytes:
    """The surface as a binary STL, coordinates rounded to float32 (below 0.00004 mm within 1 m of the origin)."""
    import stl

    class DatelessMesh(stl.mesh.Mesh):
        def get_header(self, name: bytes | str) -> str:
            return (name if isinstance(name, str) else name.decode()).ljust(80)

    triangles = np.zeros(len(surface.faces), dtype=DatelessMesh.dtype)
    triangles["vectors"] = surface.vertices[surface.faces]
    triangles["normals"] = surface.face_normals
    content = io.BytesIO()
    DatelessMesh(triangles).save(HEADER, fh=content, mode=stl.Mode.BINARY, update_normals=False)
    return content.getvalue()

"""A surface as an STL can hold it: float32 coordinates, and still one sound solid.

Rounding to float32 moves corners by up to 0.03 µm at 600 mm. Where faces are needles that is enough to
make two corners one, to leave a face without area or to push one through another; such
needles are collapsed first, and the result is looked at, not trusted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.frames import perpendicular_pair, unit
from guidegen.surfaces import Surface

# Edge lengths up to which needles are collapsed, one after the other until the solid is sound.
TOLERANCES_MM = (0.003, 0.005, 0.008, 0.012, 0.02)
SMALLEST_FACE_MM2 = 1e-8  # twice and a half the square of the float32 step at 600 mm


def as_written(surface: Surface) -> Surface | None:
    """The closed surface with float32 coordinates, nowhere further from the given one than needed; None where that
    fails.
    """
    exact = _solid(surface)
    for tolerance in TOLERANCES_MM if exact is not None else ():
        rounded = _solid(_rounded(_surface(exact.simplify(tolerance))))
        candidate = None if rounded is None else _rounded(_surface(rounded))
        if candidate is not None and is_sound(candidate):
            return candidate
    return None


def is_sound(surface: Surface) -> bool:
    """Closed, without faces that have no area, and without faces that cross."""
    return surface.is_closed and surface.face_areas_mm2.min() >= SMALLEST_FACE_MM2 and crossing_faces(surface) == 0


def crossing_faces(surface: Surface) -> int:
    """How many faces run through others (PyMeshLab).

    The surface is turned so that its longest edges lie along an axis: PyMeshLab sorts faces by their boxes, and
    the long thin faces of a slanted bore have boxes forty times slower to compare.
    """
    import pymeshlab

    edges = surface.vertices[np.roll(surface.faces, -1, axis=1)] - surface.vertices[surface.faces]
    longest = edges.reshape(-1, 3)[int(np.argmax((edges**2).sum(axis=2)))]
    frame = np.stack([*perpendicular_pair(longest), unit(longest)])
    centered = (surface.vertices - surface.bounds_mm.mean(axis=0)) @ frame.T
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(centered, surface.faces.astype(np.int32)))
    meshes.compute_selection_by_self_intersections_per_face()
    return int(meshes.current_mesh().selected_face_number())


def _rounded(surface: Surface) -> Surface:
    """Corners rounded to float32, those that are then equal made one; faces that lost a corner are gone."""
    vertices, same = np.unique(surface.vertices.astype(np.float32), axis=0, return_inverse=True)
    faces = same.reshape(-1)[surface.faces]
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return Surface(vertices.astype(np.float64), faces[real])


def _solid(surface: Surface) -> Any:
    """The surface as a manifold; None where it is none."""
    import manifold3d

    mesh = manifold3d.Mesh64(vert_properties=np.array(surface.vertices), tri_verts=surface.faces.astype(np.uint64))
    solid = manifold3d.Manifold(mesh)
    return None if solid.status() != manifold3d.Error.NoError or solid.is_empty() else solid


def _surface(solid: Any) -> Surface:
    mesh = solid.to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))

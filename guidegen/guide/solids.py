"""Solids for exact booleans: manifold3d on one side, our surfaces and CadQuery's shapes on the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, IntArray, RigidTransform, perpendicular_pair, unit
from guidegen.guide.parts import Part
from guidegen.surfaces import Surface
from guidegen.written import as_written

# Corners nearer than this may cross each other when they are rounded to float32: made one, the fewest first.
WELDS_MM = 0.0, 0.001, 0.003, 0.01
ROUND_SEGMENTS = 120  # a bore of 8 mm is then round within 1.5 µm


def to_surface(solid: Any) -> Surface:
    """The surface of a manifold."""
    mesh = solid.to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


def to_solid(vertices: FloatArray, faces: IntArray, what: str) -> Any:
    """A manifold from triangles; NoSafeGuide where they do not enclose a solid."""
    import manifold3d

    solid = manifold3d.Manifold(
        manifold3d.Mesh64(vert_properties=np.array(vertices, dtype=np.float64), tri_verts=np.array(faces, np.uint64))
    )
    if solid.status() != manifold3d.Error.NoError or solid.is_empty():
        raise NoSafeGuide(
            f"expected a closed solid for {what}, found {solid.status()}; report this case with its plan.json",
            rule="solid",
            figures={},
        )
    return solid


def welded(surface: Surface, distance_mm: float) -> Surface:
    """The surface with corners nearer to each other than this made one; faces that lost a corner are gone."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(surface.vertices).query_pairs(distance_mm, output_type="ndarray")
    count = len(surface.vertices)
    joined = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, group = connected_components(joined, directed=False)
    _, first = np.unique(group, return_index=True)
    faces = first[group][surface.faces]
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    used, faces = np.unique(faces[real], return_inverse=True)
    return Surface(surface.vertices[used], faces.reshape(-1, 3))


def stl_surface(exact: Surface) -> Surface | None:
    """The surface as an STL holds it: corners too near to each other for its float32 are made one where they must be;
    None where nothing of that leaves a sound solid.
    """
    tries = (as_written(welded(exact, weld) if weld else exact) for weld in WELDS_MM)
    return next((written for written in tries if written is not None), None)


def part_solid(part: Part, what: str) -> Any:
    """A machined part as a manifold: the union of its meshes."""
    import manifold3d

    solids = [to_solid(vertices, faces, what) for vertices, faces in part]
    return manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)


def placed(solid: Any, frame: RigidTransform) -> Any:
    """The solid carried by a rigid transform."""
    return solid.transform(frame.matrix()[:3])


def along_axis(point_mm: FloatArray, direction: FloatArray) -> RigidTransform:
    """From a part's own frame (z its axis) to the guide's, with its origin at a point (3,) and z along a direction
    (3,).
    """
    first, second = perpendicular_pair(direction)
    return RigidTransform.to_frame(point_mm, np.stack([first, second, unit(direction)]), "guide", "part").inverse()


def bore(start_mm: FloatArray, end_mm: FloatArray, diameter_mm: float) -> Any:
    """A round hole from start to end (3,), as the solid to take away; circumscribed, so that it is never under its
    size.
    """
    import manifold3d

    length = float(np.linalg.norm(end_mm - start_mm))
    radius = diameter_mm / 2.0 / np.cos(np.pi / ROUND_SEGMENTS)
    tool = manifold3d.Manifold.cylinder(length, radius, radius, ROUND_SEGMENTS)
    return placed(tool, along_axis(start_mm, end_mm - start_mm))

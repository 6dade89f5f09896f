"""A closed triangle surface in LPS mm and the exact questions we ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, RigidTransform, frozen

# Expansion order and accuracy of the fast winding number: libigl's own defaults, ample for a sign.
WINDING_ORDER = 2
WINDING_ACCURACY = 2.0


@dataclass(frozen=True, eq=False)
class Surface:
    """Vertices (N, 3) in mm and triangles (M, 3), wound so that normals point outwards.

    The answers about distance are exact for the triangles (libigl), not for their vertices.
    """

    vertices: FloatArray
    faces: IntArray

    def __post_init__(self) -> None:
        vertices = frozen(self.vertices)
        faces = np.array(self.faces, dtype=np.int64)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"expected (N, 3) vertices and (M, 3) faces, found {vertices.shape} and {faces.shape}")
        if len(faces) == 0 or faces.min() < 0 or faces.max() >= len(vertices):
            raise ValueError(f"expected faces that name some of the {len(vertices)} vertices, found others or none")
        faces.setflags(write=False)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)

    def __reduce__(self) -> tuple[type[Surface], tuple[FloatArray, IntArray]]:
        """What goes to another process: the triangles, without the search trees built on them."""
        return Surface, (self.vertices, self.faces)

    @cached_property
    def _crosses(self) -> FloatArray:
        """Twice the area times the normal of each face (M, 3)."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return np.cross(b - a, c - a)

    @cached_property
    def face_areas_mm2(self) -> FloatArray:
        """Area of each face (M,)."""
        return np.asarray(np.linalg.norm(self._crosses, axis=1) / 2.0)

    @cached_property
    def face_normals(self) -> FloatArray:
        """Outward unit normal of each face (M, 3); zero for a face of no area."""
        return np.asarray(self._crosses / np.maximum(2.0 * self.face_areas_mm2, 1e-30)[:, None])

    @cached_property
    def face_centers_mm(self) -> FloatArray:
        """Centre of each face (M, 3)."""
        return np.asarray(self.vertices[self.faces].mean(axis=1))

    @cached_property
    def vertex_normals(self) -> FloatArray:
        """Area-weighted outward unit normal at each vertex (N, 3)."""
        total = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(total, self.faces[:, corner], self._crosses)
        return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30))

    @property
    def volume_mm3(self) -> float:
        """Enclosed volume; positive when the normals point outwards."""
        a, b, c = (self.vertices[self.faces[:, k]] - self.vertices[0] for k in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    @property
    def bounds_mm(self) -> FloatArray:
        """Lowest and highest corner (2, 3)."""
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])

    @cached_property
    def is_closed(self) -> bool:
        """Whether every edge is shared by exactly two faces that run along it in opposite directions."""
        edges = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        size = np.int64(len(self.vertices))
        forward = np.sort(edges[:, 0] * size + edges[:, 1])
        backward = np.sort(edges[:, 1] * size + edges[:, 0])
        return bool(np.all(forward[1:] != forward[:-1]) and np.array_equal(forward, backward))

    @cached_property
    def _tree(self) -> Any:
        import igl

        tree = igl.AABB()
        tree.init(self.vertices, self.faces)
        return tree

    @cached_property
    def _winding(self) -> Any:
        import igl

        tree = igl.FastWindingNumberBVH()
        tree.init(self.vertices, self.faces, WINDING_ORDER)
        return tree

    def nearest(self, points_mm: npt.ArrayLike) -> tuple[FloatArray, IntArray, FloatArray]:
        """Distance (K,), face (K,) and nearest point (K, 3) on the surface for each point (K, 3)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64)
        squared, face, nearest = self._tree.squared_distance(self.vertices, self.faces, points)
        return np.sqrt(np.asarray(squared)), np.asarray(face), np.asarray(nearest)

    def contains(self, points_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which of the points (K, 3) lie inside (generalised winding number above one half)."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64)
        return np.asarray(self._winding.winding_number(points, WINDING_ACCURACY) > 0.5)

    def signed_distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Exact distance (K,) from each point (K, 3) to the surface, negative inside."""
        points = np.ascontiguousarray(points_mm, dtype=np.float64)
        distance = self.nearest(points)[0]
        return np.where(self.contains(points), -distance, distance)

    @cached_property
    def _rays(self) -> tuple[Any, FloatArray]:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        # embree computes in float32: near the origin its rounding is a tenth of that at 600 mm
        center = self.bounds_mm.mean(axis=0)
        scene = EmbreeScene()
        TriangleMesh(scene, (self.vertices - center).astype(np.float32), self.faces.astype(np.int32))
        return scene, center

    def ray_hits(self, origins_mm: npt.ArrayLike, directions: npt.ArrayLike) -> tuple[FloatArray, IntArray]:
        """Way (K,) to the first face hit from each origin (K, 3) along each unit direction, and that face (K,).

        A ray that hits nothing gives infinity and face -1. embree (float32) finds the face; the
        way is then computed from the face's plane in float64.
        """
        origins = np.atleast_2d(np.asarray(origins_mm, dtype=np.float64))
        directions = np.broadcast_to(np.asarray(directions, dtype=np.float64), origins.shape)
        scene, center = self._rays
        face = np.asarray(
            scene.run((origins - center).astype(np.float32), np.ascontiguousarray(directions, dtype=np.float32)),
            dtype=np.int64,
        )
        way = np.full(len(origins), np.inf)
        hit = np.flatnonzero(face >= 0)
        normal, corner = self.face_normals[face[hit]], self.vertices[self.faces[face[hit], 0]]
        slope = np.einsum("ij,ij->i", normal, directions[hit])
        height = np.einsum("ij,ij->i", normal, corner - origins[hit])
        grazing = np.abs(slope) < 1e-9
        way[hit] = np.where(grazing, np.inf, height / np.where(grazing, 1.0, slope))
        return way, face

    def transformed(self, transform: RigidTransform) -> Surface:
        """The same surface in the transform's target frame."""
        return Surface(transform.points(self.vertices), self.faces)

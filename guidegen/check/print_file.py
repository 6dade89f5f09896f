"""The file that goes to the printer: it must be the guide that was measured, turned and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guidegen.check.finding import Finding, at_most
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

# Coordinates of both files are rounded to float32, here and at 600 mm from the origin.
TURNED_TOLERANCE_MM = 1e-3
NAME = "print file off the guide"
WHY = "The printer gets guide.3mf: a number measured on guide.stl means nothing unless both are the same body."


def print_findings(folder: Path, guide: Surface) -> tuple[Finding, ...]:
    """How far guide.3mf lies from guide.stl after the best turn without mirroring; none for a rejected guide."""
    if (folder / "rejected.stl").exists():
        return ()
    corners = _corners(folder / "guide.3mf")
    if corners is None or corners.shape != guide.vertices[guide.faces].shape:
        missing = "guide.3mf is missing, is no 3MF of one body, or has other triangles than guide.stl"
        return (at_most(NAME, None, TURNED_TOLERANCE_MM, "mm", WHY, missing=missing),)
    distance = _after_best_turn(corners.reshape(-1, 3), guide.vertices[guide.faces].reshape(-1, 3))
    return (at_most(NAME, distance, TURNED_TOLERANCE_MM, "mm", WHY),)


def _corners(path: Path) -> FloatArray | None:
    """The triangles (M, 3, 3) of the one mesh in a 3MF, in mm as printed; None where there is none."""
    import lib3mf

    model = lib3mf.get_wrapper().CreateModel()
    try:
        model.QueryReader("3mf").ReadFromFile(str(path))
    except lib3mf.ELib3MFException:
        return None
    meshes = model.GetMeshObjects()
    if meshes.Count() != 1 or not meshes.MoveNext() or model.GetUnit() != lib3mf.ModelUnit.MilliMeter:
        return None
    mesh = meshes.GetCurrentMeshObject()
    vertices = np.array([tuple(vertex.Coordinates) for vertex in mesh.GetVertices()], dtype=np.float64)
    faces = np.array([tuple(face.Indices) for face in mesh.GetTriangleIndices()], dtype=np.int64)
    return vertices[faces] if len(faces) else None


def _after_best_turn(moved: FloatArray, fixed: FloatArray) -> float:
    """The largest distance left (mm) between two lists of points (K, 3) after the best rotation and shift (Kabsch)."""
    a, b = moved - moved.mean(axis=0), fixed - fixed.mean(axis=0)
    left, _, right = np.linalg.svd(a.T @ b)
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])  # a mirror image is no turn
    return float(np.linalg.norm(a @ (left @ keep @ right) - b, axis=1).max())

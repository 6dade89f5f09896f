"""The lesion: where it lies in the bone, how large it is, and its share of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.surface import contour
from guidegen.errors import LesionError
from guidegen.frames import FloatArray
from guidegen.lesion.registration import Registration
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# A voxel counts as inside when its centre is not further out than a thick slice and the registration may put it.
INSIDE_TOLERANCE_MM = 2.0
INSIDE_LIMIT = 0.9  # of the lesion's volume
HEAD_REACH_RADII = 1.25  # the centroid lies in the head, or in the neck just below it
SAMPLE_STEP_MM = 1.0  # for a lesion that comes as a surface


@dataclass(frozen=True, eq=False)
class Lesion:
    """Volume in mm³, centroid (3,) in LPS mm, share of the head sphere, sample points (K, 3) of equal volume, and its
    surface.

    `registration` tells how an MR was laid on the bone; None where the lesion came in the bone's own frame.
    """

    volume_mm3: float
    centroid_mm: FloatArray
    head_fraction: float
    points_mm: FloatArray
    surface: Surface
    registration: Registration | None
    pieces: int = 1
    centroid_inside: bool = True


def measure_lesion(
    lesion: Volume | Surface, registration: Registration | None, bone: Surface, anatomy: Anatomy
) -> Lesion:
    """Measure a lesion given as a boolean label or as a closed surface, in the frame that `registration` leads from.

    Volume and centroid come from the voxels themselves (or the exact volume of the surface), not
    from a blurred contour. LesionError where it does not lie in the femur or not in its head.
    """
    pieces, near = 1, SAMPLE_STEP_MM
    if isinstance(lesion, Surface):
        surface, points, volume = lesion, _inside_points(lesion), lesion.volume_mm3
    else:
        surface, points = contour(lesion), lesion.to_lps(np.argwhere(lesion.voxels))
        volume = len(points) * lesion.voxel_volume_mm3
        pieces, near = _pieces(lesion), float(lesion.spacing_mm.max())
    if registration is not None:
        surface, points = surface.transformed(registration.transform), registration.transform.points(points)
    centroid = points.mean(axis=0)
    _require_in_head(points, centroid, bone, anatomy)
    head_mm3 = 4.0 / 3.0 * np.pi * anatomy.head_radius_mm**3
    inside = float(np.linalg.norm(points - centroid, axis=1).min()) <= near
    return Lesion(volume, centroid, volume / head_mm3, points, surface, registration, pieces, inside)


def _pieces(label: Volume) -> int:
    """How many pieces, joined by faces, edges or corners, the label has."""
    import SimpleITK as sitk

    counting = sitk.ConnectedComponentImageFilter()
    counting.FullyConnectedOn()
    counting.Execute(sitk.GetImageFromArray(label.voxels.astype(np.uint8)))
    return int(counting.GetObjectCount())


def _inside_points(surface: Surface) -> FloatArray:
    low, high = surface.bounds_mm
    axes = [np.arange(a + SAMPLE_STEP_MM / 2.0, b, SAMPLE_STEP_MM) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = grid[surface.contains(grid)] if len(grid) else grid
    if len(inside) == 0:
        raise LesionError("expected a lesion surface that encloses at least 1 mm³, found none; check its unit")
    return inside


def _require_in_head(points: FloatArray, centroid: FloatArray, bone: Surface, anatomy: Anatomy) -> None:
    inside = float((bone.signed_distance_mm(points) < INSIDE_TOLERANCE_MM).mean())
    if inside < INSIDE_LIMIT:
        raise LesionError(
            f"expected the lesion inside the femur, found {1 - inside:.0%} of it outside; check that lesion and femur "
            "are in the same frame, or name the femur of the lesion's own image so that it can be registered"
        )
    distance = float(np.linalg.norm(centroid - anatomy.head_center_mm))
    if distance > HEAD_REACH_RADII * anatomy.head_radius_mm:
        raise LesionError(
            f"expected the lesion's centroid in the femoral head (radius {anatomy.head_radius_mm:.1f} mm), "
            f"found it {distance:.0f} mm from the head centre; check the lesion's label"
        )

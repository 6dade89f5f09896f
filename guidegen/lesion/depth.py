"""How deep the lesion lies under the joint surface of the head."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray, unit
from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.necrotic_surface import HEAD_REACH_RADII, surface_reach_mm
from guidegen.surfaces import Surface

SHALLOWEST = 1_000


def joint_surface(bone: Surface, frame: HeadFrame, junction_radii: float) -> Surface | None:
    """The bone's surface on the head sphere beyond the head–neck junction; None where there is none."""
    centers = bone.face_centers_mm
    near = np.linalg.norm(centers - frame.center_mm, axis=1) < HEAD_REACH_RADII * frame.radius_mm
    faces = bone.faces[near & frame.beyond_junction(centers, junction_radii)]
    return Surface(bone.vertices, faces) if len(faces) else None


def depth_mm(points_mm: FloatArray, bone: Surface, joint: Surface) -> FloatArray:
    """Depth (K,) of points (K, 3) under the joint surface, negative for a point that stands out of the bone."""
    distance = joint.nearest(points_mm)[0]
    return np.where(bone.contains(points_mm), distance, -distance)


def least_depth_mm(points_mm: FloatArray, bone: Surface, joint: Surface, frame: HeadFrame) -> float:
    """The depth of that point of (K, 3) which lies nearest to the joint surface, or furthest out of it.

    Seen from the head centre the surface is nearly at right angles to the ray: the point is among the shallowest ones.
    """
    way = np.linalg.norm(points_mm - frame.center_mm, axis=1)
    away = points_mm[way > 0.0]
    directions = unit(away - frame.center_mm)
    cover = surface_reach_mm(bone, frame, frame.center_mm, directions) - way[way > 0.0]
    return float(depth_mm(away[np.argsort(cover)[:SHALLOWEST]], bone, joint).min())

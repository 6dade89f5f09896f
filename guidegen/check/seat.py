"""The guide as it sits on the bone: how far each of its points is from the bone, measured once for several checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.check.samples import area_samples
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

# One sample in half a square millimetre of a guide of 200 cm²; every vertex is taken besides.
SAMPLES = 40_000
# Any direction that no face of a drawn part is likely to be parallel to.
LOOK = unit([0.36, 0.48, 0.81])


@dataclass(frozen=True, eq=False)
class Seat:
    """Signed distances to the bone, negative inside it.

    `vertex_gap_mm` (N,) at every vertex of the guide; `points_mm` (K, 3) spread evenly over its faces, with the
    guide's `normals` (K, 3), `gap_mm` (K,), `facing` (K,), the cosine between the guide's and the bone's normal
    there, and the `area_mm2` that each point stands for.
    """

    vertex_gap_mm: FloatArray
    points_mm: FloatArray
    normals: FloatArray
    gap_mm: FloatArray
    facing: FloatArray
    area_mm2: float


def seated(bone: Surface, guide: Surface) -> Seat:
    """The guide's vertices and samples against the bone, exact for the bone's triangles."""
    points, face = area_samples(guide, SAMPLES)
    everywhere = np.concatenate([guide.vertices, points])
    distance, bone_face, _ = bone.nearest(everywhere)
    gap = np.where(inside(bone, everywhere), -distance, distance)
    count, normals = len(guide.vertices), guide.face_normals[face]
    return Seat(
        vertex_gap_mm=gap[:count],
        points_mm=points,
        normals=normals,
        gap_mm=gap[count:],
        facing=np.einsum("ij,ij->i", normals, bone.face_normals[bone_face[count:]]),
        area_mm2=float(guide.face_areas_mm2.sum()) / SAMPLES,
    )


def inside(body: Surface, points_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the points (K, 3) lie in the body, by its winding number.

    Rays spare most points the winding number: one that is inside sees the back of a face, whichever way it looks.
    Two opposite rays are asked, so that a ray that slips through between two faces hides nothing.
    """
    may_be = np.zeros(len(points_mm), dtype=bool)
    for look in (LOOK, -LOOK):
        _, face = body.ray_hits(points_mm, look)
        may_be |= (face >= 0) & (body.face_normals[face] @ look > 0)
    if may_be.any():
        may_be[may_be] = body.contains(points_mm[may_be])
    return may_be

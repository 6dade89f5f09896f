"""Which part of the head's joint surface is necrotic, seen from the head centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.lattice import occupied
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

STEP_MM = 0.3  # along a ray
HEAD_REACH_RADII = 1.1  # a surface further out than this is the neck, not the head

HALF = 0.5 - 1e-6  # between two voxel centres; rounding must not decide


@dataclass(frozen=True, eq=False)
class Necrosis:
    """What is graded: the lesion's voxels on their own grid in LPS mm, in the bone, by these definitions.

    `extended` is the lesion carried on across the joint surface (see `extended_lesion`), for all that asks what
    happens at the surface itself.
    """

    lesion: Volume
    extended: Volume
    bone: Surface
    definitions: Definitions

    @property
    def band_mm(self) -> float:
        """How deep under the joint surface the lesion still counts as necrosis of the surface."""
        wanted = self.definitions.band_voxels * float(self.lesion.spacing_mm.max())
        return min(max(wanted, self.definitions.band_least_mm), self.definitions.band_most_mm)


def surface_reach_mm(bone: Surface, frame: HeadFrame, origin_mm: FloatArray, directions: FloatArray) -> FloatArray:
    """How far (N,) from the origin the bone reaches along each unit direction (N, 3).

    The bone's own surface where it belongs to the head, so that a collapsed dome is measured as it is; where there
    is no surface within 1.1 radii, the head sphere.
    """
    way, _ = bone.ray_hits(np.broadcast_to(origin_mm, directions.shape), directions)
    offset = origin_mm - frame.center_mm
    inwards = directions @ offset
    sphere = -inwards + np.sqrt(np.maximum(inwards**2 - offset @ offset + frame.radius_mm**2, 0.0))
    return np.where(way < HEAD_REACH_RADII * frame.radius_mm, way, sphere)


def necrotic(
    necrosis: Necrosis, frame: HeadFrame, origin_mm: FloatArray, directions: FloatArray
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Along which directions (N, 3) from the origin the joint surface is necrotic (N,), and which meet joint (N,).

    Necrotic: the lesion comes within the band of the bone's own surface there.
    Joint: the part of the head beyond the head–neck junction.
    """
    reach = surface_reach_mm(necrosis.bone, frame, origin_mm, directions)
    joint = frame.beyond_junction(origin_mm + reach[:, None] * directions, necrosis.definitions.junction_radii)
    steps = -np.arange(0.0, necrosis.band_mm, STEP_MM)
    points = origin_mm + (reach[joint, None] + steps)[..., None] * directions[joint, None, :]
    dead = np.zeros(len(directions), dtype=np.bool_)
    dead[joint] = (occupied(necrosis.extended, points) >= HALF).any(axis=1)
    return dead, joint

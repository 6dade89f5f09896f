"""What tunnel, wires and guide stay away from: implants, old tunnels, and what else was marked.

A guide rests on bone that is known. Metal blurs the bone beside it in a CT, the mouth of an old tunnel is an
edge that no printer meets, and a plate stands off the bone: nothing may rest there, and no tool may pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, RigidTransform, unit
from guidegen.surfaces import Surface
from guidegen.volumes import Index, Volume, bounding_box

KEEP_OUT = "keep_out"  # the name of the rule, in refusals

Voxels = npt.NDArray[np.bool_]

# The structures, by their keys in the case file, in words.
WORDS = {"implant": "implant", "old_tunnel": "old tunnel", "avoid": "area to avoid"}

# Between a voxel inside (1) and its neighbour outside (0) the surface passes here: a quarter of a voxel past the
# voxel's own face. The label is not blurred as a bone's is: that would wipe out a wire of 2 mm.
LEVEL = 0.25

# What `points_mm` may overlook of the surfaces at a distance of 3 mm, measured for slices of up to 3 mm.
SAMPLING_MM = 0.03

# Holes in the femur's label up to twice as wide as this are filled where a structure was cut out of it:
# nails are 10 to 17 mm thick, the widest reamers of the hip less than 24 mm.
HOLE_RADIUS_MM = 12.0


@dataclass(frozen=True, eq=False)
class Structure:
    """One thing to stay away from: what it is, in words, and its closed surface in LPS mm."""

    name: str
    surface: Surface


@dataclass(frozen=True, eq=False)
class KeepOut:
    """All that is kept away from, LPS mm; often nothing."""

    structures: tuple[Structure, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the structures are, in words."""
        return tuple(structure.name for structure in self.structures)

    @cached_property
    def surface(self) -> Surface | None:
        """All surfaces as one, which may overlap; None where there is nothing to keep away from."""
        surfaces = [structure.surface for structure in self.structures]
        if not surfaces:
            return None
        first = np.cumsum([0] + [len(surface.vertices) for surface in surfaces])
        faces = [surface.faces + start for surface, start in zip(surfaces, first[:-1], strict=True)]
        return Surface(np.concatenate([surface.vertices for surface in surfaces]), np.concatenate(faces))

    @cached_property
    def points_mm(self) -> FloatArray:
        """Points (K, 3) all over the surfaces: corners, middles of edges and of faces, less than a voxel apart."""
        if self.surface is None:
            return np.empty((0, 3))
        corners = self.surface.vertices[self.surface.faces]
        middles = (corners + np.roll(corners, 1, axis=1)) / 2.0
        first_of_two = self.surface.faces < np.roll(self.surface.faces, 1, axis=1)
        return np.concatenate([self.surface.vertices, middles[first_of_two], corners.mean(axis=1)])

    def distance_mm(self, points_mm: npt.ArrayLike) -> FloatArray:
        """Exact distance (K,) from each point (K, 3) to the nearest surface, negative inside; infinite for nothing."""
        points = np.asarray(points_mm, dtype=np.float64)
        distances = [structure.surface.signed_distance_mm(points) for structure in self.structures]
        return np.asarray(np.min(distances, axis=0)) if distances else np.full(len(points), np.inf)

    def rod_distance_mm(self, start_mm: FloatArray, end_mm: FloatArray, radius_mm: float) -> float:
        """Distance from a rod with flat ends (3,) to the surfaces, 0 where they meet, infinite for nothing.

        It is by up to SAMPLING_MM too little, and never too much.
        """
        axis, length = unit(end_mm - start_mm), float(np.linalg.norm(end_mm - start_mm))
        relative = self.points_mm - start_mm
        along = relative @ axis
        beside = np.sqrt(np.maximum((relative * relative).sum(axis=1) - along * along, 0.0))
        past_end = np.maximum(0.0, np.maximum(-along, along - length))
        outside = float(np.hypot(past_end, np.maximum(0.0, beside - radius_mm)).min(initial=np.inf))
        swallowed = (self.distance_mm(np.stack([start_mm, end_mm])) < 0.0).any()
        return 0.0 if swallowed else max(0.0, outside - SAMPLING_MM)

    def transformed(self, transform: RigidTransform) -> KeepOut:
        """The same in the transform's target frame."""
        return KeepOut(tuple(replace(each, surface=each.surface.transformed(transform)) for each in self.structures))


NOTHING = KeepOut()


def keep_out_of(masks: Mapping[str, Volume]) -> KeepOut:
    """What to keep away from, of boolean masks by their keys in the case file (implant, old_tunnel, avoid).

    Each surface lies a quarter of a voxel outside the faces of its mask's voxels, and nowhere further inside a
    voxel's corner than 0.43 of the largest spacing.
    """
    return KeepOut(tuple(Structure(WORDS[name], _outline(mask)) for name, mask in masks.items()))


def _outline(mask: Volume) -> Surface:
    from skimage.measure import marching_cubes

    field = np.pad(mask.voxels, 1).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(field, level=LEVEL, allow_degenerate=False)
    # skimage winds faces against a descending field inwards for right-handed (i, j, k): turn them
    return Surface(mask.to_lps(vertices.astype(np.float64) - 1.0), faces[:, ::-1].astype(np.int64))


def whole_femur(femur: Volume, masks: Mapping[str, Volume]) -> Volume:
    """The femur's mask without the implant outside it, and with all that was cut out of it filled in.

    A screw or an old tunnel in a label map of its own value leaves a hole in the femur; a plate under the femur's
    label makes it thicker. Filled in is what lies in the closing of the femur by a ball of HOLE_RADIUS_MM: behind
    the outline that the bone would have, give or take the dent that such a ball leaves in the mouth of a hole.
    """
    if not masks:
        return femur
    there = {name: _on_grid(mask, femur) for name, mask in masks.items()}
    bone = femur.voxels & ~there["implant"] if "implant" in there else femur.voxels
    cut_out = np.any(list(there.values()), axis=0) & ~bone
    box = bounding_box(cut_out)
    if box is None:
        return replace(femur, voxels=bone)
    filled = bone.copy()
    filled[box] |= cut_out[box] & _closed(bone, box, femur.spacing_mm)
    return replace(femur, voxels=filled)


def _on_grid(mask: Volume, grid: Volume) -> Voxels:
    """A mask on the voxels of another volume: each takes the value of the mask's voxel that its centre lies in."""
    here = np.zeros(grid.voxels.shape, dtype=np.bool_)
    origin = mask.to_index(grid.to_lps(np.zeros(3)))
    x, y, z = mask.to_index(grid.to_lps(np.eye(3))) - origin  # one voxel of the grid in voxels of the mask, by axis
    layer = np.stack(np.meshgrid(*[np.arange(size) for size in grid.voxels.shape[1:]], indexing="ij"), axis=-1)
    in_layer = origin + layer @ np.stack([y, z])
    for i in range(len(here)):  # layer by layer: the places of a whole scan would fill the memory
        place = np.rint(in_layer + i * x).astype(np.int64)
        inside = ((place >= 0) & (place < mask.voxels.shape)).all(axis=-1)
        here[i, inside] = mask.voxels[tuple(place[inside].T)]
    return here


def _closed(bone: Voxels, box: Index, spacing_mm: FloatArray) -> Voxels:
    """The closing of the bone by a ball of HOLE_RADIUS_MM, inside a box of its voxels."""
    from scipy.ndimage import distance_transform_edt

    reach = np.ceil(2.0 * HOLE_RADIUS_MM / spacing_mm).astype(int) + 1  # a ball that decides on a voxel ends there
    low, high = (np.array([getattr(axis, end) for axis in box]) for end in ("start", "stop"))
    around = np.zeros(high - low + 2 * reach, dtype=np.bool_)  # beyond the scan there is no bone
    seen_low, seen_high = np.maximum(low - reach, 0), np.minimum(high + reach, bone.shape)
    around[_box(seen_low - low + reach, seen_high - low + reach)] = bone[_box(seen_low, seen_high)]
    grown = distance_transform_edt(~around, sampling=spacing_mm) <= HOLE_RADIUS_MM
    closed = distance_transform_edt(grown, sampling=spacing_mm) > HOLE_RADIUS_MM
    return np.asarray(closed[_box(reach, reach + high - low)])


def _box(low: IntArray, high: IntArray) -> Index:
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (i, j, k)

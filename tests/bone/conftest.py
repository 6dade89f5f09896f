"""The made-up hip as a segmentation shows it, and plain solids with closed-form answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, cast

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy, Side, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.frames import FloatArray, perpendicular_pair, unit
from guidegen.phantom import Hip, label_volume, make_hip
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

COARSE_MM = (1.5, 1.5, 2.0)  # a fast grid; the landmarks of the phantom are nearly as good on it as on 0.7 mm


@dataclass(frozen=True, eq=False)
class Specimen:
    """A hip, the boolean label of its femur, the surface made of that and the anatomy found on it."""

    hip: Hip

    @cached_property
    def label(self) -> Volume:
        volume = label_volume(self.hip, COARSE_MM, labels={"femur": 1})
        return replace(volume, voxels=volume.voxels == 1)

    @cached_property
    def surface(self) -> Surface:
        return label_surface(self.label).surface

    @cached_property
    def anatomy(self) -> Anatomy:
        return find_anatomy(self.surface, cast(Side, self.hip.side))

    def cut_below_head(self, depth_mm: float) -> Surface:
        """The surface of the same label, had the scan ended `depth_mm` below the centre of the head."""
        height = self.label.to_lps(np.indices(self.label.voxels.shape).transpose(1, 2, 3, 0))[..., 2]
        kept = self.label.voxels & (height > self.hip.truth.head_center_mm[2] - depth_mm)
        return label_surface(replace(self.label, voxels=kept)).surface


@pytest.fixture(scope="session")
def specimen() -> Iterator[Callable[..., Specimen]]:
    """A specimen by side and changes to make_hip; each is made once."""
    made = cache(lambda side, **changes: Specimen(make_hip(side, **changes)))
    yield made
    made.cache_clear()


@dataclass(frozen=True)
class Solids:
    """Bodies by manifold3d, which are exact to rounding, and their surfaces."""

    @staticmethod
    def rod(
        start: FloatArray, end: FloatArray, radius: float, end_radius: float | None = None, facets: int = 72
    ) -> Any:
        axis = unit(np.subtract(end, start))
        frame = np.column_stack([*perpendicular_pair(axis), axis, start])
        length = float(np.linalg.norm(np.subtract(end, start)))
        return m3.Manifold.cylinder(length, radius, radius if end_radius is None else end_radius, facets).transform(
            frame
        )

    @staticmethod
    def ball(center: FloatArray, radius: float, facets: int = 96) -> Any:
        return m3.Manifold.sphere(radius, facets).translate(list(center))

    @staticmethod
    def block(low: FloatArray, high: FloatArray) -> Any:
        return m3.Manifold.cube(list(np.subtract(high, low))).translate(list(low))

    @staticmethod
    def surface(solid: Any, longest_edge_mm: float | None = None) -> Surface:
        """Its surface; a bone has small faces everywhere, a rod only where `longest_edge_mm` asks for them."""
        mesh = (solid if longest_edge_mm is None else solid.refine_to_length(longest_edge_mm)).to_mesh64()
        return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


@pytest.fixture(scope="session")
def solids() -> Solids:
    return Solids()

"""The made-up hip as the planner meets it: bone, anatomy and lesion, plain, moved and mirrored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, cast

import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy, Side, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.frames import RigidTransform
from guidegen.lesion.lesion import Lesion, measure_lesion
from guidegen.phantom import label_volume, make_hip
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import Tunnel, plan_tunnel
from guidegen.surfaces import Surface

COARSE_MM = (1.5, 1.5, 2.0)
DRILL_MM = 8.0
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Case:
    """What the planner is given, and what it makes of it with an 8 mm drill and the rules as they stand."""

    bone: Surface
    anatomy: Anatomy
    lesion: Lesion

    def plan(self, diameter_mm: float = DRILL_MM, rules: Rules | None = None, **ordered: Any) -> Tunnel:
        return plan_tunnel(self.bone, self.anatomy, self.lesion, diameter_mm, rules or Rules(), **ordered)

    @cached_property
    def tunnel(self) -> Tunnel:
        return self.plan()

    def with_lesion(self, centroid_mm: Any, radius_mm: float = 3.0) -> Case:
        """The same bone with another lesion: a ball of points round another centroid."""
        grid = np.stack(np.meshgrid(*[np.arange(-radius_mm, radius_mm + 0.1)] * 3), axis=-1).reshape(-1, 3)
        ball = grid[np.linalg.norm(grid, axis=1) <= radius_mm]
        return replace(
            self, lesion=replace(self.lesion, centroid_mm=np.array(centroid_mm), points_mm=centroid_mm + ball)
        )

    def moved(self, motion: RigidTransform) -> Case:
        bone, lesion = self.bone.transformed(motion), self.lesion
        lesion = replace(
            lesion,
            centroid_mm=motion.points(lesion.centroid_mm),
            points_mm=motion.points(lesion.points_mm),
            surface=lesion.surface.transformed(motion),
        )
        return Case(bone, find_anatomy(bone, self.anatomy.side), lesion)

    def mirrored(self) -> Case:
        bone, lesion = flipped(self.bone), self.lesion
        lesion = replace(
            lesion,
            centroid_mm=lesion.centroid_mm * MIRROR,
            points_mm=lesion.points_mm * MIRROR,
            surface=flipped(lesion.surface),
        )
        return Case(bone, find_anatomy(bone, "left" if self.anatomy.side == "right" else "right"), lesion)


def flipped(surface: Surface) -> Surface:
    return Surface(surface.vertices * MIRROR, surface.faces[:, ::-1])


def _case(side: str, **changes: Any) -> Case:
    labels = label_volume(make_hip(side, **changes), COARSE_MM, labels={"femur": 1, "lesion": 2})
    bone = label_surface(replace(labels, voxels=labels.voxels > 0)).surface
    anatomy = find_anatomy(bone, cast(Side, side))
    return Case(bone, anatomy, measure_lesion(replace(labels, voxels=labels.voxels == 2), None, bone, anatomy))


@pytest.fixture(scope="session")
def make_case() -> Iterator[Callable[..., Case]]:
    """A case by side and changes to make_hip; each is made once."""
    made = cache(_case)
    yield made
    made.cache_clear()


@pytest.fixture(scope="session")
def case(make_case) -> Case:
    return make_case("right")

"""The made-up hip with its lesion, as a CT and as an MR in another pose show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from guidegen.bone.anatomy import Anatomy, Side, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.phantom import Hip, label_volume, make_hip
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

COARSE_MM = (1.5, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class Specimen:
    """A hip and what is made of its label map; the lesion's voxels count as femur."""

    hip: Hip
    labels: Volume

    @property
    def lesion(self) -> Volume:
        return replace(self.labels, voxels=self.labels.voxels == 2)

    @cached_property
    def bone(self) -> Surface:
        return label_surface(replace(self.labels, voxels=self.labels.voxels > 0)).surface

    @cached_property
    def anatomy(self) -> Anatomy:
        return find_anatomy(self.bone, cast(Side, self.hip.side))


@pytest.fixture(scope="session")
def scan() -> Callable[..., Specimen]:
    """The specimen of a hip on a grid."""

    def scanned(hip: Hip, spacing_mm: npt.ArrayLike = COARSE_MM, direction: npt.ArrayLike | None = None) -> Specimen:
        return Specimen(hip, label_volume(hip, spacing_mm, direction, labels={"femur": 1, "lesion": 2}))

    return scanned


@pytest.fixture(scope="session")
def ct(scan) -> Specimen:
    """A right hip in the frame of the plan."""
    return scan(make_hip("right"))


@pytest.fixture(scope="session")
def coronal() -> npt.NDArray[np.float64]:
    """The direction of coronal slices: rows run to the left and down, slices to the back."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])

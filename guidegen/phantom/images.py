"""The phantom on a grid of voxels: label maps, CT and MR, at any spacing and in any orientation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, frozen
from guidegen.phantom.hip import Hip
from guidegen.phantom.shape import Field, Point, Shape
from guidegen.phantom.thigh import Thigh
from guidegen.volumes import Volume

CT_SPACING_MM = (0.7, 0.7, 1.0)
MARGIN_MM = 10.0
LABELS = {"femur": 1, "pelvis": 2, "lesion": 3}

SLAB_VOXELS = 65_536  # evaluated at once: a field of float32 that stays in the processor's cache
HEAP_BYTES = 2**24

# Cortex of the femur, as drawn: thin where the bone is spongy, thick below the lesser trochanter.
CORTEX_THIN_MM, CORTEX_THICK_MM = 1.6, 5.2
CORTEX_GROWS_FROM_MM, CORTEX_GROWS_OVER_MM = -45.0, 45.0
PELVIS_CORTEX_MM = 2.0
AIR_HU = -1000.0
ABOVE_HEAD_MM = 75.0  # what of the pelvis is drawn ends below it
ACROSS = 0.7  # of the shaft, an axis of the image that leans less than this along it
LESION_RIM_MM = 2.5  # thickness of the rim, half of it outside the lesion


@dataclass(frozen=True)
class Contrast:
    """The grey values of the tissues, and the standard deviation of the noise."""

    soft: float
    cortex: float
    spongy: float
    canal: float
    lesion: float
    rim: float
    noise: float


CT = Contrast(soft=40.0, cortex=1200.0, spongy=250.0, canal=-20.0, lesion=150.0, rim=600.0, noise=15.0)
MR = Contrast(soft=180.0, cortex=40.0, spongy=600.0, canal=680.0, lesion=420.0, rim=90.0, noise=12.0)


@dataclass(frozen=True, eq=False)
class Grid:
    """Voxels (I, J, K) round `center_mm`; `direction` as in Volume."""

    shape: tuple[int, int, int]
    spacing_mm: FloatArray
    direction: FloatArray
    center_mm: FloatArray

    def volume(self, voxels: npt.NDArray[Any]) -> Volume:
        """The volume of these voxels, given as (K, J, I), the order in which files hold them."""
        half = (np.array(self.shape) - 1) / 2.0 * self.spacing_mm
        return Volume(voxels.transpose(), self.spacing_mm, self.direction, self.center_mm - self.direction @ half)


def label_volume(
    hip: Hip,
    spacing_mm: npt.ArrayLike = CT_SPACING_MM,
    direction: npt.ArrayLike | None = None,
    margin_mm: float = MARGIN_MM,
    labels: Mapping[str, int] = LABELS,
) -> Volume:
    """A label map (uint8): a voxel belongs to a structure when its centre does.

    `labels` names the structures to paint and their values, later ones over earlier ones. Spacing (3,) in mm
    along the index axes, which are the columns of `direction` (3, 3), LPS if None. The margin goes round
    the bones, except below: there the map ends inside the shaft, as a scan does.
    """
    grid = _grid(hip, spacing_mm, direction, margin_mm)
    voxels = np.zeros(grid.shape[::-1], dtype=np.uint8)
    fields = {"femur": Shape.femur_mm, "pelvis": Shape.pelvis_mm, "lesion": Shape.lesion_mm}
    for slab, points in _slabs(hip, grid):
        for name, value in labels.items():
            voxels[slab][fields[name](hip.shape, points) <= 0.0] = value
    return grid.volume(voxels)


def ct_volume(
    hip: Hip,
    spacing_mm: npt.ArrayLike = CT_SPACING_MM,
    direction: npt.ArrayLike | None = None,
    margin_mm: float = MARGIN_MM,
    thigh: Thigh | None = None,
) -> Volume:
    """A CT in HU (int16), on the grid of `label_volume`: bright cortex, spongy bone, a sclerotic rim, noise.

    All round them is soft tissue; with a `thigh` it ends at its skin in air, and the grid holds it and its margin.
    """
    return _image(hip, _grid(hip, spacing_mm, direction, margin_mm, thigh), CT, thigh)


def mr_volume(
    hip: Hip,
    spacing_mm: npt.ArrayLike = CT_SPACING_MM,
    direction: npt.ArrayLike | None = None,
    margin_mm: float = MARGIN_MM,
) -> Volume:
    """A T1-like MR (int16), on the grid of `label_volume`: bright marrow, dark cortex, a dark band, noise."""
    return _image(hip, _grid(hip, spacing_mm, direction, margin_mm), MR)


def _grid(
    hip: Hip,
    spacing_mm: npt.ArrayLike,
    direction: npt.ArrayLike | None,
    margin_mm: float,
    thigh: Thigh | None = None,
) -> Grid:
    """The grid that holds the hip; centred on it, so that a mirrored hip has the mirrored grid."""
    spacing = frozen(spacing_mm, (3,))
    axes = frozen(np.eye(3) if direction is None else direction, (3, 3))
    into_hip = hip.pose.inverse().vectors(axes.T) * hip.mirror
    spans = np.array([hip.shape.extent_mm(axis, hip.shaft_below_head_mm, margin_mm) for axis in into_hip])
    if thigh is not None:
        ends_mm = (-hip.shaft_below_head_mm, ABOVE_HEAD_MM * hip.shape.scale)
        for span, axis in zip(spans, into_hip, strict=True):
            if abs(axis[2]) < ACROSS:
                low, high = thigh.extent_mm(hip.shape, axis, ends_mm, margin_mm)
                span[:] = min(span[0], low), max(span[1], high)
    shape = np.floor((spans[:, 1] - spans[:, 0]) / spacing).astype(int) + 1
    center = hip.pose.points(np.zeros(3)) + axes @ spans.mean(axis=1)
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), spacing, axes, center)


def _slabs(hip: Hip, grid: Grid) -> Iterator[tuple[slice, Point]]:
    """Slices along K and the coordinates (k, J, I) of their voxels in the hip frame, float32."""
    steps = hip.pose.inverse().vectors(grid.direction.T * grid.spacing_mm[:, None]) * hip.mirror
    center = hip.pose.inverse().points(grid.center_mm) * hip.mirror
    # counted from the centre: the coordinates of a mirrored hip are the same to the last bit
    i, j, k = (np.arange(count) - (count - 1) / 2.0 for count in grid.shape)
    thickness = max(1, SLAB_VOXELS // (grid.shape[0] * grid.shape[1]))
    # glibc returns freed memory after every operation, at six times the cost of the arithmetic,
    # until a block as large as this one has been freed once; the block itself is never touched
    np.empty(HEAP_BYTES, dtype=np.uint8)
    for start in range(0, grid.shape[2], thickness):
        slab = slice(start, min(start + thickness, grid.shape[2]))
        x, y, z = (
            (k[slab, None, None] * steps[2, c] + center[c]).astype(np.float32)
            + (j[:, None] * steps[1, c]).astype(np.float32)
            + (i * steps[0, c]).astype(np.float32)
            for c in range(3)
        )
        yield slab, (x, y, z)


def _image(hip: Hip, grid: Grid, contrast: Contrast, thigh: Thigh | None = None) -> Volume:
    """The grey values (int16) of a scanner that blurs over one voxel."""
    noise = np.random.default_rng(hip.seed)
    blur_mm = float(grid.spacing_mm.mean())
    voxels = np.empty(grid.shape[::-1], dtype=np.int16)
    for slab, points in _slabs(hip, grid):
        grey = _grey(hip.shape, points, contrast, blur_mm, thigh)
        grey += noise.standard_normal(grey.shape, dtype=np.float32) * contrast.noise
        voxels[slab] = np.rint(grey)
    return grid.volume(voxels)


def _grey(shape: Shape, points: Point, contrast: Contrast, blur_mm: float, thigh: Thigh | None) -> Field:
    """The grey values without noise."""
    femur, pelvis, lesion = shape.femur_mm(points), shape.pelvis_mm(points), shape.lesion_mm(points)
    level = (CORTEX_GROWS_FROM_MM - points[2] * (1.0 / shape.scale)) * (1.0 / CORTEX_GROWS_OVER_MM)
    down = np.minimum(np.maximum(level, 0.0), 1.0)
    cortex = (CORTEX_THIN_MM + (CORTEX_THICK_MM - CORTEX_THIN_MM) * down) * shape.scale
    inner = contrast.spongy + (contrast.canal - contrast.spongy) * down
    inner = _mixed(inner, contrast.rim, np.abs(lesion) - LESION_RIM_MM / 2.0, blur_mm)
    inner = _mixed(inner, contrast.lesion, lesion + LESION_RIM_MM / 2.0, blur_mm)
    bone = _mixed(contrast.cortex, inner, femur + cortex, blur_mm)
    soft: Field | float = contrast.soft
    if thigh is not None:
        soft = _mixed(AIR_HU, contrast.soft, thigh.distance_mm(shape, points), blur_mm)
    grey = _mixed(soft, bone, femur, blur_mm)
    bone = _mixed(contrast.cortex, contrast.spongy, pelvis + PELVIS_CORTEX_MM * shape.scale, blur_mm)
    return _mixed(grey, bone, pelvis, blur_mm)


def _mixed(outside: Field | float, inside: Field | float, distance_mm: Field, blur_mm: float) -> Field:
    """`inside` where the distance is negative, `outside` where it is positive, mixed across one blur."""
    share = np.minimum(np.maximum(0.5 - distance_mm * (1.0 / blur_mm), 0.0), 1.0)
    return np.asarray(outside + (inside - outside) * share)

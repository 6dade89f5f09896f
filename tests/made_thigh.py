"""A thigh in a CT, a cylinder along z, and whatever else is in the picture; distances to its skin are closed forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from guidegen.frames import FloatArray, RigidTransform
from guidegen.intake.identity import Identity
from guidegen.intake.images import Image
from guidegen.volumes import Volume

RADIUS_MM = 60.0
NOISE_HU = 12.0
Drawn = Callable[[FloatArray, list[FloatArray]], None]  # on the HU, at coordinates


def thigh(
    radius_mm: float = RADIUS_MM,
    spacing_mm: tuple[float, float, float] = (1.0, 1.1, 2.0),
    size_mm: tuple[float, float, float] = (160.0, 150.0, 120.0),
    draw: Drawn | None = None,
) -> Volume:
    """HU (int16) with noise: 40 inside, −1000 outside, fat in one place, axis in x = y = 0; `draw` paints over it."""
    spacing = np.array(spacing_mm)
    shape = np.floor(np.array(size_mm) / spacing).astype(int)
    origin = -(shape - 1) / 2.0 * spacing
    axes = [start + step * np.arange(count) for start, step, count in zip(origin, spacing, shape, strict=True)]
    at = np.meshgrid(*axes, indexing="ij")
    hu = mixed(np.hypot(at[0], at[1]) - radius_mm, blur_mm=float(spacing.mean()))
    hu[np.hypot(at[0], at[1] + 30.0) < 5.0] = -100.0
    if draw is not None:
        draw(hu, at)
    hu += np.random.default_rng(0).normal(0.0, NOISE_HU, hu.shape)
    return Volume(np.rint(hu).astype(np.int16), spacing, np.eye(3), origin)


def mixed(distance_mm: FloatArray, inside_hu: float = 40.0, blur_mm: float = 1.4) -> FloatArray:
    """Grey values across an edge with air at 0 mm."""
    return np.asarray(-1000.0 + (inside_hu + 1000.0) * np.clip(0.5 - distance_mm / blur_mm, 0.0, 1.0))


def femur(motion: RigidTransform | None = None) -> Volume:
    """A bar of bone along the axis."""
    bar = Volume(np.ones((10, 10, 30), np.bool_), np.full(3, 2.0), np.eye(3), np.array([-9.0, -9.0, -29.0]))
    return bar if motion is None else moved(bar, motion)


def moved(volume: Volume, motion: RigidTransform) -> Volume:
    """The same voxels elsewhere."""
    return replace(volume, direction=motion.rotation @ volume.direction, origin_mm=motion.points(volume.origin_mm))


def image(volume: Volume) -> Image:
    """The volume as it is read from a file."""
    return Image("ct.nii.gz", volume, Identity("ct", modality="CT"))

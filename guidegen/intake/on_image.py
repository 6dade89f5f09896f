"""Whether a femur lies on bone in its own image: what catches another frame, grid, patient, a half turn or a mirror.

Across a surface that is where it belongs, grey values depend on the depth below it: marrow, cortex, muscle. The share
of their variance that the depth explains (the correlation ratio; Roche, MICCAI 1998) needs no scale and no sign, so
that it serves CT and MR alike. Where the surface does not belong there is next to none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.errors import VolumeError
from guidegen.frames import FloatArray
from guidegen.intake.images import Image
from guidegen.intake.rim import even_rim
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

SAMPLES = 1_200
# Depths of the grey values, outside positive: from the marrow through the cortex to what lies next to the bone.
DEPTHS_MM = np.array([-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0])

# How far a femur may reach out of its image: what a surface is rounded at the end of a scan.
ROOM_MM = 3.0
# A surface of which less than this lies in the image cannot be judged by it.
LEAST_INSIDE = 0.3

# Where else the femur might lie better: shifted, in 26 directions, by as much as a guide must not be off, and more.
SHIFTS_MM = (5.0, 10.0)
SHIFT_DIRECTIONS = np.array([step for step in product((-1.0, 0.0, 1.0), repeat=3) if any(step)])
# On 6 CT and 5 MR cases (real femora, simulated grey values) a femur in its place scores 0.71–0.78, 3.4 times or more
# what it scores anywhere else; on the phantom 0.42 and 2.7 times; with noise, blur, slices of 5 mm, dark marrow or a
# weak cortex 0.44 and 2.0 times. 5 mm beside its place it scores half of what is then found elsewhere, at most. A head
# in a real MR scores 0.5; the femur of another patient 0.05 at most, even with its head laid on the head.
LEAST_SCORE = {"CT": 0.10, "MR": 0.05}
# A neighbouring place must be worse by the lead. A turned or mirrored one must be better by it to tell against the
# given one: it may be the other hip.
LEAD = {"CT": 1.2, "MR": 1.1}

# What is looked at to tell the units of an image, of all its voxels.
TELLING_VOXELS = 1_000_000
AIR_HU, SOFT_HU, BONE_HU = -500.0, -20.0, 600.0
CLIPPED_PERCENT = (1.0, 99.0)  # metal, air and padding have no more say than bone and fat

TURNED: dict[tuple[int, ...], str] = {
    (-1, -1, 1): "after half a turn about the head–foot axis: LPS was taken for RAS, or RAS for LPS",
    (-1, 1, 1): "mirrored from left to right",
    (1, -1, 1): "mirrored from front to back",
    (1, 1, -1): "mirrored from head to foot",
}


@dataclass(frozen=True)
class OnImage:
    """How well a femur lies on its image: the share of variance that depth explains, in its place (`score`) and in the
    other place that tells most against it (`rival`), put in words; `least` is what the score had to be.

    `kind`: a "CT" in HU, or any other image, which is taken as an "MR".
    """

    kind: str
    score: float
    least: float
    rival: float
    rival_place: str


def check_on_image(femur: Volume | Surface, image: Image, key: str, whole: bool = True) -> OnImage:
    """Refuse a femur (bool mask or surface, LPS mm) that does not lie on a bone's edge in `image`.

    `key` is the femur's in the case file. Where `whole` is False the image may show a part of it only. VolumeError
    says how far the femur lies outside, or how well it fits here and where it fits better.
    """
    points, normals = even_rim(femur, SAMPLES)
    points, normals = _inside(points, normals, image, key, whole)
    volume = image.volume
    clip = _clip(volume, points)
    kind = "CT" if shows_hu(image) else "MR"
    score = _score(volume, points, normals, clip)
    least, rival, rival_place = LEAST_SCORE[kind], 0.0, "in no other place that was looked at"
    for other_points, other_normals, lead, place in _other_places(volume, points, normals, LEAD[kind]):
        other = _score(volume, other_points, other_normals, clip)
        if lead * other > least:
            least, rival, rival_place = lead * other, other, place
    if score < least:
        better = f"; {rival:.2f} was found {rival_place}" if rival > score else ""
        raise VolumeError(
            f"{key}: expected its surface to lie on the edge of a bone in {image.file}, where depth explains at least "
            f"{least:.2f} of the grey values across it, found {score:.2f}{better}; check that both are of one patient, "
            "one series and one frame (LPS or RAS), and that neither was moved, turned or mirrored"
        )
    return OnImage(kind, score, least, rival, rival_place)


def shows_hu(image: Image) -> bool:
    """Whether the values are those of a CT in HU: as DICOM says, or with the values of fat or air and of bone."""
    voxels = image.volume.voxels
    step = max(1, round((voxels.size / TELLING_VOXELS) ** (1.0 / 3.0)))
    low, high = np.percentile(voxels[::step, ::step, ::step], [0.1, 99.9])
    if image.identity is not None and image.identity.modality is not None:
        return image.identity.modality == "CT" and bool(low <= SOFT_HU)  # a CT without its offset is in no HU
    return bool(low <= AIR_HU or (low <= SOFT_HU and high >= BONE_HU))


def _inside(
    points: FloatArray, normals: FloatArray, image: Image, key: str, whole: bool
) -> tuple[FloatArray, FloatArray]:
    """The points, and their normals, that the image shows with all their depths; VolumeError if it shows too little."""
    if not len(points):
        raise VolumeError(f"{key}: expected a femur with a surface, found none; check its label")
    volume = image.volume
    index, last = volume.to_index(points), np.array(volume.voxels.shape) - 0.5
    out_mm = float((np.maximum(-0.5 - index, index - last) * volume.spacing_mm).max())
    outermost = volume.to_index(points + DEPTHS_MM[-1] * normals)
    shown = ((index >= -0.5) & (index <= last) & (outermost >= 0.0) & (outermost <= last - 0.5)).all(axis=1)
    if (whole and out_mm > ROOM_MM) or shown.mean() < LEAST_INSIDE:
        raise VolumeError(
            f"{key}: expected a femur inside its image {image.file}, found one that reaches {out_mm:.1f} mm out of it, "
            f"with {shown.mean():.0%} of its surface inside; check that both are of one patient and one frame (LPS or "
            "RAS), and give the image that the femur was segmented on"
        )
    return points[shown], normals[shown]


def _clip(volume: Volume, points: FloatArray) -> tuple[float, float]:
    """The range of grey values that counts, from the box round the femur."""
    index = volume.to_index(points)
    low = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    high = np.ceil(index.max(axis=0)).astype(int) + 1
    box = volume.voxels[low[0] : high[0] : 2, low[1] : high[1] : 2, low[2] : high[2] : 2]
    darkest, brightest = np.percentile(box, CLIPPED_PERCENT)
    return float(darkest), float(brightest)


def _score(volume: Volume, points: FloatArray, normals: FloatArray, clip: tuple[float, float]) -> float:
    """The correlation ratio, 0 to 1, of grey value and depth; 0 where the image shows less than half of the points."""
    from scipy import ndimage

    places = volume.to_index(points + DEPTHS_MM[:, None, None] * normals)
    grey: npt.NDArray[Any] = ndimage.map_coordinates(
        volume.voxels, np.moveaxis(places, -1, 0), order=1, output=np.float32, mode="constant", cval=np.nan
    )
    shown = np.isfinite(grey).all(axis=0)
    if shown.mean() < 0.5:
        return 0.0
    grey = np.clip(grey[:, shown], *clip).astype(np.float64)
    variance = float(grey.var())
    return float(grey.mean(axis=1).var()) / variance if variance > 0.0 else 0.0


def _other_places(
    volume: Volume, points: FloatArray, normals: FloatArray, lead: float
) -> Iterator[tuple[FloatArray, FloatArray, float, str]]:
    """Where else the femur might lie, how many times its score there the given place needs, and the place in words.

    It may be shifted; or turned and mirrored as files come, about the origin of LPS or the middle of the image.
    """
    for reach in SHIFTS_MM:
        for step in SHIFT_DIRECTIONS:
            shift = reach * step / np.linalg.norm(step)
            x, y, z = shift.round(1) + 0.0
            yield points + shift, normals, lead, f"{reach:.0f} mm away (by {x:g}, {y:g}, {z:g} mm in LPS)"
    middle = volume.to_lps((np.array(volume.voxels.shape) - 1.0) / 2.0)
    for center, axes, about in ((np.zeros(3), np.eye(3), "origin"), (middle, volume.direction, "image's middle")):
        for signs in product((1, -1), repeat=3):
            if signs != (1, 1, 1):
                turn = axes @ np.diag(np.array(signs, dtype=np.float64)) @ axes.T
                place = f"{TURNED.get(signs, f'with its axes turned by {signs}')} (about the {about})"
                yield (points - center) @ turn.T + center, normals @ turn.T, 1.0 / lead, place

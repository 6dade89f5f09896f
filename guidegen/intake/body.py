"""The body round the femur in a CT in HU: what is tissue, what is air, and what the image does not show.

Air is seen where the scanner saw it. Beyond the end of the image, and in the even fill that scanners and programs put
outside the circle that was reconstructed, nothing is known, and no skin is looked for there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray
from guidegen.intake.images import Image
from guidegen.intake.on_image import shows_hu
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

# Air has −1000 HU, the lightest tissue, fat, −100. Nearer to fat than to air, because cloth, mattress and foam that lie
# on the skin are lighter than −300 and stay outside; a voxel half air, half fat is outside too [D].
SKIN_HU = -300
AIR_HU, WATER_HU = -1000, 0
# Noise does not bring the mean of several voxels of air below this: it is fill, such as −2000 or −3024.
LIGHTEST_AIR_HU = -1100
UNSEEN_HU = -32768

# The skin moves by more than this before the knife; coarser voxels would cost accuracy, finer ones time.
STEP_MM = 2.0
# How far round the femur's box the body is looked at.
REACH_MM = 120.0
# Places of the femur that tell which body is its own.
TELLING_PLACES = 2_000


@dataclass(frozen=True, eq=False)
class Body:
    """The body that holds the femur, LPS mm; `hu` (int16) in voxels of about 2 mm.

    It is above SKIN_HU in the body, its closed holes filled with WATER_HU, and in nothing else; UNSEEN_HU where the
    image shows nothing. None, with the reason in `missing`, where there is no such image.
    """

    hu: Volume | None
    missing: str | None


def find_body(image: Image | None, femur: Volume | Surface) -> Body:
    """The body that holds the femur (bool mask or surface) in its image; nothing outside it is kept."""
    if image is None:
        return Body(None, "no image of the bone was given")
    if not shows_hu(image):
        return Body(None, f"{image.file} is no CT in HU")
    places = _places(femur)
    hu = _coarse(_near(image.volume.canonical(), places))
    is_unseen = (hu.voxels == hu.voxels.min()) | (hu.voxels < LIGHTEST_AIR_HU)
    own = _own(hu, places)
    if own is None:
        return Body(None, f"the femur lies in no tissue in {image.file}")
    outside = _outside(own)
    voxels = np.where(own | outside, hu.voxels, np.int16(WATER_HU))
    voxels[outside & (hu.voxels >= SKIN_HU)] = AIR_HU  # another body: the other thigh, a table
    voxels[outside & is_unseen] = UNSEEN_HU
    return Body(replace(hu, voxels=voxels), None)


def _near(volume: Volume, places: FloatArray) -> Volume:
    """The part of an image (a view) within REACH_MM of the box round the places (K, 3) of the femur."""
    index = volume.to_index(places)
    reach = REACH_MM / volume.spacing_mm
    shape = np.array(volume.voxels.shape)
    start = np.clip(np.floor(index.min(axis=0) - reach), 0, shape - 1).astype(int)
    stop = np.clip(np.ceil(index.max(axis=0) + reach) + 1, start + 1, shape).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    return volume.cropped((i, j, k))


def _places(femur: Volume | Surface) -> FloatArray:
    """Places (K, 3) of the femur in LPS mm."""
    if isinstance(femur, Surface):
        return femur.vertices[:: max(1, len(femur.vertices) // TELLING_PLACES)]
    index = np.argwhere(femur.voxels)
    return femur.to_lps(index[:: max(1, len(index) // TELLING_PLACES)])


def _coarse(volume: Volume) -> Volume:
    """The means (int16) over as many voxels as make a step; what is left over at the far ends is dropped."""
    count = np.clip(np.round(STEP_MM / volume.spacing_mm), 1, volume.voxels.shape).astype(int)
    total = volume.voxels
    for axis in np.argsort(volume.voxels.strides)[::-1]:  # along the memory last, when there is least left
        every, whole = int(count[axis]), total.shape[axis] // int(count[axis]) * int(count[axis])
        layers = np.moveaxis(total, axis, 0)
        added = layers[0:whole:every].astype(np.float32)
        for first in range(1, every):
            added += layers[first:whole:every]
        total = np.moveaxis(added, 0, axis)
    lowest, highest = np.iinfo(np.int16).min + 1, np.iinfo(np.int16).max
    means = np.clip(np.rint(total * np.float32(1.0 / count.prod())), lowest, highest).astype(np.int16)
    return Volume(means, volume.spacing_mm * count, volume.direction, volume.to_lps((count - 1) / 2.0))


def _own(hu: Volume, places: FloatArray) -> npt.NDArray[np.bool_] | None:
    """The piece of tissue that holds most of the places (K, 3) of the femur; None where none does."""
    from scipy import ndimage

    pieces, count = ndimage.label(hu.voxels >= SKIN_HU)
    index: IntArray = np.rint(hu.to_index(places)).astype(np.int64)
    index = index[((index >= 0) & (index < hu.voxels.shape)).all(axis=1)]
    held = np.bincount(pieces[tuple(index.T)], minlength=count + 1)[1:]
    return np.asarray(pieces == 1 + int(held.argmax())) if held.any() else None


def _outside(own: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What surrounds a body: all that is not in it and hangs together with an end of the image; the rest are its
    holes.
    """
    from scipy import ndimage

    pieces, count = ndimage.label(~own)
    reaches_an_end = np.zeros(count + 1, dtype=np.bool_)
    for axis in range(3):
        layers = np.moveaxis(pieces, axis, 0)
        reaches_an_end[layers[0]] = True
        reaches_an_end[layers[-1]] = True
    reaches_an_end[0] = False
    return np.asarray(reaches_an_end[pieces])

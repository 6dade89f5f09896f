"""Metal in a CT: a screw, a plate or the other hip's implant, told by its grey value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.errors import LabelError
from guidegen.frames import FloatArray
from guidegen.intake.images import Image
from guidegen.intake.on_image import shows_hu
from guidegen.intake.rim import even_rim
from guidegen.rounded import shown
from guidegen.surfaces import Surface
from guidegen.volumes import Volume, bounding_box

# The densest bone reaches about 2000 HU (Toga and Mazziotta, Brain Mapping, 2002); a scanner's usual scale of 12 bits
# ends at 3071 HU (Brant and Helms, Fundamentals of Diagnostic Radiology, 5th ed., 2018), where metal saturates it.
# In the middle, neither noise on bone nor the rounding of a thin wire's edge decides.
METAL_HU = 2500.0
LEAST_MM3 = 20.0  # 6 mm of a wire of 2 mm; single bright voxels are noise

# Metal this near is in the way of tunnel, pins or guide, or its streaks run through what they rest on.
NEAR_MM = 10.0
# How far metal may reach out of its label: a voxel or two of blooming.
COVER_MM = 2.0

# By how many points a piece of metal and a femur are measured against each other: one for every 3 mm of a whole femur.
PIECE_POINTS, FEMUR_POINTS = 5_000, 5_000


@dataclass(frozen=True)
class Metal:
    """A piece of metal without a label: its volume, its middle in LPS mm, how far it is from the femur; 0 inside."""

    volume_mm3: float
    center_mm: tuple[float, float, float]
    distance_mm: float


def find_metal(image: Image, femur: Volume | Surface, implant: Volume | None) -> tuple[Metal, ...]:
    """The metal far from the femur (bool mask or surface) that no label covers, the nearest first; none in an MR.

    `implant` is the bool mask of what is labelled as metal. LabelError for metal without a label in the femur or within
    10 mm of it.
    """
    if not shows_hu(image):
        return ()
    found = [
        Metal(volume_mm3, _rounded(points.mean(axis=0)), _distance_mm(points, femur))
        for points, volume_mm3 in _pieces(image.volume, implant)
    ]
    found.sort(key=lambda piece: (piece.distance_mm, piece.center_mm))
    if found and found[0].distance_mm <= NEAR_MM:
        nearest = found[0]
        place = f"{shown(nearest.distance_mm, 1)} mm from it" if nearest.distance_mm > 0.0 else "in it"
        label = "implant: label all of it" if implant is None else "implant, whose label leaves it out: complete it"
        raise LabelError(
            f"{image.file}: expected no metal without a label in the femur or within {NEAR_MM:g} mm of it, found "
            f"{shown(nearest.volume_mm3, 0)} mm³ above {METAL_HU:g} HU {place}, about {nearest.center_mm} in LPS mm; "
            f'it is an {label}, and give it as "implant" in [bone], so that tunnel, pins and guide keep away from it'
        )
    return tuple(found)


def metal_notes(found: tuple[Metal, ...], file: str) -> tuple[str, ...]:
    """What a reader must know of metal elsewhere in the image."""
    if not found:
        return ()
    total = sum(piece.volume_mm3 for piece in found) / 1000.0
    note = (
        f"{file} shows metal away from the femur: {shown(total, 1)} cm³ in pieces ({len(found)}), the nearest "
        f"{shown(found[0].distance_mm, 0)} mm from it; look for streaks where the guide rests."
    )
    return (note,)


def _pieces(volume: Volume, implant: Volume | None) -> list[tuple[FloatArray, float]]:
    """Each connected piece of metal that the implant's label does not cover: points (K, 3) in LPS mm, and its mm³."""
    from scipy import ndimage

    metal = volume.voxels > METAL_HU
    box = bounding_box(metal)
    if box is None:
        return []
    metal, part = metal[box], volume.cropped(box)
    if implant is not None:
        index = np.argwhere(metal)
        metal[tuple(index[_covered(part.to_lps(index), implant)].T)] = False
    pieces, count = ndimage.label(metal, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:] * volume.voxel_volume_mm3
    found = []
    for number, place in enumerate(ndimage.find_objects(pieces), start=1):
        if sizes[number - 1] >= LEAST_MM3:
            index = np.argwhere(pieces[place] == number) + [axis.start for axis in place]
            found.append((part.to_lps(index), float(sizes[number - 1])))
    return found


def _covered(points: FloatArray, implant: Volume) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which of the points (K, 3) lie in the label or within 2 mm of it."""
    from scipy.spatial import cKDTree

    labelled = implant.to_lps(np.argwhere(implant.voxels))
    reach_mm = COVER_MM + float(implant.spacing_mm.max()) / 2.0  # from the centre of a voxel
    tree = cKDTree(labelled, balanced_tree=False)
    return np.asarray(np.isfinite(tree.query(points, distance_upper_bound=reach_mm)[0]))


def _distance_mm(points: FloatArray, femur: Volume | Surface) -> float:
    """The distance of the nearest of the points (K, 3) from the femur, to a voxel or so; 0 inside."""
    from scipy.spatial import cKDTree

    some = points[:: max(1, len(points) // PIECE_POINTS)]
    if isinstance(femur, Surface):
        return max(0.0, float(femur.signed_distance_mm(some).min()))
    index = np.rint(femur.to_index(some)).astype(np.int64)
    within = ((index >= 0) & (index < femur.voxels.shape)).all(axis=1)
    if femur.voxels[tuple(index[within].T)].any():
        return 0.0
    rim, _ = even_rim(femur, FEMUR_POINTS)
    return float(np.min(cKDTree(points, balanced_tree=False).query(rim)[0]))


def _rounded(point: FloatArray) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 1) for value in point)
    return x, y, z

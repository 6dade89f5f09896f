"""The femoral head: the largest piece of a sphere on the bone, found anywhere and in any pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, IntArray, unit
from guidegen.surfaces import Surface

# A head of another size is a file in another unit. Radius of adults: mean 24.5 (men) and 21.9 mm (girls of 14 to
# 16), three standard deviations round them reach from 18.5 to 29.6 mm (Jamali, radial CT of 50 hips).
RADIUS_WINDOW_MM = (18.0, 32.0)

VOTE_SAMPLES = 8_000
VOTE_CELL_MM = 3.0
NEIGHBOURS = 16  # of 8000 samples on 25 000 mm²: about 4 mm around
CANDIDATES = 8
FEWEST_POINTS = 30

# A point belongs to the sphere when its normal points away from the centre (within 25°) …
ALIGNED_COSINE = float(np.cos(np.radians(25.0)))
# … and it lies this near to the sphere, first roughly and then as the fit settles.
NEAR_MM = (4.0, 3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0)

# Tukey's biweight: full efficiency for clean bone, no say at all for a dent of over 2 mm.
TUKEY_CONSTANT = 4.685
SCALE_FLOOR_MM = 0.3  # the noise of a segmented surface

# The head of a femur covers 73–82 % of its sphere (8 femora); the condyles at the other end of the bone up to 49 %.
COVER_MINIMUM = 0.54
COVER_MAXIMUM = 1.1  # more bone than sphere: a few large faces of a far larger body

# How far 95 % of a normal error in three dimensions reach, and in one, in standard deviations per axis.
REACH_3D, REACH_1D = 2.80, 1.96

ROUND_RADII = 1.3  # what lies further from the centre has no say in the last fit
ROUND_SAMPLES = 2_500  # as near to each other as the votes
LAST_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Head:
    """The best sphere: centre (3,) in mm, radius, share of the sphere that is bone surface, rms of the fit in mm."""

    center_mm: FloatArray
    radius_mm: float
    cover: float
    rms_mm: float


@dataclass(frozen=True, eq=False)
class Sample:
    """Points (K, 3) in mm on a surface, their calmed normals (K, 3), and the area in mm² that each stands for."""

    points_mm: FloatArray
    normals: FloatArray
    area_mm2: float

    def only(self, these: npt.NDArray[np.bool_]) -> Sample:
        """Some of the points, by a mask (K,)."""
        return Sample(self.points_mm[these], self.normals[these], self.area_mm2)


def even_faces(surface: Surface, count: int) -> IntArray:
    """`count` faces (count,) spread evenly over the area, the same ones every time."""
    return _even(surface.face_areas_mm2, count)


def _even(areas_mm2: FloatArray, count: int) -> IntArray:
    """`count` indices (count,) into the areas, each as often as its share says."""
    ends = np.cumsum(areas_mm2)
    return np.asarray(np.searchsorted(ends, (np.arange(count) + 0.5) * ends[-1] / count))


def find_head(surface: Surface) -> Head:
    """The femoral head of a proximal or whole femur; AnatomyError where there is none.

    Every point votes for the centre that lies one radius behind it (a Hough vote, radius by
    radius); the spheres with most votes are refined by a fit with Tukey weights, which a
    flattened dome, the fovea and osteophytes cannot pull. The head is the one of them with
    most of its sphere on the bone.
    """
    sample = _sampled(surface, np.ones(len(surface.faces), dtype=bool), VOTE_SAMPLES)
    spheres = [_settled(sample, center, radius) for center, radius in _voted(sample.points_mm, sample.normals)]
    low, high = RADIUS_WINDOW_MM
    heads = [sphere for sphere in spheres if low <= sphere.radius_mm <= high]
    best = max(heads, key=lambda head: head.cover, default=None)
    if best is not None:
        best = _settled(_round(surface, best), best.center_mm, best.radius_mm, NEAR_MM[-LAST_ROUNDS:])
        if COVER_MINIMUM <= best.cover <= COVER_MAXIMUM and low <= best.radius_mm <= high:
            return best
    found = f"diameter {2.0 * best.radius_mm:.1f} mm and {best.cover:.0%}" if best else "no sphere of that size"
    raise AnatomyError(
        f"expected a femoral head, a sphere of diameter {2.0 * low:g}–{2.0 * high:g} mm with bone on at least "
        f"{COVER_MINIMUM:.0%} of it; the best found: {found}; "
        "check that the unit is mm (a head of another size is most likely a file in cm, m or inches), "
        "and that the label is a femur with its head"
    )


def head_doubt_mm(surface: Surface, head: Head, axes: FloatArray) -> tuple[float, float]:
    """How far centre and radius may be off, in mm (95 %); `axes` (3, 3) are unit rows along which the head is halved.

    The sphere is fitted again to each of the six half heads: a head is no sphere, and where its centre lies
    depends on the part that is taken. To that comes the scatter of the surface about the sphere, noise and all.
    """
    sample = _round(surface, head)
    sides = (sample.points_mm - head.center_mm) @ axes.T
    halves = [
        _settled(sample.only(half), head.center_mm, head.radius_mm, NEAR_MM[-LAST_ROUNDS:])
        for half in np.concatenate([sides.T > 0.0, sides.T < 0.0])
    ]
    settled = [half for half in halves if np.isfinite(half.rms_mm)]
    if not settled:
        return head.radius_mm, head.radius_mm
    center = np.sqrt(np.mean([(half.center_mm - head.center_mm) ** 2 for half in settled]))
    radius = np.sqrt(np.mean([(half.radius_mm - head.radius_mm) ** 2 for half in settled]))
    return float(np.hypot(REACH_3D * center, head.rms_mm)), float(np.hypot(REACH_1D * radius, head.rms_mm))


def _sampled(surface: Surface, wanted: npt.NDArray[np.bool_], count: int) -> Sample:
    """`count` samples spread evenly over the wanted faces (M,)."""
    faces = np.flatnonzero(wanted)
    areas = surface.face_areas_mm2[faces]
    taken = faces[_even(areas, count)]
    points = surface.face_centers_mm[taken]
    return Sample(points, _calmed(points, surface.face_normals[taken]), float(areas.sum()) / count)


def _round(surface: Surface, head: Head) -> Sample:
    """Samples round the head alone: how much of the femur was scanned has no say in its fit."""
    away = np.linalg.norm(surface.face_centers_mm - head.center_mm, axis=1)
    return _sampled(surface, away < ROUND_RADII * head.radius_mm, ROUND_SAMPLES)


def _calmed(points: FloatArray, normals: FloatArray) -> FloatArray:
    """Normals (K, 3) averaged over their neighbourhood: thick slices leave terraces that point up and sideways."""
    from scipy.spatial import cKDTree

    neighbours = cKDTree(points).query(points, k=NEIGHBOURS)[1]
    return unit(normals[neighbours].mean(axis=1) + 1e-9 * normals)


def _voted(points: FloatArray, normals: FloatArray) -> list[tuple[FloatArray, float]]:
    """For each radius the centre that most points (K, 3) lie one radius in front of; the best few of these."""
    low, high = RADIUS_WINDOW_MM
    origin = points.min(axis=0) - high - VOTE_CELL_MM
    candidates = []
    for radius in np.arange(low, high + 0.5, 1.0):
        cells = ((points - radius * normals - origin) / VOTE_CELL_MM).astype(np.int64)
        shape = cells.max(axis=0) + 2
        votes = np.bincount(np.ravel_multi_index(tuple(cells.T), tuple(shape)), minlength=int(np.prod(shape)))
        peak = int(votes.argmax())
        # a larger sphere of the same quality collects more points: compare votes for the share of the sphere
        cell = np.array(np.unravel_index(peak, tuple(shape)))
        candidates.append((float(votes[peak] / radius**2), origin + (cell + 0.5) * VOTE_CELL_MM, float(radius)))
    candidates.sort(key=lambda candidate: -candidate[0])
    return [(center, radius) for _, center, radius in candidates[:CANDIDATES]]


def _settled(sample: Sample, center: FloatArray, radius: float, nears_mm: tuple[float, ...] = NEAR_MM) -> Head:
    """The sphere that the weighted fit settles on from a start; its cover tells how good it is, with 0 for none."""
    for near in nears_mm:
        used = _near_sphere(sample.points_mm, sample.normals, center, radius, near)
        if used.sum() < FEWEST_POINTS:
            return Head(center, radius, 0.0, np.inf)
        center, radius = _refined(sample.points_mm[used], center, radius)
    used = _near_sphere(sample.points_mm, sample.normals, center, radius, nears_mm[-1])
    if not used.any():
        return Head(center, radius, 0.0, np.inf)
    residual = np.linalg.norm(sample.points_mm[used] - center, axis=1) - radius
    cover = float(used.sum() * sample.area_mm2 / (4.0 * np.pi * radius**2))
    return Head(center, radius, cover, float(np.sqrt((residual**2).mean())))


def _near_sphere(
    points: FloatArray, normals: FloatArray, center: FloatArray, radius: float, near_mm: float
) -> npt.NDArray[np.bool_]:
    outward = unit(points - center)
    distance = np.linalg.norm(points - center, axis=1) - radius
    return np.asarray((np.abs(distance) < near_mm) & ((outward * normals).sum(axis=1) > ALIGNED_COSINE))


def _refined(points: FloatArray, center: FloatArray, radius: float) -> tuple[FloatArray, float]:
    """One step of the weighted sphere fit (Gauss–Newton) to the points (K, 3) near the sphere."""
    away = points - center
    length = np.linalg.norm(away, axis=1)
    residual = length - radius
    scale = max(SCALE_FLOOR_MM, 1.4826 * float(np.median(np.abs(residual - np.median(residual)))))
    weight = np.clip(1.0 - (residual / (TUKEY_CONSTANT * scale)) ** 2, 0.0, None)
    jacobian = np.c_[-away / length[:, None], -np.ones(len(away))]
    step = np.linalg.lstsq(jacobian * weight[:, None], -residual * weight, rcond=None)[0]
    return center + step[:3], radius + float(step[3])

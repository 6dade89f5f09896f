"""The femoral head: the largest piece of a sphere on the bone, found anywhere and in any pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, IntArray, unit
from guidegen.surfaces import Surface

# Head radius of adults: mean 24.5 (men) and 21.9 mm (girls of 14 to 16), with three standard
# deviations and room to spare (clinical facts: neck anatomy on radial CT; 36–60 mm diameter window).
RADIUS_WINDOW_MM = (17.0, 31.0)

VOTE_SAMPLES = 8_000
VOTE_CELL_MM = 3.0
NEIGHBOURS = 16  # of 8000 samples on 25 000 mm²: about 4 mm around
CANDIDATES = 8
FEWEST_POINTS = 30

# A point belongs to the sphere when its normal points away from the centre (within 20°) …
ALIGNED_COSINE = float(np.cos(np.radians(20.0)))
# … and it lies this near to the sphere, first roughly and then as the fit settles.
NEAR_MM = (4.0, 3.0, 2.0, 1.5, 1.5, 1.5, 1.5, 1.5)

# Tukey's biweight: full efficiency for clean bone, no say at all for a dent of over 2 mm.
TUKEY_CONSTANT = 4.685
SCALE_FLOOR_MM = 0.3  # the noise of a segmented surface

# The articular part of a head covers 55–65 % of its sphere; a collapsed one still over 45 %.
# The condyles at the other end of the bone cover up to 37 %.
COVER_MINIMUM = 0.42


@dataclass(frozen=True, eq=False)
class Head:
    """The best sphere: centre (3,) in mm, radius, share of the sphere that is bone surface, rms of the fit in mm."""

    center_mm: FloatArray
    radius_mm: float
    cover: float
    rms_mm: float


def even_faces(surface: Surface, count: int) -> IntArray:
    """`count` faces (count,) spread evenly over the area, the same ones every time."""
    ends = np.cumsum(surface.face_areas_mm2)
    return np.asarray(np.searchsorted(ends, (np.arange(count) + 0.5) * ends[-1] / count))


def find_head(surface: Surface) -> Head:
    """The femoral head of a proximal or whole femur; AnatomyError where there is none.

    Every point votes for the centre that lies one radius behind it (a Hough vote, radius by
    radius); the spheres with most votes are refined by a fit with Tukey weights, which a
    flattened dome, the fovea and osteophytes cannot pull. The head is the one of them with
    most of its sphere on the bone.
    """
    faces = even_faces(surface, VOTE_SAMPLES)
    points = surface.face_centers_mm[faces]
    normals = _calmed(points, surface.face_normals[faces])
    area_mm2 = float(surface.face_areas_mm2.sum()) / VOTE_SAMPLES  # of the surface that one sample stands for
    spheres = [_settled(points, normals, center, radius, area_mm2) for center, radius in _voted(points, normals)]
    low, high = RADIUS_WINDOW_MM
    heads = [sphere for sphere in spheres if low <= sphere.radius_mm <= high]
    best = max(heads, key=lambda head: head.cover, default=None)
    if best is None or best.cover < COVER_MINIMUM:
        found = f"radius {best.radius_mm:.1f} mm and {best.cover:.0%}" if best else "no sphere of that size"
        raise AnatomyError(
            f"expected a femoral head, a sphere of radius {low:g}–{high:g} mm with bone on at least "
            f"{COVER_MINIMUM:.0%} of it; the best found: {found}; "
            "check that the label is a femur with its head and that the spacing is in mm"
        )
    return best


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


def _settled(points: FloatArray, normals: FloatArray, center: FloatArray, radius: float, area_mm2: float) -> Head:
    """The sphere that the weighted fit settles on from a voted start; its cover tells how good it is."""
    for near in NEAR_MM:
        used = _near_sphere(points, normals, center, radius, near)
        if used.sum() < FEWEST_POINTS:
            return Head(center, radius, 0.0, np.inf)
        center, radius = _refined(points[used], center, radius)
    used = _near_sphere(points, normals, center, radius, NEAR_MM[-1])
    residual = np.linalg.norm(points[used] - center, axis=1) - radius
    cover = float(used.sum() * area_mm2 / (4.0 * np.pi * radius**2))
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

"""The grid of voxels that a cloud of sample points came from, found from the cloud itself.

A lesion is known by the centres of its voxels, carried to the bone by a rigid registration. Their own grid tells
what lies between them: how thick the slices are, which points touch, and where the border runs between two of them.
"""

from __future__ import annotations

import numpy as np

from guidegen.errors import LesionError
from guidegen.frames import FloatArray, unit
from guidegen.volumes import Volume

ROUNDING_MM = 1e-3  # points nearer to each other than this are one
RIM = 3  # voxels
OFF_GRID = 0.02  # of a spacing: more is no rounding


def lattice(points_mm: FloatArray, voxel_volume_mm3: float) -> Volume:
    """The label whose True voxels have their centres at the points (K, 3), with an empty rim of `RIM` voxels.

    Its axes are those of the cloud, in any order and handedness. `voxel_volume_mm3` gives the thickness of a cloud
    that is one voxel thin. LesionError where the points do not lie on a rectangular grid.
    """
    axes, spacing = _axes(points_mm, voxel_volume_mm3)
    along = (points_mm - points_mm[0]) @ axes.T / spacing
    index = np.rint(along)
    index -= index.min(axis=0)
    # the best grid through all points: one difference of two points carries their rounding across the whole cloud
    design = np.c_[index, np.ones(len(index))]
    seen = np.ptp(index, axis=0) > 0
    steps = np.where(seen[:, None], np.linalg.lstsq(design, points_mm, rcond=None)[0][:3], spacing[:, None] * axes)
    spacing = np.linalg.norm(steps, axis=1)
    direction = _at_right_angles(steps / spacing[:, None]).T
    origin = points_mm.mean(axis=0) - direction @ (spacing * index.mean(axis=0))
    misfit = np.abs((points_mm - origin) @ direction / spacing - index).max()
    if misfit > OFF_GRID:
        raise LesionError(
            f"expected the lesion's points on a rectangular grid, found one {misfit:.2f} of a spacing off it; "
            "give the lesion as a label map or as a closed surface"
        )
    voxels = np.zeros(index.max(axis=0).astype(int) + 1 + 2 * RIM, dtype=np.bool_)
    voxels[tuple(index.astype(int).T + RIM)] = True
    return Volume(voxels, spacing, direction, origin - direction @ (RIM * spacing))


def _at_right_angles(rows: FloatArray) -> FloatArray:
    """The nearest orthogonal matrix (3, 3): rounding taken off."""
    left, _, right = np.linalg.svd(rows)
    return np.asarray(left @ right)


def _axes(points_mm: FloatArray, voxel_volume_mm3: float) -> tuple[FloatArray, FloatArray]:
    """Unit axes as rows (3, 3) and spacings (3,).

    The nearest neighbour lies along the axis of the smallest spacing; seen along it the cloud is a flat
    grid, whose nearest neighbour lies along the next one, and so on.
    """
    rest = points_mm - points_mm[0]
    found: list[FloatArray] = []
    for _ in range(3):
        step = _shortest_step(rest)
        if step is None:
            break
        found.append(step)
        rest = rest - np.outer(rest @ unit(step), unit(step))
    axes = [unit(step) for step in found]
    spacings = [float(np.linalg.norm(step)) for step in found]
    missing = 3 - len(found)
    if missing:
        spacings += [float(voxel_volume_mm3 / np.prod(spacings)) ** (1.0 / missing)] * missing
        basis = np.linalg.svd(np.array([*axes, np.zeros(3)]))[2]
        axes += list(basis[len(found) :])
    return np.array(axes), np.array(spacings)


def _shortest_step(points_mm: FloatArray) -> FloatArray | None:
    """The shortest vector (3,) between two different points (K, 3); None where there is only one."""
    from scipy.spatial import cKDTree

    # a shift that no spacing is a multiple of, so that equal points are never rounded apart
    keys = np.floor(points_mm / ROUNDING_MM + 0.2137)
    different = points_mm[np.unique(keys, axis=0, return_index=True)[1]]
    if len(different) < 2:
        return None
    distance, neighbour = (np.asarray(each) for each in cKDTree(different).query(different, k=2))
    nearest = int(distance[:, 1].argmin())
    return np.asarray(different[neighbour[nearest, 1]] - different[nearest])


def fine_points_mm(volume: Volume) -> FloatArray:
    """The centres (8K, 3) in LPS mm of the K True voxels, each split into eight."""
    corners = np.stack(np.meshgrid(*[[-0.25, 0.25]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    index = np.argwhere(volume.voxels)[:, None, :] + corners
    return volume.to_lps(index.reshape(-1, 3))


def occupied(volume: Volume, points_mm: FloatArray) -> FloatArray:
    """How far (...,) the points (..., 3) lie in the label: 0 outside, 1 inside, linear between voxel centres."""
    from scipy.ndimage import map_coordinates

    index = np.moveaxis(volume.to_index(points_mm), -1, 0)
    return np.asarray(
        map_coordinates(volume.voxels.view(np.uint8), index, output=np.float64, order=1, mode="constant", cval=0.0)
    )

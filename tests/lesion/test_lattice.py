"""The grid found from a cloud of voxel centres."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.errors import LesionError
from guidegen.frames import rotation_about
from guidegen.lesion.lattice import RIM, fine_points_mm, lattice, occupied
from guidegen.volumes import Volume

TURN = rotation_about([1.0, -2.0, 0.5], 37.0)


def cloud(spacing_mm, shape, direction=TURN) -> tuple[Volume, np.ndarray]:
    voxels = np.random.default_rng(3).random(shape) < 0.6
    volume = Volume(voxels, np.array(spacing_mm), direction, np.array([12.0, -80.0, 431.0]))
    return volume, volume.to_lps(np.argwhere(voxels))


@pytest.mark.parametrize("spacing_mm", [(0.7, 0.7, 1.0), (0.85, 0.85, 5.0), (0.6445, 0.6445, 0.8), (1.0, 1.0, 1.0)])
@pytest.mark.parametrize("direction", [np.eye(3), TURN, TURN * [1.0, 1.0, -1.0]])
def test_the_voxels_come_back_where_they_were(spacing_mm, direction) -> None:
    volume, points = cloud(spacing_mm, (12, 9, 6), direction)
    found = lattice(points, volume.voxel_volume_mm3)
    assert sorted(found.spacing_mm) == pytest.approx(sorted(spacing_mm), rel=1e-9)
    assert found.voxels.sum() == len(points)
    assert found.voxel_volume_mm3 == pytest.approx(volume.voxel_volume_mm3)
    back = found.to_lps(np.argwhere(found.voxels))
    order = [np.lexsort(np.rint(each * 1e4).T) for each in (back, points)]
    assert back[order[0]] == pytest.approx(points[order[1]], abs=1e-6)
    assert not found.voxels[:RIM].any()
    assert not found.voxels[:, :, -RIM:].any()


@pytest.mark.parametrize("shape", [(8, 7, 1), (6, 1, 1), (1, 1, 1)])
def test_a_flat_cloud_gets_its_thickness_from_the_voxel_volume(shape) -> None:
    volume = Volume(np.ones(shape, dtype=bool), np.array([0.7, 0.9, 2.0]), TURN, np.zeros(3))
    found = lattice(volume.to_lps(np.argwhere(volume.voxels)), volume.voxel_volume_mm3)
    assert found.voxel_volume_mm3 == pytest.approx(1.26)
    assert found.voxels.sum() == np.prod(shape)


def test_a_cloud_on_no_grid_is_refused() -> None:
    points = np.random.default_rng(1).random((200, 3)) * 10.0
    with pytest.raises(LesionError, match=r"expected the lesion's points on a rectangular grid, found one .* off it"):
        lattice(points, 1.0)


def test_fine_points_fill_the_voxels() -> None:
    volume, points = cloud((0.7, 0.7, 1.0), (5, 5, 5))
    fine = fine_points_mm(volume)
    assert fine.mean(axis=0) == pytest.approx(points.mean(axis=0))
    assert len(fine) == 8 * len(points)


def test_the_border_lies_half_way_between_voxel_centres() -> None:
    volume = Volume(np.pad(np.ones((4, 4, 4), dtype=bool), 2), np.array([1.0, 1.0, 2.0]), TURN, np.zeros(3))
    middle, end = volume.to_lps([[3.5, 3.5, 3.5], [5.5, 3.5, 3.5]])
    assert occupied(volume, np.stack([middle, end])) == pytest.approx([1.0, 0.5])

"""What is kept out: surfaces never smaller than their label, exact distances, and a femur without its holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.frames import FloatArray, perpendicular_pair, rotation_about, unit
from guidegen.keep_out import HOLE_RADIUS_MM, NOTHING, SAMPLING_MM, KeepOut, keep_out_of, whole_femur
from guidegen.packed import packed, unpacked
from guidegen.volumes import Volume

SPACINGS = [(0.7, 0.7, 1.0), (0.7, 0.7, 2.0), (1.0, 1.0, 3.0)]
AXIS = unit([0.3, -0.5, 0.8])


def empty(spacing_mm: tuple[float, float, float], half_mm: float = 24.0) -> Volume:
    """No voxels set, in a cube round the origin, turned against LPS."""
    shape = np.ceil(2.0 * half_mm / np.array(spacing_mm)).astype(int)
    direction = rotation_about([1.0, 2.0, 0.5], 20.0)
    origin = -direction @ ((shape - 1) / 2.0 * spacing_mm)
    return Volume(np.zeros(shape, dtype=bool), np.array(spacing_mm), direction, origin)


def places(volume: Volume) -> FloatArray:
    index = np.stack(np.meshgrid(*[np.arange(n) for n in volume.voxels.shape], indexing="ij"), axis=-1)
    return volume.to_lps(index)


def in_rod(points: FloatArray, start: FloatArray, end: FloatArray, radius_mm: float) -> FloatArray:
    axis, relative = unit(end - start), points - start
    along = relative @ axis
    beside = np.linalg.norm(relative - along[..., None] * axis, axis=-1)
    return (along >= 0.0) & (along <= np.linalg.norm(end - start)) & (beside <= radius_mm)


def rod(radius_mm: float, spacing_mm: tuple[float, float, float] = SPACINGS[0]) -> Volume:
    volume = empty(spacing_mm)
    return replace(volume, voxels=in_rod(places(volume), -15.0 * AXIS, 15.0 * AXIS, radius_mm))


def corners(mask: Volume) -> FloatArray:
    """The corners (K, 3) of all voxels of a label."""
    index = np.argwhere(mask.voxels)[:, None] + (np.indices((2, 2, 2)).reshape(3, 8).T - 0.5)
    return mask.to_lps(index.reshape(-1, 3))


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("radius_mm", [0.8, 2.5, 6.0])  # from a wire that a blur would wipe out
def test_a_surface_is_nowhere_smaller_than_its_label_by_half_a_voxel(radius_mm: float, spacing_mm) -> None:
    mask = rod(radius_mm, spacing_mm)
    keep_out = keep_out_of({"implant": mask})
    assert keep_out.surface is not None
    assert keep_out.surface.is_closed
    assert keep_out.distance_mm(corners(mask)).max() <= 0.44 * max(spacing_mm)
    assert keep_out.distance_mm(mask.to_lps(np.argwhere(mask.voxels))).max() < 0.0
    beyond = keep_out.surface.vertices - np.clip(keep_out.surface.vertices @ AXIS, -15, 15)[:, None] * AXIS
    assert np.linalg.norm(beyond, axis=1).max() <= radius_mm + max(spacing_mm)


@given(st.integers(0, 10_000))
def test_any_label_has_a_closed_surface_that_holds_its_voxels(seed: int) -> None:
    random = np.random.default_rng(seed)
    volume = empty((1.0, 1.0, 2.0), half_mm=6.0)
    mask = replace(volume, voxels=random.random(volume.voxels.shape) < random.uniform(0.02, 0.6))
    keep_out = keep_out_of({"avoid": mask})
    assert keep_out.surface is not None
    assert keep_out.surface.is_closed
    assert keep_out.surface.volume_mm3 > 0.0
    assert keep_out.distance_mm(mask.to_lps(np.argwhere(mask.voxels))).max() < 0.0


def test_distances_to_a_box_and_its_names() -> None:
    volume = replace(empty((1.0, 1.0, 1.0)), direction=np.eye(3), origin_mm=np.full(3, -23.5))
    at = np.abs(places(volume))
    box = replace(volume, voxels=(at <= [5.0, 6.0, 7.0]).all(axis=-1))  # its faces lie at 5, 6 and 7 mm
    far = replace(volume, voxels=(at > 20.0).all(axis=-1))
    keep_out = keep_out_of({"implant": box, "avoid": far})
    assert keep_out.names == ("implant", "area to avoid")
    found = keep_out.distance_mm([[10.0, 0.0, 0.0], [0.0, -10.0, 0.0], [0.0, 0.0, 0.0]])
    assert found == pytest.approx([5.0 - 0.25, 4.0 - 0.25, -5.25])
    assert unpacked(KeepOut, packed(keep_out)).names == keep_out.names


def test_nothing_is_infinitely_far() -> None:
    assert NOTHING.names == ()
    assert NOTHING.surface is None
    assert np.isinf(NOTHING.distance_mm(np.zeros((3, 3)))).all()
    assert NOTHING.rod_distance_mm(np.zeros(3), AXIS, 4.0) == np.inf
    assert keep_out_of({}).structures == ()


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("seed", range(3))
def test_a_rod_is_never_nearer_than_said(spacing_mm, seed: int) -> None:
    """Against the exact distance from places all over the rod's mantle and flat end."""
    keep_out, random = keep_out_of({"implant": rod(4.0, spacing_mm)}), np.random.default_rng(seed)
    axis = unit(random.normal(size=3))
    first, second = perpendicular_pair(axis)
    turn = np.arange(0.0, 2.0 * np.pi, 0.03)
    ring = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    aside = 12.0 * first
    for _ in range(6):  # to about 3 mm apart
        aside += (3.0 - keep_out.rod_distance_mm(aside - 30.0 * axis, aside + 12.0 * axis, 4.0)) * first
    start, end = aside - 30.0 * axis, aside + 12.0 * axis
    mantle = start + np.arange(0.0, 42.01, 0.1)[:, None, None] * axis + 4.0 * ring
    disc = end + np.linspace(0.0, 4.0, 30)[:, None, None] * ring
    exact = keep_out.distance_mm(np.concatenate([mantle.reshape(-1, 3), disc.reshape(-1, 3)])).min()
    stated = keep_out.rod_distance_mm(start, end, 4.0)
    assert exact - SAMPLING_MM - 0.002 <= stated <= exact + 0.002


def test_a_rod_inside_or_across_is_at_no_distance() -> None:
    keep_out = keep_out_of({"avoid": rod(8.0)})
    assert keep_out.rod_distance_mm(-2.0 * AXIS, 2.0 * AXIS, 1.0) == 0.0
    assert keep_out.rod_distance_mm(np.array([-40.0, 0.0, 0.0]), np.array([40.0, 0.0, 0.0]), 1.0) == 0.0


# --- the femur without its holes ---


@pytest.fixture(scope="module")
def shaft() -> Volume:
    """A solid cylinder of radius 18 mm along z."""
    volume = replace(empty((0.8, 0.8, 1.0)), direction=np.eye(3))
    at = places(volume) - places(volume).reshape(-1, 3).mean(axis=0)
    return replace(volume, voxels=(np.hypot(at[..., 0], at[..., 1]) <= 18.0) & (np.abs(at[..., 2]) < 18.0))


def middle(volume: Volume) -> FloatArray:
    return places(volume).reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("radius_mm", [2.5, 5.0, 7.0])
def test_a_hole_is_filled_but_for_a_dent_at_its_mouth(shaft: Volume, radius_mm: float) -> None:
    across = in_rod(places(shaft) - middle(shaft), np.array([-40.0, 0, 0]), np.array([40.0, 0, 0]), radius_mm)
    holed = replace(shaft, voxels=shaft.voxels & ~across)
    whole = whole_femur(holed, {"old_tunnel": replace(shaft, voxels=across & shaft.voxels)})
    missing = shaft.voxels & ~whole.voxels
    assert not (whole.voxels & ~shaft.voxels).any()
    depth = 18.0 - np.hypot(*(places(shaft) - middle(shaft))[missing][:, :2].T)
    # a ball dips into a round mouth; the mouth's rim on the cylinder lies lower by what the cylinder curves away
    dent = HOLE_RADIUS_MM - np.sqrt(HOLE_RADIUS_MM**2 - radius_mm**2) + 18.0 - np.sqrt(18.0**2 - radius_mm**2)
    assert depth.max(initial=0.0) <= dent + 1.0


def test_what_stands_off_the_bone_is_no_bone(shaft: Volume) -> None:
    at = places(shaft) - middle(shaft)
    plate = (np.hypot(at[..., 0], at[..., 1]) > 18.0) & (at[..., 0] > 0) & (at[..., 0] < 22) & (np.abs(at[..., 1]) < 6)
    implant = {"implant": replace(shaft, voxels=plate)}
    assert not (whole_femur(shaft, implant).voxels & plate).any()
    counted = replace(shaft, voxels=shaft.voxels | plate)  # the segmentation took the metal for bone
    assert np.array_equal(whole_femur(counted, implant).voxels, shaft.voxels)
    assert whole_femur(counted, {"avoid": replace(shaft, voxels=plate)}).voxels[plate].all()


def test_a_mask_on_another_grid_fills_the_same_hole(shaft: Volume) -> None:
    across = in_rod(places(shaft) - middle(shaft), np.array([-9.0, 0, 0]), np.array([9.0, 0, 0]), 4.0)
    holed = replace(shaft, voxels=shaft.voxels & ~across)
    other = Volume(np.zeros((60, 40, 50), dtype=bool), np.full(3, 0.6), rotation_about(AXIS, 30.0), np.zeros(3))
    other = replace(other, origin_mm=middle(shaft) - other.to_lps([29.5, 19.5, 24.5]))
    over = in_rod(places(other) - middle(shaft), np.array([-10.0, 0, 0]), np.array([10.0, 0, 0]), 5.0)
    whole = whole_femur(holed, {"old_tunnel": replace(other, voxels=over)})
    assert np.array_equal(whole.voxels, shaft.voxels)


def test_without_anything_to_keep_out_the_femur_is_as_it_was(shaft: Volume) -> None:
    assert whole_femur(shaft, {}) is shaft

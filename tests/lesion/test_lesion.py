"""Volume, centroid and place of lesions given as voxels and as surfaces."""

from __future__ import annotations

from dataclasses import replace

import manifold3d as m3
import numpy as np
import pytest

from guidegen.errors import LabelError, LesionError
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.lesion.lesion import measure_lesion
from guidegen.lesion.registration import MR, Registration
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

SPACING_MM = np.array([0.7, 0.9, 2.0])
OBLIQUE = rotation_about([0.3, 1.0, -0.5], 25.0)


def block(center_mm, shape, direction=OBLIQUE) -> Volume:
    """A label of `shape` True voxels round a point, in a larger empty volume."""
    before = np.array([4, 3, 5])
    voxels = np.pad(np.ones(shape, dtype=bool), [(n, 2) for n in before])
    middle = before + (np.array(shape) - 1) / 2.0
    return Volume(voxels, SPACING_MM, direction, np.asarray(center_mm) - direction @ (middle * SPACING_MM))


def ball(center_mm, radius_mm: float, facets: int = 64) -> Surface:
    mesh = m3.Manifold.sphere(radius_mm, facets).translate(list(center_mm)).to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


def test_volume_and_centroid_are_those_of_the_voxels(ct) -> None:
    center = ct.anatomy.head_center_mm + [2.0, -3.0, 5.0]
    lesion = measure_lesion(block(center, (9, 8, 5)), None, ct.bone, ct.anatomy)
    assert lesion.volume_mm3 == pytest.approx(9 * 8 * 5 * 0.7 * 0.9 * 2.0, rel=1e-12)
    assert lesion.centroid_mm == pytest.approx(center, abs=1e-9)
    assert lesion.points_mm.shape == (360, 3)
    assert lesion.registration is None


def test_the_share_of_the_head_is_that_of_its_sphere(ct) -> None:
    lesion = measure_lesion(ct.lesion, None, ct.bone, replace(ct.anatomy, head_radius_mm=24.0))
    assert lesion.head_fraction == pytest.approx((ct.labels.voxels == 2).sum() * 4.5 / (4.0 / 3.0 * np.pi * 24.0**3))
    assert lesion.head_fraction == pytest.approx(ct.hip.truth.lesion_head_fraction, rel=0.02)
    assert lesion.centroid_mm == pytest.approx(ct.hip.truth.lesion_centroid_mm, abs=0.1)


def test_the_surface_of_a_label_lies_round_its_voxels(ct) -> None:
    lesion = measure_lesion(ct.lesion, None, ct.bone, ct.anatomy)
    away = np.linalg.norm(lesion.surface.vertices - ct.hip.truth.lesion_centroid_mm, axis=1)
    assert lesion.surface.is_closed
    assert away.min() > 12.0 - 1.2
    assert away.max() < 12.0 + 1.0


def test_a_registered_lesion_is_carried_to_the_bone(ct) -> None:
    back = RigidTransform(rotation_about([1.0, 2.0, -1.0], 40.0), np.array([30.0, -70.0, 20.0]), MR, LPS)
    registration = Registration(back, 0.4, 0.8, 0.95, 0.0)
    center = ct.anatomy.head_center_mm + [2.0, -3.0, 5.0]
    label = block(back.inverse().points(center), (9, 8, 5))
    lesion = measure_lesion(label, registration, ct.bone, ct.anatomy)
    assert lesion.centroid_mm == pytest.approx(center, abs=1e-9)
    assert lesion.volume_mm3 == pytest.approx(360 * 1.26)
    assert lesion.surface.vertices.mean(axis=0) == pytest.approx(center, abs=0.3)
    assert lesion.registration is registration


def test_a_lesion_given_as_a_surface(ct) -> None:
    center = ct.anatomy.head_center_mm + [2.1, -3.3, 4.7]
    surface = ball(center, 9.0)
    lesion = measure_lesion(surface, None, ct.bone, ct.anatomy)
    assert lesion.volume_mm3 == pytest.approx(surface.volume_mm3)
    assert lesion.volume_mm3 == pytest.approx(4.0 / 3.0 * np.pi * 9.0**3, rel=0.01)
    assert lesion.centroid_mm == pytest.approx(center, abs=0.05)
    assert len(lesion.points_mm) == pytest.approx(lesion.volume_mm3, rel=0.02)  # one per mm³
    assert (np.linalg.norm(lesion.points_mm - center, axis=1) < 9.0).all()
    assert lesion.surface is surface


def test_a_lesion_surface_of_the_wrong_unit_is_refused(ct) -> None:
    with pytest.raises(LesionError, match=r"expected a lesion surface that encloses at least 1 mm³, .* check its unit"):
        measure_lesion(ball(ct.anatomy.head_center_mm, 0.012), None, ct.bone, ct.anatomy)


def test_a_lesion_outside_the_bone_is_refused(ct) -> None:
    outside = block(ct.anatomy.head_center_mm + [60.0, 0.0, 0.0], (9, 8, 5))
    with pytest.raises(LesionError, match=r"expected the lesion inside the femur, found 100% of it outside"):
        measure_lesion(outside, None, ct.bone, ct.anatomy)


def test_a_tenth_of_the_lesion_may_lie_outside(ct) -> None:
    """A slab 2 mm outside the dome, of 8 % and of 20 % of the lesion: what a thick slice does, and what it does not."""
    up = np.array([0.0, 0.0, 1.0])
    center = ct.anatomy.head_center_mm
    dome = ct.bone.ray_hits((center + 100.0 * up)[None], -up[None])[0][0]
    top = center[2] + 100.0 - dome

    def straight_up(out: int) -> Volume:
        """25 voxels one above the other, the last `out` of them more than 2 mm above the dome."""
        column = np.zeros((9, 9, 29), dtype=bool)
        column[2:7, 2:7, 2:27] = True
        spacing = np.array([0.4, 0.4, 1.0])
        last = top + 2.0 + out - 0.5
        origin = np.array([*(center[:2] - 4 * 0.4), last - 26.0])
        return Volume(column, spacing, np.eye(3), origin)

    assert measure_lesion(straight_up(2), None, ct.bone, ct.anatomy).volume_mm3 == pytest.approx(625 * 0.16)
    with pytest.raises(LesionError, match="found 20% of it outside"):
        measure_lesion(straight_up(5), None, ct.bone, ct.anatomy)


@pytest.mark.parametrize("kind", ["label", "surface"])
def test_a_lesion_in_the_shaft_is_refused(ct, kind) -> None:
    truth = ct.hip.truth
    place = truth.shaft_point_mm
    lesion = block(place, (5, 5, 3)) if kind == "label" else ball(place, 4.0)
    match = r"expected the lesion's centroid in the femoral head \(radius 2\d\.\d mm\), found it \d\d+ mm from the head"
    with pytest.raises(LesionError, match=match):
        measure_lesion(lesion, None, ct.bone, ct.anatomy)


def test_a_lesion_may_reach_into_the_neck_but_not_lie_in_it(ct) -> None:
    """The centroid lies within 1.25 radii of the centre of the head."""
    down, radius = -ct.anatomy.neck_axis, ct.anatomy.head_radius_mm
    near = measure_lesion(ball(ct.anatomy.head_center_mm + 1.2 * radius * down, 5.0), None, ct.bone, ct.anatomy)
    assert near.volume_mm3 > 500.0
    with pytest.raises(LesionError, match="expected the lesion's centroid in the femoral head"):
        measure_lesion(ball(ct.anatomy.head_center_mm + 1.3 * radius * down, 5.0), None, ct.bone, ct.anatomy)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 3, 1), (20, 1, 2)])
def test_a_lesion_too_thin_for_a_surface_is_refused(ct, shape) -> None:
    with pytest.raises(LabelError, match=f"thick enough for a surface, found one of {np.prod(shape)} voxels"):
        measure_lesion(block(ct.anatomy.head_center_mm, shape), None, ct.bone, ct.anatomy)


@pytest.mark.parametrize(
    ("cut", "pieces", "inside"),
    [
        ((slice(0, 0),), 1, True),
        ((slice(7, 9),), 2, False),  # the centroid lies in the gap between them
        ((slice(5, 11), slice(5, 11)), 1, False),  # a ring
    ],
)
def test_pieces_are_counted_and_a_hollow_centroid_is_told(ct, cut, pieces, inside) -> None:
    voxels = np.pad(np.ones((12, 12, 6), dtype=bool), 2)
    voxels[cut] = False
    origin = ct.anatomy.head_center_mm - (np.array(voxels.shape) - 1) / 2.0
    lesion = measure_lesion(Volume(voxels, np.ones(3), np.eye(3), origin), None, ct.bone, ct.anatomy)
    assert (lesion.pieces, lesion.centroid_inside) == (pieces, inside)
    assert lesion.centroid_mm == pytest.approx(ct.anatomy.head_center_mm, abs=1e-9)


def test_voxels_that_meet_at_a_corner_are_one_piece(ct) -> None:
    voxels = np.zeros((14, 14, 14), dtype=bool)
    voxels[2:7, 2:7, 2:7] = voxels[7:12, 7:12, 7:12] = True
    lesion = measure_lesion(
        Volume(voxels, np.ones(3), np.eye(3), ct.anatomy.head_center_mm - 6.5), None, ct.bone, ct.anatomy
    )
    assert (lesion.pieces, lesion.centroid_inside) == (1, True)

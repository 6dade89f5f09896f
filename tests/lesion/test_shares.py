"""Shares of the head, depths, octants and places against their closed form."""

from __future__ import annotations

import numpy as np
import pytest
from head_phantom import CT_MM, RADIUS_MM, HeadPhantom, ball, ball_surface, cap, cone
from test_arcs import necrosis_of

from guidegen.frames import rotation_about
from guidegen.lesion.depth import depth_mm, joint_surface, least_depth_mm
from guidegen.lesion.head_frame import femoral_frame
from guidegen.lesion.lattice import fine_points_mm, lattice
from guidegen.lesion.octants import octants, place
from guidegen.lesion.shares import cut_share, sphere_share, volume_beyond_mm3, weight_bearing_share

SPHERE_MM3 = 4.0 / 3.0 * np.pi * RADIUS_MM**3


def cap_mm3(height_mm: float) -> float:
    return np.pi * height_mm**2 * (RADIUS_MM - height_mm / 3.0)


@pytest.mark.parametrize("height", [-20.0, -5.0, 0.0, 12.0, 23.9, 24.1, -24.1])
def test_the_volume_beyond_a_plane_is_that_of_the_spherical_segment(height) -> None:
    normal = rotation_about([1.0, 2.0, 3.0], 50.0)[0]
    expected = cap_mm3(float(np.clip(RADIUS_MM - height, 0.0, 2.0 * RADIUS_MM)))
    assert volume_beyond_mm3(ball_surface(), height * normal, normal) == pytest.approx(expected, rel=1e-3, abs=0.1)


@pytest.mark.parametrize("half_deg", [30.0, 45.0, 60.0])
@pytest.mark.parametrize(("shape", "spacing_mm"), [(cone, CT_MM), (cap, (0.6, 0.6, 0.8))])
def test_volume_and_both_shares(ct, shape, spacing_mm, half_deg) -> None:
    axis = np.array([0.3, 0.2, 1.0])
    phantom, h = HeadPhantom(), np.cos(np.radians(half_deg))
    lesion = phantom.lesion(shape(axis, half_deg), spacing_mm, rotation_about([0.0, 1.0, 2.0], 20.0))
    volume = 2.0 / 3.0 * np.pi * RADIUS_MM**3 * (1.0 - h) if shape is cone else cap_mm3(RADIUS_MM * (1.0 - h))
    from_center = 3.0 / 8.0 * RADIUS_MM * (1.0 + h) if shape is cone else 3.0 / 4.0 * RADIUS_MM * (1 + h) ** 2 / (2 + h)
    assert lesion.volume_mm3 == pytest.approx(volume, rel=0.02)
    assert np.linalg.norm(lesion.centroid_mm - phantom.lps(from_center * axis / np.linalg.norm(axis))) < 0.3
    assert sphere_share(lesion.volume_mm3, RADIUS_MM) == pytest.approx(volume / SPHERE_MM3, abs=0.02)
    points = fine_points_mm(lattice(lesion.points_mm, lesion.volume_mm3 / len(lesion.points_mm)))
    frame = femoral_frame(phantom.anatomy(ct.anatomy))
    share = cut_share(points, lesion.volume_mm3 / len(points), phantom.bone, frame, 0.5)
    assert share == pytest.approx(volume / cap_mm3(1.5 * RADIUS_MM), abs=0.02)


def test_the_cut_leaves_out_what_lies_in_the_neck(ct) -> None:
    """Of a ball of 6 mm round a point of the junction one half counts."""
    phantom = HeadPhantom()
    frame = femoral_frame(phantom.anatomy(ct.anatomy))
    neck = frame.axes @ frame.neck_axis
    lesion = phantom.lesion(ball(-0.5 * RADIUS_MM * neck, 6.0))
    points = fine_points_mm(lattice(lesion.points_mm, 0.49))
    share = cut_share(points, lesion.volume_mm3 / len(points), phantom.bone, frame, 0.5)
    assert share == pytest.approx(0.5 * lesion.volume_mm3 / cap_mm3(1.5 * RADIUS_MM), rel=0.03)


@pytest.mark.parametrize("shape", [cone, cap])
@pytest.mark.parametrize("half_deg", [20.0, 33.0, 45.0, 70.0])
def test_the_share_of_the_weight_bearing_cap(ct, shape, half_deg) -> None:
    necrosis, frame = necrosis_of(HeadPhantom(), shape((0.0, 0.0, 1.0), half_deg), ct.anatomy)
    expected = min(1.0, (1.0 - np.cos(np.radians(half_deg))) / (1.0 - np.cos(np.radians(45.0))))
    assert weight_bearing_share(necrosis, frame) == pytest.approx(expected, abs=0.02)


def test_a_necrosis_beside_the_weight_bearing_cap(ct) -> None:
    necrosis, frame = necrosis_of(HeadPhantom(), cone((1.0, 0.0, 0.0), 40.0), ct.anatomy)
    assert weight_bearing_share(necrosis, frame) == 0.0


def test_the_depth_under_the_joint_surface(ct) -> None:
    phantom = HeadPhantom()
    lesion = phantom.lesion(ball((0.0, 0.0, 12.0), 8.0))
    frame = femoral_frame(phantom.anatomy(ct.anatomy))
    joint = joint_surface(phantom.bone, frame, 0.5)
    assert least_depth_mm(lesion.points_mm, phantom.bone, joint, frame) == pytest.approx(4.0, abs=0.3)
    assert depth_mm(lesion.centroid_mm[None], phantom.bone, joint)[0] == pytest.approx(12.0, abs=0.1)
    assert depth_mm(phantom.lps([[0.0, 0.0, 26.0]]), phantom.bone, joint)[0] == pytest.approx(-2.0, abs=0.02)


@pytest.mark.parametrize("side", ["left", "right"])
def test_octants_and_place_are_named_by_the_body(ct, side) -> None:
    phantom = HeadPhantom(side)
    frame = femoral_frame(phantom.anatomy(ct.anatomy))
    lesion = phantom.lesion(ball((6.0, 8.0, 10.0), 5.0))
    found = {each.name: each for each in octants(lesion.points_mm, 0.49, frame)}
    assert found["anterior-superior-medial"].lesion_share > 0.99
    assert sum(each.lesion_share for each in found.values()) == pytest.approx(1.0)
    assert found["anterior-superior-medial"].necrotic_share == pytest.approx(8.0 * 125.0 / RADIUS_MM**3, rel=0.03)
    where = place(phantom.lps(np.array([6.0, 8.0, 10.0])), frame)
    assert (where.medial_mm, where.anterior_mm, where.superior_mm) == pytest.approx((6.0, 8.0, 10.0))
    assert where.octant == "anterior-superior-medial"
    assert where.latitude_deg == pytest.approx(45.0)
    assert where.longitude_deg == pytest.approx(np.degrees(np.arctan2(8.0, -6.0)))
    assert place(phantom.lps(np.array([-5.0, 0.0, -1.0])), frame).longitude_deg == pytest.approx(0.0)

"""The thickness of the plastic."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.samples import area_samples
from guidegen.check.seat import seated
from guidegen.check.wall import OPPOSITE_COSINE, largest_balls, wall_finding
from guidegen.surfaces import Surface


def wall(hip, guide):
    return wall_finding(hip.asked(), guide, seated(hip.bone, guide))


def balls(surface: Surface, largest_mm: float):
    """Points of a surface, and the largest balls there."""
    points, face = area_samples(surface, 2_000)
    return points, *largest_balls(surface, points, surface.face_normals[face], largest_mm)


def test_the_good_guide_is_as_thick_as_its_thinnest_wall(hip) -> None:
    finding = wall(hip, hip.guide)
    assert finding.passed
    assert finding.measured == pytest.approx(3.5 - 1.1, abs=0.02)  # the pins' bosses


def test_a_thin_fin_is_measured(hip, bench) -> None:
    fin = bench.block([17.0, -12.8, -30.0], [30.0, -11.6, 25.0])
    finding = wall(hip, hip.wrong_guide(add=fin))
    assert (finding.measured, finding.passed) == (pytest.approx(1.2, abs=0.01), False)


@pytest.mark.parametrize("radius", [0.2, 0.5, 1.0])
def test_a_pit_is_measured_however_small(hip, bench, radius) -> None:
    """Drilled from outside into the plate, over its contact, away from every edge: its floor is 0.3 mm thick."""
    start, floor = np.array([30.0, 9.5, -8.0]), np.array([15.6, 9.5, -8.0])
    finding = wall(hip, hip.wrong_guide(cut=bench.rod(start, floor, radius)))
    assert (finding.measured, finding.passed) == (pytest.approx(0.3, abs=0.01), False)


def test_a_wall_between_two_slanting_holes_is_measured_where_no_ray_meets_it_squarely(bench) -> None:
    """Two rods 5 mm wide, 1 mm apart at their nearest and 30° askew, cut from a block: only there it is 1 mm thick."""
    block = bench.block([0.0, 0.0, 0.0], [40.0, 40.0, 40.0])
    way = np.array([0.0, 0.5, np.sqrt(0.75)])
    block -= bench.rod(np.array([17.0, 20.0, -9.0]), np.array([17.0, 20.0, 49.0]), 2.5)
    block -= bench.rod(np.array([23.0, 20.0, 20.0]) - 60.0 * way, np.array([23.0, 20.0, 20.0]) + 60.0 * way, 2.5)
    points, face = area_samples(bench.placed(block), 40_000)
    body = bench.placed(block)
    radius, cosine = largest_balls(body, points, body.face_normals[face], 2.0)
    thinnest = np.sort(2.0 * radius[cosine < OPPOSITE_COSINE])
    assert thinnest[5] == pytest.approx(1.0, abs=0.05)  # the first few lie on an edge to within rounding


def test_in_a_slab_every_ball_is_as_thick_as_the_slab(bench) -> None:
    slab = bench.placed(bench.block([0.0, 0.0, 0.0], [3.0, 60.0, 60.0]))
    points, radius, cosine = balls(slab, 5.0)
    inside = bench.place.inverse().points(points)
    middle = (np.abs(inside[:, 1:] - 30.0) < 28.0).all(axis=1)
    assert middle.sum() > 1500
    np.testing.assert_allclose(radius[middle], 1.5, atol=1e-3)
    np.testing.assert_allclose(cosine[middle], -1.0, atol=1e-3)


def test_in_a_tube_every_ball_is_as_thick_as_its_wall(bench) -> None:
    """Seen from the bore all of them; from outside those that are not near an edge between two facets of 3.75°."""
    start, end = np.zeros(3), np.array([0.0, 0.0, 30.0])
    points, radius, cosine = balls(bench.placed(bench.rod(start, end, 7.0) - bench.rod(start, end, 4.0)), 5.0)
    x, y, z = bench.place.inverse().points(points).T
    middle, bore = (z > 4.0) & (z < 26.0), np.hypot(x, y) < 5.0
    np.testing.assert_allclose(2.0 * radius[middle & bore], 3.0, atol=0.02)
    outside = 2.0 * radius[middle & ~bore & (cosine < OPPOSITE_COSINE)]
    np.testing.assert_allclose(outside, 3.0, atol=0.02)
    assert len(outside) > 0.7 * (middle & ~bore).sum()


@pytest.mark.parametrize(("degrees", "is_wall"), [(25.0, True), (35.0, False), (90.0, False)])
def test_a_wedge_is_a_wall_only_when_it_is_sharp(degrees, is_wall) -> None:
    """In a wedge of angle a the ball touches both sides 180° - a apart."""
    far = 40.0 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    corners = np.array([[x, y, z] for x in (0.0, 40.0) for y, z in ((0.0, 0.0), (40.0, 0.0), far)])
    faces = np.array([[0, 2, 1], [3, 4, 5], [0, 1, 4], [0, 4, 3], [0, 5, 2], [0, 3, 5], [1, 2, 5], [1, 5, 4]])
    wedge = Surface(corners, faces)
    assert wedge.is_closed
    assert wedge.volume_mm3 > 0.0
    points, radius, cosine = balls(wedge, 5.0)
    from_edge = np.hypot(points[:, 1], points[:, 2])
    flank = (points[:, 0] > 2.0) & (points[:, 0] < 38.0) & (from_edge > 0.5) & (from_edge < 1.5)
    assert flank.sum() > 20
    np.testing.assert_allclose(cosine[flank], -np.cos(np.radians(degrees)), atol=0.03)
    assert ((cosine[flank] < OPPOSITE_COSINE) == is_wall).all()
    np.testing.assert_allclose(radius[flank], (from_edge * np.tan(np.radians(degrees / 2.0)))[flank], rtol=0.01)


def test_a_body_without_walls_is_as_thick_as_is_looked_for(hip) -> None:
    corners = np.array([[30.0, 30.0, 30.0], [30.0, -30.0, -30.0], [-30.0, 30.0, -30.0], [-30.0, -30.0, 30.0]])
    finding = wall(hip, Surface(corners, np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])))
    assert (finding.measured, finding.passed) == (3.0, True)


def test_a_feather_of_a_few_square_millimetres_is_let_pass(hip, bench) -> None:
    for length, passed in ((0.6, True), (6.0, False)):
        feather = bench.block([19.0, 11.9, -30.0], [19.4, 13.5, -30.0 + length])
        assert wall(hip, hip.wrong_guide(add=feather)).passed is passed

"""Sections of prisms, cones and ellipses against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.bone.sections import star_sections, whole_sections
from guidegen.frames import angle_deg, perpendicular_pair, rotation_about, unit

FAR = np.array([-180.0, 310.0, -640.0])  # where hips lie in scanners: rounding must not show
LONG = unit([0.2, -0.3, 0.9])
ROUNDING = 1e-9


def along(axis, from_mm, steps):
    return axis @ FAR + np.asarray(steps) + from_mm


@pytest.mark.parametrize("tilt_deg", [0.0, 12.0, 40.0])
def test_a_box_is_cut_in_its_area_over_the_cosine_of_the_tilt(solids, tilt_deg) -> None:
    box = solids.block([-15.0, -10.0, -60.0], [15.0, 10.0, 60.0])
    frame = np.column_stack([*perpendicular_pair(LONG), LONG, FAR])
    surface = solids.surface(box.transform(frame))
    axis = rotation_about(perpendicular_pair(LONG)[0], tilt_deg) @ LONG
    levels = along(axis, 0.0, [-20.0, 0.0, 7.3, 20.0])
    areas, centroids = whole_sections(surface, axis, levels)
    cosine = np.cos(np.radians(angle_deg(axis, LONG)))
    assert areas == pytest.approx(30.0 * 20.0 / cosine, abs=1e-6)
    # a prism's section has its centroid where the plane meets the line of centroids
    expected = FAR + ((levels - axis @ FAR) / cosine)[:, None] * LONG
    assert np.abs(centroids - expected).max() < 1e-6


def test_a_cylinder_is_cut_in_its_polygon(solids) -> None:
    surface = solids.surface(solids.rod(FAR - 40.0 * LONG, FAR + 40.0 * LONG, 16.0, facets=60))
    areas, centroids = whole_sections(surface, LONG, along(LONG, 0.0, [-30.0, 1.0, 30.0]))
    assert areas == pytest.approx(30.0 * 16.0**2 * np.sin(np.radians(6.0)), abs=1e-6)
    assert np.abs(centroids - (FAR + np.array([[-30.0], [1.0], [30.0]]) * LONG)).max() < 1e-6


def test_a_cone_narrows_with_the_square_of_the_way_to_its_tip(solids) -> None:
    surface = solids.surface(solids.rod(np.zeros(3), np.array([0.0, 0.0, 50.0]), 20.0, 0.0, facets=4))
    levels = np.array([5.0, 25.0, 45.0])
    areas, _ = whole_sections(surface, np.array([0.0, 0.0, 1.0]), levels)
    assert areas == pytest.approx(2.0 * 20.0**2 * (1.0 - levels / 50.0) ** 2, abs=ROUNDING)


def test_the_axis_may_point_either_way(solids) -> None:
    surface = solids.surface(solids.block([1.0, 2.0, 3.0], [11.0, 22.0, 33.0]))
    for sign in (1.0, -1.0):
        areas, centroids = whole_sections(surface, np.array([0.0, 0.0, sign]), np.array([10.0 * sign]))
        assert areas == pytest.approx(200.0, abs=ROUNDING)
        assert centroids[0] == pytest.approx([6.0, 12.0, 10.0], abs=ROUNDING)


def test_everything_a_plane_cuts_counts_and_a_hole_does_not(solids) -> None:
    tube = solids.block([0.0, 0.0, 0.0], [10.0, 10.0, 10.0]) - solids.block([2.0, 2.0, -1.0], [4.0, 8.0, 11.0])
    both = solids.surface(tube + solids.block([30.0, 0.0, 0.0], [34.0, 10.0, 10.0]))
    areas, centroids = whole_sections(both, np.array([0.0, 0.0, 1.0]), np.array([5.0]))
    assert areas == pytest.approx([100.0 - 12.0 + 40.0], abs=ROUNDING)
    x = (100.0 * 5.0 - 12.0 * 3.0 + 40.0 * 32.0) / 128.0
    assert centroids[0] == pytest.approx([x, 5.0, 5.0], abs=ROUNDING)


def test_a_plane_through_corners_counts_no_face_twice(solids) -> None:
    surface = solids.surface(solids.block([0.0, 0.0, 0.0], [8.0, 8.0, 8.0]).refine(8))
    levels = np.unique(surface.vertices[:, 2])  # rings of corners, whole edges and, at both ends, whole faces
    assert len(levels) == 9
    areas, centroids = whole_sections(surface, np.array([0.0, 0.0, 1.0]), levels[1:-1])
    assert areas == pytest.approx(64.0, abs=ROUNDING)
    assert centroids[:, :2] == pytest.approx(4.0, abs=ROUNDING)


def test_a_plane_that_cuts_nothing_has_no_centroid(solids) -> None:
    surface = solids.surface(solids.block([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]))
    areas, centroids = whole_sections(surface, np.array([0.0, 0.0, 1.0]), np.array([-0.1, 0.5, 1.1]))
    assert areas.tolist() == [0.0, pytest.approx(1.0), 0.0]
    assert np.isnan(centroids[[0, 2]]).all()
    assert np.isfinite(centroids[1]).all()


def elliptic(solids, first_mm, second_mm):
    rod = solids.rod(np.array([0.0, 0.0, -30.0]), np.array([0.0, 0.0, 30.0]), 1.0, facets=720)
    frame = np.column_stack([*perpendicular_pair(LONG), LONG, FAR])
    return rod.scale([first_mm, second_mm, 1.0]).transform(frame)


@pytest.mark.parametrize("off", [(0.0, 0.0), (5.0, 0.0), (-3.0, 6.0)])
def test_an_ellipse_is_seen_from_anywhere_inside(solids, off) -> None:
    """Star-shaped from each of its points: area and centroid are the same from all of them."""
    surface = solids.surface(elliptic(solids, 17.0, 13.0))
    first, second = perpendicular_pair(LONG)
    center = FAR + off[0] * first + off[1] * second + 4.0 * LONG
    areas, centroids, radii = star_sections(surface, center[None], LONG)
    assert areas[0] == pytest.approx(np.pi * 17.0 * 13.0, rel=0.005)  # 72 wedges leave out 0.13 % of a circle
    assert centroids[0] == pytest.approx(FAR + 4.0 * LONG, abs=0.03)
    turn = np.arange(72) * np.radians(5.0)
    walls = off + radii[0][:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    assert (walls / [17.0, 13.0] * walls / [17.0, 13.0]).sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_the_wedges_of_a_circle_are_an_inscribed_polygon(solids) -> None:
    areas, centroids, radii = star_sections(solids.surface(elliptic(solids, 15.0, 15.0)), FAR[None], LONG, rays=36)
    assert radii.shape == (1, 36)
    assert radii == pytest.approx(15.0, abs=0.001)
    assert areas == pytest.approx(18.0 * 15.0**2 * np.sin(np.radians(10.0)), rel=1e-4)
    assert centroids[0] == pytest.approx(FAR, abs=0.001)


def test_a_body_beside_the_section_is_not_seen(solids) -> None:
    neck = elliptic(solids, 14.0, 14.0)
    beside = solids.ball(FAR + 40.0 * perpendicular_pair(LONG)[0], 20.0)
    center = (FAR + 3.0 * perpendicular_pair(LONG)[1])[None]
    alone = star_sections(solids.surface(neck), center, LONG)
    together = star_sections(solids.surface(neck + beside), center, LONG)
    whole, _ = whole_sections(solids.surface(neck + beside), LONG, np.array([LONG @ FAR]))
    assert whole[0] > 1.5 * alone[0][0]  # the plane does cut the other one
    for mine, theirs in zip(alone, together, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)


def test_a_centre_in_a_hole_has_no_section(solids) -> None:
    """Every ray meets a wall there, but from outside."""
    tube = elliptic(solids, 14.0, 14.0) - elliptic(solids, 6.0, 6.0)
    assert np.isnan(star_sections(solids.surface(tube), FAR[None], LONG)[0]).all()


def test_a_centre_outside_the_bone_has_no_section(solids) -> None:
    surface = solids.surface(elliptic(solids, 14.0, 14.0))
    centers = (
        FAR + np.array([[0.0], [15.0], [0.0]]) * perpendicular_pair(LONG)[0] + np.array([[0.0], [0.0], [31.0]]) * LONG
    )
    areas, centroids, _ = star_sections(surface, centers, LONG)
    assert np.isfinite(areas).tolist() == [True, False, False]
    assert np.isfinite(centroids).all(axis=1).tolist() == [True, False, False]

"""The head of exact bodies: a ball on a cone, flattened or not, wherever it lies; and what has no head."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.bone.head import even_faces, find_head, head_doubt_mm
from guidegen.errors import AnatomyError
from guidegen.frames import LPS, RigidTransform, angle_deg, perpendicular_pair, rotation_about, unit
from guidegen.surfaces import Surface

CENTER = np.array([-88.0, 14.0, -640.0])
EDGE_MM = 5.0
NECK = unit([-0.6, 0.3, -0.7])  # from the head down the neck


def proximal(solids, radius: float, flattened: float = 0.0):
    """A ball on a cone that widens to a rod, with `flattened` mm of its dome cut off."""
    body = solids.ball(CENTER, radius) + solids.rod(CENTER, CENTER + 70.0 * NECK, 0.55 * radius, 1.1 * radius)
    body += solids.rod(CENTER + 70.0 * NECK, CENTER + 110.0 * NECK, 1.1 * radius)
    return body.trim_by_plane(list(NECK), float(NECK @ CENTER - radius + flattened))


@pytest.mark.parametrize("radius", [18.5, 24.0, 30.0])
def test_the_head_is_the_ball(solids, radius) -> None:
    head = find_head(solids.surface(proximal(solids, radius), EDGE_MM))
    assert head.center_mm == pytest.approx(CENTER, abs=0.1)
    assert head.radius_mm == pytest.approx(radius, abs=0.1)
    # the cone takes the cap away that its circle spans on the ball
    assert head.cover == pytest.approx((1.0 + np.sqrt(1.0 - 0.6**2)) / 2.0, abs=0.08)
    assert head.rms_mm < 0.1


@pytest.mark.parametrize("flattened", [1.0, 3.0, 5.0])
def test_a_flattened_dome_does_not_pull_the_centre(solids, flattened) -> None:
    head = find_head(solids.surface(proximal(solids, 24.0, flattened), EDGE_MM))
    assert np.linalg.norm(head.center_mm - CENTER) < 0.05
    assert head.radius_mm == pytest.approx(24.0, abs=0.05)


@pytest.mark.parametrize(("depth", "radius"), [(24.0, 6.0), (14.0, 12.0)])
def test_a_knob_on_the_head_does_not_pull_the_centre(solids, depth, radius) -> None:
    """An osteophyte, and a bump as flat as the head itself is round."""
    knob = solids.ball(CENTER + depth * np.array([0.8, 0.0, 0.6]), radius)
    head = find_head(solids.surface(proximal(solids, 24.0) + knob, EDGE_MM))
    assert np.linalg.norm(head.center_mm - CENTER) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_the_head_is_found_in_any_pose(solids, seed) -> None:
    rng = np.random.default_rng(seed)
    pose = RigidTransform(rotation_about(rng.standard_normal(3), 180.0 * rng.random()), CENTER, LPS, LPS)
    head = find_head(solids.surface(proximal(solids, 22.0), EDGE_MM).transformed(pose))
    assert head.center_mm == pytest.approx(pose.points(CENTER), abs=0.1)


def test_the_condyles_are_no_heads(solids) -> None:
    """At the far end of a whole femur there are two rounds of nearly the head's size, but with half of it in bone."""
    knee = CENTER + 380.0 * NECK
    beside = 12.0 * unit(np.cross(NECK, [0.0, 0.0, 1.0]))
    whole = proximal(solids, 23.0) + solids.rod(CENTER + 70.0 * NECK, knee, 16.0, 20.0)
    whole += solids.ball(knee + beside, 26.0) + solids.ball(knee - beside, 26.0)
    assert find_head(solids.surface(whole, EDGE_MM)).center_mm == pytest.approx(CENTER, abs=0.1)


@pytest.mark.parametrize("name", ["rod", "block", "small ball", "large ball"])
def test_what_has_no_head_is_refused(solids, name) -> None:
    bodies = {
        "rod": solids.rod(np.zeros(3), np.array([0.0, 0.0, 200.0]), 24.0),
        "block": solids.block([0.0, 0.0, 0.0], [60.0, 50.0, 200.0]),
        "small ball": solids.ball(CENTER, 12.0),
        "large ball": solids.ball(CENTER, 40.0),
    }
    match = (
        r"expected a femoral head, a sphere of diameter 36–64 mm with bone on at least 54% of it; the best found: .+;"
    )
    with pytest.raises(AnatomyError, match=match):
        find_head(solids.surface(bodies[name], EDGE_MM))


@pytest.mark.parametrize("scale", [0.001, 1.0 / 25.4, 0.1, 0.6, 1.5, 2.0, 10.0])
def test_a_head_of_another_unit_is_refused(solids, scale) -> None:
    with pytest.raises(AnatomyError, match=r"the best found: .+; check that the unit is mm .* cm, m or inches"):
        find_head(solids.surface(proximal(solids, 24.0).scale([scale] * 3), EDGE_MM * scale))


@pytest.mark.parametrize(("radius", "found"), [(18.5, True), (17.5, False), (31.5, True), (32.5, False)])
def test_heads_of_36_to_64_mm_are_heads(solids, radius, found) -> None:
    body = solids.surface(proximal(solids, radius), EDGE_MM)
    if found:
        assert find_head(body).radius_mm == pytest.approx(radius, abs=0.1)
    else:
        with pytest.raises(AnatomyError, match="sphere of diameter 36–64 mm"):
            find_head(body)


class TestDoubt:
    AXES = np.stack([*perpendicular_pair(NECK), NECK])

    def test_a_perfect_ball_leaves_hardly_any(self, solids) -> None:
        surface = solids.surface(proximal(solids, 24.0), EDGE_MM)
        center, radius = head_doubt_mm(surface, find_head(surface), self.AXES)
        assert 0.0 < radius < center < 0.15

    def test_it_grows_with_what_is_no_sphere(self, solids) -> None:
        """An egg: the sphere depends on the half that is taken."""
        doubts = []
        for stretch in (1.0, 1.04, 1.08):
            body = proximal(solids, 24.0).translate(list(-CENTER)).scale([stretch, 1.0, 1.0]).translate(list(CENTER))
            surface = solids.surface(body, EDGE_MM)
            doubts.append(head_doubt_mm(surface, find_head(surface), self.AXES)[0])
        assert doubts[0] + 0.2 < doubts[1] < doubts[2] - 0.2

    def test_it_covers_the_error_of_a_noisy_surface(self, solids) -> None:
        clean = solids.surface(proximal(solids, 24.0), 1.5)
        for seed in range(5):
            noise = np.random.default_rng(seed).normal(0.0, 0.4, (len(clean.vertices), 1))
            surface = Surface(clean.vertices + noise * clean.vertex_normals, clean.faces)
            head = find_head(surface)
            assert np.linalg.norm(head.center_mm - CENTER) < head_doubt_mm(surface, head, self.AXES)[0]


def test_faces_are_taken_evenly_over_the_area(solids) -> None:
    surface = solids.surface(solids.block([0.0, 0.0, 0.0], [10.0, 20.0, 40.0]).refine(7))
    faces = even_faces(surface, 2_800)  # of 2800 mm²: one per mm²
    normals = surface.face_normals[faces]
    for axis, area in enumerate((800.0, 400.0, 200.0)):
        for sign in (1.0, -1.0):
            found = (normals[:, axis] * sign > 0.9).sum()
            assert abs(found - area) <= 12  # one more or less where a run of faces begins and ends
    assert np.array_equal(faces, even_faces(surface, 2_800))


@pytest.mark.parametrize("changes", [{}, {"collapse_mm": 2.0}])
def test_the_head_of_a_segmented_hip(specimen, changes) -> None:
    hip = specimen("right", **changes)
    head = find_head(hip.surface)
    assert head.center_mm == pytest.approx(hip.hip.truth.head_center_mm, abs=0.3)
    assert head.radius_mm == pytest.approx(24.0, abs=0.15)
    assert angle_deg(head.center_mm - hip.hip.truth.neck_isthmus_center_mm, hip.hip.truth.neck_axis) < 0.5

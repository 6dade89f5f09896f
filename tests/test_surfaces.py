"""The exact questions we ask of a surface, answered for bodies that are known in closed form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidegen.frames import LPS, FloatArray, IntArray, RigidTransform, rotation_about
from guidegen.surfaces import Surface

SIZE_MM = np.array([10.0, 20.0, 30.0])
CENTER_MM = np.array([-95.0, 40.0, 850.0])  # as far out as a hip lies

# Two triangles on each side of a box with corners (0, 0, 0) … (1, 1, 1) in the order of `product`.
BOX_FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]]
    + [[2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)


def box(size_mm: FloatArray = SIZE_MM, center_mm: FloatArray = CENTER_MM) -> Surface:
    corners = np.array(list(product((-0.5, 0.5), repeat=3)))
    return Surface(corners * size_mm + center_mm, BOX_FACES)


def sphere(radius_mm: float, subdivisions: int = 4) -> Surface:
    """An octahedron, refined; every vertex lies on the sphere about the origin."""
    vertices = np.concatenate([np.eye(3), -np.eye(3)])
    faces = np.array([[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]])
    for _ in range(subdivisions):
        vertices, faces = refined(vertices, faces)
    return Surface(vertices * radius_mm, faces)


def refined(vertices: FloatArray, faces: IntArray) -> tuple[FloatArray, IntArray]:
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
    pairs, place = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    middles = vertices[pairs].sum(axis=1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    (a, b, c), (ab, bc, ca) = faces.T, (place.reshape(-1, 3) + len(vertices)).T
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([vertices, middles]), np.concatenate([np.stack(quarter, axis=1) for quarter in quarters])


def box_distance_mm(points_mm: FloatArray) -> FloatArray:
    """The signed distance to `box()` in closed form."""
    beyond = np.abs(points_mm - CENTER_MM) - SIZE_MM / 2
    return np.asarray(np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0))


# --- volume, area, normals ---


def test_box_volume_area_bounds_and_normals() -> None:
    surface = box()
    assert surface.volume_mm3 == pytest.approx(6000.0)
    assert surface.face_areas_mm2.sum() == pytest.approx(2 * (200 + 300 + 600))
    np.testing.assert_allclose(surface.bounds_mm, [CENTER_MM - SIZE_MM / 2, CENTER_MM + SIZE_MM / 2])
    sides = np.repeat([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], 2, axis=0)
    np.testing.assert_allclose(surface.face_normals, sides, atol=1e-12)
    np.testing.assert_allclose(((surface.face_centers_mm - CENTER_MM) * sides).sum(axis=1), np.repeat(SIZE_MM / 2, 4))


def test_the_volume_of_a_body_turned_inside_out_is_negative() -> None:
    assert Surface(box().vertices, BOX_FACES[:, ::-1]).volume_mm3 == pytest.approx(-6000.0)


def test_a_sphere_of_flat_faces_is_a_little_smaller_than_the_sphere() -> None:
    surface, radius_mm = sphere(25.0), 25.0
    assert 0.99 < surface.volume_mm3 / (4 / 3 * np.pi * radius_mm**3) < 1.0
    assert 0.99 < surface.face_areas_mm2.sum() / (4 * np.pi * radius_mm**2) < 1.0


def test_vertex_normals_of_a_sphere_point_away_from_its_centre() -> None:
    surface = sphere(25.0)
    outwards = np.einsum("ij,ij->i", surface.vertex_normals, surface.vertices / 25.0)
    assert outwards.min() > np.cos(np.radians(2.0))
    np.testing.assert_allclose(np.linalg.norm(surface.vertex_normals, axis=1), 1.0)


def test_a_face_without_area_has_no_normal() -> None:
    surface = Surface(np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]]), np.array([[0, 1, 2]]))
    np.testing.assert_array_equal(surface.face_normals, [[0, 0, 0]])


# --- closed ---


def test_a_box_and_a_sphere_are_closed() -> None:
    assert box().is_closed
    assert sphere(25.0).is_closed


@pytest.mark.parametrize("face", range(len(BOX_FACES)))
def test_a_box_without_any_one_face_is_open(face: int) -> None:
    assert not Surface(box().vertices, np.delete(BOX_FACES, face, axis=0)).is_closed


def test_a_face_that_is_turned_round_opens_the_box() -> None:
    faces = BOX_FACES.copy()
    faces[3] = faces[3, ::-1]
    assert not Surface(box().vertices, faces).is_closed


def test_a_face_that_stands_twice_is_not_closed() -> None:
    assert not Surface(box().vertices, np.concatenate([BOX_FACES, BOX_FACES[:1]])).is_closed


def test_two_boxes_that_share_an_edge_are_not_closed() -> None:
    # Four faces meet at the shared edge: which of them belong together is anybody's guess.
    other = np.where(np.isin(BOX_FACES, (6, 7)), BOX_FACES - 6, BOX_FACES + 8)
    vertices = np.concatenate([box(np.ones(3), np.zeros(3)).vertices, box(np.ones(3), np.array([-1, -1, 0])).vertices])
    assert not Surface(vertices, np.concatenate([BOX_FACES, other])).is_closed


# --- distance ---


def points_about_the_box(count: int = 400) -> FloatArray:
    rng = np.random.default_rng(7)
    return CENTER_MM + rng.uniform(-1.2, 1.2, (count, 3)) * SIZE_MM


def test_signed_distance_to_a_box_is_exact() -> None:
    points_mm = points_about_the_box()
    expected_mm = box_distance_mm(points_mm)
    assert (expected_mm < 0).sum() > 20
    np.testing.assert_allclose(box().signed_distance_mm(points_mm), expected_mm, atol=1e-9)
    np.testing.assert_array_equal(box().contains(points_mm), expected_mm < 0)


def test_the_nearest_point_lies_on_the_face_that_is_named() -> None:
    points_mm, surface = points_about_the_box(), box()
    distance_mm, face, nearest_mm = surface.nearest(points_mm)
    np.testing.assert_allclose(np.linalg.norm(points_mm - nearest_mm, axis=1), distance_mm, atol=1e-9)
    np.testing.assert_allclose(distance_mm, np.abs(box_distance_mm(points_mm)), atol=1e-9)
    above_mm = np.einsum("ij,ij->i", nearest_mm - surface.face_centers_mm[face], surface.face_normals[face])
    np.testing.assert_allclose(above_mm, 0, atol=1e-9)


def test_signed_distance_to_a_sphere_is_off_by_no_more_than_its_flat_faces() -> None:
    surface, radius_mm = sphere(25.0), 25.0
    rng = np.random.default_rng(7)
    points_mm = rng.normal(size=(300, 3))
    points_mm *= rng.uniform(0, 50, (300, 1)) / np.linalg.norm(points_mm, axis=1, keepdims=True)
    # Between its vertices the mesh lies below the sphere, at most as deep as a face centre does.
    flat_mm = radius_mm - np.einsum("ij,ij->i", surface.face_centers_mm, surface.face_normals).min()
    assert flat_mm < 0.1
    over_mm = surface.signed_distance_mm(points_mm) - (np.linalg.norm(points_mm, axis=1) - radius_mm)
    assert over_mm.min() > -1e-9
    assert over_mm.max() <= flat_mm + 1e-9


@given(st.floats(-180, 180), st.tuples(*[st.floats(-500, 500)] * 3))
def test_distances_move_with_the_surface(degrees: float, shift_mm: tuple[float, float, float]) -> None:
    transform = RigidTransform(rotation_about([1, 2, -1], degrees), np.array(shift_mm), LPS, "guide")
    points_mm = points_about_the_box(20)
    moved = box().transformed(transform)
    np.testing.assert_allclose(
        moved.signed_distance_mm(transform.points(points_mm)), box_distance_mm(points_mm), atol=1e-9
    )
    assert moved.volume_mm3 == pytest.approx(6000.0)


# --- rays ---


def test_a_ray_hits_the_plane_of_the_first_face_exactly() -> None:
    slant = np.array([-1.0, 0.02, 0.03]) / np.linalg.norm([-1.0, 0.02, 0.03])
    start_mm = CENTER_MM + [100.0, 1.0, 2.0]
    way_mm, face = box().ray_hits([start_mm, start_mm], [slant, [-1.0, 0.0, 0.0]])
    np.testing.assert_allclose(way_mm, [95.0 / -slant[0], 95.0], atol=1e-9)
    np.testing.assert_allclose(box().face_normals[face], [[1, 0, 0], [1, 0, 0]])


def test_rays_to_a_slanting_plane_are_as_exact_as_float64() -> None:
    normal = np.array([0.0, 0.6, 0.8])
    edge, other = np.array([1000.0, 0, 0]), np.array([0.0, 800.0, -600.0])
    plane = Surface(
        CENTER_MM + np.stack([-edge - other, edge - other, edge + other, -edge + other]), [[0, 1, 2], [0, 2, 3]]
    )
    rng = np.random.default_rng(7)
    origins_mm = CENTER_MM + rng.uniform(-100, 100, (200, 3)) + 300.0 * normal
    directions = rng.normal(scale=0.2, size=(200, 3)) - normal
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    way_mm, face = plane.ray_hits(origins_mm, directions)
    assert (face >= 0).all()
    np.testing.assert_allclose(way_mm, (CENTER_MM - origins_mm) @ normal / (directions @ normal), rtol=1e-9)


def test_a_ray_from_inside_hits_the_wall_from_behind() -> None:
    way_mm, _ = box().ray_hits([CENTER_MM + [0, 1, 2]] * 2, [[1, 0, 0], [0, 0, -1]])
    np.testing.assert_allclose(way_mm, [5.0, 17.0], atol=1e-9)


def test_one_direction_serves_many_origins() -> None:
    origins_mm = CENTER_MM + np.array([[1.0, 2.0, 40.0], [-1.0, 3.0, 60.0]])
    np.testing.assert_allclose(box().ray_hits(origins_mm, [0, 0, -1])[0], [25.0, 45.0], atol=1e-9)


def test_a_ray_that_misses_goes_on_for_ever() -> None:
    way_mm, face = box().ray_hits([CENTER_MM + [100, 0, 0]] * 2, [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(way_mm, [np.inf, np.inf])
    np.testing.assert_array_equal(face, [-1, -1])


# --- what is no surface ---


@pytest.mark.parametrize(("vertices", "faces"), [(np.zeros((3, 2)), [[0, 1, 2]]), (np.zeros((4, 3)), [[0, 1, 2, 3]])])
def test_other_shapes_are_refused(vertices: FloatArray, faces: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"expected \(N, 3\) vertices and \(M, 3\) faces, found"):
        Surface(vertices, np.array(faces))


@pytest.mark.parametrize("faces", [[[0, 1, 3]], [[-1, 0, 1]], np.zeros((0, 3))])
def test_faces_must_name_vertices(faces: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="expected faces that name some of the 3 vertices, found others or none"):
        Surface(np.eye(3), np.array(faces))


def test_nan_is_no_vertex() -> None:
    with pytest.raises(ValueError, match="expected finite numbers, found NaN or infinity"):
        Surface(np.full((3, 3), np.nan), np.array([[0, 1, 2]]))


def test_a_surface_does_not_change_with_the_arrays_it_was_made_from() -> None:
    vertices, faces = np.eye(3), np.array([[0, 1, 2]])
    surface = Surface(vertices, faces)
    vertices[0, 0], faces[0, 0] = 9.0, 1
    assert surface.vertices[0, 0] == 1.0
    assert surface.faces[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        surface.faces[0, 0] = 1

"""How well a contact holds, for contacts whose symmetry gives the answer in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.frames import FloatArray, rotation_about, unit
from guidegen.guide.seat import CORRELATION_MM, SURFACE_ERROR_MM, seat_quality

TIP, AXIS = np.array([90.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])


def patch(normal: FloatArray, center: FloatArray, half_mm: float, count: int = 21) -> tuple[FloatArray, FloatArray]:
    """Points (K, 3) of a square at right angles to an axis of the frame, and their normals (K, 3)."""
    step = (np.arange(count) + 0.5) / count * 2.0 * half_mm - half_mm
    first, second = np.eye(3)[np.abs(normal) < 0.5]
    grid = np.stack(np.meshgrid(step, step, indexing="ij"), axis=-1).reshape(-1, 2)
    return center + grid @ np.stack([first, second]), np.tile(normal, (len(grid), 1))


def cube(half_mm: float, sides: list[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    points, normals = zip(*[patch(side, half_mm * side, half_mm) for side in sides], strict=True)
    area = np.full(sum(map(len, points)), (2.0 * half_mm) ** 2 / len(points[0]))
    return np.concatenate(points), np.concatenate(normals), area


def half_sphere(radius_mm: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evenly spread points by the golden angle, over the half with z > 0."""
    k = np.arange(4000) + 0.5
    z, turn = k / 4000, k * np.pi * (3.0 - np.sqrt(5.0))
    normals = np.c_[np.sqrt(1.0 - z**2) * np.cos(turn), np.sqrt(1.0 - z**2) * np.sin(turn), z]
    return radius_mm * normals, normals, np.full(4000, 2.0 * np.pi * radius_mm**2 / 4000)


def cylinder(radius_mm: float, wrap_deg: float, length_mm: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The part of a cylinder round y that lies within `wrap_deg` of z."""
    turn = np.radians(np.linspace(-wrap_deg, wrap_deg, 81))
    y = np.linspace(-length_mm / 2, length_mm / 2, 41)
    a, along = (grid.ravel() for grid in np.meshgrid(turn, y, indexing="ij"))
    normals = np.c_[np.sin(a), np.zeros(len(a)), np.cos(a)]
    points = radius_mm * normals + np.c_[np.zeros(len(a)), along, np.zeros(len(a))]
    area = 2.0 * np.radians(wrap_deg) * radius_mm * length_mm / len(a)
    return points, normals, np.full(len(a), area)


Z = np.array([0.0, 0.0, 1.0])


def test_a_flat_patch_holds_no_motion_in_its_plane() -> None:
    points, normals = patch(Z, np.zeros(3), 10.0)
    _, holding, weakest = seat_quality(points, normals, np.ones(len(points)), TIP, AXIS)
    np.testing.assert_allclose(holding[:3], 0.0, atol=1e-12)
    assert (holding[3:] > 0.1).all()
    # in the plane, or round its normal: no part along z, no tilt
    np.testing.assert_allclose(weakest[[2, 3, 4]], 0.0, atol=1e-9)


def test_a_half_sphere_holds_no_rotation_about_its_centre() -> None:
    points, normals, areas = half_sphere(20.0)
    _, holding, weakest = seat_quality(points, normals, areas, TIP, AXIS)
    np.testing.assert_allclose(holding[:3], 0.0, atol=1e-9)
    assert (holding[3:] > 0.1).all()
    center = points.mean(axis=0)
    lever = np.sqrt(((points - center) ** 2).sum(axis=1).mean())
    move, turn = weakest[:3], weakest[3:] / lever
    np.testing.assert_allclose(move + np.cross(turn, -center), 0.0, atol=1e-9)  # the sphere's centre stays


def test_the_centre_of_a_sphere_is_known_whatever_the_rotation() -> None:
    points, normals, areas = half_sphere(20.0)
    error, _, _ = seat_quality(points, normals, areas, np.zeros(3), AXIS)
    patches = 2.0 * np.pi * 20.0**2 / (2.0 * np.pi * CORRELATION_MM**2)
    # over half a sphere the mean of n nᵀ is one third of the identity
    assert error == pytest.approx(SURFACE_ERROR_MM * np.sqrt(2.0 * 3.0 / patches), rel=1e-3)


def test_a_cylinder_holds_neither_slide_nor_roll() -> None:
    points, normals, areas = cylinder(15.0, 70.0, 55.0)
    _, holding, weakest = seat_quality(points, normals, areas, TIP, AXIS)
    np.testing.assert_allclose(holding[:2], 0.0, atol=1e-12)
    assert holding[2] > 0.01
    np.testing.assert_allclose(weakest[[2, 3, 5]], 0.0, atol=1e-9)  # along y or round it: nothing lifts or tilts


def test_a_corner_of_a_box_holds_everything() -> None:
    points, normals, areas = cube(10.0, list(np.eye(3)))
    _, holding, _ = seat_quality(points, normals, areas, TIP, AXIS)
    assert holding.min() > 0.01


def test_all_round_a_cube_the_tip_error_has_a_closed_form() -> None:
    half = 10.0
    points, normals, areas = cube(half, [*np.eye(3), *-np.eye(3)])
    error, holding, _ = seat_quality(points, normals, areas, TIP, AXIS)
    np.testing.assert_allclose(holding, [2 / 15] * 3 + [1 / 3] * 3, rtol=5e-3)
    lever = half * np.sqrt(5.0 / 3.0)
    patches = 24.0 * half**2 / (2.0 * np.pi * CORRELATION_MM**2)
    variance = 2.0 * 3.0 + 2.0 * 7.5 * (90.0 / lever) ** 2  # sideways of x: two shifts and two turns
    assert error == pytest.approx(SURFACE_ERROR_MM * np.sqrt(variance / patches), rel=5e-3)


def test_an_error_along_the_drill_does_not_count() -> None:
    points, normals, areas = cube(10.0, [*np.eye(3), *-np.eye(3)])
    near = np.zeros(3)  # in the middle of the contact turns move nothing
    error, _, _ = seat_quality(points, normals, areas, near, AXIS)
    patches = 2400.0 / (2.0 * np.pi * CORRELATION_MM**2)
    assert error == pytest.approx(SURFACE_ERROR_MM * np.sqrt(2.0 * 3.0 / patches), rel=5e-3)


def test_turning_and_moving_everything_changes_nothing() -> None:
    points, normals, areas = cylinder(15.0, 70.0, 55.0)
    normals = unit(normals + 0.05 * np.sin(points))  # a bone's small bumps, which hold it a little
    turn, move = rotation_about([1.0, 2.0, -1.0], 77.0), np.array([30.0, -200.0, 640.0])
    here = seat_quality(points, normals, areas, TIP, AXIS)
    there = seat_quality(points @ turn.T + move, normals @ turn.T, areas, turn @ TIP + move, turn @ AXIS)
    assert there[0] == pytest.approx(here[0], rel=1e-6)
    np.testing.assert_allclose(there[1], here[1], atol=1e-9)


def test_the_less_a_contact_holds_the_larger_is_the_error() -> None:
    def bumpy(size: float) -> float:
        points, normals, areas = cylinder(15.0, 70.0, 55.0)
        return seat_quality(points, unit(normals + size * np.sin(points)), areas, TIP, AXIS)[0]

    errors = [bumpy(size) for size in (0.2, 0.1, 0.03, 0.01)]
    assert errors == sorted(errors)
    assert errors[-1] > 5.0 * errors[0]

"""The machined parts against their closed forms, and the solids made of them."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.errors import NoSafeGuide
from guidegen.frames import angle_deg
from guidegen.guide import parts
from guidegen.guide.solids import along_axis, bore, part_solid, placed, to_solid, to_surface


def frustum_mm3(height_mm: float, bottom_mm: float, top_mm: float) -> float:
    """Volume of a cone's frustum, from diameters."""
    a, b = bottom_mm / 2, top_mm / 2
    return float(np.pi * height_mm / 3 * (a * a + a * b + b * b))


def made(name: str, *measures: object) -> object:
    return part_solid(parts.make(name, *measures), name)


def test_the_sleeve_has_the_volume_of_its_four_stretches() -> None:
    length, outer, collar, collar_height = 45.0, 14.2, 18.2, 4.0
    solid = made("sleeve", length, outer, collar, collar_height, 0.0)
    neck, shoulder, edge = length - collar_height, (collar - outer) / 2, parts.EDGE_MM
    volume = (
        frustum_mm3(neck - shoulder, outer, outer)
        + frustum_mm3(shoulder, outer, collar)
        + frustum_mm3(collar_height - edge, collar, collar)
        + frustum_mm3(edge, collar, collar - 2 * edge)
    )
    assert solid.volume() == pytest.approx(volume, rel=0.01)
    assert to_surface(solid).is_closed
    np.testing.assert_allclose(to_surface(solid).bounds_mm[:, 2], [0.0, length], atol=1e-6)


def test_a_collar_with_flats_is_as_wide_between_them_as_asked_and_round_elsewhere() -> None:
    surface = to_surface(made("sleeve", 45.0, 16.2, 24.0, 4.0, 20.0))
    low, high = surface.bounds_mm
    np.testing.assert_allclose([low[0], high[0]], [-10.0, 10.0], atol=1e-6)
    np.testing.assert_allclose([low[1], high[1]], [-12.0, 12.0], atol=0.02)
    flat = np.abs(surface.face_normals[:, 0]) > 1.0 - 1e-9
    assert np.abs(surface.face_centers_mm[flat, 0]) == pytest.approx(np.full(flat.sum(), 10.0))
    assert surface.face_areas_mm2[flat].sum() > 2.0 * 13.0 * 3.0  # 13 mm broad, all but the edge of the collar's height


def test_a_rail_is_a_block_with_a_round_groove_down_its_face() -> None:
    """A wire of 2 mm lies in a groove 2 mm wide and 0.8 deep with its middle 0.2 over the rail's face."""
    length, width, height, groove, depth = 30.0, 5.0, 10.1, 2.0, 0.8
    surface = to_surface(made("rail", length, width, height, groove, depth))
    np.testing.assert_allclose(surface.bounds_mm, [[0.0, -2.5, 0.0], [height, 2.5, length]], atol=1e-6)
    along = np.linspace(1.0, 29.0, 8)
    for y, deep in ((0.0, depth), (1.2, 0.0), (-1.2, 0.0)):
        start = np.stack([np.full(8, 20.0), np.full(8, y), along], axis=1)
        way, _ = surface.ray_hits(start, np.array([-1.0, 0.0, 0.0]))
        np.testing.assert_allclose(20.0 - way, height - deep, atol=0.02)


def test_the_boss_is_a_chamfered_cylinder() -> None:
    solid = made("boss", 12.0, 7.0)
    volume = frustum_mm3(12.0 - parts.EDGE_MM, 7.0, 7.0) + frustum_mm3(parts.EDGE_MM, 7.0, 7.0 - 2 * parts.EDGE_MM)
    assert solid.volume() == pytest.approx(volume, rel=0.01)
    assert to_surface(solid).is_closed


def test_the_plate_is_a_box_with_round_corners() -> None:
    solid = made("plate", 20.0, 12.0, 5.0)
    corners = (4.0 - np.pi) * parts.PLATE_EDGE_MM**2
    assert solid.volume() == pytest.approx((20.0 * 12.0 - corners) * 5.0, rel=1e-3)
    np.testing.assert_allclose(to_surface(solid).bounds_mm, [[-10.0, -6.0, -5.0], [10.0, 6.0, 0.0]], atol=1e-6)


def test_letters_stand_in_reading_order_and_are_as_deep_as_asked() -> None:
    letters = parts.make("letters", ("I.", "I"), 4.0, 5.2, 0.6, False)
    low = np.stack([vertices.min(axis=0) for vertices, _ in letters])
    high = np.stack([vertices.max(axis=0) for vertices, _ in letters])
    assert len(letters) == 3
    np.testing.assert_allclose(low[:, 2], -0.6, atol=1e-9)
    np.testing.assert_allclose(high[:, 2], 1.0, atol=1e-9)
    assert high[0, 0] < low[1, 0]  # the point stands to the right of its I
    assert high[2, 1] < low[0, 1]  # the second line below the first


def test_raised_letters_stand_on_the_plate_and_in_it() -> None:
    (letter,) = parts.make("letters", ("I",), 4.0, 5.2, 0.6, True)
    assert (letter[0][:, 2].min(), letter[0][:, 2].max()) == (pytest.approx(-parts.ROOTED_MM), pytest.approx(0.6))


@pytest.mark.parametrize("lines", [("T001", "LEFT"), ("6K6Y", "LEFT"), ("0123456789", "RIGHT"), ("B8-a_g.j", "LEFT")])
def test_all_letters_are_solids(lines: tuple[str, ...]) -> None:
    for vertices, faces in parts.make("letters", lines, 4.0, 5.2, 0.6, False):
        assert to_solid(vertices, faces, "a letter").volume() > 0.1


def test_a_bore_is_nowhere_under_its_size_and_hardly_over() -> None:
    start, end, diameter = np.array([3.0, -4.0, 5.0]), np.array([-20.0, 11.0, 40.0]), 8.2
    surface = to_surface(bore(start, end, diameter))
    axis = (end - start) / np.linalg.norm(end - start)
    sides = np.abs(surface.face_normals @ axis) < 0.5
    reach = ((surface.face_centers_mm - start) * surface.face_normals).sum(axis=1)[sides]
    np.testing.assert_allclose(reach, diameter / 2, atol=1e-9)  # every side touches the round hole from outside
    corners = surface.vertices - start
    away = np.linalg.norm(corners - (corners @ axis)[:, None] * axis, axis=1)
    assert away.max() < diameter / 2 + 0.002
    along = corners @ axis
    np.testing.assert_allclose([along.min(), along.max()], [0.0, np.linalg.norm(end - start)], atol=1e-9)


def test_a_part_is_placed_with_its_axis_along_the_direction() -> None:
    point, direction = np.array([10.0, -20.0, 30.0]), np.array([2.0, -1.0, 2.0]) / 3.0
    surface = to_surface(placed(made("boss", 9.0, 6.0), along_axis(point, direction)))
    along = (surface.vertices - point) @ direction
    np.testing.assert_allclose([along.min(), along.max()], [0.0, 9.0], atol=1e-6)
    middle = surface.vertices[along < 1e-6].mean(axis=0)
    np.testing.assert_allclose(middle, point, atol=1e-6)
    assert angle_deg(along_axis(point, direction).vectors([0.0, 0.0, 1.0]), direction) == pytest.approx(0.0, abs=1e-9)


def test_an_open_part_is_refused() -> None:
    vertices, faces = parts.make("boss", 9.0, 6.0)[0]
    with pytest.raises(NoSafeGuide, match=r"expected a closed solid for a boss, found .*NotManifold"):
        to_solid(vertices, faces[1:], "a boss")

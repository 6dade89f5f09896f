"""Solids for exact booleans: what goes in comes out, and what is no solid is refused."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import block, sphere

from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.guide.solids import (
    ROUND_SEGMENTS,
    along_axis,
    bore,
    part_solid,
    placed,
    to_solid,
    to_surface,
    welded,
)
from guidegen.surfaces import Surface
from guidegen.written import is_sound

BOX = block([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])


def test_a_solid_and_its_surface_are_the_same() -> None:
    surface = to_surface(BOX)
    assert surface.volume_mm3 == pytest.approx(60.0)
    assert to_solid(surface.vertices, surface.faces, "a box").volume() == pytest.approx(60.0)


def test_an_open_surface_is_no_solid() -> None:
    surface = to_surface(BOX)
    with pytest.raises(NoSafeGuide, match=r"expected a closed solid for a lid, found .*NotManifold; report") as refusal:
        to_solid(surface.vertices, surface.faces[:-1], "a lid")
    assert refusal.value.rule == "solid"


def test_a_part_is_the_union_of_its_meshes() -> None:
    """Letters of a line may touch: what is in both counts once."""
    other = to_surface(block([3.0, 2.0, 3.0], [5.0, 6.0, 8.0]))
    mine = to_surface(BOX)
    part = [(mine.vertices, mine.faces), (other.vertices, other.faces)]
    assert part_solid(part, "two boxes").volume() == pytest.approx(80.0)


@pytest.mark.parametrize("direction", [[0.0, 0.0, 1.0], [0.0, 0.0, -2.0], [1.0, -2.0, 0.5]])
def test_the_frame_along_an_axis(direction: list[float]) -> None:
    frame = along_axis(np.array([5.0, 6.0, 7.0]), np.array(direction))
    np.testing.assert_allclose(frame.points(np.zeros(3)), [5.0, 6.0, 7.0])
    way = np.array(direction) / np.linalg.norm(direction)
    np.testing.assert_allclose(frame.vectors(np.array([0.0, 0.0, 1.0])), way, atol=1e-12)


def test_a_placed_solid_is_where_its_surface_would_be() -> None:
    frame = RigidTransform(rotation_about([1.0, 2.0, 3.0], 40.0), np.array([10.0, -20.0, 30.0]), LPS, LPS)
    moved = to_surface(placed(BOX, frame))
    np.testing.assert_allclose(
        np.sort(moved.vertices, axis=0), np.sort(frame.points(to_surface(BOX).vertices), axis=0), atol=1e-9
    )


def test_a_bore_is_never_under_its_size_and_hardly_over_it() -> None:
    """Its flats touch the round; its corners stand out by a 3000th of the radius."""
    start, end = np.array([1.0, 2.0, 3.0]), np.array([4.0, 8.0, 5.0])
    tool = to_surface(bore(start, end, 8.2))
    axis = (end - start) / 7.0
    along = (tool.vertices - start) @ axis
    away = np.linalg.norm(tool.vertices - start - along[:, None] * axis, axis=1)
    assert (along.min(), along.max()) == (pytest.approx(0.0, abs=1e-9), pytest.approx(7.0))
    np.testing.assert_allclose(away, 4.1 / np.cos(np.pi / ROUND_SEGMENTS))
    assert away.max() < 4.1 + 0.0015
    flats = np.pi * 4.1**2 * 7.0
    assert flats < tool.volume_mm3 < 1.0003 * flats


def test_corners_nearer_than_asked_are_made_one() -> None:
    """A ball cut a hair beside its equator: the slivers go, the ball stays."""
    ball = sphere(10.0, 64)
    cut = to_surface(to_solid(ball.vertices, ball.faces, "a ball").trim_by_plane((0.0, 0.0, 1.0), -1e-5))
    mended = welded(cut, 1e-3)
    assert len(mended.vertices) < len(cut.vertices)
    assert is_sound(mended)
    assert mended.volume_mm3 == pytest.approx(cut.volume_mm3, rel=1e-5)
    far = welded(ball, 1e-6)
    assert (len(far.vertices), len(far.faces)) == (len(ball.vertices), len(ball.faces))


def test_no_corner_is_left_that_no_face_uses() -> None:
    surface = Surface(
        np.array([[0.0, 0.0, 0.0], [1e-6, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        np.array([[0, 3, 2], [0, 2, 4], [2, 3, 4], [3, 0, 4], [0, 1, 2]]),
    )
    mended = welded(surface, 1e-3)
    assert mended.vertices.shape == (4, 3)
    assert mended.faces.shape == (4, 3)
    assert mended.volume_mm3 == pytest.approx(1.0 / 6.0)

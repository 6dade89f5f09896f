"""What an STL can hold: float32 corners that are still one sound solid."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.guide.solids import to_surface
from guidegen.surfaces import Surface
from guidegen.written import SMALLEST_FACE_MM2, TOLERANCES_MM, as_written, crossing_faces, is_sound

FAR_MM = np.array([-181.3, 310.7, -640.9])  # where float32 has steps of 0.06 µm


def far(solid: m3.Manifold) -> Surface:
    surface = to_surface(solid)
    return Surface(surface.vertices + FAR_MM, surface.faces)


def block(low: list[float], high: list[float]) -> m3.Manifold:
    return m3.Manifold.cube(list(np.subtract(high, low))).translate(low)


def joined(*surfaces: Surface) -> Surface:
    """Several surfaces as one, whatever they do to each other."""
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces[:-1])])
    faces = [surface.faces + start for surface, start in zip(surfaces, starts, strict=True)]
    return Surface(np.concatenate([surface.vertices for surface in surfaces]), np.concatenate(faces))


def drilled() -> Surface:
    """A ball with slanted bores that cut each other: the kind of faces that booleans leave."""
    solid = m3.Manifold.sphere(20.0, 160)
    for degrees in (10.0, 37.0, 61.0):
        solid -= m3.Manifold.cylinder(60.0, 4.1, 4.1, 120, True).rotate((degrees, degrees / 3, 0.0))
    return far(solid)


def needled(width_mm: float) -> Surface:
    """A box whose top has needles: faces that are only `width_mm` high."""
    box = far(block([0.0, 0.0, 0.0], [10.0, 12.0, 14.0]))
    top = np.flatnonzero(box.vertices[:, 2] > FAR_MM[2] + 7.0)
    vertices, faces = [*box.vertices], []
    for face in box.faces:
        if not np.isin(face, top).all():
            faces.append(face)
            continue
        corners = box.vertices[face]
        # a fan round a point next to the middle of the face's first side
        faces.extend([face[k], face[(k + 1) % 3], len(vertices)] for k in range(3))
        inwards = corners[2] - (corners[0] + corners[1]) / 2
        vertices.append((corners[0] + corners[1]) / 2 + width_mm * inwards / np.linalg.norm(inwards))
    return Surface(np.array(vertices), np.array(faces))


# --- as_written ---


@pytest.mark.parametrize(
    "surface", [drilled(), needled(1e-3), far(m3.Manifold.sphere(24.0, 96))], ids=["drilled", "needles", "ball"]
)
def test_what_is_written_is_float32_sound_and_near(surface: Surface) -> None:
    written = as_written(surface)
    assert written is not None
    np.testing.assert_array_equal(written.vertices, written.vertices.astype(np.float32))
    assert written.is_closed
    assert crossing_faces(written) == 0
    assert written.face_areas_mm2.min() >= SMALLEST_FACE_MM2
    assert surface.nearest(written.vertices)[0].max() < max(TOLERANCES_MM)
    assert written.nearest(surface.vertices)[0].max() < 2 * max(TOLERANCES_MM)
    assert written.volume_mm3 == pytest.approx(surface.volume_mm3, rel=1e-3)


def test_corners_are_different_as_a_file_would_merge_them() -> None:
    written = as_written(drilled())
    assert written is not None
    assert len(np.unique(written.vertices.astype(np.float32), axis=0)) == len(written.vertices)
    assert len(np.unique(written.faces)) == len(written.vertices)


@pytest.mark.parametrize("width_mm", [1e-5, 1e-4, 2e-3])
def test_needles_are_cleaned_away(width_mm: float) -> None:
    surface = needled(width_mm)
    assert surface.is_closed
    written = as_written(surface)
    assert written is not None
    sides = np.linalg.norm(
        written.vertices[np.roll(written.faces, -1, axis=1)] - written.vertices[written.faces], axis=2
    )
    heights = 2.0 * written.face_areas_mm2 / sides.max(axis=1)
    assert heights.min() > 2e-3
    assert written.volume_mm3 == pytest.approx(10.0 * 12.0 * 14.0, rel=1e-4)


def test_what_is_written_once_is_written_the_same_again() -> None:
    first, second = as_written(drilled()), as_written(drilled())
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(second.vertices, first.vertices)
    np.testing.assert_array_equal(second.faces, first.faces)


def test_an_open_surface_is_refused() -> None:
    whole = drilled()
    assert as_written(Surface(whole.vertices, whole.faces[1:])) is None


def test_a_surface_turned_inside_out_is_not_made_a_solid() -> None:
    whole = far(m3.Manifold.sphere(10.0, 32))
    written = as_written(Surface(whole.vertices, whole.faces[:, ::-1]))
    assert written is None or written.volume_mm3 < 0.0


# --- sound ---


def test_faces_that_cross_are_counted() -> None:
    plate = far(block([-10.0, -10.0, -1.0], [10.0, 10.0, 1.0]))
    rod = far(block([3.0, 0.5, -8.0], [5.0, 2.5, 8.0]))  # off the diagonals of the plate
    both = joined(plate, rod)
    assert both.is_closed
    # the rod's 4 sides are 2 triangles each, and pierce one triangle of either face of the plate
    assert crossing_faces(both) == 8 + 2
    assert not is_sound(both)


def test_bodies_beside_each_other_and_shared_edges_do_not_cross() -> None:
    apart = joined(far(block([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])), far(block([2.0, 0.0, 0.0], [3.0, 1.0, 1.0])))
    assert crossing_faces(apart) == 0
    assert is_sound(apart)


def test_a_face_without_area_is_not_sound() -> None:
    assert not is_sound(needled(1e-12))


def test_an_open_surface_is_not_sound() -> None:
    whole = far(block([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]))
    assert is_sound(whole)
    assert not is_sound(Surface(whole.vertices, whole.faces[1:]))

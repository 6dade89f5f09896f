"""Necrotic arcs of caps, cones and balls against their closed form."""

from __future__ import annotations

import numpy as np
import pytest
from head_phantom import CT_MM, RADIUS_MM, HeadPhantom, arc_deg, ball, cap, cone

from guidegen.frames import rotation_about
from guidegen.lesion.arcs import Arc, angle_deg, kerboul_deg, koo_kim_index, necrotic_arc
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.extension import extended_lesion
from guidegen.lesion.head_frame import fan, femoral_frame
from guidegen.lesion.lattice import lattice
from guidegen.lesion.necrotic_surface import Necrosis

OBLIQUE = rotation_about([1.0, 3.0, -2.0], 29.0)


def necrosis_of(phantom: HeadPhantom, inside, template, spacing_mm=CT_MM, direction=OBLIQUE):
    """The necrosis and the femoral frame of a phantom's lesion."""
    lesion = phantom.lesion(inside, spacing_mm, direction)
    voxels = lattice(lesion.points_mm, lesion.volume_mm3 / len(lesion.points_mm))
    frame, bone = femoral_frame(phantom.anatomy(template)), phantom.bone
    return Necrosis(voxels, extended_lesion(voxels, bone, frame), bone, Definitions()), frame


@pytest.mark.parametrize("plane", ["coronal", "sagittal"])
@pytest.mark.parametrize(("shape", "half_deg"), [(cone, 30.0), (cone, 62.0), (cap, 42.0), (cap, 60.0)])
@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.3, 0.2, 1.0), (-0.1, 0.35, 1.0)])
def test_caps_and_cones_are_measured_within_three_degrees(ct, shape, half_deg, axis, plane) -> None:
    phantom = HeadPhantom("left", rotation_about([1.0, 1.0, 0.0], 12.0))
    necrosis, frame = necrosis_of(phantom, shape(axis, half_deg), ct.anatomy)
    arc = necrotic_arc(necrosis, frame, plane, 0.0)
    start, end = arc_deg(axis, half_deg, plane)
    assert arc.angle_deg == pytest.approx(end - start, abs=3.0)
    assert arc.start_deg == pytest.approx(start, abs=2.5)
    assert arc.end_deg == pytest.approx(end, abs=2.5)
    assert arc.necrotic_deg == pytest.approx(arc.angle_deg, abs=1.0)


def test_a_ball_counts_where_it_comes_within_the_band(ct) -> None:
    """Its widest angle at a radius between R − k and R."""
    out, radius = 16.0, 12.0
    necrosis, frame = necrosis_of(HeadPhantom(), ball((0.0, 0.0, out), radius), ct.anatomy)
    way = np.linspace(RADIUS_MM - necrosis.band_mm, RADIUS_MM, 200)
    half = np.degrees(np.arccos((out**2 + way**2 - radius**2) / (2.0 * out * way))).max()
    assert necrosis.band_mm == 2.5
    assert angle_deg(necrotic_arc(necrosis, frame, "coronal", 0.0)) == pytest.approx(2.0 * half, abs=3.0)


def test_a_lesion_deeper_than_the_band_has_no_arc(ct) -> None:
    necrosis, frame = necrosis_of(HeadPhantom(), ball((0.0, 0.0, 8.0), 11.0), ct.anatomy)
    assert necrotic_arc(necrosis, frame, "coronal", 0.0) is None
    assert angle_deg(None) == 0.0


def test_the_arc_ends_at_the_head_neck_junction(ct) -> None:
    """A necrosis of the whole head ends 120° from the neck axis: cos 120° = −0.5, half a radius below the centre."""
    necrosis, frame = necrosis_of(HeadPhantom(), lambda at: at[..., 2] < 99.0, ct.anatomy)
    arc = necrotic_arc(necrosis, frame, "coronal", 0.0)
    assert arc.start_deg == pytest.approx(53.0 - 120.0, abs=0.5)
    assert arc.end_deg == pytest.approx(53.0 + 120.0, abs=0.5)


def test_a_gap_between_two_pieces_belongs_to_the_angle_but_not_to_the_necrosis(ct) -> None:
    def two(at):
        return cone((-0.5, 0.0, 1.0), 15.0)(at) | cone((0.5, 0.0, 1.0), 15.0)(at)

    necrosis, frame = necrosis_of(HeadPhantom(), two, ct.anatomy)
    arc = necrotic_arc(necrosis, frame, "coronal", 0.0)
    assert arc.angle_deg == pytest.approx(2.0 * (np.degrees(np.arctan(0.5)) + 15.0), abs=3.0)
    assert arc.necrotic_deg == pytest.approx(60.0, abs=4.0)


def test_a_sunken_dome_hides_no_necrosis(ct) -> None:
    """The depth counts from the bone's own surface: a dome cut off 5 mm below the sphere, the lesion right under it."""
    import manifold3d as m3

    from guidegen.surfaces import Surface

    flat = RADIUS_MM - 5.0
    phantom = HeadPhantom()
    body = m3.Manifold.sphere(RADIUS_MM, 200).trim_by_plane([0.0, 0.0, -1.0], -flat).to_mesh64()
    vertices = np.asarray(body.vert_properties)[:, :3] + phantom.lps(np.zeros(3))
    bone = Surface(vertices, np.asarray(body.tri_verts).astype(np.int64))
    lesion = phantom.lesion(lambda at: cone((0.0, 0.0, 1.0), 30.0)(at) & (at[..., 2] < flat))
    voxels = lattice(lesion.points_mm, 0.49)
    frame = femoral_frame(phantom.anatomy(ct.anatomy))
    necrosis = Necrosis(voxels, extended_lesion(voxels, bone, frame), bone, Definitions())
    assert angle_deg(necrotic_arc(necrosis, frame, "sagittal", 0.0)) == pytest.approx(60.0, abs=3.0)


def test_a_plane_off_the_centre_sees_a_smaller_circle(ct) -> None:
    """A cap round superior, cut 6 mm in front of the centre: its edge lies on a circle of radius √(R² − 36)."""
    necrosis, frame = necrosis_of(HeadPhantom(), cap((0.0, 0.0, 1.0), 55.0), ct.anatomy)
    height, circle = RADIUS_MM * np.cos(np.radians(55.0)), np.sqrt(RADIUS_MM**2 - 36.0)
    expected = 2.0 * np.degrees(np.arccos(height / circle))
    assert angle_deg(necrotic_arc(necrosis, frame, "coronal", 6.0)) == pytest.approx(expected, abs=3.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_fan_turns_from_superior_to_medial_and_to_anterior(ct, side) -> None:
    frame = femoral_frame(HeadPhantom(side).anatomy(ct.anatomy))
    medial = np.array([-1.0 if side == "left" else 1.0, 0.0, 0.0])
    for plane, at_90 in (("coronal", medial), ("sagittal", np.array([0.0, -1.0, 0.0]))):
        rays = fan(frame, plane)
        near = np.abs(rays.angles_deg - 90.0).argmin()
        assert rays.directions[near] @ at_90 == pytest.approx(1.0, abs=1e-4)
        assert rays.directions[np.abs(rays.angles_deg).argmin()] @ [0.0, 0.0, 1.0] == pytest.approx(1.0, abs=1e-4)


def test_the_sum_and_the_index() -> None:
    assert kerboul_deg(110.0, 95.0) == 205.0
    assert koo_kim_index(90.0, 120.0) == pytest.approx(100.0 / 3.0)
    assert Arc("coronal", -20.0, 50.0, 70.0).angle_deg == 70.0

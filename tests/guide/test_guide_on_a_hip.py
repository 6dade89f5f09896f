"""The whole guide on a made-up hip: sound, off the bone everywhere, free to come off, and bound to its hip."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from planned_hip import Planned

from guidegen.bone.surface import Bone
from guidegen.check.mesh import bodies
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, angle_deg, perpendicular_pair, rotation_about
from guidegen.guide.guide import Guide
from guidegen.plan.fit import print_clearance
from guidegen.surfaces import Surface
from guidegen.written import is_sound

MOTION = RigidTransform(rotation_about([1.0, -2.0, 0.5], 33.0), np.array([120.0, -300.0, 250.0]), LPS, LPS)
MIRROR = np.array([-1.0, 1.0, 1.0])


def samples(surface: Surface, count: int) -> FloatArray:
    """Points (count, 3) spread evenly over a surface, the same ones every time."""
    random = np.random.default_rng(0)
    face = random.choice(len(surface.faces), count, p=surface.face_areas_mm2 / surface.face_areas_mm2.sum())
    u, v = np.sqrt(random.random((count, 1))), random.random((count, 1))
    a, b, c = (surface.vertices[surface.faces[face, k]] for k in range(3))
    return np.asarray((1.0 - u) * a + u * (1.0 - v) * b + u * v * c)


def in_rod(start: FloatArray, end: FloatArray, radius_mm: float) -> FloatArray:
    """Points (K, 3) all through a rod, its mantle included."""
    axis = (end - start) / np.linalg.norm(end - start)
    first, second = perpendicular_pair(axis)
    turn = np.arange(0.0, 2.0 * np.pi, 0.2)
    along = np.linspace(0.0, 1.0, 80)[:, None, None, None] * (end - start)
    spokes = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    radii = radius_mm * np.linspace(0.0, 1.0, 5)[:, None, None]
    return np.asarray((start + along + radii * spokes).reshape(-1, 3))


def moved(value: Any, points: Any, vectors: Any) -> Any:
    """A frozen value with its places (…_mm) and its directions (…axis) carried along; numbers stay."""
    carried = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if isinstance(held, np.ndarray) and held.shape[-1] == 3:  # not the outline of a tool's end
            carried[field.name] = (vectors if field.name.endswith("axis") else points)(held)
    return replace(value, **carried)


# --- sound ---


def test_it_is_one_sound_solid(guide: Guide) -> None:
    assert is_sound(guide.surface)
    assert bodies(guide.surface) == 1
    assert guide.surface.volume_mm3 > 10_000.0
    np.testing.assert_array_equal(guide.surface.vertices, guide.surface.vertices.astype(np.float32))


# --- off the bone ---


def test_every_point_keeps_its_clearance(planned: Planned, guide: Guide) -> None:
    bone = planned.bone.surface
    assert guide.clearance_mm == print_clearance(planned.printer, planned.bone.error_mm)
    assert bone.signed_distance_mm(guide.surface.vertices).min() >= guide.clearance_mm - 0.06
    assert bone.signed_distance_mm(samples(guide.surface, 50_000)).min() >= guide.clearance_mm - 0.06
    assert not guide.surface.contains(samples(bone, 50_000)).any()


def test_the_contact_lies_at_the_clearance(planned: Planned, guide: Guide) -> None:
    bone, surface = planned.bone.surface, guide.surface
    distance, face, _ = bone.nearest(surface.face_centers_mm)
    opposed = (surface.face_normals * bone.face_normals[face]).sum(axis=1) < -0.9
    contact = opposed & (distance < guide.clearance_mm + 1.0)
    area = surface.face_areas_mm2[contact]
    assert np.average(distance[contact], weights=area) == pytest.approx(guide.clearance_mm, abs=0.05)
    assert area.sum() == pytest.approx(guide.contact_area_mm2, rel=0.2)
    assert guide.contact_area_mm2 > 1000.0


def test_it_comes_off_along_the_removal_direction(planned: Planned, guide: Guide) -> None:
    bone, way = planned.bone.surface, guide.seat.removal_direction
    points = np.concatenate([guide.surface.vertices, samples(guide.surface, 200_000)])
    ahead, _ = bone.ray_hits(points, way)
    assert np.isinf(ahead).all(), "bone lies in the way"
    for step_mm in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        gone = guide.surface.vertices + step_mm * way
        assert bone.signed_distance_mm(gone).min() > 0.0


# --- bores ---


def test_the_drill_goes_freely_from_sleeve_to_target(planned: Planned, guide: Guide) -> None:
    (sleeve,) = guide.sleeves
    tunnel = planned.tunnel
    drill = in_rod(sleeve.top_mm - 5.0 * tunnel.axis, tunnel.target_mm, sleeve.inner_diameter_mm / 2 - 0.005)
    assert not guide.surface.contains(drill).any()
    assert sleeve.inner_diameter_mm == pytest.approx(8.2)
    off = np.cross(sleeve.top_mm - tunnel.entry_mm, tunnel.axis)
    np.testing.assert_allclose(off, 0.0, atol=1e-9)


def test_the_sleeve_holds_the_drill_all_round(planned: Planned, guide: Guide) -> None:
    (sleeve,), axis = guide.sleeves, planned.tunnel.axis
    asked = planned.template.sleeve.guided_length_mm
    assert asked <= sleeve.guided_length_mm < asked + 7.0  # the kit's stops are 5 mm apart, and 2 are to spare
    first, second = perpendicular_pair(axis)
    turn = np.arange(0.0, 2.0 * np.pi, 0.05)
    spokes = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    along = sleeve.top_mm + np.linspace(0.2, sleeve.guided_length_mm - 0.2, 60)[:, None] * axis
    wall = (along[:, None] + (sleeve.inner_diameter_mm / 2 + 0.05) * spokes).reshape(-1, 3)
    assert guide.surface.contains(wall).all()
    outer = (along[:45, None] + (sleeve.outer_diameter_mm / 2 - 0.9) * spokes).reshape(-1, 3)  # a wall of 2 mm
    assert guide.surface.contains(outer).all()  # but for the lowest part, where the bone's slope cuts it


def test_the_sleeve_ends_where_the_depth_is_read(planned: Planned, guide: Guide) -> None:
    """As far off the cortex as one of the kit's stops is made for, and as planned."""
    (sleeve,), tunnel = guide.sleeves, planned.tunnel
    assert np.linalg.norm(sleeve.top_mm - tunnel.entry_mm) == pytest.approx(sleeve.offset_mm)
    assert sleeve.offset_mm in planned.kit.sleeve_offsets_mm
    assert sleeve.offset_mm == tunnel.sleeve_offset_mm
    assert np.linalg.norm(sleeve.top_mm - tunnel.target_mm) == pytest.approx(tunnel.depth_reading_mm)


def test_a_kit_without_a_stop_so_far_out_is_refused(planned: Planned) -> None:
    kit = planned.kit.model_copy(update={"sleeve_offsets_mm": (20.0, 25.0)})
    with pytest.raises(NoSafeGuide, match=r"at most 25 mm from the cortex, .* found one at 3\d\.\d mm") as refusal:
        replace(planned, kit=kit).guide()
    assert refusal.value.rule == "sleeve_offset_mm"


def test_the_wires_go_freely_into_the_bone(planned: Planned, guide: Guide) -> None:
    assert len(guide.pins) == 2
    for pin in guide.pins:
        end = pin.point_mm + pin.wire_depth_mm * pin.direction
        wire = in_rod(pin.top_mm - 30.0 * pin.direction, end, pin.hole_diameter_mm / 2 - 0.005)
        assert not guide.surface.contains(wire).any()
        np.testing.assert_allclose(np.cross(pin.top_mm - pin.point_mm, pin.direction), 0.0, atol=1e-9)
        assert planned.bone.surface.nearest(pin.point_mm[None])[0][0] < 0.2
        assert planned.bone.surface.contains(end[None]).all()
    assert angle_deg(guide.pins[0].direction, guide.pins[1].direction) >= planned.template.pins.least_divergence_deg


def test_the_windows_show_bone(planned: Planned, guide: Guide) -> None:
    assert guide.windows_mm
    for window in guide.windows_mm:
        look = in_rod(
            window + 100.0 * guide.seat.removal_direction, window, planned.template.window.diameter_mm / 2 - 0.005
        )
        assert not guide.surface.contains(look).any()
        assert planned.bone.surface.nearest(window[None])[0][0] < 0.2


def test_the_label_is_cut_into_its_plate(guide: Guide) -> None:
    label = guide.label
    assert label.lines == ("T001L", "LEFT")
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 90) * label.width_mm, np.linspace(-0.5, 0.5, 45) * label.height_mm)
    flat = label.center_mm + x.reshape(-1, 1) * label.reading_direction + y.reshape(-1, 1) * label.up_direction
    in_letters = ~guide.surface.contains(flat - 0.9 * label.depth_mm * label.outward_direction)
    assert 0.08 < in_letters.mean() < 0.5
    assert guide.surface.contains(flat - 1.1 * label.depth_mm * label.outward_direction).all()
    for above_mm in (0.05, 0.5, 0.9):  # and nothing covers it
        assert not guide.surface.contains(flat[in_letters] + above_mm * label.outward_direction).any()


# --- bound to its hip ---


def test_two_builds_are_the_same_to_the_last_bit(planned: Planned, guide: Guide) -> None:
    again = planned.guide()
    np.testing.assert_array_equal(again.surface.vertices, guide.surface.vertices)
    np.testing.assert_array_equal(again.surface.faces, guide.surface.faces)


def test_a_moved_hip_moves_its_guide(planned: Planned, guide: Guide) -> None:
    there = replace(
        planned,
        bone=Bone(planned.bone.surface.transformed(MOTION), planned.bone.fit),
        anatomy=moved(planned.anatomy, MOTION.points, MOTION.vectors),
        tunnel=moved(planned.tunnel, MOTION.points, MOTION.vectors),
    ).guide()
    assert there.surface.volume_mm3 == pytest.approx(guide.surface.volume_mm3, rel=0.01)
    assert there.contact_area_mm2 == pytest.approx(guide.contact_area_mm2, rel=0.03)
    assert angle_deg(there.seat.removal_direction, MOTION.vectors(guide.seat.removal_direction)) < 0.5
    (sleeve,), (old,) = there.sleeves, guide.sleeves
    old_axis = old.top_mm - planned.tunnel.entry_mm
    new_axis = sleeve.top_mm - MOTION.points(planned.tunnel.entry_mm)
    assert angle_deg(new_axis, MOTION.vectors(old_axis)) < 1e-6
    np.testing.assert_allclose(sleeve.top_mm, MOTION.points(old.top_mm), atol=0.1)
    assert there.label.lines == guide.label.lines


def test_a_mirrored_hip_has_the_guide_of_the_other_side(planned: Planned, guide: Guide) -> None:
    bone = planned.bone.surface
    there = replace(
        planned,
        bone=Bone(Surface(bone.vertices * MIRROR, bone.faces[:, ::-1]), planned.bone.fit),
        anatomy=replace(moved(planned.anatomy, MIRROR.__mul__, MIRROR.__mul__), side="right"),
        tunnel=moved(planned.tunnel, MIRROR.__mul__, MIRROR.__mul__),
    ).guide()
    assert there.label.lines == ("T001L", "RIGHT")
    # the wires' grid is not mirrored, so that of nearly equal seats another may have room for them
    assert there.seat.tip_error_mm == pytest.approx(guide.seat.tip_error_mm, rel=0.25)
    np.testing.assert_allclose(there.sleeves[0].top_mm, MIRROR * guide.sleeves[0].top_mm, atol=0.3)
    assert there.surface.volume_mm3 == pytest.approx(guide.surface.volume_mm3, rel=0.2)
    assert there.contact_area_mm2 == pytest.approx(guide.contact_area_mm2, rel=0.2)
    label = there.label  # mirrored bone, but never mirrored letters
    np.testing.assert_allclose(
        np.cross(label.reading_direction, label.up_direction), label.outward_direction, atol=1e-12
    )


# --- refused ---


def test_an_entry_at_the_edge_of_the_shell_is_refused(planned: Planned) -> None:
    narrow = planned.template.sizes["M"].model_copy(update={"width_mm": 10.0})
    template = planned.template.model_copy(update={"sizes": {"M": narrow}})
    beside = planned.tunnel.entry_mm + 6.0 * planned.anatomy.posterior
    tunnel = replace(planned.tunnel, entry_mm=beside)
    with pytest.raises(NoSafeGuide, match="expected") as refusal:
        replace(planned, template=template, tunnel=tunnel).guide()
    assert refusal.value.exit_code == 3

"""The whole guide on a made-up hip: sound, off the bone everywhere, free to come off, and bound to its hip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from finished import Finished, contents
from planned_hip import Planned

from guidegen.bone.surface import Bone
from guidegen.check.files import read_stl
from guidegen.check.mesh import bodies
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, across, angle_deg, perpendicular_pair, rotation_about
from guidegen.guide import guide as guide_module
from guidegen.guide.companions import metal_parts
from guidegen.guide.guide import Guide, Hole
from guidegen.plan.fit import print_clearance
from guidegen.plan.templates import Kit, load_template
from guidegen.seat.footprint import Footprint
from guidegen.seat.search import find_seats
from guidegen.seat.seat import Seat
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
    edges = 3 * len(guide.surface.faces) // 2
    assert len(guide.surface.vertices) - edges + len(guide.surface.faces) == 2 - 2 * guide.genus
    np.testing.assert_array_equal(guide.surface.vertices, guide.surface.vertices.astype(np.float32))


# --- off the bone ---


def test_every_point_keeps_its_clearance(planned: Planned, guide: Guide) -> None:
    """On the steepest walls two points of the field are 2 mm apart along the bone: its bumps between them show."""
    bone = planned.bone.surface
    assert guide.clearance_mm == print_clearance(planned.printer, planned.bone.error_mm)
    for points in (guide.surface.vertices, samples(guide.surface, 50_000)):
        away = bone.signed_distance_mm(points)
        assert (away >= guide.clearance_mm - 0.06).mean() > 0.998
        assert away.min() > guide.clearance_mm / 2.0
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
    """And so does the metal sleeve into the print."""
    (sleeve,) = guide.sleeves
    tunnel = planned.tunnel
    drill = in_rod(sleeve.stop_face_mm - 5.0 * tunnel.axis, tunnel.target_mm, sleeve.inner_diameter_mm / 2 - 0.005)
    assert not guide.surface.contains(drill).any()
    assert sleeve.metal is not None
    assert sleeve.inner_diameter_mm == pytest.approx(10.1 + planned.printer.bores.insert_clearance_mm)
    assert sleeve.metal.outer_diameter_mm == pytest.approx(10.1)
    for place in (sleeve.top_mm, sleeve.stop_face_mm):
        np.testing.assert_allclose(np.cross(place - tunnel.entry_mm, tunnel.axis), 0.0, atol=1e-9)


def test_the_sleeve_holds_what_is_in_it_all_round(planned: Planned, guide: Guide) -> None:
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


def test_the_metal_sleeve_rests_on_the_print_and_ends_before_the_bone(planned: Planned, guide: Guide) -> None:
    (sleeve,), axis = guide.sleeves, planned.tunnel.axis
    assert sleeve.metal is not None
    np.testing.assert_allclose(sleeve.top_mm, sleeve.stop_face_mm + 2.0 * axis, atol=1e-9)  # the flange between
    assert sleeve.metal.length_mm > planned.template.sleeve.guided_length_mm
    turn = np.arange(0.0, 2.0 * np.pi, 0.1)
    first, second = perpendicular_pair(axis)
    ring = 5.05 * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    foot = sleeve.stop_face_mm + sleeve.metal.length_mm * axis + ring
    assert planned.bone.surface.signed_distance_mm(foot).min() > 0.2


def test_a_guide_wire_s_reducer_ends_with_the_metal_sleeve_and_is_read_on_its_flange(
    planned: Planned, build: Callable[..., Guide]
) -> None:
    kit = load_template(Kit, "cannulated-9")[0]
    guide = build("guide of a guide wire", replace(planned, kit=kit))
    (sleeve,) = guide.sleeves
    assert sleeve.metal is not None
    assert sleeve.reducer is not None
    flange = sleeve.reducer.flange_height_mm
    assert sleeve.reducer.length_mm - flange == pytest.approx(sleeve.metal.length_mm)
    assert sleeve.reducer.outer_diameter_mm < sleeve.metal.inner_diameter_mm
    assert sleeve.reducer.flange_diameter_mm <= sleeve.metal.flange_diameter_mm
    assert sleeve.wire_reading_mm == pytest.approx(sleeve.offset_mm + planned.tunnel.length_mm + flange)
    assert list(metal_parts(guide)) == ["sleeve-1", "reducer-1", "stop-collar", "wire-stop-collar"]


def test_a_wire_is_read_at_the_highest_of_its_hole_s_rim(guide: Guide) -> None:
    """Nothing of the guide stands higher beside the wire, and something of it does just below."""
    for pin in guide.pins:
        first, second = perpendicular_pair(pin.direction)
        turn = np.arange(0.0, 2.0 * np.pi, 0.05)[:, None]
        ring = (pin.hole_diameter_mm / 2.0 + 0.2) * (np.cos(turn) * first + np.sin(turn) * second)
        rim = pin.point_mm - (pin.reading_mm - pin.wire_depth_mm) * pin.direction
        assert not guide.surface.contains(rim - 0.02 * pin.direction + ring).any()
        assert guide.surface.contains(rim + 0.05 * pin.direction + ring).any()


def test_the_sleeve_ends_where_the_depth_is_read(planned: Planned, guide: Guide) -> None:
    """As far off the cortex as one of the kit's stops is made for, and as planned."""
    (sleeve,), tunnel = guide.sleeves, planned.tunnel
    assert np.linalg.norm(sleeve.stop_face_mm - tunnel.entry_mm) == pytest.approx(sleeve.offset_mm)
    assert sleeve.offset_mm in planned.kit.sleeve_offsets_mm
    assert sleeve.offset_mm == tunnel.sleeve_offset_mm
    assert np.linalg.norm(sleeve.stop_face_mm - tunnel.target_mm) == pytest.approx(tunnel.depth_reading_mm)


def test_the_wires_go_freely_into_the_bone(planned: Planned, guide: Guide) -> None:
    shape = planned.template.pins
    assert shape.fewest <= len(guide.pins) <= shape.most
    for pin in guide.pins:
        end = pin.point_mm + pin.wire_depth_mm * pin.direction
        wire = in_rod(pin.top_mm - 30.0 * pin.direction, end, pin.hole_diameter_mm / 2 - 0.005)
        assert not guide.surface.contains(wire).any()
        np.testing.assert_allclose(np.cross(pin.top_mm - pin.point_mm, pin.direction), 0.0, atol=1e-9)
        assert planned.bone.surface.nearest(pin.point_mm[None])[0][0] < 0.2
        assert planned.bone.surface.contains(end[None]).all()
        level = guide.zones.place(np.stack([pin.point_mm, planned.anatomy.lesser_trochanter_mm])).level_mm
        assert level[0] >= level[1]
    for k, one in enumerate(guide.pins):
        for other in guide.pins[:k]:
            assert angle_deg(one.direction, other.direction) >= shape.least_divergence_deg


def test_windows_and_probe_holes_show_bone(planned: Planned, guide: Guide) -> None:
    assert {hole.kind for hole in guide.holes} == {"window", "probe"}
    assert guide.genus == 1 + len(guide.pins) + len(guide.holes)
    for hole in guide.holes:
        look = in_rod(hole.point_mm + 12.0 * hole.direction, hole.point_mm, hole.diameter_mm / 2 - 0.005)[::5]
        assert not guide.surface.contains(look).any()
        assert planned.bone.surface.nearest(hole.point_mm[None])[0][0] < 0.2


# --- marks ---


def test_every_label_is_cut_into_its_plate(guide: Guide) -> None:
    assert [label.lines[:2] for label in guide.labels[:2]] == [("T001L", "LEFT"), ("1 Ø8", guide.labels[1].lines[1])]
    for label in guide.labels:
        x, y = np.meshgrid(np.linspace(-0.5, 0.5, 90) * label.width_mm, np.linspace(-0.5, 0.5, 45) * label.height_mm)
        flat = label.center_mm + x.reshape(-1, 1) * label.reading_direction + y.reshape(-1, 1) * label.up_direction
        in_letters = ~guide.surface.contains(flat - 0.9 * label.depth_mm * label.outward_direction)
        assert 0.08 < in_letters.mean() < 0.5, label.lines
        assert guide.surface.contains(flat - 1.1 * label.depth_mm * label.outward_direction).all(), label.lines
        for above_mm in (0.05, 0.5, 0.9):  # and nothing covers it
            assert not guide.surface.contains(flat[in_letters] + above_mm * label.outward_direction).any()


def test_the_depth_that_is_written_is_the_one_that_the_stop_is_set_to(planned: Planned, guide: Guide) -> None:
    (sleeve,) = guide.sleeves
    reading = np.linalg.norm(planned.tunnel.target_mm - sleeve.stop_face_mm)
    assert guide.labels[1].lines[1] == f"{reading:.1f}"
    assert "".join(guide.labels[1].lines[2:]) == "r0011a2b3c4d"


def test_the_arrows_point_to_the_head_and_to_the_front(planned: Planned, guide: Guide) -> None:
    assert sorted(arrow.text for arrow in guide.arrows) == ["ANT", "PROX"]
    for arrow in guide.arrows:
        towards = planned.anatomy.shaft_axis if arrow.text == "PROX" else -planned.anatomy.posterior
        assert angle_deg(arrow.end_mm - arrow.start_mm, towards) < 40.0


def test_the_calliper_closes_on_two_faces_20_mm_apart(guide: Guide) -> None:
    faces = guide.calliper
    assert faces is not None
    for place, way in ((faces.first_mm, -faces.normal), (faces.second_mm, faces.normal)):
        hit, face = guide.surface.ray_hits(place + 5.0 * way, -way)
        assert hit[0] == pytest.approx(5.0, abs=2e-4)
        assert angle_deg(guide.surface.face_normals[face[0]], way) < 0.5
    assert np.linalg.norm(faces.second_mm - faces.first_mm) == pytest.approx(20.0)


def test_a_wire_lies_in_the_groove_above_the_tunnel_s_axis(planned: Planned, guide: Guide) -> None:
    start, end = guide.axis_mark_mm
    assert angle_deg(end - start, planned.tunnel.axis) < 1e-6
    mark, out = planned.template.axis_mark, start - planned.tunnel.entry_mm
    out = out - (out @ planned.tunnel.axis) * planned.tunnel.axis
    out /= np.linalg.norm(out)
    along = start + np.linspace(0.1, 0.9, 20)[:, None] * (end - start)
    way, _ = guide.surface.ray_hits(along + 5.0 * out, np.tile(-out, (20, 1)))
    np.testing.assert_allclose(way, 5.0 + mark.depth_mm, atol=0.02)


def test_a_finger_slides_down_the_notch_to_the_vastus_ridge(planned: Planned, guide: Guide) -> None:
    pointer, width = guide.pointer, planned.template.pointer.width_mm
    assert pointer is not None
    beside = np.cross(planned.anatomy.vastus_ridge_mm - pointer.point_mm, pointer.direction)
    assert np.linalg.norm(beside) < 3.0  # a finger feels the ridge to within that
    assert guide.surface.nearest(pointer.point_mm[None])[0][0] < 0.5
    up = across(guide.seat.frame.inverse().vectors(np.array([0.0, 1.0, 0.0])), pointer.direction)
    middle = pointer.point_mm + width / 2.0 * up / np.linalg.norm(up)
    finger = in_rod(middle, middle + 10.0 * pointer.direction, width / 2.0 - 0.1)[::5]
    assert not guide.surface.contains(finger).any()


# --- bound to its hip ---


def carried(seat: Seat, motion: RigidTransform) -> Seat:
    """The same seat on the moved bone."""
    frame = seat.frame.inverse()
    there = RigidTransform(
        motion.rotation @ frame.rotation, motion.points(frame.translation_mm), frame.source, frame.target
    )
    prints = seat.footprint
    footprint = Footprint(prints.levels_mm, prints.turns_deg, prints.covers, prints.zones.transformed(motion))
    return replace(seat, frame=there.inverse(), footprint=footprint)


def hip_moved(planned: Planned, motion: RigidTransform) -> Planned:
    """The same hip elsewhere in the scanner."""
    return replace(
        planned,
        bone=Bone(planned.bone.surface.transformed(motion), planned.bone.fit),
        anatomy=moved(planned.anatomy, motion.points, motion.vectors),
        tunnel=moved(planned.tunnel, motion.points, motion.vectors),
    )


def test_a_moved_hip_moves_everything_on_its_guide(
    planned: Planned, guide: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same seat, which the search's own tests follow."""
    monkeypatch.setattr(guide_module, "find_seats", lambda *_: [carried(guide.seat, MOTION)])
    there = hip_moved(planned, MOTION).guide()
    assert there.surface.volume_mm3 == pytest.approx(guide.surface.volume_mm3, rel=1e-4)
    assert guide.surface.nearest(MOTION.inverse().points(there.surface.vertices))[0].max() < 0.05
    assert angle_deg(there.print_down, MOTION.vectors(guide.print_down)) < 1e-6
    for found, old in ((there.sleeves, guide.sleeves), (there.pins, guide.pins)):
        for one, other in zip(found, old, strict=True):
            np.testing.assert_allclose(one.top_mm, MOTION.points(other.top_mm), atol=0.06)
    for one, other in zip(there.holes, guide.holes, strict=True):
        assert isinstance(other, Hole)
        np.testing.assert_allclose(one.point_mm, MOTION.points(other.point_mm), atol=0.01)
        assert angle_deg(one.direction, MOTION.vectors(other.direction)) < 0.1
    for one, other in zip(there.labels, guide.labels, strict=True):
        assert one.lines == other.lines
        np.testing.assert_allclose(one.center_mm, MOTION.points(other.center_mm), atol=0.06)
        assert angle_deg(one.reading_direction, MOTION.vectors(other.reading_direction)) < 0.1


def test_a_moved_hip_has_as_good_a_seat(planned: Planned, guide: Guide) -> None:
    there, order = hip_moved(planned, MOTION), planned.order
    search = guide_module.search_of(
        there.bone.surface, there.anatomy, (there.tunnel,), order, guide_module.NOTHING, 3.0
    )
    best = find_seats(search, "M", planned.template.sizes["M"].length_mm)[0]
    assert best.fit.mean_mm == pytest.approx(guide.seat.fit.mean_mm, rel=0.05)
    assert best.contact_mm2 == pytest.approx(guide.seat.contact_mm2, rel=0.1)
    assert angle_deg(best.removal_direction, MOTION.vectors(guide.seat.removal_direction)) < 13.0  # steps of the grid


def test_a_mirrored_hip_has_the_guide_of_the_other_side(planned: Planned, guide: Guide) -> None:
    bone = planned.bone.surface
    there = replace(
        planned,
        bone=Bone(Surface(bone.vertices * MIRROR, bone.faces[:, ::-1]), planned.bone.fit),
        anatomy=replace(moved(planned.anatomy, MIRROR.__mul__, MIRROR.__mul__), side="right"),
        tunnel=moved(planned.tunnel, MIRROR.__mul__, MIRROR.__mul__),
    ).guide()
    assert [label.lines[:2] for label in there.labels[:1]] == [("T001L", "RIGHT")]
    assert there.seat.fit.mean_mm == pytest.approx(guide.seat.fit.mean_mm, rel=0.05)
    np.testing.assert_allclose(there.sleeves[0].top_mm, MIRROR * guide.sleeves[0].top_mm, atol=0.3)
    # the wires' grid is not mirrored, so that another of nearly equal ones may be chosen
    assert there.surface.volume_mm3 == pytest.approx(guide.surface.volume_mm3, rel=0.1)
    assert there.contact_area_mm2 == pytest.approx(guide.contact_area_mm2, rel=0.1)
    for label in there.labels:  # mirrored bone, but never mirrored letters
        np.testing.assert_allclose(
            np.cross(label.reading_direction, label.up_direction), label.outward_direction, atol=1e-12
        )
    for arrow in there.arrows:
        towards = planned.anatomy.shaft_axis if arrow.text == "PROX" else -planned.anatomy.posterior
        assert angle_deg(arrow.end_mm - arrow.start_mm, MIRROR * towards) < 40.0


# --- refused ---


def test_a_kit_without_a_stop_so_far_out_is_refused(
    planned: Planned, guide: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide_module, "find_seats", lambda *_: [guide.seat])
    kit = planned.kit.model_copy(update={"sleeve_offsets_mm": (20.0, 25.0)})
    with pytest.raises(NoSafeGuide, match=r"at most 25 mm from the cortex, .* found one at \d\d\.\d mm") as refusal:
        replace(planned, kit=kit).guide()
    assert refusal.value.rule == "sleeve_offset_mm"


def test_an_entry_outside_the_shell_is_refused(planned: Planned, guide: Guide, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a seat that lies 40 mm further up."""
    prints = guide.seat.footprint
    away = Footprint(prints.levels_mm, prints.turns_deg, np.roll(prints.covers, -20, axis=0), prints.zones)
    monkeypatch.setattr(guide_module, "find_seats", lambda *_: [replace(guide.seat, footprint=away)])
    with pytest.raises(NoSafeGuide, match=r"entry at least 4 mm inside the shell, found one -?\d") as refusal:
        planned.guide()
    assert refusal.value.rule == "entry_inside_shell"
    assert refusal.value.exit_code == 3


# --- as the pipeline leaves it ---


def test_the_guide_of_a_whole_run_passes_every_check(done: Finished) -> None:
    assert [finding for finding in done.result.findings if not finding.passed] == []
    assert is_sound(read_stl(done.result.folder / "guide.stl"))


def test_the_companions_go_with_the_guide(done: Finished) -> None:
    """The trial bone of this very bone fits the guide; the metal parts are those that the plan names."""
    folder = done.result.folder
    trial, written = (read_stl(folder / name) for name in ("trial_bone.stl", "guide.stl"))
    assert is_sound(trial)
    assert trial.signed_distance_mm(written.vertices).min() > 0.0
    assert {name for name in contents(folder) if name.startswith("metal/")} == {
        "metal/metal.json", "metal/sleeve-1.step", "metal/sleeve-1.dxf", "metal/stop-collar.step",
        "metal/stop-collar.dxf",
    }  # fmt: skip

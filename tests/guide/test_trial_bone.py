"""The trial bone of the made-up hip: the bone that the guide touches, bit by bit, and what is done to the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest
from planned_hip import Planned

from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, across, unit
from guidegen.guide import parts, trial_bone
from guidegen.guide.guide import Guide
from guidegen.guide.solids import along_axis, bore, to_solid, to_surface
from guidegen.guide.trial_bone import FOOT_WIDER_MM, WELDS_MM, Hole, TrialBone, arrows, make_trial_bone
from guidegen.plan.guide_shapes import Trial
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes
from guidegen.written import is_sound

LINES = ("T001L", "LEFT", "r001 1a2b3c4d")
FLOAT32_MM = 6e-5  # twice the rounding of a point this far from the origin, in each direction
BEYOND_MM, FOOT_MM = 20.0, 10.0
SHAPE = Trial(beyond_mm=BEYOND_MM, foot_mm=FOOT_MM)
DRILL_MM = 150.0  # of a drill outside the bone

Made = Callable[..., TrialBone]


@pytest.fixture(scope="module")
def contact(planned: Planned, guide: Guide) -> FloatArray:
    """The bone under the faces of the guide that look at it from the clearance."""
    bone = planned.bone.surface
    distance, face, nearest = bone.nearest(guide.surface.face_centers_mm)
    facing = (guide.surface.face_normals * bone.face_normals[face]).sum(axis=1) < -0.7
    return nearest[facing & (distance < guide.clearance_mm + 0.3)]


@pytest.fixture(scope="module")
def holes(planned: Planned, guide: Guide) -> list[Hole]:
    tunnel = planned.tunnel
    drilled = [Hole(tunnel.entry_mm, tunnel.axis, tunnel.diameter_mm, tunnel.length_mm)]
    return drilled + [Hole(pin.point_mm, pin.direction, pin.wire_diameter_mm, pin.wire_depth_mm) for pin in guide.pins]


@pytest.fixture(scope="module")
def made(planned: Planned, guide: Guide, contact: FloatArray, holes: list[Hole]) -> Made:
    """Makes a trial bone with one thing changed."""

    def make(**changes: Any) -> TrialBone:
        asked: dict[str, Any] = {
            "bone": planned.bone.surface, "contact_mm": contact, "shaft_axis": planned.anatomy.shaft_axis,
            "removal_direction": guide.seat.removal_direction, "side": "left", "holes": holes, "lines": LINES,
            "shape": SHAPE,
        }  # fmt: skip
        return make_trial_bone(**asked | changes)

    return make


@pytest.fixture(scope="module")
def trial(made: Made) -> TrialBone:
    return made()


@pytest.fixture(scope="module")
def along(planned: Planned, guide: Guide) -> FloatArray:
    """The shaft's axis and the direction off the bone across it, (2, 3)."""
    up = planned.anatomy.shaft_axis
    return np.stack([up, unit(across(guide.seat.removal_direction, up))])


def rim_mm(points: FloatArray, holes: list[Hole]) -> FloatArray:
    """How far (K,) from the rims of the holes points lie."""
    away = [np.linalg.norm(across(points - hole.point_mm, hole.direction), axis=1) for hole in holes]
    return np.min([way - hole.diameter_mm / 2.0 for way, hole in zip(away, holes, strict=True)], axis=0)


def test_what_the_guide_touches_is_the_bone_itself(trial: TrialBone, contact: FloatArray, holes: list[Hole]) -> None:
    """But for a face here and there whose corners were made one: nearer to each other than float32 holds apart."""
    beside = contact[rim_mm(contact, holes) > 0.0]
    assert len(beside) > 0.95 * len(contact)
    away = trial.surface.nearest(beside)[0]
    assert away.max() < max(WELDS_MM)
    assert (away < FLOAT32_MM).mean() > 0.97


def test_its_corners_there_are_the_bone_s_to_the_last_bit(
    planned: Planned, trial: TrialBone, contact: FloatArray, holes: list[Hole]
) -> None:
    corners = trial.surface.vertices
    near = np.linalg.norm(corners[:, None] - contact[::25], axis=2).min(axis=1) < 5.0
    near &= rim_mm(corners, holes) > 2e-3
    written = {tuple(corner) for corner in planned.bone.surface.vertices.astype(np.float32).astype(float).tolist()}
    found = [tuple(corner) for corner in corners[near].tolist()]
    assert len(found) > 500
    assert set(found) <= written


def test_it_is_one_sound_body_as_the_file_holds_it(trial: TrialBone) -> None:
    surface = trial.surface
    assert is_sound(surface)
    assert np.array_equal(surface.vertices, surface.vertices.astype(np.float32))
    solid = to_solid(surface.vertices, surface.faces, "the trial bone")
    assert len(solid.decompose()) == 1


def test_it_reaches_20_mm_beyond_the_contact(trial: TrialBone, contact: FloatArray, along: FloatArray) -> None:
    up, outwards = along
    corners, touched = trial.surface.vertices, contact
    high, deep = (touched @ up).max(), (touched @ outwards).min()
    bone = corners[corners @ up > (touched @ up).min() - BEYOND_MM + 1e-3]
    assert (bone @ up).max() == pytest.approx(high + BEYOND_MM, abs=1e-3)
    assert (bone @ outwards).min() == pytest.approx(deep - BEYOND_MM, abs=1e-3)
    assert trial.above_mm == pytest.approx(BEYOND_MM, abs=1e-3)
    assert trial.below_mm == pytest.approx(BEYOND_MM)
    foot = corners[corners @ up < (touched @ up).min() - BEYOND_MM - 1e-3]
    assert (touched @ up).min() - (foot @ up).min() == pytest.approx(BEYOND_MM + trial.marks.height_mm, abs=1e-3)


def test_it_stands_on_its_foot(trial: TrialBone) -> None:
    """Flat, square to the shaft, and with its middle well inside."""
    import trimesh

    stood = trial.surface.transformed(trial.pose)
    np.testing.assert_allclose(stood.bounds_mm[0], 0.0, atol=1e-4)
    underside = (stood.vertices[stood.faces, 2] < 1e-3).all(axis=1)
    width, depth = np.ptp(stood.vertices[np.unique(stood.faces[underside])], axis=0)[:2]
    area = float(stood.face_areas_mm2[underside].sum())
    assert area == pytest.approx(width * depth - (4.0 - np.pi) * parts.PLATE_EDGE_MM**2, rel=1e-3)
    assert (stood.face_normals[underside] @ [0.0, 0.0, -1.0] > 0.999).all()  # needles turn by the rounding
    middle = trimesh.Trimesh(stood.vertices, stood.faces, process=False).center_mass[:2]
    low = stood.vertices[np.unique(stood.faces[underside])].min(axis=0)[:2]
    assert (middle - low > 8.0).all()
    assert (low + [width, depth] - middle > 8.0).all()


def test_the_foot_is_wider_than_the_bone_on_it(trial: TrialBone) -> None:
    stood = trial.surface.transformed(trial.pose)
    height = trial.marks.height_mm
    on_top = stood.vertices[(stood.vertices[:, 2] > height + 1e-3) & (stood.vertices[:, 2] < height + 3.0)]
    foot = stood.vertices[stood.vertices[:, 2] < height - 1.0]
    for wider in (on_top.min(axis=0) - foot.min(axis=0), foot.max(axis=0) - on_top.max(axis=0)):
        assert (wider[:2] > FOOT_WIDER_MM - 2.0).all()


def test_the_tunnel_is_open_and_the_pin_holes_are_as_deep_as_their_wires(trial: TrialBone, holes: list[Hole]) -> None:
    for number, hole in enumerate(holes):
        frame = along_axis(hole.point_mm, hole.direction)
        turn = np.arange(24) * np.pi / 12.0
        ring = 0.49 * hole.diameter_mm * np.c_[np.cos(turn), np.sin(turn), 0.0 * turn] + [0.0, 0.0, -15.0]
        way, _ = trial.surface.ray_hits(frame.points(ring), np.broadcast_to(hole.direction, (24, 3)))
        if number == 0:  # it comes out of the cut before its end
            assert np.isinf(way).all()
        else:
            np.testing.assert_allclose(way, 15.0 + hole.depth_mm, atol=1e-3)


def test_a_tunnel_that_ends_in_the_bone_has_a_floor(made: Made, holes: list[Hole]) -> None:
    short = replace(holes[0], depth_mm=30.0)
    trial = made(holes=[short])
    way, _ = trial.surface.ray_hits(short.point_mm - 15.0 * short.direction, short.direction)
    assert way[0] == pytest.approx(45.0, abs=1e-3)


def test_the_guide_sits_on_it_and_the_drill_runs_free(trial: TrialBone, guide: Guide, holes: list[Hole]) -> None:
    body = to_solid(trial.surface.vertices, trial.surface.faces, "the trial bone")
    seated = to_solid(guide.surface.vertices, guide.surface.faces, "the guide")
    assert (body ^ seated).volume() == pytest.approx(0.0, abs=1e-3)
    assert guide.surface.signed_distance_mm(trial.surface.vertices).min() > 0.5 * guide.clearance_mm
    for hole in holes:
        tool = bore(
            hole.point_mm - DRILL_MM * hole.direction, hole.point_mm + 5.0 * hole.direction, 0.98 * hole.diameter_mm
        )
        assert (body ^ tool).volume() == pytest.approx(0.0, abs=1e-3)


# --- marks ---


def test_the_letters_are_cut_into_the_foot(trial: TrialBone) -> None:
    marks = trial.marks
    assert marks.lines == (*LINES, "↑PROX ←ANT")
    letters = marks.letters(parts.make)
    place = RigidTransform.to_frame(
        marks.center_mm, np.stack([marks.reading_direction, marks.up_direction, marks.outward_direction]), LPS, "face"
    )
    flat = letters.transform(place.matrix()[:3])
    cut = flat.trim_by_plane((0.0, 0.0, -1.0), 0.0)  # what of the letters lies in the foot
    assert cut.volume() == pytest.approx(flat.volume() * marks.depth_mm / (marks.depth_mm + 1.0), rel=1e-3)
    low, high = np.array(flat.bounding_box()).reshape(2, 3)
    assert (np.abs([low[0], high[0]]) < marks.width_mm / 2.0).all()
    assert (np.abs([low[1], high[1]]) < marks.height_mm / 2.0).all()
    inside = trial.surface.transformed(place)
    grid = np.stack(np.meshgrid(np.arange(low[0], high[0], 0.2), np.arange(low[1], high[1], 0.2)), axis=-1).reshape(
        -1, 2
    )
    way, _ = inside.ray_hits(np.c_[grid, np.full(len(grid), 5.0)], np.array([0.0, 0.0, -1.0]))
    floor = np.abs(way - 5.0 - marks.depth_mm) < max(WELDS_MM)
    face = np.abs(way - 5.0) < max(WELDS_MM)
    assert (floor | face).mean() > 0.999  # but for rays on a letter's edge
    assert floor.mean() == pytest.approx(cut.volume() / marks.depth_mm / np.prod((high - low)[:2]), abs=0.01)


def test_the_marks_read_from_outside_with_the_head_up(trial: TrialBone, along: FloatArray) -> None:
    marks = trial.marks
    np.testing.assert_allclose(marks.up_direction, along[0], atol=1e-9)
    np.testing.assert_allclose(marks.outward_direction, along[1], atol=1e-9)
    np.testing.assert_allclose(
        np.cross(marks.reading_direction, marks.up_direction), marks.outward_direction, atol=1e-9
    )


def test_the_arrow_to_the_front_points_to_the_front(planned: Planned, trial: TrialBone) -> None:
    """On the left one reads towards the back, on the right towards the front; as far off as the guide's own side."""
    front = -planned.anatomy.posterior
    assert trial.marks.reading_direction @ front < -np.cos(np.radians(45.0))
    assert arrows("left").endswith("←ANT")
    assert arrows("right").endswith("ANT→")


def test_the_foot_is_as_thick_as_asked_and_the_bone_goes_on_as_far(made: Made) -> None:
    """More than what few lines of text need, and less than what many do."""
    thick = made(shape=Trial(beyond_mm=8.0, foot_mm=20.0), holes=[], lines=("A",))
    assert thick.marks.height_mm == 20.0
    assert (thick.below_mm, thick.above_mm) == (pytest.approx(8.0), pytest.approx(8.0, abs=1e-3))
    thin = made(shape=Trial(beyond_mm=8.0, foot_mm=1.0), holes=[], lines=("A",))
    assert thin.marks.height_mm == pytest.approx(len(thin.marks.lines) * 1.3 * thin.marks.text_height_mm + 2.4)


def test_a_long_name_is_broken_and_the_foot_grows(made: Made) -> None:
    trial = made(lines=("A" * 64, "LEFT", "r001 1a2b3c4d"), holes=[])
    assert trial.marks.text_height_mm == 2.5
    assert "".join(trial.marks.lines[:-3]) == "A" * 64
    assert trial.marks.height_mm >= 1.3 * 2.5 * len(trial.marks.lines)
    assert is_sound(trial.surface)


# --- what else can come ---


def test_where_the_scan_ends_sooner_the_foot_begins_there(
    planned: Planned, made: Made, contact: FloatArray, along: FloatArray
) -> None:
    """Cut askew 8 mm below the contact."""
    bone, up = planned.bone.surface, along[0]
    askew = unit(up + 0.1 * along[1])
    lowest = contact[np.argmin(contact @ up)]
    cut = to_solid(bone.vertices, bone.faces, "the bone").trim_by_plane(
        askew.tolist(), float((lowest - 8.0 * up) @ askew)
    )
    trial = made(bone=to_surface(cut))
    assert 2.0 < trial.below_mm < 8.0
    assert is_sound(trial.surface)


def test_the_same_bone_is_the_same_bytes(made: Made, trial: TrialBone) -> None:
    again = made()
    for kind in (stl_bytes, lambda surface: threemf_bytes(surface, {"Title": "trial bone"})):
        assert kind(again.surface.transformed(again.pose)) == kind(trial.surface.transformed(trial.pose))


def test_what_float32_cannot_hold_is_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_bone, "is_sound", lambda _: False)
    monkeypatch.setattr(trial_bone, "as_written", lambda _: None)
    with pytest.raises(NoSafeGuide, match=r"expected a trial bone that stays a sound solid .* found none; report"):
        made()


def test_what_a_cut_leaves_beside_a_corner_is_drawn_to_the_corner() -> None:
    """A plane 0.05 µm below the equator of a ball whose corners lie on it, where float32 has steps of 0.06 µm."""
    ball = m3.Manifold.sphere(20.0, 96).translate((500.0, 0.0, 700.0))
    bone = Surface(to_surface(ball).vertices.astype(np.float32), to_surface(ball).faces)
    cut = to_solid(bone.vertices, bone.faces, "a ball").trim_by_plane((0.0, 0.0, 1.0), 700.0 - 5e-5)
    written = trial_bone._as_written(cut, bone)
    assert is_sound(written)
    kept = {tuple(corner) for corner in bone.vertices[bone.vertices[:, 2] >= 700.0].tolist()}
    assert kept <= {tuple(corner) for corner in written.vertices.tolist()}

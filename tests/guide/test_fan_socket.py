"""The socket of a fan and its inserts, on a flat bone, on a slope and on the made-up hip, in a guide of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from bodies import block, field_of
from planned_hip import Planned

from guidegen.check.finding import Finding
from guidegen.check.inserts import PlannedInsert, PlannedSocket, insert_findings
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, angle_deg, perpendicular_pair, rotation_about, unit
from guidegen.guide import fan_solids
from guidegen.guide.fan import ABOVE_FLANGE_MM, OFF_BONE_MM, FanShape, Socket, lay_out_fan
from guidegen.guide.fan_solids import (
    fan_channel,
    insert_label,
    insert_pose,
    insert_solid,
    insert_surface,
    socket_cavity,
    socket_solid,
)
from guidegen.guide.guide import Guide
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.rods import Drilling, Rod, passages
from guidegen.guide.solids import bore, to_surface
from guidegen.rounded import shown
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes
from guidegen.written import as_written, is_sound

SHAPE = FanShape(
    drill_mm=3.2, bore_mm=3.4, wall_mm=2.0, gap_mm=0.12, socket_wall_mm=2.5, stop_mm=11.5, guided_mm=32.0, text_mm=3.0,
    text_depth_mm=0.6,
)  # fmt: skip
OFFSETS = (35.0, 40.0, 45.0, 50.0)
HASH = "1a2b3c4d"
LENGTHS = (95.0, 97.25, 99.0, 96.5)
OUT = np.array([0.0, 0.0, 1.0])
CLEARANCE_MM, SHELL_MM = 0.3, 4.0
PLACED = RigidTransform(rotation_about([1.0, 2.0, 3.0], 40.0), np.array([150.0, 30.0, -690.0]), "guide", LPS)
DRILLING = Drilling(3.2, 200.0, SHAPE.stop_mm, 10.0, 40.0, 60.0, 0.0)


def fan_axes(mean: FloatArray, off_mean_deg: float, count: int) -> FloatArray:
    """Unit axes (count, 3) evenly round a mean axis, each so far off it."""
    first, second = perpendicular_pair(mean)
    turn = 0.3 + np.arange(count) * 2.0 * np.pi / count
    off = np.radians(off_mean_deg)
    beside = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    return np.asarray(np.cos(off) * unit(mean) + np.sin(off) * beside)


def sloped(degrees: float) -> FloatArray:
    """An axis into a bone that is flat at z = 0, so far off its normal."""
    return np.array([0.0, np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


@dataclass(frozen=True, eq=False)
class Made:
    """A socket in a guide of its own, and its inserts, as they are written in LPS."""

    socket: Socket
    under: HeightField
    entry_mm: FloatArray
    axes: FloatArray
    body: Any
    to_lps: RigidTransform

    @cached_property
    def guide(self) -> Surface:
        written = as_written(to_surface(self.body).transformed(self.to_lps))
        assert written is not None
        return written

    def findings(self, number: int) -> tuple[Finding, ...]:
        socket, back = self.socket, self.to_lps
        insert = socket.inserts[number - 1]
        asked = PlannedInsert(
            number, back.points(self.entry_mm + LENGTHS[number - 1] * self.axes[number - 1]),
            back.points(socket.stop_face_mm(insert)), socket.shape.stop_mm, socket.shape.bore_mm,
            insert.guided_length_mm,
        )  # fmt: skip
        in_guide = PlannedSocket(
            back.points(self.entry_mm), back.vectors(socket.outwards), socket.low_mm, socket.rim_mm,
            socket.shape.gap_mm, socket.shape.wall_mm,
        )  # fmt: skip
        return insert_findings(asked, in_guide, insert_surface(socket, insert, back), self.guide)


def made(
    under: HeightField, entry_mm: FloatArray, axes: FloatArray, to_lps: RigidTransform = PLACED, **changes: Any
) -> Made:
    """The fan's socket on a slab over the bone, in the order in which a guide is built."""
    shape = replace(SHAPE, **changes)
    socket = lay_out_fan(entry_mm, axes, LENGTHS[: len(axes)], OUT, under, OFFSETS, shape, HASH)
    low, high = entry_mm - [16.0, 16.0, 18.0], entry_mm + [16.0, 16.0, 1.0]
    added = socket_solid(socket) + block(low.tolist(), (high + [0.0, 0.0, SHELL_MM]).tolist())
    bounds = np.array(added.bounding_box()).reshape(2, 3)
    body = added - under.solid_under(bounds[0], bounds[1]) - socket_cavity(socket)
    return Made(socket, under, entry_mm, axes, max(body.decompose(), key=lambda part: part.volume()), to_lps)


@pytest.fixture(scope="module")
def flat() -> HeightField:
    return field_of(lambda x, y: CLEARANCE_MM + 0.0 * x + 0.0 * y, half_mm=60.0)


Make = Callable[..., Made]


@pytest.fixture(scope="module")
def on_slope(flat: HeightField) -> Make:
    def make(slope_deg: float = 25.0, off_mean_deg: float = 5.8, count: int = 3, **changes: Any) -> Made:
        return made(flat, np.zeros(3), fan_axes(sloped(slope_deg), off_mean_deg, count), **changes)

    return make


@pytest.fixture(scope="module")
def three(on_slope: Make) -> Made:
    """Three tunnels 10° apart."""
    return on_slope()


@pytest.fixture(scope="module")
def on_hip(planned: Planned, guide: Guide) -> Made:
    """Four tunnels from the hip's own entry round its own axis, over its own cortex, in its guide's frame."""
    frame = guide.seat.frame
    bone = planned.bone.surface.transformed(frame)
    entry, axis = frame.points(planned.tunnel.entry_mm), frame.vectors(planned.tunnel.axis)
    field = look_down(bone, entry[:2] - 40.0, entry[:2] + 40.0)
    under = grown(field, bone, guide.clearance_mm, np.ones(field.height_mm.shape, dtype=bool))
    return made(under, entry, fan_axes(axis, 4.8, 4), frame.inverse())


# --- the layout ---


def test_the_fan_is_10_degrees_apart(three: Made) -> None:
    assert angle_deg(three.axes[0], three.axes[1]) == pytest.approx(10.0, abs=0.1)


def test_every_drill_is_led_over_the_kit_s_length_at_the_first_offset_that_does(three: Made) -> None:
    socket = three.socket
    off, radius = np.radians(5.8), SHAPE.bore_mm / 2.0
    led = socket.offset_mm - (socket.low_mm + radius * np.sin(off)) / np.cos(off)
    for insert in socket.inserts:
        assert insert.guided_length_mm == pytest.approx(led)
        assert insert.guided_length_mm >= SHAPE.guided_mm
    before = OFFSETS[OFFSETS.index(socket.offset_mm) - 1] if socket.offset_mm > OFFSETS[0] else 0.0
    assert led - (socket.offset_mm - before) < SHAPE.guided_mm


@pytest.mark.parametrize(("slope_deg", "offset_mm"), [(5.0, 35.0), (45.0, 40.0), (60.0, 45.0)])
def test_a_steeper_cortex_needs_a_larger_offset(on_slope: Make, slope_deg: float, offset_mm: float) -> None:
    assert on_slope(slope_deg).socket.offset_mm == offset_mm


def test_the_readings_are_the_offset_and_the_tunnel_s_length(three: Made) -> None:
    readings = [insert.reading_mm for insert in three.socket.inserts]
    assert readings == pytest.approx([three.socket.offset_mm + length for length in LENGTHS[:3]])
    assert three.socket.inserts[1].lines == ("2 Ø3.2", shown(three.socket.offset_mm + 97.25, 1), HASH)


def test_the_stop_faces_stand_at_the_offset_on_their_own_axes(three: Made) -> None:
    for insert, axis in zip(three.socket.inserts, three.axes, strict=True):
        np.testing.assert_allclose(three.socket.axis(insert), axis, atol=1e-12)
        np.testing.assert_allclose(three.socket.stop_face_mm(insert), -three.socket.offset_mm * axis, atol=1e-9)


def test_the_flange_lies_below_every_stop_face(three: Made) -> None:
    socket = three.socket
    top = socket.rim_mm + SHAPE.flange_height_mm
    turn = np.linspace(0.0, 2.0 * np.pi, 721)
    edge = np.c_[socket.flange_mm * np.cos(turn), socket.flange_mm * np.sin(turn), np.full(721, top)]
    below = [socket.offset_mm - (edge @ -insert.axis).max() for insert in socket.inserts]
    assert min(below) == pytest.approx(ABOVE_FLANGE_MM, abs=0.01)


@pytest.mark.parametrize("slope_deg", [5.0, 45.0])
def test_the_inserts_clear_the_bone(on_slope: Make, slope_deg: float) -> None:
    """They end half a millimetre or more off the grown bone, and by no more than two steps of its grid further."""
    insert = on_slope(slope_deg)
    lowest = to_surface(insert_solid(insert.socket, insert.socket.inserts[0])).vertices
    room = (lowest[:, 2] - CLEARANCE_MM).min()
    assert OFF_BONE_MM * np.cos(np.radians(slope_deg)) - 1e-6 <= room <= 1.5


def test_the_key_lies_towards_its_side(three: Made) -> None:
    x = three.socket.place.vectors([1.0, 0.0, 0.0])
    assert x @ OUT > 0.0
    assert x @ three.socket.outwards == pytest.approx(0.0, abs=1e-12)
    assert abs(np.cross(three.socket.outwards, x) @ OUT) < 1e-12


def test_a_fan_too_wide_is_refused_with_its_figures(on_slope: Make) -> None:
    with pytest.raises(NoSafeGuide, match=r"found axes up to 25.0° off their mean: at the kit's offset of") as refusal:
        on_slope(20.0, 25.0, 4)
    assert refusal.value.rule == "fan_socket"
    assert refusal.value.figures["off_mean_deg"] == pytest.approx(25.0)
    assert refusal.value.figures["flange_mm"] > 20.0


def test_offsets_too_short_are_refused_with_what_they_lead(flat: HeightField) -> None:
    with pytest.raises(NoSafeGuide, match=r"kit's offset of 30 mm the drill is led over \d+\.\d mm") as refusal:
        lay_out_fan(np.zeros(3), fan_axes(sloped(45.0), 5.0, 3), LENGTHS[:3], OUT, flat, (25.0, 30.0), SHAPE, HASH)
    assert refusal.value.figures["guided_length_mm"] < SHAPE.guided_mm


def test_bone_that_rises_under_the_flange_is_refused() -> None:
    """A step of bone 12 mm beside the entry, as high as the rim."""
    step = field_of(lambda x, y: np.where(np.abs(x) + 0.0 * y > 8.0, 45.0, 0.3), half_mm=60.0)
    with pytest.raises(NoSafeGuide, match=r"stands -\d+\.\d mm off the bone") as refusal:
        lay_out_fan(
            np.zeros(3),
            fan_axes(sloped(0.0), 5.0, 3),
            LENGTHS[:3],
            np.array([1.0, 0.0, 0.0]),
            step,
            OFFSETS,
            SHAPE,
            HASH,
        )
    assert refusal.value.figures["off_bone_mm"] < 0.0


# --- the written files ---


@pytest.mark.parametrize(("slope_deg", "off_mean_deg", "count", "gap_mm"), [(45.0, 5.8, 4, 0.3), (10.0, 13.0, 2, 0.12)])
def test_every_written_insert_drills_its_own_tunnel_and_fits_one_way(
    on_slope: Make, slope_deg: float, off_mean_deg: float, count: int, gap_mm: float
) -> None:
    fan = on_slope(slope_deg, off_mean_deg, count, gap_mm=gap_mm)
    for number in (1, count):
        findings = fan.findings(number)
        assert len(findings) == 15
        assert [each for each in findings if not each.passed] == []
        measured = {each.name.split(" ", 2)[2]: each.measured for each in findings}
        assert measured["gap to the socket, least"] == pytest.approx(gap_mm, abs=0.005)
        assert measured["gap to the socket, most"] == pytest.approx(gap_mm, abs=0.005)
        assert measured["wall round the bore"] >= SHAPE.wall_mm
        assert measured["bore off the target"] < 1e-3
        assert measured["turned, least depth of the key in the wall"] > 0.8


def test_so_they_do_on_the_made_up_hip(on_hip: Made) -> None:
    assert len(on_hip.body.decompose()) == 1
    assert is_sound(on_hip.guide)
    for number in (1, 4):
        assert [each for each in on_hip.findings(number) if not each.passed] == []


def test_only_its_own_insert_drills_a_tunnel(three: Made) -> None:
    swapped = replace(three, axes=three.axes[[1, 0, 2]])
    failed = {each.name for each in swapped.findings(1) if not each.passed}
    assert "insert 1 bore off the target" in failed


def test_an_insert_goes_in_along_the_socket_s_axis(three: Made) -> None:
    body, socket = three.body, three.socket
    for insert in socket.inserts[:2]:
        solid = insert_solid(socket, insert)
        for way in (0.0, 0.05, 0.5, 2.0, 8.0, 20.0, 40.0):
            overlap = body ^ solid.translate(tuple(way * socket.outwards))
            assert overlap.volume() == pytest.approx(0.0, abs=1e-3)


def test_one_turned_does_not_go_in(three: Made) -> None:
    """By booleans, beside the check's own measure: on the whole circle but for the key's play."""
    socket = three.socket
    solid = insert_solid(socket, socket.inserts[0]).transform(socket.place.inverse().matrix()[:3])
    room = three.body.transform(socket.place.inverse().matrix()[:3])
    overlap = {turn: (room ^ solid.rotate((0.0, 0.0, turn))).volume() for turn in (0.5, *np.arange(3.0, 359.0, 16.0))}
    assert overlap.pop(0.5) == pytest.approx(0.0, abs=1e-3)
    assert min(overlap.values()) > 4.0


def test_the_drills_pass_the_guide_and_the_stop_passes_the_insert(three: Made) -> None:
    socket = three.socket
    for insert in socket.inserts:
        axis, face = socket.axis(insert), socket.stop_face_mm(insert)
        solid = insert_solid(socket, insert)
        drill = bore(face - 50.0 * axis, 90.0 * axis, SHAPE.drill_mm)
        assert (three.body ^ drill).volume() == pytest.approx(0.0, abs=1e-3)
        assert (solid ^ drill).volume() == pytest.approx(0.0, abs=1e-3)
        for tool in replace(DRILLING, reading_mm=insert.reading_mm).swept("", face, axis):
            above = bore(tool.start_mm - 1e-3 * axis, tool.end_mm, 2.0 * tool.radius_mm)
            assert (solid ^ above).volume() == pytest.approx(0.0, abs=1e-3), tool.name


def test_a_wire_beside_the_fan_is_met_by_what_moves(three: Made) -> None:
    channel = fan_channel(three.socket, DRILLING)
    names = {rod.name for rod in channel.moving}
    assert names == {"the inserts' way in", *(f"{tool} {n}" for tool in ("drill", "stop", "chuck") for n in (1, 2, 3))}
    beside = three.socket.outwards * 60.0 + three.socket.place.vectors([0.0, 1.0, 0.0]) * (three.socket.outer_mm + 2.0)
    wire = Rod("a wire", beside, beside + 100.0 * three.socket.outwards, 1.0)
    found = {each.first: each.gap_mm for each in passages([channel], [wire])}
    assert min(found[f"chuck {n}"] for n in (1, 2, 3)) == 0.0
    assert found["the inserts' way in"] > 0.0
    alone = fan_channel(three.socket, DRILLING).standing[0]
    reach = np.linalg.norm(np.cross(to_surface(socket_solid(three.socket)).vertices, three.socket.outwards), axis=1)
    assert reach.max() == pytest.approx(alone.radius_mm, abs=0.05)


def test_number_reading_and_plan_are_cut_into_the_tab(three: Made) -> None:
    socket, insert = three.socket, three.socket.inserts[2]
    label = insert_label(socket, insert)
    axes = np.stack([label.reading_direction, label.up_direction, label.outward_direction])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    place = RigidTransform.to_frame(label.center_mm, axes, "guide", "tab")
    tab = to_surface(insert_solid(socket, insert)).transformed(place)
    grid = np.stack(np.meshgrid(np.arange(-6.5, 6.5, 0.1), np.arange(-5.6, 5.6, 0.1)), axis=-1).reshape(-1, 2)
    way, _ = tab.ray_hits(np.c_[grid, np.full(len(grid), 5.0)], np.array([0.0, 0.0, -1.0]))
    cut = np.abs(way - 5.0 - SHAPE.text_depth_mm) < 1e-3
    assert (cut | (np.abs(way - 5.0) < 1e-3)).mean() > 0.995
    assert 0.15 < cut.mean() < 0.4
    for low, high in ((-5.6, -2.0), (-2.0, 2.0), (2.0, 5.6)):  # all lines are there
        assert cut[(grid[:, 1] > low) & (grid[:, 1] < high)].mean() > 0.1


def test_the_files_are_the_same_every_time_and_stand_on_the_plate(three: Made) -> None:
    insert = three.socket.inserts[0]
    surfaces = [insert_surface(three.socket, insert, PLACED) for _ in range(2)]
    assert stl_bytes(surfaces[0]) == stl_bytes(surfaces[1])
    pose = PLACED.inverse().then(insert_pose(three.socket))
    stood = [surface.transformed(pose) for surface in surfaces]
    assert threemf_bytes(stood[0], {"Title": "insert 1"}) == threemf_bytes(stood[1], {"Title": "insert 1"})
    assert stood[0].bounds_mm[0, 2] == pytest.approx(0.0, abs=1e-3)
    resting = stood[0].vertices[stood[0].vertices[:, 2] < 1e-3]
    assert np.linalg.norm(resting[:, :2], axis=1).max() == pytest.approx(
        three.socket.radius_mm(three.socket.low_mm), abs=0.01
    )


def test_an_insert_that_float32_cannot_hold_is_refused(three: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_solids, "stl_surface", lambda _: None)
    with pytest.raises(NoSafeGuide, match=r"expected an insert 2 that stays a sound solid"):
        insert_surface(three.socket, three.socket.inserts[1], PLACED)

"""The sleeve's offset on bones of known slope, the reading, and the steps with their figures."""

from __future__ import annotations

import manifold3d
import numpy as np
import pytest

from guidegen.errors import NoSafePlan
from guidegen.frames import RigidTransform, rotation_about, unit
from guidegen.packed import packed, unpacked
from guidegen.plan.instruments import (
    Fittings,
    InstrumentStep,
    depth_reading_mm,
    instrument_sequence,
    reading_text,
    sleeve_offset_mm,
)
from guidegen.plan.templates import Kit, load_template
from guidegen.surfaces import Surface

INTO = np.array([0.0, 0.0, -1.0])
ORIGIN = np.zeros(3)
FINE = tuple(np.arange(20.0, 90.0, 0.01))  # offsets so fine that the smallest tells what was needed


def surface(solid) -> Surface:
    mesh = solid.to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


def block(*extra) -> Surface:
    """Bone that fills what lies below z = 0, with what is added to it."""
    solid = manifold3d.Manifold.cube((200.0, 200.0, 100.0), True).translate((0.0, 0.0, -50.0))
    return surface(manifold3d.Manifold.batch_boolean([solid, *extra], manifold3d.OpType.Add))


def box(low, high) -> manifold3d.Manifold:
    return manifold3d.Manifold.cube(tuple(np.subtract(high, low))).translate(tuple(low))


def test_a_sleeve_square_to_the_bone_needs_its_guided_length_and_the_margin() -> None:
    assert sleeve_offset_mm(block(), ORIGIN, INTO, 4.1, 32.0, FINE) == pytest.approx(34.0, abs=0.011)
    assert sleeve_offset_mm(block(), ORIGIN, INTO, 4.1, 32.0, (30.0, 33.99, 34.01, 40.0)) == 34.01


@pytest.mark.parametrize("slope_deg", [15.0, 40.0, 60.0])
def test_a_slope_takes_the_radius_times_its_tangent(slope_deg) -> None:
    axis = rotation_about([1.0, 2.0, 0.0], slope_deg) @ INTO
    needed = 34.0 + 4.1 * np.tan(np.radians(slope_deg))
    assert sleeve_offset_mm(block(), ORIGIN, axis, 4.1, 32.0, FINE) == pytest.approx(needed, abs=0.02)


def test_it_does_not_depend_on_where_the_bone_lies() -> None:
    motion = RigidTransform(rotation_about([1.0, 2.0, 3.0], 77.0), np.array([-300.0, 410.0, -1200.0]), "LPS", "LPS")
    axis = rotation_about([1.0, 0.0, 0.0], 40.0) @ INTO
    there = sleeve_offset_mm(block().transformed(motion), motion.points(ORIGIN), motion.vectors(axis), 4.1, 32.0, FINE)
    assert there == pytest.approx(sleeve_offset_mm(block(), ORIGIN, axis, 4.1, 32.0, FINE), abs=0.011)


def test_bone_under_one_side_of_the_bore_counts_and_beside_it_does_not() -> None:
    under = block(box((3.0, -50.0, -1.0), (20.0, 50.0, 6.0)))
    assert sleeve_offset_mm(under, ORIGIN, INTO, 4.1, 32.0, FINE) == pytest.approx(40.0, abs=0.011)
    beside = block(box((4.2, -50.0, -1.0), (20.0, 50.0, 6.0)))
    assert sleeve_offset_mm(beside, ORIGIN, INTO, 4.1, 32.0, FINE) == pytest.approx(34.0, abs=0.011)


def test_a_bump_in_the_middle_of_the_bore_counts() -> None:
    bump = manifold3d.Manifold.cylinder(5.0, 1.0, 1.0, 32).translate((0.0, 0.0, -1.0))
    assert sleeve_offset_mm(block(bump), ORIGIN, INTO, 4.1, 32.0, FINE) == pytest.approx(38.0, abs=0.011)


def test_no_offset_is_enough_under_an_overhang_or_for_a_kit_too_short() -> None:
    offsets = (40.0, 50.0, 60.0)
    assert sleeve_offset_mm(block(), ORIGIN, INTO, 4.1, 59.0, offsets) is None
    overhang = block(box((-20.0, -20.0, 50.0), (20.0, 20.0, 70.0)), box((15.0, -20.0, -1.0), (20.0, 20.0, 60.0)))
    assert sleeve_offset_mm(overhang, ORIGIN, INTO, 4.1, 32.0, offsets) is None
    assert sleeve_offset_mm(block(), ORIGIN, INTO, 4.1, 32.0, (60.0, 50.0, 40.0)) == 40.0


def test_an_axis_past_the_bone_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"expected an axis through the bone, found no bone on it; check entry and axis"
    ):
        sleeve_offset_mm(block(), np.array([150.0, 0.0, 0.0]), INTO, 4.1, 32.0, FINE)


def test_the_reading_is_offset_and_length() -> None:
    assert depth_reading_mm(45.0, 83.4) == pytest.approx(128.4)


@pytest.mark.parametrize(
    ("reading_mm", "step_mm", "text"),
    [
        (128.4, 5.0, "read 128.4 mm: 3.4 mm past the mark 125"),
        (128.4, 10.0, "read 128.4 mm: 8.4 mm past the mark 120"),
        (125.0, 5.0, "read 125.0 mm: at the mark 125"),
        (124.97, 5.0, "read 125.0 mm: at the mark 125"),
        (124.94, 5.0, "read 124.9 mm: 4.9 mm past the mark 120"),
        (127.6, 2.5, "read 127.6 mm: 0.1 mm past the mark 127.5"),
        (0.3 * 411, 0.1, "read 123.3 mm: at the mark 123.3"),
    ],
)
def test_a_reading_between_the_marks(reading_mm, step_mm, text) -> None:
    assert reading_text(reading_mm, step_mm) == text


def test_the_steps_of_a_cannulated_set_name_their_figures() -> None:
    kit, _ = load_template(Kit, "cannulated-9")
    steps = instrument_sequence(kit, 83.4, 128.4, Fittings("metal", reducer_mm=2.0))
    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6]
    assert [step.guide for step in steps] == ["on", "on", "on", "on", "on", "off"]
    assert steps[0] == InstrumentStep(
        1, "two or three wires of 2 mm", "the guide's pin holes",
        "25 mm of bone: what the built guide asks from its tip to the top of its boss", "on",
    )  # fmt: skip
    assert steps[1] == InstrumentStep(
        2, "metal sleeve for the drill of 9 mm", "the hole in the guide", "its flange, flat on the print", "on"
    )
    assert (steps[2].tool, steps[2].stopped_by) == (
        "reducer for the wire of 3.2 mm",
        "its flange, flat on the metal sleeve's flange",
    )
    assert (steps[3].tool, steps[3].stopped_by) == (
        "guide wire of 3.2 mm",
        "its own stop, set at 130.4 mm, on the reducer's flange",
    )
    assert (steps[4].tool, steps[4].through) == (
        "cannulated drill of 9 mm over the wire",
        "the metal sleeve, the wire's stop and the reducer drawn off over the wire",
    )
    assert steps[4].stopped_by == "its stop, set at 128.4 mm (3.4 mm past the mark 125), on the metal sleeve's flange"
    assert "83.4 mm" in steps[5].stopped_by


def test_what_must_be_put_in_first_is_a_step_where_it_is_loose_and_only_there() -> None:
    kit, _ = load_template(Kit, "core-8")
    printed, metal = (
        [step.tool for step in instrument_sequence(kit, 83.4, 128.4, Fittings(lead))] for lead in ("printed", "metal")
    )
    assert metal == [*printed[:1], "metal sleeve for the drill of 8 mm", *printed[1:]]
    assert instrument_sequence(kit, 83.4, 128.4, Fittings())[1].through == "the sleeve"


def test_of_a_fan_each_tunnel_names_its_insert_and_the_first_alone_the_wires() -> None:
    kit, _ = load_template(Kit, "multiple-3.2")
    first, third = (instrument_sequence(kit, 83.4, 128.4, Fittings("insert"), number) for number in (1, 3))
    assert [step.tool for step in first[:3]] == ["two or three wires of 2 mm", "insert 1", "pin of 3.2 mm"]
    assert [step.number for step in third] == [1, 2, 3]
    assert (third[0].tool, third[0].stopped_by) == ("insert 3", "its flange, flat on the socket's rim")
    assert (third[1].through, third[1].stopped_by) == (
        "insert 3",
        "its stop, set at 128.4 mm (3.4 mm past the mark 125), on the top of insert 3",
    )


def test_each_wire_is_read_where_it_can_be_seen() -> None:
    kit, _ = load_template(Kit, "core-8")
    built = Fittings("metal", wire_depths_mm=(25.0, 25.0), wire_readings_mm=(33.95, 34.4))
    stopped = instrument_sequence(kit, 83.4, 128.4, built)[0].stopped_by
    assert stopped == "25 mm of bone: 34 / 34.4 mm from its tip to the top of its boss"


def test_every_figure_of_plan_and_kit_can_be_named() -> None:
    kit, _ = load_template(Kit, "expandable-8")
    text = "{offset_mm} {length_mm} {reading_mm} {diameter_mm} {pin_mm} {pin_depth_mm} {reamer_radius_mm}"
    step = kit.steps[1].model_copy(update={"through": text})
    told = instrument_sequence(kit.model_copy(update={"steps": (step,)}), 83.4, 128.4, Fittings())
    assert told[0].through == "45.0 83.4 128.4 8 2 25 9"


@pytest.mark.parametrize(
    "name", ["core-8", "core-9", "core-10", "curette-10", "multiple-3.2", "cannulated-9", "expandable-8"]
)
def test_no_brace_is_left_and_the_drill_is_stopped_at_its_reading(name) -> None:
    kit, _ = load_template(Kit, name)
    steps = instrument_sequence(kit, 83.4, 128.4, Fittings())
    assert len(steps) == len(kit.steps) + (1 if kit.guide_wire else 0)  # its reducer
    assert not any(
        brace in text for step in steps for text in (step.tool, step.through, step.stopped_by) for brace in "{}"
    )
    assert any(f"{kit.drill.diameter_mm:g} mm" in step.tool and "128.4" in step.stopped_by for step in steps)
    assert all("128.4" not in step.stopped_by for step in steps if step.guide == "off")


def test_a_reading_beyond_the_drill_is_refused() -> None:
    kit, _ = load_template(Kit, "core-8")
    match = r"expected a reading within the drill's length of 200 mm, found 200\.1 mm; choose a kit with a longer drill"
    with pytest.raises(NoSafePlan, match=match) as refusal:
        instrument_sequence(kit, 140.1, 200.1, Fittings())
    assert refusal.value.rule == "drill_length"
    assert instrument_sequence(kit, 140.0, 200.0, Fittings())


def test_a_step_is_packed_and_comes_back() -> None:
    step = instrument_sequence(load_template(Kit, "core-8")[0], 83.4, 128.4, Fittings())[1]
    assert unpacked(InstrumentStep, packed(step)) == step


def test_an_axis_needs_no_particular_frame() -> None:
    for axis in (INTO, unit([1.0, 1.0, -4.0])):
        assert sleeve_offset_mm(block(), ORIGIN, axis, 1e-9, 32.0, FINE) == pytest.approx(34.0, abs=0.02)

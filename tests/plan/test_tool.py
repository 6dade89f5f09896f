"""What a tool sweeps, against the closed forms of cylinder, cone and ball."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.frames import angle_deg, perpendicular_pair, unit
from guidegen.packed import packed, unpacked
from guidegen.plan.templates import Kit, load_template
from guidegen.plan.tool import Tool, tool_solid
from guidegen.surfaces import Surface

FLAT = Tool(radius_mm=4.0, end="flat", setback_at_rim_mm=0.0)
CONE = Tool(radius_mm=4.0, end="cone", setback_at_rim_mm=4.0 / np.tan(np.radians(59.0)))
BALL = Tool(radius_mm=4.0, end="ball", setback_at_rim_mm=4.0)
REAMER = Tool(radius_mm=4.0, end="flat", setback_at_rim_mm=0.0, reamer_radius_mm=9.0, reamer_length_mm=20.0)
REAMER_ON_CONE = Tool(
    radius_mm=4.0, end="cone", setback_at_rim_mm=3.0, reamer_radius_mm=9.0, reamer_length_mm=20.0, curette_reach_mm=5.0
)
TOOLS = {"flat": FLAT, "cone": CONE, "ball": BALL, "reamer": REAMER, "reamer on a cone": REAMER_ON_CONE}

ENTRY = np.array([80.0, -20.0, 30.0])
TARGET = np.array([10.0, 5.0, 75.0])
LENGTH = float(np.linalg.norm(TARGET - ENTRY))
BACK = 15.0


def shaft_volume(tool: Tool) -> float:
    """Of the shaft behind the drill's end."""
    return np.pi * tool.radius_mm**2 * (LENGTH + BACK - tool.setback_at_rim_mm)


def end_volume(tool: Tool) -> float:
    share = {"flat": 0.0, "cone": 1.0 / 3.0, "ball": 2.0 / 3.0}[tool.end]
    return share * np.pi * tool.radius_mm**2 * tool.setback_at_rim_mm


def reamed_volume(tool: Tool) -> float:
    """Of the open reamer outside the shaft."""
    return np.pi * (tool.widest_mm**2 - tool.radius_mm**2) * tool.reamer_length_mm


def surface(solid) -> Surface:
    mesh = solid.to_mesh64()
    return Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))


def test_a_kit_s_drill_gives_its_end() -> None:
    assert np.isclose(Tool.of(load_template(Kit, "cannulated-9")[0]).setback_at_rim_mm, 4.5 / np.tan(np.radians(59.0)))
    assert Tool.of(load_template(Kit, "core-10")[0]).setback_at_rim_mm == 0.0
    kit = load_template(Kit, "core-8")[0]
    ball = kit.model_copy(update={"drill": kit.drill.model_copy(update={"end": "ball"})})
    assert Tool.of(ball).setback_at_rim_mm == 4.0


def test_a_kit_s_other_instruments_are_in_its_tool() -> None:
    kit, _ = load_template(Kit, "expandable-8")
    tool = Tool.of(kit)
    assert (tool.reamer_radius_mm, tool.reamer_length_mm) == (kit.reamer.radius_mm, kit.reamer.cutting_length_mm)
    assert (tool.widest_mm, tool.end_length_mm, tool.curette_reach_mm) == (9.0, 20.0, 0.0)
    kit, _ = load_template(Kit, "curette-10")
    assert (Tool.of(kit).curette_reach_mm, Tool.of(kit).widest_mm) == (kit.curette.reach_mm, 5.0)


def test_the_outline_of_each_end() -> None:
    assert FLAT.outline_mm.tolist() == [[0, 0], [0, 2], [0, 4]]
    assert np.allclose(CONE.outline_mm, [[0, 0], [4 / np.tan(np.radians(59)) / 2, 2], [4 / np.tan(np.radians(59)), 4]])
    half, most = 4.0 * np.sqrt(0.75), 4.0 * (1.0 - np.sqrt(0.75))
    assert np.allclose(BALL.outline_mm, [[0, 0], [most, 2], [2, half], [4, 4]])
    assert REAMER.outline_mm[3:].tolist() == [[0, 6.5], [0, 9], [10, 9], [20, 9]]
    assert REAMER_ON_CONE.outline_mm[3:].tolist() == [[3, 6.5], [3, 9], [13, 9], [23, 9]]


@pytest.mark.parametrize("name", TOOLS)
def test_the_rings_lie_on_what_is_swept(name) -> None:
    tool = TOOLS[name]
    setback, radius = tool.outline_mm.T
    assert tool.swept(-np.minimum(setback + 1e-9, max(tool.end_length_mm, 1.0)), radius * (1 - 1e-9)).all()
    assert not tool.swept(-setback + 1e-6, radius + 1e-6).any()
    front = setback <= tool.setback_at_rim_mm
    assert np.allclose(tool.setback_mm(radius[front]), setback[front])


def test_the_setback_by_closed_form() -> None:
    beside = np.array([0.0, 1.0, 3.0, 4.0])
    assert np.allclose(FLAT.setback_mm(beside), 0.0)
    assert np.allclose(CONE.setback_mm(beside), beside / np.tan(np.radians(59.0)))
    assert np.allclose(BALL.setback_mm(beside), 4.0 - np.sqrt(16.0 - beside**2))
    for tool in (FLAT, CONE, BALL):
        assert np.isinf(tool.setback_mm([4.001, 100.0])).all()
    assert np.allclose(REAMER_ON_CONE.setback_mm([2.0, 4.0, 4.001, 9.0]), [1.5, 3.0, 3.0, 3.0])
    assert np.isinf(REAMER_ON_CONE.setback_mm(9.001))


def test_a_reamer_is_swept_over_its_length_alone() -> None:
    along = np.array([0.1, -0.1, -2.9, -3.1, -22.9, -23.1, -500.0])
    assert REAMER_ON_CONE.swept(along, 0.0).tolist() == [False, True, True, True, True, True, True]
    assert REAMER_ON_CONE.swept(along, 3.9).tolist() == [False, False, False, True, True, True, True]
    assert REAMER_ON_CONE.swept(along, 8.9).tolist() == [False, False, False, True, True, False, False]
    assert not REAMER_ON_CONE.swept(along, 9.1).any()


@pytest.mark.parametrize("name", TOOLS)
def test_the_solid_has_the_volume_of_the_closed_form(name) -> None:
    tool = TOOLS[name]
    solid = tool_solid(tool, ENTRY, TARGET, BACK)
    expected = shaft_volume(tool) + end_volume(tool) + reamed_volume(tool)
    tolerance = 4e-4 * end_volume(tool) if tool.end == "ball" else 1e-8 * expected  # 2° steps round a ball
    assert solid.volume() == pytest.approx(expected, abs=tolerance)
    assert surface(solid).is_closed


@pytest.mark.parametrize("name", TOOLS)
def test_points_are_in_the_solid_just_where_they_are_swept(name) -> None:
    tool, axis = TOOLS[name], unit(TARGET - ENTRY)
    first, second = perpendicular_pair(axis)
    rng = np.random.default_rng(3)
    along, beside, turn = rng.uniform(-40, 5, 4000), rng.uniform(0, 11, 4000), rng.uniform(0, 2 * np.pi, 4000)
    points = TARGET + along[:, None] * axis
    points += beside[:, None] * (np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)
    solid = surface(tool_solid(tool, ENTRY, TARGET, BACK))
    clear = np.abs(solid.signed_distance_mm(points)) > 0.01
    assert clear.sum() > 3900
    assert np.array_equal(tool.swept(along, beside)[clear], solid.contains(points)[clear])


@pytest.mark.parametrize("name", TOOLS)
def test_points_that_are_not_swept_lie_as_far_from_the_solid_as_is_said(name) -> None:
    tool, axis = TOOLS[name], unit(TARGET - ENTRY)
    beyond, _ = perpendicular_pair(axis)
    rng = np.random.default_rng(4)
    along, beside = rng.uniform(-40, 12, 2000), rng.uniform(0, 25, 2000)
    points = TARGET + along[:, None] * axis + beside[:, None] * beyond
    out = ~tool.swept(along, beside)
    away = surface(tool_solid(tool, ENTRY, TARGET, BACK)).signed_distance_mm(points)
    # the solid has 120 sides, whose corners stand out and whose middles lie in
    assert tool.outside_mm(along, beside)[out] == pytest.approx(away[out], abs=0.005)


def test_the_solid_ends_at_the_target_and_before_the_entry() -> None:
    axis = unit(TARGET - ENTRY)
    way = (surface(tool_solid(CONE, ENTRY, TARGET, BACK)).vertices - ENTRY) @ axis
    assert way.max() == pytest.approx(LENGTH)
    assert way.min() == pytest.approx(-BACK)
    deepest = surface(tool_solid(CONE, ENTRY, TARGET, BACK)).vertices[way.argmax()]
    assert np.allclose(deepest, TARGET)
    assert angle_deg(deepest - ENTRY, axis) < 1e-6


def test_a_tunnel_shorter_than_its_tool_s_end_is_refused() -> None:
    near = TARGET + 12.0 * unit(ENTRY - TARGET)
    with pytest.raises(ValueError, match=r"expected a tunnel longer than the tool's end of 23\.0 mm, found 22\.0 mm"):
        tool_solid(REAMER_ON_CONE, near, TARGET, 10.0)
    assert tool_solid(REAMER_ON_CONE, near, TARGET, 12.0).volume() > 0.0


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_packed_and_comes_back(name) -> None:
    content = packed(TOOLS[name])
    assert packed(unpacked(Tool, content)) == content
    assert np.array_equal(unpacked(Tool, content).outline_mm, TOOLS[name].outline_mm)

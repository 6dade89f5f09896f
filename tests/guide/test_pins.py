"""Two wires on a plate with a tunnel through its middle: every distance is measured again, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import block, cylinder, field_of
from guidegen.guide.outline import Outline, draw_outline

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, angle_deg
from guidegen.guide.height_field import HeightField
from guidegen.guide.pins import BETWEEN_WIRES_MM, DRIVER_MM, EDGE_MM, LARGEST_TO_NORMAL_DEG, choose_pins
from guidegen.guide.placement import place_tube
from guidegen.guide.solids import to_surface
from guidegen.keep_out import NOTHING, KeepOut, Structure
from guidegen.plan.templates import Footprint, GuideTemplate, PinShape, Wire, load_template
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM, ScanEnd

TEMPLATE = load_template(GuideTemplate, "lateral")[0]
SHAPE = TEMPLATE.pins
WIRE = Wire(diameter_mm=2.0, depth_mm=25.0, length_mm=150.0)
ENTRY, AXIS = np.array([0.0, -8.0, 0.0]), np.array([0.0, np.sin(np.radians(42.0)), -np.cos(np.radians(42.0))])
TARGET = ENTRY + 90.0 * AXIS
TUNNEL_MM, SLEEVE_MM, BOSS_MM = 4.0, 9.1, 3.5  # radii

Wires = list[tuple[FloatArray, FloatArray]]


@pytest.fixture(scope="module")
def flat() -> HeightField:
    return field_of(lambda x, y: 0.0 * x + 0.0 * y, half_mm=60.0)


def outlined(field: HeightField, length_mm: float, width_mm: float) -> Outline:
    footprint = Footprint(length_mm=length_mm, width_mm=width_mm)
    return draw_outline(field, footprint, TEMPLATE.shell, np.zeros(field.height_mm.shape, dtype=bool))


def ground(keep_out: KeepOut = NOTHING, end_mm: float = -200.0) -> Ground:
    """Bone everywhere below z = 0, kept out by 3 mm, in a scan that ends `end_mm` along y."""
    end = ScanEnd(np.array([0.0, end_mm, 0.0]), np.array([0.0, -1.0, 0.0]))
    return Ground(cylinder(1.0, 1.0, 8), keep_out, 3.0, np.empty((0, 3)), end)


def pinned(field: HeightField, outline: Outline, shape: PinShape = SHAPE, on: Ground | None = None) -> Wires:
    sleeve = place_tube(field, ENTRY, AXIS, 8.2, 14.2, 32.0)
    return choose_pins(
        field, outline, ENTRY, TARGET, TUNNEL_MM, sleeve, SLEEVE_MM, shape, WIRE, BOSS_MM, on or ground()
    )  # fmt: skip


def boxed(low_mm: list[float], high_mm: list[float]) -> KeepOut:
    return KeepOut((Structure("implant", to_surface(block(low_mm, high_mm).refine_to_length(1.0))),))


def apart_mm(first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]) -> float:
    """Least distance between two segments, each given by its ends (3,): on a grid of 0.05 mm."""
    share = np.linspace(0.0, 1.0, 1001)[:, None]
    (a, b), (c, d) = first, second
    points = a + share * (b - a)
    along = np.clip((points - c) @ (d - c) / ((d - c) @ (d - c)), 0.0, 1.0)
    return float(np.linalg.norm(points - c - along[:, None] * (d - c), axis=1).min())


@pytest.fixture(scope="module")
def outline(flat: HeightField) -> Outline:
    return outlined(flat, 55.0, 40.0)


@pytest.fixture(scope="module")
def wires(flat: HeightField, outline: Outline) -> Wires:
    return pinned(flat, outline)


def test_two_wires_on_the_bone_inside_the_shell(wires: Wires, outline: Outline) -> None:
    assert len(wires) == 2
    points = np.stack([point for point, _ in wires])
    np.testing.assert_allclose(points[:, 2], 0.0, atol=1e-9)
    assert (outline.edge_distance_mm(points) >= BOSS_MM + EDGE_MM).all()


def test_they_go_into_the_bone_and_diverge(wires: Wires) -> None:
    for _, direction in wires:
        assert np.linalg.norm(direction) == pytest.approx(1.0)
        assert angle_deg(direction, [0.0, 0.0, -1.0]) <= LARGEST_TO_NORMAL_DEG
    assert angle_deg(wires[0][1], wires[1][1]) >= SHAPE.least_divergence_deg


def test_they_keep_clear_of_tunnel_sleeve_and_each_other(wires: Wires) -> None:
    inner = [(point, point + WIRE.depth_mm * way) for point, way in wires]
    outer = [(point, point - 60.0 * way) for point, way in wires]
    for wire in inner:
        assert apart_mm(wire, (ENTRY, TARGET)) >= TUNNEL_MM + WIRE.diameter_mm / 2 + SHAPE.tunnel_distance_mm - 0.02
    for wire in outer:
        assert apart_mm(wire, (ENTRY - 32.0 * AXIS, ENTRY)) >= SLEEVE_MM + DRIVER_MM - 0.1
    assert apart_mm(*inner) >= BETWEEN_WIRES_MM - 0.02


def test_they_are_as_far_apart_as_the_shell_allows(wires: Wires) -> None:
    assert np.linalg.norm(wires[0][0] - wires[1][0]) > 30.0


@pytest.mark.parametrize("degrees", [5.0, 15.0, 30.0])
def test_the_divergence_asked_for_is_kept(flat: HeightField, outline: Outline, degrees: float) -> None:
    first, second = pinned(flat, outline, SHAPE.model_copy(update={"least_divergence_deg": degrees}))
    assert angle_deg(first[1], second[1]) >= degrees


def test_on_a_steep_flank_no_wire_skids() -> None:
    field = field_of(lambda x, y: np.sqrt(np.maximum(20.0**2 - x**2, 0.0)) + 0.0 * y, half_mm=60.0)
    for point, way in pinned(field, outlined(field, 55.0, 40.0)):
        normal = np.array([point[0], 0.0, point[2]]) / 20.0
        assert angle_deg(-way, normal) <= LARGEST_TO_NORMAL_DEG + 1.5  # the normal is taken from the grid


@pytest.mark.parametrize(("length_mm", "width_mm"), [(28.0, 12.0), (30.0, 20.0), (6.0, 6.0)])
def test_without_room_there_is_no_guide(flat: HeightField, length_mm: float, width_mm: float) -> None:
    y = np.array([-length_mm / 2, length_mm / 2])
    small = Outline(y, np.full(2, -width_mm / 2), np.full(2, width_mm / 2))
    with pytest.raises(NoSafeGuide, match="expected room for two wires at least 15° apart") as refusal:
        pinned(flat, small)
    assert refusal.value.rule == "pins"
    assert refusal.value.exit_code == 3


# --- what is kept out, and the end of the scan ---


def test_they_keep_clear_of_what_is_kept_out_on_their_whole_way(flat: HeightField, outline: Outline) -> None:
    free = pinned(flat, outline)
    for depth in (-15.0, 20.0):  # in the bone, and outside it where the driver is
        middle = free[0][0] - depth * free[0][1]
        keep_out = boxed((middle - 2.0).tolist(), (middle + 2.0).tolist())
        wires = pinned(flat, outline, on=ground(keep_out))
        for point, way in wires:
            places = point + np.arange(-60.0, WIRE.depth_mm + 0.05, 0.1)[:, None] * way
            assert keep_out.distance_mm(places).min() - WIRE.diameter_mm / 2.0 >= 3.0
        assert not np.allclose(wires[0][0], free[0][0]) or not np.allclose(wires[0][1], free[0][1])


def test_with_the_bone_full_of_metal_there_is_no_guide(flat: HeightField, outline: Outline) -> None:
    metal = ground(boxed([-60.0, -60.0, -20.0], [60.0, 60.0, -10.0]))
    with pytest.raises(NoSafeGuide, match=r"clear of the tunnel and 3 mm of the implant, found 0 lawful") as refusal:
        pinned(flat, outline, on=metal)
    assert refusal.value.rule == "keep_out"


def test_none_ends_below_the_scan(flat: HeightField, outline: Outline) -> None:
    end_mm = float(outline.y_mm.min()) - 5.0
    for point, way in pinned(flat, outline, on=ground(end_mm=end_mm)):
        assert (point + WIRE.depth_mm * way)[1] - end_mm >= END_MARGIN_MM + WIRE.diameter_mm / 2.0

"""Wires on a slab of bone with a tunnel through its middle: every distance is measured again, exactly."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from bodies import block, cylinder, field_of, rectangle, zones_on

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, angle_deg
from guidegen.guide.patch import Patch
from guidegen.guide.pins import (
    BETWEEN_WIRES_MM,
    BONE,
    BOSS,
    DRIVER_MM,
    FAR_EXIT_MM,
    FLATTEST_DEG,
    INSIDE_MM,
    LARGEST_TO_NORMAL_DEG,
    Line,
    Wires,
    choose_pins,
    line_distance_mm,
)
from guidegen.guide.pins import (
    WIRE as OUTSIDE,
)
from guidegen.guide.solids import to_surface
from guidegen.keep_out import NOTHING, KeepOut, Structure
from guidegen.plan.kits import Wire
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.ground import Ground
from guidegen.seat.scan_end import END_MARGIN_MM, ScanEnd

SHAPE = load_template(GuideTemplate, "lateral")[0].pins
WIRE = Wire(diameter_mm=2.0, depth_mm=25.0, length_mm=150.0)
ENTRY, AXIS = np.array([0.0, -8.0, 0.0]), np.array([0.0, np.sin(np.radians(42.0)), -np.cos(np.radians(42.0))])
TARGET, TOP = ENTRY + 90.0 * AXIS, ENTRY - 32.0 * AXIS
TUNNEL_MM, SLEEVE_MM, BOSS_MM = 4.0, 9.1, 3.5  # radii
LINES = [
    Line(ENTRY, TARGET, TUNNEL_MM + SHAPE.tunnel_distance_mm, BONE),
    Line(ENTRY, TOP, SLEEVE_MM, BOSS),
]
NOWHERE_MM = -1e3
SLACK_MM = 0.05  # ways are sampled every mm


@pytest.fixture(scope="module")
def plate() -> Patch:
    """A contact of 40 × 55 mm on flat bone."""
    return rectangle(field_of(lambda x, y: 0.0 * x + 0.0 * y, half_mm=45.0), 40.0, 55.0)


def ground(keep_out: KeepOut = NOTHING, end_mm: float = -200.0, thick_mm: float = 90.0) -> Ground:
    """A slab of bone below z = 0, kept out by 3 mm, in a scan that ends `end_mm` along y."""
    end = ScanEnd(np.array([0.0, end_mm, 0.0]), np.array([0.0, -1.0, 0.0]))
    slab = to_surface(block([-90.0, -90.0, -thick_mm], [90.0, 90.0, 0.0]))
    return Ground(slab, keep_out, 3.0, np.empty((0, 3)), end)


def pinned(patch: Patch, on: Ground | None = None, lowest_mm: float = NOWHERE_MM, **changes: Any) -> Wires:
    shape = SHAPE.model_copy(update=changes)
    return choose_pins(patch, zones_on(axis_mm=-20.0), on or ground(), LINES, shape, WIRE, BOSS_MM, lowest_mm)


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
def wires(plate: Patch) -> Wires:
    return pinned(plate)


def test_three_wires_on_the_bone_inside_the_shell(wires: Wires, plate: Patch) -> None:
    assert len(wires.depths_mm) == SHAPE.most == 3
    np.testing.assert_allclose(wires.points_mm[:, 2], 0.0, atol=1e-9)
    assert (plate.edge_distance_mm(wires.points_mm) >= BOSS_MM + SHAPE.boss_edge_mm - 0.01).all()


def test_they_go_into_the_bone_and_no_two_are_parallel(wires: Wires) -> None:
    np.testing.assert_allclose(np.linalg.norm(wires.directions, axis=1), 1.0)
    for way in wires.directions:
        assert angle_deg(way, [0.0, 0.0, -1.0]) <= LARGEST_TO_NORMAL_DEG
    for one, other in combinations(wires.directions, 2):
        assert angle_deg(one, other) >= 15.0


@pytest.mark.parametrize("degrees", [10.0, 24.0, 30.0])
def test_the_divergence_asked_for_is_kept(plate: Patch, degrees: float) -> None:
    wires = pinned(plate, least_divergence_deg=degrees)
    assert all(angle_deg(one, other) >= degrees for one, other in combinations(wires.directions, 2))


def test_they_keep_clear_of_tunnel_sleeve_and_each_other(wires: Wires) -> None:
    inner = list(zip(wires.points_mm, wires.ends_mm, strict=True))
    outer = list(zip(wires.points_mm, wires.points_mm - 60.0 * wires.directions, strict=True))
    for wire in inner:
        assert apart_mm(wire, (ENTRY, TARGET)) >= TUNNEL_MM + SHAPE.tunnel_distance_mm + 1.0 - SLACK_MM
    for wire in outer:
        assert apart_mm(wire, (ENTRY, TOP)) >= SLEEVE_MM + DRIVER_MM - SLACK_MM
    for one, other in combinations(inner, 2):
        assert apart_mm(one, other) >= BETWEEN_WIRES_MM - SLACK_MM
    for one, other in combinations(wires.points_mm, 2):
        assert np.linalg.norm(one - other) >= 2.0 * BOSS_MM


def test_where_the_best_of_them_may_not_run_none_runs(plate: Patch, wires: Wires) -> None:
    """Another tunnel along the very first wire: they make room for it as for the first."""
    other = Line(wires.points_mm[0], wires.ends_mm[0], 7.0, BONE)
    zones, lines = zones_on(axis_mm=-20.0), [*LINES, other]
    found = choose_pins(plate, zones, ground(), lines, SHAPE, WIRE, BOSS_MM, NOWHERE_MM)
    for wire in zip(found.points_mm, found.ends_mm, strict=True):
        assert apart_mm(wire, (other.start_mm, other.end_mm)) >= 8.0 - SLACK_MM
        assert apart_mm(wire, (ENTRY, TARGET)) >= TUNNEL_MM + SHAPE.tunnel_distance_mm + 1.0 - SLACK_MM


def test_outside_a_wire_keeps_clear_with_all_of_its_length(plate: Patch, wires: Wires) -> None:
    """Something 100 mm off the bone, further out than its driver reaches, in the way of the first one."""
    middle = wires.points_mm[0] - 100.0 * wires.directions[0]
    lines = [*LINES, Line(middle, middle + [1.0, 0.0, 0.0], 3.0, OUTSIDE)]
    found = choose_pins(plate, zones_on(axis_mm=-20.0), ground(), lines, SHAPE, WIRE, BOSS_MM, NOWHERE_MM)
    for point, way in zip(found.points_mm, found.directions, strict=True):
        whole = (point, point - (WIRE.length_mm - WIRE.depth_mm) * way)
        assert apart_mm(whole, (middle, middle + [1.0, 0.0, 0.0])) >= 4.0 - 0.15


def test_the_first_two_are_as_far_apart_as_the_shell_allows(wires: Wires) -> None:
    assert np.linalg.norm(wires.points_mm[0] - wires.points_mm[1]) > 45.0


def test_two_are_enough_where_no_more_are_asked(plate: Patch, wires: Wires) -> None:
    pair = pinned(plate, most=2)
    np.testing.assert_array_equal(pair.points_mm, wires.points_mm[:2])


@pytest.mark.parametrize("lowest_mm", [-10.0, 0.0])
def test_none_enters_below_the_lesser_trochanter(plate: Patch, wires: Wires, lowest_mm: float) -> None:
    assert wires.points_mm[:, 1].min() < lowest_mm, "without the border one does"
    assert pinned(plate, lowest_mm=lowest_mm).points_mm[:, 1].min() >= lowest_mm


def test_on_a_steep_flank_no_wire_skids_and_the_driver_stays_in_the_wound() -> None:
    field = field_of(lambda x, y: np.sqrt(np.maximum(20.0**2 - x**2, 0.0)) + 0.0 * y, half_mm=45.0)
    bone = Ground(cylinder(20.0, 160.0), NOTHING, 3.0, np.empty((0, 3)), ground().end)
    wires = choose_pins(rectangle(field, 34.0, 55.0), zones_on(), bone, [], SHAPE, WIRE, BOSS_MM, NOWHERE_MM)
    for point, way in zip(wires.points_mm, wires.directions, strict=True):
        normal = np.array([point[0], 0.0, point[2]]) / 20.0
        assert angle_deg(-way, normal) <= LARGEST_TO_NORMAL_DEG + 1.5  # the normal is taken from the grid
        assert angle_deg(-way, [0.0, 0.0, 1.0]) <= FLATTEST_DEG
    assert np.abs(wires.points_mm[:, 0]).max() > 8.0, "one stands on a flank"


# --- how deep ---


def test_a_wire_that_stops_in_the_bone_has_bone_round_its_point(wires: Wires) -> None:
    np.testing.assert_array_equal(wires.depths_mm, WIRE.depth_mm)
    assert np.isnan(wires.far_exits_mm).all()
    np.testing.assert_allclose(wires.ends_mm, wires.points_mm + 25.0 * wires.directions)


def test_in_thin_bone_only_wires_that_lean_stop_in_it(plate: Patch) -> None:
    """27 mm thick, with 3 mm beyond a wire of 2 mm: its point is at most 23 mm deep, 23° or more off straight."""
    wires = pinned(plate, ground(thick_mm=27.0))
    deepest = 27.0 - INSIDE_MM - WIRE.diameter_mm / 2.0
    assert (-wires.ends_mm[:, 2] <= deepest + 1e-6).all()
    with pytest.raises(NoSafeGuide, match="found 0 lawful wires"):
        pinned(plate, ground(thick_mm=20.0))


def test_through_both_cortices_its_point_is_through_and_no_more(plate: Patch) -> None:
    wires = pinned(plate, ground(thick_mm=40.0), cortices=2)
    np.testing.assert_array_equal(wires.far_exits_mm, FAR_EXIT_MM)
    through = 40.0 / -wires.directions[:, 2]
    np.testing.assert_allclose(wires.depths_mm, through + FAR_EXIT_MM)
    flush = pinned(plate, ground(thick_mm=40.0), cortices=2, most_far_exit_mm=0.25)
    np.testing.assert_allclose(flush.far_exits_mm, 0.25)


def test_a_bone_too_thick_for_the_wire_is_not_gone_through(plate: Patch) -> None:
    """150 mm of wire, of which 60 stay outside."""
    with pytest.raises(NoSafeGuide, match="found 0 lawful wires"):
        pinned(plate, ground(thick_mm=89.5), cortices=2)


# --- refused ---


@pytest.mark.parametrize(("width_mm", "length_mm"), [(12.0, 28.0), (6.0, 6.0)])
def test_without_room_there_is_no_guide(width_mm: float, length_mm: float) -> None:
    small = rectangle(field_of(lambda x, y: 0.0 * x + 0.0 * y), width_mm, length_mm)
    with pytest.raises(NoSafeGuide, match=r"expected room for 2 wires at least 15° apart, .* a larger") as refusal:
        pinned(small)
    assert refusal.value.rule == "pins"
    assert refusal.value.exit_code == 3


# --- what is kept out, and the end of the scan ---


@pytest.mark.parametrize("depth_mm", [15.0, -20.0])
def test_they_keep_clear_of_what_is_kept_out_on_their_whole_way(plate: Patch, wires: Wires, depth_mm: float) -> None:
    """In the bone, and outside it where the driver is."""
    middle = wires.points_mm[0] + depth_mm * wires.directions[0]
    keep_out = boxed((middle - 2.0).tolist(), (middle + 2.0).tolist())
    found = pinned(plate, ground(keep_out))
    for point, way in zip(found.points_mm, found.directions, strict=True):
        places = point + np.arange(-60.0, WIRE.depth_mm + 0.05, 0.1)[:, None] * way
        assert keep_out.distance_mm(places).min() - WIRE.diameter_mm / 2.0 >= 3.0


def test_with_the_bone_full_of_metal_there_is_no_guide(plate: Patch) -> None:
    metal = ground(boxed([-60.0, -60.0, -20.0], [60.0, 60.0, -10.0]))
    with pytest.raises(NoSafeGuide, match=r"clear of the tunnel and 3 mm of the implant and .* found 0 lawful") as no:
        pinned(plate, metal)
    assert no.value.rule == "keep_out"


def test_none_ends_below_the_scan(plate: Patch, wires: Wires) -> None:
    end_mm = -27.5 + 2.0
    on = ground(end_mm=end_mm)
    margin = END_MARGIN_MM + WIRE.diameter_mm / 2.0
    assert on.end.above_mm(wires.ends_mm).min() < margin, "in a longer scan one does"
    assert on.end.above_mm(pinned(plate, on).ends_mm).min() >= margin


# --- the distance to a line ---


def test_the_distance_between_ways_and_a_line() -> None:
    """Beside it, past its end, and crossing over it."""
    points = np.array([[0.0, 5.0, 0.0], [13.0, 4.0, 0.0], [4.0, -2.0, 3.0]])
    ways = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = line_distance_mm(points, ways, np.full(3, 4.0), np.zeros(3), np.array([10.0, 0.0, 0.0]))
    np.testing.assert_allclose(found, [5.0, 5.0, 3.0])
    assert line_distance_mm(np.empty((0, 3)), np.empty((0, 3)), np.empty(0), np.zeros(3), np.ones(3)).shape == (0,)

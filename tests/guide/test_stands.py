"""What leads the drills over a flat bone: one sleeve, several, or the socket of a fan."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bodies import field_of
from orders import order_for

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, angle_deg, unit
from guidegen.guide.order import Order
from guidegen.guide.stands import Standing, Way, channels, entry_room_mm, is_fan, stand_up, upper_side
from guidegen.plan.sleeve_sizes import SleeveSizes

FLAT = field_of(lambda x, y: 0.0 * x * y)
DOWN = np.array([0.0, 0.0, -1.0])
HASH = "1a2b3c4d"


def way(entry: list[float], axis: Any = DOWN, length_mm: float = 90.0, offset_mm: float = 0.0) -> Way:
    at, along = np.array(entry, dtype=float), unit(np.asarray(axis, dtype=float))
    return Way(at, at + length_mm * along, along, length_mm, offset_mm)


def lean(degrees: float, turn_deg: float = 0.0) -> FloatArray:
    off, turn = np.radians([degrees, turn_deg])
    return np.array([np.sin(off) * np.cos(turn), np.sin(off) * np.sin(turn), -np.cos(off)])


@pytest.fixture(scope="module")
def thin() -> Order:
    return order_for("multiple-3.2")


@pytest.fixture(scope="module")
def fan(thin: Order) -> Standing:
    return stand_up([way([0, 0, 0], lean(4.0, turn)) for turn in (0.0, 120.0, 240.0)], True, FLAT, thin, HASH)


def test_a_sleeve_square_to_a_flat_bone_stops_at_the_first_of_the_kits_distances(thin: Order) -> None:
    """Guided over the least length from the bone on; then out to the next distance that the stops are made for."""
    standing = stand_up([way([0, 0, 0])], False, FLAT, thin, HASH)
    (stand,) = standing.stands
    assert stand.tube.guided_to_mm == pytest.approx(0.0, abs=0.06)
    assert standing.offset_mm(0) == min(each for each in thin.kit.sleeve_offsets_mm if each >= thin.printed_guide_mm)
    assert stand.tube.top_mm == pytest.approx(-standing.offset_mm(0))
    assert (stand.hollow_mm, stand.mouth_mm) == (thin.sizes.hole_mm, thin.sizes.hole_mm)
    assert standing.spread_deg == 0.0
    np.testing.assert_allclose(standing.outwards, -DOWN)


def test_a_longer_distance_that_was_planned_is_kept(thin: Order) -> None:
    assert stand_up([way([0, 0, 0], offset_mm=45.0)], False, FLAT, thin, HASH).offset_mm(0) == 45.0


def test_a_metal_sleeves_flange_lies_between_print_and_stop() -> None:
    order = order_for("core-8")
    standing = stand_up([way([0, 0, 0])], False, FLAT, order, HASH)
    (stand,) = standing.stands
    assert order.sizes.kind == "metal"
    assert stand.tube.top_mm == pytest.approx(order.sizes.flange_height_mm - standing.offset_mm(0))


def test_only_a_sleeve_that_stands_alone_has_a_collar_for_a_calliper(thin: Order) -> None:
    alone = stand_up([way([0, 0, 0])], False, FLAT, thin, HASH).stands[0]
    beside = stand_up([way([-10, 0, 0]), way([10, 0, 0])], False, FLAT, thin, HASH).stands
    assert alone.flats
    assert alone.collar_mm == thin.sizes.collar_mm
    for stand in beside:
        assert not stand.flats
        assert stand.collar_mm == pytest.approx(thin.sizes.hole_mm + 2.0 * thin.template.sleeve.collar_wall_mm)


def test_sleeves_that_lean_apart_are_spread_by_half_of_that(thin: Order) -> None:
    standing = stand_up([way([-15, 0, 0], lean(10.0)), way([15, 0, 0], lean(-10.0))], False, FLAT, thin, HASH)
    np.testing.assert_allclose(standing.outwards, -DOWN, atol=1e-12)
    assert standing.spread_deg == pytest.approx(10.0)


def test_a_sleeve_beyond_all_of_the_kits_stops_is_refused(thin: Order) -> None:
    short = replace(thin, kit=thin.kit.model_copy(update={"sleeve_offsets_mm": (20.0, 25.0)}))
    with pytest.raises(NoSafeGuide, match=r"at most 25 mm from the cortex.* found one at 3\d\.\d mm") as refusal:
        stand_up([way([0, 0, 0])], False, FLAT, short, HASH)
    assert refusal.value.rule == "sleeve_offset_mm"


def test_tunnels_are_a_fan_where_they_share_an_entry() -> None:
    def tunnel(x_mm: float) -> Any:
        return SimpleNamespace(entry_mm=np.array([x_mm, 0.0, 0.0]))

    assert not is_fan([tunnel(0.0)])
    assert is_fan([tunnel(0.0), tunnel(0.0), tunnel(0.0005)])
    assert not is_fan([tunnel(0.0), tunnel(0.0), tunnel(0.002)])


def test_a_fan_needs_more_room_than_a_drill(thin: Order) -> None:
    shared: Any = [SimpleNamespace(entry_mm=np.zeros(3))] * 2
    assert entry_room_mm(shared[:1], thin) == pytest.approx(1.6)
    shape = thin.fan_shape
    mouth = shape.bore_mm / 2.0 + shape.wall_mm + shape.gap_mm
    assert entry_room_mm(shared, thin) > mouth + thin.printer.build.least_wall_mm


def test_a_fans_socket_is_one_stand_about_the_mean_axis(fan: Standing, thin: Order) -> None:
    (stand,), socket = fan.stands, fan.socket
    assert socket is not None
    np.testing.assert_allclose(fan.outwards, -DOWN, atol=1e-9)
    assert fan.spread_deg == pytest.approx(4.0, abs=1e-6)  # the cone is as steep as the steepest tunnel
    assert [fan.offset_mm(number) for number in range(3)] == [socket.offset_mm] * 3
    assert socket.offset_mm in thin.kit.sleeve_offsets_mm
    assert stand.mouth_mm < stand.hollow_mm < stand.flank_mm < stand.outer_mm <= stand.collar_mm
    assert stand.foot_mm - stand.mouth_mm == pytest.approx(
        2.0 * thin.template.sleeve.wall_mm / np.cos(np.radians(4.0)), abs=1e-9
    )


def test_a_drill_that_needs_metal_has_no_fan() -> None:
    with pytest.raises(NoSafeGuide, match=r"expected a drill that may run in a printed insert") as refusal:
        stand_up([way([0, 0, 0], lean(4.0)), way([0, 0, 0], lean(-4.0))], True, FLAT, order_for("core-8"), HASH)
    assert refusal.value.rule == "fan_metal"


def test_a_guide_wire_has_no_fan(thin: Order) -> None:
    """An insert holds no reducer."""
    wire = order_for("cannulated-9").kit.guide_wire
    kit = thin.kit.model_copy(update={"guide_wire": wire.model_copy(update={"diameter_mm": 1.0})})
    room = thin.template.model_copy(
        update={"sleeve": thin.template.sleeve.model_copy(update={"metal_wall_mm": 0.5})}
    )  # fmt: skip
    order = replace(thin, kit=kit, sizes=SleeveSizes.of(kit, room, thin.printer))
    with pytest.raises(NoSafeGuide, match=r"without a guide wire .* found the wire of 1 mm of the kit") as refusal:
        stand_up([way([0, 0, 0], lean(4.0)), way([0, 0, 0], lean(-4.0))], True, FLAT, order, HASH)
    assert refusal.value.rule == "fan_reducer"


def test_the_upper_side_looks_off_the_bone_and_to_the_head_where_that_is_along_the_tube() -> None:
    axis = lean(30.0)
    side = upper_side(axis)
    assert side @ axis == pytest.approx(0.0, abs=1e-12)
    assert angle_deg(side, -DOWN) == pytest.approx(60.0)
    np.testing.assert_allclose(upper_side(DOWN), [0.0, 1.0, 0.0])


def test_each_sleeve_stands_and_its_tools_move_and_a_fan_is_one_channel(fan: Standing, thin: Order) -> None:
    ways = [way([-12, 0, 0]), way([12, 0, 0], length_mm=95.0)]
    first, second = channels(stand_up(ways, False, FLAT, thin, HASH), ways, thin)
    assert [rod.name for rod in first.standing] == ["sleeve 1", "the collar of sleeve 1"]
    assert [rod.name for rod in second.moving] == ["drill 2", "stop 2", "chuck 2"]
    longer = [float(np.linalg.norm(each.moving[1].end_mm - each.moving[1].start_mm)) for each in (first, second)]
    assert longer[1] - longer[0] == pytest.approx(5.0)  # its stop is set for a tunnel 5 mm longer
    (only,) = channels(fan, ways, thin)
    assert [rod.name for rod in only.standing] == ["the socket"]

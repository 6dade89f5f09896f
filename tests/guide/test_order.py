"""What follows from the templates for a guide: diameters, gaps and the tools that pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from orders import CLEARANCE_MM, order_for


def test_wires_and_shell_follow_from_printer_and_shape() -> None:
    order = order_for("core-8")
    assert order.wire_hole_mm == pytest.approx(order.kit.pin.diameter_mm + order.printer.bores.pin_clearance_mm)
    assert order.boss_mm == pytest.approx(order.wire_hole_mm + 2.0 * order.template.pins.wall_mm)
    assert order.outside_mm == pytest.approx(CLEARANCE_MM + order.template.shell.thickness_mm)
    assert order.apart_mm == order.printer.build.least_drain_mm


@pytest.mark.parametrize(("kit", "wire_mm"), [("multiple-3.2", 3.2), ("cannulated-9", 3.2), ("core-8", 8.0)])
def test_a_kit_that_leaves_a_wire_leaves_its_guide_wire_or_a_drill_that_is_one(kit: str, wire_mm: float) -> None:
    order = order_for(kit)
    assert order.wire_left_mm is None
    leaves = replace(order, kit=order.kit.model_copy(update={"leaves_wire": True}))
    assert leaves.wire_left_mm == wire_mm


@pytest.mark.parametrize(("kit", "split"), [("core-8", True), ("multiple-3.2", False)])
def test_the_stop_clamps_what_a_screw_would_dent(kit: str, split: bool) -> None:
    """A trephine's end is flat and its wall thin; a pin is solid."""
    stop = order_for(kit).stop
    assert stop.is_split is split
    assert stop.bore_mm == pytest.approx(order_for(kit).kit.drill.diameter_mm + 0.1)


@pytest.mark.parametrize(("finest_mm", "least_mm", "height_mm"), [(0.4, 3.0, 4.0), (0.5, 3.75, 4.0), (0.8, 6.0, 6.0)])
def test_letters_are_no_lower_than_the_printer_makes_legible(
    finest_mm: float, least_mm: float, height_mm: float
) -> None:
    order = order_for("multiple-3.2")
    build = order.printer.build.model_copy(update={"least_feature_mm": finest_mm})
    coarse = replace(order, printer=order.printer.model_copy(update={"build": build}))
    assert coarse.label.least_text_height_mm == pytest.approx(least_mm)
    assert coarse.label.text_height_mm == pytest.approx(height_mm)
    assert coarse.fan_shape.text_mm == pytest.approx(least_mm)


def test_a_fan_has_the_printers_gap_on_each_side_and_its_walls() -> None:
    order = order_for("multiple-3.2")
    shape = order.fan_shape
    assert 2.0 * shape.gap_mm == pytest.approx(order.printer.bores.socket_clearance_mm)
    assert (shape.wall_mm, shape.socket_wall_mm) == (order.printer.build.least_wall_mm, order.template.sleeve.wall_mm)
    assert shape.bore_mm == pytest.approx(3.2 + order.printer.bores.drill_clearance_mm)
    assert shape.stop_mm == order.stop.outer_diameter_mm


def test_the_tools_are_the_kits_with_their_stop() -> None:
    order = order_for("multiple-3.2")
    tools, drill = order.drilling(130.0), order.kit.drill
    assert (tools.drill_mm, tools.drill_length_mm, tools.reading_mm) == (3.2, drill.length_mm, 130.0)
    assert (tools.chuck_mm, tools.chuck_length_mm) == (drill.chuck_diameter_mm, drill.chuck_length_mm)
    assert (tools.stop_mm, tools.stop_height_mm) == (order.stop.outer_diameter_mm, order.stop.height_mm)

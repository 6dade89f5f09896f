"""How wide a sleeve is, for every kit, shape and printer."""

from __future__ import annotations

import pytest

from guidegen.errors import TemplateError
from guidegen.plan.guide_shapes import GuideTemplate
from guidegen.plan.kits import Kit
from guidegen.plan.printers import Printer
from guidegen.plan.sleeve_sizes import CALLIPER_MM, FLAT_COLLAR_MM, SleeveSizes
from guidegen.plan.templates import load_template

CORE_8, THIN, CANNULATED = (load_template(Kit, name)[0] for name in ("core-8", "multiple-3.2", "cannulated-9"))
LATERAL = load_template(GuideTemplate, "lateral")[0]
SLA, FDM = (load_template(Printer, name)[0] for name in ("sla", "fdm"))


def shape(part: str, **changes: object) -> GuideTemplate:
    """The shipped shape with some figures of one part changed."""
    return LATERAL.model_copy(update={part: getattr(LATERAL, part).model_copy(update=changes)})


def test_a_turning_drill_is_led_by_metal_that_is_pressed_into_the_print() -> None:
    sizes = SleeveSizes.of(CORE_8, LATERAL, SLA)
    assert CORE_8.drill.rotating
    assert sizes.kind == "metal"
    assert sizes.drill_mm == 8.0
    assert sizes.bore_mm == pytest.approx(8.1)
    assert sizes.metal_mm == pytest.approx(10.1)
    assert sizes.hole_mm == pytest.approx(10.1 + SLA.bores.insert_clearance_mm)
    assert sizes.flange_mm == pytest.approx(14.1)
    assert sizes.flange_height_mm == 2.0
    assert sizes.tube_mm == pytest.approx(sizes.hole_mm + 6.0)
    assert sizes.clearance_mm == pytest.approx(0.1)


@pytest.mark.parametrize("printer", [SLA, FDM], ids=["sla", "fdm"])
def test_a_printed_sleeve_leads_the_drill_itself(printer: Printer) -> None:
    sizes = SleeveSizes.of(CORE_8, shape("sleeve", kind="printed"), printer)
    assert sizes.kind == "printed"
    assert sizes.bore_mm == sizes.hole_mm == pytest.approx(8.0 + printer.bores.drill_clearance_mm)
    assert (sizes.metal_mm, sizes.flange_mm, sizes.flange_height_mm) == (0.0, 0.0, 0.0)
    assert sizes.tube_mm == pytest.approx(sizes.hole_mm + 6.0)
    assert sizes.clearance_mm == pytest.approx(printer.bores.drill_clearance_mm)


def test_a_collar_with_calliper_faces_is_wide_enough_for_them() -> None:
    narrow = SleeveSizes.of(CORE_8, LATERAL, SLA)
    assert narrow.flats
    assert narrow.collar_mm == FLAT_COLLAR_MM > narrow.hole_mm + 2.0 * LATERAL.sleeve.collar_wall_mm
    wide = SleeveSizes.of(CORE_8, shape("sleeve", collar_wall_mm=8.0), SLA)
    assert wide.flats
    assert wide.collar_mm == pytest.approx(wide.hole_mm + 16.0)
    plain = SleeveSizes.of(CORE_8, shape("calliper", on=False), SLA)
    assert not plain.flats
    assert plain.collar_mm == pytest.approx(plain.hole_mm + 10.0)


def test_there_are_no_faces_where_the_hole_leaves_no_wall_under_them() -> None:
    """20 mm between the faces less twice the printer's least wall of 2 mm: a hole of 16 mm is the widest."""

    def sizes(metal_wall_mm: float) -> SleeveSizes:
        return SleeveSizes.of(CORE_8, shape("sleeve", metal_wall_mm=metal_wall_mm), SLA)

    widest = (CALLIPER_MM - 2.0 * SLA.build.least_wall_mm - SLA.bores.insert_clearance_mm - 8.1) / 2.0
    assert sizes(widest - 0.01).flats
    assert not sizes(widest + 0.01).flats


def test_a_thin_drill_has_a_thin_sleeve() -> None:
    """A wire's cannula does not turn: its sleeve is printed."""
    thin = SleeveSizes.of(THIN, LATERAL, SLA)
    assert (thin.kind, thin.drill_mm) == ("printed", 3.2)
    assert thin.tube_mm == pytest.approx(3.2 + SLA.bores.drill_clearance_mm + 6.0)


def test_a_guide_wire_is_led_by_a_reducer_in_the_bore_for_its_drill() -> None:
    sizes = SleeveSizes.of(CANNULATED, LATERAL, SLA)
    reducer = sizes.reducer
    assert reducer is not None
    assert (reducer.wire_mm, reducer.bore_mm) == (3.2, pytest.approx(3.3))
    assert reducer.outer_mm == pytest.approx(sizes.bore_mm - 0.03)
    assert reducer.flange_mm == pytest.approx(sizes.bore_mm + 4.0)
    assert reducer.flange_mm <= sizes.flange_mm
    assert sizes.reducer_mm == 2.0
    assert sizes.clearance_mm == pytest.approx(0.1 + 0.03)  # of wire and reducer, which the drill follows
    assert (SleeveSizes.of(CORE_8, LATERAL, SLA).reducer, SleeveSizes.of(CORE_8, LATERAL, SLA).reducer_mm) == (None, 0)


def test_a_reducer_without_the_metal_s_wall_is_refused_with_its_figures() -> None:
    """Between a wire of 3.2 mm and a bore of 9.1 there are 2.88 mm of wall."""
    SleeveSizes.of(CANNULATED, shape("sleeve", metal_wall_mm=2.88), SLA)
    match = (
        r"expected room for a reducer with a wall of at least 2\.89 mm, .* wire of 3\.2 mm and the bore of 9\.1 mm for "
        r"the drill of the kit 'Cannulated drill .*', found 2\.885 mm; choose a kit with a thinner wire"
    )
    with pytest.raises(TemplateError, match=match):
        SleeveSizes.of(CANNULATED, shape("sleeve", metal_wall_mm=2.89), SLA)

"""The gap between guide and bone: the print's error budget, what is ordered instead, and the printer's caps on both."""

from __future__ import annotations

import math

import numpy as np
import pytest

from guidegen.errors import NoSafeGuide, TemplateError
from guidegen.plan.fit import Fit, fit, print_clearance, require_allowed
from guidegen.plan.guide_shapes import GuideTemplate
from guidegen.plan.printers import Printer
from guidegen.plan.templates import load_template

SHAPE = load_template(GuideTemplate, "lateral")[0]


def printer(name: str) -> Printer:
    return load_template(Printer, name)[0]


def shape(periosteum_mm: float) -> GuideTemplate:
    """The shipped shape with so much periosteum left on."""
    return SHAPE.model_copy(update={"fit": SHAPE.fit.model_copy(update={"periosteum_mm": periosteum_mm})})


SLA = printer("sla")  # from 0.2 to 0.8 mm, and at most 0.5 mm of periosteum


@pytest.mark.parametrize(
    ("name", "surface_error_mm", "expected_mm"),
    [
        ("sla", 0.0, 0.20),  # 1.645 × 0.12 = 0.197, and the printer's own 0.2
        ("sla", 0.16, 0.33),  # 1.645 × 0.2 = 0.329
        ("sla", 0.35, 0.61),  # 1.645 × 0.37 = 0.6087
        ("sla", 0.47, 0.80),  # 1.645 × 0.4851 = 0.798, just within the cap
        ("fdm", 0.0, 0.40),  # 1.645 × 0.18 = 0.296, but the printer wants 0.4
        ("sls-pa12", 0.2, 0.38),  # 1.645 × 0.2283 = 0.3755
        ("ti", 0.24, 0.43),  # 1.645 × 0.26 = 0.4277
    ],
)
def test_the_print_clearance_covers_95_percent_of_both_errors(name, surface_error_mm, expected_mm) -> None:
    assert print_clearance(printer(name), surface_error_mm) == expected_mm


def test_the_print_clearance_is_never_rounded_down_and_grows_with_the_error() -> None:
    errors = np.linspace(0.0, 0.47, 101)
    gaps = np.array([print_clearance(SLA, float(error)) for error in errors])
    budget = 1.645 * np.hypot(0.12, errors)
    assert (gaps >= budget - 1e-9).all()
    assert (gaps < np.maximum(budget, 0.2) + 0.01).all()
    assert (np.diff(gaps) >= 0.0).all()


def test_a_budget_beyond_the_printer_s_cap_is_no_guide_and_names_both_figures() -> None:
    match = (
        r"expected a print clearance of at most 0\.8 mm, the cap of the printer 'Stereolithography \(SLA\)', found "
        r"0\.82 mm for a surface error of 0\.48 mm and a print error of 0\.12 mm; scan or segment"
    )
    with pytest.raises(NoSafeGuide, match=match) as refusal:
        fit(SLA, 0.48, None, None, SHAPE)
    assert refusal.value.rule == "print_clearance_mm"
    assert refusal.value.figures == {"print_clearance_mm": 0.82, "most_clearance_mm": 0.8}
    assert refusal.value.exit_code == 3


def test_an_ordered_clearance_takes_the_budget_s_place() -> None:
    for ordered in (0.2, 0.25, 0.8):  # the printer's ends are allowed
        assert fit(SLA, 0.13, ordered, None, SHAPE) == Fit(ordered, 0.0)
    assert fit(SLA, 0.9, 0.8, None, SHAPE).clearance_mm == 0.8  # whatever the budget would have been


@pytest.mark.parametrize("ordered_mm", [0.0, 0.19, 0.81, math.inf])
def test_an_ordered_clearance_that_the_printer_does_not_allow_is_refused(ordered_mm) -> None:
    match = rf"expected an ordered clearance_mm from 0\.2 to 0\.8, as the file of the printer .* found {ordered_mm:g}; "
    with pytest.raises(TemplateError, match=match) as refusal:
        fit(SLA, 0.13, ordered_mm, None, SHAPE)
    assert refusal.value.exit_code == 2
    with pytest.raises(TemplateError, match=match):
        require_allowed(SLA, ordered_mm, None, SHAPE)


def test_the_periosteum_is_the_order_s_or_else_the_shape_s() -> None:
    assert fit(SLA, 0.16, None, None, SHAPE) == Fit(0.33, 0.0)
    assert fit(SLA, 0.16, None, None, shape(0.3)) == Fit(0.33, 0.3)
    assert fit(SLA, 0.16, None, 0.5, shape(0.3)) == Fit(0.33, 0.5)
    assert fit(SLA, 0.16, None, 0.0, shape(0.3)) == Fit(0.33, 0.0)  # none ordered is not nothing ordered


def test_the_gap_is_both_together() -> None:
    assert Fit(0.33, 0.3).clearance_mm == 0.63
    assert Fit(0.1, 0.2).clearance_mm == 0.3  # not 0.30000000000000004
    assert fit(SLA, 0.16, 0.25, 0.35, SHAPE).clearance_mm == 0.6


def test_more_periosteum_than_the_printer_allows_is_refused() -> None:
    match = r"expected an ordered periosteum_mm of at most 0\.5, as the file of the printer .* found 0\.51; strip the"
    with pytest.raises(TemplateError, match=match):
        fit(SLA, 0.13, None, 0.51, SHAPE)
    match = r"expected the guide shape's periosteum_mm of at most 0\.5, as the file of the printer .* found 0\.6; strip"
    with pytest.raises(TemplateError, match=match):
        require_allowed(SLA, None, None, shape(0.6))
    require_allowed(SLA, None, 0.5, shape(0.6))  # the order goes before the shape

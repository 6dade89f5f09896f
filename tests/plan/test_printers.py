"""Printers: the shipped ones make sense, every figure has a range, and those that contradict each other are refused."""

from __future__ import annotations

import re

import pytest
from template_files import edited, just_outside, lines, range_of, shipped_names, shipped_text, untold

from guidegen.errors import TemplateError
from guidegen.plan.printers import Printer
from guidegen.plan.templates import load_template

SHIPPED = shipped_names(Printer)
SLA, TI = shipped_text(Printer, "sla"), shipped_text(Printer, "ti")

RANGES = {
    "rms_error_mm": (0.01, 0.5),
    "fit.least_clearance_mm": (0.05, 1.0),
    "fit.most_clearance_mm": (0.1, 1.5),
    "fit.most_periosteum_mm": (0, 1.0),
    "bores.drill_clearance_mm": (0.02, 0.6),
    "bores.drill_tolerance_mm": (0.01, 0.4),
    "bores.pin_clearance_mm": (0.02, 0.6),
    "bores.pin_tolerance_mm": (0.01, 0.4),
    "bores.insert_clearance_mm": (0.01, 0.4),
    "bores.insert_tolerance_mm": (0.01, 0.4),
    "bores.socket_clearance_mm": (0.02, 0.6),
    "bores.socket_tolerance_mm": (0.01, 0.4),
    "build.layer_mm": (0.01, 0.4),
    "build.resolution_mm": (0.01, 1.0),
    "build.least_wall_mm": (0.4, 4.0),
    "build.least_feature_mm": (0.1, 2.0),
    "build.steepest_overhang_deg": (20, 90),
    "build.least_drain_mm": (0.5, 6.0),
    "build.density_g_cm3": (0.8, 9.0),
}  # fmt: skip


def test_every_process_is_shipped() -> None:
    processes = {name: load_template(Printer, name)[0].process for name in SHIPPED}
    assert processes == {"fdm": "FDM", "mjf": "MJF", "sla": "SLA", "sls-pa12": "SLS", "ti": "LPBF"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_printer_says_where_its_figures_come_from(name) -> None:
    assert not untold(shipped_text(Printer, name))
    for cycle in load_template(Printer, name)[0].sterilisation:
        assert re.match(r"\[[SDM]\] ", cycle.source)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_guide_of_any_size_fits_a_shipped_printer(name) -> None:
    printer = load_template(Printer, name)[0]
    assert min(printer.build.build_mm) >= 145.0
    assert printer.build.least_drain_mm < 2.0 + printer.bores.pin_clearance_mm  # the hole of a wire of 2 mm drains
    assert printer.fit.most_periosteum_mm == 0.5
    assert printer.build.needs_support == (printer.process in ("SLA", "FDM", "LPBF"))


def test_what_a_source_shows_to_deform_is_not_listed() -> None:
    listed = {name: [cycle.name for cycle in load_template(Printer, name)[0].sterilisation] for name in SHIPPED}
    assert listed["sla"] == ["steam-121-15", "h2o2-plasma"]  # not at 134 °C
    assert listed["fdm"] == ["h2o2-plasma"]  # no steam
    assert listed["sls-pa12"][0] == "steam-134-4"


def test_every_number_has_its_range_here() -> None:
    ranged = {place for place, field in lines(Printer).items() if range_of(field)}
    assert ranged == {*RANGES, "build.build_mm", "build.shrinkage_percent"}


@pytest.mark.parametrize("place", RANGES)
@pytest.mark.parametrize("end", [0, 1])
def test_a_figure_out_of_its_range_is_refused(load_own, place, end) -> None:
    bad = just_outside(*RANGES[place])[end]
    low, high = RANGES[place]
    match = re.escape(f"{place}: expected a number from {low:g} to {high:g}, found {bad}")
    with pytest.raises(TemplateError, match=match):
        load_own(Printer, edited(SLA, place, bad))


REFUSED = {
    "a least clearance above the most": (
        "fit.most_clearance_mm", "0.19",
        r"fit: expected most_clearance_mm of at least least_clearance_mm \(0\.2\), found 0\.19; exchange them",
    ),
    "a gap no wider than the error": (
        "fit.least_clearance_mm", "0.12",
        r"expected fit\.least_clearance_mm above rms_error_mm \(0\.12\), found 0\.12; such a print jams",
    ),
    "a bore no wider than the error": (
        "bores.drill_clearance_mm", "0.11",
        r"expected bores\.drill_clearance_mm above rms_error_mm \(0\.12\), found 0\.11; such a print jams",
    ),
    "a pin hole no wider than the error": (
        "bores.pin_clearance_mm", "0.11",
        r"expected bores\.pin_clearance_mm above rms_error_mm \(0\.12\), found 0\.11; such a print jams",
    ),
    "a bore whose gauge lets a jam pass": (
        "bores.drill_tolerance_mm", "0.2",
        r"bores: expected drill_tolerance_mm below drill_clearance_mm \(0\.2\), .* found 0\.2; correct one",
    ),
    "a pin hole whose gauge does": ("bores.pin_tolerance_mm", "0.25", r"pin_tolerance_mm below pin_clearance_mm"),
    "a sleeve's hole whose gauge does": (
        "bores.insert_tolerance_mm", "0.1", r"insert_tolerance_mm below insert_clearance_mm \(0\.1\)",
    ),
    "a socket whose gauge does": (
        "bores.socket_tolerance_mm", "0.3", r"socket_tolerance_mm below socket_clearance_mm \(0\.25\)",
    ),
    "strokes finer than the printer's": (
        "build.resolution_mm", "0.5",
        r"build: expected least_feature_mm of at least resolution_mm \(0\.5\), found 0\.4; correct one of them",
    ),
    "support that nothing needs": (
        "build.steepest_overhang_deg", "90.0",
        r"build: expected steepest_overhang_deg below 90 for a process that needs support, found 90; correct it or",
    ),
    "an overhang that nothing holds": (
        "build.needs_support", "false",
        r"build: expected steepest_overhang_deg of 90 without support, found 45; correct it or needs_support",
    ),
    "a bed too small for a guide": (
        "build.build_mm", "[145.0, 99.0, 185.0]", r"build\.build_mm\.1: expected a number from 100 to 1000, found 99",
    ),
    "a bed of two sides": ("build.build_mm", "[145.0, 145.0]", r"build\.build_mm\.2: expected a value, found nothing"),
    "a part that grows": (
        "build.shrinkage_percent", "[0.0, -0.1, 0.0]", r"build\.shrinkage_percent\.1: expected a number from 0 to 5",
    ),
    "a share for per cents": (
        "build.shrinkage_percent", "[0.0, 0.0, 5.1]", r"build\.shrinkage_percent\.2: expected a number from 0 to 5",
    ),
    "another process": ("process", '"DLP"', r"process: expected 'SLA', 'SLS', 'MJF', 'FDM' or 'LPBF', found 'DLP'"),
    "a switch in words": ("build.needs_support", '"yes"', r"build\.needs_support: expected a valid boolean"),
    "a profile with a path": ("slicer_profile", '"../sla"', r"slicer_profile: expected String should match pattern"),
    "no material": ("material", '""', r"material: expected String should have at least 1 character"),
    "no layer": ("build.layer_mm", None, r"build\.layer_mm: expected a value, found nothing"),
    "a cycle without its source": (
        "sterilisation.source", None, r"sterilisation\.0\.source: expected a value, found nothing",
    ),
    "a cycle whose source is empty": ("sterilisation.source", '""', r"sterilisation\.0\.source: expected String"),
    "a cycle twice": (
        "sterilisation.name", '"h2o2-plasma"', "expected each sterilisation once, found h2o2-plasma twice; name them",
    ),
    "a cycle that no order can name": ("sterilisation.name", '"Steam 121"', r"sterilisation\.0\.name: expected"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_printer_that_contradicts_itself_is_refused(load_own, name) -> None:
    place, value, match = REFUSED[name]
    with pytest.raises(TemplateError, match=rf"(?s)expected a usable template printers/ours\.toml, found: .*{match}"):
        load_own(Printer, edited(SLA, place, value))


def test_the_most_may_be_the_least(load_own) -> None:
    assert load_own(Printer, edited(SLA, "fit.most_clearance_mm", "0.2")).fit.most_clearance_mm == 0.2


def test_a_wall_is_no_thinner_than_a_stroke(load_own) -> None:
    match = r"build: expected least_wall_mm of at least least_feature_mm \(1\.3\), found 1\.2; correct one of them"
    with pytest.raises(TemplateError, match=match):
        load_own(Printer, edited(TI, "build.least_feature_mm", "1.3"))
    assert load_own(Printer, edited(TI, "build.least_feature_mm", "1.2")).build.least_feature_mm == 1.2


def test_a_printer_without_a_cycle_is_refused(load_own) -> None:
    bare = SLA[: SLA.index("[[sterilisation]]")]
    with pytest.raises(TemplateError, match="sterilisation: expected a value, found nothing"):
        load_own(Printer, bare)
    with pytest.raises(TemplateError, match=r"sterilisation: expected .*at least 1 item"):
        load_own(Printer, bare.replace("[fit]", "sterilisation = []\n[fit]"))


def test_a_profile_need_not_be_shipped(load_own) -> None:
    assert load_own(Printer, edited(SLA, "slicer_profile", None)).slicer_profile is None

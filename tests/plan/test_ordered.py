"""Which templates an order means: its own, the house's where it names none, and none that do not fit each other."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

import pytest
from pydantic import BaseModel

from guidegen.case import Order
from guidegen.errors import TemplateError
from guidegen.ordered import ONE_TUNNEL, SEVERAL_TUNNELS, Templates, load_templates
from guidegen.plan.templates import GuideTemplate, load_template


@pytest.mark.parametrize("strategy", ["centroid", "coverage", "multiple"])
def test_without_a_kit_there_is_one_for_one_tunnel_and_one_for_several(strategy) -> None:
    found = load_templates(Order(strategy=strategy))
    assert (found.kit_name, found.fan_kit_name) == (ONE_TUNNEL, SEVERAL_TUNNELS) == ("core-8", "multiple-3.2")
    assert found.kit.most_tunnels == 1
    assert found.fan_kit.most_tunnels == 4
    assert found.kit.drill.diameter_mm == 8.0


def test_a_kit_for_one_tunnel_takes_its_place() -> None:
    found = load_templates(Order(kit="core-10"))
    assert (found.kit_name, found.kit.drill.diameter_mm) == ("core-10", 10.0)
    assert found.fan_kit_name == SEVERAL_TUNNELS


def test_a_kit_for_several_tunnels_takes_the_other_place() -> None:
    found = load_templates(Order(kit="multiple-3.2", strategy="multiple"))
    assert (found.kit_name, found.fan_kit_name) == (ONE_TUNNEL, "multiple-3.2")


@pytest.mark.parametrize(
    ("kit", "strategy", "match"),
    [
        ("multiple-3.2", "centroid", "expected a kit for one tunnel for the strategy 'centroid', found 'multiple-3.2'"),
        ("multiple-3.2", "coverage", "expected a kit for one tunnel for the strategy 'coverage', found 'multiple-3.2'"),
        (
            "core-8",
            "multiple",
            "expected a kit for several tunnels for the strategy 'multiple', found 'core-8' for one",
        ),
        ("core-99", "centroid", r"expected one of the kits .*core-8.*, found 'core-99'"),
    ],
)
def test_what_does_not_fit_is_refused(kit, strategy, match) -> None:
    with pytest.raises(TemplateError, match=match):
        load_templates(Order(kit=kit, strategy=strategy))


@pytest.mark.parametrize(
    ("name", "match"),
    [("guide", "one of the guides"), ("printer", "one of the printers"), ("policy", "of the policies")],
)
def test_a_template_that_is_not_there_is_refused(name, match) -> None:
    with pytest.raises(TemplateError, match=match):
        load_templates(Order(**{name: "no-such"}))


def test_the_sterilisation_is_the_one_ordered_or_the_printer_s_first() -> None:
    assert load_templates(Order()).sterilisation.name == "steam-121-15"
    assert load_templates(Order(printer="ti")).sterilisation.text == "steam with pre-vacuum, 134 °C, 3 min"
    assert load_templates(Order(sterilisation="h2o2-plasma")).sterilisation.name == "h2o2-plasma"


@pytest.mark.parametrize(
    ("printer", "cycle", "listed"),
    [
        ("sla", "steam-134-4", "steam-121-15, h2o2-plasma"),  # after it the resin is another size
        ("fdm", "steam-121-15", "h2o2-plasma"),
        ("mjf", "steam-134-4", "steam-121-15, h2o2-plasma"),
    ],
)
def test_a_sterilisation_that_the_printer_does_not_list_is_refused_with_those_that_it_does(
    printer, cycle, listed
) -> None:
    match = (
        f"expected a sterilisation that the printer '{printer}' lists: {listed}; found '{cycle}'; choose one of "
        "them, or add yours to the printer's file with the source that shows it"
    )
    with pytest.raises(TemplateError, match=match) as refusal:
        load_templates(Order(printer=printer, sterilisation=cycle))
    assert refusal.value.exit_code == 2


@pytest.fixture
def shaped(monkeypatch):
    """Loads an order whose guide shape has figures of one table changed."""

    def load(order: Order, table: str, **figures: float) -> Templates:
        def changed(kind: type[BaseModel], name: str) -> tuple[Any, str]:
            template, sha = load_template(kind, name)
            if kind is GuideTemplate:
                template = template.model_copy(update={table: getattr(template, table).model_copy(update=figures)})
            return template, sha

        monkeypatch.setattr("guidegen.ordered.load_template", changed)
        return load_templates(order)

    return load


@pytest.mark.parametrize("place", ["shell.thickness_mm", "sleeve.wall_mm", "sleeve.rib_thickness_mm", "pins.wall_mm"])
def test_a_shape_with_a_wall_too_thin_for_its_printer_is_refused(shaped, place) -> None:
    table, line = place.split(".")
    match = rf"expected {place} of the guide 'lateral' above 2\.5, the thinnest wall of the printer 'fdm', found 2\.5; "
    with pytest.raises(TemplateError, match=match):
        shaped(Order(printer="fdm"), table, **{line: 2.5})
    assert shaped(Order(printer="fdm"), table, **{line: 2.51}).printer.process == "FDM"


def test_a_shape_with_a_hole_that_does_not_drain_is_refused(shaped) -> None:
    match = r"expected probe\.diameter_mm of the guide 'lateral' of at least 2, .* 'mjf' that drains, found 1\.9; "
    with pytest.raises(TemplateError, match=match):
        shaped(Order(printer="mjf"), "probe", diameter_mm=1.9)
    assert shaped(Order(printer="mjf"), "probe", diameter_mm=1.9, count=0).printer.process == "MJF"  # there is none
    assert shaped(Order(printer="sla"), "probe", diameter_mm=1.9).printer.process == "SLA"


@pytest.mark.parametrize("printer", ["fdm", "mjf", "sla", "sls-pa12", "ti"])
def test_every_shipped_printer_makes_the_shipped_shape(printer) -> None:
    assert load_templates(Order(printer=printer)).guide.name == "Lateral shell"


def test_a_fit_that_the_printer_does_not_allow_is_refused_before_anything_is_read() -> None:
    assert load_templates(Order(clearance_mm=0.8, periosteum_mm=0.5)).printer.process == "SLA"
    with pytest.raises(TemplateError, match=r"expected an ordered clearance_mm from 0\.2 to 0\.8, .* found 0\.81"):
        load_templates(Order(clearance_mm=0.81))
    with pytest.raises(TemplateError, match=r"expected an ordered clearance_mm from 0\.4 to 0\.8, .* found 0\.3"):
        load_templates(Order(printer="fdm", clearance_mm=0.3))
    with pytest.raises(TemplateError, match=r"expected an ordered periosteum_mm of at most 0\.5, .* found 0\.6"):
        load_templates(Order(periosteum_mm=0.6))


def test_the_hashes_are_those_of_the_files() -> None:
    found = load_templates(Order())
    folder = resources.files("guidegen.templates")
    files = {
        "kit": "kits/core-8.toml", "other_kit": "kits/multiple-3.2.toml", "guide": "guides/lateral.toml",
        "printer": "printers/sla.toml", "policy": "policies/default.toml",
    }  # fmt: skip
    assert found.sha256 == {
        key: hashlib.sha256((folder / name).read_bytes()).hexdigest() for key, name in files.items()
    }
    several = load_templates(Order(strategy="multiple"))
    assert several.sha256["kit"] == found.sha256["other_kit"]

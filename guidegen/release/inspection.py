"""What whoever inspects a printed guide measures: each length with its tolerance, the gauges, and the weight.

Nominals come from plan.json, tolerances and density from the printer's template that the guide was made by, what the
file itself is off by and the volume from findings.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from guidegen.plan.printers import Printer
from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source

SCHEMA = "guidegen.inspection/1"
# 95 % of a process's errors lie within twice their root mean square [D].
SPREAD = 2.0
# Of the weight: resin that stayed in, a part that is hollow, or one printed at another scale (1 % is 3 % of it) [D].
WEIGHT_PERCENT = 5.0


@dataclass(frozen=True)
class Asked:
    """One length to measure: what it should be, and how far it may be off; `gauges`: a hole, tried with two pins."""

    name: str
    nominal_mm: float
    tolerance_mm: float
    gauges: bool

    @property
    def go_mm(self) -> float:
        """The pin that goes in."""
        return round(self.nominal_mm - self.tolerance_mm, 3)

    @property
    def no_go_mm(self) -> float:
        """The pin that does not."""
        return round(self.nominal_mm + self.tolerance_mm, 3)


def asked_measures(plan: Mapping[str, Any], printer: Printer) -> tuple[Asked, ...]:
    """Every length that is measured on a printed guide, in the order of the sheet."""
    guide = plan["guide"]
    calliper = guide["calliper"]
    faces = [] if calliper is None else [
        Asked("calliper faces", calliper["distance_mm"], round(SPREAD * printer.rms_error_mm, 3), False)
    ]  # fmt: skip
    sleeves = [
        Asked(f"sleeve {number} hole", sleeve["inner_diameter_mm"], _tolerance_mm(sleeve, printer), True)
        for number, sleeve in enumerate(guide["sleeves"], start=1)
    ]
    inserts = [
        Asked(f"insert {number} bore", insert["bore_mm"], printer.bores.drill_tolerance_mm, True)
        for number, insert in enumerate(guide.get("inserts", ()), start=1)
    ]
    pins = [
        Asked(f"pin {number} hole", pin["hole_diameter_mm"], printer.bores.pin_tolerance_mm, True)
        for number, pin in enumerate(guide["pins"], start=1)
    ]
    return (*faces, *sleeves, *inserts, *pins)


def inspection_files(source: Source, metal: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The sheet to print and fill in, and the same as JSON, for `guidegen event … inspected`.

    `metal`: the content of metal.json, None where there are no metal parts.
    """
    measures = asked_measures(source.plan, source.printer)
    mark = source.mark()
    form = {
        "schema": SCHEMA,
        **{name: mark[name] for name in ("case_id", "side", "revision", "plan_hash")},
        "measures": [_form_line(each) for each in measures],
    }
    page = {
        "mark": mark,
        "measures": [_sheet_line(each, source) for each in measures],
        "weight": _weight(source),
        "looks": _looks(source.plan),
        "metal": _metal_lines(metal),
        "process": [source.plan["printing"][name] for name in ("process", "material", "printer")],
    }
    return {
        "inspection.json": (json.dumps(form, indent=1) + "\n").encode(),
        "inspection.pdf": pdf_bytes("inspection", page),
    }


def _tolerance_mm(sleeve: Mapping[str, Any], printer: Printer) -> float:
    """Into a metal sleeve's hole a tube is pressed; in any other the drill runs."""
    bores = printer.bores
    return bores.insert_tolerance_mm if sleeve["kind"] == "metal" else bores.drill_tolerance_mm


def _form_line(each: Asked) -> dict[str, Any]:
    gauges = {"go_mm": each.go_mm, "no_go_mm": each.no_go_mm} if each.gauges else {}
    line = {name: value for name, value in asdict(each).items() if name != "gauges"}
    return line | gauges | {"measured_mm": None}


def _sheet_line(each: Asked, source: Source) -> dict[str, str]:
    """A line of the sheet as text; `file`: how far the file itself is off, as the checks measured it."""
    return {
        "name": each.name,
        "nominal": f"{each.nominal_mm:.2f}",
        "tolerance": f"± {each.tolerance_mm:.2f}",
        "go": f"{each.go_mm:.2f}" if each.gauges else "",
        "no_go": f"{each.no_go_mm:.2f}" if each.gauges else "",
        "file": _file_off(each.name, source),
    }


def _file_off(name: str, source: Source) -> str:
    """As "sleeve 1 hole" is measured by "sleeve 1 bore diameter off plan"."""
    checks = {"calliper faces": "calliper faces off their distance"}
    bore = name.replace(" hole", " bore") if name.startswith("sleeve") else name
    finding = source.findings.get(checks.get(name, f"{bore} diameter off plan"))
    return "" if finding is None or finding.measured is None else f"{finding.measured:.3f}"


def _weight(source: Source) -> dict[str, str] | None:
    """The guide's weight without supports, from its measured volume; None where that was not measured."""
    volume = source.findings.get("guide volume")
    if volume is None or volume.measured is None:
        return None
    density = source.printer.build.density_g_cm3
    grams = volume.measured * density
    return {
        "grams": f"{grams:.1f}",
        "tolerance": f"± {grams * WEIGHT_PERCENT / 100.0:.1f}",
        "volume": f"{volume.measured:.2f}",
        "density": f"{density:g}",
    }


def _looks(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What is looked at rather than measured: the engraving, and what must be open."""
    windows = plan["guide"]["windows"] or []
    counts = {kind: sum(window["kind"] == kind for window in windows) for kind in ("window", "probe")}
    return {"engraved": [" / ".join(label["lines"]) for label in plan["guide"]["labels"]], **counts}


def _metal_lines(metal: Mapping[str, Any] | None) -> list[list[str]]:
    """Part, size, nominal, and how far under and over it may be."""
    parts = {} if metal is None else metal["parts"]
    return [
        [part, size["name"], f"{size['nominal_mm']:.2f}", _signed("−", size["under_mm"]), _signed("+", size["over_mm"])]
        for part, described in sorted(parts.items())
        for size in described["sizes"]
    ]


def _signed(sign: str, length_mm: float) -> str:
    """A deviation with its sign; that of none has none."""
    return f"{sign}{length_mm:.3f}" if length_mm else "0"

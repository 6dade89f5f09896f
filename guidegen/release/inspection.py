"""What whoever inspects a printed guide measures: each length with its tolerance, the gauges, and the weight.

Nominals come from plan.json, tolerances and density from the printer's template that the guide was made by, what the
file itself is off by and the volume from findings.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from guidegen.guide.gauges import Gauge, gauges_of
from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source

SCHEMA = "guidegen.inspection/1"
# Of the weight: resin that stayed in, a part that is hollow, or one printed at another scale (1 % is 3 % of it) [D].
WEIGHT_PERCENT = 5.0


def inspection_files(source: Source, metal: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The sheet to print and fill in, and the same as JSON, for `guidegen event … inspected`.

    `metal`: the content of metal.json, None where there are no metal parts.
    """
    gauges = gauges_of(source.plan["guide"], source.printer)
    mark = source.mark()
    form = {
        "schema": SCHEMA,
        **{name: mark[name] for name in ("case_id", "side", "revision", "plan_hash")},
        "measures": [_form_line(each) for each in gauges],
    }
    page = {
        "mark": mark,
        "measures": [_sheet_line(each, source) for each in gauges],
        "weight": _weight(source),
        "looks": _looks(source.plan),
        "metal": _metal_lines(metal),
        "process": [source.plan["printing"][name] for name in ("process", "material", "printer")],
    }
    return {
        "inspection.json": (json.dumps(form, indent=1) + "\n").encode(),
        "inspection.pdf": pdf_bytes("inspection", page),
    }


def _form_line(gauge: Gauge) -> dict[str, Any]:
    asked = {name: value for name, value in gauge.record().items() if value is not None}
    return asked | {"measured_mm": None}


def _sheet_line(gauge: Gauge, source: Source) -> dict[str, str]:
    """A line of the sheet as text; `file`: how far the file itself is off, as the checks measured it."""
    return {
        "name": gauge.name,
        "nominal": f"{gauge.nominal_mm:.2f}",
        "tolerance": f"± {gauge.tolerance_mm:.2f}",
        "go": "" if gauge.go_mm is None else f"{gauge.go_mm:.2f}",
        "no_go": "" if gauge.no_go_mm is None else f"{gauge.no_go_mm:.2f}",
        "file": _file_off(gauge.name, source),
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

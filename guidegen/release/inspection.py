"""What whoever inspects a printed guide measures, tries, weighs and looks at: one list, as a paper and as a form.

Nominals come from plan.json and metal.json, tolerances and density from the printer's template that the guide was made
by, what the file itself is off by and the volume from findings.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from guidegen.guide.gauges import Gauge, gauges_of
from guidegen.release.paper import pdf_bytes
from guidegen.release.source import Source
from guidegen.rounded import shown

SCHEMA = "guidegen.inspection/2"
FORM = "inspection.json"
HEAD = ("schema", "case_id", "side", "revision", "plan_hash")
ANSWERS = {"measured_mm", "measured_g", "go_goes_in", "no_go_stays_out", "seen"}  # all else of a line is asked
# Of the weight: resin that stayed in, a part that is hollow, or one printed at another scale (1 % is 3 % of it) [D].
WEIGHT_PERCENT = 5.0

Asked = dict[str, Any]  # a line of the form, its answers null


def inspection_files(source: Source, metal: Mapping[str, Any] | None) -> dict[str, bytes]:
    """The sheet to print and fill in, and the same as a form, for `guidegen event … inspected`.

    `metal`: the content of metal.json, None where there are no metal parts.
    """
    mark = {"schema": SCHEMA, **source.mark()}
    sections = {
        "measured": [*_lengths(source), *_weight(source)],
        "tried": list(_holes(source)),
        "looked_at": list(_seen(source.plan["guide"])),
        "metal": list(_metal(metal)),
    }
    form = {name: mark[name] for name in HEAD} | {
        "lot": None,
        "lines": [line for each in sections.values() for line in each],
    }
    page = {
        "mark": mark,
        **{name: [_row(line, source) for line in lines] for name, lines in sections.items()},
        "process": [source.plan["printing"][name] for name in ("process", "material", "printer")],
    }
    return {FORM: form_bytes(form), "inspection.pdf": pdf_bytes("inspection", page)}


def form_bytes(form: Mapping[str, Any]) -> bytes:
    """The form as a file, in whatever order its names came."""
    return (json.dumps(form, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def unanswered(form: Mapping[str, Any]) -> dict[str, Any]:
    """A filled-in form as it was before: lot and answers null."""
    return {**form, "lot": None, "lines": [{**line, **dict.fromkeys(ANSWERS & line.keys())} for line in form["lines"]]}


def _lengths(source: Source) -> Iterator[Asked]:
    for gauge in _gauges(source):
        if not gauge.is_hole:
            yield _length(gauge.name, gauge.nominal_mm, gauge.tolerance_mm, gauge.tolerance_mm)


def _length(name: str, nominal_mm: float, under_mm: float, over_mm: float) -> Asked:
    return {"name": name, "nominal_mm": nominal_mm, "under_mm": under_mm, "over_mm": over_mm, "measured_mm": None}


def _holes(source: Source) -> Iterator[Asked]:
    for gauge in _gauges(source):
        if gauge.is_hole:
            pins = {"go_mm": gauge.go_mm, "no_go_mm": gauge.no_go_mm}
            yield {"name": gauge.name, **pins, "go_goes_in": None, "no_go_stays_out": None}


def _gauges(source: Source) -> tuple[Gauge, ...]:
    return gauges_of(source.plan["guide"], source.printer)


def _weight(source: Source) -> Iterator[Asked]:
    """The guide's weight without supports, from its measured volume; nothing where that was not measured."""
    volume = source.findings.get("guide volume")
    if volume is not None and volume.measured is not None:
        density = source.printer.build.density_g_cm3
        grams = volume.measured * density
        yield {
            "name": f"weight of {shown(volume.measured, 2)} cm³ at {density:g} g/cm³",
            "nominal_g": float(shown(grams, 1)),
            "tolerance_g": float(shown(grams * WEIGHT_PERCENT / 100.0, 1)),
            "measured_g": None,
        }


def _seen(guide: Mapping[str, Any]) -> Iterator[Asked]:
    """What is looked at rather than measured: the engraving, and what must be open, clean and whole."""
    for label in guide["labels"]:
        yield _sight(f"reads: {' / '.join(label['lines'])}")
    for number, insert in enumerate(guide.get("inserts", ()), start=1):
        yield _sight(f"insert {number} reads: {' / '.join(insert['label']['lines'])}")
    kinds = [hole["kind"] for hole in guide["windows"] or ()]
    counts = [f"every {what} ({kinds.count(kind)})" for kind, what in HOLES.items() if kind in kinds]
    yield _sight(f"open: {', '.join([*counts, 'every bore'])}")
    yield from (_sight(name) for name in SIGHTS)


HOLES = {"window": "window", "probe": "probe hole"}
SIGHTS = (
    "no resin, powder or support left in bores, windows and on the side of the bone",
    "no crack, no warp",
    "seats on the trial bone in one place only, without rocking",
)


def _sight(name: str) -> Asked:
    return {"name": name, "seen": None}


def _metal(metal: Mapping[str, Any] | None) -> Iterator[Asked]:
    for part, described in sorted(metal["parts"].items() if metal else ()):
        for size in described["sizes"]:
            yield _length(f"{part} {size['name']}", size["nominal_mm"], size["under_mm"], size["over_mm"])


def _row(line: Asked, source: Source) -> list[str]:
    """A line as it stands on the paper: its name, what is asked in a column or two, and how far the file itself is off,
    as the checks measured it.
    """
    name, off = line["name"], _file_off(line["name"], source)
    if "nominal_mm" in line:
        return [name, f"{shown(line['nominal_mm'], 2)} mm", _tolerance(line["under_mm"], line["over_mm"]), off]
    if "nominal_g" in line:
        return [name, f"{shown(line['nominal_g'], 1)} g", f"± {shown(line['tolerance_g'], 1)}", off]
    return [name, shown(line["go_mm"], 2), shown(line["no_go_mm"], 2), off] if "go_mm" in line else [name]


def _tolerance(under: float, over: float) -> str:
    if under == over:
        return f"± {shown(over, 2)}"
    return " ".join(f"{sign}{shown(off, 3)}" if off else "0" for sign, off in (("−", under), ("+", over)))


def _file_off(name: str, source: Source) -> str:
    """As "sleeve 1 hole" is measured by "sleeve 1 bore diameter off plan"."""
    checks = {"calliper faces": "calliper faces off their distance"}
    bore = name.replace(" hole", " bore") if name.startswith("sleeve") else name
    finding = source.findings.get(checks.get(name, f"{bore} diameter off plan"))
    return "" if finding is None or finding.measured is None else shown(finding.measured, 3)

"""Figures as they are displayed, each with its place in plan.json or findings.json, of which it is a rounding: on the
review page, in the terminal, and in what is signed as shown.

Nothing here computes: a figure that is not in the files is nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from guidegen.check.finding import Finding, texts
from guidegen.rounded import shown

PLAN, FINDINGS, RUN = "plan.json", "findings.json", "run.json"


@dataclass(frozen=True)
class Figure:
    """A displayed figure: its text, its place as file#pointer, and what its value is multiplied by to be shown."""

    text: str
    source: str
    times: float = 1.0


@dataclass(frozen=True)
class Row:
    """What a figure says, and its value in each column; None where a column has none. `ours`: so many of the columns,
    from the left, are those of the first of two revisions.
    """

    label: str
    figures: tuple[Figure | None, ...]
    ours: int = 1

    @property
    def differs(self) -> bool:
        """Whether the two revisions say something else."""
        texts = [None if each is None else each.text for each in self.figures]
        return texts[: self.ours] != texts[self.ours :]


@dataclass(frozen=True)
class Table:
    """Figures under a title, with the heads of their columns where there are several."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]

    def only(self, rows: tuple[Row, ...]) -> Table:
        """The same table with these of its rows."""
        return replace(self, rows=rows)


@dataclass(frozen=True)
class Form:
    """How a value is written: decimals, unit, and what it is multiplied by."""

    decimals: int
    unit: str = ""
    times: float = 1.0


MM, MM2, ROUGH_MM = Form(1, "mm"), Form(0, "mm²"), Form(0, "mm")
FINE_MM, DEG, PERCENT, PERCENT_1 = Form(2, "mm"), Form(0, "°"), Form(0, "%", 100.0), Form(1, "%", 100.0)
MM3, WORDS = Form(0, "mm³"), None

POINT_DECIMALS = 1  # of a coordinate in mm

Lines = Sequence[tuple[str, str, Form | None]]

LESION: Lines = (
    ("volume", "lesion/volume_mm3", MM3),
    ("share of the head", "lesion/head_fraction", PERCENT),
    ("Kerboul angle, modified", "lesion/grades/arcs/kerboul_deg/value", DEG),
    ("modified Kerboul grade", "lesion/grades/classes/kerboul/value", WORDS),
    ("JIC type", "lesion/grades/classes/jic/value", WORDS),
    ("ARCO 2021 type", "lesion/grades/classes/arco_2021/value", WORDS),
    ("Steinberg / ARCO size", "lesion/grades/classes/steinberg/value", WORDS),
    ("MR on bone, rms", "lesion/registration/rms_mm", FINE_MM),
    ("doubt of the lesion's place, 95 %", "lesion/registration/lesion_doubt_95_mm", MM),
)
ANATOMY: Lines = (
    ("head radius", "anatomy/head_radius_mm", MM),
    ("neck-shaft angle", "anatomy/neck_shaft_angle_deg", DEG),
    ("its doubt, 95 %", "anatomy/uncertainty_95/neck_shaft_angle_deg", DEG),
)
# What is done in the theatre, what it is for, and how near it comes to what must stay whole.
IN_THEATRE: Lines = (
    ("read on the drill", "depth_reading_mm", MM),
    ("diameter of the drill", "diameter_mm", MM),
    ("length", "length_mm", MM),
    ("lesion reached", "lesion_reached_fraction", PERCENT_1),
    ("tip off its place in the lesion, 95 %", "error_budget/to_lesion_p95_mm", MM),
    ("wall to the outer cortex", "wall_min_mm", MM),
    ("wall where the vessels enter", "vessel_wall_mm", MM),
    ("end on its axis to the joint", "subchondral_axis_mm", MM),
    ("any point of the tool to the joint", "tool_to_joint_mm", MM),
)
TUNNEL: Lines = (
    *IN_THEATRE,
    ("sleeve's top off the cortex", "sleeve_offset_mm", MM),
    ("entry above the lesser trochanter", "entry_above_lesser_trochanter_mm", MM),
    ("entry below the vastus ridge", "entry_below_vastus_ridge_mm", MM),
    ("angle to the shaft", "shaft_angle_deg", DEG),
    ("off the lesion's centroid", "centroid_distance_mm", MM),
    ("the seat in the error budget", "error_budget/seat", WORDS),
    ("that tip with the seat assumed before", "error_budget_assumed/to_lesion_p95_mm", MM),
    ("within 3 mm of the joint", "error_budget/within_3_mm_of_joint", PERCENT_1),
    ("that near the joint with the seat assumed before", "error_budget_assumed/within_3_mm_of_joint", PERCENT_1),
    ("breaches the neck", "error_budget/breaches_cortex", PERCENT_1),
    ("drill to what is kept out", "keep_out_mm", MM),
)
PLANNED: Lines = (
    ("strategy", "plan/chosen/strategy", WORDS),
    ("kit", "plan/chosen/kit", WORDS),
)
GUIDE: Lines = (
    ("size", "guide/size", WORDS),
    ("plan on its label", "guide/plan_hash", WORDS),
    ("thickness", "guide/thickness_mm", MM),
    ("gap to the bone, asked", "guide/clearance_mm", FINE_MM),
    ("contact", "guide/contact_area_mm2", MM2),
    ("incision", "guide/seat/incision_mm", ROUGH_MM),
    ("printer", "printing/printer", WORDS),
    ("material", "printing/material", WORDS),
    ("sterilisation", "printing/sterilisation/text", WORDS),
)
SLEEVE: Lines = (
    ("drill", "drill_diameter_mm", MM),
    ("hole as printed", "inner_diameter_mm", FINE_MM),
    ("guided over", "guided_length_mm", MM),
)
PIN: Lines = (
    ("wire", "wire_diameter_mm", MM),
    ("hole", "hole_diameter_mm", FINE_MM),
    ("depth in bone", "depth_mm", ROUGH_MM),
    ("its tip to the top of its boss", "reading_mm", MM),
)
TO_SKIN: Lines = (
    ("bone to skin", "depth_mm", ROUGH_MM),
    ("sleeve's top out of the skin", "top_beyond_mm", ROUGH_MM),
    ("opened by", "through", WORDS),
    ("beyond the incision's end", "from_end_mm", ROUGH_MM),
    ("in front of the incision", "in_front_mm", ROUGH_MM),
    ("drill needed", "drill_needed_mm", ROUGH_MM),
    ("drill to spare", "drill_spare_mm", ROUGH_MM),
)
WIRE_TO_SKIN: Lines = (
    ("bone to skin", "depth_mm", ROUGH_MM),
    ("wire needed", "wire_needed_mm", ROUGH_MM),
    ("wire to spare", "wire_spare_mm", ROUGH_MM),
)
SIZE: Lines = (
    ("contact", "contact_area_mm2", MM2),
    ("length on the bone", "contact_length_mm", ROUGH_MM),
    ("incision", "incision_mm", ROUGH_MM),
    ("muscle stripped", "stripped_area_cm2", Form(1, "cm²")),
    ("tip off by the fit, 95 %", "fit_tip_mm/p95", FINE_MM),
    ("tip off by docking, 95 %", "dock_tip_mm/p95", FINE_MM),
    ("pushes that it holds", "held_share", PERCENT),
    ("weakest motion", "weakest_motion", WORDS),
)
PROPOSAL: Lines = (
    ("kit", "kit", WORDS),
    ("lesion", "volumes/lesion_mm3", MM3),
    ("reached by the tools", "volumes/reached_by_tool_mm3", MM3),
    ("reached by the curette", "volumes/reached_by_curette_mm3", MM3),
    ("left", "volumes/residual_mm3", MM3),
    ("bone removed", "volumes/bone_removed_mm3", MM3),
    ("graft", "volumes/graft_ml", Form(1, "ml")),
)


def figure_tables(plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """The figures of a plan, for one page."""
    tables = [_tunnels(plan, TUNNEL), _table(plan, "Plan", PLANNED, [""]), _table(plan, "Lesion", LESION, [""])]
    if plan.get("guide"):
        sleeves = _places(plan, "guide/sleeves")
        tables += [
            _table(plan, "Guide", GUIDE, [""]),
            _table(plan, "Sleeve", SLEEVE, sleeves, "sleeve"),
            _wires(plan),
            *_to_skin(plan),
        ]
    return tuple(table for table in (*tables, _table(plan, "Anatomy", ANATOMY, [""])) if table.rows)


def theatre_tables(plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """Those of the same figures that the operation is done by."""
    return tuple(table for table in (_tunnels(plan, IN_THEATRE), _wires(plan)) if table.rows)


def prescription_table(plan: Mapping[str, Any], size: str) -> Table:
    """What a surgeon prescribes; `size` as the run was ordered. Points are read to a tenth, and signed as recorded."""
    tunnels = _places(plan, "tunnels")
    points = {
        f"tunnel {number}, {what}, LPS mm": f"{place}/{what}_mm"
        for number, place in enumerate(tunnels, start=1)
        for what in ("entry", "target")
    }
    figures = {
        "kit": _figure(plan, "", "plan/chosen/kit", WORDS),
        "footprint": Figure(size, f"{RUN}#parameters/order/size"),
        **{label: _point(plan, place) for label, place in points.items()},
    }
    return Table("Prescription", (), tuple(Row(label, (figure,)) for label, figure in figures.items()))


def texts_of(tables: Iterable[Table]) -> Iterator[tuple[str, str]]:
    """Every displayed text by its place, as what is signed names it."""
    for table in tables:
        for row in table.rows:
            for number, figure in enumerate(row.figures):
                column = table.heads[number] if table.heads else ""
                if figure is not None:
                    yield f"{table.title} {column}: {row.label}".replace(" :", ":"), figure.text


def _to_skin(plan: Mapping[str, Any]) -> list[Table]:
    """What is known of the skin; no rows where it is not known."""
    tunnels, pins = (_places(plan, f"guide/soft_tissue/{name}") for name in ("tunnels", "pins"))
    return [
        _table(plan, "To the skin", TO_SKIN, tunnels, "tunnel"),
        _table(plan, "Wires to the skin", WIRE_TO_SKIN, pins, "wire"),
    ]


def _tunnels(plan: Mapping[str, Any], lines: Lines) -> Table:
    return _table(plan, "Tunnel", lines, _places(plan, "tunnels"), "tunnel")


def _wires(plan: Mapping[str, Any]) -> Table:
    return _table(plan, "Wires", PIN, _places(plan, "guide/pins"), "wire")


def _places(plan: Mapping[str, Any], place: str) -> list[str]:
    """The place of each item of a list; none where there is no list."""
    return [f"{place}/{number}" for number in range(len(value_at(plan, place) or ()))]


def choice_tables(plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """What else there is, side by side: footprints, and other plans."""
    sizes = [size for size in ("S", "M", "L") if size in ((plan.get("guide") or {}).get("sizes") or {})]
    others = _places(plan, "plan/alternatives")
    chosen = ["plan/chosen"] if value_at(plan, "plan/chosen") else []
    proposals = [*chosen, *others]
    names = [str(value_at(plan, f"{each}/strategy")) for each in proposals]
    heads = [f"{name}, chosen" if each in chosen else name for name, each in zip(names, proposals, strict=True)]
    by_tunnel = [
        *(_places(plan, "tunnels") if chosen else []),
        *(place for each in others for place in _places(plan, f"{each}/tunnels")),
    ]
    return tuple(
        table
        for table in (
            Table("Footprints", tuple(sizes), _rows(plan, SIZE, [f"guide/sizes/{size}" for size in sizes])),
            Table("Plans", tuple(heads), _rows(plan, PROPOSAL, proposals)),
            Table("Their tunnels", tuple(_tunnel_heads(plan, by_tunnel)), _rows(plan, TUNNEL, by_tunnel)),
        )
        if table.rows
    )


@dataclass(frozen=True)
class Check:
    """A finding with its two figures; the limit's text stands behind the sign of its side."""

    finding: Finding
    measured: Figure
    limit: Figure


def checks(findings: Sequence[Finding]) -> tuple[Check, ...]:
    """Every check, those that failed first."""
    made = []
    for number, finding in enumerate(findings):
        measured, limit = texts(finding)
        place = f"{FINDINGS}#{number}"
        made.append(Check(finding, Figure(measured, f"{place}/measured"), Figure(limit, f"{place}/limit")))
    return tuple(sorted(made, key=lambda check: check.finding.passed))


def value_at(content: Any, pointer: str) -> Any:
    """What stands at a place such as tunnels/0/length_mm; None where there is nothing."""
    for part in filter(None, pointer.split("/")):
        if isinstance(content, Mapping):
            content = content.get(part)
        elif isinstance(content, Sequence) and not isinstance(content, str) and part.isdigit():
            content = content[int(part)] if int(part) < len(content) else None
        else:
            return None
    return content


def _table(plan: Mapping[str, Any], title: str, lines: Lines, places: Sequence[str], column: str = "") -> Table:
    """One column for each place in the plan, numbered where there are several."""
    heads = tuple(f"{column} {number}" for number in range(1, len(places) + 1)) if len(places) > 1 else ()
    return Table(title, heads, _rows(plan, lines, places))


def _rows(plan: Mapping[str, Any], lines: Lines, places: Sequence[str]) -> tuple[Row, ...]:
    """A row for each line that at least one place has a value for."""
    made = (Row(label, tuple(_figure(plan, place, end, form) for place in places)) for label, end, form in lines)
    return tuple(row for row in made if any(row.figures))


def _figure(plan: Mapping[str, Any], place: str, end: str, form: Form | None) -> Figure | None:
    pointer = f"{place}/{end}" if place else end
    value = value_at(plan, pointer)
    if value is None:
        return None
    if form is None:
        return Figure(str(value), f"{PLAN}#{pointer}")
    return Figure(written(value, form), f"{PLAN}#{pointer}", form.times)


def written(value: float, form: Form) -> str:
    """A value as it is read, with its unit."""
    space = "" if form.unit in ("", "°") else " "
    return f"{shown(form.times * value, form.decimals)}{space}{form.unit}"


def _point(plan: Mapping[str, Any], pointer: str) -> Figure:
    return Figure(", ".join(shown(each, POINT_DECIMALS) for each in value_at(plan, pointer)), f"{PLAN}#{pointer}")


def _tunnel_heads(plan: Mapping[str, Any], places: Iterable[str]) -> Iterable[str]:
    """The plan that a tunnel belongs to, and its number where it has several."""
    for place in places:
        owner, _, number = place.rpartition("tunnels/")
        name = value_at(plan, f"{owner or 'plan/chosen/'}strategy")
        count = len(value_at(plan, f"{owner}tunnels"))
        yield f"{name} {int(number) + 1}" if count > 1 else str(name)


def beside(first: Sequence[Table], second: Sequence[Table], names: tuple[str, str]) -> tuple[Table, ...]:
    """The tables of two revisions as one each, the columns of both side by side under the revisions' names."""
    tables = []
    titles = dict.fromkeys(table.title for table in (*first, *second))
    for title in titles:
        both = [next((each for each in tables_ if each.title == title), None) for tables_ in (first, second)]
        heads = [
            f"{name} {head}".rstrip()
            for name, table in zip(names, both, strict=True)
            if table is not None
            for head in table.heads or ("",)
        ]
        labels = dict.fromkeys(row.label for table in both if table is not None for row in table.rows)
        rows = []
        for label in labels:
            ours, theirs = (_cells(table, label) for table in both)
            rows.append(Row(label, (*ours, *theirs), len(ours)))
        tables.append(Table(title, tuple(heads), tuple(rows)))
    return tuple(tables)


def _cells(table: Table | None, label: str) -> tuple[Figure | None, ...]:
    """What a table has in the row of a label: as many cells as it has columns."""
    if table is None:
        return ()
    row = next((row for row in table.rows if row.label == label), None)
    return row.figures if row is not None else (None,) * max(1, len(table.heads))

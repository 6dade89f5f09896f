"""Figures as they are displayed, each with its place in plan.json or findings.json, of which it is a rounding.

Nothing here computes: a figure that is not in the files is not on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "not computed"
PLAN, FINDINGS = "plan.json", "findings.json"
SIGNIFICANT = 4  # digits of what a check measured


@dataclass(frozen=True)
class Figure:
    """A displayed figure: its text, its place as file#pointer, and what its value is multiplied by to be shown."""

    text: str
    source: str
    times: float = 1.0


@dataclass(frozen=True)
class Row:
    """What a figure says, and its value in each column; None where a column has none."""

    label: str
    figures: tuple[Figure | None, ...]

    @property
    def differs(self) -> bool:
        """Whether not all columns say the same."""
        return len({None if each is None else each.text for each in self.figures}) > 1


@dataclass(frozen=True)
class Table:
    """Figures under a title, with the heads of their columns where there are several."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Form:
    """How a value is written: decimals, unit, and what it is multiplied by."""

    decimals: int
    unit: str = ""
    times: float = 1.0


MM, MM2, ROUGH_MM = Form(1, "mm"), Form(0, "mm²"), Form(0, "mm")
FINE_MM, DEG, PERCENT, PERCENT_1 = Form(2, "mm"), Form(0, "°"), Form(0, "%", 100.0), Form(1, "%", 100.0)
MM3, WORDS, COUNT = Form(0, "mm³"), None, Form(0)

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
TUNNEL: Lines = (
    ("diameter", "diameter_mm", MM),
    ("length", "length_mm", MM),
    ("read on the drill", "depth_reading_mm", MM),
    ("sleeve's top off the cortex", "sleeve_offset_mm", MM),
    ("entry above the lesser trochanter", "entry_above_lesser_trochanter_mm", MM),
    ("entry below the vastus ridge", "entry_below_vastus_ridge_mm", MM),
    ("angle to the shaft", "shaft_angle_deg", DEG),
    ("wall to the outer cortex", "wall_min_mm", MM),
    ("wall where the vessels enter", "vessel_wall_mm", MM),
    ("end on its axis to the joint", "subchondral_axis_mm", MM),
    ("any point of the tool to the joint", "tool_to_joint_mm", MM),
    ("lesion reached", "lesion_reached_fraction", PERCENT_1),
    ("off the lesion's centroid", "centroid_distance_mm", MM),
    ("the seat in the error budget", "error_budget/seat", WORDS),
    ("tip off its place in the lesion, 95 %", "error_budget/to_lesion_p95_mm", MM),
    ("that tip with the seat assumed before", "error_budget_assumed/to_lesion_p95_mm", MM),
    ("within 3 mm of the joint", "error_budget/within_3_mm_of_joint", PERCENT_1),
    ("that near the joint with the seat assumed before", "error_budget_assumed/within_3_mm_of_joint", PERCENT_1),
    ("breaches the neck", "error_budget/breaches_cortex", PERCENT_1),
    ("drill to what is kept out", "keep_out_mm", MM),
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
    tunnels = [f"tunnels/{number}" for number in range(len(plan["tunnels"]))]
    tables = [_table(plan, "Tunnel", TUNNEL, tunnels, "tunnel"), _table(plan, "Lesion", LESION, [""])]
    if plan.get("guide"):
        guide = plan["guide"]
        sleeves = [f"guide/sleeves/{number}" for number in range(len(guide.get("sleeves", ())))]
        pins = [f"guide/pins/{number}" for number in range(len(guide.get("pins", ())))]
        tables += [
            _table(plan, "Guide", GUIDE, [""]),
            _table(plan, "Sleeve", SLEEVE, sleeves, "sleeve"),
            _table(plan, "Wires", PIN, pins, "wire"),
            *_to_skin(plan),
        ]
    return tuple(table for table in (*tables, _table(plan, "Anatomy", ANATOMY, [""])) if table.rows)


def _to_skin(plan: Mapping[str, Any]) -> list[Table]:
    """What is known of the skin; no rows where it is not known."""
    over, place = plan["guide"].get("soft_tissue") or {}, "guide/soft_tissue"
    tunnels = [f"{place}/tunnels/{number}" for number in range(len(over.get("tunnels", ())))]
    pins = [f"{place}/pins/{number}" for number in range(len(over.get("pins", ())))]
    return [
        _table(plan, "To the skin", TO_SKIN, tunnels, "tunnel"),
        _table(plan, "Wires to the skin", WIRE_TO_SKIN, pins, "wire"),
    ]


def choice_tables(plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """What else there is, side by side: footprints, and other plans."""
    sizes = [size for size in ("S", "M", "L") if size in ((plan.get("guide") or {}).get("sizes") or {})]
    found = plan.get("plan") or {}
    others = [f"plan/alternatives/{number}" for number in range(len(found.get("alternatives", ())))]
    chosen = ["plan/chosen"] if found.get("chosen") else []
    proposals = [*chosen, *others]
    names = [str(value_at(plan, f"{each}/strategy")) for each in proposals]
    heads = [f"{name}, chosen" if each in chosen else name for name, each in zip(names, proposals, strict=True)]
    by_tunnel = [
        *([f"tunnels/{number}" for number in range(len(plan["tunnels"]))] if chosen else []),
        *(f"{each}/tunnels/{number}" for each in others for number in range(len(value_at(plan, f"{each}/tunnels")))),
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
    """A finding as a row: its figures, and whether it passed."""

    name: str
    measured: Figure
    limit: Figure
    unit: str
    passed: bool
    why: str


def checks(findings: Sequence[Mapping[str, Any]]) -> tuple[Check, ...]:
    """Every check, those that failed first."""
    made = [
        Check(
            name=str(each["name"]),
            measured=_significant(each["measured"], f"{number}/measured"),
            limit=_significant(each["limit"], f"{number}/limit"),
            unit=str(each["unit"]),
            passed=bool(each["passed"]),
            why=str(each["why"]),
        )
        for number, each in enumerate(findings)
    ]
    return tuple(sorted(made, key=lambda check: check.passed))


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
    space = "" if form.unit in ("", "°") else " "
    return Figure(f"{form.times * value:.{form.decimals}f}{space}{form.unit}", f"{PLAN}#{pointer}", form.times)


def _significant(value: float | None, pointer: str) -> Figure:
    return Figure(UNKNOWN if value is None else f"{value:.{SIGNIFICANT}g}", f"{FINDINGS}#{pointer}")


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
        rows = [Row(label, tuple(each for table in both for each in _cells(table, label))) for label in labels]
        tables.append(Table(title, tuple(heads), tuple(rows)))
    return tuple(tables)


def _cells(table: Table | None, label: str) -> tuple[Figure | None, ...]:
    """What a table has in the row of a label: as many cells as it has columns."""
    if table is None:
        return ()
    row = next((row for row in table.rows if row.label == label), None)
    return row.figures if row is not None else (None,) * max(1, len(table.heads))

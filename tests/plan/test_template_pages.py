"""The pages on templates name every line with its range, and the shipped files are what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from template_files import lines, range_of, shipped_names, values

from guidegen.plan.templates import GuideTemplate, Kit, Printer, load_template

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[type[BaseModel], str] = {Printer: "printers.md", GuideTemplate: "guide_shapes.md", Kit: "kits.md"}
Table = dict[str, dict[str, str]]


def tables(kind: type[BaseModel]) -> list[Table]:
    """The tables of a page, each as its rows by their first cell, and these by the column's head."""
    text = (DOCS / PAGES[kind]).read_text(encoding="utf-8")
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in row.strip()[1:-1].split("|")] for row in block.splitlines())
        found.append({row[0]: dict(zip(head, row, strict=True)) for row in rows})
    return found


def said(kind: type[BaseModel]) -> Table:
    """The table of all lines, a row each; lines that share a row share what it says."""
    (table,) = (each for each in tables(kind) if "range" in next(iter(each.values())))
    return {name: row for cell, row in table.items() for name in re.findall(r"`([^`]+)`", cell)}


def shipped(kind: type[BaseModel]) -> Table:
    """The table of what is shipped: its columns are the templates."""
    names = {f"`{name}`" for name in shipped_names(kind)}
    (table,) = (each for each in tables(kind) if names <= set(next(iter(each.values()))))
    return {cell.strip("`"): row for cell, row in table.items()}


@pytest.mark.parametrize("kind", PAGES)
def test_every_line_is_named_and_none_that_is_not(kind) -> None:
    assert list(said(kind)) != []
    assert set(said(kind)) == set(lines(kind))


@pytest.mark.parametrize("kind", PAGES)
def test_every_range_is_the_one_that_is_checked(kind) -> None:
    for place, field in lines(kind).items():
        within = range_of(field)
        assert said(kind)[place]["range"] == ("" if within is None else f"{within.low:g} to {within.high:g}"), place


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in PAGES for name in shipped_names(kind)])
def test_the_shipped_figures_are_those_of_the_files(kind, name) -> None:
    template: Any = load_template(kind, name)[0]
    table, shown = shipped(kind), set(lines(kind))
    if kind is Printer:
        shown -= {"sterilisation.name", "sterilisation.text", "sterilisation.source"}  # in a table of their own
    if kind is Kit:
        shown -= {"name", *(place for place in shown if place.startswith("steps."))}
    assert set(table) == shown
    for place in shown:
        assert table[place][f"`{name}`"] == values(template, place), place


def test_the_cycles_are_those_of_the_files() -> None:
    text = (DOCS / "printers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| `([^`]+)` \| (.*) \| (\[.*) \|$", text, re.MULTILINE)
    listed = [
        (name, cycle.name, cycle.text, cycle.source)
        for name in shipped_names(Printer)
        for cycle in load_template(Printer, name)[0].sterilisation
    ]
    assert sorted(rows) == sorted(listed)

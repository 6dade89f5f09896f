"""Figures and checks as tables of the terminal: the same texts as on the review page and in the dossier."""

from __future__ import annotations

from collections.abc import Iterable

import rich.table
from rich.markup import escape

from guidegen.check.finding import Finding, texts
from guidegen.show.figures import Table

NOTHING, DIFFERS = "–", "≠"


def figure_table(table: Table, marked: bool = False) -> rich.table.Table:
    """Labels, and a column of figures for each head; `marked`: rows whose columns differ have a sign before them."""
    signs = ("",) if marked else ()
    made = rich.table.Table(*signs, escape(table.title), *(escape(head) for head in table.heads or ("",)), box=None)
    for row in table.rows:
        figures = (NOTHING if each is None else escape(each.text) for each in row.figures)
        sign = (DIFFERS if row.differs else "",) if marked else ()
        made.add_row(*sign, escape(row.label), *figures, style="bold" if marked and row.differs else None)
    return made


def finding_table(findings: Iterable[Finding]) -> rich.table.Table:
    """What was measured beside its limit, and whether it passed."""
    made = rich.table.Table("", "check", "measured", "limit", "unit", box=None)
    for finding in findings:
        made.add_row(mark(finding), escape(finding.name), *texts(finding), finding.unit)
    return made


def mark(finding: Finding) -> str:
    """Whether a check passed, in words and colour."""
    return "[green]pass[/]" if finding.passed else "[red]FAIL[/]"

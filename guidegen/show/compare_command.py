"""The command `guidegen compare`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from guidegen.errors import OutputError
from guidegen.results import RUN_FILE, SCRATCH, make_durable, make_entry_durable
from guidegen.rounded import significant

if TYPE_CHECKING:
    from guidegen.check.finding import Finding
    from guidegen.show.compare import Comparison, Leaf

out = Console(highlight=False, soft_wrap=True)

NOTHING = "–"
SHORTEST = 12  # letters of a hash that are shown


def compare(
    first: Annotated[Path, typer.Argument(help="A result folder (…/r001).", metavar="RESULT")],
    second: Annotated[Path, typer.Argument(help="Another of the same hip.", metavar="RESULT")],
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Write the pictures side by side: a file that is not there yet, or a folder.",
            metavar="FILE.png|DIR",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Show every figure in which two revisions of a hip differ; with --to, their pictures side by side too."""
    from guidegen.show.compare import compared
    from guidegen.show.side_by_side import side_by_side

    comparison = compared(first, second)
    _show_figures(comparison)
    _show_checks(comparison)
    differ = len(comparison.figures) + len(comparison.checks)
    out.print(f"{differ} of {comparison.looked_at} figures and checks differ")
    if to is not None:
        path = _file(to, comparison)
        write_new(path, side_by_side(comparison))
        out.print(f"[green]wrote[/] {escape(str(path))}")


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all; OutputError where it is there, cannot be written, or
    would alter a result.
    """
    result = next((parent for parent in path.absolute().parents if (parent / RUN_FILE).exists()), None)
    if result is not None:
        raise OutputError(f"expected a place outside of results, found {path} in {result}, which it would alter")
    scratch = path.with_name(f"{SCRATCH}{path.name}")
    try:
        scratch.write_bytes(content)
        make_durable(scratch)
        os.link(scratch, path)  # unlike a renaming, this never replaces a file
        make_entry_durable(path)
    except FileExistsError as error:
        raise OutputError(f"expected a file that is not there yet, found {path}; name another") from error
    except OSError as error:
        raise OutputError(f"expected a file that can be written, found {path}: {error.strerror}") from error
    finally:
        scratch.unlink(missing_ok=True)


def _file(to: Path, comparison: Comparison) -> Path:
    if not to.is_dir():
        if to.suffix.lower() != ".png":
            raise OutputError(f"expected a file FILE.png or a folder that is there, found {to}; name one of these")
        return to
    names = (comparison.first.name, comparison.second.name)
    return to / f"{comparison.case_id}-{comparison.side}-{'-'.join(names)}.png"


def _show_figures(comparison: Comparison) -> None:
    first, second = comparison.first.name, comparison.second.name
    title = f"{escape(comparison.case_id)}, {comparison.side.upper()} hip: {escape(first)} and {escape(second)}"
    table = Table(box=None, title=title, title_justify="left")
    for head in ("figure", first, second, "apart", "unit"):
        table.add_column(escape(head), overflow="fold")  # a name that is cut off names nothing
    for figure in comparison.figures:
        apart = "" if figure.apart is None else significant(figure.apart, 4)
        table.add_row(escape(figure.name), worded(figure.first), worded(figure.second), apart, figure.unit)
    out.print(table)


def _show_checks(comparison: Comparison) -> None:
    first, second = comparison.first.name, comparison.second.name
    table = Table("check", first, second, "limits", "unit", box=None)
    for pair in comparison.checks:
        limits = dict.fromkeys(f"{each.limit:g}" for each in (pair.first, pair.second) if each is not None)
        table.add_row(escape(pair.name), _judged(pair.first), _judged(pair.second), " → ".join(limits), pair.unit)
    out.print(table)


def _judged(finding: Finding | None) -> str:
    if finding is None:
        return NOTHING
    mark = "[green]pass[/]" if finding.passed else "[red]FAIL[/]"
    return f"{mark} {NOTHING if finding.measured is None else significant(finding.measured, 4)}"


def worded(value: Leaf) -> str:
    """A value of a record as a table shows it; numbers to five or six figures, hashes by their beginning."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(significant(each, 5) for each in value)
    if isinstance(value, str):
        return escape(f"{value[:SHORTEST]}…" if len(value) == 64 and value.isalnum() else value)
    return significant(value, 6)

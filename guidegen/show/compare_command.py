"""The command `guidegen compare`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from guidegen.check.finding import decimals_of, line, signed
from guidegen.errors import OutputError
from guidegen.results import RUN_FILE, SCRATCH, make_durable, make_entry_durable
from guidegen.rounded import shown, significant
from guidegen.show.figures import IN_THEATRE, beside, figure_tables
from guidegen.show.terminal import NOTHING, figure_table, mark

if TYPE_CHECKING:
    from guidegen.check.finding import Finding
    from guidegen.show.compare import CheckPair, Comparison, Figure, Leaf

out = Console(highlight=False, soft_wrap=True)

SHORTEST = 12  # letters of a hash that are shown
INDENT = "    "


def compare(
    first: Annotated[Path, typer.Argument(help="A result folder (…/r001).", metavar="RESULT")],
    second: Annotated[Path, typer.Argument(help="Another of the same hip.", metavar="RESULT")],
    every: Annotated[
        bool, typer.Option("--all", help="List everything in which the records differ too, by its path.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Write the pictures side by side: a file that is not there yet, or a folder.",
            metavar="FILE.png|DIR",
        ),
    ] = None,
) -> None:  # fmt: skip
    """Show the figures of two revisions of a hip side by side; with --to, their pictures too."""
    from guidegen.show.compare import compared
    from guidegen.show.side_by_side import side_by_side

    if to is not None:
        require_place(to)
    comparison = compared(first, second)
    path = None if to is None else _file(to, comparison)
    if path is not None:
        require_new(path)
    _show_side_by_side(comparison)
    _show_checks(comparison, every)
    if every:
        _show_figures(comparison)
    differ = len(comparison.figures) + len(comparison.checks)
    more = "" if every or not differ else "; --all lists each"
    out.print(f"{differ} of {comparison.looked_at} recorded figures and checks differ{more}")
    if path is not None:
        write_new(path, side_by_side(comparison))
        out.print(f"[green]wrote[/] {escape(str(path))}")


def require_place(to: Path) -> None:
    """OutputError unless a picture can be put there: a folder that is there, or FILE.png in one, outside of results."""
    if not to.is_dir() and to.suffix.lower() != ".png":
        raise OutputError(f"expected a file FILE.png or a folder that is there, found {to}; name one of these")
    folder = to if to.is_dir() else to.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"expected a folder that is there for {to.name}, found none at {to.parent}; make it first")
    _require_outside(folder, to)
    if not to.is_dir():
        require_new(to)


def require_new(path: Path) -> None:
    """OutputError for a file that is there already."""
    if path.exists():
        raise OutputError(f"expected a file that is not there yet, found {path}; name another")


def _require_outside(folder: Path, path: Path) -> None:
    result = next((each for each in (folder, *folder.absolute().parents) if (each / RUN_FILE).exists()), None)
    if result is not None:
        raise OutputError(f"expected a place outside of results, found {path} in {result}, which it would alter")


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all; OutputError where it is there, cannot be written, or
    would alter a result.
    """
    _require_outside(path.absolute().parent, path)
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
        return to
    names = (comparison.first.name, comparison.second.name)
    return to / f"{comparison.case_id}-{comparison.side}-{'-'.join(names)}.png"


def _show_side_by_side(comparison: Comparison) -> None:
    """The figures of the review page: those of the tunnels that matter in the theatre, and all others that differ."""
    names = (comparison.first.name, comparison.second.name)
    out.print(f"{escape(comparison.case_id)}, {comparison.side.upper()} hip: {escape(' and '.join(names))}")
    always = {label for label, _, _ in IN_THEATRE}
    alike = 0
    for table in beside(figure_tables(comparison.first.plan), figure_tables(comparison.second.plan), names):
        told = tuple(row for row in table.rows if row.differs or row.label in always)
        alike += len(table.rows) - len(told)
        if told:
            out.print("", figure_table(table.only(told), marked=True), sep="\n")
    if alike:
        out.print(f"\n{alike} further figures are the same")


def _show_checks(comparison: Comparison, every: bool) -> None:
    """How many checks passed, which one revision alone has, and those that failed; `every`: all that differ."""
    from guidegen.show.compare import only_in

    revisions = (comparison.first, comparison.second)
    for side, (revision, other) in enumerate((revisions, revisions[::-1])):
        passed = sum(finding.passed for finding in revision.findings)
        out.print(f"\n{escape(revision.name)}: {passed} of {len(revision.findings)} checks passed")
        for finding in only_in(comparison.checks, side):
            out.print(f"  not in {escape(other.name)}: {escape(finding.name)}: {line(finding)}")
    told = [pair for pair in comparison.checks if every or pair.failed]
    if told:
        names = (escape(comparison.first.name), escape(comparison.second.name))
        table = Table("check", *names, "limits", "unit", box=None)
        for pair in told:
            table.add_row(escape(pair.name), *_judged(pair), pair.unit)
        out.print("", table, sep="\n")
    out.print()


def _judged(pair: CheckPair) -> tuple[str, str, str]:
    """Both verdicts with what was measured, and the limits, with the decimals that tell all of them apart."""
    made = [each for each in (pair.first, pair.second) if each is not None]
    numbers = [number for each in made for number in (each.measured, each.limit)]
    decimals = decimals_of(pair.unit, made[0].limit, *numbers)
    limits = dict.fromkeys(signed(each.bound, shown(each.limit, decimals)) for each in made)
    first, second = (_verdict(each, decimals) for each in (pair.first, pair.second))
    return first, second, " → ".join(limits)


def _verdict(finding: Finding | None, decimals: int) -> str:
    if finding is None:
        return NOTHING
    return f"{mark(finding)} {NOTHING if finding.measured is None else shown(finding.measured, decimals)}"


def _show_figures(comparison: Comparison) -> None:
    """Every entry of the records that differs: its path, and below it what either says."""
    for figure in comparison.figures:
        out.print(f"[bold]{escape(in_pieces(figure.name, out.width if out.is_terminal else None))}[/]")
        out.print(f"{INDENT}{worded(figure.first)} → {worded(figure.second)}{_apart(figure)}")
    out.print()


def _apart(figure: Figure) -> str:
    return "" if figure.apart is None else f"   apart {significant(figure.apart, 4)} {figure.unit}".rstrip()


def in_pieces(path: str, width: int | None) -> str:
    """A path that is too long for a line, broken behind its dots and nowhere else; None: lines have no end."""
    if width is None or len(path) <= width:
        return path
    lines = [""]
    for part in path.replace(".", ".\n").split("\n"):
        if lines[-1].strip() and len(lines[-1]) + len(part) > width:
            lines.append(INDENT)
        lines[-1] += part
    return "\n".join(lines)


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

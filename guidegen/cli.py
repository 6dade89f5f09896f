"""The command line: every command, no geometry."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import guidegen
from guidegen.errors import GuidegenError
from guidegen.release import commands as release_commands
from guidegen.release.event_commands import events
from guidegen.review import act_commands
from guidegen.review.audit_commands import audit
from guidegen.review.user_commands import users
from guidegen.review.web.command import review
from guidegen.rounded import shown
from guidegen.show.compare_command import compare
from guidegen.show.terminal import finding_table

if TYPE_CHECKING:
    from guidegen.assessed import Assessed
    from guidegen.intake.look import Look

INTERRUPTED = 130
FAILED_CHECK = 3
BUG = 1

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

app = typer.Typer(
    help="From a segmented hip with osteonecrosis to a drill guide. No medical device: the surgeon decides.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(users, name="user")
app.add_typer(audit, name="audit")
app.add_typer(events, name="event")
app.command()(review)


class Size(StrEnum):
    """Footprints of the guide, or all of them, one revision each."""

    S = "S"
    M = "M"
    L = "L"
    ALL = "all"


class Side(StrEnum):
    """The side of the made-up hip."""

    LEFT = "left"
    RIGHT = "right"


class Ordered(StrEnum):
    """The side as ordered."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


LABEL_HELP = 'Number or name; "left=…,right=…" where they differ. Left out: by its name, never by a guess.'

CaseFile = Annotated[Path, typer.Argument(help="The case file (TOML).", metavar="CASE.toml")]
Output = Annotated[Path, typer.Option(help="Where results go, one folder for each case.")]


def _version(asked: bool) -> None:
    if asked:
        out.print(f"guidegen {guidegen.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
) -> None:
    """Options before the command."""


@app.command()
def run(
    case: CaseFile,
    output: Output = Path("output"),
    size: Annotated[Size | None, typer.Option(help="Footprint; the case file's own if left out.")] = None,
) -> None:
    """Plan, build and check a guide, and write it with its dossier."""
    from guidegen import pipeline

    passed = True
    for footprint in ("S", "M", "L") if size is Size.ALL else (size.value if size else None,):
        if footprint:
            out.print(f"[bold]footprint {footprint}[/]")
        with _progress() as progress:
            result = pipeline.run(case, output, footprint, progress)
        content = json.loads((result.folder / "plan.json").read_text(encoding="utf-8"))
        chosen = (content["plan"] or {}).get("chosen")
        warnings = [warning for part in (chosen, content["guide"]) if part for warning in part["warnings"]]
        _show_notes(content["notes"], content["inputs"]["identities"], warnings)
        if content["guide"]:
            _show_sizes(content["guide"])
        _show_result(result)
        if content["plan"] and content["plan"]["waivers_proposed"]:
            out.print("[red]A waiver is proposed: nothing may be made of this before the surgeon accepts it.[/]")
        out.print()
        passed = passed and result.passed
    if not passed:
        raise typer.Exit(FAILED_CHECK)


@app.command()
def plan(case: CaseFile, output: Output = Path("output")) -> None:
    """Find the best tunnel and what else there is, without a guide; with pictures."""
    from guidegen import pipeline
    from guidegen.notes import plan_notes
    from guidegen.show.plan_table import plan_tables

    with _progress() as progress:
        planned, folder = pipeline.write_plan(case, output, progress)
    out.print(_title(planned.assessed))
    for heads, rows in plan_tables(planned.plan):
        _show_table(heads, rows)
    chosen = planned.plan.chosen if planned.plan is not None else None
    _show_notes(plan_notes(planned), planned.assessed.origin.identities, chosen.warnings if chosen else ())
    out.print(escape(str(folder)))
    if planned.refusal is not None:
        raise planned.refusal


@app.command()
def assess(case: CaseFile, output: Output = Path("output")) -> None:
    """Find the axes, lay the MR on the bone and grade the lesion, without a plan; with pictures."""
    from guidegen import pipeline
    from guidegen.notes import assessment_notes

    with _progress() as progress:
        assessed, folder = pipeline.write_assessment(case, output, progress)
    _show_assessment(assessed)
    _show_notes(assessment_notes(assessed), assessed.origin.identities)
    out.print(escape(str(folder)))


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A label map, image or surface, or the folder of a DICOM series.")],
) -> None:
    """Show what a file holds: its place, its labels, whom and when it says it shows. Nothing is written."""
    _show_look(_look(file))


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="The folder of the case; files from elsewhere are copied into it.")],
    bone: Annotated[Path, typer.Option(help="The label map, DICOM SEG, RTSTRUCT or surface with the femur.")],
    lesion: Annotated[Path, typer.Option(help="The same with the lesion; may be the file of the bone.")],
    side: Annotated[Ordered, typer.Option(help="The side as ordered; both: a case for each.")],
    patient_id: Annotated[str | None, typer.Option("--id", help="The patient's id; else that of the DICOM.")] = None,
    bone_image: Annotated[Path | None, typer.Option(help="The CT: a file, or the folder of its series.")] = None,
    lesion_image: Annotated[Path | None, typer.Option(help="The MR, likewise.")] = None,
    femur: Annotated[str | None, typer.Option(help=f"The femur's label. {LABEL_HELP}")] = None,
    pelvis: Annotated[str | None, typer.Option(help="The pelvis's label.")] = None,
    implant: Annotated[str | None, typer.Option(help="The label of metal.")] = None,
    old_tunnel: Annotated[str | None, typer.Option(help="The label of earlier drilling.")] = None,
    avoid: Annotated[str | None, typer.Option(help="The label of what else to keep away from.")] = None,
    lesion_label: Annotated[str | None, typer.Option(help="The lesion's label.")] = None,
    lesion_femur: Annotated[str | None, typer.Option(help="The femur's label beside the lesion, on an MR.")] = None,
    bone_unit: Annotated[str | None, typer.Option(help="mm, cm, m or inch, of a surface.")] = None,
    bone_space: Annotated[str | None, typer.Option(help="LPS or RAS, of a surface.")] = None,
    lesion_unit: Annotated[str | None, typer.Option(help="The same of the lesion's.")] = None,
    lesion_space: Annotated[str | None, typer.Option(help="The same of the lesion's.")] = None,
) -> None:
    """Look at the files of a hip, show what was found, and write a case file for them."""
    from guidegen.intake import draft

    asked = {
        "bone": {"femur": femur, "pelvis": pelvis, "implant": implant, "old_tunnel": old_tunnel, "avoid": avoid},
        "lesion": {"lesion": lesion_label, "femur": lesion_femur},
    }
    looks = {path: _look(path) for path in dict.fromkeys((bone, bone_image, lesion, lesion_image)) if path is not None}
    for look in looks.values():
        _show_look(look)
    known = {look.identity.patient_id for look in looks.values() if look.identity and look.identity.patient_id}
    bone_part, lesion_part = (
        draft.Part(
            section, draft.name_in(folder, path), looks[path],
            {key: label for key, label in asked[section].items() if label is not None},
            None if image is None else draft.name_in(folder, image), unit, space,
        )
        for section, path, image, unit, space in (
            (draft.BONE, bone, bone_image, bone_unit, bone_space),
            (draft.LESION, lesion, lesion_image, lesion_unit, lesion_space),
        )
    )  # fmt: skip
    texts = {
        f"case-{each}.toml" if side is Ordered.BOTH else "case.toml": draft.draft_case(
            patient_id, each, bone_part, lesion_part, known
        )
        for each in draft.SIDES
        if side in (Ordered.BOTH, each)
    }
    for path in looks:
        draft.bring_in(folder, path)
    for path in draft.write_case_files(folder, texts):
        out.print(f"[green]wrote[/] {escape(str(path))}")


@app.command()
def check(
    result: Annotated[Path, typer.Argument(help="A result folder (…/r001).", metavar="RESULT")],
    slicer: Annotated[
        bool, typer.Option("--slicer", help="Let PrusaSlicer slice it too, not only look at it.")
    ] = False,
) -> None:
    """Measure the files of a result again, as a stranger would; PrusaSlicer looks at them too where it is installed."""
    from guidegen import pipeline
    from guidegen.check.battery import check_result
    from guidegen.check.files import refusal_findings

    recorded, refused = pipeline.recorded_finding(result), refusal_findings(result)
    if refused is None:
        findings = (recorded, *check_result(result), *_slicer_findings(result, slicer))
    else:  # a run that ended without a safe guide left its reason
        findings = (recorded, *refused)
    _show_findings(findings)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(FAILED_CHECK)


def _slicer_findings(result: Path, slices: bool) -> tuple[Any, ...]:
    """What PrusaSlicer makes of a result, and a note where it does not; `slices`: it must be installed."""
    from guidegen.check.slicer import INSTALL, is_installed, profile_of, slicer_findings

    profile = profile_of(result) if slices else None
    if slices and profile is None:
        out.print("note: not sliced: PrusaSlicer has no profile for this printer's process, and only looks at the file")
    if not slices and not is_installed():
        out.print(f"note: not looked at by a slicer: PrusaSlicer is not installed ({INSTALL})")
        return ()
    return slicer_findings(result, profile)


@app.command()
def demo(
    output: Output = Path("output"),
    side: Annotated[Side, typer.Option(help="Side of the made-up hip.")] = Side.LEFT,
) -> None:
    """Make up a hip with a known lesion, run everything on it, and say where things are."""
    from guidegen import pipeline
    from guidegen.phantom import make_hip, write_case

    folder = output / "demo"
    with _progress() as progress:
        progress("phantom")
        hip = make_hip(side.value)
        case = write_case(hip, folder, patient_id=f"DEMO-{side.value[0].upper()}")
        result = pipeline.run(case, output, None, progress)
    _show_result(result)
    _show_truth(hip, result.folder)
    out.print(f"\nThe case:     {folder}\nThe result:   {result.folder}")
    out.print(f"Look at:      {result.folder / 'preview' / 'guide.png'}\nAnd read:     {result.folder / 'dossier.pdf'}")
    if not result.passed:
        raise typer.Exit(FAILED_CHECK)


@app.command()
def selftest() -> None:
    """Check this installation: run the made-up hips, and hold all that comes out to what is known of them."""
    from guidegen.record import library_versions
    from guidegen.selftest.selftest import selftest as tested

    with _progress() as progress:
        findings = tested(progress)
    _show_findings(findings)
    python = ".".join(str(part) for part in sys.version_info[:3])
    versions = {"guidegen": guidegen.__version__, "Python": python} | library_versions()
    out.print(", ".join(f"{name} {version}" for name, version in versions.items()))
    if not all(finding.passed for finding in findings):
        out.print("[red]this installation is not sound: use nothing that it makes[/]")
        raise typer.Exit(FAILED_CHECK)
    out.print("[green]this installation finds what is true[/]")


def _show_truth(hip: Any, folder: Path) -> None:
    """How far what was found lies from what the made-up hip is."""
    import numpy as np

    from guidegen.frames import angle_deg

    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    found, truth = plan["anatomy"] | {"centroid_mm": plan["lesion"]["centroid_mm"]}, hip.truth
    table = Table("against the truth", "off by", box=None)
    for name, key, true in (
        ("head centre", "head_center_mm", truth.head_center_mm),
        ("neck isthmus", "neck_isthmus_center_mm", truth.neck_isthmus_center_mm),
        ("greater trochanter", "greater_trochanter_mm", truth.greater_trochanter_mm),
        ("lesser trochanter", "lesser_trochanter_mm", truth.lesser_trochanter_mm),
        ("vastus ridge", "vastus_ridge_mm", truth.vastus_ridge_mm),
        ("lesion centroid", "centroid_mm", truth.lesion_centroid_mm),
    ):
        table.add_row(name, f"{shown(float(np.linalg.norm(np.array(found[key]) - true)), 2)} mm")
    for name, key, true in (
        ("neck axis", "neck_axis", truth.neck_axis),
        ("shaft axis", "shaft_axis", truth.shaft_axis),
    ):
        table.add_row(name, f"{shown(angle_deg(found[key], true), 2)}°")
    out.print(table)


def _show_result(result: Any) -> None:
    _show_findings(result.findings)
    verdict = "[green]every check passed[/]" if result.passed else "[red]not released: a check or a rule failed[/]"
    again = " (unchanged since it was made)" if result.unchanged else ""
    out.print(f"{verdict}{again}\n{escape(str(result.folder))}")


def _show_sizes(guide: dict[str, Any]) -> None:
    """What is predicted of the sizes, side by side."""
    from guidegen.show.seat_table import seat_table

    _show_table(*seat_table(guide))


def _show_table(heads: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    table = Table(*heads, box=None, title=title)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


def _title(assessed: Assessed) -> str:
    return f"{assessed.case.patient.id}, {assessed.anatomy.side.upper()} hip"


def _show_assessment(assessed: Assessed) -> None:
    """The anatomy with its doubt, the lesion with its grades and theirs, and what such grades have meant elsewhere."""
    from guidegen.lesion.meaning import SUPPORT
    from guidegen.show.assessment_table import anatomy_rows, grade_rows, measure_rows

    for heads, rows in (
        (("anatomy", "", "± (95 %)"), anatomy_rows(assessed.anatomy)),
        (("lesion", "", "range"), measure_rows(assessed.lesion, assessed.grades)),
        (("class", "", "possible"), grade_rows(assessed.grades)),
    ):
        _show_table(heads, rows, _title(assessed) if heads[0] == "anatomy" else None)
    out.print(SUPPORT)
    for said in dict.fromkeys(assessed.grades.statements):
        hips = "" if said.n is None else f", {said.n} hips"
        out.print(escape(f"  {said.system} {said.grade}: {said.text} ({said.source}{hips})"))


def _show_notes(
    notes: Sequence[str], identities: Sequence[Mapping[str, str | None]], warnings: Sequence[str] = ()
) -> None:
    """What a reader of the numbers must know, those of the notes last that are `warnings`, and which images are old
    today: no result says that, since no result depends on the day it is made.
    """
    from guidegen.intake.agreement import age_warnings

    for note in notes:
        if note not in warnings:
            out.print(f"note: {escape(note)}")
    for warning in warnings:
        out.print(f"[bold red]WARNING:[/] {escape(warning)}")
    for warning in age_warnings(identities, datetime.now(UTC).date()):
        out.print(f"[yellow]warning:[/] {escape(warning)}")


def _show_findings(findings: Sequence[Any]) -> None:
    out.print(finding_table(findings))
    for finding in findings:
        if not finding.passed:
            out.print(f"[red]{escape(finding.name)}[/]: {escape(finding.why)}")


def _look(path: Path) -> Look:
    """What a file holds, found in a process of its own."""
    from guidegen.intake.contained import contained
    from guidegen.intake.look import Look

    return contained(Look, "guidegen.intake.look:look_at", str(path))


def _show_look(look: Look) -> None:
    table = Table(box=None, show_header=False, title=escape(look.file), title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in look.rows():
        table.add_row(name, escape(text))
    out.print(table)
    if look.labels:
        labels = Table("label", "name", "volume", box=None)
        for seen in look.labels:
            volume = "" if seen.volume_mm3 is None else f"{shown(seen.volume_mm3 / 1000.0, 2)} ml"
            labels.add_row("" if seen.value is None else str(seen.value), escape(seen.name or ""), volume)
        out.print(labels)


def _place(point: Any) -> str:
    return ", ".join(shown(value, 1) for value in point)


class _progress:
    """Says which stage is at work: a spinner on a terminal, a plain line each elsewhere."""

    def __init__(self) -> None:
        self._status = err.status("…") if err.is_terminal else None

    def __enter__(self) -> Callable[[str], None]:
        if self._status:
            self._status.start()
        return self._say

    def __exit__(self, *reason: object) -> None:
        if self._status:
            self._status.stop()

    def _say(self, stage: str) -> None:
        if self._status:
            self._status.update(f"{stage} …")
        else:
            err.print(stage)


app.command()(compare)
app.command()(act_commands.submit)
app.command()(act_commands.approve)
app.command()(act_commands.reject)
app.command()(act_commands.void)
app.command()(release_commands.release)
app.command()(release_commands.verify)


def main(arguments: Sequence[str] | None = None) -> None:
    """The program: exits 0 done, 2 input or usage refused, 3 no safe guide, 4 not approved or altered, 130 interrupted,
    1 for a bug.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    try:
        status = app(args=arguments, standalone_mode=False)
    except typer.Exit as leave:
        status = leave.exit_code
    except GuidegenError as error:
        if debug:
            raise
        err.print(f"[red]guidegen:[/] {escape(str(error))}")
        status = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except typer.TyperException as error:
        if error.format_message():
            err.print(f"[red]guidegen:[/] {escape(error.format_message().rstrip('.'))}; see guidegen --help")
        status = error.exit_code
    except Exception as error:  # the last resort: no traceback for a user without --debug
        if debug:
            raise
        what = escape(f"{type(error).__name__}: {error}")
        err.print(f"[red]guidegen:[/] a bug: {what}; run again with --debug and report it")
        status = BUG
    if status == INTERRUPTED:
        err.print("guidegen: interrupted; nothing was changed")
    sys.exit(status or 0)

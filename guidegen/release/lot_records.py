"""What the events of a lot say of files and figures, held against the release."""

from __future__ import annotations

import json
from numbers import Real
from pathlib import Path
from typing import Any

from guidegen.errors import ApprovalError, ResultError, ReviewError
from guidegen.guide.gauges import gauges_of
from guidegen.plan.templates import Printer, load_template
from guidegen.release.inspection import SCHEMA
from guidegen.release.source import told_of_plan
from guidegen.results import sha256
from guidegen.review.events import Measure
from guidegen.review.records import Released
from guidegen.review.reviews import Reviews
from guidegen.review.revision import PLAN_FILE

IDENTITY = ("case_id", "side", "revision", "plan_hash")
HEAD = ("schema", *IDENTITY)


def printed_file(reviews: Reviews, result: Path, file: Path) -> tuple[str, str]:
    """The path in the release and the SHA-256 of the file that was printed; ApprovalError where none was released."""
    try:
        digest = sha256(file.read_bytes())
    except OSError as error:
        raise ResultError(f"expected the file that was printed, found none at {file}; name it") from error
    release = reviews.history_of(result).release
    released = None if release is None else reviews.record_of(release)
    files = released.files if isinstance(released, Released) else {}
    names = sorted((name for name, each in files.items() if each == digest), key=lambda name: name != file.name)
    if not names:
        raise ApprovalError(f"expected a released file, found {file}, which was not released; discard the print")
    return names[0], digest


def read_measures(result: Path, path: Path) -> tuple[Measure, ...]:
    """The figures of a filled-in inspection.json: all that the sheet asks, as it asks them.

    ReviewError where it is another guide's sheet, or lacks or alters a line.
    """
    try:
        plan = json.loads((result / PLAN_FILE).read_bytes())
        form = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ReviewError(f"expected {PLAN_FILE} and a filled-in inspection.json, found: {error}; name them") from error
    with told_of_plan():
        printer, _ = load_template(Printer, plan["printing"]["printer"])
        asked = {each.name: (each.nominal_mm, each.tolerance_mm) for each in gauges_of(plan["guide"], printer)}
        expected = {name: plan.get(name, plan["guide"].get(name)) for name in IDENTITY}
    if not isinstance(form, dict) or {"schema": SCHEMA, **expected} != {name: form.get(name) for name in HEAD}:
        raise ReviewError(f"expected the inspection sheet of {result}, found another one; take that of its release")
    lines = {str(line.get("name")): line for line in form.get("measures", ()) if isinstance(line, dict)}
    if asked != {name: (line.get("nominal_mm"), line.get("tolerance_mm")) for name, line in lines.items()}:
        raise ReviewError("expected every line of the inspection sheet as it was released, found others; mend them")
    measured: dict[str, Any] = {name: line.get("measured_mm") for name, line in lines.items()}
    unfilled = [name for name, length in measured.items() if isinstance(length, bool) or not isinstance(length, Real)]
    if unfilled:
        raise ReviewError(f"expected a length in mm in every line, found none for {', '.join(unfilled)}; measure again")
    return tuple(
        Measure(name=name, nominal_mm=nominal, tolerance_mm=tolerance, measured_mm=measured[name])
        for name, (nominal, tolerance) in asked.items()
    )

"""A revision's folder as the review reads it: where it is, the hash of every file, and what must be answered for."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from guidegen.check.finding import Finding
from guidegen.errors import ApprovalError, ResultError
from guidegen.intake.agreement import age_warnings, oldest_image
from guidegen.results import NAME, RUN_FILE, UNBOUND, sha256
from guidegen.review.fields import Value

PLAN_FILE, FINDINGS_FILE = "plan.json", "findings.json"
GUIDE_FILE, REJECTED_FILE = "guide.stl", "rejected.stl"
CASE = re.compile(r"(?P<case_id>[A-Za-z0-9][A-Za-z0-9._-]*)-(?P<side>left|right)")
SHOWN_DIFFERENCES = 20


class PlannedTunnel(Value):
    """Entry on the cortex and target at the deep end, LPS mm, as in plan.json."""

    entry_mm: tuple[float, float, float]
    target_mm: tuple[float, float, float]


class Prescription(Value):
    """The surgeon's own choices: where each tunnel goes, with which kit, under which footprint."""

    tunnels: tuple[PlannedTunnel, ...]
    kit: str
    size: str


class ProposedWaiver(Value):
    """A rule that the engineer proposes to waive, who proposes it and why."""

    rule: str
    author: str
    reason: str


@dataclass(frozen=True)
class Place:
    """Where a revision is, and what it is called by that."""

    folder: Path
    case_id: str
    side: str
    name: str

    @property
    def case(self) -> str:
        """The case's folder name; its revisions replace each other."""
        return f"{self.case_id}-{self.side}"

    @property
    def subject(self) -> str:
        """The revision's name in the chain."""
        return f"{self.case}/{self.name}"


@dataclass(frozen=True, eq=False)
class Revision:
    """What the files of a revision say. `files` are the SHA-256 of all, by path in the folder; `plan` is plan.json;
    `order` what was ordered for it; `prescription` is None where there is no plan.
    """

    place: Place
    files: Mapping[str, str]
    plan: Mapping[str, Any]
    order: Mapping[str, Any]
    findings: tuple[Finding, ...]
    prescription: Prescription | None
    waivers: tuple[ProposedWaiver, ...]
    recorded_warnings: tuple[str, ...]  # of the plan and of the guide
    identities: tuple[Mapping[str, str | None], ...]

    @property
    def imaged(self) -> date | None:
        """The day of the oldest image, as the files say; None where none of them does."""
        return oldest_image(self.identities)

    @property
    def has_guide(self) -> bool:
        """Whether there is a guide, and not one that failed."""
        return GUIDE_FILE in self.files and REJECTED_FILE not in self.files

    def warnings(self, day: date) -> tuple[str, ...]:
        """Every warning that a surgeon must acknowledge on a day: of plan and guide, and of images old by then."""
        return (*self.recorded_warnings, *age_warnings(self.identities, day))


def place_of(output: Path, folder: Path) -> Place:
    """The place of a result folder; ResultError where it is none inside the folder of the results."""
    real = folder.resolve()
    case = CASE.fullmatch(real.parent.name)
    if real.parent.parent != output.resolve() or case is None or not NAME.fullmatch(real.name):
        raise ResultError(f"expected a result folder {output}/ID-SIDE/r001, found {folder}; name one of these")
    return Place(real, case["case_id"], case["side"], real.name)


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder by its path in it, timings aside; ApprovalError for a link or a device."""
    found: dict[str, str] = {}
    if not folder.is_dir():
        return found
    for name in _names(folder):
        if name != UNBOUND:
            with (folder / name).open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def differences(expected: Mapping[str, str], found: Mapping[str, str], since: str) -> tuple[str, ...]:
    """What differs between two sets of hashes, a sentence for each file."""
    sentences = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            sentences.append(f"{name} is missing {since}")
        elif name not in expected:
            sentences.append(f"{name} was added {since}")
        elif expected[name] != found[name]:
            sentences.append(f"{name} was changed {since}")
    return tuple(sentences)


def read_revision(place: Place) -> Revision:
    """Everything that the review needs of a revision, from files that are those its run recorded.

    ResultError where it is no whole result, ApprovalError where a file was changed since the run.
    """
    files = file_hashes(place.folder)
    outputs, order = _run(place, files)
    changed = differences(
        outputs, {name: digest for name, digest in files.items() if name != RUN_FILE}, "since the run"
    )
    if changed:
        raise ApprovalError(f"{place.subject} is not what its run left", changed)
    return _read(place, files, order)


def skim_revision(place: Place) -> Revision:
    """What the run of a revision recorded, for a list: only its records are looked at. Raises as `read_revision`."""
    try:
        run = {RUN_FILE: sha256((place.folder / RUN_FILE).read_bytes())}
    except OSError as error:
        raise ResultError(f"expected {RUN_FILE} in {place.folder}, found none that can be read ({error})") from error
    outputs, order = _run(place, run)
    return _read(place, run | outputs, order)


def _run(place: Place, files: Mapping[str, str]) -> tuple[dict[str, str], Mapping[str, Any]]:
    """The SHA-256 of every file that the run left, and what was ordered."""
    run = _json(place, RUN_FILE, files)
    try:
        order = run["parameters"]["order"]
        _ = order["size"]
        return {str(name): str(digest) for name, digest in run["outputs_sha256"].items()}, order
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"expected {RUN_FILE} of a guidegen run in {place.folder}, found another file") from error


def _read(place: Place, files: Mapping[str, str], order: Mapping[str, Any]) -> Revision:
    plan, findings = _json(place, PLAN_FILE, files), _json(place, FINDINGS_FILE, files)
    try:
        return _revision(place, files, plan, findings, order)
    except (KeyError, TypeError, AttributeError, ValueError, ValidationError) as error:
        raise ResultError(
            f"expected plan and findings of a guidegen run in {place.folder}, found: {error!r}"
        ) from error


def _revision(place: Place, files: Mapping[str, str], plan: Any, findings: Any, order: Mapping[str, Any]) -> Revision:
    if (plan["case_id"], plan["side"]) != (place.case_id, place.side):
        raise ApprovalError(
            f"expected the plan of {place.case}, found that of {plan['case_id']}-{plan['side']}; put the folders right"
        )
    found = plan["plan"] or {}
    chosen = found.get("chosen")
    return Revision(
        place=place,
        files=files,
        plan=plan,
        order=order,
        findings=tuple(Finding(**finding) for finding in findings),
        prescription=None if chosen is None else _prescription(plan["tunnels"], chosen["kit"], order["size"]),
        waivers=TypeAdapter(tuple[ProposedWaiver, ...]).validate_python(found.get("waivers_proposed", ())),
        recorded_warnings=tuple(
            str(warning) for part in (chosen, plan["guide"]) if part is not None for warning in part["warnings"]
        ),
        identities=tuple(dict(record) for record in plan["inputs"]["identities"]),
    )


def _prescription(tunnels: Sequence[Mapping[str, Any]], kit: str, size: str) -> Prescription:
    planned = [{key: tunnel[key] for key in ("entry_mm", "target_mm")} for tunnel in tunnels]
    return Prescription.model_validate({"tunnels": planned, "kit": kit, "size": size})


def _json(place: Place, name: str, files: Mapping[str, str]) -> Any:
    """A JSON file, read once: the bytes that are hashed are those that are understood."""
    try:
        content = (place.folder / name).read_bytes()
        if sha256(content) != files.get(name):
            raise ApprovalError(f"{name} of {place.subject} changed while it was read; look who writes there")
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"expected {name} in {place.folder}, found none that can be read ({error})") from error


def _names(folder: Path) -> list[str]:
    """The path of every file in a folder; ApprovalError for what is neither a plain file nor a plain folder."""
    found = []
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(parent) / name
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ApprovalError(
                    f"expected files and folders in {folder}, found {path.name}, a link or device; remove it"
                )
            if stat.S_ISREG(mode):
                found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error

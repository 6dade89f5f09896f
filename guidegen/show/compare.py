"""Two revisions of one hip side by side: every figure of plan, checks and parameters in which they differ.

Nothing is computed anew: what is compared are the records that the two runs left, which must be those they left.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from math import dist, hypot
from pathlib import Path
from typing import Any, TypeGuard

from guidegen.check.finding import Finding
from guidegen.errors import IdentityError, ResultError, SideError
from guidegen.frames import angle_deg
from guidegen.results import RUN_FILE, is_whole, sha256

PLAN_FILE, FINDINGS_FILE = "plan.json", "findings.json"
VIEWS = "preview/*.png"  # a result's pictures
OF_THE_RUN = ("parameters", "inputs_sha256", "version")  # what of run.json says how a result came to be

# The unit of a figure is the end of its name, or of the name of what it is part of.
UNITS = {
    "_mm": "mm", "_mm2": "mm²", "_mm3": "mm³", "_ml": "ml", "_deg": "°", "_n": "N", "_nm": "N m", "_mpa": "MPa",
}  # fmt: skip

# What tells the items of a list apart, where it does; else their place does.
NAMES = ("strategy", "name", "rule", "source", "file")

# A row of three numbers whose length is 1 but for the rounding of records is a direction.
ROUNDED = 1e-6

Leaf = bool | float | str | tuple[float, ...] | None


@dataclass(frozen=True)
class Figure:
    """One entry of a record in two revisions, which differs; None where a revision says nothing.

    `name` is its path in `file`. `apart` is how far they differ, in `unit`: second less first of two numbers, the
    distance of two points, the angle in degrees between two unit vectors; None of what has no such measure.
    """

    file: str
    name: str
    unit: str
    first: Leaf
    second: Leaf
    apart: float | None


@dataclass(frozen=True)
class CheckPair:
    """One check in two revisions, which differ in what it measured, its limit or its verdict; None where it was not
    made.
    """

    first: Finding | None
    second: Finding | None

    @property
    def name(self) -> str:
        """The check's own."""
        return self._either.name

    @property
    def unit(self) -> str:
        """The unit of what is measured and of the limit."""
        return self._either.unit

    @property
    def failed(self) -> bool:
        """Whether it did not pass in one of them."""
        return any(each is not None and not each.passed for each in (self.first, self.second))

    @property
    def _either(self) -> Finding:
        found = self.second if self.first is None else self.first
        assert found is not None, "a check was made in one revision or the other"
        return found


@dataclass(frozen=True, eq=False)
class Revision:
    """A result as its run left it: its plan.json, findings and pictures by name, and what run.json says of its making.

    `passed`: there is a guide, and every check on its files passed.
    """

    folder: Path
    plan: Mapping[str, Any]
    findings: tuple[Finding, ...]
    making: Mapping[str, Any]
    views: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """The revision's name, such as r001."""
        return self.folder.name

    @property
    def passed(self) -> bool:
        """Whether there is a guide, and every check on its files passed."""
        return all(finding.passed for finding in self.findings)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two revisions of one hip, and all in which they differ; `looked_at` is how many figures and checks there are in
    either.
    """

    case_id: str
    side: str
    first: Revision
    second: Revision
    figures: tuple[Figure, ...]
    checks: tuple[CheckPair, ...]
    looked_at: int


def compared(first: Path, second: Path) -> Comparison:
    """What differs between two result folders, in the order of their records.

    ResultError for a folder that is none, or was changed since its run; IdentityError for results of two patients,
    SideError for those of two sides.
    """
    one, other = read_revision(first), read_revision(second)
    case_id, side = _of_one_hip(one, other)
    records = (
        (PLAN_FILE, leaves(one.plan), leaves(other.plan)),
        (RUN_FILE, leaves(one.making), leaves(other.making)),
    )
    checks = paired(one.findings, other.findings)
    return Comparison(
        case_id=case_id,
        side=side,
        first=one,
        second=other,
        figures=tuple(figure for file, ours, theirs in records for figure in _differing(file, ours, theirs)),
        checks=tuple(pair for pair in checks if _differs(pair)),
        looked_at=len(checks) + sum(len(_said(ours) | _said(theirs)) for _, ours, theirs in records),
    )


def read_revision(folder: Path) -> Revision:
    """A result folder, none of whose files was changed since its run; ResultError for any other folder."""
    folder = folder.resolve()
    run = _json(folder, RUN_FILE)
    try:
        outputs = dict(run["outputs_sha256"])
        making = {key: run[key] for key in OF_THE_RUN}
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"expected {RUN_FILE} of a guidegen run in {folder}, found another file") from error
    if not is_whole(folder, outputs):
        raise ResultError(
            f"expected the files of {folder} as their run left them, found some changed, missing or added; guidegen "
            "check names them: run the case again"
        )
    views = {name: _bytes(folder, name, outputs) for name in sorted(outputs) if fnmatch(name, VIEWS)}
    plan, findings = (json.loads(_bytes(folder, name, outputs)) for name in (PLAN_FILE, FINDINGS_FILE))
    try:
        _ = plan["case_id"], plan["side"]
        listed = tuple(Finding(**finding) for finding in findings)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"expected plan and findings of a guidegen run in {folder}, found: {error!r}") from error
    return Revision(folder, plan, listed, making, {Path(name).stem: png for name, png in views.items()})


def leaves(record: Any, name: str = "") -> dict[str, Leaf]:
    """Every entry of a record that is a number, a word, a point or another row of numbers, by its path."""
    if isinstance(record, Mapping):
        parts: Iterator[tuple[str, Any]] = (
            (f"{name}.{key}" if name else str(key), part) for key, part in record.items()
        )
    elif isinstance(record, list) and not _is_row(record):
        parts = zip((f"{name}[{each}]" for each in _labels(record)), record, strict=True)
    else:
        return {name: tuple(record) if isinstance(record, list) else record}
    return {path: leaf for part_name, part in parts for path, leaf in leaves(part, part_name).items()}


def unit_of(name: str) -> str:
    """The unit that the path of a figure names; none for shares, counts, words and directions."""
    for part in reversed(name.replace("[", ".").split(".")):
        ending = f"_{part.rpartition('_')[2]}" if "_" in part else ""
        if ending in UNITS:
            return UNITS[ending]
    return ""


def _is_row(items: Sequence[Any]) -> bool:
    return bool(items) and all(_is_number(item) for item in items)


def _labels(items: Sequence[Any]) -> Sequence[str]:
    """What the items of a list are told apart by: a name that each of them has to itself, or their places from 0."""
    for key in NAMES:
        names = [str(item.get(key)) if isinstance(item, Mapping) else "None" for item in items]
        if "None" not in names and len(set(names)) == len(names):
            return names
    return [str(place) for place in range(len(items))]


def _said(record: Mapping[str, Leaf]) -> set[str]:
    return {name for name, leaf in record.items() if leaf is not None}


def _differing(file: str, ours: Mapping[str, Leaf], theirs: Mapping[str, Leaf]) -> Iterator[Figure]:
    for name in dict.fromkeys((*ours, *theirs)):
        first, second = ours.get(name), theirs.get(name)
        if first != second:
            yield Figure(file, name, *_apart(unit_of(name), first, second))


def _apart(unit: str, first: Leaf, second: Leaf) -> tuple[str, Leaf, Leaf, float | None]:
    """The unit of a figure, its two values, and how far they differ."""
    if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
        if _is_direction(first) and _is_direction(second):
            return "°", first, second, angle_deg(first, second)
        return unit, first, second, dist(first, second)
    if _is_number(first) and _is_number(second):
        return unit, first, second, float(second) - float(first)
    words = any(isinstance(each, str | bool) for each in (first, second))
    return "" if words else unit, first, second, None


def _is_number(value: Leaf) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_direction(row: tuple[float, ...]) -> bool:
    return len(row) == 3 and abs(hypot(*row) - 1.0) < ROUNDED


def paired(ours: Sequence[Finding], theirs: Sequence[Finding]) -> list[CheckPair]:
    """The findings of the same check beside each other; those of one name are told apart by their order."""
    first, second = _numbered(ours), _numbered(theirs)
    return [CheckPair(first.get(key), second.get(key)) for key in dict.fromkeys((*first, *second))]


def only_in(pairs: Iterable[CheckPair], side: int) -> list[Finding]:
    """The checks that one of two revisions alone has: the first (0) or the second (1)."""
    both = ((pair.first, pair.second) for pair in pairs)
    return [ours for each in both if (ours := each[side]) is not None and each[1 - side] is None]


def _numbered(findings: Sequence[Finding]) -> dict[tuple[str, int], Finding]:
    seen: Counter[str] = Counter()
    found = {}
    for finding in findings:
        found[finding.name, seen[finding.name]] = finding
        seen[finding.name] += 1
    return found


def _differs(pair: CheckPair) -> bool:
    first, second = pair.first, pair.second
    return (
        first is None
        or second is None
        or (first.measured, first.limit, first.unit, first.passed)
        != (second.measured, second.limit, second.unit, second.passed)
    )


def _of_one_hip(one: Revision, other: Revision) -> tuple[str, str]:
    patients, sides = ([revision.plan[key] for revision in (one, other)] for key in ("case_id", "side"))
    if patients[0] != patients[1]:
        raise IdentityError(
            f"expected two results of one patient, found {patients[0]} in {one.folder} and {patients[1]} in "
            f"{other.folder}; name two revisions of one case"
        )
    if sides[0] != sides[1]:
        raise SideError(
            f"expected two results of one side, found the {sides[0].upper()} hip in {one.folder} and the "
            f"{sides[1].upper()} hip in {other.folder}; name two revisions of one case"
        )
    return patients[0], sides[0]


def _bytes(folder: Path, name: str, outputs: Mapping[str, str]) -> bytes:
    """A file, read once: the bytes that are compared are those that the run recorded."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ResultError(f"expected {name} in {folder}, found none that can be read ({error})") from error
    if sha256(content) != outputs.get(name):
        raise ResultError(f"expected {name} of {folder} as its run recorded it, found another; run the case again")
    return content


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"expected a result folder with its {name}, found none in {folder}") from error

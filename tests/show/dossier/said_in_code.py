"""What the code can say of a hip, collected from its sources: the reasons of the checks, why something was not
measured, the refusals, and the notes and warnings that a run records.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import guidegen

PACKAGE = Path(guidegen.__file__).parent
CHECKS = sorted(path for path in (PACKAGE / "check").glob("*.py") if path.name != "slicer.py")  # said at the terminal
JUDGES = {"at_most", "at_least", "above"}  # make a finding of: name, measured, limit, unit, why, missing
REFUSALS = {"NoSafePlan", "NoSafeGuide", "NoMarkedPlan"}
NOTES = [
    "notes.py", "bone/side.py", "guide/guide.py", "guide/soft_tissue.py", "intake/agreement.py", "intake/inputs.py",
    "intake/metal.py", "lesion/notes.py", "lesion/registration.py", "plan/explain.py", "plan/planning.py",
]  # fmt: skip
SENTENCE = re.compile(r"[A-Z\d].* .*\.", re.DOTALL)
ABSENT = re.compile(r"missing$|MISSING|NO_|NOT_|NONE_")  # what is named so says why there is no measurement
# What stands in a hole that is neither a number nor set in the same module, by the code that fills it.
REASON = "A small seat fits in more than one place."
FILLED = {
    "WHY": REASON, "why": REASON,
    "_besides(ground)": " and 3 mm of the implant and old tunnel",
    "' and '.join(local.keep_out.names)": "old tunnel and implant and area to avoid",
    "found": "none of 12 candidates that does; the nearest breaks", "breaks":
    "wall_min_mm is 4.5 mm, limit 5, short by 0.5; entry_off_middle_max is 0.9 half widths, limit 0.8, short by 0.1",
    "narrowest.first": "chuck 1", "narrowest.second": "the collar of sleeve 2", "what": "wire 2",
    "version_missing": "the version of the neck is measured against both condyles of the knee, which this bone does "
    "not show",
    "WORDS[plan.strategy]": "as ordered", "widest.dominant": "seat turn", "budget.dominant": "print",
    "widest.seat": "the built guide's own", "earlier": "0.5", "every[0].says": "left",
    "grades.arcs.kerboul_deg.reason": "no part of the lesion lies under the dome of the head",
    "stage.value": "up to 2 mm (IIIA)", "' and '.join([*none, *other])": "none and more than 2 mm (IIIB)",
    "', '.join(_overruled(assessed))": "head_center_mm by 3.1 mm, neck_axis by 2.0 °, the registration, avoid need not "
    "be kept away from, old_tunnel need not be kept away from",
    "broken.rule": "wall_min_mm", "asked.rule": "obliquity_max_deg", "broken.unit": "mm", "plan.strategy": "coverage",
    "others": "coverage (core-8) reaches 7.9% with 5.1 mm of wall, multiple (multiple-3.2) reaches 4.1% with 5 mm of "
    "wall", "'; '.join((_short(each) for each in alternatives))": "coverage (core-8) reaches 7.9% with 5.1 mm of wall; "
    "centroid (core-8) reaches 7.6% with 5 mm of wall; multiple (multiple-3.2) reaches 4.1% with 5 mm of wall",
    "self.missing": "no image of the bone was given", "UNSEEN": "the CT ends before it, or shows no air beyond it",
}  # fmt: skip
PERCENT = {"most", "before", "reached"}
DEEP = 2  # names that are set by other names are followed so far


def said_by(node: ast.expr, tree: ast.Module, depth: int = 0) -> Iterator[str]:
    """The texts that an expression of a module can be, their holes filled."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [
            [str(part.value)] if isinstance(part, ast.Constant) else filling(part, tree, depth) for part in node.values
        ]
        yield from map("".join, product(*parts))
    elif isinstance(node, ast.IfExp):
        yield from said_by(node.body, tree, depth)
        yield from said_by(node.orelse, tree, depth)


def filling(hole: ast.expr, tree: ast.Module, depth: int) -> list[str]:
    """What may stand in a hole: what the module sets the name to, what is set by hand above, or a number."""
    assert isinstance(hole, ast.FormattedValue)
    code = ast.unparse(hole.value)
    number = "7%" if "percent" in code or code in PERCENT else "7"
    return sorted(assigned(tree, {code}, depth + 1) if depth < DEEP else ()) or [FILLED.get(code, number)]


def assigned(tree: ast.Module, names: Iterable[str], depth: int = 0) -> set[str]:
    """All texts that names are set to anywhere in a module."""
    return {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target, value in zip(each_of(node.targets[0]), each_of(node.value), strict=False)
        if isinstance(target, ast.Name) and target.id in names
        for text in said_by(value, tree, depth)
    }


def each_of(node: ast.expr) -> list[ast.expr]:
    """The parts of a tuple, or the one that is none."""
    return node.elts if isinstance(node, ast.Tuple) else [node]


def trees(paths: Iterable[Path]) -> Iterator[ast.Module]:
    return (ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def calls(tree: ast.Module, names: Iterable[str]) -> Iterator[ast.Call]:
    """Every call of functions of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def given(tree: ast.Module, name: str, place: int) -> Iterator[ast.expr]:
    """What is passed as an argument: by its name to anything, by its place where a finding is made."""
    for node in ast.walk(tree):
        yield from (each.value for each in (node.keywords if isinstance(node, ast.Call) else ()) if each.arg == name)
    for call in calls(tree, JUDGES):
        yield from call.args[place : place + 1]


def reasons() -> list[str]:
    """Every `why` of a check: what is named WHY or so in its module, and what is passed as it stands."""
    found: set[str] = set()
    for tree in trees(CHECKS):
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.startswith("WHY")}
        found |= assigned(tree, named | {"why"})
        found |= {text for node in given(tree, "why", 4) for text in said_by(node, tree)}
    return sorted(found)


def missing() -> list[str]:
    """Every reason that there is no measurement."""
    found: set[str] = set()
    for tree in trees(CHECKS):
        passed = list(given(tree, "missing", 5))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and ABSENT.match(node.id)}
        found |= assigned(tree, named | {node.id for node in passed if isinstance(node, ast.Name)})
        passed += [each for call in calls(tree, {"UnreadableError"}) for each in call.args]
        found |= {text for node in passed for text in said_by(node, tree)}
    return sorted(found - {""})


def refusals() -> list[str]:
    """Every refusal of a plan or a guide."""
    return sorted(
        {
            text
            for tree in trees(PACKAGE.rglob("*.py"))
            for call in calls(tree, REFUSALS)
            for text in said_by(call.args[0], tree)
        }
    )


def notes() -> list[str]:
    """Every sentence of the modules that write notes, warnings and explanations."""
    found: set[str] = set()
    for tree in trees(PACKAGE / name for name in NOTES):
        formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        inner = {id(part) for node in formatted for part in ast.walk(node) if part is not node}
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found |= {
            text
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in inner | documented
            for text in said_by(node, tree)
            if SENTENCE.fullmatch(text)
        }
    return sorted(found)

"""docs/hazards.md names a control for every hazard, and for every control tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (`.+`) \|$", PAGE, re.MULTILINE)
HAZARDS = {
    "wrong side", "mirrored image", "wrong patient", "wrong units", "stale file", "wrong depth", "wrong seat",
    "cut bone or short scan", "wrong kit", "image of an old date", "file altered after approval", "self-approval",
    "wrong printer, material or sterilisation", "weak wall", "drill or wire in vessels or what is kept out",
    "guide pushed off", "misread label", "released unapproved", "bad print", "reused guide", "database loss",
    "software fault",
}  # fmt: skip


@cache
def found_in(file: Path) -> set[str]:
    """Every test of a file by its id in it: test_name, or Class::test_name."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.Assign):  # a state machine of hypothesis is a test by its name
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in found if name.rpartition("::")[2].lower().startswith("test")}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_hazard_is_there_and_no_row_is_lost() -> None:
    assert {hazard for hazard, _, _, _ in ROWS} == HAZARDS
    assert len(ROWS) == sum(line.startswith("| ") for line in PAGE.splitlines()) - 1  # but for the head


@pytest.mark.parametrize(("hazard", "cause", "control", "tests"), ROWS, ids=[f"{row[0]}: {row[1]}" for row in ROWS])
def test_every_named_test_is_there(hazard: str, cause: str, control: str, tests: str) -> None:
    assert all((hazard, cause, control))
    assert re.sub(r"`[^`]+`", "", tests).replace("<br>", "").strip() == ""
    for name in named(tests):
        file, _, test = name.partition("::")
        assert (ROOT / file).is_file(), name
        assert test in found_in(ROOT / file), name


def test_a_test_that_is_not_there_is_missed() -> None:
    here = found_in(Path(__file__))
    assert "test_every_named_test_is_there" in here
    assert "test_that_nobody_wrote" not in here
    assert "found_in" not in found_in(ROOT / "tests" / "bone" / "test_anatomy.py")
    assert "TestSide::test_a_mirrored_file_is_refused" in found_in(ROOT / "tests" / "bone" / "test_anatomy.py")

"""Numbers as they are recorded and as they are read: the same halves everywhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import guidegen
from guidegen.rounded import number, shown, shown_beside, shown_percent, significant


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (140.25, 1, "140.3"), (140.25 - 1e-12, 1, "140.3"), (140.35, 1, "140.4"), (-140.25, 1, "-140.3"),
        (140.2499, 1, "140.2"), (2.5, 0, "3"), (1e-7, 2, "0.00"), (-1e-4, 2, "0.00"), (100.0, 0, "100"),
        (217057.9, 0, "217058"),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero_in_whatever_place_a_number_is_read(value: float, decimals: int, text: str) -> None:
    assert shown(value, decimals) == text
    assert shown(number(value), decimals) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (128.25, 4, "128.3"), (0.00082, 4, "0.00082"), (4.24e-05, 2, "4.2e-05"), (-128.25, 4, "-128.3"), (-0.0, 3, "0"),
        (2646.58275, 4, "2647"), (1.0, 6, "1"), (1.00005, 5, "1.0001"),
    ],
)  # fmt: skip
def test_halves_go_away_from_zero_whatever_the_size_of_a_number(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


@pytest.mark.parametrize(
    ("value", "limit", "decimals", "text"),
    [
        (2.96, 3.0, 1, "2.96"), (2.94, 3.0, 1, "2.9"), (3.04, 3.0, 1, "3.04"), (3.000004, 3.0, 1, "3.000004"),
        (3.0, 3.0, 1, "3.0"), (0.04, 0.0, 1, "0.04"), (399.6, 400.0, 0, "399.6"), (2.24, 2.25, 1, "2.2"),
        (2.26, 2.25, 1, "2.26"), (-0.01, 0.0, 1, "-0.01"),
    ],
)  # fmt: skip
def test_what_misses_a_limit_does_not_read_as_the_limit(value: float, limit: float, decimals: int, text: str) -> None:
    assert shown_beside(value, limit, decimals) == text


def test_a_share_is_rounded_in_percent() -> None:
    assert [shown_percent(0.28725, 2), shown_percent(0.125, 0), shown_percent(1.0, 1)] == ["28.73%", "13%", "100.0%"]


# What is read by people: here no number is written by Python's own rounding, which takes 128.25 for 128.2.
READ = ("cli.py", "notes.py", "show/**/*.py", "review/**/*.py", "release/*.py", "plan/*.py", "guide/*.py", "seat/*.py",
        "lesion/notes.py", "lesion/image_registration.py", "intake/look.py", "intake/metal.py")  # fmt: skip
PACKAGE = Path(guidegen.__file__).parent
OWN = re.compile(r"\.\d*[efg%]$")


def own_roundings(source: str) -> list[str]:
    """Every number that is written by a format of Python's own with so many decimals or digits, or by `%`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            spec = "".join(part.value for part in node.format_spec.values if isinstance(part, ast.Constant))
            found += [f"line {node.lineno}: {spec}"] if OWN.search(spec) else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [
                f"line {node.lineno}: {each}" for each in re.findall(r"\{\w*:\.\d+[efg%]\}|%\.\d+[efg]", node.value)
            ]
    return found


def test_the_scan_finds_every_way_to_round_past_it() -> None:
    found = own_roundings("f'{a:.1f}'; '{:.0%}'.format(a); '%.2f' % a; f'{a:g}'; f'{shown(a, 1):>8}'")
    assert set(found) == {"line 1: .1f", "line 1: {:.0%}", "line 1: %.2f"}


@pytest.mark.parametrize("pattern", READ)
def test_nothing_that_is_read_rounds_by_itself(pattern: str) -> None:
    paths = sorted(PACKAGE.glob(pattern))
    assert paths
    assert {path.name: found for path in paths if (found := own_roundings(path.read_text(encoding="utf-8")))} == {}


def test_no_page_rounds_by_itself() -> None:
    for path in sorted((PACKAGE / "review" / "web" / "templates").glob("*.html")):
        assert not re.findall(r"%\.\d|\| *round\b", path.read_text(encoding="utf-8")), path.name

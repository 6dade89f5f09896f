"""Findings: which side of a limit passes, and that nothing unmeasured or endless gets through."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest

from guidegen.check.finding import Finding, above, at_least, at_most, texts


@pytest.mark.parametrize(
    ("judge", "measured", "passed"),
    [(at_most, 1.0, True), (at_most, 1.1, False), (at_least, 1.0, True), (at_least, 0.9, False), (above, 1.0, False)],
)
def test_each_comparison_knows_its_side(judge, measured, passed) -> None:
    assert judge("size", measured, 1.0, "mm", "Why.").passed is passed


@pytest.mark.parametrize(
    ("judge", "bound", "sign"), [(at_most, "at_most", "≤"), (at_least, "at_least", "≥"), (above, "above", ">")]
)
def test_a_finding_says_on_which_side_of_its_limit_it_must_lie(judge, bound, sign) -> None:
    finding = judge("size", 2.0, 1.0, "mm", "Why.")
    assert finding.bound == bound
    assert texts(finding) == ("2.00", f"{sign} 1.00")
    assert Finding(**asdict(finding)) == finding


def test_a_finding_of_a_run_that_did_not_record_the_side_is_still_one() -> None:
    old = {"name": "size", "measured": 2.0, "limit": 1.0, "unit": "mm", "passed": True, "why": "Why."}
    assert texts(Finding(**old)) == ("2.00", "1.00")
    with pytest.raises(ValueError, match="expected a bound of at_least, at_most, above in 'size', found 'most'"):
        Finding(**old, bound="most")


@pytest.mark.parametrize(
    ("unit", "measured", "limit", "read"),
    [
        ("mm", 5.029688, 5.0, ("5.03", "≥ 5.00")), ("mm", 2.9996, 3.0, ("2.9996", "≥ 3.0000")),
        ("mm", 128.25, 128.15, ("128.3", "≥ 128.2")), ("mm²", 2881.8, 300.0, ("2882", "≥ 300")),
        ("mm", 34.6, 34.599999999999994, ("34.6", "≥ 34.6")), ("mm", 0.0, 0.0, ("0.00", "≥ 0.00")),
        ("", 1.0, 1.0, ("1", "≥ 1")), ("", 0.0, 12.0, ("0", "≥ 12")), ("", 1.0, 0.75, ("1.00", "≥ 0.75")),
        ("", None, 1.0, ("none", "≥ 1")), ("mm", None, 0.3, ("none", "≥ 0.30")),
        ("mm", -0.125, 0.0, ("-0.13", "≥ 0.00")),
    ],
)  # fmt: skip
def test_measured_and_limit_are_read_with_the_decimals_that_tell_them_apart(unit, measured, limit, read) -> None:
    assert texts(at_least("size", measured, limit, unit, "Why.")) == read


@pytest.mark.parametrize(
    ("unit", "measured", "limit", "near"),
    [
        ("mm", 5.03, 5.0, True), ("mm", 5.25, 5.0, False), ("mm", 4.99, 5.0, False), ("mm", 0.0, 0.0, False),
        ("", 1.0, 1.0, False), ("", 0.76, 0.75, True), ("mm", None, 5.0, False),
    ],
)  # fmt: skip
def test_what_passes_by_little_is_near(unit, measured, limit, near) -> None:
    assert at_least("size", measured, limit, unit, "Why.").is_near is near


@pytest.mark.parametrize("judge", [at_most, at_least, above])
def test_what_was_not_measured_fails_and_says_why(judge) -> None:
    finding = judge("size", None, 1.0, "mm", "It matters.", missing="no wall was found")
    why = "Not measured: no wall was found. It matters."
    assert finding == Finding("size", None, 1.0, "mm", False, why, finding.bound)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(number) -> None:
    with pytest.raises(ValueError, match="expected finite numbers in 'size'"):
        at_most("size", number, 1.0, "mm", "Why.")
    with pytest.raises(ValueError, match="expected finite numbers in 'size'"):
        at_most("size", 1.0, number, "mm", "Why.")


def test_nothing_passes_unmeasured() -> None:
    with pytest.raises(ValueError, match="expected 'size' to fail without a measurement"):
        Finding("size", None, 1.0, "mm", True, "Why.")

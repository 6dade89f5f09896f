"""Findings: which side of a limit passes, and that nothing unmeasured or endless gets through."""

from __future__ import annotations

import math

import pytest

from guidegen.check.finding import Finding, above, at_least, at_most


@pytest.mark.parametrize(
    ("judge", "measured", "passed"),
    [(at_most, 1.0, True), (at_most, 1.1, False), (at_least, 1.0, True), (at_least, 0.9, False), (above, 1.0, False)],
)
def test_each_comparison_knows_its_side(judge, measured, passed) -> None:
    assert judge("size", measured, 1.0, "mm", "Why.").passed is passed


@pytest.mark.parametrize("judge", [at_most, at_least, above])
def test_what_was_not_measured_fails_and_says_why(judge) -> None:
    finding = judge("size", None, 1.0, "mm", "It matters.", missing="no wall was found")
    assert finding == Finding("size", None, 1.0, "mm", False, "Not measured: no wall was found. It matters.")


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(number) -> None:
    with pytest.raises(ValueError, match="expected finite numbers in 'size'"):
        at_most("size", number, 1.0, "mm", "Why.")
    with pytest.raises(ValueError, match="expected finite numbers in 'size'"):
        at_most("size", 1.0, number, "mm", "Why.")


def test_nothing_passes_unmeasured() -> None:
    with pytest.raises(ValueError, match="expected 'size' to fail without a measurement"):
        Finding("size", None, 1.0, "mm", True, "Why.")

"""The drawn errors of a surface: as large, as wide and as often the same as they say."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.seat.surface_error import ERROR_MM, SMOOTHED_MM, error_fields

APART_MM = np.array([0.0, 1.5, 3.0, 4.5, 6.0, 9.0, 15.0])
FIELDS = error_fields(np.c_[APART_MM, np.zeros((7, 2))] + [40.0, -20.0, 7.0], 8000)


def test_every_point_errs_by_the_standard_deviation_asked_for() -> None:
    assert FIELDS.mean(axis=0) == pytest.approx(0.0, abs=0.012)
    assert FIELDS.std(axis=0) == pytest.approx(ERROR_MM, rel=0.03)
    assert error_fields(np.zeros((1, 3)), 4000, 0.1).std() == pytest.approx(0.1, rel=0.04)


def test_points_err_alike_as_far_as_the_field_is_smoothed() -> None:
    expected = np.exp(-(APART_MM**2) / (4.0 * SMOOTHED_MM**2))
    assert np.corrcoef(FIELDS.T)[0] == pytest.approx(expected, abs=0.035)


def test_errors_are_normal() -> None:
    share = np.mean(np.abs(FIELDS) < ERROR_MM), np.mean(np.abs(FIELDS) < 1.96 * ERROR_MM)
    assert share == pytest.approx((0.6827, 0.95), abs=0.01)


def test_the_same_points_err_the_same() -> None:
    points = np.random.default_rng(1).uniform(-50.0, 50.0, (20, 3))
    assert np.array_equal(error_fields(points, 3), error_fields(points, 3))
    assert error_fields(points, 3)[1] == pytest.approx(error_fields(points[::-1], 2)[1, ::-1], abs=1e-5)

"""Non-negative sums and the motion that contacts leave, against another solver and against what defines them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from guidegen.check.unilateral import allowed_motion, non_negative_sum


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 300))
def test_the_nearest_non_negative_sum_is_the_one_that_another_solver_finds(seed, size, count) -> None:
    rng = np.random.default_rng(seed)
    parts, wanted = rng.normal(size=(size, count)), rng.normal(size=size)
    shares, missing = non_negative_sum(parts, wanted)
    assert (shares >= 0.0).all()
    assert missing == pytest.approx(wanted - parts @ shares, abs=1e-9)
    assert np.linalg.norm(missing) == pytest.approx(nnls(parts, wanted)[1], abs=1e-8)


def test_equal_and_nearly_equal_parts_do_no_harm() -> None:
    part = np.array([1.0, 2.0, -1.0])
    parts = np.stack([part, part, part * (1.0 + 1e-12), part + 1e-11], axis=1)
    shares, missing = non_negative_sum(parts, 3.0 * part)
    assert shares.sum() == pytest.approx(3.0)
    assert missing == pytest.approx(np.zeros(3), abs=1e-8)


def test_what_only_pushes_cannot_pull() -> None:
    shares, missing = non_negative_sum(np.array([[1.0], [0.0]]), np.array([-2.0, 1.0]))
    assert shares.tolist() == [0.0]
    assert missing.tolist() == [-2.0, 1.0]


@given(st.integers(0, 10_000), st.integers(1, 200))
def test_an_allowed_motion_is_the_nearest_that_the_contacts_leave(seed, count) -> None:
    """It is allowed, and the way to it from the wish is a non-negative sum of the contacts that stop it."""
    rng = np.random.default_rng(seed)
    rows, wish = rng.normal(size=(count, 6)), rng.normal(size=6)
    least = -rng.uniform(0.0, 0.5, size=count)  # the guide is nowhere in the bone, so standing still is allowed
    motion, possible = allowed_motion(rows, least, wish)
    assert possible
    spare = rows @ motion - least
    assert spare.min() > -1e-8
    stopping = rows[spare < 1e-7]
    pushed = motion - wish
    left = nnls(stopping.T, pushed)[1] if len(stopping) else np.linalg.norm(pushed)
    assert left == pytest.approx(0.0, abs=1e-7)


def test_a_wish_that_nothing_stops_is_granted() -> None:
    motion, possible = allowed_motion(np.eye(6), np.full(6, -1.0), np.full(6, 0.25))
    assert possible
    assert motion == pytest.approx(np.full(6, 0.25))


def test_a_guide_in_the_bone_is_pushed_out() -> None:
    rows = np.zeros((1, 6))
    rows[0, 2] = 1.0
    motion, possible = allowed_motion(rows, np.array([0.5]), np.array([0.1, 0.0, -1.0, 0.0, 0.0, 0.0]))
    assert possible
    assert motion == pytest.approx([0.1, 0.0, 0.5, 0.0, 0.0, 0.0])


def test_contacts_that_contradict_each_other_leave_no_motion() -> None:
    rows = np.zeros((2, 6))
    rows[:, 0] = [1.0, -1.0]
    assert not allowed_motion(rows, np.array([1.0, 1.0]), np.array([0.0, 0.0, -1.0, 0.0, 0.0, 0.0]))[1]

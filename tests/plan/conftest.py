"""The made-up hip that most tests of the planner share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from plan_case import Case, case_of


@pytest.fixture(scope="session")
def make_case() -> Iterator[Callable[..., Case]]:
    """A case by side and changes to make_hip; each is made once."""
    made = cache(case_of)
    yield made
    made.cache_clear()


@pytest.fixture(scope="session")
def case(make_case) -> Case:
    return make_case("right")

"""The made-up hip that most tests of the planner share, and templates of a hospital's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from plan_case import Case, case_of, planned_for, task_of
from pydantic import BaseModel

from guidegen.plan.planning import Plan
from guidegen.plan.templates import FOLDERS, load_template


@pytest.fixture(scope="session")
def make_case() -> Iterator[Callable[..., Case]]:
    """A case by side and changes to make_hip; each is made once."""
    made = cache(case_of)
    yield made
    made.cache_clear()


@pytest.fixture(scope="session")
def case(make_case) -> Case:
    return make_case("right")


@pytest.fixture(scope="session")
def small(case) -> Case:
    """Few entries and a small lesion: a plan of it takes a second or two."""
    little = case.with_lesion(case.lesion.centroid_mm, 7.0)
    return replace(little, rules=replace(case.rules, entry_off_middle_max=0.3))


@pytest.fixture(scope="session")
def plan(small) -> Plan:
    """The plan of it, as it is before there is a guide."""
    return planned_for(task_of(small))


@pytest.fixture
def load_own(tmp_path, monkeypatch) -> Callable[[type[BaseModel], str], Any]:
    """Loads the text of a template as a hospital's own file `ours.toml`."""
    monkeypatch.setattr("guidegen.plan.templates.resources.files", lambda _package: tmp_path)

    def load(kind: type[BaseModel], text: str) -> Any:
        (tmp_path / FOLDERS[kind]).mkdir(exist_ok=True)
        (tmp_path / FOLDERS[kind] / "ours.toml").write_text(text, encoding="utf-8")
        return load_template(kind, "ours")[0]

    return load

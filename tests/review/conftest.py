"""A world of people and results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_cases import World, WorldMaker, copy_database, open_world, populated, quick

__all__ = ["populated"]  # a fixture of all tests here


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture
def make_world(tmp_path: Path, populated: Path) -> Iterator[WorldMaker]:
    """Makes worlds in folders of their own, and closes them."""
    made: list[World] = []

    def make(name: str = "output", **changes: object) -> World:
        copy_database(populated, tmp_path / name)
        made.append(open_world(tmp_path / name, **changes))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for world in made:
        world.reviews.close()


@pytest.fixture
def world(make_world: WorldMaker) -> World:
    return make_world()

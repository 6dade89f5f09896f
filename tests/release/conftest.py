"""A world of people and results, and a release made once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "review"))

from release_cases import Done, released
from review_cases import World, copy_database, open_world, populated, quick

__all__ = ["populated"]  # a fixture of all tests here


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    with quick():
        yield


@pytest.fixture
def world(tmp_path: Path, populated: Path) -> Iterator[World]:
    copy_database(populated, tmp_path / "output")
    made = open_world(tmp_path / "output")
    yield made
    made.reviews.close()


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory, populated: Path) -> Iterator[Done]:
    """A release; nothing in it may be changed."""
    folder = tmp_path_factory.mktemp("done")
    copy_database(populated, folder / "output")
    with quick():
        made = open_world(folder / "output")
        release = released(made, folder / "out")
    yield release
    made.reviews.close()


@pytest.fixture
def copied(done: Done, tmp_path: Path) -> Path:
    """A copy of the release, to be changed."""
    return Path(shutil.copytree(done.folder, tmp_path / "copied"))

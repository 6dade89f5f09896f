"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from finished import Finished, finished, hopeless_case
from hypothesis import settings

SHARED = Path(__file__).resolve().parents[2] / "shared"

# The same examples on every run and every machine; a test that wants more says so.
settings.register_profile("guidegen", derandomize=True, database=None, deadline=None, max_examples=25)
settings.load_profile("guidegen")

LONGEST = "test_story_in_browser.py"  # minutes: begun last, it would leave the other core with nothing to do


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first, all others in their order."""
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of private test data beside the checkout; tests that use it are marked `shared`."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the private test data, which are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A made-up left hip and its whole run, which every test that needs a result shares."""
    return finished(tmp_path_factory)


@pytest.fixture(scope="session")
def hopeless(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The same hip with an order that no tunnel can keep."""
    return hopeless_case(tmp_path_factory)

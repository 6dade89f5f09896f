"""A few draws of benchmarks/random_guides.py, which makes hundreds: some that a check once rejected."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def draws() -> Iterator[ModuleType]:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "random_guides.py"
    spec = importlib.util.spec_from_file_location("benchmark_random_guides", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (36, "z027R M coverage core-9 sls-pa12"),  # the notch was sought where its rim is lifted off the bone
        (60, "z001L S coverage core-9 sls-pa12"),  # an arrow alone did not read as printed
    ],
)
def test_a_drawn_guide_passes_every_check(
    draws: ModuleType, shared: Path, tmp_path_factory: pytest.TempPathFactory, number: int, what: str
) -> None:
    folders = sorted((shared / "data" / "femora").iterdir())
    outcome = draws.tried(folders, tmp_path_factory.getbasetemp() / "drawn", number)
    assert outcome.what == what
    assert (outcome.kind, outcome.why) == ("passed", "")

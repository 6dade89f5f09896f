"""Damaged files of every kind: read, or refused by one of our own errors, and soon. `make soak` tries many more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fuzz import Hang, Target, damaged, fuzz, targets

from guidegen.errors import VolumeError

COUNT = 100
READERS = 22


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> list[Target]:
    return targets(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("number", range(READERS))
@pytest.mark.filterwarnings("ignore")
def test_damage_is_read_or_refused(number: int, readers: list[Target]) -> None:
    assert len(readers) == READERS
    target = readers[number]
    target.read(target.folder)
    tally = fuzz(target, range(COUNT))
    assert (tally.untyped, tally.hangs) == ([], []), target.name
    assert tally.tried == tally.refused + tally.read == COUNT
    assert tally.refused >= COUNT // 4, target.name


def test_the_same_seed_is_the_same_damage() -> None:
    whole = b"header: 1 2 3\n\n" + bytes(range(256))
    made = [damaged(whole, whole[::-1], np.random.default_rng(seed)) for seed in range(50)]
    assert made == [damaged(whole, whole[::-1], np.random.default_rng(seed)) for seed in range(50)]
    assert len(set(made)) > 40


def test_what_would_be_found(tmp_path: Path) -> None:
    """A reader that hangs, breaks down or refuses is told apart."""

    def hang(_folder: Path) -> None:
        while True:
            pass

    def break_down(_folder: Path) -> None:
        raise KeyError("x")

    def refuse(_folder: Path) -> None:
        raise VolumeError("x")

    (tmp_path / "x").write_bytes(b"whole")
    hung, broken, refused = (
        fuzz(Target("x", tmp_path, "x", read), range(2), 0.05) for read in (hang, break_down, refuse)
    )
    assert (hung.hangs, hung.refused) == ([0, 1], 0)
    assert broken.untyped == [(0, "KeyError: 'x'"), (1, "KeyError: 'x'")]
    assert (refused.refused, refused.untyped) == (2, [])
    assert (tmp_path / "x").read_bytes() == b"whole"
    assert not issubclass(Hang, Exception)

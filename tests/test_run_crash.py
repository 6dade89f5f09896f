"""Runs that are killed or meet a failing disk while they write: the old state or the new, and the next run finishes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from failing_disk import Failing, failing_with, kill, operations
from run_crash import Scene, begin, made

from guidegen.errors import OutputError

FEW = made(2, 1, "guide.stl", "findings.json", "preview/guide.png")
FEWEST = 25  # operations on the disk: two stages, three files, record, timings, and what makes them durable


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return begin(tmp_path, FEW)


def test_a_run_killed_before_any_operation_leaves_it_whole_or_not_at_all(scene: Scene) -> None:
    """The long run, at any moment, is benchmarks/kill_run.py."""
    left: list[str] = []
    while scene.killed(lambda: operations(Failing(len(left), kill), pytest.MonkeyPatch())):
        left.append(scene.left())
        scene.begin_again()
    assert left == ["nothing"] * (len(left) - 1) + ["a whole revision"]  # before its name was on the disk
    assert len(left) > FEWEST
    assert scene.left() == "a whole revision"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_moment_leaves_the_old_state(scene: Scene, number: int) -> None:
    for failed in range(10 * FEWEST):
        failing = Failing(failed, failing_with(number))
        with pytest.MonkeyPatch.context() as patch:
            try:
                scene.run(lambda failing=failing, patch=patch: operations(failing, patch))  # type: ignore[misc]
            except OutputError as error:
                said = str(error)
            else:
                break
        assert "expected a place that can be written, found" in said
        assert f"{os.strerror(number)}; nothing was kept" in said
        assert {path.name for path in scene.folder.iterdir()} == {".lock", "r001"}
        assert scene.left() == "nothing"
        scene.begin_again()
    assert not failing.has_happened
    assert failed > FEWEST
    assert scene.left() == "a whole revision"

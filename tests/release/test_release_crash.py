"""Killed processes, full disks and failing ones: the folder is whole or not there, and the next run works."""

from __future__ import annotations

import errno
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from release_cases import approved
from review_cases import World, copy_database, open_world

from guidegen import results
from guidegen.errors import OutputError
from guidegen.release import release as releasing
from guidegen.release import whole_folder as writing
from guidegen.release.contents import Contents, release_contents
from guidegen.release.release import release_to
from guidegen.release.verify import verify_folder
from guidegen.review.states import State

FEW = ("guide.stl", "approval.json", "metal/metal.json")  # of the files, where each writing of each fails in turn
KILLS = 20
LONGEST_S = 0.12  # of a release whose contents are made already, on an idle machine; a busy one is killed earlier in it


@pytest.fixture
def ready(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An approved result whose contents are made already, and few."""
    folder = approved(world)
    contents = release_contents(world.reviews.approval_of(folder))
    few = Contents({name: contents.files[name] for name in FEW}, contents.print_job)
    monkeypatch.setattr(releasing, "release_contents", lambda _: few)
    return folder


def pem(world: World) -> str:
    return world.reviews.people.find("ann").key.public_pem


def killed(world_folder: Path, result: Path, out: Path, after_s: float) -> None:
    """Release in a process of its own, and kill it after a while."""
    worker = os.fork()
    if worker == 0:
        try:
            own = open_world(world_folder)
            own.clock.forward(minutes=10)
            release_to(own.reviews, result, own.who("ann"), out)
        finally:
            os._exit(0)
    time.sleep(after_s)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)


def test_a_killed_release_leaves_it_whole_or_not_at_all(
    tmp_path: Path, populated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, out = tmp_path / "output", tmp_path / "out"
    copy_database(populated, output)
    first = open_world(output)
    result = approved(first)
    contents: Contents = release_contents(first.reviews.approval_of(result))
    monkeypatch.setattr(releasing, "release_contents", lambda _: contents)
    key = pem(first)
    first.reviews.close()
    draw, found = random.Random(3), {"nothing": 0, "whole": 0}
    for _ in range(KILLS):
        killed(output, result, out, draw.uniform(0.0, LONGEST_S))
        found["whole" if out.exists() else "nothing"] += 1
        if out.exists():
            verify_folder(out, [key])
        after = open_world(output)
        after.clock.forward(minutes=20)
        after.reviews.verify()
        done = release_to(after.reviews, result, after.who("ann"), out)
        assert after.reviews.state_of(result) is State.RELEASED
        assert after.reviews.record_of(done.entry).manifest_sha256 == done.files["manifest.json"]  # type: ignore[union-attr]
        after.reviews.close()
        verify_folder(out, [key])
        assert {path.name for path in tmp_path.iterdir()} == {"output", "out"}  # remains are swept
        out.rename(tmp_path.parent / f"{tmp_path.name}-{sum(found.values())}")
    assert found["nothing"] > 0


class Failing:
    """The operations of a release on the disk, of which the one numbered `at` fails."""

    def __init__(self, number: int, at: int) -> None:
        self.error, self.left = number, at

    def __call__(self, real: Any) -> Any:
        def operation(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                raise OSError(self.error, os.strerror(self.error))
            return real(*arguments, **named)

        return operation


def operations(failing: Failing, patch: pytest.MonkeyPatch) -> None:
    """Let one of: making a folder, writing a file, syncing and renaming fail."""
    patch.setattr(writing.os, "fsync", failing(os.fsync))
    patch.setattr(results, "_sync", failing(lambda _path: None))
    patch.setattr(Path, "mkdir", failing(Path.mkdir))
    patch.setattr(Path, "rename", failing(Path.rename))
    real_open = Path.open

    def opened(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        stream = real_open(path, mode, *arguments, **named)
        if mode == "xb":
            write = failing(stream.write)
            return _Stream(stream, write)
        return stream

    patch.setattr(Path, "open", opened)


class _Stream:
    """A file whose writing goes through another function."""

    def __init__(self, stream: Any, write: Any) -> None:
        self._stream, self.write = stream, write

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_moment_leaves_nothing(world: World, ready: Path, tmp_path: Path, number: int) -> None:
    out, failed = tmp_path / "out", 0
    while True:
        failing = Failing(number, failed)
        with pytest.MonkeyPatch.context() as patch:
            operations(failing, patch)
            said = refusal(world, ready, out)
        if failing.left >= 0:  # nothing failed any more
            break
        assert said is not None
        assert os.strerror(number) in said
        assert {path.name for path in tmp_path.iterdir()} == {"output"}
        assert world.reviews.state_of(ready) is State.APPROVED
        failed += 1
    assert said is None
    assert failed > 2 * (len(FEW) + 1)  # every file was written and synced
    verify_folder(out, [pem(world)])
    assert world.reviews.state_of(ready) is State.RELEASED


def refusal(world: World, result: Path, out: Path) -> str | None:
    """What a release says when it cannot be written; None where it is."""
    try:
        release_to(world.reviews, result, world.who("ann"), out)
    except OutputError as error:
        return str(error)
    return None

"""Killed processes, full disks and failing ones: the folder is whole or not there, and the next run works."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from failing_disk import Failing, failing_with, kill, operations
from release_cases import approved
from review_cases import World, open_world

from guidegen import results
from guidegen.errors import OutputError
from guidegen.release import release as releasing
from guidegen.release.contents import Contents, release_contents
from guidegen.release.release import release_to
from guidegen.release.verify import verify_folder
from guidegen.review.states import State

FEW = ("guide.stl", "approval.json", "metal/metal.json")  # of the files, where each operation fails in turn
FEWEST_KILLS = 20  # one before each operation of such a release, from the first folder to the entry in the chain


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


def killed(output: Path, result: Path, out: Path, at: int) -> bool:
    """Release in a process of its own that is killed before its operation number `at`; whether it was."""
    worker = os.fork()
    if worker == 0:
        try:
            own = open_world(output)
            own.clock.forward(minutes=10 + 2 * at)
            with pytest.MonkeyPatch.context() as patch:
                killing = Failing(at, kill)
                failing_disk(killing, patch)
                patch.setattr(own.reviews, "release", killing(own.reviews.release))
                release_to(own.reviews, result, own.who("ann"), out)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(worker, 0)[1])


def test_a_killed_release_leaves_it_whole_or_not_at_all(world: World, ready: Path, tmp_path: Path) -> None:
    output, out, key = world.output, tmp_path / "out", pem(world)
    world.reviews.close()
    left: list[str] = []
    was_killed = True
    while was_killed:
        at = len(left)
        was_killed = killed(output, ready, out, at)
        left.append("whole" if out.exists() else "nothing")
        if out.exists():
            verify_folder(out, [key])
        after = open_world(output)
        after.clock.forward(minutes=11 + 2 * at)
        done = release_to(after.reviews, ready, after.who("ann"), out)
        after.reviews.verify()
        assert after.reviews.approval_of(ready).release == done.entry
        after.reviews.close()
        verify_folder(out, [key])
        assert {path.name for path in tmp_path.iterdir()} == {"output", "out"}  # remains are swept
        shutil.rmtree(out)
    assert left == ["nothing"] * left.count("nothing") + ["whole"] * left.count("whole")
    assert len(left) > FEWEST_KILLS
    assert left.count("whole") == 3  # before its name was on the disk, before the chain, and not killed at all


def failing_disk(failing: Failing, patch: pytest.MonkeyPatch) -> None:
    """Every operation of a release on the disk, syncing too, which these tests do without."""
    operations(failing, patch)
    patch.setattr(results, "_sync", failing(lambda _path: None))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_moment_leaves_nothing(world: World, ready: Path, tmp_path: Path, number: int) -> None:
    out, failed = tmp_path / "out", 0
    while True:
        failing = Failing(failed, failing_with(number))
        with pytest.MonkeyPatch.context() as patch:
            failing_disk(failing, patch)
            said = refusal(world, ready, out)
        if not failing.has_happened:
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

"""Kills, failing disks and two people at once: the old state or the new, nothing between, and the next act works."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from review_cases import SHIPPED_PRAGMAS, World, copy_database, open_world

from guidegen import results
from guidegen.errors import ApprovalError, DatabaseError, GuidegenError, OutputError
from guidegen.review import database
from guidegen.review.reviews import Reviews
from guidegen.review.states import State

KILLS, SEED = 24, 7


def test_no_acknowledged_act_is_lost_to_a_kill() -> None:
    """The long run is benchmarks/kill_review.py."""
    script = Path(__file__).with_name("review_crash.py")
    done = subprocess.run([sys.executable, script, str(KILLS), str(SEED)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["kills"], found["lost"], found["half"]) == (KILLS, 0, 0)
    assert found["acknowledged"] > 0


@pytest.mark.parametrize("act", ["submit", "approve"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EMFILE])
def test_a_file_that_cannot_be_made_durable_signs_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, act: str, code: int
) -> None:
    folder = world.submit() if act == "approve" else world.revision()
    before = world.reviews.entries()
    for failing in range(1, 20):
        calls = [0]

        def fail(_path: Path, at: int = failing, calls: list[int] = calls) -> None:
            calls[0] += 1
            if calls[0] == at:
                raise OSError(code, os.strerror(code))

        monkeypatch.setattr(results, "_sync", fail)
        try:
            if act == "submit":
                world.reviews.submit(folder, world.who("ann"))
            else:
                world.approve(folder)
        except OutputError as error:
            said = str(error)
        else:
            break
        assert said.endswith(f"{os.strerror(code)}; nothing was signed")
        assert world.reviews.entries() == before
    assert failing == 12  # nine files and two folders, and then nothing fails
    assert len(world.reviews.entries()) == len(before) + 1


def test_files_are_durable_before_the_row_that_names_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    folder = world.revision()
    append = database.Database.writing

    def writing(self: database.Database) -> object:
        order.append("row")
        return append(self)

    monkeypatch.setattr(results, "_sync", lambda path: order.append(path.name))
    monkeypatch.setattr(database.Database, "writing", writing)
    world.reviews.submit(folder, world.who("ann"))
    assert order[-1] == "row"
    synced = order[order.index("row", 1) + 1 : -1]  # the rows before are those of the password
    assert set(synced) >= {path.name for path in (*folder.rglob("*"), folder)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_the_old_state(small_disk: Path, populated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", SHIPPED_PRAGMAS)
    copy_database(populated, small_disk / "output")
    world = open_world(small_disk / "output")
    folder = world.submit()
    world.revision("r002")
    filler = small_disk / "filler"
    refused = 0
    for left in range(0, 120_000, 4096):
        filler.unlink(missing_ok=True)
        free = os.statvfs(small_disk).f_bavail * 4096
        filler.write_bytes(b"x" * max(free - left, 0))
        before = world.reviews.entries()
        try:
            world.approve(folder)
        except (DatabaseError, OutputError):
            refused += 1
        else:
            break
        assert world.reviews.entries() == before
        assert world.reviews.state_of(folder) is State.SUBMITTED
    assert refused >= 3
    filler.unlink()
    assert world.reviews.approval_of(folder).record.signer.user == "bora"
    world.reviews.close()
    again = open_world(small_disk / "output")
    again.clock.now = world.clock.now
    assert again.reviews.state_of(folder) is State.APPROVED
    again.reviews.close()


# --- two at once ---


def race(world: World, *acts: tuple[str, str]) -> list[GuidegenError]:
    """Let people act on the waiting revision at the same moment, each with an open review of their own."""
    folder, confirmation = world.made["r001"], world.confirmation(world.made["r001"])
    start, refused = threading.Barrier(len(acts)), list[GuidegenError]()

    def act(user: str, what: str) -> None:
        with Reviews.open(world.output, clock=world.clock, measure=world.reviews._measure) as reviews:
            start.wait()
            try:
                if what == "approve":
                    reviews.approve(folder, world.who(user), confirmation)
                elif what == "reject":
                    reviews.reject(folder, world.who(user), confirmation.submission, "too thin")
                elif what == "void":
                    reviews.void(folder, world.who(user), "a fault")
                else:
                    reviews.submit(world.made["r002"], world.who(user))
            except ApprovalError as error:
                refused.append(error)

    threads = [threading.Thread(target=act, args=each) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.reviews.verify()
    return refused


@pytest.mark.parametrize("number", range(8))
def test_an_approval_and_a_rejection_at_once_come_in_one_order(world: World, number: int) -> None:
    folder = world.submit()
    refused = race(world, *[("bora", "approve"), ("dila", "reject")][:: 1 if number % 2 else -1])
    assert len(refused) == 1
    assert world.reviews.state_of(folder) in (State.APPROVED, State.REJECTED)


@pytest.mark.parametrize("number", range(4))
def test_four_at_once_come_in_one_order(world: World, number: int) -> None:
    folder, _ = world.submit(), world.revision("r002")
    acts = [("bora", "approve"), ("dila", "reject"), ("cem", "void"), ("emre", "submit")]
    refused = race(world, *acts[number:], *acts[:number])
    states = world.reviews.states()
    assert states["Z019L-left/r001"] is State.VOID
    assert states["Z019L-left/r002"] is State.SUBMITTED
    assert len(refused) in (1, 2)
    assert world.reviews.history_of(folder).entries[-1].action == "voided"


def test_four_who_open_at_once_make_one_database(tmp_path: Path) -> None:
    start, opened = threading.Barrier(4), list[str]()

    def open_it() -> None:
        start.wait()
        with Reviews.open(tmp_path / "new") as reviews:
            opened.append(reviews.entries()[0].hash)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    assert len(set(opened)) == 1

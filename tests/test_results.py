"""Result folders: whole revisions or none, whatever happens while they are written."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guidegen import results
from guidegen.results import (
    SCRATCH,
    find_revision,
    hashes,
    is_whole,
    locked,
    name_of,
    new_revision,
    next_revision,
    upcoming,
)


def made(folder: Path, fingerprint: str = "a", content: bytes = b"solid") -> Path:
    """A revision of three files and their record."""
    with locked(folder), new_revision(folder) as scratch:
        (scratch / "guide.stl").write_bytes(content)
        (scratch / "preview").mkdir()
        (scratch / "preview" / "front.png").write_bytes(content[::-1])
        (scratch / "timings.json").write_text("{}")
        record = {"fingerprint": fingerprint, "outputs_sha256": hashes(scratch)}
        (scratch / "run.json").write_text(json.dumps(record))
    return folder / name_of(scratch)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


# --- revisions ---


def test_revisions_are_numbered_and_found_by_their_fingerprint(tmp_path: Path) -> None:
    assert [made(tmp_path, fingerprint).name for fingerprint in "abc"] == ["r001", "r002", "r003"]
    assert find_revision(tmp_path, "b") == tmp_path / "r002"
    assert find_revision(tmp_path, "d") is None
    assert names(tmp_path) == ["r001", "r002", "r003"]


def test_a_gap_is_not_filled(tmp_path: Path) -> None:
    (tmp_path / "r007").mkdir()
    assert made(tmp_path).name == "r008"


def test_after_999_revisions_there_is_a_next_one(tmp_path: Path) -> None:
    (tmp_path / "r999").mkdir()
    assert [made(tmp_path, fingerprint).name for fingerprint in "ab"] == ["r1000", "r1001"]
    assert find_revision(tmp_path, "b") == tmp_path / "r1001"


def test_the_upcoming_revision_is_told_before_there_is_a_folder_and_after(tmp_path: Path) -> None:
    folder = tmp_path / "T001L-left"
    assert upcoming(folder) == "r001"
    assert not folder.exists()
    assert upcoming(folder) == made(folder).name == "r001"
    assert upcoming(folder) == made(folder, "b").name == "r002"
    (folder / "r002").rename(folder / "r002-altered-1")
    assert upcoming(folder) == "r003"  # a number is not used again


def test_the_upcoming_revision_waits_for_a_run_that_is_writing_one(tmp_path: Path) -> None:
    made(tmp_path)
    told: list[str] = []
    with locked(tmp_path):
        waiting = threading.Thread(target=lambda: told.append(upcoming(tmp_path)))
        waiting.start()
        waiting.join(0.2)
        assert told == []
        with new_revision(tmp_path):
            pass
    waiting.join(10.0)
    assert told == ["r003"]


def test_hashes_are_those_of_every_file_but_record_and_timings(tmp_path: Path) -> None:
    revision = made(tmp_path)
    assert set(hashes(revision)) == {"guide.stl", "preview/front.png"}
    assert hashes(revision)["guide.stl"] == hashlib.sha256(b"solid").hexdigest()
    (revision / "timings.json").write_text('{"bone": 9}')
    assert find_revision(tmp_path, "a") == revision


ALTERATIONS = {
    "a byte changed": lambda folder: (folder / "guide.stl").write_bytes(b"solib"),
    "a file gone": lambda folder: (folder / "guide.stl").unlink(),
    "a file added": lambda folder: (folder / "preview" / "extra.png").write_bytes(b""),
    "a file renamed": lambda folder: (folder / "guide.stl").rename(folder / "rejected.stl"),
    "a record without hashes": lambda folder: (folder / "run.json").write_text('{"fingerprint": "a"}'),
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_revision_is_set_aside_and_made_anew(tmp_path: Path, alter: Any) -> None:
    alter(made(tmp_path))
    assert find_revision(tmp_path, "a") is None
    assert names(tmp_path) == ["r001-altered-1"]
    assert made(tmp_path).name == "r002"  # its number is not used again
    alter(tmp_path / "r002")
    assert find_revision(tmp_path, "a") is None
    assert names(tmp_path) == ["r001-altered-1", "r002-altered-1"]


def test_what_was_set_aside_before_is_kept(tmp_path: Path) -> None:
    (tmp_path / "r001-altered-1").mkdir()
    altered = made(tmp_path)
    assert altered.name == "r002"
    altered = altered.rename(tmp_path / "r001")  # an old copy put back by hand
    (altered / "guide.stl").write_bytes(b"other")
    assert find_revision(tmp_path, "a") is None
    assert names(tmp_path) == ["r001-altered-1", "r001-altered-2"]


@pytest.mark.parametrize("record", ["", "no json", "\udcff"])
def test_a_revision_with_an_unusable_record_is_left_alone(tmp_path: Path, record: str) -> None:
    revision = made(tmp_path)
    (revision / "run.json").write_bytes(record.encode(errors="surrogateescape"))
    assert find_revision(tmp_path, "a") is None
    assert names(tmp_path) == ["r001"]


# --- whole or nothing ---


@pytest.mark.parametrize("thrown", [ValueError("a bug"), KeyboardInterrupt(), SystemExit(3)])
def test_what_is_thrown_inside_leaves_no_trace(tmp_path: Path, thrown: BaseException) -> None:
    made(tmp_path)

    def fail() -> None:
        with locked(tmp_path), new_revision(tmp_path) as scratch:
            (scratch / "guide.stl").write_bytes(b"half")
            raise thrown

    with pytest.raises(type(thrown)):
        fail()
    assert names(tmp_path) == ["r001"]
    assert made(tmp_path, "b").name == "r002"


def test_a_sync_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("input/output error")

    monkeypatch.setattr(results.os, "fsync", fail)
    with pytest.raises(OSError, match="input/output error"):
        made(tmp_path)
    assert names(tmp_path) == []


def test_a_revision_gets_its_name_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def fail(self: Path, target: Path) -> None:
        seen.append([self.name, target.name, *names(tmp_path)])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no space left"):
        made(tmp_path)
    assert seen == [[f"{SCRATCH}r001", "r001", f"{SCRATCH}r001"]]
    assert names(tmp_path) == []


def test_everything_in_a_folder_is_made_durable_and_the_folder_last(tmp_path: Path, monkeypatch: Any) -> None:
    revision, synced = made(tmp_path), list[str]()
    monkeypatch.setattr(results, "_sync", lambda path: synced.append(path.name))
    results.make_durable(revision)
    assert sorted(synced) == ["front.png", "guide.stl", "preview", "r001", "run.json", "timings.json"]
    assert synced[-1] == "r001"


def test_every_file_is_durable_before_the_revision_has_its_name(tmp_path: Path, monkeypatch: Any) -> None:
    synced: list[str] = []
    monkeypatch.setattr(results, "_sync", lambda path: synced.append(path.name))
    revision = made(tmp_path)
    assert synced[-1] == tmp_path.name  # the name itself
    assert synced[-2] == f"{SCRATCH}{revision.name}"
    assert {"guide.stl", "preview", "front.png", "run.json", "timings.json"} == set(synced[:-2])


def test_remains_of_a_killed_run_are_swept(tmp_path: Path) -> None:
    left = tmp_path / f"{SCRATCH}r001" / "preview"
    left.mkdir(parents=True)
    (left / "front.png").write_bytes(b"half")
    with locked(tmp_path):
        assert names(tmp_path) == []
    assert made(tmp_path).name == "r001"


def test_a_second_run_of_the_case_waits(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path):
            order.append("second")

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join(5.0)
    assert order == ["first", "second"]


CHILD = """
import json, sys
from pathlib import Path
from guidegen.results import hashes, locked, new_revision
folder = Path(sys.argv[1])
print("ready", flush=True)
while True:
    with locked(folder), new_revision(folder) as scratch:
        (scratch / "preview").mkdir()
        for number in range(6):
            with (scratch / "preview" / f"{number}.png").open("wb") as stream:
                for _ in range(16):
                    stream.write(bytes(4096))
                    stream.flush()
        (scratch / "run.json").write_text(json.dumps({"fingerprint": "a", "outputs_sha256": hashes(scratch)}))
"""


def test_a_run_killed_at_any_moment_leaves_whole_revisions_only(tmp_path: Path) -> None:
    random, started = np.random.default_rng(0), time.monotonic()
    halves = 0
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", CHILD, tmp_path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(random.uniform(0.02, 0.3))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        halves += any(tmp_path.glob(f"{SCRATCH}*"))
        for revision in tmp_path.glob("r*"):
            record = json.loads((revision / "run.json").read_text())
            assert len(record["outputs_sha256"]) == 6
            assert is_whole(revision, record["outputs_sha256"])
        if time.monotonic() - started > 15.0:
            break
    assert halves > 0, "no kill came while a revision was being written: the test shows nothing"
    whole = names(tmp_path)
    with locked(tmp_path):
        assert not any(tmp_path.glob(f"{SCRATCH}*"))
    revisions = [name for name in whole if not name.startswith(SCRATCH)]
    assert revisions == [f"r{number:03d}" for number in range(1, len(revisions) + 1)]
    assert next_revision(tmp_path) == f"r{len(revisions) + 1:03d}"


def test_an_interrupted_replacement_gives_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with results.locked(tmp_path):
        results.replace_folder(tmp_path / "plan", {"a": b"old"})
    rename, done = Path.rename, []

    def interrupted(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    with results.locked(tmp_path):
        monkeypatch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            results.replace_folder(tmp_path / "plan", {"a": b"new"})
        monkeypatch.setattr(Path, "rename", rename)
    with results.locked(tmp_path):
        assert (tmp_path / "plan" / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "plan"]

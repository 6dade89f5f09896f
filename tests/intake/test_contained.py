"""The process that reads untrusted files: what it answers with, and that its limits hold."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from guidegen.case import Case
from guidegen.errors import ContainmentError, VolumeError
from guidegen.intake import contained as containment
from guidegen.intake.contained import contained
from guidegen.intake.inputs import read_contained, read_inputs

TASKS = '''
"""Tasks that a hostile file might bring a reader to."""
import ctypes, os, socket, time
import numpy as np
from dataclasses import dataclass
from guidegen.errors import VolumeError, NoSafePlan

@dataclass(frozen=True)
class Told:
    text: str

def echo(text, reading):
    print("a library's chatter")
    os.write(1, b"more of it")
    return Told(text)

def refuse(reading):
    raise VolumeError("a.nii: expected what is right, found what is not; do this")

def eat(reading):
    reading("a.nii")
    np.zeros(8 << 30, np.uint8)

def spin(reading):
    import resource
    reading("b.mha")
    assert resource.getrlimit(resource.RLIMIT_CPU)[1] == 90  # not waited for
    resource.setrlimit(resource.RLIMIT_CPU, (1, 90))
    while True: pass

def hang(reading):
    reading("c.dcm")
    time.sleep(1000)

def crash(reading):
    reading("d.stl")
    ctypes.string_at(0)

def leave(reading):
    os._exit(0)

def write(path, reading):
    with open(path, "w") as stream:
        stream.write("x" * 100000)

def bug(reading):
    return {}["nothing"]

def other(reading):
    raise NoSafePlan("not a reader's business", "rule", {})

def garble(reading):
    os.write(3, b"V" + (10).to_bytes(8, "little") + b"0123456789")
    os._exit(0)
'''


@dataclass(frozen=True)
class Told:
    text: str


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    (tmp_path / "tasks_of_a_test.py").write_text(TASKS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(name: str, *arguments: str) -> Told:
        return contained(Told, f"tasks_of_a_test:{name}", *arguments)

    return run


Task = Callable[..., Told]


def test_a_value_comes_back_and_chatter_does_not(task: Task) -> None:
    assert task("echo", "Ångström\n").text == "Ångström\n"


def test_an_error_comes_back_as_it_was_raised(task: Task) -> None:
    with pytest.raises(VolumeError, match=r"^a\.nii: expected what is right, found what is not; do this$"):
        task("refuse")


def test_memory_has_a_limit(task: Task) -> None:
    with pytest.raises(ContainmentError, match=r"^a\.nii: expected .* within 3 GiB .* ended without an answer"):
        task("eat")


def test_the_processor_has_a_limit(task: Task) -> None:
    with pytest.raises(ContainmentError, match=r"^b\.mha: .* took longer"):
        task("spin")


def test_time_has_a_limit(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "MAX_WALL_S", 1.5)
    started = time.monotonic()
    with pytest.raises(ContainmentError, match=r"^c\.dcm: .* took longer"):
        task("hang")
    assert time.monotonic() - started < 20.0


def test_a_reader_that_breaks_down_takes_nothing_with_it(task: Task) -> None:
    with pytest.raises(ContainmentError, match=r"^d\.stl: .* broke down \(SIGSEGV\)"):
        task("crash")


def test_no_answer_is_a_refusal(task: Task) -> None:
    with pytest.raises(ContainmentError, match=r"^the case: .* ended without an answer"):
        task("leave")


def test_nothing_can_be_written(task: Task, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="File too large"):
        task("write", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


def test_a_bug_is_told_as_one(task: Task) -> None:
    with pytest.raises(RuntimeError, match="KeyError: 'nothing'"):
        task("bug")
    with pytest.raises(RuntimeError, match="NoSafePlan"):
        task("other")


def test_bytes_that_are_no_value_are_refused(task: Task) -> None:
    with pytest.raises(ContainmentError, match="gave an answer that is none"):
        task("garble")


def test_an_answer_without_end_is_not_kept(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "MAX_ANSWER_BYTES", 100)
    with pytest.raises(ContainmentError):
        task("echo", "x" * 1000)


def test_only_our_own_errors_are_raised_by_name() -> None:
    for kind in ("SystemExit", "at_stage", "NoSafePlan", "contextmanager"):
        with pytest.raises(RuntimeError, match="expected the name of an InputError"):
            containment._error(f'{{"kind": "{kind}", "message": ""}}'.encode())


def test_a_case_read_so_is_the_case_read_here(make_case: Callable[..., Case]) -> None:
    case = make_case()
    there, here = read_contained(case), read_inputs(case)
    for name in ("femur", "lesion"):
        there_mask, here_mask = getattr(there, name), getattr(here, name)
        voxels: npt.NDArray[np.bool_] = there_mask.voxels
        np.testing.assert_array_equal(voxels, here_mask.voxels)
        np.testing.assert_array_equal(there_mask.origin_mm, here_mask.origin_mm)
    assert there.input_sha256 == here.input_sha256


def test_the_reading_process_finds_no_module_in_the_folder_it_is_started_from(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    code = "from guidegen.intake.contained import contained; contained(int, 'builtins:len')"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "taken over" not in done.stderr

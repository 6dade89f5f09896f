"""The command line: how each command leaves, what it says, and that a refused case leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from finished import Finished, contents, read
from test_pipeline import GUIDEGEN

import guidegen
from guidegen import cli, pipeline
from guidegen.check.files import read_stl
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface


@dataclass(frozen=True)
class Left:
    """How a command left: its exit code, and what it said on one line each."""

    code: int
    out: str
    err: str


@pytest.fixture
def guidegen_(capsys: pytest.CaptureFixture[str]) -> Callable[..., Left]:
    """The command line, called in this process."""

    def call(*arguments: object) -> Left:
        with pytest.raises(SystemExit) as leave:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert isinstance(leave.value.code, int)
        return Left(leave.value.code, *(re.sub(r"\s+", " ", text) for text in said))

    return call


Call = Callable[..., Left]


# --- help and usage ---


def test_the_version(guidegen_: Call) -> None:
    left = guidegen_("--version")
    assert (left.code, left.out.strip()) == (0, f"guidegen {guidegen.__version__}")


@pytest.mark.parametrize("command", ["run", "plan", "check", "compare", "demo", "selftest"])
def test_every_command_helps(guidegen_: Call, command: str) -> None:
    left = guidegen_(command, "--help")
    assert left.code == 0
    assert f"guidegen {command}" in left.out or command in left.out
    assert "Usage" in left.out


def test_help_lists_every_command_and_says_it_is_no_medical_device(guidegen_: Call) -> None:
    left = guidegen_("--help")
    assert left.code == 0
    for word in ("run", "plan", "check", "demo", "user", "audit", "--version", "--debug", "No medical device"):
        assert word in left.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--no-such-option", "case.toml"], r"No such option: --no-such-option.*see guidegen --help"),
        (["run"], r"Missing argument 'CASE.toml'"),
        (["run", "case.toml", "--size", "XL"], r"Invalid value for '--size'.*'XL'"),
        (["fly"], r"No such command 'fly'"),
        (["demo", "--side", "both"], r"Invalid value for '--side'"),
    ],
)
def test_what_cannot_be_asked_is_refused(guidegen_: Call, arguments: list[str], said: str) -> None:
    left = guidegen_(*arguments)
    assert left.code == 2
    assert re.search(said, left.err), left.err
    assert "Traceback" not in left.err


# --- a good case ---


def test_a_known_case_says_so_and_shows_every_check(guidegen_: Call, done: Finished) -> None:
    before = contents(done.output)
    left = guidegen_("run", done.case, "--output", done.output)
    assert left.code == 0
    assert "every check passed (unchanged since it was made)" in left.out
    assert left.out.replace(" ", "").endswith(str(done.result.folder))
    assert left.out.count(" pass ") == len(done.result.findings)
    assert contents(done.output) == before


def test_each_of_all_sizes_is_named_before_what_is_said_of_it(
    guidegen_: Call, done: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "run", lambda *_: done.result)
    left = guidegen_("run", done.case, "--size", "all")
    assert left.code == 0
    whole = re.split(r"footprint (S|M|L) ", left.out)
    assert (whole[0], whole[1::2]) == ("", ["S", "M", "L"])
    for said in whole[2::2]:
        assert said.count(" pass ") == len(done.result.findings)
        assert said.replace(" ", "").endswith(str(done.result.folder))


def test_a_plan_is_shown_and_leaves_its_folder_alone(guidegen_: Call, done: Finished, tmp_path: Path) -> None:
    left = guidegen_("plan", done.case, "--output", tmp_path / "output")
    assert left.code == 0
    (tunnel,) = read(done.result.folder / "plan.json")["tunnels"]
    for said in ("T001L, LEFT hip", "8 mm", f"{tunnel['length_mm']:.1f} mm", f"{tunnel['wall_min_mm']:.1f} mm"):
        assert said in left.out
    assert [path.name for path in (tmp_path / "output" / "T001L-left").iterdir() if path.name != ".lock"] == ["plan"]
    files = {path.name for path in (tmp_path / "output" / "T001L-left" / "plan").iterdir()}
    assert files == {"plan.json", "femur.stl", "cuts.png", "strategies.png", "trade_off.png"}
    again = read(tmp_path / "output" / "T001L-left" / "plan" / "plan.json")
    assert again["guide"] is None
    assert again["tunnels"][0]["entry_mm"] == tunnel["entry_mm"]


# --- check ---


def test_a_result_is_measured_again(guidegen_: Call, done: Finished) -> None:
    before = contents(done.output)
    left = guidegen_("check", done.result.folder)
    assert left.code == 0
    assert "pass files changed since the run 0 ≤ 0" in left.out
    by_slicer = left.out.count(" pass slicer: ")  # none where it is not installed
    assert left.out.count(" pass ") == len(done.result.findings) + 1 + by_slicer
    assert contents(done.output) == before


def test_a_guide_that_was_moved_fails(guidegen_: Call, done: Finished, tmp_path: Path) -> None:
    result = Path(shutil.copytree(done.result.folder, tmp_path / "r001"))
    guide = read_stl(result / "guide.stl")
    (result / "guide.stl").write_bytes(stl_bytes(Surface(guide.vertices + [0.0, 0.0, 1.0], guide.faces)))
    left = guidegen_("check", result)
    assert left.code == 3
    assert "FAIL files changed since the run 1 ≤ 0" in left.out
    assert "FAIL sleeve 1 bore axis off plan" in left.out
    assert "Drill and wires follow the bores in the file, not the plan." in left.out


def only_an_empty_record(folder: Path) -> None:
    for path in [path for path in folder.iterdir() if path.name != "run.json"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / "findings.json").write_text("[]")


SPOILS = {
    "not there": (shutil.rmtree, r"expected a result folder with its run.json, found none"),
    "both guides": (
        lambda folder: shutil.copy(folder / "guide.stl", folder / "rejected.stl"),
        r"expected guide.stl or rejected.stl in r001, found 2",
    ),
    "no guide": (
        lambda folder: (folder / "guide.stl").unlink(),
        r"expected guide.stl or rejected.stl in r001, or a plan that was refused",
    ),
    "nothing but an empty record": (only_an_empty_record, r"expected plan.json to be readable JSON"),
    "a plan nested without end": (
        lambda folder: (folder / "plan.json").write_text(100_000 * "[" + 100_000 * "]"),
        r"expected plan.json to be readable JSON",
    ),
    "a cut plan": (lambda folder: (folder / "plan.json").write_text("{"), r"expected plan.json to be readable JSON"),
    "a cut guide": (
        lambda folder: (folder / "guide.stl").write_bytes((folder / "guide.stl").read_bytes()[:-7]),
        r"expected guide.stl to be a whole binary STL",
    ),
    "a plan without pins": (
        lambda folder: (folder / "plan.json").write_text((folder / "plan.json").read_text().replace("pins", "pens")),
        r"expected a whole plan.json of schema guidegen.plan/1, found at guide.pins",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILS.values(), ids=SPOILS)
def test_a_result_that_is_not_whole_is_refused(
    guidegen_: Call, done: Finished, tmp_path: Path, spoil: Any, said: str
) -> None:
    spoil(shutil.copytree(done.result.folder, tmp_path / "r001"))
    left = guidegen_("check", tmp_path / "r001")
    assert left.code == 2
    assert re.search(said, left.err), left.err


# --- refused cases ---

CASE = """
[patient]
id = "T001L"
side = "left"
[bone]
labels = "labels.nii.gz"
femur = 1
[lesion]
labels = "lesion.nii.gz"
lesion = 1
"""


@pytest.fixture
def case(done: Finished, tmp_path: Path) -> Path:
    """The case file of the made-up hip, without pictures, in a folder of its own."""
    folder = tmp_path / "case"
    folder.mkdir()
    for name in ("labels.nii.gz", "lesion.nii.gz"):
        shutil.copy(done.case.parent / name, folder)
    (folder / "case.toml").write_text(CASE)
    return folder / "case.toml"


def changed(case: Path, old: str, new: str) -> None:
    text = case.read_text()
    assert old in text
    case.write_text(text.replace(old, new))


def change_image(path: Path, change: Callable[[Any], Any], shift_mm: float = 0.0) -> None:
    image = sitk.ReadImage(str(path))
    new = sitk.GetImageFromArray(np.ascontiguousarray(change(sitk.GetArrayFromImage(image))))
    new.CopyInformation(image)
    new.SetOrigin([image.GetOrigin()[0] + shift_mm, *image.GetOrigin()[1:]])
    sitk.WriteImage(new, str(path))


def unknown_label(case: Path) -> None:
    changed(case, "femur = 1", "femur = 9")


def empty_label(case: Path) -> None:
    shutil.copy(case.parent / "labels.nii.gz", case.parent / "femur.nii.gz")
    change_image(case.parent / "femur.nii.gz", np.zeros_like)
    changed(case, "femur = 1", 'femur = "femur.nii.gz"')


def lesion_outside(case: Path) -> None:
    change_image(case.parent / "lesion.nii.gz", np.copy, shift_mm=150.0)


def lesion_in_the_shaft(case: Path) -> None:
    def moved(lesion: np.ndarray) -> np.ndarray:
        femur = sitk.GetArrayFromImage(sitk.ReadImage(str(case.parent / "labels.nii.gz"))) == 1
        low = np.zeros_like(lesion)
        low[8:14] = femur[8:14]
        return low

    change_image(case.parent / "lesion.nii.gz", moved)


def no_head(case: Path) -> None:
    def shaft_only(labels: np.ndarray) -> np.ndarray:
        labels[labels.shape[0] * 55 // 100 :] = 0
        return labels

    lesion_in_the_shaft(case)
    change_image(case.parent / "labels.nii.gz", shaft_only)


def other_side(case: Path) -> None:
    changed(case, 'side = "left"', 'side = "right"')


def surface_without_unit(case: Path) -> None:
    (case.parent / "femur.stl").write_bytes(bytes(84))
    changed(case, 'labels = "labels.nii.gz"\nfemur = 1', 'surface = "femur.stl"\nspace = "LPS"')


def unsafe_id(case: Path) -> None:
    changed(case, 'id = "T001L"', 'id = "../T001L"')


def two_thirds_of_a_file(case: Path) -> None:
    path = case.parent / "labels.nii.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


REFUSED = {
    "no case file": (lambda case: case.unlink(), r"read: .*case.toml: expected a case file, found none"),
    "unknown label": (unknown_label, r"read: bone.femur: expected voxels of label 9 in labels.nii.gz, found labels 1"),
    "empty label": (empty_label, r"read: bone.femur: expected one structure in femur.nii.gz, found an empty label map"),
    "lesion elsewhere": (lesion_outside, r"read: lesion: expected a lesion within 10 mm of the box round bone.femur"),
    "lesion in the shaft": (lesion_in_the_shaft, r"lesion: expected the lesion's centroid in the femoral head"),
    "no head": (no_head, r"anatomy: expected a femoral head"),
    "other side": (other_side, r"anatomy: expected a right femur as ordered, found the shape of a left one"),
    "no unit": (surface_without_unit, r'bone.unit: expected "mm", "cm", "m" or "inch" beside "surface"'),
    "unsafe id": (unsafe_id, r"patient.id: expected letters, digits"),
    "cut file": (two_thirds_of_a_file, r"read: labels.nii.gz: expected"),
}


@pytest.mark.parametrize(("spoil", "said"), REFUSED.values(), ids=REFUSED)
def test_a_case_that_cannot_be_used_leaves_nothing(guidegen_: Call, case: Path, spoil: Any, said: str) -> None:
    spoil(case)
    output = case.parent.parent / "output"
    left = guidegen_("run", case, "--output", output)
    assert left.code == 2
    assert re.search(said, left.err), left.err
    assert left.err.count("guidegen:") == 1
    assert "Traceback" not in left.err
    assert left.out == ""
    assert not output.exists()


@pytest.mark.parametrize("below", [".", "deeper/still"])
def test_an_output_that_is_a_file_is_refused_before_any_work(
    guidegen_: Call, case: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    def work(_: object) -> None:
        raise AssertionError("the case was read before its output was looked at")

    monkeypatch.setattr(pipeline, "read_contained", work)
    output = case.parent / "results.txt"
    output.write_text("notes")
    left = guidegen_("run", case, "--output", output / below)
    assert left.code == 2, left.err
    assert re.search("expected .*folder.*found", left.err)
    assert output.read_text() == "notes"


# --- no safe plan ---


def test_an_infeasible_order_is_no_success(guidegen_: Call, hopeless: Finished, tmp_path: Path) -> None:
    output = hopeless.stages_to(tmp_path)
    for again in (False, True):
        left = guidegen_("run", hopeless.case, "--output", output)
        assert left.code == 3
        assert "not released: a check or a rule failed" in left.out
        assert "expected a tunnel that keeps every rule, found the one that was ordered, which breaks" in left.out
        assert ("unchanged" in left.out) == again
    assert contents(output / "T001L-left" / "r001").keys() == contents(hopeless.result.folder).keys()


def test_a_plan_that_cannot_be_is_no_success(guidegen_: Call, hopeless: Finished) -> None:
    left = guidegen_("plan", hopeless.case, "--output", hopeless.output)
    assert left.code == 3
    assert "subchondral_axis_mm" in left.out  # the plan is shown, with the rules that it breaks
    assert "guidegen: plan: expected a tunnel that keeps every rule" in left.err


# --- interrupted, or a bug ---


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_an_interrupted_stage_leaves_nothing(guidegen_: Call, case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "measure_lesion", raising(KeyboardInterrupt()))
    output = case.parent.parent / "output"
    left = guidegen_("run", case, "--output", output)
    assert left.code == 130
    assert "guidegen: interrupted; nothing was changed" in left.err
    assert "Traceback" not in left.err
    assert not output.exists()


def test_an_interrupted_check_leaves_no_half_revision(
    guidegen_: Call, done: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "check_guide", raising(KeyboardInterrupt()))
    output = done.stages_to(tmp_path)
    assert guidegen_("run", done.case, "--output", output).code == 130
    assert [path.name for path in (output / "T001L-left").iterdir()] == [".lock"]


@pytest.mark.parametrize("after_s", [0.05, 0.1, 0.2])  # the second process is then at its imports
def test_control_c_on_a_terminal_leaves_nothing(done: Finished, tmp_path: Path, after_s: float) -> None:
    command = [GUIDEGEN, "run", done.case, "--output", tmp_path / "output"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert run.stderr is not None
    said = run.stderr.readline()
    assert said.strip() == "read"
    time.sleep(after_s)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the run and to all that it started
    started = time.monotonic()
    _, rest = run.communicate(timeout=20.0)
    assert time.monotonic() - started < 5.0
    assert run.returncode == 130
    assert "guidegen: interrupted; nothing was changed" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / "output").exists()


def test_a_bug_is_told_without_a_traceback(guidegen_: Call, case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "find_anatomy", raising(RuntimeError("[bold]a [/] wrong sign")))
    output = case.parent.parent / "output"
    left = guidegen_("run", case, "--output", output)
    assert left.code == 1
    assert "guidegen: a bug: RuntimeError: [bold]a [/] wrong sign; run again with --debug and report it" in left.err
    assert "Traceback" not in left.err
    assert not output.exists()
    with pytest.raises(RuntimeError, match="wrong sign"):
        cli.main(["--debug", "run", str(case), "--output", str(output)])


def test_a_refusal_with_debug_shows_where_it_was_raised(case: Path) -> None:
    case.unlink()
    left = subprocess.run([GUIDEGEN, "--debug", "run", case], capture_output=True, text=True, check=False)
    assert left.returncode == 1
    assert "Traceback" in left.stderr
    assert "CaseFileError: read: " in left.stderr

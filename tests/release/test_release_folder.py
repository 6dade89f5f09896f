"""What a release holds, and when there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from release_cases import DOSSIER, Done, approved, changed_plan, make_result, record, released
from review_cases import World

from guidegen.errors import AccessError, ApprovalError, OutputError, ResultError
from guidegen.release import release as releasing
from guidegen.release.manifest import read_envelope, read_statement
from guidegen.release.release import release_to
from guidegen.results import hashes, sha256
from guidegen.review.records import Released
from guidegen.review.states import State

COPIED = {
    "guide.stl", "guide.3mf", "trial_bone.stl", "trial_bone.3mf", "metal/sleeve-1.step", "metal/sleeve-1.dxf",
    "metal/metal.json", "inserts/insert-1.stl", "dossier.pdf",
}  # fmt: skip
MADE = {
    "approval.json", "signature.pdf", "robot.json", "inspection.json", "inspection.pdf", "instructions.en.pdf",
    "instructions.tr.pdf", "labels.pdf", "navigation/tunnel-1.mrk.json", "navigation/pin-1.mrk.json",
    "navigation/patient_to_tunnel-1.tfm", "manifest.json",
}  # fmt: skip


def left_nothing(world: World, folder: Path) -> bool:
    """Whether neither the folder is there nor anything beside it, nor an entry in the chain."""
    beside = {path.name for path in folder.parent.iterdir()} - {"output"}
    return not beside and all(entry.action != "released" for entry in world.reviews.entries())


def test_it_holds_what_was_approved_byte_for_byte_and_what_is_made_of_it(done: Done) -> None:
    assert set(hashes(done.folder)) == COPIED | MADE
    for name in COPIED:
        assert (done.folder / name).read_bytes() == (done.result / name).read_bytes(), name


def test_the_chain_names_every_file_of_it(done: Done) -> None:
    record_ = done.world.reviews.record_of(done.release.entry)
    assert isinstance(record_, Released)
    assert record_.files == hashes(done.folder) == done.release.files
    assert record_.manifest_sha256 == sha256((done.folder / "manifest.json").read_bytes())
    assert record_.destination == str(done.folder)
    assert done.world.reviews.state_of(done.result) is State.RELEASED


def test_the_manifest_is_a_statement_on_every_other_file(done: Done) -> None:
    files, predicate = read_statement(read_envelope((done.folder / "manifest.json").read_bytes()).payload)
    assert files == {name: digest for name, digest in hashes(done.folder).items() if name != "manifest.json"}
    approval = done.world.reviews.approval_of(done.result)
    assert predicate["approval"]["entry"] == approval.entry.hash
    assert set(predicate["copied"]) == COPIED
    assert predicate["print_job"] == "not sliced: no slicer profile is shipped for SLS"


def test_the_signature_quotes_the_dossier_and_the_chain(done: Done) -> None:
    said, approval = done.read("approval.json"), done.world.reviews.approval_of(done.result)
    assert said["dossier_sha256"] == sha256((done.result / "dossier.pdf").read_bytes())
    assert said["entry"]["prev_hash"] == approval.entry.prev_hash
    assert said["entry"]["hash"] == approval.entry.hash
    assert json.loads(said["record"])["files"] == dict(approval.files)


def test_the_same_release_is_the_same_bytes(done: Done, tmp_path: Path) -> None:
    again = release_to(done.world.reviews, done.result, done.world.who("ann"), tmp_path / "again")
    assert hashes(again.folder) == hashes(done.folder)


def test_a_release_that_is_there_is_found_and_not_entered_again(world: World, tmp_path: Path) -> None:
    done = released(world, tmp_path / "out")
    again = release_to(world.reviews, done.result, world.who("ann"), done.folder)
    assert again.entry == done.release.entry
    assert sum(entry.action == "released" for entry in world.reviews.entries()) == 1


def test_a_release_that_broke_off_before_the_chain_is_finished(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = approved(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.reviews, "release", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            release_to(world.reviews, result, world.who("ann"), tmp_path / "out")
    assert world.reviews.state_of(result) is State.APPROVED
    before = hashes(tmp_path / "out")
    monkeypatch.setattr(releasing, "release_contents", lambda _: pytest.fail("nothing is made again"))
    assert release_to(world.reviews, result, world.who("ann"), tmp_path / "out").files == before
    assert world.reviews.state_of(result) is State.RELEASED


def draft(world: World) -> Path:
    return make_result(world.output)


def submitted(world: World) -> Path:
    folder = draft(world)
    world.reviews.submit(folder, world.who("ann"))
    return folder


def rejected(world: World) -> Path:
    folder = submitted(world)
    waiting = world.reviews.history_of(folder).submission
    assert waiting is not None
    world.reviews.reject(folder, world.who("bora"), waiting.hash, "The entry is too low.")
    return folder


def voided(world: World) -> Path:
    folder = approved(world)
    world.reviews.void(folder, world.who("cem"), "The patient was operated on elsewhere.")
    return folder


def expired(world: World) -> Path:
    folder = approved(world)
    world.clock.forward(days=61)
    return folder


def superseded(world: World) -> Path:
    folder = approved(world)
    approved(world, name="r002", plan=changed_plan(guide={"revision": "r002"}))
    return folder


def submitted_anew(world: World) -> Path:
    folder = approved(world)
    world.reviews.submit(folder, world.who("ann"))
    return folder


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (draft, "is not approved: it is draft"),
        (submitted, "is not approved: it is submitted"),
        (rejected, "is not approved: it is rejected"),
        (voided, "is not approved: it is void"),
        (expired, "it expired at"),
        (superseded, "is not approved: it is superseded"),
        (submitted_anew, "is not approved: it is submitted"),
    ],
)
def test_nothing_leaves_without_an_approval_that_holds(
    world: World, tmp_path: Path, made: Callable[[World], Path], said: str
) -> None:
    folder = made(world)
    with pytest.raises(ApprovalError, match=said) as refusal:
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert refusal.value.exit_code == 4
    assert left_nothing(world, tmp_path / "out")


def test_a_change_after_the_approval_refuses_every_file(world: World, tmp_path: Path) -> None:
    folder = approved(world)
    for name in [*hashes(folder), "run.json"]:
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ApprovalError, match=f"{name} was changed since it was approved"):
            release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
        path.write_bytes(content)
    assert left_nothing(world, tmp_path / "out")
    release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")


def test_what_is_voided_while_it_is_written_does_not_leave(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sign = approved(world), world.reviews.sign_manifest

    def signed(*arguments: object) -> object:
        world.reviews.void(folder, world.who("bora"), "I saw the CT again.")
        return sign(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.reviews, "sign_manifest", signed)
    with pytest.raises(ApprovalError, match="is not approved: it is void"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


def test_what_is_voided_before_the_chain_is_taken_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, enter = approved(world), world.reviews.release

    def entered(*arguments: object) -> object:
        world.reviews.void(folder, world.who("bora"), "I saw the CT again.")
        return enter(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.reviews, "release", entered)
    with pytest.raises(ApprovalError, match="found one that is void"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


def test_what_is_approved_anew_while_it_is_written_is_released_anew(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, sign = approved(world), world.reviews.sign_manifest

    def signed(*arguments: object) -> object:
        world.reviews.submit(folder, world.who("ann"))
        world.approve(folder)
        return sign(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.reviews, "sign_manifest", signed)
    with pytest.raises(ApprovalError, match="was approved anew meanwhile; release it again"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ({"user": "cem"}, "expected engineer or surgeon for what is to be released"),
        ({"user": "ann", "password": "another password"}, "expected a user and the password that belongs to it"),
    ],
)
def test_for_who_may_not_nothing_is_made(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: dict[str, str], said: str
) -> None:
    folder = approved(world)
    monkeypatch.setattr(releasing, "release_contents", lambda _: pytest.fail("something is made"))
    with pytest.raises(AccessError, match=said):
        release_to(world.reviews, folder, world.who(**who), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


def test_a_folder_that_is_there_is_not_written_over(world: World, tmp_path: Path) -> None:
    folder = approved(world)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"expected a folder that is not there yet, found .*out; name another"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_another_release_is_not_taken_for_this_one(world: World, tmp_path: Path) -> None:
    done = released(world, tmp_path / "out")
    world.reviews.submit(done.result, world.who("ann"))
    world.approve(done.result)
    with pytest.raises(OutputError, match=r"found another release in .*out; name another"):
        release_to(world.reviews, done.result, world.who("ann"), done.folder)
    with pytest.raises(OutputError, match="expected a folder that is not there yet"):  # not with emre's key
        release_to(world.reviews, done.result, world.who("emre"), done.folder)


@pytest.mark.parametrize("place", [".", "Z019L-left", "Z019L-left/out", "Z019L-left/r001/out", "Z020R-right/out"])
def test_a_release_never_lies_among_the_results(world: World, place: str) -> None:
    folder = approved(world)
    with pytest.raises(OutputError, match="expected a folder outside the results"):
        release_to(world.reviews, folder, world.who("ann"), world.output / place)
    assert world.reviews.state_of(folder) is State.APPROVED


def test_a_path_that_the_chain_cannot_hold_is_refused(world: World, tmp_path: Path) -> None:
    folder = approved(world)
    for name in ("o" * 200, "a\nb"):
        with pytest.raises(OutputError, match="expected a path of at most 200 printable characters"):
            release_to(world.reviews, folder, world.who("ann"), tmp_path / name)


def test_a_printer_template_that_was_edited_since_is_refused(world: World, tmp_path: Path) -> None:
    folder = make_result(world.output)
    record(folder, "0" * 64)
    world.reviews.submit(folder, world.who("ann"))
    world.approve(folder)
    with pytest.raises(ApprovalError, match=r"expected the printer template sls-pa12.toml that the guide was made by"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


def test_a_plan_that_says_too_little_is_refused(world: World, tmp_path: Path) -> None:
    plan = changed_plan()
    del plan["printing"]["sterilisation"]  # of what the checks do not ask for
    folder = approved(world, plan=plan)
    with pytest.raises(ResultError, match="expected plan, findings and run of a whole guidegen run, found: KeyError"):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


@pytest.mark.parametrize("other", [{"revision": "r002"}, {"side": "right"}, {"patient": "Z020L"}])
def test_a_page_of_another_dossier_is_not_signed(world: World, tmp_path: Path, other: dict[str, Any]) -> None:
    folder = approved(world, files={"dossier.json": json.dumps({**DOSSIER, **other}).encode()})
    with pytest.raises(ResultError, match="expected plan, findings and run of a whole guidegen run, found: "):
        release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert left_nothing(world, tmp_path / "out")


def test_without_companions_there_are_none(world: World, tmp_path: Path) -> None:
    folder = make_result(world.output)
    for name in ("metal", "inserts"):
        shutil.rmtree(folder / name)
    record(folder, json.loads((folder / "run.json").read_text())["parameters"]["templates_sha256"]["printer"])
    world.reviews.submit(folder, world.who("ann"))
    world.approve(folder)
    done = release_to(world.reviews, folder, world.who("ann"), tmp_path / "out")
    assert not [name for name in done.files if name.startswith(("metal/", "inserts/"))]

"""The whole story of a real run: submitted, approved, released, verified; then one byte, and everything refuses."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from finished import Finished, finished, flip
from review_cases import START, FakeClock, World, copy_database, shown

from guidegen.errors import ApprovalError
from guidegen.release.release import release_to
from guidegen.release.verify import verify_folder
from guidegen.review.policy import load_policy
from guidegen.review.reviews import Reviews
from guidegen.review.states import State

PATIENT = "T001L"
OLDEST_IMAGE = (START - timedelta(days=10)).date()  # the made-up images bear no date: the surgeon says it
# The files that are made anew for a release; everything else in it is the run's own.
MADE = {
    "manifest.json", "approval.json", "signature.pdf", "robot.json", "inspection.json", "inspection.pdf",
    "instructions.en.pdf", "instructions.tr.pdf", "labels.pdf", "guide.sl1",
}  # fmt: skip
CHANGED = ("guide.stl", "guide.3mf", "dossier.pdf", "signature.pdf", "approval.json", "robot.json", "manifest.json")


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The run that the other tests share; nothing in it may be changed."""
    return finished(tmp_path_factory)


def under_review(phantom: Finished, output: Path, populated: Path) -> tuple[World, Path]:
    """A copy of the run's result with everybody there, its files measured for what they are."""
    copy_database(populated, output)
    original = phantom.result.folder
    folder = Path(shutil.copytree(original, output / original.parent.name / original.name))
    clock, policy = FakeClock(START + timedelta(minutes=1)), load_policy()
    return World(output, Reviews.open(output, policy=policy, clock=clock), clock, policy), folder


def approve(world: World, folder: Path) -> None:
    world.approve(folder, patient_id=PATIENT, imaged=OLDEST_IMAGE, shown=shown(folder, patient_id=PATIENT))


def test_from_a_run_to_a_release_and_one_byte(phantom: Finished, tmp_path: Path, populated: Path) -> None:
    assert [finding for finding in phantom.result.findings if not finding.passed] == []
    world, folder = under_review(phantom, tmp_path / "output", populated)
    with world.reviews as reviews:
        reviews.submit(folder, world.who("ann"))
        approve(world, folder)
        release = release_to(reviews, folder, world.who("ann"), tmp_path / "out")
        own = {name for name in release.files if name not in MADE and not name.startswith("navigation/")}
        for name in own:
            assert (release.folder / name).read_bytes() == (phantom.result.folder / name).read_bytes(), name
        assert own >= {"guide.stl", "guide.3mf", "trial_bone.stl", "dossier.pdf", "metal/sleeve-1.step"}
        pems = [reviews.people.find(user).key.public_pem for user in ("ann", "bora")]
        found = verify_folder(release.folder, pems)
        assert (found.case_id, found.side, found.approver_is_known) == (PATIENT, "left", True)
        assert found.files == len(release.files) - 1
        for name in CHANGED:
            says_changed(release.folder, name, pems)
        verify_folder(release.folder, pems)
        nothing_leaves_with_another_byte(world, folder, tmp_path / "again")


def says_changed(folder: Path, name: str, pems: list[str]) -> None:
    """One bit of a released file is another: verifying names that file."""
    flip(folder / name)
    with pytest.raises(ApprovalError, match=r"is no release|is not what was released") as refusal:
        verify_folder(folder, pems)
    assert refusal.value.reasons[0].startswith(f"{name} ")
    flip(folder / name)


def nothing_leaves_with_another_byte(world: World, folder: Path, out: Path) -> None:
    """One bit of the result is another: it cannot be released, submitted or approved again."""
    flip(folder / "guide.stl")
    with pytest.raises(ApprovalError, match=r"guide\.stl was changed since it was approved"):
        release_to(world.reviews, folder, world.who("ann"), out)
    with pytest.raises(ApprovalError, match=r"guide\.stl was changed since the run"):
        world.reviews.submit(folder, world.who("ann"))
    with pytest.raises(ApprovalError, match=r"guide\.stl was changed since the run"):
        approve(world, folder)
    assert not out.exists()
    flip(folder / "guide.stl")
    assert world.reviews.approval_of(folder).state is State.RELEASED  # the same bytes again, the same approval

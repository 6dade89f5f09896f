"""An approval: what it holds, what voids it, how long it lasts, and what is asked before it is signed."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from review_cases import (
    IMAGED,
    WAIVER,
    WARNING,
    World,
    WorldMaker,
    finding,
    make_revision,
    open_world,
    plan,
    record,
    shown,
)

from guidegen.errors import ApprovalError, ResultError, ReviewError, TemplateError
from guidegen.review import revision
from guidegen.review.canonical import digest
from guidegen.review.keys import RECORD_TYPE, is_signed
from guidegen.review.objections import SIDE_WORDS, objections
from guidegen.review.policy import LoadedPolicy, load_policy, policy_of
from guidegen.review.records import Approved, Rejected, Released, Submitted, Voided, WaiverDecision
from guidegen.review.revision import file_hashes, place_of
from guidegen.review.states import State
from guidegen.store import build


def policy_with(**changes: Any) -> LoadedPolicy:
    """The shipped policy, changed."""
    shipped = load_policy()
    fields = shipped.rules.model_dump() | changes
    lines = (f"{name} = {json.dumps(value)}" for name, value in fields.items())
    return policy_of("changed", "\n".join(lines).encode())


def alter(path: Path, content: bytes) -> None:
    """Write over a read-only file."""
    path.parent.chmod(0o700)
    if path.exists():
        path.chmod(0o600)
    path.write_bytes(content)


# --- what is signed ---


def test_a_submission_is_the_engineers_authorship_of_every_file(world: World) -> None:
    folder = world.revision()
    entry = world.reviews.submit(folder, world.who("ann"))
    submitted = world.reviews.record_of(entry)
    assert isinstance(submitted, Submitted)
    assert submitted.files == file_hashes(folder)
    assert set(submitted.files) == {
        "plan.json", "findings.json", "femur.stl", "guide.stl", "guide.3mf", "dossier.pdf", "preview/guide.png",
        "run.json",
    }  # fmt: skip
    assert submitted.findings_sha256 == submitted.files["findings.json"]
    assert submitted.meaning.startswith("I made this plan and guide")
    assert world.reviews.state_of(folder) is State.SUBMITTED


def test_an_approval_says_who_what_when_and_what_was_seen(make_world: WorldMaker) -> None:
    world = make_world(policy=policy_with(time_zone="Europe/Istanbul"))
    folder = world.submit(content=plan([WARNING], [WAIVER]))
    head = world.reviews.entries()[-1].hash
    opened = world.reviews.sessions.open(world.who("bora"))
    approval = world.reviews.approve(folder, world.who("bora", session=opened.id), world.confirmation(folder))
    signed = approval.record
    assert (signed.case_id, signed.side, signed.revision) == ("Z019L", "left", "r001")
    assert (signed.signer.user, signed.signer.printed_name, signed.signer.role) == ("bora", "Bora Demir", "surgeon")
    assert signed.signer.session == opened.session.name
    assert signed.meaning.startswith("I have reviewed this plan and guide for the patient and the side named here")
    assert signed.time_utc.startswith("2025-12-01T09:01:00.")
    assert (signed.time_local, signed.time_zone) == ("2025-12-01T12:01:00+03:00", "Europe/Istanbul")
    assert signed.software == {"version": "0.1.0", "build": build()}
    assert signed.typed.model_dump() == {"patient_id": "Z019L", "side": "left", "matched": True}
    assert [(each.text, each.sha256) for each in signed.warnings] == [(WARNING, digest(WARNING))]
    (waiver,) = signed.waivers
    assert (waiver.rule, waiver.accepted, waiver.surgeon_reason) == ("wall_min_mm", True, "I have seen it on the CT.")
    assert signed.prescription.tunnels[0].entry_mm == (1.0, 2.5, -3.0)
    assert (signed.prescription.kit, signed.prescription.size) == ("core-8", "M")
    assert signed.files == file_hashes(folder)
    assert signed.shown == shown(folder)
    assert signed.shown_sha256 == signed.shown.sha256
    assert signed.imaging.day == IMAGED
    assert (signed.two_people.required, signed.two_people.submitted_by, signed.two_people.two) == (True, "ann", True)
    assert signed.policy.rules["two_people"] is True
    assert signed.policy.sha256 == world.policy.sha256
    assert signed.prev_hash == head == approval.entry.prev_hash
    assert is_signed(approval.public_pem, RECORD_TYPE, approval.record_text.encode(), approval.signature)


def test_the_signed_text_is_the_record(world: World) -> None:
    approval = world.reviews.approval_of(world.approved())
    assert Approved.model_validate_json(approval.record_text) == approval.record


def test_every_approved_file_is_read_as_it_was_signed(world: World) -> None:
    folder = world.approved()
    approval = world.reviews.approval_of(folder)
    assert approval.read("guide.stl") == (folder / "guide.stl").read_bytes()
    with pytest.raises(ApprovalError, match=r"expected one of the approved files .* found 'timings.json'"):
        approval.read("timings.json")
    alter(folder / "guide.stl", b"another")
    with pytest.raises(ApprovalError, match=r"guide.stl of Z019L-left/r001 was changed since it was approved"):
        approval.read("guide.stl")
    (folder / "guide.stl").unlink()
    with pytest.raises(ApprovalError, match="is missing since it was approved"):
        approval.read("guide.stl")


def test_other_acts_are_signed_too(world: World) -> None:
    folder = world.submit()
    submission = world.reviews.history_of(folder).submission
    assert submission is not None
    rejected = world.reviews.record_of(
        world.reviews.reject(folder, world.who("dila"), submission.hash, "Entry 5 mm distal.")
    )
    voided = world.reviews.record_of(world.reviews.void(folder, world.who("cem"), "wrong patient"))
    released = world.reviews.approval_of(world.released("r002")).release
    assert released is not None
    assert isinstance(rejected, Rejected)
    assert isinstance(voided, Voided)
    assert isinstance(world.reviews.record_of(released), Released)
    assert (rejected.submission, rejected.reason, voided.reason) == (
        submission.hash,
        "Entry 5 mm distal.",
        "wrong patient",
    )


def test_a_submitted_revision_can_no_longer_be_written(world: World) -> None:
    folder = world.submit()
    for path in (*folder.rglob("*"), folder):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path


# --- what voids it ---

CHANGES = {
    "plan.json": "the plan", "findings.json": "the findings", "run.json": "parameters and versions",
    "femur.stl": "the bone", "guide.stl": "the guide", "guide.3mf": "the packed guide", "dossier.pdf": "the dossier",
    "preview/guide.png": "a picture",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_one_flipped_bit_in_any_file_voids_and_is_named(world: World, name: str) -> None:
    folder = world.released()
    content = (folder / name).read_bytes()
    for place in {0, 1, len(content) // 2, len(content) - 1}:
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        alter(folder / name, bytes(flipped))
        with pytest.raises(ApprovalError, match=f"{name} was changed since it was approved") as caught:
            world.reviews.approval_of(folder)
        assert len(caught.value.reasons) == 1
    alter(folder / name, content)
    world.reviews.approval_of(folder)


def test_a_hundred_flips_in_each_file_are_all_found_and_named(world: World) -> None:
    """On all that a run leaves and a release holds: benchmarks/flipped_bits.py."""
    folder = world.approved()
    for name in CHANGES:
        content = (folder / name).read_bytes()
        for number in range(100):
            flipped = bytearray(content)
            flipped[number * 7919 % len(content)] ^= 1 << number % 8
            alter(folder / name, bytes(flipped))
            with pytest.raises(ApprovalError) as caught:
                world.reviews.approval_of(folder)
            assert caught.value.reasons == (f"{name} was changed since it was approved",)
        alter(folder / name, content)
    world.reviews.approval_of(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "guide.3mf").unlink(), "guide.3mf is missing since it was approved"),
        (lambda folder: alter(folder / "preview/extra.png", b""), "preview/extra.png was added since it was approved"),
        (lambda folder: (folder / "guide.stl").rename(folder / "rejected.stl"), "guide.stl is missing since"),
        (lambda folder: alter(folder / "guide.stl", b""), "guide.stl was changed since it was approved"),
        (lambda folder: folder.rename(folder.with_name("aside")), "femur.stl is missing since it was approved"),
    ],
    ids=["gone", "added", "renamed", "emptied", "the folder gone"],
)
def test_a_file_that_is_gone_added_or_renamed_voids(world: World, change: Any, said: str) -> None:
    folder = world.approved()
    folder.chmod(0o700)
    (folder / "preview").chmod(0o700)
    change(folder)
    with pytest.raises(ApprovalError, match=said):
        world.reviews.approval_of(folder)


def test_timings_stand_outside_every_hash(world: World) -> None:
    folder = world.approved()
    alter(folder / "timings.json", b'{"bone": 9}')
    world.reviews.approval_of(folder)


def test_a_link_in_place_of_a_file_is_refused(world: World, tmp_path: Path) -> None:
    folder = world.approved()
    (tmp_path / "guide.stl").write_bytes((folder / "guide.stl").read_bytes())
    folder.chmod(0o700)
    (folder / "guide.stl").unlink()
    (folder / "guide.stl").symlink_to(tmp_path / "guide.stl")
    with pytest.raises(ApprovalError, match=r"found guide.stl, a link or device; remove it"):
        world.reviews.approval_of(folder)


def test_a_revision_made_anew_with_the_same_bytes_is_the_approved_one(world: World) -> None:
    """What is signed are bytes: the same inputs and the same program give them again."""
    folder = world.approved()
    folder.rename(folder.with_name("lost"))
    make_revision(world.output, "r001")
    world.reviews.approval_of(folder)


# --- how long it lasts ---


def test_it_ends_with_the_age_of_its_images(world: World) -> None:
    folder = world.approved(content=plan(imaged=date(2025, 9, 20)))  # the 90th day is 19 December
    end = datetime(2025, 12, 20, tzinfo=UTC)
    assert world.reviews.approval_of(folder).expires == end
    world.clock.now = end - timedelta(seconds=1)
    world.reviews.approval_of(folder)
    world.clock.now = end
    with pytest.raises(ApprovalError, match=r"it expired at 2025-12-20T00:00:00.000000Z: images of 2025-09-20"):
        world.reviews.approval_of(folder)
    with pytest.raises(ApprovalError, match="it expired at"):
        world.reviews.release(folder, world.who("ann"), {}, "ab" * 32, "a memory stick")


def test_it_ends_with_its_own_age(world: World) -> None:
    folder = world.approved()
    signed = world.clock.now
    end = world.reviews.approval_of(folder).expires
    assert timedelta(days=60) - timedelta(seconds=1) < end - signed <= timedelta(days=60)
    world.clock.now = end
    with pytest.raises(ApprovalError, match="it expired at"):
        world.reviews.approval_of(folder)


def test_the_end_itself_is_past_it(world: World) -> None:
    folder = world.approved()
    approval = world.reviews.approval_of(folder)
    judged = (approval.record, world.reviews.read(folder), approval.submission, world.policy.rules)
    assert objections(*judged, approval.expires - timedelta(microseconds=1)) == ()
    assert len(objections(*judged, approval.expires)) == 1


@pytest.mark.parametrize(("days", "may"), [(90, True), (91, False)])
def test_images_of_more_than_ninety_days_cannot_be_approved(world: World, days: int, may: bool) -> None:
    folder = world.submit(content=plan(imaged=world.clock.now.date() - timedelta(days=days)))
    if may:
        world.approve(folder)
    else:
        with pytest.raises(ApprovalError, match="make a revision of new images"):
            world.approve(folder)


def test_the_oldest_image_counts(world: World) -> None:
    content = plan()
    content["inputs"]["identities"] += [
        {"file": "mr.dcm", "modality": "MR", "acquisition_date": None, "study_date": "2025-10-01"},
        {"file": "seg.dcm", "modality": "SEG", "acquisition_date": None, "study_date": "2020-01-01"},
    ]
    assert world.reviews.approval_of(world.approved(content=content)).record.imaging.day == date(2025, 10, 1)


def test_where_no_image_has_a_date_the_signer_states_it(world: World) -> None:
    folder = world.submit(content=plan(imaged=None))
    with pytest.raises(ReviewError, match="expected a date of the images, found none in the files; state the day"):
        world.approve(folder)
    with pytest.raises(ReviewError, match="which is to come"):
        world.approve(folder, imaged=date(2025, 12, 2))
    with pytest.raises(ApprovalError, match="it expired at"):
        world.approve(folder, imaged=date(2025, 8, 1))
    approval = world.approve(folder, imaged=date(2025, 9, 10))
    assert (approval.record.imaging.day, approval.record.imaging.source) == (date(2025, 9, 10), "signer")
    assert approval.expires == datetime(2025, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stated", "counts", "source"),
    [(date(2025, 11, 25), IMAGED, "files"), (date(2025, 11, 1), date(2025, 11, 1), "signer")],
)
def test_a_stated_date_makes_images_older_never_younger(world: World, stated: date, counts: date, source: str) -> None:
    approval = world.approve(world.submit(), imaged=stated)
    assert (approval.record.imaging.day, approval.record.imaging.source) == (counts, source)


def test_an_image_of_the_future_is_refused(world: World) -> None:
    with pytest.raises(ReviewError, match="expected images taken by 2025-12-01, found 2026-01-01"):
        world.approve(world.submit(content=plan(imaged=date(2026, 1, 1))))


def test_a_clock_set_back_makes_nothing_valid_again(world: World) -> None:
    folder = world.approved()
    other = world.revision("r002")
    world.clock.forward(days=80)
    with pytest.raises(ApprovalError, match="it expired"):
        world.reviews.approval_of(folder)
    world.reviews.void(other, world.who("ann"), "an entry of today")
    world.clock.forward(days=-40)
    with pytest.raises(ReviewError, match="set the machine's clock"):
        world.reviews.approval_of(folder)


# --- two people ---


def test_one_person_may_do_both_only_by_policy_and_that_is_recorded(make_world: WorldMaker) -> None:
    world = make_world(policy=policy_with(two_people=False))
    folder = world.submit(user="gul")
    approval = world.approve(folder, user="gul")
    assert approval.record.two_people.model_dump() == {
        "required": False, "submitted_by": "gul", "submitted_by_name": "Gül Tan", "two": False
    }  # fmt: skip
    assert approval.record.policy.rules["two_people"] is False


def test_a_stricter_policy_holds_for_what_was_signed_before(make_world: WorldMaker) -> None:
    lax = make_world(policy=policy_with(two_people=False, image_age_days=365, approval_days=365))
    folder = lax.submit(user="gul", content=plan(imaged=date(2025, 10, 1)))
    lax.approve(folder, user="gul")
    lax.reviews.close()
    strict = open_world(lax.output)
    with pytest.raises(ApprovalError, match="Gül Tan submitted it; somebody else has to approve it"):
        strict.reviews.approval_of(folder)
    strict.reviews.close()
    one = open_world(lax.output, policy=policy_with(two_people=False))
    one.clock.now = lax.clock.now
    assert one.reviews.approval_of(folder).expires == datetime(2025, 12, 31, tzinfo=UTC)
    one.reviews.close()


def test_one_person_does_not_sign_for_two_even_where_one_is_enough_today(make_world: WorldMaker) -> None:
    lax = make_world(policy=policy_with(two_people=False))
    folder = lax.submit(user="gul")
    lax.approve(folder, user="gul")
    (entry,) = (each for each in lax.reviews.entries() if each.action == "approved")
    record = lax.reviews.record_of(entry)
    assert isinstance(record, Approved)
    said = record.two_people.model_copy(update={"required": True})
    altered, submission = record.model_copy(update={"two_people": said}), lax.reviews.approval_of(folder).submission
    against = objections(altered, lax.reviews.read(folder), submission, lax.policy.rules, lax.clock.now)
    assert against == ("Gül Tan submitted it; somebody else has to approve it",)


def test_a_laxer_policy_does_not_lengthen_what_was_signed(make_world: WorldMaker) -> None:
    world = make_world()
    folder = world.approved()
    end = world.reviews.approval_of(folder).expires
    world.reviews.close()
    lax = open_world(world.output, policy=policy_with(approval_days=365, image_age_days=365))
    lax.clock.now = world.clock.now
    assert lax.reviews.approval_of(folder).expires == end
    lax.reviews.close()


# --- what is asked before ---


def test_all_that_is_missing_is_said_at_once(world: World) -> None:
    folder = world.submit(content=plan([WARNING], [WAIVER]))
    confirmation = world.confirmation(folder)
    empty = replace(
        confirmation, patient_id="Z019R", side="right", warnings=(), waivers=(), shown=shown(folder, side="right")
    )
    with pytest.raises(ApprovalError, match="cannot be approved") as caught:
        world.reviews.approve(folder, world.who("bora"), empty)
    assert len(caught.value.reasons) == 4
    for part in ("typed back, found 'Z019R' and 'right'", WARNING, "waiver of wall_min_mm was not decided", "as side"):
        assert part in str(caught.value)
    assert world.reviews.state_of(folder) is State.SUBMITTED


def test_a_warning_of_the_guide_must_be_acknowledged_too(world: World) -> None:
    folder = world.submit(content=plan([WARNING], guide_warnings=["No room for a window."]))
    with pytest.raises(ApprovalError, match="this warning was not acknowledged: No room for a window"):
        world.approve(folder, warnings=(WARNING,))
    approval = world.approve(folder)
    assert [each.text for each in approval.record.warnings] == [WARNING, "No room for a window."]


def test_what_is_no_warning_cannot_be_acknowledged(world: World) -> None:
    with pytest.raises(ApprovalError, match="this was acknowledged and is no warning of the plan: another"):
        world.approve(world.submit(content=plan([WARNING])), warnings=(WARNING, "another"))


def test_old_images_are_a_warning_by_a_policy_that_still_allows_them(make_world: WorldMaker) -> None:
    world = make_world(policy=policy_with(image_age_days=365))
    folder = world.submit(content=plan(imaged=date(2025, 8, 1)))
    with pytest.raises(ApprovalError, match=r"this warning was not acknowledged: ct/1\.dcm was taken 122 days ago"):
        world.approve(folder, warnings=())
    world.approve(folder)
    world.clock.forward(days=3)
    world.reviews.approval_of(folder)  # judged by the day of the signature


@pytest.mark.parametrize("typed", ["left", "LEFT", " Left ", "sol", "SOL"])
def test_the_side_may_be_typed_in_the_languages_of_the_page(world: World, typed: str) -> None:
    assert world.approve(world.submit(), side=typed).record.typed.side == typed


@pytest.mark.parametrize("typed", ["right", "sağ", "l", "", "lef", "left right"])
def test_another_side_is_refused(world: World, typed: str) -> None:
    assert set(SIDE_WORDS) == {"left", "right"}
    with pytest.raises(ApprovalError, match="to be typed back"):
        world.approve(world.submit(), side=typed)


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 4001, "\x00"])
def test_a_reason_that_says_nothing_is_refused(world: World, reason: str) -> None:
    folder = world.submit()
    with pytest.raises(ReviewError, match=r"expected what can be signed, found: voided\.reason"):
        world.reviews.void(folder, world.who("ann"), reason)


def test_the_submission_measures_the_files_anew(world: World) -> None:
    folder = world.revision(files={"guide.stl": b"bad guide"})
    with pytest.raises(ApprovalError, match="fails on the files: A thin wall breaks"):
        world.reviews.submit(folder, world.who("ann"))
    assert world.reviews.state_of(folder) is State.DRAFT


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"measured": 4.59}, r"measured 4\.6, not 4\.59"),
        ({"limit": 2.0}, r"limit 3\.0, not 2\.0"),
        ({"unit": "cm"}, "unit 'mm', not 'cm'"),
        ({"why": "It is so."}, "why 'A thin wall breaks.', not 'It is so.'"),
    ],
)
def test_a_record_that_says_other_than_the_files_is_refused(world: World, change: dict[str, Any], told: str) -> None:
    found = replace(finding(), **change)
    world.reviews._measure = lambda _folder: (found,)
    with pytest.raises(ApprovalError, match=f"was recorded otherwise than the files give it: {told}"):
        world.submit()


def test_a_record_of_a_check_that_there_is_not_is_refused(world: World) -> None:
    world.reviews._measure = lambda _folder: ()
    with pytest.raises(ApprovalError, match="the check 'tunnel 1 wall to the cortex' of the run is none that is made"):
        world.submit()


def test_a_check_that_the_run_did_not_make_is_missed(world: World) -> None:
    findings = (finding(), finding("sleeve 1 wall"))
    world.reviews._measure = lambda _folder: findings
    with pytest.raises(ApprovalError, match="the check 'sleeve 1 wall' was not made by the run"):
        world.submit()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"findings": [finding(measured=2.0)]}, "the check 'tunnel 1 wall to the cortex' failed"),
        ({"files": {"rejected.stl": b"bad"}}, "there is no guide, or one that failed"),
        ({"content": plan() | {"plan": None, "tunnels": []}}, "there is no plan with a tunnel"),
    ],
)
def test_what_failed_cannot_be_submitted(world: World, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ApprovalError, match=said):
        world.submit(**changes)


def test_a_result_without_checks_cannot_be_submitted(world: World) -> None:
    folder = world.revision()
    (folder / "findings.json").write_text("[]")
    record(folder)
    with pytest.raises(ApprovalError, match="no check was made"):
        world.reviews.submit(folder, world.who("ann"))


# --- what a folder must be ---


@pytest.mark.parametrize(
    "place",
    ["", "Z019L-left", "r001", "Z019L/r001", "Z019L-left/r1", "Z019L-left/r001-altered-1", "../Z019L-left/r001"],
)
def test_only_a_revision_in_the_folder_of_results_has_a_state(world: World, place: str) -> None:
    with pytest.raises(ResultError, match="expected a result folder"):
        world.reviews.state_of(world.output / place)


def test_a_file_that_changes_while_it_is_read_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.revision()
    real = revision.file_hashes

    def hashed_and_changed(place: Path) -> dict[str, str]:
        found = real(place)
        (place / "plan.json").write_text(json.dumps(plan(entry_mm=(0.0, 0.0, 0.0))))
        return found

    monkeypatch.setattr(revision, "file_hashes", hashed_and_changed)
    with pytest.raises(ApprovalError, match=r"plan\.json of Z019L-left/r001 changed while it was read"):
        world.reviews.read(folder)


def test_a_case_id_may_hold_what_looks_like_a_side(world: World) -> None:
    place = place_of(world.output, world.output / "A-right-left" / "r012")
    assert (place.case_id, place.side, place.name, place.subject) == ("A-right", "left", "r012", "A-right-left/r012")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", b"{}", "expected run.json of a guidegen run"),
        ("run.json", b"no json", "expected run.json in .* none that can be read"),
        ("plan.json", b'{"case_id": "Z019L", "side": "left"}', "expected plan and findings of a guidegen run"),
        ("findings.json", b'[{"name": "x"}]', "expected plan and findings of a guidegen run"),
    ],
)
def test_a_result_that_cannot_be_read_is_refused(world: World, name: str, content: bytes, said: str) -> None:
    folder = world.revision()
    (folder / name).write_bytes(content)
    if name != "run.json":
        record(folder)
    with pytest.raises(ResultError, match=said):
        world.reviews.read(folder)


def test_a_revision_that_was_never_there_cannot_be_voided(world: World) -> None:
    with pytest.raises(ResultError, match="expected a result, found none"):
        world.reviews.void(world.output / "Z019L-left" / "r009", world.who("ann"), "to come")


def test_a_revision_that_is_gone_can_be_voided(world: World) -> None:
    folder = world.submit()
    folder.rename(folder.with_name("gone"))
    world.reviews.void(folder, world.who("ann"), "lost")
    assert world.reviews.state_of(folder) is State.VOID


# --- the policy ---


def test_the_shipped_policy() -> None:
    rules = load_policy().rules
    assert (rules.two_people, rules.image_age_days, rules.password_length) == (True, 90, 12)
    assert (rules.session_idle_minutes, rules.session_hours) == (15, 12)


@pytest.mark.parametrize(
    "line",
    [
        'two_people = "no"', "two_people = 1", "image_age_days = 0", "image_age_days = 1.5", "approval_days = 4000",
        "password_length = 8", "session_idle_minutes = 0", "session_hours = 25", 'time_zone = "Mars/Olympus"',
        'time_zone = "../../etc/passwd"', 'name = ""', "unknown = 1", "two_people", "\udcff",
    ],
)  # fmt: skip
def test_an_impossible_policy_is_refused(line: str) -> None:
    key = line.partition(" ")[0]
    fields = {name: json.dumps(value) for name, value in load_policy().rules.model_dump().items() if name != key}
    text = "\n".join([*(f"{name} = {value}" for name, value in fields.items()), line])
    with pytest.raises(TemplateError, match=r"expected a usable policy approval/house\.toml"):
        policy_of("house", text.encode(errors="surrogateescape"))


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(TemplateError, match="expected one of the approval policies default, found"):
        load_policy("../x")


# --- waivers ---


def decision(**changes: Any) -> WaiverDecision:
    fields = {**WAIVER, "accepted": True, "surgeon_reason": "I have seen it."}
    return WaiverDecision(**{**fields, **changes})


@pytest.mark.parametrize(
    ("waivers", "said"),
    [
        ((), "the proposed waiver of wall_min_mm was not decided"),
        ((decision(accepted=False),), "was not accepted; reject the revision"),
        ((decision(surgeon_reason=WAIVER["reason"]),), "accepted with the engineer's reason; give your own"),
        ((decision(surgeon_reason=WAIVER["reason"].upper()),), "accepted with the engineer's reason; give your own"),
        ((decision(rule="subchondral_mm"),), "was decided that nobody proposed"),
        ((decision(), decision(surgeon_reason="Again.")), "a waiver was decided twice"),
    ],
)
def test_each_waiver_needs_the_surgeons_own_reason(world: World, waivers: Any, said: str) -> None:
    with pytest.raises(ApprovalError, match=said):
        world.approve(world.submit(content=plan(waivers=[WAIVER])), waivers=waivers)


def test_a_rejection_holds_what_was_decided_of_waivers(world: World) -> None:
    folder = world.submit(content=plan(waivers=[WAIVER]))
    submission = world.reviews.history_of(folder).submission
    assert submission is not None
    no = decision(accepted=False, surgeon_reason="It is too thin.")
    entry = world.reviews.reject(folder, world.who("bora"), submission.hash, "The wall.", [no])
    rejected = world.reviews.record_of(entry)
    assert isinstance(rejected, Rejected)
    assert rejected.waivers == (no,)

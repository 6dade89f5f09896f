"""Ways round an approval, written down: each is tried, and nothing that was not approved can be made of it.

A way round is a function that does what somebody might do, legally or past the program. Afterwards either it was
refused on the spot, or the approval of the revision is refused with the reason that is named.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from review_cases import (
    CASE,
    LOT,
    START,
    WAIVER,
    WARNING,
    FakeClock,
    World,
    make_revision,
    measured,
    password_of,
    plan,
    record,
    shown,
)
from review_forgery import (
    approval_record,
    approved,
    edit,
    forge,
    key_of,
    made_anew,
    signed_anew,
    signed_by,
    sql,
    write,
)

from guidegen.errors import AccessError, ApprovalError, ChainError, GuidegenError, ResultError, ReviewError
from guidegen.results import sha256
from guidegen.review.events import Discarded
from guidegen.review.keys import RECORD_TYPE, new_key
from guidegen.review.persons import Role
from guidegen.review.records import Released, WaiverDecision, read_record, record_from, text_of
from guidegen.review.reviews import Reviews
from guidegen.review.revision import file_hashes
from guidegen.review.signed import seal
from guidegen.review.states import State
from guidegen.review.tables import SECRETS

Way = Callable[[World], Path]
WAYS: dict[str, tuple[Way, type[GuidegenError], str]] = {}


def way(refused: type[GuidegenError], said: str) -> Callable[[Way], Way]:
    """Write a way round down, with how it is refused."""

    def keep(function: Way) -> Way:
        WAYS[(function.__doc__ or "").removesuffix(".")] = (function, refused, said)
        return function

    return keep


@pytest.mark.parametrize("name", WAYS)
def test_no_way_round(world: World, name: str) -> None:
    function, refused, said = WAYS[name]
    with pytest.raises(refused, match=said):
        tried(world, function)


def tried(world: World, function: Way) -> None:
    """Go a way round, and ask for the approval."""
    folder = function(world)
    world.reviews.approval_of(folder)


def test_there_are_at_least_forty_ways() -> None:
    assert len(WAYS) >= 40


# --- without an approval ---


@way(ApprovalError, "is not approved: it is draft")
def _(world: World) -> Path:
    """A draft that nobody submitted."""
    return world.revision()


@way(ApprovalError, "is not approved: it is submitted")
def _(world: World) -> Path:
    """A submission that nobody approved."""
    return world.submit()


@way(ApprovalError, "is not approved: it is rejected")
def _(world: World) -> Path:
    """A rejected revision."""
    folder = world.submit()
    world.reviews.reject(folder, world.who("bora"), world.confirmation(folder).submission, "no")
    return folder


@way(ApprovalError, "is not approved: it is void")
def _(world: World) -> Path:
    """An approved revision that was voided."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    return folder


@way(ApprovalError, "found one that is void")
def _(world: World) -> Path:
    """A voided revision submitted again."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    world.reviews.submit(folder, world.who("ann"))
    return folder


@way(ApprovalError, "is not approved: it is superseded")
def _(world: World) -> Path:
    """The approval of an older revision after a newer one was approved."""
    folder = world.approved()
    world.approved("r002")
    return folder


@way(ApprovalError, "is not approved: it is submitted")
def _(world: World) -> Path:
    """The approval of an earlier submission after the revision was submitted again."""
    folder = world.approved()
    world.reviews.submit(folder, world.who("ann"))
    return folder


@way(ApprovalError, "expected a revision that is submitted to be approved, found one that is draft")
def _(world: World) -> Path:
    """Approving what nobody submitted."""
    folder = world.revision()
    world.approve(folder)
    return folder


@way(ApprovalError, "to be approved, found one that is rejected")
def _(world: World) -> Path:
    """Approving what another surgeon rejected."""
    folder = world.submit()
    confirmation = world.confirmation(folder)
    world.reviews.reject(folder, world.who("dila"), confirmation.submission, "no")
    world.reviews.approve(folder, world.who("bora"), confirmation)
    return folder


@way(ApprovalError, "found another one looked at; load the page again")
def _(world: World) -> Path:
    """Approving on a page of an earlier submission."""
    folder = world.submit()
    old = world.confirmation(folder)
    world.reviews.reject(folder, world.who("dila"), old.submission, "no")
    world.reviews.submit(folder, world.who("ann"))
    world.reviews.approve(folder, world.who("bora"), old)
    return folder


@way(ApprovalError, "expected a revision that is approved, released to be released, found one that is submitted")
def _(world: World) -> Path:
    """Releasing what is only submitted, by its own word."""
    folder = world.submit()
    forge_files = {"guide.stl": sha256((folder / "guide.stl").read_bytes()), "m": "ab" * 32}
    world.reviews.release(folder, world.who("ann"), forge_files, "ab" * 32, "a stick")
    return folder


# --- by whom ---


@way(AccessError, "expected surgeon for what is to be approved, found engineer")
def _(world: World) -> Path:
    """An engineer approves."""
    folder = world.submit()
    world.approve(folder, user="emre")
    return folder


@way(AccessError, "expected surgeon for what is to be approved, found admin")
def _(world: World) -> Path:
    """An admin approves."""
    folder = world.submit()
    world.approve(folder, user="cem")
    return folder


@way(AccessError, "expected engineer for what is to be submitted, found surgeon")
def _(world: World) -> Path:
    """A surgeon submits."""
    return world.submit(user="bora")


@way(ApprovalError, "Gül Tan submitted it; somebody else has to approve it")
def _(world: World) -> Path:
    """One person with both roles submits and approves."""
    folder = world.submit(user="gul")
    world.approve(folder, user="gul")
    return folder


@way(ApprovalError, "Ann Kaya submitted it; somebody else has to approve it")
def _(world: World) -> Path:
    """One person submits, has the account closed, and approves from a second account with another key."""
    folder = world.submit()
    world.reviews.people.disable("ann", "test")
    world.reviews.people.add("ann2", "ANN  KAYA".replace("  ", " "), [Role.SURGEON], password_of("ann2x"), "test")
    world.reviews.approve(folder, world.who("ann2", password=password_of("ann2x")), world.confirmation(folder))
    return folder


@way(AccessError, "expected a user and the password that belongs to it")
def _(world: World) -> Path:
    """A wrong password."""
    folder = world.submit()
    world.reviews.approve(folder, world.who("bora", password="a wrong password"), world.confirmation(folder))
    return folder


@way(AccessError, "expected a user and the password that belongs to it")
def _(world: World) -> Path:
    """An open session without the password."""
    folder = world.submit()
    opened = world.reviews.sessions.open(world.who("bora"))
    world.reviews.approve(folder, world.who("bora", session=opened.id, password=""), world.confirmation(folder))
    return folder


@way(AccessError, "expected ann, whose session it is")
def _(world: World) -> Path:
    """A surgeon's password in an engineer's session."""
    folder = world.submit()
    opened = world.reviews.sessions.open(world.who("ann"))
    world.reviews.approve(folder, world.who("bora", session=opened.id), world.confirmation(folder))
    return folder


@way(AccessError, "expected a user and the password that belongs to it")
def _(world: World) -> Path:
    """A disabled surgeon."""
    folder = world.submit()
    world.reviews.people.disable("bora", "test")
    world.approve(folder)
    return folder


@way(AccessError, "expected the key of bora that the chain names")
def _(world: World) -> Path:
    """An administrator puts a key of their own into a surgeon's row."""
    key, folder = new_key(), world.submit()
    wrapped = key.wrapped("bora", password_of("bora"))
    values = {"fingerprint": key.fingerprint, "wrapped_key": wrapped}
    with world.reviews._desk.database.writing() as connection:
        connection.execute(SECRETS.update().where(SECRETS.c.person == "bora").values(values))
    world.approve(folder)
    return folder


# --- with something missing ---


@way(ApprovalError, "to be typed back, found 'Z019R'")
def _(world: World) -> Path:
    """Another patient typed back."""
    folder = world.submit()
    world.approve(folder, patient_id="Z019R")
    return folder


@way(ApprovalError, "to be typed back, found 'Z019L' and 'right'")
def _(world: World) -> Path:
    """The other side typed back."""
    folder = world.submit()
    world.approve(folder, side="right")
    return folder


@way(ApprovalError, "this warning was not acknowledged")
def _(world: World) -> Path:
    """A warning passed over."""
    folder = world.submit(content=plan([WARNING]))
    world.approve(folder, warnings=())
    return folder


@way(ApprovalError, "this warning was not acknowledged")
def _(world: World) -> Path:
    """A warning acknowledged in other words."""
    folder = world.submit(content=plan([WARNING]))
    world.approve(folder, warnings=(WARNING.replace("2 %", "1 %"),))
    return folder


@way(ApprovalError, "the proposed waiver of wall_min_mm was not decided")
def _(world: World) -> Path:
    """A proposed waiver that nobody decided."""
    folder = world.submit(content=plan(waivers=[WAIVER]))
    world.approve(folder, waivers=())
    return folder


@way(ApprovalError, "was not accepted; reject the revision")
def _(world: World) -> Path:
    """An approval in spite of a waiver that the surgeon does not accept."""
    folder = world.submit(content=plan(waivers=[WAIVER]))
    no = WaiverDecision(**WAIVER, accepted=False, surgeon_reason="Too thin.")
    world.approve(folder, waivers=(no,))
    return folder


@way(ApprovalError, "target, entry, kit or size that were confirmed are not those of plan.json")
def _(world: World) -> Path:
    """Another entry confirmed than the plan's."""
    folder = world.submit()
    prescription = world.confirmation(folder).prescription
    moved = prescription.tunnels[0].model_copy(update={"entry_mm": (1.0, 2.5, -3.000001)})
    world.approve(folder, prescription=prescription.model_copy(update={"tunnels": (moved,)}))
    return folder


@way(ApprovalError, "target, entry, kit or size that were confirmed are not those of plan.json")
def _(world: World) -> Path:
    """Another size confirmed than the guide's."""
    folder = world.submit()
    prescription = world.confirmation(folder).prescription
    world.approve(folder, prescription=prescription.model_copy(update={"size": "L"}))
    return folder


@way(ApprovalError, "the page showed 'right' as side, not 'left'")
def _(world: World) -> Path:
    """A page that showed the other side."""
    folder = world.submit()
    world.approve(folder, shown=shown(folder, side="right"))
    return folder


@way(ApprovalError, "the page showed 'r002' as revision, not 'r001'")
def _(world: World) -> Path:
    """A page that showed another revision."""
    folder = world.submit()
    world.approve(folder, shown=shown(folder, revision="r002"))
    return folder


@way(ApprovalError, "the page showed another preview/guide.png than the file")
def _(world: World) -> Path:
    """A page that showed another picture than the file."""
    folder = world.submit()
    world.approve(folder, shown=shown(folder).model_copy(update={"pictures": {"preview/guide.png": "0" * 64}}))
    return folder


@way(ApprovalError, "no picture was shown")
def _(world: World) -> Path:
    """A page without a picture."""
    folder = world.submit()
    world.approve(folder, shown=shown(folder).model_copy(update={"pictures": {}}))
    return folder


@way(ReviewError, "expected a date of the images, found none in the files")
def _(world: World) -> Path:
    """Images of which nobody says how old they are."""
    folder = world.submit(content=plan(imaged=None))
    world.approve(folder)
    return folder


@way(ApprovalError, "cannot be submitted")
def _(world: World) -> Path:
    """A failed check that was turned into a passed one, with the run's record made to fit."""
    folder = world.revision(files={"guide.stl": b"bad guide"})
    edit(folder / "findings.json", lambda findings: findings[0].update(passed=True, measured=9.0))
    world.reviews.submit(folder, world.who("ann"))
    return folder


# --- with other files ---


@way(ApprovalError, "guide.stl was changed since it was submitted")
def _(world: World) -> Path:
    """Files changed between submission and approval, the run's record made to fit."""
    folder = world.submit()
    write(folder / "guide.stl", b"another guide")
    write(folder / "run.json", b"")
    record(folder)
    world.approve(folder)
    return folder


@way(ApprovalError, "is not what its run left")
def _(world: World) -> Path:
    """Files changed between submission and approval."""
    folder = world.submit()
    confirmation = world.confirmation(folder)
    write(folder / "guide.stl", b"another guide")
    world.reviews.approve(folder, world.who("bora"), confirmation)
    return folder


@way(ApprovalError, "guide.stl was changed since it was approved")
def _(world: World) -> Path:
    """The guide changed after the approval, the run's record made to fit."""
    folder = world.approved()
    write(folder / "guide.stl", b"another guide")
    write(folder / "run.json", b"")
    record(folder)
    return folder


@way(ApprovalError, "plan.json was changed since it was approved")
def _(world: World) -> Path:
    """The plan changed after the approval."""
    folder = world.approved()
    edit(folder / "plan.json", lambda content: content["tunnels"][0].update(entry_mm=[1.0, 2.5, -8.0]))
    return folder


@way(ApprovalError, "run.json was changed since it was approved")
def _(world: World) -> Path:
    """A parameter changed after the approval."""
    folder = world.approved()
    run = json.loads((folder / "run.json").read_text())
    run["parameters"]["order"]["size"] = "L"
    write(folder / "run.json", json.dumps(run).encode())
    return folder


@way(ApprovalError, "is not approved: it is draft")
def _(world: World) -> Path:
    """The files of an approved revision copied into another."""
    shutil.copytree(world.approved(), world.output / CASE / "r002")
    return world.output / CASE / "r002"


@way(ApprovalError, "guide.stl was changed since it was approved")
def _(world: World) -> Path:
    """Another revision renamed to the approved one."""
    folder, other = world.approved(), make_revision(world.output, "r002")
    folder.rename(folder.with_name("aside"))
    return other.rename(folder)


@way(ApprovalError, "is not approved: it is draft")
def _(world: World) -> Path:
    """The approved files under another patient's name."""
    target = world.output / "Z020-left" / "r001"
    target.parent.mkdir()
    return shutil.copytree(world.approved(), target)


@way(ResultError, "expected a result folder")
def _(world: World) -> Path:
    """The approved folder outside the results."""
    folder = world.approved()
    (world.output.parent / "elsewhere" / CASE).mkdir(parents=True)
    return shutil.copytree(folder, world.output.parent / "elsewhere" / CASE / "r001")


@way(ApprovalError, "is not approved: it is draft")
def _(world: World) -> Path:
    """A link from another name to the approved folder's neighbour."""
    folder, other = world.approved(), world.revision("r002")
    link = world.output / CASE / "r003"
    link.symlink_to(other)
    assert folder.is_dir()
    return link


@way(ApprovalError, "a link or device; remove it")
def _(world: World) -> Path:
    """The approved guide replaced by a link to something that may change later."""
    folder = world.approved()
    moved = world.output / "guide.stl"
    shutil.copy(folder / "guide.stl", moved)
    folder.chmod(0o700)
    (folder / "guide.stl").unlink()
    (folder / "guide.stl").symlink_to(moved)
    return folder


@way(ApprovalError, "expected the plan of Z019L-left, found that of Z019L-right")
def _(world: World) -> Path:
    """A plan of the other side in this side's folder."""
    return world.submit(content=plan(side="right"))


# --- in the database ---


@way(ChainError, "entry 8 was changed")
def _(world: World) -> Path:
    """A rejection turned into an approval in the database."""
    folder = world.submit()
    world.reviews.reject(folder, world.who("bora"), world.confirmation(folder).submission, "no")
    sql(world, "UPDATE entries SET action = 'approved' WHERE action IN ('submitted', 'rejected')")
    return folder


@way(ChainError, "entry 9 of the audit chain holds a record of another act: 'rejected' instead of 'approved'")
def _(world: World) -> Path:
    """The same, with every hash computed anew."""
    folder = world.submit()
    world.reviews.reject(folder, world.who("bora"), world.confirmation(folder).submission, "no")
    made_anew(world, lambda entries: entries.append(replace(entries.pop(), action="approved")))
    return folder


@way(ChainError, "entry 10 was changed|entry 10 is missing|does not follow")
def _(world: World) -> Path:
    """A voiding removed from the middle of the database."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    world.submit("r002")
    sql(world, "DELETE FROM entries WHERE action = 'voided'")
    return folder


@way(ChainError, "place in the chain")
def _(world: World) -> Path:
    """A voiding removed, and every hash computed anew."""
    folder = world.submit()
    world.reviews.people.new_key(world.who("cem"))
    world.approve(folder)
    made_anew(world, lambda entries: entries.pop(-2))
    return folder


@way(ChainError, "does not bear the signature of bora")
def _(world: World) -> Path:
    """An approval written into the chain with a signature of nothing."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    content = signed_by(world, "bora", found) | {"signature": "A" * 86 + "=="}
    forge(world, "bora", "approved", content)
    return folder


@way(ChainError, "holds a record of another place in the chain|holds a record of another time")
def _(world: World) -> Path:
    """An old approval entered again after the revision was submitted anew."""
    folder = world.approved()
    old = world.reviews.approval_of(folder).entry
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "bora", "approved", old.body)
    return folder


@way(ChainError, "holds a record of another revision: 'Z019L-left/r001' instead of 'Z019L-left/r002'")
def _(world: World) -> Path:
    """The approval of one revision entered for another."""
    approved = approval_record(world, world.approved())
    other = world.submit("r002")
    forge(world, "bora", "approved", signed_by(world, "bora", approved), f"{CASE}/r002")
    return other


@way(ChainError, "names another key than the one bora had then")
def _(world: World) -> Path:
    """An engineer signs, and the entry names a surgeon."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "bora", "approved", signed_by(world, "ann", found))
    return folder


@way(ChainError, "was done in a role that may not")
def _(world: World) -> Path:
    """An engineer signs an approval with a program of their own."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "emre", "approved", signed_by(world, "emre", found))
    return folder


@way(ChainError, "approves another submission")
def _(world: World) -> Path:
    """A surgeon signs an approval of an earlier submission with a program of their own."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "bora", "approved", signed_by(world, "bora", found))
    return folder


@way(ChainError, "was done in a role that may not|holds a record of another roles")
def _(world: World) -> Path:
    """An engineer signs an approval that says she is a surgeon."""
    says = {"roles": (Role.ENGINEER, Role.SURGEON), "role": Role.SURGEON}
    return signed_anew(world, "emre", signer_says=says)


@way(ChainError, "holds a record of another printed name: 'Dila Er' instead of 'Bora Demir'")
def _(world: World) -> Path:
    """A surgeon signs under another's printed name."""
    return signed_anew(world, signer_says={"printed_name": "Dila Er"})


@way(ChainError, "holds a record of another meaning")
def _(world: World) -> Path:
    """A surgeon signs that it was only looked at, and the entry says approved."""
    return signed_anew(world, meaning="I have looked at it.")


@way(ApprovalError, "the hash of what was shown is not that of what stands here")
def _(world: World) -> Path:
    """A surgeon signs the hash of another page."""
    return signed_anew(world, shown_sha256="0" * 64)


@way(ApprovalError, "the findings are not those that were submitted")
def _(world: World) -> Path:
    """A surgeon signs other findings."""
    return signed_anew(world, findings_sha256="0" * 64)


@way(ApprovalError, "what is recorded of the two people is not so")
def _(world: World) -> Path:
    """A surgeon signs that somebody else submitted."""
    said = {"required": True, "submitted_by": "emre", "submitted_by_name": "Emre Ak", "two": True}
    return signed_anew(world, two_people=said)


@way(ApprovalError, "expected patient Z019L and side left to be typed back, found 'Z020' and 'left'")
def _(world: World) -> Path:
    """A surgeon signs that another patient was typed and matched."""
    return signed_anew(world, typed={"patient_id": "Z020", "side": "left", "matched": True})


@way(ApprovalError, "plan.json was changed since it was approved")
def _(world: World) -> Path:
    """A surgeon signs other files than are there."""
    approved = file_hashes(world.revision())
    return signed_anew(world, files=approved | {"plan.json": "0" * 64})


@way(ChainError, "releases under another approval")
def _(world: World) -> Path:
    """An engineer releases under an approval that there is not."""
    folder = world.released()
    released = world.reviews.record_of(world.reviews.entries()[-1])
    assert isinstance(released, Released)
    forge(world, "ann", "released", signed_by(world, "ann", released, approval="0" * 64))
    return folder


@way(ApprovalError, "this warning was not acknowledged")
def _(world: World) -> Path:
    """A surgeon signs an approval without its warnings with a program of their own."""
    folder = world.submit(content=plan([WARNING]))
    found = approval_record(world, approved(world, folder))
    world.reviews.submit(folder, world.who("ann"))
    submission = world.confirmation(folder).submission
    forge(world, "bora", "approved", signed_by(world, "bora", found, submission=submission, warnings=()))
    return folder


@way(ApprovalError, "it expired at")
def _(world: World) -> Path:
    """A surgeon signs a far later end with a program of their own."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    submission, late = world.confirmation(folder).submission, "2126-01-01T00:00:00.000000Z"
    forge(world, "bora", "approved", signed_by(world, "bora", found, submission=submission, expires_utc=late))
    world.clock.forward(days=61)
    return folder


@way(ApprovalError, "the images are older than the day 2025-11-30 that is stated")
def _(world: World) -> Path:
    """A surgeon states younger images than the files with a program of their own."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    imaging = {"day": "2025-11-30", "source": "signer"}
    submission = world.confirmation(folder).submission
    forge(world, "bora", "approved", signed_by(world, "bora", found, submission=submission, imaging=imaging))
    return folder


@way(ChainError, "is signed by 'eve', who had no key then")
def _(world: World) -> Path:
    """Somebody who is nobody signs."""
    folder = world.submit()
    forge(world, "eve", "approved", {"record": "{}", "signature": "", "fingerprint": ""})
    return folder


@way(ChainError, "has a key that cannot be: the fingerprint is not the key's")
def _(world: World) -> Path:
    """Another key put into the chain under the fingerprint of a surgeon's."""
    folder = world.approved()
    key = {"fingerprint": world.reviews.people.find("bora").key.fingerprint, "public_pem": new_key().public_pem}
    forge(world, "bora", "key made", key, "person:bora")
    return folder


@way(ChainError, "goes on with a disabled account")
def _(world: World) -> Path:
    """A new key put into the chain for a surgeon whose account was closed."""
    folder, key = world.approved(), new_key()
    world.reviews.people.disable("bora", "test")
    body = {"fingerprint": key.fingerprint, "public_pem": key.public_pem}
    forge(world, "command line: eve", "password replaced", body, "person:bora")
    return folder


@way(ReviewError, "expected the hash of the warning's own text")
def _(world: World) -> Path:
    """A surgeon signs a warning by the hash of another."""
    return signed_anew(world, warnings=({"text": WARNING, "sha256": "0" * 64},))


@way(ReviewError, "expected an event of the record's own act")
def _(world: World) -> Path:
    """A lot is discarded, and the record says that it was used."""
    event = Discarded(lot=LOT, operator="Ela Su", reason="dropped")
    found = approval_record(world, world.approved()).model_dump(include={"case_id", "side", "revision", "signer"})
    head = {
        "meaning": "m",
        "time_utc": "2025-12-01T09:00:00.000000Z",
        "time_local": "t",
        "time_zone": "UTC",
        "software": {},
        "prev_hash": "0" * 64,
    }
    record_from({**found, **head, "act": "used", "release": "0" * 64, "event": event})
    return world.made["r001"]


@way(ChainError, "is signed by 'bora', who had no key then")
def _(world: World) -> Path:
    """A surgeon signs after the account was closed, with a key that was kept."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    content = signed_by(world, "bora", found)
    world.reviews.people.disable("bora", "test")
    forge(world, "bora", "approved", content)
    return folder


@way(ChainError, "names another key than the one bora had then")
def _(world: World) -> Path:
    """A surgeon's old key, after a new one was made."""
    folder = world.approved()
    found, old = approval_record(world, folder), key_of(world, "bora")
    world.reviews.submit(folder, world.who("ann"))
    world.reviews.people.new_key(world.who("bora"))
    forge(world, "bora", "approved", seal(found, old))
    return folder


@way(ChainError, "holds a record that is not in canonical form|holds no record")
def _(world: World) -> Path:
    """A record that reads in two ways, signed by a surgeon."""
    folder = world.approved()
    found, key = approval_record(world, folder), key_of(world, "bora")
    world.reviews.submit(folder, world.who("ann"))
    doubled = text_of(found).replace('{"act":', '{"side":"right","act":', 1)
    signature = key.sign(RECORD_TYPE, doubled.encode())
    forge(world, "bora", "approved", {"record": doubled, "signature": signature, "fingerprint": key.fingerprint})
    return folder


@way(ChainError, "replaces a revision without an act that does so")
def _(world: World) -> Path:
    """A revision superseded by nobody, so that another one takes its place."""
    folder = world.approved()
    forge(world, "guidegen", "superseded", {"by": f"{CASE}/r002", "cause": "0" * 64})
    return folder


@way(ChainError, "does what nobody can do to a revision: 'unvoided'")
def _(world: World) -> Path:
    """An act that is none."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    forge(world, "ann", "unvoided", {})
    return folder


@way(ChainError, "the chain was cut off or made anew")
def _(world: World) -> Path:
    """The database put back as it was before a voiding, with the head noted on a dossier."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    noted = world.reviews.entries()[-1].hash
    sql(world, "DELETE FROM entries WHERE action = 'voided'")
    assert world.reviews.state_of(folder) is State.APPROVED
    world.reviews.verify(noted)
    return folder


@way(ChainError, "the first entry is not the beginning")
def _(world: World) -> Path:
    """Every entry removed."""
    folder = world.submit()
    sql(world, "DELETE FROM entries")
    return folder


@way(ApprovalError, "is not approved: it is draft")
def _(world: World) -> Path:
    """A fresh database in place of the one that knows of a voiding."""
    folder = world.approved()
    world.reviews.void(folder, world.who("ann"), "wrong bone")
    fresh = Reviews.open(world.output / "fresh", clock=FakeClock(START), measure=measured)
    fresh.output = world.output
    world.reviews.close()
    world.reviews = fresh
    return folder


# --- in time ---


@way(ApprovalError, "it expired at")
def _(world: World) -> Path:
    """An approval that is too old."""
    folder = world.approved()
    world.clock.forward(days=60)
    return folder


@way(ReviewError, "set the machine's clock")
def _(world: World) -> Path:
    """An approval that is too old, with the clock set back."""
    folder = world.approved()
    world.clock.forward(days=60)
    world.reviews.void(world.revision("r002"), world.who("ann"), "an entry of that day")
    world.clock.forward(days=-59)
    return folder


# --- by the other doors ---


@way(ChainError, "does not bear the signature of bora")
def _(world: World) -> Path:
    """A record signed as if it were the manifest of a release."""
    folder = world.approved()
    content = signed_by(world, "bora", approval_record(world, folder))
    world.reviews.submit(folder, world.who("ann"))
    signed = world.reviews.sign_manifest(world.who("bora"), content["record"].encode())
    forge(world, "bora", "approved", content | {"signature": signed.signature})
    return folder


@way(ApprovalError, "guide.stl bears the name of an approved file and is another")
def _(world: World) -> Path:
    """Another guide released under an approval."""
    folder = world.approved()
    world.reviews.release(folder, world.who("ann"), {"print/guide.stl": "0" * 64, "m": "ab" * 32}, "ab" * 32, "a stick")
    return folder


@way(ApprovalError, "the approved guide.stl is not among the released files")
def _(world: World) -> Path:
    """A release without the approved guide."""
    folder = world.approved()
    world.reviews.release(folder, world.who("ann"), {"part.stl": "0" * 64, "m": "ab" * 32}, "ab" * 32, "a stick")
    return folder


def test_the_ways_are_tried_on_something_that_works(world: World) -> None:
    """Nothing above is refused for another reason than its own."""
    folder = world.submit(content=plan([WARNING], [WAIVER]))
    world.approve(folder)
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    submission = world.confirmation(folder).submission
    content = signed_by(world, "bora", found, submission=submission)
    forge(world, "bora", "approved", content)
    assert read_record(content["record"], "here") == world.reviews.approval_of(folder).record

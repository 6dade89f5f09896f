"""The whole audit: what a chain whose hashes are right may still not hold."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_cases import CASE, LOT, World, copy_database, open_world
from review_forgery import approval_record, forge, key_of, signed_anew, signed_by

from guidegen.errors import ApprovalError, ChainError
from guidegen.review import audit, chain
from guidegen.review.approval import find_approval
from guidegen.review.chain import Entry, faults
from guidegen.review.events import Used
from guidegen.review.records import MEANINGS, Rejected, Released, record_from
from guidegen.review.revision import place_of
from guidegen.review.signed import seal


def test_a_whole_chain_is_counted(world: World) -> None:
    world.released()
    world.submit("r002")
    found = world.reviews.verify()
    entries = world.reviews.entries()
    assert (found.entries, found.signatures, found.head) == (11, 4, entries[-1].hash)
    assert world.reviews.verify(entries[2].hash) == found


def test_an_approval_that_does_not_hold_any_more_is_whole_all_the_same(world: World) -> None:
    folder = world.approved()
    world.clock.forward(days=61)
    with pytest.raises(ApprovalError, match="it expired"):
        world.reviews.approval_of(folder)
    world.reviews.verify()


def old_submission(world: World) -> None:
    """An approval of an earlier submission than the last."""
    folder = world.approved()
    found = approval_record(world, folder)
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "bora", "approved", signed_by(world, "bora", found))


def old_rejection(world: World) -> None:
    """A rejection of an earlier submission than the last."""
    folder = world.submit()
    entry = world.reviews.reject(folder, world.who("bora"), world.confirmation(folder).submission, "no")
    found = world.reviews.record_of(entry)
    assert isinstance(found, Rejected)
    world.reviews.submit(folder, world.who("ann"))
    forge(world, "bora", "rejected", signed_by(world, "bora", found))


def release_of_nothing(world: World) -> None:
    """A release under an approval that there is not."""
    world.released()
    found = world.reviews.record_of(world.reviews.entries()[-1])
    assert isinstance(found, Released)
    forge(world, "ann", "released", signed_by(world, "ann", found, approval="0" * 64))


def used_before_print(world: World) -> None:
    """A lot that was used, and never printed."""
    folder = world.released()
    head = world.reviews.entries()[-1]
    found: dict[str, Any] = approval_record(world, folder).model_dump(
        include={"case_id", "side", "revision", "signer", "time_local", "time_zone", "software"}
    )
    moment = chain.time_after(head, world.clock.now.replace(microsecond=world.clock.now.microsecond + 1))
    event = Used(lot=LOT, operator="Ela Su", patient_id="Z019L", side="left")
    record = record_from(
        {
            **found,
            "act": "used",
            "meaning": MEANINGS["used"],
            "time_utc": moment,
            "prev_hash": head.hash,
            "release": head.hash,
            "event": event,
        }
    )
    forge(world, "bora", "used", seal(record, key_of(world, "bora")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (old_submission, "entry 11 of the audit chain answers another entry than the last"),
        (old_rejection, "entry 11 of the audit chain answers another entry than the last"),
        (release_of_nothing, "entry 11 of the audit chain answers another entry than the last"),
        (used_before_print, "the lots of Z019L-left/r001 cannot be: expected a lot that is sterilised to be used"),
        (lambda world: signed_anew(world, "emre"), "was done in a role that may not"),
        (lambda world: forge(world, "eve", "voided", {}, f"{CASE}/r001"), "is signed by 'eve', who had no key then"),
        (lambda world: forge(world, "ann", "person disabled", {}, "person:eve"), "tells of a person who is not there"),
    ],
    ids=["an old submission", "an old rejection", "no approval", "no print", "another role", "nobody", "no person"],
)
def test_what_cannot_be_is_found(world: World, change: Callable[[World], object], said: str) -> None:
    change(world)
    with pytest.raises(ChainError, match=said):
        world.reviews.verify()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = ("printed_name", "roles", "fingerprint", "public_pem", "record", "signature", "by", "cause")
TABLES = st.dictionaries(st.sampled_from(WORDS), JSON, max_size=4).map(json.dumps)
ACTIONS = (
    *("submitted", "approved", "rejected", "superseded", "voided", "released", "printed", "used", "discarded"),
    *("person added", "key made", "person disabled", "password replaced", "guessing", "chain begun", "another"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, populated: Any) -> Any:
    """A released revision: its world and its chain."""
    output = tmp_path_factory.mktemp("whole")
    copy_database(populated, output)
    world = open_world(output)
    world.released()
    yield world, world.reviews.entries()
    world.reviews.close()


@settings(max_examples=200)
@given(
    content=TABLES | JSON.map(json.dumps) | st.text(),
    action=st.sampled_from(ACTIONS),
    subject=st.sampled_from((f"{CASE}/r001", f"{CASE}/r002", "person:bora", "person:eve", "chain", "a/b", "/")),
    actor=st.sampled_from(("ann", "bora", "eve", "guidegen", "")),
    kept=st.integers(0, 12),
)
def test_whatever_is_appended_by_hand_is_refused_in_words(
    whole: Any, content: str, action: str, subject: str, actor: str, kept: int
) -> None:
    world, entries = whole
    last = entries[-1]
    fields = json.loads(last.content) | (json.loads(content) if content.startswith("{") else {}) if kept > 9 else None
    text = content if fields is None else json.dumps(fields)
    forged = Entry(last.seq + 1, last.time, actor, action, subject, text, last.hash, "")
    chain_ = (*entries, replace(forged, hash=forged.true_hash))
    assert faults(chain_) == ()
    place = place_of(world.output, world.output / CASE / "r001")
    with contextlib.suppress(ChainError):
        audit.verify(chain_)
    with contextlib.suppress(ApprovalError):
        find_approval(place, chain_, world.policy.rules, world.clock.now)


@pytest.mark.parametrize("time", ["", "now", "2025-12-01", "2025-12-01T09:02:00Z", "9999-99-99T00:00:00.000000Z"])
def test_a_time_that_is_none_is_a_fault(world: World, time: str) -> None:
    last = world.reviews.entries()[-1]
    forged = Entry(last.seq + 1, time, "ann", "noted", "chain", "{}", last.hash, "")
    assert any("or of no time at all" in each for each in faults((*world.reviews.entries(), forged)))

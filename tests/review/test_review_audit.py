"""The whole audit: what a chain whose hashes are right may still not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from review_cases import CASE, World
from review_forgery import approval_record, forge, key_of, signed_anew, signed_by

from guidegen.errors import ApprovalError, ChainError
from guidegen.review import chain
from guidegen.review.events import Used
from guidegen.review.records import MEANINGS, Rejected, Released, record_from
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
    event = Used(lot="L1", operator="Ela Su", patient_id="Z019L", side="left")
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

"""The audit chain: every edit, removal, move and cut is found, and the database refuses each of them first."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from review_cases import START, FakeClock, World
from sqlalchemy import text

from guidegen.errors import ChainError, DatabaseError, ReviewError
from guidegen.review import chain
from guidegen.review.canonical import canonical
from guidegen.review.chain import NOTHING, Entry, faults
from guidegen.review.database import Database, open_database

Entries = list[Entry]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(tmp_path)
    with opened.writing() as connection:
        chain.begin(connection, START)
    return opened


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """A chain of twenty."""
    database, clock = open_database(tmp_path_factory.mktemp("chain")), FakeClock()
    with database.writing() as connection:
        chain.begin(connection, clock())
        for number in range(19):
            chain.append(connection, clock(), "ann", "noted", f"person:{number % 3}", {"number": number, "text": "ğ"})
        found = chain.all_entries(connection)
    database.close()
    return found


# --- what a hash is ---


def test_the_hash_is_that_of_the_canonical_json_without_it() -> None:
    entry = Entry(2, "2025-12-01T09:00:00.000000Z", "ann", "noted", "person:ann", '{"a":1}', "0" * 64, "")
    written = (
        '{"action":"noted","actor":"ann","content":"{\\"a\\":1}","prev_hash":"' + "0" * 64 + '","seq":2,'
        '"subject":"person:ann","time":"2025-12-01T09:00:00.000000Z"}'
    )
    assert entry.true_hash == hashlib.sha256(written.encode()).hexdigest()


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=6, max_size=6), seq=st.integers(1, 2**50)
)
def test_the_hashed_text_is_that_of_rfc_8785(texts: list[str], seq: int) -> None:
    entry = Entry(seq, *texts, hash="")
    fields = asdict(entry)
    del fields["hash"]
    assert entry.true_hash == hashlib.sha256(rfc8785.dumps(fields)).hexdigest()


def test_canonical_json_sorts_and_writes_numbers_as_ecmascript_does() -> None:
    assert canonical({"b": 1.0, "a": [1e21, 0.1, 1e-7, True, None], "€": "ğ\n"}) == (
        '{"a":[1e+21,0.1,1e-7,true,null],"b":1,"€":"ğ\\n"}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", 2**60])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ReviewError, match="expected plain numbers and text to record"):
        canonical({"value": value})


def test_a_whole_chain_has_no_faults(entries: tuple[Entry, ...]) -> None:
    assert len(entries) == 20
    assert entries[0].prev_hash == NOTHING
    assert faults(entries) == faults(entries, head=entries[5].hash) == ()


def test_two_chains_never_share_a_hash(database: Database, entries: tuple[Entry, ...]) -> None:
    with database.reading() as connection:
        assert chain.last(connection).hash not in chain.hashes(entries)


# --- what is done to it ---


def changed(**fields: object) -> Callable[[Entries], None]:
    """Changes the eighth entry."""

    def alter(entries: Entries) -> None:
        entries[7] = replace(entries[7], **fields)  # type: ignore[arg-type]

    return alter


def made_right(entries: Entries) -> None:
    """Changes the eighth entry and gives it the hash that fits."""
    entries[7] = replace(entries[7], actor="eve")
    entries[7] = replace(entries[7], hash=entries[7].true_hash)


def made_anew(entries: Entries) -> None:
    """Changes the eighth entry and all hashes after it."""
    entries[7] = replace(entries[7], actor="eve")
    for number in range(7, len(entries)):
        entry = replace(entries[number], prev_hash=entries[number - 1].hash)
        entries[number] = replace(entry, hash=entry.true_hash)


def aged(entries: Entries) -> None:
    """Sets the eighth entry back in time, and makes all hashes after it anew."""
    entries[7] = replace(entries[7], time="2020-01-01T00:00:00.000000Z")
    made_anew(entries)


def moved(entries: Entries) -> None:
    entries[7], entries[8] = entries[8], entries[7]


def renumbered(entries: Entries) -> None:
    """Removes the eighth and closes the gap."""
    del entries[7]
    for number in range(7, len(entries)):
        entries[number] = replace(entries[number], seq=number + 1)


ALTERATIONS: dict[str, tuple[Callable[[Entries], None], str]] = {
    "a time": (changed(time="2025-12-01T08:00:00.000000Z"), "entry 8 was changed"),
    "an actor": (changed(actor="eve"), "entry 8 was changed"),
    "an action": (changed(action="approved"), "entry 8 was changed"),
    "a subject": (changed(subject="person:eve"), "entry 8 was changed"),
    "a content": (changed(content='{"number":7}'), "entry 8 was changed"),
    "a previous hash": (changed(prev_hash="1" * 64), "entry 8 does not follow"),
    "a hash": (changed(hash="1" * 64), "entry 8 was changed"),
    "a number": (changed(seq=9), "entry 8 is missing or in another place"),
    "an entry, with its hash made right": (made_right, "entry 9 does not follow"),
    "a time, with every hash made right": (aged, "entry 8 is older than the one before it"),
    "an entry removed": (lambda entries: entries.pop(7), "entry 8 is missing"),
    "an entry removed, the others renumbered": (renumbered, "entry 8 was changed"),
    "the first removed": (lambda entries: entries.pop(0), "the first entry is not the beginning"),
    "two swapped": (moved, "entry 8 is missing or in another place"),
    "one doubled": (lambda entries: entries.insert(7, entries[7]), "entry 9 is missing or in another place"),
    "all reversed": (lambda entries: entries.reverse(), "the first entry is not the beginning"),
    "all removed": (lambda entries: entries.clear(), "the first entry is not the beginning"),
}  # fmt: skip


@pytest.mark.parametrize(("alter", "said"), ALTERATIONS.values(), ids=ALTERATIONS)
def test_every_alteration_is_found(entries: tuple[Entry, ...], alter: Callable[[Entries], None], said: str) -> None:
    altered = list(entries)
    alter(altered)
    assert any(said in fault for fault in faults(altered)), faults(altered)


@pytest.mark.parametrize("kept", range(1, 20))
def test_an_end_that_was_cut_off_is_found_with_a_head_noted_outside(entries: tuple[Entry, ...], kept: int) -> None:
    assert faults(entries[:kept]) == ()
    (fault,) = faults(entries[:kept], head=entries[-1].hash)
    assert "the chain was cut off or made anew" in fault


def test_a_chain_that_was_made_anew_is_found_with_a_head_noted_outside(entries: tuple[Entry, ...]) -> None:
    altered = list(entries)
    made_anew(altered)
    assert faults(altered) == ()
    assert len(faults(altered, head=entries[-1].hash)) == 1


def test_a_hundred_flipped_bits_in_every_entry_are_found_and_named(entries: tuple[Entry, ...]) -> None:
    draw = random.Random(7)
    for number, entry in enumerate(entries):
        fields = {name: str(value).encode() for name, value in asdict(entry).items()}
        places = [(name, place) for name, raw in fields.items() for place in range(len(raw))]
        for name, place in draw.sample(places, 100):
            flipped = bytearray(fields[name])
            flipped[place] ^= 1  # a digit stays a digit, a letter one byte
            new = flipped.decode(errors="replace")
            altered = [*entries]
            altered[number] = replace(entry, **{name: int(new) if name == "seq" else new})
            assert any(re.search(rf"entry ({entry.seq}|{entry.seq + 1}) ", fault) for fault in faults(altered))


# --- the database's own refusals ---

REST = "action, subject, content"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entries SET actor = 'eve' WHERE seq = 1", "no entry may be changed"),
        ("DELETE FROM entries WHERE seq = 1", "no entry may be removed"),
        (f"REPLACE INTO entries SELECT 1, time, 'eve', {REST}, prev_hash, hash FROM entries", "after the last"),
        (f"INSERT INTO entries SELECT 3, time, actor, {REST}, hash, 'h' FROM entries", "after the last"),
        (f"INSERT INTO entries SELECT 2, time, actor, {REST}, 'p', 'h' FROM entries", "after the last"),
        ("INSERT INTO entries VALUES (2, 1.5, 'a', 'b', 'c', 'd', NULL, 'h')", "NOT NULL|after the last"),
    ],
)  # fmt: skip
def test_the_database_refuses_every_change(database: Database, statement: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said), database.writing() as connection:
        connection.execute(text(statement))
    with database.reading() as connection:
        assert len(chain.all_entries(connection)) == 1


def test_a_column_holds_its_own_kind_alone(database: Database) -> None:
    with (
        pytest.raises(DatabaseError, match="cannot store TEXT value in INTEGER column"),
        database.writing() as connection,
    ):
        connection.execute(text("INSERT INTO guesses VALUES ('user:ann', 'many', 'now')"))


def test_what_was_changed_past_the_triggers_is_found(world: World) -> None:
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("DROP TRIGGER entries_are_not_changed"))
        connection.execute(text("UPDATE entries SET content = replace(content, 'surgeon', 'admin') WHERE actor <> 'x'"))
    with pytest.raises(ChainError, match="entry 4 was changed"):
        world.reviews.entries()
    with pytest.raises(ChainError, match="entry 4 of the audit chain was changed"):
        world.reviews.people.find("bora")


def test_many_faults_are_counted_not_listed(entries: tuple[Entry, ...], database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP TRIGGER entries_come_in_order"))
        for number in range(2, 30):
            row = asdict(entries[0]) | {"seq": number, "prev_hash": str(number), "hash": str(number)}
            connection.execute(text(f"INSERT INTO entries VALUES (:{', :'.join(row)})"), row)
    with pytest.raises(ChainError, match="and 36 more") as caught, database.reading() as connection:
        chain.all_entries(connection)
    assert len(caught.value.reasons) == 21


# --- time ---


def test_an_entry_is_never_older_than_the_one_before(database: Database) -> None:
    with database.writing() as connection:
        entry = chain.append(connection, START - timedelta(minutes=4), "ann", "noted", "chain", {})
    assert entry.time == "2025-12-01T09:00:00.000000Z"


def test_a_clock_that_was_set_back_is_refused(database: Database) -> None:
    with pytest.raises(ReviewError, match="set the machine's clock"), database.writing() as connection:
        chain.append(connection, START - timedelta(minutes=6), "ann", "noted", "chain", {})


def test_what_is_raised_inside_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            chain.append(connection, START, "ann", "noted", "chain", {})
            raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        fail()
    with database.reading() as connection:
        assert chain.last(connection).seq == 1


def test_a_content_is_kept_as_the_text_it_is(database: Database) -> None:
    with database.writing() as connection:
        entry = chain.append(connection, START, "ann", "noted", "chain", {"z": 2.0, "a": "ğ"})
    assert entry.content == '{"a":"ğ","z":2}'
    assert entry.body == json.loads(entry.content)

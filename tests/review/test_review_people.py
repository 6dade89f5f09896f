"""Accounts, passwords, keys, guessing and sessions."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY as RFC
from hypothesis import given
from hypothesis import strategies as st
from review_cases import PEOPLE, SHIPPED, World, open_world, password_of
from sqlalchemy import select, text

from guidegen.check.finding import Finding
from guidegen.errors import AccessError, ChainError, ReviewError, TooManyGuesses
from guidegen.review import guesses, passwords
from guidegen.review.keys import (
    MANIFEST_TYPE,
    RECORD_TYPE,
    SigningKey,
    fingerprint_of,
    is_signed,
    new_key,
    pre_authentication,
    unwrapped,
)
from guidegen.review.passwords import Cost
from guidegen.review.people import Credentials
from guidegen.review.persons import Role, same_name
from guidegen.review.tables import GUESSES, SECRETS, SESSIONS

NEW = "a new and better phrase"
WRONG = "expected a user and the password that belongs to it"


def secret_of(world: World, user: str) -> dict[str, str]:
    with world.reviews._desk.database.reading() as connection:
        row = connection.execute(select(SECRETS).where(SECRETS.c.person == user)).mappings().one()
    return dict(row)


def put_secret(world: World, user: str, **values: str) -> None:
    with world.reviews._desk.database.writing() as connection:
        connection.execute(SECRETS.update().where(SECRETS.c.person == user).values(**values))


# --- accounts ---


def test_an_account_is_what_the_chain_says(world: World) -> None:
    found = {person.user: (person.printed_name, person.roles) for person in world.reviews.people.all()}
    assert found == dict(PEOPLE)
    assert all(person.enabled and len(person.keys) == 1 for person in world.reviews.people.all())


@pytest.mark.parametrize("user", ["A", "a", "Ann", "1ann", "ann kaya", "ann/..", "ann:x", "a" * 33, "", "ann\x00"])
def test_a_user_id_that_cannot_be_is_refused(world: World, user: str) -> None:
    with pytest.raises(ReviewError, match="expected a user id of 2 to 32 small letters"):
        world.reviews.people.add(user, "New Person", [Role.ENGINEER], NEW, "test")


@pytest.mark.parametrize("name", ["", " ", "Two\nLines", " Spaced", "x" * 121, "\u202ereversed"])
def test_a_printed_name_that_cannot_be_is_refused(world: World, name: str) -> None:
    with pytest.raises(ReviewError, match="expected a printed name on one line"):
        world.reviews.people.add("neu", name, [Role.ENGINEER], NEW, "test")


def test_a_user_id_is_never_given_again(world: World) -> None:
    world.reviews.people.disable("emre", "test")
    with pytest.raises(ReviewError, match="expected a new user id, found 'emre', which is never given again"):
        world.reviews.people.add("emre", "Another Emre", [Role.ENGINEER], NEW, "test")


@pytest.mark.parametrize("name", ["Ann Kaya", "ANN KAYA", "Ann  Kaya", "Ann\u00a0Kaya"])
def test_a_person_has_one_account(world: World, name: str) -> None:
    assert same_name(name, "Ann Kaya")
    if name.isprintable():
        with pytest.raises(ReviewError, match="expected one account for each person"):
            world.reviews.people.add("ann2", name, [Role.SURGEON], NEW, "test")


def test_an_account_needs_a_role(world: World) -> None:
    with pytest.raises(ReviewError, match="expected at least one role"):
        world.reviews.people.add("neu", "New Person", [], NEW, "test")


def test_a_disabled_account_opens_nothing_and_says_nothing_of_it(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("emre"))
    world.reviews.people.disable("emre", "test")
    assert not world.reviews.people.find("emre").enabled
    with pytest.raises(AccessError, match=WRONG):
        world.reviews.people.authenticate(world.who("emre"))
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(opened.id)
    with pytest.raises(ReviewError, match="found emre disabled"):
        world.reviews.people.disable("emre", "test")
    with pytest.raises(ReviewError, match="found emre disabled"):
        world.reviews.people.replace_password("emre", NEW, "test")


def test_a_role_that_was_given_by_hand_breaks_the_chain(world: World) -> None:
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("DROP TRIGGER entries_are_not_changed"))
        connection.execute(text("UPDATE entries SET content = replace(content, 'engineer', 'surgeon') WHERE seq = 2"))
    with pytest.raises(ChainError, match="was changed: its content does not give its hash"):
        world.reviews.people.find("ann")


def test_who_made_what_stands_in_the_chain(world: World) -> None:
    world.reviews.people.change_password(world.who("ann"), NEW)
    world.reviews.people.replace_password("bora", NEW, "command line: root")
    world.reviews.people.new_key(world.who("cem"))
    world.reviews.people.disable("dila", "command line: root")
    told = [(entry.actor, entry.action, entry.subject) for entry in world.reviews.entries()[-4:]]
    assert told == [
        ("ann", "password changed", "person:ann"),
        ("command line: root", "password replaced", "person:bora"),
        ("cem", "key made", "person:cem"),
        ("command line: root", "person disabled", "person:dila"),
    ]


# --- passwords ---


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_a_password_has_its_length(password: str) -> None:
    with pytest.raises(ReviewError, match=f"expected a password of 12 to 1024 characters, found {len(password)}"):
        passwords.require_good(password, 12, "ann", "Ann Kaya")


@pytest.mark.parametrize("password", ["ann and more words", "MY NAME IS KAYA", "who is Ann Kaya?"])
def test_a_password_is_not_the_name(password: str) -> None:
    with pytest.raises(ReviewError, match="expected a password without the user's own name"):
        passwords.require_good(password, 12, "ann", "Ann Kaya")


def test_a_good_password_of_twelve() -> None:
    passwords.require_good("twelve chars", 12, "ann", "Ann Kaya")
    passwords.require_good("er is a short name", 12, "er", "Er")  # two letters are in too many words


def test_the_policy_says_the_length(world: World) -> None:
    with pytest.raises(ReviewError, match="of 12 to"):
        world.reviews.people.add("neu", "New Person", [Role.ENGINEER], "short", "test")


def test_letters_composed_differently_are_the_same_password() -> None:
    kept = passwords.hashed("gu\u0308zel bir parola")
    assert passwords.matches(kept, "g\u00fczel bir parola")
    assert not passwords.matches(kept, "guzel bir parola")
    assert not passwords.matches("no hash at all", "g\u00fczel bir parola")
    assert not passwords.matches(None, "g\u00fczel bir parola")
    assert not passwords.matches(kept, "\ud800")


def test_the_shipped_cost_is_that_of_the_rfc() -> None:
    assert Cost(RFC.time_cost, RFC.memory_cost, RFC.parallelism) == SHIPPED


def test_a_hash_of_another_cost_is_made_anew_at_the_next_login(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = secret_of(world, "ann")["password_hash"]
    world.reviews.people.authenticate(world.who("ann"))
    assert secret_of(world, "ann")["password_hash"] == before
    monkeypatch.setattr(passwords, "COST", Cost(passes=2, memory_kib=16, lanes=1))
    world.reviews.people.authenticate(world.who("ann"))
    after = secret_of(world, "ann")["password_hash"]
    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    assert after.startswith("$argon2id$")


def test_a_password_is_changed_with_the_old_one_and_the_key_stays(world: World) -> None:
    before = world.reviews.people.find("ann").key
    with pytest.raises(AccessError, match=WRONG):
        world.reviews.people.change_password(world.who("ann", password="not this one"), NEW)
    with pytest.raises(ReviewError, match="of 12 to"):
        world.reviews.people.change_password(world.who("ann"), "short")
    world.reviews.people.change_password(world.who("ann"), NEW)
    with pytest.raises(AccessError, match=WRONG):
        world.reviews.people.authenticate(world.who("ann"))
    person = world.reviews.people.authenticate(world.who("ann", password=NEW))
    assert person.key == before
    assert world.reviews.people.unlock(person, NEW).fingerprint == before.fingerprint


def test_a_lost_password_is_replaced_with_a_new_key(world: World) -> None:
    before = world.reviews.people.find("ann")
    after = world.reviews.people.replace_password("ann", NEW, "test")
    assert after.key != before.key
    assert [key.fingerprint for key in after.keys] == [before.key.fingerprint, after.key.fingerprint]
    with pytest.raises(AccessError, match=WRONG):
        world.reviews.people.authenticate(world.who("ann"))
    assert world.reviews.people.unlock(after, NEW).fingerprint == after.key.fingerprint


# --- keys ---


def test_a_key_opens_with_its_password_for_its_user_alone() -> None:
    key = new_key()
    wrapped = key.wrapped("ann", NEW)
    assert unwrapped(wrapped, "ann", key.fingerprint, NEW).public_pem == key.public_pem
    for user, fingerprint, password in (
        ("ann", key.fingerprint, "another password"),
        ("bora", key.fingerprint, NEW),
        ("ann", new_key().fingerprint, NEW),
    ):  # fmt: skip
        with pytest.raises(AccessError, match=f"expected the signing key of {user} behind this password"):
            unwrapped(wrapped, user, fingerprint, password)


def test_a_key_wrapped_under_the_name_of_another_is_refused() -> None:
    key, other = new_key(), new_key()
    key.fingerprint = other.fingerprint
    with pytest.raises(AccessError, match="expected the signing key of ann that the chain names, found another"):
        unwrapped(key.wrapped("ann", NEW), "ann", other.fingerprint, NEW)


def test_an_account_that_changes_in_the_middle_of_an_act_signs_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, folder, measure = world.reviews.people, world.revision(), world.reviews._measure

    def measure_slowly(place: Path) -> tuple[Finding, ...]:
        people.disable("ann", "test")
        return measure(place)

    world.reviews._measure = measure_slowly
    with pytest.raises(AccessError, match="expected the account ann as it was, found it changed; try again"):
        world.reviews.submit(folder, world.who("ann"))

    def make_slowly() -> SigningKey:
        people.disable("bora", "test")
        return new_key()

    monkeypatch.setattr("guidegen.review.keys.new_key", make_slowly)
    with pytest.raises(AccessError, match="expected the account bora as it was, found it changed meanwhile"):
        people.new_key(world.who("bora"))
    assert [entry.action for entry in world.reviews.entries()[-2:]] == ["person disabled", "person disabled"]


def test_every_flipped_bit_of_a_wrapped_key_is_found() -> None:
    key = new_key()
    wrapped = key.wrapped("ann", NEW)
    parts = json.loads(wrapped)
    for name in ("salt", "nonce", "sealed"):
        raw = base64.b64decode(parts[name])
        for place in range(len(raw)):
            flipped = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
            altered = parts | {name: base64.b64encode(flipped).decode()}
            with pytest.raises(AccessError, match="found none"):
                unwrapped(json.dumps(altered), "ann", key.fingerprint, NEW)
    for damaged in ("", "[]", "{}", '{"salt": 1}'):
        with pytest.raises(AccessError, match="found none"):
            unwrapped(damaged, "ann", key.fingerprint, NEW)


def test_a_signature_is_of_one_text_of_one_kind_by_one_key() -> None:
    key, other = new_key(), new_key()
    signature = key.sign(RECORD_TYPE, b"text")
    assert is_signed(key.public_pem, RECORD_TYPE, b"text", signature)
    for pem, kind, payload, signed in (
        (other.public_pem, RECORD_TYPE, b"text", signature),
        (key.public_pem, MANIFEST_TYPE, b"text", signature),
        (key.public_pem, RECORD_TYPE, b"Text", signature),
        (key.public_pem, RECORD_TYPE, b"text", signature[:-4] + "AAA="),
        (key.public_pem, RECORD_TYPE, b"text", "no base64"),
        (key.public_pem, RECORD_TYPE, b"text", ""),
    ):
        assert not is_signed(pem, kind, payload, signed)


def test_the_signed_bytes_are_those_of_dsse() -> None:
    # the example of the DSSE protocol
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_fingerprint_is_that_of_the_raw_key() -> None:
    base64_ = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, test 1
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64_}\n-----END PUBLIC KEY-----\n"
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert fingerprint_of(pem) == hashlib.sha256(raw).hexdigest()


def test_a_new_key_signs_from_then_on_and_the_old_one_stays_for_what_it_signed(world: World) -> None:
    folder = world.submit()
    world.approve(folder)
    old = world.reviews.people.find("bora").key
    new = world.reviews.people.new_key(world.who("bora")).key
    assert new.fingerprint != old.fingerprint
    approval = world.reviews.approval_of(folder)
    assert approval.public_pem == old.public_pem
    assert approval.record.signer.fingerprint == old.fingerprint
    second = world.approved("r002")
    assert world.reviews.approval_of(second).record.signer.fingerprint == new.fingerprint
    world.reviews.verify()


def test_a_key_that_was_put_in_by_hand_signs_nothing(world: World) -> None:
    key = new_key()
    put_secret(world, "bora", fingerprint=key.fingerprint, wrapped_key=key.wrapped("bora", password_of("bora")))
    with pytest.raises(AccessError, match="expected the key of bora that the chain names, found another one kept"):
        world.approve(world.submit())


def test_a_secret_that_was_swapped_opens_nothing(world: World) -> None:
    """Ann's hash and key in Bora's row: her password would open his account, but not his key."""
    ann = secret_of(world, "ann")
    put_secret(world, "bora", password_hash=ann["password_hash"], wrapped_key=ann["wrapped_key"])
    folder = world.submit()
    with pytest.raises(AccessError, match="expected the signing key of bora behind this password"):
        world.reviews.approve(folder, world.who("bora", password=password_of("ann")), world.confirmation(folder))


# --- guessing ---


def guess(world: World, user: str = "ann", address: str = "10.0.0.1", password: str = "wrong and wrong") -> None:
    world.reviews.people.authenticate(Credentials(user, password, address))


@pytest.mark.parametrize(
    ("failures", "wait"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (16, 2048), (17, 3600), (500, 3600)]
)
def test_the_wait_doubles_after_five(failures: int, wait: int) -> None:
    assert guesses.wait_s(failures) == wait


@given(st.integers(0, 200))
def test_the_wait_never_shrinks(failures: int) -> None:
    assert guesses.wait_s(failures) <= guesses.wait_s(failures + 1)


@pytest.mark.parametrize("user", ["ann", "nobody", "Not A User Id", "dis\x00abled", "\ud800"])
def test_guessing_is_slowed_the_same_for_users_who_are_not_there(world: World, user: str) -> None:
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, user)
    for wait_s in (1, 2, 4, 8, 16):
        with pytest.raises(TooManyGuesses, match=f"wait {wait_s} s and try again"):
            guess(world, user)
        world.clock.forward(seconds=wait_s)
        with pytest.raises(AccessError, match=WRONG):
            guess(world, user)


def test_the_right_password_waits_too_and_then_wipes_the_slate(world: World) -> None:
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world)
    with pytest.raises(TooManyGuesses, match=r"wait 1 s and try again") as caught:
        world.reviews.people.authenticate(world.who("ann", address="10.0.0.2"))
    assert caught.value.wait_s == 1
    world.clock.forward(seconds=1)
    world.reviews.people.authenticate(world.who("ann", address="10.0.0.2"))
    for _ in range(4):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, address="10.0.0.2")


def test_an_address_is_slowed_over_all_users(world: World) -> None:
    for user in ("ann", "bora", "cem", "dila", "emre"):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, user)
    with pytest.raises(TooManyGuesses, match="too many wrong passwords"):
        guess(world, "gul")
    world.reviews.people.authenticate(world.who("gul", address="10.0.0.2"))


def test_an_own_account_does_not_wipe_an_addresss_slate(world: World) -> None:
    for user in ("ann", "bora", "cem", "dila"):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, user)
    world.reviews.people.authenticate(world.who("emre", address="10.0.0.1"))
    with pytest.raises(AccessError, match=WRONG):
        guess(world, "ann")
    with pytest.raises(TooManyGuesses, match="too many wrong passwords"):
        guess(world, "gul")


def test_what_was_wrong_is_forgotten_after_a_day(world: World) -> None:
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world)
    world.clock.forward(hours=24, seconds=1)
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world)


def test_a_clock_set_back_makes_no_wait_longer(world: World) -> None:
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world)
    world.clock.forward(minutes=-4)
    with pytest.raises(TooManyGuesses, match="wait 1 s"):
        guess(world)


def test_many_guesses_at_once_gain_nothing(world: World) -> None:
    tried: list[type[AccessError]] = []

    def one() -> None:
        try:
            guess(world)
        except AccessError as error:
            tried.append(type(error))

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried) == 20
    assert tried.count(AccessError) == 5


def test_guessing_stands_in_the_chain_but_not_what_was_typed(world: World) -> None:
    for number in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, "my secret phrase 123", password=f"guess {number}")
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world, "ann", address="10.0.0.3")
    alerts = [entry for entry in world.reviews.entries() if entry.action == "guessing"]
    assert [(alert.actor, alert.subject) for alert in alerts] == [("guidegen", "chain"), ("guidegen", "person:ann")]
    assert alerts[1].body == {"address": "10.0.0.3", "failures": 5, "wait_s": 1}
    kept = (world.output / "guidegen.db").read_bytes() + (world.output / "guidegen.db-wal").read_bytes()
    assert b"my secret phrase" not in kept
    assert b"guess 4" not in kept


def test_failures_survive_a_restart(world: World) -> None:
    for _ in range(5):
        with pytest.raises(AccessError, match=WRONG):
            guess(world)
    world.reviews.close()
    again = open_world(world.output)
    with pytest.raises(TooManyGuesses, match="too many wrong passwords"):
        guess(again)
    again.reviews.close()


def test_users_who_are_not_there_do_not_fill_the_table(world: World) -> None:
    for number in range(30):
        with pytest.raises(AccessError):  # either of the two
            guess(world, f"nobody{number}", address=f"10.0.1.{number}")
    with world.reviews._desk.database.reading() as connection:
        sources = connection.execute(select(GUESSES.c.source)).scalars().all()
    assert sum(source.startswith("user:") for source in sources) == 0
    assert all(len(source) == len("unknown:abcd") for source in sources if source.startswith("unknown:"))


# --- sessions ---


def test_a_session_is_kept_by_the_hash_of_its_id(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("bora", address="127.0.0.1"))
    session = world.reviews.sessions.get(opened.id)
    assert (session.person.user, session.address) == ("bora", "127.0.0.1")
    assert len(opened.id) >= 43  # 256 bits
    with world.reviews._desk.database.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(SESSIONS)).mappings()]
    assert len(rows) == 1
    assert opened.id not in str(rows)
    assert rows[0]["id_sha256"].startswith(session.name)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(rows[0]["id_sha256"])


@pytest.mark.parametrize("shown", ["", "x", "\ud800", "' OR 1=1 --"])
def test_an_id_that_nobody_has_opens_nothing(world: World, shown: str) -> None:
    world.reviews.sessions.open(world.who("bora"))
    with pytest.raises(AccessError, match="expected an open session, found none"):
        world.reviews.sessions.get(shown)


def test_a_session_ends_when_idle(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("bora"))
    for _ in range(4):
        world.clock.forward(minutes=14)
        world.reviews.sessions.get(opened.id)
    world.clock.forward(minutes=15)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(opened.id)


def test_a_session_ends_with_its_age_however_busy(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("bora"))
    for _ in range(71):
        world.clock.forward(minutes=10)
        session = world.reviews.sessions.get(opened.id)
    assert session.ends <= session.opened + timedelta(hours=12)
    world.clock.forward(minutes=10)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(opened.id)


def test_a_clock_set_back_opens_no_session_that_is_yet_to_be(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("bora"))
    world.clock.forward(seconds=-30)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(opened.id)


def test_a_login_makes_a_new_id_and_ends_the_old_one(world: World) -> None:
    first = world.reviews.sessions.open(world.who("bora"))
    second = world.reviews.sessions.open(world.who("bora", session=first.id))
    assert second.id != first.id
    world.reviews.sessions.get(second.id)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(first.id)


def test_sessions_are_closed_by_word(world: World) -> None:
    one, two, other = (world.reviews.sessions.open(world.who(user)) for user in ("bora", "bora", "ann"))
    world.reviews.sessions.close(one.id)
    world.reviews.sessions.close(one.id)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(one.id)
    world.reviews.sessions.get(two.id)
    world.reviews.sessions.close_all("bora")
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(two.id)
    world.reviews.sessions.get(other.id)


@pytest.mark.parametrize("how", ["changed", "lost"])
def test_a_new_password_ends_every_session(world: World, how: str) -> None:
    opened = world.reviews.sessions.open(world.who("bora"))
    if how == "changed":
        world.reviews.people.change_password(world.who("bora"), NEW)
    else:
        world.reviews.people.replace_password("bora", NEW, "test")
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.sessions.get(opened.id)


def test_what_has_ended_is_removed_at_the_next_login(world: World) -> None:
    world.reviews.sessions.open(world.who("bora"))
    world.clock.forward(hours=1)
    world.reviews.sessions.open(world.who("ann"))
    with world.reviews._desk.database.reading() as connection:
        assert connection.execute(select(SESSIONS.c.person)).scalars().all() == ["ann"]


def test_an_act_in_a_session_is_its_owners_and_names_it(world: World) -> None:
    folder = world.revision()
    opened = world.reviews.sessions.open(world.who("ann"))
    with pytest.raises(AccessError, match="expected ann, whose session it is, found 'emre'"):
        world.reviews.submit(folder, world.who("emre", session=opened.id))
    entry = world.reviews.submit(folder, world.who("ann", session=opened.id))
    assert world.reviews.record_of(entry).signer.session == opened.session.name
    world.clock.forward(hours=1)
    with pytest.raises(AccessError, match="expected an open session"):
        world.reviews.void(folder, world.who("ann", session=opened.id), "late")


# --- secrets ---


def test_no_secret_is_shown(world: World) -> None:
    opened = world.reviews.sessions.open(world.who("bora"))
    credentials = world.who("bora", session=opened.id)
    key = world.reviews.people.unlock(world.reviews.people.find("bora"), password_of("bora"))
    told = repr((credentials, opened, opened.session, key, world.reviews.people.find("bora")))
    private = key._private.private_bytes_raw()
    for secret in (password_of("bora"), opened.id, private.hex(), repr(private)):
        assert secret not in told


def test_no_secret_is_in_the_chain_or_in_the_open(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    opened = world.reviews.sessions.open(world.who("bora"))
    folder = world.submit()
    world.reviews.approve(folder, world.who("bora", session=opened.id), world.confirmation(folder))
    world.release(folder)
    with pytest.raises(AccessError, match=WRONG) as caught:
        guess(world, "ann", password="an almost right password")
    private = [
        world.reviews.people.unlock(world.reviews.people.find(user), password_of(user))._private.private_bytes_raw()
        for user in PEOPLE
    ]
    kept = b"".join(path.read_bytes() for path in world.output.glob("guidegen.db*"))
    exported = b"".join(world.reviews.export_chain().values())
    told = (caplog.text + str(caught.value) + repr(caught.value)).encode()
    for secret in (
        *(password_of(user).encode() for user in PEOPLE), opened.id.encode(), b"an almost right password",
        *private, *(each.hex().encode() for each in private),
    ):  # fmt: skip
        assert secret not in kept
        assert secret not in exported
        assert secret not in told

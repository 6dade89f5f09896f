"""The commands `guidegen user …` and `guidegen audit …`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from review_cases import World, password_of
from review_terminal import Call, Left, command_line
from sqlalchemy import text

from guidegen.review.reviews import Reviews

GOOD, BETTER = "a good long phrase", "a better long phrase"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """The command line in this process, with what is typed into it."""
    return command_line(capsys, monkeypatch, tmp_path)


def add(call: Call, user: str = "ann", *arguments: str, typed: str = f"{GOOD}\n") -> Left:
    return call("user", "add", user, "--name", f"{user.title()} Kaya", *arguments, "--password-stdin", typed=typed)


def test_accounts_are_made_and_listed(call: Call) -> None:
    made = add(call, "ann", "--role", "engineer")
    assert made.code == 0
    assert "ann, Ann Kaya: engineer" in made.out
    assert "-----BEGIN PUBLIC KEY-----" in made.out
    assert add(call, "bora", "--role", "surgeon", "--role", "engineer").code == 0
    listed = call("user", "list")
    assert listed.code == 0
    assert re.search(r"ann +Ann Kaya +engineer +[0-9a-f]{16}", listed.out)
    assert re.search(r"bora +Bora Kaya +engineer, surgeon +[0-9a-f]{16}", listed.out)
    assert Path("output/guidegen.db").is_file()


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("ann",), f"{GOOD}\n", "Missing option '--role'"),
        (("ann", "--role", "nurse"), f"{GOOD}\n", "'nurse' is not one of"),
        (("ann", "--role", "engineer"), "short\n", "expected a password of 12 to 1024 characters, found 5"),
        (("Ann", "--role", "engineer"), f"{GOOD}\n", "expected a user id of 2 to 32 small letters"),
    ],
)
def test_an_account_that_cannot_be_is_refused(call: Call, arguments: tuple[str, ...], typed: str, said: str) -> None:
    left = add(call, *arguments, typed=typed)
    assert left.code == 2
    assert said in left.err


def test_a_password_is_changed(call: Call) -> None:
    add(call, "ann", "--role", "engineer")
    wrong = call("user", "password", "ann", "--password-stdin", typed=f"{BETTER}\n{BETTER}\n")
    assert (wrong.code, "expected a user and the password that belongs to it" in wrong.err) == (2, True)
    assert call("user", "password", "ann", "--password-stdin", typed=f"{GOOD}\n{BETTER}\n").code == 0
    assert call("user", "key", "ann", "--new", "--password-stdin", typed=f"{GOOD}\n").code == 2
    assert call("user", "key", "ann", "--new", "--password-stdin", typed=f"{BETTER}\n").code == 0


def test_a_lost_password_is_replaced_with_the_key(call: Call) -> None:
    before = add(call, "ann", "--role", "engineer").out
    lost = call("user", "password", "ann", "--lost", "--password-stdin", typed=f"{BETTER}\n")
    assert lost.code == 0
    assert lost.out.splitlines()[0] == before.splitlines()[0]
    assert lost.out.splitlines()[1] != before.splitlines()[1]
    assert call("user", "password", "eve", "--lost", "--password-stdin", typed=f"{BETTER}\n").code == 2


def test_a_password_may_be_asked_for(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.prompt", lambda what, **_how: asked.append(what) or GOOD)
    assert call("user", "add", "ann", "--name", "Ann Kaya", "--role", "engineer").code == 0
    assert call("user", "key", "ann", "--new").code == 0
    assert asked == ["New password", "Password"]


def test_a_key_is_printed_as_it_is(call: Call) -> None:
    made = add(call, "ann", "--role", "engineer")
    shown = call("user", "key", "ann")
    assert shown.out == made.out
    with Reviews.open("output") as reviews:
        assert reviews.people.find("ann").key.public_pem in shown.out


def test_an_account_is_disabled(call: Call) -> None:
    add(call, "ann", "--role", "engineer")
    assert call("user", "disable", "ann").code == 0
    assert re.search(r"ann .* disabled", call("user", "list").out)
    assert call("user", "disable", "ann").code == 2


def test_the_operator_stands_in_the_chain(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "operator7")
    add(call, "ann", "--role", "engineer")
    with Reviews.open("output") as reviews:
        assert reviews.entries()[-1].actor == "command line: operator7"


@pytest.mark.parametrize(
    "command", [("user", "list"), ("user", "key", "ann"), ("audit", "verify"), ("audit", "export", "x")], ids=" ".join
)
def test_what_only_looks_makes_no_database(call: Call, command: tuple[str, ...]) -> None:
    left = call(*command)
    assert left.code == 2
    assert "expected the review's database, found none" in left.err
    assert not Path("output").exists()


def test_the_database_may_be_elsewhere(call: Call, tmp_path: Path) -> None:
    add(call, "ann", "--role", "engineer", "--database", f"sqlite:///{tmp_path}/else/where.db")
    assert (tmp_path / "else" / "where.db").is_file()
    assert call("user", "list", "--database", f"sqlite:///{tmp_path}/else/where.db").code == 0
    assert not Path("output").exists()


# --- audit ---


def test_a_whole_chain_is_verified(call: Call, world: World) -> None:
    world.released()
    entries = world.reviews.entries()
    left = call("audit", "verify", "--output", world.output)
    assert left.code == 0
    assert left.out == f"10 entries and 3 signatures, all as they were written\nhead {entries[-1].hash}\n"
    assert call("audit", "verify", "--output", world.output, "--head", entries[3].hash).code == 0


def test_a_chain_that_was_cut_or_changed_is_refused(call: Call, world: World) -> None:
    world.released()
    cut = call("audit", "verify", "--output", world.output, "--head", "0" * 64)
    assert cut.code == 4
    assert "the chain was cut off or made anew" in cut.err
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("DROP TRIGGER entries_are_not_changed"))
        connection.execute(text("UPDATE entries SET actor = 'eve' WHERE seq = 3"))
    changed = call("audit", "verify", "--output", world.output)
    assert changed.code == 4
    assert "- entry 3 was changed" in changed.err


def test_an_export_checks_itself(call: Call, world: World, tmp_path: Path) -> None:
    world.released()
    assert call("audit", "export", tmp_path / "chain", "--output", world.output).code == 0
    assert call("audit", "export", tmp_path / "chain", "--output", world.output).code == 2
    checker = [sys.executable, "-I", str(tmp_path / "chain" / "check_chain.py")]
    done = subprocess.run(checker, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("10 entries, 3 signatures checked, head ")


def test_the_commands_start_without_the_libraries_of_the_review() -> None:
    heavy = ("sqlalchemy", "alembic", "argon2", "cryptography")
    code = f"import sys, guidegen.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_secret_is_said(call: Call, world: World) -> None:
    said = [
        call("user", "list", "--output", world.output),
        call("user", "key", "ann", "--output", world.output),
        call("user", "key", "ann", "--new", "--output", world.output, "--password-stdin", typed=password_of("ann")),
        call("audit", "verify", "--output", world.output),
    ]
    assert all(left.code == 0 for left in said)
    assert password_of("ann") not in "".join(left.out + left.err for left in said)
    assert "PRIVATE" not in "".join(left.out for left in said)

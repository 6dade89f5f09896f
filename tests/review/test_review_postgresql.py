"""The same review on a real PostgreSQL, started for the tests and thrown away; skipped where none is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from review_cases import PEOPLE, FakeClock, World, measured, open_world, password_of
from sqlalchemy import text

from guidegen.errors import ApprovalError, ChainError, DatabaseError
from guidegen.review.reviews import Reviews
from guidegen.review.tables import METADATA


def _program(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next((str(place) for place in places), None)
    if found is None:
        pytest.skip(f"needs PostgreSQL, whose program {name} is not installed")
    return found


def _as_user() -> tuple[list[str], int]:
    """PostgreSQL does not run as root: the command's beginning and the user's number."""
    if os.getuid() != 0:
        return [], os.getuid()
    for name in ("postgres", "nobody"):
        try:
            return ["runuser", "-u", name, "--"], pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.skip("needs a user other than root to run PostgreSQL")


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """The folder of the socket of a server without any network."""
    initdb, postgres, pg_ctl = map(_program, ("initdb", "postgres", "pg_ctl"))
    prefix, uid = _as_user()
    folder = Path(tempfile.mkdtemp(prefix="guidegen-pg-"))
    os.chown(folder, uid, -1)
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    try:
        subprocess.run(
            [*prefix, initdb, "-D", data, "-A", "trust", "-U", "tester"], check=True, capture_output=True, cwd="/"
        )
        start = [*prefix, pg_ctl, "-D", data, "-p", postgres, "-o", options, "-w", "-l", folder / "log", "start"]
        subprocess.run(start, check=True, capture_output=True, cwd="/")
        try:
            yield folder
        finally:
            subprocess.run(
                [*prefix, pg_ctl, "-D", data, "-m", "immediate", "stop"], check=True, capture_output=True, cwd="/"
            )
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def url(server: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database."""
    name = f"t{zlib.crc32(request.node.name.encode())}"
    psql = [_program("psql"), "-h", str(server), "-U", "tester", "-d", "postgres", "-c", f'CREATE DATABASE "{name}"']
    subprocess.run(psql, check=True, capture_output=True)
    return f"postgresql://tester@/{name}?host={server}"


@pytest.fixture
def world(tmp_path: Path, url: str) -> Iterator[World]:
    with Reviews.open(tmp_path / "output", url, clock=FakeClock(), measure=measured) as reviews:
        for user, (name, roles) in PEOPLE.items():
            reviews.people.add(user, name, roles, password_of(user), "command line: test")
    made = open_world(tmp_path / "output", url)
    yield made
    made.reviews.close()


def test_from_submission_to_release(world: World) -> None:
    folder = world.released()
    assert world.reviews.approval_of(folder).record.signer.user == "bora"
    verified = world.reviews.verify()
    assert (verified.entries, verified.signatures) == (len(PEOPLE) + 4, 3)
    assert not (world.output / "guidegen.db").exists()
    (folder / "guide.stl").chmod(0o600)
    (folder / "guide.stl").write_bytes(b"another")
    with pytest.raises(ApprovalError, match=r"guide\.stl was changed since it was approved"):
        world.reviews.approval_of(folder)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entries SET actor = 'eve' WHERE seq = 1", "no entry may be changed or removed"),
        ("DELETE FROM entries WHERE seq = 1", "no entry may be changed or removed"),
        ("TRUNCATE entries", "no entry may be changed or removed"),
        ("INSERT INTO entries VALUES (99, 't', 'a', 'a', 's', 'c', 'p', 'h')", "after the last"),
        ("INSERT INTO sessions VALUES ('hash', 'nobody', 'local', 't', 't')", "foreign key"),
    ],
)  # fmt: skip
def test_the_database_refuses_every_change(world: World, statement: str, said: str) -> None:
    before = world.reviews.entries()
    with pytest.raises(DatabaseError, match=said), world.reviews._desk.database.writing() as connection:
        connection.execute(text(statement))
    assert world.reviews.entries() == before


def test_what_was_changed_past_the_triggers_is_found(world: World) -> None:
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("ALTER TABLE entries DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE entries SET actor = 'eve' WHERE seq = 3"))
    with pytest.raises(ChainError, match="entry 3 was changed"):
        world.reviews.entries()


def test_the_migrations_make_the_tables_that_are_used(world: World, url: str) -> None:
    with world.reviews._desk.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    with world.reviews._desk.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="found 9999 of a newer guidegen"):
        Reviews.open(world.output, url)


def test_two_reviewers_at_once_come_in_one_order(world: World) -> None:
    folder = world.submit()
    confirmation, submission = world.confirmation(folder), world.reviews.history_of(folder).submission
    assert submission is not None
    lost: list[ApprovalError] = []
    start = threading.Barrier(2)

    def act(user: str) -> None:
        start.wait()
        try:
            if user == "bora":
                world.reviews.approve(folder, world.who(user), confirmation)
            else:
                world.reviews.reject(folder, world.who(user), submission.hash, "too thin")
        except ApprovalError as error:
            lost.append(error)

    threads = [threading.Thread(target=act, args=(user,)) for user in ("bora", "dila")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 1
    assert world.reviews.state_of(folder) in ("approved", "rejected")
    world.reviews.verify()

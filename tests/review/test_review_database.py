"""The database: how it is opened, what it is held to, and what it refuses to open."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from review_cases import SHIPPED_PRAGMAS, START, World, copy_database
from sqlalchemy import text

from guidegen.errors import ChainError, DatabaseError
from guidegen.review import chain, database
from guidegen.review.database import open_database
from guidegen.review.reviews import Reviews
from guidegen.review.tables import METADATA


def test_every_commit_is_on_the_disk_and_every_reference_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PRAGMAS", SHIPPED_PRAGMAS)
    opened = open_database(tmp_path)
    for _ in range(2):  # a connection that was used before is as a new one
        with opened.writing() as connection:
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "trusted_schema")
            }
        assert found == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0
        }  # fmt: skip
    with pytest.raises(DatabaseError, match="FOREIGN KEY constraint failed"), opened.writing() as connection:
        connection.execute(text("INSERT INTO sessions VALUES ('hash', 'nobody', 'local', 't', 't')"))


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    open_database(tmp_path / "results").close()
    assert stat.S_IMODE((tmp_path / "results" / "guidegen.db").stat().st_mode) == 0o600


def test_the_migrations_make_the_tables_that_are_used(tmp_path: Path) -> None:
    opened = open_database(tmp_path)
    with opened.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        tables = connection.execute(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")).all()
    assert {name for name, strict in tables if strict} == set(METADATA.tables)


def test_the_last_migration_is_the_schema_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", "guidegen.review:migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [database.SCHEMA]
    assert {step.revision for step in script.walk_revisions()} == set(database.KNOWN)


def test_a_database_of_a_newer_guidegen_is_refused(tmp_path: Path) -> None:
    with open_database(tmp_path).writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="of schema 0001 or older, found 9999 of a newer guidegen"):
        open_database(tmp_path)


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "guidegen.db").write_bytes(b"not a database, but long enough to have a header" * 40)
    with pytest.raises(DatabaseError, match="file is not a database"):
        open_database(tmp_path)
    assert (tmp_path / "guidegen.db").read_bytes().startswith(b"not a database")


def test_a_damaged_page_is_found_on_opening(world: World) -> None:
    world.approved()
    world.reviews.close()
    path = world.output / "guidegen.db"
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page + 8 : page + 40] = b"\xff" * 32
    path.write_bytes(content)
    with pytest.raises((DatabaseError, ChainError)):  # SQLite says it in many ways
        Reviews.open(world.output)


@pytest.mark.parametrize("missing", ["nothing there", "an empty file"])
def test_what_is_not_there_is_not_made_unless_asked(tmp_path: Path, missing: str) -> None:
    if missing == "an empty file":
        (tmp_path / "guidegen.db").touch()
    with pytest.raises(DatabaseError, match="expected the review's database, found"):
        Reviews.open(tmp_path, create=False)
    assert (tmp_path / "guidegen.db").exists() == (missing == "an empty file")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="expected a place for the database"):
        open_database(tmp_path / "file" / "results")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://ann:geheim@host/name", "expected SQLite in a file or PostgreSQL, found 'mysql'"),
        ("sqlite://", "expected SQLite in a file"),
        ("nonsense geheim", "found no URL"),
        ("postgresql://ann:geheim@127.0.0.1:1/name", "expected a database that can be read and written"),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_its_password(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as caught:
        open_database(tmp_path, url)
    assert "geheim" not in str(caught.value)


def test_the_url_may_come_from_the_environment_and_the_argument_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUIDEGEN_DATABASE", f"sqlite:///{tmp_path}/one.db")
    open_database(tmp_path / "results").close()
    open_database(tmp_path / "results", f"sqlite:///{tmp_path}/two.db").close()
    assert {path.name for path in tmp_path.iterdir() if path.suffix == ".db"} == {"one.db", "two.db"}
    assert not (tmp_path / "results").exists()


def test_a_crash_before_the_first_entry_is_mended_by_the_next_opening(tmp_path: Path) -> None:
    open_database(tmp_path).close()  # the schema, and no entry yet
    with Reviews.open(tmp_path, create=False) as reviews:
        assert [entry.action for entry in reviews.entries()] == ["chain begun"]


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.command.upgrade", _upgrade_and_fail)
    with pytest.raises(OSError, match="pulled the plug"):
        open_database(tmp_path)
    monkeypatch.undo()
    with open_database(tmp_path).reading() as connection:
        assert not chain.is_begun(connection)


def _upgrade_and_fail(config: Config, revision: str) -> None:
    config.attributes["connection"].execute(text("CREATE TABLE entries (seq INTEGER) STRICT"))
    raise OSError(f"pulled the plug before {revision}")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    opened = open_database(tmp_path)
    order: list[str] = []
    began, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with opened.writing() as connection:
            chain.begin(connection, START)
            began.set()
            may_end.wait(5)
            order.append("first")

    def second() -> None:
        began.wait(5)
        with opened.writing() as connection:
            order.append("second")
            chain.append(connection, START, "b", "noted", "chain", {})

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    began.wait(5)
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


def test_a_full_disk_leaves_the_old_state_and_what_comes_after_works(world: World) -> None:
    folder = world.submit()
    engine = world.reviews._desk.database.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.rollback()
    with pytest.raises(DatabaseError, match="database or disk is full; nothing was changed"):
        world.reviews.void(folder, world.who("ann"), "x" * 4000)
    assert world.reviews.state_of(folder) == "submitted"
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
        connection.rollback()
    world.reviews.void(folder, world.who("ann"), "x" * 4000)
    assert world.reviews.state_of(folder) == "void"


def test_people_without_a_chain_are_a_chain_that_was_removed(world: World, populated: Path) -> None:
    copy_database(populated, world.output / "copy")
    with open_database(world.output / "copy").writing() as connection:
        connection.execute(text("DROP TRIGGER entries_are_not_removed"))
        connection.execute(text("DELETE FROM entries"))
    with pytest.raises(ChainError, match="the first entry is not the beginning of a chain"):
        Reviews.open(world.output / "copy")

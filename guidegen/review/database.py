"""The database of the review: SQLite beside the results, or PostgreSQL by its URL; one writer at a time.

A transaction is durable when it returns (WAL and synchronous=FULL; synchronous_commit). The schema is brought up to
date on opening, in one transaction; a database of a newer guidegen is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from guidegen import results
from guidegen.errors import DatabaseError

FILE = "guidegen.db"
VARIABLE = "GUIDEGEN_DATABASE"
SCHEMA = "0001"  # the last step in migrations/versions
KNOWN = ("0001",)
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
PATIENCE_S = 30  # for another writer
MIGRATION_LOCK = 7_266_438  # PostgreSQL's advisory lock of those who bring the schema up to date; any number will do

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",  # REPLACE removes rows past the triggers otherwise
    "trusted_schema=OFF",
)


class Database:
    """Transactions on an engine: `reading` sees one moment, `writing` holds all other writers off."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite; PostgreSQL otherwise."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose every query sees the same moment."""
        with _told(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that alone may write; what was written inside is kept whole, or not at all if anything is
        raised.
        """
        with _told(), self.engine.connect().execution_options(guidegen_writes=True) as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("LOCK TABLE entries IN SHARE ROW EXCLUSIVE MODE"))
                connection.execute(text("SET LOCAL synchronous_commit TO on"))
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_database(output: Path, url: str | None = None, create: bool = True) -> Database:
    """The database at `url`, or at GUIDEGEN_DATABASE, or guidegen.db in the folder of the results.

    DatabaseError where it cannot be opened, is damaged or newer than this guidegen, or is not there and not to be made.
    """
    place = _place(output, url or os.environ.get(VARIABLE))
    if place.get_backend_name() == "sqlite":
        _make_file(Path(str(place.database)), create)
    database = Database(_engine(place))
    try:
        with _told():
            if database.is_sqlite:
                _require_sound(database)
            _bring_up_to_date(database, create)
    except BaseException:
        database.close()
        raise
    return database


def _place(output: Path, url: str | None) -> URL:
    if url is None:
        return URL.create("sqlite", database=str(output / FILE))
    try:
        place = make_url(url)
    except ArgumentError as error:  # its text may hold the password
        raise DatabaseError(
            "expected a database like sqlite:///folder/guidegen.db or postgresql://user@host/name, found no URL"
        ) from error
    backend = place.get_backend_name()
    if backend not in DRIVERS or (backend == "sqlite" and not place.database):
        raise DatabaseError(f"expected SQLite in a file or PostgreSQL, found {backend!r}; name one of these")
    return place.set(drivername=DRIVERS[backend])


def _make_file(path: Path, create: bool) -> None:
    """An empty database that only its owner reads, since it will hold what passwords protect.

    It is made beside its place, with its write-ahead log, and appears there whole: SQLite does not wait for others who
    change the log's mode, and closing a file that others have open in this process would drop their locks.
    """
    if path.exists():
        return
    if not create:
        raise DatabaseError(f"expected the review's database, found none at {path}; name the folder of the results")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as scratch:
            fresh = Path(scratch) / path.name
            fresh.touch(0o600)
            with contextlib.closing(sqlite3.connect(fresh)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            with contextlib.suppress(FileExistsError):  # another was faster
                os.link(fresh, path)
        results.make_entry_durable(path)
    except OSError as error:
        raise DatabaseError(f"expected a place for the database, found {path}: {error.strerror}") from error


def _engine(place: URL) -> Engine:
    if place.get_backend_name() != "sqlite":
        try:
            return create_engine(place, isolation_level="REPEATABLE READ", pool_pre_ping=True)
        except (ImportError, NoSuchModuleError) as error:
            raise DatabaseError(
                "expected the library psycopg for PostgreSQL, found none; install guidegen[postgresql]"
            ) from error
    engine = create_engine(place, connect_args={"timeout": PATIENCE_S})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: _on_begin does
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("guidegen_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _require_sound(database: Database) -> None:
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    if found != "ok":
        raise DatabaseError(f"expected a sound database, found: {found}; put the last backup back")


def _bring_up_to_date(database: Database, create: bool) -> None:
    with database.engine.connect().execution_options(guidegen_writes=True) as connection, connection.begin():
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        found = _version(connection)
        if found == SCHEMA:
            return
        if found is not None and found not in KNOWN:
            raise DatabaseError(
                f"expected a database of schema {SCHEMA} or older, found {found} of a newer guidegen; use that one"
            )
        if found is None and not create:
            raise DatabaseError("expected the review's database, found an empty one; name the right one")
        _migrate(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "guidegen.review:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA)


@contextmanager
def _told() -> Iterator[None]:
    """What a database says when it cannot go on, as a DatabaseError; without the statement, which may hold secrets."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(
            f"expected a database that can be read and written, found: {str(error.orig).strip()}; nothing was changed"
        ) from None

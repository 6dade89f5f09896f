"""The first schema: the audit chain, secrets, sessions and guesses.

The tables stand here as they were made first, not as `guidegen.review.tables` has them today.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NOTHING = "0" * 64

SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only: no entry may be changed'); END
    """,
    """
    CREATE TRIGGER entries_are_not_removed BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only: no entry may be removed'); END
    """,
    f"""
    CREATE TRIGGER entries_come_in_order BEFORE INSERT ON entries
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entries)
        OR NEW.prev_hash <> coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1), '{NOTHING}')
    BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only: an entry comes after the last'); END
    """,
)

POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION entries_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit chain is append-only: no entry may be changed or removed'; END $$
    """,
    f"""
    CREATE FUNCTION entries_come_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entries)
            OR NEW.prev_hash <> coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1), '{NOTHING}')
        THEN RAISE EXCEPTION 'the audit chain is append-only: an entry comes after the last'; END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER entries_are_kept BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION entries_are_kept()
    """,
    """
    CREATE TRIGGER entries_are_not_truncated BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION entries_are_kept()
    """,
    """
    CREATE TRIGGER entries_come_in_order BEFORE INSERT ON entries
    FOR EACH ROW EXECUTE FUNCTION entries_come_in_order()
    """,
)


def upgrade() -> None:
    """From nothing to the first schema."""
    op.create_table(
        "entries",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False, unique=True),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sqlite_strict=True,
    )
    op.create_index("entries_by_subject", "entries", ["subject", "seq"])
    op.create_table(
        "secrets",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("wrapped_key", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("id_sha256", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("secrets.person"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("opened", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_table(
        "guesses",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    dialect = op.get_bind().dialect.name
    for statement in SQLITE_TRIGGERS if dialect == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(statement)

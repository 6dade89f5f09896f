"""The tables of the review. What anybody is, was or did stands in `entries` alone; the others hold what may change."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

# The audit chain, append-only: triggers of the migrations refuse every change, and every entry out of order.
ENTRIES = Table(
    "entries",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("prev_hash", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
    Index("entries_by_subject", "subject", "seq"),
    sqlite_strict=True,
)

# What only a password opens: a person's password hash, and the private key wrapped by a key derived from the password.
SECRETS = Table(
    "secrets",
    METADATA,
    Column("person", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("wrapped_key", Text, nullable=False),
    sqlite_strict=True,
)

# Open sessions by the SHA-256 of their id: the id itself is known to its holder alone. What ended is removed.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id_sha256", Text, primary_key=True),
    Column("person", Text, ForeignKey("secrets.person"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("opened", Text, nullable=False),
    Column("seen", Text, nullable=False),
    sqlite_strict=True,
)

# Wrong passwords in a row, by whom and from where.
GUESSES = Table(
    "guesses",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Text, nullable=False),
    sqlite_strict=True,
)

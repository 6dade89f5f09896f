"""Passwords: what a good one is, its hash, and the key derived from it, all by argon2id."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

import argon2
from argon2.low_level import Type, hash_secret_raw

from guidegen.errors import ReviewError

LONGEST = 1024
SHORTEST_NAME = 3  # a shorter one is in too many passwords
KEY_BYTES, SALT_BYTES = 32, 16


@dataclass(frozen=True)
class Cost:
    """What one guess costs: passes over the memory, the memory in KiB, and lanes."""

    passes: int
    memory_kib: int
    lanes: int


# The second choice of RFC 9106 (64 MiB), above the floor of OWASP (19 MiB, 2 passes); 0.15 s on the machine measured.
COST = Cost(passes=3, memory_kib=65536, lanes=4)


def require_good(password: str, least_length: int, user: str, printed_name: str) -> None:
    """ReviewError for a password that is short, far too long, or holds the user's id or name."""
    password = _normal(password)
    if not least_length <= len(password) <= LONGEST:
        raise ReviewError(
            f"expected a password of {least_length} to {LONGEST} characters, found {len(password)}; choose another"
        )
    low = password.casefold()
    names = (user, printed_name, *printed_name.split())
    if any(len(name) >= SHORTEST_NAME and _normal(name).casefold() in low for name in names):
        raise ReviewError("expected a password without the user's own name, found it inside; choose another")


def hashed(password: str) -> str:
    """The hash to keep, with its salt and cost."""
    return _hasher(COST).hash(_normal(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether a password has the kept hash; None takes as long and never matches."""
    try:
        _hasher(COST).verify(_nobodys(COST) if kept is None else kept, _normal(password))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made at another cost than today's."""
    return _hasher(COST).check_needs_rehash(kept)


def derived_key(password: str, salt: bytes, cost: Cost) -> bytes:
    """32 bytes that only the password gives."""
    return hash_secret_raw(
        _normal(password).encode(), salt, cost.passes, cost.memory_kib, cost.lanes, KEY_BYTES, Type.ID
    )


def _normal(password: str) -> str:
    """One form for letters that keyboards compose differently; half a surrogate pair is no letter."""
    return unicodedata.normalize("NFC", password).encode(errors="replace").decode()


def _hasher(cost: Cost) -> argon2.PasswordHasher:
    return argon2.PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, KEY_BYTES, SALT_BYTES)


@cache
def _nobodys(cost: Cost) -> str:
    """A hash that nobody has the password of, for users that are not there."""
    return _hasher(cost).hash(secrets.token_hex())

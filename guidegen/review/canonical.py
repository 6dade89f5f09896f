"""The one way to write a value as bytes that are hashed and signed (JSON Canonicalization Scheme, RFC 8785)."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from guidegen.errors import ReviewError


def canonical(value: Any) -> str:
    """A JSON-able value as canonical JSON; ReviewError for what has no such form (NaN, half a surrogate pair)."""
    try:
        return rfc8785.dumps(value).decode()
    except rfc8785.CanonicalizationError as error:
        raise ReviewError(f"expected plain numbers and text to record, found what JSON cannot hold: {error}") from error


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()

"""What records are made of: frozen values without anything unknown in them, and plain texts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from guidegen.review.times import is_stamp

LONGEST_LINE, LONGEST_REASON = 200, 4000


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("expected one line of printable characters")
    return text


def _reason(text: str) -> str:
    if not text.strip() or not text.replace("\r\n", " ").replace("\n", " ").isprintable():
        raise ValueError("expected a reason in printable characters")
    return text


def _stamp(text: str) -> str:
    if not is_stamp(text):
        raise ValueError("expected a time like 2026-11-30T09:00:00.000000Z")
    return text


Line = Annotated[str, Field(max_length=LONGEST_LINE), AfterValidator(_line)]
Reason = Annotated[str, Field(max_length=LONGEST_REASON), AfterValidator(_reason)]
Stamp = Annotated[str, AfterValidator(_stamp)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # SHA-256 in hex
Lot = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]


class Value(BaseModel):
    """A table of a record."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, serialize_by_alias=True, validate_by_name=True
    )

"""Results as plain values for a record: dataclasses as objects, numbers rounded as in every record."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from guidegen.rounded import number


def recorded(value: Any) -> Any:
    """A dataclass, with all that is in it, as JSON takes it."""
    if is_dataclass(value):
        return {each.name: recorded(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [recorded(each) for each in value]
    return number(value) if isinstance(value, float) else value

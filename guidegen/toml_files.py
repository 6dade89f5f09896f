"""TOML that somebody wrote by hand: case files, templates, policies, answers and words."""

from __future__ import annotations

import tomllib
from typing import Any


class NotToml(ValueError):
    """The bytes are no TOML in UTF-8, have a number without end, or are nested without end."""


def read_toml(content: bytes) -> dict[str, Any]:
    """The tables in a TOML file; NotToml where it is none."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotToml(str(error)) from error

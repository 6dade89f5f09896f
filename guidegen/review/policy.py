"""The house's own rules of approval, a file in templates/approval/ checked on reading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError

from guidegen.errors import TemplateError
from guidegen.plan.fields import Template, Words
from guidegen.toml_files import NotToml, read_toml

FOLDER = "approval"

Days = Annotated[int, Field(strict=True, ge=1, le=3650)]
Yes = Annotated[bool, Field(strict=True)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown, or no name of a zone at all
        raise ValueError(f"expected a time zone such as Europe/Istanbul, found {name!r}") from error
    return name


class ApprovalPolicy(Template):
    """Who approves, and how long what holds.

    `two_people`: whoever submits does not approve. `image_age_days`: from the day of the oldest image to the end of an
    approval. `approval_days`: from signature to end. Sessions end after `session_idle_minutes` without a request and
    after `session_hours` in any case. `time_zone`: in which times are written for people beside UTC.
    """

    name: Words
    two_people: Yes
    image_age_days: Days
    approval_days: Days
    password_length: Annotated[int, Field(strict=True, ge=12, le=128)]
    session_idle_minutes: Annotated[int, Field(strict=True, ge=1, le=120)]
    session_hours: Annotated[int, Field(strict=True, ge=1, le=24)]
    time_zone: Annotated[str, AfterValidator(_zone)]


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy, the name of its file and the SHA-256 of it."""

    rules: ApprovalPolicy
    file: str
    sha256: str


def load_policy(name: str = "default") -> LoadedPolicy:
    """The approval policy of this name; TemplateError where it is missing or impossible."""
    folder = resources.files("guidegen.templates") / FOLDER
    known = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
    if name not in known:
        raise TemplateError(f"expected one of the approval policies {', '.join(known)}, found {name!r}; choose one")
    return policy_of(name, (folder / f"{name}.toml").read_bytes())


def policy_of(name: str, content: bytes) -> LoadedPolicy:
    """The policy in the bytes of a file called `name`.toml; TemplateError where it is impossible."""
    try:
        rules = ApprovalPolicy.model_validate(read_toml(content))
    except (ValidationError, NotToml) as error:
        raise TemplateError(f"expected a usable policy {FOLDER}/{name}.toml, found: {error}; mend the file") from error
    return LoadedPolicy(rules, f"{name}.toml", hashlib.sha256(content).hexdigest())

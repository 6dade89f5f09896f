"""What a hospital edits: drill kits, guide shapes, printers and policies, as TOML files checked on reading."""

from __future__ import annotations

import hashlib
import reprlib
from importlib import resources
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from guidegen.errors import TemplateError
from guidegen.plan.fields import Positive, Share, Template, Title
from guidegen.plan.guide_shapes import Footprint, GuideTemplate, LabelShape, PinShape, Shell, SleeveShape, Window
from guidegen.plan.kits import Kit, Wire
from guidegen.plan.printers import Cycle, Printer
from guidegen.toml_files import NotToml, read_toml

__all__ = [
    "FOLDERS",
    "Cycle",
    "Footprint",
    "GuideTemplate",
    "Kit",
    "LabelShape",
    "PinShape",
    "Policy",
    "Printer",
    "Shell",
    "SleeveShape",
    "Window",
    "Wire",
    "load_template",
]


class Policy(Template):
    """What a house asks of a plan's error budget, each a share of all operations or a length.

    `reaches_lesion_min`: of those that reach the lesion; `joint_within_3_mm_max`: of those that come closer than 3 mm
    to the joint; `tip_p95_max_mm`: the distance between planned and drilled tip that 95 % of them keep.
    """

    name: Title
    reaches_lesion_min: Share
    joint_within_3_mm_max: Share
    tip_p95_max_mm: Positive


Kind = TypeVar("Kind", Kit, GuideTemplate, Printer, Policy)

FOLDERS: dict[type[BaseModel], str] = {
    Kit: "kits",
    GuideTemplate: "guides",
    Printer: "printers",
    Policy: "policies",
}


def load_template(kind: type[Kind], name: str) -> tuple[Kind, str]:
    """The template of this kind and name, and the SHA-256 of its file; TemplateError where it is missing or
    impossible.
    """
    folder = resources.files("guidegen.templates") / FOLDERS[kind]
    known = sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))
    if name not in known:
        raise TemplateError(
            f"expected one of the {FOLDERS[kind]} {', '.join(known)}, found {name!r}; choose one of them"
        )
    content = (folder / f"{name}.toml").read_bytes()
    try:
        template = kind.model_validate(read_toml(content))
    except (ValidationError, NotToml) as error:
        found = "\n".join(map(_told, error.errors())) if isinstance(error, ValidationError) else str(error)
        raise TemplateError(
            f"expected a usable template {FOLDERS[kind]}/{name}.toml, found: {found}; mend the file"
        ) from error
    return template, hashlib.sha256(content).hexdigest()


def _told(problem: Any) -> str:
    """One of pydantic's errors as `table.line: expected, found`."""
    place = ".".join(map(str, problem["loc"]))
    start = f"{place}: " if place else ""
    if problem["type"] == "value_error":  # one of our own sentences
        return f"{start}{problem['ctx']['error']}"
    if problem["type"] == "missing":
        return f"{start}expected a value, found nothing"
    if problem["type"] == "extra_forbidden":
        return f"{start}expected no such line, found {reprlib.repr(problem['input'])}"
    return f"{start}expected {problem['msg'].removeprefix('Input should be ')}, found {reprlib.repr(problem['input'])}"

"""What a hospital edits: drill kits, guide shapes and printers, as TOML files checked on reading."""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guidegen.errors import TemplateError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Degrees = Annotated[float, Field(gt=0, lt=90, allow_inf_nan=False)]


class _Template(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drill(_Template):
    """The tool that makes the tunnel."""

    diameter_mm: Positive


class Wire(_Template):
    """The wire that pins the guide, and how deep it goes into the bone."""

    diameter_mm: Positive
    depth_mm: Positive


class Kit(_Template):
    """The instruments of one operation."""

    name: str
    drill: Drill
    pin: Wire


class Footprint(_Template):
    """Length along the shaft and width around it."""

    length_mm: Positive
    width_mm: Positive


class Shell(_Template):
    """The body on the bone."""

    thickness_mm: Positive
    largest_wrap_deg: Degrees


class SleeveShape(_Template):
    """The tube along the tunnel, with a collar round its outer end."""

    guided_length_mm: Positive
    least_guided_length_mm: Positive
    wall_mm: Positive
    collar_height_mm: Positive
    collar_wall_mm: Positive


class PinShape(_Template):
    """The bosses that guide the wires."""

    guided_length_mm: Positive
    wall_mm: Positive
    least_divergence_deg: Degrees
    tunnel_distance_mm: Positive


class Window(_Template):
    """Round holes through the shell."""

    diameter_mm: Positive


class LabelShape(_Template):
    """The engraved text."""

    text_height_mm: Positive
    least_text_height_mm: Positive
    depth_mm: Positive


class GuideTemplate(_Template):
    """The shape of a guide."""

    name: str
    shell: Shell
    sizes: dict[str, Footprint]
    sleeve: SleeveShape
    pins: PinShape
    window: Window
    label: LabelShape


class Printer(_Template):
    """A printing process and its tolerances."""

    name: str
    rms_error_mm: Positive
    least_clearance_mm: Positive
    bore_clearance_mm: Positive
    pin_clearance_mm: Positive
    least_wall_mm: Positive
    sterilisation: str


Kind = TypeVar("Kind", Kit, GuideTemplate, Printer)

FOLDERS: dict[type[BaseModel], str] = {Kit: "kits", GuideTemplate: "guides", Printer: "printers"}


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
        template = kind.model_validate(tomllib.loads(content.decode()))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateError(
            f"expected a usable template {FOLDERS[kind]}/{name}.toml, found: {error}; mend the file"
        ) from error
    return template, hashlib.sha256(content).hexdigest()

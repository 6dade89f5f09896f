"""What a hospital edits: drill kits, guide shapes, printers and policies, as TOML files checked on reading."""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from guidegen.errors import TemplateError
from guidegen.plan.fields import Degrees, Positive, Share, Template, Words
from guidegen.plan.kits import Kit, Wire

__all__ = [
    "FOLDERS",
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


class Footprint(Template):
    """Length along the shaft and width around it."""

    length_mm: Positive
    width_mm: Positive


class Shell(Template):
    """The body on the bone."""

    thickness_mm: Positive
    largest_wrap_deg: Degrees


class SleeveShape(Template):
    """The tube along the tunnel, with a collar round its outer end."""

    guided_length_mm: Positive
    least_guided_length_mm: Positive
    wall_mm: Positive
    collar_height_mm: Positive
    collar_wall_mm: Positive


class PinShape(Template):
    """The bosses that guide the wires."""

    guided_length_mm: Positive
    wall_mm: Positive
    least_divergence_deg: Degrees
    tunnel_distance_mm: Positive


class Window(Template):
    """Round holes through the shell."""

    diameter_mm: Positive


class LabelShape(Template):
    """The engraved text."""

    text_height_mm: Positive
    least_text_height_mm: Positive
    depth_mm: Positive


class GuideTemplate(Template):
    """The shape of a guide."""

    name: str
    shell: Shell
    sizes: dict[str, Footprint]
    sleeve: SleeveShape
    pins: PinShape
    window: Window
    label: LabelShape


class Printer(Template):
    """A printing process and its tolerances."""

    name: str
    rms_error_mm: Positive
    least_clearance_mm: Positive
    bore_clearance_mm: Positive
    pin_clearance_mm: Positive
    least_wall_mm: Positive
    sterilisation: str


class Policy(Template):
    """What a house asks of a plan's error budget, each a share of all operations or a length.

    `reaches_lesion_min`: of those that reach the lesion; `joint_within_3_mm_max`: of those that come closer than 3 mm
    to the joint; `tip_p95_max_mm`: the distance between planned and drilled tip that 95 % of them keep.
    """

    name: Words
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
        template = kind.model_validate(tomllib.loads(content.decode()))
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateError(
            f"expected a usable template {FOLDERS[kind]}/{name}.toml, found: {error}; mend the file"
        ) from error
    return template, hashlib.sha256(content).hexdigest()

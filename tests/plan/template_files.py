"""Template files as text: one line changed at a time, and every line that there can be with its range."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from guidegen.plan.fields import Within
from guidegen.plan.templates import FOLDERS


def shipped_names(kind: type[BaseModel]) -> list[str]:
    """The shipped templates of a kind, sorted."""
    folder = resources.files("guidegen.templates") / FOLDERS[kind]
    return sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml"))


def shipped_text(kind: type[BaseModel], name: str) -> str:
    return (resources.files("guidegen.templates") / FOLDERS[kind] / f"{name}.toml").read_text(encoding="utf-8")


def edited(text: str, place: str, value: str | None) -> str:
    """The text with the first line of this place (`table.line`) given another value, or left out where it is None."""
    table, _, line = place.rpartition(".")
    start = re.search(rf"^\[\[?{re.escape(table)}\]", text, re.MULTILINE) if table else None
    assert bool(start) == bool(table), f"no table {table}"
    at = start.start() if start else 0
    new = "" if value is None else f"{line} = {value}\n"
    changed, count = re.subn(rf"^{line} *=.*\n", new, text[at:], count=1, flags=re.MULTILINE)
    assert count == 1, f"no line {place}"
    return text[:at] + changed


def untold(text: str) -> list[str]:
    """The lines with a figure that have no source tag: beside them, in the comment just above, or at their table."""
    missing, above, table = [], False, False
    for line in text.splitlines():
        tagged = re.search(r"#.*\[[SDM]\]", line) is not None
        if line.startswith("["):
            above, table = False, tagged
        elif re.match(r"\w+ *= *[\d\[]", line):
            missing += [] if tagged or above or table else [line]
            above = False
        else:
            above = line.startswith("#") and (tagged or above)
    return missing


def just_outside(low: float, high: float) -> tuple[str, str]:
    """The nearest values, as written in a file, that a range does not hold."""
    return f"{low - 0.01:g}", f"{high + 0.01:g}"


def lines(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Every line that a template of this kind can have, as `table.line`; tables that come several times, once."""
    found = {}
    for name, field in model.model_fields.items():
        table = next((part for part in _parts(field.annotation) if _is_table(part)), None)
        found |= {name: field} if table is None else {f"{name}.{key}": under for key, under in lines(table).items()}
    return found


def range_of(field: FieldInfo) -> Within | None:
    """The range of a line, or of each number in it."""
    return next((part for part in (*field.metadata, *_parts(field.annotation)) if isinstance(part, Within)), None)


def values(template: Any, place: str) -> str:
    """What a loaded template says on a line, as the docs write it; where its table comes several times, each."""
    found = [template]
    for name in place.split("."):
        found = [getattr(each, name, None) for each in found]
        found = [part for each in found for part in _several(each)]
    return " / ".join(_text(each) for each in found)


def _several(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, tuple) and isinstance(value[0], BaseModel) else [value]


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_text(each) for each in value)
    return value if isinstance(value, str) else f"{value:g}"


def _parts(annotation: Any) -> list[Any]:
    """A type and all that it is made of."""
    return [annotation, *(part for inner in get_args(annotation) for part in _parts(inner))]


def _is_table(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)

"""Frozen values as bytes and back, without anything executable in them.

A value is a frozen dataclass of numbers, text, arrays and other such dataclasses. It becomes one `.npz`: arrays as
they are, the rest as JSON beside them, a SHA-256 in front of it all. Reading runs no code that the bytes bring along,
so that bytes from a process that may have been taken over are safe to read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import types
import typing
import zipfile
from functools import cache
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

Value = TypeVar("Value")

# What `unpacked` raises for bytes that are no such value: cut off, altered, or of another kind.
DAMAGED = (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
KIND = ""  # the key, which no field can have, under which a value names its class: one of a union needs it


def packed(value: Any) -> bytes:
    """The value as bytes; the same value gives the same bytes."""
    arrays: dict[str, Any] = {}
    tree = _tree(value, arrays)
    content = io.BytesIO()
    text = np.frombuffer(json.dumps(tree, allow_nan=False).encode(), dtype=np.uint8)
    np.savez(content, _tree=text, **arrays)
    body = content.getvalue()
    return hashlib.sha256(body).digest() + body


def unpacked(kind: type[Value], content: bytes) -> Value:
    """The value of class `kind` that `packed` made these bytes of; one of DAMAGED for other bytes."""
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("expected the content that its hash names, found other bytes")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        tree = json.loads(arrays["_tree"].tobytes())
        return typing.cast(Value, _value(tree, kind, arrays))


def _tree(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return name
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value):
        fields = {field.name: _tree(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
        return fields | {KIND: type(value).__name__}
    if isinstance(value, tuple):
        return [_tree(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _value(tree: Any, kind: Any, arrays: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return _of_union(tree, [option for option in arguments if option is not type(None)], arrays)
    if origin is np.ndarray:
        return arrays[tree]
    if origin is tuple:
        return tuple(_value(item, arguments[0], arrays) for item in tree)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate(tree)
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        return kind(**{name: _value(tree[name], hints[name], arrays) for name in hints})  # type: ignore[operator]  # a class
    return tree


def _of_union(tree: Any, options: list[Any], arrays: Any) -> Any:
    """A value that may be of several classes, or none: the one that it names."""
    if tree is None:
        return None
    named = [option for option in options if isinstance(tree, dict) and option.__name__ == tree.get(KIND)]
    return _value(tree, named[0] if named else options[0], arrays)


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}

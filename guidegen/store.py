"""Stage results kept by content hash, so that an unchanged stage is not computed again.

A result is a frozen dataclass of numbers, text, arrays and other such dataclasses. It is kept as one
`.npz`: arrays as they are, the rest as JSON beside them. Nothing executable is stored or loaded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import types
import typing
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

import guidegen

Value = TypeVar("Value")


@cache
def build() -> str:
    """SHA-256 over the program's own source and its version: a changed program trusts no older stage."""
    digest = hashlib.sha256(guidegen.__version__.encode())
    root = Path(guidegen.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def content_key(*parts: Any) -> str:
    """SHA-256 of JSON-able parts, of this build."""
    text = json.dumps([build(), *parts], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class StageStore:
    """Results of stages in a folder, one file for each key. Fresh results are written when `keep` is called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fresh: dict[Path, Any] = {}

    def reuse(self, kind: type[Value], key: str, compute: Callable[[], Value]) -> Value:
        """The kept result of this key, or a fresh one.

        A kept file that cannot be read (cut off, altered) is computed anew and replaced.
        """
        path = self._folder / f"{key}.npz"
        try:
            return _load(kind, path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            value = self._fresh[path] = compute()
        return value

    def keep(self) -> None:
        """Write the fresh results: not before a run has shown that its input is good, so that a refused one leaves
        nothing.
        """
        for path, value in self._fresh.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, _dump(value))
        self._fresh.clear()


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the path, make it durable, then put it in place: the old content or the new, never a part of it."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _dump(value: Any) -> bytes:
    arrays: dict[str, Any] = {}
    tree = _packed(value, arrays)
    packed = io.BytesIO()
    text = np.frombuffer(json.dumps(tree, allow_nan=False).encode(), dtype=np.uint8)
    np.savez(packed, _tree=text, **arrays)
    body = packed.getvalue()
    return hashlib.sha256(body).digest() + body


def _load(kind: type[Value], content: bytes) -> Value:
    digest, body = content[:32], content[32:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("expected the content that its hash names, found other bytes")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        tree = json.loads(arrays["_tree"].tobytes())
        return typing.cast(Value, _unpacked(tree, kind, arrays))


def _packed(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return name
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value):
        return {field.name: _packed(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_packed(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _unpacked(tree: Any, kind: Any, arrays: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        options = [option for option in arguments if option is not type(None)]
        return None if tree is None else _unpacked(tree, options[0], arrays)
    if origin is np.ndarray:
        return arrays[tree]
    if origin is tuple:
        return tuple(_unpacked(item, arguments[0], arrays) for item in tree)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_validate(tree)
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        return kind(**{name: _unpacked(tree[name], hints[name], arrays) for name in hints})  # type: ignore[operator]  # a class
    return tree


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}

"""Stage results kept by content hash, so that an unchanged stage is not computed again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import guidegen
from guidegen.packed import DAMAGED, packed, unpacked
from guidegen.results import alone, told

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
            return unpacked(kind, path.read_bytes())
        except (OSError, *DAMAGED):
            value = self._fresh[path] = compute()
        return value

    def keep(self) -> None:
        """Write the fresh results: not before a run has shown that its input is good, so that a refused one leaves
        nothing. What a killed run left of its own is swept. OutputError where they cannot be written.
        """
        if not self._fresh:
            return
        contents = {path: packed(value) for path, value in self._fresh.items()}
        with told(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with alone(self._folder):
                for left in self._folder.glob(".*"):
                    left.unlink()
                for path, content in contents.items():
                    write_atomically(path, content)
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

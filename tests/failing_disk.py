"""A disk that does something else at one moment: it fails, or the process is killed there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Failing:
    """Operations on the disk, counted; before the one numbered `at`, something happens."""

    def __init__(self, at: int, happens: Callable[[], object]) -> None:
        self.left, self.happens = at, happens

    def __call__(self, real: Any) -> Any:
        """The same operation, counted."""

        def operation(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == -1:
                self.happens()
            return real(*arguments, **named)

        return operation

    @property
    def has_happened(self) -> bool:
        """Whether there were so many operations."""
        return self.left < 0


def failing_with(number: int) -> Callable[[], object]:
    """What a disk does that says an error number."""

    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


def kill() -> None:
    """The process ends here and now."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at_work(work: Callable[[Callable[[], object]], object], after_s: float | None = None) -> bool:
    """Let `work` go on in a process of its own, which calls what it is given as soon as it begins; whether it was
    killed: by its own doing, or so long after it began.
    """
    hears, says = os.pipe()
    worker = os.fork()
    if worker == 0:
        try:
            work(lambda: os.write(says, b"."))
            os._exit(0)
        finally:
            os._exit(1)
    if after_s is not None:
        os.read(hears, 1)
        time.sleep(after_s)
        os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    os.close(hears)
    os.close(says)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return os.WIFSIGNALED(status)


def operations(failing: Failing, patch: pytest.MonkeyPatch) -> None:
    """Let one of these fail: making a folder, writing a file, syncing and renaming."""
    patch.setattr(os, "fsync", failing(os.fsync))
    for name in ("mkdir", "rename", "replace"):
        patch.setattr(Path, name, failing(getattr(Path, name)))
    real_open = Path.open

    def opened(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        stream = real_open(path, mode, *arguments, **named)
        return _Stream(stream, failing(stream.write)) if mode in ("xb", "wb") else stream

    patch.setattr(Path, "open", opened)


class _Stream:
    """A file whose writing goes through another function."""

    def __init__(self, stream: Any, write: Any) -> None:
        self._stream, self.write = stream, write

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_reason: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

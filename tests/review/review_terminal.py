"""The command line in the tests' own process, with what is typed into it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from guidegen import cli


@dataclass(frozen=True)
class Left:
    """How a command left, and what it said."""

    code: int
    out: str
    err: str


Call = Callable[..., Left]


def command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Call:
    """Runs commands in a folder."""
    monkeypatch.chdir(folder)

    def run(*arguments: object, typed: str = "") -> Left:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as leave:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert isinstance(leave.value.code, int)
        return Left(leave.value.code, said.out, re.sub(r"\s+", " ", said.err))

    return run

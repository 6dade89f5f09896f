"""Whole runs that many tests share, made once for all of them, whichever worker needs them first."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from guidegen import pipeline
from guidegen.check.files import read_findings
from guidegen.phantom import Thigh, make_hip, write_case
from guidegen.pipeline import STAGES, Result

SPACING_MM = (1.2, 1.2, 1.5)
HOPELESS = "[order]\ntarget_mm = [88.0, 14.0, -618.0]\n"  # 2 mm below the top of the head


@dataclass(frozen=True)
class Finished:
    """A made-up left hip, its case on disk, and its first run."""

    case: Path
    output: Path

    @cached_property
    def result(self) -> Result:
        """What the run left."""
        (folder,) = self.output.glob("*/r001")
        return Result(folder, read_findings(folder), unchanged=False)

    def stages_to(self, output: Path) -> Path:
        """Another output folder, which knows the stages of this run and nothing else."""
        shutil.copytree(self.output / STAGES, output / STAGES)
        return output


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name with what `make` left in it, for all workers of this session."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = base / name, base / f"{name}.made"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder


def finished(factory: pytest.TempPathFactory) -> Finished:
    """A whole run, with every check passed or not."""

    def make(folder: Path) -> None:
        case = write_case(
            make_hip("left"), folder / "case", patient_id="T001L", spacing_mm=SPACING_MM, mr=False, thigh=Thigh()
        )
        pipeline.run(case, folder / "output")

    folder = once(factory, "finished", make)
    return Finished(folder / "case" / "case.toml", folder / "output")


def hopeless_case(factory: pytest.TempPathFactory) -> Finished:
    """The same hip with an order that no tunnel can keep, and without pictures."""
    whole = finished(factory)

    def make(folder: Path) -> None:
        case = folder / "case" / "case.toml"
        shutil.copytree(whole.case.parent, case.parent)
        case.write_text(case.read_text().replace('image = "ct.nii.gz"\n', "") + HOPELESS)
        pipeline.run(case, folder / "output")

    folder = once(factory, "hopeless", make)
    return Finished(folder / "case" / "case.toml", folder / "output")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

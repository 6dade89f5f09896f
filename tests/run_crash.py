"""A run that writes as every run does, without what takes long: its stages and its files are made up, once.

Kept stages, the scratch folder, its files, their hashes, the record, the new name: all that is `pipeline.run`'s own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from failing_disk import killed_at_work
from finished import contents

from guidegen import pipeline
from guidegen.check.finding import Finding, at_least
from guidegen.packed import unpacked
from guidegen.phantom import make_hip, write_case
from guidegen.pipeline import STAGES, Result, Run
from guidegen.results import RUN_FILE, UNBOUND, is_whole
from guidegen.store import content_key
from guidegen.surfaces import Surface

OLD, NEW = "S", "M"  # the footprint of the revision that is there, and of the one that is being written
Begun = Callable[[], object]  # what is done as soon as a run begins to write
FINDING = at_least("guide volume", 23.3, 0.0, "cm³", "A body without volume is none.")


def nothing() -> None:
    """Nothing is done then."""


@dataclass(frozen=True)
class Made:
    """What a run computes: the results of its stages, and its files by path."""

    stages: tuple[Surface, ...]
    files: dict[str, bytes]


def made(stages: int, kib: int, *names: str) -> Made:
    """Made-up results: so many stages, and files of so many KiB."""
    draw = np.random.default_rng(1)
    surfaces = tuple(Surface(draw.random((100 * kib, 3)), np.array([[0, 1, 2]])) for _ in range(stages))
    return Made(surfaces, {name: draw.bytes(1024 * kib) for name in names})


@contextmanager
def computing(what: Made, begun: Begun = nothing) -> Iterator[None]:
    """Runs inside compute nothing and write this."""

    def plan(state: Run) -> Any:
        for number, surface in enumerate(what.stages):
            state.store.reuse(Surface, content_key("made", state.size, number), lambda made=surface: made)
        begun()

    def write(*given: Any) -> tuple[Finding, ...]:
        scratch = next(each for each in given if isinstance(each, Path))
        for name, content in what.files.items():
            (scratch / name).parent.mkdir(exist_ok=True)
            (scratch / name).write_bytes(content)
        return (FINDING,)

    with (
        mock.patch.object(pipeline, "_plan", plan),
        mock.patch.object(pipeline, "_guide", return_value=(None, None, None)),
        mock.patch.object(pipeline, "_write", write),
        mock.patch.object(pipeline, "read_findings", return_value=(FINDING,)),
        mock.patch.object(pipeline, "Workshop", return_value=nullcontext(mock.Mock())),
    ):
        yield


@dataclass(frozen=True)
class Scene:
    """A case with one revision, to which a run adds a second."""

    case: Path
    output: Path
    what: Made
    before: dict[str, bytes]  # the first revision

    @property
    def folder(self) -> Path:
        """Where the revisions are."""
        return self.output / "T001L-left"

    def run(self, begun: Begun = nothing) -> Result:
        """The run that writes the second revision."""
        with computing(self.what, begun):
            return pipeline.run(self.case, self.output, NEW)

    def killed(self, begun: Begun = nothing, after_s: float | None = None) -> bool:
        """The same in a process of its own; whether it was killed, by `begun` or so long after it began to write."""
        return killed_at_work(lambda began: self.run(lambda: (begun(), began())), after_s)

    def left(self) -> str:
        """What a run that broke off has left, once it was found sound and the same run again has finished: `nothing`,
        or `a whole revision`; else what is wrong.
        """
        second = self.folder / "r002"
        was_there = second.exists()
        if was_there and not self.is_right(second):
            return "wrong: half a revision"
        for path in (self.output / STAGES).glob("*.npz"):
            unpacked(Surface, path.read_bytes())
        again = self.run()
        if (again.folder, again.unchanged) != (second, was_there) or not self.is_right(second):
            return "wrong: the next run did not finish it"
        if contents(self.folder / "r001") != self.before:
            return "wrong: the revision that was there is another"
        if {path.name for path in self.folder.iterdir()} != {".lock", "r001", "r002"}:
            return "wrong: something was left beside the revisions"
        if {path.suffix for path in (self.output / STAGES).iterdir()} != {".npz"}:
            return "wrong: something was left beside the stages"
        return "a whole revision" if was_there else "nothing"

    def is_right(self, revision: Path) -> bool:
        """Whether everything is there, as it was to be written, with its record."""
        found = contents(revision)
        if found.keys() != self.what.files.keys() | {RUN_FILE, UNBOUND}:
            return False
        recorded = json.loads(found[RUN_FILE])["outputs_sha256"]
        return is_whole(revision, recorded) and all(found[name] == content for name, content in self.what.files.items())

    def begin_again(self) -> None:
        """Take the second revision and the kept stages away."""
        shutil.rmtree(self.folder / "r002", ignore_errors=True)
        shutil.rmtree(self.output / STAGES, ignore_errors=True)


def begin(folder: Path, what: Made) -> Scene:
    """A scene in a folder of its own."""
    case = write_case(make_hip("left"), folder / "case", patient_id="T001L", spacing_mm=(4.0, 4.0, 4.0), mr=False)
    with computing(what):
        first = pipeline.run(case, folder / "output", OLD).folder
    return Scene(case, folder / "output", what, contents(first))

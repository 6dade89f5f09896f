"""Changes that were asked for on the page, computed one after the other in the background, with their progress."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from guidegen.case import Order
from guidegen.check.finding import Finding
from guidegen.errors import ReviewError
from guidegen.review.web.cases import Source
from guidegen.show.figures import Check, Table, checks, figure_tables

MODULE = "guidegen.review.web.recompute"
MOST_WAITING = 4
REMEMBERED = 50
STAGES = ("read", "bone", "anatomy", "lesion", "grades", "plan", "guide", "skin", "files", "check", "surgery", "show")


class Phase(StrEnum):
    """Where a change stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Measured:
    """What is known of a change before its virtual surgery."""

    figures: tuple[Table, ...]
    checks: tuple[Check, ...]


@dataclass
class Change:
    """One change that was asked for. `stages` are those that were begun; `measured`: its figures and what was found on
    its files, while the virtual surgery is still to come; `revision` is what it became.
    """

    name: str
    case: str  # ID-SIDE
    base: str  # the revision that it changes
    asked_by: str
    asked: tuple[str, ...]  # what is to be different, in words
    phase: Phase = Phase.WAITING
    stages: list[str] = field(default_factory=list)
    measured: Measured | None = None
    revision: str | None = None
    passed: bool | None = None
    unchanged: bool = False
    error: str | None = None

    @property
    def share(self) -> int:
        """How far it is, in percent of the stages."""
        if self.phase in (Phase.DONE, Phase.FAILED):
            return 100
        return round(100 * len(self.stages) / (len(STAGES) + 1))


class Recomputing:
    """The changes of this run of the program, the last ones remembered."""

    def __init__(self, output: Path, command: Sequence[str] = (sys.executable, "-P", "-m", MODULE)) -> None:
        self._output = output
        self._command = tuple(command)
        self._changes: dict[str, Change] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recompute")
        self._process: subprocess.Popen[str] | None = None
        self._waiting: subprocess.Popen[str] | None = None
        self._is_kept_ready = False
        self._lock = threading.Lock()
        self._is_closed = False

    def keep_ready(self) -> None:
        """From now on have a process wait for the next change, with its libraries loaded."""
        with self._lock:
            self._is_kept_ready = True
            self._make_ready()

    def begin(self, source: Source, order: Order, change: Change) -> Change:
        """Have a case computed with another order; ReviewError where too many wait already."""
        with self._lock:
            waiting = [each for each in self._changes.values() if each.phase in (Phase.WAITING, Phase.RUNNING)]
            if len(waiting) >= MOST_WAITING:
                raise ReviewError(f"expected at most {MOST_WAITING} changes at once, found as many; wait for one")
            self._changes[change.name] = change
            for name in list(self._changes)[:-REMEMBERED]:
                del self._changes[name]
        request = {
            "case": str(source.case.path.resolve()),
            "order": order.model_dump(mode="json"),
            "output": str(self._output.resolve()),
        }
        self._worker.submit(self._run, request, change)
        return change

    def find(self, name: str) -> Change:
        """The change of a name; ReviewError where there is none, or it is forgotten."""
        with self._lock:
            found = self._changes.get(name)
        if found is None:
            raise ReviewError("expected a change that was asked for, found none; look at the list of revisions")
        return found

    def of(self, case: str) -> tuple[Change, ...]:
        """The changes of a case that are not done."""
        with self._lock:
            return tuple(each for each in self._changes.values() if each.case == case and each.phase is not Phase.DONE)

    def close(self) -> None:
        """Stop what is being computed; it leaves nothing."""
        with self._lock:
            self._is_closed = True
            for process in (self._process, self._waiting):
                if process is not None:
                    process.kill()
            if self._waiting is not None:
                self._waiting.communicate()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _make_ready(self) -> None:
        if self._waiting is None:
            self._waiting = self._started()

    def _taken(self) -> subprocess.Popen[str]:
        """The process that waits, or a new one where none does."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return self._started()
        if waiting.poll() is None:
            return waiting
        waiting.communicate()  # it ended meanwhile
        return self._started()

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def _run(self, request: Mapping[str, Any], change: Change) -> None:
        with self._lock:
            if self._is_closed:
                return
            process = self._process = self._taken()
        change.phase = Phase.RUNNING
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):  # it ended before it was asked
                process.stdin.write(json.dumps(request))
                process.stdin.close()
            for line in process.stdout:
                _hear(change, json.loads(line))
        with self._lock:
            self._process = None
            if self._is_kept_ready and not self._is_closed:
                self._make_ready()
        if change.phase is Phase.RUNNING:
            change.error, change.phase = "the computation broke off; see where guidegen review runs", Phase.FAILED


def new_change(case: str, base: str, asked_by: str, asked: tuple[str, ...]) -> Change:
    """A change under a name that nobody can guess."""
    return Change(secrets.token_urlsafe(12), case, base, asked_by, asked)


def _hear(change: Change, told: Mapping[str, Any]) -> None:
    """Write down what the process says."""
    if "stage" in told:
        change.stages.append(str(told["stage"]))
    elif "plan" in told:
        change.measured = Measured(figure_tables(told["plan"]), checks([Finding(**each) for each in told["findings"]]))
    elif "error" in told:
        change.error, change.phase = str(told["error"]), Phase.FAILED
    else:
        change.revision, change.passed = str(told["revision"]), bool(told["passed"])
        change.unchanged, change.phase, change.measured = bool(told["unchanged"]), Phase.DONE, None

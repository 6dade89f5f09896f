"""A second process for the second core.

CadQuery's import takes two to three seconds, which this process spends while the bone is read; nothing else of a run
needs it. Later it makes the trial bone, looks at the metal parts' files and draws the pictures, while the files are
written and checked. Requests and answers pass through pipes between the two processes, and through nothing else.
"""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any, Self

from guidegen.guide.parts import Part

if TYPE_CHECKING:  # a new process begins sooner without
    from pathlib import Path

    from guidegen.check.asked import Asked
    from guidegen.check.finding import Finding

MAKE = "guidegen.guide.parts:make"
ON_METAL = "guidegen.check.metal:part_findings"
ACCOMPANY = "guidegen.guide.companions:companion_files"
DRAW = "guidegen.show.result_pictures:result_pictures"
DRAW_REFUSED = "guidegen.show.result_pictures:refused_pictures"


class Workshop:
    """The second process; open it early. One thing at a time: what was begun is finished before the next."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "guidegen.workshop"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt at the terminal is the run's, which then ends this process
        )
        self._made: dict[tuple[Any, ...], Part] = {}
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.kill()
        self._process.communicate()

    def make(self, name: str, *measures: Any) -> Part:
        """A machined part, as `parts.make`; one that was made already is not made again."""
        wanted = (name, *measures)
        if wanted not in self._made:
            self._begin(MAKE, wanted, {})
            self._made[wanted] = list(self._finish())
        return self._made[wanted]

    def begin_companions(self, *described: Any) -> None:
        """Begin to make the trial bone and the metal parts; takes what `companion_files` takes."""
        self._begin(ACCOMPANY, described, {})

    def finish_companions(self) -> dict[str, bytes]:
        """The files, as `companion_files` gives them."""
        return dict(self._finish())

    def on_metal(self, asked: Asked, folder: Path) -> tuple[Finding, ...]:
        """What is found on the metal parts' files, as `part_findings`."""
        self._begin(ON_METAL, (asked, folder), {})
        return tuple(self._finish())

    def begin_pictures(self, *drawn: Any) -> None:
        """Begin to draw the pictures; takes what `result_pictures` takes."""
        self._begin(DRAW, drawn, {})

    def draw_refused(self, *drawn: Any) -> dict[str, bytes]:
        """The pictures of a case without a guide; takes what `refused_pictures` takes."""
        self._begin(DRAW_REFUSED, drawn, {})
        return dict(self._finish())

    def finish_pictures(self) -> dict[str, bytes]:
        """The pictures, as `result_pictures` gives them."""
        return dict(self._finish())

    def _begin(self, target: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        requests = self._process.stdin
        assert requests is not None
        pickle.dump((target, arguments, named), requests, pickle.HIGHEST_PROTOCOL)
        requests.flush()

    def _finish(self) -> Any:
        """The answer; what was raised in the other process is raised here."""
        answers = self._process.stdout
        assert answers is not None
        answer = pickle.load(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Do what is asked for until nobody asks any more."""
    import cadquery  # noqa: F401  # now, while there is time

    while True:
        try:
            target, arguments, named = pickle.load(requests)
        except EOFError:
            return
        module, function = target.split(":")
        try:
            answer: Any = getattr(importlib.import_module(module), function)(*arguments, **named)
        except Exception as error:  # whatever it is, the run raises it
            answer = error
        try:
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except BrokenPipeError:  # the run was killed
            return


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)

"""CadQuery in a process of its own.

Its import takes two to three seconds, which the second core spends while the bone is read; nothing else of a
run needs it. Requests and parts pass through pipes between the two processes, and through nothing else.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from typing import IO, Any, Self

from guidegen.guide import parts


class Workshop:
    """A process that makes parts; open it early, and leave it when the guide is built."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "guidegen.guide.workshop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_reason: object) -> None:
        self._process.kill()
        self._process.communicate()

    def make(self, name: str, *measures: Any) -> parts.Part:
        """The part of this name; what the process raised is raised here."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        pickle.dump((name, measures), requests)
        requests.flush()
        answer = pickle.load(answers)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Make what is asked for until nobody asks any more."""
    import cadquery  # noqa: F401  # now, while there is time

    while True:
        try:
            name, measures = pickle.load(requests)
        except EOFError:
            return
        try:
            answer: parts.Part | Exception = parts.make(name, *measures)
        except Exception as error:  # whatever it is, the run raises it
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run itself is interrupted, and ends this process
    serve(sys.stdin.buffer, sys.stdout.buffer)

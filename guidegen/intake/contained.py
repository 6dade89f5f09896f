"""Untrusted files are read in a process of their own, with limits on memory, time and what it may write.

The readers of images and surfaces are large, written in C++ and fed with what anybody may have sent. Whatever a file
does to them stays in a process that can be thrown away: it answers with plain values (`packed`), with one of our
errors, or not at all, and then the file is refused. The second half of this file runs in that process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, TypeVar

from guidegen import errors
from guidegen.packed import DAMAGED, packed, unpacked

Value = TypeVar("Value")

MAX_MEMORY_BYTES = 3 << 30  # of address space, of which about 0.5 GiB are the program and its libraries
MAX_CPU_S = 90
MAX_WALL_S = 180
MAX_ANSWER_BYTES = 1 << 30
MAX_OPEN_FILES = 64

# What an answer begins with. READING comes once for each file and names it, so that a break-down can be told of.
READING, VALUE, ERROR, BUG = b"R", b"V", b"E", b"B"


def contained(kind: type[Value], task: str, *arguments: str) -> Value:
    """The value of class `kind` that a task makes of files, computed in a process of its own.

    `task` is "module:function"; the function takes the arguments and a callable that it tells which file it reads. An
    InputError raised there is raised here; ContainmentError if the process reached a limit or broke down.
    """
    command = [sys.executable, "-P", "-m", "guidegen.intake.contained", task, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as reader:
        overdue = threading.Timer(MAX_WALL_S, reader.kill)
        overdue.start()
        try:
            assert reader.stdout is not None, "asked for as a pipe"
            tag, body, file = _answer(reader.stdout)
            if not tag:
                reader.wait()  # it tells by how it ended what went wrong
        finally:
            overdue.cancel()
            reader.kill()  # after its answer it has nothing more to do; an interrupt must not leave it behind
    if tag == VALUE:
        try:
            return unpacked(kind, body)
        except DAMAGED as error:
            raise _broken(file, "gave an answer that is none") from error
    if tag == ERROR:
        raise _error(body)
    if tag == BUG:
        raise RuntimeError(body.decode(errors="replace"))
    raise _broken(file, _death(reader.returncode))


def _answer(pipe: IO[bytes]) -> tuple[bytes, bytes, str]:
    """Tag and body of the last message, and the file that was read when it came; no tag where there was none."""
    file, left = "", MAX_ANSWER_BYTES
    while len(head := pipe.read(9)) == 9:
        tag, size = head[:1], int.from_bytes(head[1:], "little")
        left -= size
        body = pipe.read(size) if left >= 0 else b""
        if len(body) < size:
            break
        if tag != READING:
            return tag, body, file
        file = body.decode(errors="replace")
    return b"", b"", file


def _error(body: bytes) -> errors.GuidegenError:
    """The error that the process raised: one of our own InputErrors, by name."""
    said = json.loads(body)
    kind = getattr(errors, str(said["kind"]), None)
    if not (isinstance(kind, type) and issubclass(kind, errors.InputError)):
        raise RuntimeError(f"expected the name of an InputError from the reading process, found {said['kind']!r}")
    return kind(str(said["message"]))


def _broken(file: str, how: str) -> errors.ContainmentError:
    return errors.ContainmentError(
        f"{file or 'the case'}: expected a file that can be read within {MAX_MEMORY_BYTES >> 30} GiB of memory and "
        f"{MAX_CPU_S} s, found that its reader {how}; crop the image to the hip, or export the file again"
    )


def _death(status: int) -> str:
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return "took longer"
    return f"broke down ({signal.Signals(-status).name})" if status < 0 else "ended without an answer"


# From here on: the process that reads.


def main() -> None:
    """Do one task under limits and answer on what was standard output."""
    import resource

    memory = (resource.RLIMIT_AS, MAX_MEMORY_BYTES)
    files = (resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    for what, most in (memory, files, (resource.RLIMIT_CPU, MAX_CPU_S), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    with os.fdopen(os.dup(1), "wb") as pipe:  # what a library prints is no answer
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        _say(pipe, *_done(sys.argv[1], sys.argv[2:], lambda file: _say(pipe, READING, file.encode())))


def _say(pipe: IO[bytes], tag: bytes, body: bytes) -> None:
    pipe.write(tag + len(body).to_bytes(8, "little") + body)
    pipe.flush()


def _done(task: str, arguments: list[str], reading: Callable[[str], None]) -> tuple[bytes, bytes]:
    """The answer to a task: its value, its error, or what is a bug of ours."""
    import importlib
    import traceback

    module, _, name = task.partition(":")
    try:
        function: Any = getattr(importlib.import_module(module), name)
        return VALUE, packed(function(*arguments, reading))
    except errors.InputError as error:
        return ERROR, json.dumps({"kind": type(error).__name__, "message": error.message}).encode()
    except MemoryError:
        raise SystemExit(1) from None  # no answer: the other side says which limit there is
    except Exception:
        return BUG, traceback.format_exc().encode()


if __name__ == "__main__":
    main()

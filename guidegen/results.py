"""Result folders: revisions that are written whole or not at all, and never overwritten by another result."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from guidegen.errors import OutputError

REVISION = "r{:03d}"
NAME, STARTS = re.compile(r"r\d{3,}"), re.compile(r"r(\d{3,})")
SCRATCH = ".making-"
OLD = "-old"  # at the end of the name of what is being replaced
RUN_FILE = "run.json"
UNBOUND = "timings.json"  # stands outside every hash
# What a disk says that is full, fails, or is not ours to write on.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM})


def sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def require_place(output: Path, case_folder: Path) -> None:
    """OutputError unless results can be written there: a folder that is writable, or that can be made."""
    for place in (output, case_folder):
        nearest = next(path for path in (place, *place.absolute().parents) if path.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise OutputError(
                f"expected a folder for results that can be written, found {nearest}; name another --output"
            )


@contextmanager
def told(place: Path) -> Iterator[None]:
    """OutputError for what the disk refuses inside, where all that was begun is taken back."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        raise OutputError(
            f"expected a place that can be written, found {place}: {error.strerror}; nothing was kept"
        ) from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder alone among those who ask for it; another waits. It ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a case's folder alone; a second run of the same case waits. Remains of a killed run are swept."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with told(folder):
            _sweep(folder)
        yield


def find_revision(folder: Path, fingerprint: str) -> Path | None:
    """The revision that the same inputs, parameters and program made, if its files are still those it recorded.

    Any that was altered since is set aside under another name: nothing is lost, and nothing trusts it.
    """
    found = None
    for revision in sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name)):
        try:
            run = json.loads((revision / RUN_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if not isinstance(run, dict) or not is_whole(revision, run.get("outputs_sha256")):
            _set_aside(revision)
        elif run.get("fingerprint") == fingerprint:
            found = revision
    return found


def is_whole(revision: Path, outputs: object) -> bool:
    """Whether the folder holds exactly the files of the record, byte for byte (timings aside)."""
    return isinstance(outputs, dict) and hashes(revision) == outputs


@contextmanager
def new_revision(folder: Path) -> Iterator[Path]:
    """A scratch folder to fill; when all went well it is made durable and becomes the next revision in one step.

    Whatever is raised inside leaves no trace of it. Yields the scratch folder; the revision's name is `name_of`.
    """
    name = next_revision(folder)
    scratch = folder / f"{SCRATCH}{name}"
    with told(folder), appearing(scratch, folder / name):
        yield scratch


@contextmanager
def appearing(scratch: Path, folder: Path) -> Iterator[None]:
    """A scratch folder to fill, which is then made durable and takes its place; whatever is raised leaves neither."""
    scratch.mkdir()
    try:
        yield
        make_durable(scratch)
        scratch.rename(folder)
        try:
            make_entry_durable(folder)
        except OSError:
            folder.rename(scratch)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files in place of a folder, in two steps: between them it is not there, and never half of it. The case's
    folder must be `locked`.
    """
    scratch, old = folder.with_name(f"{SCRATCH}{folder.name}"), folder.with_name(f"{SCRATCH}{folder.name}{OLD}")
    with told(folder):
        scratch.mkdir()
        for name, content in files.items():
            (scratch / name).write_bytes(content)
            _sync(scratch / name)
        _sync(scratch)
        if folder.exists():
            folder.rename(old)
        scratch.rename(folder)
        _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def make_durable(folder: Path) -> None:
    """Have everything in a folder, and the folder, on the disk before going on; OSError where that fails."""
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def make_entry_durable(path: Path) -> None:
    """Have the name of a file or folder on the disk, not only what is in it."""
    _sync(path.parent)


def name_of(scratch: Path) -> str:
    """The name that a scratch folder will have as a revision."""
    return scratch.name.removeprefix(SCRATCH)


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder by its path in it, but for the run's own record and its timings."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: sha256(path.read_bytes()) for name, path in names.items() if name not in (RUN_FILE, UNBOUND)}


def next_revision(folder: Path) -> str:
    """The name of the next revision: one more than the highest there is, altered ones included."""
    numbers = [int(match[1]) for path in folder.iterdir() if (match := STARTS.match(path.name))]
    return REVISION.format(max(numbers, default=0) + 1)


def upcoming(folder: Path) -> str:
    """The name that the next revision of a case will have, unless another run is faster."""
    if not folder.is_dir():
        return REVISION.format(1)
    with locked(folder):
        return next_revision(folder)


def _sweep(folder: Path) -> None:
    """Take away what a killed run left; a folder whose replacement was interrupted goes back."""
    for left in folder.glob(f"{SCRATCH}*{OLD}"):
        place = folder / left.name.removeprefix(SCRATCH).removesuffix(OLD)
        if not place.exists():
            left.rename(place)
    for left in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left)


def _set_aside(revision: Path) -> None:
    number = 1
    while (aside := revision.with_name(f"{revision.name}-altered-{number}")).exists():
        number += 1
    revision.rename(aside)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A folder that appears whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from guidegen.errors import OutputError
from guidegen.results import SCRATCH, alone, appearing, make_entry_durable


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder to fill beside `folder`; when all went well it is made durable and takes its place.

    Whatever is raised inside leaves nothing; what a killed process left is swept by the next one for the same folder.
    OutputError where the folder is there already or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"expected a folder that is not there yet, found {folder}; name another")
    scratch = folder.with_name(f"{SCRATCH}{folder.name}")
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder.parent):
            shutil.rmtree(scratch, ignore_errors=True)
            with appearing(scratch, folder):
                yield scratch


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write contents by path into a folder, each on the disk before the next; OSError where one is not."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())


def remove_folder(folder: Path) -> None:
    """Take a folder away as it came: its name first, so that nobody finds a part of it."""
    scratch = folder.with_name(f"{SCRATCH}{folder.name}")
    with _told(folder):
        folder.rename(scratch)
        make_entry_durable(folder)
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"expected a place that can be written, found {folder}: {error.strerror or error}; nothing was released"
        ) from error

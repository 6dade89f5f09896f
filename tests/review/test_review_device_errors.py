"""A device that fails under the database: each of SQLite's own writes in turn, and nothing is half signed.

SQLite writes through a table of system calls that others may fill in: here, with one that fails once.
"""

from __future__ import annotations

import ctypes
import errno
import sqlite3  # noqa: F401  # which loads the library
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from review_cases import SHIPPED_PRAGMAS, World, WorldMaker

from guidegen.errors import DatabaseError
from guidegen.review import database

LIBRARY = "libsqlite3.so.0"
CALLS = (b"pwrite", b"pwrite64")  # one of them is used
FEWEST_WRITES = 4  # head and page of the log for the password's row, and again for the act's

Write = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
)


class Vfs(ctypes.Structure):
    """As much of sqlite3_vfs as is needed."""

    _fields_ = (
        ("numbers", ctypes.c_int * 3),
        ("others", ctypes.c_void_p * 16),
        ("set_call", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
        ("get_call", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)),
    )


@pytest.fixture(scope="module")
def vfs() -> Any:
    """SQLite's way to the disk, in the very library that Python uses."""
    if LIBRARY not in Path("/proc/self/maps").read_text(encoding="utf-8"):  # a Python may have its own within it
        pytest.skip(f"needs a Python that uses {LIBRARY}")
    library = ctypes.CDLL(LIBRARY)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
    return library.sqlite3_vfs_find(None)


@contextmanager
def failing_write(vfs: Any, folder: Path, at: int, number: int) -> Iterator[list[int]]:
    """The write numbered `at` fails with an error number, once, of those to files below a folder: another database of
    this process may be tidied up at any moment. Yields how many there were, when they are over.
    """
    seen = [0]

    def through(real: Any) -> Any:
        def write(*arguments: int) -> int:
            counts = Path(f"/proc/self/fd/{arguments[0]}").resolve().is_relative_to(folder)
            seen[0] += counts
            if counts and seen[0] == at + 1:
                ctypes.set_errno(number)
                return -1
            return int(real(*arguments))

        return Write(write)

    places = {name: vfs.contents.get_call(vfs, name) for name in CALLS}
    puts = {name: through(Write(place)) for name, place in places.items() if place}
    for name, put in puts.items():
        vfs.contents.set_call(vfs, name, ctypes.cast(put, ctypes.c_void_p))
    try:
        yield seen
    finally:
        for name in puts:
            vfs.contents.set_call(vfs, name, places[name])


def act(world: World, what: str) -> Callable[[], object]:
    """An act on r001, with everything there that it needs."""
    folder = world.revision()
    if what == "submit":
        return lambda: world.reviews.submit(folder, world.who("ann"))
    world.submit()
    if what == "approve":
        return lambda: world.approve(folder)
    world.approve(folder)
    return lambda: world.release(folder)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("what", ["submit", "approve", "release"])
def test_a_write_that_fails_signs_nothing(
    make_world: WorldMaker, monkeypatch: pytest.MonkeyPatch, vfs: Any, what: str, number: int
) -> None:
    monkeypatch.setattr(database, "PRAGMAS", SHIPPED_PRAGMAS)
    world = make_world()
    once = act(world, what)
    entries, state = world.reviews.entries(), world.reviews.state_of(world.made["r001"])
    for at in range(100):
        with failing_write(vfs, world.output.resolve(), at, number) as seen:
            try:
                once()
            except DatabaseError as error:
                said = str(error)
            else:
                break
        assert seen[0] > at
        assert world.reviews.entries() == entries, said
        assert world.reviews.state_of(world.made["r001"]) is state
    assert seen[0] <= at, "a write failed and nobody was told"
    assert at >= FEWEST_WRITES
    assert len(world.reviews.entries()) == len(entries) + 1
    assert world.reviews.state_of(world.made["r001"]) is not state
    world.reviews.verify()

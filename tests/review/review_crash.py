"""A reviewer who is killed at any moment, again and again, and what is left each time.

    python tests/review/review_crash.py COUNT SEED

A process works through submission, approval and release of one revision after another, with every write going to the
disk, and says after each act that it was done. It is killed with SIGKILL at a random moment. Then the review is opened
anew: the chain must be whole, every act that was acknowledged in it, and at most one besides that was not. Every fourth
time the database is a new one, so that its making is cut off too. Prints a JSON summary; leaves with 1 where anything
was lost or half done.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import alembic.command  # noqa: F401  # here, and not in each process that is killed
from review_cases import CASE, PEOPLE, FakeClock, World, make_revision, measured, password_of, plan

from guidegen.review import passwords
from guidegen.review.passwords import Cost
from guidegen.review.policy import load_policy
from guidegen.review.reviews import Reviews

LONGEST_S = 0.3  # of work before the kill; an act takes a few hundredths
FRESH_EACH = 4
Say = Callable[[str], None]


def work(output: Path, first: int, say: Say) -> None:
    """Bring revisions from draft to release for ever, saying each act that is done."""
    world = World(output, Reviews.open(output, measure=measured), FakeClock(datetime.now(UTC)), load_policy())
    if not world.reviews.people.all():
        for user, (name, roles) in PEOPLE.items():
            world.reviews.people.add(user, name, roles, password_of(user), "command line: test")
            say(f"person added person:{user}")
    imaged = (datetime.now(UTC) - timedelta(days=10)).date()
    while True:
        name = f"r{first:03d}"
        folder = make_revision(output, name, plan(imaged=imaged))
        world.reviews.submit(folder, world.who("ann"))
        say(f"submitted {CASE}/{name}")
        world.approve(folder)
        say(f"approved {CASE}/{name}")
        world.release(folder)
        say(f"released {CASE}/{name}")
        first += 1


def killed(output: Path, first: int, after_s: float) -> list[str]:
    """Let a process work and kill it after a while; returns what it said."""
    said, saying = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(said)
        try:
            work(output, first, lambda text: os.write(saying, f"{text}\n".encode()) and None)
        finally:
            os._exit(1)
    os.close(saying)
    time.sleep(after_s)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    with os.fdopen(said) as stream:
        return stream.read().splitlines()


def left(output: Path) -> list[str]:
    """What the chain says was done, after everything in it was verified."""
    with Reviews.open(output, measure=measured) as reviews:
        reviews.verify()
        entries = reviews.entries()
        for name, state in reviews.states().items():
            if state in ("approved", "released"):
                reviews.approval_of(output / name)
    acts = ("person added", "submitted", "approved", "released")
    return [f"{entry.action} {entry.subject}" for entry in entries if entry.action in acts]


def rounds(count: int, seed: int) -> dict[str, int]:
    """Kill so many times; returns what came of it."""
    draw, found = random.Random(seed), {"kills": 0, "acknowledged": 0, "lost": 0, "half": 0, "beyond": 0}
    output, root = Path(), Path(tempfile.mkdtemp(prefix="guidegen-kill-"))
    done: list[str] = []
    for number in range(count):
        if number % FRESH_EACH == 0:
            output, done = root / f"results-{number}", []
            output.mkdir()
        said = killed(output, 1 + len({act for act in done if "submitted" in act}), draw.uniform(0.0, LONGEST_S))
        now = left(output)
        new = now[len(done) :]
        found["kills"] += 1
        found["acknowledged"] += len(said)
        found["lost"] += now[: len(done)] != done or new[: len(said)] != said
        found["beyond"] += max(len(new) - len(said), 0)
        found["half"] += len(new) > len(said) + 1
        done = now
    shutil.rmtree(root)
    return found


@contextmanager
def cheaply() -> Iterator[None]:
    """Passwords cost nothing inside; the disk is waited for."""
    shipped, passwords.COST = passwords.COST, Cost(passes=1, memory_kib=8, lanes=1)
    yield
    passwords.COST = shipped


if __name__ == "__main__":
    with cheaply():
        summary = rounds(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(summary))  # noqa: T201  # the summary
    sys.exit(summary["lost"] + summary["half"] > 0)

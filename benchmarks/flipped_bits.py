"""One flipped bit, a hundred times in every file that a run leaves, in every file of its release and in every entry of
the chain: each must be found, and named.

    python benchmarks/flipped_bits.py [--count 100] [--seed 1]

A made-up hip is run, submitted, approved and released as any other. Then one bit at a time is another, and whoever is
asked has to name what it is in: the review of the run's files, `verify` of the release, the database of the chain.
Leaves with 1 where a flip was not found, or something else was named.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "review"))

from review_cases import START, FakeClock, World, populate, quick, shown

from guidegen import pipeline
from guidegen.errors import ApprovalError, ChainError
from guidegen.phantom import make_hip, write_case
from guidegen.release.release import release_to
from guidegen.release.verify import verify_folder
from guidegen.results import hashes
from guidegen.review.database import FILE
from guidegen.review.policy import load_policy
from guidegen.review.reviews import Reviews

PATIENT = "T001L"
OLDEST_IMAGE = (START - timedelta(days=10)).date()
COLUMNS = ("time", "actor", "action", "subject", "content", "prev_hash", "hash")


def released(root: Path) -> tuple[World, Path, Path]:
    """A world with a release in it, the result and the release."""
    case = write_case(make_hip("left"), root / "case", patient_id=PATIENT, spacing_mm=(1.2, 1.2, 1.5), mr=False)
    folder = pipeline.run(case, root / "output").folder
    populate(root / "output")
    clock, policy = FakeClock(START + timedelta(minutes=1)), load_policy()
    world = World(root / "output", Reviews.open(root / "output", policy=policy, clock=clock), clock, policy)
    world.reviews.submit(folder, world.who("ann"))
    world.approve(folder, patient_id=PATIENT, imaged=OLDEST_IMAGE, shown=shown(folder, patient_id=PATIENT))
    release_to(world.reviews, folder, world.who("ann"), root / "out")
    return world, folder, root / "out"


def files_of(folder: Path, draw: random.Random, count: int, ask: Callable[[], object]) -> Iterator[tuple[str, bool]]:
    """Flip bits in every file of a folder; each file's name, and whether `ask` named it first."""
    for name in sorted((*hashes(folder), "run.json")):
        path = folder / name
        if not path.exists():
            continue
        path.chmod(0o644)
        with path.open("r+b") as stream:
            for place in (draw.randrange(path.stat().st_size) for _ in range(count)):
                stream.seek(place)
                was = stream.read(1)[0]
                put(stream, place, was ^ 1 << draw.randrange(8))
                yield name, refusal(ask).startswith(f"{name} ")
                put(stream, place, was)
    assert refusal(ask) == "", "the bits were put right"


def put(stream: object, place: int, value: int) -> None:
    """Write one byte of a file that is open."""
    stream.seek(place)  # type: ignore[attr-defined]
    stream.write(bytes([value]))  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]


def refusal(ask: Callable[[], object]) -> str:
    """The first reason that is given; nothing where there is none."""
    try:
        ask()
    except (ApprovalError, ChainError) as error:
        return error.reasons[0] if error.reasons else str(error)
    return ""


def entries_of(world: World, draw: random.Random, count: int) -> Iterator[tuple[str, bool]]:
    """Flip bits in every entry of the database, past its triggers; which entry, and whether it was named."""
    with closing(sqlite3.connect(world.output / FILE, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER entries_are_not_changed")
        for entry in world.reviews.entries():
            places = [(name, place) for name in COLUMNS for place in range(len(getattr(entry, name).encode()))]
            for name, place in draw.choices(places, k=count):
                was = getattr(entry, name)
                flipped = bytearray(was.encode())
                flipped[place] ^= 1  # a letter stays one
                change = f"UPDATE entries SET {name} = ? WHERE seq = ?"
                raw.execute(change, (flipped.decode(), entry.seq))
                named = re.search(rf"entry ({entry.seq}|{entry.seq + 1}) ", refusal(world.reviews.entries))
                raw.execute(change, (was, entry.seq))
                yield f"entry {entry.seq}", named is not None
    world.reviews.verify()


def main() -> int:
    parser = argparse.ArgumentParser(description="Flip bits in all that is signed.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw, started, missed = random.Random(asked.seed), time.perf_counter(), 0
    with quick(), tempfile.TemporaryDirectory(prefix="guidegen-flips-") as root:
        world, result, release = released(Path(root))
        keys = [world.reviews.people.find(user).key.public_pem for user in ("ann", "bora")]
        for where, flips in {
            "files of the result": files_of(result, draw, asked.count, lambda: world.reviews.approval_of(result)),
            "files of the release": files_of(release, draw, asked.count, lambda: verify_folder(release, keys)),
            "entries of the chain": entries_of(world, draw, asked.count),
        }.items():
            found = list(flips)
            wrong = sorted({name for name, is_named in found if not is_named})
            missed += len(wrong)
            print(f"{len({name for name, _ in found})} {where}, {len(found)} flips: "
                  f"{'all found and named' if not wrong else f'not found or not named: {wrong}'}")  # fmt: skip
    print(f"{time.perf_counter() - started:.0f} s")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""A release that is killed at any moment, a thousand times: its folder is whole or not there, and the next one works.

    python benchmarks/kill_release.py [--count 1000] [--seed 1]

What a release holds is made once. Each round writes, signs and enters it, with every write going to the disk, in a
process that is killed with SIGKILL at a random moment. Then there must be nothing, or a folder that verifies; the chain
must be whole; and the same release again must finish, with nothing left beside it. Leaves with 1 where it is not so.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "review"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "release"))

from failing_disk import killed_at_work
from kills import LONGER, SHORTER, kills
from release_cases import approved
from review_cases import World, open_world, populate
from review_crash import cheaply

from guidegen.errors import GuidegenError
from guidegen.release import release as releasing
from guidegen.release.contents import release_contents
from guidegen.release.release import release_to
from guidegen.release.verify import verify_folder

FRESH_EACH = 25  # rounds with one database, so that its chain stays short


@dataclass(frozen=True)
class Scene:
    """An approved result, where it is to be released to, and the public key of who releases it."""

    output: Path
    result: Path
    out: Path
    public_pem: str

    def world(self, minute: int) -> World:
        """The review, opened at a minute that was not yet."""
        world = open_world(self.output)
        world.clock.forward(minutes=minute)
        return world

    def release(self, world: World) -> None:
        """Release, or finish what was broken off."""
        release_to(world.reviews, self.result, world.who("ann"), self.out)


def begin(folder: Path) -> Scene:
    """A scene in a folder of its own; what it releases is made here, once."""
    output = folder / "output"
    output.mkdir(parents=True)
    populate(output)
    world = open_world(output)
    result = approved(world)
    contents = release_contents(world.reviews.approval_of(result))
    releasing.release_contents = lambda _approval: contents
    scene = Scene(output, result, folder / "out", world.reviews.people.find("ann").key.public_pem)
    world.reviews.close()
    return scene


def killed(scene: Scene, minute: int, after_s: float) -> bool:
    """Release in a process of its own that is killed so long after it began; False where it was faster."""

    def work(began: Callable[[], object]) -> None:
        world = scene.world(minute)
        began()
        scene.release(world)

    return killed_at_work(work, after_s)


def left(scene: Scene, minute: int) -> str:
    """What a killed release left, found before it was finished: nothing, a whole folder, or what is wrong."""
    try:
        was_there = scene.out.exists()
        if was_there:
            verify_folder(scene.out, [scene.public_pem])
        world = scene.world(minute)
        scene.release(world)
        world.reviews.verify()
        world.reviews.close()
        verify_folder(scene.out, [scene.public_pem])
    except GuidegenError as error:
        return f"wrong: {error}"
    if {path.name for path in scene.out.parent.iterdir()} != {"output", "out"}:
        return "wrong: something was left beside the release"
    return "a whole folder" if was_there else "nothing"


def rounds(count: int, seed: int) -> Counter[str]:
    """Kill so many times; how often what was left."""
    draw, found, root = random.Random(seed), Counter[str](), Path(tempfile.mkdtemp(prefix="guidegen-kill-"))
    number, longest_s = 0, 0.0
    while found.total() < count:
        minute = 10 + 2 * (number % FRESH_EACH)
        if number % FRESH_EACH == 0:
            scene = begin(root / str(number))
            world = scene.world(minute - 1)
            started = time.perf_counter()
            scene.release(world)
            longest_s = longest_s or time.perf_counter() - started
            world.reviews.close()
        shutil.rmtree(scene.out)
        was_killed = killed(scene, minute, draw.uniform(0.0, longest_s))
        longest_s *= LONGER if was_killed else SHORTER
        what = left(scene, minute + 1)
        if was_killed or what.startswith("wrong"):
            found[what] += 1
        number += 1
    shutil.rmtree(root)
    return found


def main() -> int:
    with cheaply():
        return kills("Kill a release again and again.", rounds)


if __name__ == "__main__":
    sys.exit(main())

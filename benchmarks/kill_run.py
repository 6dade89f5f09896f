"""A run that is killed at any moment of its writing, a thousand times: its revision is whole or not there, and the next
run finishes.

    python benchmarks/kill_run.py [--count 1000] [--seed 1]

What a run computes is made up once, about as large as it is; each round writes it as every run does, with every file
going to the disk, in a process that is killed with SIGKILL at a random moment. What is asked of the rest is said in
tests/run_crash.py. Leaves with 1 where anything was lost, or is half there.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from kills import LONGER, SHORTER, kills
from run_crash import Made, begin, made

NAMES = (
    *("plan.json", "findings.json", "surgery.json", "femur.stl", "lesion.stl", "guide.stl", "guide.3mf"),
    *("trial_bone.stl", "trial_bone.3mf", "dossier.json", "dossier.pdf", "metal/sleeve-1.step", "metal/metal.json"),
    *(f"preview/{number}.png" for number in range(16)),
)
KIB = 500  # each: 15 MB in all, about what a run leaves


def rounds(count: int, seed: int, what: Made) -> Counter[str]:
    """Kill so many times; how often what was left."""
    draw, found = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="guidegen-kill-") as root:
        scene = begin(Path(root), what)
        started = time.perf_counter()
        scene.run()
        longest_s = time.perf_counter() - started
        while found.total() < count:
            scene.begin_again()
            if scene.killed(after_s=draw.uniform(0.0, longest_s)):
                found[scene.left()] += 1
                longest_s *= LONGER
            else:
                longest_s *= SHORTER
    return found


def main() -> int:
    what = made(4, KIB, *NAMES)
    return kills("Kill a run again and again while it writes.", lambda count, seed: rounds(count, seed, what))


if __name__ == "__main__":
    sys.exit(main())

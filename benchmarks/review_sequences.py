"""Random sequences of all that people may do to revisions, by the thousand: nothing is made that was not approved.

    python benchmarks/review_sequences.py [--count 5000] [--steps 30] [--seed 1]

What is done and what is asked after every step is said in tests/review/review_machine.py. The sequences are shared out
among the cores, each with a seed of its own. Leaves with 1 at the first sequence after which something could be made
that should not, or could not be that should.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "review"))

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from review_cases import quick
from review_machine import DONE, ReviewMachine

SEQUENCES = "sequences"


def run(count: int, steps: int, own_seed: int) -> Counter[str]:
    """So many sequences; how many there were, and how often each act was done in them."""
    counted: Counter[str] = Counter()

    class Counted(ReviewMachine):
        """The machine, counting its sequences and the acts that were done."""

        def teardown(self) -> None:
            counted[SEQUENCES] += 1
            counted.update(entry.action for entry in self.world.reviews.entries())
            super().teardown()

    chosen = settings(
        max_examples=count, stateful_step_count=steps, phases=[Phase.generate], deadline=None,
        database=None, derandomize=False, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with quick():
        run_state_machine_as_test(seed(own_seed)(Counted), settings=chosen)
    return counted


def main() -> int:
    parser = argparse.ArgumentParser(description="Random sequences of what people may do to revisions.")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started, cores = time.perf_counter(), os.cpu_count() or 1
    shares = [len(range(core, asked.count, cores)) for core in range(min(cores, asked.count))]
    seeds = [asked.seed * 1000 + core for core in range(len(shares))]
    with ProcessPoolExecutor(len(shares)) as workers:
        counts = workers.map(run, shares, [asked.steps] * len(shares), seeds)
        counted = sum(counts, Counter())
    print(f"{counted.pop(SEQUENCES)} sequences of up to {asked.steps} of {len(set(DONE))} acts, "
          f"{time.perf_counter() - started:.0f} s; nothing was made that was not approved")  # fmt: skip
    for action, number in counted.most_common():
        print(f"  {number:6d} {action}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

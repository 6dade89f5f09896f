"""What the benchmarks share that kill something a thousand times."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable

LONGER, SHORTER = 1.02, 0.95  # how long something is waited for, after it was killed and after it was faster


def kills(description: str, rounds: Callable[[int, int], Counter[str]]) -> int:
    """Ask for count and seed, kill so many times, and tell how often what was left; 1 where any of it is wrong."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.perf_counter()
    found = rounds(asked.count, asked.seed)
    print(f"{found.total()} kills in {time.perf_counter() - started:.0f} s left:")
    for what, often in found.most_common():
        print(f"{often:5d}  {what}")
    return int(any(what.startswith("wrong") for what in found))

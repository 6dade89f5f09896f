"""A reviewer who is killed at any moment, a thousand times: no acknowledged act lost, none half done.

    python benchmarks/kill_review.py [--count 1000] [--seed 1]

What is killed and what is asked of the rest is said in tests/review/review_crash.py. Leaves with 1 where anything was
lost or half done.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "review"))

from review_crash import cheaply, rounds


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill a reviewer again and again.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.perf_counter()
    with cheaply():
        found = rounds(asked.count, asked.seed)
    print(f"{found['kills']} kills in {time.perf_counter() - started:.0f} s")
    print(f"{found['acknowledged']} acts acknowledged, {found['lost']} lost, {found['half']} half done")
    print(f"{found['beyond']} acts were done and not yet acknowledged")
    return int(found["lost"] + found["half"] > 0)


if __name__ == "__main__":
    sys.exit(main())

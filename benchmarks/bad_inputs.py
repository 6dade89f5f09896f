"""Every bad input through the command line, each as its own process: how it leaves, how long it takes, how much memory.

    python benchmarks/bad_inputs.py [--only TEXT]       the bad inputs of tests/intake/bad_files.py
    python benchmarks/bad_inputs.py --cost              what intake costs on 512 × 512 × 400 voxels

A bad input must leave with 2 and the sentence that is asked for, write nothing, and take at most 10 s and 2 GiB, all of
its processes together. Leaves with 1 when one does not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "intake"))

from bad_files import BAD, Bad
from good_files import write_good

GUIDEGEN = Path(sys.executable).with_name("guidegen")
MAX_S, MAX_GIB = 10.0, 2.0
SAMPLED_S = 0.01
GIVE_UP_S = 200.0

BIG = (512, 512, 400)
MOST_EXTRA_S = 1.0
COST_CASE = """
[patient]
id = "BIG"
side = "left"
[bone]
labels = "{file}"
femur = 1
[lesion]
labels = "{file}"
lesion = 3
"""


@dataclass(frozen=True)
class Outcome:
    """How one command left, seen from outside; `problem` is what is wrong with that, if anything."""

    bad: Bad
    wall_s: float
    cpu_s: float
    peak_gib: float
    problem: str


def tree_mib(pid: int) -> float:
    """The memory that a process and all below it have in use together."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1])
            for task in Path(f"/proc/{each}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (OSError, IndexError):  # it ended in between
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def measure(bad: Bad, work: Path, good: Path) -> Outcome:
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    case, out, log = bad.write(work / "case", good), work / "out", work / "log"
    peak_mib, done = 0.0, threading.Event()
    start = time.perf_counter()
    with log.open("w") as stream:
        process = subprocess.Popen(
            [GUIDEGEN, "plan", case, "--output", out],
            stdout=stream,
            stderr=stream,
            env=os.environ | {"COLUMNS": "1000"},
        )
        overdue = threading.Timer(GIVE_UP_S, process.kill)
        overdue.start()

        def watch() -> None:
            nonlocal peak_mib
            while not done.wait(SAMPLED_S):
                peak_mib = max(peak_mib, tree_mib(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watcher.join()
        overdue.cancel()
    wall_s = time.perf_counter() - start
    peak_gib = peak_mib / 1024  # not `usage.ru_maxrss`, which starts with what this very process has in use
    said = " ".join(log.read_text(errors="replace").split())
    problems = (
        (process.returncode != 2, f"left with {process.returncode}: {said[-200:]}"),
        (re.search(bad.match, said) is None, f"said {said[-200:]}"),
        ("Traceback" in said, "a traceback"),
        (out.exists(), "wrote results"),
        (wall_s > MAX_S, f"took {wall_s:.1f} s"),
        (peak_gib > MAX_GIB, f"took {peak_gib:.2f} GiB"),
    )
    return Outcome(
        bad, wall_s, usage.ru_utime + usage.ru_stime, peak_gib, "; ".join(text for wrong, text in problems if wrong)
    )


def refusals(only: str) -> bool:
    """Print a row for each class; whether every case was refused as it must be."""
    every: list[Outcome] = []
    print(f"{'class':<66}{'inputs':>8}{'refused':>9}{'slowest, s':>12}{'of processor':>14}{'most, GiB':>11}")
    with tempfile.TemporaryDirectory() as name:
        good, work = Path(name) / "good", Path(name) / "work"
        write_good(good)
        chosen = [bad for bad in BAD if only in f"{bad.kind}: {bad.name}"]
        for kind, group in groupby(chosen, lambda bad: bad.kind):
            found = [measure(bad, work, good) for bad in group]
            print(row(kind, found), flush=True)
            every += found
    print(row("all", every))
    for outcome in every:
        if outcome.problem:
            print(f"NOT AS IT MUST BE: {outcome.bad.kind}: {outcome.bad.name}: {outcome.problem}")
    return not any(outcome.problem for outcome in every)


def row(kind: str, found: list[Outcome]) -> str:
    refused = sum(not outcome.problem for outcome in found)
    slowest, cpu, most = (max(getattr(each, key) for each in found) for key in ("wall_s", "cpu_s", "peak_gib"))
    return f"{kind:<66}{len(found):>8}{refused:>9}{slowest:>12.2f}{cpu:>14.2f}{most:>11.2f}"


def cost(runs: int = 5) -> bool:
    """Print what reading a case costs, in a process of its own, against SimpleITK's bare read of the same file."""
    import SimpleITK as sitk

    from guidegen.case import load_case
    from guidegen.intake.inputs import read_contained
    from guidegen.phantom import label_volume, make_hip

    hip = label_volume(make_hip("left"), (0.7, 0.7, 0.7)).voxels
    voxels = np.zeros(BIG[::-1], np.uint8)
    part = hip[: BIG[0], : BIG[1], : BIG[2]].transpose()
    voxels[: part.shape[0], : part.shape[1], : part.shape[2]] = part
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.7, 0.7))
    within = True
    print(f"{'512 × 512 × 400, uint8':<26}{'bare, s':>10}{'intake, s':>11}{'more, s':>9}")
    with tempfile.TemporaryDirectory() as name:
        for ending in (".nii.gz", ".nrrd", ".mha"):
            path, case = Path(name) / f"big{ending}", Path(name) / "case.toml"
            sitk.WriteImage(image, str(path), useCompression=True)
            case.write_text(COST_CASE.format(file=path.name))
            bare, intake = [], []
            for _ in range(runs):
                start = time.perf_counter()
                sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
                bare.append(time.perf_counter() - start)
                start = time.perf_counter()
                read_contained(load_case(case))
                intake.append(time.perf_counter() - start)
            more = statistics.median(intake) - statistics.median(bare)
            print(f"{ending:<26}{statistics.median(bare):>10.2f}{statistics.median(intake):>11.2f}{more:>9.2f}")
            within &= more <= MOST_EXTRA_S
    return within


def main() -> int:
    parser = argparse.ArgumentParser(description="Bad inputs through the command line, and what intake costs.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose class or name has it")
    parser.add_argument("--cost", action="store_true", help="measure what intake costs instead")
    asked = parser.parse_args()
    sound = cost() if asked.cost else refusals(asked.only)
    print(f"load of the machine {os.getloadavg()[0]:.1f}; " + ("as it must be" if sound else "NOT AS IT MUST BE"))
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

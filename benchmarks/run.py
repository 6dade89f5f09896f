"""How long `guidegen run` takes and how much memory, stage by stage, against the budgets.

    python benchmarks/run.py [CASE.toml] [--runs N] [--big]

Each run is a new process with a fresh output folder, so every import and every stage is paid for.
`--big` pads the bone's volumes to at least 512 × 512 × 400 voxels first. Leaves with 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

GUIDEGEN = Path(sys.executable).with_name("guidegen")
BIG_VOXELS = (512, 512, 400)
AIR_HU = -1000


@dataclass(frozen=True)
class Budget:
    """What the slowest run may take."""

    wall_s: float
    peak_mib: float


BUDGET = Budget(wall_s=15.0, peak_mib=1536.0)
BIG_BUDGET = Budget(wall_s=18.0, peak_mib=2048.0)


@dataclass(frozen=True)
class Run:
    """One run, measured from outside; the stages as it timed them itself."""

    wall_s: float
    peak_mib: float
    stages_s: dict[str, float]


def phantom_case(folder: Path) -> Path:
    """The case file of the made-up hip, written into the folder."""
    from guidegen.phantom import make_hip, write_case

    return write_case(make_hip("left"), folder)


def big_case(case: Path, folder: Path) -> Path:
    """A copy of the case whose bone volumes are padded with background; the bone stays where it is."""
    bone = tomllib.loads(case.read_text())["bone"]
    if "labels" not in bone:
        sys.exit(f"{case}: --big pads label maps, and this case has none: choose a case with [bone] labels")
    shutil.copytree(case.parent, folder, dirs_exist_ok=True)
    pad(folder / bone["labels"], 0)
    if "image" in bone:
        pad(folder / bone["image"], AIR_HU)
    return folder / case.name


def pad(path: Path, background: float) -> None:
    import SimpleITK as sitk

    image = sitk.ReadImage(str(path))
    missing = [max(0, wanted - found) for wanted, found in zip(BIG_VOXELS, image.GetSize(), strict=True)]
    before = [count // 2 for count in missing]
    after = [count - half for count, half in zip(missing, before, strict=True)]
    sitk.WriteImage(sitk.ConstantPad(image, before, after, background), str(path), useCompression=True)


def measure(case: Path, output: Path) -> Run:
    """One run of `guidegen run`; leaves with its message if it fails."""
    log = output.with_suffix(".log")
    start = time.perf_counter()
    with log.open("w") as stream:
        process = subprocess.Popen([GUIDEGEN, "run", case, "--output", output], stdout=stream, stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)  # unlike wait(), tells the peak of this process alone
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"guidegen run {case} left with {process.returncode}:\n{log.read_text()}")
    stages_s = json.loads(next(output.glob("*/r*/timings.json")).read_text())
    return Run(wall_s, usage.ru_maxrss / 1024, stages_s)


def table(runs: list[Run], budget: Budget) -> str:
    rows = {
        "wall, s": [run.wall_s for run in runs],
        "peak memory, MiB": [run.peak_mib for run in runs],
        **{f"  {stage}, s": [run.stages_s[stage] for run in runs] for stage in runs[0].stages_s},
    }
    limits = {"wall, s": budget.wall_s, "peak memory, MiB": budget.peak_mib}
    lines = [f"{'':<28}{'min':>10}{'median':>10}{'max':>10}{'budget':>10}"]
    for name, values in rows.items():
        figures = (min(values), statistics.median(values), max(values))
        limit = f"{limits[name]:>10.2f}" if name in limits else ""
        lines.append(f"{name:<28}" + "".join(f"{figure:>10.2f}" for figure in figures) + limit)
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time and memory of `guidegen run`, against the budgets.")
    parser.add_argument("case", nargs="?", type=Path, metavar="CASE.toml", help="default: the made-up hip of the demo")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--big", action="store_true", help="pad the bone's volumes to 512 × 512 × 400 voxels")
    asked = parser.parse_args()
    budget = BIG_BUDGET if asked.big else BUDGET
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        case = asked.case or phantom_case(work / "phantom")
        if asked.big:
            case = big_case(case, work / "big")
        runs = [measure(case, work / f"run{number}") for number in range(asked.runs)]
    print(table(runs, budget))
    met = all(run.wall_s <= budget.wall_s and run.peak_mib <= budget.peak_mib for run in runs)
    print("within the budget" if met else "OVER THE BUDGET")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

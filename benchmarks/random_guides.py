"""Whether every guide becomes one: random tunnels on real femora, and random seats of those that were searched.

    python benchmarks/random_guides.py DATA [--count 500] [--first 0] [--femora N]

DATA is the folder with femora/*/case.toml. Each draw takes a femur, a kit, a printer, a size and a strategy, and for
most draws an entry of its own on the bone round the planned one, for some a target too; the guide is then made on one
of the best seats, drawn at random, written, read back and checked by everything but loads and virtual surgery. Each
becomes a guide that passes, a guide that a named check rejects, or a refusal by a named rule. Anything else is a
failure: an error that is none of the program's own, or a guide that is not closed or not one body. Leaves with 1 where
there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from guidegen import record
from guidegen.assessed import Planned
from guidegen.case import Case, load_case
from guidegen.check.battery import check_guide, read_written
from guidegen.errors import GuidegenError, NoSafePlan
from guidegen.guide import guide as guides
from guidegen.guide.layout import MOST_TRIES
from guidegen.guide.marks import Identity
from guidegen.guide.order import Order
from guidegen.guide.soft_tissue import soft_tissue_over
from guidegen.intake.body import find_body
from guidegen.ordered import load_templates
from guidegen.pipeline import plan_case
from guidegen.plan.as_built import with_sleeves
from guidegen.plan.fit import fit
from guidegen.plan.planning import CENTROID, COVERAGE, MULTIPLE
from guidegen.plan.rules import Rules
from guidegen.plan.sleeve_sizes import SleeveSizes
from guidegen.print_files import insert_files, print_files
from guidegen.seat.search import SMALLEST_CONTACT_MM2
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface

ONE, SEVERAL = ("core-8", "core-9", "core-10", "curette-10", "expandable-8", "cannulated-9"), ("multiple-3.2",)
PRINTERS = ("sla", "sla", "sls-pa12", "mjf", "fdm", "ti")
STRATEGIES = (COVERAGE, COVERAGE, COVERAGE, CENTROID, MULTIPLE)
# How far a drawn entry and target lie from the planned ones.
ENTRY_MM, TARGET_MM = 8.0, 4.0
WITH_ENTRY, WITH_TARGET = 0.8, 0.3
MUST_HOLD = ("guide open edges", "guide volume", "guide bodies")


@dataclass(frozen=True)
class Outcome:
    """What one draw came to: `kind` is passed, rejected, refused or FAILED, `why` the check, the rule or the error."""

    what: str
    kind: str
    why: str
    seconds: float


def drawn(folder: Path, output: Path, rng: np.random.Generator) -> Case:
    """The case with an order drawn at random."""
    case, strategy = load_case(folder / "case.toml"), str(rng.choice(STRATEGIES))
    order: dict[str, Any] = {
        "strategy": strategy,
        "kit": str(rng.choice(SEVERAL if strategy == MULTIPLE else ONE)),
        "printer": str(rng.choice(PRINTERS)),
        "size": str(rng.choice(["S", "M", "L"])),
    }
    entry, target, bone = planned_way(folder, output)
    if rng.random() < WITH_ENTRY:
        beside = entry + rng.uniform(-ENTRY_MM, ENTRY_MM, 3)
        order["entry_mm"] = tuple(bone.nearest(beside[None])[2][0].tolist())
        if strategy != MULTIPLE and rng.random() < WITH_TARGET:
            order["target_mm"] = tuple((target + rng.uniform(-TARGET_MM, TARGET_MM, 3)).tolist())
    return replace(case, order=case.order.model_copy(update=order))


@cache
def planned_way(folder: Path, output: Path) -> tuple[Any, Any, Surface]:
    """Entry and target of the tunnel that reaches the most of the lesion, and the bone."""
    case = load_case(folder / "case.toml")
    planned = plan_case(replace(case, order=case.order.model_copy(update={"strategy": COVERAGE})), output)
    return planned.tunnels[0].entry_mm, planned.tunnels[0].target_mm, planned.assessed.bone.surface


def on_a_drawn_seat(planned: Planned, rng: np.random.Generator) -> tuple[Planned, record.Built]:
    """The guide on one of the best seats, in a drawn order."""
    assessed, asked = planned.assessed, planned.assessed.case.order
    templates = load_templates(asked)
    kit = templates.fan_kit if asked.strategy == MULTIPLE else templates.kit
    gap = fit(templates.printer, assessed.bone.error_mm, asked.clearance_mm, asked.periosteum_mm, templates.guide)
    sizes = SleeveSizes.of(kit, templates.guide, templates.printer)
    order = Order(kit, templates.guide, templates.printer, gap.clearance_mm, sizes)
    made_from = record.plan_hash(planned, {}, {"order": asked.model_dump(mode="json")})
    identity = Identity(assessed.case.patient.id, "r001", made_from[: record.SHORT_HASH])
    search = guides.find_seats

    def shuffled(*given: Any) -> list[Any]:
        seats = search(*given)[:MOST_TRIES]
        return [seats[k] for k in rng.permutation(len(seats))]

    guides.find_seats = shuffled
    try:
        guide = guides.make_guide(
            assessed.bone.surface, assessed.anatomy, planned.tunnels, identity, asked.size, order,
            keep_out=assessed.keep_out,
        )  # fmt: skip
    finally:
        guides.find_seats = search
    assert planned.plan is not None
    plan = with_sleeves(planned.plan, kit, guide.offsets_mm, guides.fittings_of(guide, sizes))
    over = soft_tissue_over(guide, planned.tunnels, kit, find_body(None, assessed.bone.surface))
    return replace(planned, plan=plan), (guide, identity, gap, over)


def found_on_files(planned: Planned, built: record.Built, folder: Path) -> tuple[Any, ...]:
    """What is found on the guide as it was written."""
    templates, order = load_templates(planned.assessed.case.order), planned.assessed.case.order
    kit = templates.fan_kit if order.strategy == MULTIPLE else templates.kit
    chosen = planned.plan.chosen
    limits = record.limits(
        Rules(), templates.guide.sleeve.least_guided_for(kit), templates.printer.build.least_wall_mm,
        SMALLEST_CONTACT_MM2, through_centroid=chosen.strategy == CENTROID,
    )  # fmt: skip
    printing = record.printing(order.printer, templates.printer, templates.sterilisation)
    content = record.plan_json(planned, built, limits, (), printing, templates.printer)
    files = {"plan.json": record.to_json(content), "femur.stl": stl_bytes(planned.assessed.bone.surface)}
    files["lesion.stl"] = stl_bytes(planned.assessed.lesion.surface)
    if planned.assessed.keep_out.surface is not None:
        files["keep_out.stl"] = stl_bytes(planned.assessed.keep_out.surface)
    files |= {"guide.stl": stl_bytes(built[0].surface)} | insert_files(built[0])
    _put(files, folder)
    _put(print_files(content, built[0], folder), folder)
    return check_guide(read_written(folder))


def _put(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def tried(folders: list[Path], output: Path, number: int) -> Outcome:
    """What draw `number` comes to."""
    rng, started = np.random.default_rng(number), time.perf_counter()
    folder = folders[number % len(folders)]
    what = folder.name
    try:
        case = drawn(folder, output, rng)
        what += f" {case.order.size} {case.order.strategy} {case.order.kit} {case.order.printer}"
        planned, built = on_a_drawn_seat(plan_case(case, output), rng)
        with tempfile.TemporaryDirectory() as scratch:
            failed = [each for each in found_on_files(planned, built, Path(scratch)) if not each.passed]
    except NoSafePlan as refusal:
        kind, why = "refused", refusal.rule
    except GuidegenError as error:
        kind, why = "refused", f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
        kind, why = "FAILED", traceback.format_exc()
    else:
        unsound = [each.name for each in failed if each.name in MUST_HOLD]
        kind = "FAILED" if unsound else "rejected" if failed else "passed"
        why = ", ".join(unsound or [f"{each.name} {each.measured} of {each.limit}" for each in failed])
    return Outcome(what, kind, why, time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random tunnels and seats: each a checked guide or a named refusal.")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--count", type=int, default=500, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first draw")
    parser.add_argument("--femora", type=int, default=None, metavar="N", help="only the first N")
    asked = parser.parse_args()
    folders = sorted((asked.data / "femora").iterdir())[: asked.femora]
    kinds: Counter[str] = Counter()
    whys: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as output, ProcessPoolExecutor(2) as cores:
        numbers = range(asked.first, asked.first + asked.count)
        for number, each in zip(numbers, cores.map(partial(tried, folders, Path(output)), numbers), strict=True):
            kinds[each.kind] += 1
            whys[each.kind, each.why.split(" ")[0] if each.kind == "refused" else each.why] += 1
            print(f"{number:>4} {each.what:<44}{each.kind:<10}{each.seconds:>6.1f} s  {each.why}", flush=True)
    for (kind, why), count in sorted(whys.items()):
        if kind != "passed":
            print(f"{count:>5} {kind} {why}")
    print(", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    return 1 if kinds["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""docs/checks.md has every check that there is, with its limit and its reason as the code has them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from bench_skin import plane, told
from run_orders import as_ordered, parameters
from seat_bodies import METAL

from guidegen.check import slicer
from guidegen.check.battery import check_files
from guidegen.check.drill import drill_way_findings
from guidegen.check.finding import Finding
from guidegen.check.metal import metal_findings
from guidegen.check.ordered import Ordered, ordered_findings
from guidegen.check.print_form import print_form_findings
from guidegen.check.reducer import reducer_findings
from guidegen.check.removal import wire_findings
from guidegen.check.seat import seated
from guidegen.check.slicer import slicer_findings
from guidegen.check.trial_bone import trial_bone_findings, trial_print_findings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
ROW = re.compile(r"^\| `(.+?)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def as_printed(name: str) -> str:
    """A finding's name as the page has it: numbers of parts are N, a profile is P."""
    name = re.sub(r"^(sleeve|reducer|pin|tunnel|label|window|probe) \d+", r"\1 N", name)
    name = re.sub(r"^labels name tunnel \d+", "labels name tunnel N", name)
    return re.sub(r"sliced by \w+,", "sliced by P,", name)


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str, str]]:
    found = {name: (how, limit, why) for name, how, limit, why in ROW.findall(PAGE.read_text(encoding="utf-8"))}
    assert found
    return found


@pytest.fixture(scope="module")
def made(hip, bench, tmp_path_factory) -> dict[str, Finding]:
    """One finding of every kind: on a guide with all there is to a guide, and with what shuts something else out."""

    def all_of_it(plan) -> None:
        plan["limits"]["vessel_wall_min_mm"] = 5.0
        plan["keep_out"] = ["implant"]
        told(plan)
        for parts in (plan["guide"]["pins"], plan["guide"]["soft_tissue"]["pins"]):
            parts.append(parts[0])

    def of_metal(plan) -> None:
        plan["guide"]["sleeves"][0] |= {
            "kind": "metal",
            "metal": METAL,
        }

    def with_wire(plan) -> None:
        within = {"drill_diameter_mm": 3.2, "inner_diameter_mm": 3.3, "outer_diameter_mm": 8.1, "length_mm": 36.0}
        reducer = within | {"flange_height_mm": 2.0}
        plan["guide"]["wire_left_mm"] = 3.2
        plan["guide"]["wire_stop_collar"] = {"bore_mm": 3.3, "height_mm": 10.0}
        plan["guide"]["sleeves"][0] |= {"bore_mm": 8.2, "reducer": reducer, "wire_reading_mm": 121.0}

    implant = bench.placed(bench.block([-60.0, -60.0, -50.0], [-50.0, -50.0, -40.0]))
    findings = list(
        check_files(hip.plan(all_of_it), hip.bone, hip.guide, implant, hip.printed_mm, (), None, plane(), hip.lesion)
    )
    findings += trial_bone_findings(hip.asked(), hip.bone, hip.guide, None)
    findings += trial_print_findings(hip.asked(), None, np.empty((0, 3, 3)))
    plan = hip.plan(as_ordered)
    findings += ordered_findings(plan, hip.asked(as_ordered), Ordered.read(parameters()))
    folder = tmp_path_factory.mktemp("prints")
    (folder / "plan.json").touch()
    findings += print_form_findings(folder, plan)
    findings += drill_way_findings(hip.asked(of_metal), hip.guide)
    findings += reducer_findings(hip.asked(with_wire), [None])
    findings += wire_findings(hip.asked(with_wire), hip.bone, hip.guide, seated(hip.bone, hip.guide))
    for change in (of_metal, with_wire):
        findings += metal_findings(hip.asked(change), tmp_path_factory.mktemp("no metal"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicer, "PROGRAM", "true")  # says nothing: each finding is made, and none is measured
        for profile in ("sla", "fdm"):
            findings += slicer_findings(tmp_path_factory.mktemp(profile), profile)
    return {as_printed(finding.name): finding for finding in findings}


def test_the_page_has_every_check_and_no_other(rows, made) -> None:
    elsewhere = {"files changed since the run"}  # the command's own
    assert set(rows) - elsewhere == set(made)


def test_the_page_gives_the_reason_that_the_code_gives(rows, made) -> None:
    for name, finding in made.items():
        why = finding.why.split(": ", 1)[1].split(". ", 1)[1] if finding.measured is None else finding.why
        assert rows[name][2] == why, name


def test_a_limit_that_is_a_figure_is_the_codes(rows, made) -> None:
    figures = 0
    for name, finding in made.items():
        stated = re.match(r"[≤≥>] ([0-9.]+)", rows[name][1])
        if stated is not None:
            assert float(stated[1]) == finding.limit, name
            figures += 1
    assert figures > 40


def test_every_row_says_how(rows) -> None:
    for name, (how, _, why) in rows.items():
        assert len(how) > 12, name
        assert why.endswith("."), name

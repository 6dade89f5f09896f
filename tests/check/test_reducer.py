"""A guide wire's reducer as it was written, against what the plan reckons with."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from seat_bodies import METAL

from guidegen.check.reducer import REDUCER_FILE, read_reducers, reducer_findings
from guidegen.errors import ResultError
from guidegen.guide.metal import Reducer, Whose
from guidegen.guide.metal_files import metal_files

WITHIN = Reducer(3.2, 3.3, 8.07, 37.85, 12.1, 2.0, 8.1)
WHOSE = Whose("case-1", "left", "r001", "1a2b3c4d")
SLEEVE = {
    "kind": "metal", "bore_mm": 8.1, "guided_length_mm": 34.35, "wire_reading_mm": 34.0 + 85.0 + 2.0,
    "metal": METAL,
    "reducer": asdict(WITHIN),
}  # fmt: skip


def found(hip, folder: Path, written: Reducer | None = WITHIN, **changes: Any):
    """The findings on a plan with this reducer, of which that one was written."""

    def with_reducer(plan) -> None:
        length_mm = plan["tunnels"][0]["length_mm"]
        offset_mm = plan["guide"]["sleeves"][0]["offset_mm"]
        plan["guide"]["sleeves"][0] |= SLEEVE | {"wire_reading_mm": offset_mm + length_mm + 2.0} | changes

    asked = hip.asked(with_reducer)
    if written is not None:
        (folder / "metal").mkdir(exist_ok=True)
        for name, content in metal_files({"reducer-1": written}, WHOSE).items():
            (folder / "metal" / name).write_bytes(content)
    findings = reducer_findings(asked, read_reducers(folder, asked))
    return {finding.name.removeprefix("reducer 1 "): finding for finding in findings}


def failed(findings) -> set[str]:
    return {name for name, finding in findings.items() if not finding.passed}


def test_the_written_reducer_is_as_planned(hip, tmp_path: Path) -> None:
    findings = found(hip, tmp_path)
    assert failed(findings) == set()
    assert findings["play in the sleeve, least"].measured == pytest.approx(0.03, abs=2e-3)
    assert findings["off the bone"].measured == pytest.approx(34.35 + 2.0 - 35.85, abs=1e-4)
    assert findings["bore guided length"].measured == pytest.approx(WITHIN.guided_length_mm, abs=0.2)


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"inner_diameter_mm": 3.4}, {"bore diameter off plan"}),
        ({"outer_diameter_mm": 8.095}, {"play in the sleeve, least"}),
        ({"outer_diameter_mm": 7.98}, {"play in the sleeve, most"}),
        ({"flange_height_mm": 2.1}, {"wire off its depth"}),
        ({"length_mm": 38.45}, {"off the bone"}),
        ({"length_mm": 19.9}, {"bore guided length"}),
    ],
)
def test_another_reducer_than_the_planned_one_fails_where_it_differs(hip, tmp_path: Path, change, fails) -> None:
    assert failed(found(hip, tmp_path, replace(WITHIN, **change))) == fails


def test_a_reading_that_forgets_the_flange_fails(hip, tmp_path: Path) -> None:
    plain = found(hip, tmp_path)["wire off its depth"]
    assert plain.passed
    forgotten = hip.asked().guide.sleeves[0].offset_mm + hip.asked().tunnels[0].length_mm
    finding = found(hip, tmp_path, wire_reading_mm=forgotten)["wire off its depth"]
    assert (finding.measured, finding.passed) == (pytest.approx(2.0, abs=1e-3), False)


def test_a_missing_or_broken_file_passes_nothing(hip, tmp_path: Path) -> None:
    for content in (None, b"no STEP"):
        if content is not None:
            (tmp_path / "metal").mkdir()
            (tmp_path / REDUCER_FILE.format(1)).write_bytes(content)
        findings = found(hip, tmp_path, written=None)
        assert failed(findings) == set(findings)
        assert all("there is no STEP file of it" in finding.why for finding in findings.values())


def test_a_kit_without_a_guide_wire_has_none(hip, tmp_path: Path) -> None:
    assert reducer_findings(hip.asked(), read_reducers(tmp_path, hip.asked())) == ()
    with pytest.raises(ResultError, match="expected 0 reducers, found 1"):
        reducer_findings(hip.asked(), [None])


def test_a_plan_with_a_reducer_says_what_is_read_on_it(hip) -> None:
    def without(plan) -> None:
        plan["guide"]["sleeves"][0] |= SLEEVE | {"wire_reading_mm": None}

    with pytest.raises(ResultError, match="expected wire_reading_mm and bore_mm of a sleeve with a reducer"):
        hip.asked(without)

"""The figures that are read in the theatre, against where the stop rests in the file."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.depth import sleeve_depth_findings

OFFSET, READING = "tunnel 1 sleeve's offset off the file", "tunnel 1 reading off the file"
ENTRY, AXIS = np.array([15.0, 0.0, 0.0]), np.array([-0.8, 0.0, 0.6])


def found(hip, change=None, guide=None) -> dict[str, float | None]:
    findings = sleeve_depth_findings(hip.asked(change), guide or hip.guide)
    assert all(each.passed == (each.measured is not None and each.measured <= 0.05) for each in findings)
    return {each.name: each.measured for each in findings}


def test_the_good_plan_reads_what_the_file_gives(hip) -> None:
    assert found(hip) == {OFFSET: pytest.approx(0.0, abs=1e-3), READING: pytest.approx(0.0, abs=1e-3)}


@pytest.mark.parametrize(
    ("figure", "off"),
    [("depth_reading_mm", {OFFSET: 0.0, READING: 20.0}), ("sleeve_offset_mm", {OFFSET: 20.0, READING: 0.0})],
)
def test_a_figure_of_another_depth_is_found(hip, figure, off) -> None:
    def change(plan) -> None:
        plan["tunnels"][0][figure] += 20.0

    assert found(hip, change) == pytest.approx(off, abs=1e-3)


def test_a_top_that_is_lower_than_read_is_a_wrong_depth(hip, bench) -> None:
    top = ENTRY - 34.0 * AXIS
    lower = hip.wrong_guide(cut=bench.rod(top + 2.0 * AXIS, top - AXIS, 7.2))
    assert found(hip, guide=lower) == pytest.approx({OFFSET: 2.0, READING: 2.0}, abs=1e-3)


def test_where_there_is_no_top_nothing_is_read(hip, bench) -> None:
    none = bench.placed(bench.block([15.5, -12.0, 10.0], [20.0, 12.0, 25.0]))
    assert found(hip, guide=none) == {OFFSET: None, READING: None}

"""The faces for an inspector's calliper."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.calliper import calliper_findings


def faces(hip, guide=None, change=None):
    (finding,) = calliper_findings(hip.asked(change), guide or hip.guide)
    return finding


def test_the_good_faces_are_twenty_millimetres_apart(hip) -> None:
    finding = faces(hip)
    assert (finding.measured, finding.passed) == (pytest.approx(0.0, abs=1e-4), True)


@pytest.mark.parametrize("by_mm", [0.05, -0.05])
def test_faces_that_are_nearer_or_further_apart_are_off_by_as_much(hip, bench, by_mm) -> None:
    slab = bench.block([14.0, 10.0 + min(by_mm, 0.0), 25.1], [21.0, 10.0 + max(by_mm, 0.0), 30.0])
    finding = faces(hip, hip.wrong_guide(**{"add" if by_mm > 0 else "cut": slab}))
    assert (finding.measured, finding.passed) == (pytest.approx(0.05, abs=1e-4), False)


def test_a_face_that_slants_is_off_at_the_jaws_rim(hip, bench) -> None:
    """By 2° about x: at the jaw's rim, 1 mm from its middle, it is off by tan 2°."""
    slope = np.array([0.0, np.cos(np.radians(2.0)), np.sin(np.radians(2.0))])
    middle = np.array([17.65, 10.0, 27.0])
    finding = faces(hip, hip.wrong_guide(cut=bench.rod(middle, middle + 5.0 * slope, 10.0)))
    assert (finding.measured, finding.passed) == (pytest.approx(np.tan(np.radians(2.0)), rel=0.1), False)


def test_what_stands_on_a_face_keeps_the_jaw_off(hip, bench) -> None:
    grain = bench.ball([18.6, 10.0, 27.0], 0.25)
    assert not faces(hip, hip.wrong_guide(add=grain)).passed


def test_a_face_that_is_not_there_is_not_measured(hip, bench) -> None:
    finding = faces(hip, hip.wrong_guide(cut=bench.block([14.0, -13.0, 25.1], [21.0, 13.0, 30.0])))
    assert (finding.measured, finding.passed) == (None, False)


def test_a_guide_without_such_faces_is_not_asked_for_them(hip) -> None:
    assert calliper_findings(hip.asked(lambda plan: plan["guide"].update(calliper=None)), hip.guide) == ()

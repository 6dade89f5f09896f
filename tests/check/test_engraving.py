"""The label as it is engraved in the file."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.label import _as_printed, label_findings


def found(hip, guide=None, change=None):
    findings = label_findings(hip.asked(change), guide or hip.guide)
    return {finding.name.removeprefix("label 1 "): finding for finding in findings}


def lines(*text):
    def change(plan) -> None:
        plan["guide"]["labels"][0]["lines"] = list(text)

    return change


def test_the_good_label_reads(hip) -> None:
    findings = found(hip)
    assert all(finding.passed for finding in findings.values())
    assert findings["reads as planned"].measured > 0.85
    assert findings["reads better than mirrored"].measured > 0.5
    assert findings["depth"].measured == pytest.approx(0.6, abs=1e-4)


def test_every_label_is_read(hip) -> None:
    findings = found(hip, hip.wrong_guide(marks=("r001", "1a2b3c4d", "8 118")))
    assert [name for name, finding in findings.items() if not finding.passed] == ["label 2 strokes that differ"]


def test_mirrored_text_is_found(hip) -> None:
    findings = found(hip, hip.wrong_guide(mirrored=True))
    for name in ("reads as planned", "reads better than mirrored", "strokes that differ"):
        assert not findings[name].passed
    assert findings["reads better than mirrored"].measured < -0.5


@pytest.mark.parametrize("text", [("case-7", "LEFT"), ("cose-1", "LEFT"), ("case-1", "LEET"), ("case_1", "LEFT")])
def test_one_wrong_letter_is_found(hip, text) -> None:
    findings = found(hip, hip.wrong_guide(lines=text))
    assert findings["strokes that differ"].measured > 0
    assert not findings["strokes that differ"].passed


@pytest.mark.parametrize("text", ["case-1", "B8Q0-E_j", "AVATAR.7", "fl-ffi"])
def test_the_same_letters_do_not_differ(hip, text) -> None:
    findings = found(hip, hip.wrong_guide(lines=(text, "LEFT")), lines(text, "LEFT"))
    assert (findings["strokes that differ"].measured, findings["reads as planned"].passed) == (0.0, True)


def test_the_wrong_side_engraved_is_found(hip) -> None:
    findings = found(hip, hip.wrong_guide(lines=("case-1", "RIGHT")))
    assert not findings["reads as planned"].passed or not findings["strokes that differ"].passed


@pytest.mark.parametrize(("depth", "passed"), [(0.55, True), (0.4, False)])
def test_an_engraving_is_as_deep_as_it_is(hip, depth, passed) -> None:
    found_depth = found(hip, hip.wrong_guide(text_depth=depth))["depth"]
    assert (found_depth.measured, found_depth.passed) == (pytest.approx(depth, abs=1e-4), passed)


def test_a_blank_plate_has_nothing_to_read(hip) -> None:
    findings = found(hip, hip.wrong_guide(lines=()))
    for name in ("reads as planned", "strokes that differ", "reads better than mirrored", "depth"):
        assert (findings[name].measured, findings[name].passed) == (None, False)
    assert "nothing is engraved" in findings["depth"].why


def test_a_missing_line_is_found(hip) -> None:
    finding = found(hip, hip.wrong_guide(lines=("case-1",)))["reads as planned"]
    assert (finding.measured, finding.passed) == (None, False)
    assert "fewer lines" in finding.why


@pytest.mark.parametrize(("finest_mm", "passed"), [(0.4, True), (0.5, True), (1.2, False)])
def test_strokes_finer_than_the_printer_makes_are_gone(hip, finest_mm, passed) -> None:
    """A stem of the bold face is 0.8 mm wide at a text height of 4 mm."""

    def coarse(plan) -> None:
        plan["printing"]["least_feature_mm"] = finest_mm

    assert found(hip, change=coarse)["reads at the printer's resolution"].passed is passed


def test_gaps_and_strokes_finer_than_the_printer_makes_close() -> None:
    two_strokes = np.zeros((40, 60), dtype=bool)
    two_strokes[5:35, 10:28] = two_strokes[5:35, 31:50] = True  # 18 points wide, 3 apart
    for finest, closed in ((2.0, False), (5.0, True)):
        assert _as_printed(two_strokes, finest)[20, 28:31].all() == closed
    thin = np.zeros((40, 60), dtype=bool)
    thin[5:35, 20:23] = True
    for finest, left in ((2.0, True), (5.0, False)):
        assert _as_printed(thin, finest).any() == left

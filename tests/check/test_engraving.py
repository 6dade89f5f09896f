"""The label as it is engraved in the file."""

from __future__ import annotations

import pytest

from guidegen.check.label import label_findings


def found(hip, guide=None, change=None):
    findings = label_findings(hip.asked(change), guide or hip.guide)
    return {finding.name.removeprefix("label "): finding for finding in findings}


def lines(*text):
    def change(plan) -> None:
        plan["guide"]["label"]["lines"] = list(text)

    return change


def test_the_good_label_reads(hip) -> None:
    findings = found(hip)
    assert all(finding.passed for finding in findings.values())
    assert findings["reads as planned"].measured > 0.85
    assert findings["reads better than mirrored"].measured > 0.5
    assert findings["depth"].measured == pytest.approx(0.6, abs=1e-4)


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


@pytest.mark.parametrize(
    ("text", "side_ok", "patient_ok"),
    [
        (("case-1", "LEFT"), True, True),
        (("case-1", "RIGHT"), False, True),
        (("case-1", "LEFT RIGHT"), False, True),
        (("case-1", "core 8"), False, True),
        (("case-2", "LEFT"), True, False),
        (("case-1", "Left hip"), True, True),
    ],
)
def test_the_words_name_side_and_patient(hip, text, side_ok, patient_ok) -> None:
    findings = found(hip, change=lines(*text))
    assert (findings["names the side"].passed, findings["names the patient"].passed) == (side_ok, patient_ok)


def test_a_patients_id_is_not_taken_for_a_side(hip) -> None:
    def right(plan) -> None:
        plan["case_id"] = "right-12"
        plan["guide"]["label"]["lines"] = ["right-12", "LEFT"]

    assert found(hip, change=right)["names the side"].passed


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

"""The words and figures on the labels, as planned."""

from __future__ import annotations

import pytest

from guidegen.check.words import word_findings


def found(hip, change=None):
    return {finding.name.removeprefix("labels name "): finding for finding in word_findings(hip.asked(change))}


def lines(*text, label=0):
    def change(plan) -> None:
        plan["guide"]["labels"][label]["lines"] = list(text)

    return change


def test_the_good_labels_say_all(hip) -> None:
    findings = found(hip)
    assert list(findings) == ["the side", "the patient", "the revision", "the plan", "tunnel 1's diameter and depth"]
    assert all(finding.passed for finding in findings.values())


@pytest.mark.parametrize(
    ("text", "side_ok", "patient_ok"),
    [
        (("case-1", "LEFT"), True, True),
        (("case-1", "RIGHT"), False, False),
        (("case-1", "LEFT RIGHT"), False, True),
        (("case-1", "core 8"), False, False),
        (("ca", "se-1", "LEFT"), True, True),
        (("my-case-1", "LEFT"), True, False),
        (("case-12", "LEFT"), True, False),
        (("0", "case-1", "LEFT"), True, False),
        (("case-1", "2", "LEFT"), True, False),
        (("case-2", "LEFT"), True, False),
        (("case-1", "Left hip"), True, True),
    ],
)
def test_the_words_name_side_and_patient(hip, text, side_ok, patient_ok) -> None:
    findings = found(hip, change=lines(*text))
    assert (findings["the side"].passed, findings["the patient"].passed) == (side_ok, patient_ok)


def test_a_patients_id_is_not_taken_for_a_side(hip) -> None:
    def right(plan) -> None:
        plan["case_id"] = "right-12"
        plan["guide"]["labels"][0]["lines"] = ["right-12", "LEFT"]

    assert found(hip, change=right)["the side"].passed


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (("r001 1a2b3c4d", "8 119"), None),
        (("R001-1A2B3C4D", "ø8.0 118.8"), None),
        (("r002", "1a2b3c4d", "8 119"), "the revision"),
        (("r001", "1a2b3c4e", "8 119"), "the plan"),
        (("r001", "1a2b3c4d5", "8 119"), "the plan"),
        (("r001", "1a2b", "3c4d", "8 119"), None),
        (("r001", "1a2b3c4d", "8 118"), "tunnel 1's diameter and depth"),
        (("r001", "1a2b3c4d", "9 119"), "tunnel 1's diameter and depth"),
    ],
)
def test_revision_plan_and_tunnel_are_named(hip, text, missing) -> None:
    findings = found(hip, lines(*text, label=1))
    assert [name for name, finding in findings.items() if not finding.passed] == ([] if missing is None else [missing])


def test_two_labels_that_have_one_figure_each_do_not_name_a_tunnel(hip) -> None:
    def split(plan) -> None:
        lines("case-1", "LEFT", "8")(plan)
        lines("r001", "1a2b3c4d", "119", label=1)(plan)

    assert not found(hip, split)["tunnel 1's diameter and depth"].passed

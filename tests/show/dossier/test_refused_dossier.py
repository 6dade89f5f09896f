"""Without a guide, or with one that failed: every page says so in words, the first says why, and none can be signed."""

from __future__ import annotations

from typing import Any

import pytest
from dossier_case import HASHES, INPUTS, PICTURES, files, finding, pictures, plan, proposal, proposed, told, tunnel
from test_dossier_content import row, rows, section, words
from test_dossier_pdf import dense, pages
from walked_dossier import walk

from guidegen.show.dossier.content import dossier_content
from guidegen.show.dossier.typeset import dossier_pdf

REFUSAL = {
    "stage": "plan", "rule": "subchondral_rim_mm",
    "message": "expected a tunnel that keeps every rule, found none of 1234 candidates that does",
    "figures": {"wall_min_mm": 4.25, "tool_to_joint_mm": 1.04, "shaft_angle_deg": 131.2, "window_mm": 3.5},
}  # fmt: skip
BROKEN = [{"rule": "subchondral_rim_mm", "measured": 1.04, "limit": 3.0, "unit": "mm", "waivable": False}]
FAILED = [finding(name="safe plan: subchondral_rim_mm", measured=None, passed=False, why="Not measured.")]


def without(chosen: bool, language: str = "en", **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The records of a case without a guide, and its dossier's content; `chosen`: with the tunnel that was ordered."""
    made = proposed() if chosen else proposed(chosen=None)
    tunnels = [tunnel(broken_rules=BROKEN, depth_reading_mm=None, instruments=[])] if chosen else []
    changed = {"guide": None, "refusal": REFUSAL, "tunnels": tunnels, "plan": made} | changes
    content = dossier_content(plan(**changed), FAILED, frozenset(PICTURES), INPUTS, HASHES, language, "r003")
    return files(FAILED, **changed), content


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("chosen", [True, False])
def test_every_figure_of_a_refusal_is_that_of_its_record(language: str, chosen: bool) -> None:
    records, content = without(chosen, language)
    assert walk(content, records) > 100


def test_the_ruling_rule_stands_first_with_its_figures_and_limits() -> None:
    _, content = without(True)
    first, broken, *_ = section(content, "refused")["blocks"]
    assert first["grave"]
    assert words(first["paragraphs"][0]) == "The rule that rules it out: any point of the tool to the joint"
    assert rows(broken) == [["tunnel 1", "any point of the tool to the joint", "1.04 mm", "≥ 3.0 mm", "no"]]
    _, content = without(False)
    assert words(section(content, "refused")["blocks"][0]["paragraphs"][1]) == REFUSAL["message"]
    assert row(content, "refused", "any point of the tool to the joint") == ["1.0 mm", "≥ 3.0 mm"]
    assert row(content, "refused", "angle to the shaft") == ["131.2°", ""]
    assert row(content, "refused", "window mm") == ["3.5 mm", ""]  # a figure without words keeps its name


def test_what_was_tried_stands_where_no_tunnel_does() -> None:
    _, content = without(False)
    assert [each["id"] for each in content["sections"]] == ["refused", "tried", "images", "anatomy", "lesion", "files"]
    assert row(content, "tried", "coverage")[1] == "2"
    assert "No tunnel by" in str(section(content, "tried"))
    _, unmeasured = without(False, plan=None)
    assert "tried" not in [each["id"] for each in unmeasured["sections"]]


def test_a_sound_plan_without_a_guide_is_shown_with_what_the_guide_lacked() -> None:
    refusal = {"stage": "guide", "rule": "pins", "message": "expected place for two wires, found one",
               "figures": {"lawful_wires": 1.0}}  # fmt: skip
    records, content = without(True, tunnels=[tunnel()], refusal=refusal)
    assert walk(content, records) > 100
    assert row(content, "refused", "lawful wires") == ["1", ""]
    assert {"tunnel", "doubt"} <= {each["id"] for each in content["sections"]}


def test_nobody_is_asked_to_sign_what_was_refused_or_rejected() -> None:
    for content in (without(True)[1], without(False)[1], told(FAILED)):
        assert "signature" not in [each["id"] for each in content["sections"]]
        assert "binds every file" not in str(content)
    assert "signature" in [each["id"] for each in told()["sections"]]


@pytest.mark.parametrize(("language", "said"), [("en", "REFUSED: no guide."), ("tr", "REDDEDİLDİ: kılavuz yok.")])
def test_every_page_of_a_refusal_says_in_words_that_there_is_no_guide(language: str, said: str) -> None:
    found = pages(dossier_pdf(without(True, language)[1], pictures()))
    assert len(found) > 4
    for page in found:
        assert dense(said) in page
        assert "r003" in page
        assert "Z019L" in page


def test_every_page_of_a_rejected_guide_says_so_and_the_first_says_what_failed() -> None:
    broken = [finding(), finding(name="bore angle", measured=0.7, limit=0.5, unit="°", passed=False, bound="at_most")]
    found = pages(dossier_pdf(told(broken), pictures()))
    assert all(dense("REJECTED: 1 of 2 checks failed.") in page for page in found)
    assert dense("bore angle – 0.70 °, limit ≤ 0.50 °") in found[0]
    content = told(broken, plan=proposed(chosen=proposal(warnings=[])))
    assert section(content, "summary")["blocks"][0]["grave"]
    assert walk(content, files(broken, plan=proposed(chosen=proposal(warnings=[])))) > 200

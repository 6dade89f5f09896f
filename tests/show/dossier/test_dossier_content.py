"""What a dossier says: every figure is that of the record it names, and no question is left open."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from dossier_case import (
    HASHES,
    INPUTS,
    PICTURES,
    fan_guide,
    files,
    finding,
    guide,
    plan,
    proposal,
    proposed,
    told,
    tunnel,
)
from walked_dossier import figures, walk

from guidegen.show.dossier.content import dossier_content

FOUND = [
    finding(bound="above"),
    finding(name="print length", measured=74.5, limit=145.0, bound="at_most"),
    finding(name="bore angle", measured=0.5001, limit=0.5, unit="°", passed=False, why="It misses.", bound="at_most"),
    finding(name="label depth", measured=None, limit=0.3, passed=False, why="Not measured: no text.", bound="at_least"),
    finding(name="guide bodies", measured=1.0, limit=1.0, unit="", bound="at_most"),
    finding(name="depth", measured=128.25, limit=99.75),  # of a run that did not record the side
]


def section(content: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in content["sections"] if each["id"] == name]
    return found


def words(cell: Any) -> str:
    """A cell as it is read."""
    if isinstance(cell, str):
        return cell
    return cell["text"] if "text" in cell else cell.get("join", " ").join(words(part) for part in cell["parts"])


def rows(blocks: Any) -> list[list[str]]:
    """Every row of every table in blocks, as it is read."""
    if isinstance(blocks, list):
        return [row for block in blocks for row in rows(block)]
    if blocks["kind"] == "columns":
        return rows(blocks["left"]) + rows(blocks["right"])
    return [[words(cell) for cell in row] for row in blocks["rows"]] if blocks["kind"] == "table" else []


def row(content: dict[str, Any], name: str, first: str) -> list[str]:
    """The row of a section that begins so."""
    (found,) = [each[1:] for each in rows(section(content, name)["blocks"]) if each[0] == first]
    return found


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_every_figure_is_that_of_the_place_it_names(language: str, side: str) -> None:
    anatomy = plan()["anatomy"] | ({"head_center_mm": [40.0, 0.0, 50.0]} if side == "right" else {})
    changes = {"side": side, "anatomy": anatomy}
    assert walk(told(FOUND, language, **changes), files(FOUND, **changes)) > 200


def test_several_tunnels_and_what_an_expert_overruled_are_walked_too() -> None:
    overrides = {
        "author": "J. Expert", "reason": "the MR shows it",
        "values": [{"name": "head_radius_mm", "apart": 1.25, "unit": "mm"}],
    }  # fmt: skip
    several = [tunnel(), tunnel(length_mm=80.0, keep_out_mm=7.7), tunnel(length_mm=70.0)]
    changes = {"tunnels": several, "overrides": overrides, "keep_out": []}
    content = told(FOUND, **changes)
    assert walk(content, files(FOUND, **changes)) > 250
    assert row(content, "tunnel", "length in the bone") == ["93.3 mm", "80.0 mm", "70.0 mm", ""]
    assert row(content, "anatomy", "author") == ["J. Expert"]


def test_how_deep_the_bone_lies_is_told_for_every_tunnel_and_wire() -> None:
    content = told(FOUND)
    assert row(content, "guide", "tunnel 1") == [
        "72 mm", "−31 mm", "stab incision", "12 mm", "−8 mm", "175 mm", "200 mm", "25 mm",
    ]  # fmt: skip
    wires = [each for each in rows(section(content, "guide")["blocks"]) if each[0].startswith("wire ")]
    assert wires[2:] == [
        ["wire 1", "47 mm", "", "", "", "", "102 mm", "150 mm", "48 mm"],
        ["wire 2", "not known", *[""] * 7],
    ]
    assert row(content, "summary", "skin opened for the tunnel by") == ["stab incision"]
    assert row(told(FOUND, "tr"), "summary", "tünel için cildin açılışı") == ["ayrı delme kesisi"]


def test_where_the_skin_is_not_known_the_dossier_says_so() -> None:
    changes = {"guide": guide() | {"soft_tissue": None}}
    content = told(FOUND, **changes)
    walk(content, files(FOUND, **changes))
    assert row(content, "summary", "skin opened for the tunnel by") == ["the skin is not known: see the notes"]
    (block,) = [
        each for each in section(content, "guide")["blocks"] if str(each.get("title")).startswith("To the skin")
    ]
    assert block["paragraphs"][0].startswith("The skin is not known; the notes say why.")


@pytest.mark.parametrize("text", ["5.0 mm", "4.1 mm²", "4.1 %"])
def test_a_figure_that_is_not_the_records_is_found(text: str) -> None:
    content = told(FOUND)
    cell = next(each for each in figures(content) if each["from"] == "plan.json#/tunnels/0/wall_min_mm")
    assert cell["text"] == "4.1 mm"
    cell["text"] = text
    if text == "4.1 mm²":
        walk(content, files(FOUND))  # a unit is no figure
    else:
        with pytest.raises(AssertionError, match="is not what stands at"):
            walk(content, files(FOUND))


def test_a_figure_without_a_place_is_found() -> None:
    content = told(FOUND)
    section(content, "tunnel")["blocks"].append(
        {"kind": "text", "title": None, "paragraphs": ["4.1 mm"], "marked": False}
    )
    with pytest.raises(AssertionError, match="names no place"):
        walk(content, files(FOUND))


def test_halves_go_up_as_on_the_guide() -> None:
    assert row(told(), "summary", "read on the drill, where its stop rests") == ["133.3 mm"]
    assert row(told(language="tr"), "summary", "matkapta okunacak, durdurucusunun dayandığı yerde") == ["133,3 mm"]


def sentences(content: dict[str, Any], name: str) -> str:
    """Every paragraph of a section's own text, as it is read."""
    blocks = section(content, name)["blocks"]
    return "\n".join(words(each) for block in blocks for each in block.get("paragraphs", []))


def test_what_is_loose_is_put_in_before_the_drill_and_only_where_it_is() -> None:
    metal, printed = told(), copy.deepcopy(guide())
    printed["sleeves"][0] |= {"kind": "printed", "metal": None}
    said = {"metal sleeve into its hole": metal, "own insert into the socket": told(guide=fan_guide())}
    for part, content in said.items():
        for other in (metal, told(guide=printed), told(guide=fan_guide())):
            assert (part in sentences(other, "theatre")) is (other == content), part


def test_a_wire_is_deep_enough_by_what_is_seen_of_it() -> None:
    content = told()
    assert "below the top of its boss: wire 1 34.1 mm, wire 2 34.6 mm" in sentences(content, "theatre")
    wires = [each for each in rows(section(content, "guide")["blocks"]) if each[0] == "wire 1"]
    assert wires[0][4:7] == ["25.0 mm", "34.1 mm", "115.9 mm"]


def test_the_notch_is_told_with_the_landmark_s_doubt_and_not_where_there_is_none() -> None:
    said = sentences(told(), "theatre")
    assert "feel the vastus ridge with a probe: it lies within 8.5 mm of the notch's bottom" in said
    assert "the vastus ridge is not felt within 8.5 mm of the bottom of the notch in the upper rim;" in said
    assert "notch" not in sentences(told(guide=guide() | {"pointer": None}), "theatre")
    unknown = told(anatomy=plan()["anatomy"] | {"uncertainty_95": None})
    assert "it lies within the landmark's own doubt of the notch's bottom" in sentences(unknown, "theatre")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_fan_tells_of_every_insert_and_has_no_empty_table_of_sleeves(language: str) -> None:
    changes = {"guide": fan_guide(), "tunnels": [tunnel(), tunnel(length_mm=80.0)]}
    content = told(FOUND, language, **changes)
    walk(content, files(FOUND, **changes))
    if language == "en":
        assert row(content, "guide", "insert 2") == [
            "tunnel 2", "2 Ø3.2 / 121.5", "121.5 mm", "3.2 mm", "3.40 mm", "37.7 mm", "40.0 mm",
        ]  # fmt: skip
        assert [each for each in rows(section(content, "guide")["blocks"]) if each[0] == "hole as printed"] == []
    shown = [each["file"] for block in section(content, "theatre")["blocks"] for each in block.get("items", [])]
    assert shown == ["inserts.png"]


def test_once_the_guide_is_off_what_is_left_is_told_of_all_tunnels_together() -> None:
    several = told(guide=fan_guide(), tunnels=[tunnel(), tunnel(length_mm=80.0)])
    tables = [block for block in section(several, "theatre")["blocks"] if block["kind"] == "table"]
    (after,) = [block for block in tables if block["title"] == "Once the guide is off, after the last tunnel"]
    assert [row[0] for row in rows(after)] == ["tunnel 1", "tunnel 2"]
    assert all(row[1] == "blunt probe with depth marks" for row in rows(after))
    steps = [row for block in tables for row in rows(block) if row[-1] == "on"]
    assert len(steps) == 6


def test_entries_are_told_from_the_landmarks_on_either_side() -> None:
    content = told()
    assert row(content, "theatre", "tunnel 1") == ["40 mm below", "5 mm below", "12 mm above", "3 mm in front"]
    assert row(content, "theatre", "wire 1") == ["35 mm below", "level", "17 mm above", "9 mm behind"]
    mirrored = told(side="right", anatomy=plan()["anatomy"] | {"head_center_mm": [40.0, 0.0, 50.0]})
    assert row(mirrored, "theatre", "tunnel 1") == ["40 mm below", "5 mm below", "12 mm above", "3 mm in front"]


def test_by_hand_the_same_tunnel_is_found() -> None:
    content = told()
    assert row(content, "fallback", "tip, from the head's centre, along the shaft") == ["11 mm above"]
    assert row(content, "fallback", "tip, from the head's centre, across") == ["6 mm medial"]
    assert row(content, "fallback", "tip, from the head's centre, front or back") == ["2 mm in front"]
    assert row(content, "fallback", "depth from the outer cortex, without guide") == ["93.3 mm"]


def test_the_angle_on_an_x_ray_is_that_of_the_shadow() -> None:
    across = tunnel(entry_mm=[15.0, 0.0, 5.0], target_mm=[-45.0, 60.0, 65.0])  # as far back as medial as up
    content = told(tunnels=[across])
    assert row(content, "radiographs", "from the front") == ["135°"]
    assert row(content, "radiographs", "from the side") == ["135°"]


def test_images_have_their_dates_and_the_day_they_are_too_old() -> None:
    content = told()
    assert row(content, "images", "ct") == ["CT", "2026-01-31", "2026-01-30", "2026-05-01"]
    assert row(content, "images", "labels.dcm") == ["SEG", "not stated", "2026-02-02", "–"]  # made, not taken
    undated = told(inputs=plan()["inputs"] | {"identities": []})
    assert any("No file states when" in words(each) for block in section(undated, "images")["blocks"]
               if block["kind"] == "text" for each in block["paragraphs"])  # fmt: skip


def test_the_registration_and_the_lack_of_one_are_told() -> None:
    assert row(told(), "images", "residual between the two femora, rms") == ["0.45 mm"]
    same = told(lesion=plan()["lesion"] | {"registration": None})
    assert "the bone's own frame" in str(section(same, "images"))


def test_grades_have_their_doubt_or_the_reason_why_there_are_none() -> None:
    content = told()
    assert row(content, "lesion", "modified Kerboul grade") == ["2", "1, 2"]
    assert row(content, "lesion", "JIC type") == ["–", "there is no pelvis"]
    assert row(content, "lesion", "share of the head's sphere") == ["31 %", "29 % to 33 %"]
    assert row(content, "lesion", "necrotic arc, sagittal") == ["not computed", "the scan ends before"]


def test_the_three_sizes_stand_side_by_side_and_the_wires_have_their_cortices() -> None:
    content = told()
    assert row(content, "guide", "incision, at least") == ["48 mm", "60 mm", "72 mm"]
    first, second = [each for each in rows(section(content, "guide")["blocks"]) if each[0].startswith("wire ")][:2]
    assert (first[0], first[-2:]) == ("wire 1", ["1", "stays in the bone"])
    assert (second[0], second[-2:]) == ("wire 2", ["2", "1.3 mm"])
    one = told(guide=guide() | {"sizes": {"M": guide()["seat"]}})
    assert row(one, "guide", "incision, at least") == ["60 mm"]


def test_checks_tell_measured_and_limit_apart() -> None:
    (block,) = section(told(FOUND), "checks")["blocks"]
    shown = [(words(each["measured"]), words(each["limit"]), each["passed"]) for each in block["rows"]]
    assert shown == [
        ("0.31", "> 0.00", True), ("75", "≤ 145", True), ("0.5001", "≤ 0.5000", False), ("none", "≥ 0.30", False),
        ("1", "≤ 1", True), ("128.3", "99.8", True),
    ]  # fmt: skip
    assert block["title"] == "4 of 6 passed"
    assert told(FOUND)["banner"] == "REJECTED: 2 of 6 checks failed. Nothing may be made of this."
    first = [words(each) for each in section(told(FOUND), "summary")["blocks"][0]["paragraphs"]]
    assert first[0] == "bore angle – 0.5001 °, limit ≤ 0.5000 °"
    assert told()["banner"] == ""


def test_broken_rules_waivers_and_warnings_stand_first_and_are_answered_at_the_signature() -> None:
    broken = [{"rule": "wall_min_mm", "measured": 2.25, "limit": 3.0, "unit": "mm"}]
    waiver = {"rule": "wall_min_mm", "reason": "The neck is thin.", "author": "J. Engineer"}
    changes = {"tunnels": [tunnel(broken_rules=broken)], "plan": proposed(waivers_proposed=[waiver])}
    content = told(**changes)
    first, second, *_ = section(content, "summary")["blocks"]
    assert first["grave"]
    assert [words(each) for each in first["paragraphs"]][:2] == [
        "tunnel 1 wall to the outer cortex 2.25 mm limit ≥ 3.0 mm",
        "J. Engineer proposes to waive wall to the outer cortex – The neck is thin.",
    ]
    assert [words(each) for each in second["paragraphs"]] == ["The tunnel comes close."]
    asked = section(content, "signature")["blocks"][0]["acknowledge"]
    assert [words(cell) for _, cell in asked] == [
        "The tunnel comes close.",
        "wall to the outer cortex – The neck is thin.",
    ]
    assert walk(content, files([finding()], **changes)) > 200


def test_the_guides_warnings_stand_beside_the_plans() -> None:
    content = told(guide=guide() | {"warnings": ["No room for a window."]}, notes=["No room for a window."])
    both, asked = ["The tunnel comes close.", "No room for a window."], section(content, "signature")["blocks"][0]
    assert [words(each) for each in section(content, "summary")["blocks"][0]["paragraphs"]] == both
    assert [words(cell) for _, cell in asked["acknowledge"]] == both
    assert "window" not in str(section(content, "files"))


def test_of_several_tunnels_the_worst_stands_among_the_strategies() -> None:
    assert row(told(), "doubt", "coverage")[1:] == ["2", "31.5 %", "6850 mm³", "3.3 mm", "4.1 mm", "30.1 %"]
    assert row(told(), "doubt", "ordered, chosen")[1:3] == ["1", "31.5 %"]
    plain = told(plan=proposed(chosen=proposal(), ruled_out=[]))
    assert "No tunnel by" not in str(section(plain, "doubt"))


def test_the_error_budget_says_whose_seat_it_is_of_and_what_the_assumed_one_made_of_it() -> None:
    assert row(told(), "doubt", "the seat in this") == ["the built guide's own"]
    assert row(told(), "doubt", "seat turned, rms") == ["0.63°"]
    assert row(told(), "doubt", "tip off its place in the lesion, 95 %") == ["3.3 mm"]
    assert row(told(), "doubt", "the same before the guide was built, with an assumed seat") == ["4.1 mm"]
    said = sentences(told(), "doubt")
    assert "with the seat that is assumed of every plan" in said
    assert "Of the chosen plan with its guide as built: tip off its place in the lesion, 95 % 3.3 mm" in said
    assert "comes within 3 mm of the joint 20.7 %" in said


def test_what_was_seen_names_its_classification_and_classes_that_share_it_share_a_row() -> None:
    seen = {"system": "CJFH type", "text": "Of types L2 and L3, 95.3 % collapsed.", "source": "somewhere"}
    lesion = copy.deepcopy(plan()["lesion"])
    lesion["grades"]["statements"] += [seen | {"grade": each} for each in ("L2", "L3")]
    found = rows(section(told(lesion=lesion), "lesion")["blocks"])
    assert ["modified Kerboul grade: 2", "24 of 30 hips collapsed.", "Somebody 2002"] in found
    assert ["CJFH type: L2, L3", "Of types L2 and L3, 95.3 % collapsed.", "somewhere"] in found


def test_every_rule_of_a_distance_stands_beside_it_and_no_curette_where_there_is_none() -> None:
    limits = plan()["limits"] | {"shaft_angle_min_deg": 110.0, "shaft_angle_max_deg": 150.0}
    content = told(limits=limits)
    assert row(content, "tunnel", "angle to the shaft") == ["135°", "110°–150°"]
    assert row(content, "tunnel", "entry below the vastus ridge")[1] == "≥ 0 mm"
    assert row(content, "tunnel", "reached by the curette") == ["150 mm³"]
    bare = proposed(chosen=proposal(volumes=proposal()["volumes"] | {"reached_by_curette_mm3": 0.0}))
    volumes = [each[0] for each in rows(section(told(plan=bare), "tunnel")["blocks"])]
    assert "reached by the tools" in volumes
    assert "reached by the curette" not in volumes


def test_notes_stand_once() -> None:
    everything = str(told())
    assert everything.count("One paragraph of figures.") == 1
    assert everything.count("The tunnel comes close.") == 2  # told, and asked for at the signature
    assert "The shaft is short." in everything


def test_only_pictures_that_there_are_are_shown_and_the_record_is_not_touched() -> None:
    given = plan()
    before = copy.deepcopy(given)
    content = dossier_content(given, [finding()], frozenset(), INPUTS, HASHES, "en", "r007")
    assert "'kind': 'pictures'" not in str(content)
    assert "radiographs" not in [each["id"] for each in content["sections"]]
    assert given == before
    shown = {item["file"] for block in _blocks(told()) if block["kind"] == "pictures" for item in block["items"]}
    assert shown == set(PICTURES)


def _blocks(content: dict[str, Any]) -> list[dict[str, Any]]:
    found = [block for each in content["sections"] for block in each["blocks"]]
    return found + [block for each in found if each["kind"] == "columns" for block in each["left"] + each["right"]]

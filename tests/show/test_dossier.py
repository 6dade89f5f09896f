"""The dossier: right words and numbers, nobody's text as markup, who and which side on every page, the same bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from guidegen.show.dossier import dossier_bytes

TEMPLATE = (Path(__file__).parents[2] / "templates" / "dossier" / "plain.typ").read_text(encoding="utf-8")
HASHES = {"guide.stl": "ab" * 32, "femur.stl": "cd" * 32}
HOSTILE = '#panic("x") *bold* $x^2$ `raw` = [a] <b> \\ @ref // c ${d} "'


def budget(**changes: Any) -> dict[str, Any]:
    return {
        "tip_mean_mm": 1.71,
        "tip_p95_mm": 3.12,
        "tip_lateral_mean_mm": 1.5,
        "tip_lateral_p95_mm": 2.9,
        "to_lesion_p95_mm": 3.34,
        "reaches_lesion": 0.998,
        "breaches_cortex": 0.0012,
        "within_3_mm_of_joint": 0.207,
        "dominant": "seat turn",
        "stop_earlier_mm": None,
        "contributions": [
            {"name": "seat turn", "tip_rms_mm": 1.332, "share": 0.85, "source": "assumed"},
            {"name": "drill bend", "tip_rms_mm": 0.717, "share": 0.15, "source": "the kit's file"},
        ],
    } | changes


def proposal(**changes: Any) -> dict[str, Any]:
    volumes = {
        "lesion_mm3": 10000.0,
        "bone_removed_mm3": 4698.0,
        "reached_by_tool_mm3": 3000.0,
        "reached_by_curette_mm3": 150.0,
        "residual_mm3": 6850.0,
        "graft_ml": 4.85,
    }
    return {"strategy": "ordered", "kit": "core-8", "volumes": volumes, "warnings": []} | changes


def proposed(chosen: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What stands under `plan` in plan.json."""
    return {
        "explanation": "One paragraph of figures.",
        "chosen": proposal() if chosen is None else chosen,
        "alternatives": [],
        "ruled_out": [],
        "trade_off": [],
        "waivers_proposed": [],
    } | changes


def plan(**changes: Any) -> dict[str, Any]:
    """A left femur with its shaft along z, the greater trochanter 40 mm above the entry and the ridge 5 mm above it."""
    return {
        "case_id": "Z019L",
        "side": "left",
        "version": "1.2.3",
        "anatomy": {
            "head_center_mm": [-40.0, 0.0, 50.0],
            "head_radius_mm": 24.0,
            "shaft_point_mm": [0.0, 0.0, -50.0],
            "shaft_axis": [0.0, 0.0, 1.0],
            "greater_trochanter_mm": [5.0, 10.0, 45.0],
            "vastus_ridge_mm": [15.0, 0.0, 10.0],
            "lesser_trochanter_mm": [-15.0, 10.0, -7.0],
            "neck_shaft_angle_deg": 127.0,
        },
        "keep_out": [],
        "lesion": {"volume_mm3": 9875.4, "head_fraction": 0.181, "registration": None},
        "tunnels": [
            {
                "entry_mm": [15.0, -3.0, 5.0],
                "diameter_mm": 8.0,
                "length_mm": 91.25,
                "shaft_angle_deg": 134.6,
                "wall_min_mm": 4.12,
                "subchondral_mm": 5.6,
                "lesion_reached_fraction": 0.31,
                "centroid_distance_mm": None,
                "vessel_wall_mm": 6.23,
                "subchondral_axis_mm": 5.84,
                "tool_to_joint_mm": 4.02,
                "obliquity_deg": 13.1,
                "entry_above_lesser_trochanter_mm": 12.34,
                "entry_below_vastus_ridge_mm": 4.96,
                "sleeve_offset_mm": 40.0,
                "depth_reading_mm": 131.25,
                "keep_out_mm": None,
                "broken_rules": [],
                "error_budget": budget(),
                "instruments": [
                    {
                        "number": 1,
                        "tool": "trephine of 8 mm",
                        "through": "the sleeve",
                        "stopped_by": "its stop",
                        "guide": "on",
                    },
                ],
            }
        ],
        "guide": {
            "thickness_mm": 3.6,
            "clearance_mm": 0.4,
            "contact_area_mm2": 1834.0,
            "sleeves": [{"drill_diameter_mm": 8.0, "inner_diameter_mm": 8.2, "guided_length_mm": 22.4}],
            "pins": [{"point_mm": [15.0, 9.0, 10.2], "wire_diameter_mm": 2.0, "hole_diameter_mm": 2.25}],
            "label": {"lines": ["Z019L", "LEFT"]},
        },
        "plan": proposed(),
        "notes": ["The shaft is short."],
    } | changes


def finding(**changes: Any) -> dict[str, Any]:
    why = "Where it touches it stands proud."
    return {"name": "least gap", "measured": 0.31, "limit": 0.0, "unit": "mm", "passed": True, "why": why} | changes


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    from PIL import Image

    drawn = {}
    for name, colour in (("guide.png", "teal"), ("tunnel.png", "navy"), ("contact.png", "green")):
        content = io.BytesIO()
        Image.new("RGB", (120, 90), colour).save(content, "PNG")
        drawn[name] = content.getvalue()
    return drawn


def words(pdf: bytes) -> list[str]:
    """The text of each page, in which any white space counts as one space."""
    pypdf = pytest.importorskip("pypdf", reason="reading a PDF back needs pypdf")
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def made(pictures: dict[str, bytes], findings: list[dict[str, Any]] | None = None, **changes: Any) -> bytes:
    return dossier_bytes(plan(**changes), findings or [finding()], pictures, HASHES, "r007", TEMPLATE)


def text_of(pdf: bytes) -> str:
    """The text of all pages."""
    return " ".join(words(pdf))


def test_every_page_says_who_which_side_and_that_nobody_approved_it(pictures: dict[str, bytes]) -> None:
    pages = words(made(pictures))
    assert len(pages) == 3
    for page in pages:
        assert "LEFT hip" in page
        assert page.count("Z019L") >= 2
        assert "Not yet approved" in page
    page = " ".join(pages)
    for text in (
        "Z019L",
        "LEFT hip",
        "r007",
        "1.2.3",
        "No medical device. Not for use in patients without a surgeon's approval.",
        "Not yet approved",
        "The shaft is short.",
        "ab" * 32,
        "cd" * 32,
    ):
        assert text in page
    assert "RIGHT" not in page


def test_the_numbers_of_the_plan_stand_there_rounded_and_what_is_unknown_says_so(pictures: dict[str, bytes]) -> None:
    page = text_of(made(pictures))
    for text in ("9875 mm³", "18 %", "same frame", "8.0 in 8.20 mm", "2.0 in 2.25 mm", "Z019L / LEFT", "135°"):
        assert text in page
    assert "misses the lesion's centre by not computed" in page


def test_entries_are_told_from_the_landmarks(pictures: dict[str, bytes]) -> None:
    page = text_of(made(pictures))
    assert "tunnel 1 40 below 5 below 12 above 3 in front" in page
    assert "wire 1 35 below level 17 above 9 behind" in page
    page = text_of(made(pictures, anatomy=plan()["anatomy"] | {"head_center_mm": [40.0, 0.0, 50.0]}, side="right"))
    assert "tunnel 1 40 below 5 below 12 above 3 in front" in page


def test_every_finding_is_listed_and_a_failed_one_says_why(pictures: dict[str, bytes]) -> None:
    findings = [
        finding(),
        finding(name="bore angle", measured=0.5001, limit=0.5, unit="°", passed=False, why="The drill would miss."),
        finding(name="label depth", measured=None, limit=0.3, passed=False, why="Not measured: no text was found."),
    ]
    page = text_of(made(pictures, findings))
    assert "1 of 3 passed" in page
    assert "2 of 3 checks failed" in page
    assert "least gap 0.31 0.00 mm pass" in page
    assert "bore angle 0.5001 0.5000 ° FAIL The drill would miss." in page
    assert "label depth none 0.30 mm FAIL Not measured: no text was found." in page
    assert "stands proud" not in page
    passed = text_of(made(pictures))
    assert "1 of 1 passed" in passed
    assert "failed" not in passed


def test_no_text_acts_as_markup(pictures: dict[str, bytes]) -> None:
    pdf = made(pictures, [finding(name=HOSTILE, why=HOSTILE, passed=False)], case_id=HOSTILE, notes=[HOSTILE])
    page = text_of(pdf)
    assert page.count(HOSTILE) >= 3


def test_many_findings_run_on_to_a_further_page_that_names_the_patient_too(pictures: dict[str, bytes]) -> None:
    pages = words(made(pictures, [finding(name=f"check {k}") for k in range(220)], case_id="P" * 64))
    assert len(pages) == 4
    assert all("P" * 64 in page and "LEFT" in page and "Not yet approved" in page for page in pages)
    assert all(f"check {k} " in " ".join(pages) for k in range(220))


def test_several_tunnels_stand_side_by_side(pictures: dict[str, bytes]) -> None:
    first = plan()["tunnels"][0]
    page = text_of(made(pictures, tunnels=[first, first | {"length_mm": 80.0}, first | {"length_mm": 70.0}]))
    assert "Tunnels 1 2 3" in page
    assert "length 91.2 mm 80.0 mm 70.0 mm" in page
    assert "tunnel 3 40 below" in page


def test_the_plan_is_told_in_figures(pictures: dict[str, bytes]) -> None:
    page = text_of(made(pictures))
    for text in (
        "One paragraph of figures.",
        "read 131.2 mm on the drill at the sleeve's top, 40.0 mm off the cortex; the tunnel is 91.2 mm long",
        "1 trephine of 8 mm the sleeve its stop on",
        "wall where the vessels enter 6.2 mm",
        "end on its axis to the joint 5.8 mm",
        "any point of the tool to the joint 4.0 mm",
        "entry above the lesser trochanter 12.3 mm",
        "entry below the vastus ridge 5.0 mm",
        "tip off its place in the bone, mean 1.7 mm",
        "tip off its place in the lesion, 95 % 3.3 mm",
        "what dominates seat turn",
        "reaches the lesion 99.8 %",
        "comes within 3 mm of the joint 20.7 %",
        "breaches the neck 0.12 %",
        "seat turn 1.33 mm 85 %",
        "reached by the curette 150 mm³",
        "left 6850 mm³",
        "graft 4.8 ml",
        "ordered, chosen core-8 1 31.5 % 6850 mm³ 4.1 mm 3.3 mm 20.7 %",
    ):
        assert text in page
    assert "what is kept out" not in page
    assert "stopped earlier" not in page
    assert "This plan breaks" not in page
    assert "Warning:" not in page


def test_a_cure_is_told_and_what_is_kept_out_has_its_distance(pictures: dict[str, bytes]) -> None:
    tunnel = plan()["tunnels"][0] | {"keep_out_mm": 7.7, "error_budget": budget(stop_earlier_mm=1.94)}
    page = text_of(made(pictures, tunnels=[tunnel]))
    assert "drill to what is kept out 7.7 mm" in page
    assert "would keep the joint's limit if stopped earlier by 1.9 mm" in page


def test_a_broken_rule_and_the_waiver_stand_before_the_figures_of_the_first_page(pictures: dict[str, bytes]) -> None:
    broken = [{"rule": "wall_min_mm", "measured": 2.25, "limit": 3.0, "unit": "mm", "waivable": True, "short_by": 0.75}]
    waiver = {"rule": "wall_min_mm", "reason": HOSTILE, "author": "J. Engineer"}
    warned = proposed(proposal(warnings=["The tunnel comes close."]), waivers_proposed=[waiver])
    tunnel = plan()["tunnels"][0] | {"broken_rules": broken}
    notes = ["The tunnel comes close.", "One paragraph of figures.", "The shaft is short."]
    pages = words(made(pictures, tunnels=[tunnel], plan=warned, notes=notes))
    first = pages[0]
    for text in (
        "This plan breaks a rule",
        "wall_min_mm: 2.25 mm, limit 3.0 mm. A neck whose cortex is breached",
        f"J. Engineer proposes to waive wall_min_mm: {HOSTILE}",
        "Nothing may be made of it before the surgeon accepts this.",
        "Warning: The tunnel comes close.",
    ):
        assert text in first
        assert first.index(text) < first.index("volume")
    everything = " ".join(pages)
    assert everything.count("The tunnel comes close.") == 1  # not among the notes again
    assert everything.count("One paragraph of figures.") == 1
    assert "The shaft is short." in everything


def test_alternatives_and_what_was_ruled_out_are_listed(pictures: dict[str, bytes]) -> None:
    worse = [tunnel | {"error_budget": budget(to_lesion_p95_mm=4.4)} for tunnel in plan()["tunnels"]]
    thin = [plan()["tunnels"][0] | {"wall_min_mm": 3.33}]
    other = proposal(strategy="coverage") | {"tunnels": thin + worse}
    ruled = {"strategy": "multiple", "kit": "multiple-3.2", "rule": "wall", "message": HOSTILE, "figures": {}}
    page = text_of(made(pictures, plan=proposed(alternatives=[other], ruled_out=[ruled])))
    assert "coverage core-8 2 31.5 % 6850 mm³ 3.3 mm 4.4 mm 20.7 %" in page
    assert f"No tunnel by multiple: {HOSTILE}" in page


def test_what_moves_the_tip_is_that_of_the_tunnel_that_may_be_furthest_off(pictures: dict[str, bytes]) -> None:
    first = plan()["tunnels"][0]
    further = first | {"error_budget": budget(to_lesion_p95_mm=4.4)}
    page = text_of(made(pictures, tunnels=[first, further, first]))
    assert "What moves the tip of tunnel 2" in page
    assert "tip off its place in the lesion, 95 % 3.3 mm 4.4 mm 3.3 mm" in page
    assert "In the operation, tunnel 3: read" in page


def test_pictures_of_the_plan_stand_on_its_page_and_may_be_missing(pictures: dict[str, bytes]) -> None:
    pypdf = pytest.importorskip("pypdf", reason="reading a PDF back needs pypdf")

    def drawn(pdf: bytes) -> list[int]:
        return [len(page.images) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]

    assert drawn(made(pictures)) == [3, 0, 0]
    assert drawn(made(pictures | {"trade_off.png": pictures["guide.png"]})) == [3, 1, 0]
    assert drawn(made({})) == [0, 0, 0]


def test_the_same_case_gives_the_same_bytes_without_a_date(pictures: dict[str, bytes]) -> None:
    pdf = made(pictures)
    assert pdf.startswith(b"%PDF-")
    assert pdf == made(pictures)
    assert b"CreationDate" not in pdf
    assert pdf != made(pictures, version="1.2.4")

"""The dossier: right words and numbers, nobody's text as markup, one page, the same bytes again."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from guidegen.show.dossier import dossier_bytes

TEMPLATE = (Path(__file__).parents[2] / "templates" / "dossier" / "plain.typ").read_text(encoding="utf-8")
HASHES = {"guide.stl": "ab" * 32, "femur.stl": "cd" * 32}
HOSTILE = '#panic("x") *bold* $x^2$ `raw` = [a] <b> \\ @ref // c ${d} "'


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


def test_one_page_says_who_which_side_and_that_nobody_approved_it(pictures: dict[str, bytes]) -> None:
    (page,) = words(made(pictures))
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
    (page,) = words(made(pictures))
    for text in ("9875 mm³", "18 %", "same frame", "8.0 in 8.20 mm", "2.0 in 2.25 mm", "Z019L / LEFT", "135°"):
        assert text in page
    assert "misses the lesion's centre by not computed" in page


def test_entries_are_told_from_the_landmarks(pictures: dict[str, bytes]) -> None:
    (page,) = words(made(pictures))
    assert "tunnel 1 40 below 5 below 12 above 3 in front" in page
    assert "wire 1 35 below level 17 above 9 behind" in page
    (page,) = words(made(pictures, anatomy=plan()["anatomy"] | {"head_center_mm": [40.0, 0.0, 50.0]}, side="right"))
    assert "tunnel 1 40 below 5 below 12 above 3 in front" in page


def test_every_finding_is_listed_and_a_failed_one_says_why(pictures: dict[str, bytes]) -> None:
    findings = [
        finding(),
        finding(name="bore angle", measured=0.5001, limit=0.5, unit="°", passed=False, why="The drill would miss."),
        finding(name="label depth", measured=None, limit=0.3, passed=False, why="Not measured: no text was found."),
    ]
    (page,) = words(made(pictures, findings))
    assert "1 of 3 passed" in page
    assert "2 of 3 checks failed" in page
    assert "least gap 0.31 0.00 mm pass" in page
    assert "bore angle 0.5001 0.5000 ° FAIL The drill would miss." in page
    assert "label depth none 0.30 mm FAIL Not measured: no text was found." in page
    assert "stands proud" not in page
    (passed,) = words(made(pictures))
    assert "1 of 1 passed" in passed
    assert "failed" not in passed


def test_no_text_acts_as_markup(pictures: dict[str, bytes]) -> None:
    pdf = made(pictures, [finding(name=HOSTILE, why=HOSTILE, passed=False)], case_id=HOSTILE, notes=[HOSTILE])
    (page,) = words(pdf)
    assert page.count(HOSTILE) >= 3


def test_many_findings_run_on_to_a_second_page_that_names_the_patient_too(pictures: dict[str, bytes]) -> None:
    pages = words(made(pictures, [finding(name=f"check {k}") for k in range(120)], case_id="P" * 64))
    assert len(pages) == 2
    assert all("P" * 64 in page and "LEFT" in page and "Not yet approved" in page for page in pages)
    assert all(f"check {k} " in " ".join(pages) for k in range(120))


def test_several_tunnels_stand_side_by_side(pictures: dict[str, bytes]) -> None:
    first = plan()["tunnels"][0]
    (page,) = words(made(pictures, tunnels=[first, first | {"length_mm": 80.0}, first | {"length_mm": 70.0}]))
    assert "Tunnels 1 2 3" in page
    assert "length 91.2 mm 80.0 mm 70.0 mm" in page
    assert "tunnel 3 40 below" in page


def test_the_same_case_gives_the_same_bytes_without_a_date(pictures: dict[str, bytes]) -> None:
    pdf = made(pictures)
    assert pdf.startswith(b"%PDF-")
    assert pdf == made(pictures)
    assert b"CreationDate" not in pdf
    assert pdf != made(pictures, version="1.2.4")

"""The PDF: all that the content says, on every page who and which side, nobody's text as markup, the same bytes."""

from __future__ import annotations

import io
import time

import pytest
from dossier_case import HOSTILE, finding, pictures, plan, told
from walked_dossier import figures

from guidegen.show.dossier.typeset import dossier_pdf


def pages(pdf: bytes) -> list[str]:
    """The text of each page, without any white space: lines break where they like."""
    pypdf = pytest.importorskip("pypdf", reason="reading a PDF back needs pypdf")
    return ["".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def dense(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(("language", "side", "words"), [("en", "left", "LEFT hip"), ("tr", "left", "SOL kalça")])
def test_every_page_says_who_which_side_and_that_nobody_approved_it(language: str, side: str, words: str) -> None:
    content = told(language=language, side=side)
    found = pages(dossier_pdf(content, pictures()))
    assert len(found) > 8
    for page in found:
        assert "Z019L" in page
        assert dense(words) in page
        assert dense(content["status"]) in page
        assert "r007" in page
        assert "8f2096d2" in page
        assert "RIGHT" not in page


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_figure_of_the_content_stands_on_the_pages(language: str) -> None:
    content = told([finding(), finding(name="bore angle", measured=0.7, limit=0.5, passed=False)], language)
    everything = "".join(pages(dossier_pdf(content, pictures())))
    missing = [cell for cell in figures(content) if dense(cell["text"]) not in everything]
    # why it matters is told of what failed alone
    assert [cell["from"] for cell in missing] == ["findings.json#/0/why"] or missing == []
    assert dense("Where it touches it stands proud.") in everything
    for section in content["sections"]:
        assert dense(section["title"]) in everything


def test_no_text_acts_as_markup() -> None:
    found = [finding(name=HOSTILE, why=HOSTILE, passed=False)]
    everything = "".join(pages(dossier_pdf(told(found, notes=[HOSTILE], keep_out=[HOSTILE]), pictures())))
    assert everything.count(dense(HOSTILE)) >= 4


def test_a_long_name_and_many_checks_stay_on_their_pages() -> None:
    found = pages(dossier_pdf(told([finding(name=f"check {k}") for k in range(320)], case_id="P" * 64), pictures()))
    assert all("P" * 64 in page and "LEFThip" in page for page in found)
    everything = "".join(found)
    assert all(f"check{k}0.31" in everything for k in range(320))


def test_the_same_content_gives_the_same_bytes_without_a_date_and_soon() -> None:
    started = time.process_time()
    pdf = dossier_pdf(told(), pictures())
    assert time.process_time() - started < 3.0
    assert pdf.startswith(b"%PDF-")
    assert pdf == dossier_pdf(told(), pictures())
    assert b"CreationDate" not in pdf
    assert pdf != dossier_pdf(told(version="1.2.4"), pictures())
    assert plan()["version"] == "1.2.3"

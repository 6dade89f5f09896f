"""The list of revisions and the first screen of one: what tells them apart, and in words what can become nothing."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from page_cases import Pages, open_pages, page_revision, rewritten
from review_cases import WAIVER, WARNING, World

from guidegen.results import RUN_FILE

BASE = "/cases/Z019L-left"


def failed(folder: Path) -> Path:
    """A revision of which one check failed by little, and which was named for it."""
    findings = json.loads((folder / "findings.json").read_text())
    findings[0] |= {"measured": 2.996, "passed": False}
    (folder / "guide.stl").rename(folder / "rejected.stl")
    return rewritten(folder, findings)


def refused(folder: Path) -> Path:
    """A revision without a guide, for the order that it was made for."""
    plan = json.loads((folder / "plan.json").read_text())
    plan |= {"guide": None}
    plan["plan"]["chosen"] |= {"strategy": "ordered"}
    finding = {"name": "safe plan: wall_min_mm", "measured": None, "limit": 0.0, "unit": "", "passed": False,
               "why": "Not measured: the wall is too thin."}  # fmt: skip
    (folder / "guide.stl").unlink()
    return rewritten(folder, [finding], plan, entry_mm=[1.0, 2.0, 3.0])


def row(pages: Pages, name: str) -> list[str]:
    """The cells of a revision in the list, as they are read."""
    text = pages.signed_in("ann").get("/").text
    (found,) = (each for each in re.findall(r"<tr>\n(.*?)</tr>", text, re.DOTALL) if f'/{name}">{name}</a>' in each)
    cells = re.findall(r"<td>(.*?)</td>", found, re.DOTALL)
    return [html.unescape(" ".join(re.sub(r"<[^>]+>", "", cell).split())) for cell in cells]


def test_revisions_are_told_apart_in_the_list(world: World) -> None:
    page_revision(world)
    rewritten(page_revision(world, "r002", warnings=[WARNING], waivers=[WAIVER]), size="S", target_mm=[1.0, 2.0, 3.0])
    pages = open_pages(world)
    assert row(pages, "r001")[1:-1] == ["draft", "M", "core-8", "centroid", "8f2096d2", "3 of 3", "none"]
    assert row(pages, "r002")[1:-1] == [
        "draft", "S", "core-8", "centroid, target ordered", "8f2096d2", "3 of 3", "2"
    ]  # fmt: skip


def test_a_revision_that_failed_says_so_in_words_in_the_list_and_first_on_its_page(world: World) -> None:
    failed(page_revision(world))
    pages = open_pages(world)
    assert row(pages, "r001")[1] == "FAILED: 1 of 3 checks"
    assert row(pages, "r001")[6] == "2 of 3"
    text = pages.signed_in("ann").get(f"{BASE}/r001").text
    assert text.index('id="fault"') < text.index('id="views"')
    assert "FAILED: 1 of 3 checks. Nothing may be made of this revision" in text
    assert "2.996 mm, limit ≥ 3.000 mm: FAIL" in text
    assert "r001 cannot be submitted: FAILED: 1 of 3 checks" in text
    assert f'action="{BASE}/r001/submit"' not in text


def test_a_refused_revision_says_so_too(world: World) -> None:
    refused(page_revision(world))
    pages = open_pages(world)
    assert row(pages, "r001")[1:-1] == [
        "REFUSED: no guide",
        "M",
        "core-8",
        "entry ordered",
        "–",
        "0 of 1",
        "none",
    ]
    text = pages.signed_in("ann").get(f"{BASE}/r001").text
    assert "REFUSED: no guide. Nothing may be made of this revision" in text
    assert "Not measured: the wall is too thin." in text


def test_a_sound_revision_has_no_such_words(world: World) -> None:
    page_revision(world)
    text = open_pages(world).signed_in("ann").get(f"{BASE}/r001").text
    assert "Nothing may be made" not in text
    assert f'action="{BASE}/r001/submit"' in text


def test_a_revision_whose_records_were_altered_is_listed_as_that(world: World) -> None:
    folder = page_revision(world)
    page_revision(world, "r002")
    (folder / "findings.json").write_text("[]")
    (world.made["r002"] / RUN_FILE).unlink()
    pages = open_pages(world)
    assert row(pages, "r001")[1] == row(pages, "r002")[1] == "ALTERED: not what its run left"


def test_what_was_recorded_before_the_side_of_a_limit_was_is_still_shown(world: World) -> None:
    folder = page_revision(world)
    findings = json.loads((folder / "findings.json").read_text())
    rewritten(folder, [{name: value for name, value in each.items() if name != "bound"} for each in findings])
    pages = open_pages(world)
    world.reviews.submit(folder, world.who("ann"))
    text = pages.signed_in("bora").get(f"{BASE}/r001").text
    assert ">3.00</td>" in text
    assert "≥" not in text


def test_the_checks_of_one_revision_alone_are_named_beside_the_other(world: World) -> None:
    page_revision(world)
    folder = page_revision(world, "r002")
    findings = json.loads((folder / "findings.json").read_text())
    rewritten(folder, [each for each in findings if each["name"] != "guide bodies"])
    text = open_pages(world).signed_in("ann").get("/compare/Z019L-left?first=r001&second=r002").text
    assert "3 of 3 checks passed" in text
    assert "2 of 2 checks passed" in text
    assert "Checks that r002 does not have" in text
    assert "guide bodies: 1, limit ≤ 1: pass" in text
    assert "Checks that r001 does not have" not in text

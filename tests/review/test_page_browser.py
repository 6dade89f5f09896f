"""The review page in a real browser: an engineer submits, a surgeon looks and approves, one byte undoes it."""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from page_browser import LAPTOP, TABLET, Seat, browser, needs_chromium, playwright
from page_cases import Pages, open_pages, page_revision, rewritten
from review_cases import WARNING, World, password_of

from guidegen.case import load_case
from guidegen.errors import ApprovalError
from guidegen.intake.inputs import input_hashes
from guidegen.phantom import make_hip, write_case
from guidegen.review.web.app import make_app
from guidegen.review.web.recomputing import Recomputing

__all__ = ["browser"]  # a fixture of all tests here

pytestmark = needs_chromium

BASE = "/cases/Z019L-left/r001"
ON_SHAFT_MM = (18.0, -16.0)  # from the middle of the view from the front: a place on the shaft, below the neck
# A computation that becomes r002: the same revision with another entry in its run, as the pipeline would leave it.
RECOMPUTED = """
import json, shutil, sys
from pathlib import Path
request = json.load(sys.stdin)
for stage in ("read", "plan", "guide"):
    print(json.dumps({"stage": stage}), flush=True)
case = Path(request["output"]) / "Z019L-left"
shutil.copytree(case / "r001", case / "r002")
run = json.loads((case / "r002" / "run.json").read_text())
run["parameters"]["order"] = request["order"]
(case / "r002" / "run.json").write_text(json.dumps(run))
print(json.dumps({"revision": "r002", "passed": True, "unchanged": False}))
"""


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[tuple[Pages, str]]:
    """The site of a world on a port of its own, with the case file of its revision."""
    case = write_case(make_hip("left"), tmp_path / "cases", patient_id="Z019L", spacing_mm=(3.0, 3.0, 3.0), mr=False)
    folder = page_revision(world, warnings=[WARNING])
    run = json.loads((folder / "run.json").read_text())
    run |= {"inputs_sha256": input_hashes(load_case(case))}
    (folder / "run.json").write_text(json.dumps(run))
    pages = open_pages(world, (tmp_path / "cases",))
    recomputing = Recomputing(world.output, (sys.executable, "-c", RECOMPUTED))
    object.__setattr__(pages.site, "recomputing", recomputing)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make_app(pages.site, frozenset({host})), log_level="error"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield pages, f"http://{host}"
        server.should_exit = True
        thread.join()


def test_the_whole_story(browser: Any, site: tuple[Pages, str]) -> None:
    pages, origin = site
    folder = pages.world.made["r001"]
    ann, bora = Seat(browser, origin), Seat(browser, origin)
    ann.sign_in("ann", password_of("ann"))
    ann.look_at(BASE)
    ann.page.fill("#submit-password", pages.world.who("ann").password)
    ann.page.click("text=Submit r001")
    ann.page.wait_for_selector(".bar .state-submitted")

    bora.sign_in("bora", password_of("bora"))
    bora.look_at(BASE)
    bora.page.check("input[name=warning]")
    bora.page.check("input[name=prescribed]")
    bora.page.fill("#patient_id", "Z019L")
    bora.page.fill("#typed-side", "left")
    bora.page.fill("#approve-password", pages.world.who("bora").password)
    bora.page.click("text=Approve Z019L LEFT r001")
    bora.page.wait_for_selector(".bar .state-approved")
    assert "Bora Demir approved it" in bora.page.inner_text("#sign")
    assert pages.world.reviews.approval_of(folder).record.signer.user == "bora"

    guide = folder / "guide.stl"
    guide.chmod(0o644)
    content = bytearray(guide.read_bytes())
    content[-3] ^= 1
    guide.write_bytes(content)
    bora.page.goto(BASE)
    assert "guide.stl was changed since the run" in bora.page.inner_text("main")
    with pytest.raises(ApprovalError, match="void"):
        pages.world.reviews.approval_of(folder)
    assert ann.faults == []
    assert [fault for fault in bora.faults if "409" not in fault] == []  # the last page is one


def test_a_surgeon_picks_another_entry_and_sees_it_become_a_revision(browser: Any, site: tuple[Pages, str]) -> None:
    _, origin = site
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    bora.look_at(BASE)
    bora.page.click("summary:has-text('Ask for a change')")
    bora.page.click("[data-pick=entry]")
    bora.page.click("button:text-is('front')")
    bora.pick(*ON_SHAFT_MM)
    bora.until("document.getElementById('entry').value.split(',').length === 3")
    bora.page.click("text=Compute it")
    bora.page.click("main a:text-is('r002')")
    bora.page.wait_for_selector("#views[data-ready]")
    assert bora.page.inner_text("#revision") == "r002"
    assert bora.faults == []


def test_views_answer_to_switches_keys_and_sliders(browser: Any, site: tuple[Pages, str]) -> None:
    _, origin = site
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    bora.look_at(BASE)
    seen = {bora.drawn()}
    stage = bora.page.locator("#stage")
    for name, act in {
        "guide off": lambda: bora.page.uncheck("[data-layer=guide]"),
        "gap on": lambda: bora.page.check("[data-layer=gap]"),
        "turned": lambda: stage.press("ArrowLeft"),
        "moved": lambda: stage.press("Shift+ArrowUp"),
        "nearer": lambda: stage.press("+"),
        "from medial": lambda: stage.press("m"),
        "bone off": lambda: stage.press("1"),
        "cut": lambda: bora.page.select_option("#section", "along"),
        "cut elsewhere": lambda: bora.page.fill("#section-at", "0.4"),
    }.items():
        act()
        now = bora.drawn()
        assert now not in seen, name
        seen.add(now)
    for plane in ("axial", "coronal", "sagittal", "along"):
        image = bora.page.locator(f"#slice-{plane} img")
        before = image.get_attribute("src")
        with bora.page.expect_response(lambda answer, plane=plane: f"/slice/{plane}" in answer.url) as answer:
            bora.page.focus(f"#at-{plane}")
            bora.page.keyboard.press("ArrowRight")
        assert answer.value.ok
        assert image.get_attribute("src") != before
    with bora.page.expect_download() as saved:
        bora.page.click("#save-view")
    assert saved.value.suggested_filename == "Z019L-LEFT-r001-view.png"
    assert bora.faults == []


@pytest.mark.parametrize("section", ["along", "axial", "sagittal"])
def test_a_section_is_looked_at_squarely_from_wherever_it_is_asked_for(
    browser: Any, site: tuple[Pages, str], section: str
) -> None:
    _, origin = site
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    bora.look_at(BASE)
    pictures = []
    for standpoint in ("l", "f", "a"):  # from lateral, the section along the tunnel would be seen edge-on
        bora.page.locator("#stage").press(standpoint)
        bora.page.select_option("#section", section)
        pictures.append(bora.drawn())
        bora.page.select_option("#section", "")
    assert len(set(pictures)) == 1
    assert bora.faults == []


def test_the_names_of_several_tunnels_never_lie_on_each_other(browser: Any, site: tuple[Pages, str]) -> None:
    pages, origin = site
    folder = page_revision(pages.world, "r002")
    plan = json.loads((folder / "plan.json").read_text())
    (tunnel,) = plan["tunnels"]
    targets = [
        [tunnel["target_mm"][0], tunnel["target_mm"][1] + across, tunnel["target_mm"][2]] for across in (-6, 0, 6)
    ]
    rewritten(folder, plan=plan | {"tunnels": [tunnel | {"target_mm": target} for target in targets]})
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    bora.look_at("/cases/Z019L-left/r002")
    for standpoint in ("f", "l", "t", "a"):
        bora.page.locator("#stage").press(standpoint)
        bora.drawn()
        boxes = [mark.bounding_box() for mark in bora.page.locator(".mark").all()]
        assert len(boxes) == 3
        boxes.sort(key=lambda box: box["y"])
        for upper, lower in itertools.pairwise(boxes):
            is_beside = upper["x"] + upper["width"] <= lower["x"] or lower["x"] + lower["width"] <= upper["x"]
            assert is_beside or upper["y"] + upper["height"] <= lower["y"] + 0.5, standpoint
    assert bora.faults == []


def test_a_distance_is_measured_between_two_picks(browser: Any, site: tuple[Pages, str]) -> None:
    _, origin = site
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    bora.look_at(BASE)
    bora.page.click("button:text-is('front')")
    bora.page.click("#measure")
    right_mm, up_mm = ON_SHAFT_MM
    for up in (0.0, -15.0):  # straight down the shaft, so that both lie equally deep
        bora.pick(right_mm, up_mm + up)
    said = bora.page.inner_text("#said")
    assert said.startswith("Distance: ")
    assert float(said.split()[1]) == pytest.approx(15.0, abs=0.5)  # a pixel is some 0.2 mm


@pytest.mark.parametrize("size", [LAPTOP, TABLET], ids=["laptop", "tablet"])
def test_the_pages_are_accessible_and_fit(browser: Any, site: tuple[Pages, str], size: tuple[int, int]) -> None:
    pages, origin = site
    pages.world.reviews.submit(pages.world.made["r001"], pages.world.who("ann"))
    bora = Seat(browser, origin)
    bora.page.set_viewport_size({"width": size[0], "height": size[1]})
    bora.page.goto("/login")
    bora.accessible(size[0])
    bora.sign_in("bora", password_of("bora"))
    for address in ("/", BASE, "/compare/Z019L-left?first=r001&second=r001"):
        bora.page.goto(address)
        bora.accessible(size[0])


def test_the_browser_keeps_to_the_policy(browser: Any, site: tuple[Pages, str]) -> None:
    _, origin = site
    bora = Seat(browser, origin)
    bora.sign_in("bora", password_of("bora"))
    with pytest.raises(playwright.Error, match="TrustedScriptURL"):
        bora.page.evaluate("document.createElement('script').src = '/static/revision.js'")
    asked: list[str] = []
    bora.page.on("request", lambda request: asked.append(request.url))
    bora.look_at(BASE)
    assert asked
    assert all(url.startswith((origin, "blob:")) for url in asked)
    blocked = bora.page.evaluate("fetch('https://evil.example/').then(() => 'reached', () => 'blocked')")
    assert blocked == "blocked"

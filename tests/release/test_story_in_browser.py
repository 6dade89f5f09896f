"""The whole story of a real run in a real browser, with the program as it is shipped: submitted, looked at, its entry
changed, approved, released, verified; then one byte, and everything refuses.

What was seen at each step is kept as a picture in the test's own folder, or in the one that GUIDEGEN_PICTURES names.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import Finished, finished, flip, read
from page_browser import LAPTOP, TABLET, Seat, browser, needs_chromium
from PIL import Image

__all__ = ["browser"]  # a fixture of all tests here

pytestmark = needs_chromium

GUIDEGEN = Path(sys.executable).with_name("guidegen")
CASE, PATIENT, FIRST, CHANGED = "T001L-left", "T001L", "r001", "r002"
PASSWORDS = {"ann": "a good long phrase", "bora": "another good phrase"}
PEOPLE = {"ann": ("Ann Kaya", "engineer"), "bora": ("Bora Demir", "surgeon")}
IMAGED = datetime.now(UTC).date() - timedelta(days=10)  # the made-up images bear no date: the surgeon says it
LONGEST_S = 300.0  # for a change or a submission, on a machine with other work
ANOTHER_ENTRY_MM = (-4.0, -1.0)  # to the front and down, on the bone as it is seen from lateral
OF_THE_SEARCH = "tunnel axis off the lesion's centroid"  # not asked of an entry that somebody ordered
PLANES = ("axial", "coronal", "sagittal", "along")


@dataclass
class Story:
    """A served folder of results, those who sit before it, and the pictures that are taken."""

    folder: Path
    origin: str
    browser: Any
    pictures: Path
    seats: list[Seat] = field(default_factory=list)
    taken: int = 0

    def seat(self, user: str, size: tuple[int, int] = LAPTOP, **device: bool) -> Seat:
        """Somebody who has signed in, at a screen of this size."""
        seat = Seat(self.browser, self.origin, size, **device)
        seat.sign_in(user, PASSWORDS[user])
        self.seats.append(seat)
        return seat

    def picture(self, seat: Seat, name: str, whole: bool = False) -> None:
        """Keep what is seen now, or the whole page, with every picture on it there, and nothing beside the screen."""
        seat.page.evaluate("for (const image of document.images) image.loading = 'eager'")
        seat.until("[...document.images].every(image => image.complete || image.closest('[hidden]'))")
        assert seat.page.evaluate("document.documentElement.scrollWidth") <= seat.page.viewport_size["width"], name
        self.taken += 1
        seat.page.screenshot(path=self.pictures / f"{self.taken:02d}-{name}.png", full_page=whole)

    def said(self, code: int, *arguments: object, user: str | None = None) -> str:
        """What a command says, which leaves with this code."""
        who = () if user is None else ("--user", user, "--password-stdin")
        typed = "" if user is None else f"{PASSWORDS[user]}\n"
        done = command(self.folder, *arguments, *who, typed=typed)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


def command(folder: Path, *arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command as it is typed in a folder."""
    return subprocess.run(
        [GUIDEGEN, *map(str, arguments)], cwd=folder, input=typed, capture_output=True, text=True, check=False
    )


@contextmanager
def served(folder: Path, cases: Path) -> Iterator[str]:
    """The review page of the results in a folder, by its own command; yields its origin."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("review", "--cases", cases, "--port", port)
    server = subprocess.Popen([GUIDEGEN, *map(str, words)], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def story(browser: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The run that other tests share, copied, with two people and the page."""
    run: Finished = finished(tmp_path_factory)
    shutil.copytree(run.output, tmp_path / "output")
    for user, (name, role) in PEOPLE.items():
        words = ("user", "add", user, "--name", name, "--role", role, "--password-stdin")
        assert command(tmp_path, *words, typed=f"{PASSWORDS[user]}\n").returncode == 0
        (tmp_path / f"{user}.pem").write_text(command(tmp_path, "user", "key", user).stdout, encoding="utf-8")
    pictures = Path(os.environ.get("GUIDEGEN_PICTURES") or tmp_path / "pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    with served(tmp_path, run.case.parent) as origin:
        yield Story(tmp_path, origin, browser, pictures)


def test_the_whole_story_of_a_real_run(story: Story) -> None:
    ann, bora = story.seat("ann"), story.seat("bora")
    story.picture(ann, "list-of-cases")
    submit(story, ann, FIRST)
    look(story, bora)
    entry_mm = ask_for_another_entry(story, bora)
    look_at_the_change(story, bora, entry_mm)
    submit(story, ann, CHANGED)
    approve(story, bora)
    release_and_verify(story, bora)
    assert [seat.faults for seat in story.seats] == [[], [], []]
    one_byte_and_everything_refuses(story, bora)


def submit(story: Story, ann: Seat, name: str) -> None:
    """The engineer signs a revision, whose files are measured anew."""
    ann.look_at(f"/cases/{CASE}/{name}")
    ann.page.fill("#submit-password", PASSWORDS["ann"])
    ann.page.locator("#submit-password").scroll_into_view_if_needed()
    story.picture(ann, f"{name}-to-be-submitted")
    ann.page.click(f"text=Submit {name}", timeout=1000.0 * LONGEST_S)
    ann.page.wait_for_selector(".bar .state-submitted", timeout=1000.0 * LONGEST_S)


def look(story: Story, bora: Seat) -> None:
    """The surgeon looks: the 3-D view shows every layer, and every slice something else where its slider is moved."""
    bora.look_at(f"/cases/{CASE}/{FIRST}")
    story.picture(bora, "first-look")
    assert filled(bora.page.locator("#stage canvas").screenshot()) > 0.1
    seen = {bora.drawn()}
    layers = bora.page.locator("[data-layer]")
    assert layers.count() >= 5
    for layer in layers.all():
        layer.click()
        now = bora.drawn()
        assert now not in seen, layer.get_attribute("data-layer")
        seen.add(now)
        if layer.get_attribute("data-layer") == "gap":
            story.picture(bora, "the-gap")
        layer.click()
    for plane in PLANES:
        image = bora.page.locator(f"#slice-{plane} img")
        before = image.screenshot()
        assert filled(before) > 0.02, plane
        with bora.page.expect_response(lambda answer, plane=plane: f"/slice/{plane}" in answer.url):
            bora.page.focus(f"#at-{plane}")
            bora.page.keyboard.press("PageUp")
        bora.until(f"document.querySelector('#slice-{plane} img').complete")
        assert image.screenshot() != before, plane
    bora.page.check("[data-layer=guide]")  # which makes way for the gap
    bora.page.select_option("#section", "along")
    bora.page.check("#landmarks")
    bora.drawn()
    story.picture(bora, "cut-along-the-tunnel")
    story.picture(bora, "all-that-stands-on-the-page", whole=True)


def filled(png: bytes) -> float:
    """Which share of a picture is not as dark as its ground."""
    return float((np.asarray(Image.open(io.BytesIO(png)).convert("L")) > 60).mean())


def ask_for_another_entry(story: Story, bora: Seat) -> list[float]:
    """The surgeon picks an entry a little further to the front on the bone, and has it computed."""
    page = bora.page
    bora.look_at(f"/cases/{CASE}/{FIRST}")
    page.click("summary:has-text('Ask for a change')")
    page.click("[data-pick=entry]")
    page.click("button:text-is('lateral')")
    bora.drawn()
    page.locator("#stage").click(position=beside_the_entry(bora))
    bora.until("document.getElementById('entry').value.split(',').length === 3")
    entry_mm = [float(number) for number in page.input_value("#entry").split(",")]
    page.locator("#entry").scroll_into_view_if_needed()
    story.picture(bora, "another-entry-asked-for")
    page.click("text=Compute it")
    bora.until("document.getElementById('progress').value > 0")
    story.picture(bora, "under-way")
    assert page.inner_text("#stage").startswith("running")
    page.locator(f"#change a:text-is('{CHANGED}')").wait_for(timeout=1000.0 * LONGEST_S)
    story.picture(bora, "done")
    return entry_mm


def beside_the_entry(bora: Seat) -> dict[str, float]:
    """Where a place beside the planned entry is seen from lateral, in pixels of the 3-D view."""
    scene = bora.page.evaluate(f"fetch('/cases/{CASE}/{FIRST}/scene').then(answer => answer.json())")
    toward, up = (np.array(scene["views"]["lateral"][name]) for name in ("toward", "up"))
    right = np.cross(up, toward)
    away_mm = np.array(scene["tunnels"][0]["entry"]) - scene["center"]
    front_mm, up_mm = ANOTHER_ENTRY_MM
    to_front = np.sign(right @ scene["views"]["front"]["toward"])
    box = bora.page.locator("#stage").bounding_box()
    px_per_mm = bora.page.locator(".scale").bounding_box()["width"] / 20.0
    return {
        "x": box["width"] / 2 + (away_mm @ right - to_front * front_mm) * px_per_mm,
        "y": box["height"] / 2 - (away_mm @ np.cross(toward, right) + up_mm) * px_per_mm,
    }


def checks(bora: Seat) -> set[str]:
    """What is checked on the page, without the numbers of holes and windows: their places follow the tunnel."""
    names = bora.page.locator("#checks tbody th").all_inner_texts()
    return {re.sub(r" \d+", "", name) for name in names} - {OF_THE_SEARCH}


def look_at_the_change(story: Story, bora: Seat, entry_mm: list[float]) -> None:
    """What was asked for has become a revision of its own, with that entry and the same checks, all passed."""
    bora.page.click("text=Beside r001")
    story.picture(bora, "beside-the-first", whole=True)
    bora.page.goto(f"/cases/{CASE}/{FIRST}")
    before, patience = checks(bora), time.monotonic() + LONGEST_S
    bora.look_at(f"/cases/{CASE}/{CHANGED}")
    while checks(bora) != before and time.monotonic() < patience:  # what takes longest may follow
        bora.page.wait_for_timeout(1000)
        bora.look_at(f"/cases/{CASE}/{CHANGED}")
    story.picture(bora, "the-changed-revision")
    assert checks(bora) == before
    assert bora.page.locator("#checks .failed").count() == 0
    (tunnel,) = read(story.folder / "output" / CASE / CHANGED / "plan.json")["tunnels"]
    assert np.linalg.norm(np.subtract(tunnel["entry_mm"], entry_mm)) < 1.0  # picked on the bone as it was written


def approve(story: Story, bora: Seat) -> None:
    """The surgeon acknowledges, confirms, types back and signs."""
    page = bora.page
    bora.look_at(f"/cases/{CASE}/{CHANGED}")
    for box in page.locator("input[name=warning]").all():
        box.check()
    page.check("input[name=prescribed]")
    page.fill("#patient_id", PATIENT)
    page.fill("#typed-side", "left")
    page.fill("#imaged", IMAGED.isoformat())
    page.fill("#approve-password", PASSWORDS["bora"])
    page.locator("#approve-title").scroll_into_view_if_needed()
    story.picture(bora, "about-to-be-approved")
    page.click(f"text=Approve {PATIENT} LEFT {CHANGED}")
    page.wait_for_selector(".bar .state-approved")
    assert "Bora Demir approved it" in page.inner_text("#sign")
    page.locator("#sign").scroll_into_view_if_needed()
    story.picture(bora, "approved")


def release_and_verify(story: Story, bora: Seat) -> None:
    """It leaves on the command line, and verifies with the public keys alone; the page shows it, on a tablet too."""
    result = f"output/{CASE}/{CHANGED}"
    assert "released" in story.said(0, "release", result, "--to", "out", user="ann")
    said = story.said(0, "verify", "out", "--key", "ann.pem", "--key", "bora.pem")
    assert f"{PATIENT}, LEFT hip, {CHANGED}\napproved by Bora Demir, a key given here" in said
    bora.page.goto("/")
    story.picture(bora, "list-after-the-release")
    tablet = story.seat("bora", TABLET, is_mobile=True, has_touch=True)
    tablet.look_at(f"/cases/{CASE}/{CHANGED}")
    tablet.page.wait_for_selector(".bar .state-released")
    story.picture(tablet, "on-a-tablet")
    story.picture(tablet, "on-a-tablet-all", whole=True)


def one_byte_and_everything_refuses(story: Story, bora: Seat) -> None:
    """One bit of the guide is another: the page, a release and verifying refuse and name it."""
    result = story.folder / "output" / CASE / CHANGED
    flip(result / "guide.stl")
    bora.page.goto(f"/cases/{CASE}/{CHANGED}")
    story.picture(bora, "one-byte")
    assert "guide.stl was changed since the run" in bora.page.inner_text("main")
    assert bora.page.locator("#views, form[action$=approve], form[action$=submit]").count() == 0
    said = story.said(4, "release", result, "--to", "again", user="ann")
    assert "- guide.stl was changed since it was approved" in said
    assert not (story.folder / "again").exists()
    story.said(0, "verify", "out", "--key", "ann.pem")  # what has left is what was approved
    flip(story.folder / "out" / "guide.stl")
    assert "- guide.stl was changed: other bytes" in story.said(4, "verify", "out", "--key", "ann.pem")

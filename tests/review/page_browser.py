"""Somebody before a real browser, Debian's Chromium, for the tests that open the review page in one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs the library playwright")
CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")

AXE = Path(__file__).with_name("axe") / "axe.min.js"
FLAGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000.0  # a machine that draws by software, with other work
LAPTOP, TABLET = (1280, 800), (820, 1180)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Seat:
    """Somebody before a browser; what it complains of is kept."""

    def __init__(self, browser: Any, origin: str, size: tuple[int, int] = LAPTOP, **device: bool) -> None:
        width, height = size
        self.page = browser.new_page(base_url=origin, viewport={"width": width, "height": height}, **device)
        self.page.set_default_timeout(PATIENCE_MS)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))

    def sign_in(self, user: str, password: str) -> None:
        """Through the form."""
        self.page.goto("/login")
        self.page.fill("#user", user)
        self.page.fill("#password", password)
        self.page.click("text=Sign in >> nth=-1")
        self.page.wait_for_url("**/")

    def look_at(self, address: str) -> None:
        """A revision, until its shapes and slices are there."""
        self.page.goto(address)
        self.page.wait_for_selector("#views[data-ready]")
        self.until("[...document.querySelectorAll('.slice:not([hidden]) img')].every(image => image.naturalWidth > 0)")

    def until(self, expression: str) -> None:
        """Wait for something to be true; the page's policy lets nobody poll inside it."""
        for _ in range(600):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"expected {expression}")

    def pick(self, right_mm: float, up_mm: float) -> None:
        """A click so far from the middle of the 3-D view, once it is in view and drawn."""
        self.page.locator("#stage").scroll_into_view_if_needed()
        self.drawn()
        box = self.page.locator("#stage").bounding_box()
        px_per_mm = self.page.locator(".scale").bounding_box()["width"] / 20.0
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.click(middle[0] + right_mm * px_per_mm, middle[1] - up_mm * px_per_mm)

    def drawn(self) -> str:
        """What the 3-D view shows, as the bytes of its picture."""
        self.page.wait_for_timeout(200)
        return str(self.page.evaluate("document.querySelector('#stage canvas').toDataURL()"))

    def accessible(self, width: int) -> None:
        """Nothing that axe finds at the levels A and AA, and nothing beside the screen."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        asked = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})"
        found = self.page.evaluate(asked)["violations"]
        assert not [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width

"""The review page from end to end, without a browser: submit, look, approve, and one byte that undoes it."""

from __future__ import annotations

import re

import pytest
from page_cases import Pages, field_in, open_pages, page_revision, token_in
from review_cases import WAIVER, WARNING, World

from guidegen.review.canonical import digest
from guidegen.review.states import State

BASE = "/cases/Z019L-left/r001"


@pytest.fixture
def pages(world: World) -> Pages:
    return open_pages(world)


def approval(text: str, pages: Pages, **changes: object) -> dict[str, object]:
    """What a surgeon fills in on the page whose text this is."""
    fields: dict[str, object] = {
        "submission": field_in(text, "submission"),
        "shown_sha256": field_in(text, "shown_sha256"),
        "patient_id": "Z019L",
        "side": "left",
        "prescribed": "true",
        "warning": re.findall(r'name="warning" value="([0-9a-f]{64})"', text),
        "password": pages.world.who("bora").password,
    }
    return {**fields, **changes}


def test_an_engineer_submits_and_a_surgeon_approves_what_the_page_shows(pages: Pages) -> None:
    folder = page_revision(pages.world, warnings=[WARNING], waivers=[WAIVER])
    ann, bora = pages.signed_in("ann"), pages.signed_in("bora")
    assert ann.post(f"{BASE}/submit", {"password": pages.world.who("ann").password}).status_code == 303
    text = bora.get(BASE).text
    assert digest(WARNING) in text
    fields = approval(text, pages, accepted=["0"], reason=["I have seen it on the CT."])
    answer = bora.post(f"{BASE}/approve", fields)
    assert answer.status_code == 303, answer.text
    found = pages.world.reviews.approval_of(folder).record
    assert (found.signer.user, found.signer.session) == ("bora", found.signer.session)
    assert found.signer.session is not None
    assert found.shown.strings["Tunnel: wall to the outer cortex"] == "5.0 mm"
    assert {"preview/guide.png", "slice: axial", "slice: along"} <= set(found.shown.pictures)
    assert [waiver.surgeon_reason for waiver in found.waivers] == ["I have seen it on the CT."]
    assert "Bora Demir approved it" in ann.get(BASE).text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patient_id": "Z019R"}, "typed back"),
        ({"side": "right"}, "typed back"),
        ({"warning": []}, "was not acknowledged"),
        ({"prescribed": "false"}, "tick the box"),
        ({"shown_sha256": "0" * 64}, "showed something else"),
        ({"submission": "0" * 64}, "another one looked at"),
        ({"password": "correct horse battery staple"}, "another; try again"),
    ],
)
def test_nothing_is_approved_where_a_field_is_wrong(pages: Pages, changes: dict[str, object], expected: str) -> None:
    folder = page_revision(pages.world, warnings=[WARNING])
    pages.world.submit()
    bora = pages.signed_in("bora")
    answer = bora.post(f"{BASE}/approve", approval(bora.get(BASE).text, pages, **changes))
    assert answer.status_code in (403, 409)
    assert expected in answer.text
    assert pages.world.reviews.state_of(folder) is State.SUBMITTED


def test_one_changed_byte_is_shown_as_what_it_is(pages: Pages) -> None:
    folder = page_revision(pages.world)
    pages.world.submit()
    bora = pages.signed_in("bora")
    fields = approval(bora.get(BASE).text, pages)
    guide = folder / "guide.stl"
    guide.chmod(0o644)
    content = bytearray(guide.read_bytes())
    content[200] ^= 1
    guide.write_bytes(content)
    answer = bora.get(BASE)
    assert answer.status_code == 409
    assert "guide.stl was changed since the run" in answer.text
    answer = bora.post(f"{BASE}/approve", fields)
    assert answer.status_code == 409
    assert "guide.stl was changed since the run" in answer.text


def test_a_surgeon_rejects_and_anybody_voids(pages: Pages) -> None:
    folder = page_revision(pages.world)
    pages.world.submit()
    bora, cem = pages.signed_in("bora"), pages.signed_in("cem")
    password = pages.world.who("bora").password
    fields = {"submission": field_in(bora.get(BASE).text, "submission"), "why": "Enter\r\nlower.", "password": password}
    assert bora.post(f"{BASE}/reject", fields).status_code == 303
    assert pages.world.reviews.state_of(folder) is State.REJECTED
    record = pages.world.reviews.record_of(pages.world.reviews.history_of(folder).entries[-1])
    assert record.reason == "Enter\nlower."  # type: ignore[union-attr]
    assert cem.post(f"{BASE}/void", {"why": "Over.", "password": pages.world.who("cem").password}).status_code == 303
    assert pages.world.reviews.state_of(folder) is State.VOID


def test_the_page_says_what_a_visitor_may_do_and_no_more(pages: Pages) -> None:
    page_revision(pages.world)
    ann, bora = pages.signed_in("ann"), pages.signed_in("bora")
    assert f'action="{BASE}/submit"' in ann.get(BASE).text
    assert f'action="{BASE}/submit"' not in bora.get(BASE).text
    pages.world.submit()
    assert f'action="{BASE}/approve"' in bora.get(BASE).text
    assert f'action="{BASE}/approve"' not in ann.get(BASE).text


def test_signing_in_anew_gives_another_session_and_signing_out_ends_it(pages: Pages) -> None:
    bora = pages.signed_in("bora")
    first = bora.client.cookies["guidegen"]
    token = token_in(bora.get("/login").text)
    fields = {"user": "bora", "password": pages.world.who("bora").password, "token": token}
    assert bora.post("/login", fields).status_code == 303
    second = bora.client.cookies["guidegen"]
    assert second != first
    bora.token = token_in(bora.get("/").text)
    assert bora.post("/logout").status_code == 303
    bora.client.cookies.set("guidegen", second)
    assert bora.get("/").status_code == 401


def test_what_is_guessed_has_to_wait(pages: Pages) -> None:
    visit = pages.visit()
    for _ in range(6):
        token = token_in(visit.get("/login").text)
        answer = visit.post("/login", {"user": "bora", "password": "wrong " * 4, "token": token})
    assert answer.status_code == 429
    assert "wait" in answer.text

"""Every route of the review page against whoever should not reach it. The routes are the app's own, walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from page_cases import HOST, ORIGIN, Pages, Visit, open_pages, page_revision, token_in, waiting_pages
from review_cases import World
from sqlalchemy import delete
from starlette.routing import Mount

from guidegen.review.tables import GUESSES
from guidegen.review.web.app import make_app
from guidegen.review.web.guard import LARGEST_BODY, POLICY, Guard
from guidegen.review.web.site import Site

PUBLIC = {"/login"}
NOWHERE: Any = None  # what a walk over the routes does not need
FILLED = {
    "case": "Z019L-left", "revision": "r001", "plane": "axial", "layer": "bone", "name": "nobodyknows",
}  # fmt: skip
QUERIES = {"/cases/{case}/{revision}/slice/{plane}": "?at=80", "/compare/{case}": "?first=r001&second=r001"}
# Whose each form is: what everybody else is refused.
ROLES = {"submit": {"ann"}, "approve": {"bora"}, "reject": {"bora"}, "void": {"ann", "bora", "cem"},
         "change": {"ann", "bora"}, "logout": {"ann", "bora", "cem"}, "login": {"ann", "bora", "cem"}}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A route with its places filled in."""

    method: str
    path: str
    address: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def walked() -> list[Target]:
    """Every route of the app that the site is, as it describes itself."""
    places = dict.fromkeys(("reviews", "cases", "recomputing", "shapes"), NOWHERE)
    return [*_targets(make_app(Site(**places), frozenset({HOST})).app)]


def _targets(app: Any) -> Iterator[Target]:
    for path, methods in app.openapi()["paths"].items():
        address = path.replace("/files/{name}", "/files/preview/guide.png")
        for name, value in FILLED.items():
            address = address.replace(f"{{{name}}}", value)
        for method in sorted(methods):
            yield Target(method.upper(), path, address + QUERIES.get(path, ""))


TARGETS = walked()
FORMS = [target for target in TARGETS if target.method == "POST"]
KEPT = [target for target in TARGETS if target.path not in PUBLIC]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, populated: Path) -> Iterator[Pages]:
    """One site for all that changes nothing on it."""
    with waiting_pages(tmp_path_factory.mktemp("site") / "output", populated) as waiting:
        yield waiting


@pytest.fixture(autouse=True)
def forgiven(pages: Pages) -> None:
    """No test waits for the wrong passwords of another."""
    with pages.world.reviews._desk.database.writing() as connection:
        connection.execute(delete(GUESSES))


def ask(visit: Visit, target: Target, fields: dict[str, Any] | None = None, **headers: str) -> Any:
    """The request of a target, as one of our own pages sends it, but for `headers`."""
    if target.method == "GET":
        return visit.get(target.address, **headers)
    return visit.post(target.address, fields, **headers)


FOREIGN = (
    ("origin", "https://evil.example"), ("origin", "null"), ("origin", f"https://{HOST}"), ("origin", f"{ORIGIN}0"),
    ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"),
)  # fmt: skip


def unchanged(pages: Pages) -> bool:
    """Whether the revision still waits, as it did before."""
    entries = pages.world.reviews.history_of(pages.world.made["r001"]).entries
    return [entry.action for entry in entries] == ["submitted"]


def test_the_walk_finds_every_form_and_nothing_is_mounted_beside_the_routes(pages: Pages) -> None:
    assert {target.path.rpartition("/")[2] for target in FORMS} == set(ROLES)
    assert len(TARGETS) > 15
    app: Any = pages.app.app
    assert {route.path for route in app.routes if isinstance(route, Mount)} == {"/static"}
    visit = pages.visit()
    assert [visit.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


@pytest.mark.parametrize("target", KEPT, ids=str)
def test_without_a_session_nothing_is_reached(pages: Pages, target: Target) -> None:
    visit = pages.visit()
    assert ask(visit, target).status_code == 401
    visit.client.cookies.set("guidegen", "A" * 43)
    assert ask(visit, target).status_code == 401
    if target.method == "GET":
        answer = ask(visit, target, accept="text/html")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert unchanged(pages)


@pytest.mark.parametrize("target", KEPT, ids=str)
def test_a_session_that_has_ended_reaches_nothing(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    pages.world.reviews.sessions.close_all("bora")
    assert ask(visit, target).status_code == 401
    assert unchanged(pages)


def test_an_idle_session_ends(world: World) -> None:
    visit = open_pages(world).signed_in("bora")
    world.clock.forward(minutes=14)
    assert visit.get("/").status_code == 200
    world.clock.forward(minutes=16)
    assert visit.get("/").status_code == 401


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_another_host_name_is_not_answered(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    for host in ("evil.example", f"{HOST}.evil.example", "127.0.0.1:80", "localhost:8421", ""):
        assert ask(visit, target, host=host).status_code == 421, host
    assert unchanged(pages)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_what_another_origin_sends_is_refused(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    for name, value in FOREIGN:
        assert ask(visit, target, **{name: value}).status_code == 403, (name, value)
    assert unchanged(pages)


@pytest.mark.parametrize("target", FORMS, ids=str)
def test_a_form_names_its_origin(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    answer = visit.client.post(target.address, data={"token": visit.token}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 403
    assert unchanged(pages)


@pytest.mark.parametrize("target", FORMS, ids=str)
def test_a_form_brings_the_token_of_its_page(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    for wrong in ("", "0" * 64, "é", "x" * 200, pages.token("gul")):
        visit.token = wrong
        assert ask(visit, target).status_code in (403, 422), wrong
    assert unchanged(pages)


def test_nobody_is_signed_in_by_a_form_of_another_site(pages: Pages) -> None:
    visit = pages.visit()
    fields = {"user": "bora", "password": pages.world.who("bora").password}
    ours = token_in(visit.get("/login").text)
    for token in ("", "0" * 64, token_in(pages.visit().get("/login").text)):
        answer = visit.post("/login", {**fields, "token": token})
        assert answer.status_code == 403
        assert "guidegen" not in answer.cookies
    assert visit.post("/login", {**fields, "token": ours}).status_code == 303


@pytest.mark.parametrize("target", FORMS, ids=str)
@pytest.mark.parametrize("user", ["ann", "bora", "cem"])
def test_a_form_is_for_its_own_roles(pages: Pages, target: Target, user: str) -> None:
    visit = pages.signed_in(user)
    allowed = user in ROLES[target.path.rpartition("/")[2]]
    answer = ask(visit, target)
    if not allowed:
        assert answer.status_code == 403
        assert "for this" in answer.text
    else:
        assert "for this" not in answer.text
    assert unchanged(pages)  # no password was given


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_body_is_small_and_says_its_length(pages: Pages, target: Target) -> None:
    visit = pages.signed_in("bora")
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    large = visit.client.request(target.method, target.address, content=b"x" * (LARGEST_BODY + 1), headers=headers)
    assert large.status_code == 413
    unknown = visit.client.request(target.method, target.address, content=iter([b"x" * 10]), headers=headers)
    assert unknown.status_code == 411
    assert unchanged(pages)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_nothing_but_get_and_post_is_known(pages: Pages, target: Target) -> None:
    visit, headers = pages.signed_in("bora"), {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"):
        assert visit.client.request(method, target.address, headers=headers).status_code == 405, method


WAYS_OUT = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "....//", "..\\", "%00", "/etc/", "%2fetc%2f", "~/"]


@pytest.mark.parametrize("way", WAYS_OUT)
@pytest.mark.parametrize("target", [target for target in KEPT if "{" in target.path], ids=str)
def test_no_way_leads_out_of_the_results(pages: Pages, target: Target, way: str) -> None:
    secret = pages.world.output.parent / "secret.png"
    secret.write_bytes(b"secret")
    visit = pages.signed_in("bora")
    for place in FILLED.values():
        if place not in target.address:
            continue
        for name in (f"{way}{place}", f"{way * 3}secret.png", f"{place}{way}", way):
            answer = ask(visit, Target(target.method, target.path, target.address.replace(place, name, 1)))
            assert answer.content != b"secret"
            if answer.request.url.path == "/":  # what the client itself made of it
                continue
            assert answer.status_code in (303, 403, 404, 405, 422), (name, answer.status_code)
    assert unchanged(pages)


@pytest.mark.parametrize("name", ["run.json", "plan.json", "guide.stl", "../r001/preview/guide.png", "timings.json"])
def test_only_pictures_and_the_dossier_are_given(pages: Pages, name: str) -> None:
    visit = pages.signed_in("bora")
    assert visit.get(f"/cases/Z019L-left/r001/files/{name}").status_code == 404
    assert visit.get("/cases/Z019L-left/r001/files/preview/guide.png").status_code == 200


def test_a_link_in_a_revision_is_not_followed(world: World) -> None:
    folder = page_revision(world)
    (folder / "preview" / "link.png").symlink_to("/etc/hostname")
    pages = open_pages(world)
    assert pages.signed_in("bora").get("/cases/Z019L-left/r001/files/preview/link.png").status_code == 409


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_answer_carries_the_policy(pages: Pages, target: Target) -> None:
    for visit in (pages.visit(), pages.signed_in("bora")):
        headers = ask(visit, target).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_the_policy_allows_no_script_or_style_but_our_files() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in POLICY


def test_pages_have_no_script_or_style_of_their_own(pages: Pages) -> None:
    visit = pages.signed_in("bora")
    addresses = ("/login", "/", "/cases/Z019L-left/r001", "/compare/Z019L-left?first=r001&second=r001")
    for address in addresses:
        text = visit.get(address).text
        assert "<style" not in text
        assert " style=" not in text
        assert "javascript:" not in text
        assert all(" src=" in tag.partition(">")[0] for tag in text.split("<script")[1:])
        assert not any(f" on{event}=" in text for event in ("click", "load", "error", "input", "submit"))


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(pages: Pages) -> None:
    visit = pages.visit()
    first = visit.get("/login")
    token = token_in(first.text)
    second = visit.post("/login", {"user": "bora", "password": pages.world.who("bora").password, "token": token})
    for answer, name in ((first, "guidegen-login"), (second, "guidegen")):
        cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}="))
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_what_a_case_says_is_text_and_never_markup(world: World) -> None:
    words = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)>"
    page_revision(world, warnings=[words])
    text = open_pages(world).signed_in("bora").get("/cases/Z019L-left/r001").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_over_tls_cookies_stay_there(pages: Pages) -> None:
    secure = replace(pages.site, is_secure=True)
    answer = Visit(_client(make_app(secure, frozenset({"review.example"})))).get("/login")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-guidegen-login=")
    assert "Secure" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def _client(app: Guard) -> Any:
    from fastapi.testclient import TestClient

    return TestClient(app, base_url="https://review.example", follow_redirects=False)

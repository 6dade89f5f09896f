"""A change asked for on the page: which order it becomes, how it is computed, and what the page says meanwhile."""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_cases import Pages, Visit, open_pages, page_revision
from review_cases import World

from guidegen import pipeline
from guidegen.case import Case, load_case
from guidegen.check.finding import Finding
from guidegen.errors import ResultError
from guidegen.frames import LPS, RigidTransform, rotation_about
from guidegen.intake.inputs import input_hashes
from guidegen.lesion.registration import MR
from guidegen.phantom import make_hip, write_case
from guidegen.review.revision import place_of
from guidegen.review.web.cases import CaseFiles
from guidegen.review.web.changing_routes import shorter
from guidegen.review.web.grounds import Ground, grounds_of, image_on_bone
from guidegen.review.web.recompute import recompute
from guidegen.review.web.recomputing import MOST_WAITING, Phase, Recomputing
from guidegen.review.web.shapes import Shapes
from guidegen.workshop import Workshop

BASE = "/cases/Z019L-left/r001"
FAKE = """
import json, sys
request = json.load(sys.stdin)
print(json.dumps({"stage": "plan"}), flush=True)
print(json.dumps({"asked": request["order"], "revision": "r002", "passed": True, "unchanged": False}))
"""


@pytest.fixture(scope="module")
def case_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case file of a coarse made-up hip, called as the revisions of these tests are."""
    folder = tmp_path_factory.mktemp("cases") / "one"
    return write_case(make_hip("left"), folder, patient_id="Z019L", spacing_mm=(3.0, 3.0, 3.0))


@pytest.fixture
def pages(world: World, case_file: Path) -> Pages:
    folder = page_revision(world)
    order = {"size": "M", "kit": "core-8", "entry_mm": [1.0, 2.0, 3.0]}
    run = json.loads((folder / "run.json").read_text())
    run |= {"inputs_sha256": input_hashes(load_case(case_file)), "parameters": {"order": order}}
    (folder / "run.json").write_text(json.dumps(run))
    return open_pages(world, (case_file.parent.parent,))


def with_command(pages: Pages, script: str) -> Pages:
    """The same site, whose computations are another program's."""
    recomputing = Recomputing(pages.world.output, (sys.executable, "-c", script))
    site = replace(pages.site, recomputing=recomputing)
    from guidegen.review.web.app import make_app

    return Pages(pages.world, site, make_app(site, pages.app.hosts))


def followed(visit: Visit, answer: Any) -> dict[str, Any]:
    """What became of a change, as the page learns it."""
    assert answer.status_code == 303, answer.text
    for _ in range(600):
        now: dict[str, Any] = visit.get(f"{answer.headers['location']}/progress").json()
        if now["phase"] in ("done", "failed"):
            return now
        time.sleep(0.05)
    raise AssertionError(now)


def test_the_case_of_a_revision_is_found_by_the_hashes_of_all_it_names(pages: Pages, case_file: Path) -> None:
    place = place_of(pages.world.output, pages.world.made["r001"])
    source = pages.site.cases.source(place)
    assert source.case.path == case_file
    assert source.order.entry_mm == (1.0, 2.0, 3.0)
    with pytest.raises(ResultError, match="name its folder with --cases"):
        CaseFiles((pages.world.output,)).source(place)


def test_a_case_with_one_changed_file_is_not_the_case(pages: Pages, case_file: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(case_file.parent, tmp_path / "cases" / "one")
    labels = tmp_path / "cases" / "one" / "labels.nii.gz"
    labels.write_bytes(labels.read_bytes() + b"\0")
    place = place_of(pages.world.output, pages.world.made["r001"])
    with pytest.raises(ResultError, match="the very files it was made from"):
        CaseFiles((tmp_path / "cases",)).source(place)


@pytest.mark.parametrize("user", ["ann", "bora"])
def test_a_change_is_computed_and_shown(pages: Pages, user: str) -> None:
    site = with_command(pages, FAKE)
    visit = site.signed_in(user)
    assert "Ask for a change" in visit.get(BASE).text
    fields = {"entry": "4, 5.5, -6", "target": "", "kit": "core-10", "size": "L", "strategy": "centroid"}
    answer = visit.post(f"{BASE}/change", fields)
    assert followed(visit, answer) == {
        "phase": "done", "stage": "plan", "share": 100, "measured": False, "revision": "r002", "error": None
    }  # fmt: skip
    text = visit.get(answer.headers["location"]).text
    assert "entry: 4, 5.5, -6" in text
    assert "kit: core-10" in text
    assert "/compare/Z019L-left?first=r001&amp;second=r002" in text


def test_what_is_measured_is_shown_while_the_surgery_is_to_come(pages: Pages) -> None:
    """Beside the figures of the revision that it changes, every check among them; and nothing can be submitted yet."""
    folder = pages.world.made["r001"]
    plan = json.loads((folder / "plan.json").read_text())
    plan["tunnels"][0]["length_mm"] = 71.25
    findings = [asdict(Finding("thinnest wall", 1.25, 2.0, "mm", False, "A thin wall breaks."))]
    told = json.dumps({"plan": plan, "findings": findings})
    waiting = f"import sys, time; sys.stdin.read(); print({told!r}, flush=True); time.sleep(60)"
    visit = with_command(pages, waiting).signed_in("bora")
    place = visit.post(f"{BASE}/change", {"entry": "4, 5, 6"}).headers["location"]
    for _ in range(200):
        if visit.get(f"{place}/progress").json()["measured"]:
            break
        time.sleep(0.05)
    text = visit.get(place).text
    assert "0 of 1 passed" in text
    assert "thinnest wall" in text
    assert "71.3 mm" in text
    assert "can be submitted" in text
    assert "r002" not in text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"entry": "4, 5"}, "three numbers"),
        ({"entry": "a, b, c"}, "three numbers"),
        ({"entry": "1_0, 2, 3"}, "three numbers"),
        ({"entry": "１, 2, 3"}, "three numbers"),  # a full-width digit is what is tried
        ({"entry": "1, 2, 3, x"}, "three numbers"),
        ({"entry": "4, 5, nan"}, "three numbers"),
        ({"entry": "4, 5, 99999"}, "expected an order that can be"),
        ({"kit": "../core-8", "entry": "1, 2, 3"}, "expected an order that can be"),
        ({"size": "XL", "entry": "1, 2, 3"}, "expected an order that can be"),
        ({"entry": "1, 2, 3", "kit": "core-8"}, "something that differs"),
    ],
)
def test_what_cannot_be_ordered_is_told_and_nothing_begins(pages: Pages, fields: dict[str, str], expected: str) -> None:
    visit = pages.signed_in("bora")
    answer = visit.post(f"{BASE}/change", fields)
    assert answer.status_code == 422
    assert expected in answer.text
    assert not pages.site.recomputing.of("Z019L-left")


def test_a_computation_that_breaks_off_is_told(pages: Pages) -> None:
    visit = with_command(pages, "import sys; sys.stdin.read(); sys.exit(3)").signed_in("bora")
    now = followed(visit, visit.post(f"{BASE}/change", {"entry": "1, 1, 1"}))
    assert now["phase"] == "failed"
    assert "broke off" in now["error"]


def test_only_so_many_wait_and_closing_ends_them(pages: Pages) -> None:
    site = with_command(pages, "import time; time.sleep(60)")
    visit = site.signed_in("bora")
    answers = [visit.post(f"{BASE}/change", {"entry": f"{n}, 1, 1"}) for n in range(2, 3 + MOST_WAITING)]
    assert [answer.status_code for answer in answers] == [303] * MOST_WAITING + [422]
    begun = time.monotonic()
    site.site.recomputing.close()
    assert time.monotonic() - begun < 10.0
    assert all(each.phase is not Phase.DONE for each in site.site.recomputing.of("Z019L-left"))


WAITS = """
import json, os, sys
if sys.stdin.read():
    print(json.dumps({"revision": str(os.getpid()), "passed": True, "unchanged": False}))
"""


def test_a_process_waits_for_the_next_change_and_another_follows_it(pages: Pages) -> None:
    site = with_command(pages, WAITS)
    recomputing = site.site.recomputing
    recomputing.keep_ready()
    first = recomputing._waiting
    assert first is not None
    visit = site.signed_in("bora")
    answer = visit.post(f"{BASE}/change", {"entry": "1, 1, 1"})
    assert followed(visit, answer)["revision"] == str(first.pid)
    recomputing._worker.submit(int).result()  # what follows the change is done
    second = recomputing._waiting
    assert second is not None
    assert second.pid != first.pid
    second.kill()  # one that ended meanwhile is not asked
    second.wait()
    assert followed(visit, visit.post(f"{BASE}/change", {"entry": "2, 1, 1"}))["phase"] == "done"
    recomputing.close()
    assert recomputing._waiting is None or recomputing._waiting.returncode is not None


def test_who_waits_ends_where_nobody_asks() -> None:
    answers = io.StringIO()
    recompute(io.StringIO(""), answers, Workshop())
    assert answers.getvalue() == ""


def test_the_process_runs_the_ordinary_pipeline_with_the_changed_order(
    case_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[tuple[Case, str, str]] = []

    finding = Finding("thinnest wall", 2.5, 2.0, "mm", True, "A test.")

    def run(
        case: Case, output: str, size: str, progress: pipeline.Progress, measured: pipeline.Measured, opened: Workshop
    ) -> pipeline.Result:
        assert opened is workshop
        runs.append((case, output, size))
        progress("plan")
        measured({"tunnels": []}, (finding,))
        return pipeline.Result(tmp_path / "Z019L-left" / "r007", (), unchanged=False)

    monkeypatch.setattr(pipeline, "run", run)
    request = {"case": str(case_file), "output": str(tmp_path), "order": {"size": "S", "entry_mm": [1.0, 2.0, 3.0]}}
    answers, workshop = io.StringIO(), Workshop()
    recompute(io.StringIO(json.dumps(request)), answers, workshop)
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == [
        {"stage": "plan"}, {"plan": {"tunnels": []}, "findings": [asdict(finding)]},
        {"revision": "r007", "passed": True, "unchanged": False},
    ]  # fmt: skip
    ((case, output, size),) = runs
    assert (case.order.entry_mm, size, output) == ((1.0, 2.0, 3.0), "S", str(tmp_path))
    assert case.path == case_file


def test_what_the_pipeline_refuses_is_the_answer(case_file: Path, tmp_path: Path) -> None:
    request = {"case": str(case_file), "output": str(tmp_path), "order": {"kit": "none-such"}}
    answers = io.StringIO()
    recompute(io.StringIO(json.dumps(request)), answers, Workshop())
    assert "expected one of the kits" in json.loads(answers.getvalue())["error"]


def test_the_images_are_those_of_the_case_and_the_mr_lies_on_the_bone(pages: Pages) -> None:
    place = place_of(pages.world.output, pages.world.made["r001"])
    assert grounds_of(pages.site.cases, place) == (Ground.BONE, Ground.LESION, Ground.NONE)
    images = pages.site.cases.images(place)
    assert images.bone is not None
    assert images.lesion is not None
    assert pages.site.cases.images(place) is images
    pose = RigidTransform(rotation_about([1.0, 2.0, 3.0], 20.0), np.array([5.0, -7.0, 9.0]), MR, LPS)
    registration = {"rotation": pose.rotation.tolist(), "translation_mm": pose.translation_mm.tolist()}
    plan = {"lesion": {"registration": registration}}
    moved = image_on_bone(images, Shapes(plan, {}), Ground.LESION)
    assert moved is not None
    index = np.array([3.0, 4.0, 5.0])
    np.testing.assert_allclose(moved.to_lps(index), pose.points(images.lesion.to_lps(index)), atol=1e-9)
    still = image_on_bone(images, Shapes({"lesion": {"registration": None}}, {}), Ground.LESION)
    assert still is images.lesion
    assert image_on_bone(images, Shapes(plan, {}), Ground.BONE) is images.bone
    assert image_on_bone(images, Shapes(plan, {}), Ground.NONE) is None


def test_each_ground_is_another_picture(pages: Pages) -> None:
    visit = pages.signed_in("bora")
    pictures = {
        visit.get(f"{BASE}/slice/coronal?at=0{more}").content for more in ("", "&ground=no image", "&plain=true")
    }
    assert len(pictures) == 3
    assert visit.get(f"{BASE}/slice/coronal?at=0&ground=another").status_code == 422


def test_a_tunnel_that_nears_the_joint_too_often_is_offered_shorter() -> None:
    plan = {"tunnels": [tunnel_that_stops(0.527344)]}
    offered = shorter(plan)
    assert offered is not None
    assert (offered.by_mm, offered.entry) == ("0.6", "10.000000, 0.000000, 0.000000")
    assert offered.target == "10.000000, 0.000000, 39.400000"
    assert shorter({"tunnels": [tunnel_that_stops(0.0)]}) is None  # it keeps the limit
    assert shorter({"tunnels": [tunnel_that_stops(None)]}) is None  # no stop would
    assert shorter({"tunnels": 2 * plan["tunnels"]}) is None
    assert shorter({"tunnels": []}) is None


def tunnel_that_stops(earlier_mm: float | None) -> dict[str, Any]:
    """A tunnel along z of plan.json."""
    budget = {"stop_earlier_mm": earlier_mm}
    return {"entry_mm": [10.0, 0.0, 0.0], "target_mm": [10.0, 0.0, 40.0], "error_budget": budget}

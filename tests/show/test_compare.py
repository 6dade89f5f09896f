"""Two revisions side by side: every difference and no other, and nothing of what is no pair of results."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import pytest
from finished import finished
from PIL import Image

from guidegen import cli
from guidegen.check.finding import Finding, at_least
from guidegen.errors import IdentityError, OutputError, ResultError, SideError
from guidegen.results import RUN_FILE, hashes
from guidegen.show.canvas import SHEET
from guidegen.show.compare import Figure, compared, leaves, unit_of
from guidegen.show.compare_command import in_pieces, write_new
from guidegen.show.figures import beside, figure_tables, value_at
from guidegen.show.side_by_side import CAPTION, EDGE, FIGURES, HEAD, side_by_side

RED, BLUE = (200, 0, 0), (0, 0, 200)
TUNNEL = {"entry_mm": [0.0, 0.0, 0.0], "length_mm": 90.0, "lesion_reached_fraction": 0.5}
PLAN: dict[str, Any] = {
    "case_id": "C1", "side": "left", "schema": "guidegen.plan/1", "tunnels": [TUNNEL],
    "guide": {"removal_direction": [1.0, 0.0, 0.0], "size": "M", "pins": []}, "notes": [],
    "plan": {"alternatives": [{"strategy": "coverage", "score": 2.0}, {"strategy": "multiple", "score": 3.0}]},
}  # fmt: skip
WALL = at_least("wall", 4.0, 3.0, "mm", "A wall must hold.")
GAP = at_least("gap", 0.2, 0.0, "mm", "A guide must not touch.")


def png(colour: tuple[int, int, int], size: tuple[int, int] = SHEET) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG")
    return content.getvalue()


def result(
    folder: Path,
    plan: dict[str, Any] = PLAN,
    findings: tuple[Finding, ...] = (WALL, GAP),
    views: dict[str, bytes] | None = None,
    size: str = "M",
) -> Path:
    """A result folder with these records, as a run leaves it."""
    (folder / "preview").mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "findings.json").write_text(json.dumps([asdict(finding) for finding in findings]))
    for name, content in (views or {}).items():
        (folder / "preview" / f"{name}.png").write_bytes(content)
    run = {
        "parameters": {"order": {"size": size, "entry_mm": None}},
        "inputs_sha256": {"labels.nii.gz": "0" * 64},
        "version": "0.1.0",
        "outputs_sha256": hashes(folder),
    }
    (folder / RUN_FILE).write_text(json.dumps(run))
    return folder


def changed(**parts: Any) -> dict[str, Any]:
    return PLAN | parts


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return result(tmp_path / "C1-left" / "r001", views={"guide": png(RED), "tunnel": png(RED)})


@pytest.fixture
def guidegen_(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str]]:
    def call(*arguments: object) -> tuple[object, str]:
        with pytest.raises(SystemExit) as leave:
            cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return leave.value.code, said.out + said.err

    return call


# --- figures ---


def test_a_result_does_not_differ_from_another_of_the_same_records(first: Path, tmp_path: Path) -> None:
    found = compared(first, result(tmp_path / "r002"))
    assert (found.figures, found.checks) == ((), ())
    assert (found.case_id, found.side, found.first.name, found.second.name) == ("C1", "left", "r001", "r002")
    assert found.looked_at == 2 + 12 + 3  # checks, entries of the plan, entries of the run's making


def test_every_figure_that_differs_is_there_with_its_unit_and_how_far_it_is_apart(first: Path, tmp_path: Path) -> None:
    turned = [cos(radians(30.0)), sin(radians(30.0)), 0.0]
    plan = changed(
        tunnels=[{"entry_mm": [3.0, 0.0, -4.0], "length_mm": 88.5, "lesion_reached_fraction": 0.5}],
        guide={"removal_direction": turned, "size": "S", "pins": []},
    )
    assert compared(first, result(tmp_path / "r002", plan, size="S")).figures == (
        Figure("plan.json", "tunnels[0].entry_mm", "mm", (0.0, 0.0, 0.0), (3.0, 0.0, -4.0), pytest.approx(5.0)),
        Figure("plan.json", "tunnels[0].length_mm", "mm", 90.0, 88.5, -1.5),
        Figure(
            "plan.json", "guide.removal_direction", "°", (1.0, 0.0, 0.0), tuple(turned), pytest.approx(30.0, abs=1e-9)
        ),
        Figure("plan.json", "guide.size", "", "M", "S", None),
        Figure("run.json", "parameters.order.size", "", "M", "S", None),
    )


def test_what_only_one_of_them_says_is_told(first: Path, tmp_path: Path) -> None:
    second = result(tmp_path / "r002", changed(tunnels=[TUNNEL, TUNNEL | {"length_mm": 70.0}], guide=None))
    figures = {figure.name: (figure.first, figure.second) for figure in compared(first, second).figures}
    assert figures == {
        "tunnels[1].entry_mm": (None, (0.0, 0.0, 0.0)),
        "tunnels[1].length_mm": (None, 70.0),
        "tunnels[1].lesion_reached_fraction": (None, 0.5),
        "guide.removal_direction": ((1.0, 0.0, 0.0), None),
        "guide.size": ("M", None),
    }


def test_items_with_a_name_are_compared_by_it_and_not_by_their_place(first: Path, tmp_path: Path) -> None:
    swapped = [{"strategy": "multiple", "score": 3.0}, {"strategy": "coverage", "score": 2.5}]
    (figure,) = compared(first, result(tmp_path / "r002", changed(plan={"alternatives": swapped}))).figures
    assert (figure.name, figure.apart) == ("plan.alternatives[coverage].score", 0.5)


def test_items_of_one_name_keep_their_places() -> None:
    assert leaves({"pins": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]}) == {
        "pins[0].name": "a", "pins[0].x": 1, "pins[1].name": "a", "pins[1].x": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("lesion.volume_mm3", "mm³"),
        ("anatomy.uncertainty_95.neck_axis_deg", "°"),
        ("lesion.grades.arcs.coronal_deg.high", "°"),
        ("guide.calliper.points_mm[1]", "mm"),
        ("tunnels[0].lesion_reached_fraction", ""),
        ("guide.size", ""),
        ("mm", ""),
    ],
)
def test_the_unit_stands_in_the_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


# --- checks ---


@pytest.mark.parametrize(
    "other",
    [
        at_least("wall", 3.5, 3.0, "mm", "A wall must hold."),
        at_least("wall", 4.0, 3.5, "mm", "A wall must hold."),
        at_least("wall", 2.0, 3.0, "mm", "A wall must hold."),
        at_least("wall", None, 3.0, "mm", "A wall must hold.", "there is none"),
    ],
    ids=["measured", "limit", "verdict", "not measured"],
)
def test_a_check_that_differs_is_there_and_the_others_are_not(first: Path, tmp_path: Path, other: Finding) -> None:
    (pair,) = compared(first, result(tmp_path / "r002", findings=(other, GAP))).checks
    assert (pair.first, pair.second) == (WALL, other)
    assert (pair.name, pair.unit) == ("wall", "mm")


def test_a_check_of_one_revision_alone_differs(first: Path, tmp_path: Path) -> None:
    (pair,) = compared(first, result(tmp_path / "r002", findings=(GAP,))).checks
    assert (pair.first, pair.second, pair.name) == (WALL, None, "wall")


# --- refused ---


def test_two_patients_or_two_sides_are_refused(first: Path, tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"expected two results of one patient, found C1 in .*r001 and C2 in "):
        compared(first, result(tmp_path / "other", changed(case_id="C2")))
    with pytest.raises(SideError, match=r"of one side, found the LEFT hip in .*r001 and the RIGHT hip in "):
        compared(first, result(tmp_path / "right", changed(side="right")))


def test_what_is_no_result_is_refused(first: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"expected a result folder with its run\.json, found none in "):
        compared(first, tmp_path)
    (tmp_path / RUN_FILE).write_text("[]")
    with pytest.raises(ResultError, match=r"expected run\.json of a guidegen run in .*, found another file"):
        compared(tmp_path, first)
    with pytest.raises(ResultError, match=r"expected plan and findings of a guidegen run in .*KeyError\('side'\)"):
        compared(first, result(tmp_path / "no side", {"case_id": "C1"}))


@pytest.mark.parametrize("name", ["plan.json", "preview/guide.png", "added.txt"])
def test_a_result_that_was_changed_since_its_run_is_refused(first: Path, tmp_path: Path, name: str) -> None:
    second = result(tmp_path / "r002", views={"guide": png(BLUE)})
    with (second / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ResultError, match="as their run left them, found some changed, missing or added"):
        compared(first, second)


# --- pictures ---


def test_each_view_stands_beside_the_same_view_of_the_other(first: Path, tmp_path: Path) -> None:
    found = compared(first, result(tmp_path / "r002", views={"tunnel": png(BLUE), "guide": png(BLUE)}))
    sheet = Image.open(io.BytesIO(side_by_side(found)))
    assert sheet.width == 2 * SHEET[0] + 3 * EDGE
    for row in range(2):
        y = HEAD + 40 + row * (SHEET[1] + CAPTION) + SHEET[1] // 2
        assert sheet.getpixel((EDGE + SHEET[0] // 2, y)) == RED
        assert sheet.getpixel((2 * EDGE + SHEET[0] * 3 // 2, y)) == BLUE
    assert side_by_side(found) == side_by_side(found)


def test_a_view_of_one_alone_leaves_the_other_place_empty(first: Path, tmp_path: Path) -> None:
    sheet = Image.open(io.BytesIO(side_by_side(compared(first, result(tmp_path / "r002")))))
    y = HEAD + 40 + SHEET[1] // 4
    assert sheet.getpixel((EDGE + SHEET[0] // 2, y)) == RED
    assert sheet.getpixel((2 * EDGE + SHEET[0] * 3 // 2, y)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("views", "match"),
    [
        ({}, "expected pictures in .* and .*, found none: neither has a guide"),
        ({"guide": png(RED, (2400, 1800))}, "expected pictures of 1200 x 900, found 'guide' of .* with 2400 x 1800"),
        ({"guide": b"no picture"}, "expected 'guide' of .* to be a PNG, found none"),
    ],
)
def test_pictures_that_are_none_are_refused(tmp_path: Path, views: dict[str, bytes], match: str) -> None:
    found = compared(result(tmp_path / "r001", views=views), result(tmp_path / "r002", views=views))
    with pytest.raises(ResultError, match=match):
        side_by_side(found)


def test_the_figures_below_the_pictures_are_there_in_the_plan_of_a_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The run is that which all tests share; compared with itself it does not differ."""
    folder = finished(tmp_path_factory).result.folder
    found = compared(folder, folder)
    assert (found.figures, found.checks) == ((), ())
    assert found.first.views.keys() >= FIGURES.keys()
    places = [place for view in FIGURES.values() for _, place, _ in view]
    assert [place for place in places if value_at(found.first.plan, place) is None] == []


# --- the command ---


def test_the_command_shows_what_differs_and_writes_the_pictures(
    guidegen_: Callable[..., tuple[object, str]], first: Path, tmp_path: Path
) -> None:
    second = result(tmp_path / "r002", findings=(at_least("wall", 2.0, 3.0, "mm", "It must hold."), GAP), size="S")
    before = hashes(tmp_path)
    code, said = guidegen_("compare", first, second, "--to", tmp_path)
    assert code == 0
    assert "C1, LEFT hip: r001 and r002" in said
    assert "2 of 17 recorded figures and checks differ; --all lists each" in said
    assert "r001: 2 of 2 checks passed\n\nr002: 1 of 2 checks passed\n" in said
    assert "parameters.order.size" not in said
    assert ["wall", "pass", "4.00", "FAIL", "2.00", "≥", "3.00", "mm"] in [line.split() for line in said.splitlines()]
    sheet = tmp_path / "C1-left-r001-r002.png"
    assert sheet.read_bytes() == side_by_side(compared(first, second))
    sheet_name = {sheet.name: hashes(tmp_path)[sheet.name]}
    assert hashes(tmp_path) == before | sheet_name  # nothing else was written, not even for a while
    code, said = guidegen_("compare", first, second, "--to", sheet)
    assert (code, "expected a file that is not there yet" in said) == (2, True)


def depth(reading_mm: float) -> dict[str, Any]:
    """A plan whose drill is read at this depth."""
    return changed(tunnels=[TUNNEL | {"depth_reading_mm": reading_mm}])


def test_what_the_surgeon_cares_about_comes_first_and_the_rest_is_counted(
    guidegen_: Callable[..., tuple[object, str]], tmp_path: Path
) -> None:
    first = result(tmp_path / "r001", depth(128.25))
    second = result(tmp_path / "r002", depth(133.25) | {"notes": ["A note."]}, (WALL,))
    code, said = guidegen_("compare", first, second)
    lines = [line.split() for line in said.splitlines()]
    assert code == 0
    assert lines[3] == ["≠", "read", "on", "the", "drill", "128.3", "mm", "133.3", "mm"]
    assert lines[4] == ["length", "90.0", "mm", "90.0", "mm"]  # of the theatre: told though it is the same
    assert "tunnels[0].depth_reading_mm" not in said
    assert "r001: 2 of 2 checks passed\n  not in r002: gap: 0.20 mm, limit ≥ 0.00 mm: pass\n" in said
    assert "r002: 1 of 1 checks passed\n\n" in said
    assert "3 of 19 recorded figures and checks differ; --all lists each" in said


def test_all_lists_every_difference_and_breaks_no_path_in_a_word(
    guidegen_: Callable[..., tuple[object, str]], tmp_path: Path
) -> None:
    parts = [f"a_long_part_of_a_path_{number}" for number in range(8)]
    long = ".".join(parts)
    plans = []
    for value in (1.0, 2.5):
        plan: Any = {"leaf_mm": value}
        for part in reversed(parts):
            plan = {part: plan}
        plans.append(changed(**plan))
    first, second = (result(tmp_path / f"r00{n}", plan) for n, plan in enumerate(plans, start=1))
    code, said = guidegen_("compare", first, second, "--all")
    assert code == 0
    assert f"\n{long}.leaf_mm\n    1 → 2.5   apart 1.5 mm\n" in said
    pieces = in_pieces(f"{long}.leaf_mm", 60).split("\n")
    assert "".join(piece.strip() for piece in pieces) == f"{long}.leaf_mm"
    assert all(piece.endswith(".") for piece in pieces[:-1])
    assert all(len(piece) <= 60 for piece in pieces)


def test_wires_that_are_the_same_do_not_differ_though_each_is_another() -> None:
    tables = [
        figure_tables({"guide": {"pins": [{"depth_mm": each} for each in depths]}})
        for depths in ((25.0, 30.0), (25.0, 30.0), (25.0, 31.0), (25.0, 30.0, 30.0))
    ]
    differ = [beside(tables[0], other, ("r001", "r002"))[0].rows[0].differs for other in tables[1:]]
    assert differ == [False, True, True]


@pytest.mark.parametrize("to", ["nowhere/new.png", "nowhere", "there.png", "r001/preview", "r001/new.png"])
def test_a_place_that_cannot_be_is_refused_before_the_work(
    guidegen_: Callable[..., tuple[object, str]], tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = result(tmp_path / "r001", views={"guide": png(RED)})
    (tmp_path / "there.png").write_bytes(b"")
    monkeypatch.setattr("guidegen.show.compare.compared", lambda *_: pytest.fail("it worked before it refused"))
    code, said = guidegen_("compare", first, first, "--to", tmp_path / to)
    assert (code, "guidegen: expected a" in said) == (2, True)


def test_pictures_are_never_written_into_a_result(first: Path, tmp_path: Path) -> None:
    for place in (first / "new.png", first / "preview" / "new.png"):
        with pytest.raises(OutputError, match=r"expected a place outside of results, found .*, which it would alter"):
            write_new(place, b"")
    with pytest.raises(OutputError, match=r"expected a file that can be written, found .*: No such file"):
        write_new(tmp_path / "nowhere" / "new.png", b"")


def test_a_place_that_is_no_picture_is_refused(guidegen_: Callable[..., tuple[object, str]], first: Path) -> None:
    code, said = guidegen_("compare", first, first, "--to", "picture.jpg")
    assert (code, "expected a file FILE.png or a folder that is there, found picture.jpg" in said) == (2, True)

"""The self-test: a sound installation passes, and whatever is broken fails in the row that names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished import finished

from guidegen import cli, pipeline, record
from guidegen.bone.anatomy import Anatomy
from guidegen.check.files import read_json, read_stl
from guidegen.check.finding import Finding
from guidegen.errors import AnatomyError
from guidegen.frames import unit
from guidegen.phantom import make_hip, write_case
from guidegen.selftest import selftest as module
from guidegen.selftest.expected import Stored, stored_findings
from guidegen.selftest.selftest import RIGHT_LESION_DEPTH_MM, SPACING_MM, Made, compare, selftest
from guidegen.selftest.tunnel_truth import least_wall_mm
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Both hips; the left one's run is that which all tests share, made from the very same label maps."""
    done, folder = finished(tmp_path_factory), tmp_path_factory.mktemp("selftest")
    right = make_hip("right", lesion_depth_mm=RIGHT_LESION_DEPTH_MM)
    case = write_case(right, folder / "right", patient_id="SELFTEST", spacing_mm=SPACING_MM)
    read = record.assessment_json(pipeline.assess_case(case, folder / "output"), ())
    return Made(make_hip("left"), done.result.folder, right, read)


def failed(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings if not finding.passed]


def altered(made: Made, folder: Path, change: Callable[[Any], None]) -> Made:
    """The same, with another plan.json."""
    shutil.copytree(made.folder, folder)
    plan = read_json(folder / "plan.json")
    change(plan)
    (folder / "plan.json").write_text(json.dumps(plan))
    return Made(made.left, folder, made.right, made.read)


def test_a_sound_installation_passes_and_says_the_same_again(made: Made) -> None:
    findings = compare(made)
    assert failed(findings) == []
    assert compare(made) == findings
    names = [finding.name for finding in findings]
    assert len(set(names)) == len(names) > 50
    for hip in ("left", "right"):
        assert sum(name.startswith(hip) for name in names) > 14


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda plan: plan["anatomy"].update(head_radius_mm=24.3), "left head radius off the truth"),
        (lambda plan: plan["anatomy"].update(neck_axis=[-0.8, -0.2, 0.55]), "left neck axis off the truth"),
        (lambda plan: plan["lesion"].update(volume_mm3=7000.0), "left lesion volume off the truth, share"),
        (lambda plan: plan["tunnels"][0].update(wall_min_mm=5.8), "left wall off the truth"),
        (lambda plan: plan["tunnels"][0].update(subchondral_mm=5.0), "left rim to the joint off the truth"),
        (lambda plan: plan["tunnels"][0].update(lesion_reached_fraction=0.17), "left share of the lesion reached"),
        (lambda plan: plan["guide"].update(contact_area_mm2=2500.0), "left contact area off 2909"),
        (lambda plan: plan["guide"]["seat"].pop("fit_tip_mm"), "left tip by the seat's fit off 1.51"),
    ],
)  # fmt: skip
def test_a_figure_that_is_off_fails_and_no_other_does(
    made: Made, tmp_path: Path, change: Callable[[Any], None], row: str
) -> None:
    (name,) = failed(compare(altered(made, tmp_path / "r001", change)))
    assert name.startswith(row)


def test_a_tunnel_beside_the_lesion_fails_whatever_the_plan_says_of_it(made: Made, tmp_path: Path) -> None:
    def beside(plan: Any) -> None:
        for key in ("entry_mm", "target_mm"):
            plan["tunnels"][0][key][1] += 2.0

    assert "left tunnel off the true centroid" in failed(compare(altered(made, tmp_path / "r001", beside)))


@pytest.mark.parametrize(
    ("motion", "rows"),
    [
        (
            np.diag([-1.0, 1.0, 1.0]),
            {
                "left guide lateral of the shaft",
                "left guide's bore off the true centroid",
                "left guide's gap off the clearance",
            },
        ),
        (np.eye(3) * 0.98, {"left guide, deepest in the true bone", "left guide's bore off the true centroid"}),
    ],
    ids=["mirrored", "shrunk"],
)
def test_another_guide_than_that_of_the_hip_fails(
    made: Made, tmp_path: Path, motion: np.ndarray, rows: set[str]
) -> None:
    broken = altered(made, tmp_path / "r001", lambda _plan: None)
    guide = read_stl(broken.folder / "guide.stl")
    faces = guide.faces[:, ::-1] if np.linalg.det(motion) < 0.0 else guide.faces
    (broken.folder / "guide.stl").write_bytes(stl_bytes(Surface(guide.vertices @ motion, faces)))
    assert rows <= set(failed(compare(broken)))


def test_a_result_without_a_guide_or_a_tunnel_fails(made: Made, tmp_path: Path) -> None:
    broken = altered(made, tmp_path / "r001", lambda plan: plan.update(guide=None, tunnels=[]))
    (broken.folder / "guide.stl").unlink()
    rows = failed(compare(broken))
    assert {"left tunnels", "left guide, deepest in the true bone", "left guide lateral of the shaft"} <= set(rows)


def test_a_check_that_fails_is_named(made: Made, tmp_path: Path) -> None:
    broken = altered(made, tmp_path / "r001", lambda _plan: None)
    findings = json.loads((broken.folder / "findings.json").read_text())
    findings[3]["passed"] = False
    (broken.folder / "findings.json").write_text(json.dumps(findings))
    (finding,) = (each for each in compare(broken) if not each.passed)
    assert finding.name == "left checks that failed"
    assert findings[3]["name"] in finding.why


def test_a_broken_stage_fails(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the program itself: the axis of the neck comes out bent."""
    found = pipeline.find_anatomy

    def bent(surface: Surface, side: str) -> Anatomy:
        anatomy = found(surface, side)
        return replace(anatomy, neck_axis=unit(anatomy.neck_axis + 0.05 * anatomy.posterior))

    monkeypatch.setattr(pipeline, "find_anatomy", bent)
    case = write_case(made.right, tmp_path / "right", patient_id="SELFTEST", spacing_mm=SPACING_MM, mr=False)
    read = record.assessment_json(pipeline.assess_case(case, tmp_path / "output"), ())
    read["lesion"]["registration"] = made.read["lesion"]["registration"]
    rows = failed(compare(Made(made.left, made.folder, made.right, read)))
    assert "right neck axis off the truth" in rows


def test_a_refusal_on_the_way_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AnatomyError("expected a femur, found none")

    monkeypatch.setattr(pipeline, "assess_case", refuse)
    (finding,) = selftest()
    assert not finding.passed
    assert "expected a femur, found none" in finding.why


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 3)])
def test_the_command_leaves_with_0_or_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passed: bool, code: int
) -> None:
    row = Finding("left wall off the truth", 0.1, 0.3 if passed else 0.05, "mm", passed, "It must hold.")
    monkeypatch.setattr(module, "selftest", lambda _progress: (row,))
    with pytest.raises(SystemExit) as leave:
        cli.main(["selftest"])
    said = capsys.readouterr().out
    assert leave.value.code == code
    assert ("pass" in said, "FAIL" in said) == (passed, not passed)
    for name, version in record.library_versions().items():
        assert f"{name} {version}" in said


def test_a_stored_figure_is_held_to_its_tolerance() -> None:
    table = (Stored("length", "length_mm", 98.0, 1.0, "mm"), Stored("word", "word", 1.0, 1.0, ""))
    for value, passes in ((98.9, True), (97.1, True), (99.1, False), (96.9, False)):
        length, word = stored_findings("left", table, {"length_mm": value, "word": "98"})
        assert (length.passed, word.passed, word.measured) == (passes, False, None)


class Ball:
    """A bone that is a ball of 30 mm round the origin, with a head far off."""

    class truth:
        head_center_mm = np.array([500.0, 0.0, 0.0])
        head_radius_mm = 24.0

    @staticmethod
    def femur_mm(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points, axis=-1) - 30.0


def test_the_wall_beside_a_tunnel_through_a_ball_is_the_closed_form() -> None:
    entry, target = np.array([-25.0, 6.0, 0.0]), np.array([20.0, 6.0, 0.0])
    wall_mm = least_wall_mm(Ball(), entry, target, 4.0, 5.0)  # type: ignore[arg-type]
    assert wall_mm == pytest.approx(np.sqrt(30.0**2 - 20.0**2) - 6.0 - 4.0, abs=1e-6)  # its first place is at -20 mm


def test_an_mr_that_is_laid_beside_the_bone_fails(made: Made) -> None:
    pose = made.read["lesion"]["registration"]
    pose_off = {**pose, "translation_mm": (np.array(pose["translation_mm"]) + [0.0, 0.4, 0.0]).tolist()}
    read = made.read | {"lesion": made.read["lesion"] | {"registration": pose_off}}
    rows = compare(Made(made.left, made.folder, made.right, read))
    assert failed(rows) == ["right MR off the bone at the lesion"]

"""One case from its files to its revision: everything the contract names, and the same bytes every time."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from finished import Finished, contents, read
from walked_dossier import walk

from guidegen import pipeline
from guidegen.bone.head import find_head
from guidegen.case import Order, load_case
from guidegen.check.battery import Checked
from guidegen.check.files import read_stl
from guidegen.check.finding import Finding
from guidegen.errors import NoSafeGuide, NoSafePlan, TemplateError, VolumeError
from guidegen.frames import unit
from guidegen.ordered import Templates, load_templates
from guidegen.phantom import Thigh, make_hip
from guidegen.pipeline import STAGES, Result
from guidegen.plan.seating import ASSUMED, OWN
from guidegen.plan.templates import Policy, load_template
from guidegen.plan.tunnel import Tunnel
from guidegen.record import SHORT_HASH, plan_hash
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface

PREVIEWS = {
    f"preview/{name}.png" for name in (
        "contact", "guide", "seat", "tunnel", "print", "cuts", "strategies", "trade_off", "axes", "coronal", "sagittal",
        "polar", "acetabular", "reformat_ct", "xray_front", "xray_side",
    )
}  # fmt: skip
GUIDE_PREVIEWS = {f"preview/{name}.png" for name in (
    "contact", "guide", "seat", "tunnel", "print", "xray_front", "xray_side",
)}  # fmt: skip
REFUSED_FILES = {
    "plan.json", "femur.stl", "lesion.stl", "findings.json", "run.json", "timings.json", "dossier.json", "dossier.pdf",
}  # fmt: skip
FILES = {
    "plan.json", "femur.stl", "lesion.stl", "skin.stl", "guide.stl", "guide.3mf", "findings.json", "dossier.json",
    "dossier.pdf", "run.json", "timings.json", "surgery.json", "trial_bone.stl", "trial_bone.3mf", "metal/metal.json",
    "metal/sleeve-1.step", "metal/sleeve-1.dxf", "metal/stop-collar.step", "metal/stop-collar.dxf",
} | PREVIEWS  # fmt: skip
GUIDEGEN = Path(sys.executable).with_name("guidegen")


# --- what a run leaves ---


def test_every_file_of_the_contract_is_there_and_no_other(done: Finished) -> None:
    assert done.result.folder == done.output / "T001L-left" / "r001"
    files = contents(done.result.folder)
    assert set(files) == FILES
    assert all(files.values())
    assert files["dossier.pdf"].startswith(b"%PDF")
    assert all(files[name].startswith(b"\x89PNG") for name in PREVIEWS)
    assert sorted(path.name for path in done.output.iterdir()) == [STAGES, "T001L-left"]
    assert sorted(path.name for path in (done.output / "T001L-left").iterdir()) == [".lock", "r001"]


def test_every_figure_of_the_dossier_is_that_of_the_record_it_names(done: Finished) -> None:
    folder = done.result.folder
    content, run = read(folder / "dossier.json"), read(folder / "run.json")
    records = {name: read(folder / name) for name in ("plan.json", "findings.json")}
    assert walk(content, records | {"run.json": run, "files": run["outputs_sha256"]}) > 400
    assert (folder / "dossier.pdf").stat().st_size < 5_000_000
    shown = {f"preview/{cell['file']}" for cell in pictures_of(content)}
    assert shown == PREVIEWS


def pictures_of(content: Any) -> list[dict[str, Any]]:
    """Every picture that a dossier shows."""
    if isinstance(content, dict):
        return content["items"] if content.get("kind") == "pictures" else pictures_of(list(content.values()))
    return [each for value in content for each in pictures_of(value)] if isinstance(content, list) else []


def test_every_check_passed_and_is_written(done: Finished) -> None:
    assert done.result.passed
    assert not done.result.unchanged
    assert len(done.result.findings) > 30
    assert read(done.result.folder / "findings.json") == [asdict(finding) for finding in done.result.findings]
    for finding in done.result.findings:
        assert finding.name
        assert finding.why


POINT, AXIS, NUMBER, TEXT = "point", "axis", "number", "text"
PLAN = {
    "schema": "guidegen.plan/1", "case_id": "T001L", "side": "left", "frame": "LPS", "unit": "mm", "version": TEXT,
    "anatomy": {
        "head_center_mm": POINT, "head_radius_mm": NUMBER, "neck_isthmus_center_mm": POINT, "neck_axis": AXIS,
        "shaft_point_mm": POINT, "shaft_axis": AXIS, "lesser_trochanter_mm": POINT, "greater_trochanter_mm": POINT,
        "vastus_ridge_mm": POINT, "neck_shaft_angle_deg": NUMBER,
    },
    "lesion": {"volume_mm3": NUMBER, "head_fraction": NUMBER, "centroid_mm": POINT, "registration": None},
    "tunnels": [{
        "entry_mm": POINT, "target_mm": POINT, "diameter_mm": 8.0, "length_mm": NUMBER, "wall_min_mm": NUMBER,
        "subchondral_mm": NUMBER, "subchondral_axis_mm": NUMBER, "lesion_reached_fraction": NUMBER,
        "lesion_missed_mm": NUMBER, "centroid_distance_mm": NUMBER, "shaft_angle_deg": NUMBER,
    }],
    "guide": {
        "size": "M", "revision": "r001", "plan_hash": TEXT, "removal_direction": AXIS, "print_down": AXIS,
        "clearance_mm": NUMBER, "print_clearance_mm": NUMBER, "periosteum_mm": 0.0, "thickness_mm": 4.0,
        "contact_area_mm2": NUMBER, "genus": NUMBER, "warnings": [],
        "sleeves": [{
            "tunnel": 0, "kind": "metal", "inner_diameter_mm": NUMBER, "outer_diameter_mm": NUMBER,
            "drill_diameter_mm": 8.0, "guided_length_mm": NUMBER, "top_mm": POINT, "stop_face_mm": POINT,
            "offset_mm": NUMBER, "metal": {
                "inner_diameter_mm": NUMBER, "outer_diameter_mm": NUMBER, "length_mm": NUMBER,
                "flange_diameter_mm": NUMBER, "flange_height_mm": NUMBER,
            },
        }],
        "stop_collar": {"bore_mm": NUMBER, "height_mm": 10.0, "is_split": True},
        "pins": ({
            "point_mm": POINT, "direction": AXIS, "hole_diameter_mm": NUMBER, "wire_diameter_mm": 2.0,
            "depth_mm": 25.0, "guided_length_mm": NUMBER, "top_mm": POINT, "boss_diameter_mm": NUMBER, "cortices": 1,
            "far_exit_mm": None,
        },),
        "windows": ({"kind": TEXT, "point_mm": POINT, "direction": AXIS, "diameter_mm": NUMBER},),
        "axis_mark": {"start_mm": POINT, "end_mm": POINT},
        "calliper": {"points_mm": 2 * [POINT], "normal": AXIS, "distance_mm": 20.0},
        "labels": ({
            "lines": (TEXT,), "text_height_mm": NUMBER, "depth_mm": 0.6, "center_mm": POINT, "reading_direction": AXIS,
            "up_direction": AXIS, "outward_direction": AXIS, "width_mm": NUMBER, "height_mm": NUMBER,
        },),
        "seat": {"contact_area_mm2": NUMBER, "held_share": NUMBER, "weakest_motion": TEXT},
    },
    "printing": {
        "printer": "sla", "process": "SLA", "material": TEXT, "build_mm": 3 * [NUMBER], "layer_mm": NUMBER,
        "least_wall_mm": NUMBER, "least_feature_mm": NUMBER, "steepest_overhang_deg": NUMBER,
        "sterilisation": {"name": "steam-121-15", "text": TEXT},
    },
    "limits": {"wall_min_mm": 3.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0},
}  # fmt: skip


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def assert_contract(found: Any, asked: Any, place: str) -> None:
    """That `found` has everything that is asked, in its form; more is allowed. A tuple of one form asks for one or
    more of it.
    """
    if isinstance(asked, dict):
        for key, part in asked.items():
            assert key in found, f"{place}.{key}"
            assert_contract(found[key], part, f"{place}.{key}")
    elif isinstance(asked, list):
        assert len(found) == len(asked), place
        for number, (one, other) in enumerate(zip(found, asked, strict=True)):
            assert_contract(one, other, f"{place}[{number}]")
    elif isinstance(asked, tuple):
        assert found, place
        assert_contract(found, len(found) * list(asked), place)
    elif asked == NUMBER:
        assert is_number(found), place
    elif asked in (POINT, AXIS):
        assert len(found) == 3, place
        assert all(map(is_number, found)), place
        assert asked == POINT or np.linalg.norm(found) == pytest.approx(1.0, abs=1e-8), place
    elif asked == TEXT:
        assert isinstance(found, str), place
        assert found, place
    else:
        assert found == asked, place


@pytest.fixture(scope="session")
def plan(done: Finished) -> Any:
    return read(done.result.folder / "plan.json")


def test_the_plan_has_every_field_of_the_contract(plan: Any) -> None:
    assert_contract(plan, PLAN, "plan")
    assert all(isinstance(note, str) and note for note in plan["notes"])

    def assert_finite(value: Any, place: str) -> None:
        if isinstance(value, dict | list):
            for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                assert_finite(part, f"{place}.{key}")
        else:
            assert value is None or isinstance(value, str | bool) or math.isfinite(value), place

    assert_finite(plan, "plan")


def test_the_numbers_of_the_plan_agree_with_each_other(plan: Any) -> None:
    (tunnel,), guide = plan["tunnels"], plan["guide"]
    entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
    assert np.linalg.norm(target - entry) == pytest.approx(tunnel["length_mm"], abs=1e-5)
    axis = (target - entry) / np.linalg.norm(target - entry)
    top = np.array(guide["sleeves"][0]["top_mm"]) - entry
    np.testing.assert_allclose(top - (top @ axis) * axis, 0.0, atol=1e-5)
    assert -60.0 < top @ axis < -guide["sleeves"][0]["guided_length_mm"] + 20.0
    stop = np.array(guide["sleeves"][0]["stop_face_mm"])
    assert np.linalg.norm(stop - entry) == pytest.approx(guide["sleeves"][0]["offset_mm"], abs=1e-5)
    assert tunnel["sleeve_offset_mm"] == guide["sleeves"][0]["offset_mm"]
    assert guide["sleeves"][0]["inner_diameter_mm"] > guide["sleeves"][0]["drill_diameter_mm"]
    assert np.dot(guide["removal_direction"], axis) < -0.4  # off the bone, against the drill
    assert plan["guide"]["removal_direction"][0] > 0.7  # a left hip: lateral is +x
    assert tunnel["wall_min_mm"] >= plan["limits"]["wall_min_mm"]
    assert tunnel["subchondral_mm"] >= plan["limits"]["subchondral_rim_mm"]
    for label in guide["labels"]:  # never mirrored letters
        np.testing.assert_allclose(
            np.cross(label["reading_direction"], label["up_direction"]), label["outward_direction"], atol=1e-8
        )


def test_the_error_budget_is_that_of_the_seat_that_was_built(plan: Any) -> None:
    (tunnel,) = plan["tunnels"]
    own, assumed = tunnel["error_budget"], tunnel["error_budget_assumed"]
    assert (own["seat"], assumed["seat"]) == (OWN, ASSUMED)
    assert (assumed["seat_shift_rms_mm"], assumed["seat_turn_rms_deg"]) == (0.7, 1.0)
    seat = {each["name"]: each for each in own["contributions"] if each["name"].startswith("seat")}
    across = np.sqrt(sum(each["tip_rms_mm"] ** 2 for each in seat.values()))
    assert across >= np.sqrt(4.0 / np.pi) * plan["guide"]["seat"]["fit_tip_mm"]["mean"]  # rms of an even error across
    assert {each["source"] for each in seat.values()} == {
        "the built seat M, best fitted to a bone whose surface is off by 0.3 mm"
    }
    assert own["simulated"]["tip_p95_mm"] == pytest.approx(own["tip_p95_mm"], rel=0.05)
    assert f"within {own['to_lesion_p95_mm']:.1f} mm of its place in the lesion" in plan["plan"]["explanation"]
    limit = load_template(Policy, "default")[0].joint_within_3_mm_max
    warned = any("closer than 3 mm to the joint" in each for each in plan["plan"]["chosen"]["warnings"])
    assert warned == (own["within_3_mm_of_joint"] > limit)


def test_the_guide_says_whose_it_is_and_of_which_plan(plan: Any) -> None:
    said = [line for label in plan["guide"]["labels"] for line in label["lines"]]
    assert "T001L" in said
    assert "LEFT" in said
    assert "r001" in said
    assert "".join(said).count(plan["guide"]["plan_hash"]) == 1
    assert len(plan["guide"]["plan_hash"]) == 8


def test_the_plan_is_near_the_truth(done: Finished, plan: Any) -> None:
    truth = read(done.case.parent / "truth.json")
    for found, name, within_mm in (
        (plan["anatomy"]["head_center_mm"], "head_center_mm", 0.5),
        (plan["lesion"]["centroid_mm"], "lesion_centroid_mm", 0.5),
        (plan["anatomy"]["neck_isthmus_center_mm"], "neck_isthmus_center_mm", 3.0),
        (plan["anatomy"]["lesser_trochanter_mm"], "lesser_trochanter_mm", 4.0),
    ):
        assert np.linalg.norm(np.subtract(found, truth[name])) < within_mm, name
    assert plan["lesion"]["volume_mm3"] == pytest.approx(truth["lesion_volume_mm3"], rel=0.02)


def test_the_skin_of_the_made_up_thigh_is_where_it_was_drawn(done: Finished) -> None:
    plan, hip = read(done.result.folder / "plan.json"), make_hip("left")
    over, guide = plan["guide"]["soft_tissue"], plan["guide"]
    ways = [(tunnel["entry_mm"], np.subtract(tunnel["entry_mm"], tunnel["target_mm"])) for tunnel in plan["tunnels"]]
    ways += [(pin["point_mm"], -np.array(pin["direction"])) for pin in guide["pins"]]
    found = [out["depth_mm"] for out in (*over["tunnels"], *over["pins"])]
    drawn = [Thigh().exit_mm(hip, start, unit(way)) for start, way in ways]
    assert found == pytest.approx(drawn, abs=1.2)
    skin = read_stl(done.result.folder / "skin.stl")
    places = [out["skin_mm"] for out in (*over["tunnels"], *over["pins"])]
    assert skin.nearest(places)[0].max() < 1e-3
    names = {finding.name for finding in done.result.findings}
    assert {"tunnel 1 skin off its stated depth", "pin 1 wire too short untold"} <= names
    assert any(note.startswith("Tunnel 1 leaves the skin ") for note in plan["notes"])


def test_the_record_has_the_hash_of_every_file_in_and_out(done: Finished) -> None:
    record = read(done.result.folder / "run.json")
    files = contents(done.result.folder)
    del files["run.json"], files["timings.json"]
    assert record["outputs_sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    inputs = {name: (done.case.parent / name).read_bytes() for name in ("case.toml", "labels.nii.gz", "lesion.nii.gz")}
    inputs["ct.nii.gz"] = (done.case.parent / "ct.nii.gz").read_bytes()
    assert record["inputs_sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in inputs.items()}
    assert record["parameters"]["order"]["size"] == "M"
    templates = {"kit", "other_kit", "guide", "printer", "policy", "dossier"}
    assert set(record["parameters"]["templates_sha256"]) == templates
    assert read(done.result.folder / "timings.json").keys() >= {"bone", "anatomy", "lesion", "plan", "guide", "check"}


# --- again ---


def test_the_same_case_again_is_the_same_revision_at_once(done: Finished) -> None:
    before = contents(done.output)
    started = time.perf_counter()
    again = pipeline.run(done.case, done.output)
    assert time.perf_counter() - started < 2.0
    assert again.unchanged
    assert (again.folder, again.findings) == (done.result.folder, done.result.findings)
    assert contents(done.output) == before


def test_elsewhere_and_in_another_process_it_is_the_same_bytes(done: Finished, tmp_path: Path) -> None:
    shutil.copytree(done.case.parent, tmp_path / "other name")
    command = [GUIDEGEN, "run", tmp_path / "other name" / "case.toml", "--output", "results"]
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "every check passed" in run.stdout
    stages = [line.strip() for line in run.stderr.splitlines()]
    assert [name for name in stages if name in ("bone", "read", "anatomy", "lesion", "plan", "guide", "check")] == [
        "read", "bone", "anatomy", "lesion", "plan", "guide", "check",
    ]  # fmt: skip
    here, there = contents(done.result.folder), contents(tmp_path / "results" / "T001L-left" / "r001")
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] != there[name]} <= {"timings.json"}


def no_guide(*_: object) -> NoReturn:
    """In place of `make_guide`: what comes before it is asked, and the guide itself elsewhere."""
    raise NoSafeGuide("expected a guide, found a test", rule="test", figures={})


def test_another_size_is_the_next_revision_and_reuses_the_bone(
    done: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "make_guide", no_guide)
    output = done.stages_to(tmp_path)
    shutil.copytree(done.output / "T001L-left", output / "T001L-left")
    stages: list[str] = []
    small = pipeline.run(done.case, output, "S", stages.append)
    assert small.folder == output / "T001L-left" / "r002"
    assert not small.unchanged
    assert "read" not in stages[: stages.index("show")]  # the files are opened for the pictures alone
    assert read(small.folder / "run.json")["parameters"]["order"]["size"] == "S"
    assert pipeline.run(done.case, output).folder == output / "T001L-left" / "r001"
    assert pipeline.run(done.case, output, "S").folder == small.folder
    assert read(small.folder / "plan.json")["anatomy"] == read(done.result.folder / "plan.json")["anatomy"]


def test_an_altered_revision_is_set_aside_and_the_next_is_as_it_was(hopeless: Finished, tmp_path: Path) -> None:
    output = hopeless.stages_to(tmp_path)
    shutil.copytree(hopeless.output / "T001L-left", output / "T001L-left")
    (output / "T001L-left" / "r001" / "femur.stl").write_bytes(b"another femur")
    again = pipeline.run(hopeless.case, output)
    assert not again.unchanged
    assert sorted(path.name for path in (output / "T001L-left").glob("r*")) == ["r001-altered-1", "r002"]
    here, there = contents(hopeless.result.folder), contents(again.folder)
    assert here.keys() == there.keys()
    names_its_revision = {"dossier.json", "dossier.pdf", "run.json"}
    assert {name for name in here if here[name] != there[name]} - {"timings.json"} == names_its_revision


def test_two_runs_at_a_time_make_one_revision(hopeless: Finished, tmp_path: Path) -> None:
    output = hopeless.stages_to(tmp_path)
    inner: list[Result] = []

    def run_another(stage: str) -> None:
        if stage == "plan":
            inner.append(pipeline.run(hopeless.case, output))

    outer = pipeline.run(hopeless.case, output, progress=run_another)
    assert [outer.folder] == [another.folder for another in inner]
    assert [path.name for path in (output / "T001L-left").glob("r*")] == ["r001"]


def test_two_guides_of_one_plan_have_two_hashes_and_the_same_case_again_has_its_own(
    done: Finished, tmp_path: Path
) -> None:
    """Whatever the order changes: the tunnel may be the same, the guide is another."""
    planned = pipeline.plan_case(done.case, done.stages_to(tmp_path / "output"))

    def hash_for(size: str | None = None, **order: object) -> str:
        case = load_case(done.case)
        asked = case.order.model_copy(update=order)
        state = pipeline._start(replace(case, order=asked), tmp_path / "output", size, pipeline.silent)
        return plan_hash(planned, state.inputs_sha256, state.parameters)

    engraved = read(done.result.folder / "plan.json")["guide"]["plan_hash"]
    assert hash_for()[:SHORT_HASH] == hash_for("M")[:SHORT_HASH] == engraved
    others = (
        hash_for("S"), hash_for(kit="core-9"), hash_for(printer="sls-pa12"), hash_for(clearance_mm=0.4),
        hash_for(sterilisation="h2o2-plasma"), hash_for(periosteum_mm=0.1),
    )  # fmt: skip
    assert len({engraved, *(each[:SHORT_HASH] for each in others)}) == len(others) + 1


# --- refused, failed ---


def test_a_file_that_changes_while_it_is_read_is_refused(
    done: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "input_hashes", lambda _: {"labels.nii.gz": "0" * 64})
    with pytest.raises(VolumeError, match="expected files that stay as they are while they are read"):
        pipeline.run(done.case, tmp_path / "output")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('kit = "core-99"', r"read: expected one of the kits cannulated-9, core-10, .*, found 'core-99'"),
        ('sterilisation = "steam-134-4"', r"read: expected a sterilisation that the printer 'sla' lists: steam-121"),
        ("clearance_mm = 0.9", r"read: expected an ordered clearance_mm from 0\.2 to 0\.8, .* found 0\.9"),
    ],
)
def test_what_no_template_allows_is_found_before_anything_is_read(
    tmp_path: Path, done: Finished, line: str, match: str
) -> None:
    case = tmp_path / "case" / "case.toml"
    shutil.copytree(done.case.parent, case.parent)
    case.write_text(case.read_text() + f"[order]\n{line}\n")
    stages: list[str] = []
    with pytest.raises(TemplateError, match=match):
        pipeline.run(case, tmp_path / "output", progress=stages.append)
    assert stages == []
    assert not (tmp_path / "output").exists()


def test_a_guide_is_built_to_the_ordered_fit_and_to_the_kit_s_own_guided_length(
    done: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own_length(order: Order) -> Templates:
        templates = load_templates(order)
        return replace(templates, kit=templates.kit.model_copy(update={"guided_length_mm": 36.0}))

    def asked_for(*given: Any) -> NoReturn:
        asked.extend(given)
        no_guide()

    asked: list[Any] = []
    monkeypatch.setattr(pipeline, "load_templates", own_length)
    monkeypatch.setattr(pipeline, "make_guide", asked_for)
    case = tmp_path / "case" / "case.toml"
    shutil.copytree(done.case.parent, case.parent)
    case.write_text(case.read_text() + "[order]\nclearance_mm = 0.25\nperiosteum_mm = 0.4\n")
    result = pipeline.run(case, done.stages_to(tmp_path / "output"))
    (order,) = (each for each in asked if hasattr(each, "clearance_mm"))
    ((tunnel,),) = (each for each in asked if isinstance(each, tuple) and isinstance(each[0], Tunnel))
    assert order.clearance_mm == pytest.approx(0.25 + 0.4)
    assert order.printed_guide_mm == 36.0
    written, before = read(result.folder / "plan.json"), read(done.result.folder / "plan.json")
    assert (before["limits"]["guided_length_mm"], written["limits"]["guided_length_mm"]) == (30.0, 36.0)
    assert tunnel.sleeve_offset_mm == before["tunnels"][0]["sleeve_offset_mm"] + 5.0  # the kit's next stop


def test_a_guide_that_fails_a_check_is_rejected(
    done: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Finding("made to fail", 2.0, 1.0, "mm", False, "A test.")
    heard: list[tuple[str, ...]] = []

    def operate(_: object) -> Checked:
        assert len(heard) == 1, "what was measured is heard before the longest part"
        return Checked((failing,), {})

    def hear(plan: dict, findings: tuple[Finding, ...]) -> None:
        assert plan["case_id"] == "T001L"
        heard.append(tuple(each.name for each in findings))

    monkeypatch.setattr(pipeline, "operate", operate)
    result = pipeline.run(done.case, done.stages_to(tmp_path), measured=hear)
    assert not result.passed
    assert heard[0] == tuple(each.name for each in result.findings[:-1])
    files = contents(result.folder)
    assert set(files) == FILES - {"guide.stl", "guide.3mf"} | {"rejected.stl"}
    assert files["rejected.stl"] == contents(done.result.folder)["guide.stl"]
    assert read(result.folder / "findings.json")[-1] == asdict(failing)
    assert set(read(result.folder / "run.json")["outputs_sha256"]) == set(files) - {"run.json", "timings.json"}
    assert not pipeline.run(done.case, tmp_path).passed  # and it is remembered as rejected


def test_a_plan_leaves_no_result(done: Finished, tmp_path: Path) -> None:
    output = done.stages_to(tmp_path / "output")
    planned = pipeline.plan_case(done.case, output)
    (tunnel,) = read(done.result.folder / "plan.json")["tunnels"]
    np.testing.assert_allclose(planned.tunnels[0].entry_mm, tunnel["entry_mm"], atol=1e-6)
    assert [path.name for path in output.iterdir()] == [STAGES]


def test_a_case_without_a_safe_plan_leaves_its_reason_and_no_guide(hopeless: Finished) -> None:
    assert not hopeless.result.passed
    files = contents(hopeless.result.folder)
    pictures = {name for name in files if name.startswith("preview/")}
    assert set(files) - pictures == REFUSED_FILES
    assert pictures == PREVIEWS - GUIDE_PREVIEWS - {"preview/reformat_ct.png"} | {"preview/reformat.png"}
    (finding,) = read(hopeless.result.folder / "findings.json")
    assert (finding["passed"], finding["measured"]) == (False, None)
    assert "plan: expected a tunnel that keeps every rule" in finding["why"]
    plan = read(hopeless.result.folder / "plan.json")
    (marked,) = plan["tunnels"]  # made, and marked with what it breaks
    assert plan["guide"] is None
    assert [broken["waivable"] for broken in marked["broken_rules"]]
    assert all(broken["short_by"] > 0.0 for broken in marked["broken_rules"])
    assert {each["strategy"] for each in plan["plan"]["alternatives"]} >= {"centroid"}
    assert any("There is no guide: expected a tunnel that keeps every rule" in note for note in plan["notes"])
    with pytest.raises(NoSafePlan, match="plan: expected a tunnel that keeps every rule"):
        pipeline.plan_case(hopeless.case, hopeless.output)


def test_the_dossier_of_a_refused_case_quotes_its_records_and_cannot_be_signed(hopeless: Finished) -> None:
    folder = hopeless.result.folder
    content, run = read(folder / "dossier.json"), read(folder / "run.json")
    records = {name: read(folder / name) for name in ("plan.json", "findings.json")}
    assert walk(content, records | {"run.json": run, "files": run["outputs_sha256"]}) > 200
    assert content["banner"].startswith("REFUSED: no guide.")
    assert content["revision"] == folder.name
    assert "signature" not in [each["id"] for each in content["sections"]]
    assert records["plan.json"]["refusal"]["stage"] == "plan"


# --- real femora ---


def lesion_in(femur: Surface, side: str) -> Surface:
    """A ball of 9 mm in the upper front of the head."""
    import trimesh

    head = find_head(femur)
    medial = -1.0 if side == "left" else 1.0
    towards = np.array([0.2 * medial, -0.5, 0.84])
    center = head.center_mm + (head.radius_mm - 12.0) * towards / np.linalg.norm(towards)
    ball = trimesh.creation.icosphere(3, 9.0)
    return Surface(ball.vertices + center, ball.faces)


REAL = """
[patient]
id = "M3"
side = "{side}"
[bone]
surface = "femur.stl"
unit = "mm"
space = "LPS"
[lesion]
surface = "lesion.stl"
unit = "mm"
space = "LPS"
"""


@pytest.mark.shared
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_real_femur_from_its_surface(shared: Path, tmp_path: Path, side: str) -> None:
    source = shared / "data" / "surfaces" / f"m3_{side[0]}femur_mm.stl"
    shutil.copy(source, tmp_path / "femur.stl")
    (tmp_path / "lesion.stl").write_bytes(stl_bytes(lesion_in(read_stl(source), side)))
    (tmp_path / "case.toml").write_text(REAL.format(side=side))
    result = pipeline.run(tmp_path / "case.toml", tmp_path / "output")
    assert [finding for finding in result.findings if not finding.passed] == []
    # this case has no image and no pelvis
    of_images = {"preview/acetabular.png", "preview/reformat_ct.png", "skin.stl"}
    assert contents(result.folder).keys() >= FILES - of_images
    plan = read(result.folder / "plan.json")
    assert plan["side"] == side
    assert {"M3", side.upper()} <= {line for label in plan["guide"]["labels"] for line in label["lines"]}
    assert np.sign(plan["guide"]["removal_direction"][0]) == (1.0 if side == "left" else -1.0)
    assert any("error of its segmentation is not known" in note for note in plan["notes"])
    assert plan["guide"]["soft_tissue"] is None
    assert "The skin is not known: no image of the bone was given." in plan["notes"]

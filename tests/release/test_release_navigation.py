"""Poses for robots and 3D Slicer, read back by other programs and held against the plan."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from release_cases import ENTRY_MM, INSERT, PIN_DIRECTION, PIN_MM, PLAN, STOP_MM, TARGET_MM, Done, changed_plan

from guidegen.release.navigation import markups_bytes, navigation_files
from guidegen.release.robot import robot_record
from guidegen.release.tools import ToolPath, tool_paths

AXIS = [-0.6, 0.0, 0.8]
coordinate = st.floats(-700.0, 700.0).map(lambda value: round(value, 6))
point = st.tuples(coordinate, coordinate, coordinate)


def read_transform(content: bytes, folder: Path) -> Any:
    (folder / "pose.tfm").write_bytes(content)
    return SimpleITK.ReadTransform(str(folder / "pose.tfm"))


def test_slicers_transform_puts_a_tool_drawn_at_the_origin_into_its_tunnel(done: Done, tmp_path: Path) -> None:
    """Slicer applies the inverse of what an ITK file holds."""
    transform = read_transform((done.folder / "navigation/patient_to_tunnel-1.tfm").read_bytes(), tmp_path)
    applied = transform.GetInverse()
    np.testing.assert_allclose(applied.TransformPoint((0.0, 0.0, 0.0)), ENTRY_MM, atol=1e-9)
    np.testing.assert_allclose(applied.TransformPoint((0.0, 0.0, 100.0)), TARGET_MM, atol=1e-9)
    np.testing.assert_allclose(transform.TransformPoint(STOP_MM), (0.0, 0.0, -40.0), atol=1e-9)


@given(entry=point, target=point)
def test_every_transform_is_a_turn_and_a_move(tmp_path_factory: Any, entry: Any, target: Any) -> None:
    if np.linalg.norm(np.subtract(target, entry)) < 1.0:
        return
    plan = changed_plan(tunnels=[{**PLAN["tunnels"][0], "entry_mm": entry, "target_mm": target}])
    content = navigation_files(plan)["patient_to_tunnel-1.tfm"]
    transform = read_transform(content, tmp_path_factory.mktemp("pose"))
    matrix = np.reshape(SimpleITK.AffineTransform(transform).GetMatrix(), (3, 3))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)  # no mirror image
    length = np.linalg.norm(np.subtract(target, entry))
    np.testing.assert_allclose(transform.TransformPoint(entry), (0.0, 0.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(transform.TransformPoint(target), (0.0, 0.0, length), atol=1e-9)


@pytest.mark.parametrize(
    ("name", "ends"),
    [("tunnel-1", [ENTRY_MM, TARGET_MM]), ("pin-1", [PIN_MM, [36.5, 10.0, -80.0]])],
)
def test_markups_are_lines_of_the_plan_in_lps(done: Done, name: str, ends: list[list[float]]) -> None:
    content = done.read(f"navigation/{name}.mrk.json")
    assert content["@schema"].endswith("markups-schema-v1.0.3.json#")
    (line,) = content["markups"]
    assert (line["type"], line["coordinateSystem"], line["coordinateUnits"]) == ("Line", "LPS", "mm")
    assert [each["position"] for each in line["controlPoints"]] == ends
    assert [each["label"] for each in line["controlPoints"]] == [f"{name} entry", f"{name} target"]
    assert {each["positionStatus"] for each in line["controlPoints"]} == {"defined"}


def test_markups_hold_the_plans_own_digits() -> None:
    path = ToolPath("t", "drill", np.array([-427.542595, 254.330756, -681.415]), np.zeros(3), np.zeros(3), 8.0)
    (line,) = json.loads(markups_bytes(path))["markups"]
    assert line["controlPoints"][0]["position"] == [-427.542595, 254.330756, -681.415]


def test_the_robot_gets_the_plan(done: Done) -> None:
    robot = done.read("robot.json")
    assert robot["frame"]["name"] == "LPS"
    assert [robot["frame"][axis] for axis in "xyz"] == [
        "to the patient's left", "to the patient's back", "to the patient's head",
    ]  # fmt: skip
    assert (robot["case_id"], robot["side"], robot["revision"], robot["plan_hash"]) == (
        "Z019L", "left", "r001", "1a2b3c4d",
    )  # fmt: skip
    drill, wire = robot["tools"]
    assert (drill["name"], drill["kind"], drill["diameter"]) == ("tunnel-1", "drill", {"mm": 8.0, "m": 0.008})
    assert drill["entry"] == {"mm": ENTRY_MM, "m": [0.06, 0.02, -0.1]}
    assert drill["target"] == {"mm": TARGET_MM, "m": [0.0, 0.02, -0.02]}
    assert drill["stop"] == {"mm": STOP_MM, "m": [0.084, 0.02, -0.132]}
    assert (drill["length"], drill["axis"]) == ({"mm": 100.0, "m": 0.1}, AXIS)
    assert (wire["kind"], wire["axis"], wire["entry"]["mm"]) == ("wire", PIN_DIRECTION, PIN_MM)
    assert wire["length"] == {"mm": 25.0, "m": 0.025}


def test_a_robots_pose_leads_from_the_tool_into_the_patient(done: Done) -> None:
    drill = done.read("robot.json")["tools"][0]
    for unit, scale in (("mm", 1.0), ("m", 0.001)):
        pose = np.array(drill["pose"][unit])
        np.testing.assert_allclose(pose @ [0, 0, 0, 1], [*np.multiply(ENTRY_MM, scale), 1], atol=1e-9)
        np.testing.assert_allclose(pose @ [0, 0, 100 * scale, 1], [*np.multiply(TARGET_MM, scale), 1], atol=1e-9)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)


@given(entry=point, target=point)
def test_metres_are_millimetres_by_a_thousand_to_the_last_digit(entry: Any, target: Any) -> None:
    if np.linalg.norm(np.subtract(target, entry)) < 1.0:
        return
    plan = changed_plan(tunnels=[{**PLAN["tunnels"][0], "entry_mm": entry, "target_mm": target}])
    drill = robot_record(plan)["tools"][0]
    assert drill["entry"]["mm"] == list(entry)
    assert [round(1000.0 * value, 6) for value in drill["target"]["m"]] == list(target)
    assert not re.search(r"-0\.0[,\]]", json.dumps(drill))


def test_every_tunnel_and_wire_has_its_line() -> None:
    tunnel, sleeve, pin = PLAN["tunnels"][0], PLAN["guide"]["sleeves"][0], PLAN["guide"]["pins"][0]
    sleeves = [{**sleeve, "tunnel": 1, "stop_face_mm": [1.0, 2.0, 3.0]}, sleeve]  # in no order
    plan = changed_plan(tunnels=[tunnel, tunnel], guide={"sleeves": sleeves, "pins": [pin, pin, pin]})
    paths = tool_paths(plan)
    assert [path.name for path in paths] == ["tunnel-1", "tunnel-2", "pin-1", "pin-2", "pin-3"]
    assert [path.stop_mm.tolist() for path in paths[:2]] == [STOP_MM, [1.0, 2.0, 3.0]]
    assert len(navigation_files(plan)) == 5 + 2


def test_an_inserts_stop_is_the_tools() -> None:
    (path, _) = tool_paths(
        changed_plan(guide={"sleeves": [], "inserts": [{**INSERT, "stop_face_mm": [1.0, 2.0, 3.0]}]})
    )
    assert path.stop_mm.tolist() == [1.0, 2.0, 3.0]

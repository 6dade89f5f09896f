"""Reading a result folder back: the exact bytes count, and nothing is repaired."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh
from run_orders import as_ordered, parameters

from guidegen.check.asked import read_plan
from guidegen.check.battery import check_files, check_result
from guidegen.check.files import read_findings, read_result, read_stl, refusal_findings
from guidegen.check.loads import load_findings, loads
from guidegen.check.metal import metal_findings
from guidegen.check.ordered import Ordered, ordered_findings
from guidegen.check.print_form import print_form_findings
from guidegen.check.surgery import SurgeryLimits, surgery_findings
from guidegen.check.trial_bone import trial_bone_findings, trial_print_findings
from guidegen.check.virtual_surgery import virtual_surgery
from guidegen.errors import ResultError

PRINT_FINDINGS = 9


def write_stl(path, surface) -> None:
    trimesh.Trimesh(surface.vertices, surface.faces, process=False).export(path)


@pytest.fixture
def folder(tmp_path, hip):
    (tmp_path / "plan.json").write_text(json.dumps(hip.plan(as_ordered)), encoding="utf-8")
    write_stl(tmp_path / "femur.stl", hip.bone)
    write_stl(tmp_path / "guide.stl", hip.guide)
    write_stl(tmp_path / "lesion.stl", hip.lesion)
    (tmp_path / "run.json").write_text(json.dumps({"parameters": parameters()}), encoding="utf-8")
    return tmp_path


def test_the_file_is_the_surface_it_was_written_from(folder, hip) -> None:
    _, bone, guide, keep_out = read_result(folder)
    assert keep_out is None
    for read, written in ((bone, hip.bone), (guide, hip.guide)):
        assert read.is_closed
        assert np.array_equal(read.vertices[read.faces], written.vertices[written.faces])
        assert len(read.vertices) == len(written.vertices)


def test_a_folder_gives_the_findings_of_its_files(folder, hip) -> None:
    findings = check_result(folder)
    measured = check_files(hip.plan(as_ordered), hip.bone, hip.guide, lesion=hip.lesion)
    assert findings[: len(measured)] == measured
    printed = findings[len(measured) : len(measured) + PRINT_FINDINGS]  # there is no print file in this folder
    assert [finding.name for finding in printed][:2] == ["print file off the guide", "print length"]
    assert {(finding.measured, finding.passed) for finding in printed} == {(None, False)}
    asked, bone, guide = read_plan(hip.plan(as_ordered)), hip.bone, hip.guide
    tried = (  # nor a trial bone, nor metal
        *ordered_findings(hip.plan(as_ordered), asked, Ordered.read(parameters())),
        *trial_bone_findings(asked, bone, guide, None),
        *trial_print_findings(asked, None, np.empty((0, 3, 3))),
        *metal_findings(asked, folder),
        *print_form_findings(folder, hip.plan(as_ordered)),
    )
    operated = surgery_findings(virtual_surgery(asked, bone, guide), SurgeryLimits())
    assert findings[len(measured) + PRINT_FINDINGS :] == (
        *tried, *load_findings(loads(asked, bone, guide)), *operated,
    )  # fmt: skip


def test_a_rejected_guide_is_measured_too(folder) -> None:
    (folder / "guide.stl").rename(folder / "rejected.stl")
    assert read_result(folder)[2].is_closed


@pytest.mark.parametrize("names", [[], ["guide.stl", "rejected.stl"]])
def test_there_is_one_guide(folder, names) -> None:
    content = (folder / "guide.stl").read_bytes()
    (folder / "guide.stl").unlink()
    for name in names:
        (folder / name).write_bytes(content)
    with pytest.raises(ResultError, match=rf"expected guide.stl or rejected.stl .* found {len(names)} of the two"):
        read_result(folder)


@pytest.mark.parametrize("content", ["{", "[]", None])
def test_a_plan_that_is_no_object_is_refused(folder, content) -> None:
    (folder / "plan.json").unlink()
    if content is not None:
        (folder / "plan.json").write_text(content, encoding="utf-8")
    with pytest.raises(ResultError, match=r"plan\.json"):
        read_result(folder)


def refused(folder, guide=None, refusal="no wall", findings=({"passed": False},)) -> None:
    """Make the folder that of a refused case, or one that only says so."""
    (folder / "guide.stl").unlink()
    (folder / "plan.json").write_text(
        json.dumps({"guide": guide, "refusal": {"message": refusal} if refusal else None})
    )
    whole = {"name": "safe plan", "measured": None, "limit": 0.0, "unit": "", "why": "It breaks."}
    (folder / "findings.json").write_text(json.dumps([whole | each for each in findings]))


def test_a_refused_case_gives_its_reason(folder) -> None:
    assert refusal_findings(folder) is None
    refused(folder)
    assert [finding.passed for finding in refusal_findings(folder)] == [False]


@pytest.mark.parametrize(
    "change",
    [{"guide": {"pins": []}}, {"refusal": None}, {"findings": ()}, {"findings": ({"passed": True, "measured": 1.0},)}],
)
def test_a_folder_without_a_guide_that_was_not_refused_is_refused(folder, change) -> None:
    refused(folder, **change)
    with pytest.raises(ResultError, match="or a plan that was refused with its reason"):
        refusal_findings(folder)


@pytest.mark.parametrize(
    "content", ['[{"measured": NaN}]', 60_000 * "[", '[{"name": "x"}]', "[1]", "1", '[{"limit": 1e400}]']
)
def test_findings_that_are_none_are_refused(folder, content) -> None:
    (folder / "findings.json").write_text(content)
    with pytest.raises(ResultError, match=r"findings\.json"):
        read_findings(folder)


def cut_short(content: bytes) -> bytes:
    return content[:-7]


def too_long(content: bytes) -> bytes:
    return content + b"\0"


def not_a_number(content: bytes) -> bytes:
    return content[:96] + np.float32(np.nan).tobytes() + content[100:]


def far_away(content: bytes) -> bytes:
    return content[:96] + np.float32(1e30).tobytes() + content[100:]


def empty(content: bytes) -> bytes:
    return content[:0]


def no_faces(content: bytes) -> bytes:
    return content[:80] + bytes(4)


@pytest.mark.parametrize("spoil", [cut_short, too_long, not_a_number, far_away, empty, no_faces])
def test_a_spoilt_stl_is_refused(folder, spoil) -> None:
    path = folder / "femur.stl"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ResultError, match=r"expected femur\.stl to be a whole binary STL of finite numbers"):
        read_stl(path)


def test_a_missing_stl_is_refused(folder) -> None:
    (folder / "femur.stl").unlink()
    with pytest.raises(ResultError, match=r"expected to read femur\.stl"):
        read_result(folder)


def test_what_is_kept_out_is_read_where_the_plan_names_it(folder, hip, bench) -> None:
    plan = hip.plan(as_ordered) | {"keep_out": ["implant"]}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    with pytest.raises(ResultError, match=r"expected keep_out\.stl .* found none; run the case again"):
        read_result(folder)
    implant = bench.placed(bench.block([-60.0, -60.0, -50.0], [-50.0, -50.0, -40.0]))
    write_stl(folder / "keep_out.stl", implant)
    keep_out = read_result(folder)[3]
    assert keep_out is not None
    assert np.array_equal(keep_out.vertices[keep_out.faces], implant.vertices[implant.faces])
    (folder / "plan.json").write_text(json.dumps(hip.plan(as_ordered)), encoding="utf-8")
    with pytest.raises(ResultError, match=r"expected keep_out\.stl .* found one that it does not name"):
        read_result(folder)

"""All checks together."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh

from guidegen.check.battery import check_files
from guidegen.check.mesh import bone_mesh_findings
from guidegen.check.tunnel import tunnel_findings
from guidegen.errors import ResultError
from guidegen.surfaces import Surface

NAMES = [
    "femur open edges", "femur volume",
    "guide open edges", "guide volume", "guide bodies", "guide faces that cross", "guide faces without area",
    "guide genus off the design",
    "sleeve 1 bore axis off plan", "sleeve 1 bore angle off plan", "sleeve 1 bore diameter off plan",
    "sleeve 1 bore out of round", "sleeve 1 bore guided length", "sleeve 1 bore off the target",
    "sleeve 1 top face off plan", "sleeve 1 stop off its offset",
    "tunnel 1 sleeve's offset off the file", "tunnel 1 reading off the file",
    "sleeve 1 drill's way", "pin 1 wire's way", "pin 2 wire's way", "window 1 open", "probe 2 open", "narrowest lumen",
    "sleeve 1 chuck's room",
    "pin 1 hole axis off plan", "pin 1 hole angle off plan", "pin 1 hole diameter off plan", "pin 1 hole out of round",
    "pin 1 hole guided length",
    "pin 2 hole axis off plan", "pin 2 hole angle off plan", "pin 2 hole diameter off plan", "pin 2 hole out of round",
    "pin 2 hole guided length",
    "pin 1 boss off what is read", "pin 2 boss off what is read",
    "pins diverge", "pin 1 apart from drill and wires", "pin 2 apart from drill and wires",
    "pin 1 wire beyond its boss",
    "pin 1 point off the bone", "pin 1 above the lesser trochanter", "pin 1 short of the far cortex",
    "pin 2 wire beyond its boss",
    "pin 2 point off the bone", "pin 2 above the lesser trochanter", "pin 2 out of the far cortex",
    "pin 2 through the far cortex", "pin 2 far exit off its stated number",
    "tunnel 1 entry off the bone", "tunnel 1 wall to the cortex", "tunnel 1 axis to the joint",
    "tunnel 1 rim to the joint", "tunnel 1 side to the joint",
    "tunnel 1 axis off the lesion's centroid", "tunnel 1 off its stated numbers",
    "contact gap off the clearance", "contact gap, 5th percentile", "contact gap, 95th percentile", "least gap",
    "contact area", "deepest point in the bone",
    "removal way, deepest in the bone", "removal 3° askew, deepest in the first 2 mm",
    "removal 3° askew, deepest on the whole way", "thinnest wall",
    "notch off the vastus ridge", "notch's bottom off the guide", "axis mark off the tunnel's direction",
    "axis mark off the guide", "calliper faces off their distance",
    "landmarks off the bone", "lesser trochanter behind the neck",
    "labels name the side", "labels name the patient", "labels name the revision", "labels name the plan",
    "labels name tunnel 1's diameter and depth",
    "label 1 reads as planned", "label 1 strokes that differ", "label 1 reads better than mirrored", "label 1 depth",
    "label 1 reads at the printer's resolution",
    "label 2 reads as planned", "label 2 strokes that differ", "label 2 reads better than mirrored", "label 2 depth",
    "label 2 reads at the printer's resolution",
    "arrow PROX off its direction", "arrow PROX head by tail", "arrow ANT off its direction", "arrow ANT head by tail",
]  # fmt: skip
ON_PRINT = [
    "print file off the guide", "print length", "print width", "print height", "print pose off plan",
    "props, share of the surface", "props on the contact", "props in bores and windows", "props in text and arrows",
]  # fmt: skip


@pytest.fixture(scope="module")
def good(hip):
    return check_files(hip.plan(), hip.bone, hip.guide, printed_mm=hip.printed_mm)


def test_a_good_guide_passes_every_check_in_this_order(good) -> None:
    assert [finding.name for finding in good] == NAMES + ON_PRINT
    assert [finding.name for finding in good if not finding.passed] == []


def test_each_finding_says_in_a_sentence_why_it_matters(good) -> None:
    for finding in good:
        assert finding.why.endswith(".")
        assert len(finding.why) > 20


def test_the_same_files_give_the_same_findings(good, hip) -> None:
    bone, guide = (Surface(surface.vertices, surface.faces) for surface in (hip.bone, hip.guide))
    assert check_files(hip.plan(), bone, guide, printed_mm=hip.printed_mm) == good


def spoilt(hip):
    turned = Surface(hip.guide.vertices, hip.guide.faces[:, ::-1])
    open_ = Surface(hip.guide.vertices, hip.guide.faces[: len(hip.guide.faces) // 2])
    speck = Surface(hip.guide.vertices[:3], np.array([[0, 1, 2]]))
    return {"inside out": turned, "half": open_, "one face": speck}


@pytest.mark.parametrize("kind", ["inside out", "half", "one face"])
def test_a_ruined_guide_is_measured_to_the_end_and_fails(hip, kind) -> None:
    findings = check_files(hip.plan(), hip.bone, spoilt(hip)[kind])
    assert [finding.name for finding in findings] == NAMES
    assert not all(finding.passed for finding in findings)
    assert all(finding.measured is None or math.isfinite(finding.measured) for finding in findings)


def test_a_femur_inside_out_cannot_vouch_for_a_guide(hip) -> None:
    findings = check_files(hip.plan(), Surface(hip.bone.vertices, hip.bone.faces[:, ::-1]), hip.guide)
    assert "femur volume" in {finding.name for finding in findings if not finding.passed}


def test_a_plan_with_a_hole_is_refused(hip) -> None:
    with pytest.raises(ResultError, match="expected a whole plan"):
        check_files(hip.plan(lambda plan: plan.pop("tunnels")), hip.bone, hip.guide)


@pytest.mark.shared
def test_a_real_femur_is_measured(hip, shared) -> None:
    mesh = trimesh.load_mesh(shared / "data" / "femora" / "z019L" / "truth" / "true_femur.stl")
    bone = Surface(mesh.vertices, mesh.faces)
    assert all(finding.passed for finding in bone_mesh_findings(bone))
    entry, target = [-168.86538414, 349.76059213, -661.99371526], [-212.68805222, 305.35902765, -594.58189324]

    def real(plan) -> None:
        plan["lesion"]["centroid_mm"] = target
        plan["anatomy"]["head_center_mm"] = [-210.931, 309.9, -606.098]
        plan["anatomy"]["head_radius_mm"] = 23.576
        plan["tunnels"][0].update(
            entry_mm=entry, target_mm=target, length_mm=float(np.linalg.norm(np.subtract(target, entry))),
            wall_min_mm=None, subchondral_mm=None, subchondral_axis_mm=None,
        )  # fmt: skip

    findings = {finding.name: finding for finding in tunnel_findings(hip.asked(real), bone)}
    unstated = "tunnel 1 off its stated numbers"
    assert [name for name, finding in findings.items() if not finding.passed] == [unstated]
    assert findings["tunnel 1 wall to the cortex"].measured == pytest.approx(4.26, abs=0.02)
    assert findings["tunnel 1 axis to the joint"].measured == pytest.approx(11.24, abs=0.02)

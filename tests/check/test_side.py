"""Left or right by shape."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh

from guidegen.check.side import behind_mm, side_findings
from guidegen.surfaces import Surface

MIRROR = np.array([-1.0, 1.0, 1.0])


def found(asked, bone):
    return {finding.name: finding for finding in side_findings(asked, bone)}


def mirrored(surface: Surface) -> Surface:
    return Surface(surface.vertices * MIRROR, surface.faces[:, ::-1])


def mirror_landmarks(plan) -> None:
    for name, value in plan["anatomy"].items():
        if isinstance(value, list):
            plan["anatomy"][name] = [float(x) for x in value * MIRROR]


def test_a_left_femur_is_left(hip) -> None:
    findings = found(hip.asked(), hip.bone)
    assert all(finding.passed for finding in findings.values())
    assert findings["lesser trochanter behind the neck"].measured == pytest.approx(22.0, abs=1e-4)


def test_the_same_femur_is_not_right(hip) -> None:
    def other(plan) -> None:
        plan["side"] = "right"

    behind = found(hip.asked(other), hip.bone)["lesser trochanter behind the neck"]
    assert (behind.measured, behind.passed) == (pytest.approx(-22.0, abs=1e-4), False)


def test_a_mirrored_femur_with_its_landmarks_is_the_other_side(hip) -> None:
    assert not found(hip.asked(mirror_landmarks), mirrored(hip.bone))["lesser trochanter behind the neck"].passed

    def right(plan) -> None:
        mirror_landmarks(plan)
        plan["side"] = "right"

    assert all(finding.passed for finding in found(hip.asked(right), mirrored(hip.bone)).values())


def test_landmarks_of_the_mirrored_femur_do_not_lie_on_this_one(hip) -> None:
    off = found(hip.asked(), mirrored(hip.bone))["landmarks off the bone"]
    assert not off.passed
    assert off.measured > 20.0


@pytest.mark.parametrize("amount", [3.0, -3.0])
def test_a_head_of_another_size_is_off_by_as_much(hip, amount) -> None:
    def resize(plan) -> None:
        plan["anatomy"]["head_radius_mm"] += amount

    off = found(hip.asked(resize), hip.bone)["landmarks off the bone"]
    assert (off.measured, off.passed) == (pytest.approx(3.0, abs=0.02), False)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["z001_Femur_L", "z009_Femur_R", "z055_Femur_R", "z062_Femur_R"])
def test_real_femora_with_landmarks_of_five_raters(hip, shared, name) -> None:
    marks = json.loads((shared / "data" / "landmarks" / f"{name}.json").read_text())
    folder = shared / "data" / "femora" / (name[:4] + name[-1]) / "truth"
    truth = json.loads((folder / "truth.json").read_text())
    mesh = trimesh.load_mesh(folder / "true_femur.stl")

    def real(plan) -> None:
        plan["side"] = truth["side"]
        plan["anatomy"] = {
            "head_center_mm": truth["head_center"],
            "head_radius_mm": truth["head_radius"],
            "neck_axis": marks["neck_axis_manual_unit_to_head"],
            "shaft_point_mm": truth["shaft_point"],
            "shaft_axis": truth["shaft_axis"],
            "lesser_trochanter_mm": marks["landmarks"]["LT"]["mean"],
        }

    asked = hip.asked(real)
    assert all(finding.passed for finding in side_findings(asked, Surface(mesh.vertices, mesh.faces)))
    assert 15.0 < behind_mm(asked) < 23.0

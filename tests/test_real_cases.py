"""Whole runs on real femora, judged on the true surface, which the program never sees."""

from __future__ import annotations

import json

import numpy as np
import pytest
import trimesh

from guidegen.check.files import read_stl
from guidegen.frames import unit
from guidegen.pipeline import run
from guidegen.surfaces import Surface

# One coarse scan, one lesion on an MR in another pose, one large lesion; left and right.
CASES = ("z027R", "z019L", "z055L")

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module", params=CASES)
def judged(request, shared, tmp_path_factory):
    """The plan, the guide as written, the true bone and its numbers."""
    folder = shared / "data" / "femora" / request.param
    result = run(folder / "case.toml", tmp_path_factory.mktemp(request.param))
    assert result.passed, [finding for finding in result.findings if not finding.passed]
    bone = trimesh.load_mesh(folder / "truth" / "true_femur.stl")
    truth = json.loads((folder / "truth" / "truth.json").read_text())
    plan = json.loads((result.folder / "plan.json").read_text())
    return plan, read_stl(result.folder / "guide.stl"), Surface(bone.vertices, bone.faces), truth


def test_head_and_lesion_lie_where_they_are(judged) -> None:
    plan, _, _, truth = judged
    assert plan["side"] == truth["side"]
    assert np.linalg.norm(np.array(plan["anatomy"]["head_center_mm"]) - truth["head_center"]) <= 0.8
    assert np.linalg.norm(np.array(plan["lesion"]["centroid_mm"]) - truth["lesion_centroid"]) <= 1.0


def test_the_tunnel_keeps_its_distances_in_the_true_bone(judged) -> None:
    plan, _, bone, truth = judged
    tunnel = plan["tunnels"][0]
    entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
    axis = unit(target - entry)
    points = entry + np.arange(20.0, np.linalg.norm(target - entry), 1.0)[:, None] * axis
    outside_head = points[np.linalg.norm(points - truth["head_center"], axis=1) > truth["head_radius"]]
    assert -bone.signed_distance_mm(outside_head).max() - tunnel["diameter_mm"] / 2.0 >= 3.0
    assert -bone.signed_distance_mm(target[None])[0] >= 5.0


def test_the_guide_lies_on_the_true_bone_within_its_segmentation(judged) -> None:
    plan, guide, bone, _ = judged
    facing = guide.face_normals @ np.array(plan["guide"]["removal_direction"]) < -0.7
    gap = bone.signed_distance_mm(guide.face_centers_mm[facing])
    contact = gap < plan["guide"]["clearance_mm"] + 1.5
    mean = np.average(gap[contact], weights=guide.face_areas_mm2[facing][contact])
    # the label's own noise is 0.3 mm over 3 mm: the mean over a whole shell is nearer
    assert mean == pytest.approx(plan["guide"]["clearance_mm"], abs=0.2)
    assert gap.min() > -1.0

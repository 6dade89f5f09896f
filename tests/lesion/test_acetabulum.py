"""The acetabulum on the coronal plane, and the pose of the hip in the scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from head_phantom import RADIUS_MM, HeadPhantom

from guidegen.frames import rotation_about
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.head_frame import femoral_frame
from guidegen.lesion.hip_pose import hip_pose, in_neutral, pelvic_frame
from guidegen.lesion.pelvis import acetabulum, near_head

USUAL = Definitions()


def frames(phantom: HeadPhantom, template, pelvis):
    femoral = femoral_frame(phantom.anatomy(template))
    return femoral, pelvic_frame(pelvis, femoral, phantom.side)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("edge_deg", "floor_deg"), [(-30.0, 119.0), (-22.0, 105.0), (-45.0, 125.0)])
def test_edge_and_weight_bearing_arc_of_a_cup(ct, side, edge_deg, floor_deg) -> None:
    phantom = HeadPhantom(side)
    pelvis = phantom.pelvis(edge_deg, floor_deg)
    _, pelvic = frames(phantom, ct.anatomy, pelvis)
    found = acetabulum(near_head(pelvis, pelvic), pelvic, 0.0)
    assert found.edge_deg == pytest.approx(edge_deg, abs=1.5)
    # both ends of a round cup are equally far from the centre: the line between them is halved at the middle angle
    assert found.start_deg == pytest.approx((edge_deg + floor_deg) / 2.0, abs=1.5)
    medial, _, superior = pelvic.anatomical_mm(found.teardrop_mm)
    assert np.degrees(np.arctan2(medial, superior)) == pytest.approx(floor_deg, abs=1.5)
    assert np.hypot(medial, superior) == pytest.approx(RADIUS_MM + 3.5, abs=1.2)


def test_a_thin_floor_with_a_hole_is_still_one_wall(ct) -> None:
    phantom = HeadPhantom()
    pelvis = phantom.pelvis(-30.0, 119.0)
    hole = phantom.pelvis(70.0, 82.0)
    _, pelvic = frames(phantom, ct.anatomy, pelvis)
    found = acetabulum(replace(pelvis, voxels=pelvis.voxels & ~hole.voxels), pelvic, 0.0)
    assert found.start_deg == pytest.approx(44.5, abs=1.5)


def test_a_pelvis_elsewhere_gives_a_reason(ct) -> None:
    phantom = HeadPhantom()
    pelvis = phantom.pelvis(-30.0, 119.0)
    _, pelvic = frames(phantom, ct.anatomy, pelvis)
    away = replace(pelvis, origin_mm=pelvis.origin_mm + [200.0, 0.0, 0.0])
    assert "no acetabular roof" in acetabulum(near_head(away, pelvic), pelvic, 0.0)


def test_a_roof_without_floor_gives_a_reason(ct) -> None:
    phantom = HeadPhantom()
    pelvis = phantom.pelvis(-30.0, 119.0)
    _, pelvic = frames(phantom, ct.anatomy, pelvis)
    index = np.argwhere(pelvis.voxels)
    below = (pelvis.to_lps(index) - pelvic.center_mm) @ pelvic.axes[2] < 20.0
    voxels = pelvis.voxels.copy()
    voxels[tuple(index[below].T)] = False
    assert "no teardrop" in acetabulum(replace(pelvis, voxels=voxels), pelvic, 0.0)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("axis", "angle", "expected"),
    [
        # anatomical coordinates: medial, anterior, superior; turning superior to posterior is flexion
        ((1.0, 0.0, 0.0), 20.0, (20.0, 0.0, -14.2)),
        ((0.0, 1.0, 0.0), 15.0, (0.0, 15.0, -14.2)),
        ((0.0, 0.0, 1.0), 14.2, (0.0, 0.0, 0.0)),
        ((0.0, 0.0, 1.0), 44.2, (0.0, 0.0, 30.0)),
    ],
)
def test_flexion_abduction_and_rotation(ct, side, axis, angle, expected) -> None:
    phantom = HeadPhantom(side, rotation_about(axis, angle))
    pelvis = phantom.pelvis(-30.0, 119.0)
    pose = hip_pose(*frames(phantom, ct.anatomy, pelvis), USUAL)
    found = (pose.flexion_deg, pose.abduction_deg, pose.external_rotation_deg)
    assert found == pytest.approx(expected, abs=1e-6)
    assert pose.greatest_deg == pytest.approx(max(abs(each) for each in expected), abs=1e-6)


def test_a_hip_in_neutral_is_turned_by_nothing(ct) -> None:
    phantom = HeadPhantom("left", rotation_about([0.0, 0.0, 1.0], 14.2))
    femoral, pelvic = frames(phantom, ct.anatomy, phantom.pelvis(-30.0, 119.0))
    assert in_neutral(femoral, USUAL).axes == pytest.approx(pelvic.axes, abs=1e-9)


def test_how_a_pelvis_is_stored_does_not_matter(ct) -> None:
    phantom = HeadPhantom()
    pelvis = phantom.pelvis(-30.0, 119.0)
    flipped = replace(
        pelvis,
        voxels=pelvis.voxels[::-1],
        direction=pelvis.direction * [-1.0, 1.0, 1.0],
        origin_mm=pelvis.to_lps([pelvis.voxels.shape[0] - 1, 0, 0]),
    )
    _, pelvic = frames(phantom, ct.anatomy, pelvis)
    _, other = frames(phantom, ct.anatomy, flipped)
    assert other.axes == pytest.approx(pelvic.axes)
    assert acetabulum(flipped, other, 0.0).edge_deg == pytest.approx(acetabulum(pelvis, pelvic, 0.0).edge_deg, abs=0.6)

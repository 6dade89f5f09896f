"""The cut at the end of a scan, on bodies that were cut where we know."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.surface import label_surface
from guidegen.frames import angle_deg, rotation_about, unit
from guidegen.guide.solids import to_surface
from guidegen.phantom import label_volume, make_hip
from guidegen.seat.scan_end import find_scan_end

UP = np.array([0.0, 0.0, 1.0])


@pytest.mark.parametrize("askew_deg", [0.0, 10.0, 30.0, 45.0])
@pytest.mark.parametrize("turn_deg", [0.0, 70.0])
def test_the_cut_through_a_shaft_that_lies_askew(askew_deg: float, turn_deg: float) -> None:
    normal = rotation_about(UP, turn_deg) @ rotation_about([1.0, 0.0, 0.0], askew_deg) @ -UP
    shaft = m3.Manifold.cylinder(200.0, 15.0, 15.0, 96).translate([0.0, 0.0, -100.0]).refine_to_length(2.0)
    end = find_scan_end(to_surface(shaft.trim_by_plane((-normal).tolist(), -20.0)), UP)
    assert angle_deg(end.normal, normal) < 0.01
    points = np.random.default_rng(0).uniform(-50.0, 50.0, (100, 3))
    assert end.above_mm(points) == pytest.approx(20.0 - points @ normal, abs=1e-6)


def test_the_cut_through_a_segmented_bone() -> None:
    hip = make_hip("right", shaft_below_head_mm=95.0)
    labels = label_volume(hip, (1.0, 1.0, 1.5), labels={"femur": 1})
    bone = label_surface(labels.__class__(labels.voxels > 0, labels.spacing_mm, labels.direction, labels.origin_mm))
    end = find_scan_end(bone.surface, hip.truth.shaft_axis)
    assert angle_deg(end.normal, -UP) < 0.5  # the scanner's axis, not the shaft's
    lowest = float(bone.surface.vertices[:, 2].min())
    assert end.above_mm(np.array([0.0, 0.0, lowest + 30.0]) + hip.truth.shaft_point_mm * [1, 1, 0]) == pytest.approx(
        30.0, abs=0.2
    )


def test_a_bone_without_a_cut_ends_at_its_lowest_point() -> None:
    axis = unit([0.1, 0.2, 1.0])
    end = find_scan_end(to_surface(m3.Manifold.sphere(20.0, 64)), axis)
    assert end.above_mm(np.zeros(3)) == pytest.approx(20.0, abs=0.1)
    assert angle_deg(end.normal, -axis) == pytest.approx(0.0, abs=1e-6)

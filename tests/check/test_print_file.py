"""The print file against the guide that was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from guidegen.check.print_file import pose_finding, print_findings, print_pose, read_print
from guidegen.frames import rotation_about
from guidegen.surfaces import Surface
from guidegen.threemf import print_orientation, threemf_bytes


@pytest.fixture
def guide() -> Surface:
    shape = trimesh.creation.annulus(4.0, 7.0, 30.0, sections=24)
    shape.apply_translation([-400.0, 310.0, -620.0])
    bumped = np.array(shape.vertices)
    bumped[0] += [0.5, 0.2, 0.1]  # no symmetry left that a mirror could hide behind
    return Surface(bumped, shape.faces)


def folder_finding(hip, folder: Path, guide: Surface) -> float | None:
    printed = read_print(folder)
    finding, *sizes = print_findings(hip.asked(), printed, print_pose(printed, guide))
    assert [each.name for each in sizes] == ["print length", "print width", "print height"]
    assert finding.passed is (finding.measured is not None and finding.measured <= 0.001)
    return finding.measured


def test_a_turned_guide_is_the_guide(hip, guide, tmp_path) -> None:
    turned = Surface((guide.vertices + [400.0, -310.0, 620.0]) @ rotation_about([1.0, 2.0, 3.0], 130.0).T, guide.faces)
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(turned, {}))
    assert folder_finding(hip, tmp_path, guide) < 1e-3


@pytest.mark.parametrize("factor", [[-1.0, 1.0, 1.0], [1.01, 1.0, 1.0], [1.001, 1.001, 1.001]])
def test_a_mirrored_or_stretched_one_is_not(hip, guide, tmp_path, factor) -> None:
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(Surface(guide.vertices * factor, guide.faces), {}))
    assert folder_finding(hip, tmp_path, guide) > 1e-3


def test_none_or_another_is_no_guide(hip, guide, tmp_path) -> None:
    assert folder_finding(hip, tmp_path, guide) is None
    (tmp_path / "guide.3mf").write_bytes(b"no archive")
    assert folder_finding(hip, tmp_path, guide) is None
    box = trimesh.creation.box(extents=(1.0, 2.0, 3.0))
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(Surface(box.vertices, box.faces), {}))
    assert folder_finding(hip, tmp_path, guide) is None


def test_a_rejected_guide_has_no_print_file(tmp_path) -> None:
    (tmp_path / "rejected.stl").touch()
    assert read_print(tmp_path) is None


def test_the_pose_is_how_the_guide_was_turned(hip) -> None:
    pose, off_mm = print_pose(hip.printed_mm, hip.guide)
    assert off_mm < 1e-9
    turned = pose.points(hip.guide.vertices)
    assert turned[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(pose.vectors(hip.content["guide"]["removal_direction"]), [0.0, 0.0, -1.0], atol=1e-6)


@pytest.mark.parametrize(
    ("build_mm", "too_large"),
    [
        ([79.0, 25.0, 32.0], []),
        ([25.0, 79.0, 32.0], []),  # turned on the plate
        ([77.0, 25.0, 32.0], ["print length"]),
        ([79.0, 23.0, 32.0], ["print width"]),
        ([79.0, 25.0, 31.0], ["print height"]),
    ],
)
def test_a_guide_that_is_larger_than_the_printer_does_not_fit(hip, build_mm, too_large) -> None:
    """78 mm long, 24 wide, and from the lowest of the sleeve's rim to the plate's face 31.2 high."""

    def change(plan) -> None:
        plan["printing"]["build_mm"] = build_mm

    for printed in (hip.printed_mm, hip.printed_mm[..., [1, 0, 2]]):  # whichever side lies along x
        findings = print_findings(hip.asked(change), printed, print_pose(hip.printed_mm, hip.guide))
        assert [finding.name for finding in findings if not finding.passed] == too_large


@pytest.mark.parametrize(("turn", "off_deg"), [(None, 0.0), ([0.0, 0.0, 1.0], 90.0), ([1.0, 0.0, 0.0], 180.0)])
def test_a_guide_turned_on_the_plate_or_over_lies_otherwise_than_planned(hip, turn, off_deg) -> None:
    planned = print_orientation(hip.guide, hip.content["guide"]["print_down"]).rotation
    lying = hip.printed_mm if turn is None else hip.printed_mm @ rotation_about(turn, off_deg).T
    finding = pose_finding(print_pose(lying, hip.guide), planned)
    assert finding.measured == pytest.approx(off_deg, abs=1e-3)
    assert finding.passed is (off_deg == 0.0)


def test_nothing_is_known_of_the_size_of_no_print(hip) -> None:
    findings = print_findings(hip.asked(), np.empty((0, 3, 3)), None)
    assert {(finding.measured, finding.passed) for finding in findings} == {(None, False)}

"""The print file against the guide that was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from guidegen.check.print_file import print_findings
from guidegen.frames import rotation_about
from guidegen.surfaces import Surface
from guidegen.threemf import threemf_bytes


@pytest.fixture
def guide() -> Surface:
    shape = trimesh.creation.annulus(4.0, 7.0, 30.0, sections=24)
    shape.apply_translation([-400.0, 310.0, -620.0])
    bumped = np.array(shape.vertices)
    bumped[0] += [0.5, 0.2, 0.1]  # no symmetry left that a mirror could hide behind
    return Surface(bumped, shape.faces)


def folder_finding(folder: Path, guide: Surface) -> float | None:
    (finding,) = print_findings(folder, guide)
    assert finding.passed is (finding.measured is not None and finding.measured <= 0.001)
    return finding.measured


def test_a_turned_guide_is_the_guide(guide, tmp_path) -> None:
    turned = Surface((guide.vertices + [400.0, -310.0, 620.0]) @ rotation_about([1.0, 2.0, 3.0], 130.0).T, guide.faces)
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(turned, {}))
    assert folder_finding(tmp_path, guide) < 1e-3


@pytest.mark.parametrize("factor", [[-1.0, 1.0, 1.0], [1.01, 1.0, 1.0], [1.001, 1.001, 1.001]])
def test_a_mirrored_or_stretched_one_is_not(guide, tmp_path, factor) -> None:
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(Surface(guide.vertices * factor, guide.faces), {}))
    assert folder_finding(tmp_path, guide) > 1e-3


def test_none_or_another_is_no_guide(guide, tmp_path) -> None:
    assert folder_finding(tmp_path, guide) is None
    (tmp_path / "guide.3mf").write_bytes(b"no archive")
    assert folder_finding(tmp_path, guide) is None
    box = trimesh.creation.box(extents=(1.0, 2.0, 3.0))
    (tmp_path / "guide.3mf").write_bytes(threemf_bytes(Surface(box.vertices, box.faces), {}))
    assert folder_finding(tmp_path, guide) is None


def test_a_rejected_guide_has_no_print_file(guide, tmp_path) -> None:
    (tmp_path / "rejected.stl").touch()
    assert print_findings(tmp_path, guide) == ()

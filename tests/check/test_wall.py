"""The thickness of the plastic."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.wall import wall_finding
from guidegen.surfaces import Surface


def test_the_good_guide_is_as_thick_as_its_thinnest_wall(hip) -> None:
    wall = wall_finding(hip.asked(), hip.guide)
    assert wall.passed
    assert wall.measured == pytest.approx(3.5 - 1.1, abs=0.02)  # the pins' bosses


def test_a_thin_fin_is_measured(hip, bench) -> None:
    fin = bench.block([17.0, -12.8, -30.0], [30.0, -11.6, 25.0])
    wall = wall_finding(hip.asked(), hip.wrong_guide(add=fin))
    assert (wall.measured, wall.passed) == (pytest.approx(1.2, abs=0.01), False)


def test_the_edge_of_a_wedge_is_no_wall(hip) -> None:
    corners = np.array([[x, y, z] for x in (0.0, 40.0) for y, z in ((0.0, 0.0), (40.0, 0.0), (0.0, 40.0))])
    faces = np.array([[0, 2, 1], [3, 4, 5], [0, 1, 4], [0, 4, 3], [0, 5, 2], [0, 3, 5], [1, 2, 5], [1, 5, 4]])
    wedge = Surface(corners, faces)
    assert wedge.is_closed
    assert wedge.volume_mm3 == pytest.approx(32000.0)
    # two feet at right angles and a slope at 45° between them: only the two ends are parallel
    assert wall_finding(hip.asked(), wedge).measured == pytest.approx(40.0, abs=1e-6)


def test_a_body_without_parallel_faces_is_not_measured(hip) -> None:
    corners = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    finding = wall_finding(hip.asked(), Surface(corners, np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])))
    assert (finding.measured, finding.passed) == (None, False)

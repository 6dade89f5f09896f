"""The version of the neck on made-up whole femora: a neck turned by a known angle against two condyles."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.bone.head import Head
from guidegen.bone.trochanters import ShaftFrame
from guidegen.bone.version import neck_version
from guidegen.frames import rotation_about, unit

CENTER = np.array([-88.0, 14.0, -640.0])
HEAD = Head(CENTER, 24.0, 0.8, 0.1)
UP = np.array([0.0, 0.0, 1.0])
BELOW_MM = 400.0
MIRROR = {"right": 1.0, "left": -1.0}


def whole_femur(solids, side: str, version_deg: float, condyles: bool = True, cut_mm: float | None = None):
    """A rod below the head with two condyles across x at its end, and the neck turned to the front (-y) of that."""
    medial = MIRROR[side]
    neck = rotation_about(UP, -medial * version_deg) @ unit([medial, 0.0, 1.2])
    middle = CENTER - 50.0 * neck  # on the shaft
    end = middle - BELOW_MM * UP
    body = solids.ball(CENTER, 24.0) + solids.rod(CENTER, middle, 14.0) + solids.rod(middle, end, 15.0)
    if condyles:
        for beside in (-25.0, 25.0):
            body += solids.ball(end + [beside, 12.0, 0.0], 22.0)
    if cut_mm is not None:
        body = body.trim_by_plane(list(UP), float(end[2] + cut_mm))
    return solids.surface(body, 6.0), neck, ShaftFrame.of(CENTER, middle - 60.0 * UP, UP), middle - 60.0 * UP


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("version_deg", [-10.0, 0.0, 15.0, 35.0])
def test_it_is_the_angle_by_which_the_neck_was_turned(solids, side, version_deg) -> None:
    surface, neck, frame, point = whole_femur(solids, side, version_deg)
    version = neck_version(surface, HEAD, frame, side, point, neck, 2.0)
    # seen from the knee's middle, which lies a little behind the shaft
    assert version.degrees == pytest.approx(version_deg, abs=2.0)
    assert version.missing is None
    assert version.doubt_deg >= 2.0 / np.sin(np.radians(60.0))


@pytest.mark.parametrize(("condyles", "cut_mm"), [(False, None), (True, 200.0), (True, 60.0), (True, 8.0)])
def test_without_both_condyles_there_is_none_and_a_reason(solids, condyles, cut_mm) -> None:
    surface, neck, frame, point = whole_femur(solids, "right", 15.0, condyles, cut_mm)
    version = neck_version(surface, HEAD, frame, "right", point, neck, 2.0)
    assert version.degrees is None
    assert version.doubt_deg is None
    assert "which this bone does not show" in version.missing

"""The shaft axis of rods, long and short, and of the made-up hip."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.bone.head import Head
from guidegen.bone.shaft import OFFSET_DIAMETERS, Shaft, find_shaft, shaft_doubt_deg
from guidegen.errors import AnatomyError
from guidegen.frames import across, angle_deg, unit

CENTER = np.array([-88.0, 14.0, -640.0])
EDGE_MM = 5.0
UP = unit([0.08, 0.12, 1.0])
MEDIAL = unit(across([1.0, 0.1, 0.0], UP))
RADIUS = 24.0
HEAD = Head(CENTER, RADIUS, 0.6, 0.1)
OFFSET_MM = OFFSET_DIAMETERS * 2.0 * RADIUS
ON_AXIS = CENTER - OFFSET_MM * MEDIAL


def femur(solids, below_mm: float, lump: bool = False):
    """A ball, a neck and a rod round the line through ON_AXIS that ends `below_mm` below the head centre."""
    rod = solids.rod(ON_AXIS + 15.0 * UP, ON_AXIS - below_mm * UP, 15.0)
    neck = solids.rod(CENTER, ON_AXIS - 25.0 * UP, 14.0)
    body = solids.ball(CENTER, RADIUS) + neck + rod
    if lump:  # a lesser trochanter: above the shaft, it must have no say
        body += solids.ball(ON_AXIS - 52.0 * UP + 14.0 * unit(np.cross(UP, MEDIAL) + 0.4 * MEDIAL), 9.0)
    return solids.surface(body, EDGE_MM)


def off_line(shaft: Shaft) -> float:
    return float(np.linalg.norm(across(shaft.point_mm - ON_AXIS, UP)))


@pytest.mark.parametrize("below_mm", [110.0, 150.0, 380.0])
@pytest.mark.parametrize("lump", [False, True])
def test_a_long_shaft_is_the_line_through_its_sections(solids, below_mm, lump) -> None:
    shaft = find_shaft(femur(solids, below_mm, lump), HEAD)
    assert not shaft.short
    assert angle_deg(shaft.axis, UP) < 0.05
    assert off_line(shaft) < 0.05
    assert np.linalg.norm(shaft.axis) == pytest.approx(1.0)


@pytest.mark.parametrize("below_mm", [70.0, 90.0])
@pytest.mark.parametrize("lump", [False, True])
def test_a_short_shaft_passes_the_head_at_the_usual_distance(solids, below_mm, lump) -> None:
    shaft = find_shaft(femur(solids, below_mm, lump), HEAD)
    assert shaft.short
    assert angle_deg(shaft.axis, UP) < 2.0
    assert np.linalg.norm(across(CENTER - shaft.point_mm, shaft.axis)) == pytest.approx(OFFSET_MM, rel=0.02)


def test_the_axis_points_to_the_head_and_the_point_lies_below_it(solids) -> None:
    for below_mm in (80.0, 150.0):
        shaft = find_shaft(femur(solids, below_mm), HEAD)
        assert (CENTER - shaft.point_mm) @ shaft.axis > 50.0


def test_the_knee_has_no_say(solids) -> None:
    """Only the proximal 65 mm of the shaft are looked at: a femur bows further down."""
    end = ON_AXIS - 140.0 * UP
    bowed = solids.rod(end + 2.0 * UP, end - 250.0 * unit(UP + 0.3 * MEDIAL), 15.0)
    body = solids.ball(CENTER, RADIUS) + solids.rod(CENTER, ON_AXIS - 25.0 * UP, 14.0)
    body += solids.rod(ON_AXIS + 15.0 * UP, end, 15.0) + bowed
    shaft = find_shaft(solids.surface(body, EDGE_MM), HEAD)
    assert angle_deg(shaft.axis, UP) < 0.1


@pytest.mark.parametrize("bow_deg", [0.0, 4.0, 8.0])
def test_a_bowed_shaft_is_in_as_much_doubt_as_it_is_bowed(solids, bow_deg) -> None:
    """Two straight halves that meet in the middle of what is looked at: each leans by half the bow."""
    lean = np.radians(bow_deg / 2.0)
    bend = ON_AXIS - (1.3 * 48.0 + 32.5) * UP
    upper, lower = (unit(UP + sign * np.tan(lean) * np.cross(UP, MEDIAL)) for sign in (1.0, -1.0))
    body = solids.ball(CENTER, RADIUS) + solids.rod(CENTER, ON_AXIS - 25.0 * UP, 14.0)
    body += solids.rod(bend + 110.0 * upper, bend, 15.0) + solids.rod(bend, bend - 100.0 * lower, 15.0)
    surface = solids.surface(body, EDGE_MM)
    assert shaft_doubt_deg(surface, HEAD, find_shaft(surface, HEAD)) == pytest.approx(bow_deg / 2.0, abs=0.7)


@pytest.mark.parametrize("below_mm", [70.0, 90.0])
def test_a_short_shaft_is_in_doubt_by_the_spread_of_usual_distances(solids, below_mm) -> None:
    surface = femur(solids, below_mm)
    doubt = shaft_doubt_deg(surface, HEAD, find_shaft(surface, HEAD))
    assert doubt > np.degrees(np.arctan(0.9 * 0.12 * 2.0 * RADIUS / below_mm))


def test_a_head_with_no_more_than_its_neck_is_refused(solids) -> None:
    stump = solids.ball(CENTER, RADIUS) + solids.rod(CENTER, CENTER - 50.0 * unit(MEDIAL + UP), 14.0)
    match = r"reaches at least 1\.25 head diameters \(60 mm\) from the head centre, found one that ends 5\d mm from it"
    with pytest.raises(AnatomyError, match=match):
        find_shaft(solids.surface(stump, EDGE_MM), HEAD)

"""The isthmus of a neck turned on a lathe, whose narrowest place and axis are known."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.head import Head
from guidegen.bone.neck import find_neck, neck_doubt
from guidegen.bone.shaft import Shaft
from guidegen.errors import AnatomyError
from guidegen.frames import across, angle_deg, perpendicular_pair, rotation_about, unit

CENTER = np.array([-88.0, 14.0, -640.0])
UP = unit([0.1, 0.05, 1.0])
MEDIAL = unit(across([1.0, 0.1, 0.0], UP))
HEAD = Head(CENTER, 24.0, 0.6, 0.1)


def axis_at(neck_shaft_deg: float):
    """Towards the head, at this angle to the shaft below."""
    lean = np.radians(180.0 - neck_shaft_deg)
    return np.cos(lean) * UP + np.sin(lean) * MEDIAL


def shaft_for(axis) -> Shaft:
    """A shaft axis 42 mm lateral of the head centre; the neck starts its search from it."""
    return Shaft(CENTER - 42.0 * unit(across(axis, UP)) - 90.0 * UP, UP, short=False)


def hourglass(solids, axis, narrowest_mm: float, beside=None):
    """A ball and a neck of radius 14 + 0.02 (way - narrowest)² mm down to 55 mm from the ball's centre."""
    way = np.linspace(8.0, 55.0, 95)
    return lathed(solids, axis, way, 14.0 + 0.02 * (way - narrowest_mm) ** 2, beside)


def lathed(solids, axis, way, radius, beside=None):
    """A ball and a neck of these radii so far down from the ball's centre."""
    outline = np.concatenate([[[0.0, way[0]]], np.stack([radius, way], axis=1), [[0.0, way[-1]]]])
    neck = m3.Manifold.revolve(m3.CrossSection([outline]), 96)
    frame = np.column_stack([*perpendicular_pair(-axis), -axis, CENTER])
    body = solids.ball(CENTER, 24.0) + neck.transform(frame)
    return solids.surface(body if beside is None else body + beside)


@pytest.mark.parametrize("narrowest_mm", [22.0, 27.0, 33.0])
@pytest.mark.parametrize("neck_shaft_deg", [115.0, 127.0, 142.0])
def test_the_isthmus_is_the_narrowest_place_of_the_neck(solids, narrowest_mm, neck_shaft_deg) -> None:
    axis = axis_at(neck_shaft_deg)
    center, found = find_neck(hourglass(solids, axis, narrowest_mm), HEAD, shaft_for(axis))
    assert angle_deg(found, axis) < 0.1
    # sections stand 0.6 mm apart, and the smallest is taken
    assert center == pytest.approx(CENTER - narrowest_mm * axis, abs=0.45)
    assert np.linalg.norm(across(center - CENTER, axis)) < 0.05


@pytest.mark.parametrize("turned_deg", [-25.0, 25.0])
def test_a_neck_out_of_the_plane_of_head_and_shaft_is_followed(solids, turned_deg) -> None:
    """Anteversion: the search starts in the plane of shaft and head, the neck runs in front of or behind it."""
    axis = axis_at(127.0)
    turned = rotation_about(UP, turned_deg) @ axis
    center, found = find_neck(hourglass(solids, turned, 27.0), HEAD, shaft_for(axis))
    assert angle_deg(found, turned) < 0.1
    assert center == pytest.approx(CENTER - 27.0 * turned, abs=0.45)


def test_a_trochanter_beside_the_neck_is_no_part_of_its_section(solids) -> None:
    axis = axis_at(127.0)
    beside = CENTER - 30.0 * axis + 45.0 * unit(across(UP, axis))
    surface = hourglass(solids, axis, 27.0, solids.ball(beside, 22.0))
    center, found = find_neck(surface, HEAD, shaft_for(axis))
    assert angle_deg(found, axis) < 0.1
    assert center == pytest.approx(CENTER - 27.0 * axis, abs=0.45)


@pytest.mark.parametrize(("low_mm", "high_mm"), [(24.5, 30.5), (25.0, 36.0)])
def test_the_isthmus_of_a_tube_is_its_middle(solids, low_mm, high_mm) -> None:
    """Where all sections are alike, no one of them is the smallest, and the doubt is half the tube's length."""
    way = np.linspace(8.0, 55.0, 95)
    radius = 14.0 + 0.02 * np.maximum(np.maximum(low_mm - way, way - high_mm), 0.0) ** 2
    axis = axis_at(127.0)
    surface = lathed(solids, axis, way, radius)
    center, found = find_neck(surface, HEAD, shaft_for(axis))
    assert center == pytest.approx(CENTER - (low_mm + high_mm) / 2.0 * axis, abs=0.6)
    isthmus_mm, axis_deg = neck_doubt(surface, HEAD, 0.5, center, found)
    # and as far on as it takes to widen by 5 %: 0.02 way² = 14 (√1.05 - 1)
    assert isthmus_mm == pytest.approx((high_mm - low_mm) / 2.0 + 4.2, abs=1.0)
    assert axis_deg == pytest.approx(np.degrees(np.arctan(0.5 / np.linalg.norm(center - CENTER))), abs=0.1)


def test_a_bent_neck_has_an_axis_in_doubt(solids) -> None:
    axis = axis_at(127.0)
    straight = solids.rod(CENTER, CENTER - 55.0 * axis, 14.0)
    bent = solids.rod(CENTER, CENTER - 25.0 * axis, 14.0)
    bent += solids.rod(CENTER - 25.0 * axis, CENTER - 25.0 * axis - 30.0 * unit(axis + 0.3 * UP), 14.0)
    doubts = []
    for neck in (straight, bent):
        surface = solids.surface(solids.ball(CENTER, 24.0) + neck)
        doubts.append(neck_doubt(surface, HEAD, 0.5, *find_neck(surface, HEAD, shaft_for(axis)))[1])
    assert doubts[0] < 1.5
    assert doubts[1] > doubts[0] + 1.0


def test_a_head_without_a_neck_is_refused(solids) -> None:
    small = Head(CENTER, 24.0, 0.6, 0.1)
    alone = solids.surface(solids.ball(CENTER, 10.0))  # nothing left where the neck is looked for
    with pytest.raises(
        AnatomyError, match=r"expected a femoral neck within 1\.7 head radii .* found no closed section"
    ):
        find_neck(alone, small, shaft_for(axis_at(127.0)))

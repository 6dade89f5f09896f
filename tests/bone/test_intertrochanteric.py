"""The intertrochanteric line on a neck that steps up to a thicker body along a known line."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.head import Head
from guidegen.bone.intertrochanteric import intertrochanteric_line
from guidegen.errors import AnatomyError
from guidegen.frames import across, angle_deg, unit

CENTER = np.array([-88.0, 14.0, -640.0])
HEAD = Head(CENTER, 24.0, 0.8, 0.1)
NECK = unit([0.6, -0.2, 0.75])  # of a right femur, towards the head
ABOVE = unit(across([0.05, 0.1, 1.0], NECK))
FRONT = -np.cross(NECK, ABOVE) * np.sign(np.cross(NECK, ABOVE)[1])


def stepped(solids, beyond_mm: float, slant: float):
    """A slab along the neck whose front rises by 8 mm over 16 mm up to a line, and is level behind it."""
    outline = [(-10.0, -15.0), (90.0, -15.0), (90.0, 18.0), (beyond_mm, 18.0), (beyond_mm - 16.0, 10.0), (-10.0, 10.0)]
    slab = m3.Manifold.extrude(m3.CrossSection([outline]), 120.0).translate([0.0, 0.0, -60.0])
    # drawn: x down the neck, y to the front, z above; slanted in the plane of the front
    matrix = np.column_stack([-NECK, FRONT, ABOVE - slant * NECK])
    if np.linalg.det(matrix) < 0.0:
        slab = slab.mirror([0.0, 0.0, 1.0])
        matrix[:, 2] *= -1.0
    return solids.surface(slab.transform(np.column_stack([matrix, CENTER])), 5.0)


@pytest.mark.parametrize("beyond_mm", [42.0, 48.0])
@pytest.mark.parametrize("slant", [-0.25, 0.0, 0.25])
def test_the_line_is_where_the_front_stops_rising(solids, beyond_mm, slant) -> None:
    line, doubt_mm = intertrochanteric_line(stepped(solids, beyond_mm, slant), HEAD, NECK, ABOVE, -FRONT)
    assert line.shape == (5, 3)
    assert (line - CENTER) @ FRONT == pytest.approx(np.full(5, 18.0), abs=1.5)
    drawn = beyond_mm + slant * ((line - CENTER) @ ABOVE)
    assert -(line - CENTER) @ NECK == pytest.approx(drawn, abs=1.5)
    assert angle_deg(line[0] - line[-1], ABOVE - slant * NECK) < 6.0
    assert doubt_mm < 15.0


def test_it_runs_from_above_the_neck_to_below_it(solids) -> None:
    line, _ = intertrochanteric_line(stepped(solids, 45.0, 0.1), HEAD, NECK, ABOVE, -FRONT)
    heights = (line - CENTER) @ ABOVE
    assert (np.diff(heights) < 0.0).all()
    assert heights[0] > 10.0
    assert heights[-1] < -10.0


def test_a_level_front_is_in_great_doubt(solids) -> None:
    level = solids.surface(solids.block(CENTER - 90.0, CENTER + 90.0), 5.0)
    _, doubt_mm = intertrochanteric_line(level, HEAD, NECK, ABOVE, -FRONT)
    assert doubt_mm > 8.0


def test_a_bone_that_shows_no_front_is_refused(solids) -> None:
    with pytest.raises(
        AnatomyError, match="expected the front of the femur between its trochanters, found little of it"
    ):
        intertrochanteric_line(solids.surface(solids.ball(CENTER, 24.0)), HEAD, NECK, ABOVE, -FRONT)

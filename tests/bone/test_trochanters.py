"""Trochanters, vastus ridge and side of rods with bumps at known places."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.head import Head
from guidegen.bone.trochanters import (
    ShaftFrame,
    greater_doubt_mm,
    greater_trochanter,
    lesser_doubt_mm,
    lesser_trochanter,
    ridge_doubt_mm,
    shape_side,
    vastus_ridge,
)
from guidegen.errors import AnatomyError, SideError
from guidegen.frames import unit

CENTER = np.array([-88.0, 14.0, -640.0])
UP = unit([0.08, 0.12, 1.0])
MEDIAL = unit(np.cross(np.cross(UP, [1.0, 0.1, 0.0]), UP))
ACROSS = np.cross(UP, MEDIAL)
HEAD = Head(CENTER, 24.0, 0.6, 0.1)
FRAME = ShaftFrame.of(CENTER, CENTER - 42.0 * MEDIAL - 100.0 * UP, UP)
EDGE_MM = 5.0


def at(up: float, medial: float = 0.0, across: float = 0.0):
    """The point so far from the shaft axis and from the level of the head centre, in mm."""
    return FRAME.origin_mm + up * UP + medial * MEDIAL + across * ACROSS


def shaft(solids, end_mm: float = -150.0, top_mm: float = 0.0):
    return solids.rod(at(end_mm), at(top_mm), 14.0)


def test_the_frame_stands_on_the_shaft_level_with_the_head() -> None:
    assert FRAME.origin_mm == pytest.approx(CENTER - 42.0 * MEDIAL)
    assert np.stack([FRAME.up, FRAME.medial, FRAME.across]) == pytest.approx(np.stack([UP, MEDIAL, ACROSS]))
    # the head of a right femur points to the patient's left, to +x, and the back is +y
    assert FRAME.medial[0] > 0.9
    assert FRAME.posterior("right")[1] > 0.9
    assert FRAME.posterior("left") == pytest.approx(-FRAME.posterior("right"))


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_lesser_trochanter_is_the_tip_of_the_bump_behind(solids, side) -> None:
    back = FRAME.posterior(side)
    bump = at(-55.0) + 12.0 * back + 3.0 * MEDIAL
    body = shaft(solids) + solids.ball(bump, 9.0) + solids.ball(at(-55.0) - 16.0 * back, 9.0)
    tip = lesser_trochanter(solids.surface(body, 3.0), HEAD, FRAME, side)
    # posterior, 20° to medial, 7° up: there the ball's normal points that way
    slant, up = np.radians(20.0), np.radians(7.0)
    outwards = np.cos(up) * (np.cos(slant) * back + np.sin(slant) * MEDIAL) + np.sin(up) * UP
    assert tip == pytest.approx(bump + 9.0 * outwards, abs=0.4)


def test_a_trochanter_below_a_wider_bone_is_found_all_the_same(solids) -> None:
    """At the upper end of the search the back of the bone reaches further than the tip, but does not stand out."""
    back = FRAME.posterior("right")
    crest = solids.rod(at(0.0) + 14.0 * back, at(-45.0), 12.0)
    body = shaft(solids) + crest + solids.ball(at(-60.0) + 10.0 * back, 9.0)
    tip = lesser_trochanter(solids.surface(body, 3.0), HEAD, FRAME, "right")
    assert (tip - FRAME.origin_mm) @ UP == pytest.approx(-59.0, abs=2.0)


@pytest.mark.parametrize("shaft_doubt_deg", [0.0, 15.0, 30.0])
def test_a_tip_is_as_uncertain_as_it_is_blunt(solids, shaft_doubt_deg) -> None:
    """On a ball a direction tilted by an angle moves the tip by twice the radius times the sine of half of it."""
    back = FRAME.posterior("right")
    tilt = np.radians(max(15.0, shaft_doubt_deg))
    for radius in (8.0, 12.0):
        low, high = at(-55.0) + 14.0 * back, at(-2.0, -9.0)
        body = shaft(solids, top_mm=-25.0) + solids.ball(low, radius) + solids.ball(high, radius)
        surface = solids.surface(body, 2.0)
        moved = 2.0 * radius * np.sin(tilt / 2.0)
        tip = lesser_trochanter(surface, HEAD, FRAME, "right")
        assert lesser_doubt_mm(surface, FRAME, "right", tip, shaft_doubt_deg) == pytest.approx(moved, rel=0.2)
        tip = greater_trochanter(surface, HEAD, FRAME)
        assert greater_doubt_mm(surface, HEAD, FRAME, tip, shaft_doubt_deg) == pytest.approx(moved, rel=0.2)


def test_a_bump_far_below_is_no_lesser_trochanter(solids) -> None:
    back = FRAME.posterior("right")
    low = at(-105.0) + 20.0 * back
    body = shaft(solids) + solids.ball(at(-55.0) + 12.0 * back, 9.0) + solids.ball(low, 9.0)
    tip = lesser_trochanter(solids.surface(body, 3.0), HEAD, FRAME, "right")
    assert (tip - FRAME.origin_mm) @ UP == pytest.approx(-55.0, abs=3.0)


def test_a_lesser_trochanter_cut_off_by_the_scan_is_refused(solids) -> None:
    back = FRAME.posterior("right")
    body = shaft(solids) + solids.ball(at(-55.0) + 12.0 * back, 9.0)
    cut = body.trim_by_plane(list(UP), float(UP @ at(-52.0)))
    match = (
        r"expected the lesser trochanter at 29–77 mm below the head centre, found none before the bone ends at 52 mm"
    )
    with pytest.raises(AnatomyError, match=match):
        lesser_trochanter(solids.surface(cut, 3.0), HEAD, FRAME, "right")


def test_a_bone_that_ends_above_the_lesser_trochanter_is_refused(solids) -> None:
    stump = solids.surface(shaft(solids, -25.0, 30.0), 3.0)
    with pytest.raises(AnatomyError, match=r"expected the lesser trochanter at 29–77 mm .* scan or segment more"):
        lesser_trochanter(stump, HEAD, FRAME, "right")


def test_the_greater_trochanter_is_the_highest_point_of_the_lateral_side(solids) -> None:
    bump = at(-2.0, -9.0, 3.0)
    head = solids.ball(CENTER, 24.0)  # higher, but medial
    tip = greater_trochanter(
        solids.surface(shaft(solids, top_mm=-8.0) + solids.ball(bump, 12.0) + head, 3.0), HEAD, FRAME
    )
    assert tip == pytest.approx(bump + 12.0 * UP, abs=0.5)


def profiled(solids, levels, reaches, half_depth: float = 40.0):
    """A slab whose lateral face lies `reaches` mm from the shaft axis at `levels` mm (falling), straight between."""
    outline = [(-x, y) for x, y in zip(reaches, levels, strict=True)] + [(20.0, levels[-1]), (20.0, levels[0])]
    section = m3.CrossSection([outline], m3.FillRule.NonZero)
    slab = m3.Manifold.extrude(section, 2.0 * half_depth).translate([0.0, 0.0, -half_depth])
    # drawn: x medial, y up, z = x × y = medial × up
    frame = np.column_stack([MEDIAL, UP, np.cross(MEDIAL, UP), FRAME.origin_mm])
    return solids.surface(slab.transform(frame), EDGE_MM)


@pytest.mark.parametrize("ridge_mm", [-15.0, -30.0])
def test_the_vastus_ridge_is_where_the_lateral_profile_stands_out_most(solids, ridge_mm) -> None:
    slab = profiled(solids, [30.0, ridge_mm, -150.0], [20.0, 32.0, 12.0])
    ridge = vastus_ridge(slab, FRAME, "right", at(20.0, -10.0), at(-60.0))
    assert ridge == pytest.approx(at(ridge_mm, -32.0), abs=1.5)  # calmed over 3 mm to either side
    assert np.abs(slab.signed_distance_mm(ridge[None]))[0] < 1e-3


def test_a_sharp_ridge_is_less_uncertain_than_a_flat_one(solids) -> None:
    sharp = profiled(solids, [30.0, -20.0, -150.0], [14.0, 36.0, 12.0])
    flat = profiled(solids, [30.0, -5.0, -35.0, -150.0], [20.0, 31.0, 31.0, 12.0])
    greater, lesser = at(20.0, -10.0), at(-60.0)
    doubts = [ridge_doubt_mm(slab, FRAME, "right", greater, lesser) for slab in (sharp, flat)]
    assert doubts[0] < 8.0
    assert doubts[1] > doubts[0] + 3.0


def test_a_straight_lateral_side_has_no_vastus_ridge(solids) -> None:
    slab = profiled(solids, [30.0, -30.0, -150.0], [40.0, 30.0, 40.0])  # hollow where the ridge would stand out
    with pytest.raises(AnatomyError, match=r"expected a vastus ridge on the lateral side .* found a straight profile"):
        vastus_ridge(slab, FRAME, "right", at(20.0, -10.0), at(-60.0))


@pytest.mark.parametrize(("side", "sign"), [("left", 1.0), ("right", -1.0)])
@pytest.mark.parametrize("sign_of", ["neck", "trochanter", "both"])
def test_neck_in_front_and_trochanter_behind_tell_the_side(solids, side, sign, sign_of) -> None:
    """On a left femur up × medial points to the front."""
    front = sign * ACROSS
    body = shaft(solids)
    if sign_of != "neck":
        body += solids.ball(at(-55.0, 3.0) - 12.0 * front, 9.0)
    isthmus = at(-15.0, 20.0) + (0.0 if sign_of == "trochanter" else 5.0) * front
    assert shape_side(solids.surface(body, EDGE_MM), HEAD, FRAME, isthmus) == side


def test_a_symmetric_bone_tells_no_side(solids) -> None:
    with pytest.raises(
        SideError, match=r"expected a femur whose shape tells its side .* found neither clearly \(score"
    ):
        shape_side(solids.surface(shaft(solids), EDGE_MM), HEAD, FRAME, at(-15.0, 20.0))


def test_signs_that_contradict_each_other_tell_no_side(solids) -> None:
    front = ACROSS
    body = solids.surface(shaft(solids) + solids.ball(at(-55.0) + 11.0 * front, 9.0), EDGE_MM)  # a bump in front
    with pytest.raises(SideError, match="found neither clearly"):
        shape_side(body, HEAD, FRAME, at(-15.0, 20.0) + 3.2 * front)


def test_a_rod_without_a_bump_has_no_lesser_trochanter(solids) -> None:
    with pytest.raises(AnatomyError, match="expected the lesser trochanter"):
        lesser_trochanter(solids.surface(shaft(solids), 3.0), HEAD, FRAME, "right")

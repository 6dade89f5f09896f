"""Pads for what is written on the shell: nothing is cut through their letters, and nothing stands before them."""

from __future__ import annotations

import numpy as np
from bodies import cylinder, field_of, rectangle

from guidegen.frames import FloatArray, across
from guidegen.guide.label import MARGIN_MM, Label
from guidegen.guide.pads import Lean, flank_places, head_pad
from guidegen.guide.sights import Taken
from guidegen.plan.guide_shapes import LabelShape

SHAFT = cylinder(20.0, 120.0)
PATCH = rectangle(field_of(lambda x, y: np.sqrt(np.maximum(20.0**2 - x**2, 0.0)) + 0.0 * y), 36.0, 60.0)
SHAPE = LabelShape(text_height_mm=4.0, least_text_height_mm=3.0, depth_mm=0.6, raised=False)
LEAN = Lean(np.array([0.0, 0.0, 1.0]), 20.0)
FAR_MM = np.array([[0.0, 0.0, 500.0]])


def pad_with(*standing: Taken) -> Label:
    places = flank_places(PATCH, LEAN, FAR_MM, 1.0, standing)
    return head_pad(PATCH, SHAFT, 4.0, places, [], SHAPE)


def in_the_way(pad: Label, over_mm: float) -> FloatArray:
    """The middle of the pad's letters, so far over their face."""
    return (pad.center_mm + over_mm * pad.outward_direction)[None]


def test_nothing_stands_before_the_letters() -> None:
    free = pad_with()
    moved = pad_with(Taken(in_the_way(free, 8.0), 3.0))
    relative = in_the_way(free, 8.0)[0] - moved.center_mm
    before = relative @ moved.outward_direction > 0.0
    along, upwards = abs(relative @ moved.reading_direction), abs(relative @ moved.up_direction)
    assert not (before and along < moved.width_mm / 2.0 and upwards < moved.height_mm / 2.0)


def test_what_stands_behind_the_face_or_beside_it_moves_no_pad() -> None:
    free = pad_with()
    for place in (in_the_way(free, -4.0), in_the_way(free, 8.0) + 200.0 * free.reading_direction):
        np.testing.assert_allclose(pad_with(Taken(place, 3.0)).center_mm, free.center_mm)


def test_what_comes_out_through_the_face_moves_the_pad() -> None:
    """A shell that rises beside a pad, over what is kept out, would bury its letters."""
    free = pad_with()
    ball_mm, radius_mm = in_the_way(free, -2.0), 3.0
    moved = pad_with(Taken(ball_mm, radius_mm))
    behind = -float((ball_mm[0] - moved.center_mm) @ moved.outward_direction)
    if abs(behind) < radius_mm:
        beside = across(ball_mm[0] - moved.center_mm, moved.outward_direction)
        over = np.abs([beside @ moved.reading_direction, beside @ moved.up_direction])
        half = np.array([moved.width_mm, moved.height_mm]) / 2.0 - MARGIN_MM
        assert np.linalg.norm(np.maximum(over - half, 0.0)) >= np.sqrt(radius_mm**2 - behind**2) - 1e-9
    assert not np.allclose(moved.center_mm, free.center_mm)

"""The gluteal tuberosity on shafts with ridges at known turns, and on none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy
from guidegen.bone.tuberosity import FURTHEST_BACK_DEG, TURN_STEP_DEG, gluteal_tuberosity_deg
from guidegen.frames import LPS, FloatArray, RigidTransform, rotation_about
from guidegen.surfaces import Surface

LESSER_MM = -55.0  # below the head centre
OFFSET_MM = 42.0  # of the shaft's axis from it
RADIUS_MM = 15.0


def anatomy(side: str = "left") -> Anatomy:
    """A femur that stands straight; the head of a left one lies towards -x, the back is +y."""
    medial = -1.0 if side == "left" else 1.0
    up, shaft = np.array([0.0, 0.0, 1.0]), np.zeros(3)
    head, lesser = np.array([medial * OFFSET_MM, 0.0, 0.0]), np.array([medial * 15.0, 10.0, LESSER_MM])
    neck = np.array([medial * 0.7, 0.0, 0.714])
    return Anatomy(side, head, 24.0, head, neck, shaft, up, lesser, head, head, 130.0, 0.1, False)


def shaft(ridges: dict[float, float], side: str = "left", low_mm: float = -130.0, wide_deg: float = 9.0) -> Surface:
    """A bowed and flattened shaft below the head, with ridges `heights` mm high at turns to the front."""
    turns, levels = np.radians(np.arange(0.0, 360.0, 1.5)), np.arange(low_mm, -20.0, 2.0)
    lateral = np.array([1.0 if side == "left" else -1.0, 0.0])
    front = np.array([0.0, -1.0])
    reach = RADIUS_MM + 1.2 * np.cos(2.0 * turns + 0.3) + 0.4 * np.cos(3.0 * turns)
    for at_deg, height_mm in ridges.items():
        away = (np.degrees(turns) - at_deg + 180.0) % 360.0 - 180.0
        reach = reach + height_mm * np.exp(-0.5 * (away / (wide_deg / 2.0)) ** 2)
    ring = reach[:, None] * (np.cos(turns)[:, None] * lateral + np.sin(turns)[:, None] * front)
    bow = 2e-4 * (levels + 75.0) ** 2
    corners = np.concatenate(
        [np.c_[ring + [0.0, bend], np.full(len(ring), level)] for level, bend in zip(levels, bow, strict=True)]
    )
    return closed(corners, len(turns), len(levels), flipped=side == "right")


def closed(corners: FloatArray, around: int, along: int, flipped: bool) -> Surface:
    """A tube of rings of corners, closed at both ends."""
    node = np.arange(around * along).reshape(along, around)
    a, b = node[:-1].ravel(), np.roll(node[:-1], -1, axis=1).ravel()
    c, d = np.roll(node[1:], -1, axis=1).ravel(), node[1:].ravel()
    low, high = around * along, around * along + 1
    following = np.roll(node, -1, axis=1)
    faces = np.concatenate([
        np.c_[a, c, b], np.c_[a, d, c],
        np.c_[node[0], following[0], np.full(around, low)], np.c_[node[-1], np.full(around, high), following[-1]],
    ])  # fmt: skip
    ends = [corners[:around].mean(axis=0), corners[-around:].mean(axis=0)]
    surface = Surface(np.concatenate([corners, ends]), faces[:, ::-1] if flipped else faces)
    return surface if surface.volume_mm3 > 0.0 else Surface(surface.vertices, surface.faces[:, ::-1])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("at_deg", [-36.0, -57.0, -72.0])
def test_a_ridge_behind_lateral_is_found_where_it_runs(side: str, at_deg: float) -> None:
    found = gluteal_tuberosity_deg(shaft({at_deg: 0.8}, side), anatomy(side))
    assert found == pytest.approx(at_deg, abs=TURN_STEP_DEG)


def test_the_outermost_of_two_ridges_alike_is_the_tuberosity() -> None:
    """The linea aspera stands out behind it, and often more; a faint line in front of it is none."""
    ridges = {-48.0: 0.8, -84.0: 1.0, -20.0: 0.1}
    assert gluteal_tuberosity_deg(shaft(ridges), anatomy()) == pytest.approx(-48.0, abs=TURN_STEP_DEG)


def test_a_ridge_in_front_or_far_behind_is_another() -> None:
    ridges = {40.0: 0.8, -FURTHEST_BACK_DEG - 30.0: 0.8}
    found = gluteal_tuberosity_deg(shaft(ridges), anatomy())
    assert found is None or found < -60.0  # a ripple of what is fitted, never the ridges themselves


def test_a_smooth_shaft_has_none_however_it_is_bowed_and_flattened() -> None:
    assert gluteal_tuberosity_deg(shaft({}), anatomy()) is None


def test_a_ridge_beside_noise_is_found_and_noise_alone_is_not() -> None:
    noise = np.random.default_rng(0)

    def rough(surface: Surface) -> Surface:
        return Surface(surface.vertices + noise.normal(0.0, 0.2, surface.vertices.shape), surface.faces)

    assert gluteal_tuberosity_deg(rough(shaft({-57.0: 0.8})), anatomy()) == pytest.approx(-57.0, abs=6.0)
    assert gluteal_tuberosity_deg(rough(shaft({})), anatomy()) is None


def test_it_goes_with_the_bone() -> None:
    """The turn is told in the femur's own terms, wherever it lies in the scanner."""
    motion = RigidTransform(rotation_about([1.0, -2.0, 0.5], 33.0), np.array([120.0, -300.0, 250.0]), LPS, LPS)
    here = anatomy()
    points = ("head_center_mm", "shaft_point_mm", "lesser_trochanter_mm")
    there = dataclasses.replace(here, shaft_axis=motion.vectors(here.shaft_axis))
    there = dataclasses.replace(there, **{name: motion.points(getattr(here, name)) for name in points})
    bone = shaft({-57.0: 0.8})
    assert gluteal_tuberosity_deg(bone.transformed(motion), there) == gluteal_tuberosity_deg(bone, here)


@pytest.mark.parametrize(("below_lesser_mm", "known"), [(16.0, False), (40.0, True)])
def test_a_scan_that_shows_too_little_shaft_tells_nothing(below_lesser_mm: float, known: bool) -> None:
    """8 mm below the lesser trochanter are passed over, and 6 at the end of the scan."""
    short = shaft({-57.0: 0.8}, low_mm=LESSER_MM - below_lesser_mm)
    assert (gluteal_tuberosity_deg(short, anatomy()) is not None) == known

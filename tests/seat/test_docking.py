"""Where a frictionless push brings a guide, on shapes where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from shapes import corner, face, groove

from guidegen.frames import FloatArray, unit
from guidegen.seat.docking import (
    FURTHEST_MM,
    FURTHEST_TURN_MM,
    HAND_MM,
    LEVER_MM,
    Contact,
    displaced,
    docked,
    furthest,
    pushes,
)

GAP_MM = 0.4
DOWN = np.array([0.0, 0.0, -1.0])


def rest(contact: Contact, force: list[float], gap_mm: float = GAP_MM) -> FloatArray:
    """The motion (6,) of a guide at an even gap that is pushed at the contact's middle."""
    wrench = np.array([[*unit(force), 0.0, 0.0, 0.0]])
    motion = docked(contact.opens(contact.middle_mm), np.full(len(contact.areas_mm2), gap_mm), wrench)
    return np.asarray(motion[0])


def test_a_flat_contact_lets_the_guide_down_by_its_gap_and_slide_as_far_as_is_looked() -> None:
    flat = face([0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    assert rest(flat, [0.0, 0.0, -1.0])[:3] == pytest.approx([0.0, 0.0, -GAP_MM])
    slid = rest(flat, [0.3, 0.0, -1.0])
    assert slid[0] == pytest.approx(FURTHEST_MM)
    # and wedges itself: turning lets a corner down no further than the whole
    assert (flat.opens(flat.middle_mm) @ slid).min() == pytest.approx(-GAP_MM)


@pytest.mark.parametrize("half_deg", [30.0, 45.0, 60.0])
def test_in_a_groove_the_guide_sinks_by_the_gap_over_the_walls_cosine(half_deg: float) -> None:
    sunk = rest(groove(half_deg), [0.0, 0.0, -1.0])
    assert sunk[2] == pytest.approx(-GAP_MM / np.cos(np.radians(half_deg)))
    assert sunk[[0, 3, 5]] == pytest.approx(0.0, abs=1e-9)


def test_in_a_groove_a_push_within_the_walls_ends_where_a_straight_one_does() -> None:
    within, beyond = (rest(groove(45.0), [np.tan(np.radians(lean)), 0.0, -1.0]) for lean in (40.0, 50.0))
    assert within[0] == pytest.approx(0.0, abs=1e-9)
    assert beyond[0] > 1.0  # it climbs the wall


def test_over_a_corner_the_guide_gives_way_by_its_gap_along_every_face() -> None:
    motion = rest(corner(), [-1.0, -1.0, -1.0])
    assert unit([-1.0, -1.0, -1.0]) @ motion[:3] == pytest.approx(np.sqrt(3.0) * GAP_MM)


def test_an_even_gap_twice_as_wide_moves_the_guide_twice_as_far() -> None:
    once, twice = (rest(corner(), [-1.0, -0.8, -0.6], gap) for gap in (0.1, 0.2))
    assert twice == pytest.approx(2.0 * once)


def test_a_guide_that_touches_on_nothing_goes_as_far_as_is_looked() -> None:
    free = Contact(np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), np.ones(1))
    motion = docked(free.opens(np.zeros(3)), np.array([1.0]), np.array([[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]))
    assert motion[0] == pytest.approx([FURTHEST_MM, 0.0, 0.0, 0.0, FURTHEST_TURN_MM, 0.0])


@pytest.mark.parametrize("seed", range(12))
def test_the_furthest_motion_does_as_much_work_as_another_solver_finds(seed: int) -> None:
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    leaning = rng.normal(size=(200, 6)) + 4.0 * rng.normal(size=6)  # to one side, as a contact's are: some way is free
    forbids = np.concatenate([leaning, np.eye(6), -np.eye(6)])
    gaps = rng.exponential(0.3, 200) if seed % 2 else np.zeros(200)
    room = np.concatenate([gaps, np.full(12, 4.0)])
    wrenches = rng.normal(size=(5, 6))
    motions = furthest(forbids, room, wrenches)
    assert (motions * wrenches).sum(axis=1).max() > 1.0
    assert ((forbids @ motions.T).T - room).max() < 1e-8
    for motion, wrench in zip(motions, wrenches, strict=True):
        best = linprog(-wrench, A_ub=forbids, b_ub=room, bounds=(None, None), method="highs")
        assert wrench @ motion == pytest.approx(-best.fun, abs=1e-7)


def places(wrenches: FloatArray, way_on: FloatArray) -> FloatArray:
    """Where pushes (N, 6) pass the plane HAND_MM before the contact's middle, from the disc's middle (N, 3)."""
    force, moment = wrenches[:, :3], wrenches[:, 3:] * LEVER_MM
    foot = np.cross(force, moment)  # the point of each line nearest to the contact's middle
    along = (HAND_MM + foot @ way_on) / (force @ way_on)
    return np.asarray(foot - along[:, None] * force + HAND_MM * way_on)


def test_a_way_that_rounding_leaves_is_none() -> None:
    """Met on a real femur: what these five leave of the push is 1.2e-9 long, and no bound stops so little."""
    from scipy.optimize import linprog

    opens = np.array([
        [-0.3659453371230053, 0.8972899089018528, -0.24689031900994923, 0.2547344636956124,
         0.4055591405076918, 1.0963784895737998],
        [-0.2591755976378426, 0.027962700583678675, 0.9654253451019063, 0.2944897098240606,
         -0.9907029772757134, 0.10775279289128759],
        [-0.4549263475867622, -0.021318121221534158, 0.8902738657171467, 0.28363710903931877,
         -0.9540261571520532, 0.12209270986640189],
        [-0.3389351420953933, -0.3308550323993121, 0.8807144355515161, -0.17690893556215953,
         0.07751656202346903, -0.03896144900981363],
        [-0.20509891951268222, 0.9786884674115577, 0.010164495577568997, 0.692669988744261,
         0.1466498152746819, -0.1435011384407171],
    ])  # fmt: skip
    gaps = np.array([0.11137519955635067, 0.11535427451133723, 0.1615166652202606, 0.0, 0.008151851892471251])
    push = np.array([
        0.49211375418398223, -0.27848986076121574, -0.8247832748038395, -0.22090955274317495, -0.06603047408998705,
        -0.10951217678572915,
    ])  # fmt: skip
    (motion,) = docked(opens, gaps, push[None])
    assert (opens @ motion >= -gaps - 1e-9).all()
    best = linprog(-push, A_ub=-opens, b_ub=gaps, bounds=[(-6.0, 6.0)] * 3 + [(-3.0, 3.0)] * 3)
    assert push @ motion == pytest.approx(-best.fun, abs=1e-6)


def test_pushes_lie_in_their_cone_and_pass_through_their_disc() -> None:
    way_on = unit([0.4, -0.8, 0.3])
    wrenches = pushes(way_on, 300, 12.0, 16.0)
    lean = np.degrees(np.arccos(wrenches[:, :3] @ way_on))
    beside = np.linalg.norm(places(wrenches, way_on), axis=1)
    assert np.linalg.norm(wrenches[:, :3], axis=1) == pytest.approx(1.0)
    assert (lean.max(), beside.max()) == pytest.approx((12.0, 8.0), abs=0.1)
    assert (np.mean(lean < 6.0), np.mean(beside < 4.0)) == pytest.approx((0.25, 0.25), abs=0.02)  # evenly


def test_direction_and_place_of_pushes_are_independent() -> None:
    wrenches = pushes(DOWN, 400, 10.0, 10.0)
    assert np.abs(np.corrcoef(wrenches[:, :2].T, places(wrenches, DOWN)[:, :2].T)[:2, 2:]).max() < 0.1


def test_a_tip_is_displaced_across_its_axis_alone() -> None:
    tip, axis, middle = np.array([0.0, 0.0, -80.0]), DOWN, np.zeros(3)
    motions = np.zeros((3, 6))
    motions[0, 2], motions[1, 0], motions[2, 4] = 5.0, 0.3, LEVER_MM * np.radians(1.0)
    assert displaced(motions, middle, tip, axis) == pytest.approx([0.0, 0.3, 80.0 * np.radians(1.0)])

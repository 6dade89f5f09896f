"""The shell over a round shaft, and what grows out of it: its section is measured by rays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from bodies import cylinder, footprint_on, zones_on

from guidegen.frames import FloatArray, RigidTransform, unit
from guidegen.guide.base import FILLET_MM, POINT_MM, ROUND_MM, SINK_MM, Rib, Rod, ShellShape, Slot, base_solid
from guidegen.guide.solids import to_surface
from guidegen.surfaces import Surface

RADIUS_MM, OUTSIDE_MM, RIM_MM, FULLER_MM = 20.0, 4.4, 3.0, 1.5
HALF_MM, HALF_DEG = 15.0, 42.5
NOTHING_RAISED = np.empty((0, 3))
GRID_MM = 0.15  # how well a field of 0.7 mm is contoured on a round shaft


@pytest.fixture(scope="module")
def bone() -> Surface:
    return cylinder(RADIUS_MM, 120.0, 360)


def shell(bone: Surface, rim_mm: float = RIM_MM, fuller_mm: float = 0.0, roots: Sequence[Rod | Rib] = ()) -> Surface:
    footprint, shape = footprint_on(zones_on(), HALF_MM, HALF_DEG), ShellShape(OUTSIDE_MM, rim_mm, 0.0, fuller_mm)
    return to_surface(base_solid(bone, footprint, (), NOTHING_RAISED, shape, roots))


@pytest.fixture(scope="module")
def plain(bone: Surface) -> Surface:
    return shell(bone)


@pytest.fixture(scope="module")
def fuller(bone: Surface) -> Surface:
    return shell(bone, fuller_mm=FULLER_MM)


def reach_mm(body: Surface, turn_deg: FloatArray, level_mm: FloatArray) -> FloatArray:
    """How far (K,) the outside of a body lies from the bone at turns and levels; NaN beside it."""
    turn = np.radians(np.broadcast_arrays(turn_deg, level_mm)[0])
    level = np.broadcast_arrays(turn_deg, level_mm)[1]
    out = np.stack([np.sin(turn), 0.0 * turn, np.cos(turn)], axis=1)
    start = 60.0 * out + np.stack([0.0 * turn, level, 0.0 * turn], axis=1)
    way, _ = body.ray_hits(start, -out)
    return np.where(np.isfinite(way), 60.0 - way - RADIUS_MM, np.nan)


def begins_mm(body: Surface, level_mm: FloatArray) -> FloatArray:
    """How far (K,) over the bone a body begins above levels, straight lateral; what lies in the bone is taken away."""
    start = np.stack([0.0 * level_mm, level_mm, np.full(len(level_mm), RADIUS_MM)], axis=1)
    return np.where(body.contains(start), 0.0, body.ray_hits(start, np.array([0.0, 0.0, 1.0]))[0])


def test_it_is_even_over_all_that_bears(plain: Surface) -> None:
    """Square to the bone on the flanks too."""
    turn, level = (each.ravel() for each in np.meshgrid(np.linspace(-42.0, 42.0, 40), np.linspace(-14.0, 14.0, 20)))
    np.testing.assert_allclose(reach_mm(plain, turn, level), OUTSIDE_MM, atol=GRID_MM)


def test_it_sinks_into_the_bone_that_is_taken_away_later(plain: Surface) -> None:
    """Under all that bears: no gap is left between a shell and the bone's own surface."""
    level = np.linspace(-13.0, 13.0, 9)
    start = np.stack([0.0 * level, level, 0.0 * level], axis=1)  # on the shaft's axis
    way, _ = plain.ray_hits(start, np.array([0.0, 0.0, 1.0]))
    assert (RADIUS_MM - way >= SINK_MM).all()


def test_its_rim_reaches_as_far_beside_the_patch_as_asked(plain: Surface) -> None:
    levels = np.arange(10.0, 25.0, 0.02)
    covered = levels[np.isfinite(reach_mm(plain, np.zeros(len(levels)), levels))]
    assert HALF_MM + RIM_MM - POINT_MM - GRID_MM < covered.max() < HALF_MM + RIM_MM + GRID_MM
    turns = np.arange(30.0, 70.0, 0.05)
    covered = turns[np.isfinite(reach_mm(plain, turns, np.zeros(len(turns))))]
    beside = RADIUS_MM * np.radians(covered.max() - HALF_DEG)
    assert RIM_MM - POINT_MM - GRID_MM < beside < RIM_MM + GRID_MM


def test_a_fuller_rim_is_full_where_the_patch_ends(plain: Surface, fuller: Surface) -> None:
    """It rises inside the edge, since the lift under it begins there: elsewhere nothing changes."""
    levels = np.array([0.0, 8.0, HALF_MM - 2.5])
    np.testing.assert_allclose(reach_mm(fuller, np.zeros(3), levels), OUTSIDE_MM, atol=GRID_MM)
    edge = np.array([HALF_MM, HALF_MM + 0.5, HALF_MM + 1.0])
    np.testing.assert_allclose(reach_mm(fuller, np.zeros(3), edge), OUTSIDE_MM + FULLER_MM, atol=0.35)
    assert (reach_mm(fuller, np.zeros(3), edge) - reach_mm(plain, np.zeros(3), edge) > 0.8 * FULLER_MM).all()


def test_without_a_rim_it_ends_with_the_patch(bone: Surface) -> None:
    bare = shell(bone, rim_mm=0.0)
    levels = np.arange(5.0, 25.0, 0.02)
    covered = levels[np.isfinite(reach_mm(bare, np.zeros(len(levels)), levels))]
    assert HALF_MM - POINT_MM - GRID_MM < covered.max() < HALF_MM + GRID_MM
    turn, level = (each.ravel() for each in np.meshgrid(np.linspace(-38.0, 38.0, 30), np.linspace(-11.0, 11.0, 20)))
    np.testing.assert_allclose(reach_mm(bare, turn, level), OUTSIDE_MM, atol=GRID_MM)


def test_its_rim_is_lifted_off_the_bone_and_its_contact_is_not(bone: Surface) -> None:
    lift_mm, footprint = 2.0, footprint_on(zones_on(), HALF_MM, HALF_DEG)
    shape = ShellShape(OUTSIDE_MM, RIM_MM, lift_mm, FULLER_MM)
    lifted = to_surface(base_solid(bone, footprint, (), NOTHING_RAISED, shape, []))
    beside, on = np.linspace(HALF_MM + 1.0, HALF_MM + RIM_MM - 1.5, 6), np.linspace(0.0, HALF_MM - 1.5, 6)
    np.testing.assert_allclose(begins_mm(lifted, beside), lift_mm, atol=0.3)
    np.testing.assert_array_equal(begins_mm(lifted, on), 0.0)


def test_a_slot_is_cut_through_the_rim_with_round_edges(bone: Surface) -> None:
    """Upwards from 10 mm, 4 mm wide, and open to the right of it: x across is -x of the guide."""
    footprint, start_mm = footprint_on(zones_on(), HALF_MM, HALF_DEG), 10.0
    frame = RigidTransform.to_frame(
        [0.0, start_mm, RADIUS_MM], [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], "guide", "part"
    )
    shape, slot = ShellShape(OUTSIDE_MM, RIM_MM, 0.0, 0.0), Slot(frame, 4.0, 12.0, (1.0,))
    cut = to_surface(base_solid(bone, footprint, (), NOTHING_RAISED, shape, [], slot))
    level = np.array([start_mm - 2.0 - ROUND_MM - GRID_MM, start_mm - 2.0 + GRID_MM, HALF_MM, HALF_MM + RIM_MM - 0.5])
    np.testing.assert_array_equal(np.isfinite(reach_mm(cut, np.zeros(4), level)), [True, False, False, False])
    turn = np.degrees([-8.0, 2.0 + ROUND_MM + GRID_MM]) / RADIUS_MM
    np.testing.assert_array_equal(np.isfinite(reach_mm(cut, turn, np.full(2, HALF_MM))), [False, True])


def test_what_is_kept_out_is_passed_over_as_if_it_bore(bone: Surface, plain: Surface) -> None:
    x, y = (each.ravel() for each in np.meshgrid(np.arange(-4.0, 4.1, 0.5), np.arange(-4.0, 4.1, 0.5)))
    over = np.stack([x, y, np.full(len(x), RADIUS_MM + 3.0)], axis=1)
    footprint = footprint_on(zones_on(), HALF_MM, HALF_DEG)
    raised = to_surface(base_solid(bone, footprint, (), over, ShellShape(OUTSIDE_MM, RIM_MM, 0.0, 0.0), []))
    assert reach_mm(raised, np.zeros(1), np.zeros(1))[0] == pytest.approx(3.0 + OUTSIDE_MM, abs=GRID_MM)
    far = np.array([[30.0, 0.0], [0.0, 12.0]])
    np.testing.assert_allclose(reach_mm(raised, *far.T), reach_mm(plain, *far.T), atol=GRID_MM)


def test_a_root_is_joined_with_a_fillet(bone: Surface, plain: Surface) -> None:
    """The joint bulges where it meets the shell, and nowhere further than the fillet."""
    rod = Rod(np.array([0.0, 0.0, RADIUS_MM]), np.array([0.0, 0.0, RADIUS_MM + 20.0]), 4.0)
    joined = shell(bone, roots=[rod])
    top = np.array([[0.0, 0.0, RADIUS_MM + 20.0 + 4.0]])
    assert joined.nearest(top)[0][0] < 0.3
    beside = np.array([4.0 + 0.3, 4.0 + FILLET_MM + 1.5])
    bulge = reach_mm(joined, np.zeros(2), beside) - reach_mm(plain, np.zeros(2), beside)
    assert bulge[0] > 0.8
    assert bulge[1] == pytest.approx(0.0, abs=GRID_MM)


# --- distances ---


def test_the_distance_to_a_rod_with_round_ends() -> None:
    rod = Rod(np.zeros(3), np.array([10.0, 0.0, 0.0]), 2.0)
    points = np.array([[5.0, 3.0, 4.0], [13.0, 4.0, 0.0], [-6.0, 0.0, 0.0], [5.0, 0.0, 1.0]])
    np.testing.assert_allclose(rod.distance_mm(points), [3.0, 3.0, 4.0, -1.0])


def test_the_distance_to_a_rib_is_that_to_its_triangle() -> None:
    """Of right angles at the origin with legs of 6 and 8: over it, beside each leg, past the corners and the slope."""
    rib = Rib(np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [0.0, 8.0, 0.0]]), 1.0)
    slope = np.array([3.0, 4.0, 0.0]) + 5.0 * unit(np.array([8.0, 6.0, 0.0]))
    points = np.array([[1.0, 1.0, 4.0], [3.0, -5.0, 0.0], [-2.0, 3.0, 0.0], [-3.0, -4.0, 0.0], slope, [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(rib.distance_mm(points), [3.0, 4.0, 1.0, 4.0, 4.0, -1.0])
    turned = Rib(rib.corners_mm[::-1], 1.0)
    np.testing.assert_allclose(turned.distance_mm(points), rib.distance_mm(points))

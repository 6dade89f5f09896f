"""The error budget in closed form: against answers known beforehand, and how it must change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, norm

from guidegen.frames import LPS, RigidTransform, perpendicular_pair, rotation_about, turning, unit
from guidegen.packed import packed, unpacked
from guidegen.plan.error_budget import (
    Aim,
    ErrorBudget,
    LesionVoxels,
    covariance,
    error_budget,
    length_quantile,
    mean_length,
)
from guidegen.plan.error_sources import CT_MR_MM, RADIUS_95_PER_RMS, error_sources
from guidegen.plan.seating import OWN, Seating, assumed_seating

AXIS = unit([0.6, 0.2, 0.75])


def ball(center_mm, radius_mm, step_mm=1.0):
    grid = np.stack(np.meshgrid(*[np.arange(-radius_mm, radius_mm + 0.1, step_mm)] * 3), axis=-1).reshape(-1, 3)
    return np.asarray(center_mm) + grid[np.linalg.norm(grid, axis=1) <= radius_mm]


def straight(length_mm=90.0, radius_mm=4.0, outline=((0.0, 0.0), (0.0, 4.0)), axis=AXIS):
    """From the origin along the axis; a head far away, so that the whole way past the entry counts."""
    return Aim(np.zeros(3), length_mm * axis, np.array(outline), radius_mm, 500.0 * axis, 24.0)


def sources(seat=None, seat_mm=0.7, seat_deg=1.0, **changes):
    """Of a seat, or of one assumed about the entry."""
    seat = assumed_seating(np.zeros(3), seat_mm, seat_deg) if seat is None else seat
    given = {
        "printer_rms_mm": 0.15,
        "bore_clearance_mm": 0.2,
        "guided_length_mm": 30.0,
        "sleeve_end_mm": 0.0,
        "bend_mm": 0.5,
        "surface_error_mm": 0.1,
        "lesion_doubt_95_mm": None,
    }
    return error_sources(seat, **(given | changes))


def own_seat(scale=1.0, center_mm=(0.0, 9.0, -4.0)):
    """A built seat whose shift and turn are uneven and go together, of some millimetres and degrees."""
    drawn = np.random.default_rng(3).normal(size=(6, 6)) * np.repeat([0.3, 0.005], 3)[:, None]
    return Seating(np.array(center_mm), scale**2 * drawn @ drawn.T, OWN, "the built seat M", of_surface=True)


LENGTHS = (
    "tip_mean_mm", "tip_p95_mm", "tip_lateral_mean_mm", "tip_lateral_p95_mm", "entry_mean_mm", "entry_p95_mm",
    "angle_mean_deg", "angle_p95_deg", "to_lesion_p95_mm",
)  # fmt: skip
STILL = {"printer_rms_mm": 0.0, "bore_clearance_mm": 0.0, "bend_mm": 0.0}


def deep(points_mm):
    return np.full(len(points_mm), 50.0)


def below_plane(normal, height_mm):
    """The depth in a bone that fills everything under a plane."""
    return lambda points_mm: height_mm - points_mm @ normal


@pytest.mark.parametrize(
    ("seat_deg", "mean_mm", "p95_mm", "to_lesion_p95_mm"),
    [(0.5, 1.05, 2.05, 2.66), (1.0, 1.44, 2.82, 3.26), (1.5, 1.92, 3.74, 4.09), (2.0, 2.44, 4.76, 5.03)],
)
def test_the_published_table_comes_out_again(seat_deg, mean_mm, p95_mm, to_lesion_p95_mm):
    from_mr = sources(seat_deg=seat_deg, lesion_doubt_95_mm=CT_MR_MM * RADIUS_95_PER_RMS)
    budget = error_budget(straight(), from_mr, deep, ball(80.0 * AXIS, 5.0))
    assert budget.tip_lateral_mean_mm == pytest.approx(mean_mm, rel=0.03)
    assert budget.tip_lateral_p95_mm == pytest.approx(p95_mm, rel=0.03)
    assert budget.to_lesion_p95_mm == pytest.approx(to_lesion_p95_mm, rel=0.03)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_lengths_of_an_even_error_are_chi_distributed(dimensions):
    even = 4.0 * np.eye(dimensions)
    assert length_quantile(even, 0.95) == pytest.approx(2.0 * np.sqrt(chi2.ppf(0.95, dimensions)), rel=1e-5)
    mean = {2: np.sqrt(np.pi / 2.0), 3: np.sqrt(8.0 / np.pi)}[dimensions]
    assert mean_length(even) == pytest.approx(2.0 * mean, rel=1e-6)


def test_an_error_along_one_line_only_is_half_normal():
    line = 9.0 * np.outer(AXIS, AXIS)
    assert length_quantile(line, 0.95) == pytest.approx(3.0 * norm.ppf(0.975), rel=0.01)
    assert mean_length(line) == pytest.approx(3.0 * np.sqrt(2.0 / np.pi), rel=0.002)
    assert length_quantile(np.zeros((3, 3)), 0.95) == 0.0


@pytest.mark.parametrize("spread", [(0.2, 1.0, 4.0), (1.0, 1.0, 9.0), (0.1, 3.0, 3.0), (0.5, 2.0)])
def test_lengths_of_an_uneven_error_agree_with_many_drawn(spread):
    drawn = np.linalg.norm(np.random.default_rng(1).standard_normal((1_000_000, len(spread))) * np.sqrt(spread), axis=1)
    assert length_quantile(np.diag(spread), 0.95) == pytest.approx(np.quantile(drawn, 0.95), rel=0.005)
    assert mean_length(np.diag(spread)) == pytest.approx(drawn.mean(), rel=0.003)


def test_a_point_before_a_plane_joint_is_as_probable_as_the_normal_distribution_says():
    """Of a flat joint across the drill and a point of a tool, only the error along the drill matters, and that turns
    draw the tip back by their variance × 90 mm.
    """
    aim, known = straight(outline=((0.0, 0.0),), radius_mm=0.1), sources()
    along = np.sqrt(AXIS @ covariance(aim, known, aim.target_mm) @ AXIS)
    back = 90.0 * (np.radians(known.seat_turn.rms) ** 2 / 3.0 + np.radians(known.sleeve_tilt.rms) ** 2 / 2.0)
    for depth_mm in (2.0, 3.5, 4.5):
        budget = error_budget(aim, known, below_plane(AXIS, 90.0 + depth_mm), ball(80.0 * AXIS, 5.0))
        assert budget.within_3_mm_of_joint == pytest.approx(norm.cdf((3.0 - depth_mm - back) / along), rel=0.03)


def test_a_wall_beside_a_plane_cortex_is_as_probable_as_the_normal_distribution_says():
    """Two flat walls, nearest to the drill where it ends and errs most: each of them as probable as the last place."""
    aim, known = straight(length_mm=60.0), sources()
    side = perpendicular_pair(AXIS)[0]
    outward = unit(side + 0.3 * AXIS)
    height = float(aim.target_mm @ outward) + 4.0 + 1.5
    spread = np.sqrt(outward @ covariance(aim, known, aim.target_mm) @ outward)
    budget = error_budget(aim, known, below_plane(outward, height), ball(50.0 * AXIS, 5.0))
    assert budget.breaches_cortex == pytest.approx(norm.cdf(-1.5 / spread), rel=0.03)


def test_a_disc_across_the_drill_is_reached_as_often_as_the_axis_goes_through_it():
    """A wide round lesion in front of the stop: the chance is that of a normal error of the plane within its radius."""
    lesion = ball(70.0 * AXIS, 3.0, step_mm=0.25)
    aim, known = straight(), sources(seat_deg=2.0)
    first, second = perpendicular_pair(AXIS)
    across = np.stack([first, second]) @ covariance(aim, known, 70.0 * AXIS) @ np.stack([first, second]).T
    assert across[0, 0] == pytest.approx(across[1, 1])
    expected = 1.0 - np.exp(-(3.0**2) / 2.0 / across[0, 0])
    assert error_budget(aim, known, deep, lesion).reaches_lesion == pytest.approx(expected, rel=0.03)


def test_a_lesion_that_begins_where_the_drill_stops_is_reached_half_the_time():
    slab = np.stack(np.meshgrid(*[np.arange(-15.0, 16.0)] * 2, np.arange(10.0), indexing="ij"), axis=-1).reshape(-1, 3)
    first, second = perpendicular_pair(AXIS)
    lesion = (slab + [0.0, 0.0, 0.5]) @ np.stack([first, second, AXIS]) + 90.0 * AXIS
    assert error_budget(straight(), sources(), deep, lesion).reaches_lesion == pytest.approx(0.5, abs=0.15)
    assert error_budget(straight(80.0), sources(), deep, lesion).reaches_lesion < 0.001


RAISED = {
    "printer_rms_mm": 0.5,
    "bore_clearance_mm": 0.4,
    "bend_mm": 1.0,
    "surface_error_mm": 0.5,
    "seat_mm": 1.2,
    "seat_deg": 1.5,
    "sleeve_end_mm": 10.0,
}


@pytest.mark.parametrize("name", RAISED)
def test_every_source_makes_the_tip_less_sure(name):
    lesion = ball(80.0 * AXIS, 5.0)
    before = error_budget(straight(), sources(), deep, lesion)
    after = error_budget(straight(), sources(**{name: RAISED[name]}), deep, lesion)
    assert after.tip_p95_mm > 1.005 * before.tip_p95_mm
    assert after.tip_mean_mm > before.tip_mean_mm


def test_a_longer_sleeve_and_a_better_stop_make_it_surer():
    lesion, known = ball(80.0 * AXIS, 5.0), sources()
    before = error_budget(straight(), known, deep, lesion)
    longer = error_budget(straight(), sources(guided_length_mm=45.0), deep, lesion)
    exact = replace(known, depth_stop=replace(known.depth_stop, rms=0.0))
    assert longer.tip_p95_mm < before.tip_p95_mm
    assert error_budget(straight(), exact, deep, lesion).tip_p95_mm < before.tip_p95_mm


def test_the_registration_counts_towards_the_lesion_alone():
    lesion = ball(80.0 * AXIS, 5.0)
    alone, registered = (
        error_budget(straight(), sources(lesion_doubt_95_mm=doubt), deep, lesion) for doubt in (None, 3.0)
    )
    assert registered.tip_p95_mm == alone.tip_p95_mm == alone.to_lesion_p95_mm
    assert registered.to_lesion_p95_mm > alone.to_lesion_p95_mm
    assert "MR registration" not in {each.name for each in alone.contributions}


def test_a_doubt_of_95_percent_becomes_the_rms_of_an_even_error():
    registration = sources(lesion_doubt_95_mm=2.0).registration
    assert registration is not None
    assert length_quantile(registration.rms**2 / 3.0 * np.eye(3), 0.95) == pytest.approx(2.0, rel=1e-4)


def test_the_contributions_add_up_and_the_first_is_named():
    budget = error_budget(straight(), sources(lesion_doubt_95_mm=1.0), deep, ball(80.0 * AXIS, 5.0))
    assert sum(each.share for each in budget.contributions) == pytest.approx(1.0)
    rms = [each.tip_rms_mm for each in budget.contributions]
    assert rms == sorted(rms, reverse=True)
    assert budget.dominant == budget.contributions[0].name == "seat turn"
    assert all(each.source for each in budget.contributions)
    turn = budget.contributions[0]  # 1° at 90 mm across the axis, of whose three parts two matter
    assert turn.tip_rms_mm == pytest.approx(90.0 * np.radians(1.0) * np.sqrt(2.0 / 3.0), rel=1e-6)


def test_the_play_at_the_tip_is_that_of_the_bore():
    """c/2 at the sleeve's end and c/L × T past it, each spread evenly over its disc (rms: radius / √2)."""
    budget = error_budget(straight(), sources(bore_clearance_mm=0.3), deep, ball(80.0 * AXIS, 5.0))
    play = {each.name: each.tip_rms_mm for each in budget.contributions}
    assert play["sleeve shift"] == pytest.approx(0.15 / np.sqrt(2.0))
    assert play["sleeve tilt"] == pytest.approx(0.3 * 90.0 / 30.0 / np.sqrt(2.0))


def test_a_drill_bends_with_the_cube_of_its_free_length():
    budget = error_budget(straight(50.0), sources(sleeve_end_mm=10.0), deep, ball(40.0 * AXIS, 5.0))
    bend = {each.name: each.tip_rms_mm for each in budget.contributions}["drill bend"]
    assert bend == pytest.approx(0.5 * (60.0 / 90.0) ** 3)


def test_a_bone_surface_of_coarse_voxels_counts_with_its_own_error():
    assert sources(surface_error_mm=0.0).bone_surface.rms == 0.5
    assert sources(surface_error_mm=0.4).bone_surface.rms == pytest.approx(0.4 * np.sqrt(3.0))
    assert "voxels" in sources(surface_error_mm=0.4).bone_surface.source


def test_a_moved_patient_has_the_same_budget():
    def skull(points_mm):
        return 24.0 - np.linalg.norm(points_mm - 69.5 * AXIS, axis=1)

    lesion = ball(80.0 * AXIS, 4.0)
    motion = RigidTransform(rotation_about([1.0, 2.0, -0.5], 71.0), np.array([30.0, -200.0, 400.0]), LPS, LPS)
    aim, seat = straight(outline=((0.0, 0.0), (1.0, 4.0))), own_seat()
    moved = replace(
        aim, **{name: motion.points(getattr(aim, name)) for name in ("entry_mm", "target_mm", "head_center_mm")}
    )
    turn = np.kron(np.eye(2), motion.rotation)
    there_seat = replace(seat, center_mm=motion.points(seat.center_mm), covariance=turn @ seat.covariance @ turn.T)
    here = error_budget(aim, sources(seat), skull, lesion)
    there = error_budget(
        moved, sources(there_seat), lambda points: skull(motion.inverse().points(points)), motion.points(lesion)
    )
    for name in LENGTHS:
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-6)
    assert 0.05 < here.within_3_mm_of_joint < 0.95
    assert there.within_3_mm_of_joint == pytest.approx(here.within_3_mm_of_joint, rel=0.03)
    assert there.reaches_lesion == pytest.approx(here.reaches_lesion, abs=0.01)


def test_a_drill_that_comes_too_near_is_told_by_how_much_to_stop_earlier():
    joint, lesion = below_plane(AXIS, 93.5), ball(80.0 * AXIS, 5.0)
    budget = error_budget(straight(), sources(), joint, lesion, joint_risk_limit=0.05)
    assert budget.within_3_mm_of_joint > 0.05
    assert budget.stop_earlier_mm is not None
    earlier = error_budget(straight().stopped_earlier(budget.stop_earlier_mm), sources(), joint, lesion)
    assert earlier.within_3_mm_of_joint == pytest.approx(0.05, rel=0.25)
    assert error_budget(straight(), sources(), deep, lesion).stop_earlier_mm == 0.0
    assert error_budget(straight(), sources(), below_plane(AXIS, 70.0), lesion).stop_earlier_mm is None


def test_a_budget_is_the_same_every_time_and_survives_packing():
    aim, lesion = straight(), ball(80.0 * AXIS, 5.0)
    budget = error_budget(aim, sources(lesion_doubt_95_mm=1.0), below_plane(AXIS, 94.0), lesion)
    assert unpacked(ErrorBudget, packed(budget)) == budget
    assert error_budget(aim, sources(lesion_doubt_95_mm=1.0), below_plane(AXIS, 94.0), lesion) == budget


def test_the_wall_counts_past_the_entry_and_outside_the_head():
    aim = replace(straight(), head_center_mm=75.0 * AXIS)
    way = aim.wall_points_mm() @ AXIS
    assert way[0] == pytest.approx(20.0)
    assert way[-1] == pytest.approx(51.0)
    assert np.diff(way).max() <= 3.0
    assert np.allclose(replace(aim, head_center_mm=30.0 * AXIS).wall_points_mm(), aim.target_mm)


@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (0.7, 0.7, 3.0), (2.0, 0.5, 0.9)])
def test_the_voxels_of_a_lesion_are_found_from_their_centres(edges):
    index = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    turn = rotation_about([1.0, -2.0, 0.3], 33.0)
    centers = (index * edges) @ turn.T + [10.0, -40.0, 300.0]
    lesion = LesionVoxels.of(centers)
    inside = np.random.default_rng(0).uniform(-0.49, 0.49, centers.shape) * edges @ turn.T
    assert lesion.contains(centers + inside).all()
    outside = np.array([[9.2, 0.0, 0.0], [0.0, -9.2, 0.0], [0.0, 0.0, 20.0]]) / 2.0 * edges @ turn.T
    assert not lesion.contains(outside + [10.0, -40.0, 300.0]).any()


def test_a_lesion_of_one_voxel_or_one_slice_has_voxels_too():
    assert LesionVoxels.of(np.array([[1.0, 2.0, 3.0]])).contains(
        np.array([[1.3, 2.0, 3.0], [1.7, 2.0, 3.0]])
    ).tolist() == [
        True,
        False,
    ]
    plane = np.array([[x, y, 7.0] for x in np.arange(5.0) for y in np.arange(5.0)])
    assert LesionVoxels.of(plane).contains(np.array([[2.2, 2.2, 7.4], [2.2, 2.2, 7.6]])).tolist() == [True, False]
    with pytest.raises(ValueError, match="expected a lesion with points, found none"):
        LesionVoxels.of(np.zeros((0, 3)))


@pytest.mark.parametrize("wrong", [{"guided_length_mm": 0.0}, {"bend_mm": -0.1}])
def test_errors_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="expected errors of 0 and more and a guided length"):
        sources(**wrong)


# --- the seat that was built ---


def alone(seat):
    """The seat and nothing else."""
    known = sources(seat, **STILL)
    return replace(known, depth_stop=replace(known.depth_stop, rms=0.0))


def test_a_seat_that_turns_about_one_axis_sways_the_tip_as_a_half_normal_arc():
    """1° about a line 30 mm beside the tunnel's entry, across it: 120 mm of arm at the tip, 30 mm at the entry."""
    across = perpendicular_pair(AXIS)[0]
    covariance = np.zeros((6, 6))
    covariance[3:, 3:] = np.radians(1.0) ** 2 * np.outer(across, across)
    budget = error_budget(
        straight(), alone(Seating(-30.0 * AXIS, covariance, OWN, "", True)), deep, ball(80.0 * AXIS, 5.0)
    )
    arc = np.radians(1.0) * np.array([120.0, 30.0])
    assert [budget.tip_mean_mm, budget.entry_mean_mm] == pytest.approx(arc * np.sqrt(2.0 / np.pi), rel=0.002)
    assert [budget.tip_p95_mm, budget.entry_p95_mm] == pytest.approx(arc * norm.ppf(0.975), rel=0.01)
    assert (budget.angle_mean_deg, budget.angle_p95_deg) == pytest.approx((0.798, 1.96), rel=0.01)
    assert (budget.seat, budget.seat_shift_rms_mm, budget.seat_turn_rms_deg) == (OWN, 0.0, pytest.approx(1.0))


def test_a_covariance_moves_the_tip_by_what_its_motions_do():
    """The tip's covariance is that of shift + turn × arm, with all that goes together; drawn motion by motion."""
    seat, aim = own_seat(), straight()
    motions = np.random.default_rng(5).multivariate_normal(np.zeros(6), seat.covariance, 400_000, method="eigh")
    moved = motions[:, :3] + np.cross(motions[:, 3:], aim.target_mm - seat.center_mm)
    found = covariance(aim, alone(seat).in_bone, aim.target_mm)
    assert found == pytest.approx(np.cov(moved.T), abs=0.01 * np.trace(found))
    budget = error_budget(aim, alone(seat), deep, ball(80.0 * AXIS, 5.0))
    length = np.linalg.norm(moved, axis=1)
    assert budget.tip_mean_mm == pytest.approx(length.mean(), rel=0.005)
    assert budget.tip_p95_mm == pytest.approx(np.quantile(length, 0.95), rel=0.01)


def test_the_same_seat_told_about_another_centre_has_the_same_budget():
    """Nor do the parts of turn and shift depend on the centre: what shifts because it turns is the turn's."""
    here, arm = own_seat(), np.array([20.0, -35.0, 12.0])
    lever = np.block([[np.eye(3), turning(arm)], [np.zeros((3, 3)), np.eye(3)]])
    there = replace(here, center_mm=here.center_mm + arm, covariance=lever @ here.covariance @ lever.T)
    assert there.shift_rms_mm != pytest.approx(here.shift_rms_mm, rel=0.05)
    first, second = (error_budget(straight(), sources(each), deep, ball(80.0 * AXIS, 5.0)) for each in (here, there))
    for name in LENGTHS:
        assert getattr(first, name) == pytest.approx(getattr(second, name), rel=1e-9)
    parts = [{each.name: each.tip_rms_mm for each in budget.contributions} for budget in (first, second)]
    assert parts[0] == pytest.approx(parts[1], rel=1e-9)


def test_a_worse_seat_makes_a_worse_budget():
    joint, lesion = below_plane(AXIS, 94.5), ball(80.0 * AXIS, 3.0)
    budgets = [error_budget(straight(), sources(own_seat(scale)), joint, lesion) for scale in (0.5, 1.0, 2.0)]
    for name in (*LENGTHS, "within_3_mm_of_joint", "seat_shift_rms_mm", "seat_turn_rms_deg"):
        first, second, third = (getattr(each, name) for each in budgets)
        assert first < second < third, name
    assert budgets[0].reaches_lesion > budgets[2].reaches_lesion


def test_the_surface_moves_a_built_seat_once_and_is_still_off_at_the_joint():
    """The seat answers the surface's error: that moves the tip no second time, but the joint lies elsewhere all the
    same.
    """
    aim, lesion = straight(outline=((0.0, 0.0),), radius_mm=0.1), ball(80.0 * AXIS, 5.0)
    coarse, fine = (alone(own_seat(1e-6)), alone(own_seat(1e-6)))
    coarse = replace(coarse, bone_surface=replace(coarse.bone_surface, rms=1.5))
    rough, smooth = (error_budget(aim, each, below_plane(AXIS, 94.0), lesion) for each in (coarse, fine))
    assert rough.tip_p95_mm == smooth.tip_p95_mm < 1e-4
    assert "bone surface" not in {each.name for each in rough.contributions}
    assert rough.within_3_mm_of_joint == pytest.approx(norm.cdf(-1.0 / (1.5 / np.sqrt(3.0))), rel=0.03)
    assert smooth.within_3_mm_of_joint < 0.001


@pytest.mark.parametrize("wrong", [{"shift_mm": -0.1}, {"turn_deg": np.nan}])
def test_a_seat_cannot_be_off_by_less_than_nothing(wrong):
    with pytest.raises(ValueError, match="expected a shift and a turn of 0 and more"):
        assumed_seating(np.zeros(3), **wrong)


@pytest.mark.parametrize("wrong", [-np.eye(6), np.triu(np.ones((6, 6)))])
def test_what_is_no_covariance_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a covariance of the seat's motion, symmetric and not negative"):
        Seating(np.zeros(3), wrong, OWN, "", True)


def test_the_other_sides_seat_has_the_same_budget():
    """Mirrored, a turn goes the other way round its axis."""
    flip, seat, aim, lesion = np.diag([-1.0, 1.0, 1.0]), own_seat(), straight(), ball(80.0 * AXIS, 5.0)
    both = np.block([[flip, np.zeros((3, 3))], [np.zeros((3, 3)), -flip]])
    other = replace(seat, center_mm=flip @ seat.center_mm, covariance=both @ seat.covariance @ both.T)
    here = error_budget(aim, sources(seat), deep, lesion)
    there = error_budget(straight(axis=flip @ AXIS), sources(other), deep, lesion @ flip)
    for name in LENGTHS:
        assert getattr(there, name) == pytest.approx(getattr(here, name), rel=1e-6)

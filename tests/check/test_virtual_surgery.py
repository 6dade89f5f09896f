"""Virtual surgery on bodies whose seats are known: a corner, a ball with ridges, half a cylinder, a flat face."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.optimize import nnls
from seat_bodies import CLEARANCE, ELSEWHERE, PLACE, corner, flat, half_cylinder, ridged_ball

from guidegen.check import virtual_surgery as operating
from guidegen.check.bench import lay_out
from guidegen.check.bone_field import Grid, distance_grid, grid_error_mm, rough, smooth
from guidegen.check.careful_hand import best_fit, looseness
from guidegen.check.seating import LOST, MOVING, SEATED, Pose, Push, drawn_push, gaps, motion_rows, push_home, turned_by
from guidegen.check.surgery import SurgeryLimits, TipError, surgery_findings
from guidegen.check.virtual_surgery import Drills, virtual_surgery
from guidegen.frames import across, unit
from guidegen.surfaces import Surface


@cache
def on_bench(make):
    """A body, its play not filled, and the distances round its bone."""
    bench = lay_out(*make().built())
    return bench, distance_grid(bench)


@pytest.fixture(scope="module")
def cornered():
    """The corner, its play filled, on bones that differ by 0.3 mm."""
    built = corner().built(periosteum_mm=CLEARANCE)
    return built, virtual_surgery(*built, starts=36)


@pytest.fixture(scope="module")
def ridged():
    """The ball with ridges, its play filled."""
    return virtual_surgery(*ridged_ball().built(periosteum_mm=CLEARANCE), starts=8, seed=3)


def test_a_corner_is_found_from_everywhere(cornered) -> None:
    found = cornered[1].segmented
    assert found.as_intended >= 0.95
    assert found.seated == 1.0
    assert (found.starts, found.slid_off, found.still_moving) == (36, 0, 0)
    assert found.tip.lateral_mm.p95 < 0.01
    assert found.tip.depth_mm.p95 < 0.01
    assert cornered[1].looseness.free == 0


def test_a_false_seat_is_told(cornered) -> None:
    """From 6 mm and 11° askew the shell's edges come to rest on two walls and a rounded edge."""
    found = cornered[1].segmented
    assert found.as_intended < 1.0
    false = found.worst_false_seat
    assert false.turn_deg > 1.0
    assert false.lateral_mm == pytest.approx(found.tip.lateral_mm.worst)


def test_play_lets_the_guide_go_deeper_by_what_geometry_says() -> None:
    """Three walls at right angles, each with the same play: pushed home, the corner goes in by √3 times it."""
    built = corner().built(surface_error_mm=0.0)
    found = virtual_surgery(*built, starts=12)
    tunnel, off = built[0].tunnels[0], np.array(built[0].guide.removal_direction)
    axis, moved = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm)), -np.sqrt(3.0) * CLEARANCE * off
    assert found.segmented.as_intended == 1.0
    assert found.segmented.tip.lateral_mm.mean == pytest.approx(np.linalg.norm(across(moved, axis)), abs=0.01)
    assert found.segmented.tip.depth_mm.mean == pytest.approx(moved @ axis, abs=0.01)
    assert found.segmented.tip.too_deep_mm == pytest.approx(moved @ axis, abs=0.02)
    assert found.careful_hand.lateral_mm.worst == pytest.approx(0.0, abs=1e-3)  # it keeps the asked gap


def test_a_ball_with_ridges_is_unique_too(ridged) -> None:
    assert ridged.looseness.free == 0
    assert ridged.segmented.as_intended == 1.0
    assert ridged.segmented.worst_false_seat is None
    assert ridged.segmented.tip.lateral_mm.worst < 0.6  # its facets: those of bone and guide differ by 0.03 mm


def test_a_half_cylinder_slides_and_rolls() -> None:
    bench, grid = on_bench(half_cylinder)
    loose = looseness(bench, grid)
    assert loose.free == 2
    assert loose.holding[2] > 0.2
    # along the shaft, and a roll about it: together they are all that is free
    points = bench.resting_mm
    slope = gaps(points, grid, smooth(grid), 0.0, np.eye(3), np.zeros(3))[1]
    along = np.array([0.0, 1.0, 0.0])
    centre = bench.axes.points(PLACE.points(np.zeros(3)))
    for motion in (np.tile(along, (len(points), 1)), np.cross(along, points - centre)):
        changes = np.einsum("ij,ij->i", slope, motion)
        assert np.sqrt((changes**2).mean() / (motion**2).sum(axis=1).mean()) < 0.03
    rng = np.random.default_rng(0)
    for _ in range(6):
        start = Pose(turned_by(rng.uniform(-10, 10, 3)), rng.uniform(-5, 5, 3))
        push = drawn_push(rng, 10.0, 10.0, 12.0)
        assert push_home(bench, grid, smooth(grid), 0.0, start, push)[1] == LOST


def same(first: Any, second: Any) -> None:
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            same(first[key], second[key])
    elif isinstance(first, (tuple, list)):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            same(one, other)
    else:
        assert first == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize(("place", "mirror"), [(ELSEWHERE, False), (ELSEWHERE, True)])
def test_where_the_patient_lies_and_which_hip_it_is_changes_nothing(ridged, place, mirror) -> None:
    there = virtual_surgery(*ridged_ball().built(place, mirror, periosteum_mm=CLEARANCE), starts=8, seed=3)
    same(ridged.record(), there.record())


def test_the_seed_and_nothing_else_decides(ridged) -> None:
    built = ridged_ball().built(periosteum_mm=CLEARANCE)
    again, other = (virtual_surgery(*built, starts=8, seed=seed) for seed in (3, 4))
    assert again == ridged
    assert other.rough != ridged.rough


def test_a_bone_that_rises_takes_its_rise_from_the_gap() -> None:
    """By as much as it rises, and where it rises to one side, from the slope."""
    bench, grid = on_bench(flat)
    ramp = 0.2 + 0.01 * 1.5 * np.arange(60)[:, None, None] * np.ones((1, 60, 30))
    gap, slope = gaps(bench.resting_mm, grid, Grid(grid.low_mm, 1.5, ramp), 0.1, np.eye(3), np.zeros(3))
    rise = 0.2 + 0.01 * (bench.resting_mm[:, 0] - grid.low_mm[0])
    assert gap == pytest.approx(CLEARANCE - rise - 0.1, abs=1e-6)
    assert slope == pytest.approx(np.tile([-0.01, 0.0, 1.0], (len(gap), 1)), abs=1e-6)


@pytest.mark.parametrize("make", [corner, ridged_ball])
def test_at_rest_the_contacts_balance_the_push(make) -> None:
    """An independent solver finds contact forces that press and nothing else, and balance the push."""
    bench, grid = on_bench(make)
    rng, settled = np.random.default_rng(5), 0
    for _ in range(8):
        push = drawn_push(rng, 10.0, 10.0, 12.0)
        start = Pose(turned_by(rng.uniform(-10, 10, 3)), rng.uniform(-5, 5, 3))
        pose, how = push_home(bench, grid, smooth(grid), 0.0, start, push)
        if how != SEATED:
            continue
        settled += 1
        gap, slope = gaps(bench.points_mm, grid, smooth(grid), 0.0, pose.turn, pose.shift_mm)
        exact = bench.bone.signed_distance_mm(pose.points(bench.points_mm))
        assert exact.min() > -0.03
        touching = gap < 0.012
        rows = motion_rows(bench.points_mm[touching] @ pose.turn.T, slope[touching], bench.lever_mm)
        load = np.r_[push.direction, np.cross(pose.turn @ push.place_mm, push.direction) / bench.lever_mm]
        assert nnls(rows.T, -load)[1] < 0.02
    assert settled >= 4


def test_a_tilted_push_slides_a_plate_along_its_face_without_end() -> None:
    bench, grid = on_bench(flat)
    aside = Push(unit(np.array([0.2, 0.0, -1.0])), np.array([0.0, 0.0, 0.0]))
    pose, how = push_home(bench, grid, smooth(grid), 0.0, Pose(np.eye(3), np.zeros(3)), aside)
    assert how == LOST
    assert pose.shift_mm[0] > 14.0
    assert pose.shift_mm[2] == pytest.approx(-CLEARANCE, abs=0.02)
    assert pose.turn_deg < 0.1


def test_friction_holds_what_lies_in_its_cone(monkeypatch) -> None:
    """Directions are even in a cone of 15°; friction 0.2 holds those within 11.3°, its pyramid nine tenths of them."""
    monkeypatch.setattr(operating, "HELD_PUSHES", 300)
    found = virtual_surgery(*flat().built(surface_error_mm=0.0), starts=4)
    within = (np.cos(0) - np.cos(np.arctan(0.2))) / (np.cos(0) - np.cos(np.radians(15.0)))
    assert 0.88 * within < found.held < 1.03 * within


def test_the_careful_hand_errs_as_least_squares_do() -> None:
    """The pose's covariance (JᵀJ)⁻¹ Jᵀ Σ J (JᵀJ)⁻¹ with the field's own Σ, carried to the tip."""
    bench, grid = on_bench(corner)
    points = bench.resting_mm
    slope = gaps(points, grid, smooth(grid), 0.0, np.eye(3), np.zeros(3))[1]
    rows = motion_rows(points, slope, bench.lever_mm)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    field = 0.3**2 * np.exp(-(apart**2) / (4 * 3.0**2))
    solve = np.linalg.inv(rows.T @ rows) @ rows.T
    drill = operating._drills(corner().built()[0], bench)
    covariance = solve @ field @ solve.T
    motions = np.random.default_rng(0).multivariate_normal(np.zeros(6), covariance, 20_000)
    tips = motions[:, :3] + np.cross(motions[:, 3:] / bench.lever_mm, drill.tips_mm[0])
    lateral = np.linalg.norm(across(tips, drill.axes[0]), axis=1)
    rng = np.random.default_rng(1)
    fitted = [best_fit(bench, grid, rough(grid, 0.3, rng), CLEARANCE) for _ in range(150)]
    found = np.array([drill.off_mm(pose)[0, 0] for pose in fitted])
    assert found.mean() == pytest.approx(lateral.mean(), rel=0.12)
    assert np.percentile(found, 95) == pytest.approx(np.percentile(lateral, 95), rel=0.2)


def test_the_drill_goes_where_the_bore_is_and_not_where_it_was_planned() -> None:
    found = virtual_surgery(*flat(bore_aside=0.5).built(surface_error_mm=0.0), starts=2)
    assert found.careful_hand.lateral_mm.mean == pytest.approx(0.5, abs=0.01)


def test_a_stop_face_above_the_printed_top_is_where_depth_is_counted_from() -> None:
    """The drill still goes to the target: its depth is planned from the stop face, wherever that is."""
    asked, bone, guide = flat().built(surface_error_mm=0.0)
    axis = unit(np.subtract(asked.tunnels[0].target_mm, asked.tunnels[0].entry_mm))
    raised = asked.guide.sleeves[0].model_copy(
        update={"stop_face_mm": tuple(asked.guide.sleeves[0].top_mm - 3.0 * axis)}
    )
    metal = asked.model_copy(update={"guide": asked.guide.model_copy(update={"sleeves": [raised]})})
    found = virtual_surgery(metal, bone, guide, starts=2)
    assert found.careful_hand.depth_mm.worst == pytest.approx(0.0, abs=0.01)


def test_the_grid_is_as_exact_as_it_says() -> None:
    bench, grid = on_bench(ridged_ball)
    assert np.percentile(np.abs(grid_error_mm(grid, bench)), 99) < 0.02
    rng = np.random.default_rng(1)
    near = bench.resting_mm + rng.normal(0.0, 0.2, bench.resting_mm.shape)
    exact = bench.bone.signed_distance_mm(near)
    gap = gaps(near, grid, smooth(grid), 0.0, np.eye(3), np.zeros(3))[0]
    assert np.percentile(np.abs(gap - exact), 99) < 0.02


def test_a_guide_put_wrong_is_fitted_back() -> None:
    """The fit starts from the plan and finds a bone that has moved under it."""
    bench, grid = on_bench(corner)
    moved = replace(bench, points_mm=bench.points_mm @ turned_by(np.array([0.8, -0.5, 0.3])).T + [0.3, -0.2, 0.2])
    back = best_fit(moved, grid, smooth(grid), CLEARANCE)
    assert np.abs(back.points(moved.points_mm) - bench.points_mm).max() < 0.02


def test_nothing_to_operate_on_fails_every_finding() -> None:
    asked, bone, guide = corner().built()
    off = Surface(guide.vertices + 20.0 * np.array(asked.guide.removal_direction), guide.faces)
    assert virtual_surgery(asked, bone, off, starts=2) is None
    assert virtual_surgery(*flat(bore_aside=30.0).built(), starts=2) is None
    findings = surgery_findings(None, SurgeryLimits())
    assert [finding.passed for finding in findings] == [False] * 4
    assert all(finding.why.startswith("Not measured: nothing of the guide rests") for finding in findings)


def test_findings_hold_each_figure_to_its_limit(cornered) -> None:
    found = cornered[1]
    assert all(finding.passed for finding in surgery_findings(found, SurgeryLimits()))
    strict = SurgeryLimits(careful_hand_p95_mm=0.01, held=1.01, as_intended=1.01, grid_error_mm=0.0)
    assert not any(finding.passed for finding in surgery_findings(found, strict))


def test_what_sits_as_intended_is_near_its_place_and_hardly_turned() -> None:
    """Four guides at rest, one that slid off and one that moves: only the first is within 1 mm and 1°."""
    drills = Drills(np.array([[0.0, 0.0, -60.0]]), np.array([[0.0, 0.0, -60.0]]), np.array([[0.0, 0.0, -1.0]]))
    turns = [turned_by(np.array([deg, 0.0, 0.0])) for deg in (0.9, 0.0, 1.1, 2.0, 0.0, 0.0)]
    shifts = np.array([0.9, 1.1, 0.0, 3.0, 0.0, 0.0])[:, None] * [1.0, 0.0, 0.0]
    ended = [
        (Pose(turn, shift), how)
        for turn, shift, how in zip(turns, shifts, [SEATED, SEATED, SEATED, SEATED, LOST, MOVING], strict=True)
    ]
    found = operating._pushed(drills, ended)
    assert (found.seated, found.as_intended) == pytest.approx((4 / 6, 1 / 6))
    assert (found.slid_off, found.still_moving) == (1, 1)
    false = found.worst_false_seat
    assert (false.shift_mm, false.turn_deg) == pytest.approx((3.0, 2.0))
    assert false.lateral_mm == pytest.approx(np.hypot(3.0, 60.0 * np.sin(np.radians(2.0))))
    assert found.tip.too_deep_mm == 0.0
    assert found.tip.depth_mm.worst == pytest.approx(60.0 * (1.0 - np.cos(np.radians(2.0))))


def test_of_several_tunnels_the_worst_counts() -> None:
    """Three operations with two tunnels: across and along for each."""
    tips = np.array([[[1.0, 2.0], [-0.5, 0.1]], [[3.0, 0.0], [0.2, 0.3]], [[0.5, 0.6], [-0.9, 0.0]]])
    error = TipError.of(tips)
    assert (error.lateral_mm.mean, error.lateral_mm.p50, error.lateral_mm.worst) == pytest.approx((5.6 / 3, 2.0, 3.0))
    assert (error.depth_mm.p50, error.depth_mm.worst, error.too_deep_mm) == pytest.approx((0.5, 0.9, 0.3))


def test_the_record_is_json_with_every_number_rounded(cornered) -> None:
    record = cornered[1].record()
    assert json.loads(json.dumps(record)) == record
    assert record["segmented"]["worst_false_seat"].keys() == {"shift_mm", "turn_deg", "lateral_mm"}
    assert record["held"] == round(cornered[1].held, 6)

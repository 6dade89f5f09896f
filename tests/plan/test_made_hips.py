"""Hips put together from a ball, a round neck and a round shaft: what the best tunnel reaches is known."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest
from plan_case import CORE, Case, with_drill

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, across, unit
from guidegen.guide.solids import along_axis, placed, to_surface
from guidegen.lesion.lesion import Lesion
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import broken_rules

HEAD_MM, NECK_MM, SHAFT_MM = 25.0, 17.0, 17.0
NEAR = 0.015  # voxels of 0.5 mm on the cylinder's edge, and a tip that may end within 0.5 mm of the ball's far pole
UP, MEDIAL, BACK = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
HEAD = np.zeros(3)
NECK_AXIS = unit([np.sin(np.radians(52.0)), 0.0, np.cos(np.radians(52.0))])  # 128° to the shaft
FOOT = HEAD - 62.0 * NECK_AXIS  # where the neck's axis meets that of the shaft


def bar(start: FloatArray, end: FloatArray, radius_mm: float) -> m3.Manifold:
    solid = m3.Manifold.cylinder(float(np.linalg.norm(end - start)), radius_mm, radius_mm, 120)
    return placed(solid, along_axis(start, end - start))


def hip(lesion_mm: FloatArray, radius_mm: float, drill_mm: float = 8.0) -> Case:
    """A right hip (the head to the left, +x) with a ball of dead bone of 0.5 mm voxels."""
    solid = (
        m3.Manifold.sphere(HEAD_MM, 120) + bar(FOOT, HEAD, NECK_MM) + bar(FOOT - 110.0 * UP, FOOT + 25.0 * UP, SHAFT_MM)
    ).refine_to_length(5.0)
    grid = np.stack(np.meshgrid(*[np.arange(-radius_mm, radius_mm + 0.3, 0.5)] * 3, indexing="ij"), axis=-1)
    points = grid.reshape(-1, 3)
    points = lesion_mm + points[np.linalg.norm(points, axis=1) <= radius_mm]
    volume = 4.0 / 3.0 * np.pi * radius_mm**3
    bone = to_surface(solid)
    anatomy = Anatomy(
        side="right", head_center_mm=HEAD, head_radius_mm=HEAD_MM, neck_isthmus_center_mm=HEAD - 34.0 * NECK_AXIS,
        neck_axis=NECK_AXIS, shaft_point_mm=FOOT - 60.0 * UP, shaft_axis=UP,
        lesser_trochanter_mm=FOOT - 35.0 * UP + SHAFT_MM * BACK, greater_trochanter_mm=FOOT + 25.0 * UP - 5.0 * MEDIAL,
        vastus_ridge_mm=FOOT - 5.0 * UP - SHAFT_MM * MEDIAL, neck_shaft_angle_deg=128.0, head_rms_mm=0.0,
        shaft_is_short=False,
    )  # fmt: skip
    share = volume / (4.0 / 3.0 * np.pi * HEAD_MM**3)
    lesion = Lesion(volume, lesion_mm, share, points, bone, None)
    return Case(bone, anatomy, lesion, kit=with_drill(CORE, diameter_mm=drill_mm), rules=Rules())


def shared_fraction(ball_mm: float, drill_mm: float) -> float:
    """Of a ball with a cylinder all through its middle."""
    return 1.0 - (1.0 - (drill_mm / 2.0 / ball_mm) ** 2) ** 1.5


@pytest.fixture(scope="module")
def central() -> Case:
    return hip(HEAD, 9.0)


@pytest.mark.parametrize("strategy", ["centroid", "coverage"])
def test_a_ball_in_the_middle_of_the_head_is_drilled_through_its_middle(central, strategy) -> None:
    tunnel = central.found(strategy).tunnels[0]
    assert tunnel.lesion_reached_fraction == pytest.approx(shared_fraction(9.0, 8.0), rel=NEAR)
    assert tunnel.centroid_distance_mm < 0.4
    assert broken_rules(tunnel, central.rules) == ()


def test_all_that_is_the_same_in_front_and_behind_puts_the_entry_in_the_middle(central) -> None:
    tunnel = central.tunnel
    assert abs(tunnel.off_middle) < 0.02
    assert abs(tunnel.axis @ BACK) < 0.005


def test_it_ends_at_the_far_side_of_the_ball(central) -> None:
    """Where a flat drill has swept all of the ball in its way: between the rim's place and the far pole."""
    past = (central.tunnel.target_mm - HEAD) @ central.tunnel.axis
    assert np.sqrt(9.0**2 - 4.0**2) - 0.5 <= past <= 9.0 + 0.5


def test_the_wall_is_that_of_a_line_in_a_round_neck(central) -> None:
    """The neck's axis lies in the plane of the tunnel: where it leaves it, the wall thins by as much."""
    tunnel = central.tunnel
    out_of_neck = float(np.degrees(np.arccos(np.clip(tunnel.axis @ NECK_AXIS, -1.0, 1.0))))
    assert tunnel.wall_min_mm <= NECK_MM - 4.0
    assert tunnel.shaft_angle_deg == pytest.approx(128.0, abs=out_of_neck + 0.1)
    way = np.arange(20.0, tunnel.length_mm - HEAD_MM, 0.1)[:, None]
    places = tunnel.entry_mm + way * tunnel.axis
    off_neck = np.linalg.norm(across(places - FOOT, NECK_AXIS), axis=1)
    from_shaft = np.linalg.norm(across(places - FOOT, UP), axis=1)
    in_neck_alone = (from_shaft > SHAFT_MM + 3.0) & (np.linalg.norm(places, axis=1) > HEAD_MM)
    assert tunnel.wall_min_mm <= (NECK_MM - off_neck[in_neck_alone]).min() - 4.0 + 0.05


@pytest.mark.parametrize("drill_mm", [6.0])
def test_another_drill_reaches_as_much_more_or_less(drill_mm) -> None:
    case = hip(HEAD, 9.0, drill_mm)
    assert case.found("coverage").tunnels[0].lesion_reached_fraction == pytest.approx(
        shared_fraction(9.0, drill_mm), rel=NEAR
    )


def test_a_ball_under_the_dome_is_reached_as_far_as_the_joint_allows() -> None:
    """Along the neck's axis: a cylinder that ends at the depth that the joint leaves it, in a ball."""
    middle, ball, radius = HEAD + 13.0 * NECK_AXIS, 9.0, 4.0
    case = hip(middle, ball)
    tunnel, rules = case.tunnel, case.rules
    stop = min(
        HEAD_MM - rules.subchondral_axis_mm - rules.surface_doubt_mm,
        np.sqrt((HEAD_MM - rules.subchondral_rim_mm - rules.surface_doubt_mm) ** 2 - radius**2),
    )
    end = (tunnel.target_mm - middle) @ tunnel.axis
    off_axis = np.linalg.norm(across(HEAD - tunnel.entry_mm, tunnel.axis))
    assert off_axis < 2.0
    assert (tunnel.target_mm - HEAD) @ tunnel.axis == pytest.approx(stop, abs=0.5)
    high = np.sqrt(ball**2 - radius**2)
    cap = np.pi * (2.0 * ball**3 / 3.0 - ball**2 * high + high**3 / 3.0)
    shared = cap + np.pi * radius**2 * (min(end, high) + high)
    assert tunnel.lesion_reached_fraction == pytest.approx(shared / case.lesion.volume_mm3, rel=0.015)


def test_the_other_side_is_its_mirror_image(central) -> None:
    other = central.mirrored()
    assert np.linalg.norm(other.tunnel.target_mm - central.tunnel.target_mm * [-1.0, 1.0, 1.0]) < 0.05
    assert other.tunnel.off_middle == pytest.approx(central.tunnel.off_middle, abs=0.005)

"""Volumes against counting voxels on the made-up hip, and against closed forms on bodies that have them."""

from __future__ import annotations

from dataclasses import replace

import manifold3d as m3
import numpy as np
import pytest
from plan_case import CORE, FAN, Case
from remeasured import end_setback_mm

from guidegen.frames import FloatArray, across, perpendicular_pair, unit
from guidegen.guide.solids import to_surface
from guidegen.plan.kits import Curette, Reamer
from guidegen.plan.tool import Tool
from guidegen.plan.volumes import RESIDUAL_FLAG_MM3, Volumes, plan_volumes

VOXEL_MM = 0.25


def kit_of(**changes) -> object:
    return CORE.model_copy(update=changes)


KITS = {
    "core": CORE,
    "reamer": kit_of(reamer=Reamer(radius_mm=6.5, cutting_length_mm=12.0)),
    "curette": kit_of(curette=Curette(reach_mm=5.0)),
}


def swept(points: FloatArray, tunnel, kit) -> FloatArray:
    """Which points (K, 3) a drill with a flat or conical end and a reamer sweeps, from 30 mm before its entry on."""
    relative = points - tunnel.entry_mm
    along = relative @ tunnel.axis
    beside = np.linalg.norm(across(relative, tunnel.axis), axis=1)
    radius, setback = kit.drill.diameter_mm / 2.0, end_setback_mm(kit)
    inside = (beside <= radius) & (along >= -30.0) & (along <= tunnel.length_mm - setback * beside / radius)
    if kit.reamer is not None:
        from_end = tunnel.length_mm - setback - along
        inside |= (beside <= kit.reamer.radius_mm) & (from_end >= 0.0) & (from_end <= kit.reamer.cutting_length_mm)
    return inside


def counted_mm3(case: Case, tunnels, kit, voxel_mm: float = VOXEL_MM) -> float:
    """The bone that is swept, in voxels along the first tunnel; each counted once."""
    widest = max(kit.drill.diameter_mm / 2.0, kit.reamer.radius_mm if kit.reamer else 0.0)
    origin, axes = tunnels[0].entry_mm, np.stack([*perpendicular_pair(tunnels[0].axis), tunnels[0].axis])
    every = np.concatenate([[each.entry_mm - 20.0 * each.axis, each.target_mm] for each in tunnels])
    local = (every - origin) @ axes.T
    low, high = local.min(axis=0) - widest, local.max(axis=0) + widest
    x, y, z = (np.arange(low[k] + voxel_mm / 2.0, high[k], voxel_mm) for k in range(3))
    total = 0
    for level in z:
        layer = np.stack(np.meshgrid(x, y, [level], indexing="ij"), axis=-1).reshape(-1, 3) @ axes + origin
        layer = layer[np.any([swept(layer, tunnel, kit) for tunnel in tunnels], axis=0)]
        # past the cortex all is bone
        total += len(layer) if level > 20.0 else int(case.bone.contains(layer).sum()) if len(layer) else 0
    return total * voxel_mm**3


@pytest.mark.parametrize("name", ["core", "reamer"])
def test_the_bone_removed_is_what_voxels_count(case, name) -> None:
    hip, tunnels = case.hip_for(KITS[name]), case.found("centroid").tunnels
    assert plan_volumes(hip, tunnels).bone_removed_mm3 == pytest.approx(
        counted_mm3(case, tunnels, KITS[name]), rel=0.01
    )


def test_a_fan_is_counted_once(case) -> None:
    tunnels = case.found("multiple").tunnels
    together = plan_volumes(case.fan_ground.hip, tunnels)
    assert together.bone_removed_mm3 == pytest.approx(counted_mm3(case, tunnels, FAN, 0.3), rel=0.01)
    alone = [plan_volumes(case.fan_ground.hip, (tunnel,)) for tunnel in tunnels]
    assert together.bone_removed_mm3 < 0.95 * sum(each.bone_removed_mm3 for each in alone)
    assert together.by_tool_mm3 <= sum(each.by_tool_mm3 for each in alone) + 1e-9
    twice = plan_volumes(case.fan_ground.hip, (tunnels[0], tunnels[0]))
    assert twice.by_tool_mm3 == alone[0].by_tool_mm3
    assert twice.bone_removed_mm3 == pytest.approx(alone[0].bone_removed_mm3)


@pytest.mark.parametrize("name", KITS)
def test_of_the_lesion_each_point_is_reached_scraped_or_left(case, name) -> None:
    kit = KITS[name]
    hip, tunnel, lesion = case.hip_for(kit), case.tunnel, case.lesion
    volumes = plan_volumes(hip, (tunnel,))
    each = lesion.volume_mm3 / len(lesion.points_mm)
    by_tool = swept(lesion.points_mm, tunnel, kit)
    relative = lesion.points_mm - tunnel.target_mm
    beside = np.linalg.norm(across(relative, tunnel.axis), axis=1)
    scraped = np.zeros(len(by_tool), dtype=bool)
    if kit.curette is not None:
        past, round_it = np.maximum(relative @ tunnel.axis, 0.0), np.maximum(beside - 4.0, 0.0)
        deep = -case.bone.signed_distance_mm(lesion.points_mm) >= case.rules.subchondral_rim_mm
        scraped = (np.hypot(past, round_it) <= kit.curette.reach_mm) & deep & ~by_tool
        assert scraped.sum() > 100
    assert volumes.by_tool_mm3 == pytest.approx(each * by_tool.sum(), rel=1e-9)
    assert volumes.by_curette_mm3 == pytest.approx(each * scraped.sum(), rel=1e-9)
    assert volumes.residual_mm3 == pytest.approx(lesion.volume_mm3 - each * (by_tool | scraped).sum())
    assert volumes.reached_fraction == pytest.approx((by_tool | scraped).mean())
    assert volumes.graft_ml == pytest.approx((volumes.bone_removed_mm3 + volumes.by_curette_mm3) / 1000.0)
    (piece,) = volumes.pieces
    assert (piece.volume_mm3, piece.by_tool_mm3) == pytest.approx((lesion.volume_mm3, volumes.by_tool_mm3))


def test_a_reamer_reaches_more_and_a_curette_more_beside_it(case) -> None:
    reached = {name: plan_volumes(case.hip_for(kit), (case.tunnel,)).reached_fraction for name, kit in KITS.items()}
    assert reached["core"] < reached["reamer"]
    assert reached["core"] < reached["curette"]


def through_a_ball(case: Case, radius_mm: float, past_mm: float) -> tuple[Case, object]:
    """A block of bone with a ball of dead bone in it, and a tunnel square into it, `past_mm` past its middle."""
    middle, axis = case.lesion.centroid_mm, unit([0.3, -0.5, 0.8])
    block = to_surface(m3.Manifold.cube([200.0, 200.0, 200.0], True).translate(middle))
    grid = np.stack(np.meshgrid(*[np.arange(-radius_mm, radius_mm + 0.2, 0.4)] * 3, indexing="ij"), axis=-1)
    points = grid.reshape(-1, 3)
    points = middle + points[np.linalg.norm(points, axis=1) <= radius_mm]
    volume = 4.0 / 3.0 * np.pi * radius_mm**3
    lesion = replace(case.lesion, points_mm=points, centroid_mm=middle, volume_mm3=volume, pieces=1)
    tunnel = replace(case.tunnel, entry_mm=middle - 60.0 * axis, target_mm=middle + past_mm * axis)
    return replace(case, bone=block, lesion=lesion), tunnel


@pytest.mark.parametrize("past_mm", [-4.0, 0.0, 3.0, 12.0])
def test_of_a_ball_a_flat_drill_reaches_what_a_cylinder_and_a_ball_share(case, past_mm) -> None:
    """The closed form: the cylinder's round as far as it lies in the ball, a cap of the ball where it narrows."""
    ball, radius = 10.0, 4.0
    cased, tunnel = through_a_ball(case, ball, past_mm)
    high = np.sqrt(ball**2 - radius**2)  # so far from the middle the ball is as narrow as the cylinder
    cap = np.pi * (2.0 * ball**3 / 3.0 - ball**2 * high + high**3 / 3.0)
    shared = cap + np.pi * radius**2 * (min(past_mm, high) + high) + (cap if past_mm > ball else 0.0)
    found = plan_volumes(cased.hip, (tunnel,))
    assert found.by_tool_mm3 == pytest.approx(shared, rel=0.01)
    assert found.reached_fraction == pytest.approx(shared / (4.0 / 3.0 * np.pi * ball**3), rel=0.01)
    assert found.bone_removed_mm3 == pytest.approx(np.pi * radius**2 * (60.0 + 30.0 + past_mm), rel=0.001)


def test_a_curette_scrapes_a_wider_cylinder_of_a_ball(case) -> None:
    cased, tunnel = through_a_ball(case, 10.0, 30.0)
    kit = kit_of(curette=Curette(reach_mm=3.0))
    found = plan_volumes(cased.hip_for(kit), (tunnel,))
    shares = [1.0 - (1.0 - (radius / 10.0) ** 2) ** 1.5 for radius in (4.0, 7.0)]
    assert found.by_tool_mm3 / found.lesion_mm3 == pytest.approx(shares[0], rel=0.01)
    assert found.by_curette_mm3 / found.lesion_mm3 == pytest.approx(shares[1] - shares[0], rel=0.01)


def test_the_curette_stays_as_far_from_the_joint_as_a_rim_must(case) -> None:
    hip = case.hip_for(kit_of(curette=Curette(reach_mm=40.0)))
    volumes = plan_volumes(hip, (case.tunnel,))
    deep = -case.bone.signed_distance_mm(case.lesion.points_mm) >= case.rules.subchondral_rim_mm
    reachable = deep | swept(case.lesion.points_mm, case.tunnel, CORE)
    assert volumes.reached_fraction == pytest.approx(reachable.mean())


def test_much_is_left_from_a_cubic_centimetre_on() -> None:
    for residual, much in ((RESIDUAL_FLAG_MM3 - 1.0, False), (RESIDUAL_FLAG_MM3, True)):
        assert Volumes(5000.0, 1.0, 1.0, 0.0, residual, 1.0, ()).much_is_left is much


def test_the_tool_is_that_of_the_kit() -> None:
    assert Tool.of(KITS["reamer"]).reamer_radius_mm == 6.5

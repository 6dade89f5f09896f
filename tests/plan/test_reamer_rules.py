"""An opened reamer is a tool as any other: walls, vessels, joint and what is kept out are measured to its blades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, perpendicular_pair
from guidegen.keep_out import KeepOut, Structure
from guidegen.plan.hip import Hip
from guidegen.plan.kits import Kit
from guidegen.plan.rules import Rules
from guidegen.plan.strategies import as_ordered, ground_of
from guidegen.plan.templates import load_template
from guidegen.plan.tunnel import Tunnel, broken_rules


@pytest.fixture(scope="module")
def hip(case) -> Hip:
    kit = load_template(Kit, "expandable-8")[0]
    return Hip(case.bone, case.anatomy, case.lesion, kit, Rules(), kit.drill.diameter_mm + 0.2, 32.0)


@pytest.fixture(scope="module")
def in_neck(hip: Hip, case) -> Tunnel:
    """A tunnel that ends in the middle of the neck, where the blades are wider than the drill."""
    target = case.anatomy.neck_isthmus_center_mm
    return as_ordered(ground_of(hip, case.tunnel.entry_mm, target), target).tunnels[0]


def blades(hip: Hip, tunnel: Tunnel) -> FloatArray:
    """Places (K, 3) all over the opened blades."""
    first, second = perpendicular_pair(tunnel.axis)
    turn = np.arange(0.0, 2.0 * np.pi, 0.05)
    ring = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    back = hip.tool.setback_at_rim_mm + np.linspace(0.0, hip.tool.reamer_length_mm, 60)
    return (tunnel.target_mm - back[:, None, None] * tunnel.axis + hip.tool.reamer_radius_mm * ring).reshape(-1, 3)


def test_the_wall_is_that_beside_the_blades(hip: Hip, in_neck: Tunnel) -> None:
    places = blades(hip, in_neck)
    depth = -hip.bone.signed_distance_mm(places).max()
    vessels = hip.vessels.nearest(places)[0].min()
    assert in_neck.wall_min_mm == pytest.approx(depth, abs=0.8)  # nearest on the axis: no less than that beside it
    assert in_neck.wall_min_mm <= depth + 0.01
    assert in_neck.vessel_wall_mm <= vessels + 0.01
    assert "vessel_wall_min_mm" in {each.rule for each in broken_rules(in_neck, hip.rules)}


def test_metal_beside_the_blades_is_met(hip: Hip, in_neck: Tunnel) -> None:
    import manifold3d

    from guidegen.guide.solids import to_surface

    middle = blades(hip, in_neck)[30 * 126]
    ball = to_surface(manifold3d.Manifold.sphere(1.5, 48)).vertices
    surface = replace(to_surface(manifold3d.Manifold.sphere(1.5, 48)), vertices=ball + middle)
    beside = replace(hip, keep_out=KeepOut((Structure("implant", surface),)))
    found = as_ordered(ground_of(beside, in_neck.entry_mm, in_neck.target_mm), in_neck.target_mm).tunnels[0]
    assert found.keep_out_mm == 0.0
    assert "keep_out_min_mm" in {each.rule for each in broken_rules(found, hip.rules)}


def test_an_order_of_no_length_is_refused_before_anything_is_drawn_to_it(hip: Hip, case) -> None:
    entry = case.tunnel.entry_mm
    with pytest.raises(NoSafePlan, match="expected a target inside the bone, at least 10 mm from the entry"):
        ground_of(hip, entry, entry)

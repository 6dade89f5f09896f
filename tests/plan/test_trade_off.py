"""What more safety costs: the curve is one of lawful tunnels, and falls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plan_case import Case

from guidegen.plan.rules import tighter
from guidegen.plan.strategies import ground_of
from guidegen.plan.trade_off import SPARES_MM, least_spare_mm, trade_off
from guidegen.plan.tunnel import broken_rules


@pytest.fixture(scope="module")
def narrow(case) -> Case:
    """Fewer entries, and a small lesion: quicker, and not every spare is kept."""
    small = case.with_lesion(case.lesion.centroid_mm, 5.0)
    return replace(small, rules=replace(case.rules, entry_off_middle_max=0.3))


@pytest.fixture(scope="module")
def curve(narrow):
    return trade_off(narrow.ground)


def test_every_tunnel_keeps_every_distance_by_as_much_more(narrow, curve) -> None:
    assert len(curve) > 3
    for trade in curve:
        assert trade.spare_mm in SPARES_MM
        assert broken_rules(trade.tunnel, tighter(narrow.rules, trade.spare_mm)) == ()
        assert trade.least_spare_mm >= trade.spare_mm - 1e-6
        rules, tunnel = narrow.rules, trade.tunnel
        assert trade.least_spare_mm == min(
            tunnel.wall_min_mm - rules.wall_min_mm,
            tunnel.vessel_wall_mm - rules.vessel_wall_min_mm,
            tunnel.subchondral_axis_mm - rules.subchondral_axis_mm,
            tunnel.tool_to_joint_mm - rules.subchondral_rim_mm,
        )


def test_more_safety_reaches_less(curve) -> None:
    spares = [trade.spare_mm for trade in curve]
    reached = [trade.tunnel.lesion_reached_fraction for trade in curve]
    assert spares == sorted(set(spares))
    assert spares[0] == 0.0
    assert np.diff(reached).max() <= 0.03  # a tunnel of less cost may reach as much less
    assert reached[-1] < reached[0]


def test_without_spare_it_is_near_the_plan_for_reach(narrow, curve) -> None:
    most = narrow.found("coverage").tunnels[0].lesion_reached_fraction
    assert most - 0.05 <= curve[0].tunnel.lesion_reached_fraction <= most + 0.02


def test_with_one_ordered_entry_there_is_a_curve_too(case) -> None:
    assert least_spare_mm(case.tunnel, case.rules) > 0.0
    assert len(trade_off(ground_of(case.hip, case.tunnel.entry_mm))) >= 1


def test_without_a_lawful_tunnel_there_is_none(narrow) -> None:
    assert trade_off(replace(narrow, rules=replace(narrow.rules, wall_min_mm=25.0)).ground) == ()

"""Tunnels from several entries, where a fan from one does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.errors import NoSafePlan
from guidegen.plan.apart import bridge_mm, tunnels_apart
from guidegen.plan.hip import Hip
from guidegen.plan.kits import Kit
from guidegen.plan.rules import Rules
from guidegen.plan.search import Search
from guidegen.plan.strategies import Ground, ground_of, lesion_targets, several
from guidegen.plan.templates import load_template
from guidegen.plan.tunnel import Tunnel, broken_rules

# so short a common mouth that no fan fits: its tunnels would have to stand 30° apart
NO_FAN = replace(Rules(), fan_mouth_mm=8.0)


@pytest.fixture(scope="module")
def ground(case) -> Ground:
    kit = load_template(Kit, "multiple-3.2")[0]
    return ground_of(Hip(case.bone, case.anatomy, case.lesion, kit, NO_FAN, kit.drill.diameter_mm + 0.2, 32.0))


@pytest.fixture(scope="module")
def tunnels(ground: Ground) -> tuple[Tunnel, ...]:
    return several(ground).tunnels


def test_they_stand_a_bore_and_two_walls_apart_at_the_cortex(tunnels) -> None:
    assert 2 <= len(tunnels) <= 4
    for k, one in enumerate(tunnels):
        for other in tunnels[:k]:
            assert np.linalg.norm(one.entry_mm - other.entry_mm) >= 3.4 + 2.0 * 3.0
            assert bridge_mm(one, other) >= 1.0


def test_each_keeps_every_rule_and_none_drills_where_another_did(ground: Ground, tunnels) -> None:
    assert all(broken_rules(tunnel, ground.hip.rules) == () for tunnel in tunnels)
    ends = np.array([tunnel.target_mm for tunnel in tunnels])
    apart = np.linalg.norm(ends[:, None] - ends[None], axis=2)[np.triu_indices(len(ends), 1)]
    assert apart.min() > 3.2


def test_the_first_is_the_best_of_all(tunnels) -> None:
    scores = [100.0 * tunnel.lesion_reached_fraction - tunnel.cost for tunnel in tunnels]
    assert scores[0] >= max(scores) - 0.05


def test_tunnels_that_meet_leave_no_bridge(ground: Ground, tunnels) -> None:
    one = tunnels[0]
    crossing = replace(one, entry_mm=one.entry_mm + 10.0 * ground.hip.anatomy.posterior)
    crossing = replace(crossing, target_mm=one.entry_mm + 0.5 * (one.target_mm - one.entry_mm))
    assert bridge_mm(one, crossing) == pytest.approx(-3.2, abs=0.3)


def test_a_window_with_room_for_one_sleeve_alone_gives_no_plan(ground: Ground) -> None:
    hip = replace(ground.hip, sleeve_wall_mm=40.0)
    search = Search(hip, ground.way, ground.entries, lesion_targets(ground), for_reach=True)
    assert len(tunnels_apart(search).tunnels) == 1
    with pytest.raises(NoSafePlan, match="expected 2 tunnels apart from each other") as refusal:
        several(replace(ground, hip=hip))
    assert refusal.value.figures == {"tunnels": 1.0, "needed": 2.0}

"""The best fan against every subset there is, and what a fan keeps."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from guidegen.frames import unit
from guidegen.plan.fan import best_fan
from guidegen.plan.fan_search import SERVED_BONUS, TARGET_STEP_MM, _blocks, _look, _ranked, apart_cosine, best_fans
from guidegen.plan.rules import Rules
from guidegen.plan.search import Search, target_grid
from guidegen.plan.strategies import lesion_targets
from guidegen.plan.volumes import plan_volumes

COSINE = apart_cosine(Rules(), 3.2)
APART = float(np.sqrt(2.0 - 2.0 * COSINE))


def made_up(seed: int, size: int = 14, pieces: int = 3):
    """Axes within 12 degrees, gains that may be below 0, and pieces that some of them reach."""
    rng = np.random.default_rng(seed)
    axes = unit(np.c_[rng.uniform(-0.2, 0.2, (size, 2)), np.ones(size)])
    gains = -np.sort(-rng.uniform(-3.0, 10.0, size))
    return axes, gains, rng.integers(0, 2**pieces, size)


def fan(axes, gains, masks, count: int, bonus: float, beat: float = -1e9, blocks=None):
    blocks = _blocks(axes, APART) if blocks is None else blocks
    return best_fan(axes, blocks, gains, masks, count, COSINE, bonus, beat)


def every_fan(axes, gains, masks, count: int, bonus: float) -> float:
    """The best total over all subsets, -1e9 where none keeps apart."""
    best = -1e9
    for chosen in combinations(range(len(gains)), count):
        if all(axes[i] @ axes[j] <= COSINE for i, j in combinations(chosen, 2)):
            reached = np.bitwise_or.reduce(masks[list(chosen)])
            best = max(best, gains[list(chosen)].sum() + bonus * int(reached).bit_count())
    return best


@pytest.mark.parametrize("bonus", [0.0, 4.0, SERVED_BONUS])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_none_of_all_subsets_is_better(count, bonus) -> None:
    found_none = 0
    for seed in range(40):
        axes, gains, masks = made_up(seed)
        total, chosen = fan(axes, gains, masks, count, bonus)
        best = every_fan(axes, gains, masks, count, bonus)
        if best == -1e9:
            found_none += 1
            assert (chosen == -1).all()
            continue
        assert total == pytest.approx(best)
        reached = int(np.bitwise_or.reduce(masks[chosen])).bit_count()
        assert total == pytest.approx(gains[chosen].sum() + bonus * reached)
        assert all(axes[i] @ axes[j] <= COSINE for i, j in combinations(chosen, 2))
    assert found_none < 10


def test_whatever_the_blocks_are_the_fan_is_the_same() -> None:
    """They only spare looks."""
    for seed in range(40):
        axes, gains, masks = made_up(seed, size=20)
        alone = np.arange(len(gains))
        assert fan(axes, gains, masks, 3, 4.0)[0] == pytest.approx(fan(axes, gains, masks, 3, 4.0, blocks=alone)[0])


def test_only_what_beats_is_found() -> None:
    axes, gains, masks = made_up(1)
    total, _ = fan(axes, gains, masks, 2, 4.0)
    assert (fan(axes, gains, masks, 2, 4.0, beat=total)[1] == -1).all()
    assert fan(axes, gains, masks, 2, 4.0, beat=total - 1e-6)[0] == total


def test_too_near_together_there_is_none() -> None:
    axes = unit(np.c_[np.linspace(-0.02, 0.02, 6), np.zeros(6), np.ones(6)])
    assert (fan(axes, np.arange(6.0, 0.0, -1.0), np.ones(6, dtype=np.int64), 2, 0.0)[1] == -1).all()


def test_a_piece_more_is_worth_more_than_any_reach() -> None:
    axes = unit(np.c_[[-0.2, 0.0, 0.2], np.zeros(3), np.ones(3)])
    gains, masks = np.array([9.0, 8.0, 0.5]), np.array([1, 1, 2])
    assert sorted(fan(axes, gains, masks, 2, SERVED_BONUS)[1]) == [0, 2]
    assert sorted(fan(axes, gains, masks, 2, 0.0)[1]) == [0, 1]


@pytest.mark.parametrize("lean_deg", [2.0, 10.0, 26.0])
def test_no_two_of_a_square_are_far_enough_apart(lean_deg) -> None:
    """Axes all over a cone; on the made-up hips they lean by up to 28° against the corridor."""
    spread = np.random.default_rng(1).uniform(-1.0, 1.0, (1500, 2)) * np.sin(np.radians(lean_deg)) / np.sqrt(2.0)
    axes = np.c_[spread, np.sqrt(1.0 - (spread**2).sum(axis=1))]
    number = _blocks(axes, APART)
    together = number[:, None] == number
    assert (axes @ axes.T)[together].min() > COSINE
    assert len(set(number)) >= (np.ptp(spread[:, 0]) / APART) ** 2  # and the squares are not all one


def test_the_angle_leaves_the_bridge_past_the_mouth() -> None:
    half = np.arccos(COSINE) / 2.0
    assert 2.0 * Rules().fan_mouth_mm * np.sin(half) == pytest.approx(3.2 + Rules().fan_bridge_mm)


# --- on the made-up hip ---


def search_of(case) -> Search:
    ground = case.fan_ground
    return Search(ground.hip, ground.way, ground.entries, lesion_targets(ground), for_reach=True)


def test_the_score_of_a_fan_is_what_it_reaches_less_its_mean_cost(case) -> None:
    found = case.found("multiple")
    reached = sum(tunnel.lesion_reached_fraction for tunnel in found.tunnels)
    assert found.score == pytest.approx(100.0 * reached - np.mean([tunnel.cost for tunnel in found.tunnels]))
    together = plan_volumes(case.fan_ground.hip, found.tunnels)
    assert together.reached_fraction <= reached + 1e-9


def test_the_best_fan_is_better_than_random_ones(case) -> None:
    """Fans drawn at random from what an entry can reach, on the distance field."""
    search, rng = search_of(case), np.random.default_rng(0)
    fans, _ = best_fans(search)
    places = search.targets.places
    tried = 0
    for entry in rng.permutation(len(search.entries.row))[:60]:
        look = search.look(search.entries.points_mm[entry], np.array([entry]), 0.0, None)
        lawful = np.flatnonzero(look.score > -np.inf)
        if len(lawful) < 4:
            continue
        axes = unit(np.c_[places, np.zeros(len(places))] - look.entry)
        for _ in range(200):
            chosen = rng.choice(lawful, 4, replace=False)
            if all(axes[i] @ axes[j] <= COSINE for i, j in combinations(chosen, 2)):
                tried += 1
                score = 100.0 * look.reached[chosen].sum() - look.cost[chosen].mean()
                assert score <= fans[0].score
    assert tried > 100


@pytest.mark.parametrize("most", [2, 3])
def test_a_fan_has_as_many_tunnels_as_the_kit_makes(case, most) -> None:
    kit = case.fan_kit.model_copy(update={"most_tunnels": most})
    assert len(replace(case, fan_kit=kit).found("multiple").tunnels) == most


def test_no_tunnel_of_a_fan_passes_beside_the_lesion(case) -> None:
    """From an entry from which only three lawful tunnels reach anything there is no fan of four."""
    search = search_of(case)
    coarse = replace(
        search, targets=target_grid(np.zeros(2), np.abs(search.targets.places).max(axis=0), TARGET_STEP_MM)
    )
    looks = [_look(coarse, [], entry) for entry in range(len(search.entries.row))]
    (_, entry, _, picked), *_ = _ranked(coarse, np.arange(len(looks)), looks, 4, COSINE)
    found = looks[entry].candidates
    few = np.where(np.isin(np.arange(len(found.reached)), picked[:3]), found.reached, 0.0)
    look = replace(looks[entry], candidates=replace(found, reached=few))
    assert _ranked(coarse, np.array([entry]), [look], 4, COSINE) == []
    ((_, _, _, three),) = _ranked(coarse, np.array([entry]), [look], 3, COSINE)
    assert sorted(three) == sorted(picked[:3])

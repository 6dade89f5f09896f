"""The search against looking at everything: on its own field, and with exact distances on plain lines."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from plan_case import Case

from guidegen.frames import FloatArray, across, angle_deg, perpendicular_pair, unit
from guidegen.plan import search as searching
from guidegen.plan.lines import ENDS_THERE, THROUGH
from guidegen.plan.search import SCORE_STEP, SPARED, Candidates, Search, Targets, _branch_and_bound, _look_at
from guidegen.plan.strategies import lesion_targets
from guidegen.plan.tunnel import soft_costs
from guidegen.plan.window import Entries

ONE = np.zeros((1, 2))
HIPS = {
    "right": ("right", {}),
    "left, small and varus": (
        "left",
        {"head_radius_mm": 21.0, "lesion_radius_mm": 9.0, "neck_shaft_angle_deg": 120.0, "anteversion_deg": 5.0},
    ),
    "right, posterior lesion": ("right", {"lesion_direction": (-0.3, -0.3, 0.9)}),
}


def search_of(case: Case, strategy: str, step_mm: float = 2.0) -> Search:
    ground = case.ground
    targets = lesion_targets(ground, step_mm) if strategy == "coverage" else Targets(ONE, 1, 1.0, THROUGH)
    return Search(ground.hip, ground.way, ground.entries, targets, for_reach=strategy == "coverage")


@pytest.fixture(scope="module", params=HIPS)
def any_case(request, make_case) -> Case:
    side, changes = HIPS[request.param]
    return make_case(side, **changes)


@pytest.fixture(scope="module")
def looked_at():
    """Every pair of an entry and a target, measured on the field: scores and shares reached (K, M)."""
    made: dict[tuple[Case, str], tuple[FloatArray, FloatArray]] = {}

    def of(case: Case, strategy: str):
        if (case, strategy) not in made:
            search = search_of(case, strategy)
            points = search.entries.points_mm
            looks = [search.look(points[k], np.array([k]), 0.0, None) for k in range(len(points))]
            made[case, strategy] = (
                np.stack([each.score for each in looks]),
                np.stack([each.reached for each in looks]),
            )
        return made[case, strategy]

    return of


@pytest.mark.parametrize("strategy", ["centroid", "coverage"])
def test_no_pair_on_the_field_is_better_by_more_than_the_gap(any_case, looked_at, strategy) -> None:
    scores, _ = looked_at(any_case, strategy)
    best, gap, measured = _branch_and_bound(search_of(any_case, strategy))
    assert best is not None
    assert scores[best] > -np.inf
    assert scores.max() <= scores[best] + max(gap, SCORE_STEP)
    assert gap <= SPARED * abs(scores[best]) + SCORE_STEP
    assert measured < scores.size / 2  # the bounds spare looks


@pytest.mark.parametrize("strategy", ["centroid", "coverage"])
def test_a_bound_is_never_below_the_best_of_its_block(any_case, looked_at, strategy) -> None:
    """But for tunnels that reach next to nothing, of which the bound may know nothing."""
    scores, reached = looked_at(any_case, strategy)
    search, rng = search_of(any_case, strategy), np.random.default_rng(0)
    row, column = search.entries.row, search.entries.column
    every = np.ones(len(search.targets.places), dtype=np.bool_)
    lawful = 0
    for _ in range(60):
        i, j = rng.integers(row.max() + 1), rng.integers(column.max() + 1)
        height, width = rng.integers(1, 5, 2)
        block = np.flatnonzero((row >= i) & (row < i + height) & (column >= j) & (column < j + width))
        if len(block) < 2:
            continue
        bound = _look_at(search, block, every).score
        counts = (scores[block] > -np.inf) & ((reached[block] > 1e-4) | (strategy == "centroid"))
        best = np.where(counts, scores[block], -np.inf).max(axis=0)
        lawful += int((best > -np.inf).sum())
        assert (bound >= best - 1e-9).all()
    assert lawful > 0


# --- the branch and bound alone, on scores drawn at random ---


class Drawn:
    """A search whose scores are drawn, with bounds that are too high by some of `loose`."""

    def __init__(self, seed: int, loose: float = 1.0, size: int = 8, targets: int = 6) -> None:
        rng = np.random.default_rng(seed)
        row, column = (grid.ravel() for grid in np.indices((size, size)))
        none = np.zeros(size * size)
        places = np.c_[row, column, none].astype(np.float64)
        self.entries = Entries(places, np.zeros((len(row), 3)), none, none, none, row, column)
        self.targets = SimpleNamespace(places=np.zeros((targets, 2)))
        self.scores, self.loose = 50.0 + 10.0 * rng.random((len(row), targets)), loose

    def look(self, point_mm, index, loose_mm, asked) -> Candidates:
        above = self.loose * loose_mm * (0.5 + 0.5 * np.sin(7.0 * np.arange(self.scores.shape[1]) + index[0]))
        score = np.where(asked, self.scores[index].max(axis=0) + above, -np.inf)
        return Candidates(point_mm, score, score, score, score)


@pytest.mark.parametrize("spared", [0.0, 0.002, 0.02, 0.1])
def test_what_is_spared_is_spared_and_no_more(monkeypatch, spared) -> None:
    monkeypatch.setattr(searching, "SPARED", spared)
    for seed in range(40):
        drawn = Drawn(seed)
        best, gap, measured = _branch_and_bound(drawn)
        assert drawn.scores.max() <= drawn.scores[best] * (1.0 + spared) + SCORE_STEP
        assert 0.0 <= gap <= spared * drawn.scores[best] + SCORE_STEP
        assert spared == 0.0 or measured < 8 * 8 * 6 * 1.4  # all single pairs, and the blocks above them


def test_the_gap_holds_all_that_was_spared() -> None:
    for seed in range(300):
        drawn = Drawn(seed)
        best, gap, _ = _branch_and_bound(drawn)
        assert drawn.scores.max() <= drawn.scores[best] + gap + SCORE_STEP


def test_of_equal_scores_the_first_in_order_is_taken() -> None:
    drawn = Drawn(0)
    drawn.scores[:] = 55.0
    drawn.loose = 0.0
    assert _branch_and_bound(drawn)[0][1] == 0
    drawn.scores[9, 2] = drawn.scores[9, 4] = 60.0
    assert _branch_and_bound(drawn)[0] == (9, 2)
    drawn.scores[9, 4] = 60.0 + SCORE_STEP / 2.0  # no better than rounding
    assert _branch_and_bound(drawn)[0][0] == 9


def test_without_a_lawful_tunnel_there_is_none() -> None:
    drawn = Drawn(0)
    drawn.scores[:] = -np.inf
    assert _branch_and_bound(drawn)[:2] == (None, 0.0)


# --- plain lines with exact distances ---


def plain_scores(case: Case, entries: FloatArray, targets_mm: FloatArray, through: bool, spare_mm: float) -> FloatArray:
    """Scores (K,) of tunnels from entry to target, with every distance taken `spare_mm` less than it is; -inf for one
    that breaks a rule. Walls every millimetre, the end as far as it may go in steps of 0.5 mm.
    """
    return np.array(
        [_plain_score(case, int(k), target, through, spare_mm) for k, target in zip(entries, targets_mm, strict=True)]
    )


def _plain_score(case: Case, k: int, target_mm: FloatArray, through: bool, spare_mm: float) -> float:
    window, anatomy, rules, radius = case.ground.entries, case.anatomy, case.rules, case.hip.tool.radius_mm
    entry = window.points_mm[k]
    axis, to_target = unit(target_mm - entry), float(np.linalg.norm(target_mm - entry))
    shaft_deg, oblique_deg = 180.0 - angle_deg(axis, anatomy.shaft_axis), angle_deg(axis, -window.normals[k])
    if not rules.shaft_angle_min_deg <= shaft_deg <= rules.shaft_angle_max_deg or oblique_deg > rules.obliquity_max_deg:
        return -np.inf
    way = np.arange(rules.entry_zone_mm, to_target + 30.0, 1.0)
    places = entry + way[:, None] * axis
    in_head = np.linalg.norm(places - anatomy.head_center_mm, axis=1) <= anatomy.head_radius_mm
    first = int(in_head.argmax()) if in_head.any() else len(way)
    wall = float(-case.bone.signed_distance_mm(places[:first]).max()) - radius - spare_mm
    vessel = case.hip.vessels.nearest(places[way <= to_target])[0].min() - radius - spare_mm
    if wall < rules.wall_min_mm or vessel < rules.vessel_wall_min_mm:
        return -np.inf
    relative = case.lesion.points_mm - entry
    along, beside = relative @ axis, np.linalg.norm(across(relative, axis), axis=1)
    if not (beside <= radius).any():
        return -np.inf
    furthest, least = along[beside <= radius].max(), to_target if through else to_target - 15.0
    ends = np.arange(max(furthest, least), least - 0.01, -0.5)
    first_way, second_way = perpendicular_pair(axis)
    turn = np.arange(16) * 2.0 * np.pi / 16
    ring = radius * (np.cos(turn)[:, None] * first_way + np.sin(turn)[:, None] * second_way)
    rim = np.concatenate([np.zeros((1, 3)), ring])
    asked = np.where(np.arange(17) == 0, rules.subchondral_axis_mm, rules.subchondral_rim_mm) + rules.surface_doubt_mm
    for end in ends:
        depth = -case.bone.signed_distance_mm(entry + end * axis + rim) - spare_mm
        if (depth >= asked).all():
            cost = soft_costs(
                rules, wall=wall, shaft_angle_deg=shaft_deg, obliquity_deg=oblique_deg,
                off_middle=window.off_middle[k], above_lesser_mm=window.above_lesser_mm[k],
            )  # fmt: skip
            reached = ((beside <= radius) & (along <= end)).mean()
            return float((100.0 if through else rules.weight_reached * reached) - cost)
    return -np.inf


def test_no_plain_line_through_the_centroid_is_better(any_case) -> None:
    """From every second entry of the window."""
    ground, found = any_case.ground, any_case.found("centroid")
    entries = np.arange(0, len(ground.entries.row), 2)
    targets = np.repeat(any_case.lesion.centroid_mm[None], len(entries), axis=0)
    scores = plain_scores(any_case, entries, targets, through=True, spare_mm=ground.way.error_mm)
    assert scores.max() <= found.score + found.certificate.gap
    exact = plain_scores(any_case, entries, targets, through=True, spare_mm=0.0)
    assert (exact > -np.inf).any()
    assert exact.max() > found.score - 2.0  # the plain lines are no straw man


def test_no_plain_line_reaches_more(case) -> None:
    """Pairs drawn at random, and all near the best one."""
    ground, found = case.ground, case.found("coverage")
    rng, entries = np.random.default_rng(0), ground.entries
    places = lesion_targets(ground).places
    near_entry = np.flatnonzero(np.linalg.norm(entries.points_mm - found.tunnels[0].entry_mm, axis=1) < 1.6)
    axis = found.tunnels[0].axis
    middle = ground.way.inside(found.tunnels[0].target_mm)
    aimed = (middle - middle[2] / (axis @ ground.way.axes[2]) * (ground.way.axes @ axis))[:2]
    near_target = np.flatnonzero(np.linalg.norm(places - aimed, axis=1) < 1.6)
    pairs = [(k, j) for k in near_entry for j in near_target]
    pairs += [*zip(rng.integers(len(entries.row), size=500), rng.integers(len(places), size=500), strict=True)]
    entry, target = np.array(pairs).T
    targets = ground.way.outside(np.c_[places[target], np.zeros(len(target))])
    scores = plain_scores(case, entry, targets, through=False, spare_mm=ground.way.error_mm)
    assert (scores > -np.inf).sum() > 20
    assert scores.max() <= found.score + found.certificate.gap + 0.5  # the lesion's points are weighed in cells of 1 mm
    assert scores.max() > found.score - 3.0


def test_a_tunnel_that_ends_at_a_place_ends_there(case) -> None:
    ground = case.ground
    search = Search(ground.hip, ground.way, ground.entries, Targets(ONE, 1, 1.0, ENDS_THERE), for_reach=False)
    best, _, _ = _branch_and_bound(search)
    look = search.look(ground.entries.points_mm[best[0]], np.array([best[0]]), 0.0, None)
    assert look.past_mm[0] == 0.0

"""A plan in plan.json: every figure is the plan's own, in plain numbers, and nothing that changes from run to run."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from guidegen.plan.error_budget import Contribution, ErrorBudget
from guidegen.plan.instruments import InstrumentStep
from guidegen.plan.monte_carlo import Simulated
from guidegen.plan.planning import Plan, Proposal, Ruled, Waiver
from guidegen.plan.record import plan_record
from guidegen.plan.rules import Broken
from guidegen.plan.search import Certificate
from guidegen.plan.seating import ASSUMED, OWN
from guidegen.plan.trade_off import Trade
from guidegen.plan.tunnel import Tunnel
from guidegen.plan.volumes import Piece, Volumes

TUNNEL = Tunnel(
    entry_mm=np.array([1.0, 2.0, 3.0]), target_mm=np.array([61.0, 2.0, 83.0]), diameter_mm=8.0,
    outline_mm=np.array([[0.0, 0.0], [0.0, 4.0]]), wall_min_mm=2.75, vessel_wall_mm=6.2, subchondral_mm=4.2,
    subchondral_axis_mm=5.9, tool_to_joint_mm=4.1, lesion_reached_fraction=0.44,
    lesion_missed_mm=0.0, centroid_distance_mm=1e-9,
    shaft_angle_deg=131.0, obliquity_deg=47.5, off_middle=-0.1, above_lesser_mm=12.0, below_ridge_mm=17.0,
    sleeve_offset_mm=45.0, depth_reading_mm=145.0, drill_spare_mm=55.0, cost=0.25, keep_out_mm=3.5, entry_moved_mm=0.7,
)  # fmt: skip
BUDGET = ErrorBudget(
    tip_mean_mm=1.1, tip_p95_mm=2.4, tip_lateral_mean_mm=0.9, tip_lateral_p95_mm=2.1, entry_mean_mm=0.6,
    entry_p95_mm=1.2, angle_mean_deg=0.5, angle_p95_deg=1.1, to_lesion_p95_mm=2.9,
    reaches_lesion=0.997, breaches_cortex=0.0, within_3_mm_of_joint=0.004,
    contributions=(Contribution("the seat", 0.9, 0.7, "assumed"), Contribution("the print", 0.3, 0.3, "measured")),
    dominant="the seat", stop_earlier_mm=None, seat="the built guide's own", seat_shift_rms_mm=0.4,
    seat_turn_rms_deg=0.6,
)  # fmt: skip
ASSUMED_BUDGET = replace(BUDGET, tip_p95_mm=3.4, seat="assumed, since there is no guide yet", seat_turn_rms_deg=1.0)
CHOSEN = Proposal(
    strategy="ordered",
    kit="core-8",
    tunnels=(TUNNEL,),
    broken=((Broken("wall_min_mm", 2.75, 3.0, "mm", True),),),
    score=99.5,
    certificate=Certificate(580, 1, 580, 72, 1.0, 1.0, 99.5, 0.03, 0.2, 0.47),
    volumes=Volumes(
        7000.0, 4100.0, 1500.0, 250.0, 5250.0, 4.35, (Piece(6500.0, 1500.0, 250.0), Piece(500.0, 0.0, 0.0))
    ),
    budgets=(BUDGET,),
    assumed_budgets=(ASSUMED_BUDGET,),
    simulated=(Simulated(100_000, 1.1, 2.4, 0.9, 2.1, 0.6, 1.2, 0.5, 1.1, 2.9, 0.998, 0.0, 0.0041),),
    steps=((InstrumentStep(1, "trephine", "the sleeve", "its stop, set at 145.0 mm", "on"),),),
    warnings=("The tunnel is long.",),
)
BESIDE = replace(CHOSEN, strategy="coverage", budgets=(ASSUMED_BUDGET,), broken=((),), certificate=None, simulated=())
PLAN = Plan(
    chosen=CHOSEN,
    alternatives=(BESIDE,),
    ruled_out=(Ruled("multiple", "multiple-3.2", "wall_min_mm", "none fits", {"wall_min_mm": 1.5}),),
    trades=(Trade(0.5, 0.6, TUNNEL),),
    waived=(Waiver("wall_min_mm", "thick cortex", "an engineer"),),
    explanation="One tunnel.",
)


def tunnel_of(**changes: object) -> dict:
    changed = replace(CHOSEN, tunnels=(replace(TUNNEL, **changes),))
    (tunnel,) = plan_record(replace(PLAN, chosen=changed))["tunnels"]
    return tunnel


def test_without_a_plan_there_is_nothing() -> None:
    assert plan_record(None) == {"tunnels": [], "plan": None}


def test_it_is_plain_json_that_reads_back() -> None:
    record = plan_record(PLAN)
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_every_figure_of_the_tunnel_is_there() -> None:
    """By its own name, or by the longer one that says to whom it counts."""
    longer = {
        "off_middle": "entry_off_middle", "above_lesser_mm": "entry_above_lesser_trochanter_mm",
        "below_ridge_mm": "entry_below_vastus_ridge_mm", "outline_mm": "end_outline_mm",
    }  # fmt: skip
    left_out = {"drill_spare_mm"}  # the drill's length less the reading
    found = tunnel_of()
    for field in fields(Tunnel):
        if field.name not in left_out:
            value = getattr(TUNNEL, field.name)
            np.testing.assert_allclose(found[longer.get(field.name, field.name)], value, atol=1e-6)
    assert found["length_mm"] == 100.0


def test_what_is_broken_stands_with_its_tunnel() -> None:
    (tunnel,) = plan_record(PLAN)["tunnels"]
    assert tunnel["broken_rules"] == [
        {"rule": "wall_min_mm", "measured": 2.75, "limit": 3.0, "unit": "mm", "waivable": True, "short_by": 0.25}
    ]
    assert plan_record(PLAN)["plan"]["alternatives"][0]["tunnels"][0]["broken_rules"] == []


def test_the_chosen_tunnel_has_its_budget_its_simulation_and_its_steps() -> None:
    (tunnel,) = plan_record(PLAN)["tunnels"]
    assert tunnel["error_budget"]["tip_p95_mm"] == 2.4
    assert tunnel["error_budget"]["stop_earlier_mm"] is None
    assert [each["name"] for each in tunnel["error_budget"]["contributions"]] == ["the seat", "the print"]
    assert tunnel["error_budget"]["simulated"]["samples"] == 100_000
    assert tunnel["error_budget"]["simulated"]["within_3_mm_of_joint"] == 0.0041
    assert tunnel["instruments"][0]["stopped_by"] == "its stop, set at 145.0 mm"


def test_every_tunnel_says_whose_seat_is_in_its_budget_and_what_the_assumed_one_makes_of_it() -> None:
    found = plan_record(PLAN)
    (tunnel,), (beside,) = found["tunnels"], found["plan"]["alternatives"][0]["tunnels"]
    assert (tunnel["error_budget"]["seat"], tunnel["error_budget"]["seat_turn_rms_deg"]) == (OWN, 0.6)
    assert beside["error_budget"]["seat"] == tunnel["error_budget_assumed"]["seat"] == ASSUMED
    assert [each["error_budget_assumed"]["tip_p95_mm"] for each in (tunnel, beside)] == [3.4, 3.4]


def test_volumes_and_pieces() -> None:
    volumes = plan_record(PLAN)["plan"]["chosen"]["volumes"]
    assert (volumes["lesion_mm3"], volumes["residual_mm3"], volumes["much_is_left"]) == (7000.0, 5250.0, True)
    assert [piece["served"] for piece in volumes["pieces"]] == [True, False]
    assert volumes["pieces"][0]["by_curette_mm3"] == 250.0


def test_how_long_the_search_took_is_not_written() -> None:
    found = plan_record(PLAN)["plan"]["chosen"]["certificate"]
    assert "seconds" not in found
    assert (found["judged"], found["gap"]) == (580, 0.03)
    slower = replace(PLAN, chosen=replace(CHOSEN, certificate=replace(CHOSEN.certificate, seconds=99.0)))
    assert plan_record(slower) == plan_record(PLAN)
    assert plan_record(PLAN)["plan"]["alternatives"][0]["certificate"] is None


def test_waivers_and_strategies_without_a_tunnel_are_named() -> None:
    plan = plan_record(PLAN)["plan"]
    assert plan["waivers_proposed"] == [{"rule": "wall_min_mm", "reason": "thick cortex", "author": "an engineer"}]
    (ruled,) = plan["ruled_out"]
    assert (ruled["strategy"], ruled["rule"], ruled["figures"]) == ("multiple", "wall_min_mm", {"wall_min_mm": 1.5})
    assert plan["trade_off"][0]["least_spare_mm"] == 0.6


def test_without_a_chosen_plan_the_others_are_told_all_the_same() -> None:
    record = plan_record(replace(PLAN, chosen=None))
    assert record["tunnels"] == []
    assert record["plan"]["chosen"] is None
    assert len(record["plan"]["alternatives"]) == 1


def test_a_tunnel_that_no_sleeve_fits_has_no_reading() -> None:
    found = tunnel_of(sleeve_offset_mm=None, depth_reading_mm=None, drill_spare_mm=-1.0, keep_out_mm=None)
    assert (found["sleeve_offset_mm"], found["depth_reading_mm"], found["keep_out_mm"]) == (None, None, None)


@pytest.mark.parametrize("rounded", [-1e-9, 1e-9, -0.0])
def test_next_to_zero_is_zero(rounded) -> None:
    assert str(tunnel_of(off_middle=rounded)["entry_off_middle"]) == "0.0"

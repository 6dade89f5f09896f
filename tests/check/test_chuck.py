"""The room for the chuck above each stop."""

from __future__ import annotations

import numpy as np
import pytest
from seat_bodies import METAL

from guidegen.check.chuck import chuck_findings

ENTRY, AXIS, ACROSS = np.array([15.0, 0.0, 0.0]), np.array([-0.8, 0.0, 0.6]), np.array([0.6, 0.0, 0.8])
TOP = ENTRY - 34.0 * AXIS


def room(hip, guide=None, change=None):
    (finding,) = chuck_findings(hip.asked(change), guide or hip.guide)
    assert finding.name == "sleeve 1 chuck's room"
    return finding


def test_above_the_good_guide_a_chuck_turns(hip) -> None:
    assert (room(hip).measured, room(hip).passed) == (50.0, True)


@pytest.mark.parametrize(("beside_mm", "passed"), [(16.0, True), (14.0, False)])
def test_a_post_beside_the_chuck_takes_its_room(hip, bench, beside_mm, passed) -> None:
    """A post parallel to the axis, whose nearest side is so far from it."""
    foot = TOP + (beside_mm + 2.0) * ACROSS
    finding = room(hip, hip.wrong_guide(add=bench.rod(foot + 2.0 * AXIS, foot - 20.0 * AXIS, 2.0)))
    assert (finding.measured, finding.passed) == (pytest.approx(2.0 * beside_mm, abs=0.01), passed)


def test_the_broad_side_of_a_plate_counts_between_its_corners(hip, bench) -> None:
    wall = bench.block([30.0, 12.0, -80.0], [100.0, 14.0, 30.0])  # along the axis, 12 mm beside it
    assert room(hip, hip.wrong_guide(add=wall)).measured == pytest.approx(24.0, abs=0.05)


def test_what_lies_below_the_stop_or_beyond_the_chuck_takes_no_room(hip, bench) -> None:
    below = bench.rod(TOP + 10.0 * AXIS, TOP + 0.01 * AXIS, 14.0)
    beyond = bench.ball(TOP - 70.0 * AXIS, 8.0)
    assert room(hip, hip.wrong_guide(add=below + beyond)).passed


def test_a_lid_leaves_no_room(hip, bench) -> None:
    finding = room(hip, hip.wrong_guide(add=bench.ball(TOP - 30.0 * AXIS, 6.0)))
    assert (finding.measured, finding.passed) == (0.0, False)


@pytest.mark.parametrize(("length_mm", "passed"), [(70.0, True), (170.0, False)])
def test_a_wire_that_stands_far_out_is_in_the_chucks_way(hip, bench, length_mm, passed) -> None:
    """A wire that leans over the sleeve: 40 mm out of its boss it crosses the axis."""

    def leaning(plan) -> None:
        pin = plan["guide"]["pins"][0]
        point = np.array([15.0, 8.0, 17.0])
        direction = point - (TOP - 30.0 * AXIS)
        direction /= np.linalg.norm(direction)
        pin["direction"] = [float(x) for x in bench.place.vectors(direction)]
        pin["wire_length_mm"] = length_mm if passed is False else 30.0

    assert room(hip, change=leaning).passed is passed


def test_the_flange_of_another_metal_sleeve_is_in_the_chucks_way(hip, bench) -> None:
    def two(plan, aside_mm) -> None:
        aside = bench.place.vectors(np.array([0.0, aside_mm, 0.0]))
        other = {
            name: [float(x) for x in np.add(plan["tunnels"][0][name], aside)] for name in ("entry_mm", "target_mm")
        }
        plan["tunnels"].append(plan["tunnels"][0] | other)
        sleeve = plan["guide"]["sleeves"][0]
        top = [float(x) for x in np.add(sleeve["top_mm"], aside)]
        plan["guide"]["sleeves"].append(
            sleeve | {
                "tunnel": 1, "top_mm": top, "stop_face_mm": top, "kind": "metal",
                "metal": METAL,
            }
        )  # fmt: skip

    for aside_mm, free_mm in ((22.0, 32.0), (19.0, 26.0)):
        first, _ = chuck_findings(hip.asked(lambda plan, mm=aside_mm: two(plan, mm)), hip.guide)
        assert (first.measured, first.passed) == (pytest.approx(free_mm, abs=1e-3), free_mm > 30.0)

"""A ball of 12 mm in the head, and tunnels through its middle, beside it, and short of it."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.check.lesion import lesion_findings
from guidegen.surfaces import Surface

OFF, REACHED = "lesion's centroid off the plan's", "tunnel 1 lesion reached"
STATED = "tunnel 1 lesion off its stated share"


def failed(hip, lesion, change=None) -> list[str]:
    return [finding.name for finding in lesion_findings(hip.asked(change), lesion) if not finding.passed]


def test_what_the_tunnel_takes_of_a_ball_is_its_closed_form(hip) -> None:
    off, reached, stated = lesion_findings(hip.asked(), hip.lesion)
    assert [finding.name for finding in (off, reached, stated)] == [OFF, REACHED, STATED]
    taken_mm3 = 4.0 / 3.0 * np.pi * (6.0**3 - (6.0**2 - 4.0**2) ** 1.5)
    assert reached.measured == pytest.approx(taken_mm3, rel=0.02)
    assert {off.passed, reached.passed, stated.passed} == {True}


def test_a_tunnel_short_of_the_lesion_reaches_nothing(hip) -> None:
    def short(plan) -> None:
        tunnel = plan["tunnels"][0]
        tunnel["target_mm"] = list(0.4 * np.array(tunnel["entry_mm"]) + 0.6 * np.array(tunnel["target_mm"]))
        tunnel["lesion_reached_fraction"] = 0.0

    assert failed(hip, hip.lesion, short) == [REACHED]


def test_another_lesion_than_the_plans_is_found(hip) -> None:
    aside = Surface(hip.lesion.vertices + [0.0, 20.0, 0.0], hip.lesion.faces)
    assert failed(hip, aside) == [OFF, REACHED, STATED]
    inside_out = Surface(hip.lesion.vertices, hip.lesion.faces[:, ::-1])
    assert OFF in failed(hip, inside_out)


def test_the_tools_end_is_as_wide_as_its_rings(hip) -> None:
    """A cone of 60 mm takes a third of what a flat end takes of a lesion that it ends in."""

    def pointed(plan) -> None:
        plan["tunnels"][0]["end_outline_mm"] = [[0.0, 0.0], [60.0, 4.0]]

    flat, cone = (lesion_findings(hip.asked(change), hip.lesion)[1].measured for change in (None, pointed))
    assert cone < 0.2 * flat

"""The tunnel keeps away from what is kept out, on its whole way, or there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from remeasured import to_keep_out_mm

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, across, perpendicular_pair, unit
from guidegen.guide.solids import along_axis, placed, to_surface
from guidegen.keep_out import KeepOut, Structure
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import broken_rules

RULES = Rules()
NARROW = replace(RULES, entry_off_middle_max=0.1)  # fewer entries: quicker to refuse them all


def rod(start: FloatArray, end: FloatArray, radius_mm: float) -> KeepOut:
    import manifold3d

    solid = manifold3d.Manifold.cylinder(float(np.linalg.norm(end - start)), radius_mm, radius_mm, 64)
    solid = placed(solid.refine_to_length(1.0), along_axis(start, end - start))
    return KeepOut((Structure("old tunnel", to_surface(solid)),))


def below(case, apart_mm: float, stop_mm: float = 45.0) -> KeepOut:
    """An old tunnel of 10 mm along the case's free one, this far below its axis, that ends short of its target."""
    free = case.tunnel
    aside = -apart_mm * unit(across(case.anatomy.shaft_axis, free.axis))
    return rod(free.entry_mm + aside - 4.0 * free.axis, free.target_mm + aside - stop_mm * free.axis, 5.0)


@pytest.mark.parametrize("apart_mm", [9.0, 11.0, 13.0])
def test_it_keeps_three_millimetres_from_an_old_tunnel(case, apart_mm: float) -> None:
    keep_out = below(case, apart_mm)
    tunnel = case.plan(keep_out=keep_out)
    exact = to_keep_out_mm(replace(case, keep_out=keep_out), tunnel)
    assert exact >= RULES.keep_out_min_mm
    assert tunnel.keep_out_mm == pytest.approx(exact, abs=0.08)
    assert broken_rules(tunnel, RULES) == ()
    moved = np.linalg.norm(tunnel.entry_mm - case.tunnel.entry_mm)
    assert (moved > 0.5) == (apart_mm < 12.0 + RULES.surface_doubt_mm)


def test_far_away_it_changes_nothing(case) -> None:
    tunnel = case.plan(keep_out=below(case, 40.0))
    assert tunnel.entry_mm.tobytes() == case.tunnel.entry_mm.tobytes()
    assert tunnel.target_mm.tobytes() == case.tunnel.target_mm.tobytes()
    assert case.tunnel.keep_out_mm is None


def test_across_every_way_there_is_none(case) -> None:
    """A disc through the whole neck."""
    neck, axis = case.anatomy.neck_isthmus_center_mm, case.anatomy.neck_axis
    with pytest.raises(NoSafePlan, match=r"the nearest breaks: keep_out_min_mm is 0\.0 mm, limit 3") as refusal:
        case.plan(rules=NARROW, keep_out=rod(neck - 2.0 * axis, neck + 2.0 * axis, 25.0))
    assert refusal.value.rule == "keep_out_min_mm"
    assert refusal.value.figures["keep_out_mm"] == 0.0


def test_it_rules_where_all_else_is_kept_though_another_tunnel_misses_less(case) -> None:
    """Only tunnels near the free one keep the wall, and all of these run into the old one."""
    strict = replace(RULES, wall_min_mm=case.tunnel.wall_min_mm - 0.02)
    with pytest.raises(NoSafePlan, match="the nearest breaks: keep_out_min_mm is") as refusal:
        case.plan(rules=strict, keep_out=below(case, 8.0))
    assert refusal.value.rule == "keep_out_min_mm"
    assert refusal.value.figures["wall_min_mm"] >= strict.wall_min_mm


def test_a_screw_outside_the_bone_in_the_drills_way_is_kept_away_from(case) -> None:
    """It stands where the drill would pass before it meets the bone."""
    free = case.tunnel
    across_way = perpendicular_pair(free.axis)[0]
    place = free.entry_mm - 25.0 * free.axis
    keep_out = rod(place - 3.0 * across_way, place + 3.0 * across_way, 3.0)
    ordered = {"entry_mm": free.entry_mm, "target_mm": free.target_mm}
    tunnel = case.plan(keep_out=keep_out, **ordered)
    (broken,) = broken_rules(tunnel, RULES)
    assert (broken.rule, broken.measured, broken.waivable) == ("keep_out_min_mm", 0.0, False)
    beside = replace(case, keep_out=keep_out)
    assert to_keep_out_mm(beside, beside.tunnel) >= RULES.keep_out_min_mm


@pytest.mark.xfail(reason="what lies before the flat end is kept off by the drill's radius more", strict=True)
def test_it_stops_before_what_is_kept_out_behind_the_centroid(case) -> None:
    free = case.tunnel
    through = np.linalg.norm(case.lesion.centroid_mm - free.entry_mm)
    beyond = free.entry_mm + (through + 6.0) * free.axis
    keep_out = rod(beyond, beyond + 3.0 * free.axis, 3.0)
    tunnel = case.plan(keep_out=keep_out, entry_mm=free.entry_mm)
    assert through <= tunnel.length_mm < free.length_mm - 1.0
    assert tunnel.keep_out_mm == pytest.approx(RULES.keep_out_min_mm + RULES.surface_doubt_mm, abs=0.15)

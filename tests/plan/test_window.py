"""Where a tunnel may begin: the window's grid on the made-up hip, and on a shaft in closed form."""

from __future__ import annotations

from dataclasses import replace

import manifold3d as m3
import numpy as np
import pytest
from plan_case import Case

from guidegen.errors import NoSafePlan
from guidegen.guide.solids import to_surface
from guidegen.plan.rules import Rules
from guidegen.plan.strategies import ground_of
from guidegen.plan.window import ordered_entry, window_entries

RULES = Rules()
VARUS = {"head_radius_mm": 21.0, "neck_shaft_angle_deg": 120.0, "lesion_radius_mm": 9.0, "anteversion_deg": 5.0}
HIPS = {"right": ("right", {}), "left and varus": ("left", VARUS)}


@pytest.fixture(params=HIPS)
def any_case(request, make_case) -> Case:
    side, changes = HIPS[request.param]
    return make_case(side, **changes)


def entries_of(case: Case, step_mm: float = 1.0):
    return window_entries(case.bone, case.anatomy, RULES, step_mm)


def test_candidates_fill_the_window_and_no_more(any_case) -> None:
    anatomy, entries = any_case.anatomy, entries_of(any_case)
    assert len(entries.points_mm) > 100
    assert any_case.bone.nearest(entries.points_mm)[0].max() < 1e-6
    level = (entries.points_mm - anatomy.lesser_trochanter_mm) @ anatomy.shaft_axis
    top = (anatomy.vastus_ridge_mm - anatomy.lesser_trochanter_mm) @ anatomy.shaft_axis
    assert level.min() > -1e-6
    assert level.max() == pytest.approx(top)
    assert np.unique(level.round(3)).size == int(top) + 1  # a level each millimetre
    assert entries.above_lesser_mm == pytest.approx(level)
    assert entries.below_ridge_mm == pytest.approx(top - level)
    assert np.abs(entries.off_middle).max() <= RULES.entry_off_middle_max + 1e-9
    assert entries.off_middle == pytest.approx(-entries.off_middle[::-1])  # as far to the back as to the front


def test_entries_are_about_a_step_apart(any_case) -> None:
    entries = entries_of(any_case)
    for row in np.unique(entries.row)[::5]:
        across_mm = (entries.points_mm[entries.row == row] @ any_case.anatomy.posterior)[::-1]
        assert np.diff(across_mm).max() <= 1.0 + 1e-6
        assert np.diff(across_mm).min() > 0.5


def test_rows_and_columns_are_those_of_the_grid(any_case) -> None:
    entries = entries_of(any_case, 2.0)
    for row in np.unique(entries.row):
        assert np.ptp(entries.above_lesser_mm[entries.row == row]) < 1e-6
    for column in np.unique(entries.column):
        assert np.ptp(entries.off_middle[entries.column == column]) < 1e-9
    assert len({*zip(entries.row, entries.column, strict=True)}) == len(entries.row)


def test_off_middle_grows_to_the_front(any_case) -> None:
    entries = entries_of(any_case)
    one_level = entries.row == 3
    front = entries.points_mm[one_level] @ -any_case.anatomy.posterior
    assert (np.diff(front[np.argsort(entries.off_middle[one_level])]) > 0.0).all()


def shaft(case: Case, radius_mm: float = 15.0) -> Case:
    """The landmarks of a hip on a round bar along its shaft."""
    up, point = case.anatomy.shaft_axis, case.anatomy.shaft_point_mm
    bar = m3.Manifold.cylinder(300.0, radius_mm, radius_mm, 720, True).refine_to_length(4.0)
    first, second = case.anatomy.lateral, np.cross(up, case.anatomy.lateral)
    middle = point + (case.anatomy.vastus_ridge_mm - point) @ up * up
    return replace(case, bone=to_surface(bar.transform(np.c_[first, second, up, middle])))


def test_on_a_round_shaft_all_is_known(case) -> None:
    """A share s of the half width lies asin(s) round the bar, and its normal is the radius there."""
    bar = shaft(case)
    entries, anatomy = entries_of(bar), case.anatomy
    up = anatomy.shaft_axis
    out = entries.points_mm - anatomy.shaft_point_mm
    out -= (out @ up)[:, None] * up
    assert np.linalg.norm(out, axis=1) == pytest.approx(15.0, abs=0.01)
    assert -(out @ anatomy.posterior) / 15.0 == pytest.approx(entries.off_middle, abs=1e-3)
    apart_deg = np.degrees(np.arccos(np.clip((entries.normals * out).sum(axis=1) / 15.0, -1.0, 1.0)))
    assert apart_deg.max() < 2.0


def test_an_ordered_entry_is_its_nearest_point_on_the_bone(case) -> None:
    bar, anatomy = shaft(case), case.anatomy
    on_axis = anatomy.shaft_point_mm + 3.0 * anatomy.shaft_axis
    there = on_axis + 15.0 * (0.8 * anatomy.lateral - 0.6 * anatomy.posterior)
    entry = ordered_entry(bar.bone, anatomy, there + 2.0 * (there - on_axis) / 15.0)
    assert entry.points_mm[0] == pytest.approx(there, abs=0.01)
    assert entry.off_middle[0] == pytest.approx(0.6, abs=1e-3)
    level = (there - anatomy.lesser_trochanter_mm) @ anatomy.shaft_axis
    assert entry.above_lesser_mm[0] == pytest.approx(level, abs=1e-3)


def test_an_ordered_entry_off_the_bone_is_refused(case) -> None:
    out = case.tunnel.entry_mm + 5.0 * case.anatomy.lateral
    with pytest.raises(NoSafePlan, match=r"expected the ordered entry within 3 mm of the bone's surface, found it"):
        ordered_entry(case.bone, case.anatomy, out)


def test_a_window_without_cortex_is_refused(case) -> None:
    below = 400.0 * case.anatomy.shaft_axis  # past the end of the bone
    lost = replace(
        case.anatomy,
        vastus_ridge_mm=case.anatomy.vastus_ridge_mm - below,
        lesser_trochanter_mm=case.anatomy.lesser_trochanter_mm - below,
    )
    with pytest.raises(NoSafePlan, match="expected lateral cortex between the vastus ridge") as refusal:
        ground_of(replace(case, anatomy=lost).hip)
    assert refusal.value.rule == "entry_window"
    assert set(refusal.value.figures) == {"window_mm"}


def test_a_ridge_below_the_lesser_trochanter_leaves_no_window(case) -> None:
    swapped = replace(case.anatomy, vastus_ridge_mm=case.anatomy.lesser_trochanter_mm - 5.0 * case.anatomy.shaft_axis)
    with pytest.raises(NoSafePlan, match="expected lateral cortex between the vastus ridge") as refusal:
        ground_of(replace(case, anatomy=swapped).hip)
    assert refusal.value.rule == "entry_window"
    assert refusal.value.figures["window_mm"] == pytest.approx(-5.0)

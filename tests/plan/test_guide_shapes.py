"""Guide shapes: what is shipped can be built, every figure has a range, and contradictions are refused."""

from __future__ import annotations

import re

import pytest
from template_files import edited, just_outside, lines, range_of, shipped_names, shipped_text, untold

from guidegen.errors import TemplateError
from guidegen.plan.guide_shapes import GuideTemplate
from guidegen.plan.templates import Kit, load_template

LATERAL = shipped_text(GuideTemplate, "lateral")
SHAPE = load_template(GuideTemplate, "lateral")[0]
CORE, FAN = (load_template(Kit, name)[0] for name in ("core-8", "multiple-3.2"))

RANGES = {
    "shell.thickness_mm": (3, 8),
    "shell.largest_wrap_deg": (45, 82),
    "shell.rim_relief_mm": (0, 4),
    "shell.rim_width_mm": (0, 8),
    "sizes.S.length_mm": (10, 120),
    "zones.above_ridge_mm": (0, 15),
    "zones.off_intertrochanteric_line_mm": (0, 15),
    "zones.off_tuberosity_mm": (0, 15),
    "zones.farthest_back_deg": (0, 90),
    "zones.farthest_front_deg": (30, 160),
    "zones.off_keep_out_mm": (1, 15),
    "fit.periosteum_mm": (0, 1),
    "sleeve.guided_length_mm": (15, 60),
    "sleeve.least_guided_length_mm": (15, 60),
    "sleeve.wall_mm": (1, 8),
    "sleeve.collar_height_mm": (1, 12),
    "sleeve.collar_wall_mm": (2, 12),
    "sleeve.metal_wall_mm": (0.5, 3),
    "sleeve.metal_clearance_mm": (0.02, 0.3),
    "sleeve.metal_flange_height_mm": (0.5, 6),
    "sleeve.metal_flange_mm": (1, 12),
    "sleeve.rib_thickness_mm": (1.5, 8),
    "pins.fewest": (2, 3),
    "pins.most": (2, 3),
    "pins.guided_length_mm": (4, 20),
    "pins.wall_mm": (1, 6),
    "pins.boss_edge_mm": (0, 5),
    "pins.least_divergence_deg": (10, 45),
    "pins.tunnel_distance_mm": (2, 15),
    "pins.most_far_exit_mm": (0, 2),
    "window.diameter_mm": (3, 12),
    "window.most": (0, 6),
    "probe.diameter_mm": (1, 4),
    "probe.count": (0, 8),
    "pointer.width_mm": (2, 12),
    "axis_mark.width_mm": (0.5, 4),
    "axis_mark.depth_mm": (0.2, 2),
    "label.text_height_mm": (2, 10),
    "label.least_text_height_mm": (1.5, 10),
    "label.depth_mm": (0.2, 2),
    "trial.beyond_mm": (5, 60),
    "trial.foot_mm": (1, 20),
}  # fmt: skip


@pytest.mark.parametrize("name", shipped_names(GuideTemplate))
def test_a_shipped_shape_says_where_its_figures_come_from(name) -> None:
    assert not untold(shipped_text(GuideTemplate, name))


def test_the_sizes_are_those_of_the_contract() -> None:
    assert {size: footprint.length_mm for size, footprint in SHAPE.sizes.items()} == {"S": 40.0, "M": 55.0, "L": 70.0}


def test_the_shipped_shape_keeps_what_is_asked_of_every_guide() -> None:
    assert SHAPE.sleeve.least_guided_length_mm >= 30.0
    assert SHAPE.pins.least_divergence_deg >= 15.0
    assert (SHAPE.pins.fewest, SHAPE.pins.most, SHAPE.pins.most_far_exit_mm) == (2, 3, 2.0)
    assert SHAPE.fit.periosteum_mm == 0.0
    assert (SHAPE.shell.rim_relief_mm, SHAPE.shell.largest_wrap_deg) == (2.4, 80.0)
    assert (SHAPE.zones.farthest_back_deg, SHAPE.zones.farthest_front_deg) == (40.0, 140.0)
    assert SHAPE.label.least_text_height_mm == 3.0
    assert (SHAPE.trial.beyond_mm, SHAPE.trial.foot_mm) == (20.0, 10.0)


@pytest.mark.parametrize("kind", ["auto", "printed", "metal"])
def test_a_sleeve_is_metal_by_itself_where_cutting_edges_turn(load_own, kind) -> None:
    sleeve = load_own(GuideTemplate, edited(LATERAL, "sleeve.kind", f'"{kind}"')).sleeve
    made = {"auto": ("metal", "printed"), "printed": ("printed", "printed"), "metal": ("metal", "metal")}[kind]
    assert (sleeve.kind_for(CORE), sleeve.kind_for(FAN)) == made


@pytest.mark.parametrize(
    ("own_mm", "least_mm", "built_mm"), [(None, 30.0, 32.0), (20.0, 20.0, 32.0), (31.0, 31.0, 32.0), (38.0, 38.0, 38.0)]
)
def test_a_kit_s_own_guided_length_goes_before_the_shape_s(own_mm, least_mm, built_mm) -> None:
    kit = CORE.model_copy(update={"guided_length_mm": own_mm})
    assert SHAPE.sleeve.least_guided_for(kit) == least_mm
    assert SHAPE.sleeve.guided_for(kit) == built_mm


def test_every_number_has_its_range_here() -> None:
    ranged = {place for place, field in lines(GuideTemplate).items() if range_of(field)}
    assert ranged == {re.sub(r"sizes\.\w", "sizes", place) for place in RANGES}


@pytest.mark.parametrize("place", RANGES)
@pytest.mark.parametrize("end", [0, 1])
def test_a_figure_out_of_its_range_is_refused(load_own, place, end) -> None:
    bad = just_outside(*RANGES[place])[end]
    low, high = RANGES[place]
    match = re.escape(f"{place}: expected a number from {low:g} to {high:g}, found {bad}")
    with pytest.raises(TemplateError, match=match):
        load_own(GuideTemplate, edited(LATERAL, place, bad))


REFUSED = {
    "a relief of no width": (
        "shell.rim_width_mm", "0.0",
        r"shell: expected rim_relief_mm and rim_width_mm both above 0 or both 0, found 2\.4 and 0; correct one",
    ),
    "a width of no relief": ("shell.rim_relief_mm", "0.0", r"both above 0 or both 0, found 0 and 3; correct one"),
    "a small guide longer than a medium one": (
        "sizes.S.length_mm", "55.0", "expected length_mm to grow from S to M to L, found 55, 55, 70; sort them",
    ),
    "a large guide shorter than a medium one": (
        "sizes.L.length_mm", "50.0", "expected length_mm to grow from S to M to L, found 40, 55, 50; sort them",
    ),
    "half a whole pin": ("pins.fewest", "2.5", r"pins\.fewest: expected a valid integer"),
    "three cortices": ("pins.cortices", "3", r"pins\.cortices: expected 1 or 2, found 3"),
    "a sleeve shorter than its least": (
        "sleeve.guided_length_mm", "29.0",
        r"sleeve: expected guided_length_mm of at least least_guided_length_mm \(30\), found 29; exchange them",
    ),
    "a collar no wider than its tube": (
        "sleeve.collar_wall_mm", "3.0", r"sleeve: expected collar_wall_mm above wall_mm \(3\), found 3; a collar is",
    ),
    "a flange wider than its collar": (
        "sleeve.metal_flange_mm", "10.1",
        r"sleeve: expected a metal_flange_mm of at most twice collar_wall_mm \(5\) that it rests on, found 10\.1;",
    ),
    "a sleeve of wood": ("sleeve.kind", '"wood"', r"sleeve\.kind: expected 'auto', 'printed' or 'metal', found 'wood'"),
    "letters smaller than the smallest": (
        "label.text_height_mm", "2.9",
        r"label: expected text_height_mm of at least least_text_height_mm \(3\), found 2\.9; exchange them",
    ),
    "a switch in words": ("pointer.on", '"on"', r"pointer\.on: expected a valid boolean, found 'on'"),
    "a switch as a number": ("calliper.on", "1", r"calliper\.on: expected a valid boolean, found 1"),
    "letters half raised": ("label.raised", "0.5", r"label\.raised: expected a valid boolean, found 0\.5"),
    "no zones": ("zones.off_tuberosity_mm", None, r"zones\.off_tuberosity_mm: expected a value, found nothing"),
    "a line too many": (
        "trial.foot_mm", "4.0\ncolour = 'red'", r"trial\.colour: expected no such line, found 'red'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_shape_that_contradicts_itself_is_refused(load_own, name) -> None:
    place, value, match = REFUSED[name]
    with pytest.raises(TemplateError, match=rf"(?s)expected a usable template guides/ours\.toml, found: .*{match}"):
        load_own(GuideTemplate, edited(LATERAL, place, value))


@pytest.mark.parametrize(
    ("place", "value"),
    [("sleeve.guided_length_mm", "30.0"), ("sleeve.metal_flange_mm", "10.0"), ("pins.most", "2"),
     ("label.text_height_mm", "3.0")],
)  # fmt: skip
def test_what_is_just_enough_is_allowed(load_own, place, value) -> None:
    table, line = place.split(".")
    assert getattr(getattr(load_own(GuideTemplate, edited(LATERAL, place, value)), table), line) == float(value)


def test_more_pins_than_the_most_are_refused(load_own) -> None:
    with pytest.raises(TemplateError, match=r"pins: expected most of at least fewest \(3\), found 2; exchange them"):
        load_own(GuideTemplate, edited(edited(LATERAL, "pins.fewest", "3"), "pins.most", "2"))


@pytest.mark.parametrize("table", ["label", "axis_mark"])
def test_what_is_cut_leaves_half_of_the_shell(load_own, table) -> None:
    thin = edited(LATERAL, "shell.thickness_mm", "3.0")
    assert load_own(GuideTemplate, edited(thin, f"{table}.depth_mm", "1.5")).shell.thickness_mm == 3.0
    match = rf"expected {table}\.depth_mm of at most half of the shell's thickness \(1\.5\), found 1\.6; cut less deep"
    with pytest.raises(TemplateError, match=match):
        load_own(GuideTemplate, edited(thin, f"{table}.depth_mm", "1.6"))


def test_other_sizes_than_those_of_an_order_are_refused(load_own) -> None:
    with pytest.raises(TemplateError, match="expected the sizes S, M and L, found S, M, XL; give all three"):
        load_own(GuideTemplate, LATERAL.replace("[sizes.L]", "[sizes.XL]"))
    two = LATERAL[: LATERAL.index("[sizes.L]")] + LATERAL[LATERAL.index("[zones]") :]
    with pytest.raises(TemplateError, match="expected the sizes S, M and L, found S, M; give all three"):
        load_own(GuideTemplate, two)

"""Kits: what is shipped makes sense, and every figure that contradicts another is refused with a sentence."""

from __future__ import annotations

import copy
import re

import pytest
from pydantic import ValidationError
from template_files import just_outside, lines, range_of

from guidegen.packed import packed, unpacked
from guidegen.plan.kits import Kit
from guidegen.plan.templates import FOLDERS, load_template

SHIPPED = ("core-8", "core-9", "core-10", "curette-10", "multiple-3.2", "cannulated-9", "expandable-8")

STEP = {"tool": "drill", "through": "the sleeve", "stopped_by": "its stop at {reading_mm} mm", "guide": "on"}
PROBE = {"tool": "probe", "through": "the tunnel", "stopped_by": "its floor at {length_mm} mm", "guide": "off"}
WHOLE = {
    "name": "A whole kit",
    "drill": {
        "diameter_mm": 9.0,
        "end": "cone",
        "tip_angle_deg": 118.0,
        "length_mm": 200.0,
        "mark_step_mm": 5.0,
        "rotating": True,
        "chuck_diameter_mm": 30.0,
        "chuck_length_mm": 60.0,
    },
    "pin": {"diameter_mm": 2.0, "depth_mm": 25.0, "length_mm": 150.0},
    "fewest_tunnels": 2,
    "most_tunnels": 4,
    "reamer": {"radius_mm": 9.0, "cutting_length_mm": 20.0},
    "curette": {"reach_mm": 8.0},
    "guide_wire": {"diameter_mm": 3.2, "length_mm": 400.0},
    "leaves_wire": True,
    "guided_length_mm": 35.0,
    "sleeve_offsets_mm": [40.0, 50.0],
    "steps": [STEP, PROBE],
}


def changed(place: str, value: object) -> dict:
    """The whole kit with one line changed, or removed where the value is None."""
    content = copy.deepcopy(WHOLE)
    *tables, line = place.split(".")
    table = content
    for name in tables:
        table = table[name]
    if value is None:
        del table[line]
    else:
        table[line] = value
    return content


def test_the_whole_kit_is_usable() -> None:
    kit = Kit.model_validate(WHOLE)
    assert kit.drill.bend_mm == 0.5
    assert kit.figures == {
        "diameter_mm": "9", "pin_mm": "2", "pin_depth_mm": "25",
        "wire_mm": "3.2", "reamer_radius_mm": "9", "reach_mm": "8",
    }  # fmt: skip
    assert kit.longest_tunnel_mm(50.0) == 150.0
    assert unpacked(Kit, packed(kit)) == kit


def test_what_a_kit_need_not_have() -> None:
    content = copy.deepcopy(WHOLE)
    for name in (
        "reamer", "curette", "guide_wire", "fewest_tunnels", "most_tunnels", "leaves_wire", "guided_length_mm",
    ):  # fmt: skip
        del content[name]
    kit = Kit.model_validate(content)
    assert (kit.reamer, kit.curette, kit.guide_wire, kit.fewest_tunnels, kit.most_tunnels) == (None, None, None, 1, 1)
    assert (kit.leaves_wire, kit.guided_length_mm) == (False, None)
    assert set(kit.figures) == {"diameter_mm", "pin_mm", "pin_depth_mm"}


REFUSED = {
    "a cone without its angle": (
        "drill.tip_angle_deg", None,
        "expected tip_angle_deg for an end that is a cone, found none; give its whole angle",
    ),
    "an angle without a cone": (
        "drill.end", "ball",
        'expected no tip_angle_deg for an end that is ball, found 118; remove it or write end = "cone"',
    ),
    "another end": ("drill.end", "round", "Input should be 'flat', 'cone' or 'ball'"),
    "a reamer no wider than the drill": (
        "reamer.radius_mm", 4.5,
        r"expected a reamer that opens beyond the drill's radius of 4\.5 mm, found a radius of 4\.5 mm",
    ),
    "a guide wire as thick as the drill": (
        "guide_wire.diameter_mm", 9.0,
        "expected a guide wire thinner than the drill of 9 mm that runs over it, found 9 mm",
    ),
    "a guide wire as short as the drill": (
        "guide_wire.length_mm", 200.0, r"expected a guide wire longer than the drill of 200 mm, .* found 200 mm",
    ),
    "fewer than the fewest": (
        "most_tunnels", 1, r"expected most_tunnels of at least fewest_tunnels \(2\), found 1; exchange them",
    ),
    "offsets that descend": (
        "sleeve_offsets_mm", [50.0, 40.0], "expected sleeve_offsets_mm that ascend, found 50, 40; sort them, each once",
    ),
    "an offset twice": (
        "sleeve_offsets_mm", [40.0, 40.0], "expected sleeve_offsets_mm that ascend, found 40, 40; sort them, each once",
    ),
    "an offset inside the bone": (
        "sleeve_offsets_mm", [9.9, 40.0], r"sleeve_offsets_mm\.0\s+.* expected a number from 10 to 150, found 9\.9",
    ),
    "an offset out of reach": ("sleeve_offsets_mm", [40.0, 150.1], r"expected a number from 10 to 150, found 150\.1"),
    "no offset": ("sleeve_offsets_mm", [], "should have at least 1 item"),
    "a drill too short for an offset": (
        "sleeve_offsets_mm", [40.0, 140.5],
        r"expected a drill at least 60 mm longer than the largest sleeve offset of 140\.5 mm, found 200 mm",
    ),
    "no steps": ("steps", [], "should have at least 1 item"),
    "a figure nobody knows": (
        "steps", [STEP, {**PROBE, "tool": "probe of {colour}"}],
        r"expected only .*reading_mm.* in braces, found \{colour\} in 'probe of \{colour\}'",
    ),
    "a figure without a name": ("steps", [{**STEP, "tool": "drill {}"}], r"found \{\} in 'drill \{\}'"),
    "a brace left open": (
        "steps", [{**STEP, "tool": "drill {diameter_mm"}],
        "expected every brace to be closed, found 'drill {diameter_mm'",
    ),
    "a format": (
        "steps", [{**STEP, "tool": "drill {diameter_mm:.1f}"}],
        r"expected nothing but a name in braces, found 'drill \{diameter_mm:\.1f\}'; leave the format out",
    ),
    "nothing said": ("steps", [{**STEP, "tool": ""}, PROBE], "String should have at least 1 character"),
    "half a guide": ("steps", [{**STEP, "guide": "maybe"}], "Input should be 'on' or 'off'"),
    "no reading": (
        "steps", [{**STEP, "stopped_by": "the surgeon"}, PROBE],
        r"expected a step that is stopped at \{reading_mm\}, found none",
    ),
    "a reading where there is no sleeve": (
        "steps", [STEP, {**PROBE, "stopped_by": "{reading_mm} mm"}],
        r"expected \{reading_mm\} only while the guide is on, .* found it in a step with the guide off",
    ),
    "the guide put back": (
        "steps", [PROBE, STEP],
        "expected the guide to stay off once it is off, found a step with the guide on after one",
    ),
    "a drill that may or may not turn": ("drill.rotating", None, "Field required"),
    "a drill that turns in words": ("drill.rotating", "yes", "Input should be a valid boolean"),
    "a chuck of unknown size": ("drill.chuck_diameter_mm", None, "Field required"),
    "a wire of unknown length": ("pin.length_mm", None, "Field required"),
    "guided past its sleeve": (
        "guided_length_mm", 50.0,
        "expected guided_length_mm below the largest sleeve offset of 50 mm, within which .* found 50; give larger",
    ),
    "a wire left in words": ("leaves_wire", "true", "Input should be a valid boolean"),
    "no name": ("name", "", "String should have at least 1 character"),
    "one tunnel and a half": ("fewest_tunnels", 1.5, "Input should be a valid integer"),
}  # fmt: skip


RANGES = {
    "drill.diameter_mm": (1.5, 16),
    "drill.tip_angle_deg": (20, 179),
    "drill.length_mm": (100, 500),
    "drill.mark_step_mm": (0.5, 50),
    "drill.bend_mm": (0.05, 5),
    "drill.chuck_diameter_mm": (10, 80),
    "drill.chuck_length_mm": (10, 200),
    "pin.diameter_mm": (0.8, 5),
    "pin.depth_mm": (5, 100),
    "pin.length_mm": (50, 500),
    "fewest_tunnels": (1, 4),
    "most_tunnels": (1, 4),
    "reamer.radius_mm": (2, 25),
    "reamer.cutting_length_mm": (2, 80),
    "curette.reach_mm": (1, 40),
    "guide_wire.diameter_mm": (0.8, 10),
    "guide_wire.length_mm": (100, 800),
    "guided_length_mm": (10, 60),
}


def test_every_number_has_its_range_here() -> None:
    ranged = {place for place, field in lines(Kit).items() if range_of(field)}
    assert ranged == {*RANGES, "sleeve_offsets_mm"}


@pytest.mark.parametrize("place", RANGES)
@pytest.mark.parametrize("end", [0, 1])
def test_a_figure_out_of_its_range_is_refused(place, end) -> None:
    (low, high), bad = RANGES[place], just_outside(*RANGES[place])[end]
    match = re.escape(f"expected a number from {low:g} to {high:g}, found {bad}")
    with pytest.raises(ValidationError, match=match) as refusal:
        Kit.model_validate(changed(place, float(bad)))
    assert ".".join(map(str, refusal.value.errors()[0]["loc"])) == place


@pytest.mark.parametrize("name", REFUSED)
def test_a_kit_that_contradicts_itself_is_refused(name) -> None:
    place, value, match = REFUSED[name]
    with pytest.raises(ValidationError, match=match):
        Kit.model_validate(changed(place, value))


def test_a_drill_just_long_enough_for_its_largest_offset_will_do() -> None:
    kit = Kit.model_validate(changed("sleeve_offsets_mm", [40.0, 140.0]))
    assert kit.longest_tunnel_mm(140.0) == 60.0


def test_a_chuck_is_wider_than_its_drill() -> None:
    content = changed("drill.diameter_mm", 12.0)
    content["drill"]["chuck_diameter_mm"] = 12.0
    match = "expected a chuck wider than the drill of 12 mm that it holds, found 12 mm; measure the chuck"
    with pytest.raises(ValidationError, match=match):
        Kit.model_validate(content)


def test_a_wire_does_not_go_in_whole() -> None:
    content = changed("pin.depth_mm", 60.0)
    content["pin"]["length_mm"] = 60.0
    match = "expected a wire longer than the 60 mm of it that go into the bone, found 60 mm; give its whole length"
    with pytest.raises(ValidationError, match=match):
        Kit.model_validate(content)


@pytest.mark.parametrize("instrument", ["reamer", "curette", "guide_wire"])
def test_a_text_cannot_name_an_instrument_that_the_kit_lacks(instrument) -> None:
    figure = {"reamer": "reamer_radius_mm", "curette": "reach_mm", "guide_wire": "wire_mm"}[instrument]
    content = changed("steps", [{**STEP, "tool": f"one of {{{figure}}} mm"}])
    Kit.model_validate(content)
    del content[instrument]
    with pytest.raises(
        ValidationError, match=rf"found \{{{figure}\}} in 'one of .*; correct the text or give the kit that"
    ):
        Kit.model_validate(content)


def test_the_kits_of_the_specification_are_shipped() -> None:
    kits = {name: load_template(Kit, name)[0] for name in SHIPPED}
    assert [kits[name].drill.diameter_mm for name in SHIPPED] == [8.0, 9.0, 10.0, 10.0, 3.2, 9.0, 8.0]
    assert [name for name in SHIPPED if kits[name].reamer] == ["expandable-8"]
    assert [name for name in SHIPPED if kits[name].curette] == ["curette-10"]
    assert [name for name in SHIPPED if kits[name].guide_wire] == ["cannulated-9"]
    assert [name for name in SHIPPED if kits[name].most_tunnels > 1] == ["multiple-3.2"]
    assert [name for name in SHIPPED if not kits[name].drill.rotating] == ["multiple-3.2"]  # a smooth pin
    assert not any(kit.leaves_wire for kit in kits.values())
    assert (kits["multiple-3.2"].fewest_tunnels, kits["multiple-3.2"].most_tunnels) == (2, 4)
    assert kits["core-8"].drill.end == "flat"
    assert FOLDERS[Kit] == "kits"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_kit_can_be_used_on_a_femur(name) -> None:
    kit, _ = load_template(Kit, name)
    assert kit.pin.diameter_mm < kit.drill.diameter_mm
    assert kit.sleeve_offsets_mm[0] >= 34.0  # 32 mm guided and 2 mm to spare
    assert kit.longest_tunnel_mm(kit.sleeve_offsets_mm[-1]) >= 120.0  # longer than any tunnel of a large femur
    assert kit.steps[-1].guide == "off"
    assert 0.3 <= kit.drill.bend_mm <= 1.5
    assert kit.pin.length_mm >= kit.pin.depth_mm + 60.0  # guided, through the shell, and held by a driver
    assert kit.drill.chuck_diameter_mm > kit.drill.diameter_mm


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_kit_is_packed_and_comes_back(name) -> None:
    kit, _ = load_template(Kit, name)
    assert unpacked(Kit, packed(kit)) == kit

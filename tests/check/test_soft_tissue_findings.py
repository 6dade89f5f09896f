"""The skin of the bench's hip, a plane 60 mm lateral of it: every distance a closed form, and everything put wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bench_skin import BEYOND, DEPTH, NEEDED, PIN_DEPTH, SKIN_X, TOP_BEYOND, plane, told

from guidegen.check.files import read_skin
from guidegen.check.soft_tissue import soft_tissue_findings
from guidegen.errors import ResultError
from guidegen.stl import stl_bytes
from guidegen.surfaces import Surface

TUNNEL_NAMES = [
    "tunnel 1 skin off its stated depth", "tunnel 1 way out off its stated place", "tunnel 1 drill off its stated need",
    "tunnel 1 drill too short untold",
]  # fmt: skip
PIN_NAMES = [
    f"pin {number} {what}"
    for number in (1, 2)
    for what in ("skin off its stated depth", "wire off its stated need", "wire too short untold")
]


def failed(hip: Any, skin: Surface | None, *changes: Any) -> dict[str, float | None]:
    """What did not pass, by name, once `told` was changed."""

    def change(plan: dict[str, Any]) -> None:
        told(plan)
        for each in changes:
            each(plan)

    findings = soft_tissue_findings(hip.asked(change), skin)
    assert [finding.name for finding in findings] == TUNNEL_NAMES + PIN_NAMES
    return {finding.name: finding.measured for finding in findings if not finding.passed}


def tunnel(**values: Any) -> Any:
    return lambda plan: plan["guide"]["soft_tissue"]["tunnels"][0].update(values)


def pin(**values: Any) -> Any:
    return lambda plan: plan["guide"]["soft_tissue"]["pins"][0].update(values)


def warned(text: str) -> Any:
    return lambda plan: plan["guide"]["warnings"].append(text)


def test_where_the_skin_is_not_known_nothing_is_found(hip) -> None:
    assert soft_tissue_findings(hip.asked(), None) == ()
    both = lambda plan: (told(plan), plan["guide"]["soft_tissue"].update(tunnels=[None], pins=[None, None]))  # noqa: E731
    assert soft_tissue_findings(hip.asked(both), plane()) == ()


def test_a_plan_that_states_what_is_there_passes(hip) -> None:
    assert failed(hip, plane()) == {}


def test_skin_elsewhere_is_found_by_how_far(hip) -> None:
    found = failed(hip, plane(SKIN_X + 0.4))
    assert found[TUNNEL_NAMES[0]] == pytest.approx(0.5, abs=0.01)
    assert found[TUNNEL_NAMES[1]] == pytest.approx(0.5, abs=0.01)  # the sleeve's top; beyond the end it is 0.3
    assert found[TUNNEL_NAMES[2]] == pytest.approx(0.5, abs=0.01)
    assert found[PIN_NAMES[0]] == pytest.approx(0.4, abs=0.01)
    assert found[PIN_NAMES[1]] == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    "skin", [None, plane(half=20.0), plane(outwards=False)], ids=["none", "too small", "inside out"]
)
def test_skin_that_is_not_met_is_no_measurement(hip, skin) -> None:
    found = failed(hip, skin)
    assert dict.fromkeys(TUNNEL_NAMES).items() <= found.items()


@pytest.mark.parametrize(
    ("change", "name", "measured"),
    [
        (tunnel(depth_mm=DEPTH - 0.2), TUNNEL_NAMES[0], 0.2),
        (tunnel(top_beyond_mm=TOP_BEYOND + 1.0), TUNNEL_NAMES[1], 1.0),
        (tunnel(from_end_mm=-BEYOND), TUNNEL_NAMES[1], 2 * BEYOND),
        (tunnel(in_front_mm=3.0), TUNNEL_NAMES[1], 3.0),
        (tunnel(drill_needed_mm=NEEDED - 9.0), TUNNEL_NAMES[2], 9.0),
        (tunnel(chuck_goes_in=True), TUNNEL_NAMES[2], NEEDED - 129.0),
        (tunnel(drill_length_mm=NEEDED - 6.0), TUNNEL_NAMES[3], 6.0),
        (pin(depth_mm=PIN_DEPTH + 2.0), PIN_NAMES[0], 2.0),
        (pin(wire_needed_mm=25.0 + PIN_DEPTH), PIN_NAMES[1], 30.0),
        (lambda plan: plan["guide"]["pins"][0].update(wire_length_mm=70.0), PIN_NAMES[2], PIN_DEPTH - 15.0),
    ],
)  # fmt: skip
def test_what_is_stated_wrong_or_not_told_is_found(hip, change, name, measured) -> None:
    assert failed(hip, plane(), change) == {name: pytest.approx(measured, abs=0.01)}


def test_what_is_too_short_passes_where_it_is_told(hip) -> None:
    short = tunnel(drill_length_mm=NEEDED - 6.0)
    wire = lambda plan: plan["guide"]["pins"][0].update(wire_length_mm=70.0)  # noqa: E731
    assert failed(hip, plane(), short, wire, warned("Tunnel 2: the drill of 164 mm is too short.")).keys() == {
        TUNNEL_NAMES[3], PIN_NAMES[2],
    }  # fmt: skip
    said = (warned("Tunnel 1: the drill of 164 mm is too short."), warned("Wire 1: the wire of 70 mm is too short."))
    assert failed(hip, plane(), short, wire, *said) == {}


def test_a_chuck_in_the_wound_needs_the_stop_only(hip) -> None:
    within = tunnel(chuck_goes_in=True, drill_needed_mm=129.0)
    assert failed(hip, plane(), within) == {}
    less_than_the_sleeve = tunnel(chuck_goes_in=True, drill_needed_mm=110.0, drill_needed_open_mm=110.0)
    assert failed(hip, plane(), less_than_the_sleeve) == {TUNNEL_NAMES[2]: pytest.approx(9.0, abs=0.01)}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (tunnel(through="incision"), "through the incision where it lies in the wound, and only there"),
        (tunnel(through="window"), r"soft_tissue\.tunnels\.0\.through"),
        (tunnel(outside_mm=0.0), "through the incision where it lies in the wound, and only there"),
        (lambda plan: plan["guide"]["soft_tissue"].update(pins=[None]), "the skin over each tunnel and each wire"),
        (lambda plan: plan["guide"]["soft_tissue"].update(tunnels=[]), "the skin over each tunnel and each wire"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(hip, change, match) -> None:
    with pytest.raises(ResultError, match=match):
        hip.asked(lambda plan: (told(plan), change(plan)))


def test_the_skin_is_read_where_the_plan_knows_of_it_and_only_there(hip, tmp_path) -> None:
    plan = hip.plan(told)
    with pytest.raises(ResultError, match=r"expected skin\.stl .* found none; run the case again"):
        read_skin(tmp_path, plan)
    (tmp_path / "skin.stl").write_bytes(stl_bytes(plane()))
    skin = read_skin(tmp_path, json.loads(json.dumps(plan)))
    assert skin is not None
    assert len(skin.faces) == 2
    with pytest.raises(ResultError, match=r"expected skin\.stl .* found one that it does not know"):
        read_skin(tmp_path, hip.plan())

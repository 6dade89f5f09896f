"""A fan's findings from its plan: what is asked of each insert, and what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_inserts import (
    ASKED,
    BORE_MM,
    ENTRY,
    GAP_MM,
    IN_LPS,
    LOW_MM,
    OFFSET_MM,
    OUT,
    RIM_MM,
    guide,
    insert,
    written,
)  # fmt: skip

from guidegen.check.asked import Asked
from guidegen.check.fan import fan_findings
from guidegen.errors import ResultError
from guidegen.surfaces import Surface


def change(plan: dict[str, Any]) -> None:
    """One tunnel through one insert, where the bodies of the insert's own tests are."""
    plan["tunnels"] = [plan["tunnels"][0] | {"entry_mm": ENTRY.tolist(), "target_mm": ASKED.target_mm.tolist()}]
    reach_mm = float(np.linalg.norm(ASKED.target_mm - ENTRY))
    plan["tunnels"][0] |= {"sleeve_offset_mm": OFFSET_MM, "depth_reading_mm": OFFSET_MM + reach_mm}
    label = plan["guide"]["labels"][0] | {"center_mm": (ENTRY + OFFSET_MM * OUT).tolist()}
    first, second = (IN_LPS.rotation[:, k].tolist() for k in (0, 1))
    label |= {"reading_direction": first, "up_direction": second, "outward_direction": OUT.tolist()}
    own = {
        "tunnel": 0, "bore_mm": BORE_MM, "drill_diameter_mm": 3.2, "guided_length_mm": OFFSET_MM - LOW_MM,
        "stop_face_mm": (ENTRY + OFFSET_MM * OUT).tolist(), "stop_diameter_mm": 12.0, "offset_mm": OFFSET_MM,
        "reading_mm": OFFSET_MM + reach_mm,
        "chuck_diameter_mm": 22.0, "chuck_length_mm": 50.0, "label": label,
    }  # fmt: skip
    plan["guide"] |= {"sleeves": [], "inserts": [own], "socket": {
        "entry_mm": ENTRY.tolist(), "outwards": OUT.tolist(), "low_mm": LOW_MM, "rim_mm": RIM_MM,
        "low_radius_mm": 8.0 + 0.1 * LOW_MM, "rim_radius_mm": 8.0 + 0.1 * RIM_MM, "gap_mm": GAP_MM, "wall_mm": 6.0,
    }}  # fmt: skip
    plan["limits"]["guided_length_mm"] = 30.0


@pytest.fixture(scope="module")
def asked(hip: Any) -> Asked:
    return hip.asked(change)


@pytest.fixture(scope="module")
def bodies() -> tuple[Surface, Surface]:
    return written(insert()), written(guide())


def test_an_insert_is_asked_what_a_sleeve_would_be(asked: Asked, bodies: tuple[Surface, Surface]) -> None:
    made, around = bodies
    findings = {each.name: each for each in fan_findings(asked, [made], around, None)}
    assert findings["insert 1 bore off the target"].passed
    assert findings["insert 1 bore guided length"].passed
    assert findings["insert 1 drill's way"].passed
    assert findings["tunnel 1 reading off the file"].measured == pytest.approx(0.0, abs=1e-3)
    assert not findings["insert 1 label reads as planned"].passed  # the body bears no letters
    assert not any("print file" in name for name in findings)


def test_a_bore_too_narrow_for_the_drill_fails_in_its_way(asked: Asked, bodies: tuple[Surface, Surface]) -> None:
    narrow = written(insert(bore_mm=3.0))
    findings = {each.name: each for each in fan_findings(asked, [narrow], bodies[1], None)}
    assert not findings["insert 1 drill's way"].passed
    assert findings["insert 1 drill's way"].measured == pytest.approx(3.0, abs=0.01)


def test_the_print_is_looked_at_only_where_there_is_one(asked: Asked, bodies: tuple[Surface, Surface]) -> None:
    made, around = bodies
    printed = made.vertices[made.faces]
    findings = {each.name: each for each in fan_findings(asked, [made], around, [printed])}
    assert findings["insert 1 print file off its STL"].passed


def test_as_many_inserts_as_planned_or_none_at_all(asked: Asked, bodies: tuple[Surface, Surface], hip: Any) -> None:
    with pytest.raises(ResultError, match="expected the files of 1 inserts, found 0"):
        fan_findings(asked, [], bodies[1], None)
    assert fan_findings(hip.asked(), [], hip.guide, None) == ()

"""Which mark stands where, over a flat bone: on one sleeve, on several, on a socket, and what finds no room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest
from bodies import field_of
from orders import order_for

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, angle_deg, unit
from guidegen.guide import marks
from guidegen.guide.label import MOST_ASKEW_DEG, Label
from guidegen.guide.marks import Identity, marks_of, pads_of, plates_of
from guidegen.guide.order import Order
from guidegen.guide.solids import to_surface
from guidegen.guide.stands import Standing, Way, stand_up
from guidegen.surfaces import Surface

FLAT = field_of(lambda x, y: 0.0 * x * y)
FRONT = unit([0.3, 0.8, 0.5])  # across the sleeves, so that one of their sides can show it
HASH = "1a2b3c4d"
IDENTITY = Identity("T001L", "r001", HASH)
LEANING = np.array([0.0, np.sin(np.radians(12.0)), -np.cos(np.radians(12.0))])  # towards the head, as tunnels do


def way(x_mm: float, axis: FloatArray = LEANING, length_mm: float = 90.0) -> Way:
    entry = np.array([x_mm, 0.0, 0.0])
    return Way(entry, entry + length_mm * unit(axis), unit(axis), length_mm, 0.0)


@pytest.fixture(scope="module")
def bone() -> Surface:
    return to_surface(m3.Manifold.cube((160.0, 160.0, 40.0)).translate((-80.0, -80.0, -40.0)))


@pytest.fixture(scope="module")
def order() -> Order:
    return order_for("multiple-3.2")


def marked(standing: Standing, ways: list[Way], bone: Surface, order: Order, identity: Identity = IDENTITY) -> Any:
    return plates_of(marks_of(standing, ways, identity, "left", FRONT, order), standing, FRONT, bone, order)


def said(labels: list[Label]) -> list[str]:
    return [" ".join(label.lines) for label in labels]


def test_one_sleeve_says_whose_and_what_for_on_its_two_sides(bone: Surface, order: Order) -> None:
    ways = [way(0.0)]
    standing = stand_up(ways, False, FLAT, order, HASH)
    plates, left = marked(standing, ways, bone, order)
    assert left == []
    whose, about = plates
    reading = f"{standing.offset_mm(0) + 90.0:.1f}"
    assert "".join(whose.lines[:-2]) == "T001L"
    assert whose.lines[-2] == "LEFT"
    assert about.lines[:3] == ("1 Ø3.2", reading, "r001")
    assert "".join(about.lines[3:]) == "1a2b3c4d"
    assert whose.outward_direction @ about.outward_direction < 0.5
    way_of_arrow = whose.up_direction if whose.lines[-1] == "ANT ↑" else -whose.up_direction
    assert angle_deg(way_of_arrow, FRONT) <= MOST_ASKEW_DEG


def test_each_of_several_sleeves_says_which_tunnel_it_drills_on_its_outer_side(bone: Surface, order: Order) -> None:
    ways = [way(-16.0), way(16.0, length_mm=96.0)]
    standing = stand_up(ways, False, FLAT, order, HASH)
    plates, left = marked(standing, ways, bone, order)
    first, second = plates[:2]
    assert (first.lines[0], second.lines[0]) == ("1 Ø3.2", "2 Ø3.2")
    assert float(second.lines[1]) - float(first.lines[1]) == pytest.approx(6.0)
    assert first.outward_direction[0] < -0.5
    assert second.outward_direction[0] > 0.5
    sides = [tuple(np.round([*plate.outward_direction, np.sign(plate.center_mm[0])], 6)) for plate in plates]
    assert len(set(sides)) == len(plates)  # no side bears two plates
    assert len(plates) + len(left) >= 4


def test_a_plate_leaves_room_for_the_stop_beside_it(bone: Surface, order: Order) -> None:
    """Sleeves so near that only the outer sides are left: the rest is for pads."""
    ways = [way(-5.0), way(5.0)]
    standing = stand_up(ways, False, FLAT, order, HASH)
    plates, left = marked(standing, ways, bone, order)
    assert [plate.lines[0] for plate in plates] == ["1 Ø3.2", "2 Ø3.2"]
    texts = [" ".join(mark.lines(True)(3.0, 30.0)) for mark in left]
    assert texts == ["T001L LEFT", "ANT ↑", "r001 1a2b3c4d"]


def test_a_socket_says_whose_it_is_and_the_plan_and_its_inserts_the_rest(bone: Surface, order: Order) -> None:
    off = np.radians(4.0)
    turned = [unit(LEANING + np.sin(off) * np.array([np.cos(t), 0.0, np.sin(t)])) for t in (0.0, 2.1, 4.2)]
    ways = [way(0.0, axis) for axis in turned]
    standing = stand_up(ways, True, FLAT, order, HASH)
    plates, left = marked(standing, ways, bone, order)
    assert left == []
    assert "LEFT" in plates[0].lines
    assert plates[-1].lines[0] == "r001"
    assert not any("Ø" in text for text in said(plates))


def test_patient_and_front_part_where_one_plate_has_no_room_for_both(bone: Surface, order: Order) -> None:
    """A front along the sleeve: no side of it can show that, and the arrow is left for a pad."""
    ways = [way(0.0)]
    standing = stand_up(ways, False, FLAT, order, HASH)
    along = -LEANING
    marks_along = marks_of(standing, ways, IDENTITY, "left", along, order)
    plates, left = plates_of(marks_along, standing, along, bone, order)
    assert any(text.endswith("LEFT") for text in said(plates))
    assert [" ".join(mark.lines(True)(3.0, 30.0)) for mark in left] == ["ANT ↑"]


def test_what_finds_no_room_at_all_is_refused_by_its_words(
    bone: Surface, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [way(0.0)]
    standing = stand_up(ways, False, FLAT, order, HASH)
    long = replace(IDENTITY, patient_id="W" * 64)
    _, left = marked(standing, ways, bone, order, long)
    monkeypatch.setattr(marks, "text_pad", lambda *_: None)
    with pytest.raises(NoSafeGuide, match=r"expected room for 'W{64} LEFT' beside the drill.* use a shorter id") as no:
        pads_of(left[:1], None, bone, FRONT, None, [], order)  # type: ignore[arg-type]
    assert no.value.rule == "label"
    assert no.value.figures == {"characters": 69.0}

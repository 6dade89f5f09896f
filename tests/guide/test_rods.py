"""Rods against distances in closed form, and several sleeves with the tools that come down beside them."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, unit
from guidegen.guide.rods import Channel, Drilling, Rod, gap_mm, passages, require_apart

UP, ASIDE = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
DRILLING = Drilling(
    drill_mm=3.2, drill_length_mm=200.0, stop_mm=12.0, stop_height_mm=10.0, chuck_mm=40.0, chuck_length_mm=60.0,
    reading_mm=130.0,
)  # fmt: skip


def rod(start: FloatArray, end: FloatArray, radius_mm: float, name: str = "a rod") -> Rod:
    return Rod(name, np.asarray(start, dtype=float), np.asarray(end, dtype=float), radius_mm)


def sleeve(entry_mm: FloatArray, axis: FloatArray, number: int, reading_mm: float = 130.0) -> Channel:
    """A sleeve of 10 mm from its root to 40 mm outside the entry, and what is swept through it."""
    top = entry_mm - 40.0 * axis
    drilling = Drilling(3.2, 200.0, 12.0, 10.0, 40.0, 60.0, reading_mm)
    return Channel((rod(entry_mm, top, 5.0, f"sleeve {number}"),), drilling.swept(str(number), top, axis))


@pytest.mark.parametrize("apart_mm", [0.5, 4.0, 30.0])
def test_parallel_rods(apart_mm: float) -> None:
    first = rod([0, 0, 0], 20.0 * UP, 3.0)
    second = rod((5.0 + apart_mm) * ASIDE, (5.0 + apart_mm) * ASIDE + 20.0 * UP, 2.0)
    assert gap_mm(first, second) == pytest.approx(apart_mm, abs=0.003)
    assert gap_mm(first, second) <= apart_mm


def test_rods_end_to_end_are_flat() -> None:
    """Balls of their radii at their ends would meet."""
    assert gap_mm(rod([0, 0, 0], 10.0 * UP, 8.0), rod(10.5 * UP, 30.0 * UP, 8.0)) == pytest.approx(0.5)


def test_a_flat_face_over_the_corner_of_another() -> None:
    """The nearest of a tilted rod's rim to a plane: its middle's height less the radius times the tilt's sine."""
    tilt = np.radians(30.0)
    way = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    plate, tilted = rod(-5.0 * UP, 0.0 * UP, 40.0), rod(7.0 * UP, 7.0 * UP + 20.0 * way, 4.0)
    assert gap_mm(plate, tilted) == pytest.approx(7.0 - 4.0 * np.sin(tilt), abs=0.002)


def test_skew_rods() -> None:
    first, second = rod(-20.0 * UP, 20.0 * UP, 3.0), rod([-20.0, 9.0, 0.0], [20.0, 9.0, 0.0], 2.0)
    assert gap_mm(first, second) == pytest.approx(4.0, abs=0.003)


def test_what_meets_has_no_gap_and_what_is_far_is_only_told_as_far() -> None:
    assert gap_mm(rod([0, 0, 0], 10.0 * UP, 3.0), rod(2.0 * ASIDE, 2.0 * ASIDE + 10.0 * UP, 3.0)) == 0.0
    assert gap_mm(rod([0, 0, 0], 10.0 * UP, 3.0), rod(300.0 * ASIDE, 310.0 * ASIDE, 3.0)) == 50.0


def test_the_tools_sweep_from_entering_to_full_depth() -> None:
    face, axis = np.array([1.0, 2.0, 3.0]), unit([0.0, -3.0, -4.0])
    drill, stop, chuck = DRILLING.swept("1", face, axis)
    for each, start, end, radius in ((drill, 0, 260, 1.6), (stop, 0, 140, 6.0), (chuck, 70, 260, 20.0)):
        np.testing.assert_allclose(each.start_mm, face - start * axis)
        np.testing.assert_allclose(each.end_mm, face - end * axis)
        assert each.radius_mm == radius
    assert [each.name for each in (drill, stop, chuck)] == ["drill 1", "stop 1", "chuck 1"]


def test_sleeves_far_enough_apart_are_told_with_their_narrowest_gap() -> None:
    """Parallel, 25 mm apart; the second's top is 40 mm off the bone as the first's is."""
    channels = [sleeve(np.zeros(3), -UP, 1), sleeve(25.0 * ASIDE, -UP, 2)]
    require_apart(channels, 1.0)
    found = passages(channels)
    assert found[0].gap_mm == pytest.approx(25.0 - 5.0 - 6.0, abs=0.01)  # the stop's rim beside the sleeve's
    assert {found[0].first, found[0].second} in ({"stop 1", "sleeve 2"}, {"stop 2", "sleeve 1"})
    chucks = [each for each in found if each.first.startswith("chuck")]
    assert all(each.gap_mm >= 50.0 for each in chucks)  # they stay 70 mm above the stop faces
    sleeves = next(each for each in found if each.first.startswith("sleeve"))
    assert sleeves.gap_mm == pytest.approx(15.0, abs=0.01)


def test_a_chuck_that_comes_down_beside_a_taller_sleeve_is_refused() -> None:
    """At its full depth, 5 mm above its own stop face, it is beside the other sleeve, which stands 20 mm higher."""
    low, high = sleeve(np.zeros(3), -UP, 1, reading_mm=195.0), sleeve(24.0 * ASIDE + 20.0 * UP, -UP, 2)
    with pytest.raises(NoSafeGuide, match=r"expected 1 mm between .* found 0.0 mm between chuck 1 and sleeve 2") as no:
        require_apart([low, high], 1.0)
    with pytest.raises(NoSafeGuide, match=r"between chuck 1 and sleeve 2"):
        require_apart([high, low], 1.0)
    assert no.value.rule == "sleeves_apart"
    assert no.value.figures == {"gap_mm": 0.0, "least_mm": 1.0}


def test_converging_sleeves_are_refused_by_their_gap() -> None:
    """Axes 12 mm apart at the bone that lean towards each other outside."""
    lean = np.array([np.sin(0.02), 0.0, np.cos(0.02)])
    channels = [sleeve(np.zeros(3), -lean, 1), sleeve(12.0 * ASIDE, -lean * [-1.0, 1.0, 1.0], 2)]
    with pytest.raises(NoSafeGuide, match=r"found 0.0 mm between stop 1 and sleeve 2"):
        require_apart(channels, 0.5)
    bare = [Channel(channel.standing, ()) for channel in channels]
    require_apart(bare, 0.3)
    gap = passages(bare)[0].gap_mm
    assert gap == pytest.approx(12.0 - 2.0 * (40.0 * np.sin(0.02) + 5.0 * np.cos(0.02)), abs=0.01)


def test_what_stands_there_anyway_is_an_obstacle_to_all() -> None:
    wire = rod([30.0, 0.0, 60.0], [30.0, 40.0, 200.0], 1.0, "a wire")
    channels = [sleeve(np.zeros(3), -UP, 1)]
    found = passages(channels, [wire])
    assert {each.second for each in found} == {"a wire"}
    assert found[0].first == "chuck 1"
    assert found[0].gap_mm == pytest.approx(passages([Channel((), channels[0].moving[2:])], [wire])[0].gap_mm)


def test_one_tunnel_alone_has_nothing_to_run_into() -> None:
    channels = [sleeve(np.zeros(3), -UP, 1)]
    require_apart(channels, 1.0)
    assert passages(channels) == ()

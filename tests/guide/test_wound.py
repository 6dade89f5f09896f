"""The wound: where a place on the skin lies in it, in plain numbers."""

from __future__ import annotations

import numpy as np
import pytest

from guidegen.guide.guide import Guide
from guidegen.guide.wound import Wound, wound_of
from guidegen.seat.approach import approach_of

# 70 mm along z, held open 40 mm along y, off the bone along x; the front is −y
WOUND = Wound(np.array([0.0, 0.0, 45.0]), np.array([0.0, 0.0, -25.0]), 40.0, np.array([0.0, -1.0, 0.0]))


@pytest.mark.parametrize(
    ("point", "from_end_mm", "above_mm", "in_front_mm"),
    [
        ((50.0, 0.0, 10.0), -35.0, 0.0, 0.0),
        ((80.0, 7.0, -31.0), 6.0, -41.0, -7.0),
        ((-9.0, -3.0, 40.0), -5.0, 30.0, 3.0),
    ],
)
def test_a_place_is_told_along_and_across_however_far_off_the_bone(point, from_end_mm, above_mm, in_front_mm) -> None:
    assert WOUND.from_end_mm(np.array(point)) == pytest.approx(from_end_mm)
    assert WOUND.place(np.array(point)) == pytest.approx((above_mm, in_front_mm))


@pytest.mark.parametrize(
    ("point", "width_mm", "outside_mm"),
    [
        ((50.0, 0.0, 10.0), 30.0, 0.0),
        ((50.0, 0.0, 10.0), 40.0, 0.0),  # as wide as it is open
        ((50.0, 0.0, 10.0), 44.0, 2.0),
        ((50.0, 0.0, -20.0), 10.0, 0.0),  # 5 mm before the end
        ((50.0, 0.0, -20.0), 16.0, 3.0),
        ((50.0, 12.0, 10.0), 16.0, 0.0),
        ((50.0, -15.0, 49.0), 18.0, 13.6014705),  # 13 beyond the end, 4 beside
    ],
)
def test_what_passes_needs_its_width(point, width_mm, outside_mm) -> None:
    assert WOUND.outside_mm(np.array(point), width_mm) == pytest.approx(outside_mm)


def test_the_wound_of_a_guide_is_its_incision_over_the_contact(guide: Guide) -> None:
    wound = wound_of(guide)
    off, along = guide.seat.removal_direction, wound.upper_mm - wound.lower_mm
    assert np.linalg.norm(along) == pytest.approx(approach_of(guide.seat, guide.cells, guide.rim_mm).incision_mm)
    assert along @ off == pytest.approx(0.0, abs=1e-9)
    assert wound.front @ off == pytest.approx(0.0, abs=1e-9)
    assert wound.front @ guide.zones.front > 0.5
    assert along @ guide.zones.up > 0.0
    covered = guide.cells.points_mm[guide.seat.footprint.covers]
    places = np.array([wound.place(point) for point in covered])
    assert np.abs(places[:, 0]).max() < np.linalg.norm(along) / 2.0 - 5.0  # with room at both ends
    assert np.abs(places).max(axis=0)[1] + guide.rim_mm == pytest.approx(wound.opened_mm / 2.0)
    assert (places.min(axis=0) + places.max(axis=0)) == pytest.approx([0.0, 0.0], abs=1e-9)

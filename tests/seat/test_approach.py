"""What a seat asks of the approach, on a shaft whose areas are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapes import SHAFT_MM, shaft, zones

from guidegen.frames import LPS, RigidTransform
from guidegen.keep_out import NOTHING
from guidegen.seat.approach import BEYOND_MM, approach_of
from guidegen.seat.best_fit import Spread
from guidegen.seat.cells import cells_on
from guidegen.seat.footprint import Footprint
from guidegen.seat.ground import Ground
from guidegen.seat.seat import GUIDE, Seat


def test_the_incision_spans_contact_rim_and_retractors_and_the_rim_is_laid_bare() -> None:
    at = zones()
    cells = cells_on(Ground.of(shaft(), at.up, NOTHING, 3.0), at)
    covers = np.zeros(cells.closed.shape, dtype=np.bool_)
    covers[20:40, 10:22] = True  # 40 mm along the shaft, 60° round it
    seat = Seat(
        size="M", frame=RigidTransform(np.eye(3), np.zeros(3), LPS, GUIDE),
        footprint=Footprint(cells.levels_mm, cells.turns_deg, covers, at), contact_mm2=600.0,
        fit=Spread(0.0, 0.0), dock=Spread(0.0, 0.0), held_share=1.0, motions=np.zeros((3, 6)),
        covariance=np.zeros((6, 6)),
    )  # fmt: skip
    bare = 40.0 * SHAFT_MM * np.radians(60.0)
    without = approach_of(seat, cells, 0.0)
    assert (without.contact_mm, without.incision_mm) == (40.0, 40.0 + 2.0 * BEYOND_MM)
    assert without.stripped_mm2 == pytest.approx(bare, rel=3e-3)
    rim = approach_of(seat, cells, 4.0)
    assert rim.incision_mm == pytest.approx(48.0 + 2.0 * BEYOND_MM)
    # within 4 mm lie two rows above and below and three columns of 1.3 mm beside; off the corners two of one row
    assert rim.stripped_mm2 == pytest.approx(bare / (20 * 12) * (20 * 18 + 2 * 16 + 2 * 12), rel=3e-3)
    slim = replace(seat, footprint=replace(seat.footprint, covers=covers & (np.arange(len(covers))[:, None] < 30)))
    assert approach_of(slim, cells, 0.0).contact_mm == 20.0

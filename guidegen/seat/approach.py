"""What a seat asks of the approach: how long the incision is, and how much bone is laid bare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.seat.cells import LEVEL_STEP_MM, Cells
from guidegen.seat.seat import Seat

# A straight incision along the shaft over all that rests there, and so much beyond each end for the retractors [D].
BEYOND_MM = 5.0


@dataclass(frozen=True)
class Approach:
    """The contact along the shaft and the incision in mm, and the bone laid bare in mm²: all that the guide covers, its
    rim included.
    """

    contact_mm: float
    incision_mm: float
    stripped_mm2: float


def approach_of(seat: Seat, cells: Cells, rim_mm: float) -> Approach:
    """The approach for one seat on these cells, with a rim this wide round the contact."""
    from scipy import ndimage

    covers = seat.footprint.covers
    rows = np.flatnonzero(covers.any(axis=1))
    contact = float(rows[-1] - rows[0] + 1) * LEVEL_STEP_MM
    column_mm = float(np.median(cells.areas_mm2[covers])) / LEVEL_STEP_MM
    within = ndimage.distance_transform_edt(~covers, sampling=(LEVEL_STEP_MM, column_mm)) <= rim_mm
    return Approach(
        contact_mm=contact,
        incision_mm=contact + 2.0 * (rim_mm + BEYOND_MM),
        stripped_mm2=float(cells.areas_mm2[covers | within].sum()),
    )

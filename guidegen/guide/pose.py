"""How a guide lies in the printer: its bone side up, turned so that no prop stands in its bore."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray, across, unit

SPARE_DEG = 5.0  # by which the bore stays steeper than the printer's limit


def print_down(sleeve_outwards: FloatArray, steepest_overhang_deg: float) -> FloatArray:
    """Which way is down in print (3,), in the guide's frame: the removal direction, so that nothing props up what
    touches the bone, but turned towards the sleeve (3,) as far as its bore needs. What rests on the bone looks up by
    then too: it leans by no more than the steepest wall and this turn together.
    """
    removal = np.array([0.0, 0.0, 1.0])
    between = float(np.degrees(np.arccos(np.clip(sleeve_outwards @ removal, -1.0, 1.0))))
    turn = np.radians(max(0.0, between - (steepest_overhang_deg - SPARE_DEG)))
    sideways = unit(across(sleeve_outwards, removal)) if between > 1e-6 else np.array([1.0, 0.0, 0.0])
    return np.asarray(np.cos(turn) * removal + np.sin(turn) * sideways)

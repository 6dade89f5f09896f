"""The doubt under which every grade is computed again: the head centre and the planes, moved."""

from __future__ import annotations

import numpy as np

from guidegen.lesion.definitions import Definitions
from guidegen.lesion.head_frame import HeadFrame


def moved_frames(frame: HeadFrame, definitions: Definitions) -> tuple[HeadFrame, ...]:
    """The frame as it is, and with its centre moved by the doubt to medial, anterior, superior and back."""
    if definitions.center_doubt_mm == 0.0:
        return (frame,)
    shifts = np.r_[np.eye(3), -np.eye(3)] * definitions.center_doubt_mm
    return (frame, *(frame.moved(*shift) for shift in shifts.tolist()))


def plane_offsets_mm(definitions: Definitions) -> tuple[float, ...]:
    """Where the mid plane may lie: through the head centre, and off it by the doubt, either way."""
    doubt = definitions.plane_doubt_mm
    return (0.0,) if doubt == 0.0 else (0.0, doubt, -doubt)

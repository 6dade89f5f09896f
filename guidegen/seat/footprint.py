"""The footprint: what of the unrolled bone a guide covers, and what of that bears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, RigidTransform
from guidegen.seat.zones import Zones

Flags = npt.NDArray[np.bool_]

# No arm of a footprint is narrower than three cells, 6 mm: it would bend and bear nothing.
ARM_CELLS = 3
RIM_CELLS = 2  # that the shell reaches beyond what it covers: 4 mm, its rim and a little
CALM_CELLS = 1.2  # over which the outline is drawn smooth: corners round, slants without steps


@dataclass(frozen=True, eq=False)
class Footprint:
    """Cells (L, T) that a guide covers, on the grid of `levels_mm` (L,), descending, and `turns_deg` (T,) in the terms
    of `zones`.
    """

    levels_mm: FloatArray
    turns_deg: FloatArray
    covers: Flags
    zones: Zones

    def share(self, points_mm: FloatArray) -> FloatArray:
        """How much (K,) of the cells round each point (K, 3) of the surface is covered, 0 to 1; the outline runs at a
        half.

        The points are in the frame of `zones`.
        """
        from scipy import ndimage
        from scipy.interpolate import RegularGridInterpolator

        calm = ndimage.gaussian_filter(self.covers.astype(np.float64), CALM_CELLS, mode="constant")
        look_up = RegularGridInterpolator(
            (-self.levels_mm, self.turns_deg), calm, method="cubic", bounds_error=False, fill_value=0.0
        )
        at = self.zones.place(points_mm)
        return np.asarray(look_up(np.stack([-at.level_mm, at.turn_deg], axis=1)))

    def transformed(self, transform: RigidTransform) -> Footprint:
        """The same in the transform's target frame."""
        return Footprint(self.levels_mm, self.turns_deg, self.covers, self.zones.transformed(transform))


def covered(bears: Flags, entry: tuple[int, int]) -> Flags:
    """What (L, T) a guide covers that is to bear on some cells (L, T): without thin arms, in the one piece with the
    `entry` cell or else the largest, and without holes.
    """
    from scipy import ndimage

    # a hole is bridged before arms are looked for: a hollow of the bone in the middle of a shell makes no arms
    whole = ndimage.binary_fill_holes(bears)
    opened = ndimage.binary_opening(whole, structure=np.ones((ARM_CELLS, ARM_CELLS), dtype=np.bool_))
    pieces, count = ndimage.label(opened)
    if count == 0:
        return np.zeros_like(bears)
    own = int(pieces[entry])
    largest = own or 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return _without_bays(ndimage.binary_fill_holes(pieces == largest))


def _without_bays(covers: Flags) -> Flags:
    """The same with those bays bridged whose mouth the rim closes: they are holes too."""
    from scipy import ndimage

    around = np.ones((2 * RIM_CELLS + 1, 2 * RIM_CELLS + 1), dtype=np.bool_)
    with_rim = ndimage.binary_dilation(covers, structure=around)
    enclosed = ndimage.binary_fill_holes(with_rim) & ~with_rim
    return np.asarray(covers | ndimage.binary_dilation(enclosed, structure=around))

"""The two faces that an inspector closes a calliper on: as far apart in the file as they are said to be."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_most
from guidegen.frames import spokes, unit
from guidegen.surfaces import Surface

# The jaws bear on so much round each point: looked at in its middle and in so many directions.
JAW_MM = 1.0
DIRECTIONS = 8
# The rays come from this far outside.
OUTSIDE_MM = 5.0
# A calliper reads hundredths of a millimetre: the file must leave them to the printer.
LIMIT_MM = 0.01

WHY = "The inspector's reading tells how true the print is only when the file itself is true."
MISSING = "no two faces lie where the calliper's jaws are to bear"


def calliper_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The most by which the faces are further apart, or nearer, than stated, anywhere under the jaws."""
    calliper = asked.guide.calliper
    if calliper is None:
        return ()
    normal = unit(calliper.normal)
    around = np.vstack([np.zeros(3), JAW_MM * spokes(normal, DIRECTIONS)])
    heights = []
    for point, outwards in zip(calliper.points_mm, (-normal, normal), strict=True):
        way, _ = guide.ray_hits(point + around + OUTSIDE_MM * outwards, -outwards)
        heights.append(np.asarray(point) @ normal + (OUTSIDE_MM - way) * float(outwards @ normal))
    apart_mm = heights[1][:, None] - heights[0]
    off_mm = float(np.abs(apart_mm - calliper.distance_mm).max())
    return (
        at_most(
            "calliper faces off their distance",
            off_mm if np.isfinite(off_mm) else None,
            LIMIT_MM,
            "mm",
            WHY,
            missing=MISSING,
        ),
    )

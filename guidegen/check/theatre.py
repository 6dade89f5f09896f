"""What shows in the theatre that the guide sits: the notch through which a landmark is felt, and the mark above the
tunnel's axis.
"""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_most
from guidegen.frames import across, angle_deg, unit
from guidegen.surfaces import Surface

# A probe feels the ridge to within this; a notch further off shows something else.
POINTER_LIMIT_MM = 3.0
# What is marked lies on the guide: on a facet of a rounded edge, or in a groove no deeper than this.
ON_GUIDE_MM = 1.0
# An X-ray shows the angle between a wire and the tunnel to a degree; the mark must leave that to the wire.
ANGLE_LIMIT_DEG = 0.5

WHY_POINTER = "A notch that does not lie over its landmark says of a guide that sits that it does not."
WHY_ON_GUIDE = "A notch or a mark that is planned but not in the file cannot be seen in the theatre."
WHY_MARK = "A wire laid along the mark stands for the drill on the X-ray: askew, it shows another tunnel."


def theatre_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The notch's line against its landmark, the mark against the axis of the first tunnel or of a fan's socket, and
    both against the file.
    """
    return (*_pointer_findings(asked, guide), *_mark_findings(asked, guide))


def _pointer_findings(asked: Asked, guide: Surface) -> list[Finding]:
    pointer, ridge = asked.guide.pointer, asked.anatomy.vastus_ridge_mm
    if pointer is None:
        return []
    apart_mm = None
    if ridge is not None:
        apart_mm = float(np.linalg.norm(across(np.subtract(pointer.tip_mm, ridge), np.array(pointer.direction))))
    off_mm = float(guide.nearest([pointer.tip_mm])[0][0])
    missing = "the plan has no such landmark"
    return [
        at_most(f"notch off the {pointer.landmark}", apart_mm, POINTER_LIMIT_MM, "mm", WHY_POINTER, missing=missing),
        at_most("notch's bottom off the guide", off_mm, ON_GUIDE_MM, "mm", WHY_ON_GUIDE),
    ]


def _mark_findings(asked: Asked, guide: Surface) -> list[Finding]:
    """Whether the mark is parallel to the tunnel, or to the socket of a fan, and on the guide."""
    mark, socket = asked.guide.axis_mark, asked.guide.socket
    if mark is None:
        return []
    ends = np.array([mark.start_mm, mark.end_mm])
    axis = asked.into_bone(0) if socket is None else unit(socket.outwards)
    along = angle_deg(ends[1] - ends[0], axis)
    off_mm = float(guide.nearest(ends)[0].max())
    return [
        at_most("axis mark off the tunnel's direction", min(along, 180.0 - along), ANGLE_LIMIT_DEG, "°", WHY_MARK),
        at_most("axis mark off the guide", off_mm, ON_GUIDE_MM, "mm", WHY_ON_GUIDE),
    ]

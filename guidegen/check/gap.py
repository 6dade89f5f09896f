"""The contact: how closely and over how much bone the guide sits, and that no point of it is in the bone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, above, at_least, at_most
from guidegen.check.seat import Seat, inside
from guidegen.surfaces import Surface

# A face of the guide faces the bone when their normals are opposed within 45°.
FACING = -0.7
# Further off than this beyond the clearance is relief, not contact.
CONTACT_REACH_MM = 1.5
# The mean gap may differ from the asked clearance by less than a print errs (0.11 to 0.18 mm, rms): where a steep wall
# of the bone has bumps the guide stands off a little more, by 0.05 mm in the mean on the steepest hips.
GAP_TOLERANCE_MM = 0.1
# One part in twenty of the contact may be nearer than the clearance by more than a print errs (0.11 to 0.18 mm, rms) …
NEARER_MM = 0.15
# … and one further off by more than a segmented surface errs at its worst, so that it may never touch.
FURTHER_MM = 0.5
# Fewer facing samples than this are no contact to take a mean of: about 20 mm².
FEWEST_SAMPLES = 40

WHY_MEAN = "The clearance is the error budget of bone and printer: less of it and the guide jams, more and it rocks."
WHY_NEAR = "Where a guide is nearer to the bone than the clearance, a print that came out full jams there first."
WHY_FAR = "What stands off the bone does not hold: the guide then sits on less than the contact that was searched for."
WHY_LEAST = "Where the guide touches the bone in the plan it stands proud in the patient."
WHY_AREA = "A small seat fits in more than one place."


def gap_findings(asked: Asked, seat: Seat) -> tuple[Finding, ...]:
    """Mean gap against the clearance, its 5th and 95th percentile, least gap, and area of the contact."""
    clearance, limits = asked.guide.clearance_mm, asked.limits
    contact = seat.gap_mm[contact_samples(asked, seat)]
    mean = nearest = furthest = least = None
    if len(contact) >= FEWEST_SAMPLES:
        mean = abs(float(contact.mean()) - clearance)
        nearest, furthest = (float(np.percentile(contact, share)) for share in (5, 95))
        least = float(min(contact.min(), seat.vertex_gap_mm.min()))
    none = "no face of the guide faces the bone within reach"
    area_mm2 = len(contact) * seat.area_mm2
    return (
        at_most("contact gap off the clearance", mean, GAP_TOLERANCE_MM, "mm", WHY_MEAN, missing=none),
        at_least("contact gap, 5th percentile", nearest, clearance - NEARER_MM, "mm", WHY_NEAR, missing=none),
        at_most("contact gap, 95th percentile", furthest, clearance + FURTHER_MM, "mm", WHY_FAR, missing=none),
        above("least gap", least, 0.0, "mm", WHY_LEAST, missing=none),
        at_least("contact area", area_mm2, limits.contact_area_mm2, "mm²", WHY_AREA),
    )


def contact_samples(asked: Asked, seat: Seat) -> npt.NDArray[np.bool_]:
    """Which of the seat's samples (K,) lie on faces that rest on the bone."""
    return np.asarray((seat.facing < FACING) & (seat.gap_mm < asked.guide.clearance_mm + CONTACT_REACH_MM))


def depth_finding(bone: Surface, guide: Surface, seat: Seat) -> Finding:
    """The deepest point of the guide in the bone, or of the bone in the guide; both must be none."""
    low, high = guide.bounds_mm
    near = bone.vertices[((bone.vertices >= low) & (bone.vertices <= high)).all(axis=1)]
    swallowed = near[inside(guide, near)]
    depth_mm = max(
        0.0,
        -float(seat.vertex_gap_mm.min()),
        -float(seat.gap_mm.min()),
        float(guide.nearest(swallowed)[0].max()) if len(swallowed) else 0.0,
    )
    why = "Plastic inside the bone means that the guide does not go home, and every angle is off."
    return at_most("deepest point in the bone", depth_mm, 0.0, "mm", why)

"""Types by place on the mid-coronal plane: JIC, ARCO 2021 and CJFH, as plain functions of angles and shares.

Angles are those of the coronal fan: 0 is straight up, positive to medial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.lesion.definitions import Definitions

JIC, JIC_TYPES = "JIC type", ("A", "B", "C1", "C2")
ARCO_2021, ARCO_2021_TYPES = "ARCO 2021 type", ("1", "2", "3")
CJFH, CJFH_TYPES = "CJFH type", ("M", "C", "L1", "L2", "L3")


@dataclass(frozen=True)
class Pillars:
    """How much of the dome of each pillar of the head is necrotic, 0 to 1."""

    lateral: float
    central: float
    medial: float


def jic_type(lateral_margin_deg: float, edge_deg: float, start_deg: float, definitions: Definitions) -> str:
    """A, B, C1 or C2 by how far the lateral margin of the necrosis reaches over the weight-bearing arc.

    The arc runs from `start_deg` (medial) to the acetabular edge `edge_deg`: A to the end of its medial third, B of
    its second, C1 to the edge, C2 beyond.
    """
    reached = (start_deg - lateral_margin_deg) / (start_deg - edge_deg)
    first, second = definitions.jic_borders
    return JIC_TYPES[sum(reached > border for border in (first, second, 1.0))]


def arco_2021_type(lateral_margin_deg: float, edge_deg: float) -> str:
    """1: the lateral margin lies medial to the apex; 2: between apex and acetabular edge; 3: beyond the edge."""
    if lateral_margin_deg < edge_deg:
        return "3"
    return "1" if lateral_margin_deg > 0.0 else "2"


def pillars(
    angles_deg: FloatArray, dead: npt.NDArray[np.bool_], joint: npt.NDArray[np.bool_], definitions: Definitions
) -> Pillars:
    """The necrotic share of each pillar's dome, from directions (N,) in the coronal fan.

    The pillars divide the width of the head, from lateral to medial; their dome is the joint surface above its centre.
    """
    across = -np.sin(np.radians(angles_deg))  # 1 lateral, −1 medial
    lateral_share, _, medial_share = definitions.pillar_shares
    inner, outer = 1.0 - 2.0 * lateral_share, 2.0 * medial_share - 1.0
    dome = joint & (np.cos(np.radians(angles_deg)) >= 0.0)

    def share(part: npt.NDArray[np.bool_]) -> float:
        return float((dead & dome & part).sum() / max(1, int((dome & part).sum())))

    return Pillars(share(across > inner), share((across <= inner) & (across >= outer)), share(across < outer))


def cjfh_type(shares: Pillars, definitions: Definitions) -> str | None:
    """M, C, L1, L2 or L3; None where no pillar is touched.

    Lateral pillar untouched: C with the central one, M without. Touched with sound bone left: L1. Lost: L2,
    and L3 with all three.
    """
    touched, whole = definitions.pillar_touched, definitions.pillar_whole
    if shares.lateral > touched:
        if shares.lateral < whole:
            return "L1"
        return "L3" if min(shares.central, shares.medial) >= whole else "L2"
    if shares.central > touched:
        return "C"
    return "M" if shares.medial > touched else None

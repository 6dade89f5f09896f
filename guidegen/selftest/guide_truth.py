"""The guide's file, held to the phantom itself: it touches no true bone, keeps its gap and leads to the true lesion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from guidegen.check.bore import measured_bore
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import across, unit
from guidegen.phantom import Hip
from guidegen.surfaces import Surface

Record = Mapping[str, Any]

CENTROID_MM = 0.5
# The surface that the guide was made to is that of a coarse label: where it lies too deep, the guide does too. It is
# still found much finer than its voxels, half of whose height is 0.75 mm.
DEEPEST_MM = 0.1
GAP_MM = 0.15
LATERAL_MM = 10.0

# A face is of the contact if it looks at the bone from no further than this beyond the gap.
REACH_MM = 0.3
LOOKS_AWAY = -0.05

WHY_BONE = "A guide that is wider than its bone does not go on."
WHY_GAP = "A guide with another gap sits elsewhere, or rocks."
WHY_BORE = "What is drilled through the guide must reach the lesion: the whole way from the scan to the file."
WHY_SIDE = "A guide on the wrong side of the bone, or a mirrored one, is a guide for another operation."
NO_GUIDE = "there is no guide"


def guide_findings(name: str, hip: Hip, plan: Record, guide: Surface | None) -> list[Finding]:
    """How the guide lies on the true bone, and where its first bore leads; `guide` is None where none was written."""
    bone = bore = gap = lateral = None
    if guide is not None and plan["guide"] is not None:
        bone = float(max(0.0, -hip.femur_mm(guide.vertices).min()))
        median = _median_gap_mm(hip, plan["guide"], guide)
        gap = None if median is None else abs(median - plan["guide"]["clearance_mm"])
        bore = _bore_off_mm(hip, plan, guide)
        lateral = float((guide.vertices.mean(axis=0) - hip.truth.shaft_point_mm) @ hip.truth.lateral)
    return [
        at_most(f"{name} guide, deepest in the true bone", bone, DEEPEST_MM, "mm", WHY_BONE, NO_GUIDE),
        at_most(f"{name} guide's gap off the clearance", gap, GAP_MM, "mm", WHY_GAP, "nothing of it is near the bone"),
        at_most(f"{name} guide's bore off the true centroid", bore, CENTROID_MM, "mm", WHY_BORE, "it has no bore"),
        at_least(f"{name} guide lateral of the shaft", lateral, LATERAL_MM, "mm", WHY_SIDE, NO_GUIDE),
    ]


def _median_gap_mm(hip: Hip, asked: Record, guide: Surface) -> float | None:
    """The gap that half of the contact's area keeps, to the implicit surface, for which first order is enough so near;
    None where there is no contact.
    """
    gap_mm = hip.femur_mm(guide.vertices[guide.faces].mean(axis=1))
    looks_at_bone = guide.face_normals @ np.array(asked["removal_direction"]) < LOOKS_AWAY
    contact = looks_at_bone & (gap_mm < asked["clearance_mm"] + REACH_MM)
    if not contact.any():
        return None
    order = np.argsort(gap_mm[contact])
    area = np.cumsum(guide.face_areas_mm2[contact][order])
    return float(gap_mm[contact][order][np.searchsorted(area, area[-1] / 2.0)])


def _bore_off_mm(hip: Hip, plan: Record, guide: Surface) -> float | None:
    """How far the axis of the first bore, as fitted to the file, passes from the true centroid."""
    tunnel, sleeve = plan["tunnels"][0], plan["guide"]["sleeves"][0]
    axis = unit(np.subtract(tunnel["target_mm"], tunnel["entry_mm"]))
    bore = measured_bore(guide, sleeve["top_mm"], tunnel["entry_mm"], axis, sleeve["inner_diameter_mm"])
    if bore is None:
        return None
    return float(np.linalg.norm(across(hip.truth.lesion_centroid_mm - bore.point_mm, bore.axis)))

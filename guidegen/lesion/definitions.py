"""What the grades mean where the literature leaves room, in one table; each entry says on what it rests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

# How sure a definition or figure is. What rests on MEMORY was not read at its source: a hospital may set it otherwise.
READ = "read at its source"
MEMORY = "from memory of the literature, not read at its source"
DERIVED = "derived here"


def _rests(default: Any, on: str, why: str) -> Any:
    return field(default=default, metadata={"rests_on": on, "why": why})


@dataclass(frozen=True)
class Definitions:
    """The parameters of the grades; each default says on what it rests. Lengths in mm, angles in degrees."""

    # Which part of the lesion is necrosis of the head's surface.
    band_voxels: float = _rests(1.5, DERIVED, "surface necrosis lies within this many of the largest voxel edge")
    band_least_mm: float = _rests(
        2.5, DERIVED, "the subchondral plate, which outlines leave out, and the doubt of the outline and of the bone"
    )
    band_most_mm: float = _rests(4.0, DERIVED, "what lies deeper is no surface necrosis, however thick the slices")
    junction_radii: float = _rests(
        0.5, MEMORY, "the head ends at a plane across the neck axis, this many head radii from its centre"
    )

    # What the head bears weight with, where the pelvis does not say it.
    weight_bearing_half_angle_deg: float = _rests(45.0, MEMORY, "the cap of the head round the direction of the shaft")

    # Classes.
    size_borders: tuple[float, ...] = _rests((0.15, 0.30), READ, "Steinberg and ARCO 1994: A below 15 %, C above 30 %")
    kerboul_borders_deg: tuple[float, ...] = _rests((200.0, 250.0, 300.0), READ, "modified Kerboul, Ha 2006")
    kerboul_risk_borders_deg: tuple[float, ...] = _rests((190.0, 240.0), READ, "risk groups of Ha 2006")
    koo_kim_borders: tuple[float, ...] = _rests((30.0, 40.0), MEMORY, "index of necrotic extent, Koo and Kim")
    jic_borders: tuple[float, ...] = _rests((1.0 / 3.0, 2.0 / 3.0), MEMORY, "JIC: thirds of the weight-bearing arc")
    pillar_shares: tuple[float, ...] = _rests(
        (0.30, 0.40, 0.30), MEMORY, "CJFH: widths of the lateral, central and medial pillar"
    )
    pillar_touched: float = _rests(0.05, DERIVED, "a pillar with less necrosis than this counts as untouched")
    pillar_whole: float = _rests(0.95, DERIVED, "a pillar with more necrosis than this counts as lost")
    depression_border_mm: float = _rests(2.0, READ, "ARCO 2019: IIIA up to 2 mm, IIIB beyond")

    # The doubt under which every grade is computed again.
    center_doubt_mm: float = _rests(1.0, DERIVED, "of the head centre, in six directions")
    plane_doubt_mm: float = _rests(3.0, DERIVED, "of the mid-coronal and mid-sagittal plane, either way")
    radius_doubt_mm: float = _rests(0.5, DERIVED, "of the head radius: experts differ from a fit by as much")
    margin_doubt_mm: float = _rests(
        0.76,
        READ,
        "of a lesion's border on MR: mean surface distance, 63 hips (10.1016/j.arth.2025.05.126)",
    )

    # The hip in the scan.
    pose_limit_deg: float = _rests(10.0, DERIVED, "beyond it the grades are given in neutral too")
    neutral_version_deg: float = _rests(14.2, READ, "median femoral torsion, n = 1070; condyles are not looked at")

    def record(self) -> dict[str, dict[str, Any]]:
        """Every parameter with its value, on what it rests, and why, as JSON."""
        return {
            each.name: {
                "value": list(value) if isinstance(value := getattr(self, each.name), tuple) else value,
                "rests_on": each.metadata["rests_on"],
                "why": each.metadata["why"],
            }
            for each in fields(self)
        }

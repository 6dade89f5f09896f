"""What has no closed form, as this version found it: figures of the two hips, each with how far another may be off.

The tolerances are for other libraries and machines, not for other rules: whoever changes what a guide is sets the
figures anew, and says so in the changelog.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from guidegen.check.finding import Finding, at_most
from guidegen.show.compare import Leaf


class Stored(NamedTuple):
    """What it is, its path in the record or the name of its check, what it was, and how far it may be off."""

    what: str
    path: str
    expected: float
    tolerance: float
    unit: str


RIGHT_READ = (
    Stored("acetabular edge", "lesion.grades.acetabular[0].acetabular_edge_deg.value", -22.7, 2.0, "°"),
    Stored("weight-bearing start", "lesion.grades.acetabular[0].weight_bearing_start_deg.value", 53.5, 2.0, "°"),
    Stored("weight-bearing share", "lesion.grades.weight_bearing_share_fraction.value", 0.26, 0.02, ""),
    Stored("doubt of the head centre", "anatomy.uncertainty_95.head_center_mm", 0.26, 0.1, "mm"),
)
LEFT_PLAN = (
    Stored("tunnel length", "tunnels[0].length_mm", 98.0, 1.5, "mm"),
    Stored("depth to read", "tunnels[0].depth_reading_mm", 138.0, 1.5, "mm"),
    Stored("entry below the vastus ridge", "tunnels[0].entry_below_vastus_ridge_mm", 13.25, 1.5, "mm"),
    Stored("error budget", "tunnels[0].error_budget.to_lesion_p95_mm", 2.12, 0.4, "mm"),
    Stored("error budget, simulated", "tunnels[0].error_budget.simulated.to_lesion_p95_mm", 2.12, 0.4, "mm"),
    Stored("error budget, seat assumed", "tunnels[0].error_budget_assumed.to_lesion_p95_mm", 3.14, 0.4, "mm"),
    Stored("bone removed", "plan.chosen.volumes.bone_removed_mm3", 4925.0, 100.0, "mm³"),
    Stored("contact area", "guide.contact_area_mm2", 2909.0, 300.0, "mm²"),
    Stored("clearance", "guide.clearance_mm", 0.36, 0.02, "mm"),
    Stored("tip by the seat's fit", "guide.seat.fit_tip_mm.p95", 1.51, 0.5, "mm"),
    Stored("guide volume", "guide volume", 26.0, 2.5, "cm³"),
    Stored("tip in a careful hand", "tip off in a careful hand, P95", 2.17, 0.3, "mm"),
)

WHY = "Found otherwise by the version that was tested: other libraries, another machine, or a fault."


def stored_findings(hip: str, table: tuple[Stored, ...], found: Mapping[str, Leaf]) -> list[Finding]:
    """How far every stored figure is off; `found` has the entries of the records by their path, the checks by name."""
    return [_finding(hip, each, found.get(each.path)) for each in table]


def _finding(hip: str, stored: Stored, value: Leaf) -> Finding:
    off = abs(value - stored.expected) if isinstance(value, int | float) else None
    name = f"{hip} {stored.what} off {stored.expected:g}"
    return at_most(name, off, stored.tolerance, stored.unit, WHY, "the records have no such figure")

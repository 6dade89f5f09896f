"""Plans as they were before a guide recorded all that it is held to."""

from __future__ import annotations

from typing import Any

GUIDE = ("revision", "plan_hash", "genus", "windows", "pointer", "axis_mark", "calliper", "labels", "arrows")
SLEEVE = ("kind", "outer_diameter_mm", "stop_face_mm", "offset_mm", "metal", "chuck_diameter_mm", "chuck_length_mm")
PIN = ("boss_diameter_mm", "wire_length_mm", "cortices", "far_exit_mm")


def as_before(plan: dict[str, Any]) -> None:
    """Take out of a plan what its guide did not record before."""
    guide = plan["guide"]
    guide["label"] = guide["labels"][0]
    for part, fields in (
        (guide, GUIDE),
        *((sleeve, SLEEVE) for sleeve in guide["sleeves"]),
        *((pin, PIN) for pin in guide["pins"]),
    ):
        for field in fields:
            del part[field]
    del plan["printing"], plan["anatomy"]["vastus_ridge_mm"]

"""What goes into the bone: for each drill and wire its line and its pose, from plan.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.frames import LPS, FloatArray, RigidTransform, frozen, perpendicular_pair, unit
from guidegen.rounded import point


@dataclass(frozen=True, eq=False)
class ToolPath:
    """The way of a tool into the bone, LPS mm: from where it enters the bone (3,) to its furthest point (3,).

    `stop_mm` (3,): where its stop rests, or where the guide lets go of a wire, on the axis.
    """

    name: str
    kind: str
    entry_mm: FloatArray
    target_mm: FloatArray
    stop_mm: FloatArray
    diameter_mm: float

    @property
    def axis(self) -> FloatArray:
        """The unit vector (3,) from entry to target."""
        return unit(self.target_mm - self.entry_mm)

    @property
    def length_mm(self) -> float:
        """From entry to target."""
        return float(np.linalg.norm(self.target_mm - self.entry_mm))

    @property
    def pose(self) -> RigidTransform:
        """From LPS into the tool's own frame: origin at the entry, z along the axis into the bone.

        x and y are the `perpendicular_pair` of the axis: a drill is round, but a frame has to have them.
        """
        return RigidTransform.to_frame(self.entry_mm, (*perpendicular_pair(self.axis), self.axis), LPS, self.name)


def tool_paths(plan: Mapping[str, Any]) -> tuple[ToolPath, ...]:
    """Every tunnel's drill, then every wire, numbered from 1 as the dossier does."""
    guide = plan["guide"]
    leads = {each["tunnel"]: each for each in (*guide["sleeves"], *guide.get("inserts", ()))}
    drills = [
        ToolPath(
            f"tunnel-{number}",
            "drill",
            frozen(tunnel["entry_mm"]),
            frozen(tunnel["target_mm"]),
            frozen(leads[number - 1]["stop_face_mm"]),
            tunnel["diameter_mm"],
        )
        for number, tunnel in enumerate(plan["tunnels"], start=1)
    ]
    return (*drills, *(_wire(number, pin) for number, pin in enumerate(guide["pins"], start=1)))


def _wire(number: int, pin: Mapping[str, Any]) -> ToolPath:
    entry = frozen(pin["point_mm"])
    end = frozen(point(entry + pin["depth_mm"] * unit(pin["direction"])))
    return ToolPath(f"pin-{number}", "wire", entry, end, frozen(pin["top_mm"]), pin["wire_diameter_mm"])

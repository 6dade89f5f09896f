"""The way of the tools: whether drill and wires pass the guide without cutting it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_least
from guidegen.frames import FloatArray, perpendicular_pair, unit
from guidegen.surfaces import Surface

# The tool may be this much thinner than its nominal diameter: the facets of a bore, no more.
HAIR_MM = 0.02
# A window only has to show what is behind it: the facets of a wider hole.
WINDOW_HAIR_MM = 0.1
# A way wider than any tool is reported as this.
WIDE_OPEN_MM = 50.0

WHY_DRILL = "A drill that touches the guide cuts it: debris is left in the bone and the drill is turned aside."
WHY_METAL = "A metal sleeve that does not go through its hole is not seated, or splits the print."
WHY_WIRE = "A wire that does not go through its hole cannot hold the guide."
WHY_WINDOW = "A window that is not open shows nothing of whether the guide sits."
WHY_LUMEN = "A lumen that is closed or too narrow keeps resin, powder and detergent, and is not sterilised."


def drill_way_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The widest straight tool that passes along each planned axis, from outside to where it ends in the bone, and
    the narrowest of all lumens.
    """
    findings, free = [], []
    for number, sleeve in enumerate(asked.guide.sleeves, start=1):
        tunnel = asked.tunnels[sleeve.tunnel]
        axis = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
        free.append(free_diameter_mm(guide, tunnel.target_mm, axis))
        passes, wide_mm, why = ("drill", sleeve.drill_diameter_mm, WHY_DRILL)
        if sleeve.metal is not None:
            passes, wide_mm, why = ("metal", sleeve.metal.outer_diameter_mm, WHY_METAL)
        findings.append(at_least(f"sleeve {number} {passes}'s way", free[-1], wide_mm - HAIR_MM, "mm", why))
    for number, pin in enumerate(asked.guide.pins, start=1):
        # The guide touches a wire's way no deeper than an oblique hole does, one wire diameter past the bone's surface.
        end_mm = np.add(pin.point_mm, pin.wire_diameter_mm * np.array(pin.direction))
        free.append(free_diameter_mm(guide, end_mm, unit(pin.direction)))
        least_mm = pin.wire_diameter_mm - HAIR_MM
        findings.append(at_least(f"pin {number} wire's way", free[-1], least_mm, "mm", WHY_WIRE))
    for number, window in enumerate(asked.guide.windows, start=1):
        free.append(free_diameter_mm(guide, window.point_mm, -unit(window.direction)))
        least_mm = window.diameter_mm - WINDOW_HAIR_MM
        findings.append(at_least(f"{window.kind} {number} open", free[-1], least_mm, "mm", WHY_WINDOW))
    findings.append(at_least("narrowest lumen", min(free), asked.printing.least_drain_mm, "mm", WHY_LUMEN))
    return tuple(findings)


def free_diameter_mm(guide: Surface, end_mm: npt.ArrayLike, axis: FloatArray) -> float:
    """Twice the least distance from the line that comes from outside and stops at `end_mm` to any face of the guide.

    Exact for the triangles: seen along the axis, each is a flat triangle, and the line is a point.
    A face that reaches past the end counts as a whole, which errs on the safe side.
    """
    relative = guide.vertices - np.asarray(end_mm, dtype=np.float64)
    on_way = ((relative @ axis)[guide.faces] <= 0).any(axis=1)
    flat = np.stack([relative @ side for side in perpendicular_pair(axis)], axis=1)[guide.faces[on_way]]
    if len(flat) == 0:
        return WIDE_OPEN_MM
    edges = np.roll(flat, -1, axis=1) - flat
    turns = flat[..., 0] * edges[..., 1] - flat[..., 1] * edges[..., 0]
    if ((turns > 0).all(axis=1) | (turns < 0).all(axis=1)).any():
        return 0.0
    length2 = np.maximum(np.einsum("fij,fij->fi", edges, edges), 1e-30)
    share = np.clip(-np.einsum("fij,fij->fi", flat, edges) / length2, 0.0, 1.0)
    return min(WIDE_OPEN_MM, 2.0 * float(np.linalg.norm(flat + share[..., None] * edges, axis=2).min()))

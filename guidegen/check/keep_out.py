"""What is kept out, in its own file: tunnels, wires and contact keep their distance to it, and the guide comes off."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedTunnel
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.gap import CONTACT_REACH_MM, FACING, contact_samples
from guidegen.check.pins import wire_way
from guidegen.check.removal import deepest_on_way_mm
from guidegen.check.samples import area_samples
from guidegen.check.seat import Seat
from guidegen.check.tunnel import STATED_TOLERANCE_MM, WHY_STATED, swept_stretches
from guidegen.frames import FloatArray, spokes, unit
from guidegen.surfaces import Surface

# A drill is longer than its tunnel: this much of its way outside the bone counts as well.
OUTSIDE_MM = 60.0
# Places on the mantle of a tool, along it and round it, and on its flat end.
STEP_MM = 0.25
RING_POINTS = 72
RINGS = 9
# Places along a wire.
WIRE_STEP_MM = 0.1
# Points spread over what is kept out, that are slid against the guide.
SAMPLES = 20_000

WHY_TUNNEL = "A drill that meets metal breaks or turns aside, and two tunnels side by side leave a wall that breaks."
WHY_WIRE = "A wire that meets metal or runs into an old tunnel does not hold the guide."
WHY_CONTACT = "Beside metal and at the mouth of an old tunnel a segmented surface is a guess: nothing may rest on it."
WHY_REMOVAL = "A guide that meets a plate or a screw on its way neither goes home nor comes off."
NO_CONTACT = "no face of the guide faces the bone within reach"


def keep_out_findings(
    asked: Asked, bone: Surface, guide: Surface, seat: Seat, keep_out: Surface | None
) -> tuple[Finding, ...]:
    """The distances of tools and contact to what is kept out, and whether the guide comes off past it; none where
    nothing is kept out.
    """
    if keep_out is None:
        return ()
    limit, findings = asked.limits.keep_out_min_mm, []
    for number, tunnel in enumerate(asked.tunnels, start=1):
        apart_mm = float(keep_out.signed_distance_mm(_drill_places(tunnel)).min())
        findings.append(at_least(f"tunnel {number} to what is kept out", apart_mm, limit, "mm", WHY_TUNNEL))
        off_mm = None if tunnel.keep_out_mm is None else abs(tunnel.keep_out_mm - apart_mm)
        name = f"tunnel {number} to what is kept out, off its stated number"
        findings.append(at_most(name, off_mm, STATED_TOLERANCE_MM, "mm", WHY_STATED, missing="the plan states none"))
    for number, pin in enumerate(asked.guide.pins, start=1):
        start, end = wire_way(pin, bone)
        places = _between(start, end, WIRE_STEP_MM)
        apart_mm = float(keep_out.signed_distance_mm(places).min()) - pin.wire_diameter_mm / 2
        findings.append(at_least(f"pin {number} wire to what is kept out", apart_mm, limit, "mm", WHY_WIRE))
    contact = _contact_places(asked, bone, guide, seat)
    contact_mm = float(keep_out.signed_distance_mm(contact).min()) if len(contact) else None
    findings.append(at_least("contact to what is kept out", contact_mm, limit, "mm", WHY_CONTACT, missing=NO_CONTACT))
    off = unit(asked.guide.removal_direction)
    points = np.concatenate([guide.vertices, seat.points_mm])
    corners = np.concatenate([keep_out.vertices, area_samples(keep_out, SAMPLES)[0]])
    depth_mm = max(deepest_on_way_mm(keep_out, points, off), deepest_on_way_mm(guide, corners, -off))
    findings.append(at_most("removal way, deepest in what is kept out", depth_mm, 0.0, "mm", WHY_REMOVAL))
    return tuple(findings)


def _contact_places(asked: Asked, bone: Surface, guide: Surface, seat: Seat) -> FloatArray:
    """The corners (K, 3) of every face of the guide that rests on the bone, and the samples that do."""
    gap, face, _ = bone.nearest(guide.face_centers_mm)
    facing = np.einsum("ij,ij->i", guide.face_normals, bone.face_normals[face]) < FACING
    rests = facing & (gap < asked.guide.clearance_mm + CONTACT_REACH_MM)
    return np.concatenate([guide.vertices[np.unique(guide.faces[rests])], seat.points_mm[contact_samples(asked, seat)]])


def _drill_places(tunnel: AskedTunnel) -> FloatArray:
    """Places (K, 3) all over the tools at their target, from outside the bone to the end, an opened reamer's too."""
    entry, target = np.array(tunnel.entry_mm), np.array(tunnel.target_mm)
    axis = unit(target - entry)
    ring = spokes(axis, RING_POINTS)
    along = _between(entry - OUTSIDE_MM * axis, target, STEP_MM)
    mantle = along[:, None] + tunnel.diameter_mm / 2 * ring
    radii = np.linspace(0.0, tunnel.diameter_mm / 2, RINGS)
    end = target + radii[:, None, None] * ring
    opened = [
        _between(entry + first * axis, entry + last * axis, STEP_MM)[:, None] + radius * ring
        for radius, first, last in swept_stretches(tunnel)[1:]
    ]
    return np.concatenate([along, *(part.reshape(-1, 3) for part in (mantle, end, *opened))])


def _between(start: FloatArray, end: FloatArray, step_mm: float) -> FloatArray:
    """Points (K, 3) from one to the other, both included, no further apart than a step."""
    count = int(np.ceil(np.linalg.norm(end - start) / step_mm)) + 1
    return np.asarray(start + np.linspace(0.0, 1.0, count)[:, None] * (end - start))

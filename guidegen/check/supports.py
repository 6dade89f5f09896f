"""What overhangs as the guide is printed: how much must be propped up, and that no prop stands where it would spoil."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedSocket
from guidegen.check.engraved import SIDEWAYS, Field, Mask, fields
from guidegen.check.finding import Finding, at_most
from guidegen.check.gap import contact_samples
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray, RigidTransform, across, unit

# What lies lower than this lies on the plate.
PLATE_MM = 0.3
# An overhang is held by what it grows out of: no prop goes where a face that prints by itself lies lower and this near.
# Ledges of 1 mm print freely by every process (addema.se, printpal.io), and the roof of a bore 2 mm wide does.
HELD_MM = 1.0
# A round hole no wider than this holds its roof: from its top to where the wall is 45° steep a chord is 0.38 of its
# width.
NARROW_MM = HELD_MM / np.sin(np.radians(22.5))
# A bore's wall is what lies no further than this from its cylinder: its facets, and the mouth's rounding.
BORE_MM = 0.3
# A wall looks back at the axis, its normal within 26° of the way to it: what it opens into does not.
FACING = -0.9
# How far past its plan's point a bore may go on under the guide.
PAST_MM = 15.0
# More of the surface than this on props, and the guide stands the wrong way up.
MOST_PROPPED = 0.5

WHY_SHARE = "Props leave scars and take up accuracy: a guide that needs more of them than not is turned the wrong way."
WHY_CONTACT = "What a prop leaves on the contact stands between guide and bone."
WHY_BORES = "What a prop leaves in a bore turns the drill aside or comes off into the bone."
WHY_TEXT = "A prop in a letter makes it another one."
MISSING = "there is no print file to be turned by"


def support_findings(asked: Asked, seat: Seat, pose: RigidTransform | None) -> list[Finding]:
    """The share of the surface that must be propped up as it is printed, and its area on the contact, in bores and
    windows, and in text and arrows.
    """
    share = contact = bores = text = None
    if pose is not None:
        propped = _propped(seat, pose, asked.printing.steepest_overhang_deg)
        share = float(propped.mean())
        marked = np.zeros(len(propped), dtype=bool)
        for field in fields(asked.guide, seat):
            marked |= _needs_props(field, seat)
        contact, bores, text = (
            float(np.count_nonzero(propped & place)) * seat.area_mm2
            for place in (contact_samples(asked, seat), _in_bores(asked, seat), marked)
        )
    return [
        at_most("props, share of the surface", share, MOST_PROPPED, "", WHY_SHARE, missing=MISSING),
        at_most("props on the contact", contact, 0.0, "mm²", WHY_CONTACT, missing=MISSING),
        at_most("props in bores and windows", bores, 0.0, "mm²", WHY_BORES, missing=MISSING),
        at_most("props in text and arrows", text, 0.0, "mm²", WHY_TEXT, missing=MISSING),
    ]


def _needs_props(field: Field, seat: Seat) -> Mask:
    """Which of the seat's samples (K,) are text that a prop would be put under where it overhangs: a stroke's side is a
    ledge no wider than the stroke is deep, and such a one is held whether a sample lies below it or not.
    """
    strokes = field.of_strokes(seat.points_mm, seat.normals)
    return strokes & (np.abs(seat.normals @ field.axes[2]) >= SIDEWAYS) if field.depth_mm <= HELD_MM else strokes


def _propped(seat: Seat, pose: RigidTransform, steepest_deg: float) -> Mask:
    """Which of the seat's samples (K,) must be propped up: steeper than the printer manages, and not held."""
    from scipy.spatial import cKDTree

    points, up = pose.points(seat.points_mm), pose.vectors(seat.normals)[:, 2]
    height = points[:, 2] - points[:, 2].min()
    steep = (up < -np.sin(np.radians(steepest_deg)) - 1e-9) & (height > PLATE_MM)
    overhang, firm = np.flatnonzero(steep), np.flatnonzero(~steep)
    if len(overhang) == 0:
        return np.zeros_like(height, dtype=bool)
    near = cKDTree(points[overhang]).sparse_distance_matrix(cKDTree(points[firm]), HELD_MM, output_type="coo_matrix")
    lower = points[firm[near.col], 2] < points[overhang[near.row], 2]
    steep[overhang[near.row[lower]]] = False
    return np.asarray(steep)


def _in_bores(asked: Asked, seat: Seat) -> Mask:
    """Which of the seat's samples (K,) lie on the wall of a bore, a socket, or a window or wire's hole that is not
    narrow.
    """
    guide = asked.guide
    inside = np.zeros(len(seat.points_mm), dtype=bool)
    for sleeve in guide.sleeves:
        tunnel = asked.tunnels[sleeve.tunnel]
        into = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
        inside |= _on_wall(seat, np.array(tunnel.entry_mm), into, sleeve.inner_diameter_mm)
    if guide.socket is not None:
        inside |= _on_cone(seat, guide.socket)
    holes = [(pin.point_mm, unit(pin.direction), pin.hole_diameter_mm) for pin in guide.pins]
    holes += [(window.point_mm, -unit(window.direction), window.diameter_mm) for window in guide.windows]
    for point, into, diameter_mm in holes:
        if diameter_mm > NARROW_MM:
            inside |= _on_wall(seat, np.array(point), into, diameter_mm)
    return inside


def _on_wall(seat: Seat, point_mm: FloatArray, into: FloatArray, diameter_mm: float) -> Mask:
    """Which samples (K,) lie on a cylinder from outside through this point, and look at its axis."""
    relative = seat.points_mm - point_mm
    beside = across(relative, into)
    distance = np.linalg.norm(beside, axis=1)
    near = np.abs(distance - diameter_mm / 2) < BORE_MM
    looks_in = np.einsum("ij,ij->i", beside, seat.normals) < FACING * distance
    return np.asarray(near & looks_in & (relative @ into < PAST_MM))


def _on_cone(seat: Seat, socket: AskedSocket) -> Mask:
    """Which samples (K,) lie on the cone of a fan's socket, and look at its axis."""
    outwards = unit(socket.outwards)
    relative = seat.points_mm - socket.entry_mm
    height, beside = relative @ outwards, across(relative, outwards)
    distance = np.linalg.norm(beside, axis=1)
    share = (height - socket.low_mm) / (socket.rim_mm - socket.low_mm)
    radius = socket.low_radius_mm + share * (socket.rim_radius_mm - socket.low_radius_mm) + socket.gap_mm
    looks_in = np.einsum("ij,ij->i", beside, seat.normals) < FACING * distance
    return np.asarray((np.abs(distance - radius) < BORE_MM) & looks_in & (share >= 0.0) & (share <= 1.0))

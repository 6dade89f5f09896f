"""Contacts and bones in closed form: what a seat rests on is known to the last figure."""

from __future__ import annotations

from typing import Any

import manifold3d as m3
import numpy as np

from guidegen.frames import FloatArray
from guidegen.guide.solids import to_surface
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.docking import Contact
from guidegen.seat.zones import Zones
from guidegen.surfaces import Surface

UP, LATERAL, FRONT = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
SHAFT_MM = 15.0


def face(
    normal: list[float], first: list[float], half_mm: float = 10.0, steps: int = 5, off_mm: float = 0.0
) -> Contact:
    """A flat square of points round the origin, `off_mm` along its normal (3,); `first` (3,) is one of its edges."""
    n, u = np.array(normal) / np.linalg.norm(normal), np.array(first) / np.linalg.norm(first)
    a, b = np.meshgrid(*[np.linspace(-half_mm, half_mm, steps)] * 2)
    points = a.reshape(-1, 1) * u + b.reshape(-1, 1) * np.cross(n, u) + off_mm * n
    return Contact(points, np.tile(n, (len(points), 1)), np.ones(len(points)))


def together(*parts: Contact) -> Contact:
    """Several contacts as one."""
    return Contact(*(np.concatenate(each) for each in zip(*map(_fields, parts), strict=True)))


def round_patch(kind: str) -> Contact:
    """A patch of a cylinder round z, or of a ball, radius 15 mm, that looks along x; area even by angle."""
    turn, lift = (each.ravel() for each in np.meshgrid(np.radians(np.linspace(-60, 60, 9)), np.linspace(-0.6, 0.6, 7)))
    flat = np.ones_like(lift) if kind == "cylinder" else np.cos(lift)
    height = lift if kind == "cylinder" else np.sin(lift)
    across = np.stack([np.cos(turn) * flat, np.sin(turn) * flat], axis=1)
    normals = np.c_[across, np.zeros_like(lift) if kind == "cylinder" else height]
    return Contact(SHAFT_MM * np.c_[across, height], normals, flat)


def corner() -> Contact:
    """Three square faces at right angles, as of a guide over the corner of a box; their normals are x, y and z."""
    middles = 10.0 * (1.0 - np.eye(3))
    faces = [face(row, np.roll(row, 1).tolist()) for row in np.eye(3).tolist()]
    return together(*[Contact(f.points_mm + m, f.normals, f.areas_mm2) for f, m in zip(faces, middles, strict=True)])


def groove(half_deg: float) -> Contact:
    """Two walls along y that a guide sits between; each normal leans this far from z, to the other wall."""
    lean = np.radians(half_deg)
    walls = [face([s * np.sin(lean), 0.0, np.cos(lean)], [0.0, 1.0, 0.0], off_mm=-8.0) for s in (1.0, -1.0)]
    return together(*walls)


def zones(**changes: Any) -> Zones:
    """Zones of a femur whose shaft is the z axis, its head centre level with the origin, lateral x and front y.

    The ridge is 40 mm below it; the intertrochanteric line runs down in front from 20 mm below, 90° round, to 60 mm
    below, 120° round, on the shaft's surface; the tuberosity is 30° behind.
    """
    turn = np.radians([90.0, 120.0])
    line = np.array([[-20.0, SHAFT_MM * np.cos(turn[0]), 90.0], [-60.0, SHAFT_MM * np.cos(turn[1]), 120.0]])
    given = {
        "origin_mm": np.zeros(3), "up": UP, "lateral": LATERAL, "front": FRONT,
        "ridge_mm": np.array([SHAFT_MM, 0.0, -40.0]), "line_mm": line, "tuberosity_deg": -30.0,
        "margins": load_template(GuideTemplate, "lateral")[0].zones,
    }  # fmt: skip
    return Zones(**(given | changes))


def on_shaft(level_mm: float, turn_deg: float, radius_mm: float = SHAFT_MM) -> FloatArray:
    """A point (3,) of the shaft's surface at a level above the head centre and a turn to the front."""
    turn = np.radians(turn_deg)
    return np.array([radius_mm * np.cos(turn), radius_mm * np.sin(turn), level_mm])


def shaft(*more: Any) -> Surface:
    """The shaft from 20 mm above the head centre to 150 mm below it, joined with more manifolds."""
    solid = m3.Manifold.cylinder(170.0, SHAFT_MM, SHAFT_MM, 180).translate([0.0, 0.0, -150.0])
    for each in more:
        solid += each
    return to_surface(solid.refine_to_length(3.0))


def _fields(contact: Contact) -> tuple[FloatArray, FloatArray, FloatArray]:
    return contact.points_mm, contact.normals, contact.areas_mm2

"""Where the guide sits: footprint and removal direction, searched for the least error at the lesion.

The lateral femur is nearly a cylinder, so a patch cut by habit rolls on it. Each candidate patch is
judged by what a small error of its surface does to the tip of the drill.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, across, angle_deg, rotation_about, unit
from guidegen.plan.templates import Footprint, Shell
from guidegen.plan.tunnel import Tunnel
from guidegen.surfaces import Surface

GUIDE = "guide"

# What is tried: turns about the shaft (towards the front, where the approach is open, further than
# towards the back), leans along it, and shifts of the footprint's middle from the entry.
TURNS_DEG = (-10.0, 0.0, 10.0, 20.0, 30.0)
LEANS_DEG = (-12.0, -6.0, 0.0, 6.0, 12.0)
SHIFTS_MM = (-4.0, 0.0, 4.0, 8.0, 12.0)
STEP_MM = 1.5
LARGEST_SLEEVE_DEG = 62.0  # between sleeve and removal direction: flatter, and the sleeve lies on the skin

# The surface error of a good segmentation, and over which length it is the same error (9 mm² per sample in
# the plane, 2π of them): how far a patch can average it out.
SURFACE_ERROR_MM = 0.2
CORRELATION_MM = 3.0
FEWEST_PATCHES = 6.0

SMALLEST_CONTACT_MM2 = 300.0  # the bony lateral wall alone is 567 ± 83 mm²; half of that holds nothing
END_MARGIN_MM = 6.0  # from the scan's end, where the surface is a blurred cut


@dataclass(frozen=True, eq=False)
class Seat:
    """Where a guide sits and how well it is held there.

    `frame` leads from LPS to the guide's own frame: z the removal direction, y along the shaft to the
    head, origin in the middle of the footprint. `tip_error_mm` is the expected error across the tunnel at its
    target from the surface error alone; `weakest_motion` (6,) the movement least held: translation
    (mm, guide frame) and turn (radians × lever) about the middle of the contact.
    """

    frame: RigidTransform
    footprint: Footprint
    contact_mm2: float
    tip_error_mm: float
    holding: FloatArray
    weakest_motion: FloatArray

    @property
    def removal_direction(self) -> FloatArray:
        """The unit vector (3,) off the bone, in LPS."""
        return self.frame.inverse().vectors(np.array([0.0, 0.0, 1.0]))


def find_seat(bone: Surface, anatomy: Anatomy, tunnel: Tunnel, footprint: Footprint, shell: Shell) -> Seat:
    """The seat of this footprint with the least tip error; NoSafeGuide where none has enough contact."""
    seats = []
    for turn, lean, shift in product(TURNS_DEG, LEANS_DEG, SHIFTS_MM):
        frame = _frame(bone, anatomy, tunnel, turn, lean, shift)
        if frame is None:
            continue
        removal = frame.inverse().vectors(np.array([0.0, 0.0, 1.0]))
        if angle_deg(removal, -tunnel.axis) > LARGEST_SLEEVE_DEG:
            continue
        seats.append(_seat(bone, anatomy, tunnel, footprint, shell, frame))
    best = min(seats, key=lambda seat: seat.tip_error_mm, default=None)
    if best is None or best.contact_mm2 < SMALLEST_CONTACT_MM2:
        found = f"{best.contact_mm2:.0f} mm²" if best else "none"
        raise NoSafeGuide(
            f"expected a contact of at least {SMALLEST_CONTACT_MM2:.0f} mm² on the lateral cortex, found {found}; "
            "scan more of the shaft, choose a larger footprint or another entry",
            rule="contact_area_mm2",
            figures={"contact_area_mm2": best.contact_mm2 if best else 0.0},
        )
    return best


def _frame(
    bone: Surface, anatomy: Anatomy, tunnel: Tunnel, turn_deg: float, lean_deg: float, shift_mm: float
) -> RigidTransform | None:
    """The guide frame for one candidate; None where its middle is not on the bone."""
    up, lateral = anatomy.shaft_axis, anatomy.lateral
    front = -anatomy.posterior
    towards_front = 1.0 if np.cross(up, lateral) @ front > 0 else -1.0
    removal = rotation_about(up, towards_front * turn_deg) @ lateral
    removal = rotation_about(np.cross(removal, up), lean_deg) @ removal
    along = unit(across(up, removal))
    start = tunnel.entry_mm + shift_mm * along + 60.0 * removal
    # the middle of the bone's width as seen from here: the contact wraps front and back alike
    sideways = np.cross(along, removal)
    sweep = np.arange(-30.0, 30.0, STEP_MM)
    way, _ = bone.ray_hits(start + sweep[:, None] * sideways, -removal)
    if not np.isfinite(way).any():
        return None
    hit = np.flatnonzero(np.isfinite(way))
    middle = hit[np.argmin(np.abs(hit - hit.mean()))]
    origin = start + sweep[middle] * sideways - way[middle] * removal
    return RigidTransform.to_frame(origin, np.stack([sideways, along, removal]), LPS, GUIDE)


def _seat(
    bone: Surface, anatomy: Anatomy, tunnel: Tunnel, footprint: Footprint, shell: Shell, frame: RigidTransform
) -> Seat:
    points, normals, area = _patch(bone, anatomy, footprint, shell, frame)
    if len(points) < 20:
        return Seat(frame, footprint, 0.0, np.inf, np.zeros(6), np.zeros(6))
    tip = frame.points(tunnel.target_mm)
    error, holding, weakest = seat_quality(points, normals, area, tip, frame.vectors(tunnel.axis))
    return Seat(frame, footprint, float(area.sum()), error, holding, weakest)


def _patch(
    bone: Surface, anatomy: Anatomy, footprint: Footprint, shell: Shell, frame: RigidTransform
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Points (K, 3), normals (K, 3), both in the guide frame, and areas (K,) of the bone under the footprint."""
    x = np.arange(-footprint.width_mm / 2.0, footprint.width_mm / 2.0 + 1e-9, STEP_MM)
    y = np.arange(-footprint.length_mm / 2.0, footprint.length_mm / 2.0 + 1e-9, STEP_MM)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    back = frame.inverse()
    origins = back.points(np.c_[grid, np.full(len(grid), 60.0)])
    way, face = bone.ray_hits(origins, back.vectors(np.array([0.0, 0.0, -1.0])))
    hit = np.isfinite(way)
    points = np.c_[grid[hit], 60.0 - way[hit]]
    normals = frame.vectors(bone.face_normals[face[hit]])
    lowest = float((bone.vertices @ anatomy.shaft_axis).min()) + END_MARGIN_MM
    kept = (normals[:, 2] > np.cos(np.radians(shell.largest_wrap_deg))) & (
        back.points(points) @ anatomy.shaft_axis > lowest
    )
    return points[kept], normals[kept], STEP_MM**2 / normals[kept, 2]


def seat_quality(
    points: FloatArray, normals: FloatArray, areas_mm2: FloatArray, tip_mm: FloatArray, axis: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Expected tip error (mm) across `axis` from the surface error, the six holding eigenvalues, and the weakest
    motion (6,).

    The point-to-plane model: a movement (translation, turn × lever) changes the gap at each contact
    point by [n, (p - c) × n / lever]; M is the area-weighted mean of its outer products. The error of the
    pose is M⁻¹ σ² / N, with N the number of independent patches, and the tip's error follows from it.
    """
    center = np.average(points, axis=0, weights=areas_mm2)
    relative = points - center
    lever = float(np.sqrt(np.average((relative**2).sum(axis=1), weights=areas_mm2)))
    rows = np.c_[normals, np.cross(relative, normals) / lever]
    matrix = (rows * areas_mm2[:, None]).T @ rows / areas_mm2.sum()
    holding, motions = np.linalg.eigh(matrix)
    patches = max(FEWEST_PATCHES, float(areas_mm2.sum()) / (2.0 * np.pi * CORRELATION_MM**2))
    covariance = np.linalg.pinv(matrix, hermitian=True) * SURFACE_ERROR_MM**2 / patches
    arm = (tip_mm - center) / lever
    skew = np.array([[0.0, -arm[2], arm[1]], [arm[2], 0.0, -arm[0]], [-arm[1], arm[0], 0.0]])
    reach = np.c_[np.eye(3), -skew]
    sideways = np.eye(3) - np.outer(axis, axis)
    error = sideways @ reach @ covariance @ reach.T @ sideways
    return float(np.sqrt(np.trace(error))), holding, motions[:, 0]

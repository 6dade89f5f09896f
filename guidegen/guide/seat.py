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
from guidegen.seat.ground import Ground
from guidegen.guide.relief import SPARE_MM, risen
from guidegen.seat.scan_end import END_MARGIN_MM
from guidegen.keep_out import KEEP_OUT
from guidegen.plan.templates import Footprint, GuideTemplate, Shell
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


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame that is tried, with all that may speak against it.

    Points (K, 3), normals (K, 3), in this frame, and areas (K,) are those of the bone that bears;
    `entry_room_mm` is how far inside the footprint the entry lies, `missing_mm` what the scan lacks below it (none
    if negative), `relieved_mm2` the bone under it that must not bear because of what is kept out.
    """

    frame: RigidTransform
    points: FloatArray
    normals: FloatArray
    areas_mm2: FloatArray
    entry_room_mm: float
    missing_mm: float
    relieved_mm2: float

    @property
    def contact_mm2(self) -> float:
        """The bone that bears."""
        return float(self.areas_mm2.sum())


def find_seats(
    ground: Ground, anatomy: Anatomy, tunnel: Tunnel, template: GuideTemplate, size: str, drill_radius_mm: float
) -> list[Seat]:
    """The seats of a footprint, the one with the least tip error first.

    On each the tunnel's entry lies inside the footprint by the drill's radius, the scan reaches past the footprint by
    its margin, and the contact is enough. NoSafeGuide where there is none, by the rule that leaves none.
    """
    footprint = template.sizes[size]
    frames = _frames(ground.bone, anatomy, tunnel)
    candidates = [_candidate(ground, frame, tunnel, footprint, template.shell) for frame in frames]
    inside = [candidate for candidate in candidates if candidate.entry_room_mm >= drill_radius_mm]
    scanned = [candidate for candidate in inside if candidate.missing_mm <= 0.0]
    bearing = [candidate for candidate in scanned if candidate.contact_mm2 >= SMALLEST_CONTACT_MM2]
    if not bearing:
        _refuse_entry(candidates, inside, drill_radius_mm)
        _refuse_short_scan(ground, frames, tunnel, template, size, inside, scanned)
        raise _refused_contact(scanned)
    seats = [_seat(candidate, tunnel, footprint) for candidate in bearing]
    return sorted(seats, key=lambda seat: seat.tip_error_mm)


def _refuse_entry(candidates: list[Candidate], inside: list[Candidate], drill_radius_mm: float) -> None:
    """NoSafeGuide where no footprint has the entry inside."""
    if inside or not candidates:
        return
    room = max(candidate.entry_room_mm for candidate in candidates)
    raise NoSafeGuide(
        f"expected the tunnel's entry at least {drill_radius_mm:g} mm inside the shell, found it "
        f"{room:.1f} mm inside; choose a larger footprint or an entry nearer to the middle of the bone",
        rule="entry_inside_shell",
        figures={"entry_inside_mm": room},
    )


def _refuse_short_scan(
    ground: Ground,
    frames: list[RigidTransform],
    tunnel: Tunnel,
    template: GuideTemplate,
    size: str,
    inside: list[Candidate],
    scanned: list[Candidate],
) -> None:
    """NoSafeGuide where the scan ends too soon for every footprint of this size; says which size it is enough for."""
    if scanned or not inside:
        return
    missing = min(candidate.missing_mm for candidate in inside)
    enough = [
        other
        for other, footprint in template.sizes.items()
        if any(_candidate(ground, frame, tunnel, footprint, template.shell).missing_mm <= 0.0 for frame in frames)
    ]
    largest = max(enough, key=lambda other: template.sizes[other].length_mm, default=None)
    instead = f"size {largest} has enough" if largest else "no smaller size has enough"
    raise NoSafeGuide(
        f"expected bone in the scan at least {END_MARGIN_MM:g} mm past the lower end of a guide of size {size}, found "
        f"{missing:.1f} mm too little; {instead}; or scan or segment more of the shaft",
        rule="scan_too_short",
        figures={"missing_mm": missing},
    )


def _refused_contact(scanned: list[Candidate]) -> NoSafeGuide:
    """No footprint has enough contact; what is kept out rules where there would be enough without it."""
    best = max(scanned, key=lambda candidate: candidate.contact_mm2, default=None)
    contact = best.contact_mm2 if best else 0.0
    kept_out = any(candidate.contact_mm2 + candidate.relieved_mm2 >= SMALLEST_CONTACT_MM2 for candidate in scanned)
    advice = "what is kept out takes the rest: choose another entry" if kept_out else "scan more of the shaft"
    return NoSafeGuide(
        f"expected a contact of at least {SMALLEST_CONTACT_MM2:.0f} mm² on the lateral cortex, found "
        f"{contact:.0f} mm²; {advice}, or choose a larger footprint",
        rule=KEEP_OUT if kept_out else "contact_area_mm2",
        figures={"contact_area_mm2": contact},
    )


def _frames(bone: Surface, anatomy: Anatomy, tunnel: Tunnel) -> list[RigidTransform]:
    """The guide frames that are tried: those on the bone whose sleeve does not lie too flat."""
    frames = []
    for turn, lean, shift in product(TURNS_DEG, LEANS_DEG, SHIFTS_MM):
        frame = _frame(bone, anatomy, tunnel, turn, lean, shift)
        if frame is None:
            continue
        removal = frame.inverse().vectors(np.array([0.0, 0.0, 1.0]))
        if angle_deg(removal, -tunnel.axis) <= LARGEST_SLEEVE_DEG:
            frames.append(frame)
    return frames


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


def _candidate(ground: Ground, frame: RigidTransform, tunnel: Tunnel, footprint: Footprint, shell: Shell) -> Candidate:
    """The bone under the footprint of one frame, sampled every STEP_MM by rays, and what may speak against it."""
    half = np.array([footprint.width_mm, footprint.length_mm]) / 2.0
    x, y = (np.arange(-side, side + 1e-9, STEP_MM) for side in half)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    back = frame.inverse()
    origins = back.points(np.c_[grid, np.full(len(grid), 60.0)])
    way, face = ground.bone.ray_hits(origins, back.vectors(np.array([0.0, 0.0, -1.0])))
    hit = np.isfinite(way)
    points = np.c_[grid[hit], 60.0 - way[hit]]
    normals = frame.vectors(ground.bone.face_normals[face[hit]])
    lawful = normals[:, 2] > np.cos(np.radians(shell.largest_wrap_deg))
    relief = risen(frame.points(ground.near_mm), x, y, ground.keep_out_mm + SPARE_MM).reshape(-1)[hit]
    bears = lawful & (relief <= points[:, 2])
    areas = STEP_MM**2 / np.maximum(normals[:, 2], 1e-9)
    columns, lowest = np.unique(points[lawful, 0], return_index=True)
    lower_end = np.c_[columns, np.full(len(columns), -half[1]), points[lawful, 2][lowest]]
    return Candidate(
        frame=frame,
        points=points[bears],
        normals=normals[bears],
        areas_mm2=areas[bears],
        entry_room_mm=float((half - np.abs(frame.points(tunnel.entry_mm)[:2])).min()),
        missing_mm=END_MARGIN_MM - float(ground.end.transformed(frame).above_mm(lower_end).min(initial=np.inf)),
        relieved_mm2=float(areas[lawful & ~bears].sum()),
    )


def _seat(candidate: Candidate, tunnel: Tunnel, footprint: Footprint) -> Seat:
    frame = candidate.frame
    tip, axis = frame.points(tunnel.target_mm), frame.vectors(tunnel.axis)
    error, holding, weakest = seat_quality(candidate.points, candidate.normals, candidate.areas_mm2, tip, axis)
    return Seat(frame, footprint, candidate.contact_mm2, error, holding, weakest)


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

"""The trial bone as it was written: sound, the bone itself wherever the guide is near, and open for drill and wires."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.drill import HAIR_MM
from guidegen.check.files import read_stl
from guidegen.check.finding import DECIMALS, Finding, above, at_least, at_most
from guidegen.check.mesh import WHY_CLOSED, WHY_VOLUME, bodies, open_edges
from guidegen.check.pins import through_mm
from guidegen.check.print_file import pose_finding, print_findings, print_pose
from guidegen.check.samples import area_samples
from guidegen.frames import FloatArray, across, spokes, unit
from guidegen.surfaces import Surface

TRIAL_BONE_FILE, TRIAL_BONE_PRINT = "trial_bone.stl", "trial_bone.3mf"
# The bone is compared where the guide is no further from it than this: its contact, and what stands off round it.
NEAR_MM = 3.0
# About two thousand to three thousand of them lie near a guide, one in a square millimetre of bone or two.
SAMPLES = 20_000
# Its corners are the bone's: within 0.03 µm where no needle had to be collapsed, 20 µm where one had. It must stay the
# smaller part beside what a printer errs by, 0.11 to 0.18 mm.
LIMIT_MM = 0.05
# The tools come from this far outside; each is a rod, probed along its axis and in so many places round its side.
OUTSIDE_MM = 60.0
DIRECTIONS = 72
# A hole may be less deep than planned by so much: a drill is read to half a millimetre.
FLOOR_MM = 0.1

WHY_BODIES = "What is loose is lost in the print, and the rest is not the bone that the guide was tried on."
WHY_BONE = "A guide that sits on anything but the bone at true size has been tried on another bone."
WHY_DEPTH = "Drill and wires are tried on the trial bone: a hole that stops them makes a good guide look wrong."
NO_FILE = f"there is no {TRIAL_BONE_FILE} beside the guide"
NO_PRINT = f"{TRIAL_BONE_PRINT} is missing, is no 3MF of one body, or has other triangles than {TRIAL_BONE_FILE}"
NO_BONE = "no bone lies near the guide"


def read_trial_bone(folder: Path) -> Surface | None:
    """The trial bone of a result folder; None where there is no such file, ResultError where it is unusable."""
    path = folder / TRIAL_BONE_FILE
    return read_stl(path) if path.is_file() else None


def trial_bone_findings(asked: Asked, bone: Surface, guide: Surface, trial: Surface | None) -> tuple[Finding, ...]:
    """Whether the trial bone is one sound solid, is the bone near the guide, and lets drill and wires through."""
    edges = volume_cm3 = pieces = off_mm = None
    missing = NO_FILE
    if trial is not None:
        edges, volume_cm3, pieces = open_edges(trial), trial.volume_mm3 / 1000.0, bodies(trial)
        off_mm, missing = _off_the_bone_mm(asked, bone, guide, trial), NO_BONE
    return (
        at_most("trial bone open edges", edges, 0, "", WHY_CLOSED, missing),
        above("trial bone volume", volume_cm3, 0, "cm³", WHY_VOLUME, missing),
        at_most("trial bone bodies", pieces, 1, "", WHY_BODIES, missing),
        at_most("trial bone off the bone", off_mm, LIMIT_MM, "mm", WHY_BONE, missing),
        *_depth_findings(asked, bone, trial),
    )


def trial_print_findings(asked: Asked, trial: Surface | None, printed_mm: FloatArray) -> tuple[Finding, ...]:
    """Whether the file that is printed, by its triangles (M, 3, 3), is the trial bone that was measured, stands on its
    foot, and fits the printer.
    """
    pose = None if trial is None else print_pose(printed_mm, trial)
    name = "trial bone"
    return (
        *print_findings(asked, printed_mm, pose, name, NO_PRINT),
        pose_finding(pose, _upright(asked), name, NO_PRINT),
    )


def _upright(asked: Asked) -> FloatArray:
    """How it is printed, as rows (3, 3): on its foot, what the guide sits on towards the front of the plate."""
    shaft = unit(asked.anatomy.shaft_axis)
    outwards = unit(across(asked.guide.removal_direction, shaft))
    return np.stack([np.cross(shaft, outwards), -outwards, shaft])


def _off_the_bone_mm(asked: Asked, bone: Surface, guide: Surface, trial: Surface) -> float | None:
    """How far the furthest point of the bone near the guide lies from the trial bone; what the holes take is left
    out. None where there is no such point.
    """
    points, _ = area_samples(bone, SAMPLES)
    points = points[guide.nearest(points)[0] < NEAR_MM]
    for _, ends, diameter_mm in _holes(asked, bone):
        beside = np.linalg.norm(across(points - ends[0], unit(ends[1] - ends[0])), axis=1)
        points = points[beside > diameter_mm / 2.0]
    return float(trial.nearest(points)[0].max()) if len(points) else None


def _depth_findings(asked: Asked, bone: Surface, trial: Surface | None) -> list[Finding]:
    """How deep each tool goes into its hole, come from outside."""
    findings = []
    for name, ends, diameter_mm in _holes(asked, bone):
        depth_mm = float(np.linalg.norm(ends[1] - ends[0]))
        least_mm = round(depth_mm - FLOOR_MM, DECIMALS)
        free_mm = None if trial is None else min(depth_mm, _free_mm(trial, ends, diameter_mm - HAIR_MM))
        findings.append(at_least(f"{name} depth in the trial bone", free_mm, least_mm, "mm", WHY_DEPTH, NO_FILE))
    return findings


def _free_mm(trial: Surface, ends: FloatArray, diameter_mm: float) -> float:
    """How far past the first end a rod comes on its way to the second: where its axis or its side meets a face."""
    axis = unit(ends[1] - ends[0])
    across_mm = np.vstack([np.zeros(3), diameter_mm / 2.0 * spokes(axis, DIRECTIONS)])
    way, _ = trial.ray_hits(ends[0] + across_mm - OUTSIDE_MM * axis, axis)
    return float(way.min()) - OUTSIDE_MM


def _holes(asked: Asked, bone: Surface) -> list[tuple[str, FloatArray, float]]:
    """What is drilled: its name, where its axis (2, 3) meets the bone and where it ends, and its diameter."""
    holes = [
        (f"tunnel {number}", np.array([tunnel.entry_mm, tunnel.target_mm]), tunnel.diameter_mm)
        for number, tunnel in enumerate(asked.tunnels, start=1)
    ]
    for number, pin in enumerate(asked.guide.pins, start=1):
        depth_mm = through_mm(pin, bone) if pin.depth_mm is None else pin.depth_mm
        ends = pin.point_mm + np.array([[0.0], [depth_mm]]) * pin.direction
        holes.append((f"pin {number}", ends, pin.wire_diameter_mm))
    return holes

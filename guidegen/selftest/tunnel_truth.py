"""The planned tunnel, held to the phantom itself: its sphere, its ball and its implicit surface, on no grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from guidegen.check.finding import Finding, at_most
from guidegen.frames import FloatArray, across, angle_deg, spokes, unit
from guidegen.phantom import Hip, Truth

Record = Mapping[str, Any]

# The surface of a label of 1.2 × 1.2 × 1.5 mm is right to a few tenths of a millimetre, its fitted axes to a degree.
ENTRY_MM = 0.3
CENTROID_MM = 0.5
JOINT_MM = 0.5
WALL_MM = 0.5
ANGLE_DEG = 1.5
REACHED_SHARE = 0.01

STEP_MM = 0.5  # along the axis, and of the grid in the lesion's ball
RAYS = 72
FURTHEST_MM, HALVINGS = 60.0, 40  # a ray from the axis is outside of the bone at its end

WHY_ENTRY = "The depth is counted from the entry."
WHY_CENTROID = "The tunnel must reach the lesion, not what was taken for it."
WHY_JOINT = "The distance to the joint that is approved must be the true one."
WHY_WALL = "The wall that is approved must be the true one."
WHY_ANGLE = "The angle that is approved must be the true one."
WHY_REACHED = "How much of the lesion is reached must be what is reached."


def tunnel_findings(name: str, hip: Hip, plan: Record) -> list[Finding]:
    """How far the first tunnel of a plan.json, and what the plan says of it, are off the truth."""
    truth, tunnel = hip.truth, plan["tunnels"][0]
    entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
    axis = unit(target - entry)
    off_centroid_mm = float(np.linalg.norm(across(truth.lesion_centroid_mm - entry, axis)))
    axis_mm = truth.head_radius_mm - float(np.linalg.norm(target - truth.head_center_mm))
    rim_mm = _rim_to_joint_mm(truth, target, axis, tunnel["end_outline_mm"])
    wall_mm = least_wall_mm(hip, entry, target, tunnel["diameter_mm"] / 2.0, plan["limits"]["entry_zone_mm"])
    shaft_deg = 180.0 - angle_deg(axis, truth.shaft_axis)
    reached = _reached(truth, target, axis, tunnel["diameter_mm"] / 2.0)

    def off(what: str, stated: str, true: float, limit: float, unit_: str, why: str) -> Finding:
        return at_most(f"{name} {what} off the truth", abs(tunnel[stated] - true), limit, unit_, why)

    entry_mm = abs(float(hip.femur_mm(entry)))
    return [
        at_most(f"{name} entry off the true bone", entry_mm, ENTRY_MM, "mm", WHY_ENTRY),
        at_most(f"{name} tunnel off the true centroid", off_centroid_mm, CENTROID_MM, "mm", WHY_CENTROID),
        off("axis to the joint", "subchondral_axis_mm", axis_mm, JOINT_MM, "mm", WHY_JOINT),
        off("rim to the joint", "subchondral_mm", rim_mm, JOINT_MM, "mm", WHY_JOINT),
        off("wall", "wall_min_mm", wall_mm, WALL_MM, "mm", WHY_WALL),
        off("angle to the shaft", "shaft_angle_deg", shaft_deg, ANGLE_DEG, "°", WHY_ANGLE),
        off("share of the lesion reached", "lesion_reached_fraction", reached, REACHED_SHARE, "", WHY_REACHED),
    ]


def least_wall_mm(hip: Hip, entry: FloatArray, target: FloatArray, radius_mm: float, start_mm: float) -> float:
    """The least bone beside the tunnel from `start_mm` past the entry to the head's sphere: along rays at right angles
    to the axis to the implicit surface, which bisection finds to 1e-9 mm.
    """
    axis, length_mm = unit(target - entry), float(np.linalg.norm(target - entry))
    places = entry + np.arange(start_mm, length_mm, STEP_MM)[:, None] * axis
    outside_head = np.linalg.norm(places - hip.truth.head_center_mm, axis=1) > hip.truth.head_radius_mm
    origins = places[outside_head][:, None, :]
    rays = spokes(axis, RAYS)[None, :, :]
    near, far = np.zeros((origins.shape[0], RAYS, 1)), np.full((origins.shape[0], RAYS, 1), FURTHEST_MM)
    for _ in range(HALVINGS):
        middle = (near + far) / 2.0
        inside = hip.femur_mm(origins + middle * rays)[..., None] < 0.0
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return float(near.min()) - radius_mm


def _rim_to_joint_mm(truth: Truth, target: FloatArray, axis: FloatArray, outline: list[list[float]]) -> float:
    """From the tool's end to the head's sphere, in closed form: the furthest point of each of its circles from the
    centre lies where the circle's plane leans away from it. `outline` (K, 2): setback and radius of each circle.
    """
    furthest = []
    for setback_mm, radius_mm in outline:
        from_center = target - setback_mm * axis - truth.head_center_mm
        beside = float(np.linalg.norm(across(from_center, axis)))
        furthest.append(np.hypot(from_center @ axis, beside + radius_mm))
    return truth.head_radius_mm - float(max(furthest))


def _reached(truth: Truth, target: FloatArray, axis: FloatArray, radius_mm: float) -> float:
    """The share of the ball that a drill with a flat end reaches."""
    steps = np.arange(-truth.lesion_radius_mm, truth.lesion_radius_mm, STEP_MM) + STEP_MM / 2.0
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    ball = grid[np.linalg.norm(grid, axis=1) < truth.lesion_radius_mm] + truth.lesion_centroid_mm - target
    drilled = (np.linalg.norm(across(ball, axis), axis=1) < radius_mm) & (ball @ axis < 0.0)
    return float(drilled.mean())

"""Where a tunnel comes nearest to the cortex of the neck and to the joint: what the plan's figures are measured at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray
from guidegen.plan.rules import Rules
from guidegen.plan.tunnel import RIM_POINTS, Tunnel, end_points, ring_points
from guidegen.surfaces import Surface

STEP_MM = 0.5  # along the axis: a place so much beside the nearest is drawn, no figure is taken from it


@dataclass(frozen=True, eq=False)
class ThinPlace:
    """The point (3,) of the tool and the point (3,) of the bone's surface that are nearest to each other, LPS mm, and
    the distance of the two; negative where the tool is outside.
    """

    on_tool_mm: FloatArray
    on_bone_mm: FloatArray
    gap_mm: float


def thinnest_wall(bone: Surface, anatomy: Anatomy, tunnel: Tunnel, rules: Rules) -> ThinPlace:
    """Where `wall_min_mm` of a tunnel is measured: past the entry zone and before the head's sphere; at its end where
    nothing is between them.
    """
    ways = np.append(np.arange(rules.entry_zone_mm, tunnel.length_mm, STEP_MM), tunnel.length_mm)
    before_head = ways <= _into_head_mm(anatomy, tunnel)
    ways = ways[before_head] if before_head.any() and tunnel.length_mm > rules.entry_zone_mm else ways[-1:]
    axis_mm = tunnel.entry_mm + ways[:, None] * tunnel.axis
    depth = -bone.signed_distance_mm(axis_mm)
    least = int(depth.argmin())
    _, face, nearest = bone.nearest(axis_mm[least : least + 1])
    radius = tunnel.diameter_mm / 2.0
    on_tool = axis_mm[least] + radius * bone.face_normals[face[0]]
    return ThinPlace(on_tool, nearest[0], float(depth[least]) - radius)


def nearest_to_joint(bone: Surface, anatomy: Anatomy, tunnel: Tunnel, rules: Rules) -> ThinPlace:
    """Where `tool_to_joint_mm` of a tunnel is measured: anywhere on the tool's end, and on its side in the head."""
    end = end_points(tunnel.entry_mm, tunnel.axis, tunnel.length_mm, tunnel.outline_mm, anatomy.posterior)
    last = tunnel.length_mm - float(tunnel.outline_mm[:, 0].max())
    ways = np.arange(min(last, max(_into_head_mm(anatomy, tunnel), rules.entry_zone_mm)), last, STEP_MM)
    ring = ring_points(tunnel.axis, anatomy.posterior, RIM_POINTS) * tunnel.diameter_mm / 2.0
    side = (tunnel.entry_mm + ways[:, None, None] * tunnel.axis + ring).reshape(-1, 3)
    points = np.concatenate([end, side])
    depth = -bone.signed_distance_mm(points)
    least = int(depth.argmin())
    return ThinPlace(points[least], bone.nearest(points[least : least + 1])[2][0], float(depth[least]))


def _into_head_mm(anatomy: Anatomy, tunnel: Tunnel) -> float:
    """How far along the axis the head's sphere begins; infinite where the axis passes it by."""
    relative = anatomy.head_center_mm - tunnel.entry_mm
    towards = float(relative @ tunnel.axis)
    inside2 = anatomy.head_radius_mm**2 - float(relative @ relative) + towards**2
    return towards - float(np.sqrt(inside2)) if inside2 > 0.0 else np.inf

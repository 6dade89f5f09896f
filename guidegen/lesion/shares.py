"""Shares of the head: of its volume, by two named definitions, and of its weight-bearing surface."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray
from guidegen.lesion.head_frame import HeadFrame
from guidegen.lesion.necrotic_surface import Necrosis, necrotic
from guidegen.surfaces import Surface

CAP_DIRECTIONS = 6_000  # on the weight-bearing cap: a tenth of a percent of it is six of them


def sphere_share(volume_mm3: float, radius_mm: float) -> float:
    """The whole lesion over the sphere fitted to the head: no head–neck cut can decide the grade."""
    return float(volume_mm3 / (4.0 / 3.0 * np.pi * radius_mm**3))


def cut_share(
    points_mm: FloatArray, point_volume_mm3: float, bone: Surface, frame: HeadFrame, junction_radii: float
) -> float:
    """The lesion over the bone, both counted beyond the head–neck junction only.

    The lesion is given by points (K, 3) that stand for `point_volume_mm3` each.
    """
    beyond = frame.beyond_junction(points_mm, junction_radii)
    cut = frame.center_mm - junction_radii * frame.radius_mm * frame.neck_axis
    return float(beyond.sum() * point_volume_mm3 / volume_beyond_mm3(bone, cut, frame.neck_axis))


def volume_beyond_mm3(surface: Surface, point_mm: FloatArray, normal: FloatArray) -> float:
    """The volume of a closed surface on that side of a plane that its unit normal (3,) points to.

    Each face's part beyond the plane makes a pyramid with an apex in the plane; the cut face
    lies in the plane too and adds nothing. Exact for the triangles.
    """
    height = ((surface.vertices - point_mm) @ normal)[surface.faces]
    above = (height >= 0.0).sum(axis=1)
    total = _pyramids_mm3(surface.vertices[surface.faces[above == 3]] - point_mm)
    crossing = (above == 1) | (above == 2)
    corners, height = surface.vertices[surface.faces[crossing]] - point_mm, height[crossing]
    # turn each face so that the corner alone on its side comes first
    side = height >= 0.0
    alone = np.where(above[crossing] == 1, side.argmax(axis=1), (~side).argmax(axis=1))
    turn = (alone[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, turn[..., None], axis=1)
    height = np.take_along_axis(height, turn, axis=1)
    tip = corners.copy()
    for k in (1, 2):
        share = height[:, 0] / (height[:, 0] - height[:, k])
        tip[:, k] = corners[:, 0] + share[:, None] * (corners[:, k] - corners[:, 0])
    tip_above = height[:, 0] >= 0.0
    total += _pyramids_mm3(tip[tip_above])
    return total + _pyramids_mm3(corners[~tip_above]) - _pyramids_mm3(tip[~tip_above])


def _pyramids_mm3(corners: FloatArray) -> float:
    """The signed volume of the pyramids over triangles (M, 3, 3) with their apex at the origin."""
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0)


def weight_bearing_share(necrosis: Necrosis, frame: HeadFrame) -> float:
    """The necrotic share of the weight-bearing surface: the cap of the head round superior, as far as it is joint."""
    directions = cap_directions(frame, necrosis.definitions.weight_bearing_half_angle_deg, CAP_DIRECTIONS)
    dead, joint = necrotic(necrosis, frame, frame.center_mm, directions)
    return float(dead.sum() / max(1, int(joint.sum())))


def cap_directions(frame: HeadFrame, half_angle_deg: float, count: int) -> FloatArray:
    """Unit directions (count, 3) in LPS, each for the same area of the cap round superior (a Fibonacci spiral)."""
    number = np.arange(count) + 0.5
    height = 1.0 - number / count * (1.0 - np.cos(np.radians(half_angle_deg)))
    turn = number * np.pi * (3.0 - np.sqrt(5.0))
    width = np.sqrt(1.0 - height**2)
    local = np.stack([width * np.cos(turn), width * np.sin(turn), height], axis=1)
    return np.asarray(local @ frame.axes)

"""Left or right, told by the shape of the bone and by nothing that anybody wrote down."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import perpendicular_pair, unit
from guidegen.surfaces import Surface

# The lesser trochanter stands 16 to 22 mm behind the plane of shaft and neck (eight adult femora, Fischer 2023).
LEAST_BEHIND_MM = 5.0
# Landmarks that belong to this bone lie on it; a mirrored or moved bone misses them by centimetres.
LANDMARK_LIMIT_MM = 2.0
# The part of the head that is a sphere: up to 60° from the neck's axis, in 200 directions.
CAP_COSINE = 0.5
CAP_DIRECTIONS = 200
GOLDEN_ANGLE_RAD = np.pi * (3.0 - np.sqrt(5.0))


def side_findings(asked: Asked, bone: Surface) -> tuple[Finding, ...]:
    """Whether the landmarks belong to the bone in the file, and whether their shape is of the stated side."""
    return (
        at_most(
            "landmarks off the bone",
            max(_trochanter_off_mm(asked, bone), _head_off_mm(asked, bone)),
            LANDMARK_LIMIT_MM,
            "mm",
            "Landmarks of another bone, or of this one mirrored, would vouch for a side that the file has not.",
        ),
        at_least(
            "lesser trochanter behind the neck",
            behind_mm(asked),
            LEAST_BEHIND_MM,
            "mm",
            "Only on the stated side does the lesser trochanter stand behind the plane of shaft and neck.",
        ),
    )


def behind_mm(asked: Asked) -> float:
    """How far the lesser trochanter lies behind the plane of shaft and neck, if the femur is of the stated side.

    With the shaft up and the neck to the middle, shaft x neck points forwards in a left femur (LPS: to the
    head cross to the right is to the front) and backwards in a right one.
    """
    anatomy = asked.anatomy
    normal = unit(np.cross(anatomy.shaft_axis, anatomy.neck_axis))
    backwards = -normal if asked.side == "left" else normal
    return float(np.subtract(anatomy.lesser_trochanter_mm, anatomy.shaft_point_mm) @ backwards)


def _trochanter_off_mm(asked: Asked, bone: Surface) -> float:
    return float(bone.nearest([asked.anatomy.lesser_trochanter_mm])[0][0])


def _head_off_mm(asked: Asked, bone: Surface) -> float:
    """Median distance of the bone from the head's sphere, over its cap; the whole radius if there is no bone."""
    axis = np.array(asked.anatomy.neck_axis)
    first, second = perpendicular_pair(axis)
    cosine = 1.0 - (np.arange(CAP_DIRECTIONS) + 0.5) / CAP_DIRECTIONS * (1.0 - CAP_COSINE)
    turn = np.arange(CAP_DIRECTIONS) * GOLDEN_ANGLE_RAD
    ring = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    rays = cosine[:, None] * axis + np.sqrt(1.0 - cosine**2)[:, None] * ring
    center = np.broadcast_to(np.array(asked.anatomy.head_center_mm), rays.shape)
    way, _ = bone.ray_hits(center, rays)
    off = np.abs(np.where(np.isfinite(way), way, 0.0) - asked.anatomy.head_radius_mm)
    return float(np.median(off))

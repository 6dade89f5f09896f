"""The acetabulum on the mid-coronal plane: its lateral edge, the bottom of the teardrop, the weight-bearing arc.

All are read off the mask of the pelvis by rays from the head centre, as the wall of the acetabulum that they meet
first: outwards over the roof to its corner, and inwards over the floor to the last of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray
from guidegen.lesion.head_frame import FAN_STEP_DEG, HeadFrame, fan
from guidegen.lesion.lattice import occupied
from guidegen.lesion.necrotic_surface import HALF, STEP_MM
from guidegen.volumes import Volume

# Where the wall is looked for, in head radii: from a roof worn to the bone to the bottom of the fossa.
WALL_RADII = (0.85, 1.6)
LOOKED_AT_DEG = (-90.0, 175.0)  # from the side of the head over its top to below it
ROOF_DEG = (-5.0, 50.0)  # of every hip that bears weight there is bone over this arc
ROOF_LEAST = 0.5  # of it
# The corner of the roof: beyond it a ray misses the bone, or meets the outer side of the ilium further and further out.
CORNER_WINDOW_DEG = 1.0
CORNER_RISE_MM = 1.0
ROOF_GAP_DEG = 3.0
TIP_RAYS = 4
FLOOR_LEAST_DEG = 75.0  # a wall that ends higher has no teardrop; those of 15 hips end at 107° and lower down
FLOOR_GAP_DEG = 20.0  # the floor of the fossa may be thinner than a voxel


@dataclass(frozen=True, eq=False)
class Acetabulum:
    """On one coronal plane, angles from straight up, positive to medial.

    The lateral edge and the bottom of the teardrop as points (3,) in LPS mm, the edge's angle, and where the
    weight-bearing arc of the head begins: at the line across the middle of edge and teardrop (JIC).
    """

    edge_mm: FloatArray
    teardrop_mm: FloatArray
    edge_deg: float
    start_deg: float


def near_head(pelvis: Volume, frame: HeadFrame) -> Volume:
    """The part of the pelvis within 2 radii of the head centre; the whole box of it where there is none."""
    reach = 2.0 * frame.radius_mm / pelvis.spacing_mm
    center = pelvis.to_index(frame.center_mm)
    low = np.clip(np.floor(center - reach).astype(int), 0, np.array(pelvis.voxels.shape) - 1)
    high = np.clip(np.ceil(center + reach).astype(int) + 1, low + 1, pelvis.voxels.shape)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return pelvis.cropped((i, j, k))


def acetabulum(pelvis: Volume, frame: HeadFrame, offset_mm: float) -> Acetabulum | str:
    """The acetabulum on the coronal plane of `frame` that lies `offset_mm` in front of the head centre.

    A text, the reason, where the mask shows no roof or no floor there.
    """
    rays = fan(frame, "coronal", offset_mm)
    # counted from the foot, so that roof and floor are one run
    angles_deg = (rays.angles_deg + 180.0) % 360.0 - 180.0
    order = np.argsort(angles_deg)
    order = order[(angles_deg[order] > LOOKED_AT_DEG[0]) & (angles_deg[order] < LOOKED_AT_DEG[1])]
    angles_deg, directions = angles_deg[order], rays.directions[order]
    way = np.arange(WALL_RADII[0] * frame.radius_mm, WALL_RADII[1] * frame.radius_mm, STEP_MM)
    bone = occupied(pelvis, rays.origin_mm + way[:, None] * directions[:, None, :]) >= HALF
    wall = np.where(bone.any(axis=1), way[bone.argmax(axis=1)], np.inf)
    roof = np.flatnonzero((angles_deg > ROOF_DEG[0]) & (angles_deg < ROOF_DEG[1]))
    met = roof[np.isfinite(wall[roof])]
    if len(met) < ROOF_LEAST * len(roof):
        return "the pelvis shows no acetabular roof over the head: it is not in view, or not of this hip"
    begin = int(met[len(met) // 2])
    ends = np.array([_corner(wall, begin), _last(wall, begin)])
    edge_deg, bottom_deg = (float(angle) for angle in angles_deg[ends])
    # the very last ray meets the rounded tip of the wall, its neighbours the wall
    edge_mm, bottom_mm = (float(wall[max(0, end - TIP_RAYS) : end + TIP_RAYS + 1].min()) for end in ends)
    start_deg = _start_deg(edge_mm, edge_deg, bottom_mm, bottom_deg, frame.radius_mm)
    if bottom_deg < FLOOR_LEAST_DEG or start_deg is None or start_deg <= edge_deg:
        return "the pelvis shows no floor of the acetabulum on this plane: there is no teardrop to measure from"
    points = rays.origin_mm + np.array([[edge_mm], [bottom_mm]]) * directions[ends]
    return Acetabulum(points[0], points[1], edge_deg, start_deg)


def _corner(wall: FloatArray, begin: int) -> int:
    """The last ray, going laterally from `begin`, before the wall ends or turns away."""
    window = round(CORNER_WINDOW_DEG / FAN_STEP_DEG)
    edge = begin
    for ray in range(begin, -1, -1):
        if (edge - ray) * FAN_STEP_DEG > ROOF_GAP_DEG:
            break
        if np.isfinite(wall[ray]) and wall[ray] - wall[min(ray + window, begin)] <= CORNER_RISE_MM:
            edge = ray
    return edge


def _last(wall: FloatArray, begin: int) -> int:
    """The last ray, going medially and down from `begin`, that meets the wall."""
    bottom = begin
    for ray in range(begin, len(wall)):
        if (ray - bottom) * FAN_STEP_DEG > FLOOR_GAP_DEG:
            break
        if np.isfinite(wall[ray]):
            bottom = ray
    return bottom


def _start_deg(edge_mm: float, edge_deg: float, bottom_mm: float, bottom_deg: float, radius_mm: float) -> float | None:
    """Where the line at right angles through the middle of edge and teardrop meets the head; None if nowhere."""
    ends = np.array(
        [
            [way * np.sin(np.radians(angle)), way * np.cos(np.radians(angle))]
            for way, angle in ((edge_mm, edge_deg), (bottom_mm, bottom_deg))
        ]
    )
    middle, along = ends.mean(axis=0), ends[0] - ends[1]
    up = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-9)  # medial and up of edge to teardrop
    across = float(middle @ up)
    inside = across**2 - middle @ middle + radius_mm**2
    if inside < 0.0:
        return None
    point = middle + (np.sqrt(inside) - across) * up
    return float(np.degrees(np.arctan2(point[0], point[1])))

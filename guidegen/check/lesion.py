"""What each tunnel reaches of the lesion, measured on the lesion's file."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedTunnel
from guidegen.check.finding import Finding, above, at_most
from guidegen.frames import FloatArray, across, unit
from guidegen.surfaces import Surface

# A lattice in the lesion, each of its points for so much of it: a tunnel of 8 mm has 400 of them in a centimetre.
STEP_MM = 0.5
# The plan counts the lesion's own voxels, this counts points in its smooth surface: both err by a voxel at its skin.
SHARE_LIMIT = 0.02
CENTROID_LIMIT_MM = 0.5

WHY_REACHED = "A tunnel that reaches nothing of the dead bone relieves nothing, whoever ordered it."
WHY_CENTROID = "Tunnels are aimed and judged by the centroid of the lesion: it must be that of the lesion in the file."
WHY_STATED = "The surgeon chooses by how much of the lesion a tunnel reaches, so it must be that of the files."


def lesion_findings(asked: Asked, lesion: Surface) -> tuple[Finding, ...]:
    """How far the lesion's centroid (LPS, mm) is off the plan's, the volume of it in each tunnel, and how far that
    share is off the plan's.
    """
    missing = "the lesion's file holds no volume"
    off_mm = None
    if lesion.volume_mm3 > 0.0:
        off_mm = float(np.linalg.norm(_centroid_mm(lesion) - asked.lesion.centroid_mm))
    findings = [at_most("lesion's centroid off the plan's", off_mm, CENTROID_LIMIT_MM, "mm", WHY_CENTROID, missing)]
    for number, tunnel in enumerate(asked.tunnels, start=1):
        reached_mm3 = _reached_mm3(tunnel, lesion)
        share = reached_mm3 / lesion.volume_mm3 if lesion.volume_mm3 > 0.0 else None
        off = None if share is None else abs(share - tunnel.lesion_reached_fraction)
        findings += [
            above(f"tunnel {number} lesion reached", reached_mm3, 0.0, "mm³", WHY_REACHED),
            at_most(f"tunnel {number} lesion off its stated share", off, SHARE_LIMIT, "", WHY_STATED, missing),
        ]
    return tuple(findings)


def _centroid_mm(body: Surface) -> FloatArray:
    """The middle (3,) of the volume, from the tetrahedra over its faces."""
    start = body.vertices[0]
    corners = body.vertices[body.faces] - start
    volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    return np.asarray(start + volumes @ corners.sum(axis=1) / (4.0 * volumes.sum()))


def _reached_mm3(tunnel: AskedTunnel, lesion: Surface) -> float:
    widest_mm = max([tunnel.diameter_mm / 2.0, *(radius for _, radius in tunnel.end_outline_mm)])
    ends = np.array([tunnel.entry_mm, tunnel.target_mm])
    low, high = lesion.bounds_mm
    first, last = ends.min(axis=0) - widest_mm, ends.max(axis=0) + widest_mm
    steps = [np.arange(low[k], min(high[k], last[k]) + STEP_MM, STEP_MM) for k in range(3)]
    steps = [step[step >= first[k]] for k, step in enumerate(steps)]
    lattice = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = lattice[_in_tunnel(tunnel, lattice)]
    return float(np.count_nonzero(lesion.contains(inside))) * STEP_MM**3 if len(inside) else 0.0


def _in_tunnel(tunnel: AskedTunnel, points_mm: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether points (K, 3) lie where the tool has been: as wide as its rings (K,) at its end, else as its bore."""
    way = np.subtract(tunnel.target_mm, tunnel.entry_mm)
    axis, length_mm = unit(way), float(np.linalg.norm(way))
    relative = points_mm - np.array(tunnel.target_mm)
    behind, wide = -(relative @ axis), np.linalg.norm(across(relative, axis), axis=1)
    rings = np.array(tunnel.end_outline_mm or [(0.0, tunnel.diameter_mm / 2.0)])
    radius = np.interp(behind, rings[:, 0], rings[:, 1], right=tunnel.diameter_mm / 2.0)
    return np.asarray((behind >= 0.0) & (behind <= length_mm) & (wide <= radius))

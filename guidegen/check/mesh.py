"""Whether a file is one sound solid: closed, wound outwards, in one piece, not through itself."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, above, at_most
from guidegen.frames import IntArray
from guidegen.surfaces import Surface
from guidegen.written import crossing_faces

# The square of float32's step at 600 mm, where a hip may lie in the scanner: smaller faces are rounding.
SMALLEST_FACE_MM2 = 4e-9

WHY_CLOSED = "An open or doubly used edge leaves inside and outside undefined, and slicer and checks would guess."
WHY_VOLUME = "Faces wound inwards turn the solid inside out, and every distance to it changes its sign."
WHY_BODIES = "A second piece is lost in the wound, a cavity holds resin."
WHY_CROSS = "Where a surface runs through itself the printer may leave a hole or a lump."
WHY_TINY = "A face without area has no outside; slicers drop it."
WHY_GENUS = "One handle too few is a bore that was not cut through, one too many a hole that nobody designed."


def bone_mesh_findings(bone: Surface) -> tuple[Finding, ...]:
    """Whether the femur's file can be measured against at all."""
    return (
        at_most("femur open edges", open_edges(bone), 0, "", WHY_CLOSED),
        above("femur volume", bone.volume_mm3 / 1000.0, 0, "cm³", WHY_VOLUME),
    )


def guide_mesh_findings(guide: Surface) -> tuple[Finding, ...]:
    """Whether the guide's file is one sound solid."""
    tiny = int(np.count_nonzero(guide.face_areas_mm2 < SMALLEST_FACE_MM2))
    return (
        at_most("guide open edges", open_edges(guide), 0, "", WHY_CLOSED),
        above("guide volume", guide.volume_mm3 / 1000.0, 0, "cm³", WHY_VOLUME),
        at_most("guide bodies", bodies(guide), 1, "", WHY_BODIES),
        at_most("guide faces that cross", crossing_faces(guide), 0, "", WHY_CROSS),
        at_most("guide faces without area", tiny, 0, "", WHY_TINY),
    )


def genus_finding(asked: Asked, guide: Surface) -> Finding:
    """Whether the guide has as many handles as were designed: each bore, hole and window that goes through is one, and
    the plan has each of them.
    """
    parts = asked.guide
    bores = len(parts.sleeves) + (parts.socket is not None) + len(parts.pins) + len(parts.windows)
    off = max(abs(genus(guide) - parts.genus), abs(bores - parts.genus))
    return at_most("guide genus off the design", off, 0, "", WHY_GENUS)


def _undirected(surface: Surface) -> tuple[IntArray, IntArray]:
    """For each side of each face (3 M,): a number for its edge, and +1 or -1 for the way it runs along it."""
    tail, head = surface.faces.ravel(), np.roll(surface.faces, -1, axis=1).ravel()
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    return low * len(surface.vertices) + high, np.where(tail < head, 1, -1)


def open_edges(surface: Surface) -> int:
    """Number of edges that are not shared by exactly two faces running along them in opposite directions."""
    key, way = _undirected(surface)
    _, edge, uses = np.unique(key, return_inverse=True, return_counts=True)
    return int(np.count_nonzero((uses != 2) | (np.bincount(edge, weights=way) != 0)))


def bodies(surface: Surface) -> int:
    """Number of pieces joined by edges; pieces that touch in a vertex only are two."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    key, _ = _undirected(surface)
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    face = order // 3
    left, right = face[:-1][same], face[1:][same]
    size = len(surface.faces)
    return int(connected_components(coo_array((np.ones(len(left)), (left, right)), (size, size)), directed=False)[0])


def genus(surface: Surface) -> float:
    """Handles of a closed surface of one piece, by Euler: vertices - edges + faces = 2 - 2 genus.

    Each edge is taken to be of two faces; a surface that is open or in pieces gives some other number.
    """
    used = np.count_nonzero(np.bincount(surface.faces.ravel()))
    return 1.0 - (used - len(surface.faces) / 2.0) / 2.0

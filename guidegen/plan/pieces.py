"""The pieces of a lesion, as far as a plan must serve or name each of them."""

from __future__ import annotations

import numpy as np

from guidegen.frames import IntArray
from guidegen.lesion.components import LISTED_SHARE
from guidegen.lesion.lattice import lattice
from guidegen.lesion.lesion import Lesion

MOST = 8  # pieces that a plan tells apart; the rest count as specks


def pieces(lesion: Lesion) -> IntArray:
    """The piece (K,) that each of the lesion's points belongs to, 0 for the largest; -1 for specks.

    Points belong together when their voxels share a face, an edge or a corner.
    """
    from scipy import ndimage

    points = lesion.points_mm
    if lesion.pieces == 1:
        return np.zeros(len(points), dtype=np.int64)
    grid = lattice(points, lesion.volume_mm3 / len(points))
    labelled = np.asarray(ndimage.label(grid.voxels, structure=np.ones((3, 3, 3)))[0])
    label = labelled[tuple(np.rint(grid.to_index(points)).astype(np.int64).T)]
    sizes = np.bincount(label)
    order = np.argsort(-sizes, kind="stable")
    listed = [k for k in order[:MOST] if sizes[k] >= LISTED_SHARE * len(points)]
    number = np.full(len(sizes), -1, dtype=np.int64)
    number[listed] = np.arange(len(listed))
    return np.asarray(number[label], dtype=np.int64)

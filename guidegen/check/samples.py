"""Points spread evenly over a surface by area, the same ones every time."""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray, IntArray
from guidegen.surfaces import Surface

# Any fixed number will do; it makes the samples, and so the findings, repeat.
SEED = 20190401


def area_samples(surface: Surface, count: int) -> tuple[FloatArray, IntArray]:
    """`count` points (count, 3), each standing for the same area, and the face (count,) each lies on."""
    rng = np.random.default_rng(SEED)
    filled = np.cumsum(surface.face_areas_mm2)
    face = np.searchsorted(filled, (np.arange(count) + rng.random(count)) * (filled[-1] / count))
    face = np.minimum(face, len(filled) - 1)
    root, along = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    a, b, c = (surface.vertices[surface.faces[face, corner]] for corner in range(3))
    return np.asarray(a + root * ((b - a) + along * (c - b))), np.asarray(face, dtype=np.int64)

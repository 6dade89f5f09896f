"""What dry friction holds: whether contact forces inside their friction cones can balance a load.

That they can is necessary for rest, and for a rigid body all that statics says; which of the possible forces act
depends on how it was put there.
"""

from __future__ import annotations

import numba
import numpy as np

from guidegen.check.unilateral import non_negative_sum
from guidegen.frames import FloatArray, unit

# Dry friction of a printed guide on wet bone, at the low end of what is measured.
FRICTION = 0.2
# A cone is taken as the pyramid inside it: of eight edges it holds no less than 92 % of what the cone does.
EDGES = 8
# Contacts that are taken for a load; more of them hold no more once they cover the seat.
MOST_CONTACTS = 250
# What may be missing of a load of length 1 that counts as balanced: rounding.
BALANCED = 1e-6


def wrenches(forces: FloatArray, places_mm: FloatArray, lever_mm: float) -> FloatArray:
    """Forces (..., 3) and their moments about the origin ÷ lever (..., 6)."""
    moments = np.cross(places_mm, forces) / lever_mm
    return np.concatenate([np.broadcast_to(forces, moments.shape), moments], axis=-1)


def friction_cones(places_mm: FloatArray, normals: FloatArray, lever_mm: float) -> FloatArray:
    """The wrenches (6, M × EDGES) whose non-negative sums are all that contacts at (M, 3) can exert on the guide.

    Of more than MOST_CONTACTS contacts, evenly many are left out.
    """
    every = max(1, -(-len(places_mm) // MOST_CONTACTS))
    places, out = places_mm[::every], normals[::every]
    turn = 2.0 * np.pi * np.arange(EDGES) / EDGES
    first = unit(np.cross(np.eye(3)[np.abs(out).argmin(axis=1)], out))
    second = np.cross(out, first)
    around = np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None]
    edges = out[:, None] + FRICTION * around
    return np.ascontiguousarray(wrenches(edges, places[:, None, :], lever_mm).reshape(-1, 6).T)


@numba.njit(cache=True, nogil=True)
def held(cones: FloatArray, loads: FloatArray) -> int:
    """How many of the loads (L, 6), each a wrench on the guide, the contacts balance."""
    count = 0
    for i in range(len(loads)):
        size = np.sqrt((loads[i] * loads[i]).sum())
        missing = non_negative_sum(cones, -loads[i] / size)[1]
        count += np.sqrt((missing * missing).sum()) < BALANCED
    return count

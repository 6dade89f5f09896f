"""Which pushes dry friction keeps in place: a guide that is held does not creep to where a push would bring it.

Forces in the friction cones of the contact must balance the push: a linear programme again. By Farkas' lemma they can,
unless some motion is one that every contact force resists or allows and on which the push does work; that motion is
looked for.
"""

from __future__ import annotations

import numpy as np

from guidegen.frames import FloatArray
from guidegen.seat.docking import LEVER_MM, Contact, Flags, furthest

FRICTION = 0.2  # printed plastic on wet bone: the lower end of what is published for polymers on bone [M]
EDGES = 6  # of the pyramid inside each friction cone: errs to the safe side
# A hand's push, wider than for docking: whatever a hand may do, the guide should stay.
CONE_DEG, APERTURE_MM = 15.0, 20.0
BEARS_MM = 0.3  # within this of the closest gap the guide bears: plastic and periosteum give way by as much [D]
CLOSEST_PERCENT = 1.0  # of the contact: one point that stands out is crushed
BALANCED = 1e-7
BOX = np.concatenate([np.eye(6), -np.eye(6)])  # no motion is looked for beyond it


def bearing(gaps_mm: FloatArray) -> Flags:
    """Which of the gaps (K,) bear."""
    return np.asarray(gaps_mm < np.percentile(gaps_mm, CLOSEST_PERCENT) + BEARS_MM)


def resistances(contact: Contact, middle_mm: FloatArray) -> FloatArray:
    """The forces (K, EDGES, 6) that bound what each point of a contact can do against a push: force, and moment over
    LEVER_MM about a middle (3,).
    """
    edges = _friction_edges(contact.normals)
    moments = np.cross((contact.points_mm - middle_mm)[:, None], edges) / LEVER_MM
    return np.asarray(np.concatenate([edges, moments], axis=2))


def holds(resists: FloatArray, wrenches: FloatArray) -> Flags:
    """Which of the pushes (N, 6) the contact points with these resistances (K, EDGES, 6) keep in place."""
    motions = furthest(
        np.concatenate([resists.reshape(-1, 6), BOX]),
        np.concatenate([np.zeros(resists.shape[0] * EDGES), np.ones(len(BOX))]),
        -wrenches,
    )
    return np.asarray(-(motions * wrenches).sum(axis=1) < BALANCED)


def _friction_edges(normals: FloatArray) -> FloatArray:
    """The edges (K, EDGES, 3) of the friction pyramids round normals (K, 3)."""
    flattest = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    first = np.cross(flattest, normals)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normals, first)
    turn = np.arange(EDGES) * 2.0 * np.pi / EDGES
    around = np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None]
    return np.asarray(normals[:, None] + FRICTION * around)

"""The necrotic arc of the head on its mid-coronal and mid-sagittal plane, and the two together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.lesion.head_frame import FAN_STEP_DEG, HeadFrame, Plane, fan
from guidegen.lesion.necrotic_surface import Necrosis, necrotic


@dataclass(frozen=True)
class Arc:
    """The arc of the joint surface between the first and the last necrotic direction, as seen from the head centre.

    Angles from superior, positive to medial (coronal) or anterior (sagittal); `start_deg` is the lateral or
    posterior end. `necrotic_deg` leaves out sound surface between two necrotic parts.
    """

    plane: Plane
    start_deg: float
    end_deg: float
    necrotic_deg: float

    @property
    def angle_deg(self) -> float:
        """The angle between both ends."""
        return self.end_deg - self.start_deg


def necrotic_arc(necrosis: Necrosis, frame: HeadFrame, plane: Plane, offset_mm: float) -> Arc | None:
    """The necrotic arc on the plane `offset_mm` in front of or medial of the head centre; None where there is none."""
    rays = fan(frame, plane, offset_mm)
    dead, _ = necrotic(necrosis, frame, rays.origin_mm, rays.directions)
    return arc_of(plane, rays.angles_deg, dead)


def arc_of(plane: Plane, angles_deg: FloatArray, dead: npt.NDArray[np.bool_]) -> Arc | None:
    """The arc of those directions (N,) of a fan that are necrotic."""
    hit = np.flatnonzero(dead)
    if len(hit) == 0:
        return None
    first, last = (float(angles_deg[hit[end]]) for end in (0, -1))
    half = FAN_STEP_DEG / 2.0
    return Arc(plane, first - half, last + half, len(hit) * FAN_STEP_DEG)


def angle_deg(arc: Arc | None) -> float:
    """The angle of an arc, 0 for none."""
    return 0.0 if arc is None else arc.angle_deg


def kerboul_deg(coronal_deg: float, sagittal_deg: float) -> float:
    """The combined necrotic angle: the sum of both (Ha 2006, modified from Kerboul)."""
    return coronal_deg + sagittal_deg


def koo_kim_index(coronal_deg: float, sagittal_deg: float) -> float:
    """The index of necrotic extent: (A / 180) · (B / 180) · 100 (Koo and Kim)."""
    return coronal_deg / 180.0 * sagittal_deg / 180.0 * 100.0

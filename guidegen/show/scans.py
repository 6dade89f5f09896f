"""The images of a case, as far as there are any, and how the MR lies on the bone: what pictures are drawn over."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.frames import RigidTransform
from guidegen.surfaces import Surface
from guidegen.volumes import Volume


@dataclass(frozen=True, eq=False)
class Scans:
    """`ct` and `pelvis` in the frame of the plan; `mr`, the lesion's image, and `mr_femur` in their own, from which
    `transform` leads to that of the plan. None for what was not given; no `transform` where there is but one frame.
    """

    pelvis: Volume | None
    ct: Volume | None
    mr: Volume | None
    mr_femur: Surface | None
    transform: RigidTransform | None

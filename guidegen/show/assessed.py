"""What the pictures of an assessment are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.bone.anatomy import Side
from guidegen.lesion.grades import Grades
from guidegen.surfaces import Surface
from guidegen.volumes import Volume


@dataclass(frozen=True, eq=False)
class Assessed:
    """A femur, the voxels of its lesion as they were graded, and the scan round it, None where not in view; LPS mm."""

    patient_id: str
    side: Side
    bone: Surface
    voxels: Volume
    grades: Grades
    pelvis: Volume | None
    image: Volume | None

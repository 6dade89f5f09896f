"""Where the scan ended: the flat cut across the shaft, found on the bone itself.

Below it there is bone that nobody has seen. The cut lies square to the scanner and not to the shaft, so that
on a leg that lies askew it is higher on one side than on the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.frames import FloatArray, RigidTransform, unit
from guidegen.surfaces import Surface

END_MARGIN_MM = 5.0  # what rests on the bone or goes into it stays this far above the cut, whose edge is blurred

LOWEST_MM = 3.0  # of the bone: where the search begins
DOWNWARD = 0.5  # a cut looks down the shaft within 60°
COPLANAR_MM, ALIKE = 1.0, float(np.cos(np.radians(20.0)))
ROUNDS = 6
FLAT_MM = 0.2  # rms; real cuts through label maps have 0.03
SMALLEST_CUT_MM2 = 150.0  # the thinnest shaft is 22 mm thick


@dataclass(frozen=True, eq=False)
class ScanEnd:
    """The plane of the cut: a point (3,) on it and the unit normal (3,) out of the bone."""

    point_mm: FloatArray
    normal: FloatArray

    def above_mm(self, points_mm: FloatArray) -> FloatArray:
        """How far (...,) above the cut the points (..., 3) lie, negative below it."""
        return np.asarray((self.point_mm - points_mm) @ self.normal)

    def transformed(self, transform: RigidTransform) -> ScanEnd:
        """The same plane in the transform's target frame."""
        return ScanEnd(transform.points(self.point_mm), transform.vectors(self.normal))


def find_scan_end(bone: Surface, shaft_axis: FloatArray) -> ScanEnd:
    """The flat cut at the lower end of the bone; where the bone ends in no flat cut, the plane across the shaft there.

    Of the lowest faces that look down the shaft the mean plane is taken, then of all that lie in it, and so on.
    """
    centers, normals, areas = bone.face_centers_mm, bone.face_normals, bone.face_areas_mm2
    lowest = bone.vertices[int(np.argmin(bone.vertices @ shaft_axis))]
    reach = (bone.vertices @ shaft_axis)[bone.faces].min(axis=1) - lowest @ shaft_axis
    within = (reach < LOWEST_MM) & (normals @ shaft_axis < -DOWNWARD)
    point, normal = lowest, -shaft_axis
    for _ in range(ROUNDS):
        if not within.any():
            break
        point = np.average(centers[within], axis=0, weights=areas[within])
        normal = unit((normals[within] * areas[within, None]).sum(axis=0))
        within = (np.abs((centers - point) @ normal) < COPLANAR_MM) & (normals @ normal > ALIKE)
    area = float(areas[within].sum())
    flat = float(np.sqrt((((centers[within] - point) @ normal) ** 2 * areas[within]).sum() / max(area, 1e-9)))
    if area < SMALLEST_CUT_MM2 or flat > FLAT_MM or normal @ shaft_axis > -DOWNWARD:
        return ScanEnd(lowest, -shaft_axis)
    return ScanEnd(point, normal)

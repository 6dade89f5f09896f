"""The side of a hip from every source that says one: all must agree, or a healthy hip is drilled.

What no source can show: files that were mirrored together, femur, pelvis and image, under an order, names and
laterality of the other side. Then everything agrees, and the patient alone can tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.errors import SideError
from guidegen.frames import FloatArray
from guidegen.intake.sides import Side, SideSource
from guidegen.volumes import Volume

# A pelvis holds its head: some of it lies this near to the centre, in head radii. In 15 real cases and the phantom its
# nearest voxel lies at 1.0 to 1.2; the other hip's bone, at the symphysis, at more than 3.
NEAR_RADII = 2.0
# The part of the pelvis that counts, above and below the centre, and how far its middle must lie to one side. The hip
# bones of those cases lie 0.67 or more to the middle of the body, a whole pelvis 3 and more.
LEVEL_RADII = 1.0
CLEAR_RADII = 0.3
STRIDE = 2  # every second voxel along each axis is enough


def side_from_pelvis(pelvis: Volume, head_center_mm: FloatArray, head_radius_mm: float) -> SideSource | None:
    """The side on which the head lies beside its pelvis (bool mask, LPS), which is in the middle of the body.

    What counts is the median of what is visible level with the head: the midline of a whole pelvis; of one hip bone the
    acetabulum and the bone in front of and behind it. None where that is no clear answer. SideError for a pelvis that
    does not hold the head.
    """
    points = pelvis.to_lps(np.argwhere(pelvis.voxels[::STRIDE, ::STRIDE, ::STRIDE]) * STRIDE) - head_center_mm
    nearest_mm = float(np.linalg.norm(points, axis=1).min(initial=np.inf))
    if nearest_mm > NEAR_RADII * head_radius_mm:
        raise SideError(
            f"expected a pelvis that holds the head of the femur, within {NEAR_RADII * head_radius_mm:.0f} mm of its "
            f"centre, found one {nearest_mm:.0f} mm away; check that femur and pelvis are of one hip and one frame, "
            "and that neither was mirrored"
        )
    level = points[np.abs(points[:, 2]) <= LEVEL_RADII * head_radius_mm]
    to_left_mm = float(np.median(level[:, 0])) if len(level) else 0.0
    if abs(to_left_mm) < CLEAR_RADII * head_radius_mm:
        return None
    return SideSource("the place of the pelvis beside the head", "right" if to_left_mm > 0.0 else "left")


def require_sides(order: Side, shape: Side, sources: Sequence[SideSource]) -> tuple[SideSource, ...]:
    """All sources, the order and the shape of the femur first; SideError, naming each, unless all say one side."""
    every = (SideSource("the order", order), SideSource("the shape of the femur", shape), *sources)
    if len({each.says for each in every}) > 1:
        said = "; ".join(f"{each.source} says {each.says}" for each in every)
        raise SideError(
            f"expected one side from every source, found two: {said}; find out which hip it is, and check the order, "
            "the label that was chosen, and whether a file was mirrored, turned (LPS, RAS) or renamed"
        )
    return every


def lone_side_note(every: Sequence[SideSource]) -> str | None:
    """What the run and the dossier must say where no file names the side; `every` comes from `require_sides`."""
    if len(every) > 2:
        return None
    return (
        "The side rests on the order and the shape of the femur alone: no pelvis, no laterality and no name in the "
        f"files says {every[0].says}. Images mirrored under an order of the other side would not be noticed."
    )

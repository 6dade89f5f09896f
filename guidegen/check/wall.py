"""The thickness of the plastic."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_least
from guidegen.check.samples import area_samples
from guidegen.frames import FloatArray
from guidegen.surfaces import Surface

# Rays through the body; the first percentile of so many rests on 200 of them.
SAMPLES = 20_000
# A wall has two sides: where they are more than 37° from parallel the ray crosses an edge, which is thin by nature.
PARALLEL_COSINE = 0.8
# One part in a hundred of the surface may be thinner: the feather of a fillet.
PERCENTILE = 1.0
# The ridges between engraved strokes are no walls: the label's own checks look at them.
LABEL_SLACK_MM = 0.1
# A ray starts this far inside the face it leaves.
INSIDE_MM = 1e-3


def wall_finding(asked: Asked, guide: Surface) -> Finding:
    """First percentile, by area, of the way through the body at right angles to a face, to one nearly parallel."""
    points, face = area_samples(guide, SAMPLES)
    inward = -guide.face_normals[face]
    way, far = guide.ray_hits(points + INSIDE_MM * inward, inward)
    parallel = (far >= 0) & (np.einsum("ij,ij->i", guide.face_normals[far], inward) > PARALLEL_COSINE)
    through = way[parallel & ~_in_label(asked, points)] + INSIDE_MM
    return at_least(
        "wall thickness, first percentile",
        float(np.percentile(through, PERCENTILE)) if len(through) else None,
        asked.limits.wall_p1_mm,
        "mm",
        "A guide that bends under the drill, in the autoclave or in the hand no longer aims.",
        missing="no two faces of the guide are parallel",
    )


def _in_label(asked: Asked, points_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the points (K, 3) lie in the engraved field, no deeper than its strokes."""
    label = asked.guide.label
    axes = np.array([label.reading_direction, label.up_direction, label.outward_direction])
    across, up, out = ((points_mm - np.array(label.center_mm)) @ axes.T).T
    field = (np.abs(across) <= label.width_mm / 2) & (np.abs(up) <= label.height_mm / 2)
    return np.asarray(field & (out > -label.depth_mm - LABEL_SLACK_MM))

"""Femoral neck version: how far the neck turns to the front of the two condyles, where they are in view.

Seen along the whole bone, from the middle of the knee to the proximal shaft: the angle between the neck axis and
the line that touches both condyles at the back (the table-top line of Murphy 1987, from memory). What "along the
bone" means decides degrees of it: on 8 femora it lies 0 to 4° (median 2.2°) below the version that goes with the
experts' marks, and within 2.6° (median 0.7°) of their marks seen along our own axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.head import Head
from guidegen.bone.sections import whole_sections
from guidegen.bone.trochanters import ShaftFrame
from guidegen.frames import FloatArray, across, angle_deg, unit
from guidegen.surfaces import Surface

# All in head diameters: the part of the bone that is its lower end; the least distance between the points where the
# table top touches the condyles (1.07 to 1.17 on 8 femora), and how deep the notch between them is at least.
END_DIAMETERS = 1.0
APART_DIAMETERS = 0.8
NOTCH_DIAMETERS = 0.15
# A bone that ends by itself is small there; a scan that ends in the bone leaves a full section.
LAST_SECTION_MM = 5.0
LAST_SECTION_SHARE = 0.5
END_STEP_MM = 5.0
MISSING = "the version of the neck is measured against both condyles of the knee, which this bone does not show"
BACKWARDS = 0.2  # cosine to the back from which an edge of the outline can be the table top


@dataclass(frozen=True)
class NeckVersion:
    """The version in degrees, positive to the front, and how far it may be off; or None, and why."""

    degrees: float | None
    doubt_deg: float | None
    missing: str | None


def neck_version(
    surface: Surface, head: Head, frame: ShaftFrame, side: str, shaft_point_mm: FloatArray, neck_axis: FloatArray,
    neck_doubt_deg: float,
) -> NeckVersion:  # fmt: skip
    """The version of the neck; without a value where the bone does not show its condyles."""
    diameter = 2.0 * head.radius_mm
    depth = -((surface.vertices - frame.origin_mm) @ frame.up)
    knee = surface.vertices[depth > depth.max() - END_DIAMETERS * diameter]
    middle = (knee.min(axis=0) + knee.max(axis=0)) / 2.0
    along = unit(shaft_point_mm - middle)
    if not _ends_by_itself(surface, along, diameter):
        return NeckVersion(None, None, MISSING)
    back = frame.posterior(side)
    versions = []
    for axis in (along, unit(head.center_mm - middle)):  # and along the line from knee to head
        line = _table_top(knee, axis, back, diameter)
        if line is None:
            return NeckVersion(None, None, MISSING)
        versions.append(_turned_deg(line, neck_axis, axis, back))
    slant = np.sin(np.radians(angle_deg(neck_axis, along)))
    doubt = float(np.hypot(neck_doubt_deg / slant, versions[1] - versions[0]))
    return NeckVersion(versions[0], doubt, None)


def _ends_by_itself(surface: Surface, along: FloatArray, diameter_mm: float) -> bool:
    """Whether the bone tapers to its lower end, seen along the whole of it."""
    lowest = float((surface.vertices @ along).min())
    levels = lowest + np.append(np.arange(END_STEP_MM, END_DIAMETERS * diameter_mm, END_STEP_MM), LAST_SECTION_MM)
    areas, _ = whole_sections(surface, along, levels)
    return bool(areas[-1] < LAST_SECTION_SHARE * areas.max())


def _table_top(knee: FloatArray, axis: FloatArray, back: FloatArray, diameter_mm: float) -> FloatArray | None:
    """The unit direction (3,), at right angles to `axis`, of the line that touches both condyles at the back."""
    from scipy.spatial import ConvexHull

    behind = unit(across(back, axis))
    beside = np.cross(behind, axis)
    flat = np.stack([knee @ beside, knee @ behind], axis=1)
    outline = flat[ConvexHull(flat).vertices]  # counter-clockwise
    edges = np.roll(outline, -1, axis=0) - outline
    lengths = np.linalg.norm(edges, axis=1)
    outwards = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / lengths[:, None]
    longest = int(np.argmax(np.where(outwards[:, 1] > BACKWARDS, lengths, 0.0)))
    line, normal = edges[longest] / lengths[longest], outwards[longest]
    place = (flat - outline[longest]) @ line / lengths[longest]
    between = flat[(place > 0.4) & (place < 0.6)]
    if lengths[longest] < APART_DIAMETERS * diameter_mm or len(between) == 0:
        return None
    notch = float(-((between - outline[longest]) @ normal).max())
    return None if notch < NOTCH_DIAMETERS * diameter_mm else np.asarray(line[0] * beside + line[1] * behind)


def _turned_deg(line: FloatArray, neck_axis: FloatArray, axis: FloatArray, back: FloatArray) -> float:
    """The angle from the line to the neck, seen along `axis`: positive where the neck points to the front of it."""
    neck = unit(across(neck_axis, axis))
    medial = line * np.sign(line @ neck)
    front = np.cross(axis, medial)
    front = front * -np.sign(front @ back)
    return float(np.degrees(np.arctan2(neck @ front, neck @ medial)))

"""The shaft axis: a line through the centroids of cross-sections below the lesser trochanter.

A scan that ends within a few centimetres of the lesser trochanter shows the flare of the bone and
hardly any shaft; a line through what there is would lean by 10 to 18°. There the axis is made
to pass the head centre at the usual offset, and only its sagittal lean is taken from the bone.
On 8 real femora cut 70 mm below the head that leaves 2 to 20° (median 7°), and the doubt of the axis says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.bone.head import Head, even_faces
from guidegen.bone.sections import whole_sections
from guidegen.errors import AnatomyError
from guidegen.frames import FloatArray, across, angle_deg, unit
from guidegen.surfaces import Surface

# All levels are measured along the shaft from the head centre, in head diameters: the lesser
# trochanter's distance from the head centre is 1.01 ± 0.12 of them (200 femora, PubMed 20069639).
START_DIAMETERS = 1.3
LENGTH_MM = 65.0  # the proximal shaft; further down a femur bows
CUT_MARGIN_MM = 4.0  # the blurred end of the scan is no section of the shaft
LINE_LENGTH_MM = 35.0  # less shaft than this, and the short way is the better one
STEP_MM = 2.0
ROUNDS = 5
SAMPLES = 20_000

# The short way: the distance of the head centre from the shaft axis, in head diameters
# (0.86 ± 0.06 on 15 femora of 8 adults), and the level from which lateral cortex is looked at.
OFFSET_DIAMETERS = 0.86
OFFSET_SPREAD = 0.12  # two standard deviations
FLARE_DIAMETERS = 0.9  # what the doubt of a short axis calls its sections begins here
LATERAL_FROM_DIAMETERS = 0.7
NORMAL_SCALE_DEG = (20.0, 20.0, 20.0, 8.0, 8.0, 8.0, 8.0, 8.0)
SHORTEST_DIAMETERS = 1.25  # the least of femur below the head centre that shows the lesser trochanter's level


@dataclass(frozen=True, eq=False)
class Shaft:
    """A point (3,) in mm on the axis, the unit axis (3,) towards the head, and whether it had to be found the short
    way.
    """

    point_mm: FloatArray
    axis: FloatArray
    short: bool


def find_shaft(surface: Surface, head: Head) -> Shaft:
    """The shaft axis of a whole or proximal femur; AnatomyError where the bone ends above its lesser trochanter."""
    faces = even_faces(surface, SAMPLES)
    points, normals = surface.face_centers_mm[faces], surface.face_normals[faces]
    away = np.linalg.norm(points - head.center_mm, axis=1) / (2.0 * head.radius_mm)
    far = points[(away > SHORTEST_DIAMETERS) & (away < SHORTEST_DIAMETERS + 1.5)]
    if len(far) < SAMPLES // 200:
        raise AnatomyError(
            f"expected a femur that reaches at least {SHORTEST_DIAMETERS:g} head diameters "
            f"({SHORTEST_DIAMETERS * 2.0 * head.radius_mm:.0f} mm) from the head centre, found one that ends "
            f"{away.max() * 2.0 * head.radius_mm:.0f} mm from it; scan or segment more of the shaft"
        )
    axis = _lateral_direction(points, normals, head, unit(head.center_mm - far.mean(axis=0)))
    if _below_head_mm(surface, head, axis) > START_DIAMETERS * 2.0 * head.radius_mm + LINE_LENGTH_MM:
        return _line_through_sections(surface, head, axis)
    return _line_at_usual_offset(surface, head, axis)


def _below_head_mm(surface: Surface, head: Head, axis: FloatArray) -> float:
    """How far below the head centre, along `axis`, there is bone that is not the blurred end of the scan."""
    return float(head.center_mm @ axis - (surface.vertices @ axis).min()) - CUT_MARGIN_MM


def shaft_doubt_deg(surface: Surface, head: Head, shaft: Shaft) -> float:
    """How far the axis may be off, in degrees (95 %).

    A femur is bowed: the axis leans as far as that of the upper or of the lower half of its sections
    leans from it. Where it had to be found the short way: as far as it turns when the head is two standard
    deviations nearer or further than usual, and as the line through what sections there are leans from it.
    """
    if not shaft.short:
        sections = _section_centroids(surface, head, shaft.axis, START_DIAMETERS)
        half = len(sections) // 2
        return max(angle_deg(_direction(part, shaft.axis), shaft.axis) for part in (sections[:half], sections[half:]))
    turned = [
        angle_deg(_line_at_usual_offset(surface, head, shaft.axis, offset).axis, shaft.axis)
        for offset in (OFFSET_DIAMETERS - OFFSET_SPREAD, OFFSET_DIAMETERS + OFFSET_SPREAD)
    ]
    sections = _section_centroids(surface, head, shaft.axis, FLARE_DIAMETERS)
    lean = angle_deg(_direction(sections, shaft.axis), shaft.axis) if len(sections) > 1 else 90.0
    return float(np.hypot(max(turned), lean))


def _section_centroids(surface: Surface, head: Head, axis: FloatArray, start_diameters: float) -> FloatArray:
    """Centroids (K, 3) of the shaft's sections below a level, over the length of the proximal shaft."""
    start = start_diameters * 2.0 * head.radius_mm
    end = min(_below_head_mm(surface, head, axis), start + LENGTH_MM)
    areas, centroids = whole_sections(surface, axis, head.center_mm @ axis - np.arange(start, end, STEP_MM))
    return np.asarray(centroids[(areas > 0.5 * np.median(areas)) & (areas < 2.0 * np.median(areas))])


def _direction(points: FloatArray, towards: FloatArray) -> FloatArray:
    """The unit direction (3,) of the line through the points (K, 3), the way `towards` points."""
    direction = np.linalg.svd(points - points.mean(axis=0))[2][0]
    return np.asarray(direction * np.sign(direction @ towards))


def _line_through_sections(surface: Surface, head: Head, axis: FloatArray) -> Shaft:
    middle = head.center_mm
    for _ in range(ROUNDS):
        sections = _section_centroids(surface, head, axis, START_DIAMETERS)
        middle = sections.mean(axis=0)
        axis = _direction(sections, axis)
    return Shaft(middle, axis, short=False)


def _line_at_usual_offset(
    surface: Surface, head: Head, axis: FloatArray, offset_diameters: float = OFFSET_DIAMETERS
) -> Shaft:
    """The axis through the lowest sections that passes the head centre at the usual distance."""
    point = head.center_mm
    for _ in range(ROUNDS):
        end = _below_head_mm(surface, head, axis)
        point = whole_sections(surface, axis, head.center_mm @ axis - end + np.arange(3.0))[1].mean(axis=0)
        medial = unit(across(head.center_mm - point, axis))
        sideways = np.cross(axis, medial)
        to_head = across(head.center_mm - point, sideways)
        offset = min(offset_diameters * 2.0 * head.radius_mm / float(np.linalg.norm(to_head)), 0.9)
        outwards = unit(across(medial, unit(to_head)))
        axis = unit(np.sqrt(1.0 - offset**2) * unit(to_head) - offset * outwards)
    return Shaft(point, axis, short=True)


def _lateral_direction(points: FloatArray, normals: FloatArray, head: Head, axis: FloatArray) -> FloatArray:
    """The direction most nearly at right angles to the normals of the lateral cortex, by Tukey weights."""
    for scale_deg in NORMAL_SCALE_DEG:
        depth = (head.center_mm - points) @ axis
        end = depth.max() - CUT_MARGIN_MM
        shaft = (depth > min(LATERAL_FROM_DIAMETERS * 2.0 * head.radius_mm, end - 10.0)) & (depth < end)
        shaft &= depth > end - LENGTH_MM
        lateral = -unit(across(head.center_mm - points[shaft].mean(axis=0), axis))
        side = normals[shaft & (normals @ lateral > 0.0)]
        lean = side @ axis / (2.0 * np.sin(np.radians(scale_deg)))
        weight = np.clip(1.0 - lean**2, 0.0, None) ** 2
        direction = np.linalg.eigh((side * weight[:, None]).T @ side)[1][:, 0]
        axis = direction * np.sign(direction @ axis)
    return axis

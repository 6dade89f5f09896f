"""The trial bone: the piece of bone that the guide sits on, at true size, on a foot, to seat the guide and drill once.

The bone's own corners keep their places to the last bit: all cuts are made where the bone lies, in LPS, and whatever
the cuts leave too fine for a file is drawn to the bone's corners, never the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guidegen.bone.anatomy import Side
from guidegen.errors import NoSafeGuide
from guidegen.frames import LPS, FloatArray, RigidTransform, across, unit
from guidegen.guide import parts
from guidegen.guide.label import LINE_STEP, Label
from guidegen.guide.solids import bore, part_solid, placed, to_solid, to_surface, welded
from guidegen.plan.guide_shapes import Trial
from guidegen.seat.scan_end import find_scan_end
from guidegen.surfaces import Surface
from guidegen.threemf import PRINTER
from guidegen.written import as_written, is_sound

ROOT_MM = 1.0  # of the bone stands in its foot
AT_END_MM = 0.5  # corners this near to the scan's cut belong to it
FOOT_WIDER_MM = 4.0  # than the bone on it, on each side: it stands, and a vice holds it
OUTSIDE_MM = 20.0  # how far off the bone a hole begins: more than the slope of any cortex asks for
TEXT_HEIGHTS_MM = (4.0, 3.5, 3.0, 2.5)  # the largest that needs few lines; the last is the least that prints legibly
FEW_LINES = 4
TEXT_DEPTH_MM, MARGIN_MM = 0.6, 1.2
FINE_MM = 8.0  # no face of foot or holes is longer: faces that cross are then found ten times faster
WELDS_MM = (1e-4, 1e-3, 3e-3)  # one after the other until float32 holds a sound solid


@dataclass(frozen=True, eq=False)
class Hole:
    """A round hole: where its axis meets the bone (3,), the unit direction into it (3,), diameter and depth in mm."""

    point_mm: FloatArray
    direction: FloatArray
    diameter_mm: float
    depth_mm: float


@dataclass(frozen=True, eq=False)
class TrialBone:
    """The trial bone in LPS mm, as float32 holds it; `marks` are in LPS too.

    `pose` leads from LPS to the printer: standing on its foot at z = 0, the side that the guide sits on towards -y.
    `below_mm`, `above_mm`: how far the bone goes on past the contact, less than asked where the scan ends.
    """

    surface: Surface
    marks: Label
    pose: RigidTransform
    below_mm: float
    above_mm: float


def make_trial_bone(
    bone: Surface,
    contact_mm: FloatArray,
    shaft_axis: FloatArray,
    removal_direction: FloatArray,
    side: Side,
    holes: Sequence[Hole],
    lines: Sequence[str],
    shape: Trial,
    make: parts.Make = parts.make,
) -> TrialBone:
    """The piece of a bone round the guide's contact (K, 3) with its `holes`, marked with `lines` and the directions.

    NoSafeGuide where float32 leaves no sound solid of it.
    """
    outwards = unit(across(removal_direction, shaft_axis))
    axes = np.stack([np.cross(shaft_axis, outwards), shaft_axis, outwards])
    frame = RigidTransform.to_frame(np.zeros(3), axes, LPS, "trial bone")
    contact = frame.points(contact_mm)
    low, high, deep = float(contact[:, 1].min()), float(contact[:, 1].max()), float(contact[:, 2].min())
    bottom = max(low - shape.beyond_mm - ROOT_MM, _scan_end_mm(bone, shaft_axis))
    piece = _piece(bone, shaft_axis, outwards, bottom, high + shape.beyond_mm, deep - shape.beyond_mm)
    section = frame.points(to_surface(piece).vertices)
    foot, marks = _foot(section, bottom, shape.foot_mm, side, lines, frame, make)
    surface = _as_written(_one_body(piece, foot, [*map(_drilled, holes), marks.letters(make)]), bone)
    up = np.stack([axes[0], -axes[2], axes[1]])
    pose = RigidTransform(up, -(surface.vertices @ up.T).min(axis=0), LPS, PRINTER)
    return TrialBone(surface, marks, pose, low - bottom - ROOT_MM, float(section[:, 1].max()) - high)


def _scan_end_mm(bone: Surface, shaft_axis: FloatArray) -> float:
    """The height along the shaft from which on the bone is whole: the highest corner of the scan's cut."""
    end = find_scan_end(bone, shaft_axis)
    at_end = np.abs(end.above_mm(bone.vertices)) < AT_END_MM
    return float((bone.vertices[at_end] @ shaft_axis).max())


def _piece(bone: Surface, up: FloatArray, outwards: FloatArray, bottom: float, top: float, medial: float) -> Any:
    """The bone between two planes across the shaft and outside one along it; what else they cut off is left out."""
    solid = to_solid(bone.vertices, bone.faces, "the bone")
    for normal, offset in ((up, bottom), (-up, -top), (outwards, medial)):
        solid = solid.trim_by_plane(normal.tolist(), offset)
    return max(solid.decompose(), key=lambda part: part.volume())


def _foot(
    section: FloatArray, bottom: float, least_mm: float, side: Side, lines: Sequence[str], frame: RigidTransform,
    make: parts.Make,
) -> tuple[Any, Label]:  # fmt: skip
    """A plate under the piece whose corners (K, 3) are given, square to the shaft, and the marks on its outer face."""
    near = section[section[:, 1] < bottom + ROOT_MM][:, [0, 2]]
    low, high = near.min(axis=0) - FOOT_WIDER_MM, near.max(axis=0) + FOOT_WIDER_MM
    (width, depth), (x, z) = high - low, (low + high) / 2.0
    text_mm, broken = _broken([*lines, arrows(side)], width - 2.0 * (parts.PLATE_EDGE_MM + MARGIN_MM))
    height = max(least_mm, len(broken) * LINE_STEP * text_mm + 2.0 * MARGIN_MM)
    top = bottom + ROOT_MM
    back = frame.inverse()
    reading, up, outwards = back.vectors(np.eye(3))
    marks = Label(
        broken, text_mm, TEXT_DEPTH_MM, False, back.points([x, top - height / 2.0, high[1]]), reading, up, outwards,
        float(width) - 2.0 * parts.PLATE_EDGE_MM, height, float(depth),
    )  # fmt: skip
    upright = RigidTransform.to_frame(back.points([x, top, z]), np.stack([reading, -outwards, up]), LPS, "part")
    plate = part_solid(make("plate", float(width), float(depth), height), "the trial bone's foot")
    return placed(plate, upright.inverse()).refine_to_length(FINE_MM), marks


def _drilled(hole: Hole) -> Any:
    """What the drill takes away, from well outside the bone."""
    start, end = (hole.point_mm + way * hole.direction for way in (-OUTSIDE_MM, hole.depth_mm))
    return bore(start, end, hole.diameter_mm).refine_to_length(FINE_MM)


def arrows(side: Side) -> str:
    """The line that says where head and front are, as read from the side that the guide sits on with the head up."""
    return "↑PROX ←ANT" if side == "left" else "↑PROX ANT→"


def _broken(lines: Sequence[str], width_mm: float) -> tuple[float, tuple[str, ...]]:
    """The height of letters and the lines, broken where they are too long for it."""
    from PIL import ImageFont

    font = ImageFont.truetype(str(parts.font_path()), 100)
    broken: list[str] = []
    for height in TEXT_HEIGHTS_MM:
        broken = []
        for line in lines:
            broken.append("")
            for letter in line:
                if broken[-1] and font.getlength(broken[-1] + letter) * height / 100.0 > width_mm:
                    broken.append("")
                broken[-1] += letter
        if len(broken) <= FEW_LINES:
            break
    return height, tuple(broken)


def _one_body(piece: Any, foot: Any, taken: list[Any]) -> Any:
    """Bone and foot together, then the holes and the letters; chips that a hole leaves loose are dropped."""
    import manifold3d

    body = manifold3d.Manifold.batch_boolean([piece + foot, *taken], manifold3d.OpType.Subtract)
    return max(body.decompose(), key=lambda part: part.volume())


def _as_written(body: Any, bone: Surface) -> Surface:
    """The body in float32. Corners that the cuts left nearer to each other than float32 holds are made one: the bone's
    own where there is one among them, so that the bone stays as it is.
    """
    exact = _bone_first(to_surface(body), bone)
    for distance_mm in WELDS_MM:
        candidate = welded(exact, distance_mm)
        candidate = Surface(candidate.vertices.astype(np.float32), candidate.faces)
        if is_sound(candidate):
            return candidate
    surface = as_written(exact)
    if surface is None:
        raise NoSafeGuide(
            "expected a trial bone that stays a sound solid in the STL's float32, found none; report this case with "
            "its plan.json",
            rule="sound_solid",
            figures={},
        )
    return surface


def _bone_first(surface: Surface, bone: Surface) -> Surface:
    """The same surface with the corners that are the bone's own numbered first."""
    corners, own = (np.ascontiguousarray(each.vertices).view("V24").ravel() for each in (surface, bone))
    order = np.argsort(~np.isin(corners, own), kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return Surface(surface.vertices[order], number[surface.faces])

"""Pads: flats on the shell itself, that say which way is up, and what has no room beside the drill.

A pad's text runs along the shaft, towards the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, unit
from guidegen.guide import parts
from guidegen.guide.height_field import STEP_MM
from guidegen.guide.label import (
    ARROWS,
    HEIGHT_STEP_MM,
    LINE_STEP,
    MARGIN_MM,
    MOST_ASKEW_DEG,
    TO_FRONT,
    Label,
    Lines,
    alone_mm,
    plate_points,
    text_width_mm,
)
from guidegen.guide.patch import Patch
from guidegen.guide.sights import Taken
from guidegen.plan.guide_shapes import LabelShape
from guidegen.surfaces import Surface

TO_HEAD = ("PROX →",), ("PROX", "→")  # in one line, or where that has no room in two
PAD_PROUD_MM = 0.4  # the pad's face over the shell's highest point under it
PAD_ROOT_MM = 3.0  # how deep it reaches down
PAD_GRID_MM = 1.5
PAD_GAP_MM = 3.0  # between two pads: more than between the places where a pad is looked at
PAD_WIDTHS_MM = (24.0, 18.0, 12.0)  # into which a text may be broken
ARROW_WIDER = 1.15  # an arrow is finer drawn than a letter: it needs larger text to be read
FLAT_MM = 2.0, 3.0  # by which the shell may fall away under a pad, the better first
STEEPEST_DEG = 75.0  # of a pad: steeper, and it looks past the guide's edge
PAD_STEPS = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5), indexing="ij"), axis=-1).reshape(-1, 2)
LOOK_FROM_MM = 20.0


def head_pad(
    patch: Patch, bone: Surface, outside_mm: float, places: Places, taken: list[Taken], shape: LabelShape
) -> Label:
    """The pad on a flank of the shell that says which way the head of the femur is, its text along the shaft, which
    runs along y. The shell's outside lies `outside_mm` over the bone. NoSafeGuide where there is no room for it.
    """
    pad = _first_pad(patch, bone, TO_HEAD, outside_mm, places, taken, shape)
    if pad is None:
        raise NoSafeGuide(
            "expected room on the shell for an arrow to the head of the femur, beside letters of "
            f"{pad_text_mm(shape):g} mm, found none; choose a larger footprint, or a printer of finer detail",
            rule="label",
            figures={},
        )
    return pad


def text_pad(
    patch: Patch, bone: Surface, lines_of: Lines, outside_mm: float, places: Places, taken: list[Taken],
    shape: LabelShape,
) -> Label | None:  # fmt: skip
    """A pad on a flank of the shell for a text, read along the shaft too; None where there is no room for it."""
    broken_ways = dict.fromkeys(lines_of(pad_text_mm(shape), width) for width in PAD_WIDTHS_MM)
    return _first_pad(patch, bone, tuple(broken_ways), outside_mm, places, taken, shape)


def under_pad(pad: Label, outside_mm: float) -> Taken:
    """The bone under a pad, which no other pad may come near."""
    return Taken(plate_points(pad) - (outside_mm + PAD_PROUD_MM) * pad.outward_direction, PAD_GAP_MM)


def pad_text_mm(shape: LabelShape) -> float:
    """The least height of letters on a pad."""
    return min(ARROW_WIDER * shape.least_text_height_mm, shape.text_height_mm)


def _first_pad(
    patch: Patch, bone: Surface, ways: Sequence[tuple[str, ...]], outside_mm: float, places: Places,
    taken: list[Taken], shape: LabelShape,
) -> Label | None:  # fmt: skip
    """The pad that lies flat enough, with the first of the ways to break its text for which there is room."""
    for flat_mm in FLAT_MM:
        for lines in ways:
            pad = _pad(patch, bone, lines, outside_mm, places, flat_mm, taken, shape)
            if pad is not None:
                return pad
    return None


@dataclass(frozen=True, eq=False)
class Lean:
    """How a pad must lean, since a guide is printed with its bone side up and a pad that looked down would be propped
    up: away from `down` (3,) in print by `least_deg` or more.
    """

    down: FloatArray
    least_deg: float


@dataclass(frozen=True, eq=False)
class Places:
    """Points (K, 3) of the patch and the outward directions across the shaft (K, 3) that a pad would face there; the
    wires' holes, by points (N, 3) along them and their radius: they are cut through pads, but not through letters; and
    what stands on the shell, which must hide none.
    """

    points_mm: FloatArray
    outwards: FloatArray
    holes_mm: FloatArray
    hole_radius_mm: float
    standing: tuple[Taken, ...]

    @property
    def ups(self) -> FloatArray:
        """Upwards (K, 3) on the pad."""
        return np.cross(self.outwards, np.array([0.0, 1.0, 0.0]))

    def along(self, way: FloatArray) -> Places:
        """Those where upwards is at most MOST_ASKEW_DEG off a unit vector (3,)."""
        there = self.ups @ way >= np.cos(np.radians(MOST_ASKEW_DEG))
        return replace(self, points_mm=self.points_mm[there], outwards=self.outwards[there])

    def is_cut(self, face_mm: FloatArray, outward: FloatArray, half_mm: FloatArray) -> bool:
        """Whether a hole runs through letters on a pad: the middle (3,) of its face, where that looks, and half of the
        letters' size (2,), along the shaft and across it.
        """
        along = np.array([0.0, 1.0, 0.0])
        relative, reach = self.holes_mm - face_mm, half_mm + self.hole_radius_mm
        over = (np.abs(relative @ along) < reach[0]) & (np.abs(relative @ np.cross(outward, along)) < reach[1])
        return bool((over & (relative @ outward < self.hole_radius_mm)).any())

    def is_hidden(self, face_mm: FloatArray, outward: FloatArray, half_mm: FloatArray) -> bool:
        """Whether something stands before letters on a pad, as who looks straight at it sees them."""
        along = np.array([0.0, 1.0, 0.0])
        flat = np.stack([along, np.cross(outward, along)])
        for other in self.standing:
            relative = other.points_mm - face_mm
            behind = np.maximum(-(relative @ outward), 0.0)  # of a ball round a point, what is before the face
            beside2 = (np.maximum(np.abs(relative @ flat.T) - half_mm, 0.0) ** 2).sum(axis=1)
            if ((behind < other.radius_mm) & (beside2 < other.radius_mm**2 - behind**2)).any():
                return True
        return False


def _pad(
    patch: Patch, bone: Surface, lines: tuple[str, ...], outside_mm: float, places: Places, flat_mm: float,
    taken: list[Taken], shape: LabelShape,
) -> Label | None:  # fmt: skip
    """The pad with the largest text that finds room; None for none."""
    largest, least = shape.text_height_mm, pad_text_mm(shape)
    if any(line in (*ARROWS, *TO_FRONT) for line in lines):
        largest = least = alone_mm(shape)
    for height in np.arange(largest, least - 1e-9, -HEIGHT_STEP_MM):
        width = max(text_width_mm(line, float(height)) for line in lines) + 2.0 * MARGIN_MM
        tall = len(lines) * LINE_STEP * float(height) + 2.0 * MARGIN_MM
        half = np.array([width, tall]) / 2.0 + parts.PLATE_EDGE_MM
        spot = _flattest_spot(patch, bone, places, half, flat_mm, outside_mm, taken)
        if spot is not None:
            base, outward, rough = spot
            up = np.cross(outward, np.array([0.0, 1.0, 0.0]))
            return Label(
                lines, float(height), shape.depth_mm, shape.raised, base + (outside_mm + PAD_PROUD_MM) * outward,
                np.array([0.0, 1.0, 0.0]), up, outward, float(width), float(tall), PAD_ROOT_MM + rough,
            )  # fmt: skip
    return None


def _flattest_spot(
    patch: Patch, bone: Surface, places: Places, half_mm: FloatArray, flat_mm: float, outside_mm: float,
    taken: list[Taken],
) -> tuple[FloatArray, FloatArray, float] | None:  # fmt: skip
    """The place where a pad lies flattest: the highest point (3,) of the bone under it, its direction, and how far the
    bone falls away; None where it falls away by more than asked everywhere.
    """
    best: tuple[FloatArray, FloatArray, float] | None = None
    along = PAD_STEPS[:, :1] * half_mm[0] * np.array([0.0, 1.0, 0.0])
    corners = places.points_mm[:, None] + along + PAD_STEPS[:, 1:] * half_mm[1] * places.ups[:, None]
    outwards = np.repeat(places.outwards, len(PAD_STEPS), axis=0)
    ways, _ = bone.ray_hits(corners.reshape(-1, 3) + LOOK_FROM_MM * outwards, -outwards)
    ways = ways.reshape(corners.shape[:2])
    for k in np.flatnonzero(np.isfinite(ways).all(axis=1)):
        point, outward, below = places.points_mm[k], places.outwards[k], ways[k] - LOOK_FROM_MM
        rough = float(np.ptp(below))
        if rough > min(flat_mm, best[2] if best else np.inf):
            continue
        on_bone = corners[k] - below[:, None] * outward
        if patch.edge_distance_mm(on_bone).min() < 0.0 or _meets(on_bone, taken):
            continue
        base = point - float(below.min()) * outward
        letters = half_mm - parts.PLATE_EDGE_MM - MARGIN_MM
        face = base + (outside_mm + PAD_PROUD_MM) * outward
        if places.is_cut(face, outward, letters) or places.is_hidden(face, outward, letters):
            continue
        best = (base, outward, rough)
    return best


def flank_places(
    patch: Patch, lean: Lean, holes_mm: FloatArray, hole_radius_mm: float, standing: tuple[Taken, ...]
) -> Places:
    """The places of the patch whose outward direction across the shaft leans as asked."""
    from scipy import ndimage

    field = patch.field
    calm = ndimage.gaussian_filter(field.height_mm, PAD_GRID_MM / STEP_MM)
    slope = np.gradient(calm, STEP_MM, axis=0)
    step = round(PAD_GRID_MM / STEP_MM)
    coarse = np.zeros_like(patch.bears)
    coarse[::step, ::step] = True
    i, j = np.argwhere(patch.bears & coarse & (np.abs(slope) <= np.tan(np.radians(STEEPEST_DEG)))).T
    points = np.stack([field.x_mm[i], field.y_mm[j], field.height_mm[i, j]], axis=1)
    outwards = unit(np.stack([-slope[i, j], np.zeros(len(i)), np.ones(len(i))], axis=1))
    leans = outwards @ lean.down <= np.cos(np.radians(lean.least_deg))
    return Places(points[leans], outwards[leans], holes_mm, hole_radius_mm, standing)


def _meets(points: FloatArray, taken: list[Taken]) -> bool:
    """Whether any of the points (K, 3) on the bone lies under what is taken, seen along the removal direction."""
    return any(
        bool((np.linalg.norm(points[:, None, :2] - other.points_mm[None, :, :2], axis=2) < other.radius_mm).any())
        for other in taken
    )

"""The three pictures a surgeon judges a guide by: how it sits, where the tunnel runs, how it touches the bone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, across, unit
from guidegen.rounded import shown
from guidegen.show.canvas import SHEET, Colour, Sheet, View
from guidegen.show.lettering import tell
from guidegen.show.stage import MATT, PLAIN, SATIN, Stage, colour_scale, glass, rod, sharp, smooth
from guidegen.surfaces import Surface

IVORY: Colour = (233, 222, 196)
PARCHMENT: Colour = (214, 198, 160)
TEAL: Colour = (32, 140, 141)
RED: Colour = (200, 52, 42)
BLUE: Colour = (38, 84, 160)
VIOLET: Colour = (126, 62, 158)
STEEL: Colour = (92, 98, 108)
SLATE: Colour = (70, 78, 90)
GREY: Colour = (205, 208, 212)

# What is kept out, in the legends.
KEPT_OUT = ("Kept out", VIOLET)

# The colours of a gap: below 0, and at these multiples of the asked clearance; and of what is no contact. In black and
# white they go from dark to light: in the bone, wide, as asked, touching, no contact.
IN_BONE: Colour = (112, 0, 22)
GAP_STOPS = np.array([0.0, 0.5, 1.0, 3.0])
GAP_COLOURS = np.array([(255, 202, 84), (178, 208, 112), (56, 172, 154), (64, 104, 172)], dtype=np.float64)
FREE: Colour = (238, 240, 243)

# A face belongs to the contact side up to this much more than the asked clearance from the bone.
CONTACT_REACH_MM = 1.5

# A face looks at the bone if the cosine between its normal and the removal direction is below this.
LOOKS_AWAY = -0.05

# How much of a wire, of the shaft below the lesser trochanter and of the axes beyond the bone is shown.
WIRE_OUTSIDE_MM = 18.0
BELOW_MM = 12.0
BEYOND_MM = 15.0


def draw_pictures(
    *,
    patient_id: str,
    bone: Surface,
    lesion: Surface | None,
    keep_out: Surface | None,
    guide: Surface,
    anatomy: Anatomy,
    tunnels: Sequence[Mapping[str, Any]],
    pins: Sequence[Mapping[str, Any]],
    wire_depth_mm: float,
    removal_direction: npt.ArrayLike,
    clearance_mm: float,
) -> dict[str, bytes]:
    """guide.png, tunnel.png and contact.png: 1200 × 900, true to scale, all arguments in LPS mm.

    `tunnels` and `pins` are those of plan.json (entry_mm, target_mm, diameter_mm; point_mm,
    direction, wire_diameter_mm); `wire_depth_mm` is how deep the wires stand in the bone.
    The same arguments give the same bytes on the same machine.
    """
    removal = unit(removal_direction)
    directions = {
        ("PROX", "DIST"): anatomy.shaft_axis,
        ("LAT", "MED"): anatomy.lateral,
        ("POST", "ANT"): anatomy.posterior,
    }
    with closing(Stage()) as stage:
        sheets = {
            "guide.png": _guide_on_bone(stage, bone, keep_out, guide, anatomy, removal),
            "tunnel.png": _tunnel_in_bone(stage, bone, lesion, keep_out, anatomy, tunnels, pins, wire_depth_mm),
            "contact.png": _contact_side(stage, bone, guide, anatomy, removal, clearance_mm),
        }
    subjects = {
        "guide.png": "The guide on the bone, seen from outside and a little from the front",
        "tunnel.png": "Tunnel and wires in the see-through bone, seen from the front",
        "contact.png": "The contact side of the guide, seen from inside the bone",
    }
    for name, sheet in sheets.items():
        sheet.title(patient_id, anatomy.side, subjects[name])
        sheet.scale_bar()
        sheet.marks(directions)
    return {name: sheet.png() for name, sheet in sheets.items()}


def gap_colours(gap_mm: npt.ArrayLike, clearance_mm: float) -> npt.NDArray[np.uint8]:
    """The colours (K, 3) of the gaps (K,)."""
    gap = np.asarray(gap_mm, dtype=np.float64)
    colours = [np.interp(gap, GAP_STOPS * clearance_mm, channel) for channel in GAP_COLOURS.T]
    return np.where(gap[:, None] < 0.0, IN_BONE, np.stack(colours, axis=1).round()).astype(np.uint8)


def _guide_on_bone(
    stage: Stage,
    bone: Surface,
    keep_out: Surface | None,
    guide: Surface,
    anatomy: Anatomy,
    removal: FloatArray,
) -> Sheet:
    """The bone with the guide on it, from the side the guide comes off to, a little from the front and above."""
    proximal, anterior = anatomy.shaft_axis, -anatomy.posterior
    toward = unit(removal + 0.25 * anterior + 0.2 * proximal)
    head = _circle(anatomy.head_center_mm, anatomy.head_radius_mm, toward, proximal)
    view = View.fitted(toward, proximal, np.concatenate([head, guide.vertices]))
    stage.add(smooth(bone), MATT, IVORY)
    stage.add(sharp(guide.vertices, guide.faces), SATIN, TEAL)
    if keep_out is not None:
        stage.add(smooth(keep_out), MATT, VIOLET)
    sheet = Sheet(stage.rendered(view, deepened=True), view)
    sheet.legend([("Guide", TEAL), ("Bone", IVORY)] + [KEPT_OUT] * (keep_out is not None))
    return sheet


def _tunnel_in_bone(
    stage: Stage,
    bone: Surface,
    lesion: Surface | None,
    keep_out: Surface | None,
    anatomy: Anatomy,
    tunnels: Sequence[Mapping[str, Any]],
    pins: Sequence[Mapping[str, Any]],
    wire_depth_mm: float,
) -> Sheet:
    """Tunnels, wires and lesion in the see-through bone, square to the plane of neck and shaft."""
    proximal, anterior = anatomy.shaft_axis, -anatomy.posterior
    head = _circle(anatomy.head_center_mm, anatomy.head_radius_mm, anterior, proximal)
    landmarks = np.stack([anatomy.greater_trochanter_mm, anatomy.lesser_trochanter_mm - BELOW_MM * proximal])
    tunnel_ends = np.array([[tunnel["entry_mm"], tunnel["target_mm"]] for tunnel in tunnels]).reshape(-1, 3)
    reach = np.array([-WIRE_OUTSIDE_MM, wire_depth_mm])
    wires = [pin["point_mm"] + np.outer(reach, unit(pin["direction"])) for pin in pins]
    view = View.fitted(anterior, proximal, np.concatenate([head, landmarks, tunnel_ends, *wires]))
    for tunnel in tunnels:
        stage.add(rod(tunnel["entry_mm"], tunnel["target_mm"], tunnel["diameter_mm"]), SATIN, BLUE)
    for pin, ends in zip(pins, wires, strict=True):
        stage.add(rod(ends[0], ends[1], pin["wire_diameter_mm"]), SATIN, STEEL)
    if lesion is not None:
        stage.add(smooth(lesion), MATT, RED, opacity=0.6)
    if keep_out is not None:
        stage.add(smooth(keep_out), MATT, VIOLET, opacity=0.6)
    stage.add(glass(bone, view, PARCHMENT), MATT)
    sheet = Sheet(stage.rendered(view), view)
    sheet.line(view.pixels(head), SLATE, 2.0)
    for axis in _axes(anatomy, tunnel_ends):
        sheet.dashes(view.pixels(axis), SLATE, 2.0)
    sheet.legend(
        [("Tunnel", BLUE)]
        + [("Lesion", RED)] * (lesion is not None)
        + [("Wire", STEEL)] * bool(pins)
        + [KEPT_OUT] * (keep_out is not None)
        + [("Head sphere, neck and shaft axes" if keep_out is None else "Sphere and axes", SLATE)]
    )
    return sheet


def _contact_side(
    stage: Stage,
    bone: Surface,
    guide: Surface,
    anatomy: Anatomy,
    removal: FloatArray,
    clearance_mm: float,
) -> Sheet:
    """The guide from the bone's side, its contact side coloured by the distance of its vertices from the bone."""
    view = View.fitted(-removal, anatomy.shaft_axis, guide.vertices)
    contact, gap_mm = _contact_faces(bone, guide, removal, clearance_mm + CONTACT_REACH_MM)
    gaps = _gap_range(clearance_mm)
    scale = colour_scale(gap_colours(gaps, clearance_mm), gaps[0], gaps[-1])
    stage.add(sharp(guide.vertices, guide.faces[contact], gap_mm), PLAIN, scale=scale)
    stage.add(sharp(guide.vertices, guide.faces[~contact]), PLAIN, FREE)
    sheet = Sheet(stage.rendered(view), view)
    _gap_bar(sheet, clearance_mm)
    return sheet


def _contact_faces(
    bone: Surface, guide: Surface, removal: FloatArray, reach_mm: float
) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """The faces (M,) of the guide that look at the bone from within `reach_mm`, and the gap (N,) at their vertices."""
    looks_at_bone = guide.face_normals @ removal < LOOKS_AWAY
    vertices = np.unique(guide.faces[looks_at_bone])
    gap_mm = np.full(len(guide.vertices), reach_mm)
    gap_mm[vertices] = bone.signed_distance_mm(guide.vertices[vertices])
    return looks_at_bone & (gap_mm[guide.faces] < reach_mm).all(axis=1), gap_mm


def _gap_range(clearance_mm: float) -> FloatArray:
    """The gaps (K,) that the colour bar shows, evenly, with one that is exactly 0."""
    return np.asarray(np.arange(-90, 100 * GAP_STOPS[-1] + 1) / 100.0 * clearance_mm)


def _gap_bar(sheet: Sheet, clearance_mm: float) -> None:
    """The colours of the gap along the lower edge, the asked clearance marked, and the grey of all else."""
    left, length, y = 190.0, 560.0, SHEET[1] - 60.0
    gaps = _gap_range(clearance_mm)
    column = length / len(gaps)
    for number, (red, green, blue) in enumerate(gap_colours(gaps, clearance_mm).tolist()):
        x = left + number * column
        sheet.box((x, y - 14), (x + column, y + 14), (red, green, blue))
    sheet.box((left + length + 30, y - 14), (left + length + 110, y + 14), FREE)
    sheet.text((40, y), tell("Gap, mm"), 28.0)
    zero, _, asked, widest = (left + column * np.searchsorted(gaps, GAP_STOPS * clearance_mm)).tolist()
    for x in (zero, asked, widest):
        sheet.line([(x, y - 14), (x, y + 20)], SLATE, 2.0)
    for x, words in (
        ((left + zero) / 2.0, "in bone"),
        (zero + 12, "0"),
        (asked, f"{shown(clearance_mm, 2)} asked"),
        (widest - 10, shown(GAP_STOPS[-1] * clearance_mm, 2)),
        (left + length + 70, "free"),
    ):
        sheet.text((x, y + 38), tell(words), 26.0, anchor="mm")


def _circle(center_mm: FloatArray, radius_mm: float, normal: FloatArray, first: FloatArray) -> FloatArray:
    """A closed circle (181, 3) across `normal`, beginning about where `first` points."""
    up = unit(across(first, normal))
    angles = np.linspace(0.0, 2.0 * np.pi, 181)
    return np.asarray(
        center_mm + radius_mm * (np.outer(np.cos(angles), up) + np.outer(np.sin(angles), np.cross(normal, up)))
    )


def _axes(anatomy: Anatomy, tunnel_ends_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The ends (2, 3) of the neck axis and of the shaft axis as drawn, a little beyond the bone."""
    neck, shaft = anatomy.neck_isthmus_center_mm, anatomy.shaft_point_mm
    along_neck = (np.vstack([tunnel_ends_mm, anatomy.head_center_mm]) - neck) @ anatomy.neck_axis
    reach = [along_neck.min() - BEYOND_MM, along_neck.max() + anatomy.head_radius_mm + BEYOND_MM]
    top = (anatomy.greater_trochanter_mm - shaft) @ anatomy.shaft_axis + BEYOND_MM
    return neck + np.outer(reach, anatomy.neck_axis), shaft + np.outer([top - 1000.0, top], anatomy.shaft_axis)

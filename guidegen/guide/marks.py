"""Which mark stands where: whose guide it is, what it was made for, and beside each sleeve which tunnel it drills.

A mark stands on the flank of a sleeve or a socket; where that has no room, on a pad of its own on the shell. What an
insert drills stands on the insert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, rotation_about
from guidegen.guide.label import (
    PAD_GAP_MM,
    WIDEST_PLATE_MM,
    Flank,
    Label,
    Lean,
    Text,
    flank_plate,
    on_tunnel,
    pad_for,
    pad_points,
    what_for,
    whose,
)
from guidegen.guide.order import Order
from guidegen.guide.patch import Patch
from guidegen.guide.sights import Taken
from guidegen.guide.stands import Stand, Standing, Way, upper_side
from guidegen.plan.instruments import depth_reading_mm
from guidegen.surfaces import Surface

ROUND_SLEEVE_DEG = 105.0  # from the upper side, where the axis mark is, to the plates on both sides
OUTSIDE_MM = 60.0  # over a sleeve's top, where a stop comes down past a neighbour's plate

Spot = tuple[int, float]  # a stand by its number, and the turn about it from its upper side


@dataclass(frozen=True)
class Identity:
    """What is written on a guide: whose it is, and which plan it was made for."""

    patient_id: str
    revision: str
    plan_hash: str


@dataclass(frozen=True)
class Mark:
    """A text, and the flanks that it may stand on, the best first."""

    text: Text
    spots: tuple[Spot, ...]


def marks_of(standing: Standing, ways: Sequence[Way], identity: Identity, side: str, order: Order) -> list[Mark]:
    """All that must be said on a guide. On one sleeve or a socket it stands on both flanks; of several sleeves each
    says which tunnel it drills, on the flank that looks away from the others, and the rest stands where one is left.
    """
    on_whom = whose(identity.patient_id, side)
    tunnels = [
        on_tunnel(number + 1, order.sizes.drill_mm, depth_reading_mm(standing.offset_mm(number), way.length_mm))
        for number, way in enumerate(ways)
    ]
    if len(standing.stands) > 1:
        spots = [_spots(standing, number) for number in range(len(ways))]
        each = [Mark(Text(lines, "", ()), own) for lines, own in zip(tunnels, spots, strict=True)]
        anywhere = tuple(spot for own in spots for spot in own)
        return [*each, Mark(on_whom, anywhere), Mark(what_for((), identity.revision, identity.plan_hash), anywhere)]
    about = () if standing.socket is not None else tunnels[0]
    on_what = what_for(about, identity.revision, identity.plan_hash)
    return [Mark(on_whom, ((0, ROUND_SLEEVE_DEG),)), Mark(on_what, ((0, -ROUND_SLEEVE_DEG),))]


def _spots(standing: Standing, number: int) -> tuple[Spot, Spot]:
    """Both flanks of a sleeve, first the one that looks away from the others."""
    axis = standing.stands[number].tube.axis
    tops = [stand.tube.at(stand.tube.top_mm) for stand in standing.stands]
    others = np.mean([top for k, top in enumerate(tops) if k != number], axis=0)
    away = tops[number] - others
    turns = (ROUND_SLEEVE_DEG, -ROUND_SLEEVE_DEG)
    first = max(turns, key=lambda turn: float(_face(axis, turn) @ away))
    return (number, first), (number, -first)


def _face(axis: FloatArray, turn_deg: float) -> FloatArray:
    return np.asarray(rotation_about(axis, turn_deg) @ upper_side(axis))


def plates_of(marks: Sequence[Mark], standing: Standing, bone: Surface, order: Order) -> tuple[list[Label], list[Text]]:
    """The plates on flanks, and the texts that find none; all in the guide's frame, in which the bone is too."""
    plates: list[Label] = []
    left: list[Text] = []
    free = [spot for mark in marks for spot in mark.spots]
    for mark in marks:
        for spot in (spot for spot in mark.spots if spot in free):
            plate = flank_plate(_flank(standing.stands[spot[0]], spot[1], bone, order), mark.text, order.template.label)
            if plate is not None and _is_clear(plate, standing, spot[0], order):
                plates.append(plate)
                free = [other for other in free if other != spot]
                break
        else:
            left.append(mark.text)
    return plates, left


def _flank(stand: Stand, turn_deg: float, bone: Surface, order: Order) -> Flank:
    start = stand.tube.top_mm + order.template.sleeve.collar_height_mm + stand.shoulder_mm
    return Flank(stand.tube, stand.flank_mm, _face(stand.tube.axis, turn_deg), bone, order.outside_mm, start)


def _is_clear(plate: Label, standing: Standing, own: int, order: Order) -> bool:
    """Whether a plate leaves room for what stands beside its sleeve, and for the stops that come down there."""
    face = pad_points(plate)
    points = np.concatenate([face, face - plate.thickness_mm * plate.outward_direction])
    for number, stand in enumerate(standing.stands):
        if number == own:
            continue
        tube = stand.tube
        along = np.clip((points - tube.point_mm) @ tube.axis, tube.top_mm - OUTSIDE_MM, tube.sunk_to_mm)
        away = np.linalg.norm(points - tube.point_mm - along[:, None] * tube.axis, axis=1).min()
        if away < max(stand.collar_mm, order.stop.outer_diameter_mm) / 2.0 + order.apart_mm:
            return False
    return True


def pads_of(
    texts: Sequence[Text], patch: Patch, bone: Surface, lean: Lean, taken: Sequence[Taken], order: Order
) -> list[Label]:
    """A pad on the shell for each text. NoSafeGuide where one finds no room."""
    shape, pads = order.template.label, list[Label]()
    for text in texts:
        beside = [*taken, *(Taken(pad_points(pad), PAD_GAP_MM) for pad in pads)]
        tries = (pad_for(patch, bone, lines, order.outside_mm, lean, beside, shape) for lines in text.ways())
        pad = next((pad for pad in tries if pad is not None), None)
        if pad is None:
            raise NoSafeGuide(
                f"expected room for {str(text)!r} in letters of at least {shape.least_text_height_mm:g} mm on a plate "
                f"of {WIDEST_PLATE_MM:g} mm beside the drill or on a pad on the shell, found none; use a shorter id or "
                "a larger footprint",
                rule="label",
                figures={"characters": float(len(str(text)))},
            )
        pads.append(pad)
    return pads

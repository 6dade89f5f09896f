"""Which mark stands where: whose guide it is, what it was made for, and beside each sleeve which tunnel it drills.

A mark stands on the flank of a sleeve or a socket; where that has no room, on a pad of its own on the shell. What an
insert drills stands on the insert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, rotation_about
from guidegen.guide.label import (
    MOST_ASKEW_DEG,
    TO_FRONT,
    WIDEST_PLATE_MM,
    Flank,
    Label,
    Lines,
    alone_mm,
    flank_plate,
    on_tunnel,
    on_whom,
    plate_points,
    to_front,
    what_for,
    which_plan,
    whose,
)
from guidegen.guide.order import Order
from guidegen.guide.pads import Places, pad_text_mm, text_pad, under_pad
from guidegen.guide.patch import Patch
from guidegen.guide.sights import Taken
from guidegen.guide.stands import Stand, Standing, Way, upper_side
from guidegen.plan.instruments import depth_reading_mm
from guidegen.surfaces import Surface

# From the upper side of a stand, where the axis mark is, to the plates on both sides: the first prints best, the others
# lie higher over the shell.
ROUND_STAND_DEG = (105.0, 90.0, 75.0)
OUTSIDE_MM = 60.0  # over a sleeve's top, where a stop comes down past a neighbour's plate

Side = tuple[int, float]  # a stand by its number, and on which side of it: 1 or -1, the sense of the turn


@dataclass(frozen=True)
class Identity:
    """What is written on a guide: whose it is, and which plan it was made for."""

    patient_id: str
    revision: str
    plan_hash: str


@dataclass(frozen=True, eq=False)
class Mark:
    """A text, and the sides of stands that it may stand on, the best first. `said` gives its lines for letters of a
    height, in a width; where it shows the front, it asks for the arrow before them. `parts`: what to say instead, where
    it finds no room in one.
    """

    said: Callable[..., tuple[str, ...]]
    sides: tuple[Side, ...]
    shows_front: bool = False
    parts: tuple[Mark, ...] = ()

    def lines(self, front_is_up: bool) -> Lines:
        """Its lines where the front of the patient is upwards, or downwards."""
        return partial(self.said, TO_FRONT[0 if front_is_up else 1]) if self.shows_front else self.said


def marks_of(
    standing: Standing, ways: Sequence[Way], identity: Identity, side: str, front: FloatArray, order: Order
) -> list[Mark]:
    """All that must be said on a guide whose patient's front is there (3,). On one sleeve or a socket it stands on both
    sides, the patient where an arrow shows the front best; of several sleeves each says which tunnel it drills, on the
    side that looks away from the others, and the rest stands where one is left.
    """
    plan = (identity.revision, identity.plan_hash)
    sides = [(number, turn) for number in range(len(standing.stands)) for turn in (1.0, -1.0)]
    shown = sorted(sides, key=lambda each: abs(float(_face(standing, each, ROUND_STAND_DEG[0]) @ front)))
    figures = [
        (number + 1, order.sizes.drill_mm, depth_reading_mm(standing.offset_mm(number), way.length_mm))
        for number, way in enumerate(ways)
    ]
    if len(standing.stands) > 1:
        numbers = range(len(ways))
        each = [Mark(partial(on_tunnel, *figures[number]), _outer_first(standing, number)) for number in numbers]
        return [*each, _whose(identity, side, tuple(shown), len(shown)), Mark(partial(which_plan, *plan), tuple(sides))]
    about = partial(what_for, *figures[0], *plan) if standing.socket is None else partial(which_plan, *plan)
    return [_whose(identity, side, tuple(shown), most=1), Mark(about, (shown[1], shown[0]))]


def _whose(identity: Identity, side: str, shown: tuple[Side, ...], most: int) -> Mark:
    """The patient with an arrow to the front on one of so many sides, else each on its own."""
    patient = (identity.patient_id, side)
    parts = (Mark(partial(on_whom, *patient), shown), Mark(to_front, shown, True))
    return Mark(partial(whose, *patient), shown[:most], True, parts)


def _outer_first(standing: Standing, number: int) -> tuple[Side, Side]:
    """Both sides of a sleeve, first the one that looks away from the others."""
    tops = [stand.tube.at(stand.tube.top_mm) for stand in standing.stands]
    away = tops[number] - np.mean([top for other, top in enumerate(tops) if other != number], axis=0)
    outer = max((1.0, -1.0), key=lambda turn: float(_face(standing, (number, turn), ROUND_STAND_DEG[0]) @ away))
    return (number, outer), (number, -outer)


def _face(standing: Standing, side: Side, turn_deg: float) -> FloatArray:
    axis = standing.stands[side[0]].tube.axis
    return np.asarray(rotation_about(axis, side[1] * turn_deg) @ upper_side(axis))


def plates_of(
    marks: Sequence[Mark], standing: Standing, front: FloatArray, bone: Surface, order: Order
) -> tuple[list[Label], list[Mark]]:
    """The plates on stands, and the marks that find no room there; all in the guide's frame, as the bone is."""
    plates: list[Label] = []
    left: list[Mark] = []
    used: set[Side] = set()
    waiting = list(marks)
    while waiting:
        mark = waiting.pop(0)
        for side in (side for side in mark.sides if side not in used):
            plate = _plate(mark, side, standing, front, bone, order)
            if plate is not None:
                plates.append(plate)
                used.add(side)
                break
        else:
            waiting = [*mark.parts, *waiting]
            left += [] if mark.parts else [mark]
    return plates, left


def _plate(mark: Mark, side: Side, standing: Standing, front: FloatArray, bone: Surface, order: Order) -> Label | None:
    """The mark on one side of a stand; None where it finds no room, or no arrow tells where the front is."""
    stand = standing.stands[side[0]]
    flanks = [_flank(stand, _face(standing, side, turn), bone, order) for turn in ROUND_STAND_DEG]
    if mark.shows_front:
        flanks = [flank for flank in flanks if flank.off_deg(front) <= MOST_ASKEW_DEG]
    if not flanks:
        return None
    lines_of = mark.lines(front_is_up=bool(flanks[0].up @ front > 0.0))
    others = [other for number, other in enumerate(standing.stands) if number != side[0]]
    return flank_plate(flanks, lines_of, lambda plate: _is_clear(plate, others, order), order.label)


def _flank(stand: Stand, face: FloatArray, bone: Surface, order: Order) -> Flank:
    start = stand.tube.top_mm + order.template.sleeve.collar_height_mm + stand.shoulder_mm
    return Flank(stand.tube, stand.flank_mm, face, bone, order.outside_mm, start)


def _is_clear(plate: Label, others: Sequence[Stand], order: Order) -> bool:
    """Whether a plate leaves room for what stands beside its sleeve, and for the stops that come down there."""
    face = plate_points(plate)
    points = np.concatenate([face, face - plate.thickness_mm * plate.outward_direction])
    for stand in others:
        tube = stand.tube
        along = np.clip((points - tube.point_mm) @ tube.axis, tube.top_mm - OUTSIDE_MM, tube.sunk_to_mm)
        away = np.linalg.norm(points - tube.point_mm - along[:, None] * tube.axis, axis=1).min()
        if away < max(stand.collar_mm, order.stop.outer_diameter_mm) / 2.0 + order.apart_mm:
            return False
    return True


def pads_of(
    marks: Sequence[Mark], patch: Patch, bone: Surface, front: FloatArray, places: Places, taken: Sequence[Taken],
    order: Order,
) -> list[Label]:  # fmt: skip
    """A pad on the shell for each mark. NoSafeGuide where one finds no room."""
    shape, pads = order.label, list[Label]()
    for mark in marks:
        beside = [*taken, *(under_pad(pad, order.outside_mm) for pad in pads)]
        front_is_up = bool(front[0] < 0.0)
        fitting = places.along(front if front_is_up else -front) if mark.shows_front else places
        lines_of = mark.lines(front_is_up)
        pad = text_pad(patch, bone, lines_of, order.outside_mm, fitting, beside, shape)
        if pad is None:
            said = " ".join(lines_of(shape.least_text_height_mm, np.inf))
            raise NoSafeGuide(
                f"expected room for {said!r} beside the drill, on a plate of {WIDEST_PLATE_MM:g} mm with letters of at "
                f"least {shape.least_text_height_mm:g} mm, or on a pad on the shell with letters of "
                f"{pad_text_mm(shape):g} mm ({alone_mm(shape):g} mm where an arrow stands alone), found none; use a "
                "shorter id, a larger footprint, another entry, or a printer of finer detail",
                rule="label",
                figures={"characters": float(len(said))},
            )
        pads.append(pad)
    return pads

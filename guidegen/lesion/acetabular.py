"""The types that look at the head against the pelvis, for one pose of the hip, with their doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray
from guidegen.lesion.arcs import Arc, arc_of
from guidegen.lesion.definitions import Definitions
from guidegen.lesion.doubt import moved_frames, plane_offsets_mm
from guidegen.lesion.grade import Grade, Measured
from guidegen.lesion.head_frame import FAN_STEP_DEG, HeadFrame, fan
from guidegen.lesion.location_types import (
    ARCO_2021,
    ARCO_2021_TYPES,
    CJFH,
    CJFH_TYPES,
    JIC,
    JIC_TYPES,
    Pillars,
    arco_2021_type,
    cjfh_type,
    jic_type,
    pillars,
)
from guidegen.lesion.necrotic_surface import Necrosis, necrotic
from guidegen.lesion.pelvis import Acetabulum, acetabulum, near_head
from guidegen.volumes import Volume

Pose = Literal["as scanned", "neutral"]

NO_ARC = "the mid-coronal plane shows no necrosis of the joint surface"


@dataclass(frozen=True)
class AcetabularGrades:
    """JIC, ARCO 2021 and CJFH on the mid-coronal plane of the pelvis, the hip as scanned or turned to neutral.

    Angles from straight up, positive to medial: the lateral margin of the necrosis, the acetabular edge and the begin
    of the weight-bearing arc; `weight_bearing_arc_share` is the necrotic share of that arc.
    """

    pose: Pose
    lateral_margin_deg: Measured
    acetabular_edge_deg: Measured
    weight_bearing_start_deg: Measured
    weight_bearing_arc_share: Measured
    jic: Grade
    arco_2021: Grade
    cjfh: Grade


@dataclass(frozen=True, eq=False)
class Reading:
    """One coronal plane, read: the necrotic arc, the acetabulum or why there is none, and what of both is necrotic.

    `shares` are those of the pillars: as outlined, and with the border of the lesion moved out and in by its doubt.
    """

    arc: Arc | None
    socket: Acetabulum | str
    arc_share: float
    shares: tuple[Pillars, ...]


@dataclass(frozen=True, eq=False)
class CoronalPlane:
    """A coronal plane of the pelvis: the head centre (3,), how far in front of it, and the acetabulum on it."""

    center_mm: FloatArray
    offset_mm: float
    socket: Acetabulum | str


def coronal_planes(pelvis: Volume, pelvic: HeadFrame, definitions: Definitions) -> tuple[CoronalPlane, ...]:
    """The mid-coronal plane of the pelvis, and those with the head centre and the plane moved by their doubt."""
    crop = near_head(pelvis, pelvic)
    return tuple(
        CoronalPlane(moved.center_mm, offset_mm, acetabulum(crop, moved, offset_mm))
        for moved in moved_frames(pelvic, definitions)
        for offset_mm in plane_offsets_mm(definitions)
    )


def acetabular_grades(
    necrosis: Necrosis, planes: tuple[CoronalPlane, ...], frame: HeadFrame, pose: Pose
) -> AcetabularGrades:
    """The three types in one pose of the hip; `frame` is that of the pelvis as the femur meets it in that pose."""
    readings = [_reading(necrosis, replace(frame, center_mm=plane.center_mm), plane) for plane in planes]
    first = readings[0]
    no_socket = first.socket if isinstance(first.socket, str) else None
    sockets = [each.socket for each in readings if isinstance(each.socket, Acetabulum)]
    return AcetabularGrades(
        pose=pose,
        lateral_margin_deg=_measured(
            [each.arc.start_deg for each in readings if each.arc], None if first.arc else NO_ARC
        ),
        acetabular_edge_deg=_measured([socket.edge_deg for socket in sockets], no_socket),
        weight_bearing_start_deg=_measured([socket.start_deg for socket in sockets], no_socket),
        weight_bearing_arc_share=_measured([each.arc_share for each in readings], no_socket),
        jic=_jic(necrosis, readings, frame.radius_mm),
        arco_2021=_arco_2021(necrosis, readings, frame.radius_mm),
        cjfh=_cjfh(necrosis, readings),
    )


def _reading(necrosis: Necrosis, frame: HeadFrame, plane: CoronalPlane) -> Reading:
    rays = fan(frame, "coronal", plane.offset_mm)
    dead, joint = necrotic(necrosis, frame, rays.origin_mm, rays.directions)
    rays_doubt = round(_margin_doubt_deg(necrosis, frame.radius_mm) / FAN_STEP_DEG)
    bears = np.zeros_like(joint)
    if isinstance(plane.socket, Acetabulum):
        bears = joint & (rays.angles_deg > plane.socket.edge_deg) & (rays.angles_deg < plane.socket.start_deg)
    return Reading(
        arc=arc_of("coronal", rays.angles_deg, dead),
        socket=plane.socket,
        arc_share=float((dead & bears).sum() / max(1, int(bears.sum()))),
        shares=tuple(
            pillars(rays.angles_deg, each, joint, necrosis.definitions)
            for each in (dead, _grown(dead, rays_doubt), ~_grown(joint & ~dead, rays_doubt))
        ),
    )


def _grown(chosen: npt.NDArray[np.bool_], rays: int) -> npt.NDArray[np.bool_]:
    """The chosen directions (N,) of a fan and so many more on both sides of each."""
    return np.asarray(np.convolve(chosen, np.ones(2 * rays + 1), mode="same") > 0.5)


def _margin_doubt_deg(necrosis: Necrosis, radius_mm: float) -> float:
    return float(np.degrees(necrosis.definitions.margin_doubt_mm / radius_mm))


def _margins(necrosis: Necrosis, readings: list[Reading], radius_mm: float) -> list[tuple[float, Acetabulum]]:
    """The lateral margin (degrees) and the acetabulum of every reading that has both; the first is the reading itself.

    The lesion's own border is in doubt too: a head centre that moves takes margin and edge along.
    """
    doubt_deg = _margin_doubt_deg(necrosis, radius_mm)
    return [
        (each.arc.start_deg + off_deg, each.socket)
        for each in readings
        if each.arc is not None and isinstance(each.socket, Acetabulum)
        for off_deg in (0.0, doubt_deg, -doubt_deg)
    ]


def _missing(first: Reading) -> str | None:
    """Why the first reading gives no type; None where it does."""
    return first.socket if isinstance(first.socket, str) else NO_ARC if first.arc is None else None


def _jic(necrosis: Necrosis, readings: list[Reading], radius_mm: float) -> Grade:
    if reason := _missing(readings[0]):
        return Grade.none(JIC, reason)
    margins = _margins(necrosis, readings, radius_mm)
    seen = [jic_type(margin, socket.edge_deg, socket.start_deg, necrosis.definitions) for margin, socket in margins]
    return Grade.of_seen(JIC, seen[0], seen, JIC_TYPES)


def _arco_2021(necrosis: Necrosis, readings: list[Reading], radius_mm: float) -> Grade:
    if reason := _missing(readings[0]):
        return Grade.none(ARCO_2021, reason)
    seen = [arco_2021_type(margin, socket.edge_deg) for margin, socket in _margins(necrosis, readings, radius_mm)]
    return Grade.of_seen(ARCO_2021, seen[0], seen, ARCO_2021_TYPES)


def _cjfh(necrosis: Necrosis, readings: list[Reading]) -> Grade:
    types = [cjfh_type(shares, necrosis.definitions) for each in readings for shares in each.shares]
    if types[0] is None:
        return Grade.none(CJFH, NO_ARC)
    return Grade.of_seen(CJFH, types[0], [each for each in types if each], CJFH_TYPES)


def _measured(values: list[float], missing: str | None) -> Measured:
    return Measured.none(missing) if missing else Measured.of(values[0], values[1:])

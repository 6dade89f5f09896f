"""The reducers as written: a guide wire that goes first is led by one, and read at its flange.

Each is read from its STEP file and measured in its own frame: along z from its lower end, 0, to its stop face.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from guidegen.check.asked import Asked, AskedReducer
from guidegen.check.bore import DIAMETER_LIMIT_MM, GUIDED_TOLERANCE_MM, WHY_DIAMETER, WHY_GUIDED, measured_bore
from guidegen.check.files import merged
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.mesh import WHY_CLOSED, open_edges
from guidegen.check.stop import DIRECTIONS
from guidegen.errors import ResultError
from guidegen.frames import across, spokes
from guidegen.surfaces import Surface

REDUCER_FILE = "metal/reducer-{}.step"
INTO_BONE = np.array([0.0, 0.0, -1.0])
FINE_MM, FINE_RAD = 0.005, 0.1  # of the triangles that the exact solid is measured by
OUTSIDE_MM = 50.0  # from where it is looked at
HEIGHTS = 20  # along the tube
OFF_EDGES_MM = 1.0  # of chamfers: a face is looked at beyond them
OFF_AXIS_MM = 0.02  # the bore beside the tube's axis, at either end
# In its bore: less play than H8 over h7 and it seizes; more, and the wire strays by more than was planned.
LEAST_PLAY_MM, MOST_PLAY_MM = 0.01, 0.1
# A wire is read to half a millimetre: the file must not take up a tenth of it.
READ_MM = 0.05

WHY_AXIS = "The drill follows its wire: a bore beside the reducer's own axis leads both beside the plan."
WHY_SLIDES = "A reducer that does not go into the sleeve leads no wire."
WHY_PLAY = "A reducer that is loose lets the wire tilt, and the drill follows it."
WHY_BONE = "A reducer longer than what it lies in meets the bone and stands off its seat: the wire is read too short."
WHY_READ = "The wire's stop rests on the reducer's flange: what that is too high the wire ends too early, or too deep."
NO_FILE = "there is no STEP file of it, or none with one solid"


@dataclass(frozen=True)
class Measured:
    """A reducer as it is in its file, in mm: how far the bore is off its diameter and beside the axis, and how far it
    leads; the tube's greatest diameter; from its lower end to the flange, and from there to the stop face. None for
    what was not found.
    """

    edges: int | None = None
    off_diameter_mm: float | None = None
    beside_mm: float | None = None
    guided_mm: float | None = None
    tube_mm: float | None = None
    below_mm: float | None = None
    flange_mm: float | None = None


def read_reducers(folder: Path, asked: Asked) -> list[Surface | None]:
    """The reducer of each sleeve that has one; None for a file that is missing or holds anything but one solid."""
    numbers = [number for number, sleeve in enumerate(asked.guide.sleeves, start=1) if sleeve.reducer is not None]
    return [_read(folder / REDUCER_FILE.format(number)) for number in numbers]


def _read(path: Path) -> Surface | None:
    if not path.is_file():
        return None
    from cadquery import importers

    try:
        solids: list[Any] = importers.importStep(str(path)).solids().vals()
    except ValueError:
        return None
    if len(solids) != 1:
        return None
    vertices, faces = solids[0].tessellate(FINE_MM, FINE_RAD)
    corners = np.array([vertex.toTuple() for vertex in vertices], dtype=np.float32)[np.array(faces).ravel()]
    return merged(np.round(corners, 5))  # each face has its own seam


def reducer_findings(asked: Asked, reducers: list[Surface | None]) -> tuple[Finding, ...]:
    """Every finding on the written reducers; none for a kit without a guide wire. ResultError where there are not as
    many as planned.
    """
    planned = [(number, each) for number, each in enumerate(asked.guide.sleeves, start=1) if each.reducer is not None]
    if len(planned) != len(reducers):
        raise ResultError(f"expected {len(planned)} reducers, found {len(reducers)}; run the case again")
    findings: list[Finding] = []
    for (number, sleeve), reducer in zip(planned, reducers, strict=True):
        assert sleeve.reducer is not None, "of those that have one"
        assert sleeve.bore_mm is not None, "read_plan asks for it"
        assert sleeve.wire_reading_mm is not None, "read_plan asks for it"
        found = Measured() if reducer is None else _measured(reducer, sleeve.reducer)
        room_mm = sleeve.guided_length_mm + (sleeve.metal.flange_height_mm if sleeve.metal else 0.0)
        planned_mm = sleeve.wire_reading_mm - sleeve.offset_mm - asked.tunnels[sleeve.tunnel].length_mm
        findings += _judged(f"reducer {number}", found, asked, sleeve.bore_mm, room_mm, planned_mm)
    return tuple(findings)


def _judged(
    name: str, found: Measured, asked: Asked, bore_mm: float, room_mm: float, flange_mm: float
) -> list[Finding]:
    """The findings of one: `bore_mm` it goes into, `room_mm` there is from its flange to the bone, `flange_mm` the plan
    reckons with between the sleeve's top and the wire's stop.
    """
    play = None if found.tube_mm is None else bore_mm - found.tube_mm
    off_bone = None if found.below_mm is None else room_mm - found.below_mm
    off_depth = None if found.flange_mm is None else abs(found.flange_mm - flange_mm)
    led, width = asked.limits.guided_length_mm - GUIDED_TOLERANCE_MM, found.off_diameter_mm
    return [
        at_most(f"{name} open edges", found.edges, 0, "", WHY_CLOSED, missing=NO_FILE),
        at_most(f"{name} bore diameter off plan", width, DIAMETER_LIMIT_MM, "mm", WHY_DIAMETER, missing=NO_FILE),
        at_most(f"{name} bore off its axis", found.beside_mm, OFF_AXIS_MM, "mm", WHY_AXIS, missing=NO_FILE),
        at_least(f"{name} bore guided length", found.guided_mm, led, "mm", WHY_GUIDED, missing=NO_FILE),
        at_least(f"{name} play in the sleeve, least", play, LEAST_PLAY_MM, "mm", WHY_SLIDES, missing=NO_FILE),
        at_most(f"{name} play in the sleeve, most", play, MOST_PLAY_MM, "mm", WHY_PLAY, missing=NO_FILE),
        at_least(f"{name} off the bone", off_bone, 0, "mm", WHY_BONE, missing=NO_FILE),
        at_most(f"{name} wire off its depth", off_depth, READ_MM, "mm", WHY_READ, missing=NO_FILE),
    ]


def _measured(reducer: Surface, planned: AskedReducer) -> Measured:
    """The bore by rays from the axis, the tube by rays from outside, its end and both sides of its flange by rays along
    the axis.
    """
    length_mm, up, round_mm = planned.length_mm, -INTO_BONE, spokes(INTO_BONE, DIRECTIONS)
    in_wall = (planned.inner_diameter_mm + planned.outer_diameter_mm) / 4.0 * round_mm
    under_flange = (planned.outer_diameter_mm / 2.0 + OFF_EDGES_MM) * round_mm
    far_mm = 2.0 * length_mm
    end, seat = (float(reducer.ray_hits(ring - far_mm * up, up)[0].min()) - far_mm for ring in (in_wall, under_flange))
    top = far_mm - float(reducer.ray_hits(in_wall + far_mm * up, INTO_BONE)[0].min())
    if not np.isfinite([end, seat, top]).all():
        return Measured(edges=open_edges(reducer))
    heights = np.linspace(end + OFF_EDGES_MM, seat - OFF_EDGES_MM, HEIGHTS)
    beside = (heights[:, None, None] * up + OUTSIDE_MM * round_mm).reshape(-1, 3)
    tube, _ = reducer.ray_hits(beside, np.tile(-round_mm, (HEIGHTS, 1)))
    bore = measured_bore(reducer, length_mm * up, np.zeros(3), INTO_BONE, planned.inner_diameter_mm)
    found = Measured(
        edges=open_edges(reducer),
        tube_mm=2.0 * (OUTSIDE_MM - float(tube.min())),
        below_mm=seat - end,
        flange_mm=top - seat,
    )
    if bore is None:
        return found
    ends = bore.point_mm + np.array([[bore.start_mm], [bore.end_mm]]) * bore.axis
    return replace(
        found,
        off_diameter_mm=abs(bore.diameter_mm - planned.inner_diameter_mm),
        beside_mm=float(np.linalg.norm(across(ends, up), axis=1).max()),
        guided_mm=bore.guided_mm,
    )

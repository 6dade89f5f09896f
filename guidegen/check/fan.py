"""A fan's inserts as written, beside the guide that they sit in: all that a sleeve would be asked, and how they fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guidegen.check.asked import Asked, AskedInsert, AskedSocket
from guidegen.check.bore import GUIDED_TOLERANCE_MM
from guidegen.check.depth import insert_depth_findings
from guidegen.check.drill import HAIR_MM, WHY_DRILL, free_diameter_mm
from guidegen.check.finding import Finding, at_least
from guidegen.check.inserts import PlannedInsert, PlannedSocket, insert_findings
from guidegen.check.label import read_findings
from guidegen.check.print_file import pose_finding, print_findings, print_pose
from guidegen.errors import ResultError
from guidegen.frames import FloatArray, unit
from guidegen.surfaces import Surface

MISSING = "its print file is missing, is no 3MF of one body, or has other triangles than its STL"


def fan_findings(
    asked: Asked, inserts: Sequence[Surface], guide: Surface, printed_mm: Sequence[FloatArray] | None
) -> tuple[Finding, ...]:
    """Every finding on the inserts (LPS, mm) of a fan, and on their print files' triangles (M, 3, 3) where there are;
    none for a guide with sleeves. ResultError where there are not as many as planned.
    """
    planned, socket = asked.guide.inserts, asked.guide.socket
    if len(inserts) != len(planned):
        raise ResultError(f"expected the files of {len(planned)} inserts, found {len(inserts)}; run the case again")
    if socket is None:
        return ()
    findings: list[Finding] = []
    for number, (insert, surface) in enumerate(zip(planned, inserts, strict=True), start=1):
        findings += _insert(number, insert, socket, asked, surface, guide)
        if printed_mm is not None:
            printed = printed_mm[number - 1]
            pose, name = print_pose(printed, surface), f"insert {number}"
            findings += print_findings(asked, printed, pose, name, MISSING)
            findings.append(pose_finding(pose, _upright(insert), name, MISSING))
    return tuple(findings)


def _upright(insert: AskedInsert) -> FloatArray:
    """How an insert is printed, as rows (3, 3): on its lower end, its label along the plate."""
    label = insert.label
    return np.array([label.reading_direction, label.up_direction, label.outward_direction])


def _insert(
    number: int, insert: AskedInsert, socket: AskedSocket, asked: Asked, surface: Surface, guide: Surface
) -> list[Finding]:
    tunnel, name = asked.tunnels[insert.tunnel], f"insert {number}"
    place = PlannedSocket(
        np.array(socket.entry_mm), unit(socket.outwards), socket.low_mm, socket.rim_mm, socket.gap_mm, socket.wall_mm
    )
    least_mm = max(insert.guided_length_mm, asked.limits.guided_length_mm + GUIDED_TOLERANCE_MM)
    own = PlannedInsert(
        number, np.array(tunnel.target_mm), np.array(insert.stop_face_mm), insert.stop_diameter_mm, insert.bore_mm,
        least_mm,
    )  # fmt: skip
    axis = asked.into_bone(insert.tunnel)
    free_mm = min(free_diameter_mm(body, tunnel.target_mm, axis) for body in (surface, guide))
    finest_mm = asked.printing.least_feature_mm
    return [
        *insert_findings(own, place, surface, guide),
        *insert_depth_findings(asked, insert, surface),
        at_least(f"{name} drill's way", free_mm, insert.drill_diameter_mm - HAIR_MM, "mm", WHY_DRILL),
        *read_findings(f"{name} label", insert.label, surface, finest_mm),
    ]

"""The chuck that drives the drill: whether it turns freely down to the drill's full depth."""

from __future__ import annotations

import numpy as np

from guidegen.check.asked import Asked, AskedInsert, AskedSleeve
from guidegen.check.drill import WIDE_OPEN_MM
from guidegen.check.finding import Finding, at_least
from guidegen.check.pins import segment_distance_mm
from guidegen.frames import FloatArray, across, spokes
from guidegen.surfaces import Surface

# The chuck turns so far above the stop's face, which belongs to the guide.
ABOVE_FACE_MM = 0.05
# It is probed from its axis at such steps, in so many directions; the guide's own corners are measured besides.
STEP_MM = 0.5
DIRECTIONS = 72

WHY = "A chuck that meets guide, wire or another sleeve stops the drill short of its depth, or levers the guide off."


def chuck_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """The widest chuck that turns above each stop's face, of a sleeve or an insert: past the guide, the wires that
    stand out of it, and the flanges of other metal sleeves.
    """
    findings = []
    sleeves, inserts = asked.guide.sleeves, asked.guide.inserts
    led: list[AskedSleeve | AskedInsert] = [*sleeves, *inserts]
    for number, each in enumerate(led, start=1):
        outwards, face = -asked.into_bone(each.tunnel), np.array(each.stop_face_mm)
        chuck = face + np.array([[ABOVE_FACE_MM], [each.chuck_length_mm]]) * outwards
        rods = [*_wires(asked), *_flanges(asked, but=each)]
        free_mm = min(
            WIDE_OPEN_MM,
            _past_guide_mm(guide, face, outwards, each.chuck_length_mm),
            *(2.0 * max(0.0, segment_distance_mm(chuck, rod) - radius) for rod, radius in rods),
        )
        name = f"{'insert' if inserts else 'sleeve'} {number} chuck's room"
        findings.append(at_least(name, free_mm, each.chuck_diameter_mm, "mm", WHY))
    return tuple(findings)


def _past_guide_mm(guide: Surface, face_mm: FloatArray, outwards: FloatArray, length_mm: float) -> float:
    """Twice the least distance from the axis outside the face to the guide; 0 where the axis runs into it."""
    relative = guide.vertices - face_mm
    height = relative @ outwards
    corners = relative[(height > ABOVE_FACE_MM) & (height < length_mm)]
    steps = np.arange(ABOVE_FACE_MM, length_mm, STEP_MM)
    places = face_mm + steps[:, None] * outwards
    if guide.ray_hits(places[:1], outwards)[0][0] < length_mm:
        return 0.0
    way, _ = guide.ray_hits(
        np.repeat(places, DIRECTIONS, axis=0), np.tile(spokes(outwards, DIRECTIONS), (len(steps), 1))
    )
    return 2.0 * float(min(way.min(), np.linalg.norm(across(corners, outwards), axis=1).min(initial=np.inf)))


def _wires(asked: Asked) -> list[tuple[FloatArray, float]]:
    """What stands out of the guide of each wire whose depth is planned: its two ends (2, 3), and its radius."""
    rods = []
    for pin in asked.guide.pins:
        if pin.depth_mm is not None:
            out = pin.wire_length_mm - pin.depth_mm
            rods.append(
                (np.array(pin.point_mm) - out * np.array([[0.0], [1.0]]) * pin.direction, pin.wire_diameter_mm / 2)
            )
    return rods


def _flanges(asked: Asked, but: AskedSleeve | AskedInsert) -> list[tuple[FloatArray, float]]:
    """The flanges of the metal sleeves but for one, as rods that end in balls: two ends (2, 3), and their radius."""
    rods = []
    for sleeve in asked.guide.sleeves:
        if sleeve is not but and sleeve.metal is not None:
            ends = sleeve.top_mm + np.array([[0.0], [sleeve.metal.flange_height_mm]]) * -asked.into_bone(sleeve.tunnel)
            rods.append((ends, sleeve.metal.flange_diameter_mm / 2))
    return rods

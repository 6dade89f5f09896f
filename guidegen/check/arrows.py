"""The arrows on the guide: whether each points to what it names, in the plan and in the file."""

from __future__ import annotations

import numpy as np

from guidegen.bone.trochanters import ShaftFrame
from guidegen.check.asked import Asked, AskedArrow
from guidegen.check.engraved import Field, Mask, arrow_field
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.check.seat import Seat
from guidegen.frames import FloatArray, angle_deg, unit
from guidegen.surfaces import Surface

TEXTS = ("PROX", "ANT")
# An arrow lies in a face of the guide, which is not parallel to what it names: nearer to that than to what lies
# across it is all that can be asked of it.
ASKEW_DEG = 45.0
# Points of the picture along the arrow.
POINTS = 60
# What is cut less deep than this into the face that an arrow is drawn in is that face.
FACE_MM = 0.15
# A head is at least so much wider than the line that it ends, or it is no head.
WIDER = 1.5

WHY_DIRECTION = "Whoever lays the guide on the bone goes by its arrows: one that points elsewhere turns it round."
WHY_HEAD = "An arrow without a head, or with it at the tail, points both ways or the wrong way."


def arrow_findings(asked: Asked, guide: Surface, seat: Seat) -> tuple[Finding, ...]:
    """Each arrow's direction against the anatomy that it names, and at which end of it the file has the head."""
    findings: list[Finding] = []
    for text in TEXTS:
        arrows = [arrow for arrow in asked.guide.arrows if arrow.text == text]
        none = f"no arrow says {text}"
        way = named(asked, text)
        askew = [angle_deg(np.subtract(arrow.end_mm, arrow.start_mm), way) for arrow in arrows]
        heads = [head_share(arrow, guide, seat) for arrow in arrows]
        findings += [
            at_most(f"arrow {text} off its direction", max(askew, default=None), ASKEW_DEG, "°", WHY_DIRECTION, none),
            at_least(f"arrow {text} head by tail", min(heads, default=None), WIDER, "", WHY_HEAD, none),
        ]
    return tuple(findings)


def named(asked: Asked, text: str) -> FloatArray:
    """The unit vector (3,) that an arrow of this text should have: up the shaft, or to the front of the bone."""
    anatomy = asked.anatomy
    if text == "PROX":
        return unit(anatomy.shaft_axis)
    head, shaft = np.array(anatomy.head_center_mm), np.array(anatomy.shaft_point_mm)
    return -ShaftFrame.of(head, shaft, unit(anatomy.shaft_axis)).posterior(asked.side)


def head_share(arrow: AskedArrow, guide: Surface, seat: Seat) -> float:
    """How much wider the drawn arrow is in its second half than in its first; 0 where nothing is drawn."""
    widths = _drawn(arrow_field(arrow, seat), guide).sum(axis=0)
    tail, head = (float(half.max()) for half in np.array_split(widths, 2))
    return head / tail if tail > 0.0 else 0.0


def _drawn(field: Field, guide: Surface) -> Mask:
    """What is cut into the field, of that only what the middle of the arrow is part of."""
    from scipy.ndimage import label

    depth = field.depths_mm(guide, field.width_mm / POINTS)
    parts, _ = label((depth > FACE_MM) & (depth < field.depth_mm))
    middle = parts[parts.shape[0] // 2, POINTS // 4 : 3 * POINTS // 4]
    numbers = middle[middle > 0]
    if len(numbers) == 0:
        return np.zeros_like(parts, dtype=bool)
    return np.asarray(parts == np.bincount(numbers).argmax())

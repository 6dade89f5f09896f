"""From a tunnel to what is read and done in the operation: the sleeve's offset, the depth on the drill, the steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, spokes
from guidegen.plan.kits import Kit
from guidegen.rounded import shown
from guidegen.surfaces import Surface

RING = 72
SEATED_MARGIN_MM = 2.0  # of its length the sleeve may lose to the guide's clearance from the bone
SAME_MM = 0.05  # readings are written to a tenth
NUMBERS = {0: "two or three", 2: "two", 3: "three"}  # of wires; 0 before they are placed


@dataclass(frozen=True)
class InstrumentStep:
    """One step as it is read out: which tool, through what, stopped by what, with the guide on or off."""

    number: int
    tool: str
    through: str
    stopped_by: str
    guide: str


def sleeve_offset_mm(
    bone: Surface,
    entry_mm: FloatArray,
    axis: FloatArray,
    bore_radius_mm: float,
    guided_length_mm: float,
    offsets: Iterable[float],
) -> float | None:
    """The smallest of the offsets (entry to sleeve top, along the axis) whose sleeve leads the drill over
    `guided_length_mm` all the way round, and 2 mm to spare; None where none is enough.

    `entry_mm` (3,) lies on the bone, `axis` (3,) is the unit vector into it. On a slope one side of the bore meets the
    bone before the entry does, and the sleeve leads all the way round only outside of that.
    """
    needed = guided_length_mm + SEATED_MARGIN_MM - _first_contact_mm(bone, entry_mm, axis, bore_radius_mm)
    return min((offset for offset in offsets if offset >= needed), default=None)


def _first_contact_mm(bone: Surface, entry_mm: FloatArray, axis: FloatArray, radius_mm: float) -> float:
    """Where along the axis (0 at the entry, negative outside) the bore's ring or its middle first meets the bone."""
    ring = radius_mm * spokes(axis, RING)
    outside = float(np.linalg.norm(np.diff(bone.bounds_mm, axis=0))) + radius_mm  # no bone so far from a point of it
    starts = entry_mm + np.concatenate([np.zeros((1, 3)), ring]) - outside * axis
    way, _ = bone.ray_hits(starts, axis)
    if not np.isfinite(way).any():
        raise ValueError("expected an axis through the bone, found no bone on it; check entry and axis (LPS mm)")
    return float(way.min()) - outside


def depth_reading_mm(offset_mm: float, length_mm: float) -> float:
    """What the drill shows at the sleeve's top when its furthest point is the tunnel's end."""
    return offset_mm + length_mm


def reading_text(reading_mm: float, mark_step_mm: float) -> str:
    """Where a reading lies between the drill's depth marks: "read 128.4 mm: 3.4 mm past the mark 125"."""
    reading = round(reading_mm, 1)
    mark = mark_step_mm * np.floor(reading / mark_step_mm + 1e-9)
    past = reading - mark
    place = f"at the mark {mark:g}" if past < SAME_MM else f"{past:.1f} mm past the mark {mark:g}"
    return f"read {shown(reading, 1)} mm: {place}"


def instrument_sequence(
    kit: Kit, length_mm: float, reading_mm: float, wire_depths_mm: Sequence[float] = ()
) -> tuple[InstrumentStep, ...]:
    """The kit's steps for one tunnel, with their figures filled in; NoSafePlan where the drill is too short.

    A kit for several tunnels is asked once for each. `wire_depths_mm`: how deep each wire of the built guide goes; none
    before there is a guide: then the steps leave their number open, and the depth is the kit's.
    """
    if reading_mm > kit.drill.length_mm:
        raise NoSafePlan(
            f"expected a reading within the drill's length of {kit.drill.length_mm:g} mm, found {reading_mm:.1f} mm; "
            "choose a kit with a longer drill or a shorter tunnel",
            rule="drill_length",
            figures={"reading_mm": reading_mm, "drill_length_mm": kit.drill.length_mm},
        )
    planned = {"reading_mm": reading_mm, "length_mm": length_mm, "offset_mm": reading_mm - length_mm}
    figures = kit.figures | {name: shown(figure, 1) for name, figure in planned.items()}
    figures["pins"] = NUMBERS.get(len(wire_depths_mm), str(len(wire_depths_mm)))
    if wire_depths_mm:
        figures["pin_depth_mm"] = _depths(wire_depths_mm)
    return tuple(
        InstrumentStep(
            number,
            step.tool.format(**figures),
            step.through.format(**figures),
            step.stopped_by.format(**figures),
            step.guide,
        )
        for number, step in enumerate(kit.steps, start=1)
    )


def _depths(depths_mm: Sequence[float]) -> str:
    """One figure where all wires go as deep, else one for each, in their order."""
    told = [shown(depth, 1).removesuffix(".0") for depth in depths_mm]
    return told[0] if len(set(told)) == 1 else " / ".join(told)

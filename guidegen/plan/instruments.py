"""From a tunnel to what is read and done in the operation: the sleeve's offset, the depth on the drill, the steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from guidegen.errors import NoSafePlan
from guidegen.frames import FloatArray, spokes
from guidegen.plan.kits import READ_AT_TOP, Kit, Step
from guidegen.rounded import shown, shown_beside
from guidegen.surfaces import Surface

RING = 72
SEATED_MARGIN_MM = 2.0  # of its length the sleeve may lose to the guide's clearance from the bone
SAME_MM = 0.05  # readings are written to a tenth
Lead = Literal["printed", "metal", "insert"]
# What leads the drill: as a step names it, its top, on which a stop rests, and how it is put in where it is loose.
NAMED: dict[Lead, tuple[str, str]] = {
    "printed": ("the sleeve", "the sleeve's top"),
    "metal": ("the metal sleeve", "the metal sleeve's flange"),
    "insert": ("insert {number}", "the top of insert {number}"),
}
PUT_IN: dict[Lead, Step] = {
    "metal": Step(
        tool="metal sleeve for the drill of {diameter_mm} mm", through="the hole in the guide",
        stopped_by="its flange, flat on the print", guide="on",
    ),
    "insert": Step(
        tool="insert {number}", through="the socket, its key in the socket's groove",
        stopped_by="its flange, flat on the socket's rim", guide="on",
    ),
}  # fmt: skip
REDUCER = Step(
    tool="reducer for the wire of {wire_mm} mm", through="{sleeve}", stopped_by="its flange, flat on {sleeve_top}",
    guide="on",
)  # fmt: skip
NOT_BUILT = "what the built guide asks"
NUMBERS = {0: "two or three", 2: "two", 3: "three"}  # of wires; 0 before they are placed


@dataclass(frozen=True)
class Fittings:
    """What stands between bone and instruments: what leads the drill, the height of a reducer's flange on it, how deep
    each wire of the built guide goes into the bone, and what is read on it at its boss's top; none before there is a
    guide.
    """

    lead: Lead = "printed"
    reducer_mm: float = 0.0
    wire_depths_mm: tuple[float, ...] = ()
    wire_readings_mm: tuple[float, ...] = ()


PRINTED = Fittings()


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
    return f"read {shown(reading_mm, 1)} mm: {mark_text(reading_mm, mark_step_mm)}"


def mark_text(reading_mm: float, mark_step_mm: float) -> str:
    """Where that is between the marks: "3.4 mm past the mark 125"."""
    reading = float(shown(reading_mm, 1))  # what stands on the guide, and beside this
    mark = mark_step_mm * np.floor(reading / mark_step_mm + 1e-9)
    past = reading - mark
    return f"at the mark {mark:g}" if past < SAME_MM else f"{shown(past, 1)} mm past the mark {mark:g}"


def instrument_sequence(
    kit: Kit, length_mm: float, reading_mm: float, fittings: Fittings, number: int = 1
) -> tuple[InstrumentStep, ...]:
    """The kit's steps for tunnel `number`, with their figures filled in, and before the first tool that is stopped at a
    reading what must be put in to lead it; NoSafePlan where the drill is too short.

    A kit for several tunnels is asked once for each; the wires that hold the guide are driven before the first alone.
    """
    if reading_mm > kit.drill.length_mm:
        raise NoSafePlan(
            f"expected a reading within the drill's length of {kit.drill.length_mm:g} mm, found "
            f"{shown_beside(reading_mm, kit.drill.length_mm, 1)} mm; choose a kit with a longer drill or a "
            "shorter tunnel",
            rule="drill_length",
            figures={"reading_mm": reading_mm, "drill_length_mm": kit.drill.length_mm},
        )
    planned = {
        "reading_mm": reading_mm, "length_mm": length_mm, "offset_mm": reading_mm - length_mm,
        "wire_reading_mm": reading_mm + fittings.reducer_mm,
    }  # fmt: skip
    figures = kit.figures | {name: shown(figure, 1) for name, figure in planned.items()}
    figures |= _of_wires(kit, fittings) | {"number": str(number)}
    figures["mark"] = mark_text(reading_mm, kit.drill.mark_step_mm)
    figures |= dict(
        zip(("sleeve", "sleeve_top"), (name.format(**figures) for name in NAMED[fittings.lead]), strict=True)
    )
    steps = [step for step in _with_lead(kit, fittings.lead) if number == 1 or "pins" not in step.named]
    return tuple(
        InstrumentStep(
            place,
            step.tool.format(**figures),
            step.through.format(**figures),
            step.stopped_by.format(**figures),
            step.guide,
        )
        for place, step in enumerate(steps, start=1)
    )


def _with_lead(kit: Kit, lead: Lead) -> list[Step]:
    """The kit's steps, and where its first reading is taken what leads the tool, and the guide wire in that."""
    put_in = [PUT_IN[lead]] if lead in PUT_IN else []
    if kit.guide_wire is not None:
        put_in.append(REDUCER)
    first = next(place for place, step in enumerate(kit.steps) if step.named & READ_AT_TOP)
    return [*kit.steps[:first], *put_in, *kit.steps[first:]]


def _of_wires(kit: Kit, fittings: Fittings) -> dict[str, str]:
    """How many wires hold the guide, how deep they go, and what is read on them."""
    depths_mm, readings_mm = fittings.wire_depths_mm, fittings.wire_readings_mm
    return {
        "pins": NUMBERS.get(len(depths_mm), str(len(depths_mm))),
        "pin_depth_mm": _told(depths_mm) if depths_mm else kit.figures["pin_depth_mm"],
        "pin_reading": f"{_told(readings_mm)} mm" if readings_mm else NOT_BUILT,
    }


def _told(lengths_mm: Sequence[float]) -> str:
    """One figure where all wires have the same, else one for each, in their order."""
    told = [shown(length, 1).removesuffix(".0") for length in lengths_mm]
    return told[0] if len(set(told)) == 1 else " / ".join(told)

"""Drill kits: the instruments of one operation, and the order in which they are used.

Each rule between two figures is a sentence that the file's author reads when it is broken.
"""

from __future__ import annotations

import string
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from guidegen.plan.fields import Switch, Template, Title, Within, Words

End = Literal["flat", "cone", "ball"]
TunnelCount = Annotated[int, Within(1, 4)]  # a fan of 2 to 4 thin tunnels; more weaken the lateral cortex

BEND_MM = 0.5  # sideways, rms, at 90 mm: the drill's part in the error budget from which this figure comes
LEAST_TUNNEL_MM = 60.0  # shorter than any way from the lateral cortex into a femoral head
# What a step's text may name of plan and guide, besides the kit's figures.
PLANNED = ("reading_mm", "mark", "length_mm", "offset_mm", "pins", "pin_reading", "sleeve", "sleeve_top")
WIRE_READING = "wire_reading_mm"  # where the kit has a guide wire
# Those that are read on an instrument at what leads it.
READ_AT_TOP = frozenset({"reading_mm", WIRE_READING})


class Drill(Template):
    """The tool that makes the tunnel.

    `tip_angle_deg`: the whole angle of a cone. `length_mm`: from chuck or handle to tip, the most that can go through
    the sleeve. `bend_mm`: how far the tip strays sideways (rms) over 90 mm of free length. `rotating`: whether teeth or
    flutes turn in the sleeve by power. `chuck_diameter_mm`, `chuck_length_mm`: of what drives it, a cylinder.
    """

    diameter_mm: Annotated[float, Within(1.5, 16)]
    end: End
    tip_angle_deg: Annotated[float, Within(20, 179)] | None = None  # 20: sharper than a trocar is a slip of the pen
    length_mm: Annotated[float, Within(100, 500)]
    mark_step_mm: Annotated[float, Within(0.5, 50)]
    bend_mm: Annotated[float, Within(0.05, 5)] = BEND_MM
    rotating: Switch
    chuck_diameter_mm: Annotated[float, Within(10, 80)]
    chuck_length_mm: Annotated[float, Within(10, 200)]

    @model_validator(mode="after")
    def _a_chuck_holds_it(self) -> Drill:
        if self.chuck_diameter_mm <= self.diameter_mm:
            raise ValueError(
                f"expected a chuck wider than the drill of {self.diameter_mm:g} mm that it holds, found "
                f"{self.chuck_diameter_mm:g} mm; measure the chuck"
            )
        return self

    @model_validator(mode="after")
    def _only_a_cone_has_a_tip_angle(self) -> Drill:
        if self.end == "cone" and self.tip_angle_deg is None:
            raise ValueError("expected tip_angle_deg for an end that is a cone, found none; give its whole angle")
        if self.end != "cone" and self.tip_angle_deg is not None:
            raise ValueError(
                f"expected no tip_angle_deg for an end that is {self.end}, found {self.tip_angle_deg:g}; remove it or "
                'write end = "cone"'
            )
        return self


class Wire(Template):
    """The wire that pins the guide, how deep it goes into the bone, and its whole length."""

    diameter_mm: Annotated[float, Within(0.8, 5)]
    depth_mm: Annotated[float, Within(5, 100)]
    length_mm: Annotated[float, Within(50, 500)]

    @model_validator(mode="after")
    def _longer_than_deep(self) -> Wire:
        if self.length_mm <= self.depth_mm:
            raise ValueError(
                f"expected a wire longer than the {self.depth_mm:g} mm of it that go into the bone, found "
                f"{self.length_mm:g} mm; give its whole length"
            )
        return self


class Reamer(Template):
    """A reamer that is put into the tunnel closed and opens at its deep end, to this radius over this length."""

    radius_mm: Annotated[float, Within(2, 25)]
    cutting_length_mm: Annotated[float, Within(2, 80)]


class Curette(Template):
    """A bent curette and how far beyond the tunnel's wall it scrapes."""

    reach_mm: Annotated[float, Within(1, 40)]


class GuideWire(Template):
    """The wire over which a cannulated drill runs."""

    diameter_mm: Annotated[float, Within(0.8, 10)]
    length_mm: Annotated[float, Within(100, 800)]


class Step(Template):
    """One instrument in its turn: which, through what, stopped by what, and whether the guide is on the bone.

    The texts may name figures of the plan and the kit in braces, such as {reading_mm}.
    """

    tool: Words
    through: Words
    stopped_by: Words
    guide: Literal["on", "off"]

    @property
    def named(self) -> set[str]:
        """The figures that its texts name; ValueError for braces that hold no plain name."""
        return placeholders(self.tool) | placeholders(self.through) | placeholders(self.stopped_by)


class Kit(Template):
    """The instruments of one operation.

    `sleeve_offsets_mm`: the distances from the cortex at the entry, along the axis, to the sleeve's top that the kit's
    stops are made for. `guided_length_mm`: the least over which the drill must be guided; None: as the guide shape
    says. `leaves_wire`: the guide wire, or a drill that is itself a pin, stays in the bone when the guide comes off. A
    reamer's shaft is as long as the drill.
    """

    name: Title
    drill: Drill
    pin: Wire
    fewest_tunnels: TunnelCount = 1
    most_tunnels: TunnelCount = 1
    reamer: Reamer | None = None
    curette: Curette | None = None
    guide_wire: GuideWire | None = None
    leaves_wire: Switch = False
    guided_length_mm: Annotated[float, Within(10, 60)] | None = None
    sleeve_offsets_mm: Annotated[tuple[Annotated[float, Within(10, 150)], ...], Field(min_length=1)]
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def longest_tunnel_mm(self, offset_mm: float) -> float:
        """The longest tunnel that the drill makes through a sleeve whose top stands this far from the cortex."""
        return self.drill.length_mm - offset_mm

    @property
    def figures(self) -> dict[str, str]:
        """The kit's own figures that a step's text may name, as they are written there."""
        found = {
            "diameter_mm": self.drill.diameter_mm,
            "pin_mm": self.pin.diameter_mm,
            "pin_depth_mm": self.pin.depth_mm,
            "wire_mm": self.guide_wire and self.guide_wire.diameter_mm,
            "reamer_radius_mm": self.reamer and self.reamer.radius_mm,
            "reach_mm": self.curette and self.curette.reach_mm,
        }
        return {name: f"{figure:g}" for name, figure in found.items() if figure is not None}

    @model_validator(mode="after")
    def _as_many_tunnels(self) -> Kit:
        if self.most_tunnels < self.fewest_tunnels:
            raise ValueError(
                f"expected most_tunnels of at least fewest_tunnels ({self.fewest_tunnels}), found "
                f"{self.most_tunnels}; exchange them"
            )
        return self

    @model_validator(mode="after")
    def _instruments_fit_the_tunnel(self) -> Kit:
        drill, reamer, wire = self.drill, self.reamer, self.guide_wire
        if reamer is not None and reamer.radius_mm <= drill.diameter_mm / 2.0:
            raise ValueError(
                f"expected a reamer that opens beyond the drill's radius of {drill.diameter_mm / 2.0:g} mm, found a "
                f"radius of {reamer.radius_mm:g} mm; give the radius of the open reamer"
            )
        if wire is not None and wire.diameter_mm >= drill.diameter_mm:
            raise ValueError(
                f"expected a guide wire thinner than the drill of {drill.diameter_mm:g} mm that runs over it, found "
                f"{wire.diameter_mm:g} mm; correct one of them"
            )
        if wire is not None and wire.length_mm <= drill.length_mm:
            raise ValueError(
                f"expected a guide wire longer than the drill of {drill.length_mm:g} mm, so that it can be held behind "
                f"it, found {wire.length_mm:g} mm; correct one of them"
            )
        return self

    @model_validator(mode="after")
    def _offsets_that_the_drill_can_serve(self) -> Kit:
        offsets = self.sleeve_offsets_mm
        if any(after <= before for before, after in pairwise(offsets)):
            found = ", ".join(f"{offset:g}" for offset in offsets)
            raise ValueError(f"expected sleeve_offsets_mm that ascend, found {found}; sort them, each once")
        if self.longest_tunnel_mm(offsets[-1]) < LEAST_TUNNEL_MM:
            raise ValueError(
                f"expected a drill at least {LEAST_TUNNEL_MM:g} mm longer than the largest sleeve offset of "
                f"{offsets[-1]:g} mm, found {self.drill.length_mm:g} mm; give a longer drill or leave that offset out"
            )
        return self

    @model_validator(mode="after")
    def _a_sleeve_that_guides_so_far(self) -> Kit:
        guided, furthest = self.guided_length_mm, self.sleeve_offsets_mm[-1]
        if guided is not None and guided >= furthest:
            raise ValueError(
                f"expected guided_length_mm below the largest sleeve offset of {furthest:g} mm, within which the "
                f"sleeve lies, found {guided:g}; give larger offsets or guide less"
            )
        return self

    @model_validator(mode="after")
    def _texts_that_can_be_filled(self) -> Kit:
        known = {*PLANNED, *self.figures, *([] if self.guide_wire is None else [WIRE_READING])}
        for step in self.steps:
            for text in (step.tool, step.through, step.stopped_by):
                unknown = placeholders(text) - known
                if unknown:
                    raise ValueError(
                        f"expected only {', '.join(sorted(known))} in braces, found "
                        f"{', '.join(f'{{{name}}}' for name in sorted(unknown))} in {text!r}; correct the text or give "
                        "the kit that instrument"
                    )
        return self

    @model_validator(mode="after")
    def _a_depth_read_at_the_sleeve(self) -> Kit:
        """The reading counts from the sleeve's top: it must be used, and means nothing once the guide is off."""
        guide = [step.guide for step in self.steps]
        if guide != sorted(guide, reverse=True):  # "on" before "off"
            raise ValueError(
                "expected the guide to stay off once it is off, found a step with the guide on after one with it off; "
                "sort the steps"
            )
        if not any("reading_mm" in placeholders(step.stopped_by) for step in self.steps):
            raise ValueError(
                "expected a step that is stopped at {reading_mm}, found none; write in stopped_by what stops the drill"
            )
        for step in self.steps:
            read = sorted(READ_AT_TOP & placeholders(step.stopped_by))
            if step.guide == "off" and read:
                raise ValueError(
                    f"expected {{{read[0]}}} only while the guide is on, since it counts from the sleeve's top, found "
                    "it in a step with the guide off; write {length_mm}, which counts from the cortex"
                )
        return self


def placeholders(text: str) -> set[str]:
    """The names in braces; ValueError for braces that hold no plain name."""
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"expected every brace to be closed, found {text!r}; write {{{{ for a brace itself") from error
    if any(form or conversion for _, form, conversion in parts):
        raise ValueError(f"expected nothing but a name in braces, found {text!r}; leave the format out")
    return {str(name) for name, _, _ in parts}

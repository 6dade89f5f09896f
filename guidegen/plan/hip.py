"""The hip as the planner meets it, and the tools that go into it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from guidegen.bone.anatomy import Anatomy
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.lesion.lesion import Lesion
from guidegen.plan.instruments import PRINTED, Fittings
from guidegen.plan.rules import Rules
from guidegen.plan.templates import Kit
from guidegen.plan.tool import Tool
from guidegen.plan.vessels import vessel_patch
from guidegen.surfaces import Surface


@dataclass(frozen=True, eq=False)
class Hip:
    """Bone, anatomy and lesion in LPS mm, what to keep away from, the kit, and the rules.

    `sleeve_bore_mm`, `guided_length_mm`, `sleeve_wall_mm` and `sleeve_play_mm` belong to the sleeve that will lead the
    drill: how far it stands off decides how much of the drill is left for the bone, how thick it is how near another
    may stand, and its play, on the diameter, how far the drill may tilt in it. `fittings`: how the steps name it.
    """

    bone: Surface
    anatomy: Anatomy
    lesion: Lesion
    kit: Kit
    rules: Rules
    sleeve_bore_mm: float
    guided_length_mm: float
    sleeve_wall_mm: float = 3.0
    sleeve_play_mm: float = 0.2
    fittings: Fittings = PRINTED
    keep_out: KeepOut = NOTHING

    @cached_property
    def tool(self) -> Tool:
        """What the kit's instruments sweep."""
        return Tool.of(self.kit)

    @cached_property
    def vessels(self) -> Surface:
        """Where the vessels of the head enter the neck."""
        anatomy = self.anatomy
        return vessel_patch(
            self.bone,
            head_center_mm=anatomy.head_center_mm,
            head_radius_mm=anatomy.head_radius_mm,
            isthmus_mm=anatomy.neck_isthmus_center_mm,
            neck_axis=anatomy.neck_axis,
            shaft_axis=anatomy.shaft_axis,
            posterior=anatomy.posterior,
        )

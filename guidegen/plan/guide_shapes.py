"""Guide shapes: how thick, how far, how many: what a guide is built to beside the bone, the tunnel and the printer.

Each rule between two figures is a sentence that the file's author reads when it is broken.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import model_validator

from guidegen.plan.fields import Cortices, Switch, Template, Title, Within
from guidegen.plan.kits import Kit

SIZES = ("S", "M", "L")
DEEPEST_CUT = 0.5  # of the shell: what is engraved leaves at least as much below it

Made = Literal["printed", "metal"]


class Shell(Template):
    """The body on the bone.

    `largest_wrap_deg`: from the removal direction to the bone's normal. Round the rim, `rim_width_mm` wide, the guide
    stands `rim_relief_mm` off the bone.
    """

    thickness_mm: Annotated[float, Within(3, 8)]
    largest_wrap_deg: Annotated[float, Within(45, 82)]
    rim_relief_mm: Annotated[float, Within(0, 4)]
    rim_width_mm: Annotated[float, Within(0, 8)]

    @model_validator(mode="after")
    def _a_relief_has_a_width(self) -> Shell:
        if (self.rim_relief_mm > 0.0) != (self.rim_width_mm > 0.0):
            raise ValueError(
                f"expected rim_relief_mm and rim_width_mm both above 0 or both 0, found {self.rim_relief_mm:g} and "
                f"{self.rim_width_mm:g}; correct one of them"
            )
        return self


class Footprint(Template):
    """The most contact along the shaft."""

    length_mm: Annotated[float, Within(10, 120)]


class Zones(Template):
    """Where the contact ends: how far above the vastus ridge it may reach, how far it stays off what lies beside it.

    `farthest_back_deg`, `farthest_front_deg`: round the shaft's axis, from the lateral direction to back and front.
    """

    above_ridge_mm: Annotated[float, Within(0, 15)]
    off_intertrochanteric_line_mm: Annotated[float, Within(0, 15)]
    off_tuberosity_mm: Annotated[float, Within(0, 15)]
    farthest_back_deg: Annotated[float, Within(0, 90)]
    farthest_front_deg: Annotated[float, Within(30, 160)]
    off_keep_out_mm: Annotated[float, Within(1, 15)]


class FitShape(Template):
    """What lies between guide and bone unless the order says otherwise."""

    periosteum_mm: Annotated[float, Within(0, 1)]


class SleeveShape(Template):
    """The tube along the tunnel, with a collar round its outer end, printed or holding a metal sleeve.

    `metal_clearance_mm`: the metal bore over the drill, on the diameter. `metal_flange_mm`: how much wider, on the
    diameter, the flange is than the metal sleeve. `rib_thickness_mm`: of what holds a sleeve that stands off.
    """

    kind: Literal["auto", "printed", "metal"]
    guided_length_mm: Annotated[float, Within(15, 60)]
    least_guided_length_mm: Annotated[float, Within(15, 60)]
    wall_mm: Annotated[float, Within(1, 8)]
    collar_height_mm: Annotated[float, Within(1, 12)]
    collar_wall_mm: Annotated[float, Within(2, 12)]
    metal_wall_mm: Annotated[float, Within(0.5, 3)]
    metal_clearance_mm: Annotated[float, Within(0.02, 0.3)]
    metal_flange_height_mm: Annotated[float, Within(0.5, 6)]
    metal_flange_mm: Annotated[float, Within(1, 12)]
    rib_thickness_mm: Annotated[float, Within(1.5, 8)]

    def kind_for(self, kit: Kit) -> Made:
        """Of what the sleeve is made for this kit: by itself metal where cutting edges turn in it."""
        if self.kind != "auto":
            return self.kind
        return "metal" if kit.drill.rotating else "printed"

    def least_guided_for(self, kit: Kit) -> float:
        """The least guided length: the kit's own, otherwise the shape's."""
        return kit.guided_length_mm or self.least_guided_length_mm

    def guided_for(self, kit: Kit) -> float:
        """The guided length that is built: the shape's, or the kit's own least where that is more."""
        return max(self.guided_length_mm, self.least_guided_for(kit))

    @model_validator(mode="after")
    def _as_long_as_it_must_be(self) -> SleeveShape:
        if self.guided_length_mm < self.least_guided_length_mm:
            raise ValueError(
                f"expected guided_length_mm of at least least_guided_length_mm ({self.least_guided_length_mm:g}), "
                f"found {self.guided_length_mm:g}; exchange them"
            )
        return self

    @model_validator(mode="after")
    def _the_collar_bears(self) -> SleeveShape:
        if self.collar_wall_mm <= self.wall_mm:
            raise ValueError(
                f"expected collar_wall_mm above wall_mm ({self.wall_mm:g}), found {self.collar_wall_mm:g}; a collar is "
                "wider than its tube"
            )
        if self.metal_flange_mm / 2.0 > self.collar_wall_mm:
            raise ValueError(
                f"expected a metal_flange_mm of at most twice collar_wall_mm ({self.collar_wall_mm:g}) that it rests "
                f"on, found {self.metal_flange_mm:g}; correct one of them"
            )
        return self


class PinShape(Template):
    """The bosses that guide the wires: how many, through how many cortices, and how far apart from all else.

    `most_far_exit_mm`: how far a wire through both cortices comes out of the far one. `boss_edge_mm`: of shell beside
    a boss.
    """

    fewest: Annotated[int, Within(2, 3)]
    most: Annotated[int, Within(2, 3)]
    cortices: Cortices
    guided_length_mm: Annotated[float, Within(4, 20)]
    wall_mm: Annotated[float, Within(1, 6)]
    boss_edge_mm: Annotated[float, Within(0, 5)]
    least_divergence_deg: Annotated[float, Within(10, 45)]
    tunnel_distance_mm: Annotated[float, Within(2, 15)]
    most_far_exit_mm: Annotated[float, Within(0, 2)]

    @model_validator(mode="after")
    def _fewest_is_fewest(self) -> PinShape:
        if self.most < self.fewest:
            raise ValueError(f"expected most of at least fewest ({self.fewest}), found {self.most}; exchange them")
        return self


class Window(Template):
    """Round holes through the shell, to see that it is seated."""

    diameter_mm: Annotated[float, Within(3, 12)]
    most: Annotated[int, Within(0, 6)]


class Probe(Template):
    """Small holes at chosen points of the contact, to feel with a probe that it is seated."""

    diameter_mm: Annotated[float, Within(1, 4)]
    count: Annotated[int, Within(0, 8)]


class Pointer(Template):
    """A finger that points to the vastus ridge."""

    on: Switch
    width_mm: Annotated[float, Within(2, 12)]


class AxisMark(Template):
    """A groove on the outside above the tunnel's axis, in which a wire lies for one X-ray."""

    width_mm: Annotated[float, Within(0.5, 4)]
    depth_mm: Annotated[float, Within(0.2, 2)]


class Calliper(Template):
    """Two flat faces 20.00 mm apart, for the inspector."""

    on: Switch


class LabelShape(Template):
    """The text, engraved or raised by its depth."""

    text_height_mm: Annotated[float, Within(2, 10)]
    least_text_height_mm: Annotated[float, Within(1.5, 10)]
    depth_mm: Annotated[float, Within(0.2, 2)]
    raised: Switch

    @model_validator(mode="after")
    def _least_is_least(self) -> LabelShape:
        if self.text_height_mm < self.least_text_height_mm:
            raise ValueError(
                f"expected text_height_mm of at least least_text_height_mm ({self.least_text_height_mm:g}), found "
                f"{self.text_height_mm:g}; exchange them"
            )
        return self


class Trial(Template):
    """The trial bone: how far it goes on beyond the contact, and how thick the flat foot is at least that it
    stands on: marks of many lines make it thicker.
    """

    beyond_mm: Annotated[float, Within(5, 60)]
    foot_mm: Annotated[float, Within(1, 20)]


class GuideTemplate(Template):
    """The shape of a guide."""

    name: Title
    shell: Shell
    sizes: dict[str, Footprint]
    zones: Zones
    fit: FitShape
    sleeve: SleeveShape
    pins: PinShape
    window: Window
    probe: Probe
    pointer: Pointer
    axis_mark: AxisMark
    calliper: Calliper
    label: LabelShape
    trial: Trial

    @model_validator(mode="after")
    def _three_sizes_that_ascend(self) -> GuideTemplate:
        if sorted(self.sizes) != sorted(SIZES):
            raise ValueError(f"expected the sizes S, M and L, found {', '.join(self.sizes) or 'none'}; give all three")
        lengths = [self.sizes[size].length_mm for size in SIZES]
        if any(after <= before for before, after in pairwise(lengths)):
            found = ", ".join(f"{length:g}" for length in lengths)
            raise ValueError(f"expected length_mm to grow from S to M to L, found {found}; sort them")
        return self

    @model_validator(mode="after")
    def _cuts_that_leave_a_wall(self) -> GuideTemplate:
        deepest = DEEPEST_CUT * self.shell.thickness_mm
        for name, depth in (("label", self.label.depth_mm), ("axis_mark", self.axis_mark.depth_mm)):
            if depth > deepest:
                raise ValueError(
                    f"expected {name}.depth_mm of at most half of the shell's thickness ({deepest:g}), found "
                    f"{depth:g}; cut less deep or thicken the shell"
                )
        return self

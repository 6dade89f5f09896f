"""How wide a sleeve is: what guides the drill, the hole as printed, and what is round it."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.errors import TemplateError
from guidegen.plan.guide_shapes import GuideTemplate, Made
from guidegen.plan.kits import Kit
from guidegen.plan.printers import Printer
from guidegen.rounded import shown_beside

REDUCER_PLAY_MM = 0.03  # of a reducer in its bore, on the diameter: with H8 and h7 it slides, up to 0.07 [D]
CALLIPER_MM = 20.0  # between the two flats of a collar
FLAT_COLLAR_MM = 24.0  # a collar this wide has flats 13 mm broad


@dataclass(frozen=True)
class ReducerSizes:
    """Of what leads a guide wire through the bore for its drill; diameters in mm, and the flange's height."""

    wire_mm: float
    bore_mm: float
    outer_mm: float
    flange_mm: float
    flange_height_mm: float

    @classmethod
    def of(cls, kit: Kit, template: GuideTemplate, drill_bore_mm: float) -> ReducerSizes | None:
        """The sizes in a bore of `drill_bore_mm`; None for a kit without a guide wire. TemplateError where its wall
        would be thinner than the guide shape's metal.
        """
        if kit.guide_wire is None:
            return None
        shape, wire = template.sleeve, kit.guide_wire.diameter_mm
        bore, outer = wire + shape.metal_clearance_mm, drill_bore_mm - REDUCER_PLAY_MM
        wall = (outer - bore) / 2.0
        if wall < shape.metal_wall_mm:
            raise TemplateError(
                f"expected room for a reducer with a wall of at least {shape.metal_wall_mm:g} mm, the guide shape's "
                f"metal_wall_mm, between the guide wire of {wire:g} mm and the bore of {drill_bore_mm:g} mm for the "
                f"drill of the kit {kit.name!r}, found {shown_beside(wall, shape.metal_wall_mm, 2)} mm; choose a "
                "kit with a thinner wire"
            )
        return cls(wire, bore, outer, drill_bore_mm + shape.metal_flange_mm, shape.metal_flange_height_mm)


@dataclass(frozen=True)
class SleeveSizes:
    """Diameters in mm. `bore_mm`: what guides the drill; `hole_mm`: as printed, the same unless a metal sleeve is
    pressed into it; `metal_mm`, `flange_mm`: the metal sleeve and its flange, 0 where there is none, as is
    `flange_height_mm`; `tube_mm`, `collar_mm`: the print outside. `flats` is whether the collar has calliper faces.
    `reducer`: of what leads the guide wire, None where the kit has none.
    """

    kind: Made
    drill_mm: float
    bore_mm: float
    hole_mm: float
    metal_mm: float
    flange_mm: float
    flange_height_mm: float
    tube_mm: float
    collar_mm: float
    flats: bool
    reducer: ReducerSizes | None

    @classmethod
    def of(cls, kit: Kit, template: GuideTemplate, printer: Printer) -> SleeveSizes:
        """The sizes for a kit's drill on this printer. TemplateError where there is no room for its reducer."""
        shape, drill = template.sleeve, kit.drill.diameter_mm
        kind = shape.kind_for(kit)
        if kind == "metal":
            bore = drill + shape.metal_clearance_mm
            metal = bore + 2.0 * shape.metal_wall_mm
            hole, flange, height = (
                metal + printer.bores.insert_clearance_mm,
                metal + shape.metal_flange_mm,
                (shape.metal_flange_height_mm),
            )
        else:
            bore = hole = drill + printer.bores.drill_clearance_mm
            metal = flange = height = 0.0
        tube = hole + 2.0 * shape.wall_mm
        collar = hole + 2.0 * shape.collar_wall_mm
        flats = template.calliper.on and hole + 2.0 * printer.build.least_wall_mm <= CALLIPER_MM
        return cls(
            kind,
            drill,
            bore,
            hole,
            metal,
            flange,
            height,
            tube,
            max(collar, FLAT_COLLAR_MM) if flats else collar,
            flats,
            ReducerSizes.of(kit, template, bore),
        )

    @property
    def reducer_mm(self) -> float:
        """By how much further out the guide wire's stop stands than the drill's."""
        return 0.0 if self.reducer is None else self.reducer.flange_height_mm

    @property
    def clearance_mm(self) -> float:
        """Play of the drill, on the diameter; where a guide wire goes first, and the drill follows it, that of the wire
        in its reducer and of the reducer in the sleeve.
        """
        if self.reducer is not None:
            return self.reducer.bore_mm - self.reducer.wire_mm + self.bore_mm - self.reducer.outer_mm
        return self.bore_mm - self.drill_mm

"""How wide a sleeve is: what guides the drill, the hole as printed, and what is round it."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.plan.guide_shapes import GuideTemplate, Made
from guidegen.plan.kits import Kit
from guidegen.plan.printers import Printer

CALLIPER_MM = 20.0  # between the two flats of a collar
FLAT_COLLAR_MM = 24.0  # a collar this wide has flats 13 mm broad


@dataclass(frozen=True)
class SleeveSizes:
    """Diameters in mm. `bore_mm`: what guides the drill; `hole_mm`: as printed, the same unless a metal sleeve is
    pressed into it; `metal_mm`, `flange_mm`: the metal sleeve and its flange, 0 where there is none, as is
    `flange_height_mm`; `tube_mm`, `collar_mm`: the print outside. `flats` is whether the collar has calliper faces.
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

    @classmethod
    def of(cls, kit: Kit, template: GuideTemplate, printer: Printer) -> SleeveSizes:
        """The sizes for a kit's drill on this printer."""
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
        )

    @property
    def clearance_mm(self) -> float:
        """Play of the drill, on the diameter."""
        return self.bore_mm - self.drill_mm

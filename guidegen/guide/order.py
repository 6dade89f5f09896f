"""What a guide is made to, and the sizes that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from guidegen.guide.fan import FanShape
from guidegen.guide.metal import StopCollar
from guidegen.guide.rods import Drilling
from guidegen.plan.guide_shapes import GuideTemplate, LabelShape
from guidegen.plan.kits import Kit
from guidegen.plan.printers import Printer
from guidegen.plan.sleeve_sizes import SleeveSizes

SLIDING_MM = 0.1  # play of a stop collar on its drill, on the diameter: it slides, and stands square [M]
# The height of letters over the finest stroke that is printed: without finer ones, texts as they stand on guides
# correlate by 0.82 to 0.90 with what was meant, and by 0.72 to 0.83 at 7; a label must by 0.75. [D]
LEGIBLE = 7.5


@dataclass(frozen=True, eq=False)
class Order:
    """What a guide is made to: kit, shape, printer, the gap to the bone, and the sleeve's sizes."""

    kit: Kit
    template: GuideTemplate
    printer: Printer
    clearance_mm: float
    sizes: SleeveSizes

    @property
    def wire_hole_mm(self) -> float:
        """The hole for a wire, on the diameter."""
        return self.kit.pin.diameter_mm + self.printer.bores.pin_clearance_mm

    @property
    def boss_mm(self) -> float:
        """The boss round it, on the diameter."""
        return self.wire_hole_mm + 2.0 * self.template.pins.wall_mm

    @property
    def outside_mm(self) -> float:
        """From the bone to the shell's outside."""
        return self.clearance_mm + self.template.shell.thickness_mm

    @property
    def printed_guide_mm(self) -> float:
        """How long the printed hole leads all the way round."""
        return self.template.sleeve.guided_for(self.kit)

    @property
    def apart_mm(self) -> float:
        """The least gap between what stands and moves for several tunnels: a narrower slit keeps resin."""
        return self.printer.build.least_drain_mm

    @property
    def wire_left_mm(self) -> float | None:
        """The diameter of the wire over which the guide comes off: the guide wire, or a drill that is itself a pin;
        None where none is left in the bone.
        """
        wire = self.kit.guide_wire
        if not self.kit.leaves_wire:
            return None
        return self.kit.drill.diameter_mm if wire is None else wire.diameter_mm

    @property
    def stop(self) -> StopCollar:
        """The collar that stops the drill."""
        return stop_collar(self.kit)

    @property
    def label(self) -> LabelShape:
        """The letters: those of the guide's shape, and no lower than the printer makes legible."""
        label = self.template.label
        least_mm = max(label.least_text_height_mm, LEGIBLE * self.printer.build.least_feature_mm)
        heights = {"least_text_height_mm": least_mm, "text_height_mm": max(label.text_height_mm, least_mm)}
        return label.model_copy(update=heights)

    @property
    def fan_shape(self) -> FanShape:
        """The figures of a fan's socket and inserts."""
        label = self.label
        return FanShape(
            drill_mm=self.sizes.drill_mm,
            bore_mm=self.sizes.hole_mm,
            wall_mm=self.printer.build.least_wall_mm,
            gap_mm=self.printer.bores.socket_clearance_mm / 2.0,
            socket_wall_mm=self.template.sleeve.wall_mm,
            stop_mm=self.stop.outer_diameter_mm,
            guided_mm=self.printed_guide_mm,
            text_mm=label.least_text_height_mm,
            text_depth_mm=label.depth_mm,
        )

    def drilling(self, reading_mm: float) -> Drilling:
        """The tools of a tunnel that is read so at its stop face."""
        drill, stop = self.kit.drill, self.stop
        return Drilling(
            drill_mm=drill.diameter_mm,
            drill_length_mm=drill.length_mm,
            stop_mm=stop.outer_diameter_mm,
            stop_height_mm=stop.height_mm,
            chuck_mm=drill.chuck_diameter_mm,
            chuck_length_mm=drill.chuck_length_mm,
            reading_mm=reading_mm,
        )


def stop_collar(kit: Kit) -> StopCollar:
    """The stop collar for a kit's drill. A trephine, whose wall is thin and whose end is flat, gets one that clamps: a
    set screw would dent it.
    """
    return StopCollar.on(kit.drill.diameter_mm, SLIDING_MM, is_split=kit.drill.end == "flat")


def wire_stop_collar(kit: Kit) -> StopCollar | None:
    """The stop collar for a kit's guide wire, which a set screw does not dent; None where there is no such wire."""
    wire = kit.guide_wire
    return None if wire is None else StopCollar.on(wire.diameter_mm, SLIDING_MM, is_split=False)

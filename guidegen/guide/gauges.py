"""How a printed guide is measured before it is used: its calliper faces, and each hole with a go and a no-go pin.

Nominals are those of the guide, tolerances those of the printer's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guidegen.plan.printers import Printer

# 95 % of a process's errors lie within twice their root mean square [D].
SPREAD = 2.0


@dataclass(frozen=True)
class Gauge:
    """One length to measure: what it should be, and how far it may be off; `is_hole`: it is tried with two pins."""

    name: str
    nominal_mm: float
    tolerance_mm: float
    is_hole: bool

    @property
    def go_mm(self) -> float | None:
        """The pin that goes in; None where there is no hole."""
        return round(self.nominal_mm - self.tolerance_mm, 3) if self.is_hole else None

    @property
    def no_go_mm(self) -> float | None:
        """The pin that does not."""
        return round(self.nominal_mm + self.tolerance_mm, 3) if self.is_hole else None

    def record(self) -> dict[str, Any]:
        """The gauge as plan.json has it."""
        return {
            "name": self.name,
            "nominal_mm": self.nominal_mm,
            "tolerance_mm": self.tolerance_mm,
            "go_mm": self.go_mm,
            "no_go_mm": self.no_go_mm,
        }


def gauges_of(guide: Mapping[str, Any], printer: Printer) -> tuple[Gauge, ...]:
    """Every length that is measured on a printed guide, in the order of the inspector's sheet; `guide` as in
    plan.json.
    """
    calliper, bores = guide["calliper"], printer.bores
    faces = [] if calliper is None else [
        Gauge("calliper faces", calliper["distance_mm"], round(SPREAD * printer.rms_error_mm, 3), False)
    ]  # fmt: skip
    sleeves = [
        Gauge(f"sleeve {number} hole", sleeve["inner_diameter_mm"], _tolerance_mm(sleeve, printer), True)
        for number, sleeve in enumerate(guide["sleeves"], start=1)
    ]
    inserts = [
        Gauge(f"insert {number} bore", insert["bore_mm"], bores.drill_tolerance_mm, True)
        for number, insert in enumerate(guide.get("inserts", ()), start=1)
    ]
    pins = [
        Gauge(f"pin {number} hole", pin["hole_diameter_mm"], bores.pin_tolerance_mm, True)
        for number, pin in enumerate(guide["pins"], start=1)
    ]
    return (*faces, *sleeves, *inserts, *pins)


def _tolerance_mm(sleeve: Mapping[str, Any], printer: Printer) -> float:
    """Into a metal sleeve's hole a tube is pressed; in any other the drill runs."""
    bores = printer.bores
    return bores.insert_tolerance_mm if sleeve["kind"] == "metal" else bores.drill_tolerance_mm

"""The gap between guide and bone: the print clearance, and the periosteum where it is left on the bone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.errors import NoSafeGuide, TemplateError
from guidegen.plan.guide_shapes import GuideTemplate
from guidegen.plan.printers import Printer
from guidegen.rounded import shown

# The clearance covers 95 % of the error between printed guide and bone, one-sided: 1.645 standard deviations.
ONE_SIDED_95 = 1.645
CLEARANCE_STEP_MM = 0.01


@dataclass(frozen=True)
class Fit:
    """What lies between guide and bone, in mm: what print and segmentation may err, and what is left on the bone."""

    print_clearance_mm: float
    periosteum_mm: float

    @property
    def clearance_mm(self) -> float:
        """The gap that is asked for: both together."""
        return round(self.print_clearance_mm + self.periosteum_mm, 6)


def fit(
    printer: Printer,
    surface_error_mm: float,
    clearance_mm: float | None,
    periosteum_mm: float | None,
    shape: GuideTemplate,
) -> Fit:
    """The fit as ordered; what is None is the default: the print's error budget, the guide shape's periosteum.

    TemplateError for an order that the printer's file does not allow, NoSafeGuide for a default beyond its cap.
    """
    require_allowed(printer, clearance_mm, periosteum_mm, shape)
    return Fit(
        print_clearance_mm=print_clearance(printer, surface_error_mm) if clearance_mm is None else clearance_mm,
        periosteum_mm=shape.fit.periosteum_mm if periosteum_mm is None else periosteum_mm,
    )


def require_allowed(
    printer: Printer, clearance_mm: float | None, periosteum_mm: float | None, shape: GuideTemplate
) -> None:
    """TemplateError where an ordered clearance, or the periosteum ordered or of the shape, is not the printer's."""
    least, most = printer.fit.least_clearance_mm, printer.fit.most_clearance_mm
    if clearance_mm is not None and not least <= clearance_mm <= most:
        raise TemplateError(
            f"expected an ordered clearance_mm from {least:g} to {most:g}, as the file of the printer {printer.name!r} "
            f"allows, found {clearance_mm:g}; order another clearance or printer, or leave it to the error budget"
        )
    allowance = shape.fit.periosteum_mm if periosteum_mm is None else periosteum_mm
    if allowance > printer.fit.most_periosteum_mm:
        whose = "the guide shape's" if periosteum_mm is None else "an ordered"
        raise TemplateError(
            f"expected {whose} periosteum_mm of at most {printer.fit.most_periosteum_mm:g}, as the file of the printer "
            f"{printer.name!r} allows, found {allowance:g}; strip the periosteum or leave less of it"
        )


def print_clearance(printer: Printer, surface_error_mm: float) -> float:
    """The default print clearance in mm: 95 % of print error and surface error together, at least the printer's own.

    NoSafeGuide where it is beyond the printer's cap.
    """
    budget = ONE_SIDED_95 * float(np.hypot(printer.rms_error_mm, surface_error_mm))
    steps = np.ceil(max(budget, printer.fit.least_clearance_mm) / CLEARANCE_STEP_MM - 1e-9)
    clearance, most = float(round(steps * CLEARANCE_STEP_MM, 6)), printer.fit.most_clearance_mm
    if clearance > most:
        raise NoSafeGuide(
            f"expected a print clearance of at most {most:g} mm, the cap of the printer {printer.name!r}, found "
            f"{clearance:g} mm for a surface error of {shown(surface_error_mm, 2)} mm and a print error of "
            f"{printer.rms_error_mm:g} mm; scan or segment the bone more finely, or choose a truer printer",
            rule="print_clearance_mm",
            figures={"print_clearance_mm": clearance, "most_clearance_mm": most},
        )
    return clearance

"""Printers: what a process can make, how far it errs, and how what it made may be sterilised.

Each rule between two figures is a sentence that the file's author reads when it is broken.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from guidegen.plan.fields import Name, Switch, Template, Title, Within, Words

BuildSide = Annotated[float, Within(100, 1000)]  # of a build volume; the longest guide needs 100 mm
Shrinkage = Annotated[float, Within(0, 5)]  # beyond 5 % it is a slip of the pen: no process here shrinks so much

UPRIGHT_DEG = 90.0  # a process that holds a level face without support


class FitLimits(Template):
    """How far guide and bone may stand apart: the print clearance, from least to most, and the periosteum left on."""

    least_clearance_mm: Annotated[float, Within(0.05, 1.0)]
    most_clearance_mm: Annotated[float, Within(0.1, 1.5)]
    most_periosteum_mm: Annotated[float, Within(0, 1.0)]

    @model_validator(mode="after")
    def _least_is_least(self) -> FitLimits:
        if self.most_clearance_mm < self.least_clearance_mm:
            raise ValueError(
                f"expected most_clearance_mm of at least least_clearance_mm ({self.least_clearance_mm:g}), found "
                f"{self.most_clearance_mm:g}; exchange them"
            )
        return self


class BoreFits(Template):
    """Printed holes, all on the diameter: how much wider than what goes in, and how far a print may be off that.

    `drill`: the bore that guides a drill. `pin`: the hole for a wire. `insert`: the hole into which a metal sleeve is
    pressed. `socket`: the hole into which a printed insert is put.
    """

    drill_clearance_mm: Annotated[float, Within(0.02, 0.6)]
    drill_tolerance_mm: Annotated[float, Within(0.01, 0.4)]
    pin_clearance_mm: Annotated[float, Within(0.02, 0.6)]
    pin_tolerance_mm: Annotated[float, Within(0.01, 0.4)]
    insert_clearance_mm: Annotated[float, Within(0.01, 0.4)]
    insert_tolerance_mm: Annotated[float, Within(0.01, 0.4)]
    socket_clearance_mm: Annotated[float, Within(0.02, 0.6)]
    socket_tolerance_mm: Annotated[float, Within(0.01, 0.4)]

    @model_validator(mode="after")
    def _the_tightest_hole_still_lets_it_in(self) -> BoreFits:
        for what in ("drill", "pin", "insert", "socket"):
            clearance, tolerance = getattr(self, f"{what}_clearance_mm"), getattr(self, f"{what}_tolerance_mm")
            if tolerance >= clearance:
                raise ValueError(
                    f"expected {what}_tolerance_mm below {what}_clearance_mm ({clearance:g}), so that the tightest "
                    f"hole that passes its gauge still lets it in, found {tolerance:g}; correct one of them"
                )
        return self


class BuildLimits(Template):
    """What the process can make. `steepest_overhang_deg` is counted from the vertical: 90 needs no support at all.

    `shrinkage_percent` is what a part shrinks by along x, y and z if nobody makes up for it; 0 where slicer or maker
    do. guidegen scales nothing.
    """

    build_mm: tuple[BuildSide, BuildSide, BuildSide]
    layer_mm: Annotated[float, Within(0.01, 0.4)]
    resolution_mm: Annotated[float, Within(0.01, 1.0)]
    least_wall_mm: Annotated[float, Within(0.4, 4.0)]
    least_feature_mm: Annotated[float, Within(0.1, 2.0)]
    steepest_overhang_deg: Annotated[float, Within(20, 90)]
    needs_support: Switch
    least_drain_mm: Annotated[float, Within(0.5, 6.0)]
    shrinkage_percent: tuple[Shrinkage, Shrinkage, Shrinkage]
    density_g_cm3: Annotated[float, Within(0.8, 9.0)]

    @model_validator(mode="after")
    def _from_fine_to_coarse(self) -> BuildLimits:
        steps = ("resolution_mm", "least_feature_mm", "least_wall_mm")
        for fine, coarse in pairwise(steps):
            if getattr(self, coarse) < getattr(self, fine):
                raise ValueError(
                    f"expected {coarse} of at least {fine} ({getattr(self, fine):g}), found "
                    f"{getattr(self, coarse):g}; correct one of them"
                )
        return self

    @model_validator(mode="after")
    def _support_where_a_level_face_needs_it(self) -> BuildLimits:
        if self.needs_support == (self.steepest_overhang_deg == UPRIGHT_DEG):
            expected = "below 90 for a process that needs support" if self.needs_support else "of 90 without support"
            raise ValueError(
                f"expected steepest_overhang_deg {expected}, found {self.steepest_overhang_deg:g}; correct it or "
                "needs_support"
            )
        return self


class Cycle(Template):
    """A sterilisation after which a guide of this process and material is known to keep its shape, and from where."""

    name: Name
    text: Words
    source: Words


class Printer(Template):
    """A printing process with its material. `slicer_profile`: of those that are shipped; None where none is."""

    name: Title
    process: Literal["SLA", "SLS", "MJF", "FDM", "LPBF"]
    material: Words
    rms_error_mm: Annotated[float, Within(0.01, 0.5)]
    slicer_profile: Name | None = None
    fit: FitLimits
    bores: BoreFits
    build: BuildLimits
    sterilisation: Annotated[tuple[Cycle, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _more_play_than_error(self) -> Printer:
        least = {
            "fit.least_clearance_mm": self.fit.least_clearance_mm,
            "bores.drill_clearance_mm": self.bores.drill_clearance_mm,
            "bores.pin_clearance_mm": self.bores.pin_clearance_mm,
        }
        for name, clearance_mm in least.items():
            if clearance_mm <= self.rms_error_mm:
                raise ValueError(
                    f"expected {name} above rms_error_mm ({self.rms_error_mm:g}), found {clearance_mm:g}; such a print "
                    "jams: give it more play or a better printer"
                )
        return self

    @model_validator(mode="after")
    def _each_cycle_once(self) -> Printer:
        names = [cycle.name for cycle in self.sterilisation]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"expected each sterilisation once, found {', '.join(twice)} twice; name them apart")
        return self

"""What moves a drill off its plan, and by how much: each source of error with its figure and where that comes from.

Figures are rms lengths of the whole error vector ("3-axis rms"): along one axis an error that is the same in all
directions has 1/√3 of it, one across the drill 1/√2. `[D]` marks what was derived or assumed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guidegen.plan.seating import Seating
from guidegen.rounded import shown

SURFACE_MM = 0.5  # a good segmentation of the bone's surface
DEPTH_STOP_MM = 0.5
CT_MR_MM = 1.0  # laying an MR on the bone, where the registration does not tell its own doubt
# Two surfaces of one femur do not lie on each other better than this (0.5 ± 0.3 mm; BioMed Eng OnLine 2008;7:6): what a
# registration doubts less, such as the MR's distortion, it cannot see.
LEAST_CT_MR_MM = 0.5
BEND_AT_MM = 90.0  # the free length at which a drill bends by the figure given for it

# A ball with 95 % of an even 3-axis normal error inside has 1.614 times its rms as radius: √(χ²₃ at 95 % / 3).
# An uneven error of the same 95 % radius has a smaller rms, so that this errs to the safe side.
RADIUS_95_PER_RMS = 1.6140


@dataclass(frozen=True)
class ErrorSource:
    """One source: the rms length of its error in `unit` ("mm" or "°"), and where the figure comes from."""

    name: str
    rms: float
    unit: str
    source: str


@dataclass(frozen=True)
class ErrorSources:
    """Every source of a budget. `sleeve_end_mm`: the way from the guided length's inner end to the entry.

    The guide moves as `seat` says, the sleeve's play is about the end of its guided length. The sleeve's two are spread
    evenly over a disc of √2 times their rms, all others are normal. `bone_surface`: by how much the true surface is off
    what everything was made on; None where it does not count. `registration` moves the lesion against the bone; None
    where the lesion came in the bone's own frame.
    """

    seat: Seating
    bone_surface: ErrorSource | None
    printing: ErrorSource
    sleeve_shift: ErrorSource
    sleeve_tilt: ErrorSource
    drill_bend: ErrorSource
    depth_stop: ErrorSource
    registration: ErrorSource | None
    sleeve_end_mm: float

    @property
    def seat_turn(self) -> ErrorSource:
        """The guide's turn, with the shift that goes with it."""
        return ErrorSource("seat turn", self.seat.turn_rms_deg, "°", self.seat.source)

    @property
    def seat_shift(self) -> ErrorSource:
        """The guide's shift that goes with no turn."""
        rms_mm = float(np.linalg.norm(self.seat.slide_root))
        return ErrorSource("seat shift", rms_mm, "mm", self.seat.source)

    @property
    def towards_lesion(self) -> ErrorSources:
        """What moves the tool against the lesion: the surface's error not a second time where the seat's is of it."""
        return replace(self, bone_surface=None) if self.seat.of_surface else self

    @property
    def in_bone(self) -> ErrorSources:
        """What moves the tool in the bone."""
        return replace(self.towards_lesion, registration=None)

    @property
    def under_surface(self) -> ErrorSources:
        """What moves the tool against the true surface over it, which errs there whatever it does to the seat."""
        return replace(self, registration=None)


def error_sources(
    seat: Seating,
    printer_rms_mm: float,
    bore_clearance_mm: float,
    guided_length_mm: float,
    sleeve_end_mm: float,
    bend_mm: float,
    surface_error_mm: float,
    lesion_doubt_95_mm: float | None,
) -> ErrorSources:
    """The sources for one seat, printer, drill, bone and registration; ValueError for a figure that cannot be.

    `bore_clearance_mm`: bore less drill, on the diameter. `bend_mm`: rms deflection of the drill BEND_AT_MM past its
    sleeve. `surface_error_mm`: the standard error of the bone's surface along its normal that its label accounts for
    (Bone.error_mm). `lesion_doubt_95_mm`: Registration.lesion_doubt_mm, or None where there is no registration.
    """
    doubt_mm = 0.0 if lesion_doubt_95_mm is None else lesion_doubt_95_mm
    given = [printer_rms_mm, bore_clearance_mm, sleeve_end_mm, bend_mm, surface_error_mm, doubt_mm]
    if not (np.isfinite([*given, guided_length_mm]).all() and min(given) >= 0.0 and guided_length_mm > 0.0):
        raise ValueError(f"expected errors of 0 and more and a guided length, found {given} and {guided_length_mm}")
    tilt_deg = float(np.degrees(bore_clearance_mm / guided_length_mm))
    play = f"clearance {bore_clearance_mm:g} mm over {guided_length_mm:g} mm, spread evenly"
    registration = None
    if lesion_doubt_95_mm is not None:
        rms_mm = lesion_doubt_95_mm / RADIUS_95_PER_RMS
        known = f"95 % of the registration's doubt lies within {shown(lesion_doubt_95_mm, 2)} mm"
        if rms_mm < LEAST_CT_MR_MM:
            rms_mm, known = LEAST_CT_MR_MM, f"{known}; no surface registration is taken for better than this"
        registration = ErrorSource("MR registration", rms_mm, "mm", known)
    return ErrorSources(
        seat=seat,
        bone_surface=_bone_surface(surface_error_mm),
        printing=ErrorSource("print", printer_rms_mm, "mm", "the printer's file; drill guides, 10.3390/jcm10214894"),
        sleeve_shift=ErrorSource("sleeve shift", bore_clearance_mm / 2.0 / np.sqrt(2.0), "mm", f"c/2: {play}"),
        sleeve_tilt=ErrorSource(
            "sleeve tilt",
            tilt_deg / np.sqrt(2.0),
            "°",
            f"c/L: {play} (Int J Implant Dent 2018, 10.1186/s40729-018-0146-2)",
        ),
        drill_bend=ErrorSource(
            "drill bend",
            bend_mm,
            "mm",
            f"the kit's file, at {BEND_AT_MM:g} mm free [D]; long thin drills err more (J Orthop Trauma 2005;19:317)",
        ),
        depth_stop=ErrorSource("depth stop", DEPTH_STOP_MM, "mm", "a stop set and read on a millimetre scale [D]"),
        registration=registration,
        sleeve_end_mm=sleeve_end_mm,
    )


def _bone_surface(surface_error_mm: float) -> ErrorSource:
    """A good segmentation's figure, or what the label's own voxels leave open where that is more."""
    voxels_mm = float(np.sqrt(3.0) * surface_error_mm)
    if voxels_mm > SURFACE_MM:
        return ErrorSource("bone surface", voxels_mm, "mm", "the label's voxels: √3 times their error along the normal")
    return ErrorSource(
        "bone surface",
        SURFACE_MM,
        "mm",
        "a good segmentation of a CT: 0.26 mm on average, 95 % within 0.65 mm (PMC9790725) [D]",
    )

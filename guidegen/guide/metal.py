"""What is made of metal beside the printed guide: the sleeve that leads the drill, the reducer that leads a guide wire
through it, and the collars that stop them.

All are turned parts; their sizes carry the tolerances that a workshop works to. Tolerances of fits: ISO 286-1:2010,
table 1; all others: ISO 2768-1, class m.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from guidegen.frames import FloatArray
from guidegen.rounded import number

# What surgical instruments are made of, hard enough to run a drill in (ASTM F899, UNS S17400).
MATERIAL = "stainless steel 1.4542 (17-4 PH) to ASTM F899, aged H900, passivated"

LEAD_IN_MM = 0.8  # 45° on the sleeve's lower end, so that it finds its hole
DEBURR_MM = 0.2  # 45° on both ends of a bore and on all outer edges
THINNEST_MM = 0.5  # wall that is turned without chatter
MATE_MM = 4.0  # of wall for a set screw M4 to hold in: as much thread as it is thick
COLLAR_HEIGHT_MM = 10.0  # room for the head of a cap screw M4, 7 mm, in its counterbore
SLIT_MM = 1.5
OUTER_STEP_MM = 0.5  # bar comes in such steps

# Screw holes in mm: tap drill of M4 × 0.7, clearance hole (ISO 273 fine), counterbore for the head (DIN 974-1, less 0.5
# for its short way in).
TAPPED_MM, THROUGH_MM, HEAD_MM = 3.3, 4.3, 7.5
HEAD_SEAT_MM = 4.5  # from the slit's middle to where the head bears
BESIDE_MM = 0.8  # of metal between bore and screw
BEYOND_MM = 1.4  # of metal outside the screw

# ISO 286-1: largest diameter of each range, IT7 and IT8.
FIT_GRADES_MM = (
    (3.0, 0.010, 0.014),
    (6.0, 0.012, 0.018),
    (10.0, 0.015, 0.022),
    (18.0, 0.018, 0.027),
    (30.0, 0.021, 0.033),
    (50.0, 0.025, 0.039),
)
# ISO 2768-1 m: largest size of each range, and how far off it may be.
GENERAL_MM = ((6.0, 0.1), (30.0, 0.2), (120.0, 0.3))


@dataclass(frozen=True)
class Whose:
    """Which guide a part goes with, in the words that are engraved on the guide."""

    case_id: str
    side: str
    revision: str
    plan_hash: str

    @property
    def lines(self) -> tuple[str, str]:
        """The patient's id, and the rest of it."""
        return self.case_id, f"{self.side.upper()} hip {self.revision} {self.plan_hash}"


@dataclass(frozen=True)
class Size:
    """One dimension: its nominal value, and how much over and under it the part may be; all in mm.

    It is a diameter from one height to another along the axis (`between_mm`), or the length from one to the other.
    """

    name: str
    nominal_mm: float
    over_mm: float
    under_mm: float
    between_mm: tuple[float, float]
    is_diameter: bool

    @property
    def text(self) -> str:
        """As it stands on a drawing, in ASCII: "bore: dia 8.05 +0.022/-0"."""
        sign = "dia " if self.is_diameter else ""
        even = self.over_mm == self.under_mm
        tolerance = f"+/-{self.over_mm:g}" if even else f"+{self.over_mm:g}/-{self.under_mm:g}"
        return f"{self.name}: {sign}{number(self.nominal_mm):g} {tolerance}"

    @property
    def record(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return {
            "name": self.name,
            "nominal_mm": number(self.nominal_mm),
            "over_mm": self.over_mm,
            "under_mm": self.under_mm,
        }


@dataclass(frozen=True)
class MetalSleeve:
    """A tube with a flange, along z from its lower end (0) to its stop face (`length_mm`); all in mm.

    The flange rests on the printed sleeve's top, and the drill's stop on the flange.
    """

    drill_diameter_mm: float
    inner_diameter_mm: float
    outer_diameter_mm: float
    length_mm: float
    flange_diameter_mm: float
    flange_height_mm: float

    name = "metal sleeve"

    def __post_init__(self) -> None:
        wall = (self.outer_diameter_mm - self.inner_diameter_mm) / 2.0
        _require(self.inner_diameter_mm > self.drill_diameter_mm > 0.0, "a bore wider than its drill", self)
        _require(wall >= THINNEST_MM, f"a wall of at least {THINNEST_MM:g} mm", self)
        _require(self.flange_diameter_mm >= self.outer_diameter_mm + 2.0, "a flange 1 mm wider all round", self)
        _require(self.length_mm > self.flange_height_mm + LEAD_IN_MM, "a tube below the flange", self)
        _require(self.flange_height_mm >= 2.0 * THINNEST_MM, f"a flange {2.0 * THINNEST_MM:g} mm high", self)

    @classmethod
    def around(
        cls, drill_mm: float, running_mm: float, wall_mm: float, length_mm: float, flange: tuple[float, float]
    ) -> MetalSleeve:
        """The sleeve for a drill: `running_mm` is its play in the bore, on the diameter, `flange` diameter and height.

        ValueError for figures that make no sleeve.
        """
        inner = drill_mm + running_mm
        return cls(drill_mm, inner, inner + 2.0 * wall_mm, length_mm, *flange)

    @property
    def guided_length_mm(self) -> float:
        """Over which the bore leads the drill: all but its deburred ends."""
        return self.length_mm - 2.0 * DEBURR_MM

    @property
    def lead_in_mm(self) -> float:
        """The chamfer outside the lower end: at most half the wall."""
        return min(LEAD_IN_MM, (self.outer_diameter_mm - self.inner_diameter_mm) / 4.0)

    @cached_property
    def profile_mm(self) -> FloatArray:
        """Radius and height (K, 2) round the section of one side, counter-clockwise."""
        inner, outer, flange = (
            d / 2.0 for d in (self.inner_diameter_mm, self.outer_diameter_mm, self.flange_diameter_mm)
        )
        lead_in = self.lead_in_mm
        neck, top = self.length_mm - self.flange_height_mm, self.length_mm
        return np.array(
            [
                (inner + DEBURR_MM, 0.0), (outer - lead_in, 0.0), (outer, lead_in), (outer, neck),
                (flange - DEBURR_MM, neck), (flange, neck + DEBURR_MM), (flange, top - DEBURR_MM),
                (flange - DEBURR_MM, top), (inner + DEBURR_MM, top), (inner, top - DEBURR_MM), (inner, DEBURR_MM),
            ]
        )  # fmt: skip

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Its dimensions. The flange's height counts in the drill's depth, the tube's outside is a fit in the print."""
        top, neck = self.length_mm, self.length_mm - self.flange_height_mm
        wide = general_mm(self.flange_diameter_mm)
        return (
            Size("bore", self.inner_diameter_mm, fit_mm(self.inner_diameter_mm, 8), 0.0, (0.0, top), True),
            Size("tube", self.outer_diameter_mm, 0.0, fit_mm(self.outer_diameter_mm, 7), (0.0, neck), True),
            Size("flange", self.flange_diameter_mm, wide, wide, (neck, top), True),
            Size("flange height", self.flange_height_mm, 0.05, 0.05, (neck, top), False),
            Size("length", top, general_mm(top), general_mm(top), (0.0, top), False),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a workshop must know besides, in ASCII."""
        return (
            f"for a drill of {self.drill_diameter_mm:g} mm",
            f"lower end of the tube: {number(self.lead_in_mm):g} x 45 deg outside",
            f"ends of the bore and edges of the flange: {DEBURR_MM:g} x 45 deg",
            "tube and bore coaxial within 0.02; both faces of the flange square to the bore within 0.02",
            "no radius larger than 0.2 under the flange; bore Ra 0.8, elsewhere Ra 1.6",
        )

    @property
    def record(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return _record(self, guided_length_mm=number(self.guided_length_mm))


@dataclass(frozen=True)
class Reducer(MetalSleeve):
    """A tube with a flange in a tube: it leads a guide wire through the bore of the wider drill that follows.

    `drill_diameter_mm` is the wire's, `outer_diameter_mm` that of the tube in the bore of `sleeve_bore_mm`. Its flange
    rests on what leads the drill, so that the wire's stop stands the flange's height further out than the drill's.
    """

    sleeve_bore_mm: float

    name = "reducer"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.outer_diameter_mm < self.sleeve_bore_mm, "a tube that goes into its bore", self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a workshop must know besides, in ASCII."""
        first = f"for a wire of {self.drill_diameter_mm:g} mm, slides in a bore of {number(self.sleeve_bore_mm):g}"
        return (first, *super().notes[1:])


@dataclass(frozen=True)
class StopCollar:
    """A ring that slides on the drill and is held by a screw M4: set radially, or, if split, drawing it together.

    Along z from the face that stops (0) to `height_mm`. A set screw dents a trephine, whose wall is thin: clamp it.
    """

    drill_diameter_mm: float
    bore_mm: float
    outer_diameter_mm: float
    height_mm: float
    is_split: bool

    name = "stop collar"

    def __post_init__(self) -> None:
        _require(self.bore_mm > self.drill_diameter_mm > 0.0, "a bore wider than its drill", self)
        needed = _outer_mm(self.bore_mm, self.is_split)
        _require(self.outer_diameter_mm >= needed, f"{needed:g} mm across, so that the screw has metal round it", self)
        _require(self.height_mm >= COLLAR_HEIGHT_MM, f"{COLLAR_HEIGHT_MM:g} mm high, for the screw", self)

    @classmethod
    def on(cls, drill_mm: float, sliding_mm: float, is_split: bool) -> StopCollar:
        """The smallest collar for a drill; `sliding_mm` is its play on the diameter."""
        bore = drill_mm + sliding_mm
        return cls(drill_mm, bore, _outer_mm(bore, is_split), COLLAR_HEIGHT_MM, is_split)

    @property
    def screw_mm(self) -> float:
        """How far from the drill's axis the clamping screw runs across the slit."""
        return self.bore_mm / 2.0 + BESIDE_MM + THROUGH_MM / 2.0

    @cached_property
    def profile_mm(self) -> FloatArray:
        """Radius and height (K, 2) round the section of one side, counter-clockwise, without slit and screw."""
        inner, outer, top = self.bore_mm / 2.0, self.outer_diameter_mm / 2.0, self.height_mm
        return np.array(
            [
                (inner + DEBURR_MM, 0.0), (outer - DEBURR_MM, 0.0), (outer, DEBURR_MM), (outer, top - DEBURR_MM),
                (outer - DEBURR_MM, top), (inner + DEBURR_MM, top), (inner, top - DEBURR_MM), (inner, DEBURR_MM),
            ]
        )  # fmt: skip

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Its dimensions."""
        top, wide, high = self.height_mm, general_mm(self.outer_diameter_mm), general_mm(self.height_mm)
        return (
            Size("bore", self.bore_mm, fit_mm(self.bore_mm, 8), 0.0, (0.0, top), True),
            Size("outside", self.outer_diameter_mm, wide, wide, (0.0, top), True),
            Size("height", top, high, high, (0.0, top), False),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a workshop must know besides, in ASCII."""
        return (
            f"for a drill of {self.drill_diameter_mm:g} mm",
            *(self._clamped if self.is_split else self._set),
            f"ends of the bore and outer edges: {DEBURR_MM:g} x 45 deg",
            "stop face square to the bore within 0.02; bore Ra 0.8, elsewhere Ra 1.6",
        )

    @property
    def _set(self) -> tuple[str, ...]:
        return (
            f"M4x0.7-6H radial at half height, through to the bore (drawn as tap drill {TAPPED_MM:g})",
            "set screw with flat point ISO 4026 M4",
        )

    @property
    def _clamped(self) -> tuple[str, ...]:
        return (
            f"slit {SLIT_MM:g} through one side; screw hole across it, {number(self.screw_mm):g} from the axis,",
            f"at half height: M4x0.7-6H beyond the slit (drawn as tap drill {TAPPED_MM:g}), {THROUGH_MM:g} before it,",
            f"counterbore {HEAD_MM:g} to {HEAD_SEAT_MM:g} from the slit's middle; cap screw ISO 4762 M4x12",
        )

    @property
    def record(self) -> dict[str, Any]:
        """The figures for a JSON file."""
        return _record(self)


MetalPart = MetalSleeve | StopCollar


def fit_mm(diameter_mm: float, grade: int) -> float:
    """The width of the tolerance of a diameter in grade IT7 or IT8 of ISO 286-1."""
    _, seven, eight = next(row for row in FIT_GRADES_MM if diameter_mm <= row[0])
    return seven if grade == 7 else eight


def general_mm(size_mm: float) -> float:
    """How far off a size without a fit may be: ISO 2768-1, class m."""
    return next(off for largest, off in GENERAL_MM if size_mm <= largest)


def _outer_mm(bore_mm: float, is_split: bool) -> float:
    """The least outer diameter in which the screw has metal round it."""
    radius = bore_mm / 2.0 + (BESIDE_MM + THROUGH_MM + BEYOND_MM if is_split else MATE_MM)
    return float(np.ceil(2.0 * radius / OUTER_STEP_MM - 1e-9) * OUTER_STEP_MM)


def _require(kept: bool, expected: str, part: object) -> None:
    if not kept:
        raise ValueError(f"expected {expected}, found {part}; correct the kit, the guide's shape or the printer")


def _record(part: MetalPart, **more: float) -> dict[str, Any]:
    return {
        "name": part.name,
        "material": MATERIAL,
        "drill_diameter_mm": number(part.drill_diameter_mm),
        **more,
        "sizes": [size.record for size in part.sizes],
        "notes": list(part.notes),
    }

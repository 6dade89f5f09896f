"""What the plan asks of the files: the only numbers the checks take from plan.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from guidegen.bone.anatomy import Side
from guidegen.check.files import MOST_MM
from guidegen.errors import ResultError
from guidegen.frames import FloatArray, unit
from guidegen.plan.fields import Cortices

# How far from length 1 a direction may be written: six decimals of rounding.
UNIT_TOLERANCE = 1e-5
# An arrow any shorter is a blot.
SHORTEST_ARROW_MM, LONGEST_ARROW_MM = 1.0, 100.0
# What is measured in steps is no longer than this, and there are no more parts of a kind: more is no guide.
SHORTEST_MM, LONGEST_MM = 1.0, 400.0
MOST_PARTS = 50
# A label has no more letters than fit into so many squares of a letter's height.
MOST_SQUARES = 1000.0
# Two axes are parallel when the sine between them is less.
PARALLEL = 1e-3


def _of_length_one(vector: tuple[float, float, float]) -> tuple[float, float, float]:
    if abs(float(np.linalg.norm(vector)) - 1.0) > UNIT_TOLERANCE:
        raise ValueError("expected a direction of length 1")
    return vector


Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MOST_MM, le=MOST_MM)]
Length = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0.0, le=MOST_MM)]
Chuck = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=1.0, le=500.0)]
Modulus = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0.0, le=1e6)]  # MPa; steel has 2e5
Count = Annotated[int, Field(strict=True, ge=0)]
Degrees = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0.0, le=90.0)]
NotNegative = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0.0, le=MOST_MM)]
Rings = Annotated[list[tuple[NotNegative, NotNegative]], Field(max_length=1000)]
Point = tuple[Number, Number, Number]
Direction = Annotated[Point, AfterValidator(_of_length_one)]
Line = Annotated[str, Field(pattern=r"\S", max_length=200)]


def _are_parallel(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return float(np.linalg.norm(np.cross(first, second))) < PARALLEL


def _require_near(first: tuple[float, ...], second: tuple[float, ...], what: str) -> None:
    """ValueError for two points that are one, or further apart than any guide reaches."""
    apart_mm = float(np.linalg.norm(np.subtract(first, second)))
    if not SHORTEST_MM <= apart_mm <= LONGEST_MM:
        raise ValueError(f"expected {what} {SHORTEST_MM:g} to {LONGEST_MM:g} mm long, found {apart_mm:g} mm")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AskedAnatomy(_Part):
    """Landmarks that place the side and the head; plan.json's `anatomy`."""

    head_center_mm: Point
    head_radius_mm: Length
    neck_isthmus_center_mm: Point | None = None
    neck_axis: Direction
    shaft_point_mm: Point
    shaft_axis: Direction
    lesser_trochanter_mm: Point
    vastus_ridge_mm: Point | None = None

    @model_validator(mode="after")
    def _neck_and_shaft_span_a_plane(self) -> Self:
        if _are_parallel(self.neck_axis, self.shaft_axis):
            raise ValueError("expected a neck that leaves the shaft's axis, found them parallel")
        return self


class AskedLesion(_Part):
    """plan.json's `lesion`."""

    centroid_mm: Point


class AskedTunnel(_Part):
    """One of plan.json's `tunnels`; what the plan could not compute is None."""

    entry_mm: Point
    target_mm: Point
    diameter_mm: Length
    length_mm: Length
    wall_min_mm: Number | None
    subchondral_mm: Number | None
    subchondral_axis_mm: Number | None
    centroid_distance_mm: Number | None
    end_outline_mm: Rings = []  # behind the target, radius; empty: flat, the bore's width
    keep_out_mm: Number | None = None
    lesion_reached_fraction: NotNegative
    sleeve_offset_mm: Length  # from the entry to where the drill's stop rests
    depth_reading_mm: Length  # from there to the target

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        _require_near(self.entry_mm, self.target_mm, "a tunnel")
        return self


class AskedMetal(_Part):
    """The metal tube that is pressed into a sleeve's hole: a part of its own, whose flange rests on the printed top."""

    inner_diameter_mm: Length
    outer_diameter_mm: Length
    length_mm: Length
    flange_diameter_mm: Length
    flange_height_mm: Length


class AskedReducer(_Part):
    """The metal tube that leads a guide wire through what leads the drill; its flange rests on the latter's top."""

    drill_diameter_mm: Length  # of the wire
    inner_diameter_mm: Length
    outer_diameter_mm: Length
    flange_height_mm: Length
    length_mm: Length


class AskedStop(_Part):
    """A collar that stops the drill, or a guide wire that goes first."""

    bore_mm: Length
    height_mm: Length


class AskedSleeve(_Part):
    """One of plan.json's `guide.sleeves`; the inner diameter is that of the hole as printed."""

    tunnel: Count
    kind: Literal["printed", "metal"]
    inner_diameter_mm: Length
    outer_diameter_mm: Length
    drill_diameter_mm: Length
    guided_length_mm: Length
    top_mm: Point
    stop_face_mm: Point  # where the drill's stop rests, on the axis
    offset_mm: Length  # from the entry to the stop's face
    chuck_diameter_mm: Chuck  # what turns above the stop's face at full depth
    chuck_length_mm: Chuck
    bore_mm: Length | None = None  # of what leads the drill, in metal or in print
    metal: AskedMetal | None = None
    reducer: AskedReducer | None = None  # where a guide wire goes first
    wire_reading_mm: Length | None = None  # what is read then, on the reducer

    @model_validator(mode="after")
    def _metal_is_described(self) -> Self:
        if (self.kind == "metal") != (self.metal is not None):
            raise ValueError("expected the measures of the metal where the sleeve is of metal, and only there")
        return self

    @model_validator(mode="after")
    def _a_reducer_is_read_at(self) -> Self:
        if self.reducer is not None and (self.wire_reading_mm is None or self.bore_mm is None):
            raise ValueError("expected wire_reading_mm and bore_mm of a sleeve with a reducer")
        return self


class AskedSocket(_Part):
    """plan.json's `guide.socket`: heights over the entry between which the inserts' cone lies, its radii there, the gap
    round it, and the least wall of an insert.
    """

    entry_mm: Point
    outwards: Direction
    low_mm: Length
    rim_mm: Length
    low_radius_mm: Length
    rim_radius_mm: Length
    gap_mm: Length
    wall_mm: Length


class AskedPin(_Part):
    """One of plan.json's `guide.pins`."""

    point_mm: Point
    direction: Direction
    hole_diameter_mm: Length
    wire_diameter_mm: Length
    guided_length_mm: Length
    top_mm: Point
    depth_mm: Length | None = None  # how far the wire goes in; None: as far as a surgeon may drive it
    wire_length_mm: Length  # of the whole wire
    reading_mm: Length | None = None  # from the wire's tip to the top of its boss, once it is as deep as planned
    cortices: Cortices
    far_exit_mm: Number | None = None  # how far the wire stands out of the far cortex; None where it stays in the bone


class AskedWindow(_Part):
    """One of plan.json's `guide.windows`: a hole to look or probe through, from the bone outwards."""

    kind: Literal["window", "probe"]
    point_mm: Point
    direction: Direction
    diameter_mm: Length


class AskedPointer(_Part):
    """plan.json's `guide.pointer`: the bottom of a notch in the rim, and its way off the
    bone, along which a probe feels a landmark.
    """

    tip_mm: Point
    direction: Direction
    landmark: Literal["vastus ridge"]


class AskedAxisMark(_Part):
    """plan.json's `guide.axis_mark`: a line on the outside above the tunnel's axis."""

    start_mm: Point
    end_mm: Point


class AskedCalliper(_Part):
    """plan.json's `guide.calliper`: two parallel faces for an inspector's jaws; the normal is that of the second."""

    points_mm: tuple[Point, Point]
    normal: Direction
    distance_mm: Length


class AskedArrow(_Part):
    """One of plan.json's `guide.arrows`, from its tail to its tip."""

    text: Literal["PROX", "ANT"]
    start_mm: Point
    end_mm: Point

    @model_validator(mode="after")
    def _points_somewhere(self) -> Self:
        long_mm = float(np.linalg.norm(np.subtract(self.end_mm, self.start_mm)))
        if not SHORTEST_ARROW_MM <= long_mm <= LONGEST_ARROW_MM:
            raise ValueError(f"expected an arrow of {SHORTEST_ARROW_MM:g} to {LONGEST_ARROW_MM:g} mm")
        return self


class AskedLabel(_Part):
    """One of plan.json's `guide.labels`."""

    lines: Annotated[list[Line], Field(min_length=1, max_length=MOST_PARTS)]
    center_mm: Point
    reading_direction: Direction
    up_direction: Direction
    outward_direction: Direction
    width_mm: Length
    height_mm: Length
    text_height_mm: Length
    depth_mm: Length

    @model_validator(mode="after")
    def _has_room_for_letters_not_for_a_book(self) -> Self:
        if self.width_mm * self.height_mm > MOST_SQUARES * self.text_height_mm**2:
            raise ValueError(f"expected a label of at most {MOST_SQUARES:g} squares of its letters' height")
        return self

    @model_validator(mode="after")
    def _reads_from_outside(self) -> Self:
        outward = np.cross(self.reading_direction, self.up_direction)
        if float(np.abs(outward - self.outward_direction).max()) > 10 * UNIT_TOLERANCE:
            raise ValueError("expected reading direction x up direction = outward direction; text would be mirrored")
        return self


class AskedInsert(_Part):
    """One of plan.json's `guide.inserts`; the label is as it sits in the guide."""

    tunnel: Count
    bore_mm: Length
    drill_diameter_mm: Length
    guided_length_mm: Length
    stop_face_mm: Point
    stop_diameter_mm: Length
    offset_mm: Length
    reading_mm: Length
    chuck_diameter_mm: Chuck
    chuck_length_mm: Chuck
    label: AskedLabel


class AskedTunnelOut(_Part):
    """One of plan.json's `guide.soft_tissue.tunnels`: where its axis leaves the skin, and what drill it asks for."""

    skin_mm: Point
    depth_mm: Length
    top_beyond_mm: Number
    through: Literal["incision", "longer incision", "stab incision"]
    from_end_mm: Number
    in_front_mm: Number
    outside_mm: NotNegative
    chuck_goes_in: bool
    drill_length_mm: Length
    drill_needed_mm: Length
    drill_needed_open_mm: Length

    @model_validator(mode="after")
    def _within_the_wound_or_not(self) -> Self:
        if (self.through == "incision") != (self.outside_mm == 0.0):
            raise ValueError("expected a tunnel through the incision where it lies in the wound, and only there")
        return self


class AskedPinOut(_Part):
    """One of plan.json's `guide.soft_tissue.pins`."""

    depth_mm: Length
    chuck_goes_in: bool
    wire_needed_mm: Length


class AskedIncision(_Part):
    """The guide's incision at the depth of the bone, and the direction across it to the front."""

    upper_mm: Point
    lower_mm: Point
    front: Direction


class AskedSoftTissue(_Part):
    """plan.json's `guide.soft_tissue`; None for a tunnel or a wire over which the skin is not known."""

    chuck_off_skin_mm: NotNegative
    wire_grip_mm: NotNegative
    incision: AskedIncision
    tunnels: list[AskedTunnelOut | None]
    pins: list[AskedPinOut | None]


class AskedGuide(_Part):
    """plan.json's `guide`: a sleeve for each tunnel, or a socket and an insert for each."""

    revision: Annotated[str, Field(pattern=r"^r\d{3,}$")]
    plan_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    removal_direction: Direction
    print_down: Direction  # what points to the plate
    clearance_mm: Length
    genus: Count
    periosteum_mm: NotNegative  # of the clearance: what tissue fills
    surface_error_mm: NotNegative  # doubt in the bone's surface along its normal
    sleeves: list[AskedSleeve]
    socket: AskedSocket | None = None
    inserts: list[AskedInsert] = []
    stop_collar: AskedStop
    wire_stop_collar: AskedStop | None = None  # where a guide wire goes first
    wire_left_mm: Length | None = None  # of the wire over which the guide comes off; None where none is left
    pins: Annotated[list[AskedPin], Field(max_length=MOST_PARTS)]
    windows: Annotated[list[AskedWindow], Field(max_length=MOST_PARTS)]
    pointer: AskedPointer | None = None
    axis_mark: AskedAxisMark | None = None
    calliper: AskedCalliper | None = None
    labels: Annotated[list[AskedLabel], Field(min_length=1, max_length=MOST_PARTS)]
    arrows: Annotated[list[AskedArrow], Field(max_length=MOST_PARTS)]
    warnings: list[str]
    soft_tissue: AskedSoftTissue | None  # None: the skin is not known


class AskedPrinting(_Part):
    """plan.json's `printing`: the printer that the guide was made for, and its material."""

    process: str
    material: str
    youngs_modulus_mpa: Modulus | None = None  # None: by process and material
    build_mm: tuple[Length, Length, Length]
    least_feature_mm: Length
    least_drain_mm: Length
    steepest_overhang_deg: Degrees  # from the vertical; 90: the process needs no supports
    slicer_profile: Line | None  # of those that are shipped; None where none is


class AskedLimits(_Part):
    """plan.json's `limits`: the rules that this case was planned by."""

    wall_min_mm: Length
    subchondral_axis_mm: Length
    subchondral_rim_mm: Length
    vessel_wall_min_mm: Length | None = None  # None: not asked for
    guided_length_mm: Length
    contact_area_mm2: Length
    keep_out_min_mm: Length = 3.0  # as to the cortex
    wall_p1_mm: Length = 2.0  # the thinnest wall that a resin or PA guide bears; the sleeve's own wall is 3 mm
    entry_zone_mm: Length = 20.0  # a tunnel at 45° and 8 mm wide has left the lateral cortex after 10 to 15 mm
    unwaived: dict[str, Number] = {}  # what a rule asks whose limit a proposed waiver has lowered
    centroid_distance_max_mm: Length | None = None  # None where the strategy does not aim at the centroid


class Asked(_Part):
    """All that the checks take from plan.json, schema guidegen.plan/1."""

    schema_name: Annotated[Literal["guidegen.plan/1"], Field(alias="schema")]
    case_id: Annotated[str, Field(min_length=1)]
    side: Side
    frame: Literal["LPS"]
    unit: Literal["mm"]
    version: Line  # of the program that made the plan
    anatomy: AskedAnatomy
    keep_out: list[str] = []  # what is kept out, in words; its surface is in a file of its own
    lesion: AskedLesion
    tunnels: Annotated[list[AskedTunnel], Field(min_length=1, max_length=MOST_PARTS)]
    guide: AskedGuide
    printing: AskedPrinting
    limits: AskedLimits

    @model_validator(mode="after")
    def _each_tunnel_is_led(self) -> Self:
        guide = self.guide
        led = guide.sleeves or guide.inserts
        if sorted(each.tunnel for each in led) != list(range(len(self.tunnels))):
            raise ValueError("expected one sleeve for each tunnel, or one insert")
        if (guide.socket is not None) != bool(guide.inserts) or (guide.sleeves and guide.inserts):
            raise ValueError("expected sleeves, or a socket with inserts")
        if any(insert.tunnel != number for number, insert in enumerate(guide.inserts)):
            raise ValueError("expected the inserts in the order of their tunnels")
        return self

    @model_validator(mode="after")
    def _each_bore_begins_near_the_bone(self) -> Self:
        every: list[AskedSleeve | AskedInsert] = [*self.guide.sleeves, *self.guide.inserts]
        for led in every:
            entry_mm = self.tunnels[led.tunnel].entry_mm
            _require_near(led.stop_face_mm, entry_mm, "the way from a stop's face to the entry")
            if isinstance(led, AskedSleeve):
                _require_near(led.top_mm, entry_mm, "a sleeve")
        for pin in self.guide.pins:
            _require_near(pin.top_mm, pin.point_mm, "a wire's hole")
        if _are_parallel(self.guide.removal_direction, self.anatomy.shaft_axis):
            raise ValueError("expected a removal direction across the shaft, found it along it")
        return self

    @model_validator(mode="after")
    def _each_way_out_is_told(self) -> Self:
        over = self.guide.soft_tissue
        if over is not None and (len(over.tunnels), len(over.pins)) != (len(self.tunnels), len(self.guide.pins)):
            raise ValueError("expected the skin over each tunnel and each wire, or null")
        return self

    def into_bone(self, tunnel: int) -> FloatArray:
        """The unit vector (3,) along a tunnel."""
        asked = self.tunnels[tunnel]
        return unit(np.subtract(asked.target_mm, asked.entry_mm))


def read_plan(plan: dict[str, Any]) -> Asked:
    """What `plan` (the content of plan.json) asks; ResultError when a field is missing or cannot be."""
    try:
        return Asked.model_validate(plan)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "plan"
        raise ResultError(
            f"expected a whole plan.json of schema guidegen.plan/1, found at {place}: {first['msg']} "
            f"({error.error_count()} such places); run the case again"
        ) from error

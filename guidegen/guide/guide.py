"""The guide: where it sits, its body, its sleeve, pins, windows and marks, in patient coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, across, unit
from guidegen.guide import parts
from guidegen.guide.body import body_of, rail_height_mm, rail_span_mm
from guidegen.guide.label import Arrow, Label, sleeve_plates, what_for
from guidegen.guide.layout import Layout, Order, lay_out
from guidegen.guide.metal import MetalSleeve
from guidegen.guide.sights import Sight
from guidegen.guide.solids import to_surface, welded
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.plan.rules import Rules
from guidegen.plan.sleeve_sizes import CALLIPER_MM
from guidegen.plan.tunnel import Tunnel
from guidegen.seat.cells import Cells, cells_on
from guidegen.seat.ground import Ground
from guidegen.seat.search import Search, find_seats
from guidegen.seat.seat import Seat
from guidegen.seat.zones import Zones
from guidegen.surfaces import Surface
from guidegen.written import as_written

# Corners nearer than this may cross each other when they are rounded to float32: made one, the fewest first.
WELDS_MM = 0.0, 0.001, 0.003, 0.01
CONTACT_COSINE, CONTACT_REACH_MM = 0.7, 0.3  # a face that touches looks at the bone within 45°
METAL_OFF_BONE_MM = 0.5  # a metal sleeve ends so far before the bone: it must not hold the guide off


@dataclass(frozen=True, eq=False)
class Sleeve:
    """The tube along a tunnel. `top_mm` (3,): the middle of its printed outer end, on the axis; `stop_face_mm` (3,):
    where the drill's stop rests, `offset_mm` from the entry; the same unless a metal sleeve's flange lies between.
    `inner_diameter_mm` and `guided_length_mm` are the printed hole's; `bore_mm` is what guides the drill. The chuck is
    what drives the drill.
    """

    tunnel: int
    kind: str
    inner_diameter_mm: float
    outer_diameter_mm: float
    collar_diameter_mm: float
    bore_mm: float
    drill_diameter_mm: float
    guided_length_mm: float
    top_mm: FloatArray
    stop_face_mm: FloatArray
    offset_mm: float
    chuck_diameter_mm: float
    chuck_length_mm: float
    metal: MetalSleeve | None


@dataclass(frozen=True, eq=False)
class Pin:
    """A hole for a wire: where the wire meets the bone (3,), its direction into the bone, the outer end of its boss
    (3,), how deep it goes from there on the bone, and how far it comes out of the far cortex, None where it stops in
    the bone.
    """

    point_mm: FloatArray
    direction: FloatArray
    hole_diameter_mm: float
    boss_diameter_mm: float
    wire_diameter_mm: float
    wire_depth_mm: float
    wire_length_mm: float
    far_exit_mm: float | None
    guided_length_mm: float
    top_mm: FloatArray


@dataclass(frozen=True, eq=False)
class Hole:
    """A window or a probe hole: the bone under it (3,), its direction (3,) outwards, its diameter."""

    kind: str
    point_mm: FloatArray
    direction: FloatArray
    diameter_mm: float


@dataclass(frozen=True, eq=False)
class Faces:
    """Two flat faces: a point (3,) on each, their normal (3,), and how far apart they are."""

    first_mm: FloatArray
    second_mm: FloatArray
    normal: FloatArray
    distance_mm: float


@dataclass(frozen=True, eq=False)
class Guide:
    """A guide in LPS mm as it sits on the bone, and whatever is known of its parts; places and directions are LPS.

    `cells` and `zones` are the bone that the seat was searched on; `rim_mm` is how far the guide reaches beside its
    contact; `others`: the best seat of every other size. `genus`: how many holes go through it, as designed.
    `axis_mark_mm` (2, 3): the groove above the tunnel's axis. `pointer`: the bottom of a notch in the rim, through
    which a finger reaches the vastus ridge; None where that lies too far off.
    """

    surface: Surface
    seat: Seat
    cells: Cells
    zones: Zones
    rim_mm: float
    print_down: FloatArray
    others: tuple[Seat, ...]
    clearance_mm: float
    thickness_mm: float
    contact_area_mm2: float
    genus: int
    sleeves: tuple[Sleeve, ...]
    pins: tuple[Pin, ...]
    holes: tuple[Hole, ...]
    labels: tuple[Label, ...]
    arrows: tuple[Arrow, ...]
    pointer: Sight | None
    axis_mark_mm: FloatArray
    calliper: Faces | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the surgeon must know of this guide before approving it, in sentences."""
        has_window = any(hole.kind == "window" for hole in self.holes)
        return () if has_window else ("This footprint has no room for a window.",)


@dataclass(frozen=True)
class Identity:
    """What is written on a guide: whose it is, and which plan it was made for."""

    patient_id: str
    revision: str
    plan_hash: str


def make_guide(
    bone: Surface,
    anatomy: Anatomy,
    tunnel: Tunnel,
    identity: Identity,
    size: str,
    order: Order,
    make: parts.Make = parts.make,
    keep_out: KeepOut = NOTHING,
    keep_out_mm: float = Rules.keep_out_min_mm,
) -> Guide:
    """A guide for one tunnel, in LPS mm; NoSafeGuide where no guide of this size keeps the template's rules.

    Nothing of it rests, and no wire runs, within `keep_out_mm` of `keep_out`. `make` makes the machined parts: here
    and now, or in a `Workshop` that was opened earlier.
    """
    search = search_of(bone, anatomy, tunnel, order, keep_out, keep_out_mm)
    seats = find_seats(search, size, order.template.sizes[size].length_mm)
    lesser_mm = float(search.zones.place(anatomy.lesser_trochanter_mm[None]).level_mm[0])
    layout = lay_out(search.ground, search.zones, seats, tunnel, lesser_mm, order)
    local = bone.transformed(layout.seat.frame)
    front = layout.seat.frame.vectors(search.zones.front)
    labels = _labels(layout, local, anatomy.side, front, tunnel, identity, order)
    surface = _as_written(body_of(layout, labels, local, order, make), layout.seat)
    arrows = tuple(
        Arrow(arrow.text, *layout.seat.frame.inverse().points(np.stack([arrow.start_mm, arrow.end_mm])))
        for label in labels
        for arrow in label.arrows(make)
    )
    return _described(layout, labels, arrows, surface, bone, search, _others(search, size, order), order)


def search_of(
    bone: Surface, anatomy: Anatomy, tunnel: Tunnel, order: Order, keep_out: KeepOut, keep_out_mm: float
) -> Search:
    """All that the search for a seat rests on."""
    ground = Ground.of(bone, anatomy.shaft_axis, keep_out, keep_out_mm)
    zones = Zones.of(bone, anatomy, order.template.zones)
    return Search(
        ground=ground,
        zones=zones,
        cells=cells_on(ground, zones),
        entry_mm=tunnel.entry_mm,
        tip_mm=tunnel.target_mm,
        axis=tunnel.axis,
        room_mm=order.kit.drill.diameter_mm / 2.0,
        clearance_mm=order.clearance_mm,
        steepest_deg=order.template.shell.largest_wrap_deg,
        along_the_wire=order.kit.leaves_wire,
    )


def _others(search: Search, size: str, order: Order) -> tuple[Seat, ...]:
    """The best seat of every other size, to compare with; sizes that have none are left out."""
    found = []
    for other, footprint in order.template.sizes.items():
        if other == size:
            continue
        try:
            found.append(find_seats(search, other, footprint.length_mm)[0])
        except NoSafeGuide:
            continue
    return tuple(found)


def _labels(
    layout: Layout, bone: Surface, side: str, front: FloatArray, tunnel: Tunnel, identity: Identity, order: Order
) -> tuple[Label, ...]:
    """Whose guide it is, what it is for, and which way the front and the head of the patient are."""
    shape, tube = order.template, layout.tube
    reading_mm = order.sizes.flange_height_mm - tube.top_mm + tunnel.length_mm
    about = partial(what_for, 1, tunnel.diameter_mm, reading_mm, identity.revision, identity.plan_hash)
    plates = sleeve_plates(
        (identity.patient_id, side), about, tube, order.sizes, shape.sleeve.collar_height_mm, front, bone,
        order.outside_mm, shape.label,
    )  # fmt: skip
    return (*plates, layout.pad)


def _as_written(body: object, seat: Seat) -> Surface:
    """The guide in LPS as an STL holds it; NoSafeGuide where float32 leaves no sound solid of it."""
    exact = to_surface(body).transformed(seat.frame.inverse())
    tries = (as_written(welded(exact, weld) if weld else exact) for weld in WELDS_MM)
    surface = next((written for written in tries if written is not None), None)
    if surface is None:
        raise NoSafeGuide(
            "expected a guide that stays a sound solid in the STL's float32, found none; choose another size",
            rule="sound_solid",
            figures={},
        )
    return surface


def _described(
    layout: Layout, labels: tuple[Label, ...], arrows: tuple[Arrow, ...], surface: Surface, bone: Surface,
    search: Search, others: tuple[Seat, ...], order: Order,
) -> Guide:  # fmt: skip
    back = layout.seat.frame.inverse()
    holes = [("window", sight, order.template.window.diameter_mm) for sight in layout.windows]
    holes += [("probe", sight, order.template.probe.diameter_mm) for sight in layout.probes]
    first, last = rail_span_mm(layout.tube, order)
    outwards = -layout.tube.axis
    upper = unit(np.array([0.0, 0.0, 1.0]) - outwards[2] * outwards)
    over = (order.sizes.tube_mm / 2.0 + rail_height_mm(order)) * upper
    return Guide(
        surface=surface,
        seat=layout.seat,
        cells=search.cells,
        zones=search.zones,
        rim_mm=order.template.shell.rim_width_mm,
        print_down=back.vectors(layout.down),
        others=others,
        clearance_mm=order.clearance_mm,
        thickness_mm=order.template.shell.thickness_mm,
        contact_area_mm2=_contact_area(surface, bone, order.clearance_mm),
        genus=1 + len(layout.bosses) + len(holes),
        sleeves=(_sleeve(layout, order),),
        pins=tuple(_pin(layout, k, order) for k in range(len(layout.bosses))),
        holes=tuple(
            Hole(kind, back.points(sight.point_mm), back.vectors(sight.direction), diameter)
            for kind, sight, diameter in holes
        ),
        labels=tuple(label.transformed(back) for label in labels),
        arrows=arrows,
        pointer=None if layout.notch is None else _pointer(layout.notch, layout, order),
        axis_mark_mm=_in_view(
            surface, back.points(np.stack([layout.tube.at(first) + over, layout.tube.at(last) + over]))
        ),
        calliper=_calliper(layout, order),
    )


def _in_view(guide: Surface, mark_mm: FloatArray) -> FloatArray:
    """The axis mark (2, 3) from its start as far as it lies on the guide: an oblique sleeve's dips into its fillet."""
    start, end = mark_mm
    points = start + np.linspace(0.0, 1.0, MARK_POINTS)[:, None] * (end - start)
    covered = np.flatnonzero(guide.nearest(points)[0] > ON_GUIDE_MM)
    return np.stack([start, points[max(1, covered[0] - 1)] if len(covered) else end])


MARK_POINTS = 60
ON_GUIDE_MM = 0.95  # of the rail's face over the groove that the wire lies in


def _contact_area(guide: Surface, bone: Surface, gap_mm: float) -> float:
    """The area in mm² of the guide's faces that look at the bone from within the clearance and a little more."""
    distance, face, _ = bone.nearest(guide.face_centers_mm)
    facing = (guide.face_normals * bone.face_normals[face]).sum(axis=1) < -CONTACT_COSINE
    return float(guide.face_areas_mm2[facing & (distance < gap_mm + CONTACT_REACH_MM)].sum())


def _sleeve(layout: Layout, order: Order) -> Sleeve:
    tube, sizes, back = layout.tube, order.sizes, layout.seat.frame.inverse()
    stop_mm = tube.top_mm - sizes.flange_height_mm
    metal = None
    if sizes.kind == "metal":
        length = tube.guided_to_mm - METAL_OFF_BONE_MM - stop_mm
        metal = MetalSleeve(
            sizes.drill_mm, sizes.bore_mm, sizes.metal_mm, length, sizes.flange_mm, sizes.flange_height_mm
        )
    return Sleeve(
        tunnel=0,
        kind=sizes.kind,
        inner_diameter_mm=sizes.hole_mm,
        outer_diameter_mm=sizes.tube_mm,
        collar_diameter_mm=sizes.collar_mm,
        bore_mm=sizes.bore_mm,
        drill_diameter_mm=sizes.drill_mm,
        guided_length_mm=tube.guided_length_mm,
        top_mm=back.points(tube.at(tube.top_mm)),
        stop_face_mm=back.points(tube.at(stop_mm)),
        offset_mm=-stop_mm,
        chuck_diameter_mm=order.kit.drill.chuck_diameter_mm,
        chuck_length_mm=order.kit.drill.chuck_length_mm,
        metal=metal,
    )


def _pin(layout: Layout, number: int, order: Order) -> Pin:
    boss, wires, back = layout.bosses[number], layout.wires, layout.seat.frame.inverse()
    far = float(wires.far_exits_mm[number])
    return Pin(
        point_mm=back.points(boss.point_mm),
        direction=back.vectors(boss.axis),
        hole_diameter_mm=order.wire_hole_mm,
        boss_diameter_mm=order.boss_mm,
        wire_diameter_mm=order.kit.pin.diameter_mm,
        wire_depth_mm=float(wires.depths_mm[number]),
        wire_length_mm=order.kit.pin.length_mm,
        far_exit_mm=None if np.isnan(far) else far,
        guided_length_mm=boss.guided_length_mm,
        top_mm=back.points(boss.at(boss.top_mm)),
    )


def _pointer(notch: Sight, layout: Layout, order: Order) -> Sight:
    """The bottom of the notch where the guide begins over the bone, and its way off the bone."""
    back = layout.seat.frame.inverse()
    up = unit(across(np.array([0.0, 1.0, 0.0]), notch.direction))
    below = notch.point_mm - order.template.pointer.width_mm / 2.0 * up
    along = below + np.arange(0.0, NOTCH_REACH_MM, NOTCH_STEP_MM)[:, None] * notch.direction
    begins = along[int(np.argmax(along[:, 2] >= layout.under.at(along)))]
    return Sight(back.points(begins), back.vectors(notch.direction))


NOTCH_REACH_MM, NOTCH_STEP_MM = 12.0, 0.1  # where along a notch the guide is looked for


def _calliper(layout: Layout, order: Order) -> Faces | None:
    """The two flats of the collar; None where it has none."""
    if not order.sizes.flats:
        return None
    tube, back = layout.tube, layout.seat.frame.inverse()
    outwards = -tube.axis
    upper = unit(np.array([0.0, 0.0, 1.0]) - outwards[2] * outwards)
    sideways = np.cross(upper, outwards)
    middle = tube.at(tube.top_mm + order.template.sleeve.collar_height_mm / 2.0)
    half = CALLIPER_MM / 2.0 * sideways
    return Faces(back.points(middle - half), back.points(middle + half), back.vectors(sideways), CALLIPER_MM)

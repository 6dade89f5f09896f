"""The guide: where it sits, its body, its sleeves or socket, pins, windows and marks, in patient coordinates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, across, spokes, unit
from guidegen.guide import parts
from guidegen.guide.body import body_of, rail_height_mm, rail_span_mm
from guidegen.guide.fan_parts import FanInsert, FanSocket, fan_parts
from guidegen.guide.label import Arrow, Label
from guidegen.guide.layout import MOST_TRIES, Layout, Task, lay_out
from guidegen.guide.marks import Identity
from guidegen.guide.metal import MetalSleeve, Reducer, StopCollar
from guidegen.guide.order import Order, wire_stop_collar
from guidegen.guide.sights import Sight
from guidegen.guide.solids import stl_surface, to_surface
from guidegen.guide.stands import entry_room_mm, upper_side
from guidegen.keep_out import NOTHING, KeepOut
from guidegen.plan.instruments import Fittings, depth_reading_mm
from guidegen.plan.rules import Rules
from guidegen.plan.sleeve_sizes import CALLIPER_MM, SleeveSizes
from guidegen.plan.tunnel import Tunnel
from guidegen.seat.cells import Cells, cells_on
from guidegen.seat.ground import Ground
from guidegen.seat.search import Search, find_seats
from guidegen.seat.seat import Seat
from guidegen.seat.zones import Zones
from guidegen.surfaces import Surface

CONTACT_COSINE, CONTACT_REACH_MM = 0.7, 0.3  # a face that touches looks at the bone within 45°
METAL_OFF_BONE_MM = 0.5  # a metal sleeve ends so far before the bone: it must not hold the guide off


@dataclass(frozen=True, eq=False)
class Sleeve:
    """The tube along a tunnel. `top_mm` (3,): the middle of its printed outer end, on the axis; `stop_face_mm` (3,):
    where the drill's stop rests, `offset_mm` from the entry; the same unless a metal sleeve's flange lies between.
    `inner_diameter_mm` and `guided_length_mm` are the printed hole's; `bore_mm` is what guides the drill. The chuck is
    what drives the drill. `reducer` leads a guide wire through that bore, read there at `wire_reading_mm`; None for
    both where the kit has no such wire.
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
    reducer: Reducer | None
    wire_reading_mm: float | None


@dataclass(frozen=True, eq=False)
class Pin:
    """A hole for a wire: where the wire meets the bone (3,), its direction into the bone, the outer end of its boss
    (3,), how deep it goes from there on the bone, and how far it comes out of the far cortex, None where it stops in
    the bone. `reading_mm`: from its tip to the highest of the hole's rim when it is that deep: the bone is hidden.
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
    reading_mm: float


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
    contact; `others`: the best seat of every other size. `genus`: how many holes go through it, as designed. There is a
    sleeve for each tunnel, or for tunnels from one entry a `socket` and an insert for each; `stop` sits on the drill,
    `wire_stop` on a guide wire that goes first, None where none does. `wire_left_mm`: the wire over which the guide
    comes off, None where none is left. `axis_mark_mm` (2, 3): the groove above the axis of the first sleeve, or of the
    socket. `pointer`: the bottom of a notch in the rim, through which a finger reaches the vastus ridge; None where
    that lies too far off, or where the shape has none (`has_pointer`).
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
    socket: FanSocket | None
    inserts: tuple[FanInsert, ...]
    stop: StopCollar
    wire_stop: StopCollar | None
    wire_left_mm: float | None
    pins: tuple[Pin, ...]
    holes: tuple[Hole, ...]
    labels: tuple[Label, ...]
    arrows: tuple[Arrow, ...]
    pointer: Sight | None
    has_pointer: bool
    axis_mark_mm: FloatArray
    calliper: Faces | None

    @property
    def offsets_mm(self) -> tuple[float, ...]:
        """For each tunnel, from its entry to where its drill's stop rests."""
        led: tuple[Sleeve, ...] | tuple[FanInsert, ...] = self.sleeves or self.inserts
        return tuple(each.offset_mm for each in led)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the surgeon must know of this guide before approving it, in sentences."""
        has_window = any(hole.kind == "window" for hole in self.holes)
        no_window = () if has_window else ("This footprint has no room for a window.",)
        is_there = self.pointer is not None or not self.has_pointer
        return no_window if is_there else (*no_window, "The vastus ridge lies too far from the rim for a notch.")


def fittings_of(guide: Guide, sizes: SleeveSizes) -> Fittings:
    """What of a built guide stands between bone and instruments, for the steps of the operation."""
    return Fittings(
        lead=sizes.kind if guide.socket is None else "insert",
        reducer_mm=sizes.reducer_mm,
        wire_depths_mm=tuple(pin.wire_depth_mm for pin in guide.pins),
        wire_readings_mm=tuple(pin.reading_mm for pin in guide.pins),
    )


def make_guide(
    bone: Surface,
    anatomy: Anatomy,
    tunnels: tuple[Tunnel, ...],
    identity: Identity,
    size: str,
    order: Order,
    make: parts.Make = parts.make,
    keep_out: KeepOut = NOTHING,
    keep_out_mm: float = Rules.keep_out_min_mm,
) -> Guide:
    """A guide for one tunnel or several, in LPS mm; NoSafeGuide where no guide of this size keeps the template's rules.

    Tunnels that share their entry are a fan, drilled through inserts in one socket; each other has a sleeve.
    Nothing of the guide rests, and no wire runs, within `keep_out_mm` of `keep_out`. `make` makes the machined parts:
    here and now, or in a `Workshop` that was opened earlier.
    """
    _require_way_off(tunnels, order)
    search = search_of(bone, anatomy, tunnels, order, keep_out, keep_out_mm)
    seats = find_seats(search, size, order.template.sizes[size].length_mm)
    lesser_mm = float(search.zones.place(anatomy.lesser_trochanter_mm[None]).level_mm[0])
    task = Task(tunnels, lesser_mm, anatomy.side, identity, order)
    with ThreadPoolExecutor(1) as beside:  # while one core lays out, and the parts are waited for
        others = beside.submit(_others, search, size, order)
        layout, surface = _built(search, seats[:MOST_TRIES], bone, task, make)
    return _described(layout, surface, bone, search, others.result(), order, make)


def _built(search: Search, seats: list[Seat], bone: Surface, task: Task, make: parts.Make) -> tuple[Layout, Surface]:
    """The guide in LPS on the first of the seats on which it is one body with as many holes as were laid out, and its
    layout. NoSafeGuide where there is none.
    """
    while True:
        layout = lay_out(search.ground, search.zones, seats, task)
        try:
            body = body_of(layout, bone.transformed(layout.seat.frame), task.order, make)
            _require_holes(body.genus(), layout)
            return layout, _as_written(body, layout.seat)
        except NoSafeGuide:
            seats = seats[seats.index(layout.seat) + 1 :]
            if not seats:
                raise


def _require_holes(holes: int, layout: Layout) -> None:
    """NoSafeGuide where there are not as many as were laid out: a sleeve at the rim may leave a gap beside it."""
    if holes != layout.genus:
        raise NoSafeGuide(
            f"expected {layout.genus} holes through the guide, found {holes}: a gap was left beside a sleeve at the "
            "rim; choose an entry nearer to the middle of the bone, or another size",
            rule="holes_as_laid_out",
            figures={"holes": float(holes), "laid_out": float(layout.genus)},
        )


def _require_way_off(tunnels: tuple[Tunnel, ...], order: Order) -> None:
    """NoSafeGuide where wires would be left in several tunnels: a guide comes off along one wire only."""
    if order.kit.leaves_wire and len(tunnels) > 1:
        raise NoSafeGuide(
            f"expected one tunnel for the kit {order.kit.name!r}, which leaves a wire over which the guide comes off, "
            f"found {len(tunnels)}; choose a kit that leaves none, or another strategy",
            rule="leaves_wire",
            figures={"tunnels": float(len(tunnels))},
        )


def search_of(
    bone: Surface, anatomy: Anatomy, tunnels: tuple[Tunnel, ...], order: Order, keep_out: KeepOut, keep_out_mm: float
) -> Search:
    """All that the search for a seat rests on."""
    ground = Ground.of(bone, anatomy.shaft_axis, keep_out, keep_out_mm)
    zones = Zones.of(bone, anatomy, order.template.zones)
    return Search(
        ground=ground,
        zones=zones,
        cells=cells_on(ground, zones),
        entries_mm=np.array([tunnel.entry_mm for tunnel in tunnels]),
        tips_mm=np.array([tunnel.target_mm for tunnel in tunnels]),
        axes=np.array([tunnel.axis for tunnel in tunnels]),
        room_mm=entry_room_mm(tunnels, order),
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


def _as_written(body: object, seat: Seat) -> Surface:
    """The guide in LPS as an STL holds it; NoSafeGuide where float32 leaves no sound solid of it."""
    surface = stl_surface(to_surface(body).transformed(seat.frame.inverse()))
    if surface is None:
        raise NoSafeGuide(
            "expected a guide that stays a sound solid in the STL's float32, found none; choose another size",
            rule="sound_solid",
            figures={},
        )
    return surface


def _described(
    layout: Layout, surface: Surface, bone: Surface, search: Search, others: tuple[Seat, ...], order: Order,
    make: parts.Make,
) -> Guide:  # fmt: skip
    back, standing = layout.seat.frame.inverse(), layout.standing
    holes = [("window", sight, order.template.window.diameter_mm) for sight in layout.windows]
    holes += [("probe", sight, order.template.probe.diameter_mm) for sight in layout.probes]
    socket, inserts = fan_parts(standing, layout.ways, back, order, make)
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
        genus=layout.genus,
        sleeves=() if socket is not None else tuple(_sleeve(layout, k, order) for k in range(len(standing.stands))),
        socket=socket,
        inserts=inserts,
        stop=order.stop,
        wire_stop=wire_stop_collar(order.kit),
        wire_left_mm=order.wire_left_mm,
        pins=tuple(_pin(layout, surface, k, order) for k in range(len(layout.bosses))),
        holes=tuple(
            Hole(kind, back.points(sight.point_mm), back.vectors(sight.direction), diameter)
            for kind, sight, diameter in holes
        ),
        labels=tuple(label.transformed(back) for label in layout.labels),
        arrows=_arrows(layout, make),
        pointer=None if layout.notch is None else _pointer(layout.notch, surface, layout, order),
        has_pointer=order.template.pointer.on,
        axis_mark_mm=_in_view(surface, back.points(_axis_mark(layout, order))),
        calliper=_calliper(layout, order),
    )


def _arrows(layout: Layout, make: parts.Make) -> tuple[Arrow, ...]:
    back, drawn = layout.seat.frame.inverse(), [arrow for label in layout.labels for arrow in label.arrows(make)]
    return tuple(Arrow(arrow.text, *back.points(np.stack([arrow.start_mm, arrow.end_mm]))) for arrow in drawn)


def _axis_mark(layout: Layout, order: Order) -> FloatArray:
    """Both ends (2, 3) of the rail's face, in the guide's frame."""
    stand = layout.standing.stands[0]
    first, last = rail_span_mm(stand, order)
    over = (stand.outer_mm / 2.0 + rail_height_mm(order)) * upper_side(-stand.tube.axis)
    return np.stack([stand.tube.at(first) + over, stand.tube.at(last) + over])


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


def _sleeve(layout: Layout, number: int, order: Order) -> Sleeve:
    stand, sizes, back = layout.standing.stands[number], order.sizes, layout.seat.frame.inverse()
    tube, stop_mm = stand.tube, -layout.standing.offset_mm(number)
    below_mm = tube.guided_to_mm - METAL_OFF_BONE_MM - stop_mm  # of what is put in, from the stop's face
    metal, reducer, within = None, None, sizes.reducer
    if sizes.kind == "metal":
        metal = MetalSleeve(
            sizes.drill_mm, sizes.bore_mm, sizes.metal_mm, below_mm, sizes.flange_mm, sizes.flange_height_mm
        )
    if within is not None:
        height_mm = within.flange_height_mm
        reducer = Reducer(
            within.wire_mm, within.bore_mm, within.outer_mm, below_mm + height_mm, within.flange_mm, height_mm,
            sizes.bore_mm,
        )  # fmt: skip
    length_mm = layout.ways[number].length_mm
    return Sleeve(
        tunnel=number,
        kind=sizes.kind,
        inner_diameter_mm=sizes.hole_mm,
        outer_diameter_mm=stand.outer_mm,
        collar_diameter_mm=stand.collar_mm,
        bore_mm=sizes.bore_mm,
        drill_diameter_mm=sizes.drill_mm,
        guided_length_mm=tube.guided_length_mm,
        top_mm=back.points(tube.at(tube.top_mm)),
        stop_face_mm=back.points(tube.at(stop_mm)),
        offset_mm=-stop_mm,
        chuck_diameter_mm=order.kit.drill.chuck_diameter_mm,
        chuck_length_mm=order.kit.drill.chuck_length_mm,
        metal=metal,
        reducer=reducer,
        wire_reading_mm=None if within is None else depth_reading_mm(within.flange_height_mm - stop_mm, length_mm),
    )


def _pin(layout: Layout, surface: Surface, number: int, order: Order) -> Pin:
    boss, wires, back = layout.bosses[number], layout.wires, layout.seat.frame.inverse()
    far, depth_mm = float(wires.far_exits_mm[number]), float(wires.depths_mm[number])
    direction, top_mm = back.vectors(boss.axis), back.points(boss.at(boss.top_mm))
    return Pin(
        point_mm=back.points(boss.point_mm),
        direction=direction,
        hole_diameter_mm=order.wire_hole_mm,
        boss_diameter_mm=order.boss_mm,
        wire_diameter_mm=order.kit.pin.diameter_mm,
        wire_depth_mm=depth_mm,
        wire_length_mm=order.kit.pin.length_mm,
        far_exit_mm=None if np.isnan(far) else far,
        guided_length_mm=boss.guided_length_mm,
        top_mm=top_mm,
        reading_mm=depth_mm - boss.top_mm + _rim_mm(surface, top_mm, direction, order.wire_hole_mm),
    )


def _rim_mm(surface: Surface, top_mm: FloatArray, direction: FloatArray, hole_mm: float) -> float:
    """How far over a boss's own top the highest of its hole's rim stands: the shell's fillet rises round it."""
    ring = (hole_mm / 2.0 + BESIDE_HOLE_MM) * spokes(direction, RIM_POINTS)
    way, _ = surface.ray_hits(top_mm + ring - ABOVE_RIM_MM * direction, direction)
    return ABOVE_RIM_MM - float(way.min())


RIM_POINTS, BESIDE_HOLE_MM, ABOVE_RIM_MM = 72, 0.2, 5.0


def _pointer(notch: Sight, surface: Surface, layout: Layout, order: Order) -> Sight | None:
    """The bottom of the notch where the guide begins over the bone, and its way off the bone; None where there is no
    guide: the ridge lies beside it.
    """
    back = layout.seat.frame.inverse()
    up = unit(across(np.array([0.0, 1.0, 0.0]), notch.direction))
    bottom = notch.point_mm - order.template.pointer.width_mm / 2.0 * up
    from_mm, off = back.points(bottom - BELOW_NOTCH_MM * up), back.vectors(notch.direction)
    way, _ = surface.ray_hits(from_mm[None], off)
    return Sight(back.points(bottom) + float(way[0]) * off, off) if way[0] < NOTCH_REACH_MM else None


NOTCH_REACH_MM = 12.0  # over the bone, in which the guide is looked for
BELOW_NOTCH_MM = 0.3  # beside the notch, where there is guide


def _calliper(layout: Layout, order: Order) -> Faces | None:
    """The two flats of the collar; None where it has none."""
    stand, back = layout.standing.stands[0], layout.seat.frame.inverse()
    if not stand.flats:
        return None
    tube, outwards = stand.tube, -stand.tube.axis
    sideways = np.cross(upper_side(outwards), outwards)
    middle = tube.at(tube.top_mm + order.template.sleeve.collar_height_mm / 2.0)
    half = CALLIPER_MM / 2.0 * sideways
    return Faces(back.points(middle - half), back.points(middle + half), back.vectors(sideways), CALLIPER_MM)

"""A fan of tunnels from one entry: one socket on the guide, and for each tunnel an insert that fits it in one way only.

All axes meet in the entry, so the socket is a cone about their mean axis, as steep as the steepest of them: every
insert has its bore inside the cone with the same least wall. A flange on the socket's rim says how deep an insert
sits, a key how it is turned. What stops the drill is the insert's own top, square to its own tunnel, at an offset that
the kit's stops are made for.

The socket's frame: origin in the entry, z out of the bone along the mean axis, x towards the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray, RigidTransform, across, angle_deg, unit
from guidegen.guide.height_field import STEP_MM, HeightField
from guidegen.guide.placement import place_tube
from guidegen.plan.instruments import depth_reading_mm
from guidegen.rounded import shown, shown_beside

LEAST_ENGAGED_MM = 12.0  # of cone in the socket: less, and the gap lets an insert rock
WIDEST_MM = 20.0  # radius of a flange: a wider one does not pass the wound
ABOVE_FLANGE_MM = 1.0  # of the stop face, everywhere, so that the stop meets nothing else
OFF_BONE_MM = 0.5  # of an insert's lower end
ROUNDS = 12  # until lower end and bone, and rim and flange, agree; each brings them at least twice as near

KEY_MM, KEY_WIDTH_MM, KEY_HEIGHT_MM = 2.0, 3.0, 10.0  # beyond the cone, across, and along it from the rim down
# By which bodies that are joined reach into each other: faces in one plane leave crumbs. The tab is so much thinner
# than the flange on each side, so that the flange rests and not the tab.
LAP_MM = 0.2
EDGE_MM = 0.5  # chamfer of outer edges
ROUND_MM = 0.01  # of wall that the facets of cone and bore may take


@dataclass(frozen=True)
class FanShape:
    """The figures of kit, printer and template for a fan, in mm.

    `bore_mm`: as printed; `drill_mm`: of the tool in it; `wall_mm`: least wall round it; `gap_mm`: between insert and
    socket, on every side; `socket_wall_mm`: round the socket; `stop_mm`: diameter of the drill's stop; `guided_mm`:
    over which the drill is led all the way round; `text_mm`, `text_depth_mm`: of the letters on the insert.
    """

    drill_mm: float
    bore_mm: float
    wall_mm: float
    gap_mm: float
    socket_wall_mm: float
    stop_mm: float
    guided_mm: float
    text_mm: float
    text_depth_mm: float

    @property
    def boss_mm(self) -> float:
        """The radius of what carries the stop face, with its chamfer."""
        return self.stop_mm / 2.0 + EDGE_MM

    @property
    def flange_height_mm(self) -> float:
        """Thick enough for a tab, thinner on both sides, and in it letters with a wall under them."""
        return self.wall_mm + self.text_depth_mm + 2.0 * LAP_MM


@dataclass(frozen=True, eq=False)
class Insert:
    """One insert: its number, the unit axis (3,) into the bone of its tunnel in the socket's frame, the guided length,
    what is read on the drill at its stop face, and the plan that it was made for (its hash, short).
    """

    number: int
    axis: FloatArray
    guided_length_mm: float
    reading_mm: float
    drill_mm: float
    plan_hash: str

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands on it: number and diameter, the reading, and the plan: it would go into another's socket too."""
        return f"{self.number} Ø{self.drill_mm:g}", shown(self.reading_mm, 1), self.plan_hash


@dataclass(frozen=True, eq=False)
class Socket:
    """The socket and its inserts. Heights in mm along z of its own frame, from which `place` leads to the guide's.

    The cone's radius is `foot_mm` at the entry and grows with `slope`; it reaches from `low_mm`, off the bone, to
    `rim_mm`, where the flange of radius `flange_mm` rests. `root_mm`: where the socket's outside ends in the bone,
    before the bone is taken away. `offset_mm`: from the entry to each stop face, along each tunnel.
    """

    place: RigidTransform
    shape: FanShape
    foot_mm: float
    slope: float
    low_mm: float
    rim_mm: float
    root_mm: float
    flange_mm: float
    offset_mm: float
    inserts: tuple[Insert, ...]

    def radius_mm(self, height_mm: float) -> float:
        """The cone's radius at a height."""
        return self.foot_mm + self.slope * height_mm

    @property
    def outer_mm(self) -> float:
        """The greatest radius of the socket's outside, that of its key at the rim."""
        beside = self.shape.gap_mm + self.shape.socket_wall_mm
        return self.radius_mm(self.rim_mm) + KEY_MM + beside * float(np.hypot(1.0, self.slope))

    @property
    def outwards(self) -> FloatArray:
        """The unit vector (3,) out of the bone along the socket's axis, in the guide's frame."""
        return self.place.vectors(np.array([0.0, 0.0, 1.0]))

    def axis(self, insert: Insert) -> FloatArray:
        """An insert's unit axis (3,) into the bone, in the guide's frame."""
        return self.place.vectors(insert.axis)

    def stop_face_mm(self, insert: Insert) -> FloatArray:
        """The middle (3,) of its stop face, on the axis, in the guide's frame."""
        return self.place.points(-self.offset_mm * insert.axis)


def lay_out_fan(
    entry_mm: FloatArray,
    axes: FloatArray,
    lengths_mm: Sequence[float],
    key_direction: FloatArray,
    under: HeightField,
    offsets_mm: Sequence[float],
    shape: FanShape,
    plan_hash: str,
) -> Socket:
    """The socket of the fan from `entry_mm` (3,) along unit `axes` (N, 3) into the bone, at the first of the kit's
    offsets that leads every drill long enough; all in the guide's frame, over the grown bone's field `under`.

    The key lies towards `key_direction` (3,), which must not run along the fan; `plan_hash` is to stand on the inserts.
    NoSafeGuide where the fan is too wide for every offset.
    """
    mean = unit(axes.sum(axis=0))
    z, x = -mean, unit(across(key_direction, mean))
    place = RigidTransform.to_frame(entry_mm, np.stack([x, np.cross(z, x), z]), "guide", "socket").inverse()
    own = place.inverse().vectors(axes)
    widest = float(np.radians(max(angle_deg(axis, mean) for axis in axes)))
    slope = float(np.tan(widest))
    foot = (shape.bore_mm / 2.0 + shape.wall_mm + ROUND_MM) / float(np.cos(widest))
    bone = _bone_round(under, entry_mm, mean)
    low = 0.0
    for _ in range(ROUNDS):
        low = OFF_BONE_MM + _bone_mm(bone, foot + slope * low)
    bare = Socket(place, shape, foot, slope, low, low, low, 0.0, 0.0, ())
    tried = []
    for offset in offsets_mm:
        socket = _at_offset(bare, own, lengths_mm, offset, plan_hash)
        room = socket.rim_mm - OFF_BONE_MM - _bone_mm(bone, socket.flange_mm)
        if room >= 0.0 and _leads(socket) and _engages(socket) and socket.flange_mm <= WIDEST_MM:
            outer = 2.0 * (socket.radius_mm(low) + shape.gap_mm + shape.socket_wall_mm)
            return replace(socket, root_mm=-place_tube(under, entry_mm, mean, outer, outer, 0.0).sunk_to_mm)
        tried.append((socket, room))
    raise _refused(tried, np.degrees(widest))


def _bone_round(under: HeightField, entry_mm: FloatArray, mean: FloatArray) -> FloatArray:
    """Of all points of the field (K, 2): the distance from the mean axis and the height over the entry."""
    grid = np.stack(np.meshgrid(under.x_mm, under.y_mm, indexing="ij"), axis=-1)
    relative = np.concatenate([grid, under.height_mm[..., None]], axis=-1).reshape(-1, 3) - entry_mm
    return np.stack([np.linalg.norm(across(relative, mean), axis=1), -relative @ mean], axis=1)


def _bone_mm(bone: FloatArray, radius_mm: float) -> float:
    """The height over the entry at which a disc across the mean axis first meets the bone, by a step of the field too
    high.
    """
    return float(bone[bone[:, 0] <= radius_mm + STEP_MM, 1].max())


def _at_offset(bare: Socket, axes: FloatArray, lengths_mm: Sequence[float], offset_mm: float, plan_hash: str) -> Socket:
    """The socket whose stop faces stand `offset_mm` from the entry: its rim is as high as the flange allows, which lies
    below every stop face, and is as wide as the socket and the stops on it.
    """
    shape, cosine = bare.shape, -axes[:, 2]
    sine = np.sqrt(1.0 - cosine**2)
    wall = (shape.gap_mm + shape.socket_wall_mm) * float(np.hypot(1.0, bare.slope))
    reach = float((offset_mm * sine).max()) + shape.boss_mm + EDGE_MM
    rim = flange = 0.0
    for _ in range(ROUNDS):
        flange = max(bare.radius_mm(rim) + max(wall, KEY_MM + EDGE_MM), reach)
        rim = float(((offset_mm - ABOVE_FLANGE_MM - flange * sine) / cosine).min()) - shape.flange_height_mm
    guided = offset_mm - (bare.low_mm + shape.bore_mm / 2.0 * sine) / cosine
    inserts = tuple(
        Insert(number, axis, float(led), depth_reading_mm(offset_mm, length), shape.drill_mm, plan_hash)
        for number, (axis, led, length) in enumerate(zip(axes, guided, lengths_mm, strict=True), start=1)
    )
    return replace(bare, rim_mm=rim, flange_mm=flange, offset_mm=offset_mm, inserts=inserts)


def _led_mm(socket: Socket) -> float:
    return min(insert.guided_length_mm for insert in socket.inserts)


def _leads(socket: Socket) -> bool:
    return _led_mm(socket) >= socket.shape.guided_mm


def _engages(socket: Socket) -> bool:
    return socket.rim_mm - socket.low_mm >= LEAST_ENGAGED_MM


def _refused(tried: list[tuple[Socket, float]], off_mean_deg: float) -> NoSafeGuide:
    """Why no offset serves, with the figures of the smallest that leads the drill long enough, or of the largest."""
    socket, room = next((each for each in tried if _leads(each[0])), tried[-1])
    engaged_mm = socket.rim_mm - socket.low_mm
    led = shown_beside(_led_mm(socket), socket.shape.guided_mm, 1)
    flange = shown_beside(socket.flange_mm, WIDEST_MM, 1)
    return NoSafeGuide(
        f"expected a fan whose inserts lead the drill over {socket.shape.guided_mm:g} mm in a flange of at most "
        f"{WIDEST_MM:g} mm radius that clears the bone, found axes up to {shown(off_mean_deg, 1)}° off their mean: at "
        f"the kit's offset of {socket.offset_mm:g} mm the drill is led over {led} mm, the flange has {flange} mm and "
        f"stands {shown(room, 1)} mm off the bone, {shown(engaged_mm, 1)} mm of the insert are held; choose a narrower "
        "fan, a smaller stop or a kit with other offsets",
        rule="fan_socket",
        figures={
            "off_mean_deg": float(off_mean_deg),
            "offset_mm": socket.offset_mm,
            "guided_length_mm": _led_mm(socket),
            "flange_mm": socket.flange_mm,
            "off_bone_mm": room,
            "engaged_mm": engaged_mm,
        },
    )

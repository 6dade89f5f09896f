"""A bore as it is in the file: probed all round from the planned axis, and a cylinder fitted to what was met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guidegen.check.asked import Asked
from guidegen.check.finding import Finding, at_least, at_most
from guidegen.frames import FloatArray, across, angle_deg, perpendicular_pair, unit
from guidegen.surfaces import Surface

# Probes: every 0.1 mm along the bore, in 72 directions that fall on no edge of a regular polygon.
STEP_MM = 0.1
DIRECTIONS = 72
# Where a probe that meets nothing is repeated: a sliver of a few µm between two facets looks elsewhere.
BESIDE = (0.01, -0.017, 0.023)  # mm along the axis, and radians round it
FIRST_DIRECTION_RAD = 0.0123
# The probe starts outside the bore's end and goes on past the bone's surface, which may cut the bore at 45°.
BEFORE_MM = 2.0
PAST_MM = 15.0
# How far the wall may lie from the cylinder, in each round of the fit: first a gross error, at last a bore's form.
FIT_BANDS_MM = (2.0, 0.5, 0.2)
# Where a probe that meets no wall is put: beyond any fit.
FAR_AWAY_MM = 1e6
# Gauss-Newton is quadratic here: from 2 mm off it is at rounding after five rounds.
ROUNDS = 6
# A wall looks back at the axis: its normal is within 26° of the probe.
FACING = -0.9
# A wall further than this from the fitted cylinder does not guide: a taper, a chamfer, a step.
GUIDING_MM = 0.05
# A file that states the plan is exact to float32; 0.02 mm and 0.02° leave room for the facets of a bore alone.
OFFSET_LIMIT_MM = 0.02
ANGLE_LIMIT_DEG = 0.02
DIAMETER_LIMIT_MM = 0.02
ROUND_LIMIT_MM = 0.05  # from the nearest of the wall to the furthest: needles collapsed before writing move it by 0.02
# What the probe's step and an oblique end may take from the stated guided length.
GUIDED_TOLERANCE_MM = 0.2

WHY_OFFSET = "Drill and wires follow the bores in the file, not the plan."
WHY_TARGET = "At the far end of the drill the bore's error is largest, and there it meets the lesion or misses it."
WHY_ANGLE = "A tilt of 1° moves the drill's tip by 1.6 mm over 90 mm."
WHY_DIAMETER = "A bore too wide lets the drill tilt, one too narrow seizes and sheds debris."
WHY_ROUND = "A bore that is oval or stepped holds the drill between two lines and lets it tilt across them."
WHY_GUIDED = "Play in the sleeve turns into tilt in proportion to its length: a short sleeve does not aim."
NO_WALL = "no wall of a bore looks at the planned axis"


@dataclass(frozen=True, eq=False)
class Bore:
    """A cylinder: a point (3,) and unit axis (3,) into the bone, and the stretch that guides all the way round.

    `start_mm` and `end_mm` lie along the axis from the point; they are equal when nothing guides. `out_of_round_mm` is
    how much further the furthest of the wall is from the axis than the nearest, over that stretch (ISO 1101,
    cylindricity), or over all that the cylinder was fitted to when nothing guides.
    """

    point_mm: FloatArray
    axis: FloatArray
    diameter_mm: float
    start_mm: float
    end_mm: float
    out_of_round_mm: float = 0.0

    @property
    def guided_mm(self) -> float:
        """Length over which the wall goes all the way round."""
        return self.end_mm - self.start_mm

    def distance_mm(self, point_mm: npt.ArrayLike) -> float:
        """From a point (3,) to the axis."""
        return float(np.linalg.norm(across(np.subtract(point_mm, self.point_mm), self.axis)))

    def wall_distance_mm(self, points_mm: FloatArray) -> FloatArray:
        """From the points (..., 3) to the cylinder, negative inside it."""
        return np.asarray(np.linalg.norm(across(points_mm - self.point_mm, self.axis), axis=-1) - self.diameter_mm / 2)


def sleeve_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """Each sleeve's bore against its planned tunnel, also carried on to the tunnel's target."""
    findings: list[Finding] = []
    for number, sleeve in enumerate(asked.guide.sleeves, start=1):
        tunnel, name = asked.tunnels[sleeve.tunnel], f"sleeve {number} bore"
        axis = unit(np.subtract(tunnel.target_mm, tunnel.entry_mm))
        bore = measured_bore(guide, sleeve.top_mm, tunnel.entry_mm, axis, sleeve.inner_diameter_mm)
        at_target_mm = None if bore is None else bore.distance_mm(tunnel.target_mm)
        least_mm = max(sleeve.guided_length_mm - GUIDED_TOLERANCE_MM, asked.limits.guided_length_mm)
        findings += _against_plan(name, bore, tunnel.entry_mm, axis, sleeve.inner_diameter_mm, least_mm)
        findings.append(
            at_most(f"{name} off the target", at_target_mm, OFFSET_LIMIT_MM, "mm", WHY_TARGET, missing=NO_WALL)
        )
    return tuple(findings)


def pin_hole_findings(asked: Asked, guide: Surface) -> tuple[Finding, ...]:
    """Each pin's hole against its planned axis."""
    findings: list[Finding] = []
    for number, pin in enumerate(asked.guide.pins, start=1):
        axis = unit(pin.direction)
        bore = measured_bore(guide, pin.top_mm, pin.point_mm, axis, pin.hole_diameter_mm)
        least_mm = pin.guided_length_mm - GUIDED_TOLERANCE_MM
        findings += _against_plan(f"pin {number} hole", bore, pin.point_mm, axis, pin.hole_diameter_mm, least_mm)
    return tuple(findings)


def _against_plan(
    name: str, bore: Bore | None, point_mm: npt.ArrayLike, axis: FloatArray, diameter_mm: float, guided_mm: float
) -> list[Finding]:
    """Offset over the guided length, tilt, diameter and guided length of one bore; `point_mm` lies on its plan."""
    offset = tilt = width = round_ = length = None
    if bore is not None:
        ends = bore.point_mm + np.array([[bore.start_mm], [bore.end_mm]]) * bore.axis
        offset = float(np.linalg.norm(across(ends - np.asarray(point_mm), axis), axis=1).max())
        tilt = angle_deg(bore.axis, axis)
        width, round_, length = abs(bore.diameter_mm - diameter_mm), bore.out_of_round_mm, bore.guided_mm
    return [
        at_most(f"{name} axis off plan", offset, OFFSET_LIMIT_MM, "mm", WHY_OFFSET, missing=NO_WALL),
        at_most(f"{name} angle off plan", tilt, ANGLE_LIMIT_DEG, "°", WHY_ANGLE, missing=NO_WALL),
        at_most(f"{name} diameter off plan", width, DIAMETER_LIMIT_MM, "mm", WHY_DIAMETER, missing=NO_WALL),
        at_most(f"{name} out of round", round_, ROUND_LIMIT_MM, "mm", WHY_ROUND, missing=NO_WALL),
        at_least(f"{name} guided length", length, guided_mm, "mm", WHY_GUIDED, missing=NO_WALL),
    ]


def measured_bore(
    guide: Surface, outer_mm: npt.ArrayLike, bone_mm: npt.ArrayLike, axis: FloatArray, diameter_mm: float
) -> Bore | None:
    """The bore around the axis from its outer end to the bone; None where no wall looks at the planned axis.

    The wall is probed by rays from the planned axis, and a cylinder is fitted to what they meet, where they
    meet it all the way round: a half ring would weigh its facets unevenly. Then it is probed again from there.
    """
    outer = np.asarray(outer_mm, dtype=np.float64)
    span_mm = float(np.subtract(bone_mm, outer) @ axis)
    along = np.arange(-BEFORE_MM, span_mm + PAST_MM, STEP_MM)
    met = _probed(guide, outer, axis, along)
    bore = Bore(outer, axis, diameter_mm, 0.0, 0.0)
    for band_mm in FIT_BANDS_MM:
        near = np.abs(bore.wall_distance_mm(met)) < band_mm
        whole = near.all(axis=1)
        points = met[whole].reshape(-1, 3) if whole.any() else met[near]
        if len(points) < DIRECTIONS:
            return None
        bore = _fitted(points, bore)
    fitted_mm = float(np.ptp(bore.wall_distance_mm(points)))
    start, end, round_mm = _guided(guide, bore, along)
    return Bore(bore.point_mm, bore.axis, bore.diameter_mm, start, end, round_mm if end > start else fitted_mm)


def _probed(
    guide: Surface, point_mm: FloatArray, axis: FloatArray, along_mm: FloatArray, beside_rad: float = 0.0
) -> FloatArray:
    """What rays from the axis meet (T, DIRECTIONS, 3), all turned by `beside_rad`; FAR_AWAY_MM off where no wall faces
    the axis.
    """
    first, second = perpendicular_pair(axis)
    turn = FIRST_DIRECTION_RAD + beside_rad + np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    spokes = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    origins = np.repeat(point_mm + along_mm[:, None] * axis, DIRECTIONS, axis=0)
    directions = np.tile(spokes, (len(along_mm), 1))
    way, face = guide.ray_hits(origins, directions)
    faces_axis = (face >= 0) & (np.einsum("ij,ij->i", guide.face_normals[face], directions) < FACING)
    met = origins + np.where(faces_axis, way, FAR_AWAY_MM)[:, None] * directions
    return np.asarray(met.reshape(len(along_mm), DIRECTIONS, 3))


def _fitted(points: FloatArray, bore: Bore) -> Bore:
    """The cylinder of least squared radial error through the points (K, 3), by Gauss-Newton from `bore`."""
    for _ in range(ROUNDS):
        first, second = perpendicular_pair(bore.axis)
        relative = points - bore.point_mm
        x, y, z = relative @ first, relative @ second, relative @ bore.axis
        radius = np.maximum(np.hypot(x, y), 1e-9)
        cosine, sine = x / radius, y / radius
        slopes = np.stack([cosine, sine, z * cosine, z * sine, np.ones_like(z)], axis=1)
        move = np.linalg.lstsq(slopes.T @ slopes, slopes.T @ (radius - bore.diameter_mm / 2), rcond=None)[0]
        point = bore.point_mm + move[0] * first + move[1] * second
        axis = unit(bore.axis + move[2] * first + move[3] * second)
        bore = Bore(point, axis, bore.diameter_mm + 2 * float(move[4]), 0.0, 0.0)
    return bore


def _guided(guide: Surface, bore: Bore, along_mm: FloatArray) -> tuple[float, float, float]:
    """Where the longest stretch begins and ends on which every probe meets the fitted cylinder, and how far out of
    round it is there.
    """
    off = bore.wall_distance_mm(_probed(guide, bore.point_mm, bore.axis, along_mm))
    meets = np.abs(off) < GUIDING_MM
    for beside in BESIDE:  # a probe may have slipped through between two facets: ask once more beside it
        doubtful = ~meets.all(axis=1)
        again = _probed(guide, bore.point_mm, bore.axis, along_mm[doubtful] + beside, beside)
        meets[doubtful] |= np.abs(bore.wall_distance_mm(again)) < GUIDING_MM
    all_round = meets.all(axis=1)
    changes = np.flatnonzero(np.diff(np.r_[False, all_round, False].astype(np.int8)))
    if len(changes) == 0:
        return 0.0, 0.0, 0.0
    longest = int(np.argmax(changes[1::2] - changes[::2]))
    first, past = int(changes[2 * longest]), int(changes[2 * longest + 1])
    wall = off[first:past]
    round_mm = float(np.ptp(wall[np.abs(wall) < GUIDING_MM]))
    return float(along_mm[first]), float(along_mm[past - 1]) + STEP_MM, round_mm

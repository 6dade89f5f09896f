"""The error budget of one tunnel in closed form: how far its tip may be off, and what that may lead to.

The tool as drilled is the planned one moved: with its guide, in its sleeve, by its bend and past its stop. Small errors
move a point of it by a sum of levers × errors, which is normal with the covariance J Jᵀ (the sleeve's even play counts
as a normal one of the same variance). How often a length or a depth passes a limit is then a mean over directions
in the space of the errors: along each, the chi distribution tells how often the errors are larger than it takes. No
random number is drawn; `guidegen.plan.monte_carlo` answers the same questions by drilling many times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from guidegen.frames import FloatArray, IntArray, frozen, perpendicular_pair, spokes, turning, unit
from guidegen.plan.error_sources import BEND_AT_MM, ErrorSource, ErrorSources

Depth = Callable[[FloatArray], FloatArray]  # points (K, 3), LPS mm → depth under the bone's surface (K,), mm

JOINT_MM = 3.0  # nearer to the joint than this no tool may come
RIM_POINTS = 16
STATION_MM = 3.0  # between the places along the tunnel where its wall is looked at
IMPROBABLE = 4.0  # standard deviations: what is further from happening is left out
DIRECTIONS, SEARCH_DIRECTIONS = 512, 128  # and their opposites; while a better stop is searched
SIZES = np.array([0.0, 0.8, 1.6, 2.3, 3.0, 3.8, 5.0])  # of the errors, at which the depth is looked at
NEGLIGIBLE = 0.05  # of the largest: an axis of the errors that moves nothing by more adds 1/400 to the variance
EARLIEST_MM = 15.0  # a drill that has to stop earlier than this is another plan
STOP_TOLERANCE_MM = 0.1
LOOK_MM = 0.5  # between the places on a line where it is looked whether they lie in the lesion
LONE_VOXEL_MM = 1.0  # the edge of a lesion of one voxel
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Aim:
    """What is drilled, in LPS mm: from `entry_mm` (3,) to `target_mm` (3,), the tool's furthest point on its axis.

    `outline_mm` (K, 2): how far behind that point, and of which radius, the rings lie that bound the tool's end; the
    axis point itself is (0, 0). `radius_mm`: of the shaft. The wall is that outside the head's sphere and at least
    `entry_zone_mm` past the entry.
    """

    entry_mm: FloatArray
    target_mm: FloatArray
    outline_mm: FloatArray
    radius_mm: float
    head_center_mm: FloatArray
    head_radius_mm: float
    entry_zone_mm: float = 20.0

    def __post_init__(self) -> None:
        for name in ("entry_mm", "target_mm", "head_center_mm"):
            object.__setattr__(self, name, frozen(getattr(self, name), (3,)))
        object.__setattr__(self, "outline_mm", frozen(self.outline_mm, (len(self.outline_mm), 2)))

    @cached_property
    def axis(self) -> FloatArray:
        """The unit vector (3,) from entry to target."""
        return unit(self.target_mm - self.entry_mm)

    @property
    def length_mm(self) -> float:
        """From entry to target."""
        return float(np.linalg.norm(self.target_mm - self.entry_mm))

    def end_points_mm(self) -> FloatArray:
        """Points (K, 3) all round every ring of the tool's end; one for a ring of no radius."""
        circle = spokes(self.axis, RIM_POINTS)
        rings = [
            self.target_mm - behind * self.axis + (radius * circle if radius > 0.0 else np.zeros((1, 3)))
            for behind, radius in self.outline_mm
        ]
        return np.concatenate(rings)

    def wall_points_mm(self) -> FloatArray:
        """The places (K, 3) on the axis where the wall counts; the target where there are none."""
        beside = self.head_center_mm - self.entry_mm
        along = float(beside @ self.axis)
        half = np.sqrt(max(self.head_radius_mm**2 - float(beside @ beside) + along**2, 0.0))
        last = min(along - half, self.length_mm)
        if last < self.entry_zone_mm:
            return self.target_mm[None]
        count = int(np.ceil((last - self.entry_zone_mm) / STATION_MM)) + 1
        return self.entry_mm + np.linspace(self.entry_zone_mm, last, count)[:, None] * self.axis

    def stopped_earlier(self, by_mm: float) -> Aim:
        """The same drill, stopped `by_mm` before its target."""
        return replace(self, target_mm=self.target_mm - by_mm * self.axis)


@dataclass(frozen=True, eq=False)
class LesionVoxels:
    """A lesion as the voxels that its points (K, 3) are the centres of: `corner_mm` (3,), the lattice's `edges_mm`
    (3, 3) as rows, and which of its cells belong to the lesion, with a margin of one empty cell all round.
    """

    points_mm: FloatArray
    corner_mm: FloatArray
    edges_mm: FloatArray
    cells: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, points_mm: FloatArray) -> LesionVoxels:
        """The voxels of the points (K, 3), which lie on one lattice; ValueError for no points."""
        if len(points_mm) == 0:
            raise ValueError("expected a lesion with points, found none")
        corner, edges = points_mm[0], _lattice_edges(points_mm)
        index = np.rint((points_mm - corner) @ np.linalg.inv(edges)).astype(np.int64)
        lowest = index.min(axis=0) - 1
        cells = np.zeros(index.max(axis=0) - lowest + 2, dtype=np.bool_)
        cells[tuple((index - lowest).T)] = True
        return cls(points_mm, corner + lowest @ edges, edges, cells)

    def contains(self, points_mm: FloatArray) -> npt.NDArray[np.bool_]:
        """Which points (..., 3) lie in a voxel of the lesion."""
        index: IntArray = np.rint((points_mm - self.corner_mm) @ np.linalg.inv(self.edges_mm)).astype(np.int64)
        index = np.clip(index, 0, np.array(self.cells.shape) - 1)
        return np.asarray(self.cells[index[..., 0], index[..., 1], index[..., 2]])

    def steps_mm(self, start_mm: FloatArray, axis: FloatArray) -> FloatArray:
        """The ways (M,) along an axis (3,), from a start (3,), past the whole lesion, LOOK_MM apart."""
        way = (self.points_mm - start_mm) @ axis
        margin = float(np.linalg.norm(self.edges_mm.sum(axis=0)))
        return np.arange(way.min() - margin, way.max() + margin, LOOK_MM)


def _lattice_edges(points_mm: FloatArray) -> FloatArray:
    """The three shortest steps (3, 3), not in one plane, from the middle point to others; where all points lie in one
    plane or on one line, a step across them of the last one's length.
    """
    middle = points_mm[np.argmin(np.linalg.norm(points_mm - points_mm.mean(axis=0), axis=1))]
    steps = points_mm - middle
    steps = steps[np.argsort(np.linalg.norm(steps, axis=1), kind="stable")][1:]
    edges: list[FloatArray] = []
    while len(edges) < 3:
        known = np.linalg.qr(np.array(edges).T)[0] if edges else np.zeros((3, 0))
        new = np.linalg.norm(steps - steps @ known @ known.T, axis=1) > 1e-3
        if new.any():
            edges.append(steps[np.argmax(new)])
        else:
            length = float(np.linalg.norm(edges[-1])) if edges else LONE_VOXEL_MM
            edges.append(length * np.linalg.svd(known.T if edges else np.zeros((1, 3)))[2][-1])
    return np.array(edges)


@dataclass(frozen=True)
class Contribution:
    """What one source alone does to the tip (rms, mm) and its share of the variance there."""

    name: str
    tip_rms_mm: float
    share: float
    source: str


@dataclass(frozen=True)
class ErrorBudget:
    """How far the tip may be off (mm: mean and 95th percentile, in all directions and across the drill alone), and how
    probable it is that the drill reaches the lesion, breaches the neck's cortex or comes within 3 mm of the joint.

    `entry`: across the drill where it enters the bone; `angle`: between the planned way from entry to target and the
    drilled one. `to_lesion_p95_mm` adds the registration, as do the `contributions`, largest first, whose shares sum to
    1. `dominant` names the first. `stop_earlier_mm`: by how much the drill would have to stop earlier for the joint's
    probability to keep its limit; None where 15 mm are not enough. `seat`: whose seat is reckoned with (`Seating`), by
    how much its centre is shifted and by how much it is turned (rms).
    """

    tip_mean_mm: float
    tip_p95_mm: float
    tip_lateral_mean_mm: float
    tip_lateral_p95_mm: float
    entry_mean_mm: float
    entry_p95_mm: float
    angle_mean_deg: float
    angle_p95_deg: float
    to_lesion_p95_mm: float
    reaches_lesion: float
    breaches_cortex: float
    within_3_mm_of_joint: float
    contributions: tuple[Contribution, ...]
    dominant: str
    stop_earlier_mm: float | None
    seat: str
    seat_shift_rms_mm: float
    seat_turn_rms_deg: float


def error_budget(
    aim: Aim,
    sources: ErrorSources,
    depth_mm: Depth,
    lesion_points_mm: FloatArray,
    joint_risk_limit: float = 0.01,
) -> ErrorBudget:
    """The budget in closed form; `lesion_points_mm` (K, 3) are the centres of the lesion's voxels.

    It *reaches the lesion* when the centre line of the drilled hole, up to the tool's furthest point, passes through a
    voxel of it: a hole that only grazes the lesion with its side does not count. It *breaches the cortex* when the
    depth of the axis under the surface is less than the shaft's radius anywhere the wall counts, and is *within 3 mm of
    the joint* when any point of the tool's end is less than that under the surface of the bone.
    """
    in_bone, under_surface, towards_lesion = sources.in_bone, sources.under_surface, sources.towards_lesion
    tip = covariance(aim, in_bone, aim.target_mm)
    across = np.stack(perpendicular_pair(aim.axis))
    lateral = across @ tip @ across.T
    entry = across @ covariance(aim, in_bone, aim.entry_mm) @ across.T
    angle = _angle_covariance(aim, in_bone)
    to_lesion = covariance(aim, towards_lesion, aim.target_mm)
    contributions = _contributions(aim, towards_lesion)
    near_joint = _near_joint(aim, under_surface, depth_mm)
    kept = near_joint <= joint_risk_limit
    return ErrorBudget(
        tip_mean_mm=mean_length(tip),
        tip_p95_mm=length_quantile(tip, LEVEL),
        tip_lateral_mean_mm=mean_length(lateral),
        tip_lateral_p95_mm=length_quantile(lateral, LEVEL),
        entry_mean_mm=mean_length(entry),
        entry_p95_mm=length_quantile(entry, LEVEL),
        angle_mean_deg=mean_length(angle),
        angle_p95_deg=length_quantile(angle, LEVEL),
        to_lesion_p95_mm=length_quantile(to_lesion, LEVEL),
        reaches_lesion=_reaches(aim, towards_lesion, LesionVoxels.of(lesion_points_mm)),
        breaches_cortex=_breaches(aim, under_surface, depth_mm),
        within_3_mm_of_joint=near_joint,
        contributions=contributions,
        dominant=contributions[0].name,
        stop_earlier_mm=0.0 if kept else _stop_earlier_mm(aim, under_surface, depth_mm, joint_risk_limit),
        seat=sources.seat.whose,
        seat_shift_rms_mm=sources.seat.shift_rms_mm,
        seat_turn_rms_deg=sources.seat.turn_rms_deg,
    )


def levers(aim: Aim, sources: ErrorSources, points_mm: FloatArray) -> list[tuple[ErrorSource, FloatArray]]:
    """How each source moves points (K, 3) of the tool: matrices (K, 3, n) on n independent standard normal errors."""
    points, axis = np.asarray(points_mm), aim.axis
    across = np.stack(perpendicular_pair(axis), axis=1)
    way = (points - aim.entry_mm) @ axis
    off_axis = points - aim.entry_mm - way[:, None] * axis
    sleeve_end = aim.entry_mm - sources.sleeve_end_mm * axis
    free = (way + sources.sleeve_end_mm) / BEND_AT_MM
    even = np.tile(np.eye(3) / np.sqrt(3.0), (len(points), 1, 1))
    side = np.tile(across / np.sqrt(2.0), (len(points), 1, 1))
    turned = (turning(points - sources.seat.center_mm) + sources.seat.carried) @ sources.seat.turn_root
    tilted = np.radians(turning(points - sleeve_end) @ across) / np.sqrt(2.0)
    sloped = (3.0 * free**2 / BEND_AT_MM)[:, None] * (off_axis @ across) / np.sqrt(2.0)
    bent = free[:, None, None] ** 3 * side - axis[:, None] * sloped[:, None]
    lever = [
        (sources.seat_turn, turned),
        (sources.seat_shift, np.tile(sources.seat.slide_root, (len(points), 1, 1))),
    ]
    lever += [
        (source, source.rms * matrix)
        for source, matrix in (
            (sources.bone_surface, even),
            (sources.printing, even),
            (sources.sleeve_shift, side),
            (sources.sleeve_tilt, tilted),
            (sources.drill_bend, bent),
            (sources.depth_stop, np.tile(axis[:, None], (len(points), 1, 1))),
            (sources.registration, even),
        )
        if source is not None
    ]
    return lever


def covariance(aim: Aim, sources: ErrorSources, point_mm: FloatArray) -> FloatArray:
    """The covariance (3, 3), mm², of where a point (3,) of the tool comes to lie."""
    jacobian = _jacobians(aim, sources, point_mm[None])[0]
    return np.asarray(jacobian @ jacobian.T)


def _angle_covariance(aim: Aim, sources: ErrorSources) -> FloatArray:
    """The covariance (2, 2), degrees², of how the drilled way from entry to target leans off the planned one."""
    across = np.stack(perpendicular_pair(aim.axis))
    entry, target = _jacobians(aim, sources, np.stack([aim.entry_mm, aim.target_mm]))
    lean = np.degrees(across @ (target - entry) / aim.length_mm)
    return np.asarray(lean @ lean.T)


def _jacobians(aim: Aim, sources: ErrorSources, points_mm: FloatArray) -> FloatArray:
    """How all errors together, each standard normal, move points (K, 3): (K, 3, n)."""
    return np.concatenate([matrix for _, matrix in levers(aim, sources, points_mm)], axis=2)


def _contributions(aim: Aim, sources: ErrorSources) -> tuple[Contribution, ...]:
    squares = [(source, float((matrix**2).sum())) for source, matrix in levers(aim, sources, aim.target_mm[None])]
    total = sum(square for _, square in squares)
    listed = [
        Contribution(source.name, float(np.sqrt(square)), square / total if total > 0.0 else 0.0, source.source)
        for source, square in squares
    ]
    return tuple(sorted(listed, key=lambda each: -each.tip_rms_mm))


def mean_length(covariance: FloatArray) -> float:
    """The mean length of a normal vector of this covariance (n, n), n = 2 or 3, in the unit that it is the square of.

    Its length is the chi-distributed size of the underlying even error times what the direction makes of it.
    """
    from scipy.special import gammaln

    n = len(covariance)
    size = np.sqrt(2.0) * np.exp(gammaln((n + 1) / 2.0) - gammaln(n / 2.0))
    stretch, weight = _stretches(covariance)
    return float(size * (weight @ stretch))


def length_quantile(covariance: FloatArray, level: float) -> float:
    """The length that a normal vector of this covariance (n, n), n = 2 or 3, exceeds with 1 - level; by bisection."""
    stretch, weight = _stretches(covariance)
    low, high = 0.0, 10.0 * float(stretch.max())
    if high == 0.0:
        return 0.0
    stretch = np.maximum(stretch, 1e-9 * stretch.max())
    while high - low > 1e-6 * high:
        middle = (low + high) / 2.0
        reached = float(weight @ chi_share(middle / stretch, len(covariance)))
        low, high = (middle, high) if reached < level else (low, middle)
    return (low + high) / 2.0


def chi_share(size: FloatArray, dimensions: int) -> FloatArray:
    """The share of even standard normal errors in so many dimensions that are smaller than `size`."""
    from scipy.special import gammainc

    return np.asarray(gammainc(dimensions / 2.0, np.minimum(size, 1e3) ** 2 / 2.0))


def _stretches(covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What directions (K,) make of an even error of size 1 and the directions' weights; Gauss points of one octant,
    which the symmetry of the ellipsoid makes enough.
    """
    spread = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    node, weight = np.polynomial.legendre.leggauss(20)
    node, weight = (node + 1.0) / 2.0, weight / 2.0
    turn = np.stack([np.cos(node * np.pi / 2.0) ** 2, np.sin(node * np.pi / 2.0) ** 2], axis=1)
    if len(spread) == 2:
        return np.sqrt(turn @ spread), weight
    squared = node[:, None] ** 2 * spread[2] + (1.0 - node[:, None] ** 2) * (turn @ spread[:2])
    return np.sqrt(squared).ravel(), np.outer(weight, weight).ravel()


def _near_joint(aim: Aim, sources: ErrorSources, depth_mm: Depth, directions: int = DIRECTIONS) -> float:
    points = aim.end_points_mm()
    jacobians = _jacobians(aim, sources, points)
    return _chance(depth_mm, _drawn_in(aim, sources, points), JOINT_MM, jacobians, directions)


def _breaches(aim: Aim, sources: ErrorSources, depth_mm: Depth) -> float:
    points = aim.wall_points_mm()
    return _chance(depth_mm, points, aim.radius_mm, _jacobians(aim, sources, points), DIRECTIONS)


def _drawn_in(aim: Aim, sources: ErrorSources, points_mm: FloatArray) -> FloatArray:
    """Where points (K, 3) lie on average: turns swing them on arcs, towards the centre by the arm times a variance.

    A turn ω by a small angle moves the end of an arm r by ω × r + ½ ω × (ω × r).
    """
    turn = sources.seat.turn_covariance
    seat = (np.trace(turn) * np.eye(3) - turn) / 2.0
    tilt = np.radians(sources.sleeve_tilt.rms) ** 2 / 2.0
    sleeve_end = aim.entry_mm - sources.sleeve_end_mm * aim.axis
    return np.asarray(points_mm - (points_mm - sources.seat.center_mm) @ seat - tilt * (points_mm - sleeve_end))


def _chance(depth_mm: Depth, points_mm: FloatArray, limit_mm: float, jacobians: FloatArray, directions: int) -> float:
    """How probable it is that any of the points (K, 3), moved by `jacobians` (K, 3, n), is less than `limit_mm` deep.

    The normal distribution is integrated along evenly spread directions of the errors (Deák, Numer Math 1980;35:249):
    along each the least depth is taken at a few sizes of error, straight between them, and the chi distribution tells
    how often the size is one at which it is too little.
    """
    spare, reach = depth_mm(points_mm) - limit_mm, np.linalg.norm(jacobians, ord=2, axis=(1, 2))
    near = spare < IMPROBABLE * reach  # no depth changes by more than the way moved
    if not near.any():
        return 0.0
    jacobians = _few_axes(jacobians[near])
    moved = np.tensordot(_directions(directions, jacobians.shape[2]), jacobians, axes=(1, 2))
    places = points_mm[near] + SIZES[:, None, None, None] * moved
    left = depth_mm(places.reshape(-1, 3)).reshape(places.shape[:3]).min(axis=2) - limit_mm
    return float(_share_below(left, jacobians.shape[2]).mean())


def _share_below(left: FloatArray, dimensions: int) -> FloatArray:
    """The share of errors (M,) at which what is left (J, M) at SIZES (J,) is below 0."""
    size, before, after = SIZES[:, None], left[:-1], left[1:]
    crossed = (before < 0.0) != (after < 0.0)
    part = np.where(crossed, before, 0.0) / np.where(crossed, before - after, 1.0)
    share = chi_share(size, dimensions)
    at = chi_share(size[:-1] + part * (size[1:] - size[:-1]), dimensions)
    below = np.where(
        before < 0.0, np.where(crossed, at, share[1:]) - share[:-1], np.where(crossed, share[1:] - at, 0.0)
    )
    return np.asarray(below.sum(axis=0))


def _few_axes(jacobians: FloatArray) -> FloatArray:
    """The same normal displacements (K, 3, n) from fewer errors: those axes of the errors that move anything."""
    stacked = jacobians.reshape(-1, jacobians.shape[2])
    _, size, axes = np.linalg.svd(stacked, full_matrices=False)
    return np.asarray((stacked @ axes[size > NEGLIGIBLE * size[0]].T).reshape(*jacobians.shape[:2], -1))


@cache
def _directions(count: int, dimensions: int) -> FloatArray:
    """Evenly spread unit vectors (2 × count, dimensions), each with its opposite: a Sobol sequence made normal and
    cut to length 1.
    """
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    half = unit(ndtri(Sobol(dimensions, scramble=True, rng=0).random(count)))
    return frozen(np.concatenate([half, -half]))


def _reaches(aim: Aim, sources: ErrorSources, lesion: LesionVoxels) -> float:
    """Over the lesion's shadow along the drill: where a line beside the axis enters the lesion, and how probable it is
    that the drill goes as far.
    """
    from scipy.special import ndtr

    way = (lesion.points_mm - aim.entry_mm) @ aim.axis
    before = way[way <= aim.length_mm]
    middle = min(float(before.mean()) if len(before) else aim.length_mm, aim.length_mm)
    frame = np.stack([*perpendicular_pair(aim.axis), aim.axis])
    spread = frame @ covariance(aim, sources, aim.entry_mm + middle * aim.axis) @ frame.T
    offset, weight = _disc_nodes()
    lateral = offset @ np.linalg.cholesky(spread[:2, :2] + 1e-12 * np.eye(2)).T
    steps = lesion.steps_mm(aim.entry_mm, aim.axis)
    inside = lesion.contains((aim.entry_mm + lateral @ frame[:2])[:, None] + steps[:, None] * aim.axis)
    enters = np.where(inside.any(axis=1), steps[inside.argmax(axis=1)], np.inf)
    slope = np.linalg.solve(spread[:2, :2] + 1e-12 * np.eye(2), spread[:2, 2])
    deviation = np.sqrt(max(float(spread[2, 2] - slope @ spread[:2, 2]), 1e-12))
    return float(weight @ ndtr((aim.length_mm + lateral @ slope - enters) / deviation))


@cache
def _disc_nodes() -> tuple[FloatArray, FloatArray]:
    """Points (K, 2) all over the standard normal distribution of the plane, and their weights (K,)."""
    radius, turn = (np.arange(50) + 0.5) * 0.1, (np.arange(64) + 0.5) * 2.0 * np.pi / 64
    points = radius[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    weight = np.repeat(radius * np.exp(-(radius**2) / 2.0), len(turn))
    return frozen(points.reshape(-1, 2)), frozen(weight / weight.sum())


def _stop_earlier_mm(aim: Aim, sources: ErrorSources, depth_mm: Depth, limit: float) -> float | None:
    """By how much a drill that comes too near the joint too often would have to stop earlier, by bisection."""

    def keeps(by_mm: float) -> bool:
        return _near_joint(aim.stopped_earlier(by_mm), sources, depth_mm, SEARCH_DIRECTIONS) <= limit

    low, high = 0.0, min(EARLIEST_MM, aim.length_mm - STOP_TOLERANCE_MM)
    if not keeps(high):
        return None
    while high - low > STOP_TOLERANCE_MM:
        middle = (low + high) / 2.0
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high

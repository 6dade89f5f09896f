"""Whether wires, bone and friction hold the guide while a drill's stop collar thrusts on its sleeve.

Statics of a rigid guide. The bone pushes and never pulls, with dry friction; a wire holds across itself, both ways, and
gives nothing along itself, although in truth it grips the bone. What a wire bears is a beam's estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidegen.check.asked import Asked, AskedPin
from guidegen.check.bench import Bench
from guidegen.check.bore import measured_bore
from guidegen.check.friction import friction_cones, held, wrenches
from guidegen.frames import FloatArray, spokes, unit

# A surgeon's hand on the drill, once its stop collar has met the sleeve; it may be held a little askew.
THRUST_N, ASKEW_DEG = 50.0, 5.0
# The directions that are tried: twelve, so wide that all within ASKEW_DEG lie between them. What holds against two
# thrusts holds against any between them, so the worst of the twelve is worse than any within the cone.
DIRECTIONS = 12
# Cold-worked implant steel (316L, ISO 5832-1 and ASTM F138): Young's modulus, and the least yield strength.
STEEL_MPA, STEEL_YIELD_MPA = 200_000.0, 690.0
# A wire in cortex bends most half its width under the surface: 0.32 ÷ β for a beam on an elastic foundation (Hetényi),
# which is 0.9 mm for 2 mm of steel in bone of 10 GPa.
FIXED_AT_WIDTHS = 0.5
# A wire holds across itself in every direction: the polygon of so many inside the circle.
WAYS = 8
# Beyond so many times the thrust, what the guide still holds is no longer looked for.
MOST_TIMES = 10.0


@dataclass(frozen=True)
class WireLoad:
    """What one wire bears at THRUST_N in the worst direction: force across it, where that acts off its fixed end, the
    wire's bending stress, and how far it bends there.
    """

    lateral_n: float
    lever_mm: float
    stress_mpa: float
    bend_mm: float


@dataclass(frozen=True)
class Pinned:
    """The largest thrust that guide and wires hold, as a multiple of THRUST_N (MOST_TIMES: so much or more; 0: it does
    not hold at all), in the worst direction; the wires there; and whether it would hold without any wire.
    """

    times: float
    wires: tuple[WireLoad, ...]
    without_wires: bool


@dataclass(frozen=True, eq=False)
class Wire:
    """A wire on the bench: where the boss's lower end loads it (3,), its direction (3,), and from where it is fixed."""

    place_mm: FloatArray
    direction: FloatArray
    lever_mm: float
    diameter_mm: float

    @property
    def strongest_n(self) -> float:
        """The force across it that makes it yield: bending stress of a round cantilever, 32 F a ÷ π d³."""
        return STEEL_YIELD_MPA * np.pi * self.diameter_mm**3 / (32.0 * self.lever_mm)

    def load(self, lateral_n: float) -> WireLoad:
        """What a force across it does: F a³ ÷ 3 E I for how far it bends."""
        inertia = np.pi * self.diameter_mm**4 / 64.0
        return WireLoad(
            lateral_n=lateral_n,
            lever_mm=self.lever_mm,
            stress_mpa=lateral_n / self.strongest_n * STEEL_YIELD_MPA,
            bend_mm=lateral_n * self.lever_mm**3 / (3.0 * STEEL_MPA * inertia),
        )


def wires_of(asked: Asked, bench: Bench) -> list[Wire] | None:
    """The wires as the guide's file holds them; None where a pin has no hole."""
    wires = [_wire(pin, bench) for pin in asked.guide.pins]
    found = [wire for wire in wires if wire is not None]
    return found if len(found) == len(wires) else None


def _wire(pin: AskedPin, bench: Bench) -> Wire | None:
    top, point, axis = bench.axes.points(pin.top_mm), bench.axes.points(pin.point_mm), bench.axes.vectors(pin.direction)
    hole = measured_bore(bench.guide, top, point, unit(axis), pin.hole_diameter_mm)
    if hole is None:
        return None
    end = hole.point_mm + hole.end_mm * hole.axis
    to_bone = float(bench.bone.ray_hits(end, hole.axis)[0][0])
    return Wire(
        place_mm=end,
        direction=hole.axis,
        lever_mm=(to_bone if np.isfinite(to_bone) else 0.0) + FIXED_AT_WIDTHS * pin.wire_diameter_mm,
        diameter_mm=pin.wire_diameter_mm,
    )


def pinned(bench: Bench, wires: list[Wire], stop_mm: FloatArray, axis: FloatArray) -> Pinned:
    """A thrust at the stop face (3,) along the sleeve's axis (3,), both on the bench, against wires and contact."""
    normals = bench.bone.face_normals[bench.bone.nearest(bench.resting_mm)[1]]
    cones = friction_cones(bench.resting_mm, normals, bench.lever_mm)
    loads = wrenches(thrust_directions(axis), stop_mm, bench.lever_mm)
    shares = [_least_share(cones, wires, THRUST_N * load, bench.lever_mm) for load in loads]
    worst = max(range(len(loads)), key=lambda number: shares[number][0])
    share, forces = shares[worst]
    return Pinned(
        times=0.0 if share == np.inf else min(MOST_TIMES, 1.0 / max(share, 1e-9)),
        wires=tuple(wire.load(force) for wire, force in zip(wires, forces, strict=True)),
        without_wires=held(cones, loads) == len(loads),
    )


def thrust_directions(axis: FloatArray) -> FloatArray:
    """The axis itself and DIRECTIONS round it (DIRECTIONS + 1, 3), between which lie all within ASKEW_DEG of it."""
    widest = np.tan(np.radians(ASKEW_DEG)) / np.cos(np.pi / DIRECTIONS)
    return unit(np.concatenate([axis[None], axis + widest * spokes(axis, DIRECTIONS)]))


def _least_share(cones: FloatArray, wires: list[Wire], load: FloatArray, lever_mm: float) -> tuple[float, list[float]]:
    """The least share of its strength that any wire need bear for a load (6,) to be held, and each wire's force;
    infinite where nothing holds it.

    A linear programme: contact forces in their cones and wire forces in their polygons balance the load, and no wire
    bears more than the share, which is made as small as can be.
    """
    from scipy.optimize import linprog

    ways = [wire.strongest_n * wrenches(spokes(wire.direction, WAYS), wire.place_mm, lever_mm).T for wire in wires]
    parts = np.concatenate([cones * THRUST_N, *ways], axis=1)
    of_wire = np.kron(np.eye(len(wires)), np.ones(WAYS))
    borne = np.c_[np.zeros((len(wires), cones.shape[1])), of_wire, -np.ones(len(wires))]
    found = linprog(
        np.r_[np.zeros(parts.shape[1]), 1.0],
        A_ub=borne,
        b_ub=np.zeros(len(wires)),
        A_eq=np.c_[parts, np.zeros(6)] / THRUST_N,
        b_eq=-load / THRUST_N,
        method="highs",
    )
    if found.x is None:
        return np.inf, [0.0] * len(wires)
    shares = found.x[cones.shape[1] : -1].reshape(len(wires), WAYS)
    forces = [float(np.linalg.norm(way[:3] @ share)) for way, share in zip(ways, shares, strict=True)]
    return float(found.x[-1]), forces

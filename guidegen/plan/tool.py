"""What the instruments of a kit sweep out: a shaft with a flat, conical or round end, and an opened reamer behind it.

All depths count backwards from the furthest point of the tool, the point on its axis that the plan calls the target.
The reamer is taken as a cylinder. It opens from the shaft: its front lies where the drill's end has reached the drill's
full radius, so that nothing of it is deeper than the drill, and at a flat end it is level with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guidegen.frames import LPS, FloatArray, RigidTransform, perpendicular_pair, unit
from guidegen.plan.kits import End, Kit
from guidegen.rounded import shown, shown_beside

BALL_DEG = (0.0, 30.0, 60.0, 90.0)  # where the outline has points on a ball, from the axis to the rim
FINE_BALL_DEG = np.linspace(0.0, 90.0, 46)  # the same for a solid
SEGMENTS = 120


@dataclass(frozen=True, eq=False)
class Tool:
    """The shape that is taken out of the bone, round its axis.

    `setback_at_rim_mm`: how far behind the furthest point the drill has its full radius. Without a reamer its two
    figures are 0. `curette_reach_mm`: how far beyond the tunnel's wall a curette scrapes, 0 without one; by hand, so
    not swept.
    """

    radius_mm: float
    end: End
    setback_at_rim_mm: float
    reamer_radius_mm: float = 0.0
    reamer_length_mm: float = 0.0
    curette_reach_mm: float = 0.0

    @classmethod
    def of(cls, kit: Kit) -> Tool:
        """The tool that a kit's instruments make together."""
        radius = kit.drill.diameter_mm / 2.0
        half_tip = np.radians(kit.drill.tip_angle_deg or 180.0) / 2.0
        setbacks: dict[End, float] = {"flat": 0.0, "cone": float(radius / np.tan(half_tip)), "ball": radius}
        return cls(
            radius_mm=radius,
            end=kit.drill.end,
            setback_at_rim_mm=setbacks[kit.drill.end],
            reamer_radius_mm=kit.reamer.radius_mm if kit.reamer else 0.0,
            reamer_length_mm=kit.reamer.cutting_length_mm if kit.reamer else 0.0,
            curette_reach_mm=kit.curette.reach_mm if kit.curette else 0.0,
        )

    @property
    def widest_mm(self) -> float:
        """The largest radius that is swept."""
        return max(self.radius_mm, self.reamer_radius_mm)

    @property
    def end_length_mm(self) -> float:
        """From the furthest point to where nothing but the shaft is left."""
        return self.setback_at_rim_mm + self.reamer_length_mm

    @property
    def outline_mm(self) -> FloatArray:
        """The rings (K, 2) that bound the tool's end: setback behind the furthest point and radius, from the axis
        outwards, then back along the reamer.

        They hold every outermost point of a flat end, a cone and a reamer, so that nothing of these is nearer to a
        convex surface around them than a ring is; a ball bulges 3.4 % of its radius beyond its rings.
        """
        r, back = self.radius_mm, self.setback_at_rim_mm
        turn = np.radians(BALL_DEG)
        ends: dict[End, list[tuple[float, float]]] = {
            "flat": [(0.0, 0.0), (0.0, r / 2.0), (0.0, r)],
            "cone": [(0.0, 0.0), (back / 2.0, r / 2.0), (back, r)],
            "ball": list(zip(r * (1.0 - np.cos(turn)), r * np.sin(turn), strict=True)),
        }
        rings = ends[self.end]
        if self.reamer_radius_mm:
            wide, length = self.reamer_radius_mm, self.reamer_length_mm
            rings += [(back, (r + wide) / 2.0), (back, wide), (back + length / 2.0, wide), (back + length, wide)]
        return np.array(rings)

    def setback_mm(self, beside_mm: npt.ArrayLike) -> FloatArray:
        """How far behind the furthest point the tool begins at these distances (...) from its axis; infinity beyond
        the swept radius.
        """
        beside = np.asarray(beside_mm, dtype=np.float64)
        beyond_shaft = np.where(beside <= self.widest_mm, self.setback_at_rim_mm, np.inf)
        return np.where(beside <= self.radius_mm, self._end_setback_mm(beside), beyond_shaft)

    def swept(self, along_from_target_mm: npt.ArrayLike, beside_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether points are swept that lie so far along the axis from the furthest point (negative before it) and so
        far beside it (...). The shaft has no other end: where the tunnel begins is the caller's to say.
        """
        depth, beside = -np.asarray(along_from_target_mm, dtype=np.float64), np.asarray(beside_mm, dtype=np.float64)
        in_reach = (beside <= self.radius_mm) | (depth <= self.end_length_mm)
        return np.asarray(in_reach & (depth >= self.setback_mm(beside)))

    def outside_mm(self, along_from_target_mm: npt.ArrayLike, beside_mm: npt.ArrayLike) -> FloatArray:
        """How far points (N,) that are not swept, placed as for `swept`, lie from what is."""
        depth, beside = -np.asarray(along_from_target_mm, dtype=np.float64), np.asarray(beside_mm, dtype=np.float64)
        # the outside alone, as far back as any point: the last two corners run down the axis
        outside = _profile(self, max(float(depth.max(initial=0.0)), self.end_length_mm) + 1.0)[:-1]
        start, way = outside[:-1], np.diff(outside, axis=0)
        to_point = np.stack([beside, depth], axis=-1)[:, None] - start
        length2 = np.maximum((way**2).sum(axis=-1), np.finfo(np.float64).tiny)  # corners of a flat end coincide
        share = np.clip((to_point * way).sum(axis=-1) / length2, 0.0, 1.0)
        return np.asarray(np.linalg.norm(to_point - share[..., None] * way, axis=-1).min(axis=1))

    def _end_setback_mm(self, beside_mm: FloatArray) -> FloatArray:
        """The end's own shape (...), for distances within the drill's radius."""
        if self.end == "ball":
            return np.asarray(self.radius_mm - np.sqrt(np.maximum(self.radius_mm**2 - beside_mm**2, 0.0)))
        return np.asarray(beside_mm / self.radius_mm * self.setback_at_rim_mm)


def tool_solid(tool: Tool, entry_mm: FloatArray, target_mm: FloatArray, back_mm: float) -> Any:
    """What the tool sweeps as a manifold in LPS mm: from `back_mm` before the entry (3,) to its furthest point, the
    target (3,). ValueError where that is shorter than the tool's end.

    A round of 120 sides with the area of the circle: cylinders and cones have their exact volume, a half ball 0.03 %
    too little. The corners stand out by 0.023 % of the radius, the middles of the sides lie 0.011 % inside.
    """
    import manifold3d

    axis = unit(target_mm - entry_mm)
    length = float(np.linalg.norm(target_mm - entry_mm)) + back_mm
    if length <= tool.end_length_mm:
        raise ValueError(
            f"expected a tunnel longer than the tool's end of {shown(tool.end_length_mm, 1)} mm, found "
            f"{shown_beside(length, tool.end_length_mm, 1)} mm"
        )
    profile = _profile(tool, length) * [np.sqrt(2.0 * np.pi / SEGMENTS / np.sin(2.0 * np.pi / SEGMENTS)), 1.0]
    solid = manifold3d.Manifold.revolve(manifold3d.CrossSection([profile]), SEGMENTS)
    first, second = perpendicular_pair(-axis)
    placed = RigidTransform.to_frame(target_mm, np.stack([first, second, -axis]), LPS, "tool").inverse()
    return solid.transform(placed.matrix()[:3])


def _profile(tool: Tool, length_mm: float) -> FloatArray:
    """Radius and setback (K, 2) of the polygon that is turned round the axis: up along the tool's outside, then down
    the axis.
    """
    turn, r = np.radians(FINE_BALL_DEG), tool.radius_mm
    end = [(0.0, 0.0), (r, tool.setback_at_rim_mm)]
    if tool.end == "ball":
        end = list(zip(r * np.sin(turn), r * (1.0 - np.cos(turn)), strict=True))
    reamer = [(tool.reamer_radius_mm, tool.setback_at_rim_mm), (tool.reamer_radius_mm, tool.end_length_mm)]
    behind = [*reamer, (r, tool.end_length_mm)] if tool.reamer_radius_mm else []
    return np.array([*end, *behind, (r, length_mm), (0.0, length_mm)])

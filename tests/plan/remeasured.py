"""A tunnel measured again by brute force: dense random points on the bone, none of the planner's own measures."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import FloatArray, across, angle_deg, perpendicular_pair, unit
from guidegen.plan.rules import TABLE
from guidegen.plan.templates import Kit
from guidegen.plan.tunnel import TOOL_OUTSIDE_MM, Tunnel
from guidegen.surfaces import Surface

SAMPLES_PER_MM2 = 8.0  # 0.35 mm apart: at 3 mm and more they lie 0.005 mm further away than the surface itself
NEAR_MM = 38.0  # of the way from the lateral cortex to the head: no further surface is the nearest
NOTHING_MM = 1e9


class Brute:
    """Dense random points on a bone, those of them where its vessels enter, and their normals."""

    def __init__(self, surface: Surface, anatomy: Anatomy) -> None:
        rng = np.random.default_rng(0)
        from_lateral = off_line(surface.face_centers_mm, anatomy.vastus_ridge_mm, anatomy.head_center_mm)
        near = np.flatnonzero(from_lateral < NEAR_MM)
        count = rng.poisson(surface.face_areas_mm2[near] * SAMPLES_PER_MM2)
        a, b, c = (np.repeat(surface.vertices[surface.faces[near, k]], count, axis=0) for k in range(3))
        u, v = rng.random((2, len(a), 1))
        folded = u + v > 1.0
        u, v = np.where(folded, 1.0 - u, u), np.where(folded, 1.0 - v, v)
        self.points = a + u * (b - a) + v * (c - a)
        self.normals = np.repeat(surface.face_normals[near], count, axis=0)
        self.vessels = self.points[vessel_area(anatomy, self.points)]

    def normal(self, point: FloatArray, reach_mm: float = 5.0) -> FloatArray:
        return unit(self.normals[np.linalg.norm(self.points - point, axis=1) < reach_mm].sum(axis=0))


_made = cache(Brute)


def brute_of(case: Any) -> Brute:
    """The one for a case's bone."""
    return _made(case.bone, case.anatomy)


def off_line(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """Distance (K,) to a line of finite length."""
    axis, length = unit(end - start), float(np.linalg.norm(end - start))
    along = np.clip((points - start) @ axis, 0.0, length)
    return np.asarray(np.linalg.norm(points - start - along[:, None] * axis, axis=1))


def vessel_area(anatomy: Any, points: FloatArray) -> Any:
    """The neck's back and top (9 to 12:30 with the back at 9), from 0.5 mm off the head's sphere to 15 mm below it."""
    from_head = points - anatomy.head_center_mm
    along = from_head @ anatomy.neck_axis
    front = np.cross(anatomy.shaft_axis, anatomy.neck_axis)
    back = unit(front if front @ anatomy.posterior > 0.0 else -front)
    top = unit(across(anatomy.shaft_axis, anatomy.neck_axis))
    about = points - anatomy.neck_isthmus_center_mm
    hour_deg = np.degrees(np.arctan2(about @ top, about @ back))
    in_length = (np.linalg.norm(from_head, axis=1) > anatomy.head_radius_mm + 0.5) & (
        along > -anatomy.head_radius_mm - 15.0
    )
    return in_length & (along < 0.0) & (hour_deg >= 0.0) & (hour_deg <= 105.0)


def ring(axis: FloatArray, count: int = 90) -> FloatArray:
    first, second = perpendicular_pair(axis)
    turn = np.arange(count) * 2.0 * np.pi / count
    return np.asarray(np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second)


def end_setback_mm(kit: Kit) -> float:
    """How far behind its furthest point the drill has its full radius."""
    if kit.drill.end == "flat":
        return 0.0
    radius = kit.drill.diameter_mm / 2.0
    return radius / np.tan(np.radians(kit.drill.tip_angle_deg) / 2.0) if kit.drill.end == "cone" else radius


def end_disc(tunnel: Tunnel, setback_mm: float = 0.0) -> FloatArray:
    """Points all over the tool's flat or conical end, its furthest point first."""
    shares = np.linspace(0.0, 1.0, 9)
    places = [
        tunnel.target_mm - share * setback_mm * tunnel.axis + share * tunnel.diameter_mm / 2.0 * ring(tunnel.axis)
        for share in shares
    ]
    return np.concatenate(places)


def from_entry(points: FloatArray, tunnel: Tunnel) -> tuple[FloatArray, FloatArray]:
    """How far (K,) along the axis and beside it the points (K, 3) lie."""
    along = (points - tunnel.entry_mm) @ tunnel.axis
    return along, np.linalg.norm(points - tunnel.entry_mm - along[:, None] * tunnel.axis, axis=1)


def to_end_mm(points: FloatArray, tunnel: Tunnel, setback_mm: float) -> FloatArray:
    """Distance (K,) to the outline of the end: in the half plane through the axis, to the line from tip to rim."""
    along, beside = from_entry(points, tunnel)
    rim = np.array([-setback_mm, tunnel.diameter_mm / 2.0])
    place = np.stack([along - tunnel.length_mm, beside], axis=1)
    share = np.clip(place @ rim / (rim @ rim), 0.0, 1.0)
    return np.asarray(np.linalg.norm(place - share[:, None] * rim, axis=1))


def into_head_mm(case: Any, tunnel: Tunnel, zone_mm: float) -> float:
    """Where past the entry zone the axis first lies in the head's sphere; its end where it does not."""
    way = np.append(np.arange(zone_mm, tunnel.length_mm, 0.01), tunnel.length_mm)
    from_center = np.linalg.norm(tunnel.entry_mm + way[:, None] * tunnel.axis - case.anatomy.head_center_mm, axis=1)
    return float(way[np.append(from_center <= case.anatomy.head_radius_mm, True).argmax()])


def wall_mm(case: Any, tunnel: Tunnel, zone_mm: float) -> float:
    """Least distance from the tunnel's wall to the surface, past the entry and up to the sphere of the head."""
    last = into_head_mm(case, tunnel, zone_mm)
    ends = [tunnel.entry_mm + way * tunnel.axis for way in (zone_mm, last)]
    assert case.bone.contains(np.linspace(*ends, 50)).all()
    return float(off_line(brute_of(case).points, *ends).min() - tunnel.diameter_mm / 2.0)


def side_mm(case: Any, tunnel: Tunnel, zone_mm: float, setback_mm: float) -> float:
    """Least distance from the tool's side in the head, behind its end, to the surface; a lot where there is none."""
    first, last = into_head_mm(case, tunnel, zone_mm), tunnel.length_mm - setback_mm
    if first >= last:
        return NOTHING_MM
    along, beside = from_entry(brute_of(case).points, tunnel)
    past = np.maximum(0.0, np.maximum(first - along, along - last))
    return float(np.hypot(past, beside - tunnel.diameter_mm / 2.0).min())


def reached_share(points: FloatArray, tunnel: Tunnel, setback_mm: float) -> float:
    """The share of the points in a cylinder with a flat or conical end."""
    along, beside = from_entry(points, tunnel)
    radius = tunnel.diameter_mm / 2.0
    return float(((beside <= radius) & (along <= tunnel.length_mm - beside / radius * setback_mm)).mean())


def off_middle(case: Any, entry_mm: FloatArray) -> float:
    """The entry's place between back (-1) and front (+1) at its level, from the cut itself."""
    anatomy, points = case.anatomy, brute_of(case).points
    up, back = anatomy.shaft_axis, anatomy.posterior
    on_axis = anatomy.shaft_point_mm + (entry_mm - anatomy.shaft_point_mm) @ up * up
    level = np.abs((points - on_axis) @ up) < 0.5
    cut = (points - on_axis)[level & (np.abs((points - on_axis) @ anatomy.lateral) < 0.5)] @ back
    middle, half = (cut.max() + cut.min()) / 2.0, (cut.max() - cut.min()) / 2.0
    return float((middle - (entry_mm - on_axis) @ back) / half)


def to_keep_out_mm(case: Any, tunnel: Tunnel) -> float:
    """Least distance from points all over the drill, from where it is outside the bone, to what is kept out."""
    first, second = perpendicular_pair(tunnel.axis)
    way = np.append(np.arange(-TOOL_OUTSIDE_MM, tunnel.length_mm, 0.5), tunnel.length_mm)
    turn = np.arange(32) * 2.0 * np.pi / 32
    around = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    mantle = tunnel.entry_mm + way[:, None, None] * tunnel.axis + tunnel.diameter_mm / 2.0 * around
    return float(case.keep_out.distance_mm(np.concatenate([mantle.reshape(-1, 3), tunnel.target_mm[None]])).min())


@cache
def remeasured(case: Any, kit: Kit, tunnel: Tunnel) -> dict[str, float]:
    """What the rules and the record ask of a tunnel, by the names of its fields."""
    brute, anatomy, zone = brute_of(case), case.anatomy, case.rules.entry_zone_mm
    setback = end_setback_mm(kit)
    assert case.bone.contains(end_disc(tunnel, setback)).all()
    end = float(to_end_mm(brute.points, tunnel, setback).min())
    past_zone, up = tunnel.entry_mm + zone * tunnel.axis, anatomy.shaft_axis
    return {
        "wall_min_mm": wall_mm(case, tunnel, zone),
        "vessel_wall_mm": float(off_line(brute.vessels, past_zone, tunnel.target_mm).min() - tunnel.diameter_mm / 2.0),
        "subchondral_mm": end,
        "subchondral_axis_mm": float(np.linalg.norm(brute.points - tunnel.target_mm, axis=1).min()),
        "tool_to_joint_mm": min(end, side_mm(case, tunnel, zone, setback)),
        "shaft_angle_deg": angle_deg(tunnel.axis, -up),
        "obliquity_deg": angle_deg(-tunnel.axis, brute.normal(tunnel.entry_mm)),
        "off_middle": off_middle(case, tunnel.entry_mm),
        "above_lesser_mm": float((tunnel.entry_mm - anatomy.lesser_trochanter_mm) @ up),
        "below_ridge_mm": float((anatomy.vastus_ridge_mm - tunnel.entry_mm) @ up),
        "lesion_reached_fraction": reached_share(case.lesion.points_mm, tunnel, setback),
        "lesion_missed_mm": 0.0,  # of a tunnel that is found, not ordered
        "centroid_distance_mm": float(np.linalg.norm(across(case.lesion.centroid_mm - tunnel.entry_mm, tunnel.axis))),
    }


NEAR = {
    "vessel_wall_mm": 0.6,  # the planner takes whole triangles into the area, by their middles
    "obliquity_deg": 4.0,  # the samples within 5 mm are not quite the faces whose middles are
    "off_middle": 0.05,
    "lesion_reached_fraction": 1e-3,
    "lesion_missed_mm": 0.0,
    "shaft_angle_deg": 1e-6,
    "above_lesser_mm": 1e-9,
    "below_ridge_mm": 1e-9,
    "centroid_distance_mm": 1e-9,
}
NEAR_DISTANCE_MM = 0.05


def assert_as_measured(case: Any, kit: Kit, tunnel: Tunnel) -> None:
    """What the planner says of a tunnel is so."""
    for name, value in remeasured(case, kit, tunnel).items():
        assert abs(getattr(tunnel, name) - value) <= NEAR.get(name, NEAR_DISTANCE_MM), (name, value, tunnel)
    if case.keep_out.structures:
        assert abs(tunnel.keep_out_mm - to_keep_out_mm(case, tunnel)) <= NEAR_DISTANCE_MM
    else:
        assert tunnel.keep_out_mm is None


def assert_lawful(case: Any, kit: Kit, tunnel: Tunnel) -> None:
    """A tunnel that keeps every rule on measures that are not the planner's; the samples make distances no smaller."""
    found = remeasured(case, kit, tunnel)
    found |= {
        "off_middle_away": abs(tunnel.off_middle),
        "obliquity_deg": tunnel.obliquity_deg,
        "drill_spare_mm": kit.drill.length_mm - tunnel.depth_reading_mm,
        "keep_out_mm": to_keep_out_mm(case, tunnel) if case.keep_out.structures else np.inf,
    }
    for rule in TABLE:
        limit = getattr(case.rules, rule.limit) if rule.limit else 0.0
        measured = found[rule.measure]
        assert (measured >= limit - 1e-6) if rule.at_least else (measured <= limit + 1e-6), (rule.name, measured)
    assert tunnel.sleeve_offset_mm in kit.sleeve_offsets_mm
    assert abs(tunnel.depth_reading_mm - tunnel.sleeve_offset_mm - tunnel.length_mm) < 1e-9
    assert tunnel.drill_spare_mm == kit.drill.length_mm - tunnel.sleeve_offset_mm - tunnel.length_mm

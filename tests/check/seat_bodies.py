"""Bones and guides whose seats are known: a corner, a ball with ridges, half a cylinder, a flat face.

Each is drawn in axes of its own and put where a scanner found it, in float64: nothing is lost on the way to a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import manifold3d as m3
import numpy as np

from guidegen.check.asked import Asked, read_plan
from guidegen.frames import LPS, FloatArray, RigidTransform, perpendicular_pair, rotation_about, unit
from guidegen.surfaces import Surface

CLEARANCE = 0.3
PLACE = RigidTransform(rotation_about([1.0, 2.0, 3.0], 25.0), np.array([-180.0, 310.0, -640.0]), "body", LPS)
ELSEWHERE = RigidTransform(rotation_about([-3.0, 1.0, 1.0], 130.0), np.array([90.0, -20.0, 33.0]), "body", LPS)
MIRROR = np.array([-1.0, 1.0, 1.0])
SLEEVE_MM, SLEEVE_RADIUS_MM, BORE_RADIUS_MM, BOSS_MM, HOLE_RADIUS_MM = 30.0, 7.0, 4.1, 12.0, 1.1
PLATE = {
    "build_mm": (145.0, 145.0, 185.0), "least_feature_mm": 0.4, "least_drain_mm": 1.5, "steepest_overhang_deg": 45.0,
    "slicer_profile": None,
}  # fmt: skip
EVEN_MM = 4.0  # long slivers make a search for the nearest face slow

Built = tuple[Asked, Surface, Surface]


def block(low: Sequence[float], high: Sequence[float]) -> m3.Manifold:
    return m3.Manifold.cube(list(np.subtract(high, low))).translate(list(low))


def rod(start: Sequence[float], end: Sequence[float], radius: float) -> m3.Manifold:
    way = np.subtract(end, start)
    frame = np.column_stack([*perpendicular_pair(way), unit(way), start])
    straight = m3.Manifold.cylinder(float(np.linalg.norm(way)), radius, radius, 64)
    return straight.refine_to_length(EVEN_MM).transform(frame)


METAL = {  # of a sleeve whose hole is 8 mm wide
    "inner_diameter_mm": 6.0, "outer_diameter_mm": 8.0, "length_mm": 36.0, "flange_diameter_mm": 12.0,
    "flange_height_mm": 2.0,
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """A bone, what the guide keeps off (the bone grown by the clearance) and the shell it is cut from; y is up the
    shaft. The drill goes from `entry` to `target`, the guide off along `off`; pins are (point, direction).
    """

    bone: m3.Manifold
    keeps_off: m3.Manifold
    shell: m3.Manifold
    entry: Sequence[float]
    target: Sequence[float]
    off: Sequence[float]
    bore_aside: float = 0.0
    pins: list[tuple[Sequence[float], Sequence[float]]] = field(default_factory=list)

    @property
    def axis(self) -> FloatArray:
        return unit(np.subtract(self.target, self.entry))

    @property
    def top(self) -> FloatArray:
        return self.entry - SLEEVE_MM * self.axis

    def guide(self) -> m3.Manifold:
        solid = self.shell + rod(self.entry + 6.0 * self.axis, self.top, SLEEVE_RADIUS_MM)
        for point, way in self.pins:
            solid += rod(point, np.subtract(point, BOSS_MM * unit(way)), 3.5)
        solid -= self.keeps_off
        aside = self.entry + self.bore_aside * perpendicular_pair(self.axis)[0]
        solid -= rod(aside - 60.0 * self.axis, aside + 20.0 * self.axis, BORE_RADIUS_MM)
        for point, way in self.pins:
            solid -= rod(np.subtract(point, 40.0 * unit(way)), np.add(point, 5.0 * unit(way)), HOLE_RADIUS_MM)
        return solid

    def built(self, place: RigidTransform = PLACE, mirror: bool = False, **more: Any) -> Built:
        """The plan and both surfaces where the scanner found them, or their mirror image; `more` of plan.json's guide,
        or its `printing`.
        """
        sign = MIRROR if mirror else np.ones(3)

        def surface(solid: m3.Manifold) -> Surface:
            mesh = solid.to_mesh64()
            faces = np.asarray(mesh.tri_verts).astype(np.int64)
            vertices = place.points(np.asarray(mesh.vert_properties)[:, :3]) * sign
            return Surface(vertices, faces[:, ::-1] if mirror else faces)

        plan = self._plan(place, sign)
        plan["side"] = "right" if mirror else "left"
        plan["printing"] = more.pop("printing", plan["printing"])
        plan["guide"] |= more
        return read_plan(plan), surface(self.bone), surface(self.guide())

    def _plan(self, place: RigidTransform, sign: FloatArray) -> dict[str, Any]:
        def at(point: Sequence[float]) -> list[float]:
            return [float(x) for x in place.points(point) * sign]

        def way(vector: Sequence[float]) -> list[float]:
            return [float(x) for x in place.vectors(unit(vector)) * sign]

        return {
            "schema": "guidegen.plan/1", "case_id": "body", "frame": "LPS", "unit": "mm",
            "version": "0.1.0",
            "anatomy": {
                "head_center_mm": at(self.target), "head_radius_mm": 20.0, "neck_axis": way(self.axis),
                "shaft_point_mm": at([0.0, -50.0, 0.0]), "shaft_axis": way([0.0, 1.0, 0.0]),
                "lesser_trochanter_mm": at(self.entry),
            },
            "lesion": {"centroid_mm": at(self.target)},
            "tunnels": [{
                "entry_mm": at(self.entry), "target_mm": at(self.target), "diameter_mm": 8.0,
                "length_mm": float(np.linalg.norm(np.subtract(self.target, self.entry))), "wall_min_mm": 5.0,
                "subchondral_mm": 5.0, "subchondral_axis_mm": 5.0, "centroid_distance_mm": 0.0,
                "lesion_reached_fraction": 1.0, "sleeve_offset_mm": SLEEVE_MM,
                "depth_reading_mm": SLEEVE_MM + float(np.linalg.norm(np.subtract(self.target, self.entry))),
            }],
            "guide": {
                "revision": "r001", "plan_hash": "1a2b3c4d", "genus": 1 + len(self.pins), "warnings": [],
                "soft_tissue": None,
                "removal_direction": way(self.off), "print_down": way(self.off), "clearance_mm": CLEARANCE,
                "periosteum_mm": 0.0, "surface_error_mm": 0.3,
                "stop_collar": {"bore_mm": 8.1, "height_mm": 10.0},
                "sleeves": [{"tunnel": 0, "kind": "printed", "inner_diameter_mm": 2.0 * BORE_RADIUS_MM,
                             "outer_diameter_mm": 2.0 * SLEEVE_RADIUS_MM, "drill_diameter_mm": 8.0,
                             "guided_length_mm": 25.0, "top_mm": at(self.top), "stop_face_mm": at(self.top),
                             "offset_mm": SLEEVE_MM, "chuck_diameter_mm": 30.0, "chuck_length_mm": 60.0}],
                "pins": [
                    {"point_mm": at(point), "direction": way(into), "hole_diameter_mm": 2.0 * HOLE_RADIUS_MM,
                     "wire_diameter_mm": 2.0, "guided_length_mm": 10.0, "wire_length_mm": 70.0, "cortices": 1,
                     "top_mm": at(np.subtract(point, BOSS_MM * unit(into)))}
                    for point, into in self.pins
                ],
                "windows": [], "arrows": [],
                "labels": [{
                    "lines": ["body"], "center_mm": at(self.top), "reading_direction": [1.0, 0.0, 0.0],
                    "up_direction": [0.0, 1.0, 0.0], "outward_direction": [0.0, 0.0, 1.0],
                    "width_mm": 1.0, "height_mm": 1.0, "text_height_mm": 1.0, "depth_mm": 0.5,
                }],
            },
            "printing": {"process": "casting", "material": "plaster", **PLATE},
            "limits": {"wall_min_mm": 3.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0,
                       "guided_length_mm": 20.0, "contact_area_mm2": 100.0},
        }  # fmt: skip


def corner() -> Body:
    """The corner of a box with rounded edges, held by three flat walls; nothing of the guide is near the edges."""
    gap, radius, near, far = CLEARANCE, 6.0, -6.0, -54.0
    centers = [(x, y, z) for x in (far, near) for y in (far, near) for z in (far, near)]
    bone = m3.Manifold.batch_hull([m3.Manifold.sphere(radius, 48).translate(list(center)) for center in centers])
    edges = [rod(-90.0 * along, 10.0 * along, 10.0) for along in np.eye(3)]
    keeps_off = m3.Manifold.batch_boolean([block([-80.0] * 3, [gap] * 3), *edges], m3.OpType.Add)
    shell = block([-32.0] * 3, [4.0 + gap] * 3)
    return Body(
        bone.refine_to_length(EVEN_MM), keeps_off, shell, [-21.0, -21.0, 0.0], [-40.0, -35.0, -50.0], [1.0, 1.0, 1.0]
    )


def ridged_ball() -> Body:
    """A ball with a cross of gentle ridges: nothing of it is flat, and it fits in one place."""

    def grown(by: float) -> m3.Manifold:
        ridges = rod([-45, 0, 15], [45, 0, 15], 12 + by) + rod([0, -45, 16], [0, 45, 16], 11 + by)
        return m3.Manifold.sphere(25.0 + by, 64) + ridges

    shell = block([-20.0, -20.0, 21.0], [20.0, 20.0, 32.0])
    return Body(
        grown(0.0).refine_to_length(EVEN_MM), grown(CLEARANCE), shell, [4, 6, 26], [10, 20, -50], [0.0, 0.0, 1.0]
    )


def half_cylinder() -> Body:
    """A shaft, and a shell round half of it: it slides along and rolls about."""
    keeps_off = rod([0, -60, 0], [0, 60, 0], 15.0 + CLEARANCE)
    shell = rod([0, -25, 0], [0, 25, 0], 19.0) ^ block([-30.0, -30.0, 1.0], [30.0, 30.0, 30.0])
    return Body(rod([0, -60, 0], [0, 60, 0], 15.0), keeps_off, shell, [0, 0, 15.0], [0, 45.0, -30.0], [0, 0, 1.0])


def flat(target: Sequence[float] = (0.0, 0.0, -60.0), **more: Any) -> Body:
    """A plate on a flat face."""
    bone = block([-60.0, -60.0, -30.0], [60.0, 60.0, 0.0]).refine_to_length(EVEN_MM)
    keeps_off = block([-80.0, -80.0, -30.0], [80.0, 80.0, CLEARANCE])
    shell = block([-20.0, -20.0, 0.0], [20.0, 20.0, 4.0])
    return Body(bone, keeps_off, shell, [0.0, 0.0, 0.0], target, [0.0, 0.0, 1.0], **more)

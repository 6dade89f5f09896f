"""A hip and a guide made of boxes, cylinders and balls, so that every finding has a closed form.

Built lying straight (lateral is +x, posterior +y, up +z: a left femur), then turned and moved to where a hip
lies in a scanner, and rounded to float32 as an STL rounds it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cadquery as cq
import manifold3d as m3
import matplotlib
import numpy as np
import pytest

from guidegen.check.asked import Asked, read_plan
from guidegen.check.files import merged
from guidegen.frames import LPS, FloatArray, RigidTransform, perpendicular_pair, rotation_about, unit
from guidegen.surfaces import Surface
from guidegen.threemf import print_orientation

FACETS = 96
ENTRY, TARGET, HEAD = np.array([15.0, 0.0, 0.0]), np.array([-53.0, 0.0, 51.0]), np.array([-45.0, 0.0, 45.0])
AXIS = np.array([-0.8, 0.0, 0.6])
TOP = ENTRY - 34.0 * AXIS
CLEARANCE = 0.3
PIN_DEG = 8.0
PIN_DIRECTIONS = [np.array([-np.cos(np.radians(PIN_DEG)), s * np.sin(np.radians(PIN_DEG)), 0.0]) for s in (1.0, -1.0)]
PIN_POINTS = [np.array([15.0, s * 8.0, 17.0]) for s in (1.0, -1.0)]
FAR_EXIT = 1.5
WINDOWS = [("window", np.array([15.0, 8.5, 8.5]), 2.0), ("probe", np.array([15.0, -8.5, 8.5]), 1.6)]
ARROWS = {  # of the plate in x = 20, where lateral is towards the eye: tail and tip
    "PROX": (np.array([20.0, 0.0, 7.5]), np.array([20.0, 0.0, 16.5])),
    "ANT": (np.array([20.0, 4.0, 23.0]), np.array([20.0, -4.0, 23.0])),
}
JAWS = [np.array([17.65, y, 27.0]) for y in (-10.0, 10.0)]
POINTER_TIP = np.array([15.0 + CLEARANCE, 0.0, 33.0])
MARK = [ENTRY - along * AXIS + 7.1 * np.array([0.6, 0.0, 0.8]) for along in (28.0, 14.0)]
MARKS = ("r001", "1a2b3c4d", "8 119")
PLACE = RigidTransform(rotation_about([1.0, 2.0, 3.0], 25.0), np.array([-180.0, 310.0, -640.0]), "bench", LPS)
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"


def rod(start: FloatArray, end: FloatArray, radius: float) -> m3.Manifold:
    axis = unit(end - start)
    frame = np.column_stack([*perpendicular_pair(axis), axis, start])
    return m3.Manifold.cylinder(float(np.linalg.norm(end - start)), radius, radius, FACETS).transform(frame)


def block(low: list[float], high: list[float]) -> m3.Manifold:
    return m3.Manifold.cube(list(np.subtract(high, low))).translate(low)


def ball(center: FloatArray, radius: float) -> m3.Manifold:
    return m3.Manifold.sphere(radius, 128).translate(list(center))


def placed(solid: m3.Manifold) -> Surface:
    """The solid where the scanner found it, as it comes back from an STL."""
    mesh = solid.as_original().simplify(0.001).to_mesh64()
    vertices = PLACE.points(np.asarray(mesh.vert_properties)[:, :3])
    return merged(vertices.astype(np.float32)[np.asarray(mesh.tri_verts).ravel()])


@cache
def letters(lines: tuple[str, ...], depth_mm: float, mirrored: bool, up: float, size_mm: float) -> m3.Manifold:
    """The engraving to take away from the plate in x = 20, read from +x with z up, its middle at z = `up`."""
    cut = m3.Manifold()
    for row, line in enumerate(lines):
        text = cq.Workplane("XY").text(line, size_mm, depth_mm + 1.0, fontPath=str(FONT), combine=False)
        height = ((len(lines) - 1) / 2.0 - row) * 1.4 * size_mm
        for glyph in text.val().Solids():  # one by one: neighbours such as _ and j overlap
            vertices, faces = glyph.tessellate(0.03, 0.3)
            mesh = m3.Mesh64(np.array([v.toTuple() for v in vertices]), np.array(faces, dtype=np.uint64))
            mesh.merge()
            cut += m3.Manifold(mesh).translate([0.0, height, -depth_mm])
    if mirrored:
        cut = cut.mirror([1.0, 0.0, 0.0])
    return cut.transform(np.array([[0.0, 0.0, 1.0, 20.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, up]]))


def drawn_arrow(tail: FloatArray, tip: FloatArray, depth_mm: float = 0.6) -> m3.Manifold:
    """The arrow to take away from the plate in x = 20: a line 1 mm wide, and a head of 3 mm."""
    way = tip - tail
    length, along = float(np.linalg.norm(way)), unit(way)
    outline = [[0, -0.5], [length - 3, -0.5], [length - 3, -1.5], [length, 0], [length - 3, 1.5], [length - 3, 0.5]]
    shape = m3.CrossSection([[*outline, [0, 0.5]]]).extrude(depth_mm + 1.0)
    out = np.array([1.0, 0.0, 0.0])
    return shape.transform(np.column_stack([along, np.cross(out, along), out, tail - depth_mm * out]))


def through_bone() -> float:
    """How far along the second wire the bone reaches: it leaves the shaft inside the neck, a cylinder of 14 mm."""
    start = PIN_POINTS[1] - np.array([3.0, 0.0, 9.0])
    across_start, across_way = (vector - (vector @ AXIS) * AXIS for vector in (start, PIN_DIRECTIONS[1]))
    return float(
        max(np.roots([across_way @ across_way, 2.0 * across_start @ across_way, across_start @ across_start - 14.0**2]))
    )


def bone_solid() -> m3.Manifold:
    shaft = block([-15.0, -15.0, -60.0], [15.0, 15.0, 35.0])
    neck = rod(np.array([3.0, 0.0, 9.0]), HEAD, 14.0)
    return shaft + neck + ball(HEAD, 24.0) + ball(np.array([-5.0, 15.0, -15.0]), 7.0)


def guide_solid(
    bore_shift: float = 0.0,
    bore_tilt_deg: float = 0.0,
    bore_diameter: float = 8.2,
    pin_shift: float = 0.0,
    lines: tuple[str, ...] = ("case-1", "LEFT"),
    marks: tuple[str, ...] = MARKS,
    text_depth: float = 0.6,
    mirrored: bool = False,
    arrows: dict[str, tuple[FloatArray, FloatArray]] = ARROWS,
    add: m3.Manifold | None = None,
    cut: m3.Manifold | None = None,
) -> m3.Manifold:
    """Plate, sleeve, two bosses, a bar for the calliper and a pointer on the lateral face; what is asked for is put
    wrong, `add` and `cut` come last.
    """
    outside = block([15.0 + CLEARANCE, -50.0, -70.0], [80.0, 50.0, 70.0])
    solid = block([15.0, -12.0, -45.0], [20.0, 12.0, 25.0]) + rod(ENTRY + 8.0 * AXIS, TOP, 7.1)
    solid += block([15.0, -10.0, 25.0], [20.0, 10.0, 29.0]) + block([15.0, -1.5, 29.0], [18.0, 1.5, 33.0])
    for point, direction in zip(PIN_POINTS, PIN_DIRECTIONS, strict=True):
        solid += rod(point + 3.0 * direction, point - 12.0 * direction, 3.5)
    solid = solid ^ outside
    aside = np.array([0.0, bore_shift, 0.0])
    axis = rotation_about([0.6, 0.0, 0.8], bore_tilt_deg) @ AXIS  # tilts towards y, about the entry
    solid -= rod(ENTRY + aside - 60.0 * axis, ENTRY + aside + 20.0 * axis, bore_diameter / 2.0)
    for point, direction in zip(PIN_POINTS, PIN_DIRECTIONS, strict=True):
        start = point + np.array([0.0, 0.0, pin_shift])
        solid -= rod(start - 40.0 * direction, start + 10.0 * direction, 1.1)
    for _, point, diameter in WINDOWS:
        solid -= rod(point, point + np.array([20.0, 0.0, 0.0]), diameter / 2.0)
    for text, up, size in ((lines, -22.5, 4.0), (marks, -38.0, 3.0)):
        if text:
            solid -= letters(text, text_depth, mirrored, up, size)
    for tail, tip in arrows.values():
        solid -= drawn_arrow(tail, tip)
    solid = solid if add is None else solid + add
    return solid if cut is None else solid - cut


def _plan() -> dict[str, Any]:
    def at(point: FloatArray) -> list[float]:
        return [float(x) for x in PLACE.points(point)]

    def way(vector: FloatArray | list[float]) -> list[float]:
        return [float(x) for x in PLACE.vectors(np.asarray(vector))]

    depths = [25.0, through_bone() + FAR_EXIT]
    pins = [
        {"point_mm": at(point), "direction": way(direction), "hole_diameter_mm": 2.2, "wire_diameter_mm": 2.0,
         "guided_length_mm": 11.0, "top_mm": at(point - 12.0 * direction), "boss_diameter_mm": 7.0,
         "wire_length_mm": 70.0, "reading_mm": depth + 12.0, "depth_mm": depth,
         "cortices": cortices, "far_exit_mm": far_exit}
        for point, direction, depth, cortices, far_exit in zip(
            PIN_POINTS, PIN_DIRECTIONS, depths, (1, 2), (None, FAR_EXIT), strict=True
        )
    ]  # fmt: skip
    labels = [
        {
            "lines": list(lines), "center_mm": at(np.array([20.0, 0.0, up])),
            "reading_direction": way([0.0, 1.0, 0.0]), "up_direction": way([0.0, 0.0, 1.0]),
            "outward_direction": way([1.0, 0.0, 0.0]), "width_mm": 23.0, "height_mm": 14.0,
            "text_height_mm": size, "depth_mm": 0.6,
        }
        for lines, up, size in ((("case-1", "LEFT"), -22.5, 4.0), (MARKS, -38.0, 3.0))
    ]  # fmt: skip
    return {
        "schema": "guidegen.plan/1", "case_id": "case-1", "side": "left", "frame": "LPS",
        "unit": "mm", "version": "0.1.0",
        "anatomy": {
            "head_center_mm": at(HEAD), "head_radius_mm": 24.0, "neck_axis": way(AXIS),
            "shaft_point_mm": at(np.array([0.0, 0.0, -30.0])), "shaft_axis": way([0.0, 0.0, 1.0]),
            "lesser_trochanter_mm": at(np.array([-5.0, 22.0, -15.0])),
            "vastus_ridge_mm": at(np.array([15.0, 0.0, 33.0])),
        },
        "lesion": {"centroid_mm": at(np.array([-45.0, 0.0, 45.0]))},
        "tunnels": [{
            "entry_mm": at(ENTRY), "target_mm": at(TARGET), "diameter_mm": 8.0, "length_mm": 85.0,
            "wall_min_mm": 10.0, "subchondral_mm": 24.0 - np.hypot(10.0, 4.0), "subchondral_axis_mm": 14.0,
            "centroid_distance_mm": 0.0, "sleeve_offset_mm": 34.0, "depth_reading_mm": 119.0,
            "lesion_reached_fraction": 1.0 - (1.0 - (4.0 / 6.0) ** 2) ** 1.5,
        }],
        "guide": {
            "revision": "r001", "plan_hash": "1a2b3c4d", "genus": 5, "warnings": [], "soft_tissue": None,
            "removal_direction": way([1.0, 0.0, 0.0]), "print_down": way([1.0, 0.0, 0.0]),
            "clearance_mm": CLEARANCE, "periosteum_mm": 0.0,
            "surface_error_mm": 0.3,
            "stop_collar": {"bore_mm": 8.1, "height_mm": 10.0},
            "sleeves": [{"tunnel": 0, "kind": "printed", "inner_diameter_mm": 8.2, "outer_diameter_mm": 14.2,
                         "drill_diameter_mm": 8.0, "guided_length_mm": 30.0, "top_mm": at(TOP),
                         "stop_face_mm": at(TOP), "offset_mm": 34.0, "metal": None,
                         "chuck_diameter_mm": 30.0, "chuck_length_mm": 60.0}],
            "pins": pins,
            "windows": [{"kind": kind, "point_mm": at(point), "direction": way([1.0, 0.0, 0.0]),
                         "diameter_mm": diameter} for kind, point, diameter in WINDOWS],
            "pointer": {"tip_mm": at(POINTER_TIP), "direction": way([1.0, 0.0, 0.0]), "landmark": "vastus ridge"},
            "axis_mark": {"start_mm": at(MARK[0]), "end_mm": at(MARK[1])},
            "calliper": {"points_mm": [at(jaw) for jaw in JAWS], "normal": way([0.0, 1.0, 0.0]), "distance_mm": 20.0},
            "labels": labels,
            "arrows": [{"text": text, "start_mm": at(tail), "end_mm": at(tip)} for text, (tail, tip) in ARROWS.items()],
        },
        "printing": {"printer": "sls", "process": "SLS", "material": "PA12",
                     "build_mm": [190.0, 240.0, 300.0], "least_feature_mm": 0.4, "least_drain_mm": 1.5,
                     "steepest_overhang_deg": 90.0, "slicer_profile": None},
        "limits": {"wall_min_mm": 3.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0,
                   "guided_length_mm": 20.0, "contact_area_mm2": 800.0, "centroid_distance_max_mm": 0.5},
    }  # fmt: skip


@dataclass(frozen=True)
class Hip:
    """The bone with its lesion, a good guide, and the plan that they keep."""

    bone: Surface
    guide: Surface
    lesion: Surface
    content: dict[str, Any]

    def plan(self, change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
        """The content of plan.json, changed by `change`."""
        content = copy.deepcopy(self.content)
        if change:
            change(content)
        return content

    def asked(self, change: Callable[[dict[str, Any]], None] | None = None) -> Asked:
        """What the checks take from that plan."""
        return read_plan(self.plan(change))

    @property
    def printed_mm(self) -> FloatArray:
        """The guide's triangles (M, 3, 3) as they lie in the printer."""
        turned = self.guide.transformed(print_orientation(self.guide, self.content["guide"]["removal_direction"]))
        return turned.vertices[turned.faces]

    @property
    def bench_axes(self) -> FloatArray:
        """The bench's x, y and z where the scanner found the hip, as rows (3, 3)."""
        return PLACE.vectors(np.eye(3))

    def wrong_guide(self, **wrong: Any) -> Surface:
        """A guide with one thing put wrong, see `guide_solid`."""
        return placed(guide_solid(**wrong))


@pytest.fixture(scope="session")
def hip() -> Hip:
    """The hip on the bench."""
    return Hip(placed(bone_solid()), placed(guide_solid()), placed(ball(HEAD, 6.0)), _plan())


@pytest.fixture(scope="session")
def bench() -> Any:
    """The tools the hip was made with."""

    class Bench:
        rod = staticmethod(rod)
        block = staticmethod(block)
        ball = staticmethod(ball)
        placed = staticmethod(placed)
        bone_solid = staticmethod(bone_solid)
        place = PLACE

    return Bench

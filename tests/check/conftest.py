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

FACETS = 96
ENTRY, TARGET, HEAD = np.array([15.0, 0.0, 0.0]), np.array([-53.0, 0.0, 51.0]), np.array([-45.0, 0.0, 45.0])
AXIS = np.array([-0.8, 0.0, 0.6])
TOP = ENTRY - 34.0 * AXIS
CLEARANCE = 0.3
PIN_DIRECTIONS = [np.array([-np.cos(np.radians(6)), s * np.sin(np.radians(6)), 0.0]) for s in (1.0, -1.0)]
PIN_POINTS = [np.array([15.0, s * 8.0, 17.0]) for s in (1.0, -1.0)]
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
def letters(lines: tuple[str, ...], depth_mm: float, mirrored: bool) -> m3.Manifold:
    """The engraving to take away from the plate in x = 20, read from +x with z up."""
    cut = m3.Manifold()
    for row, line in enumerate(lines):
        text = cq.Workplane("XY").text(line, 4.0, depth_mm + 1.0, fontPath=str(FONT), combine=False)
        height = ((len(lines) - 1) / 2.0 - row) * 5.6
        for glyph in text.val().Solids():  # one by one: neighbours such as _ and j overlap
            vertices, faces = glyph.tessellate(0.03, 0.3)
            mesh = m3.Mesh64(np.array([v.toTuple() for v in vertices]), np.array(faces, dtype=np.uint64))
            mesh.merge()
            cut += m3.Manifold(mesh).translate([0.0, height, -depth_mm])
    if mirrored:
        cut = cut.mirror([1.0, 0.0, 0.0])
    return cut.transform(np.array([[0.0, 0.0, 1.0, 20.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, -22.5]]))


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
    text_depth: float = 0.6,
    mirrored: bool = False,
    add: m3.Manifold | None = None,
    cut: m3.Manifold | None = None,
) -> m3.Manifold:
    """Plate, sleeve and two bosses on the lateral face; what is asked for is put wrong, `add` and `cut` come last."""
    outside = block([15.0 + CLEARANCE, -50.0, -70.0], [80.0, 50.0, 70.0])
    solid = block([15.0, -12.0, -30.0], [20.0, 12.0, 25.0]) + rod(ENTRY + 8.0 * AXIS, TOP, 7.1)
    for point, direction in zip(PIN_POINTS, PIN_DIRECTIONS, strict=True):
        solid += rod(point + 3.0 * direction, point - 12.0 * direction, 3.5)
    solid = solid ^ outside
    aside = np.array([0.0, bore_shift, 0.0])
    axis = rotation_about([0.6, 0.0, 0.8], bore_tilt_deg) @ AXIS  # tilts towards y, about the entry
    solid -= rod(ENTRY + aside - 60.0 * axis, ENTRY + aside + 20.0 * axis, bore_diameter / 2.0)
    for point, direction in zip(PIN_POINTS, PIN_DIRECTIONS, strict=True):
        start = point + np.array([0.0, 0.0, pin_shift])
        solid -= rod(start - 40.0 * direction, start + 10.0 * direction, 1.1)
    if lines:
        solid -= letters(lines, text_depth, mirrored)
    solid = solid if add is None else solid + add
    return solid if cut is None else solid - cut


def _plan() -> dict[str, Any]:
    def at(point: FloatArray) -> list[float]:
        return [float(x) for x in PLACE.points(point)]

    def way(vector: FloatArray | list[float]) -> list[float]:
        return [float(x) for x in PLACE.vectors(np.asarray(vector))]

    pins = [
        {"point_mm": at(point), "direction": way(direction), "hole_diameter_mm": 2.2, "wire_diameter_mm": 2.0,
         "guided_length_mm": 11.0, "top_mm": at(point - 12.0 * direction)}
        for point, direction in zip(PIN_POINTS, PIN_DIRECTIONS, strict=True)
    ]  # fmt: skip
    return {
        "schema": "guidegen.plan/1", "case_id": "case-1", "side": "left", "frame": "LPS", "unit": "mm",
        "anatomy": {
            "head_center_mm": at(HEAD), "head_radius_mm": 24.0, "neck_axis": way(AXIS),
            "shaft_point_mm": at(np.array([0.0, 0.0, -30.0])), "shaft_axis": way([0.0, 0.0, 1.0]),
            "lesser_trochanter_mm": at(np.array([-5.0, 22.0, -15.0])),
        },
        "lesion": {"centroid_mm": at(np.array([-45.0, 0.0, 45.0]))},
        "tunnels": [{
            "entry_mm": at(ENTRY), "target_mm": at(TARGET), "diameter_mm": 8.0, "length_mm": 85.0,
            "wall_min_mm": 10.0, "subchondral_mm": 24.0 - np.hypot(10.0, 4.0), "subchondral_axis_mm": 14.0,
            "centroid_distance_mm": 0.0,
        }],
        "guide": {
            "removal_direction": way([1.0, 0.0, 0.0]), "clearance_mm": CLEARANCE,
            "sleeves": [{"tunnel": 0, "inner_diameter_mm": 8.2, "drill_diameter_mm": 8.0,
                         "guided_length_mm": 30.0, "top_mm": at(TOP)}],
            "pins": pins,
            "label": {
                "lines": ["case-1", "LEFT"], "center_mm": at(np.array([20.0, 0.0, -22.5])),
                "reading_direction": way([0.0, 1.0, 0.0]), "up_direction": way([0.0, 0.0, 1.0]),
                "outward_direction": way([1.0, 0.0, 0.0]), "width_mm": 23.0, "height_mm": 14.0,
                "text_height_mm": 4.0, "depth_mm": 0.6,
            },
        },
        "limits": {"wall_min_mm": 3.0, "subchondral_axis_mm": 5.0, "subchondral_rim_mm": 3.0,
                   "guided_length_mm": 20.0, "contact_area_mm2": 800.0, "centroid_distance_max_mm": 0.5},
    }  # fmt: skip


@dataclass(frozen=True)
class Hip:
    """The bone, a good guide, and the plan that both keep."""

    bone: Surface
    guide: Surface
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

    def wrong_guide(self, **wrong: Any) -> Surface:
        """A guide with one thing put wrong, see `guide_solid`."""
        return placed(guide_solid(**wrong))


@pytest.fixture(scope="session")
def hip() -> Hip:
    """The hip on the bench."""
    return Hip(placed(bone_solid()), placed(guide_solid()), _plan())


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

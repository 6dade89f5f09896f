"""The picture of the ground: each zone in its colour where it lies, on the right side of the bone."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import manifold3d as m3
import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import unit
from guidegen.guide.solids import to_surface
from guidegen.keep_out import NOTHING
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.cells import Cells, cells_on
from guidegen.seat.footprint import Footprint
from guidegen.seat.ground import Ground
from guidegen.seat.zones import ABDUCTORS, INNER_SIDE, KEPT_OUT, OPEN, TUBEROSITY, Zones
from guidegen.show.canvas import SCENE_BOTTOM, SCENE_TOP, SHEET
from guidegen.show.pictures import TEAL
from guidegen.show.zones_view import GROUND, zones_picture
from guidegen.surfaces import Surface

RADIUS_MM = 15.0
PANEL = SHEET[0] // 3


def scene(right: bool) -> tuple[Surface, Anatomy, Zones, Cells]:
    """A shaft that stands upright, with its ridge 40 mm below the head centre; a right one's lateral is -x."""
    flip = np.array([-1.0 if right else 1.0, 1.0, 1.0])
    shaft = m3.Manifold.cylinder(190.0, RADIUS_MM, RADIUS_MM, 120).translate([0.0, 0.0, -170.0]).refine_to_length(2.0)
    bone = to_surface(shaft)
    anatomy = Anatomy(
        side="right" if right else "left", head_center_mm=np.array([-45.0, 0, 0]) * flip, head_radius_mm=24.0,
        neck_isthmus_center_mm=np.array([-22.0, 0, -20]) * flip, neck_axis=np.array([-0.8, 0, 0.6]) * flip,
        shaft_point_mm=np.array([0.0, 0, -100]), shaft_axis=np.array([0.0, 0, 1]),
        lesser_trochanter_mm=np.array([-15.0, 2, -60]) * flip, greater_trochanter_mm=np.array([5.0, 0, 20]) * flip,
        vastus_ridge_mm=np.array([15.0, 0, -40]) * flip, neck_shaft_angle_deg=127.0, head_rms_mm=0.2,
        shaft_is_short=False, intertrochanteric_line_mm=None,
    )  # fmt: skip
    margins = load_template(GuideTemplate, "lateral")[0].zones
    zones = Zones(
        np.zeros(3), anatomy.shaft_axis, anatomy.lateral, -anatomy.posterior, anatomy.vastus_ridge_mm, np.empty((0, 3)),
        -50.0, margins,
    )  # fmt: skip
    return bone, anatomy, zones, cells_on(Ground.of(bone, anatomy.shaft_axis, NOTHING, 3.0), zones)


def picture(right: bool, **changes: Any) -> tuple[bytes, np.ndarray]:
    from PIL import Image

    bone, anatomy, zones, cells = scene(right)
    covers = np.zeros(cells.closed.shape, dtype=np.bool_)
    covers[15:35, 8:20] = True  # 50 to 88 mm down, 20° behind to 35° in front
    footprint = Footprint(cells.levels_mm, cells.turns_deg, covers, zones)
    png = zones_picture("Z001", bone, anatomy, zones, replace(cells, **changes), footprint)
    return png, np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def left() -> tuple[bytes, np.ndarray]:
    return picture(False)


def zone_at(image: np.ndarray, panel: int, across: float, level_mm: float) -> int:
    """The zone whose hue is nearest at a place, -1 for the contact: `across` the shaft from -1 to 1, at a level.

    In view is the shaft from its top at 20 mm down to 5 mm below the cells, which end 126 mm below the head centre.
    """
    drawn = image[SCENE_TOP + 60 : SCENE_BOTTOM, panel * PANEL : (panel + 1) * PANEL].min(axis=2) < 235
    columns = np.flatnonzero(drawn.any(axis=0))
    half = (columns[-1] - columns[0]) / 2.0
    x = panel * PANEL + columns[0] + half * (1.0 + across)
    y = (SCENE_TOP + SCENE_BOTTOM) / 2.0 - (level_mm - (20.0 - 131.0) / 2.0) * half / RADIUS_MM
    found = unit(image[round(y), round(x)])
    hues = {-1: unit(TEAL)} | {zone: unit(colour) for zone, (_, colour) in GROUND.items()}
    return min(hues, key=lambda zone: float(np.linalg.norm(found - hues[zone])))


def test_each_zone_has_its_colour_from_each_side(left: tuple[bytes, np.ndarray]) -> None:
    _, image = left
    assert zone_at(image, 0, 0.0, -28.0) == ABDUCTORS
    assert zone_at(image, 0, 0.0, -65.0) == -1  # the contact
    assert zone_at(image, 0, 0.0, -105.0) == OPEN
    assert zone_at(image, 1, 0.5, -105.0) == OPEN  # a left femur's lateral is on the right, seen from the front
    assert zone_at(image, 2, -0.5, -105.0) == TUBEROSITY


def test_a_right_femur_is_mirrored() -> None:
    _, image = picture(True)
    assert zone_at(image, 1, -0.5, -105.0) == OPEN
    assert zone_at(image, 2, 0.5, -105.0) == TUBEROSITY
    assert zone_at(image, 2, 0.5, -28.0) == ABDUCTORS


def test_what_is_kept_out_shows_where_its_cells_are() -> None:
    cells = scene(False)[3]
    closed = cells.closed.copy()
    closed[np.ix_((cells.levels_mm < -95.0) & (cells.levels_mm > -115.0), np.abs(cells.turns_deg) < 40.0)] = KEPT_OUT
    _, image = picture(False, closed=closed)
    assert zone_at(image, 0, 0.0, -105.0) == KEPT_OUT
    assert zone_at(image, 0, 0.0, -65.0) == -1


def test_the_same_ground_gives_the_same_bytes(left: tuple[bytes, np.ndarray]) -> None:
    assert picture(False)[0] == left[0]


def test_every_zone_has_a_colour_of_its_own() -> None:
    assert sorted(GROUND) == list(range(8))
    assert len({colour for _, colour in GROUND.values()}) == 8
    assert GROUND[INNER_SIDE][1] != GROUND[OPEN][1]

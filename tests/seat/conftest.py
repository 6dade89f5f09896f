"""One made-up femur with all that a search for its seat rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy, find_anatomy
from guidegen.bone.surface import label_surface
from guidegen.keep_out import NOTHING
from guidegen.phantom import label_volume, make_hip
from guidegen.plan.templates import GuideTemplate, load_template
from guidegen.seat.cells import cells_on
from guidegen.seat.ground import Ground
from guidegen.seat.search import Search
from guidegen.seat.zones import Zones
from guidegen.surfaces import Surface

ROOM_MM, CLEARANCE_MM, KEEP_OUT_MM = 4.0, 0.3, 3.0


@pytest.fixture(scope="session")
def femur() -> tuple[Surface, Anatomy]:
    """The bone as read from a label map, and its landmarks."""
    labels = label_volume(make_hip("left"), (1.2, 1.2, 1.5), labels={"femur": 1})
    bone = label_surface(replace(labels, voxels=labels.voxels > 0)).surface
    return bone, find_anatomy(bone, "left")


@pytest.fixture(scope="session")
def search(femur: tuple[Surface, Anatomy]) -> Search:
    """The search for a tunnel along the neck to the middle of the head."""
    bone, anatomy = femur
    template = load_template(GuideTemplate, "lateral")[0]
    zones = Zones.of(bone, anatomy, template.zones)
    ground = Ground.of(bone, anatomy.shaft_axis, NOTHING, KEEP_OUT_MM)
    outside = anatomy.head_center_mm - 150.0 * anatomy.neck_axis
    way, _ = bone.ray_hits(outside[None], anatomy.neck_axis)
    return Search(
        ground=ground,
        zones=zones,
        cells=cells_on(ground, zones),
        entries_mm=(outside + float(way[0]) * anatomy.neck_axis)[None],
        tips_mm=anatomy.head_center_mm[None],
        axes=np.asarray(anatomy.neck_axis)[None],
        room_mm=ROOM_MM,
        clearance_mm=CLEARANCE_MM,
        steepest_deg=template.shell.largest_wrap_deg,
    )

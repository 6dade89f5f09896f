"""A guide beside what is kept out: nothing of it is near, it comes off past it, and the seat counts only what bears."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from bodies import block
from planned_hip import Planned

from guidegen.check.mesh import bodies
from guidegen.check.removal import deepest_on_way_mm
from guidegen.errors import NoSafeGuide
from guidegen.frames import FloatArray
from guidegen.guide.guide import Guide
from guidegen.guide.solids import to_surface
from guidegen.keep_out import KeepOut, Structure
from guidegen.plan.rules import Rules

KEPT_MM = Rules().keep_out_min_mm
PLATE = ([-12.0, -20.0], [-2.0, -10.0])  # in the free guide's frame: below the sleeve


def on_bone(planned: Planned, guide: Guide, low: list[float], high: list[float], proud_mm: float) -> KeepOut:
    """A box over a rectangle of the free guide's footprint, from 3 mm in the bone to `proud_mm` above it."""
    frame = guide.seat.frame
    local = planned.bone.surface.transformed(frame)
    spots = np.array([[x, y, 60.0] for x in (low[0], high[0]) for y in (low[1], high[1])])
    height = 60.0 - local.ray_hits(spots, np.array([0.0, 0.0, -1.0]))[0]
    box = block([*low, float(height.min()) - 3.0], [*high, float(height.max()) + proud_mm]).refine_to_length(0.8)
    return KeepOut((Structure("implant", to_surface(box).transformed(frame.inverse())),))


def near_mm(keep_out: KeepOut, guide: Guide) -> FloatArray:
    """How near the guide's corners and the middles of its faces come."""
    return keep_out.distance_mm(np.concatenate([guide.surface.vertices, guide.surface.face_centers_mm]))


@pytest.fixture(scope="module")
def plate(planned: Planned, guide: Guide) -> KeepOut:
    return on_bone(planned, guide, *PLATE, proud_mm=4.0)


@pytest.fixture(scope="module")
def over(build: Callable[..., Guide], planned: Planned, plate: KeepOut) -> Guide:
    return build("over", planned, plate)


def test_no_face_is_within_three_millimetres(guide: Guide, plate: KeepOut, over: Guide) -> None:
    assert near_mm(plate, over).min() >= KEPT_MM
    assert near_mm(plate, guide).min() < 0.0, "without knowing of it, the guide runs through it"


def test_it_comes_off_past_it(guide: Guide, plate: KeepOut, over: Guide) -> None:
    assert plate.surface is not None
    assert deepest_on_way_mm(plate.surface, over.surface.vertices, over.seat.removal_direction) == 0.0
    assert deepest_on_way_mm(over.surface, plate.surface.vertices, -over.seat.removal_direction) == 0.0
    assert deepest_on_way_mm(plate.surface, guide.surface.vertices, guide.seat.removal_direction) > 1.0


def test_it_is_a_whole_guide_off_the_bone(planned: Planned, over: Guide) -> None:
    assert bodies(over.surface) == 1
    away = planned.bone.surface.signed_distance_mm(over.surface.vertices)
    assert (away >= over.clearance_mm - 0.06).mean() > 0.998
    assert away.min() > over.clearance_mm / 2.0
    assert over.sleeves[0].guided_length_mm >= planned.template.sleeve.guided_length_mm
    assert over.sleeves[0].offset_mm in planned.kit.sleeve_offsets_mm


def test_its_wires_keep_away_too(plate: KeepOut, over: Guide) -> None:
    for pin in over.pins:
        places = pin.top_mm + np.arange(0.0, 60.0, 0.1)[:, None] * pin.direction
        depth = (places - pin.point_mm) @ pin.direction
        away = plate.distance_mm(places[depth <= pin.wire_depth_mm])
        assert away.min() - pin.wire_diameter_mm / 2.0 >= KEPT_MM


def test_its_seat_counts_only_what_bears(plate: KeepOut, over: Guide) -> None:
    """No cell within the distance that is kept, and less contact for it."""
    bearing = over.cells.points_mm[over.seat.footprint.covers & over.cells.open]
    assert plate.distance_mm(bearing).min() >= KEPT_MM


def test_where_hardly_any_bone_is_left_there_is_no_guide(planned: Planned, guide: Guide) -> None:
    slab = to_surface(block([-40.0, -60.0, -40.0], [40.0, 60.0, 10.0]).refine_to_length(1.5))
    metal = KeepOut((Structure("implant", slab.transformed(guide.seat.frame.inverse())),))
    with pytest.raises(NoSafeGuide, match=r"expected open bone .* kept out; choose another entry") as refusal:
        planned.guide(keep_out=metal)
    assert refusal.value.rule == "keep_out"

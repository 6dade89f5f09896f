"""The lift round the contact on a round shaft: what is lifted, by how much, and the wall that is left there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import cylinder, footprint_on, zones_on

from guidegen.check.wall import OPPOSITE_COSINE, largest_balls
from guidegen.guide.base import ShellShape, base_solid
from guidegen.guide.height_field import HeightField, grown, look_down
from guidegen.guide.rim import BALL_MM, BEHIND_MM, POINT_MM, Hole, lifted
from guidegen.guide.solids import to_surface
from guidegen.seat.footprint import Footprint
from guidegen.surfaces import Surface

RADIUS_MM, CLEARANCE_MM, WIDTH_MM, RELIEF_MM = 20.0, 0.36, 3.0, 2.4
LIFTED_MM = CLEARANCE_MM + RELIEF_MM - BEHIND_MM
HALF_MM, HALF_DEG = 15.0, 62.5
LOW, HIGH = np.array([-26.07, -26.03]), np.array([26.0, 26.0])


@pytest.fixture(scope="module")
def bone() -> Surface:
    return cylinder(RADIUS_MM, 120.0, 360)


@pytest.fixture(scope="module")
def footprint() -> Footprint:
    return footprint_on(zones_on(), HALF_MM, HALF_DEG)


@pytest.fixture(scope="module")
def bare(bone: Surface) -> HeightField:
    """The shaft grown by the clearance."""
    field = look_down(bone, LOW, HIGH)
    return grown(field, bone, CLEARANCE_MM, np.ones(field.height_mm.shape, dtype=np.bool_))


@pytest.fixture(scope="module")
def under(bare: HeightField, bone: Surface, footprint: Footprint) -> HeightField:
    return lifted(bare, bone, footprint, [], WIDTH_MM, CLEARANCE_MM, RELIEF_MM)


def off_bone_mm(field: HeightField, turn_deg: float, level_mm: float) -> float:
    """How far off the bone the field lies above a place on it, straight to the bone."""
    x = RADIUS_MM * np.sin(np.radians(turn_deg))
    return float(np.hypot(x, field.at(np.array([[x, level_mm]]))[0]) - RADIUS_MM)


def test_the_rim_stands_off_by_clearance_and_relief(under: HeightField) -> None:
    for level in (HALF_MM + BEHIND_MM + 1.2, HALF_MM + WIDTH_MM - 0.3):
        for turn in (0.0, -20.0):
            assert off_bone_mm(under, turn, level) == pytest.approx(LIFTED_MM, abs=0.12)


def test_the_contact_is_not_lifted(under: HeightField, bare: HeightField) -> None:
    """But for a strip along its edge, narrower than a ball and a step between points."""
    for level in (0.0, 7.0, HALF_MM - BALL_MM - POINT_MM / 2.0):
        for turn in (0.0, 25.0):
            assert off_bone_mm(under, turn, level) == pytest.approx(CLEARANCE_MM, abs=0.03)
    assert off_bone_mm(bare, 0.0, HALF_MM + 2.0) == pytest.approx(CLEARANCE_MM, abs=0.03)


def test_beyond_the_rim_the_field_is_as_it_was(under: HeightField, bare: HeightField) -> None:
    far = np.abs(bare.y_mm) > HALF_MM + WIDTH_MM + 4.0
    np.testing.assert_array_equal(under.height_mm[:, far], bare.height_mm[:, far])


def test_it_is_never_lower_than_before(under: HeightField, bare: HeightField) -> None:
    assert (under.height_mm >= bare.height_mm).all()


def test_without_a_relief_nothing_changes(bare: HeightField, bone: Surface, footprint: Footprint) -> None:
    assert lifted(bare, bone, footprint, [], WIDTH_MM, CLEARANCE_MM, 0.0) is bare


def test_nothing_beside_the_contact_touches_the_bone(under: HeightField, bone: Surface) -> None:
    """Whatever of the field is nearest to the rim's bone, on the steep flanks too, but for a strip where it begins."""
    x, y = np.meshgrid(under.x_mm, under.y_mm, indexing="ij")
    seen = (under.height_mm > under.floor_mm + 1.0) & (np.abs(y) < HALF_MM + WIDTH_MM)
    points = np.stack([x[seen], y[seen], under.height_mm[seen]], axis=1)
    away, _, nearest = bone.nearest(points)
    turn = np.abs(np.degrees(np.arctan2(nearest[:, 0], nearest[:, 2])))
    beside = np.maximum(RADIUS_MM * np.radians(turn - HALF_DEG), np.abs(nearest[:, 1]) - HALF_MM)
    rim = (beside > BEHIND_MM + 2.0 * BALL_MM) & (beside < WIDTH_MM)
    assert (rim & (turn > HALF_DEG)).sum() > 50
    assert away[rim].min() > LIFTED_MM - 0.3


@pytest.mark.parametrize("relief_mm", [1.6, RELIEF_MM])
def test_the_shell_keeps_its_wall_where_the_lift_begins(
    bare: HeightField, bone: Surface, footprint: Footprint, relief_mm: float
) -> None:
    """As drawn: 4 mm, and a rim that is full by so much more that 2 mm and something are left over the lift."""
    lift_mm = CLEARANCE_MM + relief_mm
    shape = ShellShape(CLEARANCE_MM + 4.0, WIDTH_MM, lift_mm, 2.0 + 1.1 - (4.0 - relief_mm))
    solid = base_solid(bone, footprint, (), np.empty((0, 3)), shape, [])
    low, high = np.array(solid.bounding_box()).reshape(2, 3)
    body = to_surface(max((solid - bare.solid_under(low, high)).decompose(), key=lambda part: part.volume()))
    radius, cosine = largest_balls(body, body.face_centers_mm, body.face_normals, 3.0)
    in_wall = cosine < OPPOSITE_COSINE
    area = body.face_areas_mm2
    assert area[in_wall & (2.0 * radius < 2.0)].sum() < 5.0
    assert area[in_wall & (2.0 * radius < 3.6)].sum() > 5.0, "the rim is the thinnest of it"


def test_what_a_hole_leaves_of_the_contact_s_edge_is_lifted_too(
    bare: HeightField, bone: Surface, footprint: Footprint
) -> None:
    """A strip of 2 mm beside a bore would break off; on its other sides the contact stays."""
    middle = np.array([0.0, HALF_MM - 6.0, RADIUS_MM])
    hole = Hole(middle, np.array([0.0, 0.0, -1.0]), 4.0, least_mm=3.5)
    under = lifted(bare, bone, footprint, [hole], WIDTH_MM, CLEARANCE_MM, RELIEF_MM)
    assert off_bone_mm(under, 0.0, HALF_MM - 1.0) == pytest.approx(LIFTED_MM, abs=0.12)
    for turn, level in ((0.0, HALF_MM - 12.0), (25.0, HALF_MM - 6.0), (30.0, HALF_MM - 2.0)):
        assert off_bone_mm(under, turn, level) == pytest.approx(CLEARANCE_MM, abs=0.03)
    wide = replace(hole, point_mm=middle - [0.0, 2.0, 0.0])
    same = lifted(bare, bone, footprint, [wide], WIDTH_MM, CLEARANCE_MM, RELIEF_MM)
    assert off_bone_mm(same, 0.0, HALF_MM - 1.5) == pytest.approx(CLEARANCE_MM, abs=0.03)


def test_a_sliver_is_what_is_narrow_between_hole_and_edge() -> None:
    hole = Hole(np.zeros(3), np.array([0.0, 0.0, 1.0]), 4.0, least_mm=3.0)
    points = np.array([[5.0, 0.0, 7.0], [5.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    to_edge = np.array([1.9, 2.1, 2.9, 0.1])
    np.testing.assert_array_equal(hole.leaves_sliver(points, to_edge), [True, False, True, False])

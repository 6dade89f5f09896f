"""The outline and the shell, over plates and cylinders."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import block, cylinder, field_of
from guidegen.guide.outline import CORNER_POWER, Outline, draw_outline, shell_solid
from hypothesis import given
from hypothesis import strategies as st

from guidegen.errors import NoSafeGuide
from guidegen.guide.height_field import STEP_MM, HeightField, grown, look_down
from guidegen.guide.solids import to_surface
from guidegen.plan.templates import Footprint, GuideTemplate, load_template

FOOTPRINT = Footprint(length_mm=55.0, width_mm=40.0)
SHELL = load_template(GuideTemplate, "lateral")[0].shell
CLEARANCE_MM = 0.36


def outline_on(field: HeightField, footprint: Footprint = FOOTPRINT) -> Outline:
    return draw_outline(field, footprint, SHELL, np.zeros(field.height_mm.shape, dtype=bool))


@pytest.fixture(scope="module")
def flat() -> HeightField:
    return field_of(lambda x, y: 0.0 * x + 0.0 * y)


@pytest.fixture(scope="module")
def plate(flat: HeightField) -> Outline:
    return outline_on(flat)


def area_mm2(polygon: np.ndarray) -> float:
    """By the shoelace formula: positive when counter-clockwise."""
    following = np.roll(polygon, -1, axis=0)
    return float((polygon[:, 0] * following[:, 1] - polygon[:, 1] * following[:, 0]).sum() / 2.0)


def is_within(outline: Outline, footprint: Footprint) -> bool:
    x, y = (np.abs(outline.polygon_mm[:, k]).max() for k in range(2))
    return bool(x <= footprint.width_mm / 2 + 1e-9 and y <= footprint.length_mm / 2 + 1e-9)


# --- outline ---


def test_on_a_plate_it_is_the_footprint_with_round_corners(plate: Outline) -> None:
    polygon = plate.polygon_mm
    assert is_within(plate, FOOTPRINT)
    middle = np.abs(plate.y_mm) < 8.0
    np.testing.assert_allclose(plate.right_mm[middle], 20.0, atol=0.3)
    np.testing.assert_allclose(plate.left_mm[middle], -20.0, atol=0.3)
    assert np.ptp(plate.y_mm) > 0.9 * FOOTPRINT.length_mm
    np.testing.assert_allclose(plate.right_mm, -plate.left_mm, atol=1e-9)
    corners = (np.abs(polygon[:, 0]) / 20.0) ** CORNER_POWER + (np.abs(polygon[:, 1]) / 27.5) ** CORNER_POWER
    assert corners.max() <= 1.0 + 1e-9
    assert 0.75 * 55.0 * 40.0 < area_mm2(polygon) < 55.0 * 40.0


@pytest.mark.parametrize(("radius_mm", "wrap_deg"), [(12.0, 72.0), (16.0, 72.0), (16.0, 50.0), (25.0, 40.0)])
def test_round_a_cylinder_it_ends_where_the_wrap_does(radius_mm: float, wrap_deg: float) -> None:
    field = look_down(cylinder(radius_mm, 90.0), np.array([-32.0, -40.0]), np.array([32.0, 40.0]))
    shell = SHELL.model_copy(update={"largest_wrap_deg": wrap_deg})
    outline = draw_outline(field, FOOTPRINT, shell, np.zeros(field.height_mm.shape, dtype=bool))
    limit = radius_mm * np.sin(np.radians(wrap_deg))
    widest = max(outline.right_mm.max(), -outline.left_mm.min())
    assert limit - 1.0 < widest <= limit + STEP_MM
    assert is_within(outline, FOOTPRINT)


def test_a_bone_narrower_than_the_footprint_draws_the_outline_in() -> None:
    def waist(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) < 18.0 - 8.0 * np.exp(-((y / 6.0) ** 2)), 0.0, -np.inf)

    outline = outline_on(field_of(waist))
    in_waist, beside = np.abs(outline.y_mm) < 2.0, np.abs(outline.y_mm) > 15.0
    assert outline.right_mm[in_waist].max() < 10.0
    assert outline.right_mm[beside].max() > 15.0
    assert np.abs(np.diff(outline.right_mm)).max() < 1.0  # and smoothly


@given(st.integers(0, 10_000))
def test_it_never_leaves_the_footprint(seed: int) -> None:
    a, b, c, d = np.random.default_rng(seed).uniform(-1.0, 1.0, 4)
    field = field_of(lambda x, y: -(x**2) / (40.0 + 20.0 * a) + 3.0 * b * np.sin(y / 9.0 + c) + 0.3 * d * x)
    small = Footprint(length_mm=38.0, width_mm=24.0)
    assert is_within(outline_on(field, small), small)


@pytest.mark.parametrize("length_mm", [24.0, 10.0])
def test_too_little_bone_along_the_shaft_is_refused(length_mm: float) -> None:
    field = field_of(lambda x, y: np.where(np.abs(y) < length_mm / 2, 0.0 * x, -np.inf))
    with pytest.raises(NoSafeGuide, match="expected at least 25 mm of lateral cortex along the shaft") as refusal:
        outline_on(field)
    assert refusal.value.rule == "contact_length_mm"
    # the last rows before an edge are steep
    assert length_mm - 6.0 <= refusal.value.figures["contact_length_mm"] <= length_mm


def test_it_ends_before_what_is_closed(flat: HeightField) -> None:
    closed = np.zeros(flat.height_mm.shape, dtype=bool)
    closed[:, flat.y_mm < -10.0] = True
    assert draw_outline(flat, FOOTPRINT, SHELL, closed).y_mm.min() > -10.0
    closed[:, flat.y_mm > 10.0] = True
    with pytest.raises(NoSafeGuide, match="of lateral cortex") as refusal:
        draw_outline(flat, FOOTPRINT, SHELL, closed)
    assert refusal.value.rule == "keep_out"


def test_without_bone_under_the_entry_it_is_refused() -> None:
    field = field_of(lambda x, y: np.where(np.abs(y) > 3.0, 0.0 * x, -np.inf))
    with pytest.raises(NoSafeGuide, match="of lateral cortex along the shaft for the shell, found 0 mm"):
        outline_on(field)


def test_the_distance_to_the_edge_of_a_rectangle() -> None:
    rectangle = Outline(np.array([-5.0, 5.0]), np.array([-3.0, -3.0]), np.array([3.0, 3.0]))
    points = np.random.default_rng(0).uniform(-8.0, 8.0, (400, 3))
    beyond = np.abs(points[:, :2]) - [3.0, 5.0]
    truth = -(np.linalg.norm(np.maximum(beyond, 0.0), axis=1) + np.minimum(beyond.max(axis=1), 0.0))
    np.testing.assert_allclose(rectangle.edge_distance_mm(points), truth, atol=1e-9)
    assert area_mm2(rectangle.polygon_mm) == pytest.approx(60.0)


# --- shell ---


def test_over_a_plate_the_shell_is_as_thick_as_asked(flat: HeightField, plate: Outline) -> None:
    shell = shell_solid(flat, plate, CLEARANCE_MM, 4.0, np.zeros_like(flat.height_mm, dtype=bool))
    assert to_surface(shell).is_closed
    core = shell ^ block([-10.0, -15.0, CLEARANCE_MM], [10.0, 15.0, 50.0])
    assert core.volume() == pytest.approx(20.0 * 30.0 * 4.0, rel=1e-3)
    low, high = (np.array(shell.bounding_box()[k : k + 3]) for k in (0, 3))
    assert high[2] == pytest.approx(4.0 + CLEARANCE_MM, abs=1e-6)
    outline = plate.polygon_mm
    assert (low[:2] >= outline.min(axis=0) - 1e-6).all()
    assert (high[:2] <= outline.max(axis=0) + 1e-6).all()


def test_round_a_cylinder_the_shell_is_as_thick_at_right_angles() -> None:
    radius_mm = 16.0
    bone = cylinder(radius_mm, 90.0)
    field = look_down(bone, np.array([-32.0, -40.0]), np.array([32.0, 40.0]))
    outline = outline_on(field)
    under = grown(field, bone, CLEARANCE_MM, np.ones_like(field.height_mm, dtype=bool))
    shell = shell_solid(field, outline, CLEARANCE_MM, 4.0, np.zeros_like(field.height_mm, dtype=bool))
    body = to_surface(shell - under.solid_under(np.array([-30.0, -38.0, -20.0]), np.array([30.0, 38.0, 30.0])))
    assert body.is_closed
    away = np.hypot(body.vertices[:, 0], body.vertices[:, 2])
    assert away.min() > radius_mm + CLEARANCE_MM - 0.01
    assert away.max() < radius_mm + CLEARANCE_MM + 4.0 + 1e-6
    for degrees in (0.0, 25.0, 45.0):  # from the removal direction
        out = np.array([np.sin(np.radians(degrees)), 0.0, np.cos(np.radians(degrees))])
        inner, _ = body.ray_hits(radius_mm * out + [0.0, 1.03, 0.0], out)
        outer, _ = body.ray_hits(60.0 * out + [0.0, 1.03, 0.0], -out)
        assert (60.0 - outer[0]) - (radius_mm + inner[0]) == pytest.approx(4.0, abs=0.2)

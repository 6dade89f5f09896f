"""Where the vessels enter: on a round neck below a ball its area is known, and on the hip its place."""

from __future__ import annotations

import manifold3d as m3
import numpy as np
import pytest

from guidegen.errors import AnatomyError
from guidegen.frames import unit
from guidegen.guide.solids import to_surface
from guidegen.plan.vessels import BELOW_HEAD_MM, OFF_SPHERE_MM, PAST_TOP_DEG, vessel_patch

HEAD_MM, NECK_MM = 24.0, 14.0
# A neck along x with its head at the origin, the shaft leaning over it in the plane of x and z, the back along y.
LANDMARKS = {
    "head_center_mm": np.zeros(3),
    "head_radius_mm": HEAD_MM,
    "isthmus_mm": np.array([-35.0, 0.0, 0.0]),
    "neck_axis": np.array([1.0, 0.0, 0.0]),
    "shaft_axis": unit([0.6, 0.0, 0.8]),
    "posterior": np.array([0.0, 1.0, 0.0]),
}


@pytest.fixture(scope="module")
def neck():
    bar = m3.Manifold.cylinder(70.0, NECK_MM, NECK_MM, 360).rotate((0.0, -90.0, 0.0))
    return to_surface((bar + m3.Manifold.sphere(HEAD_MM, 128)).refine_to_length(1.0))


def test_on_a_round_neck_its_area_is_known(neck) -> None:
    """From where the neck leaves the sphere to 15 mm below it, over 90 + 15 of 360 degrees."""
    patch = vessel_patch(neck, **LANDMARKS)
    length = HEAD_MM + BELOW_HEAD_MM - np.sqrt((HEAD_MM + OFF_SPHERE_MM) ** 2 - NECK_MM**2)
    area = length * NECK_MM * np.radians(90.0 + PAST_TOP_DEG)
    assert patch.face_areas_mm2.sum() == pytest.approx(area, rel=0.05)


def test_it_lies_at_the_back_and_on_top_of_the_neck(neck) -> None:
    middles = vessel_patch(neck, **LANDMARKS).face_centers_mm
    assert np.hypot(middles[:, 1], middles[:, 2]) == pytest.approx(NECK_MM, abs=0.1)
    assert middles[:, 0].min() == pytest.approx(-HEAD_MM - BELOW_HEAD_MM, abs=1.0)
    assert middles[:, 2].min() > -0.1  # from the back ...
    assert middles[:, 2].max() == pytest.approx(NECK_MM, abs=0.1)  # ... over the top ...
    assert middles[:, 1].min() == pytest.approx(-NECK_MM * np.sin(np.radians(PAST_TOP_DEG)), abs=0.6)  # ... and past it
    assert middles[:, 1].max() == pytest.approx(NECK_MM, abs=0.1)


def test_the_other_back_is_the_other_side(neck) -> None:
    mirrored = vessel_patch(neck, **(LANDMARKS | {"posterior": np.array([0.0, -1.0, 0.0])}))
    assert mirrored.face_centers_mm[:, 1].min() == pytest.approx(-NECK_MM, abs=0.1)


def test_a_ball_without_a_neck_is_refused() -> None:
    ball = to_surface(m3.Manifold.sphere(HEAD_MM, 64))
    with pytest.raises(AnatomyError, match="expected the back and top of a neck below the head, found no bone there"):
        vessel_patch(ball, **LANDMARKS)


def test_on_the_hip_it_lies_behind_and_above_the_middle_of_the_neck(case) -> None:
    anatomy = case.anatomy
    middle = case.hip.vessels.face_centers_mm.mean(axis=0) - anatomy.neck_isthmus_center_mm
    assert middle @ anatomy.posterior > 2.0
    assert middle @ anatomy.shaft_axis > 5.0

"""The MR's femur laid on the bone: known poses are found, other bones are refused."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guidegen.errors import AnatomyError, RegistrationError, SideError
from guidegen.frames import LPS, RigidTransform, angle_deg, perpendicular_pair, rotation_about, unit
from guidegen.lesion.registration import (
    MR,
    Pairs,
    radius_mm,
    register_femur,
    residual_limit_mm,
    target_covariance,
)
from guidegen.phantom import make_hip
from guidegen.surfaces import Surface

# turn (°) about an axis, shift (mm), spacing (mm), coronal, shaft below the head (mm)
POSES = {
    "2 mm, axial": (30.0, (1.0, 0.2, -0.3), (40.0, -30.0, 33.0), (1.2, 1.2, 2.0), False, 95.0),
    "3 mm, coronal": (-30.0, (0.1, 0.9, 0.4), (-60.0, 5.0, 0.0), (1.2, 1.2, 3.0), True, 95.0),
    "4 mm, coronal, least shaft": (20.0, (0.3, -0.5, 0.8), (14.0, -25.0, 52.0), (1.2, 1.2, 4.0), True, 90.0),
}


@pytest.fixture(scope="module")
def registered(scan, ct, coronal):
    """For a pose the MR's specimen and how it was laid on the CT."""
    done = {}

    def register(name: str):
        if name not in done:
            degrees, axis, shift_mm, spacing, is_coronal, below_mm = POSES[name]
            center = ct.hip.truth.head_center_mm  # turned about the head: the shift is then where the head goes
            turn = rotation_about(axis, degrees)
            motion = RigidTransform(turn, center - turn @ center + shift_mm, LPS, MR)
            hip = replace(ct.hip.moved(motion), shaft_below_head_mm=below_mm)
            mr = scan(hip, spacing, coronal if is_coronal else None)
            done[name] = mr, register_femur(mr.bone, ct.bone, ct.anatomy)
        return done[name]

    return register


@pytest.mark.parametrize("name", POSES)
def test_the_lesion_comes_to_its_place(registered, ct, name) -> None:
    mr, registration = registered(name)
    there, here = mr.hip.truth, ct.hip.truth
    for point in ("lesion_centroid_mm", "head_center_mm", "neck_isthmus_center_mm"):
        apart = registration.transform.points(getattr(there, point)) - getattr(here, point)
        assert np.linalg.norm(apart) <= 0.8, point
    assert angle_deg(registration.transform.vectors(there.neck_axis), here.neck_axis) < 1.0
    assert (registration.transform.source, registration.transform.target) == (MR, LPS)


@pytest.mark.parametrize("name", POSES)
def test_the_residual_is_that_of_one_bone(registered, ct, name) -> None:
    mr, registration = registered(name)
    assert registration.rms_mm < 0.7
    assert registration.rms_mm < registration.p95_mm < 1.5
    assert registration.overlap_fraction > 0.9
    assert registration.starts_agree_mm < 0.1
    # measured once more, from points of our own choice
    surface, rng = mr.bone, np.random.default_rng(0)
    chosen = rng.choice(len(surface.faces), 4_000, p=surface.face_areas_mm2 / surface.face_areas_mm2.sum())
    away = ct.bone.nearest(registration.transform.points(surface.face_centers_mm[chosen]))[0]
    assert (away < 2.0).mean() == pytest.approx(registration.overlap_fraction, abs=0.04)
    assert np.sqrt((away[away < 2.0] ** 2).mean()) == pytest.approx(registration.rms_mm, rel=0.2)
    assert np.percentile(away[away < 2.0], 95) == pytest.approx(registration.p95_mm, rel=0.1)


def test_a_bone_lies_on_itself(ct) -> None:
    registration = register_femur(ct.bone, ct.bone, ct.anatomy)
    assert np.abs(registration.transform.matrix() - np.eye(4)).max() < 1e-6
    assert registration.rms_mm < 1e-6
    assert registration.lesion_doubt_mm < 1e-3
    assert registration.overlap_fraction == 1.0


@pytest.mark.parametrize("degrees", [30.0, 130.0])
def test_a_turned_bone_is_turned_back(ct, degrees) -> None:
    """However far: the start comes from the anatomy, not from where the patient lay."""
    motion = RigidTransform(rotation_about([0.2, 1.0, 0.4], degrees), np.array([60.0, -20.0, 10.0]), LPS, MR)
    back = register_femur(ct.bone.transformed(motion), ct.bone, ct.anatomy).transform
    assert np.abs(motion.then(back).matrix() - np.eye(4)).max() < 1e-6


def test_another_hip_is_refused(scan, ct) -> None:
    other = scan(make_hip("right", head_radius_mm=21.0, lesion_radius_mm=9.0, neck_shaft_angle_deg=138.0))
    match = (
        r"expected the MR femur to lie on the bone within 0\.90 mm \(rms, slices of 2 mm\) over at least 80% of it, "
        r"whole patches within 0\.8 mm, found \d\.\d\d mm over \d+%, patches \d\.\d\d mm; "
        r"check that both are the same hip of the same patient"
    )
    with pytest.raises(RegistrationError, match=match):
        register_femur(other.bone, ct.bone, ct.anatomy)


@pytest.mark.parametrize("slice_mm", [2.0, 5.0])
def test_a_similar_hip_is_refused(scan, ct, slice_mm) -> None:
    """Thick slices excuse a larger residual, but no other shape."""
    other = scan(make_hip("right", neck_shaft_angle_deg=138.0))
    with pytest.raises(RegistrationError, match="check that both are the same hip of the same patient"):
        register_femur(other.bone, ct.bone, ct.anatomy, slice_mm=slice_mm)


def test_a_mirrored_femur_is_refused(ct) -> None:
    mirrored = Surface(ct.bone.vertices * [-1.0, 1.0, 1.0], ct.bone.faces[:, ::-1])
    with pytest.raises(
        SideError, match=r"femur of the MR to be a right one .* found the shape of a left one; .*mirror"
    ):
        register_femur(mirrored, ct.bone, ct.anatomy)


@pytest.mark.parametrize(("slice_mm", "limit_mm"), [(0.8, 0.9), (2.0, 0.9), (3.0, 0.97), (5.0, 1.11)])
def test_the_residual_may_grow_with_the_slices(slice_mm, limit_mm) -> None:
    assert residual_limit_mm(slice_mm) == pytest.approx(limit_mm)
    assert residual_limit_mm(slice_mm) < 1.5


@pytest.fixture(scope="module")
def simulation():
    """The benchmark's own poses: a few of them here, all of them there."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "registration.py"
    spec = importlib.util.spec_from_file_location("benchmark_registration", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def planned(simulation):
    return simulation.planned(simulation.phantom_femur(16), 16)


@pytest.mark.parametrize("number", [0, 3, 6, 21, 24, 27, 40, 43, 60, 63])
def test_simulated_scans_are_laid_on_the_bone(simulation, planned, number) -> None:
    """Thick slices, three planes, ±30°, ±60 mm, cut and clipped, with noise; the lesion within its doubt, or nearly."""
    found = simulation.outcome(planned, simulation.scanned(planned.femur, number))
    assert found.refusal is None
    assert found.error_mm < 0.5
    assert found.error_mm < 1.5 * found.doubt_mm  # a radius of 95 %
    assert 0.1 < found.doubt_mm < 0.8


def test_an_mr_without_axes_starts_from_how_the_patient_lay(simulation, planned, monkeypatch) -> None:
    def none_found(*_):
        raise AnatomyError("no shaft")

    monkeypatch.setattr("guidegen.lesion.registration.find_shaft", none_found)
    found = simulation.outcome(planned, simulation.scanned(planned.femur, 63))
    assert found.refusal is None
    assert found.error_mm < 0.5


def test_the_doubt_of_independent_noise_has_a_closed_form() -> None:
    """Points on a box whose gaps err each for itself: the covariance is that of least squares, sigma² (JᵀJ)⁻¹."""
    rng = np.random.default_rng(5)
    points = rng.uniform(-1.0, 1.0, (1_500, 3)) * [200.0, 150.0, 400.0]  # far apart: no neighbours
    normals = np.eye(3)[rng.integers(0, 3, 1_500)]
    target = np.array([30.0, -20.0, 100.0])
    found = []
    for _ in range(20):
        gap = 0.3 * rng.standard_normal(1_500)
        pairs = Pairs(points, np.abs(gap), gap, normals, np.ones(1_500), np.full(1_500, 1e-6))
        found.append(target_covariance(pairs, target))
    x, y, z = target - points.mean(axis=0)
    lever = np.array([[0.0, z, -y, 1, 0, 0], [-z, 0.0, x, 0, 1, 0], [y, -x, 0.0, 0, 0, 1]])
    expected = 0.09 * lever @ np.linalg.inv(pairs.jacobian.T @ pairs.jacobian) @ lever.T
    assert np.trace(np.mean(found, axis=0)) == pytest.approx(np.trace(expected), rel=0.1)


@pytest.mark.parametrize(
    ("spread", "radius"), [((1.0, 0.0, 0.0), 1.960), ((1.0, 1.0, 1.0), 2.795), ((4.0, 4.0, 4.0), 5.590)]
)
def test_the_radius_holds_95_percent(spread, radius) -> None:
    """Exact for one and for three equal directions: the normal's and the chi-square's quantiles."""
    assert radius_mm(np.diag(spread)) == pytest.approx(radius, abs=0.001)


def test_a_bone_that_fits_in_several_places_is_refused(ct) -> None:
    """Round about the axis of its neck: every start is as good as any other."""
    import manifold3d as m3

    down = unit([-0.6, 0.3, -0.7])
    body = m3.Manifold.sphere(24.0, 96) + m3.Manifold.cylinder(90.0, 13.0, 22.0, 96)
    frame = np.column_stack([*perpendicular_pair(down), down, ct.anatomy.head_center_mm])
    mesh = body.transform(frame).refine_to_length(5.0).to_mesh64()
    bone = Surface(np.asarray(mesh.vert_properties)[:, :3], np.asarray(mesh.tri_verts).astype(np.int64))
    with pytest.raises(RegistrationError, match=r"in one place only, found equally good places \d+\.\d mm apart"):
        register_femur(bone, bone, replace(ct.anatomy, neck_axis=-down))

"""The phantom against closed forms, against its own implicit surface and against its files as read back."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guidegen.errors import AnatomyError, LesionError, SideError, VolumeError
from guidegen.frames import FloatArray, RigidTransform, across, angle_deg, perpendicular_pair, rotation_about, unit
from guidegen.phantom import Hip, Thigh, ct_volume, label_volume, make_hip, mr_volume, write_case
from guidegen.phantom.shape import Ellipsoid, ellipsoid
from guidegen.volumes import Volume, bounding_box

ROUNDING_MM = 1e-9
COARSE_MM = (1.6, 1.7, 2.0)
ASKEW = rotation_about((0.3, 1.0, -0.5), 35.0)
MOTION = RigidTransform(rotation_about((1.0, -2.0, 0.5), 40.0), np.array([30.0, -70.0, 400.0]), "LPS", "LPS")


@pytest.fixture(scope="module")
def hip() -> Hip:
    return make_hip("right")


def directions(count: int, seed: int = 0) -> FloatArray:
    return unit(np.random.default_rng(seed).standard_normal((count, 3)))


def in_ball(center_mm: FloatArray, radius_mm: float, count: int) -> FloatArray:
    radii = radius_mm * np.random.default_rng(1).random(count) ** (1.0 / 3.0)
    return center_mm + directions(count, 2) * radii[:, None]


def ring(hip: Hip, along_mm: float, height_mm: float, depth_mm: float) -> FloatArray:
    """An ellipse across the neck: half its height and depth, `along_mm` from the isthmus towards the head."""
    truth = hip.truth
    depth = unit(np.cross(truth.neck_axis, truth.shaft_axis))
    height = np.cross(depth, truth.neck_axis)
    angles = np.linspace(0.0, 2.0 * np.pi, 180)[:, None]
    center = truth.neck_isthmus_center_mm + along_mm * truth.neck_axis
    return center + height_mm * np.cos(angles) * height + depth_mm * np.sin(angles) * depth


def voxel_centers(volume: Volume) -> FloatArray:
    return volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))


class TestFemur:
    @pytest.mark.parametrize("radius_mm", [20.0, 24.0, 28.5])
    def test_the_dome_of_the_head_is_the_sphere(self, radius_mm: float) -> None:
        hip = make_hip("left", head_radius_mm=radius_mm, lesion_radius_mm=8.0)
        ways = directions(20_000)
        dome = ways[ways @ hip.truth.neck_axis > np.cos(np.radians(110.0))]
        for off_mm in (-1.0, 0.0, 2.0):
            distance = hip.femur_mm(hip.truth.head_center_mm + (radius_mm + off_mm) * dome)
            assert np.abs(distance - off_mm).max() < ROUNDING_MM

    def test_nothing_of_the_head_is_missing(self, hip: Hip) -> None:
        points = in_ball(hip.truth.head_center_mm, 60.0, 20_000)
        beyond_the_sphere = np.linalg.norm(points - hip.truth.head_center_mm, axis=1) - hip.truth.head_radius_mm
        assert (hip.femur_mm(points) <= beyond_the_sphere + ROUNDING_MM).all()

    @pytest.mark.parametrize("angle", [118.0, 127.0, 142.0])
    def test_the_isthmus_is_the_narrowest_section_of_the_neck(self, angle: float) -> None:
        hip = make_hip("right", neck_shaft_angle_deg=angle)
        assert np.abs(hip.femur_mm(ring(hip, 0.0, 17.0, 14.5))).max() < ROUNDING_MM
        for along_mm in (-3.0, -0.5, 0.5, 3.0):
            assert hip.femur_mm(ring(hip, along_mm, 17.0, 14.5)).max() < 0.0

    def test_the_axes_are_what_was_asked_for(self) -> None:
        truth = make_hip("left", neck_shaft_angle_deg=133.0, anteversion_deg=22.0).truth
        assert angle_deg(truth.neck_axis, -truth.shaft_axis) == pytest.approx(133.0, abs=1e-9)
        assert np.allclose(truth.head_center_mm - truth.neck_isthmus_center_mm, 24.5 * truth.neck_axis)
        straight = make_hip("left", neck_shaft_angle_deg=133.0, anteversion_deg=0.0).truth
        turn = angle_deg(across(truth.neck_axis, truth.shaft_axis), across(straight.neck_axis, truth.shaft_axis))
        assert turn == pytest.approx(22.0, abs=1e-9)
        assert truth.neck_axis[1] < straight.neck_axis[1]  # y grows to the back: an anteverted neck points forward

    def test_sections_of_the_shaft_are_centred_on_its_axis(self, hip: Hip) -> None:
        truth = hip.truth
        first, second = perpendicular_pair(truth.shaft_axis)
        plane = np.stack(np.meshgrid(*[np.linspace(-25.0, 25.0, 251)] * 2), axis=-1) @ np.stack([first, second])
        for along_mm in (10.0, 0.0, -20.0, -50.0):
            points = truth.shaft_point_mm + along_mm * truth.shaft_axis + plane
            inside = points[hip.femur_mm(points) < 0.0]
            off_mm = np.linalg.norm(across(inside.mean(axis=0) - truth.shaft_point_mm, truth.shaft_axis))
            assert off_mm < 0.6  # the ridge down the back is the only thing that is not centred
            assert 28.0 < 2.0 * np.sqrt(len(inside) * 0.04 / np.pi) < 34.0

    def test_proportions_are_those_of_an_adult(self, hip: Hip) -> None:
        truth = hip.truth
        to_shaft = across(truth.shaft_point_mm - truth.head_center_mm, truth.shaft_axis)
        assert np.linalg.norm(to_shaft) == pytest.approx(41.7, abs=0.5)
        assert (truth.head_center_mm - truth.lesser_trochanter_mm) @ truth.shaft_axis == pytest.approx(55.0, abs=2.0)
        assert (truth.greater_trochanter_mm - truth.head_center_mm) @ truth.shaft_axis == pytest.approx(4.7, abs=1.0)
        assert (truth.vastus_ridge_mm - truth.shaft_point_mm) @ truth.lateral == pytest.approx(29.5, abs=1.0)

    def test_a_first_order_distance_has_slope_one_on_the_surface(self) -> None:
        part = Ellipsoid((1.0, 2.0, 3.0), (5.0, 9.0, 14.0), (("x", 20.0), ("z", -50.0)), 1.0)
        ways = directions(2_000)
        surface = part.center + (ways * part.semi_axes) @ part.rotation.T
        normal = unit((ways / part.semi_axes) @ part.rotation.T)
        for off_mm in (-1e-4, 0.0, 1e-4):
            x, y, z = (surface + off_mm * normal).T
            assert np.abs(ellipsoid((x, y, z), part) - off_mm).max() < 1e-7


class TestLandmarks:
    @pytest.mark.parametrize("angle", [118.0, 127.0, 142.0])
    @pytest.mark.parametrize("side", ["left", "right"])
    def test_no_bone_is_further_than_a_landmark(self, side: str, angle: float) -> None:
        hip = make_hip(side, neck_shaft_angle_deg=angle)
        truth = hip.truth

        def along_shaft(points: FloatArray) -> FloatArray:
            return points @ truth.shaft_axis

        def from_shaft(points: FloatArray) -> FloatArray:
            return np.linalg.norm(across(points - truth.shaft_point_mm, truth.shaft_axis), axis=-1)

        def to_the_side(points: FloatArray) -> FloatArray:
            return points @ truth.lateral

        beside = np.cross(truth.lateral, truth.shaft_axis)
        for mark, height, reach_mm in (
            (truth.greater_trochanter_mm, along_shaft, 12.0),  # further off, a steep neck is higher
            (truth.lesser_trochanter_mm, from_shaft, 10.0),  # and the neck further from the shaft
            (truth.vastus_ridge_mm, to_the_side, 12.0),
        ):
            assert abs(hip.femur_mm(mark)) < ROUNDING_MM
            for near_mm in (0.01, 0.5, reach_mm):
                points = in_ball(mark, near_mm, 8_000)
                if height is to_the_side:  # a landmark of the lateral profile
                    points = points - ((points - truth.shaft_point_mm) @ beside)[:, None] * beside
                bone = points[hip.femur_mm(points) < 0.0]
                assert len(bone) > 300
                assert height(bone).max() < height(mark) + ROUNDING_MM

    def test_landmarks_lie_where_anatomy_puts_them(self, hip: Hip) -> None:
        truth, shaft = hip.truth, hip.truth.shaft_point_mm
        medial, back = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])  # of a right hip
        assert across(truth.lesser_trochanter_mm - shaft, truth.shaft_axis) @ medial > 10.0
        assert across(truth.lesser_trochanter_mm - shaft, truth.shaft_axis) @ back > 10.0
        assert (truth.vastus_ridge_mm - shaft) @ medial < -15.0
        assert (truth.greater_trochanter_mm - shaft) @ medial < 0.0
        heights = [
            mark @ truth.shaft_axis
            for mark in (truth.lesser_trochanter_mm, truth.vastus_ridge_mm, truth.greater_trochanter_mm)
        ]
        assert heights == sorted(heights)

    def test_landmarks_grow_with_the_head(self, hip: Hip) -> None:
        large, truth = make_hip("right", head_radius_mm=30.0).truth, hip.truth
        for name in ("greater_trochanter_mm", "lesser_trochanter_mm", "vastus_ridge_mm", "neck_isthmus_center_mm"):
            small_mm = getattr(truth, name) - truth.head_center_mm
            assert np.allclose(getattr(large, name) - large.head_center_mm, small_mm * 30.0 / 24.0, atol=1e-7)


class TestLesion:
    @pytest.mark.parametrize(("radius_mm", "depth_mm"), [(8.0, 5.0), (12.0, 3.0), (16.0, 2.0)])
    def test_its_voxels_have_the_volume_of_the_ball(self, radius_mm: float, depth_mm: float) -> None:
        hip = make_hip("left", lesion_radius_mm=radius_mm, lesion_depth_mm=depth_mm)
        labels = label_volume(hip, (0.8, 0.9, 1.1), labels={"lesion": 7})
        inside = labels.voxels == 7
        closed_form_mm3 = 4.0 / 3.0 * np.pi * radius_mm**3
        assert hip.truth.lesion_volume_mm3 == pytest.approx(closed_form_mm3)
        assert inside.sum() * labels.voxel_volume_mm3 == pytest.approx(closed_form_mm3, rel=0.01)
        centroid = labels.to_lps(np.argwhere(inside).mean(axis=0))
        assert np.linalg.norm(centroid - hip.truth.lesion_centroid_mm) < 0.05

    def test_it_lies_below_the_dome_where_it_was_asked_for(self) -> None:
        hip = make_hip("left", lesion_radius_mm=9.0, lesion_depth_mm=4.0, lesion_direction=(0.0, 3.0, 4.0))
        truth = hip.truth
        surface = truth.lesion_centroid_mm + 9.0 * directions(50_000)
        assert hip.femur_mm(surface).max() == pytest.approx(-4.0, abs=1e-3)
        assert hip.femur_mm(surface).max() <= -4.0
        offset = truth.lesion_centroid_mm - truth.head_center_mm
        assert np.linalg.norm(offset) == pytest.approx(24.0 - 4.0 - 9.0)
        assert offset @ truth.shaft_axis == pytest.approx(11.0 * 0.8)
        assert offset[1] < 0.0  # in front
        assert truth.lesion_head_fraction == pytest.approx((9.0 / 24.0) ** 3)

    def test_collapse_flattens_the_dome_over_it_and_nothing_else(self) -> None:
        hip = make_hip("right", collapse_mm=2.0)
        truth = hip.truth
        assert abs(hip.femur_mm(truth.collapse_point_mm)) < ROUNDING_MM
        deepest = truth.collapse_point_mm - truth.head_center_mm
        assert np.linalg.norm(deepest) == pytest.approx(22.0)
        assert angle_deg(deepest, truth.lesion_centroid_mm - truth.head_center_mm) < 1e-6
        ways = directions(20_000)
        dome = ways[ways @ truth.neck_axis > np.cos(np.radians(110.0))]
        depth_mm = hip.femur_mm(truth.head_center_mm + 24.0 * dome)
        flattened = dome @ unit(deepest) > np.cos(np.radians(35.0))
        assert np.abs(depth_mm[~flattened]).max() < ROUNDING_MM
        assert depth_mm[flattened].min() >= 0.0
        rim = flattened & (dome @ unit(deepest) < np.cos(np.radians(34.0)))
        assert rim.any()
        assert depth_mm[rim].max() < 0.01  # it fades without a crease
        assert depth_mm.max() == pytest.approx(2.0, abs=1e-3)
        assert hip.femur_mm(truth.lesion_centroid_mm + 12.0 * ways).max() < 0.0


class TestPelvis:
    def test_the_acetabulum_is_a_sphere_round_the_head_up_to_its_rim(self, hip: Hip) -> None:
        truth, ways = hip.truth, directions(20_000)
        reach_mm = truth.acetabulum_radius_mm * (ways @ truth.acetabulum_axis) - truth.acetabulum_rim_mm
        value = hip.pelvis_mm(truth.head_center_mm + truth.acetabulum_radius_mm * ways)
        assert np.abs(value[reach_mm > ROUNDING_MM]).max() < ROUNDING_MM
        assert value[reach_mm < -ROUNDING_MM].min() > 0.0
        assert truth.acetabulum_radius_mm - truth.head_radius_mm == pytest.approx(3.5)

    def test_it_keeps_off_the_femur_and_lies_to_the_middle(self) -> None:
        for angle in (118.0, 142.0):
            hip = make_hip("left", neck_shaft_angle_deg=angle, anteversion_deg=40.0)
            labels = label_volume(hip, COARSE_MM, labels={"femur": 1, "pelvis": 2})
            pelvis = voxel_centers(labels)[labels.voxels == 2]
            assert hip.femur_mm(pelvis).min() > 3.0
            assert pelvis[:, 0].mean() < hip.truth.head_center_mm[0] - 3.0


class TestSideAndPlace:
    def test_left_is_the_exact_mirror_image_of_right(self, hip: Hip) -> None:
        left, mirror = make_hip("left"), np.array([-1.0, 1.0, 1.0])
        points = in_ball(hip.truth.head_center_mm, 120.0, 20_000)
        for field in ("femur_mm", "pelvis_mm", "lesion_mm"):
            assert np.array_equal(getattr(left, field)(points * mirror), getattr(hip, field)(points))
        for name, value in asdict(hip.truth).items():
            if isinstance(value, np.ndarray):
                assert np.array_equal(getattr(left.truth, name), value * mirror), name
        one, other = label_volume(hip, COARSE_MM), label_volume(left, COARSE_MM)
        assert np.array_equal(one.voxels, other.voxels[::-1])
        last = np.array(one.voxels.shape) - [1, 1, 1]
        assert np.allclose(one.to_lps(last), other.to_lps(last * [0, 1, 1]) * mirror, atol=1e-9)

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_it_lies_on_its_side_of_the_body(self, side: str) -> None:
        truth = make_hip(side).truth
        to_the_left = 1.0 if side == "left" else -1.0
        assert truth.head_center_mm[0] * to_the_left > 50.0  # x grows to the patient's left
        assert (truth.greater_trochanter_mm - truth.head_center_mm)[0] * to_the_left > 20.0

    def test_truth_follows_the_placement(self, hip: Hip) -> None:
        placed = make_hip("right", placement=MOTION)
        for name, value in asdict(hip.truth).items():
            if isinstance(value, np.ndarray):
                carry = MOTION.points if name.endswith("_mm") else MOTION.vectors
                assert np.allclose(getattr(placed.truth, name), carry(value), atol=1e-8), name
            else:
                assert getattr(placed.truth, name) == value
        points = in_ball(hip.truth.head_center_mm, 100.0, 5_000)
        assert np.allclose(placed.femur_mm(MOTION.points(points)), hip.femur_mm(points), atol=1e-8)

    def test_a_motion_from_another_frame_is_refused(self, hip: Hip) -> None:
        stray = RigidTransform(np.eye(3), np.zeros(3), "guide", "LPS")
        with pytest.raises(ValueError, match="a transform from LPS is needed"):
            hip.moved(stray)


class TestVolumes:
    @pytest.mark.parametrize("direction", [None, ASKEW, ASKEW[:, [1, 2, 0]]])
    @pytest.mark.parametrize("placement", [None, MOTION])
    def test_every_voxel_holds_what_lies_at_its_centre(
        self, direction: FloatArray | None, placement: RigidTransform | None
    ) -> None:
        hip = make_hip("left", placement=placement)
        labels = label_volume(hip, (2.5, 2.0, 3.0), direction)
        points = voxel_centers(labels)
        for name, value, over in (("femur", 1, (2, 3)), ("pelvis", 2, (3,)), ("lesion", 3, ())):
            distance = getattr(hip, f"{name}_mm")(points)
            clear = (np.abs(distance) > 1e-3) & ~np.isin(labels.voxels, over)  # voxels are judged in float32
            assert np.array_equal((labels.voxels == value)[clear], (distance < 0.0)[clear])

    def test_the_map_holds_the_bones_and_ends_inside_the_shaft(self) -> None:
        hip = make_hip("right", shaft_below_head_mm=120.0)
        labels = label_volume(hip, COARSE_MM, margin_mm=12.0)
        box = bounding_box(labels.voxels > 0)
        assert box is not None
        starts = np.array([axis.start for axis in box]) * COARSE_MM
        ends = (np.array(labels.voxels.shape) - [axis.stop for axis in box]) * COARSE_MM
        assert starts[2] == 0.0
        assert min(*starts[:2], *ends) > 8.0  # fillets swell by up to 2 mm beyond the parts they join
        low = labels.to_lps((0, 0, 0))[2]
        shaft_end = hip.truth.head_center_mm - 120.0 * hip.truth.shaft_axis
        assert low == pytest.approx(shaft_end[2], abs=8.0)

    def test_grey_values_are_those_of_the_tissues(self, hip: Hip) -> None:
        truth = hip.truth
        places = {
            "spongy": truth.neck_isthmus_center_mm,
            "lesion": truth.lesion_centroid_mm,
            "rim": truth.lesion_centroid_mm + 12.0 * directions(400),
            "canal": truth.shaft_point_mm - [[0.0], [10.0], [20.0]] * truth.shaft_axis,
            "cortex": truth.shaft_point_mm - 10.0 * truth.shaft_axis + 13.5 * truth.lateral,
            "soft": truth.shaft_point_mm + 22.0 * truth.lateral,
        }

        def mean(volume: Volume, place: FloatArray) -> float:
            index = np.rint(volume.to_index(np.atleast_2d(place))).astype(int)
            around = index[:, None] + np.stack(np.indices((2, 2, 2)), axis=-1).reshape(-1, 3)
            return float(volume.voxels[tuple(around.reshape(-1, 3).T)].mean())

        ct, mr = ct_volume(hip, (1.0, 1.0, 1.5)), mr_volume(hip, (1.0, 1.0, 1.5))
        expected_ct = {"spongy": 250, "lesion": 150, "rim": 480, "canal": -20, "cortex": 1200, "soft": 40}
        expected_mr = {"spongy": 600, "lesion": 420, "rim": 180, "canal": 680, "cortex": 40, "soft": 180}
        for name, place in places.items():
            spread = 100.0 if name == "rim" else 25.0
            assert mean(ct, place) == pytest.approx(expected_ct[name], abs=spread), name
            assert mean(mr, place) == pytest.approx(expected_mr[name], abs=spread), name

    def test_noise_comes_from_the_seed(self, hip: Hip) -> None:
        first, again = ct_volume(hip, COARSE_MM), ct_volume(make_hip("right"), COARSE_MM)
        other = ct_volume(make_hip("right", seed=1), COARSE_MM)
        assert np.array_equal(first.voxels, again.voxels)
        assert not np.array_equal(first.voxels, other.voxels)
        corner = first.voxels[:12, :12, :12]
        assert corner.mean() == pytest.approx(40.0, abs=2.0)
        assert corner.std() == pytest.approx(15.0, abs=1.0)


class TestThigh:
    THIGH = Thigh(half_width_mm=95.0, half_depth_mm=85.0, medial_mm=35.0)

    def test_a_line_leaves_it_where_its_ellipse_is(self) -> None:
        """From the shaft's axis to the side 60 mm, to the middle 130; slanting by 45° the more."""
        hip = make_hip("left")
        truth = hip.truth
        medial = -hip.pose.vectors(np.array([-1.0, 0.0, 0.0]) * hip.mirror)
        for way, expected in ((-medial, 60.0), (medial, 130.0), (unit(truth.shaft_axis - medial), 60.0 * np.sqrt(2.0))):
            assert self.THIGH.exit_mm(hip, truth.shaft_point_mm, way) == pytest.approx(expected, abs=1e-6)
        back = hip.pose.vectors(np.array([0.0, 1.0, 0.0]))
        expected = 85.0 * np.sqrt(1.0 - (35.0 / 95.0) ** 2)
        assert self.THIGH.exit_mm(hip, truth.shaft_point_mm, back) == pytest.approx(expected, abs=1e-6)

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_the_ct_has_air_beyond_it_and_tissue_within(self, side: str) -> None:
        hip = make_hip(side, placement=MOTION)
        ct = ct_volume(hip, COARSE_MM, thigh=self.THIGH)
        points = voxel_centers(ct)
        own = hip.pose.inverse().points(points) * hip.mirror
        distance = self.THIGH.distance_mm(hip.shape, (own[..., 0], own[..., 1], own[..., 2]))
        in_bone = np.minimum(hip.femur_mm(points), hip.pelvis_mm(points)) < 3.0
        air, flesh = (distance > 2.0) & ~in_bone, (distance < -2.0) & ~in_bone
        assert np.mean(ct.voxels[air]) == pytest.approx(-1000.0, abs=1.0)
        assert np.mean(ct.voxels[flesh]) == pytest.approx(40.0, abs=1.0)
        assert air.any(axis=(1, 2)).all()  # whichever way it is cut, the skin is in the picture

    def test_the_distance_is_that_to_the_skin_nearby(self) -> None:
        shape = make_hip("right").shape
        turn = np.linspace(0.0, 2.0 * np.pi, 60)
        x0, y0 = (
            self.THIGH.extent_mm(shape, np.array([1.0, 0.0, 0.0]), (0.0, 0.0), 0.0),
            self.THIGH.extent_mm(shape, np.array([0.0, 1.0, 0.0]), (0.0, 0.0), 0.0),
        )
        assert (x0[1] - x0[0], y0[1] - y0[0]) == pytest.approx((190.0, 170.0))
        skin = np.stack([np.mean(x0) + 95.0 * np.cos(turn), np.mean(y0) + 85.0 * np.sin(turn)])
        normal = unit(np.stack([np.cos(turn) / 95.0, np.sin(turn) / 85.0], axis=1)).T
        for off_mm in (-1.0, 0.0, 1.0):
            x, y = skin + off_mm * normal
            assert self.THIGH.distance_mm(shape, (x, y, 7.0)) == pytest.approx(np.full(60, off_mm), abs=0.02)

    def test_without_one_all_is_soft_tissue(self, hip: Hip) -> None:
        assert ct_volume(hip, COARSE_MM).voxels.min() > -200


class TestFiles:
    @staticmethod
    def label_at(image: Any, point_mm: FloatArray) -> int:
        return int(image.GetPixel(image.TransformPhysicalPointToIndex(point_mm.tolist())))

    def test_an_mr_case_reads_back_in_its_place(self, tmp_path: Path) -> None:
        import SimpleITK as sitk

        hip = make_hip("left")
        case_file = write_case(hip, tmp_path / "case", spacing_mm=COARSE_MM, patient_id="P-7")
        case = tomllib.loads(case_file.read_text(encoding="utf-8"))
        assert case["patient"] == {"id": "P-7", "side": "left"}
        assert case["bone"] == {"labels": "labels.nii.gz", "femur": 1, "pelvis": 2, "image": "ct.nii.gz"}
        assert case["lesion"] == {"labels": "mr_labels.nii.gz", "lesion": 2, "femur": 1, "image": "mr.nii.gz"}
        truth = json.loads((case_file.parent / "truth.json").read_text(encoding="utf-8"))
        to_mr = np.array(truth["mr_from_bone"])
        assert np.allclose(truth["vastus_ridge_mm"], hip.truth.vastus_ridge_mm)

        bone = sitk.ReadImage(str(case_file.parent / "labels.nii.gz"))
        mr = sitk.ReadImage(str(case_file.parent / "mr_labels.nii.gz"))
        assert np.allclose(mr.GetSpacing(), (0.85, 0.85, 2.0))
        points = {
            "head_center_mm": (1, None),
            "lesion_centroid_mm": (1, 2),
            "neck_isthmus_center_mm": (1, 1),
            "shaft_point_mm": (1, None),
        }
        for name, (in_bone, in_mr) in points.items():
            point = np.array(truth[name])
            assert self.label_at(bone, point) == in_bone, name
            if in_mr is not None:
                assert self.label_at(mr, to_mr[:3, :3] @ point + to_mr[:3, 3]) == in_mr, name
        outside = np.array(truth["vastus_ridge_mm"]) + 3.0 * np.array(truth["lateral"])
        inside = np.array(truth["vastus_ridge_mm"]) - 3.0 * np.array(truth["lateral"])
        assert [self.label_at(bone, place) for place in (outside, inside)] == [0, 1]
        for labels, image in (("labels", "ct"), ("mr_labels", "mr")):
            pair = [sitk.ReadImage(str(case_file.parent / f"{name}.nii.gz")) for name in (labels, image)]
            assert pair[0].GetSize() == pair[1].GetSize()
            assert np.allclose(pair[0].GetOrigin(), pair[1].GetOrigin())

    @pytest.mark.parametrize("extension", [".nii.gz", ".nrrd", ".mha"])
    def test_a_lesion_in_the_frame_of_the_bone(self, tmp_path: Path, extension: str) -> None:
        import SimpleITK as sitk

        hip = make_hip("right", placement=MOTION)
        case_file = write_case(
            hip, tmp_path, spacing_mm=(1.9, 2.0, 2.5), direction=ASKEW, mr=False, extension=extension
        )
        case = tomllib.loads(case_file.read_text(encoding="utf-8"))
        assert case["lesion"] == {"labels": f"lesion{extension}", "lesion": 1}
        assert json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["mr_from_bone"] is None
        assert not list(tmp_path.glob("mr*"))
        expected = label_volume(hip, (1.9, 2.0, 2.5), ASKEW, labels={"lesion": 1})
        image = sitk.ReadImage(str(tmp_path / case["lesion"]["labels"]))
        assert np.array_equal(sitk.GetArrayFromImage(image).transpose(), expected.voxels)
        assert np.allclose(np.reshape(image.GetDirection(), (3, 3)), ASKEW, atol=1e-6)
        corner = np.array(expected.voxels.shape) - 1
        place = image.TransformIndexToPhysicalPoint(corner.tolist())
        assert np.linalg.norm(np.array(place) - expected.to_lps(corner)) < 1e-3
        assert self.label_at(image, hip.truth.lesion_centroid_mm) == 1

    def test_the_same_hip_gives_the_same_bytes(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            write_case(make_hip("left", seed=3), tmp_path / name, spacing_mm=COARSE_MM)
        written = sorted((tmp_path / "one").iterdir())
        assert [path.name for path in written] == [
            "case.toml", "ct.nii.gz", "labels.nii.gz", "mr.nii.gz", "mr_labels.nii.gz", "truth.json",
        ]  # fmt: skip
        for path in written:
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
        for path in written:
            if path.name.endswith(".gz"):
                assert path.read_bytes()[4:8] == bytes(4), "a gzip header without a time"


class TestRefusals:
    def test_a_side_that_is_none(self) -> None:
        with pytest.raises(SideError, match="expected the side left or right, found 'L'"):
            make_hip("L")

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"head_radius_mm": 2.4}, r"expected the head radius \(mm\) between 18\.0 and 32\.0, found 2\.4"),
            ({"neck_shaft_angle_deg": 90.0}, "expected the neck-shaft angle"),
            ({"anteversion_deg": 75.0}, "expected the anteversion"),
            ({"shaft_below_head_mm": 40.0}, "expected the shaft below the head"),
            ({"head_radius_mm": float("nan")}, "expected the head radius"),
        ],
    )
    def test_proportions_that_cannot_be_drawn(self, wrong: dict[str, float], message: str) -> None:
        with pytest.raises(AnatomyError, match=message):
            make_hip("right", **wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"lesion_radius_mm": 22.0},
            {"lesion_radius_mm": 0.0},
            {"lesion_depth_mm": 13.0},
            {"collapse_mm": 3.0},
            {"collapse_mm": -1.0},
            {"lesion_radius_mm": float("nan")},
        ],
    )
    def test_a_lesion_that_does_not_fit_the_head(self, wrong: dict[str, float]) -> None:
        with pytest.raises(LesionError, match=r"expected a lesion inside a head of radius 24\.0 mm"):
            make_hip("right", **wrong)  # type: ignore[arg-type]

    def test_a_format_that_is_not_written(self, tmp_path: Path, hip: Hip) -> None:
        with pytest.raises(VolumeError, match=r"expected one of the extensions .* found '\.dcm'"):
            write_case(hip, tmp_path, extension=".dcm")
        assert not list(tmp_path.iterdir())

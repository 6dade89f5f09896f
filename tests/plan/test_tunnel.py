"""The tunnel on the made-up hip: measured again by brute force, moved, mirrored, ordered and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_case import MIRROR, Case, with_drill
from remeasured import assert_as_measured, assert_lawful, brute_of, end_disc, from_entry, off_line, wall_mm

from guidegen.errors import NoSafePlan
from guidegen.frames import LPS, FloatArray, RigidTransform, across, rotation_about, unit
from guidegen.plan.planning import STRATEGIES
from guidegen.plan.rules import Rules
from guidegen.plan.strategies import ground_of, most_of_the_lesion
from guidegen.plan.tunnel import broken_rules, measure_tunnel, soft_costs

HIPS = {
    "right": ("right", {}),
    "left, small and varus": (
        "left",
        {"head_radius_mm": 21.0, "lesion_radius_mm": 9.0, "neck_shaft_angle_deg": 120.0, "anteversion_deg": 5.0},
    ),
    "right, posterior lesion": ("right", {"lesion_direction": (-0.3, -0.3, 0.9)}),
}
RULES = Rules()
NARROW = replace(RULES, entry_off_middle_max=0.1)  # fewer entries: quicker to refuse them all


@pytest.fixture(params=HIPS)
def any_case(request, make_case):
    side, changes = HIPS[request.param]
    return make_case(side, **changes)


class TestMeasured:
    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_all_that_is_said_of_it_is_so_and_it_keeps_every_rule(self, any_case, strategy) -> None:
        kit = any_case.ground_for(strategy).hip.kit
        for tunnel in any_case.found(strategy).tunnels:
            assert_as_measured(any_case, kit, tunnel)
            assert_lawful(any_case, kit, tunnel)
            assert broken_rules(tunnel, RULES) == ()

    def test_it_passes_through_the_centroid_and_goes_on(self, any_case) -> None:
        tunnel, centroid = any_case.tunnel, any_case.lesion.centroid_mm
        assert tunnel.centroid_distance_mm <= 1e-6
        assert np.linalg.norm(across(centroid - tunnel.entry_mm, tunnel.axis)) <= 1e-6
        assert 0.0 < (centroid - tunnel.entry_mm) @ tunnel.axis < tunnel.length_mm

    def test_the_entry_lies_on_the_lateral_cortex_of_the_window(self, any_case) -> None:
        tunnel, anatomy = any_case.tunnel, any_case.anatomy
        distance, face, _ = any_case.bone.nearest(tunnel.entry_mm[None])
        assert distance[0] < 1e-6
        assert any_case.bone.face_normals[face[0]] @ anatomy.lateral > 0.5
        level = tunnel.entry_mm @ anatomy.shaft_axis
        low, high = (p @ anatomy.shaft_axis for p in (anatomy.lesser_trochanter_mm, anatomy.vastus_ridge_mm))
        assert low <= level <= high

    @pytest.mark.parametrize("zone_mm", [6.0, 12.0, 40.0])
    def test_the_wall_is_measured_past_the_entry(self, case, zone_mm) -> None:
        """Nearer to the entry it is the entry itself: there the zone decides how thin the wall is."""
        thin = replace(case, rules=replace(RULES, entry_zone_mm=zone_mm))
        tunnel = measure_tunnel(thin.hip, *at_entry(thin, case.tunnel.entry_mm), case.tunnel.target_mm)
        assert tunnel.wall_min_mm == pytest.approx(wall_mm(thin, tunnel, zone_mm), abs=0.05)
        assert (tunnel.wall_min_mm < case.tunnel.wall_min_mm - 0.5) == (zone_mm < 10.0)

    @pytest.mark.parametrize("radius_mm", [8.0, 14.0])
    def test_the_wall_is_measured_up_to_the_head(self, case, radius_mm) -> None:
        """With a sphere drawn round a point past the tunnel's end, where the wall thins towards the joint."""
        past = case.tunnel.target_mm + 10.0 * case.tunnel.axis
        anatomy = replace(case.anatomy, head_center_mm=past, head_radius_mm=radius_mm)
        drawn = replace(case, anatomy=anatomy, rules=replace(RULES, entry_zone_mm=70.0))
        hip = drawn.hip
        hip.__dict__["vessels"] = case.hip.vessels  # the sphere is not where a head would be
        tunnel = measure_tunnel(hip, *at_entry(case, case.tunnel.entry_mm), case.tunnel.target_mm)
        assert tunnel.wall_min_mm == pytest.approx(wall_of(drawn, case, tunnel, 70.0), abs=0.05)
        assert (tunnel.wall_min_mm < 2.0) == (radius_mm < 10.0)

    def test_it_stops_short_of_the_limits_by_the_doubt_in_the_surface(self, any_case) -> None:
        tunnel = any_case.tunnel
        spare_axis = tunnel.subchondral_axis_mm - RULES.subchondral_axis_mm - RULES.surface_doubt_mm
        spare_rim = tunnel.subchondral_mm - RULES.subchondral_rim_mm - RULES.surface_doubt_mm
        assert min(spare_axis, spare_rim) >= -any_case.ground.way.error_mm

    def test_it_goes_as_deep_as_the_joint_or_the_lesion_allows(self, any_case) -> None:
        """Half a millimetre further, a step of the search and the field's error, it would be too near to the joint."""
        tunnel, spare = any_case.tunnel, RULES.surface_doubt_mm + any_case.ground.way.error_mm
        further = replace(tunnel, target_mm=tunnel.target_mm + 0.3 * tunnel.axis)
        depth = -any_case.bone.signed_distance_mm(end_disc(further))
        at_the_joint = depth.min() < RULES.subchondral_rim_mm + spare or depth[0] < RULES.subchondral_axis_mm + spare
        along, beside = from_entry(any_case.lesion.points_mm, tunnel)
        assert at_the_joint or (along[beside <= 4.0] - tunnel.length_mm).max() < 0.5

    def test_no_part_of_it_lies_outside_the_bone_past_its_entry(self, any_case) -> None:
        for tunnel in any_case.found("multiple").tunnels:
            way = np.linspace(RULES.entry_zone_mm, tunnel.length_mm, 60)[:, None]
            assert any_case.bone.contains(tunnel.entry_mm + way * tunnel.axis).all()
            assert (
                off_line(brute_of(any_case).points, tunnel.entry_mm + way[0] * tunnel.axis, tunnel.target_mm).min() > 3
            )

    def test_a_small_lesion_ends_the_tunnel_at_its_far_side(self, case) -> None:
        center = case.anatomy.head_center_mm
        tunnel = case.with_lesion(center, radius_mm=3.0).tunnel
        assert np.linalg.norm(tunnel.target_mm - center) == pytest.approx(3.0, abs=0.6)
        assert tunnel.lesion_reached_fraction == pytest.approx(1.0)

    def test_a_fan_keeps_a_bridge_of_bone_past_its_mouth(self, any_case) -> None:
        tunnels = any_case.found("multiple").tunnels
        assert len(tunnels) == 4
        away = RULES.fan_mouth_mm
        for k, one in enumerate(tunnels):
            assert one.entry_mm.tobytes() == tunnels[0].entry_mm.tobytes()
            for other in tunnels[:k]:
                ways = [np.arange(away, each.length_mm, 0.5)[:, None] for each in (one, other)]
                first, second = (each.entry_mm + way * each.axis for each, way in zip((one, other), ways, strict=True))
                apart = np.linalg.norm(first[:, None] - second[None], axis=2).min()
                assert apart - one.diameter_mm >= RULES.fan_bridge_mm - 0.01


def at_entry(case: Case, entry_mm: FloatArray):
    """The planned entry as the first of a list, as `measure_tunnel` takes it."""
    return ground_of(case.hip, entry_mm).entries, 0


def wall_of(drawn: Case, case: Case, tunnel, zone_mm: float) -> float:
    """The same by brute force, with the samples of the bone itself."""
    assert drawn.bone is case.bone
    last = np.arange(zone_mm, tunnel.length_mm, 0.01)
    from_center = np.linalg.norm(tunnel.entry_mm + last[:, None] * tunnel.axis - drawn.anatomy.head_center_mm, axis=1)
    before = last[from_center > drawn.anatomy.head_radius_mm]
    ends = [tunnel.entry_mm + way * tunnel.axis for way in (before.min(), before.max())]
    return float(off_line(brute_of(case).points, *ends).min() - tunnel.diameter_mm / 2.0)


def places_mm(tunnels) -> FloatArray:
    return np.array([[tunnel.entry_mm, tunnel.target_mm] for tunnel in tunnels])


MOTIONS = {
    "turned": RigidTransform(rotation_about([0.3, -0.2, 0.9], 25.0), np.array([120.0, -300.0, 40.0]), LPS, LPS),
    "shifted": RigidTransform(np.eye(3), np.array([0.123, 200.0 / 3.0, -411.7]), LPS, LPS),
}


class TestProperties:
    @pytest.mark.parametrize("strategy", STRATEGIES)
    @pytest.mark.parametrize("motion", MOTIONS)
    def test_a_hip_moved_has_its_tunnels_moved(self, case, motion, strategy, moved) -> None:
        expected = MOTIONS[motion].points(places_mm(case.found(strategy).tunnels))
        found = places_mm(moved[motion].found(strategy).tunnels)
        assert np.linalg.norm(found - expected, axis=2).max() <= 0.05

    @settings(max_examples=2)
    @given(
        axis=st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
        degrees=st.floats(0.0, 40.0),
        shift_mm=st.tuples(*[st.floats(-500.0, 500.0)] * 3),
    )
    def test_wherever_it_is_moved(self, case, axis, degrees, shift_mm) -> None:
        motion = RigidTransform(rotation_about(axis, degrees), np.array(shift_mm), LPS, LPS)
        moved = case.moved(motion).tunnel
        assert np.linalg.norm(places_mm([moved]) - motion.points(places_mm([case.tunnel])), axis=2).max() <= 0.05
        assert moved.wall_min_mm == pytest.approx(case.tunnel.wall_min_mm, abs=0.02)

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_a_mirrored_hip_has_the_mirrored_tunnels(self, case, mirrored, strategy) -> None:
        found, expected = (hip.found(strategy).tunnels for hip in (mirrored, case))
        assert np.linalg.norm(places_mm(found) - places_mm(expected) * MIRROR, axis=2).max() <= 0.05
        for one, other in zip(found, expected, strict=True):
            assert one.off_middle == pytest.approx(other.off_middle, abs=0.005)  # front stays front

    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_the_same_case_has_the_same_tunnels_to_the_last_bit(self, case, strategy) -> None:
        again = replace(case).found(strategy)
        assert places_mm(again.tunnels).tobytes() == places_mm(case.found(strategy).tunnels).tobytes()
        assert again.score == case.found(strategy).score

    def test_a_thicker_drill_leaves_less_wall(self, case) -> None:
        kits = [with_drill(case.kit, diameter_mm=diameter) for diameter in (6.0, 8.0, 9.0)]
        walls = [
            measure_tunnel(replace(case, kit=kit).hip, *at_entry(case, case.tunnel.entry_mm), case.tunnel.target_mm)
            for kit in kits
        ]
        assert np.diff([each.wall_min_mm for each in walls]) == pytest.approx([-1.0, -0.5], abs=1e-6)
        assert np.diff([each.vessel_wall_mm for each in walls]) == pytest.approx([-1.0, -0.5], abs=1e-6)


@pytest.fixture(scope="module")
def moved(case) -> dict[str, Case]:
    return {name: case.moved(motion) for name, motion in MOTIONS.items()}


@pytest.fixture(scope="module")
def mirrored(case) -> Case:
    return case.mirrored()


@pytest.fixture(scope="module")
def rivals(case):
    """The lawful tunnels through the centroid from every fourth candidate, as deep as the planned one."""
    entries, centroid = case.ground.entries, case.lesion.centroid_mm
    past = np.linalg.norm(case.tunnel.target_mm - centroid)
    tunnels = []
    for k in range(0, len(entries.points_mm), 4):
        target = centroid + past * unit(centroid - entries.points_mm[k])
        tunnel = measure_tunnel(case.hip, entries, k, target)
        if not broken_rules(tunnel, RULES):
            tunnels.append(tunnel)
    assert len(tunnels) > 15
    return tunnels


# What speaks against a tunnel, by the weight it has; with aims that not every tunnel meets.
AIMS = {"aim_wall_mm": 8.0, "aim_obliquity_deg": 30.0}
TERMS = {
    "weight_middle": lambda tunnel: tunnel.off_middle**2,
    "weight_wall": lambda tunnel: max(0.0, AIMS["aim_wall_mm"] - tunnel.wall_min_mm),
    "weight_lesser": lambda tunnel: max(0.0, RULES.aim_above_lesser_mm - tunnel.above_lesser_mm),
    "weight_angle": lambda tunnel: abs(tunnel.shaft_angle_deg - RULES.aim_shaft_angle_deg),
    "weight_obliquity": lambda tunnel: max(0.0, tunnel.obliquity_deg - AIMS["aim_obliquity_deg"]),
}


class TestBest:
    """With one soft term alone, no lawful tunnel serves it better than the one that is taken."""

    @pytest.mark.parametrize("term", TERMS)
    def test_each_aim_is_served(self, case, rivals, term) -> None:
        alone = {name: float(name == term) for name in (*TERMS, "weight_doubt")}
        best = case.plan(rules=replace(RULES, **alone, **AIMS))
        misses = [TERMS[term](rival) for rival in rivals]
        assert TERMS[term](best) <= min(misses) + 0.1  # by so much the distance field may mislead
        assert max(misses) > min(misses) + 0.1  # there was something to choose

    # What is 1 mm, a tenth or 5 or 10 degrees beside every aim, and what it costs.
    @pytest.mark.parametrize(
        ("missed", "cost"),
        [
            ({}, 0.0),
            ({"wall": 4.0}, 1.0 * 0.5**2),
            ({"wall": 3.3}, 1.0 * 0.85**2 + 4.0 * 0.5**2),  # doubtful: within 0.6 mm of its limit
            ({"off_middle": -0.1}, 4.0 * 0.01),
            ({"above_lesser_mm": 6.0}, 0.5 * 0.5**2),
            ({"shaft_angle_deg": 122.0}, 1.0),
            ({"obliquity_deg": 55.0}, 1.0),
            ({"keep_out_mm": 3.0}, 4.0),
        ],
    )
    def test_costs_are_weighted_squares(self, missed, cost) -> None:
        fine = {"wall": 9.0, "shaft_angle_deg": 132.0, "obliquity_deg": 40.0, "off_middle": 0.0, "above_lesser_mm": 9.0}
        assert float(soft_costs(RULES, **(fine | missed))) == pytest.approx(cost)

    def test_a_rule_made_harder_moves_the_tunnel(self, case) -> None:
        harder = case.plan(rules=replace(RULES, wall_min_mm=case.tunnel.wall_min_mm + 0.3))
        assert harder.wall_min_mm >= case.tunnel.wall_min_mm + 0.3
        assert harder.entry_mm != pytest.approx(case.tunnel.entry_mm, abs=0.5)


class TestOrdered:
    def on_bone(self, case, point: FloatArray) -> FloatArray:
        return case.bone.nearest(np.asarray(point)[None])[2][0]

    @pytest.mark.parametrize("off_mm", [(0.0, -1.0, -2.0), (0.0, -2.0, 3.0)])
    def test_an_ordered_entry_is_the_entry(self, case, off_mm) -> None:
        entry = self.on_bone(case, case.tunnel.entry_mm + off_mm)
        tunnel = case.plan(entry_mm=entry)
        assert tunnel.entry_mm == pytest.approx(entry, abs=1e-6)
        assert tunnel.centroid_distance_mm <= 1e-6
        assert broken_rules(tunnel, RULES) == ()

    def test_an_ordered_entry_is_that_of_a_plan_for_reach_too(self, case) -> None:
        entry = self.on_bone(case, case.tunnel.entry_mm + [0.0, -1.0, -2.0])
        tunnel = most_of_the_lesion(ground_of(case.hip, entry)).tunnels[0]
        assert tunnel.entry_mm == pytest.approx(entry, abs=1e-6)

    def test_the_planned_entry_ordered_gives_the_planned_tunnel(self, case) -> None:
        tunnel = case.plan(entry_mm=case.tunnel.entry_mm)
        assert tunnel.target_mm == pytest.approx(case.tunnel.target_mm, abs=0.3)  # another corridor, another field
        assert tunnel.off_middle == pytest.approx(case.tunnel.off_middle, abs=1e-6)

    def test_an_ordered_target_is_the_target(self, case) -> None:
        target = case.tunnel.target_mm - 2.0 * case.tunnel.axis + [1.0, 1.5, -1.0]
        tunnel = case.plan(target_mm=target)
        assert tunnel.target_mm == pytest.approx(target, abs=1e-9)
        assert broken_rules(tunnel, RULES) == ()
        beside = np.linalg.norm(across(case.lesion.centroid_mm - tunnel.entry_mm, tunnel.axis))
        assert tunnel.centroid_distance_mm == pytest.approx(beside) != pytest.approx(0.0, abs=0.5)

    def test_entry_and_target_ordered_are_the_tunnel(self, case) -> None:
        entry, target = self.on_bone(case, case.tunnel.entry_mm + [0.0, 2.0, 3.0]), case.lesion.centroid_mm
        tunnel = case.plan(entry_mm=entry, target_mm=target)
        assert tunnel.entry_mm == pytest.approx(entry, abs=1e-6)
        assert tunnel.target_mm == pytest.approx(target, abs=1e-9)

    def test_an_ordered_entry_beside_the_bone_is_refused(self, case) -> None:
        off = case.tunnel.entry_mm + 6.0 * case.anatomy.lateral
        match = r"expected the ordered entry within 3 mm of the bone's surface, found it \d\.\d mm away"
        with pytest.raises(NoSafePlan, match=match) as refusal:
            case.plan(entry_mm=off)
        assert refusal.value.rule == "entry_on_bone"
        assert refusal.value.figures["distance_mm"] == pytest.approx(np.abs(case.bone.signed_distance_mm(off[None]))[0])

    @pytest.mark.parametrize(
        ("rule", "shaft_mm"),
        [
            ("entry_above_lesser_trochanter_mm", -18.0),
            ("entry_below_vastus_ridge_mm", 18.0),
        ],
    )
    def test_an_ordered_entry_above_or_below_the_window_is_refused(self, case, rule, shaft_mm) -> None:
        entry = self.on_bone(case, case.tunnel.entry_mm + shaft_mm * case.anatomy.shaft_axis)
        with pytest.raises(NoSafePlan, match=f"the nearest breaks: .*{rule} is -") as refusal:
            case.plan(entry_mm=entry)
        assert refusal.value.exit_code == 3

    @pytest.mark.parametrize("way", [1.0, -1.0])
    def test_an_ordered_entry_on_the_back_or_the_front_is_refused(self, case, way) -> None:
        anatomy = case.anatomy
        level = (case.tunnel.entry_mm - anatomy.shaft_point_mm) @ anatomy.shaft_axis * anatomy.shaft_axis
        far = (anatomy.shaft_point_mm + level + 100.0 * way * anatomy.posterior)[None]
        entry = far[0] - case.bone.ray_hits(far, -way * anatomy.posterior)[0] * way * anatomy.posterior
        with pytest.raises(NoSafePlan, match=r"the nearest breaks: .*entry_off_middle_max") as refusal:
            case.plan(entry_mm=entry)
        assert refusal.value.figures["off_middle"] == pytest.approx(-way, abs=0.01)

    def test_an_ordered_entry_on_the_head_is_refused(self, case) -> None:
        dome = self.on_bone(case, case.anatomy.head_center_mm + 30.0 * case.anatomy.shaft_axis)
        with pytest.raises(NoSafePlan, match="entry_below_vastus_ridge_mm"):
            case.plan(entry_mm=dome)

    def test_an_ordered_target_too_near_to_the_joint_is_refused(self, case) -> None:
        deep = case.tunnel.target_mm + 2.5 * case.tunnel.axis
        with pytest.raises(NoSafePlan, match=r"the nearest breaks: .*subchondral_axis_mm") as refusal:
            case.plan(rules=NARROW, target_mm=deep)
        assert refusal.value.rule.startswith("subchondral")
        assert refusal.value.figures["subchondral_axis_mm"] < RULES.subchondral_axis_mm

    def test_an_ordered_target_outside_the_bone_is_refused(self, case) -> None:
        target = case.tunnel.target_mm + 12.0 * case.tunnel.axis
        outside = case.bone.signed_distance_mm(target[None])[0]
        match = rf"expected a target inside the bone, at least 10 mm from the entry, found it {outside:.0f} mm outside"
        with pytest.raises(NoSafePlan, match=match) as refusal:
            case.plan(target_mm=target, entry_mm=case.tunnel.entry_mm)
        assert refusal.value.rule == "target_in_bone"
        assert refusal.value.figures["outside_mm"] == pytest.approx(outside)
        with pytest.raises(NoSafePlan, match="expected a target inside the bone"):
            case.plan(target_mm=target, rules=NARROW)

    @pytest.mark.parametrize("length_mm", [0.0, 9.0])
    def test_an_ordered_tunnel_of_no_length_is_refused(self, case, length_mm) -> None:
        entry, inwards = case.tunnel.entry_mm, case.tunnel.axis
        with pytest.raises(NoSafePlan, match=f"found it 0 mm outside and {length_mm:.0f} mm from the entry") as refusal:
            case.plan(entry_mm=entry, target_mm=entry + max(length_mm, 1e-6) * inwards)
        assert refusal.value.figures["length_mm"] == pytest.approx(length_mm, abs=1e-3)


FIGURES = {
    "wall_min_mm", "vessel_wall_mm", "subchondral_axis_mm", "subchondral_mm", "tool_to_joint_mm", "lesion_missed_mm",
    "shaft_angle_deg", "obliquity_deg", "above_lesser_mm", "below_ridge_mm", "off_middle",
}  # fmt: skip


class TestRefused:
    def test_a_drill_as_thick_as_the_neck(self, case) -> None:
        with pytest.raises(
            NoSafePlan, match=r"found none of \d+ candidates that does; .* Choose a thinner drill"
        ) as refusal:
            case.plan(30.0, rules=NARROW)
        assert refusal.value.rule in ("wall_min_mm", "vessel_wall_min_mm")
        assert set(refusal.value.figures) == FIGURES
        assert refusal.value.figures["wall_min_mm"] < 0.0
        assert f"wall_min_mm is {refusal.value.figures['wall_min_mm']:.1f} mm, limit 3, short by" in str(refusal.value)

    def test_a_lesion_under_the_very_surface(self, case) -> None:
        out = unit(case.lesion.centroid_mm - case.anatomy.head_center_mm)
        shallow = case.with_lesion(case.anatomy.head_center_mm + (case.anatomy.head_radius_mm - 2.0) * out, 1.5)
        with pytest.raises(NoSafePlan, match=r"the nearest breaks: .*subchondral") as refusal:
            replace(shallow, rules=NARROW).found("centroid")
        assert refusal.value.rule.startswith("subchondral")
        assert refusal.value.figures["subchondral_axis_mm"] < RULES.subchondral_axis_mm

    def test_the_figures_are_those_of_the_tunnel_that_came_nearest(self, case, rivals) -> None:
        """Ask for more wall than any tunnel has: the best wall there is must be named."""
        widest = max(rival.wall_min_mm for rival in rivals)
        with pytest.raises(NoSafePlan, match="the nearest breaks: wall_min_mm is ") as refusal:
            case.plan(rules=replace(RULES, wall_min_mm=widest + 2.0))
        assert refusal.value.rule == "wall_min_mm"
        assert widest - 0.15 <= refusal.value.figures["wall_min_mm"] < widest + 2.0

    def test_a_drill_that_is_too_short(self, case) -> None:
        short = with_drill(case.kit, length_mm=100.0)
        with pytest.raises(NoSafePlan, match=r"the nearest breaks: .*drill_length_mm is -"):
            replace(case, kit=short, rules=NARROW).found("centroid")

    def test_a_shorter_tunnel_is_found_where_the_drill_does_not_reach_the_end(self, case) -> None:
        """The planned tunnel takes all but 5 mm of the drill: with 10 mm less there is one that ends earlier."""
        free = case.tunnel
        reading = free.depth_reading_mm
        to_centroid = np.linalg.norm(case.lesion.centroid_mm - free.entry_mm)
        short = with_drill(case.kit, length_mm=reading - (free.length_mm - to_centroid) / 2.0)
        assert replace(case, kit=short).tunnel.drill_spare_mm >= 0.0

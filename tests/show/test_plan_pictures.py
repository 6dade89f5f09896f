"""The pictures of a plan: cuts that are true to the surfaces, marks where the figures are of, and nothing left out."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh

from guidegen.bone.anatomy import Anatomy
from guidegen.frames import unit
from guidegen.plan.error_budget import ErrorBudget
from guidegen.plan.planning import Plan, Proposal
from guidegen.plan.rules import Broken, Rules
from guidegen.plan.trade_off import Trade, least_spare_mm
from guidegen.plan.tunnel import Tunnel
from guidegen.plan.volumes import Volumes
from guidegen.show.canvas import SHEET
from guidegen.show.cut_drawing import tunnel_outline_mm
from guidegen.show.paper import area, blank, png
from guidegen.show.plan_pictures import plan_pictures
from guidegen.show.section import Cut, cuts_through, outline_path, outlines_mm
from guidegen.show.strategies_view import strategies_figure
from guidegen.show.thin_places import nearest_to_joint, thinnest_wall
from guidegen.show.trade_off_chart import NAME_HEIGHT, _levels, spare_mm, trade_off_figure
from guidegen.show.tunnel_cuts import tunnel_figure
from guidegen.surfaces import Surface

HEAD_MM = np.array([90.0, -12.0, -600.0])
BONE_MM, BONE_RADIUS = np.array([0.0, 0.0, -20.0]), 62.0  # of the made-up bone, medial, posterior and up from the head
FLAT = np.array([[0.0, 0.0], [0.0, 4.0]])
CONE = np.array([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])
PATIENT = "z_0.7-L"


def at(side: str, medial: float, posterior: float, up: float) -> np.ndarray:
    return HEAD_MM + [-medial if side == "left" else medial, posterior, up]


def anatomy_of(side: str) -> Anatomy:
    return Anatomy(
        side=side,
        head_center_mm=HEAD_MM,
        head_radius_mm=24.0,
        neck_isthmus_center_mm=at(side, -20, 0, -15),
        neck_axis=unit(at(side, 0.8, 0, 0.6) - HEAD_MM),
        shaft_point_mm=at(side, -45, 0, -100),
        shaft_axis=np.array([0.0, 0, 1]),
        lesser_trochanter_mm=at(side, -30, 15, -65),
        greater_trochanter_mm=at(side, -50, 5, 10),
        vastus_ridge_mm=at(side, -60, 0, -25),
        neck_shaft_angle_deg=127.0,
        head_rms_mm=0.2,
        shaft_is_short=False,
    )


@cache
def sphere(radius: float, medial: float = 0.0, up: float = 0.0, side: str = "left") -> Surface:
    mesh = trimesh.creation.icosphere(5, radius)
    return Surface(mesh.vertices + at(side, medial, 0.0, up), mesh.faces)


def hip(side: str = "left") -> Any:
    bone = sphere(BONE_RADIUS, float(BONE_MM[0]), float(BONE_MM[2]), side)
    return SimpleNamespace(
        anatomy=anatomy_of(side),
        bone=SimpleNamespace(surface=bone),
        lesion=SimpleNamespace(surface=sphere(9.0, 2.0, 6.0, side)),
        keep_out=SimpleNamespace(surface=None),
    )


def tunnel(side: str = "left", behind: float = 0.0, outline: np.ndarray = FLAT, **changes: Any) -> Tunnel:
    return Tunnel(
        entry_mm=at(side, -50.0, behind, -50.0),
        target_mm=at(side, 4.0, behind, 10.0),
        diameter_mm=8.0,
        outline_mm=outline,
        **{
            "wall_min_mm": 3.6, "vessel_wall_mm": 7.0, "subchondral_mm": 4.4, "subchondral_axis_mm": 5.3,
            "tool_to_joint_mm": 4.1, "lesion_reached_fraction": 0.3,
            "lesion_missed_mm": 0.0, "centroid_distance_mm": 0.0,
            "shaft_angle_deg": 132.0, "obliquity_deg": 20.0, "off_middle": 0.1, "above_lesser_mm": 15.0,
            "below_ridge_mm": 25.0, "sleeve_offset_mm": 40.0, "depth_reading_mm": 120.7, "drill_spare_mm": 40.0,
            "cost": 1.0,
        } | changes,
    )  # fmt: skip


def proposal(strategy: str = "centroid", *tunnels: Tunnel, reached: float = 0.3, broken: Any = ()) -> Proposal:
    budget = ErrorBudget(
        1.0, 2.0, 1.0, 2.0, 0.5, 1.0, 0.5, 1.1, 3.25, 0.99, 0.0, 0.207, (), "seat turn", None, "assumed", 0.7, 1.0
    )  # fmt: skip
    own = replace(budget, to_lesion_p95_mm=2.25)
    tunnels = tunnels or (tunnel(),)
    return Proposal(
        strategy=strategy,
        kit="core-8",
        tunnels=tunnels,
        broken=(tuple(broken),) * len(tunnels),
        score=1.0,
        certificate=None,
        volumes=Volumes(9000.0, 5000.0, reached * 9000.0, 900.0, 8100.0 - reached * 9000.0, 6.0, ()),
        budgets=(own,) * len(tunnels),
        assumed_budgets=(budget,) * len(tunnels),
        simulated=(),
        steps=((),) * len(tunnels),
        warnings=(),
    )


def plan(chosen: Proposal | None = None, *alternatives: Proposal, trades: int = 3) -> Plan:
    curve = tuple(
        Trade(float(k), k + 0.25, tunnel(lesion_reached_fraction=0.4 - 0.1 * k)) for k in range(trades)
    )  # fmt: skip
    return Plan(chosen, alternatives, (), curve, (), "")


def drawn(figure: Any, gid: str) -> list[Any]:
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def words(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def places_of(figure: Any, word: str) -> list[np.ndarray]:
    """Where on the sheet, in pixels from its lower left corner, this word stands."""
    from matplotlib.text import Text

    texts = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_text() == word)
    return [text.get_transform().transform(text.get_position()) for text in texts]


def enclosed(loop: np.ndarray) -> float:
    after = np.roll(loop, -1, axis=0)
    return float((loop[:, 0] * after[:, 1] - loop[:, 1] * after[:, 0]).sum() / 2.0)


@pytest.mark.parametrize("off_mm", [0.0, 10.0, -21.5])
def test_a_plane_cuts_a_sphere_in_its_circle(off_mm: float) -> None:
    surface = sphere(24.0)
    right, up = unit([1.0, 2.0, -0.5]), np.zeros(3)
    up = unit(np.cross([0.3, 0.1, 1.0], right))
    cut = Cut(HEAD_MM + off_mm * np.cross(right, up), right, up)
    (loop,) = outlines_mm(surface, cut)
    radius = np.sqrt(24.0**2 - off_mm**2)
    np.testing.assert_allclose(np.linalg.norm(loop, axis=1), radius, atol=0.05)
    assert enclosed(loop) == pytest.approx(np.pi * radius**2, rel=0.003)
    assert outlines_mm(surface, replace(cut, origin_mm=HEAD_MM + 25.0 * np.cross(right, up))) == []


def test_a_hole_runs_the_other_way_and_stays_a_hole() -> None:
    from matplotlib.patches import PathPatch
    from PIL import Image

    outer, inner = sphere(24.0), sphere(10.0)
    shell = Surface(
        np.concatenate([outer.vertices, inner.vertices]),
        np.concatenate([outer.faces, inner.faces[:, ::-1] + len(outer.vertices)]),
    )
    cut = Cut(HEAD_MM, np.array([1.0, 0, 0]), np.array([0.0, 0, 1]))
    outside, hole = sorted(outlines_mm(shell, cut), key=enclosed, reverse=True)
    assert enclosed(outside) > 0.0 > enclosed(hole)
    figure = blank(PATIENT, "left", "")
    axes = area(figure, 0.0, 0.0, *SHEET)
    axes.set(xlim=(-40.0, 40.0), ylim=(-30.0, 30.0))
    axes.add_artist(PathPatch(outline_path([outside, hole]), facecolor="black"))
    row = np.asarray(Image.open(io.BytesIO(png(figure))).convert("L"))[SHEET[1] // 2]
    assert [row[SHEET[0] // 2 + 15 * x] < 128 for x in (0, 15, 30)] == [False, True, False]


def test_a_surface_with_a_border_is_refused() -> None:
    whole = sphere(24.0)
    open_one = Surface(whole.vertices, whole.faces[whole.face_centers_mm[:, 0] > HEAD_MM[0] - 10.0])
    cut = Cut(HEAD_MM, np.array([1.0, 0, 0]), np.array([0.0, 0, 1]))
    with pytest.raises(ValueError, match="expected a closed surface, found one with a border"):
        outlines_mm(open_one, cut)


@pytest.mark.parametrize("side", ["left", "right"])
def test_both_cuts_hold_the_axis_and_are_laid_out_alike(side: str) -> None:
    anatomy, axis = anatomy_of(side), unit(at(side, 0.6, 0.2, 0.7) - HEAD_MM)
    first, second = cuts_through(HEAD_MM, axis, anatomy)
    for cut in (first, second):
        assert abs(axis @ cut.toward) < 1e-12
        assert np.sign(cut.right @ anatomy.lateral) == (1.0 if side == "left" else -1.0)
    np.testing.assert_allclose(first.up, anatomy.shaft_axis)
    assert first.toward @ anatomy.posterior < 0.0  # seen from the front
    assert second.up @ anatomy.posterior < 0.0  # the front of the body is up,
    assert second.toward @ anatomy.shaft_axis < 0.0  # seen from the feet
    assert abs(first.toward @ second.toward) < 1e-12


def test_an_outline_has_the_shape_of_the_end_and_is_shorter_when_it_leans() -> None:
    bored = tunnel(outline=CONE)
    first, _ = cuts_through(bored.entry_mm, bored.axis, anatomy_of("left"))
    corners = tunnel_outline_mm(first, bored, 5.0)
    axis2 = first.flat_mm(bored.entry_mm + bored.axis)
    half = [0.0, -2.0, -4.0, -4.0, -bored.length_mm - 5.0]
    np.testing.assert_allclose(corners @ axis2 - bored.length_mm, [*half, *half[::-1]], atol=1e-9)
    np.testing.assert_allclose(np.abs(corners @ [-axis2[1], axis2[0]]), [0, 2, 4, 4, 4, 4, 4, 4, 2, 0], atol=1e-9)
    leaning = replace(bored, target_mm=bored.entry_mm + bored.length_mm * unit(bored.axis + first.toward))
    seen = tunnel_outline_mm(first, leaning, 0.0)
    assert (seen @ axis2).max() == pytest.approx(leaning.length_mm / np.sqrt(2.0))
    assert np.abs(seen @ [-axis2[1], axis2[0]]).max() == pytest.approx(4.0)


def test_thin_places_lie_where_a_sphere_has_them() -> None:
    """The tunnel passes the middle of the spherical bone by: its wall is least at the far end of where it counts."""
    side, anatomy, rules = "left", anatomy_of("left"), Rules()
    bone, middle = sphere(BONE_RADIUS, 0.0, float(BONE_MM[2])), at("left", *BONE_MM)
    bored = tunnel(side, behind=30.0)
    wall = thinnest_wall(bone, anatomy, bored, rules)
    ways = np.arange(rules.entry_zone_mm, bored.length_mm, 0.01)  # the axis passes the head's sphere by
    depth = BONE_RADIUS - np.linalg.norm(bored.entry_mm + ways[:, None] * bored.axis - middle, axis=1)
    assert wall.gap_mm == pytest.approx(depth.min() - 4.0, abs=0.1)
    assert np.linalg.norm(wall.on_bone_mm - wall.on_tool_mm) == pytest.approx(wall.gap_mm, abs=0.15)
    joint = nearest_to_joint(bone, anatomy, bored, rules)
    beside = np.linalg.norm(np.cross(bored.target_mm - middle, bored.axis))
    along = float((bored.target_mm - middle) @ bored.axis)
    assert joint.gap_mm == pytest.approx(BONE_RADIUS - np.hypot(along, beside + 4.0), abs=0.1)  # at the rim
    assert np.linalg.norm(joint.on_bone_mm - joint.on_tool_mm) == pytest.approx(joint.gap_mm, abs=1e-6)
    out = thinnest_wall(sphere(30.0, 0.0, float(BONE_MM[2])), anatomy, bored, rules)
    assert out.gap_mm < -4.0  # the axis itself is outside


def test_the_spare_distance_is_that_of_the_curve() -> None:
    for changes, spare in (
        ({"wall_min_mm": 3.1}, 0.1),
        ({"vessel_wall_mm": 4.0}, -1.0),
        ({"subchondral_axis_mm": 5.2}, 0.2),
        ({"tool_to_joint_mm": 3.05}, 0.05),
    ):
        bored = tunnel(**changes)
        assert least_spare_mm(bored, Rules()) == pytest.approx(spare)
        assert spare_mm((tunnel(), bored)) == pytest.approx(spare)
    assert spare_mm((tunnel(vessel_wall_mm=4.0),)) == pytest.approx(-1.0)


def test_the_chart_shows_curve_and_proposals_where_they_are() -> None:
    chosen = proposal("ordered", tunnel(wall_min_mm=2.0), reached=0.25)
    figure = trade_off_figure(plan(chosen, proposal("coverage", reached=0.5)), "left", PATIENT)
    (axes,) = figure.axes
    (curve,) = drawn(figure, "curve")
    np.testing.assert_allclose(curve.get_xydata(), [(0.25, 40.0), (1.25, 30.0), (2.25, 20.0)])
    for name, place in (("ordered", (-1.0, 25.0)), ("coverage", (0.3, 50.0))):
        (mark,) = drawn(figure, name)
        np.testing.assert_allclose(mark.get_xydata(), [place])
        assert axes.viewLim.contains(*place)
    found = words(figure)
    for text in (
        f"{PATIENT}   LEFT hip",
        "ordered, chosen",
        "25.0 %, spare -1.0 mm",
        "coverage",
        "50.0 %, spare 0.3 mm",
    ):
        assert text in found
    assert axes.get_xlabel().endswith("(mm)")
    assert axes.get_ylabel().endswith("(%)")
    assert "No tunnel found keeps every limit." not in found
    assert "No tunnel found keeps every limit." in words(trade_off_figure(plan(chosen, trades=0), "left", PATIENT))


def test_names_keep_their_order_and_their_distance() -> None:
    wanted = np.array([300.0, 100.0, 110.0, 105.0])
    found = _levels(wanted)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(wanted))
    assert (np.diff(np.sort(found)) >= NAME_HEIGHT).all()
    assert (found >= wanted).all()
    assert found[1] == 100.0


@pytest.mark.parametrize("side", ["left", "right"])
def test_both_cuts_of_the_tunnel_are_to_one_scale_and_the_right_way_round(side: str) -> None:
    figure = tunnel_figure(hip(side), proposal("centroid", tunnel(side)), PATIENT)
    front, axial = figure.axes
    per_pixel = [np.ptp(axes.viewLim.get_points(), axis=0) / axes.get_window_extent().size for axes in (front, axial)]
    np.testing.assert_allclose(per_pixel, per_pixel[0][0])
    for bar in drawn(figure, "scale bar"):
        assert np.ptp(bar.get_xdata()) == pytest.approx(10.0)
    (lateral,), (medial,) = places_of(figure, "LATERAL"), places_of(figure, "MEDIAL")
    assert (lateral[0] > medial[0]) == (side == "left")
    (proximal,), (distal,) = places_of(figure, "PROXIMAL"), places_of(figure, "DISTAL")
    assert proximal[1] > distal[1]
    (anterior,), (posterior,) = places_of(figure, "ANTERIOR"), places_of(figure, "POSTERIOR")
    assert anterior[1] > posterior[1]
    assert f"{PATIENT}   {side.upper()} hip" in words(figure)
    for gid, height in (("vastus ridge", 25.0), ("lesser trochanter", -15.0)):  # from the entry
        (line,) = drawn(figure, gid)
        np.testing.assert_allclose(line.get_ydata(), height)
    (window,) = drawn(figure, "entry window")
    assert (window.get_xdata()[0] > 0.0) == (side == "left")  # lateral of the entry


def test_the_figures_of_the_plan_stand_at_its_thinnest_places() -> None:
    figure = tunnel_figure(hip(), proposal("multiple", tunnel(), tunnel(behind=10.0, wall_min_mm=3.14)), PATIENT)
    found = words(figure)
    for text in ("wall 3.1 mm", "joint 4.1 mm", "15.0 mm", "132°", "1", "2", "8 × 80.7 mm"):
        assert text in found
    assert not any("BREAKS" in text for text in found)
    for name in ("wall 3.1 mm", "joint 4.1 mm"):
        (mark,) = drawn(figure, name)
        bone = mark.axes.findobj(lambda artist: artist.get_gid() == "bone")[0].get_path()
        assert bone.contains_point(mark.get_xydata()[0])
        (place,) = places_of(figure, name)
        assert not bone.contains_point(mark.axes.transData.inverted().transform(place))
    assert [len(drawn(axes, "axis")) for axes in figure.axes] == [1, 1]  # only that in the planes
    assert [len(drawn(axes, "tunnel")) for axes in figure.axes] == [2, 2]


@pytest.mark.parametrize(("behind", "shown_in"), [(2.0, 0), (30.0, 1)])
def test_a_distance_is_drawn_in_the_cut_that_it_lies_nearer_to(behind: float, shown_in: int) -> None:
    figure = tunnel_figure(hip(), proposal("centroid", tunnel(behind=behind)), PATIENT)
    (mark,) = drawn(figure, "wall 3.6 mm")
    assert mark.axes is figure.axes[shown_in]


def test_a_broken_rule_is_told_in_the_drawings() -> None:
    broken = [Broken("wall_min_mm", 2.0, 3.0, "mm", True), Broken("obliquity_max_deg", 65.0, 60.0, "°", True)]
    chosen = proposal("ordered", broken=broken)
    assert "BREAKS: axis to the cortex's normal, wall to the outer cortex" in words(
        tunnel_figure(hip(), chosen, PATIENT)
    )
    found = words(strategies_figure(hip(), plan(chosen, proposal()), PATIENT))
    assert found.count("BREAKS 2 RULES") == 1


def test_what_is_kept_out_is_drawn() -> None:
    assessed = hip()
    assert not drawn(tunnel_figure(assessed, proposal(), PATIENT), "kept out")
    assessed.keep_out.surface = sphere(5.0, -20.0, -20.0)
    assert "Kept out" in words(tunnel_figure(assessed, proposal(), PATIENT))


def test_every_proposal_has_its_column() -> None:
    several = proposal("multiple", tunnel(), tunnel(behind=6.0, wall_min_mm=3.3), reached=0.5)
    figure = strategies_figure(hip(), plan(proposal("ordered"), proposal(), several), PATIENT)
    assert [len(drawn(axes, "tunnel")) for axes in figure.axes] == [1, 1, 2]
    found = words(figure)
    for text in ("ordered, chosen", "centroid", "multiple", f"{PATIENT}   LEFT hip"):
        assert text in found
    assert found.count("40.0 %") == 2
    assert found.count("60.0 %") == 1
    assert found.count("5400 mm³") == 2
    assert found.count("3600 mm³") == 1
    assert found.count("20.7 %") == 3
    assert found.count("3.6 mm") == 2
    assert found.count("3.3 mm") == 4  # the thin wall, and three tips that are 3.25 mm off


def test_there_is_a_picture_of_all_that_there_is_and_the_same_bytes_again() -> None:
    from PIL import Image

    whole = plan(proposal(), proposal("coverage"))
    pictures = plan_pictures(hip(), whole, PATIENT)
    assert list(pictures) == ["trade_off.png", "cuts.png", "strategies.png"]
    assert all(Image.open(io.BytesIO(content)).size == SHEET for content in pictures.values())
    assert pictures == plan_pictures(hip(), whole, PATIENT)
    assert list(plan_pictures(hip(), plan(None, proposal()), PATIENT)) == ["trade_off.png", "strategies.png"]
    assert list(plan_pictures(hip(), plan(None, trades=0), PATIENT)) == ["trade_off.png"]

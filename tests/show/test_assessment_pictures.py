"""The pictures of an assessment: they show what was graded, where it lies, to scale, and with the same bytes again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from guidegen.bone.anatomy import Anatomy, Uncertainties
from guidegen.lesion.grade import Measured
from guidegen.lesion.grades import grade_lesion
from guidegen.lesion.head_frame import femoral_frame
from guidegen.lesion.lattice import lattice
from guidegen.lesion.lesion import Lesion
from guidegen.lesion.necrotic_surface import Necrosis
from guidegen.show.assessed import Assessed
from guidegen.show.assessment_pictures import assessment_pictures
from guidegen.show.axes_view import axes_figure, landmarks, table_rows
from guidegen.show.canvas import SHEET
from guidegen.show.head_planes import Sight, acetabular_figure, femoral_plane_figure, outline_mm, resampled
from guidegen.show.paper import degrees, percent, worded
from guidegen.show.polar_map import directions_at, place_on_map, polar_figure, polar_map, radius_on_map
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

CENTER_MM = np.array([90.0, -12.0, -600.0])
RADIUS_MM = 24.0
HALF_DEG, TILT_DEG = 40.0, 20.0  # a cone of dead bone, leaning to medial
CUP_DEG = (-35.0, 115.0)
DOUBT = Uncertainties(1.0, 0.5, 4.0, 2.0, 1.5, 3.0, 5.0, 8.0, 2.5, 2.5, None)


@cache
def ball() -> Surface:
    mesh = trimesh.creation.icosphere(5, RADIUS_MM)
    return Surface(mesh.vertices + CENTER_MM, mesh.faces)


def anatomy_of(side: str) -> Anatomy:
    medial = -1.0 if side == "left" else 1.0

    def at(m: float, posterior: float, up: float) -> np.ndarray:
        return CENTER_MM + [m * medial, posterior, up]

    return Anatomy(
        side=side,
        head_center_mm=CENTER_MM,
        head_radius_mm=RADIUS_MM,
        neck_isthmus_center_mm=at(-20, 0, -15),
        neck_axis=np.array([0.8 * medial, 0.0, 0.6]),
        shaft_point_mm=at(-45, 0, -100),
        shaft_axis=np.array([0.0, 0, 1]),
        lesser_trochanter_mm=at(-30, 15, -65),
        greater_trochanter_mm=at(-50, 5, 10),
        vastus_ridge_mm=at(-60, 0, -25),
        neck_shaft_angle_deg=127.0,
        head_rms_mm=0.2,
        shaft_is_short=False,
        neck_version_missing="no condyles here",
        uncertainty=DOUBT,
    )


def grid(half_mm: float, spacing_mm: float) -> tuple[np.ndarray, Volume]:
    """Points of a grid round the head centre, in LPS from it, and the empty label of them."""
    count = int(2.0 * half_mm / spacing_mm)
    empty = Volume(np.zeros((count,) * 3, bool), [spacing_mm] * 3, np.eye(3), CENTER_MM - spacing_mm * (count - 1) / 2)
    return empty.to_lps(np.stack(np.indices((count,) * 3), axis=-1)) - CENTER_MM, empty


@cache
def hip(side: str = "left", top_mm: float = RADIUS_MM) -> dict[str, Any]:
    """A ball of bone, a cone of lesion in it up to `top_mm` from its centre, a cup of pelvis over it, and a ramp."""
    flip = np.array([-1.0 if side == "left" else 1.0, -1.0, 1.0])  # LPS to medial, anterior, superior
    at, empty = grid(RADIUS_MM + 3.0, 0.8)
    axis = np.array([np.sin(np.radians(TILT_DEG)), 0.0, np.cos(np.radians(TILT_DEG))])
    way = np.linalg.norm(at, axis=-1)
    dead = (way <= top_mm) & (at * flip @ axis >= way * np.cos(np.radians(HALF_DEG)))
    points = empty.to_lps(np.argwhere(dead))
    volume = len(points) * empty.voxel_volume_mm3
    lesion = Lesion(volume, points.mean(axis=0), volume / (4.0 / 3.0 * np.pi * RADIUS_MM**3), points, ball(), None)
    around, cup = grid(46.0, 1.0)
    m, _, up = np.moveaxis(around * flip, -1, 0)
    angle, out = np.degrees(np.arctan2(m, up)), np.hypot(m, up)
    wall = (out > RADIUS_MM + 3.5) & (out < RADIUS_MM + 12.0) & (angle > CUP_DEG[0]) & (angle < CUP_DEG[1])
    pelvis = replace(cup, voxels=wall)
    return {
        "bone": ball(),
        "lesion": lesion,
        "anatomy": anatomy_of(side),
        "grades": grade_lesion(lesion, ball(), anatomy_of(side), pelvis),
        "pelvis": pelvis,
        "image": replace(cup, voxels=(10.0 * around[..., 2]).astype(np.int16)),
        "patient_id": "z_0.7-L",
    }


def assessed(side: str = "left", top_mm: float = RADIUS_MM) -> Assessed:
    made = hip(side, top_mm)
    voxels = lattice(made["lesion"].points_mm, 0.8**3)
    return Assessed(made["patient_id"], side, made["bone"], voxels, made["grades"], made["pelvis"], made["image"])


def drawn(figure: Any, gid: str) -> list[Any]:
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def words(figure: Any) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def word_at(figure: Any, word: str) -> np.ndarray:
    """Where on the sheet, in pixels from its lower left corner, this word stands."""
    from matplotlib.text import Text

    (text,) = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_text() == word)
    return text.get_transform().transform(text.get_position())


def angles_of(line: Any) -> tuple[float, float]:
    """The angles from straight up, positive to the right, at which a drawn wedge begins and ends."""
    corners = line.get_xydata()
    np.testing.assert_array_equal(corners[[0, -1]], 0.0)
    begin, end = (float(np.degrees(np.arctan2(*corners[k]))) for k in (1, -2))
    return begin, end


# What the planes show.


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_drawn_arc_is_that_of_the_cone_and_lies_on_its_side(side: str) -> None:
    turn = -1.0 if side == "left" else 1.0  # on a right hip, seen from the front, medial is to the right
    figure = femoral_plane_figure(assessed(side), "coronal")
    (line,) = drawn(figure, "arc")
    begin, end = angles_of(line)
    np.testing.assert_allclose([turn * begin, turn * end], [TILT_DEG - HALF_DEG, TILT_DEG + HALF_DEG], atol=3.0)
    arcs = hip(side)["grades"].arcs
    assert abs(end - begin) == pytest.approx(arcs.coronal_deg.value, abs=1e-9)
    assert degrees(arcs.coronal_deg.value) == drawn(figure, "angle")[0].get_text()


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_sagittal_arc_is_that_of_the_cone_with_anterior_to_the_left_on_both_sides(side: str) -> None:
    figure = femoral_plane_figure(assessed(side), "sagittal")
    half = np.degrees(np.arccos(np.cos(np.radians(HALF_DEG)) / np.cos(np.radians(TILT_DEG))))
    (line,) = drawn(figure, "arc")
    np.testing.assert_allclose(angles_of(line), [half, -half], atol=3.0)  # from posterior to anterior
    assert word_at(figure, "ANTERIOR")[0] < word_at(figure, "POSTERIOR")[0]


def test_the_sides_of_the_coronal_plane_are_named() -> None:
    for side, first, second in (("left", "MEDIAL", "LATERAL"), ("right", "LATERAL", "MEDIAL")):
        for figure in (femoral_plane_figure(assessed(side), "coronal"), polar_figure(assessed(side))):
            assert word_at(figure, first)[0] < word_at(figure, second)[0]
    assert word_at(femoral_plane_figure(assessed(), "coronal"), "SUPERIOR")[1] > SHEET[1] / 2.0
    assert word_at(polar_figure(assessed()), "ANTERIOR")[1] > SHEET[1] / 2.0


def test_a_plane_says_whose_hip_it_shows_which_side_and_every_angle_with_its_range() -> None:
    grades = hip()["grades"]
    said = words(femoral_plane_figure(assessed(), "coronal"))
    assert "z_0.7-L   LEFT hip" in said
    for measured, write in (
        (grades.arcs.coronal_deg, degrees),
        (grades.arcs.kerboul_deg, degrees),
        (grades.extent.weight_bearing_share, percent),
    ):
        assert set(worded(measured, write)) <= set(said)
    assert worded(grades.arcs.coronal_deg, degrees)[1] == (
        f"{grades.arcs.coronal_deg.low:.1f}° to {grades.arcs.coronal_deg.high:.1f}°"
    )


def test_what_is_not_computable_says_why() -> None:
    assert worded(Measured.none("the plane shows none"), degrees) == ("not computable", "the plane shows none")


def test_a_lesion_off_the_plane_leaves_no_arc() -> None:
    made = assessed()
    gone = replace(
        made,
        voxels=replace(made.voxels, origin_mm=made.voxels.origin_mm + [0.0, 60.0, 0.0]),
        grades=replace(made.grades, arcs=replace(made.grades.arcs, coronal=None, coronal_deg=Measured(0.0, 0.0, 9.0))),
    )
    figure = femoral_plane_figure(gone, "coronal")
    assert drawn(figure, "arc") == []
    assert drawn(figure, "lesion") == []
    assert "0.0° to 9.0°" in words(figure)


def test_the_scale_bar_is_true() -> None:
    figure = femoral_plane_figure(assessed(), "coronal")
    (bar,) = drawn(figure, "scale bar")
    (circle,) = drawn(figure, "head circle")
    on_sheet = circle.axes.transData.transform(circle.get_xydata())
    length = np.ptp(bar.get_xdata()) * SHEET[0]
    assert np.ptp(on_sheet, axis=0) / length == pytest.approx(2.0 * RADIUS_MM / 20.0, rel=1e-3)


def test_the_weight_bearing_zone_is_as_wide_as_it_is_defined() -> None:
    (zone,) = drawn(femoral_plane_figure(assessed(), "sagittal"), "Weight-bearing zone")
    x, y = zone.get_xydata().T
    half = hip()["grades"].definitions.weight_bearing_half_angle_deg
    np.testing.assert_allclose(np.degrees(np.arctan2(x, y))[[0, -1]], [half, -half], atol=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_acetabulum_is_marked_where_it_ends(side: str) -> None:
    made, turn = assessed(side), -1.0 if side == "left" else 1.0
    graded = made.grades.acetabular[0]
    for figure in (femoral_plane_figure(made, "coronal"), acetabular_figure(made, made.pelvis, graded)):
        (edge,) = drawn(figure, "Acetabular edge")
        assert turn * np.degrees(np.arctan2(*edge.get_xydata()[0])) == pytest.approx(CUP_DEG[0], abs=2.0)
    x, y = drawn(figure, "Weight-bearing thirds")[0].get_xydata().T
    ends = turn * np.degrees(np.arctan2(x, y))[[0, -1]]
    np.testing.assert_allclose(ends, [graded.acetabular_edge_deg.value, graded.weight_bearing_start_deg.value])
    assert f"{-graded.lateral_margin_deg.value:.1f}° lateral" in words(figure)


def test_the_plane_cuts_a_ball_in_its_circle() -> None:
    segments = outline_mm(ball(), Sight.of(hip()["grades"].frame, "coronal", "left"))
    assert np.abs(np.linalg.norm(segments, axis=2) - RADIUS_MM).max() < 0.05
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum()
    assert length == pytest.approx(2.0 * np.pi * RADIUS_MM, rel=2e-3)


def test_an_image_is_read_between_its_voxels_and_nowhere_else() -> None:
    image = hip()["image"]
    points = CENTER_MM + np.array([[0.3, 2.0, 7.25], [10.0, -20.0, -3.5], [0.0, 0.0, 80.0]])
    found = resampled(image, points)
    np.testing.assert_allclose(found[:2], [72.5, -35.0], atol=1e-6)
    assert np.isnan(found[2])
    values = drawn(femoral_plane_figure(assessed(), "coronal"), "image")[0].get_array()
    assert values[-1, 0] > values[0, 0]  # superior is up


# The map.


def the_map(top_mm: float = RADIUS_MM) -> Any:
    made = assessed(top_mm=top_mm)
    necrosis = Necrosis(made.voxels, made.voxels, made.bone, made.grades.definitions)
    return polar_map(necrosis, made.grades.frame, "left")


def test_the_map_keeps_areas() -> None:
    head = the_map()
    whole = np.pi / 4.0 * head.joint.size  # cells in the map's circle
    assert head.joint.sum() / whole == pytest.approx((1.0 + 0.5) / 2.0, rel=0.01)  # beyond the junction at 0.5 radii
    assert head.necrotic.sum() / whole == pytest.approx((1.0 - np.cos(np.radians(HALF_DEG))) / 2.0, rel=0.05)


@pytest.mark.parametrize("top_mm", [20.0, 16.0])
def test_the_map_shows_how_deep_the_lesion_lies(top_mm: float) -> None:
    head = the_map(top_mm)
    inside = np.isfinite(head.depth_mm)
    assert inside.any()
    assert np.median(head.depth_mm[inside]) == pytest.approx(RADIUS_MM - top_mm, abs=0.8)
    assert not head.necrotic.any()


def test_a_lesion_below_half_the_radius_has_no_direction() -> None:
    assert np.isnan(the_map(11.0).depth_mm).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_place_on_the_map_is_seen_in_its_direction(side: str) -> None:
    frame = femoral_frame(anatomy_of(side))
    places = np.random.default_rng(1).uniform(-1.4, 1.4, (50, 2))
    directions = directions_at(places, frame, side)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
    back = [place_on_map(CENTER_MM + 7.0 * direction, frame, side) for direction in directions]
    np.testing.assert_allclose(back, places, atol=1e-9)
    polar = np.degrees(np.arccos(directions @ frame.axes[2]))
    np.testing.assert_allclose([radius_on_map(each) for each in polar], np.linalg.norm(places, axis=1))
    assert place_on_map(CENTER_MM, frame, side) == (0.0, 0.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_octant_has_its_share_in_its_quarter(side: str) -> None:
    figure = polar_figure(assessed(side))
    turn = -1.0 if side == "left" else 1.0
    for octant in hip(side)["grades"].octants:
        (text,) = drawn(figure, octant.name)
        x, y = text.get_position()
        assert text.get_text() == percent(octant.necrotic_share)
        assert (turn * x > 0.0) == ("medial" in octant.name)
        assert (y > 0.0) == ("anterior" in octant.name)
        assert (np.hypot(x, y) < radius_on_map(90.0)) == ("superior" in octant.name)
    (centroid,) = drawn(figure, "centroid")
    x, y = centroid.get_xydata()[0]
    assert turn * x == pytest.approx(radius_on_map(TILT_DEG), abs=0.03)
    assert y == pytest.approx(0.0, abs=0.03)


# The bone.


def test_every_landmark_is_a_disc_as_large_as_its_doubt_and_a_row_of_the_table() -> None:
    anatomy = anatomy_of("left")
    figure = axes_figure("z_0.7-L", ball(), anatomy)
    (bar,) = drawn(figure, "scale bar")
    mm_per_pixel = 20.0 / (np.ptp(bar.get_xdata()) * SHEET[0])
    said = words(figure)
    assert "z_0.7-L   LEFT hip" in said
    for name, _, doubt_mm in landmarks(anatomy):
        discs = drawn(figure, name)
        assert len(discs) == 2  # from the front and from the side
        for disc in discs:
            assert disc.get_radius() * mm_per_pixel == pytest.approx(max(doubt_mm, 5.0 * mm_per_pixel), rel=1e-6)
    front, side = (axes for axes in figure.axes)
    (isthmus, center) = (
        next(disc for disc in drawn(front, name)).get_center() for name in ("Neck isthmus", "Head centre")
    )
    assert center[0] < isthmus[0]  # the head of a left femur, seen from the front, lies to the viewer's left
    across = np.subtract(isthmus, center) * mm_per_pixel
    np.testing.assert_allclose(across, [20.0, 15.0], atol=1e-6)  # pixels count downwards
    assert len(drawn(side, "Shaft axis")) == 1
    for _, what, value in table_rows(anatomy):
        assert {what, value} <= set(said)
    assert ("", "Neck version", "not known") in table_rows(anatomy)
    assert any("no condyles here" in each.replace("\n", " ") for each in said)


def test_an_anatomy_without_stated_doubt_says_so() -> None:
    rows = table_rows(replace(anatomy_of("left"), uncertainty=None, neck_version_deg=14.0))
    assert ("1", "Head centre", "not stated") in rows
    assert ("", "Neck version", "14.0 not stated") in rows


# The files.


@cache
def pictures() -> dict[str, bytes]:
    return assessment_pictures(**hip())


def digests() -> dict[str, str]:
    return {name: hashlib.sha256(png).hexdigest() for name, png in pictures().items()}


def test_the_same_hip_gives_the_same_bytes_in_another_process_with_other_settings(tmp_path: Path) -> None:
    other = tmp_path / "matplotlibrc"
    other.write_text("font.size: 30\nlines.linewidth: 9\nfont.family: serif\nsavefig.facecolor: red\n")
    code = "import json, test_assessment_pictures as t; print(json.dumps(t.digests()))"
    environment = os.environ | {"MATPLOTLIBRC": str(other), "PYTHONHASHSEED": "7"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == digests()


def test_the_pictures_of_a_hip_have_the_promised_size_and_show_something() -> None:
    from PIL import Image

    assert list(pictures()) == ["coronal.png", "sagittal.png", "acetabular.png", "polar.png", "axes.png"]
    for png in pictures().values():
        image = Image.open(io.BytesIO(png))
        assert image.size == SHEET
        assert not set(image.info) & {"Software", "Creation Time"}
        assert (np.asarray(image.convert("L"))[128:] < 250).mean() > 0.05


def test_without_pelvis_and_image_there_is_no_acetabular_picture() -> None:
    made = hip()
    bare = made | {
        "pelvis": None,
        "image": None,
        "grades": grade_lesion(made["lesion"], made["bone"], made["anatomy"], None),
    }
    assert list(assessment_pictures(**bare)) == ["coronal.png", "sagittal.png", "polar.png", "axes.png"]
    figure = femoral_plane_figure(replace(assessed(), pelvis=None, image=None), "coronal")
    assert [drawn(figure, gid) for gid in ("pelvis", "image", "Acetabular edge")] == [[], [], []]
    assert len(drawn(figure, "bone")) == 1


def test_the_longest_id_fits_its_sheet() -> None:
    from guidegen.show.paper import blank

    figure = blank("W" * 64, "right", "subject")
    for text in figure.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0.0
        assert box.x1 <= SHEET[0]

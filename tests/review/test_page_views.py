"""Slices, layers and figures of the page, held to shapes of which everything is known."""

from __future__ import annotations

import html
import io
import json
import re
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from page_cases import ENTRY, TARGET, Pages, open_pages, page_plan, page_revision, rod, surface_of
from PIL import Image
from review_cases import World

from guidegen.errors import ResultError
from guidegen.frames import unit
from guidegen.review.web.planes import Plane, Slider, framed, planes_of, slider_of
from guidegen.review.web.round_bodies import turned
from guidegen.review.web.shapes import Shapes, ShapeStore, mesh_bytes, read_shapes
from guidegen.review.web.slices import PIXELS, STYLES, named, slice_png
from guidegen.rounded import shown
from guidegen.show.figures import Figure, figure_tables, value_at
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

BASE = "/cases/Z019L-left/r001"
SLICE_MS = 60.0


@pytest.fixture
def folder(world: World) -> Path:
    return page_revision(world)


@pytest.fixture
def shapes(folder: Path) -> Shapes:
    return read_shapes(folder)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def has_colour(picture: np.ndarray, layer: str) -> bool:
    """Whether a layer's line is somewhere in a picture."""
    colour = np.array(STYLES[layer][0]) * 255.0
    return bool((np.abs(picture - colour).max(axis=2) < 12).any())


# --- round bodies ---


@given(
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(1.0, 50.0),
    st.floats(0.5, 10.0),
)
def test_a_turned_rod_is_closed_and_as_large_as_its_corners_say(
    direction: tuple[float, ...], length: float, radius: float
) -> None:
    body = turned(np.array([1.0, -2.0, 3.0]), unit(direction), np.array([[0.0, radius], [length, radius]]))
    assert body.is_closed
    polygon = 48 / 2 * np.sin(2 * np.pi / 48) * radius**2
    assert body.volume_mm3 == pytest.approx(polygon * length, rel=1e-9)


def test_the_tunnel_ends_where_the_plan_says(shapes: Shapes) -> None:
    axis = unit(TARGET - ENTRY)
    along = (shapes.surfaces["tunnel"].vertices - ENTRY) @ axis
    assert along.max() == pytest.approx(np.linalg.norm(TARGET - ENTRY))
    assert along.min() == pytest.approx(-4.0)
    assert shapes.surfaces["tunnel"].is_closed


# --- planes ---


def test_planes_are_laid_out_as_radiology_does(shapes: Shapes) -> None:
    sides = {}
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        cut = framed(shapes, plane, 50.0).cut
        sides[plane] = (named(-cut.right), named(cut.right), named(cut.up), named(-cut.up))
    assert sides == {
        Plane.AXIAL: ("R", "L", "A", "P"),
        Plane.CORONAL: ("R", "L", "H", "F"),
        Plane.SAGITTAL: ("A", "P", "H", "F"),
    }


@pytest.mark.parametrize(("plane", "axis"), [(Plane.AXIAL, 2), (Plane.CORONAL, 1), (Plane.SAGITTAL, 0)])
@pytest.mark.parametrize("at", [-12.5, 33.0])
def test_a_slider_moves_the_plane_to_its_place(shapes: Shapes, plane: Plane, axis: int, at: float) -> None:
    cut = framed(shapes, plane, at).cut
    assert cut.origin_mm[axis] == at
    assert np.abs(cut.toward[axis]) == 1.0


@pytest.mark.parametrize("turn", [-90.0, -35.0, 0.0, 60.0])
def test_the_plane_along_the_tunnel_holds_its_axis_at_every_turn(shapes: Shapes, turn: float) -> None:
    cut = framed(shapes, Plane.ALONG, turn).cut
    for point in (ENTRY, TARGET):
        assert (point - cut.origin_mm) @ cut.toward == pytest.approx(0.0, abs=1e-9)
    assert np.cross(cut.right, cut.up) @ cut.toward == pytest.approx(1.0)
    front = framed(shapes, Plane.ALONG, 0.0).cut.toward
    assert np.degrees(np.arccos(np.clip(front @ cut.toward, -1, 1))) == pytest.approx(abs(turn))
    assert front[1] < 0.0  # LPS: the front is -y


def test_the_plane_across_the_tunnel_shows_a_round_hole(shapes: Shapes) -> None:
    view = framed(shapes, Plane.ACROSS, 40.0)
    picture = pixels(slice_png(shapes, None, view, ""))
    line = np.abs(picture - np.array(STYLES["tunnel"][0]) * 255.0).max(axis=2) < 60
    rows, columns = np.nonzero(line)
    scale = view.span_mm / PIXELS
    assert (np.ptp(rows) * scale, np.ptp(columns) * scale) == pytest.approx((8.0, 8.0), abs=0.6)
    assert (rows.mean(), columns.mean()) == pytest.approx((PIXELS / 2, PIXELS / 2), abs=2)


def test_without_a_tunnel_there_is_no_plane_along_one(shapes: Shapes) -> None:
    bare = Shapes({**shapes.plan, "tunnels": []}, {"bone": shapes.surfaces["bone"]})
    assert planes_of(bare) == (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)


def test_lateral_is_away_from_the_middle_on_both_sides(shapes: Shapes) -> None:
    assert shapes.body.lateral[0] > 0.9  # LPS: left is +x, and this is a left hip
    places = {"head_center_mm": [-60.0, 0.0, 80.0], "shaft_point_mm": [-95.0, 5.0, -60.0]}
    anatomy = shapes.plan["anatomy"] | places
    mirrored = Shapes({**shapes.plan, "side": "right", "anatomy": anatomy}, shapes.surfaces)
    assert mirrored.body.lateral[0] < -0.9
    assert mirrored.body.anterior[1] < -0.9


# --- slices ---


def test_a_slice_shows_what_the_plane_cuts_and_nothing_else(shapes: Shapes) -> None:
    through = pixels(slice_png(shapes, None, framed(shapes, Plane.AXIAL, float(TARGET[2])), ""))
    assert has_colour(through, "bone")
    assert has_colour(through, "lesion")
    below = pixels(slice_png(shapes, None, framed(shapes, Plane.AXIAL, 20.0), ""))
    assert has_colour(below, "bone")
    assert has_colour(below, "guide")
    assert not has_colour(below, "lesion")


def test_the_image_lies_where_the_bone_does(shapes: Shapes) -> None:
    voxels = np.zeros((40, 40, 40), dtype=np.float32)
    voxels[20, 20, 20] = 1000.0
    at = np.array([60.0, 0.0, 80.0])
    image = Volume(voxels, np.full(3, 3.0), np.eye(3), at - 60.0)
    view = framed(shapes, Plane.CORONAL, 0.0)
    picture = pixels(slice_png(shapes, image, view, "", frozenset(shapes.surfaces))).sum(axis=2)
    rows, columns = np.nonzero(picture[60:-60, 60:-60] > 300)
    right, up = (view.cut.flat_mm(at) - view.center_mm) * PIXELS / view.span_mm
    found = (columns.mean() + 60, rows.mean() + 60)
    assert found == pytest.approx((PIXELS / 2 + right, PIXELS / 2 - up), abs=1.5)


def test_a_slice_is_the_same_bytes_each_time(shapes: Shapes) -> None:
    view = framed(shapes, Plane.ALONG, 10.0)
    assert slice_png(shapes, None, view, "t") == slice_png(shapes, None, view, "t")


def test_a_surface_with_a_hole_is_told_and_not_drawn(shapes: Shapes) -> None:
    guide = shapes.surfaces["guide"]
    torn = Shapes(shapes.plan, {**shapes.surfaces, "guide": Surface(guide.vertices, guide.faces[1:])})
    pictures = [slice_png(torn, None, framed(torn, Plane.AXIAL, at), "") for at in (25.0, 35.0, 45.0, 55.0)]
    whole = [slice_png(shapes, None, framed(shapes, Plane.AXIAL, at), "") for at in (25.0, 35.0, 45.0, 55.0)]
    assert pictures != whole


def test_a_slice_is_drawn_in_time(shapes: Shapes) -> None:
    """On a bone of 80,000 triangles; the least of many, in time of this process: the machine may have other work."""
    ball = trimesh.creation.icosphere(6, 23.0).apply_translation([60.0, 0.0, 80.0])
    fine = Shapes(shapes.plan, {**shapes.surfaces, "bone": surface_of(ball)})
    for plane in Plane:
        times = []
        for step in range(8):
            view = framed(fine, plane, slider_of(fine, plane).start + step)
            begun = time.process_time()
            slice_png(fine, None, view, "title")
            times.append(1000.0 * (time.process_time() - begun))
        assert min(times) <= SLICE_MS, plane


# --- layers ---


def test_a_layer_is_given_as_it_is_in_the_file(shapes: Shapes) -> None:
    content = mesh_bytes(shapes, "bone")
    vertices, faces, values = np.frombuffer(content, "<u4", 3)
    bone = shapes.surfaces["bone"]
    assert (vertices, faces, values) == (len(bone.vertices), len(bone.faces), 0)
    places = np.frombuffer(content, "<f4", 3 * vertices, 12).reshape(-1, 3)
    np.testing.assert_array_equal(places, bone.vertices)
    np.testing.assert_array_equal(np.frombuffer(content, "<u4", 3 * faces, 12 + 12 * vertices), bone.faces.ravel())


def test_the_gap_is_the_distance_to_the_bone(shapes: Shapes) -> None:
    bone = surface_of(rod([0.0, 0.0, -60.0], [0.0, 0.0, 60.0], 15.0))
    plate = surface_of(trimesh.creation.box((4.0, 0.2, 20.0)).apply_translation([17.3, 0.0, 0.0]))
    gap = Shapes({**shapes.plan, "guide": {"clearance_mm": 0.3}}, {"bone": bone, "guide": plate}).gap
    assert gap is not None
    assert gap.gap_mm.min() == pytest.approx(0.37, abs=0.07)  # the rod has 24 corners
    np.testing.assert_allclose(gap.surface.vertices[:, 0], 15.3)


def test_unknown_layers_and_broken_files_are_told(folder: Path, shapes: Shapes) -> None:
    with pytest.raises(ResultError, match="expected a layer"):
        mesh_bytes(shapes, "keep_out")
    (folder / "femur.stl").unlink()
    with pytest.raises(ResultError, match=r"expected femur\.stl and one guide"):
        read_shapes(folder)


def test_shapes_are_read_anew_when_a_file_changes(folder: Path) -> None:
    store = ShapeStore()
    first = store.of(folder)
    assert store.of(folder) is first
    (folder / "lesion.stl").unlink()
    assert "lesion" not in store.of(folder).surfaces


# --- figures ---


def figures_of(text: str) -> list[tuple[str, float, str]]:
    """Place, factor and text of every figure on a page."""
    found = re.findall(r'data-source="([^"]+)" data-times="([^"]+)">([^<]*)<', text)
    return [(source, float(times), html.unescape(words)) for source, times, words in found]


def test_every_figure_on_the_page_is_that_of_the_files(world: World, folder: Path) -> None:
    world.reviews.submit(folder, world.who("ann"))
    text = open_pages(world).signed_in("bora").get(BASE).text
    files = {name: json.loads((folder / name).read_text()) for name in ("plan.json", "findings.json", "run.json")}
    found = figures_of(text)
    assert len(found) > 40
    for source, times, words in found:
        name, _, pointer = source.partition("#")
        value = value_at(files[name], pointer)
        if isinstance(value, str):
            assert words == value
            continue
        numbers = re.findall(r"-?\d+(?:\.\d+)?", words)
        values = value if isinstance(value, list) else [value]
        decimals = [len(number.partition(".")[2]) for number in numbers]
        rounded = [shown(times * each, digits) for each, digits in zip(values, decimals, strict=True)]
        assert numbers == rounded, (source, words)


def test_a_half_is_the_same_on_the_page_as_in_the_dossier_and_on_the_guide(world: World, folder: Path) -> None:
    """128.25 mm: Python's own rounding of it is 128.2."""
    assert page_plan()["tunnels"][0]["depth_reading_mm"] == 128.25
    world.reviews.submit(folder, world.who("ann"))
    visit = open_pages(world).signed_in("bora")
    page_revision(world, "r002")
    for address in (BASE, "/compare/Z019L-left?first=r001&second=r002"):
        text = visit.get(address).text
        assert "128.3 mm" in text
        assert "128.2" not in text


def test_every_limit_says_on_which_side_of_it_the_measured_must_lie(world: World, folder: Path) -> None:
    assert folder.is_dir()
    text = open_pages(world).signed_in("ann").get(BASE).text
    limits = [words for source, _, words in figures_of(text) if source.endswith("/limit")]
    assert limits == ["≥ 3.00", "≥ 300", "≤ 1"]
    assert ("findings.json#2/measured", 1.0, "1") in figures_of(text)


def test_no_figure_stands_in_a_table_without_its_place(world: World, folder: Path) -> None:
    world.reviews.submit(folder, world.who("ann"))
    text = open_pages(world).signed_in("bora").get(BASE).text
    assert "tunnel 1, entry, LPS mm" in text
    cells = re.findall(r'<td class="figure[^"]*"([^>]*)>([^<]*)<', text)
    assert all("data-source" in given or words == "–" for given, words in cells)


def test_what_is_known_of_the_skin_stands_in_tables_of_its_own() -> None:
    tunnel = {"depth_mm": 71.6, "through": "stab incision", "drill_spare_mm": -3.2}
    guide = {"soft_tissue": {"tunnels": [tunnel], "pins": [None, {"depth_mm": 47.3, "wire_spare_mm": 48.0}]}}
    plan = {"tunnels": [], "guide": guide, "anatomy": {}}
    tables = {table.title: table for table in figure_tables(plan)}
    to_skin = {row.label: row.figures[0] for row in tables["To the skin"].rows}
    assert to_skin["bone to skin"] == Figure("72 mm", "plan.json#guide/soft_tissue/tunnels/0/depth_mm")
    assert to_skin["opened by"] == Figure("stab incision", "plan.json#guide/soft_tissue/tunnels/0/through")
    assert to_skin["drill to spare"] == Figure("-3 mm", "plan.json#guide/soft_tissue/tunnels/0/drill_spare_mm")
    wires = {row.label: row.figures for row in tables["Wires to the skin"].rows}
    place = "plan.json#guide/soft_tissue/pins/1"
    assert wires["bone to skin"] == (None, Figure("47 mm", f"{place}/depth_mm"))
    unknown = figure_tables(plan | {"guide": {"soft_tissue": None}})
    assert not any("skin" in table.title for table in unknown)


def test_two_revisions_stand_beside_each_other(world: World, folder: Path) -> None:
    assert folder.is_dir()
    page_revision(world, "r002", entry_mm=(1.0, 2.0, 3.0))
    text = open_pages(world).signed_in("ann").get("/compare/Z019L-left?first=r001&second=r002").text
    assert text.count('data-source="plan.json#tunnels/0/length_mm"') == 2
    assert "/cases/Z019L-left/r001/files/preview/guide.png" in text
    assert "/cases/Z019L-left/r002/files/preview/guide.png" in text


def test_the_scene_says_where_everything_is(world: World, folder: Path) -> None:
    assert folder.is_dir()
    pages: Pages = open_pages(world)
    scene = pages.signed_in("bora").get(f"{BASE}/scene").json()
    assert set(scene["layers"]) == {"bone", "lesion", "tunnel", "pins", "guide", "gap"}
    assert scene["tunnels"][0]["entry"] == ENTRY.tolist()
    assert set(scene["views"]) >= {"front", "back", "lateral", "medial", "above", "tunnel"}
    length_mm = float(np.linalg.norm(TARGET - ENTRY))
    assert scene["tunnels"][0]["name"] == f"tunnel 1, {length_mm:.1f} mm"


def test_sliders_begin_at_the_lesion(shapes: Shapes) -> None:
    sliders: dict[Plane, Slider] = {plane: slider_of(shapes, plane) for plane in Plane}
    starts = [sliders[plane].start for plane in (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)]
    assert starts == pytest.approx(TARGET, abs=0.25)
    for slider in sliders.values():
        assert slider.low <= slider.start <= slider.high
        assert (slider.start - slider.low) % slider.step == 0.0  # else a browser would begin elsewhere

"""The pictures: true colours, true scale, the right way round, and the same bytes again."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from guidegen.bone.anatomy import Anatomy
from guidegen.errors import GuidegenError
from guidegen.show.canvas import SCENE_BOTTOM, SCENE_TOP, SHEET, View, named
from guidegen.show.pictures import FREE, IN_BONE, VIOLET, draw_pictures, gap_colours
from guidegen.show.stage import NO_DRIVER, Stage
from guidegen.surfaces import Surface

CLEARANCE_MM = 0.4
LATERAL_FACE_MM = 15.0

# The plate touches the bone this much above or below its middle, per mm of height.
TILT = 0.02


def body(mesh: Any) -> Surface:
    return Surface(mesh.vertices, mesh.faces)


def mirrored(surface: Surface) -> Surface:
    return Surface(surface.vertices * [-1, 1, 1], surface.faces[:, ::-1])


def scene(gap_mm: float = CLEARANCE_MM) -> dict[str, Any]:
    """A left femur of a box and a ball, and a plate 30 × 40 mm on its lateral side, tilted about the middle."""
    import trimesh

    shaft = trimesh.creation.box((30, 40, 160), trimesh.transformations.translation_matrix((0, 0, -60)))
    head = trimesh.creation.icosphere(3, 24).apply_translation((-45, 0, 5))
    lesion = trimesh.creation.icosphere(3, 9).apply_translation((-48, -4, 14))
    plate = trimesh.creation.box((4, 30, 40)).subdivide_loop(0).subdivide()
    plate.apply_translation((LATERAL_FACE_MM + 2.0 + gap_mm, 0, 0))
    tilted = plate.vertices + np.outer(plate.vertices[:, 2], [TILT, 0, 0])
    tilted[:, 2] -= 40.0
    return {
        "patient_id": "Z019L",
        "bone": body(trimesh.util.concatenate([shaft, head])),
        "lesion": body(lesion),
        "keep_out": None,
        "guide": Surface(tilted, plate.faces),
        "anatomy": Anatomy(
            side="left",
            head_center_mm=np.array([-45.0, 0, 5]),
            head_radius_mm=24.0,
            neck_isthmus_center_mm=np.array([-22.0, 0, -10]),
            neck_axis=np.array([-0.8, 0, 0.6]),
            shaft_point_mm=np.array([0.0, 0, -100]),
            shaft_axis=np.array([0.0, 0, 1]),
            lesser_trochanter_mm=np.array([-15.0, 15, -60]),
            greater_trochanter_mm=np.array([5.0, 0, 20]),
            vastus_ridge_mm=np.array([15.0, 0, -10]),
            neck_shaft_angle_deg=127.0,
            head_rms_mm=0.2,
            shaft_is_short=False,
        ),
        "tunnels": [{"entry_mm": [15.0, 0, -45], "target_mm": [-50.0, -4, 15], "diameter_mm": 8.0}],
        "pins": [{"point_mm": [15.0, 0, -25], "direction": [-1.0, 0, 0], "wire_diameter_mm": 2.0}],
        "wire_depth_mm": 25.0,
        "removal_direction": [1.0, 0, 0],
        "clearance_mm": CLEARANCE_MM,
    }


def pixels(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def left() -> dict[str, bytes]:
    return draw_pictures(**scene())


def test_three_pictures_of_the_promised_size(left: dict[str, bytes]) -> None:
    assert list(left) == ["guide.png", "tunnel.png", "contact.png"]
    assert {pixels(png).shape for png in left.values()} == {(SHEET[1], SHEET[0], 3)}


def test_the_same_case_gives_the_same_bytes_and_another_gap_another_contact(left: dict[str, bytes]) -> None:
    assert draw_pictures(**scene()) == left
    wider = draw_pictures(**scene(gap_mm=CLEARANCE_MM + 0.3))
    assert wider["contact.png"] != left["contact.png"]
    assert wider["tunnel.png"] == left["tunnel.png"]


@pytest.mark.parametrize("height_mm", [-18.0, -12.0, -5.0, 0.0, 6.0, 12.0, 18.0])
def test_the_colour_of_the_contact_is_that_of_its_gap(left: dict[str, bytes], height_mm: float) -> None:
    guide = scene()["guide"]
    view = View.fitted([-1, 0, 0], [0, 0, 1], guide.vertices)
    ((x, y),) = view.pixels([[LATERAL_FACE_MM, 0.0, -40.0 + height_mm]])
    found = pixels(left["contact.png"])[round(y), round(x)]
    (expected,) = gap_colours([CLEARANCE_MM + TILT * height_mm], CLEARANCE_MM).astype(int)
    assert np.abs(found - expected).max() <= 12


def test_a_guide_in_the_bone_is_red_and_one_far_off_is_grey() -> None:
    arguments = scene() | {"guide": scene(gap_mm=-0.9)["guide"]}
    middle = SHEET[0] // 2, (SCENE_TOP + SCENE_BOTTOM) // 2
    red = pixels(draw_pictures(**arguments)["contact.png"])[middle[1], middle[0]]
    assert np.abs(red - IN_BONE).max() <= 12
    no_lesion = scene() | {"guide": scene(gap_mm=8.0)["guide"], "lesion": None, "pins": []}
    grey = pixels(draw_pictures(**no_lesion)["contact.png"])[middle[1], middle[0]]
    assert np.abs(grey - FREE).max() <= 12


def test_the_scale_bar_is_true(left: dict[str, bytes]) -> None:
    image = pixels(left["contact.png"])
    plate = np.flatnonzero((image[SCENE_TOP + 45 : SCENE_BOTTOM - 45, SHEET[0] // 2] < 240).any(axis=1))
    bar = np.flatnonzero((image[SHEET[1] - 30, 865:] < 128).all(axis=1))
    assert np.ptp(plate) / np.ptp(bar) == pytest.approx(40.0 / 20.0, rel=0.02)


def of_colour(image: np.ndarray, channel: int) -> np.ndarray:
    """Columns of the scene's pixels in which this channel stands out."""
    others = np.delete(image[SCENE_TOP:SCENE_BOTTOM], channel, axis=2).max(axis=2)
    return np.nonzero(image[SCENE_TOP:SCENE_BOTTOM, :, channel] > others + 40)[1]


def test_lesion_and_tunnel_show_through_the_bone_and_no_picture_is_mirrored(left: dict[str, bytes]) -> None:
    seen = pixels(left["tunnel.png"])
    lesion, tunnel = of_colour(seen, 0), of_colour(seen, 2)
    assert min(len(lesion), len(tunnel)) > 1000
    # seen from the front, the head of a left femur points to the viewer's left
    assert lesion.mean() < tunnel.mean() - 50

    arguments = scene()
    flip = np.array([-1.0, 1, 1])
    turned = {
        name: getattr(arguments["anatomy"], name) * flip
        for name in vars(arguments["anatomy"])
        if name.endswith(("_mm", "_axis")) and np.ndim(getattr(arguments["anatomy"], name)) == 1
    }
    right = draw_pictures(
        **arguments
        | {name: mirrored(arguments[name]) for name in ("bone", "lesion", "guide")}
        | {
            "anatomy": replace(arguments["anatomy"], side="right", **turned),
            "tunnels": [{"entry_mm": [-15.0, 0, -45], "target_mm": [50.0, -4, 15], "diameter_mm": 8.0}],
            "pins": [{"point_mm": [-15.0, 0, -25], "direction": [1.0, 0, 0], "wire_diameter_mm": 2.0}],
            "removal_direction": [-1.0, 0, 0],
        }
    )
    seen = pixels(right["tunnel.png"])
    assert of_colour(seen, 0).mean() > of_colour(seen, 2).mean() + 50


def test_a_machine_that_cannot_draw_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", NO_DRIVER)
    with pytest.raises(GuidegenError, match=r"expected a display or EGL .* found neither; install EGL and Mesa"):
        Stage()


def test_the_marks_name_what_lies_there() -> None:
    directions = {
        ("PROX", "DIST"): np.array([0.0, 0, 1]),
        ("LAT", "MED"): np.array([1.0, 0, 0]),
        ("ANT", "POST"): np.array([0.0, -1, 0]),
    }
    view = View.fitted([0, -1, 0], [0, 0, 1], np.array([[0.0, 0, 0], [1, 1, 1]]))
    right, up, toward = view.axes
    assert [named(v, directions) for v in (right, -right, up, -up, toward)] == ["LAT", "MED", "PROX", "DIST", "ANT"]
    assert named(np.array([0.6, -0.8, 0.0]), directions) == "ANT-LAT"
    assert named(np.array([0.3, -0.95, 0.0]), directions) == "ANT"


def test_a_black_and_white_print_tells_the_gaps_apart() -> None:
    """Dark to light: in the bone, wide, as asked, touching, no contact."""
    colours = np.vstack([gap_colours([-0.1, 0.9, 0.3, 0.0], 0.3), [FREE]]).astype(float)
    grey = colours @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > 30.0).all()


def test_the_gap_colours_meet_at_the_asked_clearance() -> None:
    colours = gap_colours([-1e-9, 0.0, 0.4, 1.2, 50.0], 0.4)
    np.testing.assert_array_equal(colours[0], IN_BONE)
    np.testing.assert_array_equal(colours[1:], [(255, 202, 84), (56, 172, 154), (64, 104, 172), (64, 104, 172)])
    assert len(np.unique(gap_colours(np.linspace(0.0, 1.2, 25), 0.4), axis=0)) == 25


def test_what_is_kept_out_is_drawn_in_a_colour_of_its_own(left: dict[str, bytes]) -> None:
    import trimesh

    plate = body(trimesh.creation.box((5, 12, 30), trimesh.transformations.translation_matrix((18, 0, -100))))
    drawn = draw_pictures(**scene() | {"keep_out": plate, "guide": scene()["guide"]})
    assert drawn["contact.png"] == left["contact.png"]
    for name in ("tunnel.png",):
        violet = pixels(drawn[name])[SCENE_BOTTOM:]
        assert (np.abs(violet - VIOLET).max(axis=2) <= 2).sum() > 300, "the legend names it"
        assert (np.abs(pixels(left[name])[SCENE_BOTTOM:] - VIOLET).max(axis=2) <= 2).sum() == 0
    scenes = [pixels(png["guide.png"])[SCENE_TOP:SCENE_BOTTOM] for png in (drawn, left)]
    assert (scenes[0] != scenes[1]).any()

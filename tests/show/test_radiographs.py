"""Simulated radiographs: what a ray gathers in closed form, and where drill and wires stand at either depth."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import trimesh
from test_pictures import pixels, scene

from guidegen.frames import rotation_about, unit
from guidegen.show.canvas import SCENE_BOTTOM, SCENE_TOP, SHEET
from guidegen.show.radiographs import (
    BONE_HU,
    DRILL,
    FIRST_LOOK_MM,
    RAY_MM,
    _density,
    _panels,
    _thickness,
    radiograph_pictures,
)
from guidegen.show.registration_pictures import MM_PER_PIXEL, PANEL, Panel
from guidegen.surfaces import Surface
from guidegen.volumes import Volume

CENTER_MM = np.array([30.0, -12.0, -600.0])
X = (np.arange(81) - 40.0) * RAY_MM
Y = (40.0 - np.arange(81)) * RAY_MM


def seen_from(turn: np.ndarray) -> tuple[Panel, np.ndarray]:
    return Panel(turn[:2], CENTER_MM, 0.0, ("", "", "")), turn[2]


def ball(radius_mm: float) -> Surface:
    mesh = trimesh.creation.icosphere(5, radius_mm)
    return Surface(mesh.vertices + CENTER_MM, mesh.faces)


@pytest.mark.parametrize("turn", [np.eye(3), rotation_about((0.3, 1.0, 0.2), 41.0)])
def test_a_ray_passes_through_a_ball_on_its_chord(turn: np.ndarray) -> None:
    panel, toward = seen_from(turn)
    found = _thickness(ball(20.0), panel, toward, X, Y)
    away = np.hypot(X[None, :], Y[:, None])
    chord = 2.0 * np.sqrt(np.maximum(20.0**2 - away**2, 0.0))
    assert found[away < 19.0] == pytest.approx(chord[away < 19.0], abs=0.15)
    assert not found[away > 20.0].any()


def test_a_ray_through_edges_and_corners_counts_each_surface_once() -> None:
    """A cube of 30 mm whose faces' diagonals and corners lie on rays."""
    mesh = trimesh.creation.box((30 * RAY_MM,) * 3)
    panel, toward = seen_from(np.eye(3))
    found = _thickness(Surface(mesh.vertices + CENTER_MM, mesh.faces), panel, toward, X, Y)
    inside = (np.abs(X)[None, :] < 14.5 * RAY_MM) & (np.abs(Y)[:, None] < 14.5 * RAY_MM)
    assert found[inside] == pytest.approx(30 * RAY_MM, abs=1e-9)


def test_a_bone_with_a_hollow_shows_less_of_itself() -> None:
    outer, inner = ball(20.0), ball(10.0)
    faces = np.concatenate([outer.faces, inner.faces[:, ::-1] + len(outer.vertices)])
    panel, toward = seen_from(np.eye(3))
    found = _thickness(Surface(np.concatenate([outer.vertices, inner.vertices]), faces), panel, toward, X, Y)
    assert found[40, 40] == pytest.approx(20.0, abs=0.1)


@pytest.mark.parametrize("turn", [np.eye(3), rotation_about((0.3, 1.0, 0.2), 41.0)])
def test_a_ray_gathers_what_a_ct_has_more_than_soft_tissue(turn: np.ndarray) -> None:
    index = np.indices((61, 61, 61)) - 30.0
    hu = np.where(np.linalg.norm(index, axis=0) < 20.0, 600.0, 40.0)
    ct = Volume(hu, np.ones(3), np.eye(3), CENTER_MM - 30.0)
    panel, toward = seen_from(turn)
    found = _density(ct, panel, toward, X, Y)
    assert found[40, 40] == pytest.approx(40.0 * (600.0 - BONE_HU), rel=0.05)
    assert found[0, 40] == 0.0
    assert found[40, 62] == pytest.approx(2.0 * np.sqrt(20.0**2 - X[62] ** 2) * (600.0 - BONE_HU), rel=0.1)


@cache
def bone() -> Surface:
    """That of the scene in faces as small as those of a bone."""
    mesh = trimesh.Trimesh(scene()["bone"].vertices, scene()["bone"].faces, process=False)
    return Surface(*trimesh.remesh.subdivide_to_size(mesh.vertices, mesh.faces, 6.0))


def shown(**changes: Any) -> dict[str, bytes]:
    hip = scene()
    entry, target = (np.array(hip["tunnels"][0][end]) for end in ("entry_mm", "target_mm"))
    stop = entry - 30.0 * unit(target - entry)
    sleeve = {"tunnel": 0, "stop_face_mm": stop.tolist(), "drill_diameter_mm": 8.0, "metal": None}
    pin = hip["pins"][0] | {"top_mm": [20.0, 0.0, -25.0], "depth_mm": 25.0}
    given = {"sleeves": [sleeve], "pins": [pin], "ct": None} | changes
    return radiograph_pictures(
        "Z019L", bone(), given["ct"], hip["anatomy"], hip["tunnels"], given["sleeves"], given["pins"]
    )


def test_the_drill_stands_10_mm_in_the_bone_and_then_at_its_end() -> None:
    picture = pixels(shown(pins=[])["xray_front.png"])
    anatomy, tunnel = scene()["anatomy"], scene()["tunnels"][0]
    entry, target = np.array(tunnel["entry_mm"]), np.array(tunnel["target_mm"])
    panels = _panels(-anatomy.posterior, anatomy)
    tips = (entry + FIRST_LOOK_MM * unit(target - entry), target)
    for panel, tip, part in zip(panels, tips, (slice(0, PANEL[0]), slice(SHEET[0] - PANEL[0], SHEET[0])), strict=True):
        dark = np.abs(picture[SCENE_TOP:SCENE_BOTTOM, part] - DRILL).sum(axis=2) < 12
        rows, columns = np.nonzero(dark)
        places = np.stack([columns + part.start, rows + SCENE_TOP], axis=1)
        ((x, y), (begin_x, begin_y)) = panel.pixels(np.stack([tip, entry]))
        along = unit(np.array([x - begin_x, y - begin_y, 0.0]))[:2]
        furthest = float(((places - [begin_x, begin_y]) @ along).max())
        assert furthest == pytest.approx(float(np.hypot(x - begin_x, y - begin_y)), abs=5.0)


def test_both_views_are_drawn_alike_again_and_a_ct_changes_them() -> None:
    first = shown()
    assert list(first) == ["xray_front.png", "xray_side.png"]
    assert first == shown()
    hu = np.full((40, 40, 90), 700.0)
    other = shown(ct=Volume(hu, np.full(3, 2.0), np.eye(3), np.array([-60.0, -40.0, -150.0])))
    assert other["xray_front.png"] != first["xray_front.png"]
    assert pixels(first["xray_front.png"]).shape == (SHEET[1], SHEET[0], 3)


def test_a_wire_is_drawn_to_its_depth() -> None:
    bare, wired = (pixels(shown(**given)["xray_front.png"]) for given in ({"pins": []}, {}))
    changed = np.abs(wired - bare).sum(axis=2)[SCENE_TOP:SCENE_BOTTOM, : PANEL[0]] > 60
    _, columns = np.nonzero(changed)
    reach_mm = (columns.max() - columns.min()) * MM_PER_PIXEL
    assert reach_mm == pytest.approx(25.0 + 5.0 + 6.0, abs=1.5)  # in the bone, to the boss, and a little beyond it
